#include "kernels/topk.hpp"

#include <cstddef>

#include "kernels/simd.hpp"

namespace firth::FIRTH_ISA {

namespace {

typedef float Lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));
constexpr size_t width = sizeof(Lanes) / sizeof(float);

// Not a template: a template argument loses the attribute that allows any address.
inline Lanes load_wide(const float *p) { return *reinterpret_cast<const Lanes *>(p); }
inline Four load_four(const float *p) { return *reinterpret_cast<const Four *>(p); }

inline Four fold(const Lanes &v) {
    return (__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7)) +
           (__builtin_shufflevector(v, v, 8, 9, 10, 11) +
            __builtin_shufflevector(v, v, 12, 13, 14, 15));
}

// The four sums of four vectors.
inline Four sums(const Four &a, const Four &b, const Four &c, const Four &d) {
    const Four ab =
        __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Four cd =
        __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) +
           __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

// Four rows that lie one after the other: as many sums that do not wait for each other.
inline Four four_dots(const float *a, size_t dim, const float *query) {
    const float *b = a + dim, *c = b + dim, *d = c + dim;
    Lanes wide_a{}, wide_b{}, wide_c{}, wide_d{};
    size_t i = 0;
    for (; i + width <= dim; i += width) {
        const Lanes q = load_wide(query + i);
        wide_a += q * load_wide(a + i);
        wide_b += q * load_wide(b + i);
        wide_c += q * load_wide(c + i);
        wide_d += q * load_wide(d + i);
    }
    Four sum_a = fold(wide_a), sum_b = fold(wide_b), sum_c = fold(wide_c), sum_d = fold(wide_d);
    for (; i + 4 <= dim; i += 4) {
        const Four q = load_four(query + i);
        sum_a += q * load_four(a + i);
        sum_b += q * load_four(b + i);
        sum_c += q * load_four(c + i);
        sum_d += q * load_four(d + i);
    }
    Four total = sums(sum_a, sum_b, sum_c, sum_d);
    for (; i < dim; ++i) total += query[i] * Four{a[i], b[i], c[i], d[i]};
    return total;
}

inline float one_dot(const float *a, size_t dim, const float *query) {
    Lanes wide{};
    size_t i = 0;
    for (; i + width <= dim; i += width) wide += load_wide(query + i) * load_wide(a + i);
    Four four = fold(wide);
    for (; i + 4 <= dim; i += 4) four += load_four(query + i) * load_four(a + i);
    float total = (four[0] + four[2]) + (four[1] + four[3]);
    for (; i < dim; ++i) total += query[i] * a[i];
    return total;
}

}  // namespace

// Exponent and mantissa are moved to their places in single precision and scaled by the difference
// of the biases, which makes normal numbers of subnormal ones; infinity and NaN get the exponent that
// says so there.
void widen(const uint16_t *halves, size_t n, float *out) {
    constexpr uint32_t infinity = 0x7C00u << 13;
    for (size_t i = 0; i < n; ++i) {
        const uint32_t half = halves[i], magnitude = (half & 0x7FFFu) << 13;
        float scaled;
        __builtin_memcpy(&scaled, &magnitude, sizeof scaled);
        scaled *= 0x1p112f;
        uint32_t bits;
        __builtin_memcpy(&bits, &scaled, sizeof bits);
        bits |= magnitude >= infinity ? 0xFFu << 23 : 0u;
        bits |= (half & 0x8000u) << 16;
        __builtin_memcpy(out + i, &bits, sizeof bits);
    }
}

void widen_bytes(const int8_t *bytes, size_t n, float *out) {
    for (size_t i = 0; i < n; ++i) out[i] = bytes[i];
}

void row_dots(const float *matrix, size_t n_rows, size_t dim, const float *query, float *out) {
    size_t row = 0;
    for (; row + 4 <= n_rows; row += 4)
        *reinterpret_cast<Four *>(out + row) = four_dots(matrix + row * dim, dim, query);
    for (; row < n_rows; ++row) out[row] = one_dot(matrix + row * dim, dim, query);
}

size_t next_above(const float *dots, const float *norms, size_t begin, size_t n, float threshold) {
    constexpr size_t chunk = 64;
    size_t i = begin;
    // Hardly any row passes once the best are known: whole chunks are passed over.
    for (; i + chunk <= n; i += chunk) {
        int any = 0;
        for (size_t j = i; j < i + chunk; ++j) any |= dots[j] > threshold * norms[j];
        if (any) break;
    }
    for (; i < n; ++i)
        if (dots[i] > threshold * norms[i]) return i;
    return n;
}

// Two registers of rows for each question: with twelve questions 24 sums and three more, of 32
// registers; with six, where there are but 16.
constexpr size_t panel = 2 * lanes;
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr size_t at_once = 12;
#else
constexpr size_t at_once = 6;
#endif
static_assert(question_tile % at_once == 0, "a tile is questions for whole rounds");
static_assert(row_tile % panel == 0, "a tile is made of whole panels");

void pack_rows(const float *matrix, const float *norms, size_t n_rows, size_t dim, float *packed) {
    constexpr float nan = __builtin_nanf(""), infinity = __builtin_inff();
    for (size_t first = 0; first < row_tile; first += panel, packed += panel * dim) {
        for (size_t j = 0; j < panel; ++j) {
            const bool there = first + j < n_rows;
            const float norm = there ? norms[first + j] : 0.0f;
            const float *row = matrix + (first + j) * dim;
            if (!(norm > 0.0f && norm < infinity))
                for (size_t k = 0; k < dim; ++k) packed[k * panel + j] = nan;
            else if (norm > 0x1p-120f)
                for (size_t k = 0; k < dim; ++k) packed[k * panel + j] = row[k] * (1 / norm);
            else  // so short that its inverse could be infinite
                for (size_t k = 0; k < dim; ++k) packed[k * panel + j] = row[k] / norm;
        }
    }
}

namespace {

inline bool any(const vint &mask) {
    int64_t parts[sizeof mask / sizeof(int64_t)], all = 0;
    std::memcpy(parts, &mask, sizeof mask);
    for (const int64_t part : parts) all |= part;
    return all != 0;
}

}  // namespace

size_t tile_hits(const float *packed, size_t dim, const float *tiles, size_t n_tiles,
                 const float *thresholds, Hit *hits) {
    size_t n_hits = 0;
    for (size_t first = 0; first < row_tile; first += panel, packed += panel * dim) {
        for (size_t question = 0; question < n_tiles * question_tile; question += at_once) {
            const size_t tile = question / question_tile;
            const float *q = tiles + tile * question_tile * dim + question % question_tile;
            vfloat sums[at_once][2] = {};
            const float *rows = packed;
            for (size_t k = 0; k < dim; ++k, rows += panel, q += question_tile) {
                const vfloat a = load(rows);
                const vfloat b = load(rows + lanes);
                for (size_t i = 0; i < at_once; ++i) {
                    sums[i][0] += a * q[i];
                    sums[i][1] += b * q[i];
                }
            }
            const float *least = thresholds + question;
            vint above{};
            for (size_t i = 0; i < at_once; ++i)
                above |= (vint)(sums[i][0] > least[i]) | (vint)(sums[i][1] > least[i]);
            if (!any(above)) continue;
            for (size_t i = 0; i < at_once; ++i) {
                float scores[panel];
                store(scores, sums[i][0]);
                store(scores + lanes, sums[i][1]);
                for (size_t j = 0; j < panel; ++j)
                    if (scores[j] > least[i])
                        hits[n_hits++] = {scores[j], static_cast<uint32_t>(question + i),
                                          static_cast<uint32_t>(first + j)};
            }
        }
    }
    return n_hits;
}

}  // namespace firth::FIRTH_ISA

#include "kernels/scan_codes.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <cstring>

#include "kernels/simd.hpp"

namespace firth::FIRTH_ISA {

namespace {

constexpr int width = lanes * 4;  // bytes of a register
typedef uint8_t vbytes __attribute__((vector_size(width)));
typedef uint16_t vwords __attribute__((vector_size(width)));

// A register has two groups, one, or half of one.
constexpr int groups_at_once = width > int{code_group_bytes} ? 2 : 1;
constexpr int parts = width < int{code_group_bytes} ? 2 : 1;

inline vbytes load_bytes(const uint8_t *p) {
    vbytes v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

// Each index, below 16, replaced by that entry of the 16 bytes of the table in its own sixteenth part.
// The languages of vectors have no word for it.
inline vbytes look_up(vbytes table, vbytes index) {
#if defined(__AVX512BW__)
    return (vbytes)_mm512_shuffle_epi8((__m512i)table, (__m512i)index);
#elif defined(__AVX2__)
    return (vbytes)_mm256_shuffle_epi8((__m256i)table, (__m256i)index);
#else
    return __builtin_shuffle(table, index);
#endif
}

// Sums of 16 bits of the bytes in even places and of those in odd ones.
struct WideSums {
    vwords even{}, odd{};
    void add(vbytes sums) {
        even += (vwords)sums & 0xFF;
        odd += (vwords)sums >> 8;
    }
    // Of rows 0, 1, 2 ... and of rows 16, 17, 18 ...
    void store(uint16_t *to) const {
        store_half(even, to);
        store_half(odd, to + 16);
    }

  private:
    static void store_half(vwords sums, uint16_t *to) {
        if constexpr (groups_at_once == 2) {
            typedef uint16_t vhalf __attribute__((vector_size(width / 2)));
            vhalf halves[2];
            std::memcpy(halves, &sums, sizeof sums);
            halves[0] += halves[1];
            std::memcpy(to, halves, sizeof halves[0]);
        } else {
            std::memcpy(to, &sums, sizeof sums);
        }
    }
};

// The sums of the entries of all groups, for each row of a block.
inline void sum_block(const uint8_t *codes, size_t n_groups, const uint8_t *table, uint16_t *sums) {
    for (int part = 0; part < parts; ++part) {
        const size_t shift = static_cast<size_t>(part) * width;
        WideSums low, high;
        constexpr size_t most = groups_in_a_byte * groups_at_once;
        for (size_t first = 0; first < n_groups; first += most) {
            const size_t end = first + most < n_groups ? first + most : n_groups;
            vbytes low_bytes{}, high_bytes{};
            for (size_t g = first; g < end; g += groups_at_once) {
                const vbytes entries = load_bytes(table + g * code_group_bytes + shift);
                const vbytes code = load_bytes(codes + g * code_group_bytes + shift);
                low_bytes += look_up(entries, code & 0x0F);
                high_bytes += look_up(entries, (vbytes)((vwords)code >> 4) & 0x0F);
            }
            low.add(low_bytes);
            high.add(high_bytes);
        }
        low.store(sums + part * (width / 2));
        high.store(sums + 32 + part * (width / 2));
    }
}

// A bit for each of 16 scores: whether it is not below the threshold.
inline uint32_t reach(const float *scores, float threshold) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(scores), _mm512_set1_ps(threshold), _CMP_GE_OQ);
#elif defined(__AVX2__)
    const __m256 least = _mm256_set1_ps(threshold);
    const auto half = [&](const float *p) {
        return static_cast<uint32_t>(
            _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(p), least, _CMP_GE_OQ)));
    };
    return half(scores) | half(scores + 8) << 8;
#else
    uint32_t bits = 0;
    for (int i = 0; i < 16; ++i) bits |= static_cast<uint32_t>(scores[i] >= threshold) << i;
    return bits;
#endif
}

}  // namespace

size_t scan_codes(const uint8_t *codes, const uint16_t *factors, size_t n_blocks, size_t n_groups,
                  const CodeFactors &meaning, const CodeQuestion &question, float threshold,
                  uint32_t first_row, Estimate *found) {
    size_t n_found = 0;
    for (size_t block = 0; block < n_blocks; ++block) {
        uint16_t sums[code_block_rows];
        sum_block(codes + block * n_groups * code_group_bytes, n_groups, question.table, sums);
        const uint16_t *const scales = factors + block * 2 * code_block_rows;
        const uint16_t *const offsets = scales + code_block_rows;
        float scores[code_block_rows];
        for (size_t i = 0; i < code_block_rows; ++i) {
            const float worth = question.bias + question.step * static_cast<float>(sums[i]);
            const float scale = meaning.scale_least + meaning.scale_step * static_cast<float>(scales[i]);
            const float offset =
                meaning.offset_least + meaning.offset_step * static_cast<float>(offsets[i]);
            scores[i] = offset + scale * worth;
        }
        for (size_t i = 0; i < code_block_rows; i += 16)
            for (uint32_t bits = reach(scores + i, threshold); bits; bits &= bits - 1) {
                const size_t j = i + static_cast<size_t>(__builtin_ctz(bits));
                found[n_found++] = {scores[j],
                                    static_cast<uint32_t>(first_row + block * code_block_rows + j)};
            }
    }
    return n_found;
}

}  // namespace firth::FIRTH_ISA

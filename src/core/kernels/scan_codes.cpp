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

// So many questions share what is made of the codes; their sums stay in registers.
constexpr int questions_at_once = lanes == 16 ? 4 : 2;

// The sums of the entries of all groups, for each row of a block, of n questions.
template <int n>
inline void sum_block(const uint8_t *codes, size_t n_groups, const CodeQuestion *questions,
                      uint16_t (*sums)[code_block_rows]) {
    for (int part = 0; part < parts; ++part) {
        const size_t shift = static_cast<size_t>(part) * width;
        WideSums low[n], high[n];
        constexpr size_t most = groups_in_a_byte * groups_at_once;
        for (size_t first = 0; first < n_groups; first += most) {
            const size_t end = first + most < n_groups ? first + most : n_groups;
            vbytes low_bytes[n] = {}, high_bytes[n] = {};
            for (size_t g = first; g < end; g += groups_at_once) {
                const vbytes code = load_bytes(codes + g * code_group_bytes + shift);
                const vbytes lower = code & 0x0F, upper = (vbytes)((vwords)code >> 4) & 0x0F;
                for (int q = 0; q < n; ++q) {
                    const vbytes entries = load_bytes(questions[q].table + g * code_group_bytes + shift);
                    low_bytes[q] += look_up(entries, lower);
                    high_bytes[q] += look_up(entries, upper);
                }
            }
            for (int q = 0; q < n; ++q) {
                low[q].add(low_bytes[q]);
                high[q].add(high_bytes[q]);
            }
        }
        for (int q = 0; q < n; ++q) {
            low[q].store(sums[q] + part * (width / 2));
            high[q].store(sums[q] + 32 + part * (width / 2));
        }
    }
}

// What 16-bit scores are compared with: it is no more than the threshold.
inline int16_t in_16_bits(float threshold, const CodeQuestion &question) {
    const float units = (threshold - question.error) / question.unit;
    return units > INT16_MIN ? static_cast<int16_t>(units < INT16_MAX ? units : INT16_MAX) - 1 : INT16_MIN;
}

// A bit for each row of a block, set unless its score is below the threshold for sure.
#if defined(__AVX512BW__)
inline uint64_t may_reach(const uint16_t *sums, const int16_t *factors, const CodeQuestion &question,
                          int16_t threshold) {
    const __m512i middle = _mm512_set1_epi16(question.middle), least = _mm512_set1_epi16(threshold);
    const __m512i offset_factor = _mm512_set1_epi16(question.offset_factor);
    const __m128i shift = _mm_cvtsi32_si128(question.shift);
    uint64_t bits = 0;
    for (size_t i = 0; i < code_block_rows; i += 32) {
        const __m512i sum = _mm512_sub_epi16(_mm512_loadu_si512(sums + i), middle);
        const __m512i worth = _mm512_mulhrs_epi16(_mm512_sll_epi16(sum, shift),
                                                  _mm512_loadu_si512(factors + i));
        const __m512i offset =
            _mm512_mulhrs_epi16(_mm512_loadu_si512(factors + code_block_rows + i), offset_factor);
        bits |= uint64_t{_mm512_cmpge_epi16_mask(_mm512_adds_epi16(worth, offset), least)} << i;
    }
    return bits;
}
#elif defined(__AVX2__)
inline uint64_t may_reach(const uint16_t *sums, const int16_t *factors, const CodeQuestion &question,
                          int16_t threshold) {
    const __m256i middle = _mm256_set1_epi16(question.middle), least = _mm256_set1_epi16(threshold);
    const __m256i offset_factor = _mm256_set1_epi16(question.offset_factor);
    const __m128i shift = _mm_cvtsi32_si128(question.shift);
    const auto at = [](const void *p) { return _mm256_loadu_si256(static_cast<const __m256i *>(p)); };
    const auto is_below = [&](size_t i) {
        const __m256i sum = _mm256_sub_epi16(at(sums + i), middle);
        const __m256i worth = _mm256_mulhrs_epi16(_mm256_sll_epi16(sum, shift), at(factors + i));
        const __m256i offset = _mm256_mulhrs_epi16(at(factors + code_block_rows + i), offset_factor);
        return _mm256_cmpgt_epi16(least, _mm256_adds_epi16(worth, offset));
    };
    uint64_t below = 0;
    for (size_t i = 0; i < code_block_rows; i += 32) {
        // Words are packed within halves of registers: quarters 0 2 1 3 are put in order.
        const __m256i packed = _mm256_packs_epi16(is_below(i), is_below(i + 16));
        const __m256i in_order = _mm256_permute4x64_epi64(packed, _MM_SHUFFLE(3, 1, 2, 0));
        below |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(in_order))} << i;
    }
    return ~below;
}
#else
inline uint64_t may_reach(const uint16_t *, const int16_t *, const CodeQuestion &, int16_t) {
    return ~uint64_t{0};
}
#endif

// Scans for n questions.
template <int n>
void scan_for(const uint8_t *codes, const int16_t *factors, size_t n_blocks, size_t n_groups,
              const CodeFactors &meaning, const CodeQuestion *questions, const float *thresholds,
              uint32_t first_row, Found *found) {
    int16_t least[n];
    for (int q = 0; q < n; ++q) {
        least[q] = in_16_bits(thresholds[q], questions[q]);
        found[q].n = 0;
    }
    for (size_t block = 0; block < n_blocks; ++block) {
        uint16_t sums[n][code_block_rows];
        sum_block<n>(codes + block * n_groups * code_group_bytes, n_groups, questions, sums);
        const int16_t *const scales = factors + block * 2 * code_block_rows;
        const int16_t *const offsets = scales + code_block_rows;
        for (int q = 0; q < n; ++q) {
            for (uint64_t bits = may_reach(sums[q], scales, questions[q], least[q]); bits;
                 bits &= bits - 1) {
                const auto i = static_cast<size_t>(__builtin_ctzll(bits));
                const float worth =
                    questions[q].bias + questions[q].step * static_cast<float>(sums[q][i]);
                const float score = meaning.offset_step * static_cast<float>(offsets[i]) +
                                    meaning.scale_step * static_cast<float>(scales[i]) * worth;
                if (score >= thresholds[q])
                    found[q].estimates[found[q].n++] = {
                        score, static_cast<uint32_t>(first_row + block * code_block_rows + i)};
            }
        }
    }
}

}  // namespace

void scan_codes(const uint8_t *codes, const int16_t *factors, size_t n_blocks, size_t n_groups,
                const CodeFactors &meaning, const CodeQuestion *questions, const float *thresholds,
                size_t n_questions, uint32_t first_row, Found *found) {
    size_t q = 0;
    for (; q + questions_at_once <= n_questions; q += questions_at_once)
        scan_for<questions_at_once>(codes, factors, n_blocks, n_groups, meaning, questions + q,
                                    thresholds + q, first_row, found + q);
    for (; q < n_questions; ++q)
        scan_for<1>(codes, factors, n_blocks, n_groups, meaning, questions + q, thresholds + q,
                    first_row, found + q);
}

}  // namespace firth::FIRTH_ISA

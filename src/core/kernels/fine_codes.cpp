#include "kernels/fine_codes.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace firth::FIRTH_ISA {

namespace {

#if defined(__AVX2__)
inline __m256i load(const void *p) { return _mm256_loadu_si256(static_cast<const __m256i *>(p)); }

int32_t sum_of_products(const uint8_t *code, size_t n_bytes, const FineQuestion &question) {
    const __m256i half = _mm256_set1_epi8(0x0F), ones = _mm256_set1_epi16(1);
    __m256i sums = _mm256_setzero_si256();
    for (size_t k = 0; k < n_bytes; k += fine_row_step) {
        const __m256i both = load(code + k);
        const __m256i lower = _mm256_and_si256(both, half);
        const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(both, 4), half);
        // Four products of at most 15 * 127: no sum of 16 bits overflows.
        const __m256i pairs =
            _mm256_add_epi16(_mm256_maddubs_epi16(lower, load(question.lower + k)),
                             _mm256_maddubs_epi16(upper, load(question.upper + k)));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, ones));
    }
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(2, 3, 0, 1)));
    return _mm_cvtsi128_si32(four);
}
#else
int32_t sum_of_products(const uint8_t *code, size_t n_bytes, const FineQuestion &question) {
    int32_t sum = 0;
    for (size_t k = 0; k < n_bytes; ++k)
        sum += (code[k] & 0x0F) * question.lower[k] + (code[k] >> 4) * question.upper[k];
    return sum;
}
#endif

inline float number_at(const uint8_t *p) {
    return static_cast<float>(static_cast<int16_t>(p[0] | p[1] << 8));
}

}  // namespace

void score_fine_codes(const uint8_t *codes, size_t row_bytes, size_t factors_at,
                      const CodeFactors &meaning, const FineQuestion &question, const uint32_t *rows,
                      size_t n_rows, float *scores) {
    for (size_t i = 0; i < n_rows; ++i) {
        const uint8_t *const code = codes + rows[i] * row_bytes;
        const auto sum = static_cast<float>(sum_of_products(code, row_bytes, question));
        const uint8_t *const factors = code + factors_at;
        const float scale = meaning.scale_step * number_at(factors);
        const float offset = meaning.offset_step * number_at(factors + 2);
        scores[i] = offset + scale * (question.bias + question.unit * sum);
    }
}

}  // namespace firth::FIRTH_ISA

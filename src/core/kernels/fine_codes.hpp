// Estimates of dot products by codes of four bits a number, one row here and one there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"
#include "kernels/scan_codes.hpp"

namespace firth {

// Rows of codes are filled up to multiples of so many bytes.
constexpr size_t fine_row_step = 32;
// Of a row's bytes: the numbers of its factors, scale and offset, 16 bits each, lowest byte first.
constexpr size_t fine_factor_bytes = 4;

// A question made ready: for the lower and for the upper half of each byte of a row what to multiply it
// by, 0 for bytes that are no codes. A sum of products is worth bias + unit * sum.
struct FineQuestion {
    const int8_t *lower, *upper;
    float unit, bias;
};

FIRTH_DECLARE_KERNELS(
    // Estimates the scores of some rows, offset + scale * worth. The factors of a row begin at byte
    // factors_at.
    void score_fine_codes(const uint8_t *codes, size_t row_bytes, size_t factors_at,
                          const CodeFactors &meaning, const FineQuestion &question,
                          const uint32_t *rows, size_t n_rows, float *scores);)

}  // namespace firth

// The inner loop of a search among codes of one bit a number: estimates of dot products.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"

namespace firth {

// Codes lie in blocks of so many rows; the last is filled up. For each group of four bits a block has
// code_group_bytes: byte 2i has the group of row i in its lower half and that of row 32 + i in its upper
// one, byte 2i + 1 those of rows 16 + i and 48 + i. Sums of bytes in pairs then come out in order.
constexpr size_t code_block_rows = 64, code_group_bytes = 32;
// A sum of so many entries of a table must fit into a byte, with entries up to most_entry.
constexpr size_t groups_in_a_byte = 8;
constexpr uint8_t most_entry = 31;

// What the numbers of a row's factors mean: scale = scale_step * number, and so the offset.
struct CodeFactors {
    float scale_step, offset_step;
};

// A question made ready. Of each group of four bits `table` has the 16 sums that they may stand for,
// twice; a sum of entries, one of each group, is worth bias + step * sum.
//
// Most rows are left out by scores of 16 bits, in units of `unit`: the sum less `middle`, shifted to the
// left, times the scale, and the offset times `offset_factor`, both as fractions of 1 << 15. They are
// wrong by less than `error`, which is infinite where they would not do.
struct CodeQuestion {
    const uint8_t *table;
    float step, bias;
    int16_t middle, offset_factor;
    int shift;
    float unit, error;
};

struct Estimate {
    float score;
    uint32_t row;
};

// Blocks that are scanned for one question after the other while they are in a fast cache.
constexpr size_t code_blocks_at_a_time = 16;

struct Found {
    size_t n;
    Estimate estimates[code_blocks_at_a_time * code_block_rows];
};

FIRTH_DECLARE_KERNELS(
    // Estimates the scores of all rows of some blocks, at most code_blocks_at_a_time, for some questions:
    // offset + scale * worth. Those not below its threshold are what is found for each. `codes` are
    // n_blocks x n_groups x code_group_bytes, n_groups even; `factors` are the scales and then the offsets
    // of each block's rows.
    void scan_codes(const uint8_t *codes, const int16_t *factors, size_t n_blocks, size_t n_groups,
                    const CodeFactors &meaning, const CodeQuestion *questions, const float *thresholds,
                    size_t n_questions, uint32_t first_row, Found *found);)

}  // namespace firth

// Candidates for the nearest rows of a question, by codes of one bit for each number of a row.
//
// Gao and Long 2024, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for
// Approximate Nearest Neighbor Search". All codes are read for each question, but they are 1/32 of the
// matrix and are looked up 64 rows at a time ("fast scan": André, Kermarrec and Le Scouarnec 2015).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/scan_codes.hpp"

namespace firth {

struct SignCodes {
    const uint8_t *codes;     // n_blocks x n_groups x code_group_bytes
    const int16_t *factors;   // n_blocks x 2 x code_block_rows
    size_t n_rows;
    size_t n_groups;  // of four bits; even
    CodeFactors meaning;
};

// Turns n directions (n x dim) as rows are turned before their signs are taken: times axes (dim x n_axes),
// less a shift (n_axes).
void turn_questions(const float *directions, size_t n, size_t dim, const float *axes, size_t n_axes,
                    const float *shift, float *turned);

// Finds the n rows with the highest estimates for each of n_questions questions (4 * n_groups numbers
// each, turned as the rows were before their signs were taken), and writes them in no order; -1 where
// there are no more. What is found does not depend on the number of threads.
void find_candidates(const SignCodes &codes, const float *questions, size_t n_questions, size_t n,
                     size_t n_threads, int64_t *rows);

}  // namespace firth

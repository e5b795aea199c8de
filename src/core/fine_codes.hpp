// The best among candidates, by codes of four bits for each number of a row: a cache line or two, where
// its vector has many.
//
// Gao et al. 2024, "Practical and Asymptotically Optimal Quantization of High-Dimensional Vectors in
// Euclidean Space for Approximate Nearest Neighbor Search": codes of one bit find, longer ones choose.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/fine_codes.hpp"

namespace firth {

struct FineCodes {
    const uint8_t *codes;  // n_rows x row_bytes
    size_t row_bytes;      // whole fine_row_step
    size_t n_numbers;      // even; number j < n_numbers / 2 is the lower half of byte j, the others upper
    CodeFactors meaning;
};

// Writes the n_kept rows with the highest estimates among n_candidates (-1 is none) of each of
// n_questions questions of n_numbers, best first; -1 where there are no more.
void choose_candidates(const FineCodes &codes, const float *questions, size_t n_questions,
                       const int64_t *candidates, size_t n_candidates, size_t n_kept,
                       size_t n_threads, int64_t *rows);

}  // namespace firth

// The inner loop of analogies: sums of rows that have been computed once for all questions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"

namespace firth {

FIRTH_DECLARE_KERNELS(
    // For each question (a, b, c), three rows of `plus` and `minus` (n_words x n_columns each): the
    // highest plus[b] + plus[c] - minus[a] of all columns but those that it leaves out, which are
    // exclude[offsets[q]] up to exclude[offsets[q + 1]], sorted, counted from first_column. It
    // replaces best[q] and best_column[q] where it is higher. No score may be NaN.
    void best_sums(const float *plus, const float *minus, size_t n_columns,
                   const uint32_t *questions, size_t n_questions, const int64_t *exclude,
                   const int64_t *offsets, int64_t first_column, float *best,
                   int64_t *best_column);)

}  // namespace firth

// The inner loops of nearest-neighbour search.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"

namespace firth {

// Questions that a matrix product takes at a time, and what the rows of its blocks are a multiple of.
constexpr size_t question_tile = 6, row_tile = 32;

FIRTH_DECLARE_KERNELS(
    // Half precision (IEEE 754 binary16) to single precision, exact.
    void widen(const uint16_t *halves, size_t n, float *out);

    // out[i] = the dot product of row i of the matrix (n_rows x dim) and the query (dim).
    void row_dots(const float *matrix, size_t n_rows, size_t dim, const float *query, float *out);

    // Lays rows out for block_dots, which this instruction set must run too. `packed` holds n_rows
    // rounded up to row_tile, times dim.
    void pack_rows(const float *matrix, size_t n_rows, size_t dim, float *packed);

    // dots[i * stride + j] = the dot product of question i (of question_tile) and row j. Questions
    // lie as (dim x question_tile); n_rows is rounded up to row_tile, of which there must be room.
    void block_dots(const float *packed, size_t n_rows, size_t dim, const float *questions,
                    float *dots, size_t stride);

    // The first i >= begin with dots[i] > threshold * norms[i], or n. A row whose norm is NaN, or 0
    // as its dot product then is, has no direction and is never found.
    size_t next_above(const float *dots, const float *norms, size_t begin, size_t n,
                      float threshold);)

}  // namespace firth

// The inner loops of nearest-neighbour search.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"

namespace firth {

// Questions that a matrix product takes at a time, and rows.
constexpr size_t question_tile = 12, row_tile = 32;

// A row that scores above what its question asks for.
struct Hit {
    float score;
    uint32_t question, row;
};

FIRTH_DECLARE_KERNELS(
    // Half precision (IEEE 754 binary16) to single precision, exact.
    void widen(const uint16_t *halves, size_t n, float *out);

    // Whole numbers to single precision.
    void widen_bytes(const int8_t *bytes, size_t n, float *out);

    // out[i] = the dot product of row i of the matrix (n_rows x dim) and the query (dim).
    void row_dots(const float *matrix, size_t n_rows, size_t dim, const float *query, float *out);

    // The first i >= begin with dots[i] > threshold * norms[i], or n. A row whose norm is NaN, or 0
    // as its dot product then is, has no direction and is never found.
    size_t next_above(const float *dots, const float *norms, size_t begin, size_t n,
                      float threshold);

    // Lays up to row_tile rows out for tile_hits, which this instruction set must run too, each
    // divided by its norm; those without a direction become NaN. `packed` holds row_tile x dim.
    void pack_rows(const float *matrix, const float *norms, size_t n_rows, size_t dim,
                   float *packed);

    // Multiplies packed rows with tiles of questions, each (dim x question_tile), and writes which
    // of row_tile x n_tiles x question_tile scores are above the threshold of their question, one
    // for each; there must be room for all. Returns how many.
    size_t tile_hits(const float *packed, size_t dim, const float *tiles, size_t n_tiles,
                     const float *thresholds, Hit *hits);)

}  // namespace firth

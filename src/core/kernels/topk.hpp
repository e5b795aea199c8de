// The inner loops of nearest-neighbour search.
#pragma once

#include <cstddef>

#include "isa.hpp"

namespace firth {

FIRTH_DECLARE_KERNELS(
    // out[i] = the dot product of row i of the matrix (n_rows x dim) and the query (dim).
    void row_dots(const float *matrix, size_t n_rows, size_t dim, const float *query, float *out);

    // The first i >= begin with dots[i] > threshold * norms[i], or n. A row whose norm is NaN, or 0
    // as its dot product then is, has no direction and is never found.
    size_t next_above(const float *dots, const float *norms, size_t begin, size_t n,
                      float threshold);)

}  // namespace firth

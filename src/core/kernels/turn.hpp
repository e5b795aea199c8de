// Directions along other axes.
#pragma once

#include <cstddef>

#include "isa.hpp"

namespace firth {

FIRTH_DECLARE_KERNELS(
    // Writes directions (n x dim) times axes (dim x n_axes), less a shift (n_axes), to turned (n x n_axes).
    // A library's product of matrices would leave threads behind that wait for the next one by spinning,
    // and take a core from the search.
    void turn(const float *directions, size_t n, size_t dim, const float *axes, size_t n_axes,
              const float *shift, float *turned);)

}  // namespace firth

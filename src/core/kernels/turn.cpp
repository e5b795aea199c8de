#include "kernels/turn.hpp"

#include "kernels/simd.hpp"

namespace firth::FIRTH_ISA {

namespace {

constexpr size_t rows_at_once = 4;

// So many directions share what is loaded of the axes.
template <size_t n>
void turn_some(const float *directions, size_t dim, const float *axes, size_t n_axes, const float *shift,
               float *turned) {
    size_t j = 0;
    for (; j + lanes <= n_axes; j += lanes) {
        vfloat sums[n] = {};
        for (size_t d = 0; d < dim; ++d) {
            const vfloat axis = load(axes + d * n_axes + j);
            for (size_t i = 0; i < n; ++i) sums[i] += broadcast(directions[i * dim + d]) * axis;
        }
        for (size_t i = 0; i < n; ++i) store(turned + i * n_axes + j, sums[i] - load(shift + j));
    }
    for (; j < n_axes; ++j)
        for (size_t i = 0; i < n; ++i) {
            float sum = 0;
            for (size_t d = 0; d < dim; ++d) sum += directions[i * dim + d] * axes[d * n_axes + j];
            turned[i * n_axes + j] = sum - shift[j];
        }
}

}  // namespace

void turn(const float *directions, size_t n, size_t dim, const float *axes, size_t n_axes,
          const float *shift, float *turned) {
    size_t i = 0;
    for (; i + rows_at_once <= n; i += rows_at_once)
        turn_some<rows_at_once>(directions + i * dim, dim, axes, n_axes, shift, turned + i * n_axes);
    for (; i < n; ++i) turn_some<1>(directions + i * dim, dim, axes, n_axes, shift, turned + i * n_axes);
}

}  // namespace firth::FIRTH_ISA

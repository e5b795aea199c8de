// Sums of many rows, and the same change to many rows: inputs that are made of several vectors.
#pragma once

#include "kernels/simd.hpp"
#include "kernels/tiles.hpp"

namespace firth::FIRTH_ISA {
namespace {

// Calls work(size, k) for each block of columns: blocks of eight vectors, and a last one of what is left.
// A block stays in registers while it goes from row to row.
template <typename Work>
void for_each_block(size_t stride, const Work &work) {
    size_t k = 0;
    for (; stride - k >= 8 * lanes; k += 8 * lanes) work(Size<8>{}, k);
    switch ((stride - k) / lanes) {
        case 1: work(Size<1>{}, k); break;
        case 2: work(Size<2>{}, k); break;
        case 3: work(Size<3>{}, k); break;
        case 4: work(Size<4>{}, k); break;
        case 5: work(Size<5>{}, k); break;
        case 6: work(Size<6>{}, k); break;
        case 7: work(Size<7>{}, k); break;
        default: break;
    }
}

// sum = scale * (weight_of(0) * row_of(0) + weight_of(1) * row_of(1) + ...), for n >= 1 rows.
template <typename RowOf, typename WeightOf, typename Prefetch>
void sum_rows(const RowOf &row_of, const WeightOf &weight_of, int n, float scale, size_t stride,
              const Prefetch &prefetch, float *sum) {
    for_each_block(stride, [&](auto size, size_t k) __attribute__((always_inline)) {
        constexpr int N = size();
        prefetch.template before<N>(k);
        vfloat total[N];
        for (int j = 0; j < N; ++j) total[j] = vfloat{};
        for (int i = 0; i < n; ++i) {
            const float *const row = row_of(i) + k;
            const float weight = weight_of(i);
            for (int j = 0; j < N; ++j) total[j] += load(row + j * lanes) * weight;
        }
        for (int j = 0; j < N; ++j) store(sum + k + j * lanes, total[j] * scale);
        prefetch.template behind<N>(k);
    });
}

// Adds scale * addend to each row; a row that stands twice gets it twice.
template <typename RowOf, typename Prefetch>
void add_to_rows(const float *addend, float scale, const RowOf &row_of, int n, size_t stride,
                 const Prefetch &prefetch) {
    for_each_block(stride, [&](auto size, size_t k) __attribute__((always_inline)) {
        constexpr int N = size();
        prefetch.template before<N>(k);
        vfloat change[N];
        for (int j = 0; j < N; ++j) change[j] = load(addend + k + j * lanes) * scale;
        for (int i = 0; i < n; ++i) {
            float *const row = row_of(i) + k;
            for (int j = 0; j < N; ++j) store(row + j * lanes, load(row + j * lanes) + change[j]);
        }
        prefetch.template behind<N>(k);
    });
}

}  // namespace
}  // namespace firth::FIRTH_ISA

#include "replicas.hpp"

#include <algorithm>
#include <cstring>

#include "on_threads.hpp"

namespace firth {

namespace {

// Rows are whole cache lines: loops of 16 need no tail, and become a few vector instructions.
constexpr size_t kLine = 16;

void merge_row(float *__restrict base, float *const *replicas, size_t n_replicas, size_t stride,
               float factor) {
    // Most rows of a large vocabulary are touched by few rounds; what nobody changed is only read.
    bool changed = false;
    for (size_t r = 0; r < n_replicas && !changed; ++r)
        changed = std::memcmp(base, replicas[r], stride * sizeof(float)) != 0;
    if (!changed) return;
    for (size_t k = 0; k < stride; k += kLine) {
        float sums[kLine] = {};
        for (size_t r = 0; r < n_replicas; ++r)
            for (size_t i = 0; i < kLine; ++i) sums[i] += replicas[r][k + i] - base[k + i];
        for (size_t i = 0; i < kLine; ++i) base[k + i] += factor * sums[i];
        for (size_t r = 0; r < n_replicas; ++r)
            std::memcpy(replicas[r] + k, base + k, kLine * sizeof(float));
    }
}

}  // namespace

void merge_replicas(float *base, const std::vector<float *> &replicas, size_t stride,
                    const uint32_t *rows, size_t n_rows, const float *factors, size_t n_threads) {
    const size_t share = (n_rows + n_threads - 1) / n_threads;
    on_threads_each(n_threads, [&](size_t thread) {
        std::vector<float *> row_of(replicas.size());
        const size_t end = std::min(n_rows, (thread + 1) * share);
        for (size_t i = thread * share; i < end; ++i) {
            const size_t at = (rows ? rows[i] : i) * stride;
            for (size_t r = 0; r < replicas.size(); ++r) row_of[r] = replicas[r] + at;
            merge_row(base + at, row_of.data(), row_of.size(), stride, factors[i]);
        }
    });
}

}  // namespace firth

// Replicas of a matrix that were trained apart, and become one again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace firth {

// Each replica began as a copy of the base, and was changed since. For each of some rows, the base moves
// by the sum of these changes times the row's factor, and the replicas become copies of it again. The
// order of the additions is that of the replicas, whatever number of threads shares out the rows: the same
// inputs give the same bits. Without `rows` these are the first `n_rows`.
void merge_replicas(float *base, const std::vector<float *> &replicas, size_t stride,
                    const uint32_t *rows, size_t n_rows, const float *factors, size_t n_threads);

}  // namespace firth

// The inner loop of approximate search: scores of nodes that lie here and there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.hpp"

namespace firth {

// How vectors are kept: IEEE 754 binary32 and binary16, and whole numbers.
enum class Item { float32, float16, int8 };

constexpr size_t item_size(Item item) {
    return item == Item::float32 ? 4 : item == Item::float16 ? 2 : 1;
}

FIRTH_DECLARE_KERNELS(
    // scores[i] = the dot product of the query (dim) with vector nodes[i] of those that lie one after
    // the other from `vectors` on, at any address. Vectors of float16 hold no infinity and no NaN.
    void score_nodes(const uint8_t *vectors, Item item, size_t dim, const float *query,
                     const uint32_t *nodes, size_t n_nodes, float *scores);)

}  // namespace firth

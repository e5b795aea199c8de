#include "kernels/node_scores.hpp"

#include <cstring>

#include "kernels/simd.hpp"

namespace firth::FIRTH_ISA {

namespace {

// `lanes` numbers in 32 bits each. By a loop, of which GCC makes one instruction; of a vector of bytes
// converted to one of words, GCC 12 makes a dozen for each number.
template <typename Narrow>
inline vint load_wide(const uint8_t *p) {
    Narrow narrow[lanes];
    int32_t wide[lanes];
    std::memcpy(narrow, p, sizeof narrow);
    for (int j = 0; j < lanes; ++j) wide[j] = narrow[j];
    vint v;
    std::memcpy(&v, wide, sizeof v);
    return v;
}

// As in widen (topk.cpp), for finite numbers.
inline vfloat widened(vint halves) {
    const vfloat magnitude = (vfloat)((halves & 0x7FFF) << 13) * 0x1p112f;
    return (vfloat)((vint)magnitude | (halves & 0x8000) << 16);
}

template <Item item>
struct Items;
template <>
struct Items<Item::float32> {
    static constexpr size_t size = 4;
    static vfloat load(const uint8_t *p) {
        vfloat v;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
};
template <>
struct Items<Item::float16> {
    static constexpr size_t size = 2;
    static vfloat load(const uint8_t *p) { return widened(load_wide<uint16_t>(p)); }
};
template <>
struct Items<Item::int8> {
    static constexpr size_t size = 1;
    static vfloat load(const uint8_t *p) {
        return __builtin_convertvector(load_wide<int8_t>(p), vfloat);
    }
};

template <Item item>
void score(const uint8_t *vectors, size_t dim, const float *query, const uint32_t *nodes,
           size_t n_nodes, float *scores) {
    constexpr size_t size = Items<item>::size;
    const size_t bytes = dim * size;
    // All are sent for before the first is read: they come together.
    for (size_t i = 0; i < n_nodes; ++i) {
        const uint8_t *const vector = vectors + nodes[i] * bytes;
        for (size_t k = 0; k < bytes; k += 64) __builtin_prefetch(vector + k);
        __builtin_prefetch(vector + bytes - 1);
    }
    // What is left behind the last whole register is laid out as one, filled up with zeros.
    const size_t whole = dim / lanes * lanes, rest = dim - whole;
    float query_rest[lanes] = {};
    std::memcpy(query_rest, query + whole, rest * sizeof(float));
    for (size_t i = 0; i < n_nodes; ++i) {
        const uint8_t *const vector = vectors + nodes[i] * bytes;
        vfloat total{};
        for (size_t k = 0; k < whole; k += lanes)
            total += Items<item>::load(vector + k * size) * load(query + k);
        if (rest) {
            uint8_t vector_rest[lanes * size] = {};
            std::memcpy(vector_rest, vector + whole * size, rest * size);
            total += Items<item>::load(vector_rest) * load(query_rest);
        }
        scores[i] = sum(total);
    }
}

}  // namespace

void score_nodes(const uint8_t *vectors, Item item, size_t dim, const float *query,
                 const uint32_t *nodes, size_t n_nodes, float *scores) {
    switch (item) {
        case Item::float32:
            return score<Item::float32>(vectors, dim, query, nodes, n_nodes, scores);
        case Item::float16:
            return score<Item::float16>(vectors, dim, query, nodes, n_nodes, scores);
        case Item::int8: return score<Item::int8>(vectors, dim, query, nodes, n_nodes, scores);
    }
}

}  // namespace firth::FIRTH_ISA

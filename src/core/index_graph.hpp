// Graphs of approximate search as usearch writes them: checked before they are walked, since the
// walk takes every number in them for an address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace firth {

struct GraphShape {
    size_t n_nodes;
    uint64_t n_rows;            // keys are rows of a matrix that has so many
    size_t connectivity;        // the most neighbours of a node on a level
    size_t connectivity_base;   // the same on the lowest level
};

// Nothing is aligned in these files.
template <typename T>
T read(const uint8_t *at) {
    T value;
    std::memcpy(&value, at, sizeof(T));
    return value;
}

constexpr size_t key_bytes = sizeof(uint64_t), level_bytes = sizeof(int16_t);
constexpr size_t count_bytes = sizeof(uint32_t), slot_bytes = sizeof(uint32_t);

// Where the neighbours of a node on a level begin, from its key on; for the level above its highest, where
// the node ends.
inline size_t list_begin(const GraphShape &shape, size_t level) {
    const size_t lowest = key_bytes + level_bytes;
    return level == 0 ? lowest
                      : lowest + count_bytes + shape.connectivity_base * slot_bytes +
                            (level - 1) * (count_bytes + shape.connectivity * slot_bytes);
}

// The bytes that follow the sizes in a file of usearch: levels (int16 of each node), then nodes: a
// key (uint64), a level (int16), and for each level from the lowest a count and the neighbours
// (uint32 each), of which there is room for the most.
//
// Checks that the nodes fill the bytes, keys are rows, and neighbours are nodes that reach up to
// the level they are neighbours on. Gives the byte of the first thing that is wrong, or -1.
int64_t first_wrong_byte(const uint8_t *bytes, size_t n_bytes, const GraphShape &shape);

}  // namespace firth

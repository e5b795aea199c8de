// A search in a graph of usearch: the walk of Malkov and Yashunin 2018, "Efficient and Robust Approximate
// Nearest Neighbor Search Using Hierarchical Navigable Small World Graphs", algorithms 2 and 5.
//
// usearch builds these graphs. Nearly all of the time of a walk is waiting for vectors, two or three cache
// lines each, from all over a memory much larger than the caches; usearch asks for one at a time. Here
// those of all neighbours of a node are on their way together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "index_graph.hpp"
#include "kernels/node_scores.hpp"

namespace firth {

// The bytes of a graph, checked (first_wrong_byte).
struct WalkedGraph {
    GraphShape shape;
    const uint8_t *vectors;  // n_nodes x dim
    Item item;
    size_t dim;
    const uint8_t *nodes;                // the first
    const std::vector<uint64_t> &begin;  // of each node from there (node_begins)
    uint32_t entry;
    int top_level;
};

std::vector<uint64_t> node_begins(const uint8_t *levels, const GraphShape &shape);

class GraphWalk {
  public:
    explicit GraphWalk(const WalkedGraph &graph);

    // Writes the keys of about the k best nodes for a query (dim numbers), best first, and -1 where there
    // are no more. `expansion` >= k candidates are held.
    void nearest(const float *query, size_t k, size_t expansion, int64_t *keys);

  private:
    struct Scored {
        float score;
        uint32_t node;
    };
    struct Neighbours {
        const uint8_t *first;
        size_t n;
    };

    Neighbours neighbours(uint32_t node, int level) const;
    void send_for(uint32_t node) const;
    Scored descend(const float *query);
    void widen(const float *query, Scored entry, size_t expansion);

    const WalkedGraph &graph_;
    std::vector<uint64_t> seen_;    // a bit for each node
    std::vector<uint32_t> touched_;  // whose bits are set
    std::vector<uint32_t> fresh_;
    std::vector<float> scores_;
    std::vector<Scored> candidates_, best_;  // heaps: the best candidate, the worst of the best on top
};

}  // namespace firth

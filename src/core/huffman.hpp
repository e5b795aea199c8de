// The Huffman tree of a vocabulary, for hierarchical softmax (Mikolov et al. 2013, "Distributed
// Representations of Words and Phrases and their Compositionality", section 2.1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace firth {

// The path from the root to each word: nodes[offsets[w] .. offsets[w + 1]), of which the first
// n_positive[w] are those where the word lies on the side with the label 1. Node 0 is the root, and nodes
// that many words pass have small numbers.
struct HuffmanPaths {
    std::vector<uint64_t> offsets{0};
    std::vector<uint32_t> nodes;
    std::vector<uint8_t> n_positive;
};

// At equal counts inner nodes go before words, and words from the last id to the first: the tree of
// word2vec.c and of fastText, whose files hold no tree and count on that. Needs at least two words.
inline HuffmanPaths huffman_paths(const int64_t *counts, size_t n_words) {
    // Leaves by rising count, and inner nodes as they arise, which is by rising count, too: the two
    // smallest are always at the front of one of two queues.
    std::vector<uint32_t> leaves(n_words);
    std::iota(leaves.rbegin(), leaves.rend(), 0);
    std::stable_sort(leaves.begin(), leaves.end(),
                     [counts](uint32_t a, uint32_t b) { return counts[a] < counts[b]; });
    const size_t n_nodes = n_words - 1;
    std::vector<uint64_t> sums(n_nodes);
    std::vector<uint32_t> parent_of_leaf(n_words), parent_of_node(n_nodes);
    std::vector<uint8_t> label_of_leaf(n_words), label_of_node(n_nodes);
    size_t next_leaf = 0, next_node = 0;
    for (size_t made = 0; made < n_nodes; ++made) {
        const auto number = static_cast<uint32_t>(n_nodes - 1 - made);
        for (uint8_t label : {1, 0}) {  // the smaller one has a 0 in its code: the label 1
            const bool takes_leaf =
                next_leaf < n_words &&
                (next_node == made ||
                 static_cast<uint64_t>(counts[leaves[next_leaf]]) < sums[next_node]);
            if (takes_leaf) {
                const uint32_t leaf = leaves[next_leaf++];
                sums[made] += static_cast<uint64_t>(counts[leaf]);
                parent_of_leaf[leaf] = number;
                label_of_leaf[leaf] = label;
            } else {
                const size_t node = n_nodes - 1 - next_node;
                sums[made] += sums[next_node++];
                parent_of_node[node] = number;
                label_of_node[node] = label;
            }
        }
    }
    HuffmanPaths paths;
    paths.offsets.reserve(n_words + 1);
    paths.n_positive.reserve(n_words);
    std::vector<uint32_t> negative_nodes;
    for (size_t word = 0; word < n_words; ++word) {
        negative_nodes.clear();
        uint32_t node = parent_of_leaf[word];
        uint8_t label = label_of_leaf[word];
        const size_t begin = paths.nodes.size();
        for (;;) {
            (label ? paths.nodes : negative_nodes).push_back(node);
            if (node == 0) break;
            label = label_of_node[node];
            node = parent_of_node[node];
        }
        paths.n_positive.push_back(static_cast<uint8_t>(paths.nodes.size() - begin));
        paths.nodes.insert(paths.nodes.end(), negative_nodes.begin(), negative_nodes.end());
        paths.offsets.push_back(paths.nodes.size());
    }
    return paths;
}

}  // namespace firth

#include "graph_walk.hpp"

#include <algorithm>
#include <cstring>

namespace firth {

namespace {

bool is_better(const auto &a, const auto &b) { return a.score > b.score; }
bool is_worse(const auto &a, const auto &b) { return a.score < b.score; }

}  // namespace

std::vector<uint64_t> node_begins(const uint8_t *levels, const GraphShape &shape) {
    std::vector<uint64_t> begins(shape.n_nodes);
    uint64_t at = 0;
    for (size_t node = 0; node < shape.n_nodes; ++node) {
        begins[node] = at;
        const auto level = static_cast<size_t>(read<int16_t>(levels + node * level_bytes));
        at += list_begin(shape, level + 1);
    }
    return begins;
}

GraphWalk::GraphWalk(const WalkedGraph &graph)
    : graph_(graph),
      seen_((graph.shape.n_nodes + 63) / 64),
      fresh_(std::max(graph.shape.connectivity, graph.shape.connectivity_base)),
      scores_(fresh_.size()) {}

GraphWalk::Neighbours GraphWalk::neighbours(uint32_t node, int level) const {
    const uint8_t *const list = graph_.nodes + graph_.begin[node] +
                                list_begin(graph_.shape, static_cast<size_t>(level));
    return {list + count_bytes, read<uint32_t>(list)};
}

void GraphWalk::send_for(uint32_t node) const {
    const uint8_t *const at = graph_.nodes + graph_.begin[node];
    const size_t end = list_begin(graph_.shape, 1);
    for (size_t k = 0; k < end; k += 64) __builtin_prefetch(at + k);
}

// From the top level down to the one above the lowest: always to the best neighbour.
GraphWalk::Scored GraphWalk::descend(const float *query) {
    const auto score = [&](size_t n) {
        FIRTH_DISPATCH(score_nodes, graph_.vectors, graph_.item, graph_.dim, query, fresh_.data(), n,
                       scores_.data());
    };
    fresh_[0] = graph_.entry;
    score(1);
    Scored at{scores_[0], graph_.entry};
    for (int level = graph_.top_level; level > 0; --level) {
        for (bool moves = true; moves;) {
            const auto [first, n] = neighbours(at.node, level);
            std::memcpy(fresh_.data(), first, n * slot_bytes);
            score(n);
            moves = false;
            for (size_t i = 0; i < n; ++i)
                if (scores_[i] > at.score) {
                    at = {scores_[i], fresh_[i]};
                    moves = true;
                }
        }
    }
    return at;
}

// On the lowest level: the neighbours of the best candidate, until no candidate is better than the worst
// of the best that are held.
void GraphWalk::widen(const float *query, Scored entry, size_t expansion) {
    const auto see = [&](uint32_t node) {
        uint64_t &bits = seen_[node / 64];
        const uint64_t bit = uint64_t{1} << node % 64;
        if (bits & bit) return false;
        bits |= bit;
        touched_.push_back(node);
        return true;
    };
    see(entry.node);
    candidates_.assign(1, entry);
    best_.assign(1, entry);
    while (!candidates_.empty()) {
        std::pop_heap(candidates_.begin(), candidates_.end(), is_worse<Scored, Scored>);
        const Scored candidate = candidates_.back();
        candidates_.pop_back();
        if (best_.size() >= expansion && !(candidate.score > best_.front().score)) break;
        const auto [first, n] = neighbours(candidate.node, 0);
        size_t n_fresh = 0;
        for (size_t i = 0; i < n; ++i) {
            fresh_[n_fresh] = read<uint32_t>(first + i * slot_bytes);
            n_fresh += see(fresh_[n_fresh]);
        }
        FIRTH_DISPATCH(score_nodes, graph_.vectors, graph_.item, graph_.dim, query, fresh_.data(),
                       n_fresh, scores_.data());
        for (size_t i = 0; i < n_fresh; ++i) {
            const Scored found{scores_[i], fresh_[i]};
            if (best_.size() >= expansion) {
                if (!(found.score > best_.front().score)) continue;
                std::pop_heap(best_.begin(), best_.end(), is_better<Scored, Scored>);
                best_.pop_back();
            }
            send_for(found.node);
            best_.push_back(found);
            std::push_heap(best_.begin(), best_.end(), is_better<Scored, Scored>);
            candidates_.push_back(found);
            std::push_heap(candidates_.begin(), candidates_.end(), is_worse<Scored, Scored>);
        }
    }
    for (uint32_t node : touched_) seen_[node / 64] = 0;
    touched_.clear();
}

void GraphWalk::nearest(const float *query, size_t k, size_t expansion, int64_t *keys) {
    widen(query, descend(query), expansion);
    std::sort(best_.begin(), best_.end(), is_better<Scored, Scored>);
    for (size_t i = 0; i < k; ++i)
        keys[i] = i < best_.size() ? static_cast<int64_t>(read<uint64_t>(
                                         graph_.nodes + graph_.begin[best_[i].node]))
                                   : -1;
}

}  // namespace firth

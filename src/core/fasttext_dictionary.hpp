// The dictionary in the middle of a fastText file: entries of a word ended by a zero byte, its count
// (int64) and its kind (int8; 0 a word, 1 a label).
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "hash.hpp"

namespace firth {

struct FastTextEntries {
    std::vector<uint8_t> word_bytes;
    std::vector<uint64_t> word_offsets{0};
    std::vector<int64_t> counts;
    std::vector<int8_t> kinds;
    size_t n_consumed = 0;
};

// The whole entries at the front of some bytes, at most `n_most`.
inline FastTextEntries split_fasttext_entries(std::string_view bytes, size_t n_most) {
    FastTextEntries entries;
    while (entries.counts.size() < n_most && entries.n_consumed < bytes.size()) {
        const char *const word = bytes.data() + entries.n_consumed;
        const size_t left = bytes.size() - entries.n_consumed;
        const auto *const end = static_cast<const char *>(std::memchr(word, 0, left));
        constexpr size_t n_after = 1 + sizeof(int64_t) + sizeof(int8_t);
        if (!end || left - static_cast<size_t>(end - word) < n_after) break;
        entries.word_bytes.insert(entries.word_bytes.end(), word, end);
        entries.word_offsets.push_back(entries.word_bytes.size());
        entries.counts.push_back(load_bytes<int64_t>(end + 1));
        entries.kinds.push_back(static_cast<int8_t>(end[1 + sizeof(int64_t)]));
        entries.n_consumed += static_cast<size_t>(end - word) + n_after;
    }
    return entries;
}

}  // namespace firth

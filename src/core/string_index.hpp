// Words as one run of bytes, an index from word to row, and the words spelt most like another.
//
// The arrays may lie in a file that a stranger wrote: every look-up checks what it reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace firth {

// The words of a vocabulary: word i is bytes[offsets[i]] up to bytes[offsets[i + 1]].
struct Strings {
    const char *bytes;
    uint64_t n_bytes;
    const uint64_t *offsets;  // n + 1
    size_t n;

    // False if the offsets of this word are out of order or reach past the bytes.
    bool get(size_t row, std::string_view &word) const {
        const uint64_t begin = offsets[row], end = offsets[row + 1];
        if (begin > end || end > n_bytes) return false;
        word = std::string_view(bytes + begin, end - begin);
        return true;
    }
};

constexpr uint32_t empty_slot = UINT32_MAX;

// A table of rows with open addressing and linear probing: a word starts at hash & (n_slots - 1).
// The number of slots is a power of two and at least twice the number of words.
struct SlotTable {
    std::vector<uint32_t> slots;
    int64_t duplicate = -1;  // the first row whose word an earlier row has; then the table is empty
};

size_t slot_count(size_t n_words);
SlotTable build_slots(const Strings &words);

struct StringIndex {
    static constexpr int64_t missing = -1, damaged = -2;

    Strings words;
    const uint32_t *slots;
    size_t n_slots;  // a power of two

    // The row of a word, or `missing`, or `damaged` where the arrays contradict themselves.
    int64_t find(std::string_view word) const;
};

// The k words that are spelt most like a word, best first: by edit distance without regard to
// ASCII case (insertion, deletion, replacement and exchange of neighbours cost 1), then by falling
// count, then by row. Words further than `max_distance`, and the word itself, are left out, and so
// are all for a word of over 64 characters.
std::vector<int64_t> nearest_spellings(const Strings &words, const int64_t *counts,
                                       std::string_view word, size_t k, size_t max_distance);

}  // namespace firth

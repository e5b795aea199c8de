#include "string_index.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "hash.hpp"

namespace firth {

size_t slot_count(size_t n_words) {
    size_t n = 8;
    while (n < 2 * n_words) n *= 2;
    return n;
}

SlotTable build_slots(const Strings &words) {
    SlotTable table;
    table.slots.assign(slot_count(words.n), empty_slot);
    const size_t mask = table.slots.size() - 1;
    for (size_t row = 0; row < words.n; ++row) {
        std::string_view word, other;
        words.get(row, word);
        size_t slot = hash_bytes(word.data(), word.size()) & mask;
        for (; table.slots[slot] != empty_slot; slot = (slot + 1) & mask) {
            words.get(table.slots[slot], other);
            if (word == other) {
                table.slots.clear();
                table.duplicate = static_cast<int64_t>(row);
                return table;
            }
        }
        table.slots[slot] = static_cast<uint32_t>(row);
    }
    return table;
}

int64_t StringIndex::find(std::string_view word) const {
    const size_t mask = n_slots - 1;
    size_t slot = hash_bytes(word.data(), word.size()) & mask;
    for (size_t probes = 0; probes < n_slots; ++probes, slot = (slot + 1) & mask) {
        const uint32_t row = slots[slot];
        if (row == empty_slot) return missing;
        std::string_view other;
        if (row >= words.n || !words.get(row, other)) return damaged;
        if (word == other) return row;
    }
    return damaged;  // a table without an empty slot
}

namespace {

// The next code point of UTF-8; a byte that is no UTF-8 counts as a character of its own.
char32_t next_code_point(const char *&p, const char *end) {
    const auto byte = [&](int i) { return static_cast<unsigned char>(p[i]); };
    const unsigned char first = byte(0);
    const int length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (length == 1 || end - p < length || first < 0xC0) {
        ++p;
        return first;
    }
    char32_t c = first & (0x7F >> length);
    for (int i = 1; i < length; ++i) c = c << 6 | (byte(i) & 0x3F);
    p += length;
    return c;
}

char32_t fold_ascii(char32_t c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }

// Edit distance from one word to many, all rows of the table of distances in the bits of one
// machine word: H. Hyyrö, "A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit
// Distances", Nordic Journal of Computing 10 (2003), with exchanges as in its section 4.
class SpellingDistance {
public:
    explicit SpellingDistance(std::string_view word) {
        const char *p = word.data(), *const end = p + word.size();
        for (; p < end && length_ < 64; ++length_) {
            const char32_t c = fold_ascii(next_code_point(p, end));
            if (c < ascii_.size()) {
                ascii_[c] |= uint64_t{1} << length_;
            } else {
                auto at = std::find_if(others_.begin(), others_.end(),
                                       [&](const Positions &o) { return o.character == c; });
                if (at == others_.end()) at = others_.insert(at, {c, 0});
                at->bits |= uint64_t{1} << length_;
            }
        }
        too_long_ = p < end;
    }

    bool too_long() const { return too_long_; }
    size_t length() const { return length_; }

    size_t to(std::string_view word) const {
        uint64_t positive = ~uint64_t{0}, negative = 0, diagonal = 0, previous = 0;
        const uint64_t last = uint64_t{1} << (length_ - 1);
        size_t distance = length_;
        for (const char *p = word.data(), *const end = p + word.size(); p < end;) {
            const uint64_t matches = positions(fold_ascii(next_code_point(p, end)));
            const uint64_t exchanged = ((~diagonal & matches) << 1) & previous;
            diagonal = (((matches & positive) + positive) ^ positive) | matches | negative;
            diagonal |= exchanged;
            uint64_t up = negative | ~(diagonal | positive);
            uint64_t down = diagonal & positive;
            distance += (up & last) != 0;
            distance -= (down & last) != 0;
            up = up << 1 | 1;
            down <<= 1;
            positive = down | ~(diagonal | up);
            negative = up & diagonal;
            previous = matches;
        }
        return distance;
    }

private:
    struct Positions {
        char32_t character;
        uint64_t bits;
    };

    uint64_t positions(char32_t c) const {
        if (c < ascii_.size()) return ascii_[c];
        for (const Positions &other : others_)
            if (other.character == c) return other.bits;
        return 0;
    }

    std::array<uint64_t, 128> ascii_{};
    std::vector<Positions> others_;
    size_t length_ = 0;
    bool too_long_ = false;
};

size_t count_code_points(std::string_view word) {
    return static_cast<size_t>(
        std::count_if(word.begin(), word.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

struct Spelling {
    size_t distance;
    int64_t count;
    size_t row;

    bool operator<(const Spelling &other) const {
        if (distance != other.distance) return distance < other.distance;
        if (count != other.count) return count > other.count;
        return row < other.row;
    }
};

}  // namespace

std::vector<int64_t> nearest_spellings(const Strings &words, const int64_t *counts,
                                       std::string_view word, size_t k, size_t max_distance) {
    const SpellingDistance distance(word);
    if (k == 0 || distance.length() == 0 || distance.too_long()) return {};
    std::vector<Spelling> best;
    for (size_t row = 0; row < words.n; ++row) {
        std::string_view other;
        if (!words.get(row, other)) continue;
        // Lengths that differ by more than the distance cannot be within it; bytes are the cheaper
        // measure, and a character has at most four.
        if (other.size() > 4 * (distance.length() + max_distance)) continue;
        const size_t length = count_code_points(other);
        if (length > distance.length() + max_distance || length + max_distance < distance.length())
            continue;
        const Spelling spelling{distance.to(other), counts[row], row};
        if (spelling.distance > max_distance || other == word) continue;
        if (best.size() == k) {
            if (!(spelling < best.back())) continue;
            best.pop_back();
        }
        best.insert(std::upper_bound(best.begin(), best.end(), spelling), spelling);
        if (best.size() == k) max_distance = best.back().distance;
    }
    std::vector<int64_t> rows;
    for (const Spelling &spelling : best) rows.push_back(static_cast<int64_t>(spelling.row));
    return rows;
}

}  // namespace firth

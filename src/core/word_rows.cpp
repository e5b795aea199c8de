#include "word_rows.hpp"

#include <cstring>
#include <stdexcept>

#include "hash.hpp"
#include "string_index.hpp"
#include "utf8.hpp"

namespace firth {

bool WantedWords::has(std::string_view word) const {
    if (n_slots == 0) return true;
    return StringIndex{{bytes, n_bytes, offsets, n_words}, slots, n_slots}.find(word) >= 0;
}

bool are_finite(const float *values, size_t n) {
    // Infinity and NaN have all bits of the exponent. Without a branch, for several at a time.
    uint32_t others = 0;
    for (size_t i = 0; i < n; ++i) {
        const uint32_t exponent = load_bytes<uint32_t>(reinterpret_cast<const char *>(values + i));
        others |= (exponent & 0x7F800000) == 0x7F800000;
    }
    return others == 0;
}

void WordRows::examine(ReadRow &read) const {
    read.is_valid = is_utf8(read.text());
    if (!read.is_valid) return;
    read.is_wanted = wanted_.has(read.text());
    read.hash = hash_bytes(read.word, read.length);
}

void WordRows::prefetch(const ReadRow &read) const {
    __builtin_prefetch(read.word);
    if (!table_.empty()) __builtin_prefetch(&table_[read.hash & (table_.size() - 1)], 1);
}

bool WordRows::take(const ReadRow &read, uint64_t at) {
    std::string repaired;
    std::string_view word = read.text();
    uint64_t hash = read.hash;
    bool wanted = read.is_wanted;
    if (!read.is_valid) {
        if (bad_words_ == BadWords::refuse) return false;
        repaired = repaired_utf8(word, bad_words_ == BadWords::replace);
        word = repaired;
        wanted = wanted_.has(word);
        hash = hash_bytes(word.data(), word.size());
    }
    ++counts_.rows_read;
    counts_.undecodable += !read.is_valid && wanted;
    if (word.empty()) {
        ++counts_.empty;
    } else if (wanted) {
        if (!add(word, hash)) {
            ++counts_.duplicates;
        } else {
            if (at != counts_.kept) std::memmove(row(counts_.kept), row(at), row_bytes());
            ++counts_.kept;
            counts_.not_finite += !read.is_finite;
            counts_.too_large += read.is_too_large;
        }
    }
    return true;
}

bool WordRows::add(std::string_view word, uint64_t hash) {
    if (4 * (n_in_table_ + 1) > 3 * table_.size()) grow_table(2 * n_in_table_);
    const size_t mask = table_.size() - 1;
    size_t slot = hash & mask;
    for (; table_[slot]; slot = (slot + 1) & mask) {
        if (table_[slot] >> 32 != hash >> 32) continue;
        const uint64_t row = (table_[slot] & 0xFFFFFFFF) - 1;
        if (std::string_view(bytes_.data() + offsets_[row], offsets_[row + 1] - offsets_[row]) ==
            word)
            return false;
    }
    if (offsets_.size() >= UINT32_MAX / 2) throw std::length_error("more than 2^31 words");
    table_[slot] = hash >> 32 << 32 | offsets_.size();
    ++n_in_table_;
    bytes_.insert(bytes_.end(), word.begin(), word.end());
    offsets_.push_back(bytes_.size());
    return true;
}

void WordRows::expect(uint64_t n) {
    reserve(n);
    if (4 * (n_in_table_ + n) > 3 * table_.size()) grow_table(n_in_table_ + n);
}

void WordRows::grow_table(size_t n_words) {
    table_ = {};  // gives its memory back before the larger one is taken
    size_t size = 1024;
    while (3 * size < 4 * (n_words + 1)) size *= 2;
    table_.assign(size, 0);
    for (size_t row = 0; row + 1 < offsets_.size(); ++row) {
        const uint64_t hash =
            hash_bytes(bytes_.data() + offsets_[row], offsets_[row + 1] - offsets_[row]);
        size_t slot = hash & (size - 1);
        while (table_[slot]) slot = (slot + 1) & (size - 1);
        table_[slot] = hash >> 32 << 32 | (row + 1);
    }
}

void WordRows::cut_back(uint64_t n, const Counts &counts_then) {
    counts_ = counts_then;
    offsets_.resize(n + 1);
    bytes_.resize(offsets_.back());
    n_in_table_ = n;
    grow_table(n);
}

std::vector<uint8_t> WordRows::release_bytes() {
    table_ = {};
    std::vector<uint8_t> bytes(bytes_.begin(), bytes_.end());
    bytes_ = {};
    return bytes;
}

}  // namespace firth

// The words and rows of a vector file as they come in: chosen, each word once, in one matrix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "growing_memory.hpp"

namespace firth {

enum class BadWords { refuse, replace, drop };

// A set of words that are wanted; the arrays live elsewhere.
struct WantedWords {
    const char *bytes = nullptr;
    const uint64_t *offsets = nullptr;
    const uint32_t *slots = nullptr;
    size_t n_words = 0, n_bytes = 0, n_slots = 0;  // no slots: all words are wanted

    bool has(std::string_view word) const;
};

// What a row of a file is, before it is known whether its word was there before.
struct ReadRow {
    const char *word;
    uint32_t length;
    bool is_wanted = true;
    bool is_valid = true;    // its word is UTF-8
    bool is_finite = true;   // as are its numbers
    bool is_too_large = false;  // a finite number beyond float16
    uint64_t hash = 0;

    std::string_view text() const { return {word, length}; }
};

bool are_finite(const float *values, size_t n);

class WordRows {
  public:
    struct Counts {
        uint64_t rows_read = 0, kept = 0, duplicates = 0, empty = 0, undecodable = 0;
        uint64_t not_finite = 0, too_large = 0;
    };

    // Rows of no dimensions are for those who only want to know which words to keep.
    WordRows(size_t dims, bool half, uint64_t limit, BadWords bad_words, WantedWords wanted)
        : dims_(dims), half_(half), limit_(limit), bad_words_(bad_words), wanted_(wanted) {
        offsets_.push_back(0);
    }

    size_t dims() const { return dims_; }
    bool half() const { return half_; }
    size_t row_bytes() const { return dims_ * (half_ ? 2 : 4); }
    bool is_full() const { return counts_.kept >= limit_; }
    const Counts &counts() const { return counts_; }

    // Room for n more rows behind those that are kept. Whoever fills them calls `take` for each, in
    // their order.
    void reserve(uint64_t n) { matrix_.reserve((counts_.kept + n) * row_bytes()); }
    // Room in the table for n more words too, if the file is large enough for so many; else it is
    // made anew a dozen times along a large file.
    void expect(uint64_t n);
    char *row(uint64_t i) const { return matrix_.data() + i * row_bytes(); }

    // Completes what is known of a row from its word: whether it is valid and wanted, its hash.
    // From any thread.
    void examine(ReadRow &read) const;

    // Keeps a row, or not: moves it from row `at`, where it was written, behind the last one that
    // is kept. False if its word is no UTF-8 and that is to be refused; then nothing is counted.
    bool take(const ReadRow &read, uint64_t at);
    // Fetches what `take` will look at.
    void prefetch(const ReadRow &read) const;

    // Leaves out the rows behind the first n, and what was counted for them.
    void cut_back(uint64_t n, const Counts &counts_then);

    const std::vector<char> &word_bytes() const { return bytes_; }
    std::vector<uint8_t> release_bytes();
    std::vector<uint64_t> release_offsets() { return std::move(offsets_); }
    char *release_matrix() { return matrix_.release(counts_.kept * row_bytes()); }

  private:
    bool add(std::string_view word, uint64_t hash);
    void grow_table(size_t n_words);

    size_t dims_;
    bool half_;
    uint64_t limit_;
    BadWords bad_words_;
    WantedWords wanted_;
    Counts counts_;
    GrowingMemory matrix_;
    std::vector<char> bytes_;
    std::vector<uint64_t> offsets_;
    // Row + 1 in the lower half, the upper half of the hash in the other; 0 is an empty slot.
    std::vector<uint64_t> table_;
    size_t n_in_table_ = 0;
};

}  // namespace firth

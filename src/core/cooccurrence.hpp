// How often words stand near each other: counted in runs of rows that may lie on disk, and merged.
//
// A row of the matrix is counted at once: all places of its word in a piece of the text are looked up,
// and their windows added up in one array, as long as the vocabulary. So nothing is hashed and
// nothing is sorted but the places, and rows come out in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace firth {

// Places are packed into 64 bits: position, and how far the window reaches to either side.
constexpr int kReachBits = 14;
constexpr size_t kMaxWindow = (1 << kReachBits) - 1;
constexpr size_t kMaxPositions = size_t{1} << (64 - 2 * kReachBits);

// The columns of a row that have been touched, to be gone through in rising order: a bit for each
// column, and a bit for each word of those, so that an almost empty row takes almost no time.
class TouchedColumns {
  public:
    explicit TouchedColumns(size_t n) : bits_(n / 64 + 1), summary_(n / 4096 + 1) {}

    void add(size_t column) {
        bits_[column / 64] |= uint64_t{1} << (column % 64);
        summary_[column / 4096] |= uint64_t{1} << (column / 64 % 64);
    }

    // Calls visit(column) for each column in rising order, and forgets them.
    template <typename Visit>
    void drain(Visit visit) {
        for (size_t s = 0; s < summary_.size(); ++s)
            for (; summary_[s]; summary_[s] &= summary_[s] - 1) {
                const size_t word = s * 64 + static_cast<size_t>(__builtin_ctzll(summary_[s]));
                for (; bits_[word]; bits_[word] &= bits_[word] - 1)
                    visit(word * 64 + static_cast<size_t>(__builtin_ctzll(bits_[word])));
            }
    }

  private:
    std::vector<uint64_t> bits_, summary_;
};

// Counts the co-occurrences of a piece of the text. Weights are whole numbers, so that sums are exact
// and do not depend on their order.
class CooccurrenceCounter {
  public:
    // weights[d - 1] is what a pair at distance d adds. `symmetric` counts the words on both sides,
    // and keeps only columns up to the row, of a matrix that equals its transpose; otherwise the
    // columns are the words on the left. At most `capacity` words will be added.
    CooccurrenceCounter(size_t n_words, std::vector<uint64_t> weights, bool symmetric, size_t capacity);

    // Adds whole sentences, which end behind the positions in sentence_ends, counted from
    // first_position on. Ids must be below n_words.
    void add(const uint32_t *ids, size_t n_ids, const int64_t *sentence_ends, size_t n_sentences,
             int64_t first_position);

    // Looks up the places of all words; to be called once, behind the last `add`.
    void find_places();

    // Words of the text that belong to the rows from `begin` up to `end`.
    size_t n_places(size_t begin, size_t end) const { return row_starts_[end] - row_starts_[begin]; }

    // Counts the rows from `begin` up to `end`, and appends them to a block of a run.
    void encode_rows(size_t begin, size_t end, std::vector<uint8_t> &block);

    size_t n_words() const { return n_words_; }
    size_t room_left() const { return capacity_ - ids_.size(); }

  private:
    size_t count_row(size_t row);

    const size_t n_words_, capacity_;
    const std::vector<uint64_t> weights_;
    const bool symmetric_;
    std::vector<uint32_t> ids_;
    std::vector<uint64_t> is_sentence_end_;  // a bit for each word
    std::vector<uint64_t> places_;           // by word
    std::vector<size_t> row_starts_;         // of each word in places_
    std::vector<uint64_t> sums_;             // of the row, and behind it what is not wanted
    std::vector<uint32_t> first_touched_;    // columns in the order in which they came
    TouchedColumns touched_;
};

struct MergedRows {
    std::vector<int64_t> row_lengths;
    std::vector<uint32_t> columns;
    std::vector<float> values;
};

// Adds up the same rows of several runs.
class CooccurrenceMerger {
  public:
    explicit CooccurrenceMerger(size_t n_words) : sums_(n_words), touched_(n_words) {}

    // Adds up blocks that hold n_rows rows each, and divides by `scale`. Throws std::invalid_argument
    // where a block is damaged.
    MergedRows merge(std::span<const std::span<const uint8_t>> blocks, size_t n_rows, double scale);

  private:
    std::vector<uint64_t> sums_;
    TouchedColumns touched_;
};

}  // namespace firth

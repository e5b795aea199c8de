// word2vec's binary rows: a word, a space, float32 numbers, perhaps a line end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "word_rows.hpp"

namespace firth {

constexpr size_t kLongestBinaryWord = 64 << 10;

struct BinaryProblem {
    enum class Kind { none, long_word, bad_word } kind = Kind::none;
    uint64_t row = 0;   // from 0, in all that was parsed
    size_t offset = 0;  // of the word, in the block
    size_t length = 0;
};

class VectorBinaryParser {
  public:
    explicit VectorBinaryParser(WordRows &rows) : rows_(rows) {}

    // Parses the whole rows of a block, at most `most`, until the rows are full; returns how many
    // bytes they are.
    size_t parse(const char *block, size_t length, uint64_t most, size_t n_threads);

    const BinaryProblem &problem() const { return problem_; }
    uint64_t n_rows() const { return n_rows_; }

  private:
    // Fills `found_`: where a row ends is known only from where it begins.
    void find_rows(const char *block, size_t length, uint64_t most);
    // Brings a row to its place in the matrix; from any thread.
    void copy_row(ReadRow &read, uint64_t at, std::vector<float> &values) const;

    WordRows &rows_;
    std::vector<ReadRow> found_;
    size_t n_no_space_ = 0;  // the bytes at the end that begin with too long a word
    BinaryProblem problem_;
    uint64_t n_rows_ = 0;
};

}  // namespace firth

// Lines of a word and its numbers, to rows and back to lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decimal.hpp"
#include "string_index.hpp"
#include "word_rows.hpp"

namespace firth {

enum class LineProblem {
    none,
    too_few,     // numbers
    too_many,    // numbers, or a word that ends in one: the two cannot be told apart
    no_number,   // a field that ought to be one
    bad_word,    // a word that is no UTF-8
    after_blank, // a line of numbers behind a blank one: is the next word its own, or the one after?
};

// The first line that cannot be used.
struct TextProblem {
    LineProblem kind = LineProblem::none;
    uint64_t line = 0;     // from 0, in all that was parsed
    size_t offset = 0;     // of the line, or of the field, in the block
    size_t length = 0;     // of what is there
    uint64_t n_numbers = 0;
};

class VectorTextParser {
  public:
    explicit VectorTextParser(WordRows &rows) : rows_(rows) {}

    // Parses the whole lines of a block, on some threads, until the rows are full; returns how many
    // bytes they are. kReadBeyond bytes behind the block can be read. After a problem, and when the
    // rows are full, there is no going on.
    size_t parse(const char *block, size_t length, size_t n_threads);

    // Lines have numbers only from now on, and these words belong to them, one to each line.
    void take_words_from(Strings words) {
        words_ = words;
        has_words_apart_ = true;
    }

    const TextProblem &problem() const { return problem_; }
    uint64_t n_lines() const { return n_lines_; }
    uint64_t n_blank_lines() const { return n_blank_lines_; }
    uint64_t n_spaced_words() const { return n_spaced_words_; }

  private:
    struct Part;
    void parse_part(Part &part) const;
    bool take_part(const Part &part, const char *block);
    bool parse_line(Part &part, const char *&p, uint64_t at) const;
    bool parse_numbers_line(Part &part, const char *&p, uint64_t at) const;
    bool parse_from_the_right(Part &part, const char *line, const char *end, char *row) const;
    void store(const float *values, char *row, ReadRow &read) const;

    WordRows &rows_;
    Strings words_{};
    bool has_words_apart_ = false;
    TextProblem problem_;
    uint64_t n_lines_ = 0, n_blank_lines_ = 0, n_spaced_words_ = 0;
};

// Rows as lines, "word number ... number\n" or the numbers alone, each as short as it can be and
// still be read back as itself. `half` rows have numbers of 16 bits.
struct LineStyle {
    char separator = ' ';
    bool with_words = true;
};
std::vector<char> format_rows(const char *word_bytes, const uint64_t *offsets, const char *matrix,
                              bool half, size_t n_rows, size_t dims, LineStyle style,
                              size_t n_threads);

}  // namespace firth

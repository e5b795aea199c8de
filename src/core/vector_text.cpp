#include "vector_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "half.hpp"
#include "on_threads.hpp"

namespace firth {

namespace {

// Threads are not worth their start for less.
constexpr size_t kSmallestPart = 64 << 10;
constexpr size_t kPartsOfThread = 4;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_separator(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char *line_end(const char *p, const char *end) {
    return static_cast<const char *>(std::memchr(p, '\n', static_cast<size_t>(end - p)));
}

// Whether a field is a number with a digit: not "nan", not "infinity", which are words too.
bool is_digits(const char *p, const char *end) {
    float value;
    return std::any_of(p, end, is_digit) && parse_any(p, end, value);
}

// In bytes that many instructions add up at a time, 255 times before they overflow; std::count widens
// each to 64 bits.
uint64_t count_lines(const char *p, const char *end) {
    constexpr ptrdiff_t lanes = 64;
    uint64_t n = 0;
    while (end - p >= lanes) {
        uint8_t sums[lanes] = {};
        const char *const stop = p + lanes * std::min<ptrdiff_t>((end - p) / lanes, 255);
        for (; p != stop; p += lanes)
            for (ptrdiff_t i = 0; i < lanes; ++i) sums[i] += p[i] == '\n';
        for (const uint8_t sum : sums) n += sum;
    }
    return n + static_cast<uint64_t>(std::count(p, end, '\n'));
}

}  // namespace

// The lines that one thread parses, and what it found.
struct VectorTextParser::Part {
    const char *begin, *end;
    uint64_t first_row = 0;   // where its first line goes
    uint64_t first_line = 0;  // in all that is parsed
    uint64_t n_lines = 0;
    std::vector<ReadRow> rows;       // one for each line that is not blank
    std::vector<float> values;       // of the line in work
    uint64_t n_blank = 0, n_spaced = 0;
    TextProblem problem;             // line: within the part; offset: from `begin`
};

void VectorTextParser::store(const float *values, char *row, ReadRow &read) const {
    const size_t dims = rows_.dims();
    read.is_finite = are_finite(values, dims);
    if (!rows_.half()) return;
    for (size_t i = 0; i < dims; ++i) {
        const uint16_t half = to_half(values[i]);
        read.is_too_large |= (half & 0x7FFF) == 0x7C00 && std::isfinite(values[i]);
        std::memcpy(row + 2 * i, &half, 2);
    }
}

// Parses a line as most are, one word without spaces and its numbers; others from the right.
bool VectorTextParser::parse_line(Part &part, const char *&p, uint64_t at) const {
    const char *const line = p;
    char *const row = rows_.row(at);
    const size_t dims = rows_.dims();
    float *const values = rows_.half() ? part.values.data() : reinterpret_cast<float *>(row);
    while (*p != ' ' && *p != '\t' && *p != '\n') ++p;
    ReadRow read{line, static_cast<uint32_t>(p - line)};
    if (*p != '\n' && p != line && p - line < UINT32_MAX) {
        rows_.examine(read);
        if (!read.is_wanted) {
            // Where there are as many spaces as there ought to be, this is the whole word.
            const char *const end = line_end(p, part.end);
            const auto n_spaces = static_cast<size_t>(std::count(p, end, ' '));
            if (n_spaces == dims + is_blank(end[-1])) {
                part.rows.push_back(read);
                p = end + 1;
                return true;
            }
        }
        size_t i = 0;
        for (; i < dims && is_separator(*p); ++i) {
            const char *const field = ++p;
            if (!parse_common(p, values[i])) {
                p = field;
                while (!is_blank(*p) && *p != '\n') ++p;
                if (!parse_any(field, p, values[i])) break;
            }
        }
        if (i == dims) {
            while (is_blank(*p)) ++p;
            if (*p == '\n') {
                ++p;
                store(values, row, read);
                part.rows.push_back(read);
                return true;
            }
        }
    }
    p = line_end(p, part.end) + 1;
    return parse_from_the_right(part, line, p - 1, row);
}

// Parses a line of numbers whose word stands elsewhere.
bool VectorTextParser::parse_numbers_line(Part &part, const char *&p, uint64_t at) const {
    const char *const line = p, *const end = line_end(p, part.end);
    char *const row = rows_.row(at);
    const size_t dims = rows_.dims();
    float *const values = rows_.half() ? part.values.data() : reinterpret_cast<float *>(row);
    const auto fail = [&](LineProblem kind, const char *what, const char *what_end, uint64_t n) {
        part.problem = {kind, part.rows.size() + part.n_blank,
                        static_cast<size_t>(what - part.begin),
                        static_cast<size_t>(what_end - what), n};
        return false;
    };
    const uint64_t i_word = part.first_line + part.rows.size() + part.n_blank;
    size_t n = 0;
    for (;;) {
        while (is_blank(*p)) ++p;
        if (p == end) break;
        const char *const field = p;
        float value;
        if (!parse_common(p, value) || !(is_blank(*p) || p == end)) {
            p = field;
            while (p != end && !is_blank(*p)) ++p;
            if (!parse_any(field, p, value)) return fail(LineProblem::no_number, field, p, n);
        }
        if (n < dims) values[n] = value;
        ++n;
    }
    p = end + 1;
    if (n == 0) {
        ++part.n_blank;
        return true;
    }
    if (part.n_blank) return fail(LineProblem::after_blank, line, end, n);
    if (n != dims) return fail(n < dims ? LineProblem::too_few : LineProblem::too_many, line, end, n);
    std::string_view word;
    if (i_word < words_.n) words_.get(i_word, word);
    ReadRow read{word.data(), static_cast<uint32_t>(word.size())};
    rows_.examine(read);
    store(values, row, read);
    part.rows.push_back(read);
    return true;
}

bool VectorTextParser::parse_from_the_right(Part &part, const char *line, const char *end,
                                            char *row) const {
    const size_t dims = rows_.dims();
    float *const values = rows_.half() ? part.values.data() : reinterpret_cast<float *>(row);
    const char *const whole_end = end;
    while (end != line && is_blank(end[-1])) --end;
    if (end == line) {
        ++part.n_blank;
        return true;
    }
    const auto fail = [&](LineProblem kind, const char *what, const char *what_end, uint64_t n) {
        part.problem = {kind, part.rows.size() + part.n_blank,
                        static_cast<size_t>(what - part.begin),
                        static_cast<size_t>(what_end - what), n};
        return false;
    };
    size_t n = 0;
    const char *p = end;
    while (n < dims) {
        const char *const field_end = p;
        while (p != line && !is_separator(p[-1])) --p;
        if (p == line || !parse_any(p, field_end, values[dims - 1 - n])) {
            // Is that a word with too few numbers, or something among them that is none?
            const bool is_first = p == line;
            return is_first ? fail(LineProblem::too_few, line, whole_end, n)
                            : fail(LineProblem::no_number, p, field_end, n);
        }
        ++n;
        while (p != line && is_separator(p[-1])) --p;
        if (p == line && n < dims) return fail(LineProblem::too_few, line, whole_end, n);
    }
    const char *word = line;
    while (word != p && is_separator(*word)) ++word;
    // A number at the end of the word makes the row too long.
    uint64_t n_more = 0;
    for (const char *q = p; q != word;) {
        const char *const field_end = q;
        while (q != word && !is_separator(q[-1])) --q;
        if (q == word || !is_digits(q, field_end)) break;
        ++n_more;
        while (q != word && is_separator(q[-1])) --q;
    }
    if (n_more) return fail(LineProblem::too_many, line, whole_end, dims + n_more);
    ReadRow read{word, static_cast<uint32_t>(p - word)};
    rows_.examine(read);
    store(values, row, read);
    part.n_spaced += std::find_if(word, p, is_separator) != p;
    part.rows.push_back(read);
    return true;
}

void VectorTextParser::parse_part(Part &part) const {
    part.values.resize(rows_.half() ? rows_.dims() : 0);
    part.rows.reserve(part.n_lines);
    const char *p = part.begin;
    while (p != part.end) {
        const uint64_t at = part.first_row + part.rows.size();
        if (!(has_words_apart_ ? parse_numbers_line(part, p, at) : parse_line(part, p, at))) return;
    }
}

size_t VectorTextParser::parse(const char *block, size_t length, size_t n_threads) {
    while (length && block[length - 1] != '\n') --length;
    if (length == 0) return 0;
    const size_t n_parts =
        std::max<size_t>(1, std::min(kPartsOfThread * n_threads, length / kSmallestPart));
    n_threads = std::min(n_threads, n_parts);
    std::vector<Part> parts(n_parts);
    const char *p = block, *const end = block + length;
    for (size_t i = 0; i < n_parts; ++i) {
        parts[i].begin = p;
        p = i + 1 == n_parts ? end : std::max(p, block + length / n_parts * (i + 1));
        if (p != end && p != block) p = line_end(p - 1, end) + 1;
        parts[i].end = p;
    }
    const auto count = [&](size_t i) {
        parts[i].n_lines = count_lines(parts[i].begin, parts[i].end);
    };
    on_threads_in_order(n_parts, n_threads, count, [](size_t) { return true; });
    uint64_t first_row = rows_.counts().kept;
    uint64_t first_line = n_lines_;
    for (Part &part : parts) {
        part.first_row = first_row;
        part.first_line = first_line;
        first_row += part.n_lines;
        first_line += part.n_lines;
    }
    rows_.reserve(first_row - rows_.counts().kept);
    on_threads_in_order(
        n_parts, n_threads, [&](size_t i) { parse_part(parts[i]); },
        [&](size_t i) { return take_part(parts[i], block); });
    return length;
}

// Takes the rows of a part; false where the reading ends: enough were read, or there is a problem.
bool VectorTextParser::take_part(const Part &part, const char *block) {
    if (has_words_apart_ && n_blank_lines_ && !part.rows.empty() && !rows_.is_full()) {
        problem_ = {LineProblem::after_blank, n_lines_, static_cast<size_t>(part.begin - block), 0, 0};
        return false;
    }
    uint64_t at = part.first_row;
    for (size_t i = 0; i < part.rows.size(); ++i, ++at) {
        if (i + 8 < part.rows.size()) rows_.prefetch(part.rows[i + 8]);
        const ReadRow &read = part.rows[i];
        if (rows_.is_full()) return false;
        if (!rows_.take(read, at)) {
            problem_.kind = LineProblem::bad_word;
            problem_.line = n_lines_ + i;
            if (has_words_apart_) return false;  // and the word lies elsewhere
            problem_.line = n_lines_ + count_lines(part.begin, read.word);
            problem_.offset = static_cast<size_t>(read.word - block);
            problem_.length = read.length;
            return false;
        }
    }
    n_blank_lines_ += part.n_blank;
    n_spaced_words_ += part.n_spaced;
    if (part.problem.kind != LineProblem::none) {
        if (rows_.is_full()) return false;
        problem_ = part.problem;
        problem_.line += n_lines_;
        problem_.offset += static_cast<size_t>(part.begin - block);
        return false;
    }
    n_lines_ += part.n_lines;
    return true;
}

namespace {

void append_number(std::vector<char> &text, float value) {
    char digits[32];  // hold any float32
    text.insert(text.end(), digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace

std::vector<char> format_rows(const char *word_bytes, const uint64_t *offsets, const char *matrix,
                              bool half, size_t n_rows, size_t dims, LineStyle style,
                              size_t n_threads) {
    const size_t n_parts = std::max<size_t>(1, std::min(n_threads, n_rows / 16));
    std::vector<std::vector<char>> parts(n_parts);
    on_threads_each(n_parts, [&](size_t i) {
        std::vector<char> &text = parts[i];
        const size_t first = n_rows * i / n_parts, last = n_rows * (i + 1) / n_parts;
        text.reserve((last - first) * (dims * 12 + 16));
        for (size_t row = first; row < last; ++row) {
            if (style.with_words)
                text.insert(text.end(), word_bytes + offsets[row], word_bytes + offsets[row + 1]);
            for (size_t d = 0; d < dims; ++d) {
                if (d > 0 || style.with_words) text.push_back(style.separator);
                const size_t at = row * dims + d;
                append_number(text, half ? from_half(load_bytes<uint16_t>(matrix + 2 * at))
                                         : load_bytes<float>(matrix + 4 * at));
            }
            text.push_back('\n');
        }
    });
    std::vector<char> text = std::move(parts[0]);
    for (size_t i = 1; i < n_parts; ++i) text.insert(text.end(), parts[i].begin(), parts[i].end());
    return text;
}

}  // namespace firth

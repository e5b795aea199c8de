#include "vector_binary.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "half.hpp"
#include "hash.hpp"
#include "on_threads.hpp"

namespace firth {

namespace {

// Starting a thread costs as much as copying some of this.
constexpr size_t kSmallestPart = 1 << 20;
constexpr ptrdiff_t kRowsAhead = 8;

}  // namespace

void VectorBinaryParser::find_rows(const char *block, size_t length, uint64_t most) {
    const size_t row_bytes = rows_.dims() * 4;
    found_.clear();
    n_no_space_ = 0;
    const char *p = block, *const end = block + length;
    while (found_.size() < most) {
        // Some writers end each row with a line, some do not.
        while (p != end && *p == '\n') ++p;
        const size_t left = static_cast<size_t>(end - p);
        const auto *space = static_cast<const char *>(
            std::memchr(p, ' ', std::min(left, kLongestBinaryWord + 1)));
        if (!space) {
            if (left > kLongestBinaryWord) n_no_space_ = left;
            return;
        }
        if (static_cast<size_t>(end - space) <= row_bytes) return;
        found_.push_back({p, static_cast<uint32_t>(space - p)});
        const char *const next = space + 1 + row_bytes;
        // Where a row far enough ahead begins, if its words are about as long as this one.
        const char *const ahead = std::min(next + kRowsAhead * (next - p), end - 1);
        __builtin_prefetch(ahead);
        __builtin_prefetch(std::min(ahead + 64, end - 1));
        p = next;
    }
}

void VectorBinaryParser::copy_row(ReadRow &read, uint64_t at, std::vector<float> &values) const {
    rows_.examine(read);
    if (!read.is_wanted) return;
    const char *const numbers = read.word + read.length + 1;
    char *const row = rows_.row(at);
    const size_t dims = rows_.dims();
    if (!rows_.half()) {
        std::memcpy(row, numbers, dims * 4);
        read.is_finite = are_finite(reinterpret_cast<const float *>(row), dims);
        return;
    }
    values.resize(dims);
    std::memcpy(values.data(), numbers, dims * 4);
    read.is_finite = are_finite(values.data(), dims);
    for (size_t d = 0; d < dims; ++d) {
        const uint16_t half = to_half(values[d]);
        read.is_too_large |= (half & 0x7FFF) == 0x7C00 && std::isfinite(values[d]);
        std::memcpy(row + 2 * d, &half, 2);
    }
}

size_t VectorBinaryParser::parse(const char *block, size_t length, uint64_t most,
                                 size_t n_threads) {
    find_rows(block, length, most);
    const uint64_t first = rows_.counts().kept;
    rows_.reserve(found_.size());
    const size_t n_parts = std::max<size_t>(1, length / kSmallestPart);
    const auto begin_of = [&](size_t part) { return found_.size() * part / n_parts; };
    const auto copy = [&](size_t part) {
        std::vector<float> values;
        for (size_t i = begin_of(part); i < begin_of(part + 1); ++i)
            copy_row(found_[i], first + i, values);
    };
    const char *done = block;
    const auto take = [&](size_t part) {
        for (size_t i = begin_of(part); i < begin_of(part + 1); ++i) {
            if (rows_.is_full()) return false;
            if (i + 8 < begin_of(part + 1)) rows_.prefetch(found_[i + 8]);
            const ReadRow &read = found_[i];
            if (!rows_.take(read, first + i)) {
                problem_ = {BinaryProblem::Kind::bad_word, n_rows_,
                            static_cast<size_t>(read.word - block), read.length};
                return false;
            }
            ++n_rows_;
            done = read.word + read.length + 1 + rows_.dims() * 4;
        }
        return true;
    };
    on_threads_in_order(n_parts, std::min(n_threads, n_parts), copy, take);
    if (problem_.kind != BinaryProblem::Kind::none) return static_cast<size_t>(done - block);
    if (n_no_space_ && !rows_.is_full())
        problem_ = {BinaryProblem::Kind::long_word, n_rows_, length - n_no_space_,
                    kLongestBinaryWord};
    return static_cast<size_t>(done - block);
}

}  // namespace firth

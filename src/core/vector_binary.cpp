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
        p = space + 1 + row_bytes;
        if (p < end) __builtin_prefetch(std::min(p + row_bytes, end - 1));
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
    const size_t n_parts = std::max<size_t>(1, std::min(n_threads, length / kSmallestPart));
    on_threads_each(n_parts, [&](size_t part) {
        std::vector<float> values;
        const size_t end = found_.size() * (part + 1) / n_parts;
        for (size_t i = found_.size() * part / n_parts; i < end; ++i)
            copy_row(found_[i], first + i, values);
    });
    const char *done = block;
    for (size_t i = 0; i < found_.size() && !rows_.is_full(); ++i) {
        if (i + 8 < found_.size()) rows_.prefetch(found_[i + 8]);
        const ReadRow &read = found_[i];
        if (!rows_.take(read, first + i)) {
            problem_ = {BinaryProblem::Kind::bad_word, n_rows_,
                        static_cast<size_t>(read.word - block), read.length};
            return static_cast<size_t>(done - block);
        }
        ++n_rows_;
        done = read.word + read.length + 1 + rows_.dims() * 4;
    }
    if (n_no_space_ && !rows_.is_full())
        problem_ = {BinaryProblem::Kind::long_word, n_rows_, length - n_no_space_,
                    kLongestBinaryWord};
    return static_cast<size_t>(done - block);
}

}  // namespace firth

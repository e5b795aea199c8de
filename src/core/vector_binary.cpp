#include "vector_binary.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "half.hpp"
#include "hash.hpp"

namespace firth {

size_t VectorBinaryParser::parse(const char *block, size_t length, uint64_t most) {
    const size_t row_bytes = rows_.dims() * 4;
    rows_.reserve(std::min<uint64_t>(length / (row_bytes + 1) + 1, most));
    std::vector<float> values(rows_.half() ? rows_.dims() : 0);
    const char *p = block, *const end = block + length;
    const char *done = block;
    for (uint64_t i = 0; i < most && !rows_.is_full(); ++i) {
        // Some writers end each row with a line, some do not.
        while (p != end && *p == '\n') ++p;
        const size_t left = static_cast<size_t>(end - p);
        const auto *space = static_cast<const char *>(
            std::memchr(p, ' ', std::min(left, kLongestBinaryWord + 1)));
        if (!space) {
            if (left > kLongestBinaryWord)
                problem_ = {BinaryProblem::Kind::long_word, n_rows_,
                            static_cast<size_t>(p - block), kLongestBinaryWord};
            break;
        }
        const char *const numbers = space + 1;
        if (static_cast<size_t>(end - numbers) < row_bytes) break;
        ReadRow read{p, static_cast<uint32_t>(space - p)};
        rows_.examine(read);
        const uint64_t at = rows_.counts().kept;
        if (read.is_wanted) {
            char *const row = rows_.row(at);
            if (rows_.half()) {
                std::memcpy(values.data(), numbers, row_bytes);
                read.is_finite = are_finite(values.data(), values.size());
                for (size_t d = 0; d < values.size(); ++d) {
                    const uint16_t half = to_half(values[d]);
                    read.is_too_large |= (half & 0x7FFF) == 0x7C00 && std::isfinite(values[d]);
                    std::memcpy(row + 2 * d, &half, 2);
                }
            } else {
                std::memcpy(row, numbers, row_bytes);
                read.is_finite = are_finite(reinterpret_cast<const float *>(row), rows_.dims());
            }
        }
        if (!rows_.take(read, at)) {
            problem_ = {BinaryProblem::Kind::bad_word, n_rows_, static_cast<size_t>(p - block),
                        read.length};
            break;
        }
        ++n_rows_;
        p = done = numbers + row_bytes;
    }
    return static_cast<size_t>(done - block);
}

}  // namespace firth

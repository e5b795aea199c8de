// Rows anywhere in memory, sent for while those before them are worked on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firth {

// So many rows come together.
constexpr size_t rows_ahead = 16;

// Calls use(rows, n) with the rows of a list, up to rows_ahead at a time; those below 0 are none.
template <typename Use>
void for_rows_ahead(const uint8_t *vectors, size_t row_bytes, const int64_t *list, size_t n_list,
                    const Use &use) {
    constexpr size_t line = 64;
    uint32_t rows[2][rows_ahead];
    size_t at = 0;
    const auto take = [&](uint32_t *taken) {
        size_t n = 0;
        for (; at < n_list && n < rows_ahead; ++at) {
            if (list[at] < 0) continue;
            const auto row = static_cast<uint32_t>(list[at]);
            for (size_t k = 0; k < row_bytes; k += line)
                __builtin_prefetch(vectors + row * row_bytes + k, 0, 2);
            taken[n++] = row;
        }
        return n;
    };
    size_t n = take(rows[0]);
    for (int now = 0; n > 0; now = 1 - now) {
        const size_t n_ahead = take(rows[1 - now]);
        use(rows[now], n);
        n = n_ahead;
    }
}

}  // namespace firth

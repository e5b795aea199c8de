// The vocabulary of a text that several threads have counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "token_interner.hpp"

namespace firth {

struct CountedWord {
    int64_t count;
    uint64_t first_bytes;  // that compare as the bytes do, one after the other
    std::string_view word;
};

// The words that all interners together have seen at least min_count times, by falling count and, where
// counts are equal, by their bytes; at most max_size of them. They lie in the interners.
std::vector<CountedWord> select_words(std::span<const TokenInterner *const> interners,
                                      int64_t min_count, size_t max_size, size_t n_threads);

}  // namespace firth

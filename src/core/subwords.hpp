// Words cut into n-grams of characters, and n-grams numbered by their hash: how fastText, floret
// and finalfusion find the rows that make up the vector of a word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "string_index.hpp"

namespace firth {

// The numbers of the n-grams of many words; those of word i begin at ids[offsets[i]].
struct SubwordIds {
    std::vector<uint32_t> ids;
    std::vector<int64_t> offsets;  // one more than words; empty where the words are damaged
};

// n-grams are of min_n to max_n characters of UTF-8, of the word between two marks. A byte that
// starts no character belongs to the one before.
struct NgramRange {
    size_t min_n, max_n;
};

// fastText: FNV-1a over bytes that are taken for signed, modulo `bucket`; in the order of starts,
// the short ones first. The marks "<" and ">" alone are no n-grams; "</s>" has none, but in its
// first versions, `with_sentence_end`.
SubwordIds fasttext_ids(const Strings &words, NgramRange range, uint32_t bucket,
                        bool with_sentence_end);

struct FloretHash {
    uint32_t bucket, seed;
    size_t count;  // numbers for each n-gram, 1 to 4
};

// floret: as fastText, but the whole word between its marks comes first, and each n-gram has
// `count` numbers, the 32-bit parts of MurmurHash3 x64 128, modulo `bucket`.
SubwordIds floret_ids(const Strings &words, NgramRange range, const FloretHash &hash,
                      std::string_view begin_mark, std::string_view end_mark);

// finalfusion: FNV-1a of 64 bits over the number of characters and the code points of the n-gram,
// masked; in the order of starts, the long ones first.
SubwordIds finalfusion_ids(const Strings &words, NgramRange range, uint64_t mask,
                           std::string_view begin_mark, std::string_view end_mark);

// The 128 bits of MurmurHash3 x64 (Austin Appleby, public domain).
struct Hash128 {
    uint64_t low, high;
};
Hash128 murmur3_x64_128(std::string_view bytes, uint32_t seed);

struct RowMatrix {
    const float *values;
    size_t n_rows, dim;
};

// out[i] = the mean of own[i] (where there is `own`) and of the rows with the ids of word i, summed
// up in this order in single precision and then multiplied by 1 / n: to the bit as fastText does
// it. Zeros where there is nothing. With `add_only` they are not divided. `own` may be `out` itself.
// Ids must be below the number of rows.
void mean_rows(float *out, const float *own, const RowMatrix &rows, const uint32_t *ids,
               const int64_t *offsets, size_t n_words, bool add_only, size_t n_threads);

}  // namespace firth

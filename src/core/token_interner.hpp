// Counts the distinct tokens of a text and numbers them in the order in which they come.
//
// Text is read once: each block becomes provisional ids right away, and when the whole text has
// been seen and the vocabulary is known, the ids are renamed (id_map_to, rename_ids). So a text
// that can be read only once (a pipe, a generator) needs no second reading.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "large_pages.hpp"

namespace firth {

constexpr uint32_t kSentenceEnd = 0xffffffff;  // stands between two sentences in provisional ids
constexpr uint32_t kDropped = 0xfffffffe;      // in an id map: the token is not in the vocabulary
constexpr uint32_t kMaxTypes = 0xfffffff0;

class TokenInterner {
  public:
    TokenInterner();
    TokenInterner(const TokenInterner &) = delete;
    TokenInterner &operator=(const TokenInterner &) = delete;

    // Splits a block of text at ASCII whitespace, as Python's bytes.split() does, and appends the
    // ids of its tokens to `ids`, with kSentenceEnd after each line that has tokens and is complete.
    // `ids` has room for length + 1 numbers. Returns how many were written.
    size_t encode_text(const char *text, size_t length, uint32_t *ids);

    // The id of one token, counted once.
    uint32_t encode_token(std::string_view token);

    // The id of a token that was seen before, or kDropped.
    uint32_t find(std::string_view token) const;

    // Calls use(i, id) with what find(string_at(i)) gives for each i below n, a batch at a time, so that
    // the misses of the table and of its entries overlap.
    template <typename StringAt, typename Use>
    void find_each(size_t n, const StringAt &string_at, const Use &use) const;

    size_t size() const { return entries_.size(); }
    uint64_t total_count() const;

    std::string_view word(uint32_t id) const { return {entries_[id].bytes, entries_[id].length}; }
    int64_t count(uint32_t id) const { return entries_[id].count; }

    // The first eight bytes of a word, as a number that compares as they do, one after the other.
    uint64_t first_bytes(uint32_t id) const { return __builtin_bswap64(entries_[id].first_word); }

    // For each id given here, the position of its word in a vocabulary, or kDropped. The words of the
    // vocabulary lie end to end; word i is [offsets[i], offsets[i + 1]).
    std::vector<uint32_t> id_map_to(const char *word_bytes, const uint64_t *offsets,
                                    size_t n_words) const;

  private:
    // The first eight bytes stand in the entry, so that short words are compared without a look at
    // the arena, and an entry is half a cache line.
    struct Entry {
        uint64_t first_word;
        const char *bytes;
        int64_t count;
        uint32_t length;
    };
    // The upper half of the hash is enough to find the place of a slot, so that the table grows by one
    // pass over itself, without a look at the words.
    struct Slot {
        uint32_t hash;
        uint32_t id;
    };
    struct Token {
        const char *bytes;
        uint64_t first_word;
        uint32_t hash;
        uint32_t length;
        bool ends_sentence;  // a line end lies between this token and the next one
    };

    static Token token_of(std::string_view text);
    const char *find_token_end(const char *p, const char *end) const;
    uint32_t intern(const Token &token);
    uint32_t insert(const Token &token, size_t slot);
    bool matches(const Entry &entry, const Token &token) const;
    size_t home_of(uint32_t hash) const { return hash * uint64_t{slots_.size()} >> 32; }
    size_t find_slot(const Token &token) const;
    void send_for_slot(const Token &token) const;
    void send_for_entry(const Token &token) const;
    void grow();
    const char *keep(const char *bytes, size_t length);

    static constexpr uint32_t kEmpty = 0xffffffff;
    // Tokens are cut and hashed this many at a time before the first is looked up.
    static constexpr size_t kBatch = 64;

    std::vector<Slot, LargePages<Slot>> slots_;  // open addressing, a power of two, at most half full
    std::vector<Entry, LargePages<Entry>> entries_;
    std::vector<std::unique_ptr<char[]>> arena_;
    char *arena_next_ = nullptr;
    size_t arena_left_ = 0;
};

template <typename StringAt, typename Use>
void TokenInterner::find_each(size_t n, const StringAt &string_at, const Use &use) const {
    std::array<Token, kBatch> batch;
    for (size_t first = 0; first < n; first += kBatch) {
        const size_t n_in_batch = std::min(kBatch, n - first);
        for (size_t i = 0; i < n_in_batch; ++i) {
            batch[i] = token_of(string_at(first + i));
            send_for_slot(batch[i]);
        }
        for (size_t i = 0; i < n_in_batch; ++i) send_for_entry(batch[i]);
        for (size_t i = 0; i < n_in_batch; ++i) {
            const uint32_t id = slots_[find_slot(batch[i])].id;
            use(first + i, id == kEmpty ? kDropped : id);
        }
    }
}

// Renames the provisional ids of a block, drops those that the map drops, and notes how many ids
// stand before each sentence end. `ids` may be `provisional`; both outputs have room for
// n_provisional numbers.
struct RenameCounts {
    size_t n_ids, n_sentence_ends;
};
RenameCounts rename_ids(const uint32_t *provisional, size_t n_provisional, const uint32_t *id_map,
                        uint32_t *ids, int64_t *sentence_ends);

}  // namespace firth

#include "token_interner.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>

#include "hash.hpp"

namespace firth {

namespace {

constexpr size_t kArenaChunk = 1 << 20;
constexpr size_t kInitialSlots = 1 << 16;

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Marks the bytes of `word` that are below 0x21 with their high bit. Exact up to the first one marked.
inline uint64_t mark_low_bytes(uint64_t word) {
    constexpr uint64_t ones = 0x0101010101010101;
    return (word - ones * 0x21) & ~word & (ones * 0x80);
}

inline uint32_t upper_half(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

inline uint64_t first_bytes_of(uint64_t word, size_t length) {
    return length >= 8 ? word : word & ((uint64_t{1} << (8 * length)) - 1);
}

}  // namespace

TokenInterner::TokenInterner() : slots_(kInitialSlots, Slot{0, kEmpty}) {}

const char *TokenInterner::find_token_end(const char *p, const char *end) const {
    for (; end - p >= 8; p += 8) {
        uint64_t marks = mark_low_bytes(load_bytes<uint64_t>(p));
        // Control characters are marked too and belong to the token.
        while (marks) {
            const char *candidate = p + std::countr_zero(marks) / 8;
            if (is_space(*candidate)) return candidate;
            marks &= marks - 1;
        }
    }
    while (p < end && !is_space(*p)) ++p;
    return p;
}

size_t TokenInterner::encode_text(const char *text, size_t length, uint32_t *ids) {
    const char *p = text, *const end = text + length;
    uint32_t *out = ids;
    std::array<Token, kBatch> batch;
    // A line end before the first token closes a sentence that an earlier block left open.
    bool at_start = true;
    while (p < end) {
        size_t n = 0;
        while (n < kBatch && p < end) {
            bool line_end = false;
            while (p < end && is_space(*p)) line_end |= *p++ == '\n';
            if (line_end) {
                if (n > 0)
                    batch[n - 1].ends_sentence = true;
                else if (at_start || out[-1] != kSentenceEnd)
                    *out++ = kSentenceEnd;
            }
            at_start = false;
            if (p == end) break;
            const char *const begin = p;
            p = find_token_end(p, end);
            Token &token = batch[n++];
            token.bytes = begin;
            token.length = static_cast<uint32_t>(p - begin);
            token.first_word = end - begin >= 8
                                   ? first_bytes_of(load_bytes<uint64_t>(begin), token.length)
                                   : load_padded(begin, token.length);
            token.hash = upper_half(hash_bytes(begin, token.length, token.first_word));
            token.ends_sentence = false;
            send_for_slot(token);
        }
        for (size_t i = 0; i < n; ++i) send_for_entry(batch[i]);
        for (size_t i = 0; i < n; ++i) {
            *out++ = intern(batch[i]);
            if (batch[i].ends_sentence) *out++ = kSentenceEnd;
        }
    }
    return static_cast<size_t>(out - ids);
}

TokenInterner::Token TokenInterner::token_of(std::string_view text) {
    const auto length = static_cast<uint32_t>(text.size());
    const uint64_t first_word = load_padded(text.data(), length);
    const uint32_t hash = upper_half(hash_bytes(text.data(), length, first_word));
    return {text.data(), first_word, hash, length, false};
}

uint32_t TokenInterner::encode_token(std::string_view text) { return intern(token_of(text)); }

uint32_t TokenInterner::find(std::string_view text) const {
    const uint32_t id = slots_[find_slot(token_of(text))].id;
    return id == kEmpty ? kDropped : id;
}

bool TokenInterner::matches(const Entry &entry, const Token &token) const {
    if (entry.first_word != token.first_word || entry.length != token.length) return false;
    // By words, the last one overlapping the one before: few tokens are long enough for a call.
    const char *a = entry.bytes, *b = token.bytes;
    size_t left = token.length;
    if (left <= 8) return true;
    for (; left > 16; left -= 8, a += 8, b += 8)
        if (load_bytes<uint64_t>(a + 8) != load_bytes<uint64_t>(b + 8)) return false;
    return load_bytes<uint64_t>(a + left - 8) == load_bytes<uint64_t>(b + left - 8);
}

void TokenInterner::send_for_slot(const Token &token) const {
    __builtin_prefetch(&slots_[home_of(token.hash)]);
}

void TokenInterner::send_for_entry(const Token &token) const {
    const uint32_t id = slots_[home_of(token.hash)].id;
    if (id != kEmpty) __builtin_prefetch(&entries_[id], 1);
}

// The slot that holds the token, or the empty one where it belongs.
size_t TokenInterner::find_slot(const Token &token) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = home_of(token.hash);
    while (slots_[slot].id != kEmpty &&
           !(slots_[slot].hash == token.hash && matches(entries_[slots_[slot].id], token)))
        slot = (slot + 1) & mask;
    return slot;
}

uint32_t TokenInterner::intern(const Token &token) {
    const size_t slot = find_slot(token);
    const uint32_t id = slots_[slot].id != kEmpty ? slots_[slot].id : insert(token, slot);
    ++entries_[id].count;
    return id;
}

uint32_t TokenInterner::insert(const Token &token, size_t slot) {
    if (entries_.size() >= kMaxTypes)
        throw std::length_error("more than 4,294,967,280 distinct tokens");
    const auto id = static_cast<uint32_t>(entries_.size());
    entries_.push_back({token.first_word, keep(token.bytes, token.length), 0, token.length});
    slots_[slot] = {token.hash, id};
    if (entries_.size() * 2 > slots_.size()) grow();
    return id;
}

void TokenInterner::grow() {
    std::vector<Slot, LargePages<Slot>> smaller(slots_.size() * 2, Slot{0, kEmpty});
    smaller.swap(slots_);
    const size_t mask = slots_.size() - 1;
    for (const Slot &taken : smaller) {
        if (taken.id == kEmpty) continue;
        size_t slot = home_of(taken.hash);
        while (slots_[slot].id != kEmpty) slot = (slot + 1) & mask;
        slots_[slot] = taken;
    }
}

const char *TokenInterner::keep(const char *bytes, size_t length) {
    if (length > arena_left_) {
        arena_left_ = std::max(kArenaChunk, length);
        arena_.push_back(std::make_unique<char[]>(arena_left_));
        arena_next_ = arena_.back().get();
    }
    char *kept = arena_next_;
    std::memcpy(kept, bytes, length);
    arena_next_ += length;
    arena_left_ -= length;
    return kept;
}

uint64_t TokenInterner::total_count() const {
    uint64_t total = 0;
    for (const Entry &entry : entries_) total += static_cast<uint64_t>(entry.count);
    return total;
}

std::vector<uint32_t> TokenInterner::id_map_to(const char *word_bytes, const uint64_t *offsets,
                                               size_t n_words) const {
    std::vector<uint32_t> map(entries_.size(), kDropped);
    const auto word_at = [&](size_t i) {
        return std::string_view(word_bytes + offsets[i], offsets[i + 1] - offsets[i]);
    };
    find_each(n_words, word_at, [&](size_t i, uint32_t id) {
        if (id != kDropped) map[id] = static_cast<uint32_t>(i);
    });
    return map;
}

RenameCounts rename_ids(const uint32_t *provisional, size_t n_provisional, const uint32_t *id_map,
                        uint32_t *ids, int64_t *sentence_ends) {
    size_t n_ids = 0, n_ends = 0;
    for (size_t i = 0; i < n_provisional; ++i) {
        if (provisional[i] == kSentenceEnd) {
            sentence_ends[n_ends++] = static_cast<int64_t>(n_ids);
            continue;
        }
        // Written in any case and kept or not: which it is nobody could foresee.
        const uint32_t id = id_map[provisional[i]];
        ids[n_ids] = id;
        n_ids += id != kDropped;
    }
    return {n_ids, n_ends};
}

}  // namespace firth

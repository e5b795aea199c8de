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
// Tokens are cut and hashed this many at a time before the first is looked up, so that the table's
// cache misses overlap.
constexpr size_t kBatch = 64;

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Marks the bytes of `word` that are below 0x21 with their high bit. Exact up to the first one marked.
inline uint64_t mark_low_bytes(uint64_t word) {
    constexpr uint64_t ones = 0x0101010101010101;
    return (word - ones * 0x21) & ~word & (ones * 0x80);
}

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
            token.hash = hash_bytes(begin, token.length, token.first_word);
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
    return {text.data(), first_word, hash_bytes(text.data(), length, first_word), length, false};
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
    __builtin_prefetch(&slots_[token.hash & (slots_.size() - 1)]);
}

void TokenInterner::send_for_entry(const Token &token) const {
    const uint32_t id = slots_[token.hash & (slots_.size() - 1)].id;
    if (id != kEmpty) __builtin_prefetch(&entries_[id], 1);
}

// The slot that holds the token, or the empty one where it belongs.
size_t TokenInterner::find_slot(const Token &token) const {
    const size_t mask = slots_.size() - 1;
    const uint32_t tag = static_cast<uint32_t>(token.hash >> 32);
    size_t slot = token.hash & mask;
    while (slots_[slot].id != kEmpty &&
           !(slots_[slot].hash_tag == tag && matches(entries_[slots_[slot].id], token)))
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
    const auto tag = static_cast<uint32_t>(token.hash >> 32);
    entries_.push_back({token.first_word, keep(token.bytes, token.length), 0, token.length, tag});
    slots_[slot] = {tag, id};
    if (entries_.size() * 2 > slots_.size()) grow();
    return id;
}

void TokenInterner::grow() {
    std::vector<Slot, LargePages<Slot>> larger(slots_.size() * 4, Slot{0, kEmpty});
    const size_t mask = larger.size() - 1;
    for (uint32_t id = 0; id < entries_.size(); ++id) {
        const Entry &entry = entries_[id];
        size_t slot = hash_bytes(entry.bytes, entry.length, entry.first_word) & mask;
        while (larger[slot].id != kEmpty) slot = (slot + 1) & mask;
        larger[slot] = {entry.hash_tag, id};
    }
    slots_ = std::move(larger);
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

// Calls work(i, token) for each i below n, a batch at a time, so that the misses of the table and of
// its entries overlap.
template <typename StringAt, typename Work>
void TokenInterner::for_each_token(size_t n, const StringAt &string_at, const Work &work) const {
    std::array<Token, kBatch> batch;
    for (size_t first = 0; first < n; first += kBatch) {
        const size_t n_in_batch = std::min(kBatch, n - first);
        for (size_t i = 0; i < n_in_batch; ++i) {
            batch[i] = token_of(string_at(first + i));
            send_for_slot(batch[i]);
        }
        for (size_t i = 0; i < n_in_batch; ++i) send_for_entry(batch[i]);
        for (size_t i = 0; i < n_in_batch; ++i) work(first + i, batch[i]);
    }
}

void TokenInterner::absorb(const TokenInterner &other) {
    for_each_token(
        other.size(), [&](size_t i) { return other.word(static_cast<uint32_t>(i)); },
        [&](size_t i, const Token &token) {
            entries_[intern(token)].count += other.entries_[i].count - 1;
        });
}

uint64_t TokenInterner::total_count() const {
    uint64_t total = 0;
    for (const Entry &entry : entries_) total += static_cast<uint64_t>(entry.count);
    return total;
}

int64_t TokenInterner::highest_count() const {
    int64_t highest = 0;
    for (const Entry &entry : entries_) highest = std::max(highest, entry.count);
    return highest;
}

std::vector<uint32_t> TokenInterner::select(int64_t min_count, size_t max_size) const {
    // Count and first bytes go along with the id, since looking at the entries would be a cache miss
    // for every comparison.
    struct Candidate {
        int64_t count;
        uint64_t first_bytes;  // that compare as the bytes do, one after the other
        uint32_t id;
    };
    std::vector<Candidate> candidates;
    for (uint32_t id = 0; id < entries_.size(); ++id)
        if (entries_[id].count >= min_count)
            candidates.push_back({entries_[id].count, __builtin_bswap64(entries_[id].first_word), id});
    std::sort(candidates.begin(), candidates.end(), [this](const Candidate &a, const Candidate &b) {
        if (a.count != b.count) return a.count > b.count;
        if (a.first_bytes != b.first_bytes) return a.first_bytes < b.first_bytes;
        return word(a.id) < word(b.id);
    });
    std::vector<uint32_t> selected(std::min(candidates.size(), max_size));
    for (size_t i = 0; i < selected.size(); ++i) selected[i] = candidates[i].id;
    return selected;
}

std::vector<uint32_t> TokenInterner::id_map_to(const char *word_bytes, const uint64_t *offsets,
                                               size_t n_words) const {
    std::vector<uint32_t> map(entries_.size(), kDropped);
    const auto word_at = [&](size_t i) {
        return std::string_view(word_bytes + offsets[i], offsets[i + 1] - offsets[i]);
    };
    for_each_token(n_words, word_at, [&](size_t i, const Token &token) {
        const uint32_t id = slots_[find_slot(token)].id;
        if (id != kEmpty) map[id] = static_cast<uint32_t>(i);
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

// Counts words and pairs of words that follow each other, scores the pairs, and joins phrases.
//
// What is counted has a name: a word, or words joined by the delimiter. Names are split at the
// delimiter into *parts*, so that whatever has the same name is one thing, however it came about:
// "new" before "york", and the token "new_york" that the text has already. One part is a word.
// More are the key (sequence of all parts but the last, last part); a sequence of one part is
// the part itself, a longer one has a number of its own, with the highest bit set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pair_map.hpp"
#include "token_interner.hpp"

namespace firth {

constexpr uint32_t kUnknownToken = 0xffffffff;

// Sentences of token ids, end to end; sentence i ends before ids[ends[i] - first_position].
struct Sentences {
    const uint32_t *ids;
    const int64_t *ends;
    size_t n_sentences;
    int64_t first_position;
    const uint32_t *map;  // from an id to a token of the table; null if it is one
    size_t map_size;

    size_t begin_of(size_t sentence) const {
        return sentence ? static_cast<size_t>(ends[sentence - 1] - first_position) : 0;
    }
    size_t end_of(size_t sentence) const {
        return static_cast<size_t>(ends[sentence] - first_position);
    }
    // The token at a position; throws where an id, which may come from a file, has none.
    uint32_t token(size_t position, size_t n_tokens) const;
};

// A token as the parts of its name, which are none where nobody has seen it.
struct TokenParts {
    const uint32_t *parts;
    size_t n;
    bool is_connector;
};

struct Scoring {
    enum class Rule { standard, npmi, all, stored };
    Rule rule;
    double min_count, threshold, corpus_word_count;
    size_t n_names;  // of the table
};

// A pair that passed, with what it was scored by.
struct Candidate {
    uint64_t key, count_a, count_b, count;
    double score;
};

class PhraseTable {
  public:
    static constexpr size_t kPartitions = 64;

    PhraseTable(std::string_view delimiter, uint64_t max_size);

    // A word that may stand inside of a phrase, but not at its ends. Before anything is counted.
    void add_connector(std::string_view word);

    uint32_t intern(std::string_view token);
    size_t n_tokens() const { return info_.size(); }
    TokenParts parts_of_token(const uint32_t &token) const;
    // The id of a token, or kUnknownToken, which may still be a name of known parts: find_parts
    // appends these, or returns false.
    uint32_t find(std::string_view token) const;
    bool find_parts(std::string_view token, std::vector<uint32_t> &parts) const;

    // Counts words, and pairs with what connectors stand between them. Whenever a sentence leaves
    // more than max_size names, those seen less than min_reduce times are dropped, and min_reduce
    // grows by one (Manku and Motwani 2002, lossy counting). As gensim has it, the first time drops
    // nothing. The result does not depend on the number of threads.
    void count(const Sentences &sentences, size_t n_threads);

    uint64_t count_of(std::string_view name) const;
    void add(std::string_view name, uint64_t count);  // to the count of a name
    void merge(const PhraseTable &other);             // adds all its counts; drops nothing
    void prune(uint64_t min_reduce);                  // drops all names seen less often
    std::unique_ptr<PhraseTable> compacted() const;   // without the memory of what was dropped

    size_t size() const;  // names with a count
    uint64_t n_words_read() const { return n_words_read_; }
    uint64_t min_reduce() const { return min_reduce_; }
    std::string_view delimiter() const { return delimiter_; }

    // A table of finished phrases has scores instead of counts. False if the name has one part.
    bool add_phrase(std::string_view name, double score);
    size_t n_phrases() const { return scores_.size(); }

    // All ways to make a phrase of a partition's keys that score above the threshold.
    std::vector<Candidate> candidates(size_t partition, const Scoring &scoring) const;

    // Calls visit(name, count) for each word with a count, and for each joined name of a partition.
    template <typename Visit>
    void visit_words(const Visit &visit) const;
    template <typename Visit>
    void visit_partition(size_t partition, const Visit &visit) const;
    std::string name_of(uint64_t key) const;

    // Finds the phrases of a sentence from left to right: calls word(i) for each token that stands
    // alone, and phrase(begin, end, number, score) for tokens that are joined; `number` is that of
    // a finished phrase, or its count.
    template <typename Word, typename Phrase>
    void join(const TokenParts *tokens, size_t n, const Scoring &scoring, const Word &word,
              const Phrase &phrase) const;

  private:
    struct Joined {
        uint32_t first_part, n_parts;
        uint64_t key;
    };

    bool is_plain(uint32_t token) const { return info_[token] < 2; }
    bool is_connector(uint32_t token) const { return info_[token] & 1; }
    const Joined &joined(uint32_t token) const { return joined_[(info_[token] >> 1) - 1]; }

    uint32_t sequence(uint32_t head, uint32_t part);  // made where it is new
    bool find_sequence(uint32_t &head, uint32_t part) const;
    uint32_t extend(uint32_t head, uint32_t token, bool but_last);
    uint32_t last_part(uint32_t token) const;
    std::vector<uint32_t> intern_parts(std::string_view name);
    uint64_t key_of(const std::vector<uint32_t> &parts);
    bool find_candidate(const TokenParts *tokens, size_t begin, size_t end, uint64_t &key) const;

    uint64_t count_of_key(uint64_t key) const;
    uint64_t count_of_parts(const uint32_t *parts, size_t n) const;
    bool are_connectors(const uint32_t *parts, size_t n) const;
    std::vector<uint32_t> parts_of(uint64_t key) const;
    double score(const Scoring &scoring, uint64_t a, uint64_t b, uint64_t count) const;
    bool accept(const TokenParts *tokens, size_t begin, size_t end, const Scoring &scoring,
                uint64_t &number, double &score) const;

    void count_word(uint32_t token);
    template <typename Emit>
    void walk(const Sentences &sentences, size_t begin, size_t end, const Emit &emit);
    void count_block(const Sentences &sentences, size_t begin, size_t end, size_t n_threads);
    void count_keys(size_t partition);
    PairMap &partition_of(uint64_t hash) { return partitions_[hash >> 58]; }
    const PairMap &partition_of(uint64_t hash) const { return partitions_[hash >> 58]; }

    std::string delimiter_;
    uint64_t max_size_;
    uint64_t min_reduce_ = 1;
    uint64_t n_words_read_ = 0;
    std::vector<std::string> connectors_;
    bool has_joined_connectors_ = false;

    TokenInterner interner_;
    std::vector<uint32_t> info_;   // of each token: bit 0, a connector; above it, number in joined_ + 1
    std::vector<Joined> joined_;   // tokens that have the delimiter inside
    std::vector<uint32_t> parts_;  // of those
    std::vector<uint64_t> word_counts_;  // of tokens that have not
    size_t n_words_ = 0;                 // of them, how many have a count

    PairMap sequences_;                    // from (sequence, part) to the longer sequence
    std::vector<uint64_t> sequence_keys_;  // the way back
    std::vector<PairMap> partitions_;      // counts, or numbers of finished phrases
    std::vector<double> scores_;           // of finished phrases

    std::vector<uint64_t> keys_, sorted_keys_;  // of the block that is being counted
    std::vector<size_t> partition_begins_;      // in sorted_keys_
};

template <typename Visit>
void PhraseTable::visit_words(const Visit &visit) const {
    for (uint32_t token = 0; token < word_counts_.size(); ++token)
        if (word_counts_[token]) visit(interner_.word(token), word_counts_[token]);
}

template <typename Visit>
void PhraseTable::visit_partition(size_t partition, const Visit &visit) const {
    for (const PairMap::Slot &slot : partitions_[partition].slots())
        if (slot.key != PairMap::kNoKey) visit(name_of(slot.key), slot.value);
}

template <typename Word, typename Phrase>
void PhraseTable::join(const TokenParts *tokens, size_t n, const Scoring &scoring, const Word &word,
                       const Phrase &phrase) const {
    constexpr size_t none = ~size_t{0};
    size_t start = none;
    for (size_t i = 0; i < n; ++i) {
        if (tokens[i].is_connector) {
            if (start == none) word(i);
            continue;
        }
        uint64_t number = 0;
        double score = 0;
        if (start != none && accept(tokens, start, i, scoring, number, score)) {
            phrase(start, i + 1, number, score);
            start = none;
            continue;
        }
        for (; start != none && start < i; ++start) word(start);
        start = i;
    }
    for (; start < n; ++start) word(start);
}

}  // namespace firth

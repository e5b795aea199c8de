// The part of the phrase table that scores pairs and tells which of them are phrases.
#include <cmath>
#include <limits>

#include "phrase_table.hpp"

namespace firth {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// Step by step as gensim computes them, so that the last bit is the same.

// Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
// Compositionality", equation 6, times the number of names.
double standard_score(uint64_t a, uint64_t b, uint64_t count, double min_count, size_t n_names) {
    __extension__ typedef unsigned __int128 uint128;
    const auto product = static_cast<double>(static_cast<uint128>(a) * b);
    return (static_cast<double>(count) - min_count) / product * static_cast<double>(n_names);
}

// Bouma 2009, "Normalized (Pointwise) Mutual Information in Collocation Extraction", equation 7.
double npmi_score(uint64_t a, uint64_t b, uint64_t count, double min_count, double n_words) {
    if (static_cast<double>(count) < min_count) return kNever;
    const double share_a = static_cast<double>(a) / n_words;
    const double share_b = static_cast<double>(b) / n_words;
    const double share = static_cast<double>(count) / n_words;
    return std::log(share / (share_a * share_b)) / -std::log(share);
}

}  // namespace

double PhraseTable::score(const Scoring &scoring, uint64_t a, uint64_t b, uint64_t count) const {
    if (scoring.rule == Scoring::Rule::npmi)
        return npmi_score(a, b, count, scoring.min_count, scoring.corpus_word_count);
    return standard_score(a, b, count, scoring.min_count, scoring.n_names);
}

// Whether the tokens from `begin` to `end`, that one included, are a phrase.
bool PhraseTable::accept(const TokenParts *tokens, size_t begin, size_t end, const Scoring &scoring,
                         uint64_t &number, double &result) const {
    uint64_t key;
    if (!find_candidate(tokens, begin, end, key)) return false;
    const uint64_t hash = hash_of_key(key);
    const uint64_t *value = partition_of(hash).find(key, hash);
    if (!value) return false;
    number = *value;
    if (scoring.rule == Scoring::Rule::stored) {
        result = scores_[number];
    } else {
        const uint64_t a = count_of_parts(tokens[begin].parts, tokens[begin].n);
        const uint64_t b = count_of_parts(tokens[end].parts, tokens[end].n);
        if (a == 0 || b == 0) return false;
        result = score(scoring, a, b, number);
    }
    return result > scoring.threshold;
}

bool PhraseTable::add_phrase(std::string_view name, double score) {
    const std::vector<uint32_t> parts = intern_parts(name);
    if (parts.size() == 1) return false;
    const uint64_t key = key_of(parts), hash = hash_of_key(key);
    const uint64_t number = scores_.size();
    if (partition_of(hash).at(key, hash, number) == number) scores_.push_back(score);
    return true;
}

bool PhraseTable::are_connectors(const uint32_t *parts, size_t n) const {
    if (n == 0) return true;
    if (is_connector(parts[0]) && are_connectors(parts + 1, n - 1)) return true;
    if (!has_joined_connectors_) return false;
    std::string name(interner_.word(parts[0]));
    for (size_t i = 1; i < n; ++i) {
        name.append(delimiter_).append(interner_.word(parts[i]));
        const uint32_t token = find(name);
        if (token != kUnknownToken && is_connector(token) &&
            are_connectors(parts + i + 1, n - i - 1))
            return true;
    }
    return false;
}

std::vector<Candidate> PhraseTable::candidates(size_t partition, const Scoring &scoring) const {
    std::vector<Candidate> found;
    const auto offer = [&](uint64_t key, uint64_t a, uint64_t b, uint64_t count) {
        if (a == 0 || b == 0) return;
        const bool all = scoring.rule == Scoring::Rule::all;
        const double result = all ? 0 : score(scoring, a, b, count);
        if (all || result > scoring.threshold) found.push_back({key, a, b, count, result});
    };
    for (const PairMap::Slot &slot : partitions_[partition].slots()) {
        if (slot.key == PairMap::kNoKey) continue;
        const std::vector<uint32_t> parts = parts_of(slot.key);
        // Of three parts and more, each may belong to the first token, to the last, or to
        // connectors in between.
        for (size_t i = 1; i < parts.size(); ++i) {
            const uint64_t a = count_of_parts(parts.data(), i);
            for (size_t j = i; a && j < parts.size(); ++j)
                if (are_connectors(parts.data() + i, j - i))
                    offer(slot.key, a, count_of_parts(parts.data() + j, parts.size() - j),
                          slot.value);
        }
    }
    return found;
}

}  // namespace firth

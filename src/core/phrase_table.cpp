#include "phrase_table.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <stdexcept>
#include <thread>

namespace firth {

namespace {

constexpr uint32_t kSequenceBit = 0x80000000;
constexpr size_t kBlockTokens = size_t{1} << 21;
// Where fewer tokens than these fit before names may have to be dropped, sentences go one by one.
constexpr size_t kSmallestBlock = size_t{1} << 12;
// A thread costs more than it brings for less than this.
constexpr size_t kKeysOfThread = size_t{1} << 15;
constexpr size_t kPrefetch = 8;

// Calls visit(part) for each part of a name, until that returns false; whether it never did.
template <typename Visit>
bool visit_parts(std::string_view name, std::string_view delimiter, const Visit &visit) {
    for (size_t begin = 0;;) {
        const size_t end = name.find(delimiter, begin);
        if (!visit(name.substr(begin, end == name.npos ? end : end - begin))) return false;
        if (end == name.npos) return true;
        begin = end + delimiter.size();
    }
}

uint64_t key_from(uint32_t head, uint32_t part) { return uint64_t{head} << 32 | part; }
uint32_t head_of(uint64_t key) { return static_cast<uint32_t>(key >> 32); }
uint32_t part_of(uint64_t key) { return static_cast<uint32_t>(key); }

}  // namespace

uint32_t Sentences::token(size_t position, size_t n_tokens) const {
    const uint32_t id = ids[position];
    if (map && id >= map_size) throw std::invalid_argument("an id is not one of the words");
    const uint32_t token = map ? map[id] : id;
    if (token >= n_tokens) throw std::invalid_argument("an id is not a token of the table");
    return token;
}

PhraseTable::PhraseTable(std::string_view delimiter, uint64_t max_size)
    : delimiter_(delimiter), max_size_(max_size), partitions_(kPartitions) {
    if (delimiter.empty()) throw std::invalid_argument("the delimiter is empty");
}

// --- tokens and their parts -----------------------------------------------------------------------

void PhraseTable::add_connector(std::string_view word) {
    const uint32_t token = intern(word);
    info_[token] |= 1;
    connectors_.emplace_back(word);
    has_joined_connectors_ |= !is_plain(token);
}

uint32_t PhraseTable::intern(std::string_view text) {
    const uint32_t token = interner_.encode_token(text);
    if (token < info_.size()) return token;
    if (token >= kSequenceBit) throw std::length_error("more than 2,147,483,648 distinct tokens");
    info_.push_back(0);
    word_counts_.push_back(0);
    if (text.find(delimiter_) == text.npos) return token;
    const std::vector<uint32_t> parts = intern_parts(text);
    joined_.push_back({static_cast<uint32_t>(parts_.size()), static_cast<uint32_t>(parts.size()),
                       key_of(parts)});
    parts_.insert(parts_.end(), parts.begin(), parts.end());
    info_[token] = static_cast<uint32_t>(joined_.size()) << 1;
    return token;
}

std::vector<uint32_t> PhraseTable::intern_parts(std::string_view name) {
    std::vector<uint32_t> parts;
    visit_parts(name, delimiter_, [&](std::string_view part) {
        parts.push_back(intern(part));
        return true;
    });
    return parts;
}

uint64_t PhraseTable::key_of(const std::vector<uint32_t> &parts) {
    uint32_t head = parts[0];
    for (size_t i = 1; i + 1 < parts.size(); ++i) head = sequence(head, parts[i]);
    return key_from(head, parts.back());
}

TokenParts PhraseTable::parts_of_token(const uint32_t &token) const {
    if (is_plain(token)) return {&token, 1, is_connector(token)};
    const Joined &name = joined(token);
    return {parts_.data() + name.first_part, name.n_parts, is_connector(token)};
}

bool PhraseTable::find_parts(std::string_view token, std::vector<uint32_t> &parts) const {
    return visit_parts(token, delimiter_, [&](std::string_view part) {
        parts.push_back(interner_.find(part));
        return parts.back() != kDropped;
    });
}

uint32_t PhraseTable::find(std::string_view text) const {
    const uint32_t token = interner_.find(text);
    return token == kDropped ? kUnknownToken : token;
}

uint32_t PhraseTable::sequence(uint32_t head, uint32_t part) {
    const uint64_t key = key_from(head, part), fresh = kSequenceBit | sequence_keys_.size();
    const auto number = static_cast<uint32_t>(sequences_.at(key, hash_of_key(key), fresh));
    if (number == fresh) {
        if (sequence_keys_.size() + 2 >= kSequenceBit)
            throw std::length_error("more than 2,147,483,646 sequences of words");
        sequence_keys_.push_back(key);
    }
    return number;
}

bool PhraseTable::find_sequence(uint32_t &head, uint32_t part) const {
    const uint64_t key = key_from(head, part);
    const uint64_t *number = sequences_.find(key, hash_of_key(key));
    if (number) head = static_cast<uint32_t>(*number);
    return number;
}

// The sequence that goes on with the parts of a token, maybe without its last.
uint32_t PhraseTable::extend(uint32_t head, uint32_t token, bool but_last) {
    if (is_plain(token)) return but_last ? head : sequence(head, token);
    const Joined &name = joined(token);
    for (uint32_t i = 0; i < name.n_parts - but_last; ++i)
        head = sequence(head, parts_[name.first_part + i]);
    return head;
}

uint32_t PhraseTable::last_part(uint32_t token) const {
    return is_plain(token) ? token : part_of(joined(token).key);
}

// The key of the tokens from `begin` to `end`, that one included; false if nobody has seen it.
bool PhraseTable::find_candidate(const TokenParts *tokens, size_t begin, size_t end,
                                 uint64_t &key) const {
    if (tokens[begin].n == 0 || tokens[end].n == 0) return false;
    uint32_t head = tokens[begin].parts[0];
    size_t first = 1;  // part that the head has not got yet
    for (size_t i = begin; i <= end; ++i, first = 0) {
        const size_t n = tokens[i].n - (i == end);
        for (size_t j = first; j < n; ++j)
            if (!find_sequence(head, tokens[i].parts[j])) return false;
    }
    key = key_from(head, tokens[end].parts[tokens[end].n - 1]);
    return true;
}

std::vector<uint32_t> PhraseTable::parts_of(uint64_t key) const {
    std::vector<uint32_t> parts{part_of(key)};
    uint32_t head = head_of(key);
    for (; head & kSequenceBit; head = head_of(key)) {
        key = sequence_keys_[head & ~kSequenceBit];
        parts.push_back(part_of(key));
    }
    parts.push_back(head);
    std::reverse(parts.begin(), parts.end());
    return parts;
}

std::string PhraseTable::name_of(uint64_t key) const {
    std::string name;
    const std::vector<uint32_t> parts = parts_of(key);
    for (size_t i = 0; i < parts.size(); ++i) {
        if (i) name += delimiter_;
        name += interner_.word(parts[i]);
    }
    return name;
}

// --- counting -------------------------------------------------------------------------------------

void PhraseTable::count_word(uint32_t token) { n_words_ += word_counts_[token]++ == 0; }

// Counts the words of the sentences from `begin` to `end`, and calls emit(key) for all that has the
// delimiter in its name.
template <typename Emit>
void PhraseTable::walk(const Sentences &sentences, size_t begin, size_t end, const Emit &emit) {
    std::vector<uint32_t> between;
    for (size_t sentence = begin; sentence < end; ++sentence) {
        uint32_t head = kUnknownToken;  // the sequence that a phrase may begin with
        between.clear();
        for (size_t i = sentences.begin_of(sentence); i < sentences.end_of(sentence); ++i) {
            const uint32_t token = sentences.token(i, info_.size());
            if (is_connector(token)) {
                if (head != kUnknownToken) between.push_back(token);
                continue;
            }
            if (head != kUnknownToken) {
                for (uint32_t connector : between) head = extend(head, connector, false);
                between.clear();
                emit(key_from(extend(head, token, true), last_part(token)));
            }
            if (is_plain(token)) {
                count_word(token);
                head = token;
            } else {
                const uint64_t key = joined(token).key;
                emit(key);
                head = sequence(head_of(key), part_of(key));
            }
        }
    }
    n_words_read_ += sentences.end_of(end - 1) - sentences.begin_of(begin);
}

void PhraseTable::count(const Sentences &sentences, size_t n_threads) {
    for (size_t begin = 0; begin < sentences.n_sentences;) {
        // A token brings two names at most: what it is, and what it ends.
        const uint64_t room = max_size_ > size() ? (max_size_ - size()) / 2 : 0;
        const size_t most = std::min<uint64_t>(room, kBlockTokens);
        size_t end = begin;
        while (end < sentences.n_sentences &&
               sentences.end_of(end) - sentences.begin_of(begin) <= most)
            ++end;
        // A sentence may be longer than a block.
        if (end == begin && sentences.end_of(end) - sentences.begin_of(begin) <= room) ++end;
        const bool is_last = end == sentences.n_sentences;
        const bool fits = end > begin && size() <= max_size_;
        if (fits && (is_last || most >= kSmallestBlock)) {
            count_block(sentences, begin, end, n_threads);
            begin = end;
            continue;
        }
        walk(sentences, begin, begin + 1, [this](uint64_t key) {
            const uint64_t hash = hash_of_key(key);
            ++partition_of(hash).at(key, hash);
        });
        ++begin;
        if (size() > max_size_) {
            prune(min_reduce_);
            ++min_reduce_;
        }
    }
    keys_ = {};
    sorted_keys_ = {};
}

// The keys are sorted into partitions, each of which a thread counts alone: nothing is locked, and
// the table of a partition often fits into a core's cache.
void PhraseTable::count_block(const Sentences &sentences, size_t begin, size_t end,
                              size_t n_threads) {
    keys_.clear();
    std::array<size_t, kPartitions> sizes{};
    walk(sentences, begin, end, [&](uint64_t key) {
        keys_.push_back(key);
        ++sizes[hash_of_key(key) >> 58];
    });
    partition_begins_.assign(kPartitions + 1, 0);
    for (size_t i = 0; i < kPartitions; ++i)
        partition_begins_[i + 1] = partition_begins_[i] + sizes[i];
    sorted_keys_.resize(keys_.size());
    std::vector<size_t> next(partition_begins_.begin(), partition_begins_.end() - 1);
    for (uint64_t key : keys_) sorted_keys_[next[hash_of_key(key) >> 58]++] = key;

    n_threads = std::clamp<size_t>(keys_.size() / kKeysOfThread, 1, std::max<size_t>(n_threads, 1));
    std::atomic<size_t> next_partition{0};
    std::vector<std::exception_ptr> errors(n_threads);
    const auto work = [&](size_t thread) {
        try {
            for (size_t i; (i = next_partition.fetch_add(1)) < kPartitions;) count_keys(i);
        } catch (...) {
            errors[thread] = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < n_threads; ++i) others.emplace_back(work, i);
    work(0);
    for (std::thread &thread : others) thread.join();
    for (const std::exception_ptr &error : errors)
        if (error) std::rethrow_exception(error);
}

void PhraseTable::count_keys(size_t partition) {
    PairMap &counts = partitions_[partition];
    const uint64_t *key = sorted_keys_.data() + partition_begins_[partition];
    const uint64_t *const end = sorted_keys_.data() + partition_begins_[partition + 1];
    for (; key < end; ++key) {
        if (end - key > static_cast<ptrdiff_t>(kPrefetch)) counts.prefetch(hash_of_key(key[kPrefetch]));
        ++counts.at(*key, hash_of_key(*key));
    }
}

size_t PhraseTable::size() const {
    size_t size = n_words_;
    for (const PairMap &partition : partitions_) size += partition.size();
    return size;
}

void PhraseTable::prune(uint64_t min_reduce) {
    if (min_reduce <= 1) return;
    for (uint64_t &count : word_counts_) {
        if (count == 0 || count >= min_reduce) continue;
        count = 0;
        --n_words_;
    }
    for (PairMap &partition : partitions_) partition.keep_from(min_reduce);
}

void PhraseTable::add(std::string_view name, uint64_t count) {
    if (count == 0) return;
    const std::vector<uint32_t> parts = intern_parts(name);
    if (parts.size() == 1) {
        n_words_ += word_counts_[parts[0]] == 0;
        word_counts_[parts[0]] += count;
    } else {
        const uint64_t key = key_of(parts), hash = hash_of_key(key);
        partition_of(hash).at(key, hash) += count;
    }
}

void PhraseTable::merge(const PhraseTable &other) {
    std::vector<uint32_t> to_own(other.info_.size(), kUnknownToken);
    const auto own = [&](uint32_t part) {
        if (to_own[part] == kUnknownToken) to_own[part] = intern(other.interner_.word(part));
        return to_own[part];
    };
    other.visit_words([&](std::string_view word, uint64_t count) { add(word, count); });
    for (const PairMap &partition : other.partitions_)
        for (const PairMap::Slot &slot : partition.slots()) {
            if (slot.key == PairMap::kNoKey) continue;
            std::vector<uint32_t> parts = other.parts_of(slot.key);
            for (uint32_t &part : parts) part = own(part);
            const uint64_t key = key_of(parts), hash = hash_of_key(key);
            partition_of(hash).at(key, hash) += slot.value;
        }
    n_words_read_ += other.n_words_read_;
}

std::unique_ptr<PhraseTable> PhraseTable::compacted() const {
    auto smaller = std::make_unique<PhraseTable>(delimiter_, max_size_);
    for (const std::string &word : connectors_) smaller->add_connector(word);
    smaller->merge(*this);
    smaller->min_reduce_ = min_reduce_;
    return smaller;
}

uint64_t PhraseTable::count_of_key(uint64_t key) const {
    const uint64_t hash = hash_of_key(key);
    const uint64_t *count = partition_of(hash).find(key, hash);
    return count ? *count : 0;
}

uint64_t PhraseTable::count_of_parts(const uint32_t *parts, size_t n) const {
    if (n == 1) return word_counts_[parts[0]];
    uint32_t head = parts[0];
    for (size_t i = 1; i + 1 < n; ++i)
        if (!find_sequence(head, parts[i])) return 0;
    return count_of_key(key_from(head, parts[n - 1]));
}

uint64_t PhraseTable::count_of(std::string_view name) const {
    std::vector<uint32_t> parts;
    return find_parts(name, parts) ? count_of_parts(parts.data(), parts.size()) : 0;
}

}  // namespace firth

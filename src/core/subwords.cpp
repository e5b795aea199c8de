#include "subwords.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "hash.hpp"

namespace firth {

namespace {

// A word between its marks, and where its characters begin.
class MarkedWord {
public:
    void set(std::string_view begin_mark, std::string_view word, std::string_view end_mark) {
        text_.assign(begin_mark).append(word).append(end_mark);
        starts_.clear();
        for (size_t i = 0; i < text_.size(); ++i)
            if ((text_[i] & 0xC0) != 0x80) starts_.push_back(i);
        n_characters_ = starts_.size();
        starts_.push_back(text_.size());
    }

    std::string_view text() const { return text_; }
    size_t n_characters() const { return n_characters_; }
    std::string_view from(size_t first, size_t n) const {
        return std::string_view(text_).substr(starts_[first], starts_[first + n] - starts_[first]);
    }

private:
    std::string text_;
    std::vector<size_t> starts_;  // and the end
    size_t n_characters_ = 0;
};

// fastText's end of a sentence, which stands for itself.
constexpr std::string_view sentence_end = "</s>";

// Calls add(marked, ids) for each word but one.
template <typename Add>
SubwordIds ids_of(const Strings &words, std::string_view begin_mark, std::string_view end_mark,
                  std::string_view left_out, const Add &add) {
    SubwordIds result;
    MarkedWord marked;
    result.offsets.reserve(words.n + 1);
    result.offsets.push_back(0);
    for (size_t row = 0; row < words.n; ++row) {
        std::string_view word;
        if (!words.get(row, word)) return {};
        if (left_out.empty() || word != left_out) {
            marked.set(begin_mark, word, end_mark);
            add(marked, result.ids);
        }
        result.offsets.push_back(static_cast<int64_t>(result.ids.size()));
    }
    return result;
}

bool is_mark_alone(const MarkedWord &word, size_t first, size_t n) {
    return n == 1 && (first == 0 || first + 1 == word.n_characters());
}

constexpr uint32_t fnv_start_32 = 2166136261u, fnv_prime_32 = 16777619u;

// The same as hashing each n-gram on its own, in one pass over those that start at one character.
void add_fasttext_ids(const MarkedWord &word, NgramRange range, uint32_t bucket,
                      std::vector<uint32_t> &ids) {
    for (size_t first = 0; first < word.n_characters(); ++first) {
        uint32_t hash = fnv_start_32;
        const size_t most = std::min(range.max_n, word.n_characters() - first);
        for (size_t n = 1; n <= most; ++n) {
            for (const char c : word.from(first + n - 1, 1)) {
                // fastText took char for signed where the machine does, and stayed with it.
                hash ^= static_cast<uint32_t>(static_cast<int8_t>(c));
                hash *= fnv_prime_32;
            }
            if (n >= range.min_n && !is_mark_alone(word, first, n)) ids.push_back(hash % bucket);
        }
    }
}

void add_floret_hashes(std::string_view ngram, const FloretHash &hash, std::vector<uint32_t> &ids) {
    const Hash128 bits = murmur3_x64_128(ngram, hash.seed);
    const uint32_t parts[] = {
        static_cast<uint32_t>(bits.low), static_cast<uint32_t>(bits.low >> 32),
        static_cast<uint32_t>(bits.high), static_cast<uint32_t>(bits.high >> 32)};
    for (size_t i = 0; i < hash.count; ++i) ids.push_back(parts[i] % hash.bucket);
}

// The code point of one character; of bytes that are no UTF-8, something.
uint32_t code_point(std::string_view character) {
    const auto first = static_cast<uint8_t>(character[0]);
    uint32_t c = character.size() == 1   ? first
                 : character.size() == 2 ? first & 0x1F
                 : character.size() == 3 ? first & 0x0F
                                         : first & 0x07;
    for (size_t i = 1; i < character.size(); ++i)
        c = c << 6 | (static_cast<uint8_t>(character[i]) & 0x3F);
    return c;
}

class Fnv64 {
public:
    template <typename T>
    void add(T value) {
        for (size_t i = 0; i < sizeof value; ++i, value = static_cast<T>(value >> 8)) {
            hash_ ^= static_cast<uint8_t>(value);
            hash_ *= 0x100000001b3u;
        }
    }
    uint64_t value() const { return hash_; }

private:
    uint64_t hash_ = 0xcbf29ce484222325u;
};

}  // namespace

SubwordIds fasttext_ids(const Strings &words, NgramRange range, uint32_t bucket,
                        bool with_sentence_end) {
    return ids_of(words, "<", ">", with_sentence_end ? std::string_view() : sentence_end,
                  [&](const MarkedWord &word, std::vector<uint32_t> &ids) {
        add_fasttext_ids(word, range, bucket, ids);
    });
}

SubwordIds floret_ids(const Strings &words, NgramRange range, const FloretHash &hash,
                      std::string_view begin_mark, std::string_view end_mark) {
    return ids_of(words, begin_mark, end_mark, sentence_end,
                  [&](const MarkedWord &word, std::vector<uint32_t> &ids) {
        add_floret_hashes(word.text(), hash, ids);
        for (size_t first = 0; first < word.n_characters(); ++first) {
            const size_t most = std::min(range.max_n, word.n_characters() - first);
            for (size_t n = std::max<size_t>(range.min_n, 1); n <= most; ++n)
                if (!is_mark_alone(word, first, n))
                    add_floret_hashes(word.from(first, n), hash, ids);
        }
    });
}

SubwordIds finalfusion_ids(const Strings &words, NgramRange range, uint64_t mask,
                           std::string_view begin_mark, std::string_view end_mark) {
    return ids_of(words, begin_mark, end_mark, {},
                  [&](const MarkedWord &word, std::vector<uint32_t> &ids) {
        for (size_t first = 0; first < word.n_characters(); ++first) {
            const size_t most = std::min(range.max_n, word.n_characters() - first);
            for (size_t n = most; n >= std::max<size_t>(range.min_n, 1); --n) {
                Fnv64 hash;
                hash.add(static_cast<uint64_t>(n));
                for (size_t i = 0; i < n; ++i) hash.add(code_point(word.from(first + i, 1)));
                ids.push_back(static_cast<uint32_t>(hash.value() & mask));
            }
        }
    });
}

namespace {

uint64_t rotate(uint64_t x, int n) { return x << n | x >> (64 - n); }

uint64_t finish(uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

}  // namespace

Hash128 murmur3_x64_128(std::string_view bytes, uint32_t seed) {
    constexpr uint64_t c1 = 0x87c37b91114253d5u, c2 = 0x4cf5ad432745937fu;
    uint64_t a = seed, b = seed;
    const auto mix_a = [&](uint64_t k) { a ^= rotate(k * c1, 31) * c2; };
    const auto mix_b = [&](uint64_t k) { b ^= rotate(k * c2, 33) * c1; };
    const char *p = bytes.data();
    size_t left = bytes.size();
    for (; left >= 16; left -= 16, p += 16) {
        mix_a(load_bytes<uint64_t>(p));
        a = (rotate(a, 27) + b) * 5 + 0x52dce729;
        mix_b(load_bytes<uint64_t>(p + 8));
        b = (rotate(b, 31) + a) * 5 + 0x38495ab5;
    }
    if (left > 8) mix_b(load_padded(p + 8, left - 8));
    if (left > 0) mix_a(load_padded(p, std::min<size_t>(left, 8)));
    a ^= bytes.size();
    b ^= bytes.size();
    a += b;
    b += a;
    a = finish(a);
    b = finish(b);
    a += b;
    return {a, b + a};
}

namespace {

void add_row(float *sum, const float *row, size_t dim) {
    for (size_t k = 0; k < dim; ++k) sum[k] += row[k];
}

// Rows lie anywhere in gigabytes: those that come next are sent for while this one is added.
void prefetch_row(const float *row, size_t dim) {
    for (size_t k = 0; k < dim; k += 16) __builtin_prefetch(row + k);
}

void mean_of_word(float *out, const float *own, const RowMatrix &rows, const uint32_t *ids,
                  size_t n, bool add_only) {
    const size_t dim = rows.dim, n_summed = n + (own != nullptr);
    if (own == out) {
        for (size_t k = 0; k < dim; ++k) out[k] += 0.0f;  // as added to zero: 0 for -0
    } else {
        std::fill_n(out, dim, 0.0f);
        if (own) add_row(out, own, dim);
    }
    for (size_t i = 0; i < n; ++i) {
        if (i + 2 < n) prefetch_row(rows.values + ids[i + 2] * dim, dim);
        add_row(out, rows.values + ids[i] * dim, dim);
    }
    if (n_summed == 0 || add_only) return;
    const float factor = static_cast<float>(1.0 / static_cast<double>(n_summed));
    for (size_t k = 0; k < dim; ++k) out[k] *= factor;
}

}  // namespace

void mean_rows(float *out, const float *own, const RowMatrix &rows, const uint32_t *ids,
               const int64_t *offsets, size_t n_words, bool add_only, size_t n_threads) {
    constexpr size_t batch = 64;
    std::atomic<size_t> next{0};
    const auto one = [&](size_t i) {
        const size_t n_ids = static_cast<size_t>(offsets[i + 1] - offsets[i]);
        mean_of_word(out + i * rows.dim, own ? own + i * rows.dim : nullptr, rows,
                     ids + offsets[i], n_ids, add_only);
    };
    const auto work = [&] {
        for (size_t first; (first = next.fetch_add(batch)) < n_words;)
            for (size_t i = first; i < std::min(first + batch, n_words); ++i) one(i);
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < std::min(n_threads, n_words / batch + 1); ++i) others.emplace_back(work);
    work();
    for (std::thread &thread : others) thread.join();
}

}  // namespace firth

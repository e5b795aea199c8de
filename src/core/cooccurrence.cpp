#include "cooccurrence.hpp"

#include <algorithm>
#include <stdexcept>

namespace firth {

namespace {

// Places that are looked up ahead: by the time a window is added up, it has come from memory.
constexpr size_t kAhead = 12;
constexpr size_t kMostBytesOfNumber = 10;

// Numbers of seven bits a byte, lowest first; the highest bit says that more follow (LEB128).
uint8_t *write_number(uint8_t *p, uint64_t n) {
    for (; n >= 0x80; n >>= 7) *p++ = static_cast<uint8_t>(n | 0x80);
    *p++ = static_cast<uint8_t>(n);
    return p;
}

class NumberReader {
  public:
    explicit NumberReader(std::span<const uint8_t> block)
        : p_(block.data()), end_(block.data() + block.size()) {}

    uint64_t next() {
        uint64_t n = 0;
        for (int shift = 0;; shift += 7) {
            if (p_ == end_ || shift > 63) throw std::invalid_argument("a number is cut off");
            const uint8_t byte = *p_++;
            n |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return n;
        }
    }
    bool at_end() const { return p_ == end_; }

  private:
    const uint8_t *p_, *end_;
};

}  // namespace

CooccurrenceCounter::CooccurrenceCounter(size_t n_words, std::vector<uint64_t> weights,
                                         bool symmetric, size_t capacity)
    : n_words_(n_words), capacity_(capacity), weights_(std::move(weights)), symmetric_(symmetric),
      row_starts_(n_words + 2), sums_(n_words + weights_.size() + 1),
      first_touched_(n_words + 2 * weights_.size() + 2), touched_(n_words) {
    ids_.reserve(capacity);
    is_sentence_end_.resize(capacity / 64 + 1);
}

void CooccurrenceCounter::add(const uint32_t *ids, size_t n_ids, const int64_t *sentence_ends,
                              size_t n_sentences, int64_t first_position) {
    const size_t before = ids_.size();
    ids_.insert(ids_.end(), ids, ids + n_ids);
    for (size_t i = 0; i < n_ids; ++i) ++row_starts_[ids[i] + 2];
    for (size_t s = 0; s < n_sentences; ++s) {
        const size_t end = before + static_cast<size_t>(sentence_ends[s] - first_position);
        if (end > 0) is_sentence_end_[(end - 1) / 64] |= uint64_t{1} << ((end - 1) % 64);
    }
}

void CooccurrenceCounter::find_places() {
    for (size_t i = 2; i < row_starts_.size(); ++i) row_starts_[i] += row_starts_[i - 1];
    places_.resize(ids_.size());
    const size_t n = ids_.size(), window = weights_.size();
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = begin;
        uint64_t bits = is_sentence_end_[end / 64] >> (end % 64);
        while (!bits) {
            end = end / 64 * 64 + 64;
            bits = is_sentence_end_[end / 64];
        }
        end += static_cast<size_t>(__builtin_ctzll(bits)) + 1;
        for (size_t p = begin; p < end; ++p) {
            const uint64_t left = std::min(p - begin, window);
            const uint64_t right = symmetric_ ? std::min(end - 1 - p, window) : 0;
            // row_starts_[id + 1] moves on from where the row begins to where it ends, which is
            // where the next one begins: afterwards row_starts_[id] is the start of each.
            places_[row_starts_[ids_[p] + 1]++] = p << (2 * kReachBits) | left << kReachBits | right;
        }
    }
    is_sentence_end_ = {};
}

// Adds up a row; returns how many columns were touched. Those that are not wanted go to a place of
// their own for each distance, behind the columns, since a jump that nobody can foresee costs more than
// a useless addition.
size_t CooccurrenceCounter::count_row(size_t row) {
    constexpr uint64_t mask = (1 << kReachBits) - 1;
    const uint64_t *const weights = weights_.data() - 1;
    const uint32_t *const ids = ids_.data();
    uint64_t *const sums = sums_.data();
    uint32_t *const touched = first_touched_.data();
    const auto last = static_cast<uint32_t>(symmetric_ ? row : n_words_ - 1);
    const auto unwanted = static_cast<uint32_t>(n_words_);
    size_t n = 0;
    const auto add = [&](uint32_t id, uint64_t distance) __attribute__((always_inline)) {
        const uint32_t column = id <= last ? id : unwanted + static_cast<uint32_t>(distance);
        const uint64_t before = sums[column];
        touched[n] = column;
        n += before == 0;
        sums[column] = before + weights[distance];
    };
    const size_t end = row_starts_[row + 1];
    for (size_t i = row_starts_[row]; i < end; ++i) {
        if (i + kAhead < places_.size()) {
            const uint32_t *const ahead = ids + (places_[i + kAhead] >> (2 * kReachBits));
            __builtin_prefetch(ahead - 1);
            __builtin_prefetch(ahead + 1);
        }
        const uint64_t place = places_[i];
        const uint32_t *const here = ids + (place >> (2 * kReachBits));
        const uint64_t left = place >> kReachBits & mask, right = place & mask;
        for (uint64_t d = 1; d <= left; ++d) add(*(here - d), d);
        for (uint64_t d = 1; d <= right; ++d) add(*(here + d), d);
    }
    return n;
}

void CooccurrenceCounter::encode_rows(size_t begin, size_t end, std::vector<uint8_t> &block) {
    for (size_t row = begin; row < end; ++row) {
        const size_t n_touched = count_row(row);
        size_t n = 0;
        for (size_t i = 0; i < n_touched; ++i) {
            const uint32_t column = first_touched_[i];
            if (column < n_words_) {
                touched_.add(column);
                ++n;
            } else {
                sums_[column] = 0;
            }
        }
        const size_t written = block.size();
        block.resize(written + (1 + 2 * n) * kMostBytesOfNumber);
        uint8_t *p = write_number(block.data() + written, n);
        size_t previous = 0;
        touched_.drain([&](size_t column) {
            p = write_number(p, column - previous);
            p = write_number(p, sums_[column]);
            previous = column;
            sums_[column] = 0;
        });
        block.resize(static_cast<size_t>(p - block.data()));
    }
}

MergedRows CooccurrenceMerger::merge(std::span<const std::span<const uint8_t>> blocks, size_t n_rows,
                                     double scale) {
    std::vector<NumberReader> readers(blocks.begin(), blocks.end());
    MergedRows merged;
    merged.row_lengths.reserve(n_rows);
    for (size_t row = 0; row < n_rows; ++row) {
        for (NumberReader &reader : readers) {
            size_t column = 0;
            for (uint64_t left = reader.next(); left > 0; --left) {
                column += reader.next();
                if (column >= sums_.size()) throw std::invalid_argument("a column is too high");
                sums_[column] += reader.next();
                touched_.add(column);
            }
        }
        const size_t before = merged.columns.size();
        touched_.drain([&](size_t column) {
            merged.columns.push_back(static_cast<uint32_t>(column));
            merged.values.push_back(
                static_cast<float>(static_cast<double>(sums_[column]) / scale));
            sums_[column] = 0;
        });
        merged.row_lengths.push_back(static_cast<int64_t>(merged.columns.size() - before));
    }
    for (const NumberReader &reader : readers)
        if (!reader.at_end()) throw std::invalid_argument("a block is longer than its rows");
    return merged;
}

}  // namespace firth

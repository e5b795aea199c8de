#include "sign_codes.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>

#include "kernels/turn.hpp"
#include "on_threads.hpp"

namespace firth {

namespace {

// Questions that share a pass over the blocks; their tables stay in the second-level cache.
constexpr size_t questions_at_a_time = 16;
constexpr size_t batch_steps = 16;

// An estimate and its row as one number, larger for a higher estimate and, of equal ones, a lower row:
// numbers are compared without a branch.
uint64_t as_key(const Estimate &estimate) {
    uint32_t bits;
    std::memcpy(&bits, &estimate.score, sizeof bits);
    bits ^= bits >> 31 ? ~uint32_t{0} : uint32_t{1} << 31;
    return uint64_t{bits} << 32 | (UINT32_MAX - estimate.row);
}

float score_of(uint64_t key) {
    auto bits = static_cast<uint32_t>(key >> 32);
    bits ^= bits >> 31 ? uint32_t{1} << 31 : ~uint32_t{0};
    float score;
    std::memcpy(&score, &bits, sizeof score);
    return score;
}

// The n rows with the highest estimates so far.
class Highest {
  public:
    explicit Highest(size_t n) : n_(n) {}

    // No row below is kept any more.
    float threshold() const { return threshold_; }
    void add(const Estimate *found, size_t n_found) {
        for (size_t i = 0; i < n_found; ++i) keys_.push_back(as_key(found[i]));
        if (keys_.size() >= 2 * most_) cut(most_);
    }
    // Keep so many at most from now on, fewer than n: for a threshold that suits a part of the rows.
    void keep(size_t most) { most_ = most; }
    // From now on those are kept that are above the worst of now: not those that equal it, some of which
    // may be gone.
    void keep_all_above() {
        cut(most_);
        threshold_ = std::nextafter(threshold_, std::numeric_limits<float>::infinity());
        most_ = 2 * n_;
    }
    void merge(const Highest &other) {
        keys_.insert(keys_.end(), other.keys_.begin(), other.keys_.end());
        threshold_ = std::max(threshold_, other.threshold_);
    }
    // Whether all of the n highest are there.
    bool are_all() const {
        const auto n_above = std::count_if(keys_.begin(), keys_.end(), [&](uint64_t key) {
            return score_of(key) >= threshold_;
        });
        return static_cast<size_t>(n_above) >= n_ || threshold_ < least;
    }
    void write(int64_t *rows) {
        cut(n_);
        for (size_t i = 0; i < n_; ++i)
            rows[i] = i < keys_.size() ? int64_t{UINT32_MAX - static_cast<uint32_t>(keys_[i])} : -1;
    }

  private:
    static constexpr float least = std::numeric_limits<float>::lowest();

    // Keeps the n highest. Keys are put into buckets by their scores, since comparing them with each other
    // would guess wrongly every other time; only those of one bucket are compared.
    void cut(size_t n) {
        if (keys_.size() <= n) return;
        const auto [least, most] = std::minmax_element(keys_.begin(), keys_.end());
        const uint32_t first = bits_of(*least), range = bits_of(*most) - first;
        const int shift = std::max(0, static_cast<int>(std::bit_width(range)) - bucket_bits);
        const auto bucket_of = [&](uint64_t key) { return (bits_of(key) - first) >> shift; };
        uint32_t counts[1 << bucket_bits] = {};
        for (const uint64_t key : keys_) ++counts[bucket_of(key)];
        size_t bucket = bucket_of(*most), n_above = 0;
        while (n_above + counts[bucket] < n) n_above += counts[bucket--];
        edge_.clear();
        size_t n_kept = 0;
        for (const uint64_t key : keys_) {
            const size_t of_key = bucket_of(key);
            if (of_key == bucket) edge_.push_back(key);
            keys_[n_kept] = key;
            n_kept += of_key > bucket;
        }
        const auto last = edge_.begin() + static_cast<ptrdiff_t>(n - n_kept - 1);
        std::nth_element(edge_.begin(), last, edge_.end(), std::greater<>());
        threshold_ = std::max(threshold_, score_of(*last));
        keys_.resize(n_kept);
        keys_.insert(keys_.end(), edge_.begin(), last + 1);
    }

    static uint32_t bits_of(uint64_t key) { return static_cast<uint32_t>(key >> 32); }
    static constexpr int bucket_bits = 10;

    size_t n_, most_ = n_;
    float threshold_ = -std::numeric_limits<float>::infinity();
    std::vector<uint64_t> keys_, edge_;
};

// A question's tables (see CodeQuestion): for each group the sums of its numbers whose bits are set.
struct Tables {
    Tables(const float *question, const SignCodes &codes)
        : bytes(codes.n_groups * code_group_bytes) {
        const size_t n_groups = codes.n_groups;
        float least_of_all = 0, widest = 0, total = 0;
        for (size_t g = 0; g < n_groups; ++g) {
            const auto [least, most] = ends(question + 4 * g);
            least_of_all += least;
            widest = std::max(widest, most - least);
            for (size_t j = 0; j < 4; ++j) total += question[4 * g + j];
        }
        const float unit = std::max(widest / most_entry, std::numeric_limits<float>::min());
        for (size_t g = 0; g < n_groups; ++g) {
            const float *const q = question + 4 * g;
            const float least = ends(q).first;
            for (size_t code = 0; code < 16; ++code) {
                float sum = -least;
                for (size_t j = 0; j < 4; ++j) sum += code >> j & 1 ? q[j] : 0;
                const auto entry = static_cast<uint8_t>(std::lround(std::min(sum / unit, float{most_entry})));
                bytes[g * code_group_bytes + code] = bytes[g * code_group_bytes + 16 + code] = entry;
            }
        }
        // A set bit stands for +1 and one that is not for -1: twice the sum of the set ones, less all.
        asked_.step = 2 * unit;
        asked_.bias = 2 * least_of_all - total;
        set_16_bits(static_cast<float>(n_groups * most_entry), codes.meaning);
    }

    CodeQuestion asked() const {
        CodeQuestion asked = asked_;
        asked.table = bytes.data();
        return asked;
    }

    static std::pair<float, float> ends(const float *q) {
        float least = 0, most = 0;
        for (size_t j = 0; j < 4; ++j) (q[j] < 0 ? least : most) += q[j];
        return {least, most};
    }

    std::vector<uint8_t> bytes;

  private:
    void set_16_bits(float most_sum, const CodeFactors &meaning) {
        constexpr float one = 1 << 15;
        const float middle = std::clamp(std::round(-asked_.bias / asked_.step), 0.0f, most_sum);
        const float most = std::max(middle, most_sum - middle) + 1;
        const float of_shift_0 = one * meaning.scale_step * asked_.step;
        // As many bits as half of the range has room for, and no offset is too large for.
        int shift = std::max(0, static_cast<int>(std::log2(one / 2 / most)));
        while (shift > 0 && 2 * meaning.offset_step > std::ldexp(of_shift_0, -shift)) --shift;
        const float unit = std::ldexp(of_shift_0, -shift), offset_factor = one * meaning.offset_step / unit;
        asked_.middle = static_cast<int16_t>(middle);
        asked_.shift = shift;
        asked_.unit = unit;
        if (offset_factor < one && unit > std::numeric_limits<float>::min()) {
            asked_.offset_factor = static_cast<int16_t>(offset_factor);
            // The middle is rounded, the offset's factor cut off, and so are two products and the threshold.
            const float bias = std::fabs(asked_.bias + asked_.step * middle);
            asked_.error = one * meaning.scale_step * bias + 5 * unit;
        } else {
            asked_.offset_factor = 0;
            asked_.unit = 1;
            asked_.error = std::numeric_limits<float>::infinity();
        }
    }

    CodeQuestion asked_{};
};

// Questions made ready.
struct Asked {
    Asked(const SignCodes &codes, const float *numbers, size_t n) {
        tables.reserve(n);
        for (size_t i = 0; i < n; ++i) tables.emplace_back(numbers + i * 4 * codes.n_groups, codes);
        for (const Tables &each : tables) questions.push_back(each.asked());
    }
    Asked(const Asked &) = delete;

    std::vector<Tables> tables;
    std::vector<CodeQuestion> questions;
};

class Scan {
  public:
    Scan(const SignCodes &codes, const Asked &asked, size_t n)
        : codes_(codes),
          asked_(asked),
          n_(n),
          highest_(asked.questions.size(), Highest(n)),
          thresholds_(highest_.size()),
          found_(highest_.size()) {}

    // Batches of blocks, each of which one of n_parts scans takes: of the first of batch_steps every
    // n_parts-th, of the others the `next` one that is left, so that nobody waits for a thread that comes
    // late.
    //
    // `by_sample`: the first step shows what threshold somewhat more than n rows will reach, and hardly any
    // of the others are kept in vain. Where too few are (Highest::are_all), the threshold has to rise from
    // below. Words are in the order of their frequency, and so are neighbours: by steps all kinds come by
    // early.
    void over_blocks(size_t part, size_t n_parts, std::atomic<size_t> &next, bool by_sample) {
        const size_t n_blocks = (codes_.n_rows + code_block_rows - 1) / code_block_rows;
        const size_t n_batches = (n_blocks + code_blocks_at_a_time - 1) / code_blocks_at_a_time;
        by_sample = by_sample && n_batches >= 4 * batch_steps * n_parts;
        const size_t of_sample = n_ / n_parts * 3 / 2 / batch_steps + 12;
        for (Highest &each : highest_)
            if (by_sample) each.keep(of_sample);
        for (size_t batch = part * batch_steps; batch < n_batches; batch += n_parts * batch_steps)
            over_batch(batch * code_blocks_at_a_time, n_blocks);
        for (Highest &each : highest_)
            if (by_sample) each.keep_all_above();
        size_t at = 0, mine = next.fetch_add(1);
        for (size_t first = 1; first < batch_steps; ++first)
            for (size_t batch = first; batch < n_batches; batch += batch_steps)
                if (at++ == mine) {
                    over_batch(batch * code_blocks_at_a_time, n_blocks);
                    mine = next.fetch_add(1);
                }
    }

    Highest &highest(size_t i) { return highest_[i]; }

  private:
    void over_batch(size_t block, size_t n_blocks) {
        const size_t n = std::min(code_blocks_at_a_time, n_blocks - block);
        const size_t row = block * code_block_rows;
        for (size_t i = 0; i < highest_.size(); ++i) thresholds_[i] = highest_[i].threshold();
        FIRTH_DISPATCH(scan_codes, codes_.codes + block * codes_.n_groups * code_group_bytes,
                       codes_.factors + 2 * row, n, codes_.n_groups, codes_.meaning,
                       asked_.questions.data(), thresholds_.data(), thresholds_.size(), static_cast<uint32_t>(row), found_.data());
        for (size_t i = 0; i < highest_.size(); ++i) {
            const Estimate *const found = found_[i].estimates;
            size_t n_found = found_[i].n;
            // Those that fill up the last block are no rows.
            while (n_found && found[n_found - 1].row >= codes_.n_rows) --n_found;
            highest_[i].add(found, n_found);
        }
    }

    const SignCodes &codes_;
    const Asked &asked_;
    size_t n_;
    std::vector<Highest> highest_;
    std::vector<float> thresholds_;
    std::vector<Found> found_;
};

}  // namespace

void turn_questions(const float *directions, size_t n, size_t dim, const float *axes, size_t n_axes,
                    const float *shift, float *turned) {
    FIRTH_DISPATCH(turn, directions, n, dim, axes, n_axes, shift, turned);
}

void find_candidates(const SignCodes &codes, const float *questions, size_t n_questions, size_t n,
                     size_t n_threads, int64_t *rows) {
    if (n == 0) return;
    const auto question = [&](size_t i) { return questions + i * 4 * codes.n_groups; };
    // The threads share the rows of a question.
    const auto find_one = [&](size_t i, size_t n_parts, bool by_sample) {
        const Asked asked(codes, question(i), 1);
        std::vector<Scan> scans(n_parts, Scan(codes, asked, n));
        std::atomic<size_t> next{0};
        on_threads_each(n_parts, [&](size_t part) {
            scans[part].over_blocks(part, n_parts, next, by_sample);
        });
        Highest all = std::move(scans[0].highest(0));
        for (size_t part = 1; part < n_parts; ++part) all.merge(scans[part].highest(0));
        const bool there = all.are_all();
        if (there) all.write(rows + i * n);
        return there;
    };
    const auto find_again = [&](size_t i) { find_one(i, 1, false); };
    if (n_questions < n_threads) {
        for (size_t i = 0; i < n_questions; ++i)
            if (!find_one(i, n_threads, true)) find_again(i);
        return;
    }
    // Or they share the questions.
    const size_t group = std::clamp<size_t>(n_questions / n_threads, 1, questions_at_a_time);
    std::atomic<size_t> next_question{0};
    on_threads_each(n_threads, [&](size_t) {
        for (size_t first; (first = next_question.fetch_add(group)) < n_questions;) {
            const size_t count = std::min(group, n_questions - first);
            const Asked asked(codes, question(first), count);
            Scan scan(codes, asked, n);
            std::atomic<size_t> next{0};
            scan.over_blocks(0, 1, next, true);
            for (size_t i = 0; i < count; ++i) {
                if (scan.highest(i).are_all())
                    scan.highest(i).write(rows + (first + i) * n);
                else
                    find_again(first + i);
            }
        }
    });
}

}  // namespace firth

// A thread's own copies of the rows that all threads change most.
#pragma once

#include "kernels/simd.hpp"
#include "kernels/train_chunk.hpp"

namespace firth::FIRTH_ISA {
namespace {

// The share r of its way that an update takes a row, by the learning rate: the curvature of the loss,
// sigmoid' times the squared length of the other vector, averaged over directions. As models/_rounds.py.
constexpr float kCurvature = 0.4f;

// A matrix of which the first rows are worked on in copies.
//
// What a thread has changed in a copy is added to the shared row, times a factor, since the other threads
// have gone the same way in the meantime. An update takes a row a share r of its way, so that n of them
// take it 1 - e^(-r n); all of the N threads' together would have taken it 1 - e^(-r N n), while the N
// changes add up to N (1 - e^(-r n)). The factor is the quotient: 1 for a row that is hardly changed in
// between, 1 / N for one that goes all its way each time.
class CopiedRows {
  public:
    CopiedRows(float *shared, const HotRows &hot, size_t stride, float *room)
        : shared_(shared), hot_(hot), stride_(stride), copies_(room),
          as_they_came_(room + hot.n * stride) {}
    float *end_of_room() const { return as_they_came_ + hot_.n * stride_; }

    // Products of 32 bits, of which a processor forms many at once.
    float *row(uint32_t i) const {
        return (i < hot_.n ? copies_ : shared_) + uint64_t{i} * static_cast<uint32_t>(stride_);
    }

    void copy_all() {
        for (size_t k = 0; k < hot_.n * stride_; k += lanes) {
            const vfloat value = load(shared_ + k);
            store(copies_ + k, value);
            store(as_they_came_ + k, value);
        }
    }

    // Adds the changes of the rows from `begin` to `end` to the shared ones, and copies those anew.
    // `rate` is the share r times the centre words since the rows were copied.
    void exchange(size_t begin, size_t end, float rate, float n_threads) {
        for (size_t i = begin; i < end && i < hot_.n; ++i) {
            const vfloat factor = broadcast(share_of_change(rate * hot_.updates[i], n_threads));
            float *const shared = shared_ + i * stride_, *const copy = copies_ + i * stride_;
            float *const as_it_came = as_they_came_ + i * stride_;
            for (size_t k = 0; k < stride_; k += lanes) {
                __builtin_prefetch(shared + 2 * stride_ + k, 1);  // in another core's cache, it may be
                const vfloat change = load(copy + k) - load(as_it_came + k);
                const vfloat value = load(shared + k) + factor * change;
                store(shared + k, value);
                store(copy + k, value);
                store(as_it_came + k, value);
            }
        }
    }

  private:
    // Below a thousandth of the way the quotient would be one of rounding errors.
    static float share_of_change(float way, float n_threads) {
        way = way > 1e-3f ? way : 1e-3f;
        const float left = exp_of_minus(broadcast(way))[0];
        const float left_of_all = exp_of_minus(broadcast(way * n_threads))[0];
        return (1.0f - left_of_all) / (n_threads * (1.0f - left));
    }

    float *const shared_;
    const HotRows hot_;
    const size_t stride_;
    float *const copies_, *const as_they_came_;
};

// When rows are exchanged, counted in centre words of a chunk: the first rows often, `kNextTier` times as
// many rows `kNextTier` times as seldom, and so on, so that each tier costs the same.
class ExchangeTimes {
  public:
    static constexpr size_t kFirstRows = 16;
    static constexpr size_t kFirstPeriod = 2048;
    static constexpr size_t kNextTier = 4;
    static constexpr int kTiers = 6;

    // Calls exchange(begin, end, n_words) for each tier that is due, n_words after it was last.
    template <typename Exchange>
    void pass(size_t position, const Exchange &exchange) {
        const size_t period = position / kFirstPeriod;
        if (period == period_) return;
        period_ = period;
        int last = 0;
        for (size_t p = period; p % kNextTier == 0 && last + 1 < kTiers; p /= kNextTier) ++last;
        exchange_up_to(last, position, exchange);
    }
    template <typename Exchange>
    void end(size_t position, const Exchange &exchange) {
        exchange_up_to(kTiers - 1, position, exchange);
    }

  private:
    template <typename Exchange>
    void exchange_up_to(int last, size_t position, const Exchange &exchange) {
        size_t begin = 0, end = kFirstRows;
        for (int tier = 0; tier <= last; ++tier, begin = end, end *= kNextTier) {
            if (tier == kTiers - 1) end = ~size_t{0};
            exchange(begin, end, position - exchanged_at_[tier]);
            exchanged_at_[tier] = position;
        }
    }

    size_t period_ = 0;
    size_t exchanged_at_[kTiers] = {};
};

}  // namespace
}  // namespace firth::FIRTH_ISA

// Sending for rows before they are needed.
#pragma once

#include <cstring>

#include "kernels/simd.hpp"
#include "kernels/train_chunk.hpp"

namespace firth::FIRTH_ISA {
namespace {

// Rows that the next batch will need. Each loop over the columns of this batch's rows sends for two of
// them, a cache line an iteration: sent for all at once, they would wait for each other in the few
// buffers that a core has for lines on their way.
class RowsAhead {
  public:
    explicit RowsAhead(const float **rows) : rows_(rows) {}
    void clear() { next_ = n_ = 0; }
    void add(const float *row) { rows_[n_++] = row; }
    // In whole blocks, since a copy of any length would be a call: both arrays have room for one more.
    void add(float *const *rows, int n) {
        for (int i = 0; i < n; i += kRowsBlock)
            std::memcpy(rows_ + n_ + i, rows + i, kRowsBlock * sizeof *rows);
        n_ += n;
    }
    const float *take() { return next_ < n_ ? rows_[next_++] : nullptr; }
    void send_for_rest(size_t stride) {
        while (const float *row = take())
            for (size_t k = 0; k < stride; k += 16) __builtin_prefetch(row + k, 1);
    }

  private:
    const float **rows_;
    int next_ = 0, n_ = 0;
};

class PrefetchTwo {
  public:
    // Without a row to send for, one that is at hand is named again, which costs next to nothing.
    PrefetchTwo(RowsAhead &ahead, const float *at_hand) : first_(ahead.take()), second_(ahead.take()) {
        first_ = first_ ? first_ : at_hand;
        second_ = second_ ? second_ : at_hand;
    }
    void column(size_t k) const {
        __builtin_prefetch(first_ + k, 1);
        __builtin_prefetch(second_ + k, 1);
    }

    // For loops that go over N vectors of columns at once: a row before their work, a row behind.
    template <int N>
    void before(size_t k) const {
        for (int j = 0; j < N; ++j) __builtin_prefetch(first_ + k + j * lanes, 1);
    }
    template <int N>
    void behind(size_t k) const {
        for (int j = 0; j < N; ++j) __builtin_prefetch(second_ + k + j * lanes, 1);
    }

  private:
    const float *first_, *second_;
};

struct NoPrefetch {
    template <int N>
    void before(size_t) const {}
    template <int N>
    void behind(size_t) const {}
};

}  // namespace
}  // namespace firth::FIRTH_ISA

// Inputs that are made of several rows: a word with its character n-grams (Bojanowski et al. 2017).
#pragma once

#include "kernels/rows.hpp"
#include "kernels/train_chunk.hpp"

namespace firth::FIRTH_ISA {
namespace {

// The mean of the rows of a word is formed when the first window reaches it, changes there from window to
// window, and what has changed is added to all of its rows when the last window has passed: each row is
// read and written once for a word, instead of once for each of its contexts.
class InputStage {
  public:
    InputStage(const WindowModel &model, const Scratch &scratch)
        : model_(model), scratch_(scratch), mask_(stage_capacity(model.window) - 1) {}

    float *row(size_t position) const { return scratch_.stage + (position & mask_) * model_.stride; }

    int n_parts(size_t position) const {
        const uint32_t word = scratch_.kept_words[position];
        return model_.parts.offsets ? static_cast<int>(model_.parts.offsets[word + 1] -
                                                       model_.parts.offsets[word])
                                    : 1;
    }

    // Forms the inputs of all positions before `end`.
    void enter(size_t end, size_t n_kept) {
        for (; entered_ < end; ++entered_) {
            if (entered_ + 1 < n_kept) send_for_parts(entered_ + 1);
            const uint32_t *const parts = parts_of(entered_);
            const int n = n_parts(entered_);
            float *const mean = row(entered_);
            sum_rows([&](int i) { return model_.input + size_t{parts[i]} * model_.stride; },
                     [](int) { return 1.0f; }, n, 1.0f / static_cast<float>(n), model_.stride,
                     NoPrefetch{}, mean);
            std::memcpy(as_it_came(entered_), mean, model_.stride * sizeof(float));
        }
    }

    // Adds the changes of all positions before `end` to the rows that they belong to. As in fastText, each
    // row gets the whole change, not its share.
    void leave(size_t end) {
        for (; left_ < end; ++left_) {
            const uint32_t *const parts = parts_of(left_);
            float *const change = row(left_);
            const float *const before = as_it_came(left_);
            for (size_t k = 0; k < model_.stride; k += lanes)
                store(change + k, load(change + k) - load(before + k));
            const auto row_of = [&](int i) {
                return model_.input + size_t{parts[i]} * model_.stride;
            };
            const int n = n_parts(left_);
            if (!model_.lock_factors) {
                add_to_rows(change, 1.0f, row_of, n, model_.stride, NoPrefetch{});
                continue;
            }
            for (int i = 0; i < n; ++i)
                add_to_rows(change, model_.lock_factors[parts[i]], [&](int) { return row_of(i); }, 1,
                            model_.stride, NoPrefetch{});
        }
    }

  private:
    const uint32_t *parts_of(size_t position) const {
        const uint32_t *const word = scratch_.kept_words + position;
        return model_.parts.offsets ? model_.parts.rows + model_.parts.offsets[*word] : word;
    }
    float *as_it_came(size_t position) const { return row(position) + (mask_ + 1) * model_.stride; }

    // The rows are anywhere in a large matrix, and are first needed a word later.
    void send_for_parts(size_t position) const {
        const uint32_t *const parts = parts_of(position);
        for (int i = 0, n = n_parts(position); i < n; ++i) {
            const float *const part = model_.input + size_t{parts[i]} * model_.stride;
            for (size_t k = 0; k < model_.stride; k += 16) __builtin_prefetch(part + k, 1);
        }
    }

    const WindowModel &model_;
    const Scratch &scratch_;
    const size_t mask_;
    size_t entered_ = 0, left_ = 0;
};

}  // namespace
}  // namespace firth::FIRTH_ISA

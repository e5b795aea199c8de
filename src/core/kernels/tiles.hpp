// Small products of a few contexts with the targets of a window: the arithmetic of all training with
// windows.
#pragma once

#include "kernels/prefetch.hpp"
#include "kernels/simd.hpp"

namespace firth::FIRTH_ISA {
namespace {

// Sums of products that are formed at once, by the registers that there are.
constexpr int kSums = registers == 32 ? 24 : 12;
constexpr int kUsualTargets = 6;
constexpr float kNoScore = -100.0f;  // the score of a lane without a pair: no loss, no gradient

// A number that is known when it is compiled.
template <int N>
struct Size {
    constexpr int operator()() const { return N; }
};

// scores[t * M + m] = context m . target t, for a block of T targets. The sums of `lanes` pairs are
// formed at once by a transposing reduction. Writes whole vectors, up to lanes - 1 floats too many.
template <int M, int T>
void dot_block(float *const *contexts, float *const *targets, size_t stride, RowsAhead &ahead,
               float *scores) {
    const PrefetchTwo prefetch(ahead, targets[0]);
    vfloat sums[M * T];
    // The first products are the sums, rather than added to zeros, which GCC would put into memory.
    const auto multiply = [&](size_t k, bool is_first) __attribute__((always_inline)) {
        prefetch.column(k);
        vfloat context[M];
        for (int m = 0; m < M; ++m) context[m] = load(contexts[m] + k);
        for (int t = 0; t < T; ++t) {
            const vfloat target = load(targets[t] + k);
            for (int m = 0; m < M; ++m) {
                const vfloat product = context[m] * target;
                sums[t * M + m] = is_first ? product : sums[t * M + m] + product;
            }
        }
    };
    multiply(0, true);
    for (size_t k = lanes; k < stride; k += lanes) multiply(k, false);
    store_sums(scores, sums);
}

template <int M>
[[gnu::noinline]] void dot_rows(float *const *contexts, float *const *targets, int n, size_t stride,
                                RowsAhead &ahead, float *scores) {
    constexpr int T = kSums / M < kUsualTargets ? kSums / M : kUsualTargets;
    int t = 0;
    for (; n - t >= T; t += T) dot_block<M, T>(contexts, targets + t, stride, ahead, scores + t * M);
    if constexpr (T > 3)
        for (; n - t >= 3; t += 3)
            dot_block<M, 3>(contexts, targets + t, stride, ahead, scores + t * M);
    for (; n - t >= 2; t += 2) dot_block<M, 2>(contexts, targets + t, stride, ahead, scores + t * M);
    if (t < n) dot_block<M, 1>(contexts, targets + t, stride, ahead, scores + t * M);
}

// 1 / x for x in [1, 2], relative error below 2e-7: the best parabola and two of Newton's steps, for a
// division takes as long as all the rest of a gradient.
vfloat inverse(vfloat x) {
    vfloat y = (x * (32.0f / 99) - 144.0f / 99) * x + 210.0f / 99;
    y = y * (2.0f - x * y);
    return y * (2.0f - x * y);
}

// Turns scores into the gradients of pairs, and returns their losses. With the sign 1 for pairs with the
// label 0, and -1 for those with the label 1, the loss is log(1 + e^(sign * score)) and the gradient
// -alpha * sign * sigmoid(sign * score). Fills up the last vector.
vfloat scores_to_gradients(float *scores, float *signs, int n_scores, float alpha) {
    constexpr int kFactors = 96;  // between 1 and 2 each: their product stays far below 2^128
    const vfloat zero = {}, one = broadcast(1.0f);
    vfloat loss = {};
    store(scores + n_scores, broadcast(kNoScore));
    store(signs + n_scores, one);
    for (int i = 0; i < n_scores;) {
        const int end = n_scores - i < kFactors * lanes ? n_scores : i + kFactors * lanes;
        // log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), of which the logarithms are taken at once.
        vfloat product = one;
        for (; i < end; i += lanes) {
            const vfloat sign = load(signs + i), score = load(scores + i) * sign;
            const vfloat e = exp_of_minus(select(score < zero, -score, score));
            const vfloat one_and_e = e + one;
            const vfloat sigmoid = select(score < zero, e, one) * inverse(one_and_e);
            store(scores + i, sigmoid * sign * -alpha);
            loss += select(score < zero, zero, score);
            product *= one_and_e;
        }
        loss += log_of(product);
    }
    return loss;
}

// Adds the gradients of M contexts and n targets to some columns of the rows of both; a row that stands
// twice gets both changes. For CBOW, whose context is the mean of a window, the context's change is stored
// to `context_change` instead. T is n where it is known when it is compiled, else 0.
template <int M, int T, int Columns>
[[gnu::always_inline]] inline void update_columns(float *const *contexts, float *const *targets, int n,
                                                  size_t k, const float *gradients,
                                                  float *context_change) {
    vfloat context[M][Columns], change[M][Columns];
    for (int m = 0; m < M; ++m)
        for (int j = 0; j < Columns; ++j) {
            context[m][j] = load(contexts[m] + k + j * lanes);
            change[m][j] = vfloat{};
        }
    for (int t = 0; t < (T ? T : n); ++t) {
        float *const row = targets[t] + k;
        vfloat target[Columns], updated[Columns];
        for (int j = 0; j < Columns; ++j) updated[j] = target[j] = load(row + j * lanes);
        for (int m = 0; m < M; ++m) {
            const float gradient = gradients[t * M + m];
            for (int j = 0; j < Columns; ++j) {
                updated[j] += gradient * context[m][j];
                change[m][j] += gradient * target[j];
            }
        }
        for (int j = 0; j < Columns; ++j) store(row + j * lanes, updated[j]);
    }
    for (int m = 0; m < M; ++m)
        for (int j = 0; j < Columns; ++j) {
            float *const row = contexts[m] + k + j * lanes;
            if (context_change)
                store(context_change + k + j * lanes, change[m][j]);
            else
                store(row, load(row) + change[m][j]);
        }
}

template <int M, int T>
void update_block(float *const *contexts, float *const *targets, int n, size_t stride,
                  RowsAhead &ahead, const float *gradients, float *context_change) {
    // Gradients are loaded once for as many columns as there are registers for.
    constexpr int Columns = registers == 32 ? 2 : 1;
    // Where the number of targets is known, their addresses stay in registers.
    float *known_targets[T ? T : 1], *context_rows[M];
    for (int t = 0; t < T; ++t) known_targets[t] = targets[t];
    for (int m = 0; m < M; ++m) context_rows[m] = contexts[m];
    float *const *const target_rows = T ? known_targets : targets;
    const PrefetchTwo prefetch(ahead, targets[0]);
    size_t k = 0;
    for (; k + Columns * lanes <= stride; k += Columns * lanes) {
        for (int j = 0; j < Columns; ++j) prefetch.column(k + j * lanes);
        update_columns<M, T, Columns>(context_rows, target_rows, n, k, gradients, context_change);
    }
    for (; k < stride; k += lanes) {
        prefetch.column(k);
        update_columns<M, T, 1>(context_rows, target_rows, n, k, gradients, context_change);
    }
}

template <int M>
[[gnu::noinline]] void update_rows(float *const *contexts, float *const *targets, int n_targets,
                                   size_t stride, RowsAhead &ahead, const float *gradients,
                                   float *context_change) {
    if (n_targets == kUsualTargets)
        update_block<M, kUsualTargets>(contexts, targets, n_targets, stride, ahead, gradients,
                                       context_change);
    else
        update_block<M, 0>(contexts, targets, n_targets, stride, ahead, gradients, context_change);
}

}  // namespace
}  // namespace firth::FIRTH_ISA

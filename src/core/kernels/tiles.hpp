// Small products of a few contexts with the targets of a window: the arithmetic of all training with
// windows.
#pragma once

#include "kernels/prefetch.hpp"
#include "kernels/simd.hpp"

namespace firth::FIRTH_ISA {
namespace {

// Contexts of a window that are multiplied with the targets together: with the six targets of the
// usual five negatives, 24 sums fill 24 of the 32 registers of AVX-512.
constexpr int kTile = 4;
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
    int t = 0;
    for (; n - t >= 6; t += 6)
        dot_block<M, 6>(contexts, targets + t, stride, ahead, scores + t * M);
    for (; n - t >= 3; t += 3)
        dot_block<M, 3>(contexts, targets + t, stride, ahead, scores + t * M);
    for (; t < n; ++t) dot_block<M, 1>(contexts, targets + t, stride, ahead, scores + t * M);
}

// log(1 + e) for e in [0, 1]: minimax polynomial, absolute error below 2e-7.
vfloat log1p_of(vfloat e) {
    vfloat p = e * -0.008783192373812199f + 0.04494408145546913f;
    p = p * e - 0.1088574156165123f;
    p = p * e + 0.17825472354888916f;
    p = p * e - 0.24523574113845825f;
    p = p * e + 0.3328016996383667f;
    p = p * e - 0.4999769926071167f;
    p = p * e + 0.9999998211860657f;
    return p * e;
}

// Turns scores into the gradients of pairs with label 0, -alpha * sigmoid(score), and returns their
// losses, -log sigmoid(-score). Fills up the last vector.
vfloat score_to_gradient(float *scores, int n_scores, float alpha) {
    const vfloat zero = {}, one = broadcast(1.0f);
    vfloat loss = {};
    for (int i = 0; i < lanes; ++i) scores[n_scores + i] = kNoScore;
    for (int i = 0; i < n_scores; i += lanes) {
        const vfloat score = load(scores + i);
        const vfloat e = exp_of_minus(select(score < zero, -score, score));
        store(scores + i, select(score < zero, e, one) / (e + one) * -alpha);
        // log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)
        loss += select(score < zero, zero, score) + log1p_of(e);
    }
    return loss;
}

// Adds the gradients of M contexts and their targets to the rows of both; a row that stands twice
// gets both changes. For CBOW, whose context is the mean of a window, the context's change is stored
// to `context_change` instead. T is the number of targets where it is known, else 0.
template <int M, int T>
void update_block(float *const *contexts, float *const *targets, int n_targets, size_t stride,
                  RowsAhead &ahead, const float *gradients, float *context_change) {
    const int n = T ? T : n_targets;
    // Where the number of targets is known, their addresses stay in registers.
    float *known_targets[T ? T : 1], *context_rows[M];
    for (int t = 0; t < T; ++t) known_targets[t] = targets[t];
    for (int m = 0; m < M; ++m) context_rows[m] = contexts[m];
    float *const *const target_rows = T ? known_targets : targets;
    const PrefetchTwo prefetch(ahead, targets[0]);
    for (size_t k = 0; k < stride; k += lanes) {
        prefetch.column(k);
        vfloat context[M], change[M];
        for (int m = 0; m < M; ++m) {
            context[m] = load(context_rows[m] + k);
            change[m] = vfloat{};
        }
        for (int t = 0; t < n; ++t) {
            const vfloat target = load(target_rows[t] + k);
            vfloat updated = target;
            for (int m = 0; m < M; ++m) {
                updated += gradients[t * M + m] * context[m];
                change[m] += gradients[t * M + m] * target;
            }
            store(target_rows[t] + k, updated);
        }
        for (int m = 0; m < M; ++m)
            if (context_change)
                store(context_change + k, change[m]);
            else
                store(context_rows[m] + k, load(context_rows[m] + k) + change[m]);
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

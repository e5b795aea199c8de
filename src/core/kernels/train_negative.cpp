#include "kernels/train_negative.hpp"

#include "kernels/simd.hpp"
#include "random.hpp"

namespace firth::FIRTH_ISA {

namespace {

// Contexts of a window that are multiplied with the targets together: with the six targets of the
// usual five negatives, 24 sums fill 24 of the 32 registers of AVX-512.
constexpr int kTile = 4;
constexpr int kUsualTargets = 6;
constexpr int kMaxTargets = kMaxNegative + 1;
constexpr float kNoScore = -100.0f;  // the score of a lane without a pair: no loss, no gradient

// A centre word with its window and targets, drawn one batch before it is trained.
struct Step {
    float **contexts;
    int n_contexts;
    int n_targets;
    bool has_collision;  // a negative is the centre word: it does not count
    float *targets[kMaxTargets];
};

// Rows that the next batch will need. Each loop over the columns of this batch's rows sends for two of
// them, a cache line an iteration: sent for all at once, they would wait for each other in the few
// buffers that a core has for lines on their way.
class RowsAhead {
  public:
    void clear() { next_ = n_ = 0; }
    void add(const float *row) { rows_[n_++] = row; }
    void add(float *const *rows, int n) {
        std::memcpy(rows_ + n_, rows, static_cast<size_t>(n) * sizeof *rows);
        n_ += n;
    }
    const float *take() { return next_ < n_ ? rows_[next_++] : nullptr; }
    void send_for_rest(size_t stride) {
        while (const float *row = take())
            for (size_t k = 0; k < stride; k += 16) __builtin_prefetch(row + k, 1);
    }

  private:
    const float *rows_[kMaxBatch * (kMaxTargets + 1)];
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

  private:
    const float *first_, *second_;
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
[[gnu::noinline]] void dot_rows(float *const *contexts, const Step &step, size_t stride, RowsAhead &ahead,
              float *scores) {
    float *const *const targets = step.targets;
    const int n = step.n_targets;
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
void update_block(float *const *contexts, const Step &step, size_t stride, RowsAhead &ahead,
                  const float *gradients, float *context_change) {
    const int n = T ? T : step.n_targets;
    // Where the number of targets is known, their addresses stay in registers.
    float *known_targets[T ? T : 1], *context_rows[M];
    for (int t = 0; t < T; ++t) known_targets[t] = step.targets[t];
    for (int m = 0; m < M; ++m) context_rows[m] = contexts[m];
    float *const *const targets = T ? known_targets : step.targets;
    const PrefetchTwo prefetch(ahead, targets[0]);
    for (size_t k = 0; k < stride; k += lanes) {
        prefetch.column(k);
        vfloat context[M], change[M];
        for (int m = 0; m < M; ++m) {
            context[m] = load(context_rows[m] + k);
            change[m] = vfloat{};
        }
        for (int t = 0; t < n; ++t) {
            const vfloat target = load(targets[t] + k);
            vfloat updated = target;
            for (int m = 0; m < M; ++m) {
                updated += gradients[t * M + m] * context[m];
                change[m] += gradients[t * M + m] * target;
            }
            store(targets[t] + k, updated);
        }
        for (int m = 0; m < M; ++m)
            if (context_change)
                store(context_change + k, change[m]);
            else
                store(context_rows[m] + k, load(context_rows[m] + k) + change[m]);
    }
}

template <int M>
[[gnu::noinline]] void update_rows(float *const *contexts, const Step &step, size_t stride,
                                   RowsAhead &ahead, const float *gradients,
                                   float *context_change) {
    if (step.n_targets == kUsualTargets)
        update_block<M, kUsualTargets>(contexts, step, stride, ahead, gradients, context_change);
    else
        update_block<M, 0>(contexts, step, stride, ahead, gradients, context_change);
}

// A negative that is the centre word itself does not count.
void mask_collisions(const Step &step, int n_contexts, float *scores) {
    for (int t = 1; t < step.n_targets; ++t)
        if (step.targets[t] == step.targets[0])
            for (int m = 0; m < n_contexts; ++m) scores[t * n_contexts + m] = kNoScore;
}

class ChunkTrainer {
  public:
    ChunkTrainer(const NegativeSampling &model, float alpha, uint64_t seed, const Scratch &scratch)
        : model_(model), alpha_(alpha), random_{seed}, noise_random_{random_.next()}, scratch_(scratch) {}

    ChunkResult train(const Chunk &chunk) {
        subsample(chunk);
        ChunkResult result;
        result.n_kept = static_cast<int64_t>(n_kept_);
        if (n_kept_ == 0) return result;
        sentence_end_ = scratch_.kept_sentence_ends[0];
        Step batches[2][kMaxBatch];
        for (int i = 0; i < 2 * kMaxBatch; ++i)
            batches[i / kMaxBatch][i % kMaxBatch].contexts =
                scratch_.contexts + i * contexts_capacity(model_.window);
        int n = draw_batch(batches[0]), side = 0;
        while (n > 0) {
            const Step *const batch = batches[side];
            side ^= 1;
            const int n_next = draw_batch(batches[side]);
            result.n_examples += model_.cbow ? train_cbow(batch, n) : train_skipgram(batch, n);
            ahead_.send_for_rest(model_.stride);
            n = n_next;
        }
        for (int i = 0; i < lanes / 2; ++i) result.loss += loss_[i];
        return result;
    }

  private:
    // Frequent words are left out at random (section 2.3), before windows are formed.
    void subsample(const Chunk &chunk) {
        size_t n = 0, n_sentences = 0, i = 0;
        for (size_t s = 0; s < chunk.n_sentences; ++s) {
            const size_t sentence_begin = n;
            const auto end = static_cast<size_t>(chunk.sentence_ends[s] - chunk.first_position);
            for (; i < end; ++i) {
                const uint32_t word = chunk.ids[i];
                scratch_.kept[n] = model_.input + size_t{word} * model_.stride;
                n += static_cast<uint32_t>(random_.next() >> 32) <= model_.keep_limits[word];
            }
            if (n > sentence_begin)
                scratch_.kept_sentence_ends[n_sentences++] = static_cast<uint32_t>(n);
        }
        n_kept_ = n;
    }

    // Draws windows and negatives for the next centre words, and notes the rows they will need.
    int draw_batch(Step *batch) {
        ahead_.clear();
        draw_noise();
        int n = 0;
        for (; n < batch_size_ && position_ < n_kept_; ++position_, ++n)
            draw(batch[n], noise_rows_ + n * model_.negative);
        return n;
    }

    // The negatives of a batch, drawn in a loop of its own, so that all it needs stays in registers.
    [[gnu::noinline]] void draw_noise() {
        const Noise noise = model_.noise;
        float *const output = model_.output;
        const size_t stride = model_.stride;
        RandomStream random = noise_random_;
        const int n = batch_size_ * model_.negative;
        for (int i = 0; i < n; ++i) {
            const uint64_t bits = random.next();
            const auto column = static_cast<uint32_t>((bits >> 32) * noise.n_runs >> 32);
            const NoiseColumn drawn = noise.columns[column];
            // Without a branch, which nobody could foresee.
            const uint32_t keeps = -static_cast<uint32_t>(static_cast<uint32_t>(bits) < drawn.limit);
            const uint32_t *const run = noise.run_starts + ((column & keeps) | (drawn.alias & ~keeps));
            const uint64_t word = run[0] + ((random.next() >> 32) * (run[1] - run[0]) >> 32);
            noise_rows_[i] = output + word * stride;
        }
        noise_random_ = random;
    }

    void draw(Step &step, float *const *negatives) {
        if (position_ == sentence_end_) {
            sentence_begin_ = sentence_end_;
            sentence_end_ = scratch_.kept_sentence_ends[++sentence_];
        }
        const auto window = static_cast<size_t>(model_.window);
        const size_t reach =
            model_.shrink_windows ? 1 + ((random_.next() >> 32) * window >> 32) : window;
        const size_t before = smaller(position_ - sentence_begin_, reach);
        const size_t behind = smaller(sentence_end_ - position_ - 1, reach);
        copy_rows(step.contexts, scratch_.kept + position_ - before, before);
        copy_rows(step.contexts + before, scratch_.kept + position_ + 1, behind);
        step.n_contexts = static_cast<int>(before + behind);
        step.n_targets = 1 + model_.negative;
        float *const centre = model_.output + (scratch_.kept[position_] - model_.input);
        step.targets[0] = centre;
        bool has_collision = false;
        for (int t = 1; t < step.n_targets; ++t) {
            step.targets[t] = negatives[t - 1];
            has_collision |= negatives[t - 1] == centre;
        }
        step.has_collision = has_collision;
        ahead_.add(step.targets, step.n_targets);
        if (position_ + window < n_kept_) ahead_.add(scratch_.kept[position_ + window]);
    }

    template <typename T>
    static T smaller(T a, T b) {
        return a < b ? a : b;
    }
    static int larger(int a, int b) { return a > b ? a : b; }

    // In whole blocks of eight, since a loop of the same length every time is foreseen by the branch
    // predictor; both arrays have room for it.
    static void copy_rows(float **to, float *const *from, size_t n) {
        for (size_t i = 0; i < n; i += kRowsBlock)
            std::memcpy(to + i, from + i, kRowsBlock * sizeof *to);
    }

    // All contexts of a centre word share its negatives (Ji et al. 2016, arXiv 1604.04661), so that a
    // window is a small matrix product. It is worked off in tiles of up to four contexts, the first
    // tile of every window in the batch, then the second: however wide the window, no row gets more
    // than a few changes from the same scores, and the training stays as stable as one pair at a time.
    int64_t train_skipgram(const Step *batch, int n) {
        int64_t n_contexts = 0;
        for (int i = 0; i < n; ++i) n_contexts += batch[i].n_contexts;
        if (model_.one_by_one) {
            for (int i = 0; i < n; ++i)
                for (int c = 0; c < batch[i].n_contexts; ++c)
                    train_one_by_one(batch[i].contexts[c], batch[i], nullptr);
            return n_contexts;
        }
        int64_t left = n_contexts;
        for (int c = 0; left > 0; c += kTile) {
            const auto dot = [&](auto size, const Step &step, float *scores) {
                dot_rows<size()>(step.contexts + c, step, model_.stride, ahead_, scores);
                finish_scores<size()>(step, scores);
            };
            const auto update = [&](auto size, const Step &step, float *gradients) {
                for (int m = 0; m < size(); ++m) gradients[m] += alpha_;
                update_rows<size()>(step.contexts + c, step, model_.stride, ahead_, gradients,
                                    nullptr);
            };
            scores_to_gradients(for_each_tile(batch, n, c, dot));
            for_each_tile(batch, n, c, update);
            for (int i = 0; i < n; ++i)
                left -= smaller(larger(batch[i].n_contexts - c, 0), kTile);
        }
        return n_contexts;
    }

    // Calls work(size, step, scores) for the tile that begins at context c of each step that has one,
    // with its size as a constant and its place among the scores; returns the number of scores.
    template <typename Work>
    int for_each_tile(const Step *batch, int n, int c, const Work &work) const {
        float *scores = scratch_.scores;
        for (int i = 0; i < n; ++i) {
            const Step &step = batch[i];
            const int size = smaller(step.n_contexts - c, kTile);
            if (size <= 0) continue;
            switch (size) {
                case 1: work(Size<1>{}, step, scores); break;
                case 2: work(Size<2>{}, step, scores); break;
                case 3: work(Size<3>{}, step, scores); break;
                default: work(Size<kTile>{}, step, scores);
            }
            scores += size * step.n_targets;
        }
        return static_cast<int>(scores - scratch_.scores);
    }

    template <int N>
    struct Size {
        constexpr int operator()() const { return N; }
    };

    // One pair after the other, as in word2vec.c, for noise that hits the same few words again and
    // again: all copies of a negative, times four contexts, changed at once would overshoot. The
    // change of the context is applied behind its last target, or stored to `context_change`.
    void train_one_by_one(float *context, const Step &step, float *context_change) {
        float *const change = scratch_.hidden + model_.stride;
        float *const change_of_pair = change + model_.stride;
        for (size_t k = 0; k < model_.stride; k += lanes) store(change + k, vfloat{});
        Step pair;
        pair.n_targets = 1;
        pair.has_collision = false;
        for (int t = 0; t < step.n_targets; ++t) {
            if (t > 0 && step.targets[t] == step.targets[0]) continue;
            pair.targets[0] = step.targets[t];
            dot_rows<1>(&context, pair, model_.stride, ahead_, scratch_.scores);
            if (t == 0) finish_scores<1>(pair, scratch_.scores);
            scores_to_gradients(1);
            if (t == 0) scratch_.scores[0] += alpha_;
            update_rows<1>(&context, pair, model_.stride, ahead_, scratch_.scores, change_of_pair);
            add_row(change, change_of_pair, 1.0f);
        }
        if (context_change)
            std::memcpy(context_change, change, model_.stride * sizeof(float));
        else
            add_row(context, change, 1.0f);
    }

    void add_row(float *row, const float *addend, float scale) const {
        for (size_t k = 0; k < model_.stride; k += lanes)
            store(row + k, load(row + k) + load(addend + k) * scale);
    }

    // The loss of a pair with label 1 is log(1 + e^-score) = log(1 + e^score) - score, and its gradient
    // alpha * (1 - sigmoid(score)): that of label 0, and a little more.
    template <int M>
    void finish_scores(const Step &step, float *scores) {
        if (step.has_collision) mask_collisions(step, M, scores);
        for (int m = 0; m < M; ++m) positive_scores_ += scores[m];
    }

    void scores_to_gradients(int n) {
        const vfloat loss = score_to_gradient(scratch_.scores, n, alpha_);
        loss_ += __builtin_convertvector(lower_half(loss), vdouble) +
                 __builtin_convertvector(upper_half(loss), vdouble);
        loss_[0] -= positive_scores_;
        positive_scores_ = 0;
    }

    // The contexts' sum or mean predicts the centre word; its gradient goes to every context. As in
    // word2vec.c and gensim, the mean's gradient is not divided by the number of contexts; gensim
    // divides that of the sum instead.
    int64_t train_cbow(const Step *batch, int n) {
        const size_t stride = model_.stride;
        int64_t n_examples = 0;
        float *scores = scratch_.scores, *hidden = scratch_.hidden;
        for (int i = 0; i < n; ++i, hidden += stride) {
            const Step &step = batch[i];
            if (step.n_contexts == 0) continue;
            ++n_examples;
            const float scale = model_.cbow_mean ? 1.0f / static_cast<float>(step.n_contexts) : 1.0f;
            const PrefetchTwo prefetch(ahead_, step.targets[0]);
            for (size_t k = 0; k < stride; k += lanes) {
                prefetch.column(k);
                vfloat total = {};
                for (int c = 0; c < step.n_contexts; ++c) total += load(step.contexts[c] + k);
                store(hidden + k, total * scale);
            }
            if (model_.one_by_one) {
                train_one_by_one(hidden, step, hidden);
                continue;
            }
            dot_rows<1>(&hidden, step, stride, ahead_, scores);
            finish_scores<1>(step, scores);
            scores += step.n_targets;
        }
        scores_to_gradients(static_cast<int>(scores - scratch_.scores));
        float *gradients = scratch_.scores;
        float *const change = hidden;
        hidden = scratch_.hidden;
        for (int i = 0; i < n; ++i, hidden += stride) {
            const Step &step = batch[i];
            if (step.n_contexts == 0) continue;
            const float *change_of_hidden = hidden;  // where training one by one has put it
            if (!model_.one_by_one) {
                gradients[0] += alpha_;
                update_rows<1>(&hidden, step, stride, ahead_, gradients, change);
                gradients += step.n_targets;
                change_of_hidden = change;
            }
            const float scale = model_.cbow_mean ? 1.0f : 1.0f / static_cast<float>(step.n_contexts);
            const PrefetchTwo prefetch(ahead_, step.targets[0]);
            for (size_t k = 0; k < stride; k += lanes) {
                prefetch.column(k);
                const vfloat change_of_each = load(change_of_hidden + k) * scale;
                for (int c = 0; c < step.n_contexts; ++c)
                    store(step.contexts[c] + k, load(step.contexts[c] + k) + change_of_each);
            }
        }
        return n_examples;
    }

    const NegativeSampling &model_;
    const int batch_size_ = model_.one_by_one ? 1 : batch_size(model_.negative);
    const float alpha_;
    RandomStream random_;        // for subsampling and windows
    RandomStream noise_random_;  // for negatives
    float *noise_rows_[kMaxNegative > 24 ? kMaxNegative : 24];
    const Scratch scratch_;
    size_t n_kept_ = 0, position_ = 0;
    size_t sentence_ = 0, sentence_begin_ = 0, sentence_end_ = 0;
    RowsAhead ahead_;
    vdouble loss_ = {};
    float positive_scores_ = 0;  // of the batch
};

}  // namespace

ChunkResult train_negative(const NegativeSampling &model, const Chunk &chunk, float alpha,
                           uint64_t seed, const Scratch &scratch) {
    return ChunkTrainer(model, alpha, seed, scratch).train(chunk);
}

double multiply_add_in_registers(int64_t n_rounds, float *sink) {
    // Enough chains to hide the latency of two units, few enough for 16 registers.
    constexpr int n_chains = 10;
    vfloat chains[n_chains];
    for (int i = 0; i < n_chains; ++i) chains[i] = broadcast(0.5f + 0.01f * i);
    const vfloat factor = broadcast(0.999f), addend = broadcast(0.001f);
    for (int64_t round = 0; round < n_rounds; ++round)
        for (int i = 0; i < n_chains; ++i) chains[i] = chains[i] * factor + addend;
    vfloat total = {};
    for (int i = 0; i < n_chains; ++i) total += chains[i];
    *sink = sum(total);
    return 2.0 * lanes * n_chains * static_cast<double>(n_rounds);
}

}  // namespace firth::FIRTH_ISA

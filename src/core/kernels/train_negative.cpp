#include "kernels/train_negative.hpp"

#include "kernels/simd.hpp"
#include "random.hpp"

namespace firth::FIRTH_ISA {

namespace {

// Contexts of a window that are trained in one step: their dot products with the six targets of the
// usual five negatives fill 24 of the 32 registers of AVX-512.
constexpr int kTile = 4;
constexpr int kUsualTargets = 6;
constexpr int kMaxTargets = kMaxNegative + 1;
constexpr int kMaxScores = kTile * kMaxTargets + lanes;
constexpr float kNoScore = -100.0f;  // the score of lanes without a pair: no loss, no gradient

// A centre word with its contexts and targets, drawn one step before it is trained so that the rows
// are on their way from memory.
struct Step {
    size_t position;
    size_t begin, end;  // the window in the kept words, with the centre
    int n_targets;
    bool has_collision;          // a negative is the centre word: it does not count
    uint32_t words[kMaxTargets];
    float *targets[kMaxTargets];
};

// scores[t * M + m] = context m . target t, for a block of T targets. The sums of each `lanes` pairs
// are formed at once by a transposing reduction.
template <int M, int T>
void dot_block(float *const *contexts, float *const *targets, size_t stride, float *scores) {
    constexpr int n_sums = (M * T + lanes - 1) / lanes * lanes;
    vfloat sums[n_sums] = {};
    for (size_t k = 0; k < stride; k += lanes) {
        vfloat context[M];
        for (int m = 0; m < M; ++m) context[m] = load(contexts[m] + k);
        for (int t = 0; t < T; ++t) {
            const vfloat target = load(targets[t] + k);
            for (int m = 0; m < M; ++m) sums[t * M + m] += context[m] * target;
        }
    }
    for (int i = 0; i < n_sums; i += lanes) {
        const vfloat totals = sum_each<lanes>(sums + i);
        if (M * T - i >= lanes)
            store(scores + i, totals);
        else
            std::memcpy(scores + i, &totals, (M * T - i) * sizeof(float));
    }
}

template <int M>
void dot_all(float *const *contexts, float *const *targets, int n_targets, size_t stride,
             float *scores) {
    int t = 0;
    for (; n_targets - t >= 6; t += 6) dot_block<M, 6>(contexts, targets + t, stride, scores + t * M);
    for (; n_targets - t >= 3; t += 3) dot_block<M, 3>(contexts, targets + t, stride, scores + t * M);
    for (; t < n_targets; ++t) dot_block<M, 1>(contexts, targets + t, stride, scores + t * M);
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

// Turns scores into gradients, alpha * (label - sigmoid(score)), and adds up the loss,
// -log sigmoid(score) for label 1 and -log sigmoid(-score) for label 0. The first n_positive scores
// have label 1. There is room for whole vectors behind the last score.
void score_to_gradient(float *scores, int n_scores, int n_positive, float alpha, vdouble *loss) {
    for (int i = n_scores; i % lanes; ++i) scores[i] = kNoScore;
    for (int i = 0; i < n_scores; i += lanes) {
        vfloat label = {};
        for (int lane = 0; lane < lanes; ++lane) label[lane] = i + lane < n_positive ? 1.0f : 0.0f;
        const vfloat score = load(scores + i);
        const vfloat zero = {};
        const vfloat magnitude = select(score < zero, -score, score);
        const vfloat e = exp_of_minus(magnitude);
        const vfloat sigmoid = select(score < zero, e, broadcast(1.0f)) / (e + 1.0f);
        store(scores + i, (label - sigmoid) * alpha);
        // softplus(x) = max(x, 0) + log(1 + e^-|x|), and -log sigmoid(x) = softplus(-x).
        const vfloat wrong = select(label > zero, -score, score);
        const vfloat softplus = select(wrong < zero, zero, wrong) + log1p_of(e);
        typedef float vhalf __attribute__((vector_size(lanes * 2)));
        vhalf low, high;
        std::memcpy(&low, &softplus, sizeof low);
        std::memcpy(&high, reinterpret_cast<const char *>(&softplus) + sizeof low, sizeof high);
        *loss += __builtin_convertvector(low, vdouble) + __builtin_convertvector(high, vdouble);
    }
}

// One step of gradient descent on the pairs of M different contexts with the targets: every row is
// read and written once. The contexts' gradient is added to the contexts themselves or, for CBOW,
// whose context is the mean of a window, stored to `context_gradient`. T is the number of targets
// where it is known, else 0.
template <int M, int T>
void update_rows(float *const *contexts, float *const *targets, int n_targets, size_t stride,
                 const float *gradients, float *context_gradient) {
    const int n = T ? T : n_targets;
    for (size_t k = 0; k < stride; k += lanes) {
        vfloat context[M], change[M];
        for (int m = 0; m < M; ++m) {
            context[m] = load(contexts[m] + k);
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
            if (context_gradient)
                store(context_gradient + k, change[m]);
            else
                store(contexts[m] + k, context[m] + change[m]);
    }
}

template <int M>
void train_tile(float *const *contexts, const Step &step, size_t stride, float alpha,
                float *context_gradient, vdouble *loss) {
    float scores[kMaxScores];
    const int n_scores = M * step.n_targets;
    dot_all<M>(contexts, step.targets, step.n_targets, stride, scores);
    if (step.has_collision)
        for (int t = 1; t < step.n_targets; ++t)
            if (step.words[t] == step.words[0])
                for (int m = 0; m < M; ++m) scores[t * M + m] = kNoScore;
    score_to_gradient(scores, n_scores, M, alpha, loss);
    if (step.n_targets == kUsualTargets)
        update_rows<M, kUsualTargets>(contexts, step.targets, step.n_targets, stride, scores,
                                      context_gradient);
    else
        update_rows<M, 0>(contexts, step.targets, step.n_targets, stride, scores, context_gradient);
}

void train_contexts(float *const *contexts, int n, const Step &step, size_t stride, float alpha,
                    vdouble *loss) {
    switch (n) {
        case 1: return train_tile<1>(contexts, step, stride, alpha, nullptr, loss);
        case 2: return train_tile<2>(contexts, step, stride, alpha, nullptr, loss);
        case 3: return train_tile<3>(contexts, step, stride, alpha, nullptr, loss);
        default: return train_tile<4>(contexts, step, stride, alpha, nullptr, loss);
    }
}

class ChunkTrainer {
  public:
    ChunkTrainer(const NegativeSampling &model, float alpha, uint64_t seed, const Scratch &scratch)
        : model_(model), alpha_(alpha), random_{seed}, scratch_(scratch) {}

    ChunkResult train(const Chunk &chunk) {
        subsample(chunk);
        ChunkResult result;
        result.n_kept = static_cast<int64_t>(n_kept_);
        if (n_kept_ == 0) return result;
        Step steps[2];
        sentence_begin_ = 0;
        sentence_end_ = scratch_.kept_sentence_ends[sentence_ = 0];
        draw(steps[0], 0);
        for (size_t position = 0; position < n_kept_; ++position) {
            const Step &step = steps[position & 1];
            if (position + 1 < n_kept_) draw(steps[(position + 1) & 1], position + 1);
            if (step.end - step.begin > 1)
                result.n_examples += model_.cbow ? train_cbow(step) : train_skipgram(step);
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
                scratch_.kept[n] = word;
                n += static_cast<uint32_t>(random_.next() >> 32) <= model_.keep_limits[word];
            }
            if (n > sentence_begin)
                scratch_.kept_sentence_ends[n_sentences++] = static_cast<uint32_t>(n);
        }
        n_kept_ = n;
    }

    float *input_row(size_t position) const {
        return model_.input + size_t{scratch_.kept[position]} * model_.stride;
    }

    void prefetch_row(const float *row) const {
        for (size_t k = 0; k < model_.stride; k += 16) __builtin_prefetch(row + k, 1);
    }

    uint32_t draw_negative() {
        const uint64_t bits = random_.next();
        const uint64_t column = (bits >> 32) * model_.n_words >> 32;
        return static_cast<uint32_t>(bits) < model_.noise_limits[column]
                   ? static_cast<uint32_t>(column)
                   : model_.noise_aliases[column];
    }

    // Draws the window and the negatives of the word at `position`, and sends for their rows.
    void draw(Step &step, size_t position) {
        if (position == sentence_end_) {
            sentence_begin_ = sentence_end_;
            sentence_end_ = scratch_.kept_sentence_ends[++sentence_];
        }
        const auto window = static_cast<size_t>(model_.window);
        const size_t reach =
            model_.shrink_windows ? 1 + ((random_.next() >> 32) * window >> 32) : window;
        step.position = position;
        step.begin = position - sentence_begin_ > reach ? position - reach : sentence_begin_;
        step.end = sentence_end_ - position > reach ? position + reach + 1 : sentence_end_;
        step.n_targets = 1 + model_.negative;
        step.words[0] = scratch_.kept[position];
        step.has_collision = false;
        for (int t = 0; t < step.n_targets; ++t) {
            if (t > 0) {
                step.words[t] = draw_negative();
                step.has_collision |= step.words[t] == step.words[0];
            }
            step.targets[t] = model_.output + size_t{step.words[t]} * model_.stride;
            prefetch_row(step.targets[t]);
        }
        if (position + window < n_kept_) prefetch_row(input_row(position + window));
    }

    // All contexts of a centre word share its negatives (Ji et al. 2016, arXiv 1604.04661), so that a
    // window is a small matrix product. Tiles of up to four contexts are steps of their own.
    int train_skipgram(const Step &step) {
        const int n_contexts = static_cast<int>(step.end - step.begin) - 1;
        size_t next = step.begin;
        for (int left = n_contexts; left > 0;) {
            const int n_tiles = (left + kTile - 1) / kTile;
            const int wanted = (left + n_tiles - 1) / n_tiles;
            float *contexts[kTile];
            int n = 0;
            while (n < wanted) {
                if (next == step.position) ++next;
                float *const row = input_row(next);
                // Rows of a tile are written back whole: the same word twice would lose a change.
                bool seen = false;
                for (int m = 0; m < n; ++m) seen |= contexts[m] == row;
                if (seen) break;
                contexts[n++] = row;
                ++next;
            }
            train_contexts(contexts, n, step, model_.stride, alpha_, &loss_);
            left -= n;
        }
        return n_contexts;
    }

    // The contexts' sum or mean predicts the centre word; its gradient goes to every context. As in
    // word2vec.c and gensim, the mean's gradient is not divided by the number of contexts; gensim
    // divides that of the sum instead.
    int train_cbow(const Step &step) {
        float *const hidden = scratch_.hidden, *const gradient = scratch_.hidden + model_.stride;
        const float share = 1.0f / static_cast<float>(step.end - step.begin - 1);
        const float hidden_scale = model_.cbow_mean ? share : 1.0f;
        const float gradient_scale = model_.cbow_mean ? 1.0f : share;
        for (size_t k = 0; k < model_.stride; k += lanes) {
            vfloat total = {};
            for (size_t i = step.begin; i < step.end; ++i)
                if (i != step.position) total += load(input_row(i) + k);
            store(hidden + k, total * hidden_scale);
        }
        train_tile<1>(&hidden, step, model_.stride, alpha_, gradient, &loss_);
        for (size_t i = step.begin; i < step.end; ++i) {
            if (i == step.position) continue;
            float *const row = input_row(i);
            for (size_t k = 0; k < model_.stride; k += lanes)
                store(row + k, load(row + k) + load(gradient + k) * gradient_scale);
        }
        return 1;
    }

    const NegativeSampling &model_;
    const float alpha_;
    RandomStream random_;
    const Scratch scratch_;
    size_t n_kept_ = 0;
    size_t sentence_ = 0, sentence_begin_ = 0, sentence_end_ = 0;
    vdouble loss_ = {};
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

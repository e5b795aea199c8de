#include "kernels/train_chunk.hpp"

#include "kernels/hot_rows.hpp"
#include "kernels/inputs.hpp"
#include "kernels/rows.hpp"
#include "kernels/tiles.hpp"
#include "random.hpp"

namespace firth::FIRTH_ISA {

namespace {

// A centre word with its window and targets, drawn one batch before it is trained.
struct Step {
    size_t position;  // of the centre word among those kept
    float **contexts;
    int n_before;  // contexts before the centre word
    int n_contexts;
    float **targets;  // first those with the label 1, the centre word being the last of them
    int n_positive;
    int n_targets;
    bool has_collision;  // a negative is the centre word: it does not count

    bool counts(int t) const { return t < n_positive || targets[t] != targets[n_positive - 1]; }
};

class ChunkTrainer {
  public:
    ChunkTrainer(const WindowModel &model, float alpha, uint64_t seed, const Scratch &scratch)
        : model_(model), alpha_(alpha), random_{seed}, noise_random_{random_.next()},
          scratch_(scratch), stage_(model, scratch_), ahead_(scratch.ahead),
          copied_{{model.input, model.hot_input, model.stride, scratch.hot_rows},
                  {model.targets, model.hot_targets, model.stride, copied_[0].end_of_room()},
                  {model.nodes, model.hot_nodes, model.stride, copied_[1].end_of_room()}} {}

    ChunkResult train(const Chunk &chunk) {
        for (CopiedRows &rows : copied_) rows.copy_all();
        subsample(chunk);
        ChunkResult result;
        result.n_kept = static_cast<int64_t>(n_kept_);
        if (n_kept_ == 0) return result;
        sentence_end_ = scratch_.kept_sentence_ends[0];
        Step batches[2][kMaxBatch];
        for (int i = 0; i < 2 * kMaxBatch; ++i) {
            Step &step = batches[i / kMaxBatch][i % kMaxBatch];
            step.contexts = scratch_.contexts + i * contexts_capacity(model_.window);
            step.targets = scratch_.targets + i * targets_capacity(model_);
        }
        const auto exchange = [&](size_t begin, size_t end, size_t n_words) {
            const float rate = alpha_ * kCurvature * static_cast<float>(n_words);
            for (CopiedRows &rows : copied_)
                rows.exchange(begin, end, rate, static_cast<float>(model_.n_threads));
        };
        int n = draw_batch(batches[0]), side = 0;
        for (size_t first = 0; n > 0; first += static_cast<size_t>(n), n = n_next_) {
            const Step *const batch = batches[side];
            side ^= 1;
            n_next_ = draw_batch(batches[side]);
            if (model_.is_staged()) {
                const auto window = static_cast<size_t>(model_.window);
                stage_.leave(first - smaller(first, window));
                stage_.enter(smaller(first + n + window, n_kept_), n_kept_);
            }
            result.n_examples += model_.cbow ? train_cbow(batch, n) : train_skipgram(batch, n);
            ahead_.send_for_rest(model_.stride);
            exchange_times_.pass(first + n, exchange);
        }
        if (model_.is_staged()) stage_.leave(n_kept_);
        exchange_times_.end(n_kept_, exchange);
        for (int i = 0; i < lanes / 2; ++i) result.loss += loss_[i];
        return result;
    }

  private:
    // Frequent words are left out at random (Mikolov et al. 2013b, section 2.3), before windows are formed.
    void subsample(const Chunk &chunk) {
        const bool is_staged = model_.is_staged();
        float **const kept = scratch_.kept;
        uint32_t *const kept_words = scratch_.kept_words;
        const uint32_t *const keep_limits = model_.keep_limits;
        size_t n = 0, n_sentences = 0, i = 0;
        for (size_t s = 0; s < chunk.n_sentences; ++s) {
            const size_t sentence_begin = n;
            const auto end = static_cast<size_t>(chunk.sentence_ends[s] - chunk.first_position);
            for (; i < end; ++i) {
                const uint32_t word = chunk.ids[i];
                kept_words[n] = word;
                kept[n] = is_staged ? stage_.row(n) : input_.row(word);
                n += static_cast<uint32_t>(random_.next() >> 32) <= keep_limits[word];
            }
            if (n > sentence_begin)
                scratch_.kept_sentence_ends[n_sentences++] = static_cast<uint32_t>(n);
        }
        n_kept_ = n;
    }

    // Draws windows and negatives for the next centre words, and notes the rows they will need.
    int draw_batch(Step *batch) {
        ahead_.clear();
        if (model_.negative > 0) draw_noise();
        int n = 0;
        for (; n < batch_size_ && position_ < n_kept_; ++position_, ++n)
            draw(batch[n], n);
        return n;
    }

    // The negatives of a batch, drawn in a loop of its own, so that all it needs stays in registers.
    [[gnu::noinline]] void draw_noise() {
        const Noise noise = model_.noise;
        const CopiedRows targets = targets_;
        float **const negatives = scratch_.negatives;
        RandomStream random = noise_random_;
        const int n = noise_sets(batch_size_) * model_.negative;
        uint64_t places = 0;  // within runs: 32 bits for a negative
        for (int i = 0; i < n; ++i) {
            const uint64_t bits = random.next();
            places = i % 2 ? places << 32 : random.next();
            const auto column = static_cast<uint32_t>((bits >> 32) * noise.n_runs >> 32);
            const NoiseColumn drawn = noise.columns[column];
            // Without a branch, which nobody could foresee.
            const uint32_t keeps = -static_cast<uint32_t>(static_cast<uint32_t>(bits) < drawn.limit);
            const uint32_t *const run = noise.run_starts + ((column & keeps) | (drawn.alias & ~keeps));
            const uint64_t word = run[0] + ((places >> 32) * (run[1] - run[0]) >> 32);
            negatives[i] = targets.row(word);
        }
        noise_random_ = random;
    }

    void draw(Step &step, int place_in_batch) {
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
        step.position = position_;
        step.n_before = static_cast<int>(before);
        step.n_contexts = static_cast<int>(before + behind);
        const int set = place_in_batch / kWindowsPerNoise;
        draw_targets(step, scratch_.negatives + set * model_.negative);
        const bool is_noise_new = place_in_batch % kWindowsPerNoise == 0;
        ahead_.add(step.targets, step.n_positive + (is_noise_new ? model_.negative : 0));
        if (model_.paths.offsets) {
            const int behind_noise = step.n_positive + model_.negative;
            ahead_.add(step.targets + behind_noise, step.n_targets - behind_noise);
        }
        if (position_ + window < n_kept_ && !model_.is_staged())
            ahead_.add(scratch_.kept[position_ + window]);
    }

    void draw_targets(Step &step, float *const *negatives) {
        const uint32_t word = scratch_.kept_words[step.position];
        const Paths &paths = model_.paths;
        if (paths.offsets) send_for_paths(step.position);
        float *const centre = targets_.row(word);
        float **next = step.targets;
        const auto add_nodes = [&](uint64_t begin, uint64_t end) {
            copy_node_rows(next, begin, end);
            next += end - begin;
        };
        uint64_t first_negative_node = 0;
        if (paths.offsets) {
            first_negative_node = paths.offsets[word] + paths.n_positive[word];
            add_nodes(paths.offsets[word], first_negative_node);
        }
        step.has_collision = false;
        if (model_.negative > 0) {
            *next++ = centre;
            bool has_collision = false;
            for (int i = 0, n = model_.negative; i < n; ++i) {
                next[i] = negatives[i];
                has_collision |= negatives[i] == centre;
            }
            step.has_collision = has_collision;
        }
        step.n_positive = static_cast<int>(next - step.targets);
        next += model_.negative;
        if (paths.offsets) add_nodes(first_negative_node, paths.offsets[word + 1]);
        step.n_targets = static_cast<int>(next - step.targets);
    }

    // In whole blocks, like copy_rows, but for the last path of the table.
    void copy_node_rows(float **to, uint64_t begin, uint64_t end) const {
        const Paths &paths = model_.paths;
        const CopiedRows nodes = nodes_;
        const bool has_room = end + kRowsBlock <= paths.offsets[model_.n_words];
        for (; begin < end; begin += kRowsBlock, to += kRowsBlock) {
            const size_t n = has_room ? kRowsBlock : smaller<size_t>(end - begin, kRowsBlock);
            if (n == kRowsBlock)
                for (size_t i = 0; i < kRowsBlock; ++i) to[i] = nodes.row(paths.nodes[begin + i]);
            else
                for (size_t i = 0; i < n; ++i) to[i] = nodes.row(paths.nodes[begin + i]);
        }
    }

    // Tables of paths are large: where a path begins is sent for 16 words before it is needed, and the
    // path itself, which often goes over two lines of the cache, 8 words before.
    void send_for_paths(size_t position) const {
        const Paths &paths = model_.paths;
        if (position + 16 < n_kept_)
            __builtin_prefetch(paths.offsets + scratch_.kept_words[position + 16]);
        if (position + 8 < n_kept_) {
            const uint32_t later = scratch_.kept_words[position + 8];
            const uint32_t *const nodes = paths.nodes + paths.offsets[later];
            __builtin_prefetch(nodes);
            __builtin_prefetch(nodes + kUsualPath);
            __builtin_prefetch(paths.n_positive + later);
        }
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
    // window is a small matrix product. It is worked off in tiles of up to six contexts, the first
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
        int n_tiles = 0;
        for (int i = 0; i < n; ++i) n_tiles = larger(n_tiles, n_tiles_of(batch[i]));
        for (int tile = 0; tile < n_tiles; ++tile) {
            const auto dot = [&](auto size, const Step &step, float **contexts, int first_score) {
                float *const scores = scratch_.scores + first_score;
                dot_rows<size()>(contexts, step.targets, step.n_targets, model_.stride, ahead_, scores);
                label(step, size(), first_score);
            };
            const auto update = [&](auto size, const Step &step, float **contexts, int first_score) {
                update_rows<size()>(contexts, step.targets, step.n_targets, model_.stride, ahead_,
                                    scratch_.scores + first_score, nullptr);
            };
            to_gradients(for_each_tile(batch, n, tile, dot));
            for_each_tile(batch, n, tile, update);
        }
        return n_contexts;
    }

    // A window is cut into as few tiles as will do, of about the same size.
    static int n_tiles_of(const Step &step) { return (step.n_contexts + kTile - 1) / kTile; }

    // Calls work(size, step, contexts, first score) for a tile of each step that has as many, with its
    // size as a constant and its place among the scores; returns the number of scores.
    template <typename Work>
    int for_each_tile(const Step *batch, int n, int tile, const Work &work) const {
        int n_scores = 0;
        for (int i = 0; i < n; ++i) {
            const Step &step = batch[i];
            const int n_tiles = n_tiles_of(step);
            if (tile >= n_tiles) continue;
            const int begin = step.n_contexts * tile / n_tiles;
            const int size = step.n_contexts * (tile + 1) / n_tiles - begin;
            for_size<kTile>(size, [&](auto known) { work(known, step, step.contexts + begin, n_scores); });
            n_scores += size * step.n_targets;
        }
        return n_scores;
    }

    template <int Most, typename Work>
    static void for_size(int size, const Work &work) {
        if constexpr (Most > 0) {
            if (size == Most) return work(Size<Most>{});
            for_size<Most - 1>(size, work);
        }
    }

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
            if (!step.counts(t)) continue;
            pair.targets = step.targets + t;
            pair.n_positive = t < step.n_positive;
            dot_rows<1>(&context, pair.targets, 1, model_.stride, ahead_, scratch_.scores);
            label(pair, 1, 0);
            to_gradients(1);
            update_rows<1>(&context, pair.targets, 1, model_.stride, ahead_, scratch_.scores,
                           change_of_pair);
            add_row(change, change_of_pair);
        }
        if (context_change)
            std::memcpy(context_change, change, model_.stride * sizeof(float));
        else
            add_row(context, change);
    }

    void add_row(float *row, const float *addend) const {
        for (size_t k = 0; k < model_.stride; k += lanes)
            store(row + k, load(row + k) + load(addend + k));
    }

    // Notes the signs of a tile's scores. A negative that is the centre word has no score.
    void label(const Step &step, int n_contexts, int first_score) {
        const int n_positive = n_contexts * step.n_positive, n_scores = n_contexts * step.n_targets;
        const vfloat one = broadcast(1.0f);
        for (int i = 0; i < n_scores; i += lanes)
            store(scratch_.signs + first_score + i, select(first_lanes(n_positive - i), -one, one));
        if (!step.has_collision) return;
        for (int t = step.n_positive; t < step.n_targets; ++t)
            if (!step.counts(t))
                for (int m = 0; m < n_contexts; ++m)
                    scratch_.scores[first_score + t * n_contexts + m] = kNoScore;
    }

    void to_gradients(int n_scores) {
        const vfloat loss = scores_to_gradients(scratch_.scores, scratch_.signs, n_scores, alpha_);
        loss_ += __builtin_convertvector(lower_half(loss), vdouble) +
                 __builtin_convertvector(upper_half(loss), vdouble);
    }

    // The contexts' sum or mean predicts the centre word; its gradient goes to every context. As in
    // word2vec.c and gensim, the mean's gradient is not divided by the number of contexts; gensim
    // divides that of the sum instead. The mean is that of all rows: a word with more of them weighs more.
    int64_t train_cbow(const Step *batch, int n) {
        const size_t stride = model_.stride;
        int64_t n_examples = 0;
        float *scores = scratch_.scores, *hidden = scratch_.hidden;
        for (int i = 0; i < n; ++i, hidden += stride) {
            const Step &step = batch[i];
            if (step.n_contexts == 0) continue;
            ++n_examples;
            form_hidden(step, hidden);
            if (model_.one_by_one) {
                train_one_by_one(hidden, step, hidden);
                continue;
            }
            dot_rows<1>(&hidden, step.targets, step.n_targets, stride, ahead_, scores);
            label(step, 1, static_cast<int>(scores - scratch_.scores));
            scores += step.n_targets;
        }
        to_gradients(static_cast<int>(scores - scratch_.scores));
        float *gradients = scratch_.scores;
        float *const change = hidden;
        hidden = scratch_.hidden;
        for (int i = 0; i < n; ++i, hidden += stride) {
            const Step &step = batch[i];
            if (step.n_contexts == 0) continue;
            const float *change_of_hidden = hidden;  // where training one by one has put it
            if (!model_.one_by_one) {
                update_rows<1>(&hidden, step.targets, step.n_targets, stride, ahead_, gradients,
                               change);
                gradients += step.n_targets;
                change_of_hidden = change;
            }
            const float scale = model_.cbow_mean ? 1.0f : 1.0f / n_input_rows(step);
            add_to_rows(change_of_hidden, scale, [&](int c) { return step.contexts[c]; },
                        step.n_contexts, stride, PrefetchTwo(ahead_, step.targets[0]));
        }
        return n_examples;
    }

    void form_hidden(const Step &step, float *hidden) {
        const float scale = model_.cbow_mean ? 1.0f / n_input_rows(step) : 1.0f;
        const auto row = [&](int c) { return step.contexts[c]; };
        const PrefetchTwo prefetch(ahead_, step.targets[0]);
        if (model_.parts.offsets)
            sum_rows(row, [&](int c) { return static_cast<float>(n_parts(step, c)); },
                     step.n_contexts, scale, model_.stride, prefetch, hidden);
        else
            sum_rows(row, [](int) { return 1.0f; }, step.n_contexts, scale, model_.stride, prefetch,
                     hidden);
    }

    int n_parts(const Step &step, int c) const {
        return stage_.n_parts(step.position - step.n_before + c + (c >= step.n_before));
    }
    float n_input_rows(const Step &step) const {
        if (!model_.parts.offsets) return static_cast<float>(step.n_contexts);
        int n = 0;
        for (int c = 0; c < step.n_contexts; ++c) n += n_parts(step, c);
        return static_cast<float>(n);
    }

    const WindowModel &model_;
    const int batch_size_ =
        model_.one_by_one ? 1 : batch_size(model_.negative, model_.paths.offsets, model_.cbow);
    const float alpha_;
    RandomStream random_;        // for subsampling and windows
    RandomStream noise_random_;  // for negatives
    const Scratch scratch_;
    InputStage stage_;
    RowsAhead ahead_;
    CopiedRows copied_[3];
    const CopiedRows &input_ = copied_[0], &targets_ = copied_[1], &nodes_ = copied_[2];
    ExchangeTimes exchange_times_;
    size_t n_kept_ = 0, position_ = 0;
    size_t sentence_ = 0, sentence_begin_ = 0, sentence_end_ = 0;
    int n_next_ = 0;
    vdouble loss_ = {};
};

}  // namespace

ChunkResult train_chunk(const WindowModel &model, const Chunk &chunk, float alpha, uint64_t seed,
                        const Scratch &scratch) {
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

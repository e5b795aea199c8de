#include "kernels/train_glove.hpp"

#include "kernels/simd.hpp"
#include "random.hpp"

namespace firth::FIRTH_ISA {

namespace {

// 1 / sqrt(x), relative error below 1e-6, for the processor's own root and division take several times
// as long. The first guess halves the exponent (Lomont 2003); a step with the constants of Kadlec
// 2010 and one of Newton's follow.
template <typename Float, typename Int>
[[gnu::always_inline]] inline Float inverse_root(Float x) {
    Float y = (Float)(0x5f1ffff9 - ((Int)x >> 1));
    y *= 0.703952253f * (2.38924456f - x * y * y);
    return y * (1.5f - 0.5f * x * y * y);
}

float inverse_root_of(float x) {
    int32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits = 0x5f1ffff9 - (bits >> 1);
    float y;
    std::memcpy(&y, &bits, sizeof y);
    y *= 0.703952253f * (2.38924456f - x * y * y);
    return y * (1.5f - 0.5f * x * y * y);
}

class GloveTrainer {
  public:
    GloveTrainer(const Glove &model, const Cooccurrence *cooccurrences, uint32_t *starts)
        : model_(model), records_(cooccurrences), starts_(starts) {}

    GloveResult train(size_t n, uint64_t seed) {
        n_ = n;
        const size_t n_groups = find_groups(n);
        shuffle(n_groups, seed);
        for (size_t g = 0; g < n_groups; ++g) {
            const size_t next = g + 1 < n_groups ? starts_[g + 1] : starts_[g];
            const size_t begin = starts_[g], end = end_of_group(begin);
            prepare(begin, end);
            if (model_.symmetric)
                train_group<true>(begin, end, next);
            else
                train_group<false>(begin, end, next);
        }
        GloveResult result;
        result.loss = loss_;
        result.n_terms = n_terms_;
        return result;
    }

  private:
    size_t end_of_group(size_t begin) const {
        size_t end = begin + 1;
        while (end < n_ && end - begin < kGroup && records_[end].row == records_[begin].row) ++end;
        return end;
    }

    size_t find_groups(size_t n) {
        size_t n_groups = 0;
        for (size_t i = 0; i < n; i = end_of_group(i)) starts_[n_groups++] = static_cast<uint32_t>(i);
        return n_groups;
    }

    void shuffle(size_t n_groups, uint64_t seed) {
        RandomStream random{seed};
        for (size_t i = n_groups; i > 1; --i) {
            const auto j = static_cast<size_t>((random.next() >> 32) * i >> 32);
            const uint32_t other = starts_[j];
            starts_[j] = starts_[i - 1];
            starts_[i - 1] = other;
        }
    }

    // Logarithms and weights of a group: f(x) = min(1, (x / x_max)^alpha), equation 9.
    void prepare(size_t begin, size_t end) {
        for (int i = 0; i < kGroup; ++i)
            logarithms_[i] = begin + i < end ? records_[begin + i].value : 1.0f;
        const vfloat zero = {};
        for (int i = 0; i < kGroup; i += lanes) {
            const vfloat logarithm = log_of(load(logarithms_ + i));
            const vfloat below = (log_x_max_ - logarithm) * model_.alpha;
            store(logarithms_ + i, logarithm);
            store(weights_ + i, exp_of_minus(select(below > zero, below, zero)));
        }
    }

    float *row_of(size_t word) const { return model_.rows + word * 4 * model_.stride; }

    // The row stays in the nearest cache. What comes next is sent for column by column: the next
    // context, or the next group's row and first context.
    template <bool Symmetric>
    void train_group(size_t begin, size_t end, size_t next_group) {
        float *const row = row_of(records_[begin].row);
        for (size_t i = begin; i < end; ++i) {
            const bool is_last = i + 1 == end;
            const float *const ahead = row_of(records_[is_last ? next_group : i + 1].column);
            if (is_last) send_for(row_of(records_[next_group].row));
            train_pair<Symmetric>(row, records_[i], logarithms_[i - begin], weights_[i - begin], ahead);
        }
    }

    void send_for(const float *row) const {
        for (size_t k = 0; k < 4 * model_.stride; k += 16) __builtin_prefetch(row + k, 1);
    }

    // Trains a row as word and a column as context, and where `Symmetric` the other way around too.
    // These change different rows, but for a word next to itself, which is trained once.
    template <bool Symmetric>
    void train_pair(float *row, const Cooccurrence &pair, float logarithm, float weight,
                    const float *ahead) {
        const size_t stride = model_.stride;
        float *const column = row_of(pair.column);
        float *const row_biases = model_.biases + size_t{pair.row} * 4;
        float *const column_biases = model_.biases + size_t{pair.column} * 4;
        const bool both = Symmetric && pair.row != pair.column;
        vfloat dot = {}, dot_back = {};
        for (size_t k = 0; k < stride; k += lanes) {
            if (k % 16 == 0) {
                __builtin_prefetch(ahead + k, 1);
                __builtin_prefetch(ahead + k + stride, 1);
                __builtin_prefetch(ahead + k + 2 * stride, 1);
                __builtin_prefetch(ahead + k + 3 * stride, 1);
            }
            dot += load(row + k) * load(column + 2 * stride + k);
            if (Symmetric) dot_back += load(row + 2 * stride + k) * load(column + k);
        }
        const float slope = train_biases(sum(dot), logarithm, weight, row_biases, column_biases + 2);
        if (both) {
            const float slope_back =
                train_biases(sum(dot_back), logarithm, weight, column_biases, row_biases + 2);
            for (size_t k = 0; k < stride; k += lanes) {
                update(row + k, column + 2 * stride + k, slope);
                update(column + k, row + 2 * stride + k, slope_back);
            }
        } else {
            for (size_t k = 0; k < stride; k += lanes)
                update(row + k, column + 2 * stride + k, slope);
        }
    }

    // Takes a dot product to its weighted error, counts the loss and trains the biases, whose learning
    // rate is 1 as in GloVe's own program; returns the learning rate times the error.
    float train_biases(float dot, float logarithm, float weight, float *word, float *context) {
        const float error = dot + word[0] + context[0] - logarithm;
        const float weighted = weight * error;
        loss_ += 0.5 * static_cast<double>(weighted) * static_cast<double>(error);
        ++n_terms_;
        word[0] -= weighted * inverse_root_of(word[1]);
        context[0] -= weighted * inverse_root_of(context[1]);
        word[1] += weighted * weighted;
        context[1] += weighted * weighted;
        return weighted * model_.learning_rate;
    }

    // Changes a vector's worth of columns of a word and a context; their sums of squares lie one
    // stride behind.
    [[gnu::always_inline]] void update(float *word, float *context, float slope) const {
        const size_t stride = model_.stride;
        const vfloat w = load(word), c = load(context);
        const vfloat w_sum = load(word + stride), c_sum = load(context + stride);
        const vfloat w_gradient = c * slope, c_gradient = w * slope;
        store(word, w - w_gradient * inverse_root<vfloat, vint>(w_sum));
        store(context, c - c_gradient * inverse_root<vfloat, vint>(c_sum));
        store(word + stride, w_sum + w_gradient * w_gradient);
        store(context + stride, c_sum + c_gradient * c_gradient);
    }

    const Glove &model_;
    const Cooccurrence *const records_;
    uint32_t *const starts_;
    const vfloat log_x_max_ = log_of(broadcast(model_.x_max));
    size_t n_ = 0;
    float logarithms_[kGroup], weights_[kGroup];
    double loss_ = 0;
    int64_t n_terms_ = 0;
};

}  // namespace

GloveResult train_glove(const Glove &model, const Cooccurrence *cooccurrences, size_t n, uint64_t seed,
                        uint32_t *starts) {
    return GloveTrainer(model, cooccurrences, starts).train(n, seed);
}

}  // namespace firth::FIRTH_ISA

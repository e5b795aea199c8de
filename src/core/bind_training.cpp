// The training kernels, and what is drawn from while they run.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>

#include <new>
#include <stdexcept>
#include <tuple>

#include "alias_table.hpp"
#include "bindings.hpp"
#include "kernels/train_negative.hpp"
#include "random.hpp"

using namespace firth;

namespace {

// The matrices and tables of one training run, held for as long as its threads need them.
class NegativeSamplingTrainer {
  public:
    NegativeSamplingTrainer(Array2<float> input, Array2<float> output,
                            Array1<const uint32_t> keep_limits,
                            Array2<const uint32_t> noise_columns,
                            Array1<const uint32_t> noise_run_starts, int window, int negative,
                            bool shrink_windows, bool cbow, bool cbow_mean, bool one_by_one)
        : input_(input), output_(output), keep_limits_(keep_limits), noise_columns_(noise_columns),
          noise_run_starts_(noise_run_starts),
          model_{input.data(), output.data(), input.shape(1), input.shape(0), keep_limits.data(),
                 Noise{reinterpret_cast<const NoiseColumn *>(noise_columns.data()),
                       noise_run_starts.data(), noise_columns.shape(0)},
                 window, negative, shrink_windows, cbow, cbow_mean, one_by_one} {
        const size_t n = input.shape(0);
        if (output.shape(0) != n || output.shape(1) != input.shape(1) || keep_limits.size() != n)
            throw std::invalid_argument("matrices and tables differ in their number of words");
        if (input.shape(1) == 0 || input.shape(1) % 16)
            throw std::invalid_argument("rows must be padded to a multiple of 16 floats");
        if (negative < 1 || negative > kMaxNegative || window < 1)
            throw std::invalid_argument("window or negative out of range");
        check_noise(n);
    }

    auto train(Array1<const uint32_t> ids, Array1<const int64_t> sentence_ends,
               int64_t first_position, float alpha, uint64_t seed) const {
        const Chunk chunk{ids.data(), ids.size(), sentence_ends.data(), sentence_ends.size(),
                          first_position};
        nb::gil_scoped_release release;
        check(chunk);
        const auto kept = std::make_unique_for_overwrite<float *[]>(chunk.n_ids + kRowsBlock);
        const auto sentence_ends_kept = std::make_unique_for_overwrite<uint32_t[]>(chunk.n_sentences);
        std::vector<float *> contexts(2 * kMaxBatch * contexts_capacity(model_.window));
        std::vector<float> scores(kMaxBatch * 4 * (1 + model_.negative) + 32);
        std::vector<float> hidden((kMaxBatch + 2) * model_.stride);
        const ChunkResult result =
            FIRTH_DISPATCH(train_negative, model_, chunk, alpha, seed,
                           Scratch{kept.get(), sentence_ends_kept.get(), contexts.data(),
                                   scores.data(), hidden.data()});
        return std::make_tuple(result.loss, result.n_examples, result.n_kept);
    }

  private:
    void check_noise(size_t n_words) const {
        const Noise &noise = model_.noise;
        if (noise.n_runs == 0 || noise_columns_.shape(1) != 2 ||
            noise_run_starts_.size() != noise.n_runs + 1 || noise.run_starts[0] != 0 ||
            noise.run_starts[noise.n_runs] != n_words)
            throw std::invalid_argument("the runs of the noise do not cover the words");
        for (size_t i = 0; i < noise.n_runs; ++i) {
            if (noise.columns[i].alias >= noise.n_runs) throw std::invalid_argument("alias out of range");
            if (noise.run_starts[i] >= noise.run_starts[i + 1])
                throw std::invalid_argument("a run of the noise is empty");
        }
    }

    // A corpus is a file: what it says is checked before it becomes an address.
    void check(const Chunk &chunk) const {
        int64_t position = chunk.first_position;
        for (size_t i = 0; i < chunk.n_sentences; ++i) {
            if (chunk.sentence_ends[i] < position) throw std::invalid_argument("sentence ends fall");
            position = chunk.sentence_ends[i];
        }
        if (position - chunk.first_position != static_cast<int64_t>(chunk.n_ids))
            throw std::invalid_argument("sentence ends do not match the ids");
        uint32_t highest = 0;
        for (size_t i = 0; i < chunk.n_ids; ++i)
            highest = chunk.ids[i] > highest ? chunk.ids[i] : highest;
        if (chunk.n_ids && highest >= model_.n_words)
            throw std::invalid_argument("a word id is outside of the vocabulary");
    }

    Array2<float> input_, output_;
    Array1<const uint32_t> keep_limits_;
    Array2<const uint32_t> noise_columns_;
    Array1<const uint32_t> noise_run_starts_;
    NegativeSampling model_;
};

auto build_alias_table(Array1<const double> weights) {
    return to_numpy(std::move(AliasTable(weights.data(), weights.size()).columns));
}

double multiply_add_in_registers(int64_t n_rounds) {
    nb::gil_scoped_release release;
    float sink = 0;
    return FIRTH_DISPATCH(multiply_add_in_registers, n_rounds, &sink);
}

}  // namespace

void bind_training(nb::module_ &m) {
    nb::class_<NegativeSamplingTrainer>(m, "NegativeSamplingTrainer")
        .def(nb::init<Array2<float>, Array2<float>, Array1<const uint32_t>,
                      Array2<const uint32_t>, Array1<const uint32_t>, int, int, bool, bool, bool, bool>(),
             "vectors"_a.noconvert(), "targets"_a.noconvert(), "keep_limits"_a, "noise_columns"_a, "noise_run_starts"_a, nb::kw_only(), "window"_a, "negative"_a, "shrink_windows"_a,
             "cbow"_a, "cbow_mean"_a, "one_by_one"_a = false)
        .def("train", &NegativeSamplingTrainer::train, "ids"_a.noconvert(),
             "sentence_ends"_a.noconvert(), "first_position"_a, "alpha"_a, "seed"_a);
    m.def("build_alias_table", &build_alias_table, "weights"_a);
    m.def("multiply_add_in_registers", &multiply_add_in_registers, "n_rounds"_a);
    m.attr("MAX_NEGATIVE") = kMaxNegative;
}

// The training kernels, and what is drawn from while they run.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <new>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "alias_table.hpp"
#include "bindings.hpp"
#include "huffman.hpp"
#include "kernels/train_chunk.hpp"
#include "random.hpp"

using namespace firth;

namespace {

template <typename T>
using Optional1 = std::optional<Array1<const T>>;

// The matrices and tables of one training run, held for as long as its threads need them.
class WindowTrainer {
  public:
    WindowTrainer(Array2<float> input, Array1<const uint32_t> keep_limits, int window,
                  bool shrink_windows, bool cbow, bool cbow_mean, bool one_by_one, int negative,
                  std::optional<Array2<float>> targets,
                  std::optional<Array2<const uint32_t>> noise_columns,
                  Optional1<uint32_t> noise_run_starts, std::optional<Array2<float>> nodes,
                  Optional1<uint64_t> path_offsets, Optional1<uint32_t> path_nodes,
                  Optional1<uint8_t> path_n_positive, Optional1<uint64_t> part_offsets,
                  Optional1<uint32_t> part_rows, Optional1<float> lock_factors,
                  int n_threads, Optional1<float> hot_input, Optional1<float> hot_targets,
                  Optional1<float> hot_nodes)
        : held_{input, keep_limits, targets, noise_columns, noise_run_starts, nodes, path_offsets,
                path_nodes, path_n_positive, part_offsets, part_rows, lock_factors, hot_input,
                hot_targets, hot_nodes} {
        model_.input = input.data();
        model_.stride = input.shape(1);
        model_.n_words = keep_limits.size();
        model_.keep_limits = keep_limits.data();
        model_.window = window;
        model_.shrink_windows = shrink_windows;
        model_.cbow = cbow;
        model_.cbow_mean = cbow_mean;
        model_.one_by_one = one_by_one;
        require(model_.stride > 0 && model_.stride % 16 == 0,
                "rows must be padded to a multiple of 16 floats");
        require(window >= 1, "window out of range");
        require(negative > 0 || path_offsets, "neither negative sampling nor hierarchical softmax");
        if (negative != 0) {
            require(negative > 0 && negative <= kMaxNegative, "negative out of range");
            require(targets && noise_columns && noise_run_starts, "tables of the noise are missing");
            take_noise(negative, *targets, *noise_columns, *noise_run_starts);
        }
        if (path_offsets) {
            require(nodes && path_nodes && path_n_positive, "parts of the paths are missing");
            take_paths(*nodes, *path_offsets, *path_nodes, *path_n_positive);
        }
        if (part_offsets) {
            require(bool(part_rows), "rows of the parts are missing");
            take_parts(*part_offsets, *part_rows, input.shape(0));
        } else {
            require(input.shape(0) == model_.n_words, "the input has not one row for each word");
        }
        require(!lock_factors || lock_factors->size() == input.shape(0),
                "lock_factors needs one number for each row of the input");
        if (lock_factors) model_.lock_factors = lock_factors->data();
        require(n_threads >= 1, "n_threads out of range");
        model_.n_threads = n_threads;
        require(!hot_input || !model_.is_staged(), "staged inputs cannot be copied");
        model_.hot_input = hot_rows(hot_input, input.shape(0));
        model_.hot_targets = hot_rows(hot_targets, targets ? targets->shape(0) : 0);
        model_.hot_nodes = hot_rows(hot_nodes, nodes ? nodes->shape(0) : 0);
    }

    auto train(Array1<const uint32_t> ids, Array1<const int64_t> sentence_ends,
               int64_t first_position, float alpha, uint64_t seed) const {
        const Chunk chunk{ids.data(), ids.size(), sentence_ends.data(), sentence_ends.size(),
                          first_position};
        nb::gil_scoped_release release;
        check(chunk);
        const auto most_targets = static_cast<size_t>(model_.most_targets());
        const auto kept = std::make_unique_for_overwrite<float *[]>(chunk.n_ids + kRowsBlock);
        const auto kept_words = std::make_unique_for_overwrite<uint32_t[]>(chunk.n_ids + 1);
        const auto sentence_ends_kept = std::make_unique_for_overwrite<uint32_t[]>(chunk.n_sentences);
        std::vector<float *> contexts(2 * kMaxBatch * contexts_capacity(model_.window));
        std::vector<float *> targets(2 * kMaxBatch * targets_capacity(model_));
        std::vector<float *> negatives(noise_sets(kMaxBatch) *
                                       static_cast<size_t>(model_.negative));
        std::vector<const float *> ahead(kMaxBatch * (most_targets + 1) + kRowsBlock);
        std::vector<float> scores(scores_capacity(most_targets)), signs(scores.size());
        std::vector<float> hidden((kMaxBatch + 2) * model_.stride);
        std::vector<float> stage(
            model_.is_staged() ? 2 * stage_capacity(model_.window) * model_.stride : 0);
        const auto hot_rows = std::make_unique_for_overwrite<float[]>(2 * model_.n_hot_rows() *
                                                                      model_.stride);
        const ChunkResult result = FIRTH_DISPATCH(
            train_chunk, model_, chunk, alpha, seed,
            Scratch{kept.get(), kept_words.get(), sentence_ends_kept.get(), contexts.data(),
                    targets.data(), negatives.data(), ahead.data(), scores.data(), signs.data(), hidden.data(),
                    stage.data(), hot_rows.get()});
        return std::make_tuple(result.loss, result.n_examples, result.n_kept);
    }

  private:
    static void require(bool holds, const char *what) {
        if (!holds) throw std::invalid_argument(what);
    }

    static HotRows hot_rows(const Optional1<float> &updates, size_t n_rows) {
        if (!updates) return {};
        require(updates->size() <= n_rows, "more hot rows than rows");
        return {updates->size(), updates->data()};
    }

    void take_noise(int negative, const Array2<float> &targets,
                    const Array2<const uint32_t> &columns, const Array1<const uint32_t> &run_starts) {
        require(targets.shape(0) == model_.n_words && targets.shape(1) == model_.stride,
                "matrices and tables differ in their number of words");
        const Noise noise{reinterpret_cast<const NoiseColumn *>(columns.data()), run_starts.data(),
                          columns.shape(0)};
        require(noise.n_runs > 0 && columns.shape(1) == 2 && run_starts.size() == noise.n_runs + 1 &&
                    noise.run_starts[0] == 0 && noise.run_starts[noise.n_runs] == model_.n_words,
                "the runs of the noise do not cover the words");
        for (size_t i = 0; i < noise.n_runs; ++i) {
            require(noise.columns[i].alias < noise.n_runs, "alias out of range");
            require(noise.run_starts[i] < noise.run_starts[i + 1], "a run of the noise is empty");
        }
        model_.negative = negative;
        model_.targets = targets.data();
        model_.noise = noise;
    }

    void take_paths(const Array2<float> &nodes, const Array1<const uint64_t> &offsets,
                    const Array1<const uint32_t> &path_nodes,
                    const Array1<const uint8_t> &n_positive) {
        require(nodes.shape(1) == model_.stride && n_positive.size() == model_.n_words,
                "matrices and tables differ in their number of words");
        check_offsets(offsets, path_nodes.size(), "the paths do not fit the words");
        for (size_t word = 0; word < model_.n_words; ++word) {
            const uint64_t length = offsets.data()[word + 1] - offsets.data()[word];
            require(length <= kMaxPath && n_positive.data()[word] <= length,
                    "a path is too long, or has more labels than nodes");
            if (static_cast<int>(length) > model_.paths.longest)
                model_.paths.longest = static_cast<int>(length);
        }
        for (size_t i = 0; i < path_nodes.size(); ++i)
            require(path_nodes.data()[i] < nodes.shape(0), "a node of a path is out of range");
        model_.nodes = nodes.data();
        model_.paths.offsets = offsets.data();
        model_.paths.nodes = path_nodes.data();
        model_.paths.n_positive = n_positive.data();
    }

    void take_parts(const Array1<const uint64_t> &offsets, const Array1<const uint32_t> &rows,
                    size_t n_inputs) {
        check_offsets(offsets, rows.size(), "the parts do not fit the words");
        for (size_t word = 0; word < model_.n_words; ++word)
            require(offsets.data()[word] < offsets.data()[word + 1], "a word has no parts");
        for (size_t i = 0; i < rows.size(); ++i)
            require(rows.data()[i] < n_inputs, "a part is out of range");
        model_.parts = {offsets.data(), rows.data()};
    }

    void check_offsets(const Array1<const uint64_t> &offsets, size_t n_items, const char *what) const {
        require(offsets.size() == model_.n_words + 1 && offsets.data()[0] == 0 &&
                    offsets.data()[model_.n_words] == n_items,
                what);
        for (size_t word = 0; word < model_.n_words; ++word)
            require(offsets.data()[word] <= offsets.data()[word + 1], what);
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

    // Keeps the arrays alive.
    std::tuple<Array2<float>, Array1<const uint32_t>, std::optional<Array2<float>>,
               std::optional<Array2<const uint32_t>>, Optional1<uint32_t>,
               std::optional<Array2<float>>, Optional1<uint64_t>, Optional1<uint32_t>,
               Optional1<uint8_t>, Optional1<uint64_t>, Optional1<uint32_t>, Optional1<float>,
               Optional1<float>, Optional1<float>, Optional1<float>>
        held_;
    WindowModel model_{};
};

auto build_alias_table(Array1<const double> weights) {
    return to_numpy(std::move(AliasTable(weights.data(), weights.size()).columns));
}

auto build_huffman_paths(Array1<const int64_t> counts) {
    if (counts.size() < 2) throw std::invalid_argument("a tree needs at least two words");
    HuffmanPaths paths;
    {
        nb::gil_scoped_release release;
        paths = huffman_paths(counts.data(), counts.size());
    }
    return std::make_tuple(to_numpy(std::move(paths.offsets)), to_numpy(std::move(paths.nodes)),
                           to_numpy(std::move(paths.n_positive)));
}

double multiply_add_in_registers(int64_t n_rounds) {
    nb::gil_scoped_release release;
    float sink = 0;
    return FIRTH_DISPATCH(multiply_add_in_registers, n_rounds, &sink);
}

}  // namespace

void bind_training(nb::module_ &m) {
    nb::class_<WindowTrainer>(m, "WindowTrainer")
        .def(nb::init<Array2<float>, Array1<const uint32_t>, int, bool, bool, bool, bool, int,
                      std::optional<Array2<float>>, std::optional<Array2<const uint32_t>>,
                      Optional1<uint32_t>, std::optional<Array2<float>>, Optional1<uint64_t>,
                      Optional1<uint32_t>, Optional1<uint8_t>, Optional1<uint64_t>,
                      Optional1<uint32_t>, Optional1<float>, int, Optional1<float>,
                      Optional1<float>, Optional1<float>>(),
             "vectors"_a.noconvert(), "keep_limits"_a, nb::kw_only(), "window"_a,
             "shrink_windows"_a, "cbow"_a, "cbow_mean"_a, "one_by_one"_a = false, "negative"_a = 0,
             "targets"_a.noconvert() = nb::none(), "noise_columns"_a = nb::none(),
             "noise_run_starts"_a = nb::none(), "nodes"_a.noconvert() = nb::none(),
             "path_offsets"_a = nb::none(), "path_nodes"_a = nb::none(),
             "path_n_positive"_a = nb::none(), "part_offsets"_a = nb::none(),
             "part_rows"_a = nb::none(), "lock_factors"_a = nb::none(),
             "n_threads"_a = 1, "hot_input"_a = nb::none(), "hot_targets"_a = nb::none(),
             "hot_nodes"_a = nb::none())
        .def("train", &WindowTrainer::train, "ids"_a.noconvert(), "sentence_ends"_a.noconvert(),
             "first_position"_a, "alpha"_a, "seed"_a);
    m.def("build_alias_table", &build_alias_table, "weights"_a);
    m.def("build_huffman_paths", &build_huffman_paths, "counts"_a);
    m.def("multiply_add_in_registers", &multiply_add_in_registers, "n_rounds"_a);
    m.attr("MAX_NEGATIVE") = kMaxNegative;
}

// Training GloVe.
#include <nanobind/stl/tuple.h>

#include <memory>
#include <stdexcept>
#include <tuple>

#include "bindings.hpp"
#include "kernels/train_glove.hpp"

using namespace firth;

namespace {

class GloveTrainer {
  public:
    GloveTrainer(Array2<float> rows, Array2<float> biases, float learning_rate, float x_max,
                 float alpha, bool symmetric)
        : rows_(rows), biases_(biases),
          model_{rows.data(), biases.data(), rows.shape(1) / 4, rows.shape(0), learning_rate,
                 x_max,       alpha,         symmetric} {
        if (biases.shape(0) != rows.shape(0) || biases.shape(1) != 4)
            throw std::invalid_argument("vectors and biases differ in their number of words");
        if (rows.shape(1) == 0 || rows.shape(1) % 64)
            throw std::invalid_argument("rows must be four vectors of a multiple of 16 floats");
    }

    auto train(Array2<const uint32_t> cooccurrences, uint64_t seed) const {
        const size_t n = cooccurrences.shape(0);
        nb::gil_scoped_release release;
        if (cooccurrences.shape(1) != 3 || n > UINT32_MAX)
            throw std::invalid_argument("no row, column and value");
        const auto *records = reinterpret_cast<const Cooccurrence *>(cooccurrences.data());
        for (size_t i = 0; i < n; ++i)
            if (records[i].row >= model_.n_words || records[i].column >= model_.n_words ||
                !(records[i].value >= 1e-37f && records[i].value < 1e38f))
                throw std::invalid_argument("a word or a count is out of its range");
        const auto starts = std::make_unique_for_overwrite<uint32_t[]>(n + 1);
        const GloveResult result =
            FIRTH_DISPATCH(train_glove, model_, records, n, seed, starts.get());
        return std::make_tuple(result.loss, result.n_terms);
    }

  private:
    Array2<float> rows_, biases_;
    Glove model_;
};

}  // namespace

void bind_glove(nb::module_ &m) {
    nb::class_<GloveTrainer>(m, "GloveTrainer")
        .def(nb::init<Array2<float>, Array2<float>, float, float, float, bool>(),
             "rows"_a.noconvert(), "biases"_a.noconvert(), nb::kw_only(), "learning_rate"_a,
             "x_max"_a, "alpha"_a, "symmetric"_a)
        .def("train", &GloveTrainer::train, "cooccurrences"_a.noconvert(), "seed"_a);
}

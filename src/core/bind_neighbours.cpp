#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <optional>
#include <stdexcept>
#include <utility>

#include "bindings.hpp"
#include "neighbours.hpp"

namespace {

using Floats = Array1<const float>;
using FloatMatrix = Array2<const float>;
using ByteMatrix = Array2<const int8_t>;
using HalfMatrix = Array2<const uint16_t>;
using Rows = Array1<const int64_t>;

// The best rows of several questions, with the rows that each leaves out: those of question i are
// exclude[offsets[i]] up to exclude[offsets[i + 1]], sorted.
class BoundTopK {
public:
    BoundTopK(size_t n_questions, size_t k, Rows exclude, Rows offsets)
        : k_(k), exclude_(std::move(exclude)) {
        if (offsets.shape(0) != n_questions + 1)
            throw std::invalid_argument("one more offset than questions is needed");
        for (size_t i = 0; i < n_questions; ++i) {
            const int64_t begin = offsets.data()[i], end = offsets.data()[i + 1];
            if (begin < 0 || begin > end || end > static_cast<int64_t>(exclude_.shape(0)))
                throw std::invalid_argument("offsets out of order");
            best_.emplace_back(k, exclude_.data() + begin, static_cast<size_t>(end - begin));
        }
    }

    void search(FloatMatrix matrix, Floats norms, FloatMatrix questions, bool many,
                size_t n_threads, std::optional<Rows> chosen) {
        take_in({matrix.data(), nullptr, nullptr, matrix.shape(1)}, matrix.shape(0), chosen, norms,
                questions, many, n_threads);
    }

    void search_halves(HalfMatrix matrix, Floats norms, FloatMatrix questions, bool many,
                       size_t n_threads, std::optional<Rows> chosen) {
        take_in({nullptr, matrix.data(), nullptr, matrix.shape(1)}, matrix.shape(0), chosen, norms,
                questions, many, n_threads);
    }

    void search_bytes(ByteMatrix matrix, Floats norms, FloatMatrix questions, bool many,
                      size_t n_threads, std::optional<Rows> chosen) {
        take_in({nullptr, nullptr, matrix.data(), matrix.shape(1)}, matrix.shape(0), chosen, norms,
                questions, many, n_threads);
    }

    void search_candidates(Array2<const uint8_t> vectors, const std::string &dtype, Floats norms,
                           FloatMatrix questions, Array2<const int64_t> candidates,
                           size_t n_threads) {
        const firth::Item item = item_of(dtype);
        const size_t dim = questions.shape(1), n_rows = vectors.shape(0);
        if (questions.shape(0) != best_.size() || candidates.shape(0) != best_.size() ||
            norms.shape(0) != n_rows || vectors.shape(1) != dim * firth::item_size(item) ||
            n_rows > UINT32_MAX)
            throw std::invalid_argument("matrix, norms, questions and candidates do not fit");
        for (size_t i = 0; i < candidates.size(); ++i)
            if (candidates.data()[i] >= static_cast<int64_t>(n_rows))
                throw std::invalid_argument("a candidate is not there");
        nb::gil_scoped_release release;
        firth::search_candidates(best_, vectors.data(), item, dim, norms.data(), questions.data(),
                                 candidates.data(), candidates.shape(1), n_threads);
    }

    nb::tuple result() {
        std::vector<int64_t> rows(best_.size() * k_);
        std::vector<float> scores(rows.size());
        for (size_t i = 0; i < best_.size(); ++i)
            best_[i].write(rows.data() + i * k_, scores.data() + i * k_);
        return nb::make_tuple(to_numpy(std::move(rows)), to_numpy(std::move(scores)));
    }

private:
    void take_in(firth::Matrix rows, size_t n_all, const std::optional<Rows> &chosen,
                 const Floats &norms, const FloatMatrix &questions, bool many, size_t n_threads) {
        rows.chosen = chosen ? chosen->data() : nullptr;
        rows.n_rows = chosen ? chosen->shape(0) : n_all;
        if (questions.shape(0) != best_.size() || questions.shape(1) != rows.dim ||
            norms.shape(0) != rows.n_rows)
            throw std::invalid_argument("matrix, norms and questions do not fit each other");
        for (size_t i = 0; chosen && i < rows.n_rows; ++i)
            if (rows.chosen[i] < 0 || rows.chosen[i] >= static_cast<int64_t>(n_all))
                throw std::invalid_argument("a chosen row is not there");
        nb::gil_scoped_release release;
        (many ? firth::search_many : firth::search_few)(best_, rows, norms.data(), questions.data(),
                                                        n_threads);
    }

    size_t k_;
    Rows exclude_;
    std::vector<firth::BestRows> best_;
};

void scale_to_unit(FloatMatrix questions, Array2<float> directions) {
    if (questions.shape(0) != directions.shape(0) || questions.shape(1) != directions.shape(1))
        throw std::invalid_argument("questions and directions do not fit each other");
    nb::gil_scoped_release release;
    firth::scale_to_unit(questions.data(), questions.shape(0), questions.shape(1), directions.data());
}

}  // namespace

void bind_neighbours(nb::module_ &m) {
    m.def("scale_to_unit", &scale_to_unit, "questions"_a, "directions"_a.noconvert(),
          "Scale rows to length 1; those without a direction become NaN.");
    nb::class_<BoundTopK>(m, "TopK", "The rows that score best.")
        .def(nb::init<size_t, size_t, Rows, Rows>(), "n_questions"_a, "k"_a, "exclude"_a,
             "exclude_offsets"_a)
        .def("search", &BoundTopK::search, "matrix"_a, "norms"_a, "questions"_a, "many"_a,
             "n_threads"_a, "chosen"_a = nb::none(),
             "Take in rows of a matrix, all or those chosen, with a norm for each; `many` picks the "
             "way, not the result. Found are positions among the chosen.")
        .def("search_halves", &BoundTopK::search_halves, "matrix"_a, "norms"_a, "questions"_a,
             "many"_a, "n_threads"_a, "chosen"_a = nb::none(),
             "The same of a matrix of half precision, as its bits.")
        .def("search_bytes", &BoundTopK::search_bytes, "matrix"_a, "norms"_a, "questions"_a,
             "many"_a, "n_threads"_a, "chosen"_a = nb::none(), "The same of a matrix of int8.")
        .def("search_candidates", &BoundTopK::search_candidates, "vectors"_a, "dtype"_a, "norms"_a,
             "questions"_a, "candidates"_a, "n_threads"_a,
             "Take in some rows for each question, of a matrix as its bytes; those below 0 are none.")
        .def("result", &BoundTopK::result, "Rows and scores, best first, flat; call it once.");
}

#include <stdexcept>

#include "bindings.hpp"
#include "kernels/analogies.hpp"

namespace {

using Scores = Array2<const float>;
using Questions = Array2<const uint32_t>;
using Rows = Array1<const int64_t>;

void take_in(Scores plus, Scores minus, Questions questions, Rows exclude, Rows offsets,
               int64_t first_column, Array1<float> best, Array1<int64_t> best_column) {
    const size_t n = questions.shape(0), n_words = plus.shape(0);
    if (minus.shape(0) != n_words || minus.shape(1) != plus.shape(1) || questions.shape(1) != 3 ||
        offsets.shape(0) != n + 1 || best.shape(0) != n || best_column.shape(0) != n)
        throw std::invalid_argument("scores, questions and results do not fit each other");
    for (size_t i = 0; i < 3 * n; ++i)
        if (questions.data()[i] >= n_words) throw std::invalid_argument("no such word");
    // Where offsets begin and end may be within a longer list.
    for (size_t i = 0; i <= n; ++i) {
        const int64_t offset = offsets.data()[i];
        if (offset < 0 || offset > static_cast<int64_t>(exclude.shape(0)) ||
            (i > 0 && offset < offsets.data()[i - 1]))
            throw std::invalid_argument("offsets out of order");
    }
    nb::gil_scoped_release release;
    using namespace firth;
    FIRTH_DISPATCH(best_sums, plus.data(), minus.data(), plus.shape(1), questions.data(), n,
                   exclude.data(), offsets.data(), first_column, best.data(), best_column.data());
}

}  // namespace

void bind_analogies(nb::module_ &m) {
    m.def("best_sums", &take_in, "plus"_a, "minus"_a, "questions"_a, "exclude"_a,
          "exclude_offsets"_a, "first_column"_a, "best"_a, "best_column"_a,
          "Take in the columns of a block of scores: for each question (a, b, c) the highest "
          "plus[b] + plus[c] - minus[a].");
}

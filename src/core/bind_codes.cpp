// Codes of one bit and of four bits a number, for approximate search.
#include <stdexcept>
#include <utility>

#include "bindings.hpp"
#include "fine_codes.hpp"
#include "sign_codes.hpp"

namespace {

// Holds the arrays. Whatever the bytes in them, a search reads and finds only what is there.
class SignCodes {
  public:
    SignCodes(Array2<const uint8_t> codes, Array2<const int16_t> factors, size_t n_rows,
              float scale_step, float offset_step)
        : codes_(std::move(codes)), factors_(std::move(factors)) {
        const size_t n_blocks = (n_rows + firth::code_block_rows - 1) / firth::code_block_rows;
        const size_t n_groups = codes_.shape(1) / firth::code_group_bytes;
        if (codes_.shape(0) != n_blocks || factors_.shape(0) != n_blocks ||
            factors_.shape(1) != 2 * firth::code_block_rows ||
            codes_.shape(1) % firth::code_group_bytes || n_groups % 2 || n_groups == 0 ||
            n_groups > UINT16_MAX / firth::most_entry || n_rows >= UINT32_MAX)
            throw std::invalid_argument("codes, factors and rows do not fit");
        kept_ = {codes_.data(), factors_.data(), n_rows, n_groups, {scale_step, offset_step}};
    }

    void nearest(Array2<const float> questions, size_t n_threads, Array2<int64_t> rows) const {
        if (questions.shape(1) != 4 * kept_.n_groups || rows.shape(0) != questions.shape(0) ||
            n_threads == 0)
            throw std::invalid_argument("questions and rows do not fit the codes and each other");
        nb::gil_scoped_release release;
        firth::find_candidates(kept_, questions.data(), questions.shape(0), rows.shape(1), n_threads,
                               rows.data());
    }

  private:
    Array2<const uint8_t> codes_;
    Array2<const int16_t> factors_;
    firth::SignCodes kept_;
};

class FineCodes {
  public:
    FineCodes(Array2<const uint8_t> codes, size_t n_numbers, float scale_step, float offset_step)
        : codes_(std::move(codes)) {
        const size_t row_bytes = codes_.shape(1);
        if (n_numbers % 2 || row_bytes % firth::fine_row_step ||
            n_numbers / 2 + firth::fine_factor_bytes > row_bytes || row_bytes > UINT16_MAX)
            throw std::invalid_argument("codes and numbers do not fit");
        kept_ = {codes_.data(), row_bytes, n_numbers, {scale_step, offset_step}};
    }

    void choose(Array2<const float> questions, Array2<const int64_t> candidates, size_t n_threads,
                Array2<int64_t> rows) const {
        if (questions.shape(1) != kept_.n_numbers || rows.shape(0) != questions.shape(0) ||
            candidates.shape(0) != questions.shape(0) || n_threads == 0)
            throw std::invalid_argument(
                "questions, candidates and rows do not fit the codes and each other");
        for (size_t i = 0; i < candidates.size(); ++i)
            if (candidates.data()[i] >= static_cast<int64_t>(codes_.shape(0)))
                throw std::invalid_argument("a candidate is not there");
        nb::gil_scoped_release release;
        firth::choose_candidates(kept_, questions.data(), questions.shape(0), candidates.data(),
                                 candidates.shape(1), rows.shape(1), n_threads, rows.data());
    }

  private:
    Array2<const uint8_t> codes_;
    firth::FineCodes kept_;
};

void turn(Array2<const float> directions, Array2<const float> axes, Array1<const float> shift,
          Array2<float> turned) {
    const size_t n = directions.shape(0), dim = axes.shape(0), n_axes = axes.shape(1);
    if (directions.shape(1) != dim || shift.shape(0) != n_axes || turned.shape(0) != n ||
        turned.shape(1) != n_axes)
        throw std::invalid_argument("directions, axes, shift and turned do not fit each other");
    nb::gil_scoped_release release;
    firth::turn_questions(directions.data(), n, dim, axes.data(), n_axes, shift.data(), turned.data());
}

}  // namespace

void bind_codes(nb::module_ &m) {
    m.def("turn", &turn, "directions"_a, "axes"_a, "shift"_a, "turned"_a.noconvert(),
          "Write directions along other axes, less a shift.");
    nb::class_<SignCodes>(m, "SignCodes")
        .def(nb::init<Array2<const uint8_t>, Array2<const int16_t>, size_t, float, float>(), "codes"_a,
             "factors"_a, "n_rows"_a, "scale_step"_a, "offset_step"_a)
        .def("nearest", &SignCodes::nearest, "questions"_a, "n_threads"_a, "rows"_a.noconvert());
    nb::class_<FineCodes>(m, "FineCodes")
        .def(nb::init<Array2<const uint8_t>, size_t, float, float>(), "codes"_a, "n_numbers"_a,
             "scale_step"_a, "offset_step"_a)
        .def("choose", &FineCodes::choose, "questions"_a, "candidates"_a, "n_threads"_a,
             "rows"_a.noconvert());
}

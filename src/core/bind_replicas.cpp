// Replicas of matrices, for training whose bits do not depend on which thread was faster.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <stdexcept>

#include "bindings.hpp"
#include "replicas.hpp"

using namespace firth;

namespace {

void merge(Array2<float> base, const std::vector<Array2<float>> &replicas,
           Array1<const float> factors, std::optional<Array1<const uint32_t>> rows, int n_threads) {
    const size_t n_rows = base.shape(0), stride = base.shape(1);
    const size_t n_merged = rows ? rows->size() : n_rows;
    if (stride == 0 || stride % 16)
        throw std::invalid_argument("rows must be padded to a multiple of 16 floats");
    if (factors.size() != n_merged || n_threads < 1)
        throw std::invalid_argument("merging needs a factor for each row, and a thread");
    std::vector<float *> others;
    for (const Array2<float> &replica : replicas) {
        if (replica.shape(0) != n_rows || replica.shape(1) != stride)
            throw std::invalid_argument("replicas and base differ in shape");
        others.push_back(replica.data());
    }
    nb::gil_scoped_release release;
    for (size_t i = 0; rows && i < n_merged; ++i)
        if (rows->data()[i] >= n_rows) throw std::invalid_argument("a row is out of range");
    merge_replicas(base.data(), others, stride, rows ? rows->data() : nullptr, n_merged,
                   factors.data(), static_cast<size_t>(n_threads));
}

}  // namespace

void bind_replicas(nb::module_ &m) {
    m.def("merge_replicas", &merge, "base"_a.noconvert(), "replicas"_a.noconvert(), "factors"_a,
          "rows"_a = nb::none(), nb::kw_only(), "n_threads"_a);
}

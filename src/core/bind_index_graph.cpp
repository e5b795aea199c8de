#include <stdexcept>

#include "bindings.hpp"
#include "index_graph.hpp"

namespace {

int64_t first_wrong_byte(Array1<const uint8_t> data, size_t n_nodes, uint64_t n_rows,
                         size_t connectivity, size_t connectivity_base) {
    if (connectivity > UINT32_MAX || connectivity_base > UINT32_MAX)
        throw std::invalid_argument("the connectivity is out of range");
    nb::gil_scoped_release release;
    return firth::first_wrong_byte(data.data(), data.shape(0),
                                   {n_nodes, n_rows, connectivity, connectivity_base});
}

}  // namespace

void bind_index_graph(nb::module_ &m) {
    m.def("first_wrong_byte", first_wrong_byte, "data"_a, "n_nodes"_a, "n_rows"_a,
          "connectivity"_a, "connectivity_base"_a,
          "Check the levels and nodes of a graph of usearch; -1 where all is right.");
}

// Graphs of approximate search: their bytes checked, and walked.
#include <nanobind/stl/string.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include "bindings.hpp"
#include "graph_walk.hpp"
#include "index_graph.hpp"
#include "on_threads.hpp"

namespace {

int64_t first_wrong_byte(Array1<const uint8_t> data, size_t n_nodes, uint64_t n_rows,
                         size_t connectivity, size_t connectivity_base) {
    if (connectivity > UINT32_MAX || connectivity_base > UINT32_MAX)
        throw std::invalid_argument("the connectivity is out of range");
    nb::gil_scoped_release release;
    return firth::first_wrong_byte(data.data(), data.shape(0),
                                   {n_nodes, n_rows, connectivity, connectivity_base});
}

// Holds the arrays of a graph whose bytes have been checked. What has been checked may still change in
// a file that is mapped: whoever maps it must not let that happen.
class IndexGraph {
  public:
    IndexGraph(Array2<const uint8_t> vectors, const std::string &dtype, Array1<const uint8_t> nodes,
               uint64_t n_rows, size_t connectivity, size_t connectivity_base, uint32_t entry)
        : vectors_(std::move(vectors)), nodes_(std::move(nodes)) {
        const firth::Item item = item_of(dtype);
        const size_t n_nodes = vectors_.shape(0);
        if (vectors_.shape(1) == 0 || vectors_.shape(1) % firth::item_size(item))
            throw std::invalid_argument("the vectors are not whole numbers of their type");
        if (entry >= n_nodes) throw std::invalid_argument("a search begins at a node that is not there");
        if (first_wrong_byte(nodes_, n_nodes, n_rows, connectivity, connectivity_base) >= 0)
            throw std::invalid_argument("the nodes are damaged");
        const firth::GraphShape shape{n_nodes, n_rows, connectivity, connectivity_base};
        begins_ = firth::node_begins(nodes_.data(), shape);
        int16_t top = 0;
        std::memcpy(&top, nodes_.data() + 2 * size_t{entry}, sizeof top);
        graph_ = std::make_unique<firth::WalkedGraph>(firth::WalkedGraph{
            shape, vectors_.data(), item, vectors_.shape(1) / firth::item_size(item),
            nodes_.data() + 2 * n_nodes, begins_, entry, top});
    }

    void nearest(Array2<const float> queries, size_t expansion, size_t n_threads,
                 Array2<int64_t> keys) const {
        const size_t k = keys.shape(1);
        if (queries.shape(1) != graph_->dim || keys.shape(0) != queries.shape(0))
            throw std::invalid_argument("queries and keys do not fit the graph and each other");
        if (expansion < k || expansion == 0 || n_threads == 0)
            throw std::invalid_argument("expansion must be at least 1 and k, n_threads at least 1");
        nb::gil_scoped_release release;
        std::atomic<size_t> next{0};
        firth::on_threads_each(std::min(n_threads, std::max<size_t>(queries.shape(0), 1)), [&](size_t) {
            firth::GraphWalk walk(*graph_);
            for (size_t i; (i = next.fetch_add(1)) < queries.shape(0);)
                walk.nearest(queries.data() + i * graph_->dim, k, expansion, keys.data() + i * k);
        });
    }

  private:
    Array2<const uint8_t> vectors_;
    Array1<const uint8_t> nodes_;
    std::vector<uint64_t> begins_;
    std::unique_ptr<firth::WalkedGraph> graph_;
};

}  // namespace

void bind_index_graph(nb::module_ &m) {
    m.def("first_wrong_byte", first_wrong_byte, "data"_a, "n_nodes"_a, "n_rows"_a,
          "connectivity"_a, "connectivity_base"_a,
          "Check the levels and nodes of a graph of usearch; -1 where all is right.");
    nb::class_<IndexGraph>(m, "IndexGraph")
        .def(nb::init<Array2<const uint8_t>, const std::string &, Array1<const uint8_t>, uint64_t,
                      size_t, size_t, uint32_t>(),
             "vectors"_a, "dtype"_a, "nodes"_a, "n_rows"_a, "connectivity"_a, "connectivity_base"_a,
             "entry"_a)
        .def("nearest", &IndexGraph::nearest, "queries"_a, "expansion"_a, "n_threads"_a,
             "keys"_a.noconvert());
}

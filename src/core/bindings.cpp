#include "bindings.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>

#include "isa.hpp"

NB_MODULE(_core, m) {
    m.doc() = "The compiled core of firth: arrays in, arrays out; the Python above it validates.";
    m.def("isa", [] { return std::string(firth::isa_name(firth::current_isa())); },
          "The instruction set that the kernels run with.");
    m.def("supported_isas", [] {
        std::vector<std::string> names;
        for (firth::Isa isa : firth::supported_isas()) names.emplace_back(firth::isa_name(isa));
        return names;
    }, "The instruction sets that this machine can run, widest last.");
    m.def("select_isa", [](const std::string &name) {
        firth::select_isa(firth::isa_from_name(name));
    }, "name"_a, "Run the kernels with another of `supported_isas`; for tests and benchmarks.");
    bind_text(m);
    bind_vocabulary(m);
    bind_vector_files(m);
    bind_neighbours(m);
    bind_index_graph(m);
    bind_codes(m);
    bind_analogies(m);
    bind_subwords(m);
    bind_phrases(m);
    bind_training(m);
    bind_cooccurrence(m);
    bind_glove(m);
    bind_replicas(m);
}

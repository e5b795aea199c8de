// What the binding files share. Bindings convert between Python objects and plain arrays and
// release the GIL; the work is done in the files without Python.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/node_scores.hpp"

namespace nb = nanobind;
using namespace nb::literals;

// One-dimensional and two-dimensional C-contiguous arrays on the CPU. The const ones also take
// read-only arrays, such as those over a memory-mapped file.
template <typename T>
using Array1 = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename T>
using Array2 = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// A NumPy array that owns the vector's memory, without a copy.
template <typename T>
nb::ndarray<nb::numpy, T, nb::ndim<1>> to_numpy(std::vector<T> &&values) {
    auto *owned = new std::vector<T>(std::move(values));
    nb::capsule owner(owned, [](void *p) noexcept { delete static_cast<std::vector<T> *>(p); });
    return nb::ndarray<nb::numpy, T, nb::ndim<1>>(owned->data(), {owned->size()}, owner);
}

inline firth::Item item_of(const std::string &dtype) {
    if (dtype == "float32") return firth::Item::float32;
    if (dtype == "float16") return firth::Item::float16;
    if (dtype == "int8") return firth::Item::int8;
    throw std::invalid_argument("dtype must be float32, float16 or int8, not " + dtype);
}

void bind_text(nb::module_ &m);
void bind_vocabulary(nb::module_ &m);
void bind_vector_files(nb::module_ &m);
void bind_neighbours(nb::module_ &m);
void bind_index_graph(nb::module_ &m);
void bind_codes(nb::module_ &m);
void bind_analogies(nb::module_ &m);
void bind_subwords(nb::module_ &m);
void bind_phrases(nb::module_ &m);
void bind_training(nb::module_ &m);
void bind_cooccurrence(nb::module_ &m);
void bind_glove(nb::module_ &m);
void bind_replicas(nb::module_ &m);

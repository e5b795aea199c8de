#include <nanobind/stl/string.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bindings.hpp"
#include "exchange.hpp"
#include "string_index.hpp"

namespace {

using Bytes = Array1<const uint8_t>;
using Offsets = Array1<const uint64_t>;
using Counts = Array1<const int64_t>;
using Slots = Array1<const uint32_t>;
using Rows = Array1<const int64_t>;

// The UTF-8 of a Python string, which keeps it. False, without an error set, for a string with lone
// surrogates, which no vocabulary can hold.
bool as_utf8(nb::handle text, std::string_view &utf8) {
    Py_ssize_t size = 0;
    const char *data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (!data) {
        PyErr_Clear();
        return false;
    }
    utf8 = std::string_view(data, static_cast<size_t>(size));
    return true;
}

class BoundIndex {
public:
    BoundIndex(Bytes bytes, Offsets offsets, Slots slots)
        : bytes_(std::move(bytes)), offsets_(std::move(offsets)), slots_(std::move(slots)) {
        if (offsets_.shape(0) == 0 || slots_.shape(0) == 0 ||
            (slots_.shape(0) & (slots_.shape(0) - 1)) != 0)
            throw std::invalid_argument("offsets or slots of a wrong size");
        index_.words = {reinterpret_cast<const char *>(bytes_.data()), bytes_.shape(0),
                        offsets_.data(), offsets_.shape(0) - 1};
        index_.slots = slots_.data();
        index_.n_slots = slots_.shape(0);
    }

    int64_t find(nb::str word) const {
        std::string_view utf8;
        return as_utf8(word, utf8) ? index_.find(utf8) : firth::StringIndex::missing;
    }

    auto find_many(nb::list words) const {
        std::vector<int64_t> rows;
        rows.reserve(words.size());
        for (nb::handle word : words) {
            if (!PyUnicode_Check(word.ptr()))
                throw nb::type_error("every word must be a str");
            std::string_view utf8;
            rows.push_back(as_utf8(word, utf8) ? index_.find(utf8) : firth::StringIndex::missing);
        }
        return to_numpy(std::move(rows));
    }

    nb::object word(size_t row) const {
        std::string_view word;
        if (row >= index_.words.n) throw nb::index_error("row out of range");
        if (!index_.words.get(row, word)) throw std::invalid_argument("offsets out of order");
        PyObject *text =
            PyUnicode_DecodeUTF8(word.data(), static_cast<Py_ssize_t>(word.size()), "strict");
        if (!text) throw nb::python_error();
        return nb::steal(text);
    }

    nb::list words_from(size_t begin, size_t end) const {
        nb::list result;
        for (size_t row = begin; row < end; ++row) result.append(word(row));
        return result;
    }

    nb::list words_at(Rows rows) const {
        nb::list result;
        for (size_t i = 0; i < rows.shape(0); ++i)
            result.append(word(static_cast<size_t>(rows.data()[i])));
        return result;
    }

    auto nearest_spellings(nb::str text, Counts counts, size_t k, size_t max_distance) const {
        std::string_view utf8;
        if (counts.shape(0) != index_.words.n)
            throw std::invalid_argument("one count for every word is needed");
        std::vector<int64_t> rows;
        if (as_utf8(text, utf8)) {
            nb::gil_scoped_release release;
            rows = firth::nearest_spellings(index_.words, counts.data(), utf8, k, max_distance);
        }
        return to_numpy(std::move(rows));
    }

private:
    Bytes bytes_;
    Offsets offsets_;
    Slots slots_;
    firth::StringIndex index_;
};

auto build_slots(Bytes bytes, Offsets offsets) {
    const firth::Strings words{reinterpret_cast<const char *>(bytes.data()), bytes.shape(0),
                               offsets.data(), offsets.shape(0) - 1};
    firth::SlotTable table;
    {
        nb::gil_scoped_release release;
        table = firth::build_slots(words);
    }
    return nb::make_tuple(to_numpy(std::move(table.slots)), table.duplicate);
}

void exchange_paths(nb::bytes a, nb::bytes b) {
    if (const int error = firth::exchange_paths(a.c_str(), b.c_str())) {
        errno = error;
        PyErr_SetFromErrno(PyExc_OSError);
        throw nb::python_error();
    }
}

}  // namespace

void bind_vocabulary(nb::module_ &m) {
    m.def("build_slots", &build_slots, "word_bytes"_a, "word_offsets"_a,
          "The index from word to row, and the first row whose word an earlier one has, or -1.");
    m.def("exchange_paths", &exchange_paths, "a"_a, "b"_a,
          "Exchange two names of the file system in one step.");
    nb::class_<BoundIndex>(m, "StringIndex", "Words and the index from word to row.")
        .def(nb::init<Bytes, Offsets, Slots>(), "word_bytes"_a, "word_offsets"_a, "slots"_a)
        .def("find", &BoundIndex::find, "word"_a, "The row; -1: not there, -2: damaged.")
        .def("find_many", &BoundIndex::find_many, "words"_a)
        .def("word", &BoundIndex::word, "row"_a)
        .def("words_from", &BoundIndex::words_from, "begin"_a, "end"_a)
        .def("words_at", &BoundIndex::words_at, "rows"_a)
        .def("nearest_spellings", &BoundIndex::nearest_spellings, "word"_a, "counts"_a, "k"_a,
             "max_distance"_a);
}

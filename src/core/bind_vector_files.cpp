// Vector files: rows as they come in, from text and from word2vec's binary, and back to text.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>

#include "bindings.hpp"
#include "half.hpp"
#include "utf8.hpp"
#include "vector_binary.hpp"
#include "vector_text.hpp"
#include "word_rows.hpp"

namespace {

using Bytes = Array1<const uint8_t>;
using Offsets = Array1<const uint64_t>;
using Slots = Array1<const uint32_t>;

firth::BadWords bad_words_from(const std::string &errors) {
    if (errors == "strict") return firth::BadWords::refuse;
    if (errors == "replace") return firth::BadWords::replace;
    if (errors == "ignore") return firth::BadWords::drop;
    throw std::invalid_argument("errors must be strict, replace or ignore");
}

void check_offsets(const Offsets &offsets, size_t n_bytes) {
    const size_t n = offsets.shape(0);
    bool rising = n > 0;
    for (size_t i = 0; i + 1 < n; ++i) rising &= offsets.data()[i] <= offsets.data()[i + 1];
    if (!rising || offsets.data()[n - 1] > n_bytes)
        throw std::invalid_argument("the offsets of the words do not fit their bytes");
}

class BoundRows {
  public:
    BoundRows(size_t dims, bool half, uint64_t limit, const std::string &errors,
              std::optional<std::tuple<Bytes, Offsets, Slots>> wanted)
        : wanted_(std::move(wanted)),
          rows_(dims, half, limit, bad_words_from(errors), wanted_words()),
          text_(rows_),
          binary_(rows_) {
        if (dims > (size_t{1} << 32)) throw std::invalid_argument("dims");
    }

    void reserve(uint64_t n) { rows_.expect(n); }

    size_t parse_text(Array1<const uint8_t> block, size_t length, size_t n_threads) {
        if (rows_.dims() == 0 || block.shape(0) < length + firth::kReadBeyond)
            throw std::invalid_argument("the block needs room behind its end");
        nb::gil_scoped_release release;
        return text_.parse(reinterpret_cast<const char *>(block.data()), length, n_threads);
    }

    // Lines of numbers alone belong to these words.
    void take_words_from(Bytes bytes, Offsets offsets) {
        check_offsets(offsets, bytes.shape(0));
        given_.emplace(bytes, offsets);
        text_.take_words_from({reinterpret_cast<const char *>(bytes.data()), bytes.shape(0),
                               offsets.data(), offsets.shape(0) - 1});
    }

    size_t parse_binary(Array1<const uint8_t> block, size_t length, uint64_t most,
                        size_t n_threads) {
        if (rows_.dims() == 0 || block.shape(0) < length) throw std::invalid_argument("length");
        nb::gil_scoped_release release;
        return binary_.parse(reinterpret_cast<const char *>(block.data()), length, most,
                             n_threads);
    }

    // Takes words without rows; which of them are kept, up to the first that is refused.
    auto take_words(Bytes bytes, Offsets offsets) {
        if (rows_.dims() != 0) throw std::invalid_argument("the rows have dimensions");
        std::vector<int64_t> kept;
        {
            nb::gil_scoped_release release;
            check_offsets(offsets, bytes.shape(0));
            const char *const data = reinterpret_cast<const char *>(bytes.data());
            for (size_t i = 0; i + 1 < offsets.shape(0) && !rows_.is_full(); ++i) {
                const uint64_t begin = offsets.data()[i], end = offsets.data()[i + 1];
                if (end - begin > UINT32_MAX) throw std::length_error("a word of over 4 GiB");
                firth::ReadRow read{data + begin, static_cast<uint32_t>(end - begin)};
                rows_.examine(read);
                const uint64_t before = rows_.counts().kept;
                if (!rows_.take(read, before)) break;
                if (rows_.counts().kept > before) kept.push_back(static_cast<int64_t>(i));
            }
        }
        return to_numpy(std::move(kept));
    }

    nb::dict counts() const {
        const auto &counts = rows_.counts();
        nb::dict result;
        result["rows_read"] = counts.rows_read;
        result["kept"] = counts.kept;
        result["duplicates"] = counts.duplicates;
        result["empty_words"] = counts.empty;
        result["undecodable_words"] = counts.undecodable;
        result["not_finite"] = counts.not_finite;
        result["too_large"] = counts.too_large;
        result["lines"] = text_.n_lines();
        result["blank_lines"] = text_.n_blank_lines();
        result["spaced_words"] = text_.n_spaced_words();
        return result;
    }

    bool is_full() const { return rows_.is_full(); }

    void mark() {
        marked_ = rows_.counts();
    }
    void cut_back_to_mark() { rows_.cut_back(marked_.kept, marked_); }

    // (kind, line from 0, offset in the block, length, numbers found)
    nb::object text_problem() const {
        static constexpr const char *names[] = {"",          "too_few",  "too_many",
                                        "no_number", "bad_word", "after_blank"};
        const firth::TextProblem &problem = text_.problem();
        if (problem.kind == firth::LineProblem::none) return nb::none();
        return nb::make_tuple(names[static_cast<int>(problem.kind)], problem.line, problem.offset,
                              problem.length, problem.n_numbers);
    }

    // (kind, row from 0, offset in the block, length)
    nb::object binary_problem() const {
        static constexpr const char *names[] = {"", "long_word", "bad_word"};
        const firth::BinaryProblem &problem = binary_.problem();
        if (problem.kind == firth::BinaryProblem::Kind::none) return nb::none();
        return nb::make_tuple(names[static_cast<int>(problem.kind)], problem.row, problem.offset,
                              problem.length);
    }

    // The words and their matrix, which leave this object.
    auto release() {
        const size_t n = rows_.counts().kept, dims = rows_.dims();
        auto bytes = to_numpy(rows_.release_bytes());
        auto offsets = to_numpy(rows_.release_offsets());
        return nb::make_tuple(bytes, offsets, rows_.half() ? matrix<uint16_t>(n, dims)
                                                           : matrix<float>(n, dims));
    }

  private:
    firth::WantedWords wanted_words() const {
        if (!wanted_) return {};
        const auto &[bytes, offsets, slots] = *wanted_;
        if (offsets.shape(0) == 0 || slots.shape(0) == 0 ||
            (slots.shape(0) & (slots.shape(0) - 1)) != 0)
            throw std::invalid_argument("offsets or slots of a wrong size");
        return {reinterpret_cast<const char *>(bytes.data()), offsets.data(), slots.data(),
                offsets.shape(0) - 1, bytes.shape(0), slots.shape(0)};
    }

    struct Memory {
        char *data;
        size_t size;
    };

    template <typename T>
    nb::object matrix(size_t n, size_t dims) {
        const size_t size = n * rows_.row_bytes();
        auto *memory = new Memory{nullptr, size};
        nb::capsule owner(memory, [](void *p) noexcept {
            auto *memory = static_cast<Memory *>(p);
            firth::GrowingMemory::free_memory(memory->data, memory->size);
            delete memory;
        });
        memory->data = rows_.release_matrix();
        return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<2>>(memory->data, {n, dims}, owner));
    }

    std::optional<std::tuple<Bytes, Offsets, Slots>> wanted_;
    std::optional<std::tuple<Bytes, Offsets>> given_;
    firth::WordRows rows_;
    firth::VectorTextParser text_;
    firth::VectorBinaryParser binary_;
    firth::WordRows::Counts marked_;
};

// `matrix` is float32, or uint16 with the bits of float16.
template <typename T>
nb::bytes format_rows(Bytes bytes, Offsets offsets, Array2<const T> matrix, char separator,
                      bool with_words, size_t n_threads) {
    if (offsets.shape(0) != matrix.shape(0) + 1)
        throw std::invalid_argument("rows and words do not fit");
    std::vector<char> text;
    {
        nb::gil_scoped_release release;
        check_offsets(offsets, bytes.shape(0));
        text = firth::format_rows(reinterpret_cast<const char *>(bytes.data()), offsets.data(),
                                  reinterpret_cast<const char *>(matrix.data()), sizeof(T) == 2,
                                  matrix.shape(0), matrix.shape(1), {separator, with_words},
                                  n_threads);
    }
    return nb::bytes(text.data(), text.size());
}

// One number as the parser of rows reads it: for tests.
std::optional<float> parse_number(nb::bytes text) {
    std::string padded(text.c_str(), text.size());
    const size_t length = padded.size();
    padded.append(firth::kReadBeyond, '\n');
    const char *p = padded.data();
    float value = 0;
    if (firth::parse_common(p, value) && p == padded.data() + length) return value;
    if (firth::parse_any(padded.data(), padded.data() + length, value)) return value;
    return std::nullopt;
}

nb::bytes repair_utf8(nb::bytes bytes, bool replace) {
    const std::string_view view(bytes.c_str(), bytes.size());
    const std::string text =
        firth::is_utf8(view) ? std::string(view) : firth::repaired_utf8(view, replace);
    return nb::bytes(text.data(), text.size());
}

auto to_halves(Array1<const float> values) {
    std::vector<uint16_t> halves(values.shape(0));
    for (size_t i = 0; i < halves.size(); ++i) halves[i] = firth::to_half(values.data()[i]);
    return to_numpy(std::move(halves));
}

auto from_halves(Array1<const uint16_t> halves) {
    std::vector<float> values(halves.shape(0));
    for (size_t i = 0; i < values.size(); ++i) values[i] = firth::from_half(halves.data()[i]);
    return to_numpy(std::move(values));
}

}  // namespace

void bind_vector_files(nb::module_ &m) {
    nb::class_<BoundRows>(m, "WordRows", "The words and rows of a vector file as they come in.")
        .def(nb::init<size_t, bool, uint64_t, const std::string &,
                      std::optional<std::tuple<Bytes, Offsets, Slots>>>(),
             "dims"_a, "half"_a, "limit"_a, "errors"_a, "wanted"_a.none())
        .def("reserve", &BoundRows::reserve, "n"_a)
        .def("parse_text", &BoundRows::parse_text, "block"_a.noconvert(), "length"_a,
             "n_threads"_a)
        .def("take_words_from", &BoundRows::take_words_from, "word_bytes"_a.noconvert(),
             "word_offsets"_a.noconvert())
        .def("parse_binary", &BoundRows::parse_binary, "block"_a.noconvert(), "length"_a, "most"_a,
             "n_threads"_a)
        .def("take_words", &BoundRows::take_words, "word_bytes"_a.noconvert(),
             "word_offsets"_a.noconvert())
        .def("mark", &BoundRows::mark)
        .def("cut_back_to_mark", &BoundRows::cut_back_to_mark)
        .def("release", &BoundRows::release)
        .def_prop_ro("counts", &BoundRows::counts)
        .def_prop_ro("is_full", &BoundRows::is_full)
        .def_prop_ro("text_problem", &BoundRows::text_problem)
        .def_prop_ro("binary_problem", &BoundRows::binary_problem);
    m.def("format_rows", &format_rows<float>, "word_bytes"_a.noconvert(),
          "word_offsets"_a.noconvert(), "matrix"_a.noconvert(), "separator"_a, "with_words"_a,
          "n_threads"_a);
    m.def("format_half_rows", &format_rows<uint16_t>, "word_bytes"_a.noconvert(),
          "word_offsets"_a.noconvert(), "matrix"_a.noconvert(), "separator"_a, "with_words"_a,
          "n_threads"_a);
    m.def("parse_number", &parse_number, "text"_a);
    m.def("repair_utf8", &repair_utf8, "text"_a, "replace"_a);
    m.def("to_halves", &to_halves, "values"_a);
    m.def("from_halves", &from_halves, "halves"_a);
    m.attr("READ_BEYOND") = firth::kReadBeyond;
}

#include <nanobind/stl/optional.h>

#include <optional>
#include <stdexcept>
#include <string_view>

#include "bindings.hpp"
#include "fasttext_dictionary.hpp"
#include "subwords.hpp"

namespace {

using Bytes = Array1<const uint8_t>;
using Offsets = Array1<const uint64_t>;
using Ids = Array1<const uint32_t>;
using Ends = Array1<const int64_t>;

firth::Strings strings(const Bytes &bytes, const Offsets &offsets) {
    if (offsets.shape(0) == 0) throw std::invalid_argument("word_offsets is empty");
    return {reinterpret_cast<const char *>(bytes.data()), bytes.shape(0), offsets.data(),
            offsets.shape(0) - 1};
}

// What make() gives, made without the lock of the interpreter.
template <typename Make>
nb::tuple ids_and_offsets(const Make &make) {
    firth::SubwordIds found;
    {
        nb::gil_scoped_release release;
        found = make();
    }
    if (found.offsets.empty()) throw std::invalid_argument("word_offsets out of order");
    return nb::make_tuple(to_numpy(std::move(found.ids)), to_numpy(std::move(found.offsets)));
}

auto subword_ids(Bytes bytes, Offsets offsets, size_t min_n, size_t max_n, uint32_t bucket,
                 bool with_sentence_end) {
    if (bucket == 0) throw std::invalid_argument("bucket must be above 0");
    const firth::Strings words = strings(bytes, offsets);
    return ids_and_offsets(
        [&] { return firth::fasttext_ids(words, {min_n, max_n}, bucket, with_sentence_end); });
}

auto floret_ids(Bytes bytes, Offsets offsets, size_t min_n, size_t max_n, uint32_t bucket,
                size_t hash_count, uint32_t seed, nb::bytes begin_mark, nb::bytes end_mark) {
    if (bucket == 0 || hash_count < 1 || hash_count > 4)
        throw std::invalid_argument("bucket must be above 0 and hash_count from 1 to 4");
    const firth::Strings words = strings(bytes, offsets);
    const std::string_view begin(begin_mark.c_str(), begin_mark.size());
    const std::string_view end(end_mark.c_str(), end_mark.size());
    return ids_and_offsets([&] {
        return firth::floret_ids(words, {min_n, max_n}, {bucket, seed, hash_count}, begin, end);
    });
}

auto finalfusion_ids(Bytes bytes, Offsets offsets, size_t min_n, size_t max_n, uint64_t mask,
                     nb::bytes begin_mark, nb::bytes end_mark) {
    const firth::Strings words = strings(bytes, offsets);
    const std::string_view begin(begin_mark.c_str(), begin_mark.size());
    const std::string_view end(end_mark.c_str(), end_mark.size());
    return ids_and_offsets(
        [&] { return firth::finalfusion_ids(words, {min_n, max_n}, mask, begin, end); });
}

void mean_rows(Array2<float> out, std::optional<Array2<const float>> own, Array2<const float> rows,
               Ids ids, Ends offsets, bool add_only, size_t n_threads) {
    const size_t n_words = out.shape(0), dim = out.shape(1);
    if (rows.shape(1) != dim || offsets.shape(0) != n_words + 1 ||
        (own && (own->shape(0) != n_words || own->shape(1) != dim)))
        throw std::invalid_argument("matrices and offsets do not fit each other");
    const int64_t n_ids = static_cast<int64_t>(ids.shape(0));
    for (size_t i = 0; i < n_words; ++i)
        if (offsets.data()[i] < 0 || offsets.data()[i] > offsets.data()[i + 1] ||
            offsets.data()[i + 1] > n_ids)
            throw std::invalid_argument("offsets out of order");
    for (int64_t i = 0; i < n_ids; ++i)
        if (ids.data()[i] >= rows.shape(0)) throw std::invalid_argument("an id without a row");
    const firth::RowMatrix matrix{rows.data(), rows.shape(0), dim};
    nb::gil_scoped_release release;
    firth::mean_rows(out.data(), own ? own->data() : nullptr, matrix, ids.data(), offsets.data(),
                     n_words, add_only, n_threads);
}

auto split_fasttext_entries(nb::bytes data, size_t n_most) {
    firth::FastTextEntries entries;
    const std::string_view bytes(data.c_str(), data.size());
    {
        nb::gil_scoped_release release;
        entries = firth::split_fasttext_entries(bytes, n_most);
    }
    return nb::make_tuple(to_numpy(std::move(entries.word_bytes)),
                          to_numpy(std::move(entries.word_offsets)),
                          to_numpy(std::move(entries.counts)), to_numpy(std::move(entries.kinds)),
                          entries.n_consumed);
}

}  // namespace

void bind_subwords(nb::module_ &m) {
    m.def("subword_ids", &subword_ids, "word_bytes"_a, "word_offsets"_a, "min_n"_a, "max_n"_a,
          "bucket"_a, "with_sentence_end"_a = false,
          "The numbers of the n-grams of words as fastText hashes them, and offsets.");
    m.def("floret_ids", &floret_ids, "word_bytes"_a, "word_offsets"_a, "min_n"_a, "max_n"_a,
          "bucket"_a, "hash_count"_a, "seed"_a, "begin_mark"_a, "end_mark"_a,
          "The same as floret hashes them.");
    m.def("finalfusion_ids", &finalfusion_ids, "word_bytes"_a, "word_offsets"_a, "min_n"_a,
          "max_n"_a, "mask"_a, "begin_mark"_a, "end_mark"_a,
          "The same as finalfusion hashes them.");
    m.def("mean_rows", &mean_rows, "out"_a, "own"_a.none(), "rows"_a, "ids"_a, "offsets"_a,
          "add_only"_a, "n_threads"_a,
          "Means of rows of a matrix, each with a row of its own before them.");
    m.def("split_fasttext_entries", &split_fasttext_entries, "data"_a, "n_most"_a,
          "Words, offsets, counts and kinds in the dictionary of a fastText file, and how many "
          "bytes they take; what is cut off at the end is left.");
}

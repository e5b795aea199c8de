// Text to ids: the token interner and the renaming of its ids.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <tuple>

#include "bindings.hpp"
#include "select_words.hpp"
#include "token_interner.hpp"

using firth::TokenInterner;

namespace {

size_t encode_text(TokenInterner &interner, nb::bytes text, Array1<uint32_t> ids) {
    const char *bytes = text.c_str();
    const size_t length = text.size();
    if (ids.size() < length + 1) throw std::invalid_argument("ids needs room for len(text) + 1");
    nb::gil_scoped_release release;
    return interner.encode_text(bytes, length, ids.data());
}

// Ids of token lists, each closed by a sentence end unless `open` and the last one.
auto encode_sentences(TokenInterner &interner, nb::list sentences, bool last_is_open) {
    std::vector<uint32_t> ids;
    for (nb::handle item : sentences) {
        nb::list sentence = nb::cast<nb::list>(item);
        for (nb::handle token : sentence) {
            Py_ssize_t length = 0;
            const char *bytes = PyUnicode_AsUTF8AndSize(token.ptr(), &length);
            if (!bytes) throw nb::python_error();
            if (length > std::numeric_limits<int32_t>::max())
                throw std::length_error("a token of more than 2 GiB");
            ids.push_back(interner.encode_token({bytes, static_cast<size_t>(length)}));
        }
        ids.push_back(firth::kSentenceEnd);
    }
    if (last_is_open && !ids.empty()) ids.pop_back();
    return to_numpy(std::move(ids));
}

// The selected words as the arrays of a vocabulary: their bytes, their offsets, their counts.
auto select_words(const std::vector<const TokenInterner *> &interners, int64_t min_count,
                  size_t max_size, size_t n_threads) {
    if (interners.empty() || n_threads == 0)
        throw std::invalid_argument("interners and threads: there must be one or more of each");
    for (const TokenInterner *interner : interners)
        if (!interner) throw std::invalid_argument("None is no interner");
    std::vector<uint8_t> bytes;
    std::vector<uint64_t> offsets{0};
    std::vector<int64_t> counts;
    {
        nb::gil_scoped_release release;
        const auto words = firth::select_words(interners, min_count, max_size, n_threads);
        offsets.reserve(words.size() + 1);
        counts.reserve(words.size());
        for (size_t i = 0; i < words.size(); ++i) {
            // They lie here and there: some are sent for before they are copied.
            if (i + 16 < words.size()) __builtin_prefetch(words[i + 16].word.data());
            const auto &[count, first_bytes, word] = words[i];
            bytes.insert(bytes.end(), word.begin(), word.end());
            offsets.push_back(bytes.size());
            counts.push_back(count);
        }
    }
    return std::make_tuple(to_numpy(std::move(bytes)), to_numpy(std::move(offsets)),
                           to_numpy(std::move(counts)));
}

// A vocabulary may come from a file: its offsets are checked before they become addresses.
void check_offsets(const Array1<const uint64_t> &offsets, size_t n_bytes) {
    uint64_t end = 0;
    bool rising = offsets.size() > 0 && offsets.data()[0] == 0;
    for (size_t i = 0; i < offsets.size(); ++i) {
        rising &= offsets.data()[i] >= end;
        end = offsets.data()[i];
    }
    if (!rising || end > n_bytes)
        throw std::invalid_argument("the offsets of the words do not fit their bytes");
}

auto id_map_to(const TokenInterner &interner, Array1<const uint8_t> word_bytes,
               Array1<const uint64_t> offsets) {
    std::vector<uint32_t> map;
    {
        nb::gil_scoped_release release;
        check_offsets(offsets, word_bytes.size());
        map = interner.id_map_to(reinterpret_cast<const char *>(word_bytes.data()), offsets.data(),
                                 offsets.size() - 1);
    }
    return to_numpy(std::move(map));
}

auto rename_ids(Array1<const uint32_t> provisional, Array1<const uint32_t> id_map,
                Array1<uint32_t> ids, Array1<int64_t> sentence_ends) {
    if (ids.size() < provisional.size() || sentence_ends.size() < provisional.size())
        throw std::invalid_argument("ids and sentence_ends need room for as many as come in");
    nb::gil_scoped_release release;
    for (size_t i = 0; i < provisional.size(); ++i)
        if (provisional.data()[i] >= id_map.size() && provisional.data()[i] != firth::kSentenceEnd)
            throw std::invalid_argument("a provisional id is outside of the id map");
    const auto counts = firth::rename_ids(provisional.data(), provisional.size(), id_map.data(),
                                          ids.data(), sentence_ends.data());
    return std::make_pair(counts.n_ids, counts.n_sentence_ends);
}

}  // namespace

void bind_text(nb::module_ &m) {
    nb::class_<TokenInterner>(m, "TokenInterner")
        .def(nb::init<>())
        .def("encode_text", &encode_text, "text"_a, "ids"_a.noconvert())
        .def("encode_sentences", &encode_sentences, "sentences"_a, "last_is_open"_a = false)
        .def("id_map_to", &id_map_to, "word_bytes"_a.noconvert(), "word_offsets"_a.noconvert())
        .def("__len__", &TokenInterner::size)
        .def_prop_ro("total_count", &TokenInterner::total_count);
    m.def("select_words", &select_words, "interners"_a, "min_count"_a, "max_size"_a,
          "n_threads"_a = 1);
    m.def("rename_ids", &rename_ids, "provisional"_a.noconvert(), "id_map"_a.noconvert(),
          "ids"_a.noconvert(), "sentence_ends"_a.noconvert());
    m.attr("SENTENCE_END") = firth::kSentenceEnd;
    m.attr("DROPPED") = firth::kDropped;
}

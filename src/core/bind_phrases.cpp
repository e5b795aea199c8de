// Phrases: counting pairs of words, scoring them, joining them.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/tuple.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

#include "bindings.hpp"
#include "phrase_table.hpp"

using firth::Candidate;
using firth::PhraseTable;
using firth::Scoring;
using firth::TokenParts;

namespace {

using Bytes = Array1<const uint8_t>;
using Offsets = Array1<const uint64_t>;
using Ids = Array1<const uint32_t>;
using Ends = Array1<const int64_t>;

std::string_view utf8_of(nb::handle text) {
    if (!PyUnicode_Check(text.ptr())) throw nb::type_error("every token must be a str");
    Py_ssize_t size = 0;
    const char *data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (!data) throw nb::python_error();
    return {data, static_cast<size_t>(size)};
}

nb::object to_str(std::string_view utf8) {
    PyObject *text =
        PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), "strict");
    if (!text) throw nb::python_error();
    return nb::steal(text);
}

Scoring scoring_of(const PhraseTable &table, std::string_view rule, double min_count,
                   double threshold, double corpus_word_count) {
    const Scoring::Rule found = rule == "default" ? Scoring::Rule::standard
                                : rule == "npmi"  ? Scoring::Rule::npmi
                                : rule == "all"   ? Scoring::Rule::all
                                : rule == "stored"
                                    ? Scoring::Rule::stored
                                    : throw std::invalid_argument("no such rule of scoring");
    return {found, min_count, threshold, corpus_word_count, table.size()};
}

// Names that lie end to end; their offsets are checked before they become addresses.
template <typename Visit>
void visit_names(const Bytes &bytes, const Offsets &offsets, const Visit &visit) {
    const uint64_t *at = offsets.data();
    const char *text = reinterpret_cast<const char *>(bytes.data());
    for (size_t i = 0; i + 1 < offsets.size(); ++i) {
        if (at[i] > at[i + 1] || at[i + 1] > bytes.size())
            throw std::invalid_argument("the offsets of the words do not fit their bytes");
        visit(i, std::string_view(text + at[i], at[i + 1] - at[i]));
    }
}

size_t n_names(const Offsets &offsets) { return offsets.size() ? offsets.size() - 1 : 0; }

firth::Sentences sentences_of(const Ids &ids, const Ends &ends, int64_t first_position,
                              const Ids &tokens) {
    int64_t end = first_position;
    for (size_t i = 0; i < ends.size(); ++i) {
        if (ends.data()[i] < end || ends.data()[i] - first_position > static_cast<int64_t>(ids.size()))
            throw std::invalid_argument("the ends of the sentences do not fit their ids");
        end = ends.data()[i];
    }
    return {ids.data(),     ends.data(),   ends.size(),
            first_position, tokens.data(), tokens.size()};
}

class BoundTable {
public:
    BoundTable(std::string_view delimiter, uint64_t max_size, nb::list connectors)
        : table_(std::make_unique<PhraseTable>(delimiter, max_size)) {
        for (nb::handle word : connectors) table_->add_connector(utf8_of(word));
    }

    auto intern_many(Bytes bytes, Offsets offsets) {
        std::vector<uint32_t> tokens(n_names(offsets));
        {
            nb::gil_scoped_release release;
            visit_names(bytes, offsets,
                        [&](size_t i, std::string_view word) { tokens[i] = table_->intern(word); });
        }
        return to_numpy(std::move(tokens));
    }

    void count_sentences(nb::list sentences, size_t n_threads) {
        std::vector<uint32_t> ids;
        std::vector<int64_t> ends;
        for (nb::handle each : sentences) {
            const auto sentence = nb::cast<nb::list>(each);
            for (size_t i = 0; i < sentence.size(); ++i)
                ids.push_back(table_->intern(utf8_of(item(sentence, i))));
            ends.push_back(static_cast<int64_t>(ids.size()));
        }
        nb::gil_scoped_release release;
        table_->count({ids.data(), ends.data(), ends.size(), 0, nullptr, 0}, n_threads);
        // The words of names that were dropped would add up with the length of the text.
        if (table_->min_reduce() > 1 && table_->n_tokens() > 2 * table_->size())
            table_ = table_->compacted();
    }

    void count_ids(Ids ids, Ends ends, int64_t first_position, Ids tokens, size_t n_threads) {
        nb::gil_scoped_release release;
        table_->count(sentences_of(ids, ends, first_position, tokens), n_threads);
    }

    uint64_t count_of(nb::str name) const { return table_->count_of(utf8_of(name)); }

    void add_counts(Bytes bytes, Offsets offsets, Ends counts) {
        if (counts.size() != n_names(offsets))
            throw std::invalid_argument("one count for every name is needed");
        nb::gil_scoped_release release;
        visit_names(bytes, offsets, [&](size_t i, std::string_view name) {
            table_->add(name, static_cast<uint64_t>(counts.data()[i]));
        });
    }

    // What changes a table that may be in use, and what reads it, keep the lock of the interpreter:
    // a thread that adds sentences must not move what another one joins phrases by.
    void merge(const BoundTable &other) { table_->merge(*other.table_); }
    void prune(uint64_t min_reduce) { table_->prune(min_reduce); }

    // The position of the first name that is no phrase, or -1.
    int64_t add_phrases(Bytes bytes, Offsets offsets, Array1<const double> scores) {
        if (scores.size() != n_names(offsets))
            throw std::invalid_argument("one score for every phrase is needed");
        int64_t wrong = -1;
        nb::gil_scoped_release release;
        visit_names(bytes, offsets, [&](size_t i, std::string_view name) {
            const size_t before = table_->n_phrases();
            if ((!table_->add_phrase(name, scores.data()[i]) || table_->n_phrases() == before) &&
                wrong < 0)
                wrong = static_cast<int64_t>(i);
        });
        return wrong;
    }

    auto candidates(size_t partition, std::string_view rule, double min_count, double threshold,
                    double corpus_word_count) const {
        check_partition(partition);
        const Scoring scoring = scoring_of(*table_, rule, min_count, threshold, corpus_word_count);
        std::vector<int64_t> a, b, both;
        std::vector<double> scores;
        nb::list names;
        for (const Candidate &each : table_->candidates(partition, scoring)) {
            names.append(to_str(table_->name_of(each.key)));
            a.push_back(static_cast<int64_t>(each.count_a));
            b.push_back(static_cast<int64_t>(each.count_b));
            both.push_back(static_cast<int64_t>(each.count));
            scores.push_back(each.score);
        }
        return std::make_tuple(names, to_numpy(std::move(a)), to_numpy(std::move(b)),
                               to_numpy(std::move(both)), to_numpy(std::move(scores)));
    }

    // Partition 0 is that of the words, the others are those of the joined names.
    auto names_in(size_t partition) const {
        nb::list names;
        std::vector<int64_t> counts;
        const auto visit = [&](std::string_view name, uint64_t count) {
            names.append(to_str(name));
            counts.push_back(static_cast<int64_t>(count));
        };
        if (partition == 0) {
            table_->visit_words(visit);
        } else {
            check_partition(partition - 1);
            table_->visit_partition(partition - 1, visit);
        }
        return std::make_pair(names, to_numpy(std::move(counts)));
    }

    auto arrays() const {
        std::vector<uint8_t> bytes;
        std::vector<uint64_t> offsets{0};
        std::vector<int64_t> counts;
        const auto visit = [&](std::string_view name, uint64_t count) {
            bytes.insert(bytes.end(), name.begin(), name.end());
            offsets.push_back(bytes.size());
            counts.push_back(static_cast<int64_t>(count));
        };
        table_->visit_words(visit);
        for (size_t i = 0; i < PhraseTable::kPartitions; ++i) table_->visit_partition(i, visit);
        return std::make_tuple(to_numpy(std::move(bytes)), to_numpy(std::move(offsets)),
                               to_numpy(std::move(counts)));
    }

    // The tokens of a sentence with its phrases joined.
    nb::list join_sentence(nb::list sentence, std::string_view rule, double min_count,
                           double threshold, double corpus_word_count) const {
        nb::list joined;
        join(sentence, scoring_of(*table_, rule, min_count, threshold, corpus_word_count), joined,
             [](double) {});
        return joined;
    }

    // The same, and the score of each phrase, None for words.
    auto analyze_sentence(nb::list sentence, std::string_view rule, double min_count,
                          double threshold, double corpus_word_count) const {
        nb::list joined, scores;
        join(sentence, scoring_of(*table_, rule, min_count, threshold, corpus_word_count), joined,
             [&](double score) {
                 while (scores.size() < joined.size()) scores.append(nb::none());
                 scores.append(nb::float_(score));
             });
        while (scores.size() < joined.size()) scores.append(nb::none());
        return std::make_pair(joined, scores);
    }

    // The ids of whole sentences, with a mark behind each; finished phrase i is len(tokens) + i.
    auto join_ids(Ids ids, Ends ends, int64_t first_position, Ids tokens, double threshold) const {
        std::vector<uint32_t> result;
        {
            nb::gil_scoped_release release;
            const Scoring scoring{Scoring::Rule::stored, 0, threshold, 0, 0};
            const auto sentences = sentences_of(ids, ends, first_position, tokens);
            const auto n_words = static_cast<uint32_t>(tokens.size());
            result.reserve(ids.size() + ends.size());
            std::vector<TokenParts> sentence;
            for (size_t i = 0; i < sentences.n_sentences; ++i) {
                const size_t begin = sentences.begin_of(i), end = sentences.end_of(i);
                sentence.clear();
                for (size_t at = begin; at < end; ++at) {
                    sentences.token(at, table_->n_tokens());  // throws for what is no address
                    sentence.push_back(table_->parts_of_token(tokens.data()[ids.data()[at]]));
                }
                table_->join(
                    sentence.data(), sentence.size(), scoring,
                    [&](size_t at) { result.push_back(ids.data()[begin + at]); },
                    [&](size_t, size_t, uint64_t number, double) {
                        result.push_back(n_words + static_cast<uint32_t>(number));
                    });
                result.push_back(firth::kSentenceEnd);
            }
        }
        return to_numpy(std::move(result));
    }

    size_t size() const { return table_->size(); }
    size_t n_tokens() const { return table_->n_tokens(); }
    uint64_t n_words_read() const { return table_->n_words_read(); }
    uint64_t min_reduce() const { return table_->min_reduce(); }

private:
    // Appends the tokens of a sentence; calls note(score) before each phrase.
    template <typename Note>
    void join(nb::list sentence, const Scoring &scoring, nb::list joined, const Note &note) const {
        const size_t n = sentence.size();
        std::vector<uint32_t> found(n);
        std::vector<TokenParts> tokens(n);
        std::vector<std::vector<uint32_t>> others;  // parts of tokens that were never seen whole
        others.reserve(n);
        for (size_t i = 0; i < n; ++i) {
            const std::string_view text = utf8_of(item(sentence, i));
            found[i] = table_->find(text);
            if (found[i] != firth::kUnknownToken) {
                tokens[i] = table_->parts_of_token(found[i]);
            } else if (text.find(table_->delimiter()) != text.npos) {
                others.emplace_back();
                if (table_->find_parts(text, others.back()))
                    tokens[i] = {others.back().data(), others.back().size(), false};
            }
        }
        const auto append = [&](nb::handle token) {
            if (PyList_Append(joined.ptr(), token.ptr())) throw nb::python_error();
        };
        table_->join(
            tokens.data(), n, scoring, [&](size_t i) { append(item(sentence, i)); },
            [&](size_t begin, size_t end, uint64_t, double score) {
                nb::list parts;
                for (size_t i = begin; i < end; ++i) parts.append(item(sentence, i));
                const nb::object delimiter = to_str(table_->delimiter());
                PyObject *phrase = PyUnicode_Join(delimiter.ptr(), parts.ptr());
                if (!phrase) throw nb::python_error();
                note(score);
                append(nb::steal(phrase));
            });
    }

    static nb::handle item(const nb::list &list, size_t i) {
        return PyList_GET_ITEM(list.ptr(), static_cast<Py_ssize_t>(i));
    }

    static void check_partition(size_t partition) {
        if (partition >= PhraseTable::kPartitions) throw nb::index_error("no such partition");
    }

    std::unique_ptr<PhraseTable> table_;
};

}  // namespace

void bind_phrases(nb::module_ &m) {
    nb::class_<BoundTable>(m, "PhraseTable", "Counts of words and pairs, or finished phrases.")
        .def(nb::init<std::string_view, uint64_t, nb::list>(), "delimiter"_a, "max_size"_a,
             "connectors"_a)
        .def("intern_many", &BoundTable::intern_many, "word_bytes"_a, "word_offsets"_a)
        .def("count_sentences", &BoundTable::count_sentences, "sentences"_a, "n_threads"_a)
        .def("count_ids", &BoundTable::count_ids, "ids"_a.noconvert(), "sentence_ends"_a.noconvert(),
             "first_position"_a, "tokens"_a.noconvert(), "n_threads"_a)
        .def("count_of", &BoundTable::count_of, "name"_a)
        .def("add_counts", &BoundTable::add_counts, "name_bytes"_a, "name_offsets"_a, "counts"_a)
        .def("merge", &BoundTable::merge, "other"_a)
        .def("prune", &BoundTable::prune, "min_reduce"_a)
        .def("add_phrases", &BoundTable::add_phrases, "name_bytes"_a, "name_offsets"_a, "scores"_a)
        .def("candidates", &BoundTable::candidates, "partition"_a, "rule"_a, "min_count"_a,
             "threshold"_a, "corpus_word_count"_a)
        .def("names_in", &BoundTable::names_in, "partition"_a)
        .def("arrays", &BoundTable::arrays)
        .def("join_sentence", &BoundTable::join_sentence, "sentence"_a, "rule"_a, "min_count"_a,
             "threshold"_a, "corpus_word_count"_a)
        .def("analyze_sentence", &BoundTable::analyze_sentence, "sentence"_a, "rule"_a,
             "min_count"_a, "threshold"_a, "corpus_word_count"_a)
        .def("join_ids", &BoundTable::join_ids, "ids"_a.noconvert(), "sentence_ends"_a.noconvert(),
             "first_position"_a, "tokens"_a.noconvert(), "threshold"_a)
        .def("__len__", &BoundTable::size)
        .def_prop_ro_static("n_partitions", [](nb::handle) { return PhraseTable::kPartitions; })
        .def_prop_ro("n_tokens", &BoundTable::n_tokens)
        .def_prop_ro("n_words_read", &BoundTable::n_words_read)
        .def_prop_ro("min_reduce", &BoundTable::min_reduce);
}

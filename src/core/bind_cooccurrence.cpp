// Counting co-occurrences, merging them, and dealing them out for training.
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <stdexcept>
#include <tuple>

#include "bindings.hpp"
#include "cooccurrence.hpp"
#include "random.hpp"

using namespace firth;

namespace {

using Rows = nb::ndarray<nb::numpy, uint32_t, nb::ndim<2>>;

void add(CooccurrenceCounter &counter, Array1<const uint32_t> ids,
         Array1<const int64_t> sentence_ends, int64_t first_position) {
    nb::gil_scoped_release release;
    int64_t position = first_position;
    for (size_t i = 0; i < sentence_ends.size(); ++i) {
        if (sentence_ends.data()[i] < position) throw std::invalid_argument("sentence ends fall");
        position = sentence_ends.data()[i];
    }
    if (position - first_position != static_cast<int64_t>(ids.size()))
        throw std::invalid_argument("sentence ends do not match the ids");
    if (ids.size() > counter.room_left()) throw std::invalid_argument("more words than announced");
    for (size_t i = 0; i < ids.size(); ++i)
        if (ids.data()[i] >= counter.n_words())
            throw std::invalid_argument("a word id is outside of the vocabulary");
    counter.add(ids.data(), ids.size(), sentence_ends.data(), sentence_ends.size(), first_position);
}

auto encode_rows(CooccurrenceCounter &counter, size_t begin, size_t end) {
    if (begin > end || end > counter.n_words()) throw std::invalid_argument("no such rows");
    std::vector<uint8_t> block;
    {
        nb::gil_scoped_release release;
        counter.encode_rows(begin, end, block);
    }
    return to_numpy(std::move(block));
}

auto merge(CooccurrenceMerger &merger, const std::vector<Array1<const uint8_t>> &blocks,
           size_t n_rows, double scale) {
    MergedRows rows;
    {
        nb::gil_scoped_release release;
        std::vector<std::span<const uint8_t>> spans;
        for (const auto &block : blocks) spans.emplace_back(block.data(), block.size());
        rows = merger.merge(spans, n_rows, scale);
    }
    return std::make_tuple(to_numpy(std::move(rows.row_lengths)), to_numpy(std::move(rows.columns)),
                           to_numpy(std::move(rows.values)));
}

// The hand that gets a card: a hash of its number, so that two passes over the cards agree.
class Dealer {
  public:
    Dealer(uint64_t seed, size_t n_hands) : seed_(seed), n_hands_(n_hands) {}
    size_t hand_of(uint64_t card) const {
        RandomStream stream{seed_ + card * 0x9e3779b97f4a7c15};
        return static_cast<size_t>((stream.next() >> 32) * n_hands_ >> 32);
    }

  private:
    uint64_t seed_, n_hands_;
};

auto hand_sizes(uint64_t first_card, uint64_t n_cards, size_t n_hands, uint64_t seed) {
    std::vector<int64_t> sizes(n_hands);
    {
        nb::gil_scoped_release release;
        const Dealer dealer(seed, n_hands);
        for (uint64_t i = 0; i < n_cards; ++i) ++sizes[dealer.hand_of(first_card + i)];
    }
    return to_numpy(std::move(sizes));
}

// Deals whole rows of a sparse matrix out to hands: (row, column, value) of each hand together, in the
// order of the matrix.
auto deal(Array1<const int64_t> row_starts, uint32_t first_row, Array1<const uint32_t> columns,
          Array1<const float> values, size_t n_hands, uint64_t seed) {
    const size_t n = columns.size();
    if (row_starts.size() == 0 || values.size() != n || n_hands == 0)
        throw std::invalid_argument("rows, columns and values do not match");
    auto *cards = new std::vector<uint32_t>(3 * n);
    nb::capsule owner(cards, [](void *p) noexcept { delete static_cast<std::vector<uint32_t> *>(p); });
    std::vector<int64_t> sizes(n_hands);
    {
        nb::gil_scoped_release release;
        const int64_t first = row_starts.data()[0];
        const size_t n_rows = row_starts.size() - 1;
        for (size_t r = 0; r < n_rows; ++r)
            if (row_starts.data()[r + 1] < row_starts.data()[r])
                throw std::invalid_argument("row starts fall");
        if (row_starts.data()[n_rows] - first != static_cast<int64_t>(n))
            throw std::invalid_argument("row starts do not match the columns");
        const Dealer dealer(seed, n_hands);
        const auto first_card = static_cast<uint64_t>(first);
        for (size_t i = 0; i < n; ++i) ++sizes[dealer.hand_of(first_card + i)];
        std::vector<size_t> next(n_hands);
        for (size_t h = 1; h < n_hands; ++h) next[h] = next[h - 1] + static_cast<size_t>(sizes[h - 1]);
        size_t i = 0;
        for (size_t r = 0; r < n_rows; ++r)
            for (const auto end = static_cast<size_t>(row_starts.data()[r + 1] - first); i < end; ++i) {
                uint32_t *const card = cards->data() + 3 * next[dealer.hand_of(first_card + i)]++;
                card[0] = first_row + static_cast<uint32_t>(r);
                card[1] = columns.data()[i];
                std::memcpy(card + 2, values.data() + i, sizeof(float));
            }
    }
    return std::make_tuple(Rows(cards->data(), {n, 3}, owner), to_numpy(std::move(sizes)));
}

}  // namespace

void bind_cooccurrence(nb::module_ &m) {
    nb::class_<CooccurrenceCounter>(m, "CooccurrenceCounter")
        .def("__init__", [](CooccurrenceCounter *self, size_t n_words, Array1<const uint64_t> weights,
                            bool symmetric, size_t capacity) {
            if (weights.size() == 0 || weights.size() > kMaxWindow)
                throw std::invalid_argument("window out of range");
            if (capacity > kMaxPositions || n_words > UINT32_MAX - kMaxWindow - 1)
                throw std::invalid_argument("too many words");
            new (self) CooccurrenceCounter(
                n_words, {weights.data(), weights.data() + weights.size()}, symmetric, capacity);
        }, "n_words"_a, "weights"_a, "symmetric"_a, "capacity"_a)
        .def("add", &add, "ids"_a.noconvert(), "sentence_ends"_a.noconvert(), "first_position"_a)
        .def("find_places", &CooccurrenceCounter::find_places, nb::call_guard<nb::gil_scoped_release>())
        .def("n_places", &CooccurrenceCounter::n_places, "begin"_a, "end"_a)
        .def("encode_rows", &encode_rows, "begin"_a, "end"_a);
    nb::class_<CooccurrenceMerger>(m, "CooccurrenceMerger")
        .def(nb::init<size_t>(), "n_words"_a)
        .def("merge", &merge, "blocks"_a, "n_rows"_a, "scale"_a);
    m.def("hand_sizes", &hand_sizes, "first_card"_a, "n_cards"_a, "n_hands"_a, "seed"_a);
    m.def("deal", &deal, "row_starts"_a.noconvert(), "first_row"_a, "columns"_a.noconvert(),
          "values"_a.noconvert(), "n_hands"_a, "seed"_a);
    m.attr("MAX_WINDOW") = kMaxWindow;
}

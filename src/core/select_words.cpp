#include "select_words.hpp"

#include <algorithm>
#include <atomic>

#include "on_threads.hpp"

namespace firth {

namespace {

// Words that a thread takes at a time: few enough that threads end together, although the frequent words,
// which are looked up, stand at the beginning.
constexpr size_t kPiece = 4096;

bool comes_before(const CountedWord &a, const CountedWord &b) {
    if (a.count != b.count) return a.count > b.count;
    if (a.first_bytes != b.first_bytes) return a.first_bytes < b.first_bytes;
    return a.word < b.word;
}

class Selection {
  public:
    Selection(std::span<const TokenInterner *const> interners, int64_t min_count)
        : interners_(interners), min_count_(min_count) {
        const auto n = static_cast<int64_t>(interners.size());
        enough_ = min_count / n + (min_count % n != 0);
    }

    // Appends the words among [first, end) of an interner that are frequent enough and not told by an
    // interner before it.
    void append(size_t teller, size_t first, size_t end, std::vector<CountedWord> &selected) const {
        const TokenInterner &words = *interners_[teller];
        const size_t begin = selected.size();
        for (size_t i = first; i < end; ++i) {
            const auto id = static_cast<uint32_t>(i);
            if (words.count(id) >= enough_)
                selected.push_back({words.count(id), words.first_bytes(id), words.word(id)});
        }
        for (size_t other = 0; other < interners_.size(); ++other)
            if (other != teller) add_counts(*interners_[other], other < teller, begin, selected);
        remove(begin, selected, [&](const CountedWord &word) { return word.count < min_count_; });
    }

  private:
    void add_counts(const TokenInterner &other, bool tells_first, size_t begin,
                    std::vector<CountedWord> &selected) const {
        other.find_each(
            selected.size() - begin, [&](size_t i) { return selected[begin + i].word; },
            [&](size_t i, uint32_t id) {
                if (id == kDropped) return;
                int64_t &count = selected[begin + i].count;
                count = tells_first && other.count(id) >= enough_ ? kToldBefore : count + other.count(id);
            });
        if (tells_first)
            remove(begin, selected, [](const CountedWord &word) { return word.count == kToldBefore; });
    }

    template <typename Condition>
    static void remove(size_t begin, std::vector<CountedWord> &selected, const Condition &condition) {
        const auto first = selected.begin() + static_cast<ptrdiff_t>(begin);
        selected.erase(std::remove_if(first, selected.end(), condition), selected.end());
    }

    static constexpr int64_t kToldBefore = -1;

    std::span<const TokenInterner *const> interners_;
    int64_t min_count_;
    // A word that all have seen min_count times was seen so often by one of them at least, and the first
    // of those tells it.
    int64_t enough_;
};

}  // namespace

std::vector<CountedWord> select_words(std::span<const TokenInterner *const> interners,
                                      int64_t min_count, size_t max_size, size_t n_threads) {
    struct Piece {
        size_t interner, first, end;
    };
    std::vector<Piece> pieces;
    for (size_t i = 0; i < interners.size(); ++i)
        for (size_t first = 0; first < interners[i]->size(); first += kPiece)
            pieces.push_back({i, first, std::min(first + kPiece, interners[i]->size())});

    const Selection selection(interners, min_count);
    std::atomic<size_t> next{0};
    std::vector<std::vector<CountedWord>> parts(n_threads);
    on_threads_each(n_threads, [&](size_t thread) {
        std::vector<CountedWord> selected;
        for (size_t i; (i = next.fetch_add(1)) < pieces.size();)
            selection.append(pieces[i].interner, pieces[i].first, pieces[i].end, selected);
        std::sort(selected.begin(), selected.end(), comes_before);
        parts[thread] = std::move(selected);
    });

    // Sorted parts are merged by twos, until one is left.
    for (size_t step = 1; step < n_threads; step *= 2)
        on_threads_each((n_threads + step - 1) / (2 * step), [&](size_t pair) {
            auto &a = parts[2 * step * pair], &b = parts[2 * step * pair + step];
            std::vector<CountedWord> merged(a.size() + b.size());
            std::merge(a.begin(), a.end(), b.begin(), b.end(), merged.begin(), comes_before);
            a = std::move(merged);
            b = {};
        });
    if (parts[0].size() > max_size) parts[0].resize(max_size);
    return std::move(parts[0]);
}

}  // namespace firth

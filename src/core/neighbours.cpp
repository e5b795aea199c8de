#include "neighbours.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "kernels/topk.hpp"

namespace firth {

bool BestRows::excluded(int64_t row) const {
    return std::binary_search(exclude_, exclude_ + n_exclude_, row);
}

void BestRows::take(const Scored &scored) {
    if (heap_.size() == k_) {
        if (!(scored < heap_.front())) return;
        std::pop_heap(heap_.begin(), heap_.end());
        heap_.back() = scored;
    } else {
        heap_.push_back(scored);
    }
    std::push_heap(heap_.begin(), heap_.end());
    if (heap_.size() == k_) {
        const float worst = heap_.front().score;
        threshold_ = worst - 1e-6f * std::fabs(worst) - std::numeric_limits<float>::min();
    }
}

void BestRows::offer(const float *dots, const float *norms, size_t n, size_t first_row) {
    if (k_ == 0) return;
    for (size_t i = 0;; ++i) {
        i = FIRTH_DISPATCH(next_above, dots, norms, i, n, threshold_);
        if (i == n) return;
        const int64_t row = static_cast<int64_t>(first_row + i);
        const float score = dots[i] / norms[i];
        if (std::isfinite(score) && !excluded(row)) take({score, row});
    }
}

void BestRows::merge(const BestRows &other) {
    for (const Scored &scored : other.heap_) take(scored);
}

void BestRows::write(int64_t *rows, float *scores) {
    std::sort_heap(heap_.begin(), heap_.end());
    for (size_t i = 0; i < k_; ++i) {
        const bool there = i < heap_.size();
        rows[i] = there ? heap_[i].row : -1;
        scores[i] = there ? heap_[i].score : -std::numeric_limits<float>::infinity();
    }
}

namespace {

// Calls work(0) ... work(n - 1) on some threads, the calling one among them.
template <typename Work>
void in_parallel(size_t n, size_t n_threads, const Work &work) {
    std::atomic<size_t> next{0};
    const auto run = [&] {
        for (size_t i; (i = next.fetch_add(1)) < n;) work(i);
    };
    std::vector<std::thread> others;
    for (size_t i = 1; i < std::min(n, n_threads); ++i) others.emplace_back(run);
    run();
    for (std::thread &thread : others) thread.join();
}

}  // namespace

void offer_block(std::vector<BestRows> &best, size_t first_question, const float *dots,
                 size_t n_questions, size_t n_rows, const float *norms, size_t first_row,
                 size_t n_threads) {
    in_parallel(n_questions, n_threads, [&](size_t i) {
        best[first_question + i].offer(dots + i * n_rows, norms, n_rows, first_row);
    });
}

void search_few(std::vector<BestRows> &best, const Matrix &matrix, const float *norms,
                const float *questions, size_t n_threads) {
    // Rows that stay in the second-level cache while all questions are asked of them.
    const size_t block_rows = std::max<size_t>(64, (size_t{1} << 17) / matrix.dim);
    const size_t n_parts = std::max<size_t>(1, std::min(n_threads, matrix.n_rows / block_rows));
    std::vector<std::vector<BestRows>> best_of_part(n_parts, best);
    in_parallel(n_parts, n_threads, [&](size_t part) {
        const size_t end = matrix.n_rows * (part + 1) / n_parts;
        std::vector<float> dots(block_rows);
        for (size_t row = matrix.n_rows * part / n_parts; row < end; row += block_rows) {
            const size_t n = std::min(block_rows, end - row);
            for (size_t i = 0; i < best.size(); ++i) {
                FIRTH_DISPATCH(row_dots, matrix.values + row * matrix.dim, n, matrix.dim,
                               questions + i * matrix.dim, dots.data());
                best_of_part[part][i].offer(dots.data(), norms + row, n, row);
            }
        }
    });
    for (size_t i = 0; i < best.size(); ++i)
        for (const std::vector<BestRows> &part : best_of_part) best[i].merge(part[i]);
}

}  // namespace firth

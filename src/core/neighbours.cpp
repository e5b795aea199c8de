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

// Calls work(thread) on each of some threads, the calling one among them.
template <typename Work>
void on_threads(size_t n_threads, const Work &work) {
    std::vector<std::thread> others;
    for (size_t i = 1; i < n_threads; ++i) others.emplace_back(work, i);
    work(0);
    for (std::thread &thread : others) thread.join();
}

// Cuts the matrix into blocks and calls search_block(best, memory, first_row, n_rows) for each, with
// lists and `n_floats` of memory of a thread's own; then merges the lists.
template <typename SearchBlock>
void search_blocks(std::vector<BestRows> &best, size_t n_rows, size_t block_rows, size_t n_threads,
                   size_t n_floats, const SearchBlock &search_block) {
    const size_t n_blocks = (n_rows + block_rows - 1) / block_rows;
    n_threads = std::max<size_t>(1, std::min(n_threads, n_blocks));
    std::vector<std::vector<BestRows>> best_of_thread(n_threads, best);
    std::vector<std::vector<float>> memory_of_thread(n_threads, std::vector<float>(n_floats));
    std::atomic<size_t> next{0};
    on_threads(n_threads, [&](size_t thread) {
        for (size_t block; (block = next.fetch_add(1)) < n_blocks;) {
            const size_t row = block * block_rows;
            search_block(best_of_thread[thread], memory_of_thread[thread].data(), row,
                         std::min(block_rows, n_rows - row));
        }
    });
    for (size_t i = 0; i < best.size(); ++i)
        for (const std::vector<BestRows> &thread : best_of_thread) best[i].merge(thread[i]);
}

// Floats of a block of rows that leave room in the second-level cache.
constexpr size_t block_floats = size_t{1} << 16;

size_t rows_of_block(size_t dim) {
    return std::max<size_t>(1, block_floats / dim / row_tile) * row_tile;
}

// Rows of a matrix in single precision; `memory` has room for them.
const float *rows_at(const Matrix &matrix, size_t row, size_t n, float *memory) {
    if (matrix.values) return matrix.values + row * matrix.dim;
    FIRTH_DISPATCH(widen, matrix.halves + row * matrix.dim, n * matrix.dim, memory);
    return memory;
}

size_t floats_for_rows(const Matrix &matrix, size_t block_rows) {
    return matrix.values ? 0 : block_rows * matrix.dim;
}

// Questions as block_dots takes them: tiles of (dim x question_tile), the last filled up with zeros.
std::vector<float> tiles_of(const float *questions, size_t n, size_t dim) {
    const size_t n_tiles = (n + question_tile - 1) / question_tile;
    std::vector<float> tiles(n_tiles * question_tile * dim);
    for (size_t i = 0; i < n; ++i) {
        float *tile = tiles.data() + i / question_tile * question_tile * dim + i % question_tile;
        for (size_t k = 0; k < dim; ++k) tile[k * question_tile] = questions[i * dim + k];
    }
    return tiles;
}

}  // namespace

void search_few(std::vector<BestRows> &best, const Matrix &matrix, const float *norms,
                const float *questions, size_t n_threads) {
    const size_t dim = matrix.dim, block_rows = rows_of_block(dim);
    search_blocks(best, matrix.n_rows, block_rows, n_threads,
                  block_rows + floats_for_rows(matrix, block_rows),
                  [&](std::vector<BestRows> &found, float *dots, size_t row, size_t n) {
                      const float *rows = rows_at(matrix, row, n, dots + block_rows);
                      for (size_t i = 0; i < found.size(); ++i) {
                          FIRTH_DISPATCH(row_dots, rows, n, dim, questions + i * dim, dots);
                          found[i].offer(dots, norms + row, n, row);
                      }
                  });
}

void search_many(std::vector<BestRows> &best, const Matrix &matrix, const float *norms,
                 const float *questions, size_t n_threads) {
    const size_t dim = matrix.dim, block_rows = rows_of_block(dim);
    const std::vector<float> tiles = tiles_of(questions, best.size(), dim);
    search_blocks(best, matrix.n_rows, block_rows, n_threads,
                  block_rows * (dim + question_tile) + floats_for_rows(matrix, block_rows),
                  [&](std::vector<BestRows> &found, float *packed, size_t row, size_t n) {
                      float *dots = packed + block_rows * dim;
                      const float *rows =
                          rows_at(matrix, row, n, dots + block_rows * question_tile);
                      FIRTH_DISPATCH(pack_rows, rows, n, dim, packed);
                      for (size_t first = 0; first < found.size(); first += question_tile) {
                          FIRTH_DISPATCH(block_dots, packed, n, dim, tiles.data() + first * dim,
                                         dots, block_rows);
                          const size_t end = std::min(first + question_tile, found.size());
                          for (size_t i = first; i < end; ++i)
                              found[i].offer(dots + (i - first) * block_rows, norms + row, n, row);
                      }
                  });
}

}  // namespace firth

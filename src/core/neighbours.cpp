#include "neighbours.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "kernels/topk.hpp"
#include "on_threads.hpp"
#include "rows_ahead.hpp"

namespace firth {

bool BestRows::excluded(int64_t row) const {
    return std::binary_search(exclude_, exclude_ + n_exclude_, row);
}

void BestRows::take(const Scored &scored) {
    if (k_ == 0) return;
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

void BestRows::offer(float score, size_t row) {
    const int64_t number = static_cast<int64_t>(row);
    if (std::isfinite(score) && !excluded(number)) take({score, number});
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

// Cuts the matrix into blocks and calls search_block(memory, best, first_row, n_rows) for each, with
// lists and a copy of `memory` of a thread's own; then merges the lists.
template <typename Memory, typename SearchBlock>
void search_blocks(std::vector<BestRows> &best, size_t n_rows, size_t block_rows, size_t n_threads,
                   const Memory &memory, const SearchBlock &search_block) {
    const size_t n_blocks = (n_rows + block_rows - 1) / block_rows;
    n_threads = std::max<size_t>(1, std::min(n_threads, n_blocks));
    std::vector<std::vector<BestRows>> best_of_thread(n_threads, best);
    std::vector<Memory> memory_of_thread(n_threads, memory);
    std::atomic<size_t> next{0};
    on_threads_each(n_threads, [&](size_t thread) {
        for (size_t block; (block = next.fetch_add(1)) < n_blocks;) {
            const size_t row = block * block_rows;
            search_block(memory_of_thread[thread], best_of_thread[thread], row,
                         std::min(block_rows, n_rows - row));
        }
    });
    for (size_t i = 0; i < best.size(); ++i)
        for (const std::vector<BestRows> &thread : best_of_thread) best[i].merge(thread[i]);
}

// Floats of a block of rows that leave room in the second-level cache, and in the first.
constexpr size_t block_floats = size_t{1} << 16, small_block_floats = size_t{1} << 12;

size_t rows_of_block(size_t dim, size_t floats = block_floats) {
    return std::max<size_t>(1, floats / dim / row_tile) * row_tile;
}

// Writes rows that lie one after the other in single precision.
void widen_rows(const Matrix &matrix, size_t row, size_t n, float *out) {
    const size_t first = row * matrix.dim, count = n * matrix.dim;
    if (matrix.values)
        std::copy_n(matrix.values + first, count, out);
    else if (matrix.halves)
        FIRTH_DISPATCH(widen, matrix.halves + first, count, out);
    else
        FIRTH_DISPATCH(widen_bytes, matrix.bytes + first, count, out);
}

// Rows of a matrix in single precision, one after the other; `memory` has room for them.
const float *rows_at(const Matrix &matrix, size_t row, size_t n, float *memory) {
    if (matrix.chosen) {
        for (size_t i = 0; i < n; ++i)
            widen_rows(matrix, static_cast<size_t>(matrix.chosen[row + i]), 1,
                       memory + i * matrix.dim);
        return memory;
    }
    if (matrix.values) return matrix.values + row * matrix.dim;
    widen_rows(matrix, row, n, memory);
    return memory;
}

bool is_widened(const Matrix &matrix) { return !matrix.values || matrix.chosen; }

size_t floats_for_rows(const Matrix &matrix, size_t block_rows) {
    return is_widened(matrix) ? block_rows * matrix.dim : 0;
}

// Questions as tile_hits takes them: tiles of (dim x question_tile), the last filled up with zeros.
std::vector<float> tiles_of(const float *questions, size_t n, size_t dim) {
    const size_t n_tiles = (n + question_tile - 1) / question_tile;
    std::vector<float> tiles(n_tiles * question_tile * dim);
    for (size_t i = 0; i < n; ++i) {
        float *tile = tiles.data() + i / question_tile * question_tile * dim + i % question_tile;
        for (size_t k = 0; k < dim; ++k) tile[k * question_tile] = questions[i * dim + k];
    }
    return tiles;
}

constexpr size_t cache_line_floats = 16;

// The first address in some memory that begins a cache line, so that no load crosses one.
float *aligned(std::vector<float> &memory) {
    constexpr size_t bytes = cache_line_floats * sizeof(float);
    const auto address = reinterpret_cast<uintptr_t>(memory.data());
    return memory.data() + (bytes - address % bytes) % bytes / sizeof(float);
}

// What a thread needs that answers many questions.
struct Many {
    Many(const std::vector<BestRows> &best, size_t n_tiles, size_t group, size_t packed_floats,
         size_t widened_floats)
        : widened(widened_floats),
          packed(packed_floats + cache_line_floats),
          // Nothing gets in for the questions that the last tile is filled up with.
          thresholds(n_tiles * question_tile, std::numeric_limits<float>::infinity()),
          hits(row_tile * question_tile * group) {
        for (size_t i = 0; i < best.size(); ++i) thresholds[i] = best[i].threshold();
    }

    std::vector<float> widened, packed, thresholds;
    std::vector<Hit> hits;
};

}  // namespace

void search_few(std::vector<BestRows> &best, const Matrix &matrix, const float *norms,
                const float *questions, size_t n_threads) {
    const size_t dim = matrix.dim;
    // Rows that are written before they are read are best read where they still are.
    const size_t block_rows =
        rows_of_block(dim, is_widened(matrix) ? small_block_floats : block_floats);
    const std::vector<float> memory(block_rows + floats_for_rows(matrix, block_rows));
    search_blocks(best, matrix.n_rows, block_rows, n_threads, memory,
                  [&](std::vector<float> &mine, std::vector<BestRows> &found, size_t row, size_t n) {
                      float *dots = mine.data();
                      const float *rows = rows_at(matrix, row, n, dots + block_rows);
                      for (size_t i = 0; i < found.size(); ++i) {
                          FIRTH_DISPATCH(row_dots, rows, n, dim, questions + i * dim, dots);
                          found[i].offer(dots, norms + row, n, row);
                      }
                  });
}

void search_many(std::vector<BestRows> &best, const Matrix &matrix, const float *norms,
                 const float *questions, size_t n_threads) {
    const size_t dim = matrix.dim, block_rows = rows_of_block(dim), n = best.size();
    const std::vector<float> tiles = tiles_of(questions, n, dim);
    const size_t n_tiles = (n + question_tile - 1) / question_tile;
    // As many tiles at a time as stay in the second-level cache beside the block.
    const size_t group = std::max<size_t>(1, block_floats / (question_tile * dim));
    const auto work = [&](Many &mine, std::vector<BestRows> &found, size_t row, size_t n_rows) {
        const float *rows = rows_at(matrix, row, n_rows, mine.widened.data());
        float *packed = aligned(mine.packed);
        for (size_t i = 0; i < n_rows; i += row_tile)
            FIRTH_DISPATCH(pack_rows, rows + i * dim, norms + row + i,
                           std::min(row_tile, n_rows - i), dim, packed + i * dim);
        for (size_t tile = 0; tile < n_tiles; tile += group) {
            const size_t first = tile * question_tile;
            for (size_t i = 0; i < n_rows; i += row_tile) {
                const size_t n_hits = FIRTH_DISPATCH(
                    tile_hits, packed + i * dim, dim, tiles.data() + first * dim,
                    std::min(group, n_tiles - tile), mine.thresholds.data() + first,
                    mine.hits.data());
                for (size_t hit = 0; hit < n_hits; ++hit) {
                    const auto &[score, question, row_of_tile] = mine.hits[hit];
                    found[first + question].offer(score, row + i + row_of_tile);
                    mine.thresholds[first + question] = found[first + question].threshold();
                }
            }
        }
    };
    search_blocks(best, matrix.n_rows, block_rows, n_threads,
                  Many(best, n_tiles, std::min(group, n_tiles), block_rows * dim,
                       floats_for_rows(matrix, block_rows)),
                  work);
}

void scale_to_unit(const float *questions, size_t n_questions, size_t dim, float *directions) {
    for (size_t i = 0; i < n_questions; ++i) {
        const float *const question = questions + i * dim;
        double squares = 0;
        for (size_t j = 0; j < dim; ++j) squares += static_cast<double>(question[j]) * question[j];
        const double length = squares > 0 && std::isfinite(squares) ? std::sqrt(squares) : NAN;
        for (size_t j = 0; j < dim; ++j)
            directions[i * dim + j] = static_cast<float>(question[j] / length);
    }
}

void search_candidates(std::vector<BestRows> &best, const uint8_t *vectors, Item item, size_t dim,
                       const float *norms, const float *questions, const int64_t *candidates,
                       size_t n_candidates, size_t n_threads) {
    const size_t row_bytes = dim * item_size(item);
    std::atomic<size_t> next{0};
    on_threads_each(std::max<size_t>(1, std::min(n_threads, best.size())), [&](size_t) {
        for (size_t i; (i = next.fetch_add(1)) < best.size();) {
            for_rows_ahead(
                vectors, row_bytes, candidates + i * n_candidates, n_candidates,
                [&](const uint32_t *rows, size_t n) {
                    float dots[rows_ahead];
                    FIRTH_DISPATCH(score_nodes, vectors, item, dim, questions + i * dim, rows, n, dots);
                    for (size_t j = 0; j < n; ++j) {
                        const float norm = norms[rows[j]];
                        if (norm > 0 && std::isfinite(norm)) best[i].offer(dots[j] / norm, rows[j]);
                    }
                });
        }
    });
}

}  // namespace firth

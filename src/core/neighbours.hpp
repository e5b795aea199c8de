// The rows of a matrix that point most nearly in the direction of a question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/node_scores.hpp"

namespace firth {

// The best k rows seen so far for one question: by falling score, then by row.
class BestRows {
public:
    // `exclude`: rows never to be taken, sorted; must outlive this.
    BestRows(size_t k, const int64_t *exclude, size_t n_exclude)
        : k_(k), exclude_(exclude), n_exclude_(n_exclude) {}

    // Rows first_row ... first_row + n - 1 with their dot products with the question, of length 1.
    void offer(const float *dots, const float *norms, size_t n, size_t first_row);
    // One row with its score.
    void offer(float score, size_t row);
    // No row that scores less can get in.
    float threshold() const { return k_ ? threshold_ : std::numeric_limits<float>::infinity(); }
    void merge(const BestRows &other);
    // Writes k entries; -1 and minus infinity stand for rows that there are not.
    void write(int64_t *rows, float *scores);

private:
    struct Scored {
        float score;
        int64_t row;
        // Ahead in the result.
        bool operator<(const Scored &other) const {
            return score > other.score || (score == other.score && row < other.row);
        }
    };

    bool excluded(int64_t row) const;
    void take(const Scored &scored);

    size_t k_;
    const int64_t *exclude_;
    size_t n_exclude_;
    std::vector<Scored> heap_;  // the worst on top
    // A little below the worst of k, because the kernel compares without the division that makes a
    // score.
    float threshold_ = -std::numeric_limits<float>::infinity();
};

// Vectors as rows: of single precision, of half precision, or of bytes; one of the three is there.
// Those that are not of single precision are widened block by block as they are searched.
struct Matrix {
    const float *values;
    const uint16_t *halves;
    const int8_t *bytes;
    size_t dim;
    // Rows to search, of which there are n_rows; null for the first n_rows. What is found are
    // positions in this list.
    const int64_t *chosen;
    size_t n_rows;
};

// Scales questions, (n_questions, dim), to length 1, with sums of double precision; those without a
// direction become NaN throughout.
void scale_to_unit(const float *questions, size_t n_questions, size_t dim, float *directions);

// Offers all rows of a matrix for all questions, (best.size(), dim), each of length 1.
//
// A few questions wait for memory: rows are scored as they come by, each read once. Many wait for
// arithmetic: blocks of rows are packed and multiplied with tiles of questions, the scores compared
// while they are in registers. Either way threads share nothing but the number of the next block, so
// that one that is held up by other programs holds up no other.
void search_few(std::vector<BestRows> &best, const Matrix &matrix, const float *norms,
                const float *questions, size_t n_threads);
void search_many(std::vector<BestRows> &best, const Matrix &matrix, const float *norms,
                 const float *questions, size_t n_threads);

// Offers for each question n_candidates rows of a matrix of vectors that lie one after the other; those
// below 0 are none.
void search_candidates(std::vector<BestRows> &best, const uint8_t *vectors, Item item, size_t dim,
                       const float *norms, const float *questions, const int64_t *candidates,
                       size_t n_candidates, size_t n_threads);

}  // namespace firth

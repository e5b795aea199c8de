// The rows of a matrix that point most nearly in the direction of a question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace firth {

// The best k rows seen so far for one question: by falling score, then by row.
class BestRows {
public:
    // `exclude`: rows never to be taken, sorted; must outlive this.
    BestRows(size_t k, const int64_t *exclude, size_t n_exclude)
        : k_(k), exclude_(exclude), n_exclude_(n_exclude) {}

    // Rows first_row ... first_row + n - 1 with their dot products with the question, of length 1.
    void offer(const float *dots, const float *norms, size_t n, size_t first_row);
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
    // No row that scores less can get in; a little below the worst of k, because the kernel compares
    // without the division that makes a score.
    float threshold_ = -std::numeric_limits<float>::infinity();
};

struct Matrix {
    const float *values;
    size_t n_rows, dim;
};

// Offers blocks of dot products, (n_questions, block rows), one question to one thread at a time.
void offer_block(std::vector<BestRows> &best, size_t first_question, const float *dots,
                 size_t n_questions, size_t n_rows, const float *norms, size_t first_row,
                 size_t n_threads);

// Scores and selects in one pass over the matrix, which is read from memory once: for questions so
// few that memory, not arithmetic, is what they wait for. `questions` is (best.size(), dim).
void search_few(std::vector<BestRows> &best, const Matrix &matrix, const float *norms,
                const float *questions, size_t n_threads);

}  // namespace firth

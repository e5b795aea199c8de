#include "fine_codes.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "neighbours.hpp"
#include "on_threads.hpp"
#include "rows_ahead.hpp"

namespace firth {

namespace {

// A code c stands for c - middle.
constexpr float middle = 7.5f;

// A question's factors in 8 bits (see FineQuestion).
struct Factors {
    Factors(const float *question, const FineCodes &codes)
        : lower(codes.row_bytes), upper(codes.row_bytes) {
        const size_t half = codes.n_numbers / 2;
        float most = std::numeric_limits<float>::min();
        for (size_t j = 0; j < 2 * half; ++j) most = std::max(most, std::fabs(question[j]));
        unit = most / INT8_MAX;
        int32_t total = 0;
        for (size_t j = 0; j < 2 * half; ++j) {
            const auto factor = static_cast<int8_t>(std::lround(question[j] / unit));
            (j < half ? lower[j] : upper[j - half]) = factor;
            total += factor;
        }
        bias = -middle * unit * static_cast<float>(total);
    }

    FineQuestion asked() const { return {lower.data(), upper.data(), unit, bias}; }

    std::vector<int8_t> lower, upper;
    float unit, bias;
};

}  // namespace

void choose_candidates(const FineCodes &codes, const float *questions, size_t n_questions,
                       const int64_t *candidates, size_t n_candidates, size_t n_kept,
                       size_t n_threads, int64_t *rows) {
    std::atomic<size_t> next{0};
    on_threads_each(std::max<size_t>(1, std::min(n_threads, n_questions)), [&](size_t) {
        std::vector<float> kept(n_kept);
        for (size_t i; (i = next.fetch_add(1)) < n_questions;) {
            const Factors factors(questions + i * codes.n_numbers, codes);
            BestRows best(n_kept, nullptr, 0);
            for_rows_ahead(
                codes.codes, codes.row_bytes, candidates + i * n_candidates, n_candidates,
                [&](const uint32_t *some, size_t n) {
                    float scores[rows_ahead];
                    FIRTH_DISPATCH(score_fine_codes, codes.codes, codes.row_bytes, codes.n_numbers / 2,
                                   codes.meaning, factors.asked(), some, n, scores);
                    for (size_t j = 0; j < n; ++j)
                        if (scores[j] >= best.threshold()) best.offer(scores[j], some[j]);
                });
            best.write(rows + i * n_kept, kept.data());
        }
    });
}

}  // namespace firth

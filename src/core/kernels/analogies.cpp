#include "kernels/analogies.hpp"

#include "kernels/simd.hpp"

namespace firth::FIRTH_ISA {

namespace {

struct Terms {
    const float *a, *b, *c;

    float at(size_t i) const { return (b[i] + c[i]) - a[i]; }
    vfloat from(size_t i) const { return (load(b + i) + load(c + i)) - load(a + i); }
};

inline vfloat greater(vfloat x, vfloat y) { return select(x > y, x, y); }

float highest(const Terms &terms, size_t begin, size_t end, float least) {
    size_t i = begin;
    if (end - begin >= 4 * lanes) {
        // Four chains of comparisons that do not wait for each other.
        vfloat tops[4];
        for (int k = 0; k < 4; ++k) tops[k] = broadcast(least);
        for (; i + 4 * lanes <= end; i += 4 * lanes)
            for (int k = 0; k < 4; ++k) tops[k] = greater(tops[k], terms.from(i + k * lanes));
        const vfloat top = greater(greater(tops[0], tops[1]), greater(tops[2], tops[3]));
        for (int k = 0; k < lanes; ++k) least = top[k] > least ? top[k] : least;
    }
    for (; i < end; ++i) {
        const float score = terms.at(i);
        least = score > least ? score : least;
    }
    return least;
}

}  // namespace

void best_sums(const float *plus, const float *minus, size_t n_columns, const uint32_t *questions,
               size_t n_questions, const int64_t *exclude, const int64_t *offsets,
               int64_t first_column, float *best, int64_t *best_column) {
    for (size_t q = 0; q < n_questions; ++q) {
        const uint32_t *words = questions + 3 * q;
        const Terms terms{minus + words[0] * n_columns, plus + words[1] * n_columns,
                          plus + words[2] * n_columns};
        size_t begin = 0;
        for (int64_t next = offsets[q]; begin < n_columns; ++next) {
            // Up to the next column that is left out, or to the end.
            size_t end = n_columns;
            if (next < offsets[q + 1]) {
                const int64_t column = exclude[next] - first_column;
                if (column < static_cast<int64_t>(begin)) continue;
                if (column < static_cast<int64_t>(n_columns)) end = static_cast<size_t>(column);
            }
            const float top = highest(terms, begin, end, best[q]);
            if (top > best[q]) {
                // Rare: the more columns have been seen, the seldomer a new one beats them all.
                size_t i = begin;
                while (terms.at(i) != top) ++i;
                best[q] = top;
                best_column[q] = first_column + static_cast<int64_t>(i);
            }
            begin = end + 1;
        }
    }
}

}  // namespace firth::FIRTH_ISA

// Drawing from any discrete distribution with one table look-up (Walker 1977, built as in Vose 1991).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace firth {

struct AliasTable {
    // Pairs: column i stands for i when 32 random bits are below columns[2i], else for columns[2i + 1].
    std::vector<uint32_t> columns;

    AliasTable(const double *weights, size_t n) : columns(2 * n) {
        double total = 0;
        for (size_t i = 0; i < n; ++i) total += weights[i];
        std::vector<double> share(n);
        std::vector<uint32_t> small, large;
        for (size_t i = 0; i < n; ++i) {
            share[i] = weights[i] / total * static_cast<double>(n);
            (share[i] < 1 ? small : large).push_back(static_cast<uint32_t>(i));
        }
        while (!small.empty() && !large.empty()) {
            const uint32_t less = small.back(), more = large.back();
            small.pop_back();
            columns[2 * size_t{less}] = limit_of(share[less]);
            columns[2 * size_t{less} + 1] = more;
            share[more] -= 1 - share[less];
            if (share[more] < 1) {
                large.pop_back();
                small.push_back(more);
            }
        }
        // What rounding has left over stands for itself.
        for (const auto *rest : {&small, &large})
            for (uint32_t i : *rest) {
                columns[2 * size_t{i}] = 0xffffffff;
                columns[2 * size_t{i} + 1] = i;
            }
    }

  private:
    static uint32_t limit_of(double share) {
        return static_cast<uint32_t>(std::fmin(std::fmax(share, 0) * 4294967296.0, 4294967295.0));
    }
};

}  // namespace firth

"""Slow, obvious references for the kernels of the core."""

import numpy as np

# --- neighbours -----------------------------------------------------------------------------------


def top_k(matrix, queries, k, exclude):
    """Rows and cosines in float64, best first, rows of the same cosine in rising order."""
    result = []
    for query, left_out in zip(queries.astype(np.float64), exclude, strict=True):
        scored = []
        for row, vector in enumerate(matrix.astype(np.float64)):
            lengths = np.sqrt(np.sum(vector**2)) * np.sqrt(np.sum(query**2))
            if row not in left_out and np.isfinite(lengths) and lengths > 0:
                scored.append((-np.sum(vector * query) / lengths, row))
        result.append([(row, -score) for score, row in sorted(scored)[:k]])
    return result


# --- spelling -------------------------------------------------------------------------------------


def edit_distance(a, b):
    """Insertions, deletions, replacements and swaps of neighbours that turn one word into another.

    No character is edited twice (optimal string alignment).
    """
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if i == 0 or j == 0:
                table[i][j] = i + j
                continue
            table[i][j] = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
            )
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[len(a)][len(b)]

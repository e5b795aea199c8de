"""Which two parts of the rows each worker trains when, so that no two ever touch the same rows.

A round-robin tournament by the circle method (Kirkman 1850): 2 n parts meet pairwise in 2 n - 1
rounds of n meetings; in each round every part has one meeting. A meeting trains the co-occurrences
between the words of its two parts; in the first round also those inside of each.
(Gemulla et al. 2011, "Large-Scale Matrix Factorization with Distributed Stochastic Gradient
Descent", section 4.2, calls the meetings of a round a stratum.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Pair = tuple[int, int]


def rounds(n_workers: int) -> list[list[Pair]]:
    """List the meetings of each round; meeting i is worker i's.

    Examples
    --------
    >>> rounds(2)
    [[(0, 3), (1, 2)], [(0, 2), (1, 3)], [(0, 1), (2, 3)]]
    """
    n = 2 * n_workers
    seats = list(range(n))
    result = []
    for _ in range(n - 1):
        pairs = [(seats[i], seats[n - 1 - i]) for i in range(n_workers)]
        result.append([(min(pair), max(pair)) for pair in pairs])
        seats = [seats[0], seats[-1], *seats[1:-1]]
    return result


def pair_numbers(
    rows: NDArray[np.uint32], columns: NDArray[np.uint32], n_parts: int
) -> NDArray[np.int64]:
    """Give each entry of a matrix the number of its pair; word w is in part ``w % n_parts``.

    Returns
    -------
    numpy.ndarray of int64, shape (n,)
        ``low * n_parts + high``.
    """
    a, b = rows.astype(np.int64) % n_parts, columns.astype(np.int64) % n_parts
    return np.minimum(a, b) * n_parts + np.maximum(a, b)


def local_numbers(
    words: NDArray[np.uint32], pair: Pair, n_parts: int, n_low: int
) -> NDArray[np.uint32]:
    """Give words the rows that they have where the parts of a pair stand one behind the other.

    Parameters
    ----------
    words : numpy.ndarray of uint32
        Words of either part.
    pair : (int, int)
        The parts.
    n_parts : int
        How many there are.
    n_low : int
        Words of the first.
    """
    numbers = words // np.uint32(n_parts)
    if pair[0] != pair[1]:
        numbers = numbers + np.where(words % n_parts == pair[1], n_low, 0)
    return numbers.astype(np.uint32)


def part_size(n_words: int, part: int, n_parts: int) -> int:
    """Count the words of a part."""
    return (n_words - part + n_parts - 1) // n_parts

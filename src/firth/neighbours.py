"""The rows of a matrix that point most nearly in the direction of a question.

Exact search by cosine, in the compiled core (`core/neighbours.hpp`). Scores of all rows are never
held: the best are selected from each block of rows while it is in the cache.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firth import _core
from firth.errors import ParameterError
from firth.machine import usable_cores

__all__ = ["best_of", "row_norms", "top_k", "unit_rows"]

# What the core searches as it is.
_SEARCHED = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(np.int8))
# From this many questions on they wait for arithmetic, not for memory.
_FEW = 12
# How many best rows, of 16 bytes each, the threads may hold for a batch of questions.
_BEST_AT_A_TIME = 1 << 21
# Below this many multiplications a second thread takes longer to start than it saves.
_WORTH_A_THREAD = 1 << 20
# A row here and there takes so many times as long as one of many that follow each other.
_CANDIDATE = 8


def row_norms(matrix: NDArray[Any]) -> NDArray[np.float32]:
    """Compute the Euclidean length of each row.

    Parameters
    ----------
    matrix : numpy.ndarray of float32, float16 or int8, shape (n_rows, vector_size)
        Vectors as rows.

    Returns
    -------
    numpy.ndarray of float32, shape (n_rows,)
        Summed in float64, so that rows of tiny or huge numbers get theirs too.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.neighbours import row_norms
    >>> row_norms(np.array([[3, 4], [0, 0]], np.float32))
    array([5., 0.], dtype=float32)
    """
    norms = np.empty(len(matrix), np.float32)
    n_block = max(1, (1 << 20) // max(1, matrix.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        for begin in range(0, len(matrix), n_block):
            block = matrix[begin : begin + n_block].astype(np.float64)
            norms[begin : begin + n_block] = np.sqrt(np.einsum("ij,ij->i", block, block))
    return norms


def top_k(
    matrix: NDArray[Any],
    norms: NDArray[np.float32],
    queries: ArrayLike,
    k: int,
    exclude: Sequence[Sequence[int]] | None = None,
    chosen: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the `k` rows of a matrix with the highest cosine to each query.

    Parameters
    ----------
    matrix : numpy.ndarray of float32, float16 or int8, shape (n_rows, vector_size)
        Vectors as rows, C-contiguous. Half precision and bytes are widened block by block in the
        core.
    norms : numpy.ndarray of float32, shape (n_rows,)
        Their lengths; see `row_norms`.
    queries : array_like, shape (n_queries, vector_size)
        Vectors of any length but 0.
    k : int
        How many rows to find for each.
    exclude : sequence of sequences of int, optional
        The rows that each query leaves out, such as that of the word asked about.
    chosen : numpy.ndarray of int64, shape (n_chosen,), optional
        Look only among these rows, rising, each once; no others are scored.

    Returns
    -------
    rows : numpy.ndarray of int64, shape (n_queries, min(k, n_rows))
        Best first; rows of the same score in rising order. -1 where there are no more: rows of
        zeros or with NaN have no direction and are never found, and a query like that finds none.
    scores : numpy.ndarray of float32, shape (n_queries, min(k, n_rows))
        Their cosines; minus infinity beside -1.

    Raises
    ------
    ParameterError
        If shapes or types do not fit each other, or `k` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.neighbours import row_norms, top_k
    >>> matrix = np.array([[2, 0], [0, 1], [3, 4]], np.float32)
    >>> rows, scores = top_k(matrix, row_norms(matrix), [[1, 0]], k=2)
    >>> rows, scores
    (array([[0, 2]]), array([[1. , 0.6]], dtype=float32))
    """
    if matrix.ndim != 2 or matrix.dtype not in _SEARCHED or not matrix.flags.c_contiguous:
        raise ParameterError(
            f"matrix is {matrix.dtype} of shape {matrix.shape}; it must be float32, float16 or "
            f"int8, of two dimensions and C-contiguous: np.ascontiguousarray(matrix, np.float32)"
        )
    if norms.shape != matrix.shape[:1] or norms.dtype != np.float32:
        raise ParameterError(
            f"norms is {norms.dtype} of shape {norms.shape}; it must be float32 with one for each "
            f"of the {len(matrix):,} rows: row_norms(matrix)"
        )
    if k < 0:
        raise ParameterError(f"k must be 0 or more, not {k}")
    directions = unit_rows(queries, matrix.shape[1])
    n_queries, n_rows = len(directions), len(matrix)
    exclude = _one_for_each(exclude, n_queries)
    if chosen is not None:
        _check_chosen(chosen, n_rows)
        n_rows, norms = len(chosen), norms[chosen]
        exclude = [_positions(rows, chosen) for rows in exclude]
    k = min(k, n_rows)
    excluded, offsets = _flatten(exclude)
    rows = np.empty((n_queries, k), np.int64)
    scores = np.empty((n_queries, k), np.float32)
    n_threads = _thread_count(n_rows * matrix.shape[1] * n_queries)
    batch = max(1, _BEST_AT_A_TIME // max(1, k * n_threads))
    for first in range(0, n_queries if k else 0, batch):
        some = directions[first : first + batch]
        best = _core.TopK(len(some), k, excluded, offsets[first : first + len(some) + 1])
        search, kept = _search_of(best, matrix)
        search(kept, norms, some, len(some) >= _FEW, n_threads, chosen)
        found = best.result()
        rows[first : first + batch] = found[0].reshape(-1, k)
        scores[first : first + batch] = found[1].reshape(-1, k)
    if chosen is not None and len(chosen):
        rows = np.where(rows >= 0, chosen[rows], -1)
    return rows, scores


def best_of(
    matrix: NDArray[Any],
    norms: NDArray[np.float32],
    directions: NDArray[np.float32],
    k: int,
    exclude: Sequence[Sequence[int]] | None,
    candidates: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the `k` best among some rows for each query; the rest is as for `top_k`.

    Parameters
    ----------
    matrix, norms
        As for `top_k`.
    directions : numpy.ndarray of float32, shape (n_queries, vector_size)
        Queries of length 1.
    k : int
        How many rows to find for each.
    exclude : sequence of sequences of int, optional
        The rows that each query leaves out.
    candidates : numpy.ndarray of int64, shape (n_queries, n_candidates)
        Rows, each once for a query; -1 is none.

    Returns
    -------
    rows, scores
        As of `top_k`, each of shape (n_queries, k).
    """
    excluded, offsets = _flatten(_one_for_each(exclude, len(directions)))
    best = _core.TopK(len(directions), k, excluded, offsets)
    n_threads = _thread_count(candidates.size * matrix.shape[1] * _CANDIDATE)
    best.search_candidates(
        matrix.view(np.uint8), _ITEMS[matrix.dtype.char], norms, directions, candidates, n_threads
    )
    rows, scores = best.result()
    shape = len(directions), k
    return rows.reshape(shape), scores.reshape(shape)


# The core's names for what a number of a matrix is: `dtype.name` makes a text each time.
_ITEMS = {"f": "float32", "e": "float16", "b": "int8"}


def _one_for_each(
    exclude: Sequence[Sequence[int]] | None, n_queries: int
) -> Sequence[Sequence[int]]:
    exclude = [()] * n_queries if exclude is None else exclude
    if len(exclude) != n_queries:
        raise ParameterError(
            f"exclude has {len(exclude)} entries for {n_queries} queries; give one for each"
        )
    return exclude


def _search_of(best: _core.TopK, matrix: NDArray[Any]) -> tuple[Callable[..., None], NDArray[Any]]:
    """Pick what searches a matrix of this type, and how it takes it."""
    if matrix.dtype == np.float16:
        return best.search_halves, matrix.view(np.uint16)
    return (best.search if matrix.dtype == np.float32 else best.search_bytes), matrix


def _check_chosen(chosen: NDArray[np.int64], n_rows: int) -> None:
    if chosen.ndim != 1 or chosen.dtype != np.int64:
        raise ParameterError(
            f"chosen is {chosen.dtype} of shape {chosen.shape}; it must be int64 of one dimension"
        )
    if len(chosen) and (chosen[0] < 0 or chosen[-1] >= n_rows or (np.diff(chosen) <= 0).any()):
        raise ParameterError(f"chosen must be rising numbers of rows, from 0 to {n_rows - 1:,}")


def _positions(rows: Sequence[int], chosen: NDArray[np.int64]) -> list[int]:
    """Give the places of rows among the chosen, of those that are there."""
    if not len(rows) or not len(chosen):
        return []
    at = np.minimum(np.searchsorted(chosen, rows), len(chosen) - 1)
    return [int(place) for place, row in zip(at, rows, strict=True) if chosen[place] == row]


def unit_rows(queries: ArrayLike, dim: int) -> NDArray[np.float32]:
    """Scale queries to length 1; those without a direction become NaN, which finds nothing."""
    array = np.asarray(queries)
    if array.ndim != 2 or array.shape[1] != dim or array.dtype.kind not in "fiu":
        raise ParameterError(
            f"queries is {array.dtype} of shape {array.shape}; it must be numbers of shape "
            f"(n_queries, {dim})"
        )
    if array.dtype != np.float32:
        # To numbers that float32 has: those of double precision may be far larger.
        array = array.astype(np.float64)
        largest = np.abs(array).max(axis=1, initial=0.0, keepdims=True)
        with np.errstate(invalid="ignore"):
            array = (array / np.where(largest > 0, largest, 1.0)).astype(np.float32)
    directions = np.empty(array.shape, np.float32)
    _core.scale_to_unit(array if array.flags.c_contiguous else array.copy(), directions)
    return directions


def _flatten(exclude: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lay the excluded rows of all queries one after the other, each query's sorted."""
    flat = [int(row) for rows in exclude for row in sorted(rows)]
    offsets = np.array([0, *accumulate(map(len, exclude))], np.int64)
    return np.array(flat, np.int64), offsets


def _thread_count(n_multiplications: int) -> int:
    return max(1, min(usable_cores(), n_multiplications // _WORTH_A_THREAD))

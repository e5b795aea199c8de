"""The rows of a matrix that point most nearly in the direction of a question.

Exact search by cosine, in the compiled core (`core/neighbours.hpp`). Scores of all rows are never
held: the best are selected from each block of rows while it is in the cache.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firth import _core
from firth.errors import ParameterError
from firth.machine import usable_cores

__all__ = ["row_norms", "top_k"]

# From this many questions on they wait for arithmetic, not for memory.
_FEW = 12
# How many best rows, of 16 bytes each, the threads may hold for a batch of questions.
_BEST_AT_A_TIME = 1 << 21
# Below this many multiplications a second thread takes longer to start than it saves.
_WORTH_A_THREAD = 1 << 20


def row_norms(matrix: NDArray[np.floating]) -> NDArray[np.float32]:
    """Compute the Euclidean length of each row.

    Parameters
    ----------
    matrix : numpy.ndarray of float32 or float16, shape (n_rows, vector_size)
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
    matrix: NDArray[np.float32] | NDArray[np.float16],
    norms: NDArray[np.float32],
    queries: ArrayLike,
    k: int,
    exclude: Sequence[Sequence[int]] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the `k` rows of a matrix with the highest cosine to each query.

    Parameters
    ----------
    matrix : numpy.ndarray of float32 or float16, shape (n_rows, vector_size)
        Vectors as rows, C-contiguous. Half precision is widened block by block in the core.
    norms : numpy.ndarray of float32, shape (n_rows,)
        Their lengths; see `row_norms`.
    queries : array_like, shape (n_queries, vector_size)
        Vectors of any length but 0.
    k : int
        How many rows to find for each.
    exclude : sequence of sequences of int, optional
        The rows that each query leaves out, such as that of the word asked about.

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
    is_half = matrix.dtype == np.float16
    known = is_half or matrix.dtype == np.float32
    if matrix.ndim != 2 or not known or not matrix.flags.c_contiguous:
        raise ParameterError(
            f"matrix is {matrix.dtype} of shape {matrix.shape}; it must be float32 or float16, of "
            f"two dimensions and C-contiguous: np.ascontiguousarray(matrix, np.float32)"
        )
    if norms.shape != matrix.shape[:1] or norms.dtype != np.float32:
        raise ParameterError(
            f"norms is {norms.dtype} of shape {norms.shape}; it must be float32 with one for each "
            f"of the {len(matrix):,} rows: row_norms(matrix)"
        )
    if k < 0:
        raise ParameterError(f"k must be 0 or more, not {k}")
    directions = _unit_rows(queries, matrix.shape[1])
    n_queries, k = len(directions), min(k, len(matrix))
    excluded, offsets = _flatten(exclude, n_queries)
    rows = np.empty((n_queries, k), np.int64)
    scores = np.empty((n_queries, k), np.float32)
    n_threads = _thread_count(matrix.size * n_queries)
    batch = max(1, _BEST_AT_A_TIME // max(1, k * n_threads))
    for first in range(0, n_queries if k else 0, batch):
        some = directions[first : first + batch]
        best = _core.TopK(len(some), k, excluded, offsets[first : first + len(some) + 1])
        if is_half:
            bits = matrix.view(np.uint16)
            best.search_halves(bits, norms, some, len(some) >= _FEW, n_threads)
        else:
            best.search(
                cast("NDArray[np.float32]", matrix), norms, some, len(some) >= _FEW, n_threads
            )
        found = best.result()
        rows[first : first + batch] = found[0].reshape(-1, k)
        scores[first : first + batch] = found[1].reshape(-1, k)
    return rows, scores


def _unit_rows(queries: ArrayLike, dim: int) -> NDArray[np.float32]:
    """Scale queries to length 1; those without a direction become NaN, which finds nothing."""
    array = np.asarray(queries)
    if array.ndim != 2 or array.shape[1] != dim or array.dtype.kind not in "fiu":
        raise ParameterError(
            f"queries is {array.dtype} of shape {array.shape}; it must be numbers of shape "
            f"(n_queries, {dim})"
        )
    array = array.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", array, array))
        array /= np.where(np.isfinite(lengths) & (lengths > 0), lengths, np.nan)[:, None]
    return array.astype(np.float32)


def _flatten(
    exclude: Sequence[Sequence[int]] | None, n_queries: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lay the excluded rows of all queries one after the other, each query's sorted."""
    if exclude is None:
        exclude = [()] * n_queries
    if len(exclude) != n_queries:
        raise ParameterError(
            f"exclude has {len(exclude)} entries for {n_queries} queries; give one for each"
        )
    flat = [int(row) for rows in exclude for row in sorted(rows)]
    offsets = np.zeros(n_queries + 1, np.int64)
    np.cumsum(np.fromiter(map(len, exclude), np.int64, n_queries), out=offsets[1:])
    return np.array(flat, np.int64), offsets


def _thread_count(n_multiplications: int) -> int:
    return max(1, min(usable_cores(), n_multiplications // _WORTH_A_THREAD))

"""Matrices to train in: whole cache lines a row, on large pages."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FLOATS_PER_CACHE_LINE = 16
_ROWS_PER_BLOCK = 65_536


def empty_matrix(n_rows: int, vector_size: int) -> NDArray[np.float32]:
    """Make a matrix of zeros for the training kernels.

    Rows are random places in memory, and with small pages nearly every one would also cost a walk
    of the page table.

    Returns
    -------
    numpy.ndarray of float32, shape (n_rows, stride)
        The stride is `vector_size` rounded up to whole cache lines.

    Raises
    ------
    ParameterError
        It does not fit into memory.
    """
    stride = -(-vector_size // FLOATS_PER_CACHE_LINE) * FLOATS_PER_CACHE_LINE
    n_bytes = n_rows * stride * 4
    try:
        # Private, since shared memory gets no large pages.
        memory = mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, OverflowError, ValueError) as error:
        raise ParameterError(
            f"{n_rows:,} words x {vector_size:,} dimensions need {n_bytes / 1e9:.1f} GB twice, "
            f"which this machine does not have; lower vector_size, or the number of words by "
            f"min_count or max_final_vocab"
        ) from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.float32).reshape(n_rows, stride)


def fill_uniform(matrix: NDArray[np.float32], vector_size: int, seed: int) -> None:
    """Fill the first columns with random numbers up to 1 / vector_size, as gensim does."""
    for begin, values in uniform_blocks(len(matrix), vector_size, seed):
        matrix[begin : begin + len(values), :vector_size] = values


def uniform_blocks(
    n_rows: int, vector_size: int, seed: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Draw the same numbers block by block: the first row of each, and its rows."""
    random = np.random.default_rng(seed)
    for begin in range(0, n_rows, _ROWS_PER_BLOCK):
        shape = min(_ROWS_PER_BLOCK, n_rows - begin), vector_size
        values = random.random(shape, dtype=np.float32)
        values *= 2
        values -= 1
        values /= vector_size
        yield begin, values


def without_padding(matrix: NDArray[np.float32], vector_size: int) -> NDArray[np.float32]:
    """Move the rows together where they lie, so that the matrix is never there twice.

    Returns
    -------
    numpy.ndarray of float32, shape (n_rows, vector_size)
        In the memory of `matrix`, which must not be used any more.
    """
    n_rows, stride = matrix.shape
    flat = matrix.reshape(-1)
    if stride != vector_size:
        for begin in range(0, n_rows, _ROWS_PER_BLOCK):
            rows = matrix[begin : begin + _ROWS_PER_BLOCK, :vector_size].copy()
            flat[begin * vector_size : begin * vector_size + rows.size] = rows.reshape(-1)
    return flat[: n_rows * vector_size].reshape(n_rows, vector_size)

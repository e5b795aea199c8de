"""What GloVe trains: of each word two vectors and two biases, each with its sum of squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth.errors import ParameterError
from firth.models._matrices import FLOATS_PER_CACHE_LINE, empty_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD, WORD_SQUARES, CONTEXT, CONTEXT_SQUARES = range(4)
_ROWS_PER_BLOCK = 65_536


def _stride(vector_size: int) -> int:
    return -(-vector_size // FLOATS_PER_CACHE_LINE) * FLOATS_PER_CACHE_LINE


def initial_rows(n_words: int, vector_size: int, seed: int) -> NDArray[np.float32]:
    """Make what the kernel trains: of each word two vectors, each with its sums of squares.

    As in GloVe's own program, vectors are random numbers up to ``0.5 / vector_size`` and sums begin
    at 1, so that the first step has the full learning rate.

    Returns
    -------
    numpy.ndarray of float32, shape (n_words, 4 * stride)
    """
    stride = _stride(vector_size)
    try:
        rows = empty_matrix(n_words, 4 * stride)
    except ParameterError as error:
        raise ParameterError(
            f"{n_words:,} words x {vector_size:,} dimensions need "
            f"{n_words * stride * 16 / 1e9:.1f} GB, which this machine does not have; lower "
            f"vector_size, or the number of words by min_count or max_final_vocab"
        ) from error
    random = np.random.default_rng(seed)
    for begin in range(0, n_words, _ROWS_PER_BLOCK):
        block = rows[begin : begin + _ROWS_PER_BLOCK].reshape(-1, 4, stride)
        for part in (WORD, CONTEXT):
            values = random.random((len(block), vector_size), dtype=np.float32)
            block[:, part, :vector_size] = (values - 0.5) / vector_size
            block[:, part + 1] = 1.0
    return rows


def initial_biases(n_words: int, vector_size: int, seed: int) -> NDArray[np.float32]:
    """Make the biases of words and contexts, each with its sum of squares, as `initial_rows`."""
    values = np.random.default_rng((seed, 1)).random((n_words, 4), dtype=np.float32)
    biases: NDArray[np.float32] = (values - np.float32(0.5)) / np.float32(vector_size)
    biases[:, [WORD_SQUARES, CONTEXT_SQUARES]] = 1.0
    return biases


def chosen_vectors(
    words: NDArray[np.float32], contexts: NDArray[np.float32], vector_size: int, model: str
) -> NDArray[np.float32]:
    size = vector_size * (2 if model == "concatenated" else 1)
    vectors = np.empty((len(words), size), np.float32)
    vectors[:, :vector_size] = words[:, :vector_size]
    if model == "sum":
        vectors += contexts[:, :vector_size]
    elif model == "concatenated":
        vectors[:, vector_size:] = contexts[:, :vector_size]
    return vectors

"""Words as bytes for the core, and means of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.errors import ParameterError
from firth.machine import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    # Words in bytes with their offsets, to the ids of their n-grams with theirs.
    NgramIds = Callable[
        [NDArray[np.uint8], NDArray[np.uint64]], tuple[NDArray[np.uint32], NDArray[np.int64]]
    ]

# Words that are looked up at a time: bounds the memory for the ids of their n-grams.
_BLOCK = 1 << 14
# Numbers that are converted from float16 at a time.
_CONVERTED = 1 << 24
# Below this many additions a second thread takes longer to start than it saves.
_WORTH_A_THREAD = 1 << 20
_MAX_BUCKETS = 2**31 - 1


def encode(words: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Lay words one after the other; lone surrogates, which no file can hold, become "?"."""
    if isinstance(words, str):
        raise ParameterError(f"words is the string {words[:60]!r}; give a list of words")
    encoded = []
    for at, word in enumerate(words):
        if not isinstance(word, str):
            raise ParameterError(f"words[{at}] is {type(word).__name__} {word!r}, not a string")
        encoded.append(word.encode("utf-8", "replace"))
    offsets = np.zeros(len(encoded) + 1, np.uint64)
    np.cumsum(np.fromiter(map(len, encoded), np.uint64, len(encoded)), out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def ngrams(marked: str, min_n: int, max_n: int) -> list[str]:
    """List the n-grams of a word between its marks, by start, the short ones first."""
    return [
        marked[first : first + n]
        for first in range(len(marked))
        for n in range(max(1, min_n), min(max_n, len(marked) - first) + 1)
    ]


def check_range(min_n: int, max_n: int) -> None:
    if not 0 <= min_n <= max_n:
        raise ParameterError(
            f"min_n is {min_n} and max_n is {max_n}; n-grams have from min_n >= 0 to max_n >= "
            f"min_n characters"
        )


def check_buckets(n_buckets: int) -> None:
    if not 1 <= n_buckets <= _MAX_BUCKETS:
        raise ParameterError(
            f"the number of buckets must be from 1 to {_MAX_BUCKETS:,}, not {n_buckets:,}"
        )


def check_rows(name: str, rows: NDArray[Any]) -> NDArray[Any]:
    """Check a matrix of the vectors of parts; one that is not contiguous is copied."""
    is_float = rows.dtype.kind == "f" and rows.dtype.itemsize <= 4 and rows.dtype.isnative
    if rows.ndim != 2 or rows.shape[1] == 0 or not is_float:
        raise ParameterError(
            f"{name} is {rows.dtype} of shape {rows.shape}; it must be a matrix of float32 or "
            f"float16, one vector a row"
        )
    return np.ascontiguousarray(rows)


def mean_vectors(
    word_bytes: NDArray[np.uint8],
    word_offsets: NDArray[np.uint64],
    ngram_ids: NgramIds,
    rows: NDArray[Any],
    own: NDArray[Any] | None = None,
    *,
    out: NDArray[np.float32] | None = None,
    add_only: bool = False,
) -> NDArray[np.float32]:
    """Compute the means of the rows of the n-grams of many words, on all cores.

    Parameters
    ----------
    word_bytes, word_offsets : numpy.ndarray
        The words, as in a `Vocab`.
    ngram_ids : callable
        Gives the rows of the n-grams of a block of words.
    rows : numpy.ndarray of float32 or float16, shape (n_rows, vector_size)
        The vectors of the parts.
    own : numpy.ndarray, shape (n_words, vector_size), optional
        The row of each word itself, which counts as the first of its parts.
    out : numpy.ndarray of float32, shape (n_words, vector_size), optional
        Where to write; may be `own`.
    add_only : bool
        Give sums instead of means.
    """
    n_words, dim = len(word_offsets) - 1, rows.shape[1]
    out = np.empty((n_words, dim), np.float32) if out is None else out
    for begin in range(0, n_words, _BLOCK):
        end = min(begin + _BLOCK, n_words)
        offsets = word_offsets[begin : end + 1]
        some = word_bytes[int(offsets[0]) : int(offsets[-1])]
        ids, ends = ngram_ids(some, offsets - offsets[0])
        own_rows = None if own is None else np.ascontiguousarray(own[begin:end], np.float32)
        _mean_rows(out[begin:end], own_rows, rows, ids, ends, add_only)
    return out


def _mean_rows(
    out: NDArray[np.float32],
    own: NDArray[np.float32] | None,
    rows: NDArray[Any],
    ids: NDArray[np.uint32],
    ends: NDArray[np.int64],
    add_only: bool,
) -> None:
    if rows.dtype == np.float32:
        n_threads = max(1, min(usable_cores(), ids.size * rows.shape[1] // _WORTH_A_THREAD))
        _core.mean_rows(out, own, rows, ids, ends, add_only, n_threads)
        return
    # Float16: only the rows that occur are converted, a part of the words at a time.
    step = max(1, _CONVERTED // rows.shape[1])
    begin = 0
    while begin < len(out):
        end = int(np.searchsorted(ends, ends[begin] + step, "right")) - 1
        end = min(max(end, begin + 1), len(out))
        used, numbers = np.unique(ids[ends[begin] : ends[end]], return_inverse=True)
        _core.mean_rows(
            out[begin:end],
            None if own is None else own[begin:end],
            rows[used].astype(np.float32),
            numbers.astype(np.uint32),
            ends[begin : end + 1] - ends[begin],
            add_only,
            1,
        )
        begin = end

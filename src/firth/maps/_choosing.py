"""Which words are mapped, and their vectors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import InputError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from firth.maps._vectors import Vectors


#: More words than this would be hours of work, and nobody could tell the dots apart.
MOST_WORDS = 100_000
TOP, AROUND = 2000, 300
_SHOWN = 5  # words that a message names


@dataclass(frozen=True)
class Chosen:
    """Words to be mapped, the most frequent first.

    Attributes
    ----------
    words : list of str
        The words.
    rows : numpy.ndarray of int64, shape (n_words,)
        Their places in the vocabulary; -1 where the vector is made of subwords.
    counts : numpy.ndarray of int64, shape (n_words,)
        How often each was seen; 0 where that is not known.
    vectors : numpy.ndarray of float32, shape (n_words, vector_size)
        Their vectors, of length 1.
    """

    words: list[str]
    rows: NDArray[np.int64]
    counts: NDArray[np.int64]
    vectors: NDArray[np.float32]


def choose(
    wv: Vectors,
    words: Iterable[str] | None = None,
    top: int | None = None,
    around: str | None = None,
) -> Chosen:
    """Choose words: those given, the first ones, or a word and its nearest neighbours."""
    if words is not None and (top is not None or around is not None):
        raise ParameterError("words says which ones to map; leave out top and around")
    if top is not None and (isinstance(top, bool) or top < 1):
        raise ParameterError(f"top must be 1 or more, not {top!r}")
    if isinstance(words, str):
        raise ParameterError(f"words is the string {words[:60]!r}; give a list of words")
    if not len(wv):
        raise InputError("the vectors have no words; there is nothing to map")
    if words is not None:
        return vectors_of(wv, list(words))
    top = min(AROUND if around is not None else TOP, len(wv)) if top is None else top
    if around is not None:
        near = [word for word, _ in wv.most_similar(around, topn=min(top, MOST_WORDS))]
        return vectors_of(wv, [around, *near])
    return _rows_of(wv, _thinned(min(top, len(wv))))


def vectors_of(wv: Vectors, words: Sequence[str]) -> Chosen:
    """Look up words, each once; those that have no vector are left out, and told."""
    words = list(dict.fromkeys(words))
    unknown = [word for word in words if word not in wv]
    if unknown:
        what = f"{len(unknown):,} of {len(words):,} words have no vector: {_named(unknown)}"
        if len(unknown) == len(words):
            raise InputError(f"{what}; there is nothing to draw")
        warnings.warn(f"{what}; they are left out", stacklevel=4)
        gone = set(unknown)
        words = [word for word in words if word not in gone]
    rows = wv.vocab.ids(words)
    order = np.argsort(np.where(rows < 0, len(wv), rows), kind="stable")
    order = order[: _thinned(len(order))]
    words = [words[i] for i in order.tolist()]
    rows = rows[order]
    counts = np.where(rows < 0, 0, wv.vocab.counts[rows]) if len(wv) else np.zeros_like(rows)
    return _with_direction(words, rows, counts, wv.get_vectors(words))


def _rows_of(wv: Vectors, n: int) -> Chosen:
    rows = np.arange(n)
    words = list(wv.index_to_key[:n])
    # A copy of these rows alone: the matrix may be larger than memory.
    return _with_direction(words, rows, np.array(wv.vocab.counts[:n]), wv.get_vectors(words))


def _with_direction(
    words: list[str],
    rows: NDArray[np.int64],
    counts: NDArray[np.int64],
    vectors: NDArray[np.float32],
) -> Chosen:
    """Scale vectors to length 1, and leave out those of zeros, with NaN or infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    used = np.isfinite(lengths) & (lengths > 0)
    if not used.all():
        gone = [words[i] for i in np.flatnonzero(~used).tolist()]
        what = f"the vectors of {len(gone):,} words are zero or not finite: {_named(gone)}"
        if not used.any():
            raise InputError(f"{what}; there is nothing to draw")
        warnings.warn(f"{what}; they are left out", stacklevel=5)
        words = [words[i] for i in np.flatnonzero(used).tolist()]
    units = (vectors[used] / lengths[used, None]).astype(np.float32)
    return Chosen(words, rows[used], counts[used], units)


def _thinned(n: int) -> int:
    if n > MOST_WORDS:
        warnings.warn(
            f"{n:,} words are too many for a map; the first {MOST_WORDS:,} are drawn, which are "
            f"the most frequent ones",
            stacklevel=5,
        )
    return min(n, MOST_WORDS)


def _named(words: Sequence[str]) -> str:
    shown = ", ".join(word[:40] for word in words[:_SHOWN])
    return shown + ("" if len(words) <= _SHOWN else ", ...")

"""Which rows a question looks among: ranges, sets of words, prefixes, patterns."""

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError
from firth.vectors._questions import words_of
from firth.vocab import Vocab

Among: TypeAlias = Iterable[str] | NDArray[np.integer] | NDArray[np.bool_]
Pattern: TypeAlias = str | re.Pattern[str]

# Words that are matched with a pattern at a time.
_BLOCK = 1 << 14


def clip(n_words: int, start: int, end: int | None, restrict_vocab: int | None) -> tuple[int, int]:
    """Give the range of rows that gensim's parameters ask for."""
    for name, value in (("clip_start", start), ("restrict_vocab", restrict_vocab or 0)):
        if value < 0:
            raise ParameterError(f"{name} must be 0 or more, not {value}")
    if restrict_vocab:
        start, end = 0, restrict_vocab
    # gensim takes 0 for "to the end", too.
    begin, end, _ = slice(start, end or None).indices(n_words)
    return begin, max(begin, end)


def candidates(
    vocab: Vocab,
    begin: int,
    end: int,
    among: Among | None,
    prefix: str | None,
    pattern: Pattern | None,
) -> NDArray[np.int64] | slice:
    """Give the rows of a range that pass all filters: a slice where there are none."""
    if among is None and prefix is None and pattern is None:
        return slice(begin, end)
    rows = np.arange(begin, end) if among is None else _rows_among(vocab, among)
    rows = rows[(rows >= begin) & (rows < end)]
    if prefix is not None:
        rows = _with_prefix(vocab, rows, prefix)
    if pattern is not None:
        rows = _with_pattern(vocab, rows, pattern)
    return rows


def _rows_among(vocab: Vocab, among: Among) -> NDArray[np.int64]:
    """Give the rows of words, rising, each once; words that are not there cannot be found."""
    if isinstance(among, np.ndarray) and among.dtype.kind in "biu":
        if among.dtype == np.bool_ and among.shape == (len(vocab),):
            return np.flatnonzero(among)
        rows = np.unique(among)
        if (
            among.dtype == np.bool_
            or among.ndim != 1
            or (len(rows) and not 0 <= rows[0] <= rows[-1] < len(vocab))
        ):
            raise ParameterError(
                f"among is {among.dtype} of shape {among.shape}; give words, numbers of rows from "
                f"0 to {len(vocab) - 1:,}, or a truth value for each of the {len(vocab):,} words"
            )
        return rows.astype(np.int64)
    rows = np.unique(vocab.ids(words_of("among", among)))
    return rows[rows >= 0]


def _with_prefix(vocab: Vocab, rows: NDArray[np.int64], prefix: Any) -> NDArray[np.int64]:
    if not isinstance(prefix, str):
        raise ParameterError(f"prefix must be a string, not {prefix!r:.60}")
    wanted = prefix.encode("utf-8", "surrogatepass")
    begins = vocab.word_offsets[rows].astype(np.int64)
    rows = rows[vocab.word_offsets[rows + 1].astype(np.int64) - begins >= len(wanted)]
    for at, byte in enumerate(wanted):
        begins = vocab.word_offsets[rows].astype(np.int64)
        rows = rows[vocab.word_bytes[begins + at] == byte]
    return rows


def _with_pattern(vocab: Vocab, rows: NDArray[np.int64], pattern: Any) -> NDArray[np.int64]:
    try:
        search = re.compile(pattern).search
    except (re.error, TypeError, RecursionError) as error:
        raise ParameterError(f"pattern {pattern!r:.60} is no regular expression: {error}") from None
    if not isinstance(getattr(pattern, "pattern", pattern), str):
        raise ParameterError("pattern is of bytes; words are strings")
    found = np.zeros(len(rows), np.bool_)
    for at in range(0, len(rows), _BLOCK):
        words = vocab.words_at(rows[at : at + _BLOCK])
        found[at : at + len(words)] = [search(word) is not None for word in words]
    return rows[found]

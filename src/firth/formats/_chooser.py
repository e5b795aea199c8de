"""Which rows of a file are kept, in formats that have all words before the matrix or after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.errors import FormatError
from firth.formats._rows import finish_table, nothing_left
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.formats._table import LoadReport, VectorTable
    from firth.subwords import Subwords

_BLOCK_BYTES = 16 << 20  # of a matrix that are looked at or converted at a time
WORDS_A_BLOCK = 8192


def shortened(word: str | bytes) -> str:
    """Show a word from a file in a message."""
    text = repr(word)
    return text if len(text) <= 60 else text[:57] + "..."


class RowChooser:
    """Decides word by word which rows of a file are kept, as `ReadOptions` say.

    Left out are words that are empty or stood there before, those that are not in `only`, and what
    comes after `limit` rows. The words are added in the order of the file, block by block, so that
    no more than a block of them are Python objects at a time.

    Parameters
    ----------
    options : ReadOptions
        What the caller asked for.
    report : LoadReport
        Where it is counted.
    """

    def __init__(self, options: ReadOptions, report: LoadReport) -> None:
        self._options = options
        self._report = report
        self._interner = _core.TokenInterner()
        self._rows: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._lengths: list[NDArray[np.uint64]] = []
        self._bytes: list[bytes] = []
        self._n_kept = 0
        self._n_seen = 0

    @property
    def is_full(self) -> bool:
        """Whether `limit` is reached, so that nothing more needs to be read."""
        return self._options.limit is not None and self._n_kept >= self._options.limit

    @property
    def n_seen(self) -> int:
        """How many words were added."""
        return self._n_seen

    def add(
        self,
        words: Sequence[str | bytes],
        counts: NDArray[np.integer] | None = None,
        where: Callable[[int], str] | None = None,
    ) -> NDArray[np.int64]:
        """Add the words of the next rows.

        Parameters
        ----------
        words : sequence of str or bytes
            The words; bytes are decoded as UTF-8.
        counts : numpy.ndarray of int64, shape (n,), optional
            How often each was seen.
        where : callable, optional
            Tells for a position in `words` where in the file it stands, for messages.

        Returns
        -------
        numpy.ndarray of int64, shape (n_kept,)
            Positions in `words` of those that are kept.

        Raises
        ------
        FormatError
            If a word is not UTF-8 and `errors` is "strict".
        """
        report, options = self._report, self._options

        def place(position: int) -> str:
            found = where(position) if where else f"row {self._n_seen + position:,} (from 0)"
            return f"{report.source}: {found}"

        texts = self._decode(words, place)
        kept = np.fromiter((bool(text) for text in texts), bool, len(texts))
        report.empty_words += len(texts) - int(kept.sum())
        if options.only is not None:
            only = options.only
            kept &= np.fromiter((text in only for text in texts), bool, len(texts))
        positions = np.flatnonzero(kept)
        chosen = texts if len(positions) == len(texts) else [texts[i] for i in positions.tolist()]
        positions, chosen = self._without_duplicates(positions, chosen)
        if options.limit is not None:
            room = options.limit - self._n_kept
            positions, chosen = positions[:room], chosen[:room]
        encoded = [text.encode() for text in chosen]
        self._bytes.append(b"".join(encoded))
        self._lengths.append(np.fromiter(map(len, encoded), np.uint64, len(encoded)))
        self._rows.append(positions + self._n_seen)
        self._counts.append(
            np.zeros(len(positions), np.int64)
            if counts is None
            else np.maximum(counts[positions], 0).astype(np.int64)
        )
        self._n_kept += len(positions)
        self._n_seen += len(words)
        report.rows_read = self._n_seen
        return positions

    def _decode(self, words: Sequence[str | bytes], place: Callable[[int], str]) -> list[str]:
        try:
            texts = [word if isinstance(word, str) else word.decode() for word in words]
            "".join(texts).encode()  # a lone surrogate is no character either
        except UnicodeError:
            return [self._decode_one(word, i, place) for i, word in enumerate(words)]
        return texts

    def _decode_one(self, word: str | bytes, position: int, place: Callable[[int], str]) -> str:
        raw = word.encode("utf-8", "surrogatepass") if isinstance(word, str) else word
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            if self._options.errors == "strict":
                raise FormatError(
                    f"{place(position)}: the word {shortened(raw)} is not UTF-8: {error.reason}; "
                    f'read with errors="replace" or errors="ignore" to repair such words'
                ) from None
            self._report.undecodable_words += 1
            return raw.decode("utf-8", self._options.errors)

    def _without_duplicates(
        self, positions: NDArray[np.int64], words: list[str]
    ) -> tuple[NDArray[np.int64], list[str]]:
        if not words:
            return positions, words
        before = len(self._interner)
        ids = self._interner.encode_sentences([words], last_is_open=True).astype(np.int64)
        # Ids are given in the order of first appearance: a new word raises the highest one.
        highest = np.maximum.accumulate(np.concatenate(([before - 1], ids)))
        is_new = highest[1:] > highest[:-1]
        if not is_new.all():
            self._report.duplicates += len(words) - int(is_new.sum())
            words = [word for word, new in zip(words, is_new.tolist(), strict=True) if new]
            positions = positions[is_new]
        return positions, words

    def rows(self) -> NDArray[np.int64]:
        """Return the rows that are kept, rising, shape (n_kept,)."""
        return np.concatenate(self._rows) if self._rows else np.zeros(0, np.int64)

    def vocab(self) -> Vocab:
        """Make the vocabulary of the words that are kept.

        Raises
        ------
        FormatError
            If there are none.
        ParameterError
            If none of the file is in `only`.
        """
        if not self._n_kept:
            raise nothing_left(self._options, self._report)
        offsets = np.zeros(self._n_kept + 1, np.uint64)
        np.cumsum(np.concatenate(self._lengths), out=offsets[1:])
        word_bytes = np.frombuffer(bytearray(b"".join(self._bytes)), np.uint8)
        return Vocab.from_arrays(word_bytes, offsets, np.concatenate(self._counts))


def take_rows(matrix: NDArray[Any], rows: NDArray[np.int64], dtype: str) -> NDArray[Any]:
    """Give rows of a matrix in the dtype asked for; the matrix itself where it is just that.

    So a mapped file stays mapped when all of it is wanted. Otherwise one copy is made, block by
    block.
    """
    n_columns = matrix.shape[1]
    is_all = not len(rows) or int(rows[-1]) == len(rows) - 1  # the rows rise, so: the first ones
    matrix = matrix[: len(rows)] if is_all else matrix
    flags = matrix.flags
    if is_all and matrix.dtype == np.dtype(dtype) and flags.c_contiguous and flags.aligned:
        return matrix
    result = np.empty((len(rows), n_columns), dtype)
    step = max(1, _BLOCK_BYTES // max(1, n_columns * matrix.dtype.itemsize))
    with np.errstate(over="ignore", invalid="ignore"):  # float16 has no room for large values
        for begin in range(0, len(rows), step):
            part = slice(begin, begin + step)
            result[part] = matrix[part] if is_all else matrix[rows[part]]
    return result


class RowStore:
    """A matrix that is filled block by block.

    It has room for the most rows that there can be; the system gives memory only for those that are
    filled, so that the matrix is never there twice.

    Parameters
    ----------
    n_most : int
        How many rows there are in the file, or more.
    options : ReadOptions
        What the caller asked for.
    """

    def __init__(self, n_most: int, options: ReadOptions) -> None:
        bounds = [n_most, options.limit, None if options.only is None else len(options.only)]
        self._n_most = min(bound for bound in bounds if bound is not None)
        self._dtype = np.dtype(options.dtype)
        self._matrix: NDArray[Any] = np.empty((0, 0), self._dtype)
        self._n_rows = 0

    def add(self, block: NDArray[Any]) -> None:
        """Add rows, shape (n, vector_size), of one length in all blocks."""
        if not len(block):
            return
        if not self._n_rows:
            self._matrix = np.empty((self._n_most, block.shape[1]), self._dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            self._matrix[self._n_rows : self._n_rows + len(block)] = block
        self._n_rows += len(block)

    def matrix(self) -> NDArray[Any]:
        """Return the rows that were added."""
        return self._matrix[: self._n_rows]


def make_chosen_table(
    chooser: RowChooser,
    matrix: NDArray[Any],
    options: ReadOptions,
    report: LoadReport,
    *,
    subwords: Subwords | None = None,
    config: Mapping[str, Any] | None = None,
) -> VectorTable:
    """Make the table of the rows that were chosen of a matrix, shape (n_rows, vector_size)."""
    vocab = chooser.vocab()
    if matrix.ndim != 2 or len(matrix) < chooser.n_seen:
        raise FormatError(
            f"{report.source}: the matrix has the shape {matrix.shape} for {chooser.n_seen:,} "
            f"words; they do not belong together"
        )
    vectors = take_rows(matrix, chooser.rows(), options.dtype)
    return finish_table(vocab, vectors, options, report, subwords=subwords, config=config)

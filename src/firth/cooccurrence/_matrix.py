"""Co-occurrences: a sparse matrix in a folder.

Beside ``config.json`` and the vocabulary, the folder holds three plain arrays, little-endian and
without a header: the matrix in compressed sparse rows::

    row_starts.i64  int64    (n_words + 1,)  row i is columns[row_starts[i]:row_starts[i + 1]]
    columns.u32     uint32   (n_stored,)     in rising order within a row
    values.f32      float32  (n_stored,)     above 0

A symmetric matrix is stored up to its diagonal: ``columns <= row``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from firth.errors import FormatError, MissingExtraError, SourceError
from firth.storage import read_config
from firth.vocab import VOCAB_FILE, Vocab

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from numpy.typing import NDArray

KIND = "cooccurrences"
ROW_STARTS_FILE = "row_starts.i64"
COLUMNS_FILE = "columns.u32"
VALUES_FILE = "values.f32"
_ROWS_PER_CHECK = 1 << 20


class Cooccurrences:
    """How often words stand near each other, as a sparse matrix that is mapped from disk.

    `count_cooccurrences` makes one. Use it in a ``with`` block, or `close` it, so that one that is
    not kept leaves the disk.

    Parameters
    ----------
    folder : str or Path
        What `count_cooccurrences` wrote.
    remove : callable, optional
        Called when it is closed; removes a folder that is not kept.

    Attributes
    ----------
    vocab : Vocab
        The words; word i is row i and column i.
    window : int
        Words on either side that were counted.
    symmetric : bool
        Whether words on both sides were counted, or those on the left alone.
    distance_weighting : bool
        Whether a pair at distance d counts ``1 / d``, or 1.
    n_tokens : int
        Words of the text.
    n_nonzero : int
        Entries of the whole matrix.
    n_stored : int
        Those that are stored: about half of a symmetric matrix.
    row_starts, columns, values : numpy.ndarray
        What is stored, in compressed sparse rows; int64, uint32, float32.

    Raises
    ------
    SourceError
        No such folder.
    FormatError
        The folder has no co-occurrences, or one of its files is missing, cut off or damaged.

    Examples
    --------
    >>> from firth import count_cooccurrences, encode_corpus
    >>> vocab, corpus = encode_corpus(["to be or not to be"], min_count=1)
    >>> with corpus, count_cooccurrences(vocab, corpus, window=2, progress=False) as counts:
    ...     counts.count("to", "be"), counts.count("to", "or"), counts.n_nonzero
    (2.0, 1.0, 12)
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, remove: Callable[[], None] | None = None
    ) -> None:
        self.folder = Path(folder)
        self._remove = remove
        config = read_config(folder, KIND)
        self.window, self.n_tokens, self.n_stored, self.n_nonzero = (
            self._whole_number(config, name)
            for name in ("window", "n_tokens", "n_stored", "n_nonzero")
        )
        self.symmetric = config.get("symmetric") is True
        self.distance_weighting = config.get("distance_weighting") is True
        self.vocab = Vocab.from_file(self.folder / VOCAB_FILE)
        self.row_starts = self._open(ROW_STARTS_FILE, np.dtype("<i8"), len(self.vocab) + 1)
        self.columns = self._open(COLUMNS_FILE, np.dtype("<u4"), self.n_stored)
        self.values = self._open(VALUES_FILE, np.dtype("<f4"), self.n_stored)
        self._check()

    def _whole_number(self, config: dict[str, Any], name: str) -> int:
        value = config.get(name)
        if type(value) is not int or value < 1:
            raise FormatError(
                f"{self.folder}/config.json: {name} is {value!r}, not a whole number above 0; "
                f"count again"
            )
        return value

    def _open(self, name: str, dtype: np.dtype[Any], length: int) -> NDArray[Any]:
        path = self.folder / name
        try:
            size = path.stat().st_size
            if size != length * dtype.itemsize:
                raise FormatError(
                    f"{path}: {size:,} bytes, where {length:,} numbers take "
                    f"{length * dtype.itemsize:,}; count the co-occurrences again"
                )
            return np.memmap(path, dtype, "r", shape=(length,))
        except FileNotFoundError as error:
            raise FormatError(f"{path}: missing; count the co-occurrences again") from error
        except OSError as error:
            raise SourceError(f"{path}: cannot be read: {error.strerror}") from error

    def _check(self) -> None:
        starts = self.row_starts
        falls = any(
            (np.diff(starts[begin : begin + _ROWS_PER_CHECK + 1]) < 0).any()
            for begin in range(0, len(starts), _ROWS_PER_CHECK)
        )
        if falls or starts[0] != 0 or starts[-1] != self.n_stored:
            raise self.damaged(f"the rows of {ROW_STARTS_FILE} do not follow each other")

    def damaged(self, what: object) -> FormatError:
        """Make the error to raise when the files do not say what a matrix can say."""
        return FormatError(f"{self.folder}: damaged ({what}); count the co-occurrences again")

    def __len__(self) -> int:
        return len(self.vocab)

    def __repr__(self) -> str:
        kind = "" if self.symmetric else ", to the left only"
        return (
            f"Cooccurrences({len(self):,} words, {self.n_nonzero:,} pairs within "
            f"{self.window} words{kind})"
        )

    def count(self, word: str, context: str) -> float:
        """Look up how often a word has another one as its context.

        Parameters
        ----------
        word, context : str
            Words of the vocabulary.

        Returns
        -------
        float
            Their count, weighted by distance where that was asked for; 0 if they never meet.

        Raises
        ------
        WordNotFoundError
            One of the words is not in the vocabulary.
        """
        row, column = self.vocab[word], self.vocab[context]
        if self.symmetric:
            row, column = max(row, column), min(row, column)
        begin, end = int(self.row_starts[row]), int(self.row_starts[row + 1])
        at = begin + int(np.searchsorted(self.columns[begin:end], column))
        return float(self.values[at]) if at < end and self.columns[at] == column else 0.0

    def blocks(
        self, n_entries: int
    ) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]]]:
        """Read what is stored, some rows at a time, without keeping it in memory.

        Parameters
        ----------
        n_entries : int
            Entries that a block has at most; one row alone may have more.

        Yields
        ------
        first_row : int
            The number of its first row.
        row_starts : numpy.ndarray of int64, shape (n_rows + 1,)
            Where its rows begin, counted from the first entry of the matrix.
        columns : numpy.ndarray of uint32, shape (n,)
        values : numpy.ndarray of float32, shape (n,)
        """
        first = 0
        with (
            (self.folder / COLUMNS_FILE).open("rb") as c,
            (self.folder / VALUES_FILE).open("rb") as v,
        ):
            while first < len(self):
                limit = int(self.row_starts[first]) + n_entries
                last = int(np.searchsorted(self.row_starts, limit, side="right")) - 1
                last = min(max(last, first + 1), len(self))
                starts = np.array(self.row_starts[first : last + 1], np.int64)
                n = int(starts[-1] - starts[0])
                columns = np.fromfile(c, np.dtype("<u4"), n).astype(np.uint32, copy=False)
                values = np.fromfile(v, np.dtype("<f4"), n).astype(np.float32, copy=False)
                if len(columns) != n or len(values) != n:
                    raise self.damaged("a file became shorter while it was read")
                yield first, starts, columns, values
                first = last

    def to_scipy(self) -> Any:
        """Load the whole matrix into SciPy.

        Returns
        -------
        scipy.sparse.csr_array of float32, shape (n_words, n_words)
            Row i holds the contexts of word i; a symmetric matrix in full, with both halves. It
            takes 8 bytes for each of its `n_nonzero` entries, and twice that while it is made.

        Raises
        ------
        MissingExtraError
            SciPy is not installed.
        """
        try:
            from scipy.sparse import csr_array, tril
        except ImportError as error:
            raise MissingExtraError("scipy", "svd", "a matrix of SciPy") from error
        shape = (len(self), len(self))
        stored = csr_array((self.values, self.columns.view("<i4"), self.row_starts), shape)
        # What is stored has no zeros, is sorted and without duplicates: SciPy need not look again.
        stored.has_canonical_format = True
        if not self.symmetric:
            return stored.copy()
        return stored + tril(stored, -1, format="csr").T.tocsr()

    def close(self) -> None:
        """Remove the matrix from the disk, unless it is kept for later."""
        if self._remove:
            self._remove()
            self._remove = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

"""The subwords of fastText."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from firth import _core
from firth.errors import ParameterError
from firth.subwords._gather import (
    check_buckets,
    check_range,
    check_rows,
    encode,
    mean_vectors,
    ngrams,
)
from firth.subwords._subwords import Subwords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

SENTENCE_END = "</s>"


class FastTextSubwords(Subwords):
    """The n-grams of fastText, hashed into buckets.

    Bojanowski, Grave, Joulin and Mikolov (2017), "Enriching Word Vectors with Subword
    Information", section 3.2. The vector of an unseen word is the mean of the rows of its n-grams;
    that of a word of the vocabulary is the mean of its own row and these. Sums are formed in
    single precision in fastText's own order, so that vectors are those of fastText to the bit.

    Parameters
    ----------
    bucket_rows : numpy.ndarray of float32 or float16, shape (n_rows, vector_size)
        The vectors of the buckets. Kept, not copied, where it is C-contiguous.
    min_n, max_n : int
        The characters of an n-gram, of the word between ``<`` and ``>``.
    bucket : int, optional
        By what hashes are divided; as many as there are rows otherwise.
    word_rows : numpy.ndarray, shape (n_words, vector_size), optional
        The vectors of the words themselves, without their n-grams, in the order of the
        vocabulary: to train on, and to write fastText's files.
    kept : numpy.ndarray of int64, shape (n_rows,), optional
        The buckets that the rows stand for, rising, where a quantised model dropped the others.
        N-grams in other buckets do not count.
    sentence_end_ngrams : bool
        Whether ``</s>`` has n-grams like any word, as in the first versions of fastText.

    Raises
    ------
    ParameterError
        If these do not fit each other.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.subwords import FastTextSubwords
    >>> subwords = FastTextSubwords(np.eye(4, dtype=np.float32), min_n=3, max_n=3)
    >>> subwords.parts("eye")[0]
    ['<ey', 'eye', 'ye>']
    >>> subwords.vectors(["eye"]).shape
    (1, 4)
    """

    family: ClassVar[str] = "fasttext"

    def __init__(
        self,
        bucket_rows: NDArray[Any],
        min_n: int,
        max_n: int,
        *,
        bucket: int | None = None,
        word_rows: NDArray[Any] | None = None,
        kept: NDArray[np.integer] | None = None,
        sentence_end_ngrams: bool = False,
    ) -> None:
        check_range(min_n, max_n)
        self._rows = check_rows("bucket_rows", bucket_rows)
        self.min_n = min_n
        self.max_n = max_n
        self.sentence_end_ngrams = sentence_end_ngrams
        self.bucket = len(bucket_rows) if bucket is None else bucket
        check_buckets(self.bucket)
        self._kept = None if kept is None else np.ascontiguousarray(kept, np.int64)
        n_buckets = self.bucket if self._kept is None else len(self._kept)
        if n_buckets != len(self._rows):
            raise ParameterError(
                f"bucket_rows has {len(self._rows):,} rows for {n_buckets:,} buckets; give one for "
                f"each"
            )
        if self._kept is not None and (
            self._kept.ndim != 1
            or (np.diff(self._kept) <= 0).any()
            or (len(self._kept) and not 0 <= self._kept[0] <= self._kept[-1] < self.bucket)
        ):
            raise ParameterError(f"kept must be rising numbers from 0 to {self.bucket - 1:,}")
        self.word_rows = None if word_rows is None else check_rows("word_rows", word_rows)
        if self.word_rows is not None and self.word_rows.shape[1] != self.vector_size:
            raise ParameterError(
                f"word_rows has the shape {self.word_rows.shape} and bucket_rows "
                f"{self._rows.shape}; their vectors must be of one size"
            )

    @property
    def vector_size(self) -> int:
        """The number of dimensions."""
        return int(self._rows.shape[1])

    @property
    def rows(self) -> NDArray[Any]:
        """The vectors of the buckets, shape (n_rows, vector_size)."""
        return self._rows

    @property
    def kept(self) -> NDArray[np.int64] | None:
        """The buckets that the rows stand for, rising; None for all of them."""
        return self._kept

    def vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Make the vectors of unseen words, shape (n_words, vector_size).

        Words so short that they have no n-grams, and ``</s>``, get a row of zeros.
        """
        return mean_vectors(*encode(words), self._ids, self._rows)

    def compose(
        self,
        word_bytes: NDArray[np.uint8],
        word_offsets: NDArray[np.uint64],
        word_rows: NDArray[Any],
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Make the vectors of words of the vocabulary: means of their own rows and their n-grams'.

        Parameters
        ----------
        word_bytes, word_offsets : numpy.ndarray
            The words, as in a `Vocab`.
        word_rows : numpy.ndarray, shape (n_words, vector_size)
            Their own rows.
        out : numpy.ndarray of float32, shape (n_words, vector_size), optional
            Where to write; may be `word_rows`.

        Returns
        -------
        numpy.ndarray of float32, shape (n_words, vector_size)
            The vectors.
        """
        return mean_vectors(word_bytes, word_offsets, self._ids, self._rows, word_rows, out=out)

    def select_words(self, rows: NDArray[np.int64]) -> FastTextSubwords:
        """Give the same for a vocabulary of which only some rows are kept."""
        if self.word_rows is None:
            return self
        tensors = dict(self.tensors())
        tensors["word_rows"] = self.word_rows[rows]
        return self.from_parts(self.config(), tensors)

    def parts(self, word: str) -> tuple[list[str], NDArray[np.int64]]:
        """Tell the n-grams of a word and the row of each; -1 for one that was dropped."""
        if word == SENTENCE_END and not self.sentence_end_ngrams:
            return [], np.zeros(0, np.int64)
        found = ngrams(f"<{word}>", self.min_n, self.max_n)
        if self.min_n <= 1 <= self.max_n:  # the marks alone do not count
            found = found[1:-1]
        ids = self._hash(*encode([word]))[0].astype(np.int64)
        if self._kept is not None:
            at = np.searchsorted(self._kept, ids)
            there = np.isin(ids, self._kept)
            ids = np.where(there, at, -1)
        return found, ids

    def config(self) -> dict[str, Any]:
        """Tell its parameters, as JSON can hold them."""
        names = ("min_n", "max_n", "bucket", "sentence_end_ngrams")
        return {name: getattr(self, name) for name in names}

    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Give its arrays by name, for ``subwords.safetensors``."""
        tensors = {"bucket_rows": self._rows, "word_rows": self.word_rows, "kept": self._kept}
        return {name: array for name, array in tensors.items() if array is not None}

    @classmethod
    def from_parts(cls, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of what `config` and `tensors` gave."""
        return cls(
            tensors["bucket_rows"],
            config["min_n"],
            config["max_n"],
            bucket=config["bucket"],
            word_rows=tensors.get("word_rows"),
            kept=tensors.get("kept"),
            sentence_end_ngrams=bool(config["sentence_end_ngrams"]),
        )

    # --- within -----------------------------------------------------------------------------------

    @property
    def _hash(self) -> Any:
        return partial(
            _core.subword_ids,
            min_n=self.min_n,
            max_n=self.max_n,
            bucket=self.bucket,
            with_sentence_end=self.sentence_end_ngrams,
        )

    def _ids(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Give the rows of the n-grams of words, those that were dropped left out."""
        ids, ends = self._hash(word_bytes, word_offsets)
        if self._kept is None:
            return ids, ends
        at = np.searchsorted(self._kept, ids)
        there = np.zeros(len(ids), np.bool_)
        inside = at < len(self._kept)
        there[inside] = self._kept[at[inside]] == ids[inside]
        before = np.zeros(len(ids) + 1, np.int64)
        np.cumsum(there, out=before[1:])
        return at[there].astype(np.uint32), before[ends]

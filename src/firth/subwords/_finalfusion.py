"""The subwords of finalfusion: hashed into buckets, or listed one by one.

The vector of an unseen word is the sum of the rows of its n-grams, scaled to length 1, as the rows
of finalfusion's words are.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from firth import _core
from firth.errors import ParameterError
from firth.subwords._gather import check_range, check_rows, encode, mean_vectors, ngrams
from firth.subwords._subwords import Subwords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_MAX_EXPONENT = 31


class _UnitSums(Subwords):
    """Sums of rows, scaled to length 1."""

    def __init__(
        self, rows: NDArray[Any], min_n: int, max_n: int, begin_mark: str, end_mark: str
    ) -> None:
        check_range(min_n, max_n)
        self._rows = check_rows("rows", rows)
        self.min_n = min_n
        self.max_n = max_n
        self.begin_mark = begin_mark
        self.end_mark = end_mark

    @property
    def vector_size(self) -> int:
        """The number of dimensions."""
        return int(self._rows.shape[1])

    @property
    def rows(self) -> NDArray[Any]:
        """The vectors of the parts, shape (n_rows, vector_size)."""
        return self._rows

    def vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Make the vectors of unseen words, of length 1, shape (n_words, vector_size).

        Words without n-grams that have a row get a row of zeros.
        """
        sums = mean_vectors(*encode(words), self._ids, self._rows, add_only=True)
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt(np.einsum("ij,ij->i", sums, sums))
            sums /= np.where(lengths == 0, np.float32(1), lengths)[:, None]
        return sums

    @abstractmethod
    def _ids(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...

    def _ngrams(self, word: str) -> list[str]:
        return ngrams(f"{self.begin_mark}{word}{self.end_mark}", self.min_n, self.max_n)

    def config(self) -> dict[str, Any]:
        """Tell its parameters, as JSON can hold them."""
        names = ("min_n", "max_n", "begin_mark", "end_mark")
        return {name: getattr(self, name) for name in names}


class FinalfusionSubwords(_UnitSums):
    """N-grams hashed into buckets, as files of finalfusion have them.

    Parameters
    ----------
    rows : numpy.ndarray of float32 or float16, shape (n_rows, vector_size)
        The vectors of the buckets; with finalfusion's own hash, a power of two of them.
    min_n, max_n : int
        The characters of an n-gram, of the word between its marks.
    hashing : str
        "finalfusion": FNV-1a of 64 bits over the length and the code points, masked; "fasttext":
        that of fastText (where a mark alone is no n-gram).
    begin_mark, end_mark : str
        What is put before and behind a word.

    Raises
    ------
    ParameterError
        If the number of rows is none that the hash can have, or another is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.subwords import FinalfusionSubwords
    >>> subwords = FinalfusionSubwords(np.eye(8, dtype=np.float32), min_n=3, max_n=6)
    >>> round(float(np.linalg.norm(subwords.vectors(["unseen"]))), 6)
    1.0
    """

    family: ClassVar[str] = "finalfusion"

    def __init__(
        self,
        rows: NDArray[Any],
        min_n: int,
        max_n: int,
        *,
        hashing: Literal["finalfusion", "fasttext"] = "finalfusion",
        begin_mark: str = "<",
        end_mark: str = ">",
    ) -> None:
        super().__init__(rows, min_n, max_n, begin_mark, end_mark)
        n_rows = len(self._rows)
        if hashing == "finalfusion":
            if n_rows & (n_rows - 1) or not 1 <= n_rows <= 1 << _MAX_EXPONENT:
                raise ParameterError(
                    f"rows has {n_rows:,} rows; finalfusion's hash takes a power of two up to "
                    f"2^{_MAX_EXPONENT}"
                )
        elif hashing == "fasttext":
            if (begin_mark, end_mark) != ("<", ">") or n_rows == 0:
                raise ParameterError("fastText's hash takes the marks '<' and '>' and some rows")
        else:
            raise ParameterError(f"hashing must be 'finalfusion' or 'fasttext', not {hashing!r}")
        self.hashing: Literal["finalfusion", "fasttext"] = hashing

    @property
    def bucket(self) -> int:
        """The number of buckets."""
        return len(self._rows)

    def parts(self, word: str) -> tuple[list[str], NDArray[np.int64]]:
        """Tell the n-grams of a word and the row of each."""
        ids = self._ids(*encode([word]))[0].astype(np.int64)
        found = self._ngrams(word)
        if self.hashing == "fasttext":
            if not len(ids):
                return [], ids
            return (found[1:-1] if self.min_n <= 1 <= self.max_n else found), ids
        # The core lists the long ones of a start first.
        order = sorted(range(len(found)), key=lambda i: self._start_and_length(word)[i])
        return [found[i] for i in order], ids

    def _start_and_length(self, word: str) -> list[tuple[int, int]]:
        n = len(word) + len(self.begin_mark) + len(self.end_mark)
        return [
            (first, -length)
            for first in range(n)
            for length in range(max(1, self.min_n), min(self.max_n, n - first) + 1)
        ]

    def config(self) -> dict[str, Any]:
        """Tell its parameters, as JSON can hold them."""
        return super().config() | {"hashing": self.hashing}

    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Give its arrays by name, for ``subwords.safetensors``."""
        return {"rows": self._rows}

    @classmethod
    def from_parts(cls, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of what `config` and `tensors` gave."""
        return cls(
            tensors["rows"],
            config["min_n"],
            config["max_n"],
            hashing=config["hashing"],
            begin_mark=config["begin_mark"],
            end_mark=config["end_mark"],
        )

    def _ids(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        if self.hashing == "fasttext":
            return _core.subword_ids(
                word_bytes,
                word_offsets,
                self.min_n,
                self.max_n,
                len(self._rows),
                with_sentence_end=True,
            )
        return _core.finalfusion_ids(
            word_bytes,
            word_offsets,
            self.min_n,
            self.max_n,
            len(self._rows) - 1,
            self.begin_mark.encode(),
            self.end_mark.encode(),
        )


class ExplicitSubwords(_UnitSums):
    """N-grams that are listed one by one, as finalfusion's explicit vocabularies have them.

    Parameters
    ----------
    rows : numpy.ndarray of float32 or float16, shape (n_rows, vector_size)
        The vectors of the n-grams.
    ngrams : sequence of str, or pair of numpy.ndarray
        The n-grams that have one; of others nothing is known. Instead of strings their UTF-8, one
        after the other, shape (n_bytes,), and where each begins and the last ends, of uint64, shape
        (n_ngrams + 1,).
    ngram_rows : numpy.ndarray of int64, shape (n_ngrams,), optional
        The row of each n-gram; its place in `ngrams` otherwise. Several may share one.
    min_n, max_n : int
        The characters of an n-gram, of the word between its marks.
    begin_mark, end_mark : str
        What is put before and behind a word.

    Raises
    ------
    ParameterError
        If these do not fit each other.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.subwords import ExplicitSubwords
    >>> rows = np.eye(2, dtype=np.float32)
    >>> subwords = ExplicitSubwords(rows, ["<un", "een"], min_n=3, max_n=3)
    >>> subwords.vectors(["unseen", "eight"]).astype(float).round(2).tolist()
    [[0.71, 0.71], [0.0, 0.0]]
    """

    family: ClassVar[str] = "explicit"

    def __init__(
        self,
        rows: NDArray[Any],
        ngrams: Sequence[str] | tuple[NDArray[np.uint8], NDArray[np.uint64]],
        min_n: int,
        max_n: int,
        *,
        ngram_rows: NDArray[np.integer] | None = None,
        begin_mark: str = "<",
        end_mark: str = ">",
    ) -> None:
        super().__init__(rows, min_n, max_n, begin_mark, end_mark)
        self._bytes, self._offsets = ngrams if isinstance(ngrams, tuple) else encode(ngrams)
        n_ngrams = len(self._offsets) - 1
        if n_ngrams < 0 or (int(self._offsets[0]), int(self._offsets[-1])) != (0, len(self._bytes)):
            raise ParameterError("the offsets of ngrams do not fit their bytes")
        slots, duplicate = _core.build_slots(self._bytes, self._offsets)
        if duplicate >= 0:
            raise ParameterError(f"ngrams[{duplicate}] was there before; list each once")
        self._index = _core.StringIndex(self._bytes, self._offsets, slots)
        given = np.arange(n_ngrams) if ngram_rows is None else np.asarray(ngram_rows)
        if given.shape != (n_ngrams,) or (
            n_ngrams and not 0 <= given.min() <= given.max() < len(self._rows)
        ):
            raise ParameterError(
                f"ngram_rows must be one of the {len(self._rows):,} rows for each of the "
                f"{n_ngrams:,} n-grams"
            )
        self.ngram_rows: NDArray[np.int64] = np.ascontiguousarray(given, np.int64)

    @property
    def ngrams(self) -> list[str]:
        """The n-grams that have a row."""
        return self._index.words_from(0, len(self.ngram_rows))

    def parts(self, word: str) -> tuple[list[str], NDArray[np.int64]]:
        """Tell the n-grams of a word and the row of each; -1 for one that is not listed."""
        found = self._ngrams(word)
        ids = self._index.find_many(found)
        rows = np.full(len(ids), -1, np.int64)
        rows[ids >= 0] = self.ngram_rows[ids[ids >= 0]]
        return found, rows

    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Give its arrays by name, for ``subwords.safetensors``."""
        return {
            "rows": self._rows,
            "ngram_bytes": self._bytes,
            "ngram_offsets": self._offsets,
            "ngram_rows": self.ngram_rows,
        }

    @classmethod
    def from_parts(cls, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of what `config` and `tensors` gave."""
        return cls(
            tensors["rows"],
            (tensors["ngram_bytes"], tensors["ngram_offsets"]),
            config["min_n"],
            config["max_n"],
            ngram_rows=tensors["ngram_rows"],
            begin_mark=config["begin_mark"],
            end_mark=config["end_mark"],
        )

    def _ids(
        self, word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        text, bounds = word_bytes.tobytes(), word_offsets.tolist()
        ids, ends = [], np.zeros(len(bounds), np.int64)
        for i, (begin, end) in enumerate(itertools.pairwise(bounds)):
            rows = self.parts(text[begin:end].decode())[1]
            ids.append(rows[rows >= 0].astype(np.uint32))
            ends[i + 1] = ends[i] + len(ids[-1])
        return (np.concatenate(ids) if ids else np.zeros(0, np.uint32)), ends

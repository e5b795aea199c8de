"""Words with an index, in memory and in files."""

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from firth import _core
from firth.errors import FormatError, ParameterError, VocabularyError, WordNotFoundError
from firth.storage import open_tensors, read_config, save_tensors, write_config, write_folder
from firth.vocab._checks import check_word, check_words, shortened
from firth.vocab._word_list import MissingWord, WordList

VOCAB_FILE = "vocab.safetensors"
_DTYPES: dict[str, type[np.generic]] = {
    "word_bytes": np.uint8,
    "word_offsets": np.uint64,
    "counts": np.int64,
    "slots": np.uint32,
}
_MAX_WORDS = 2**31

T = TypeVar("T")


class IndexedWords:
    """Words with their counts and ids: what `Vocab` looks up and keeps; see there."""

    _arrays: dict[str, NDArray[Any]]

    # --- making ---------------------------------------------------------------------------------

    @classmethod
    def from_parts(
        cls,
        word_bytes: NDArray[np.uint8],
        word_offsets: NDArray[np.uint64],
        counts: NDArray[np.int64],
        slots: NDArray[np.uint32],
        *,
        origin: str = "",
    ) -> Self:
        """Make a vocabulary of its four arrays as they are; nothing is checked or copied."""
        self = cls.__new__(cls)
        self._take(word_bytes, word_offsets, counts, slots, origin)
        return self

    def _take(
        self,
        word_bytes: NDArray[np.uint8],
        word_offsets: NDArray[np.uint64],
        counts: NDArray[np.int64],
        slots: NDArray[np.uint32],
        origin: str,
    ) -> None:
        # Views, so that the caller's arrays stay as writable as they were.
        self._arrays = {
            "word_bytes": word_bytes.view(),
            "word_offsets": word_offsets.view(),
            "counts": counts.view(),
            "slots": slots.view(),
        }
        for array in self._arrays.values():
            array.flags.writeable = False
        self._origin = origin
        self._index = _core.StringIndex(word_bytes, word_offsets, slots)

    @classmethod
    def from_counter(
        cls, counter: Mapping[str, int], *, min_count: int = 1, max_size: int | None = None
    ) -> Self:
        """Make a vocabulary of the words in a counter.

        Parameters
        ----------
        counter : mapping of str to int
            How often each word was seen, such as a `collections.Counter`.
        min_count : int
            Words seen less often are left out.
        max_size : int, optional
            At most this many words, the most frequent ones.

        Returns
        -------
        Vocab
            Ids by falling count; words of the same count in the order of their code points.

        Raises
        ------
        VocabularyError
            If no word is left, or a count is negative.
        ParameterError
            If `min_count` or `max_size` is below 1, or a key is no string.
        """
        if min_count < 1:
            raise ParameterError(f"min_count must be 1 or more, not {min_count}")
        if max_size is not None and max_size < 1:
            raise ParameterError(f"max_size must be 1 or more, or None, not {max_size}")
        for word, count in counter.items():
            check_word(word)
            if count < 0:
                raise VocabularyError(f"the word {word!r} has the count {count}; counts are >= 0")
        words = sorted(word for word, count in counter.items() if count >= min_count)
        if not words:
            raise VocabularyError(
                f"no words are left: {len(counter):,} distinct words were seen, the most frequent "
                f"of them {max(counter.values(), default=0):,} times, and min_count is "
                f"{min_count:,}; give more text or a lower min_count"
            )
        counts = np.fromiter((counter[word] for word in words), np.int64, len(words))
        order = np.argsort(-counts, kind="stable")[:max_size]
        return cls.from_words((words[i] for i in order.tolist()), counts[order])

    @classmethod
    def from_words(
        cls, words: Iterable[str], counts: Iterable[int] | NDArray[np.integer] | None = None
    ) -> Self:
        """Make a vocabulary of words in the order given.

        Parameters
        ----------
        words : iterable of str
            The words, each once; best the most frequent first, as `restrict_vocab` counts on that.
        counts : iterable of int, optional
            How often each was seen; 0 for all if that is not known.

        Returns
        -------
        Vocab
            The first word has id 0.

        Raises
        ------
        VocabularyError
            If there is no word, one is given twice, or the counts do not fit the words.
        ParameterError
            If `words` is a string, or holds something else than strings.
        """
        if isinstance(words, str):
            raise ParameterError(
                f"words is the string {shortened(words)}; give a list of words, or they would be "
                f"its characters"
            )
        encoded = [check_word(word) for word in words]
        offsets = np.zeros(len(encoded) + 1, np.uint64)
        np.cumsum(np.fromiter(map(len, encoded), np.uint64, len(encoded)), out=offsets[1:])
        if counts is None:
            counts = np.zeros(len(encoded), np.int64)
        elif not isinstance(counts, np.ndarray):
            counts = np.array(list(counts))
        word_bytes = np.frombuffer(bytearray(b"".join(encoded)), np.uint8)
        return cls.from_arrays(word_bytes, offsets, counts)

    @classmethod
    def from_arrays(
        cls,
        word_bytes: NDArray[np.uint8],
        word_offsets: NDArray[np.uint64],
        counts: NDArray[np.integer],
    ) -> Self:
        """Make a vocabulary of words that lie one after the other in one array.

        Parameters
        ----------
        word_bytes : numpy.ndarray of uint8, shape (n_bytes,)
            The words in UTF-8. Kept, not copied, as are the other two: do not change them.
        word_offsets : numpy.ndarray of uint64, shape (n_words + 1,)
            Where each begins; the last one is `n_bytes`.
        counts : numpy.ndarray of int64, shape (n_words,)
            How often each was seen.

        Returns
        -------
        Vocab
            Ids in the order given.

        Raises
        ------
        VocabularyError
            If there is no word, one is there twice, or the arrays do not fit each other.
        """
        n_words = len(word_offsets) - 1
        if n_words < 1:
            raise VocabularyError("a vocabulary needs at least one word; there is none")
        if n_words >= _MAX_WORDS:
            raise VocabularyError(f"{n_words:,} words are too many; at most {_MAX_WORDS - 1:,} fit")
        counts = np.asarray(counts)
        if counts.shape != (n_words,):
            raise VocabularyError(
                f"there are {n_words:,} words, but counts has the shape {counts.shape}; give one "
                f"count for every word"
            )
        if counts.dtype.kind not in "iu" or (counts < 0).any():
            raise VocabularyError("counts must be whole numbers of 0 or more")
        word_bytes = np.ascontiguousarray(word_bytes, np.uint8)
        word_offsets = np.ascontiguousarray(word_offsets, np.uint64)
        check_words(word_bytes, word_offsets)
        slots, duplicate = _core.build_slots(word_bytes, word_offsets)
        if duplicate >= 0:
            begin, end = int(word_offsets[duplicate]), int(word_offsets[duplicate + 1])
            word = word_bytes[begin:end].tobytes().decode("utf-8", "replace")
            raise VocabularyError(
                f"the word {word!r} is there twice, the second time at position {duplicate:,} "
                f"(from 0); give every word once"
            )
        whole: NDArray[np.int64] = np.ascontiguousarray(counts, np.int64)
        return cls.from_parts(word_bytes, word_offsets, whole, slots)

    # --- asking ---------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.counts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self._find(word) >= 0

    def __getitem__(self, word: str) -> int:
        row = self.get(word)
        if row is None:
            raise WordNotFoundError(MissingWord(self, word))
        return row

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IndexedWords):
            return NotImplemented
        return (
            np.array_equal(self.word_offsets, other.word_offsets)
            and np.array_equal(self.word_bytes, other.word_bytes)
            and np.array_equal(self.counts, other.counts)
        )

    def __hash__(self) -> int:
        return hash(self.fingerprint())

    def __repr__(self) -> str:
        return f"Vocab({len(self):,} words)"

    @overload
    def get(self, word: str) -> int | None: ...
    @overload
    def get(self, word: str, default: T) -> int | T: ...
    def get(self, word: object, default: Any = None) -> Any:
        """Return the id of a word, or `default` if it is not there."""
        row = self._find(word) if isinstance(word, str) else -1
        return row if row >= 0 else default

    def ids(self, words: Iterable[str], missing: int = -1) -> NDArray[np.int64]:
        """Look up many words at once.

        Parameters
        ----------
        words : iterable of str
            The words.
        missing : int
            What stands for a word that is not there.

        Returns
        -------
        numpy.ndarray of int64, shape (n,)
            Their ids.

        Raises
        ------
        ParameterError
            If `words` is a string, or holds something else than strings.
        """
        if isinstance(words, str):
            raise ParameterError(f"words is the string {shortened(words)}; give a list of words")
        words = words if isinstance(words, list) else list(words)
        try:
            rows = self._index.find_many(words)
        except TypeError:
            at, word = next((i, w) for i, w in enumerate(words) if not isinstance(w, str))
            message = f"words[{at}] is {type(word).__name__} {word!r}, not a string"
            raise ParameterError(message) from None
        if (rows == -2).any():
            raise self._damaged()
        rows[rows < 0] = missing
        return rows

    @property
    def words(self) -> WordList:
        """The words in the order of their ids, decoded when they are looked at."""
        return WordList(self)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How often each word was seen, shape (n_words,); all 0 if that is not known."""
        return self._arrays["counts"]

    @cached_property
    def total_count(self) -> int:
        """The sum of all counts."""
        return int(self.counts.sum())

    @property
    def word_bytes(self) -> NDArray[np.uint8]:
        """The words in UTF-8, one after the other, shape (n_bytes,)."""
        return self._arrays["word_bytes"]

    @property
    def word_offsets(self) -> NDArray[np.uint64]:
        """Where each word begins in `word_bytes`, and where the last ends, shape (n_words + 1,)."""
        return self._arrays["word_offsets"]

    @property
    def slots(self) -> NDArray[np.uint32]:
        """The hash table from word to id, shape (n_slots,); see `core/string_index.hpp`."""
        return self._arrays["slots"]

    def words_at(self, ids: NDArray[np.int64]) -> list[str]:
        """Return the words of many ids, shape (n,), at once; each must be from 0 to n_words - 1."""
        try:
            return self._index.words_at(ids)
        except ValueError as error:
            raise self._damaged() from error

    def fingerprint(self) -> str:
        """Return a text that is the same for the same words, counts and ids, and for no others."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256(len(self).to_bytes(8, "little"))
        for array in (self.word_offsets, self.word_bytes, self.counts):
            digest.update(array.data)
        return digest.hexdigest()

    def suggest(self, word: str, k: int = 3) -> list[str]:
        """Find words that are spelt nearly like another one.

        Parameters
        ----------
        word : str
            A word that need not be in the vocabulary; of up to 64 characters.
        k : int
            At most this many.

        Returns
        -------
        list of str
            The same word in another case first; then by edit distance (a swap of two neighbours
            counts as one edit), the more frequent first. Empty if nothing comes near: within
            one edit for up to 4 characters, two for up to 8, three beyond.

        Examples
        --------
        >>> from firth.vocab import Vocab
        >>> Vocab.from_words(["king", "queen", "ring"]).suggest("kign")
        ['king']
        """
        if k < 1:
            return []
        # Cases beyond ASCII, which the core does not know.
        forms = [word.lower(), word.upper(), word.capitalize(), word.title(), word.casefold()]
        forms += [unicodedata.normalize(form, word) for form in ("NFC", "NFKC")]
        variants = sorted(
            {row for form in forms if form != word and (row := self._find(form)) >= 0}
        )
        max_distance = 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3
        near = self._index.nearest_spellings(word, self.counts, k, max_distance).tolist()
        rows = list(dict.fromkeys([*variants, *near]))[:k]
        return self.words_at(np.array(rows, np.int64))

    def _find(self, word: str) -> int:
        row = self._index.find(word)
        if row == -2:
            raise self._damaged()
        return row

    def _damaged(self) -> FormatError:
        return FormatError(
            f"{self._origin or 'vocabulary'}: the index of words is damaged; "
            f"copy the file again or make it again"
        )

    # --- keeping --------------------------------------------------------------------------------

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the vocabulary to a folder of its own.

        Parameters
        ----------
        folder : str or Path
            The folder; one that firth wrote is replaced.

        Raises
        ------
        OutputError
            If the folder is something else, or the disk is full.
        """
        with write_folder(folder) as path:
            write_config(path, "vocab", n_words=len(self), **self._config())
            self.to_file(path / VOCAB_FILE)

    def _config(self) -> dict[str, Any]:
        """Tell what a folder of the vocabulary says beside its size."""
        return {}

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """Open the vocabulary in any folder of firth that has one, by memory map.

        Parameters
        ----------
        folder : str or Path
            What `save` wrote, or a model's folder.

        Raises
        ------
        SourceError
            If there is no such folder.
        FormatError
            If it is not one of firth, or its vocabulary is missing or damaged.
        """
        read_config(folder)
        return cls.from_file(Path(folder) / VOCAB_FILE)

    def to_file(self, path: str | os.PathLike[str]) -> None:
        """Write the arrays to a ``.safetensors`` file; for rooms that write a folder around it."""
        save_tensors(path, self._arrays)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Open what `to_file` wrote, by memory map.

        Raises
        ------
        FormatError
            If the file is missing, cut off, or holds something else.
        """
        tensors = open_tensors(path)
        for name, dtype in _DTYPES.items():
            array = tensors.get(name)
            if array is None or array.ndim != 1 or array.dtype != dtype:
                what = "is missing" if array is None else f"is {array.dtype} of shape {array.shape}"
                raise FormatError(
                    f"{path}: no vocabulary: tensor {name!r} {what}, where {np.dtype(dtype)} of "
                    f"one dimension belongs"
                )
        offsets, counts, slots = (tensors[n] for n in ("word_offsets", "counts", "slots"))
        n_words, n_slots, n_bytes = len(counts), len(slots), len(tensors["word_bytes"])
        # Only what costs nothing, however large the file: each look-up checks what it touches.
        if (
            n_words == 0
            or len(offsets) != n_words + 1
            or (int(offsets[0]), int(offsets[-1])) != (0, n_bytes)
            or n_slots <= n_words
            or n_slots & (n_slots - 1)
        ):
            raise FormatError(
                f"{path}: no vocabulary: {n_words:,} counts, {len(offsets):,} offsets, {n_bytes:,} "
                f"bytes and {n_slots:,} slots do not fit each other; make the file again"
            )
        vocab = cls.from_parts(**{name: tensors[name] for name in _DTYPES}, origin=str(path))
        # An index made with another hash would deny words that are there, without an error.
        ends = np.array([0, n_words - 1])
        if vocab.ids(vocab.words_at(ends)).tolist() != ends.tolist():
            raise FormatError(
                f"{path}: the index does not find its own words: it is damaged or was made by a "
                f"version of firth with another hash; make the folder again"
            )
        return vocab

"""A corpus: the ids of a text's words, memory-mapped from a folder.

The folder holds two plain arrays beside its ``config.json``, little-endian and without a header::

    ids.u32            uint32  (n_tokens,)     the words of the vocabulary, in text order
    sentence_ends.i64  int64   (n_sentences,)  behind which id each ends; the last is n_tokens
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy as np

from firth.errors import FormatError, ParameterError, SourceError
from firth.storage import read_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from numpy.typing import NDArray

IDS_FILE = "ids.u32"
SENTENCE_ENDS_FILE = "sentence_ends.i64"

_SENTENCES_PER_SEARCH = 1 << 20
# Linux maps 64 KiB around a page, or the whole of a large folio, up to a huge page.
_MAPPED_AROUND = 1 << 21  # bytes

D = TypeVar("D", bound=np.generic)


class Corpus:
    """Word ids of a text with its sentence ends, both memory-mapped: it may be larger than memory.

    `encode_corpus` makes one. It holds no words: those are in the vocabulary that came with it. Use
    it in a ``with`` block, or `close` it, so that a corpus that is not kept leaves the disk.

    Parameters
    ----------
    folder : str or Path
        What `encode_corpus` wrote.
    remove : callable, optional
        Called when the corpus is closed; removes a folder that is not kept.

    Attributes
    ----------
    ids : numpy.ndarray of uint32, shape (n_tokens,)
        The words in the order of the text, as rows of the vocabulary.
    sentence_ends : numpy.ndarray of int64, shape (n_sentences,)
        The position in `ids` behind the last word of each sentence.
    n_tokens_read : int
        Tokens that the text had, with those that are not in the vocabulary.

    Raises
    ------
    SourceError
        No such folder.
    FormatError
        The folder is no corpus, or one of its files is missing or cut off.

    Examples
    --------
    >>> from firth.corpus import encode_corpus
    >>> vocab, corpus = encode_corpus(["to be or not to be", "to do"], min_count=2)
    >>> with corpus:
    ...     [list(vocab)[i] for i in corpus.ids], corpus.sentence_ends.tolist()
    (['to', 'be', 'to', 'be', 'to'], [4, 5])
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, remove: Callable[[], None] | None = None
    ) -> None:
        self.folder = Path(folder)
        self._remove = remove
        config = read_config(folder, "corpus")
        n_tokens, n_sentences, self.n_tokens_read = (
            _whole_number(config, name, self.folder)
            for name in ("n_tokens", "n_sentences", "n_tokens_read")
        )
        self._ids = _MappedFile(self.folder / IDS_FILE, n_tokens, np.dtype("<u4"), np.uint32)
        self._ends = _MappedFile(
            self.folder / SENTENCE_ENDS_FILE, n_sentences, np.dtype("<i8"), np.int64
        )
        if self.sentence_ends[-1] != n_tokens:
            raise self.damaged(f"the last sentence ends behind token {self.sentence_ends[-1]:,}")

    @property
    def ids(self) -> NDArray[np.uint32]:
        return self._ids.array

    @property
    def sentence_ends(self) -> NDArray[np.int64]:
        return self._ends.array

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Corpus({len(self.ids):,} tokens in {len(self.sentence_ends):,} sentences)"

    def chunk_starts(self, chunk_size: int) -> NDArray[np.int64]:
        """Cut the corpus into chunks of whole sentences.

        Parameters
        ----------
        chunk_size : int
            Tokens in a chunk, about: a sentence belongs to the chunk in which it begins.

        Returns
        -------
        numpy.ndarray of int64, shape (n_chunks + 1,)
            The first sentence of each chunk, and the number of sentences.
        """
        if chunk_size < 1:
            raise ParameterError(f"chunk_size must be 1 or more, not {chunk_size}")
        n_sentences = len(self.sentence_ends)
        starts = [np.array([0, n_sentences])]
        for begin in range(0, n_sentences, _SENTENCES_PER_SEARCH):
            end = min(begin + _SENTENCES_PER_SEARCH, n_sentences)
            ends = self.sentence_ends[begin:end]
            first = int(self.sentence_ends[begin - 1]) // chunk_size + 1 if begin else 1
            marks = np.arange(first * chunk_size, int(ends[-1]) + 1, chunk_size)
            starts.append(begin + np.searchsorted(ends, marks) + 1)
            self._ends.release(begin, end)
        found = np.unique(np.concatenate(starts))
        return found[found <= n_sentences]

    def chunk(
        self, first_sentence: int, last_sentence: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64], int]:
        """Give the sentences from one up to another.

        Returns
        -------
        ids : numpy.ndarray of uint32, shape (n,)
            Their words.
        sentence_ends : numpy.ndarray of int64, shape (last_sentence - first_sentence,)
            Where they end, as positions in the whole corpus.
        first_position : int
            The position of ``ids[0]`` in the whole corpus.
        """
        first = int(self.sentence_ends[first_sentence - 1]) if first_sentence else 0
        ends = self.sentence_ends[first_sentence:last_sentence]
        return self.ids[first : int(ends[-1])], ends, first

    def release(self, first_sentence: int, last_sentence: int) -> None:
        """Let the memory of sentences go that have been read; they are read again when asked for.

        A pass over a mapped file would otherwise fill the process's memory with all of it.
        """
        first = int(self.sentence_ends[first_sentence - 1]) if first_sentence else 0
        self._ids.release(first, int(self.sentence_ends[last_sentence - 1]))
        self._ends.release(max(first_sentence - 1, 0), last_sentence)

    def damaged(self, what: object) -> FormatError:
        """Make the error to raise when the files do not say what a corpus can say."""
        return FormatError(
            f"{self.folder}: the encoded text is damaged ({what}); remove this folder, and the "
            f"text is encoded again"
        )

    def close(self) -> None:
        """Remove the corpus from the disk, unless it is kept for later."""
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


class _MappedFile(Generic[D]):
    """A file that is one array, mapped into memory."""

    def __init__(self, path: Path, length: int, on_disk: np.dtype[Any], dtype: type[D]) -> None:
        expected = length * on_disk.itemsize
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size != expected or length == 0:
                    raise FormatError(
                        f"{path}: {size:,} bytes, where the corpus has {length:,} numbers in "
                        f"{expected:,} bytes; remove the folder and encode the text again"
                    )
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError as error:
            raise FormatError(f"{path}: missing; encode the text again") from error
        except OSError as error:
            raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
        self.array: NDArray[D] = np.frombuffer(self._map, on_disk).astype(dtype, copy=False)

    def release(self, begin: int, end: int) -> None:
        if not hasattr(self._map, "madvise"):
            return
        # Beyond the edges too: a page that is asked for brings its neighbours, and what stayed
        # behind every chunk would add up with the size of the text. Whoever is reading there finds
        # the pages in the system's cache.
        first = max(begin * self.array.itemsize - _MAPPED_AROUND, 0)
        first = first // mmap.PAGESIZE * mmap.PAGESIZE
        last = end * self.array.itemsize + _MAPPED_AROUND
        if last > first:
            self._map.madvise(mmap.MADV_DONTNEED, first, last - first)


def _whole_number(config: dict[str, Any], name: str, folder: Path) -> int:
    value = config.get(name)
    if type(value) is not int or value < 0:
        raise FormatError(f"{folder}/config.json: {name} is {value!r}, not a whole number")
    return value

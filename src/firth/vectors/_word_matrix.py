"""Words and their matrix, which may grow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firth.vectors._matrix import VectorMatrix
from firth.vocab import Vocab, check_word


class WordMatrix:
    """A vocabulary and a row for each of its words.

    Words that join wait until somebody asks: a thousand that come one by one are put behind the
    others in one go. So do counts.
    """

    def __init__(self, vocab: Vocab, matrix: VectorMatrix) -> None:
        self._vocab = vocab
        self._matrix = matrix
        self._waiting: dict[str, int] = {}
        self._waiting_vectors: list[NDArray[np.float32]] = []
        self._counts: NDArray[np.int64] | None = None
        self.changed = False

    def __len__(self) -> int:
        return len(self._vocab) + len(self._waiting)

    @property
    def vocab(self) -> Vocab:
        """The words, those that joined among them."""
        self._settle()
        return self._vocab

    @property
    def matrix(self) -> VectorMatrix:
        """Their vectors."""
        self._settle()
        return self._matrix

    def row(self, word: str) -> int | None:
        """Tell the row of a word, also of one that waits."""
        waiting = self._waiting.get(word)
        return self._vocab.get(word) if waiting is None else waiting

    def add(self, word: str, vector: NDArray[np.float32]) -> None:
        """Put a word that is not there yet behind the others."""
        self._waiting[word] = len(self)
        self._waiting_vectors.append(vector)
        self.changed = True

    def put(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Put vectors in place of rows."""
        self.matrix.put(rows, vectors)
        self.changed = True

    def make_unit(self) -> None:
        """Scale all rows to length 1."""
        self.matrix.make_unit()
        self.changed = True

    def set_counts(self, rows: Any, counts: Any) -> None:
        """Say how often words were seen."""
        if self._counts is None or self._waiting:
            self._counts = np.array(self.vocab.counts)
        self._counts[rows] = counts

    def reorder(self, order: NDArray[np.int64]) -> None:
        """Bring words and rows into another order."""
        vocab = self.vocab
        self._vocab = Vocab.from_words(vocab.words_at(order), vocab.counts[order])
        self._matrix = self._matrix.selected(order)
        self.changed = True

    def _settle(self) -> None:
        if self._waiting:
            matrix = self._matrix.extended(np.stack(self._waiting_vectors))
            self._vocab = _with_more(self._vocab, list(self._waiting))
            self._matrix, self._waiting, self._waiting_vectors = matrix, {}, []
        if self._counts is not None:
            counts, self._counts = self._counts, None
            arrays = self._vocab.word_bytes, self._vocab.word_offsets
            self._vocab = Vocab.from_parts(*arrays, counts, self._vocab.slots)


def empty_vocab() -> Vocab:
    """Make a vocabulary without a word, to which some will be added."""
    return Vocab.from_parts(
        np.empty(0, np.uint8),
        np.zeros(1, np.uint64),
        np.empty(0, np.int64),
        np.full(2, np.iinfo(np.uint32).max, np.uint32),
    )


def _with_more(vocab: Vocab, words: list[str]) -> Vocab:
    encoded = [check_word(word) for word in words]
    lengths = np.fromiter(map(len, encoded), np.uint64, len(encoded))
    return Vocab.from_arrays(
        np.concatenate([vocab.word_bytes, np.frombuffer(b"".join(encoded), np.uint8)]),
        np.concatenate([vocab.word_offsets, vocab.word_offsets[-1] + np.cumsum(lengths)]),
        np.concatenate([vocab.counts, np.zeros(len(words), np.int64)]),
    )

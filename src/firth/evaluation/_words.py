"""The words of test sets among those of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from firth.subwords import Subwords
    from firth.vocab import Vocab

#: Words of a vocabulary that are made strings at a time.
WORDS_AT_A_TIME = 1 << 16


class Embedding(Protocol):
    """What can be evaluated: words and a matrix with a row for each, as `KeyedVectors` are."""

    @property
    def vocab(self) -> Vocab:
        """The words, one for each row."""

    @property
    def vectors(self) -> NDArray[Any]:
        """The matrix, shape (n_words, vector_size)."""

    @property
    def norms(self) -> NDArray[np.float32]:
        """The lengths of its rows, shape (n_words,)."""

    @property
    def subwords(self) -> Subwords | None:
        """What makes vectors of unseen words."""


class Lookup:
    """Finds the rows of words that are known beforehand.

    Words are compared in upper case, as gensim does, unless `case_insensitive` is False. Of several
    rows whose words differ only in case the first, most frequent one is used. Rows of zeros, and
    those with NaN or infinity, have no direction and are as if they were not there.

    Parameters
    ----------
    embedding : Embedding
        Where to look.
    words : iterable of str
        All words that will be asked for.
    case_insensitive : bool
        Whether case matters not.
    restrict_vocab : int, optional
        Look only among so many first rows.
    subwords : bool
        Whether words without a row have the vector of their subwords, where there are some.
    """

    def __init__(
        self,
        embedding: Embedding,
        words: Iterable[str],
        *,
        case_insensitive: bool = True,
        restrict_vocab: int | None = None,
        subwords: bool = False,
    ) -> None:
        self.embedding = embedding
        #: The matrix; taken once, for a quantised one is made anew whenever it is asked for.
        self.vectors = embedding.vectors
        self._upper = case_insensitive
        self._subwords = embedding.subwords if subwords else None
        n_rows = len(embedding.vocab)
        self.n_rows = n_rows if restrict_vocab is None else min(n_rows, restrict_vocab)
        self._rows: dict[str, list[int]] = {}
        #: Rows without a direction that would have been found otherwise.
        self.n_without_direction = 0
        self._find(list(dict.fromkeys(words)))

    def _find(self, words: list[str]) -> None:
        vocab, norms = self.embedding.vocab, self.embedding.norms
        if not self._upper:
            rows = vocab.ids(words).tolist()
            found = [(w, row) for w, row in zip(words, rows, strict=True) if 0 <= row < self.n_rows]
        else:
            wanted = {word.upper() for word in words}
            found = []
            for begin in range(0, self.n_rows, WORDS_AT_A_TIME):
                some = vocab.words[begin : min(begin + WORDS_AT_A_TIME, self.n_rows)]
                folded = ((word.upper(), row) for row, word in enumerate(some, begin))
                found += [(word, row) for word, row in folded if word in wanted]
        for word, row in found:
            if has_direction(norms[row]):
                self._rows.setdefault(word, []).append(row)
            else:
                self.n_without_direction += 1

    def rows(self, word: str) -> list[int]:
        """Give all rows whose words differ from this one only in case; none where there is none."""
        return self._rows.get(word.upper() if self._upper else word, [])

    def row(self, word: str, n_rows: int | None = None) -> int:
        """Give the row of a word, among the first `n_rows`; -1 where there is none."""
        rows = self.rows(word)
        return rows[0] if rows and (n_rows is None or rows[0] < n_rows) else -1

    def units(self, words: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Give vectors of length 1, and which words have one; the others have zeros."""
        rows = np.array([self.row(word) for word in words], np.int64)
        vectors = np.zeros((len(words), self.vectors.shape[1]))
        vectors[rows >= 0] = self.vectors[rows[rows >= 0]]
        if self._subwords is not None and (unseen := np.flatnonzero(rows < 0).tolist()):
            vectors[unseen] = self._subwords.vectors([words[i] for i in unseen])
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        known = np.isfinite(lengths) & (lengths > 0)
        vectors[~known] = 0
        vectors[known] /= lengths[known, None]
        return vectors, known


def has_direction(norms: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which vectors, of these lengths, point anywhere."""
    answer: NDArray[np.bool_] = np.isfinite(norms) & (norms > 0)
    return answer

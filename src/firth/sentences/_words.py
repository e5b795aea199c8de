"""Sentences as rows of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from firth.sequences import Text, TextTokens, TokenBatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from firth.text import Tokenizer
    from firth.vocab import Vocab

Sentence = Text


@dataclass(frozen=True)
class WordBatch(TokenBatch):
    """The words of some sentences, and the rows of the distinct ones; -1 for those without."""

    rows: NDArray[np.int64]


class WordFinder:
    """Finds the words of sentences in a vocabulary.

    Parameters
    ----------
    vocab : Vocab
        The words.
    tokenizer : Tokenizer
        What splits sentences that are strings.
    lowercase_fallback : bool
        Look for a word that is not there in lower case.
    """

    def __init__(self, vocab: Vocab, tokenizer: Tokenizer, *, lowercase_fallback: bool) -> None:
        self._vocab = vocab
        self._tokens = TextTokens(tokenizer)
        self._lowercase_fallback = lowercase_fallback

    def batches(self, sentences: Iterable[Sentence]) -> Iterator[WordBatch]:
        """Find the words of sentences, some at a time; errors are those of `TextTokens`."""
        for batch in self._tokens.batches(sentences, "sentences"):
            rows = self._vocab.ids(batch.words)
            missing = np.flatnonzero(rows < 0).tolist()
            if self._lowercase_fallback and missing:
                rows[missing] = self._vocab.ids([batch.words[i].lower() for i in missing])
            yield WordBatch(batch.words, batch.numbers, batch.sizes, rows)

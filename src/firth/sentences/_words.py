"""Sentences as rows of a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from firth.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from firth.text import Tokenizer
    from firth.vocab import Vocab

Sentence: TypeAlias = "str | Sequence[str]"

# Sentences that are worked on at a time, in characters or words.
_SENTENCES, _SIZE = 4096, 1 << 20


@dataclass(frozen=True)
class Batch:
    """The words of some sentences, one after the other.

    Attributes
    ----------
    tokens : list of str, length n_tokens
        The words as they were written.
    rows : numpy.ndarray of int64, shape (n_tokens,)
        Their ids; -1 for words that are not there.
    sizes : numpy.ndarray of int64, shape (n_sentences,)
        How many words each sentence has.
    """

    tokens: list[str]
    rows: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def sentence_of(self) -> NDArray[np.int64]:
        """Tell which sentence each word belongs to, shape (n_tokens,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


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
        self._tokenizer = tokenizer
        self._lowercase_fallback = lowercase_fallback

    def batches(self, sentences: Iterable[Sentence]) -> Iterator[Batch]:
        """Find the words of sentences, some at a time.

        Raises
        ------
        ParameterError
            If `sentences` is a string, or one of them is neither text nor words.
        """
        if isinstance(sentences, str):
            raise ParameterError(
                f"sentences is the string {sentences[:60]!r}; give a list of sentences: [...]"
            )
        number, rest = 0, iter(sentences)
        while split := list(self._split(rest, number)):
            yield self._find(split)
            number += len(split)

    def _split(self, sentences: Iterator[Sentence], number: int) -> Iterator[list[str]]:
        size = 0
        for sentence in islice(sentences, _SENTENCES):
            words = self.words_of(sentence, number)
            yield words
            number += 1
            size += len(sentence)
            if size > _SIZE:
                return

    def words_of(self, sentence: Sentence, number: int = 0) -> list[str]:
        """Split a sentence, unless it is a list of words already."""
        if isinstance(sentence, str):
            lines = self._tokenizer.sentences(sentence.encode("utf-8", "replace"))
            return lines[0] if len(lines) == 1 else list(chain.from_iterable(lines))
        words = list(sentence) if hasattr(sentence, "__iter__") else None
        if words is None or isinstance(sentence, bytes):
            raise ParameterError(
                f"sentence {number:,} (from 0) is {type(sentence).__name__} {sentence!r:.60}; each "
                f"must be a string or a list of words"
            )
        return words

    def _find(self, split: list[list[str]]) -> Batch:
        tokens = list(chain.from_iterable(split))
        rows = self._vocab.ids(tokens)
        if self._lowercase_fallback and (missing := np.flatnonzero(rows < 0)).size:
            rows[missing] = self._vocab.ids([tokens[i].lower() for i in missing.tolist()])
        return Batch(tokens, rows, np.fromiter(map(len, split), np.int64, len(split)))

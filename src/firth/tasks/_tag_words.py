"""The words of a tagger as numbers: rows of vectors, and characters."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from firth.vocab import Vocab

PADDING, UNKNOWN = 0, 1
N_SPECIAL = 2
# Characters of a word that are looked at; of longer ones, such as addresses, both ends.
MOST_CHARACTERS = 20
_BEGINNING = 14
_WORDS = re.compile(
    r"""https?://\S+ | www\.\S+
      | [@\#]?\w+ (?: [-'’.&] \w+ )*  # also: Lin's, e.g, 3.14, @user, #topic
      | [^\w\s]""",
    re.VERBOSE,
)


def split_words(text: str) -> list[str]:
    """Split a text into words and marks of punctuation, much as those of CoNLL's files are.

    Examples
    --------
    >>> split_words("Robert Lin (@lin) grows durians.")
    ['Robert', 'Lin', '(', '@lin', ')', 'grows', 'durians', '.']
    """
    return _WORDS.findall(text)


def words_of(sentences: object, name: str = "sentences") -> list[list[str]]:
    """Check sentences: lists of words, or strings, which are split.

    Raises
    ------
    ParameterError
        If they are something else, or one has no words.
    """
    if isinstance(sentences, str | bytes) or not hasattr(sentences, "__iter__"):
        raise ParameterError(
            f"{name} is {type(sentences).__name__} {sentences!r:.60}; give a list of sentences"
        )
    checked: list[list[str]] = []
    for i, sentence in enumerate(sentences):
        words: list[Any]
        if isinstance(sentence, str):
            words = split_words(sentence)
        elif isinstance(sentence, bytes) or not hasattr(sentence, "__iter__"):
            raise ParameterError(
                f"{name}[{i}] is {type(sentence).__name__} {sentence!r:.60}; each must be a list "
                f"of words, or a string"
            )
        else:
            words = list(sentence)
        for word in words:
            if not isinstance(word, str) or not word:
                raise ParameterError(
                    f"{name}[{i}] has {type(word).__name__} {word!r:.60} among its words; words "
                    f"are strings of a character or more"
                )
        checked.append(words)
    return checked


class TaggerVocab:
    """Which row each word has: of those that are learned, then of those that stay as they are.

    Row 0 is padding and row 1 any word that is not there.

    Parameters
    ----------
    learned : Vocab or None
        Words whose vectors are learned.
    fixed : Vocab or None
        Words whose vectors stay, in the rows behind.
    """

    def __init__(self, learned: Vocab | None, fixed: Vocab | None) -> None:
        self.learned = learned
        self.fixed = fixed
        self.n_learned = N_SPECIAL + (0 if learned is None else len(learned))

    def rows(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Find the rows of words, as they are written or else in lower case."""
        rows = np.full(len(words), UNKNOWN, np.int64)
        for written in (words, [word.lower() for word in words]):
            for vocab, first in ((self.learned, N_SPECIAL), (self.fixed, self.n_learned)):
                if vocab is not None and (left := np.flatnonzero(rows == UNKNOWN)).size:
                    ids = vocab.ids([written[i] for i in left.tolist()])
                    rows[left[ids >= 0]] = ids[ids >= 0] + first
        return rows


class Characters:
    """Numbers of characters: 0 fills up, 1 is any that is not there.

    Parameters
    ----------
    characters : sequence of str
        Those that are there, from 2 on.
    """

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = "".join(characters)
        self._number = {c: i for i, c in enumerate(self.characters, N_SPECIAL)}

    @classmethod
    def of(cls, words: Iterable[str]) -> Characters:
        """Take the characters that are seen in words twice or more, the most frequent first."""
        counts = Counter[str]()
        for word in words:
            counts.update(word)
        return cls([c for c, n in counts.most_common() if n > 1])

    def __len__(self) -> int:
        return N_SPECIAL + len(self.characters)

    def numbers(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Write words as numbers, shape (n_words, n_characters of the longest)."""
        longest = min(MOST_CHARACTERS, max(map(len, words), default=0))
        result = np.zeros((len(words), longest), np.int64)
        for row, word in zip(result, words, strict=True):
            if len(word) > MOST_CHARACTERS:
                word = word[:_BEGINNING] + word[_BEGINNING - MOST_CHARACTERS :]  # noqa: PLW2901
            row[: len(word)] = [self._number.get(c, UNKNOWN) for c in word]
        return result


@dataclass(frozen=True)
class EncodedSentences:
    """Sentences as a network is fed with them.

    Attributes
    ----------
    words : numpy.ndarray of int64, shape (n_words,)
        The words of all sentences, one after the other, as numbers of distinct ones.
    ends : numpy.ndarray of int64, shape (n_sentences,)
        Where each sentence ends in these.
    rows : numpy.ndarray of int64, shape (n_distinct,)
        The row of each distinct word.
    characters : numpy.ndarray of int64, shape (n_distinct, n_characters), or None
        The characters of each.
    """

    words: NDArray[np.int64]
    ends: NDArray[np.int64]
    rows: NDArray[np.int64]
    characters: NDArray[np.int64] | None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many words each sentence has."""
        return np.diff(self.ends, prepend=0)


def encode(
    sentences: Sequence[Sequence[str]], vocab: TaggerVocab, characters: Characters | None
) -> EncodedSentences:
    """Write sentences as numbers."""
    distinct: dict[str, int] = {}
    words = [distinct.setdefault(word, len(distinct)) for words in sentences for word in words]
    ends = np.cumsum([len(words) for words in sentences], dtype=np.int64)
    every = list(distinct)
    numbers = None if characters is None else characters.numbers(every)
    return EncodedSentences(np.array(words, np.int64), ends, vocab.rows(every), numbers)

"""The words of a vocabulary as a sequence, and the message for one that is not among them."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import index as as_index
from typing import TYPE_CHECKING, overload

import numpy as np

from firth.vocab._checks import shortened

if TYPE_CHECKING:
    from firth.vocab._vocab import IndexedWords

_BLOCK = 4096  # words decoded at a time when all are asked for


class WordList(Sequence[str]):
    """The words of a vocabulary in the order of their ids, as a list that is not there.

    A word is decoded when it is looked at. Equal to a list of the same words.
    """

    def __init__(self, vocab: "IndexedWords") -> None:
        self._vocab = vocab

    def __len__(self) -> int:
        return len(self._vocab)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return self._vocab.words_at(np.arange(*row.indices(len(self)), dtype=np.int64))
        position = as_index(row)
        position += len(self) if position < 0 else 0
        if not 0 <= position < len(self):
            raise IndexError(f"row {row} of a vocabulary of {len(self):,} words")
        return self._vocab.words_at(np.array([position], np.int64))[0]

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), _BLOCK):
            yield from self[begin : begin + _BLOCK]

    def __contains__(self, word: object) -> bool:
        return word in self._vocab

    def index(self, word: str, start: int = 0, stop: int | None = None) -> int:
        """Return the id of a word; ValueError if it is not there, as of a list."""
        row = self._vocab.get(word)
        if row is None or row not in range(*slice(start, stop).indices(len(self))):
            raise ValueError(f"{word!r} is not in the list")
        return row

    def count(self, word: str) -> int:
        """Return 1 for a word that is there, 0 for another."""
        return int(word in self._vocab)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, WordList):
            return self._vocab is other._vocab or list(self) == list(other)
        if isinstance(other, list | tuple):
            return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        first = ", ".join(map(repr, self[:3]))
        return f"WordList([{first}{', ...' if len(self) > 3 else ''}], {len(self):,} words)"


class MissingWord:
    """A message that looks for near spellings when it is read.

    The search takes milliseconds; a program that tries a million words and catches the errors
    must not pay for messages that nobody sees.
    """

    def __init__(self, vocab: "IndexedWords", word: object) -> None:
        self._vocab = vocab
        self._word = word

    @cached_property
    def _text(self) -> str:
        if not isinstance(self._word, str):
            kind = type(self._word).__name__
            return f"a word is a string, not {kind} {shortened(self._word)}"
        text = f"the word {shortened(self._word)} is not among the {len(self._vocab):,} words"
        near = self._vocab.suggest(self._word)
        return text + (
            f"; near spellings: {', '.join(near)}" if near else "; nothing comes near it"
        )

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return repr(self._text)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        # Errors travel between processes; the vocabulary stays at home.
        return str, (self._text,)

"""Many texts split at once: each distinct word is made a string once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from firth import _core
from firth.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from firth.text import Tokenizer

Text: TypeAlias = "str | Sequence[str]"

# Texts that are worked on at a time, and their characters or words.
_TEXTS, _SIZE = 8192, 1 << 22
_ALL = 2**63 - 1
# Stands before each text, as a word that no text has: it is no UTF-8.
_MARK = b"\xff"


@dataclass(frozen=True)
class TokenBatch:
    """The words of some texts, one after the other.

    Attributes
    ----------
    words : list of str
        The distinct words.
    numbers : numpy.ndarray of int64, shape (n_tokens,)
        Which of these each word of the texts is.
    sizes : numpy.ndarray of int64, shape (n_texts,)
        How many words each text has.
    """

    words: list[str]
    numbers: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def text_of(self) -> NDArray[np.int64]:
        """Tell which text each word belongs to, shape (n_tokens,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def counts(self) -> NDArray[np.int64]:
        """Count how often each of the distinct words is there."""
        return np.bincount(self.numbers, minlength=len(self.words))


class TextTokens:
    """Splits texts into words.

    Parameters
    ----------
    tokenizer : Tokenizer
        What splits texts that are strings; others are lists of words already. Line ends in a text
        are spaces.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def batches(self, texts: Iterable[Text], name: str = "texts") -> Iterator[TokenBatch]:
        """Split texts, some at a time; `name` is what messages call them.

        Raises
        ------
        ParameterError
            If `texts` is a string, or one of them is neither text nor words.
        """
        if isinstance(texts, str | bytes) or not hasattr(texts, "__iter__"):
            raise ParameterError(f"{name} is {type(texts).__name__} {texts!r:.60}; give a list")
        number, rest = 0, iter(texts)
        while some := list(_take(rest)):
            yield self._split(some, number, name)
            number += len(some)

    def _split(self, texts: list[Text], number: int, name: str) -> TokenBatch:
        interner = _core.TokenInterner()
        strings = [text for text in texts if isinstance(text, str)]
        if len(strings) == len(texts) and self._tokenizer.compiled:
            ids = self._ids_of_strings(interner, strings)
        else:
            lists = [self._words_of(text, number + i, name) for i, text in enumerate(texts)]
            ids = _ids_of_lists(interner, lists, number, name)
        ends = np.flatnonzero(ids == _core.SENTENCE_END)
        sizes = np.diff(ends, prepend=-1) - 1
        word_bytes, offsets, _ = _core.select_words([interner], 0, _ALL)
        position = interner.id_map_to(word_bytes, offsets)
        numbers = position[np.delete(ids, ends)].astype(np.int64)
        data, bounds = word_bytes.tobytes(), offsets.tolist()
        words = [data[a:b] for a, b in pairwise(bounds)]
        if _MARK in words:
            mark = words.index(_MARK)
            numbers = numbers[numbers != mark]
            numbers -= numbers > mark
            sizes -= 1
            del words[mark]
        return TokenBatch([word.decode() for word in words], numbers, sizes)

    def _ids_of_strings(
        self, interner: _core.TokenInterner, texts: list[str]
    ) -> NDArray[np.uint32]:
        """Split strings in the core; what comes before each keeps those without words in count."""
        lines = "\n".join(text.replace("\n", " ") for text in texts)
        prepared = self._tokenizer.prepare(lines.encode("utf-8", "replace"))
        data = _MARK + b" " + prepared.replace(b"\n", b"\n" + _MARK + b" ") + b"\n"
        ids = np.empty(len(data) + 1, np.uint32)
        return ids[: interner.encode_text(data, ids)]

    def _words_of(self, text: Text, number: int, name: str) -> list[str]:
        """Give the words of a text that is a list of them, or is split by Python."""
        if isinstance(text, str):
            line = text.replace("\n", " ").encode("utf-8", "replace")
            return [word for words in self._tokenizer.sentences(line) for word in words]
        if not _is_list(text):
            raise ParameterError(
                f"{name}[{number}] is {type(text).__name__} {text!r:.60}; each must be a string or "
                f"a list of words"
            )
        return list(text)


def is_whole(value: object) -> bool:
    """Tell a whole number, NumPy's too."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_list(text: object) -> bool:
    return hasattr(text, "__iter__") and not isinstance(text, bytes | Mapping)


def _take(texts: Iterator[Text]) -> Iterator[Text]:
    """Take as many texts as are worked on at a time."""
    size = 0
    for text in islice(texts, _TEXTS):
        yield text
        size += len(text) if hasattr(text, "__len__") else 0
        if size > _SIZE:
            return


def _ids_of_lists(
    interner: _core.TokenInterner, lists: list[list[str]], number: int, name: str
) -> NDArray[np.uint32]:
    try:
        return interner.encode_sentences(lists)
    except (TypeError, UnicodeEncodeError) as error:
        for at, words in enumerate(lists, number):
            for word in words:
                if not isinstance(word, str):
                    raise ParameterError(
                        f"{name}[{at}] has {type(word).__name__} {word!r:.60} among its words; "
                        f"words are strings"
                    ) from None
        raise ParameterError(f"{name}: a word cannot be written in UTF-8: {error}") from error

"""Text that is in memory or made on the way: iterables of strings, and of lists of tokens."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from firth.errors import SourceError, TextError
from firth.text.encoding import BLOCK_SIZE, REPLACE_HINT, cut_blocks, encode_with, gather_blocks
from firth.text.kinds import hint_for, kind_of
from firth.text.sources import TextSource

_SENTENCES_PER_BATCH = 10_000
_TOKENS_PER_BATCH = 1_000_000


class IterableSource(TextSource):
    """Text of an iterable of strings, each a document of one or more lines.

    Parameters
    ----------
    texts : iterable of str
        Read once for each call of `blocks`, an iterator only once. A file open in text mode is
        read in larger pieces than its lines.
    errors : str
        The policy for lone surrogates, as in ``open``.
    """

    def __init__(self, texts: Iterable[str], errors: str) -> None:
        self.name = f"the {type(texts).__name__} of texts"
        self._texts = texts
        self._errors = errors
        self._once = _OnceIfIterator(texts, self.name)

    def blocks(self) -> Iterator[bytes]:
        """Read the texts; see `TextSource.blocks`.

        Raises
        ------
        TextError
            An item that is not a string, or has a lone surrogate; or an iterator is read again.
        """
        self._once.check()
        if isinstance(self._texts, io.TextIOBase):
            return cut_blocks(self._pieces_of(self._texts), self.name)
        return gather_blocks(self._documents())

    def _documents(self) -> Iterator[bytes]:
        for number, text in enumerate(self._texts, start=1):
            if not isinstance(text, str):
                raise TextError(
                    f"text {number} of {self.name} is {kind_of(text)}, not a string{hint_for(text)}"
                )
            data = self._encoded(text, f"text {number}")
            if len(data) <= 2 * BLOCK_SIZE:
                yield data + b"\n"
            else:
                yield from cut_blocks((data,), f"text {number}")

    def _pieces_of(self, file: io.TextIOBase) -> Iterator[bytes]:
        name = str(getattr(file, "name", self.name))
        while True:
            try:
                piece = file.read(BLOCK_SIZE)
            except UnicodeDecodeError as error:
                raise TextError(
                    f"{name} is not in the encoding {error.encoding} that it was opened with "
                    f"({error.reason}): open it with another one"
                ) from error
            except OSError as error:
                raise SourceError(f"{name} cannot be read: {error.strerror or error}") from error
            if not piece:
                return
            yield self._encoded(piece, name)

    def _encoded(self, text: str, name: str) -> bytes:
        try:
            return encode_with(text, self._errors, name)
        except UnicodeEncodeError as error:
            raise TextError(
                f"{name} has a lone surrogate (U+{ord(text[error.start]):04X}), which is no "
                f"character: {REPLACE_HINT}"
            ) from None


class TokenSource:
    """Sentences that are lists of tokens already, in batches.

    Parameters
    ----------
    sentences : iterable of lists of str
        Read once for each call of `sentence_batches`, an iterator only once.

    Raises
    ------
    TextError
        `sentences` is a string or another thing that cannot be sentences.

    Examples
    --------
    >>> source = TokenSource([["you", "shall", "know"], ["a", "word"]])
    >>> next(source.sentence_batches())
    [['you', 'shall', 'know'], ['a', 'word']]
    """

    n_bytes: int | None = None
    n_bytes_read = 0

    def __init__(self, sentences: Iterable[Iterable[str]]) -> None:
        if isinstance(sentences, (str, bytes, os.PathLike)):
            raise TextError(
                f"sentences is {kind_of(sentences)} ({sentences!r:.60}), not lists of tokens: for "
                "a file pass corpus_file=; for a text pass a list of strings and tokenizer="
            )
        if isinstance(sentences, Mapping) or not isinstance(sentences, Iterable):
            raise TextError(
                f"sentences is {kind_of(sentences)}, not an iterable of lists of tokens: pass "
                "[['hello', 'world'], ...]"
            )
        self.name = f"the {type(sentences).__name__} of sentences"
        self._sentences = sentences
        self._once = _OnceIfIterator(sentences, self.name)

    def sentence_batches(self) -> Iterator[list[list[str]]]:
        """Read the sentences.

        Returns
        -------
        iterator of lists of lists of str
            About 10,000 sentences or 1,000,000 tokens each. Sentences without tokens are kept.

        Raises
        ------
        TextError
            A sentence that is no list of tokens, above all a string; a token that is not a
            string, is empty or has a lone surrogate; or an iterator is read again.
        """
        self._once.check()
        return self._batches()

    def fingerprint(self) -> None:
        """Sentences in memory cannot be told apart without reading them."""

    def _batches(self) -> Iterator[list[list[str]]]:
        batch: list[list[str]] = []
        n_tokens = 0
        for number, sentence in enumerate(self._sentences, start=1):
            tokens = _checked_sentence(sentence, number)
            batch.append(tokens)
            n_tokens += len(tokens)
            if len(batch) >= _SENTENCES_PER_BATCH or n_tokens >= _TOKENS_PER_BATCH:
                yield batch
                batch, n_tokens = [], 0
        if batch:
            yield batch


def _checked_sentence(sentence: Iterable[str], number: int) -> list[str]:
    """Check one sentence, by few calls a sentence instead of one a token."""
    if isinstance(sentence, str):
        raise TextError(
            f"sentence {number} is a string ({sentence!r:.60}), not a list of tokens, and would be "
            "trained on character by character: split it (sentence.split()), or pass tokenizer= "
            "to have the strings split"
        )
    if isinstance(sentence, (bytes, Mapping)) or not isinstance(sentence, Iterable):
        raise TextError(
            f"sentence {number} is {kind_of(sentence)}, not a list of tokens{hint_for(sentence)}"
        )
    # A copy, since a generator may fill the same list again for its next sentence.
    tokens: list[Any] = list(sentence)
    try:
        joined = "".join(tokens)
    except TypeError:
        place, token = next((i, t) for i, t in enumerate(tokens, 1) if not isinstance(t, str))
        raise TextError(
            f"token {place} of sentence {number} is {kind_of(token)} ({token!r:.60}), "
            f"not a string{hint_for(token)}"
        ) from None
    if not all(tokens):
        raise TextError(
            f"token {tokens.index('') + 1} of sentence {number} is empty: leave empty tokens out"
        )
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError as error:
            surrogate = joined[error.start]
            place, token = next((i, t) for i, t in enumerate(tokens, 1) if surrogate in t)
            raise TextError(
                f"token {place} of sentence {number} ({token!r:.60}) has a lone surrogate "
                f"(U+{ord(surrogate):04X}), which is no character and has no place in UTF-8: "
                "decode the text with errors='replace'"
            ) from None
    return tokens


class _OnceIfIterator:
    """Refuses to read an iterator again: it would be empty, and nobody would know."""

    def __init__(self, items: Iterable[object], name: str) -> None:
        self._is_iterator = isinstance(items, Iterator)
        self._name = name
        self._is_spent = False

    def check(self) -> None:
        if self._is_spent:
            raise TextError(
                f"{self._name} has been read already and can be read only once: pass a list to "
                "read it more than once"
            )
        self._is_spent = self._is_iterator

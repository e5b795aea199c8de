"""Words that a format of text, or word2vec's binary one, cannot hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firth.vocab import Vocab

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)


def check_line_words(vocab: Vocab, title: str) -> None:
    """Refuse words that are not read back from a line "word number ... number" as they were."""
    _check(vocab, title, b" \t\n", _fits_a_line)


def check_spaceless_words(vocab: Vocab, title: str) -> None:
    """Refuse words that do not end at the first space, or begin with a line end."""
    _check(vocab, title, b" \n", lambda word: " " not in word and not word.startswith("\n"))


def check_tabless_words(vocab: Vocab, title: str) -> None:
    """Refuse words that do not fit a field between tabs."""
    _check(vocab, title, b"\t\n\r", lambda _: False)


def _fits_a_line(word: str) -> bool:
    # "World War 2" cannot be told from a word with a number too many behind it.
    parts = re.split("[ \t]", word)
    return (
        "\n" not in word
        and bool(parts[0] and parts[-1])
        and not (len(parts) > 1 and _NUMBER.fullmatch(parts[-1]))
    )


def _check(vocab: Vocab, title: str, suspects: bytes, fits: Callable[[str], bool]) -> None:
    """Look at words with one of these characters, which are few, and at empty ones."""
    lengths = np.diff(vocab.word_offsets)
    rows = np.flatnonzero(lengths == 0)
    is_suspect = np.zeros(256, bool)
    is_suspect[list(suspects)] = True
    at = np.flatnonzero(is_suspect[vocab.word_bytes])
    if len(at):
        rows = np.union1d(rows, np.searchsorted(vocab.word_offsets, at, "right") - 1)
    bad = [word for word in vocab.words_at(rows.astype(np.int64)) if not word or not fits(word)]
    if bad:
        more = f" and {len(bad) - 3:,} more" if len(bad) > 3 else ""
        raise ParameterError(
            f"{title} cannot hold the word {', '.join(map(repr, bad[:3]))}{more}: it would not be "
            f"read back as it is; choose another format, such as the folder of firth"
        )

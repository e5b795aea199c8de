"""What makes a word, and an array of words, one."""

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError, VocabularyError


def shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_word(word: object) -> bytes:
    """Check that something is a word that UTF-8 can hold, and encode it."""
    if not isinstance(word, str):
        raise ParameterError(f"a word is a string, not {type(word).__name__} {shortened(word)}")
    try:
        return word.encode()
    except UnicodeEncodeError as error:
        raise VocabularyError(
            f"the word {shortened(word)} has a lone surrogate at character {error.start}, which "
            f"UTF-8 cannot hold; decode the text with another errors= policy"
        ) from None


def check_words(word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64]) -> None:
    """Check that the offsets cut the bytes into words of valid UTF-8."""
    n_bytes = len(word_bytes)
    if word_offsets[0] != 0 or word_offsets[-1] != n_bytes:
        raise VocabularyError(
            f"word_offsets run from {word_offsets[0]} to {word_offsets[-1]}; they must run from 0 "
            f"to the {n_bytes} bytes of the words"
        )
    falling = np.flatnonzero(word_offsets[1:] < word_offsets[:-1])
    if len(falling):
        raise VocabularyError(f"word_offsets fall after position {falling[0]}; they must not")
    if n_bytes and word_bytes.max() > 127:
        try:
            str(word_bytes.data, "utf-8")
        except UnicodeDecodeError as error:
            row = int(np.searchsorted(word_offsets, error.start, "right")) - 1
            raise VocabularyError(f"the word at position {row:,} is no UTF-8: {error}") from None
        inner = word_offsets[word_offsets < n_bytes]
        split = np.flatnonzero((word_bytes[inner] & 0xC0) == 0x80)
        if len(split):
            raise VocabularyError(f"the word at position {split[0]:,} starts inside a character")

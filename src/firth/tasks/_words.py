"""The words that a classifier knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firth.errors import InputError, VocabularyError
from firth.sequences import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firth.sequences import Text
    from firth.tasks._settings import Settings
    from firth.vectors import KeyedVectors

_WORDS_AT_A_TIME = 8192


def training_words(texts: Sequence[Text], settings: Settings) -> dict[str, int]:
    """Count the words of texts that are frequent enough; the most frequent first.

    Raises
    ------
    InputError
        If there are none.
    """
    encoder = TextEncoder(
        num_words=settings.num_words,
        min_freq=settings.min_freq,
        tokenizer=settings.tokenizer,
        lowercase=settings.lowercase,
        unknown=False,
    )
    try:
        vocab = encoder.fit(texts).vocab
    except VocabularyError as error:
        raise InputError(
            f"the texts have no word that occurs {settings.min_freq} times or more: lower "
            f"min_freq, or see whether the texts are empty"
        ) from error
    counts = zip(vocab.words, vocab.counts.tolist(), strict=True)  # type: ignore[union-attr]
    return {word: n for word, n in counts if n}


def with_unseen_words(words: dict[str, int], wv: KeyedVectors, settings: Settings) -> list[str]:
    """Fill up the words of the texts with the most frequent ones of the vectors.

    With their vectors a classifier knows something of words that no text had from which it
    learned. That is much of what vectors are good for where there are few texts.
    """
    known = list(words)
    for begin in range(0, len(wv), _WORDS_AT_A_TIME):
        if len(known) >= settings.num_words:
            break
        some = wv.vocab.words[begin : begin + _WORDS_AT_A_TIME]
        # A word with capitals is never met where texts are lower-cased.
        known += [
            word
            for word in some
            if word not in words and not (settings.lowercase and word != word.lower())
        ]
    return known[: settings.num_words]

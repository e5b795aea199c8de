"""Which words a model has: rules of the caller, and words that join later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth.errors import ParameterError, VocabularyError
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

# gensim's numbers, of `gensim.utils`.
RULE_DEFAULT, RULE_DISCARD, RULE_KEEP = 0, 1, 2

TrimRule = "Callable[[str, int, int], int]"


def kept(
    seen: Vocab, trim_rule: Callable[[str, int, int], int] | None, min_count: int
) -> NDArray[np.bool_]:
    """Tell which words stay, shape (n_words,), by a rule or by `min_count`.

    Raises
    ------
    ParameterError
        The rule returned something else than one of the three constants.
    """
    enough: NDArray[np.bool_] = seen.counts >= min_count
    if trim_rule is None:
        return enough
    if not callable(trim_rule):
        raise ParameterError(
            f"trim_rule must be a function of (word, count, min_count), not {trim_rule!r:.60}"
        )
    for row, (word, count) in enumerate(zip(seen.words, seen.counts.tolist(), strict=True)):
        decision = trim_rule(word, count, min_count)
        if decision == RULE_KEEP:
            enough[row] = True
        elif decision == RULE_DISCARD:
            enough[row] = False
        elif decision != RULE_DEFAULT:
            raise ParameterError(
                f"trim_rule returned {decision!r:.60} for {word!r:.60}; it must return "
                f"RULE_DEFAULT (0), RULE_DISCARD (1) or RULE_KEEP (2)"
            )
    return enough


def chosen(
    seen: Vocab,
    trim_rule: Callable[[str, int, int], int] | None,
    min_count: int,
    max_size: int | None,
) -> Vocab:
    """Keep some of the words of a vocabulary, in their order."""
    rows = np.flatnonzero(kept(seen, trim_rule, min_count))[:max_size]
    if not len(rows):
        what = f"min_count is {min_count:,}" + (" and there is a trim_rule" if trim_rule else "")
        raise VocabularyError(
            f"no words are left: {len(seen):,} distinct words were read, the most frequent one "
            f"{seen.counts.max():,} times, and {what}; give more text or keep more words"
        )
    return Vocab.from_words(seen.words_at(rows), seen.counts[rows])


def joined(
    old: Vocab,
    seen: Vocab,
    trim_rule: Callable[[str, int, int], int] | None,
    min_count: int,
    max_size: int | None,
) -> Vocab:
    """Let words of a new text join those that a model has.

    Returns
    -------
    Vocab
        The old words in their rows, with what was counted now added to their counts; behind them
        the new ones.
    """
    words = list(seen.words)
    rows = old.ids(words)
    known = rows >= 0
    counts = old.counts.copy()
    counts[rows[known]] += seen.counts[known]
    room = None if max_size is None else max(max_size - len(old), 0)
    new = np.flatnonzero(kept(seen, trim_rule, min_count) & ~known)[:room]
    return Vocab.from_words(
        [*old.words, *(words[row] for row in new.tolist())],
        np.concatenate([counts, seen.counts[new]]),
    )

"""How well two words go together."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

from firth.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    Scorer = Callable[..., float]

ENGLISH_CONNECTOR_WORDS = frozenset(
    {
        "a", "an", "the",
        "for", "of", "with", "without", "at", "from", "to", "in", "on", "by",
        "and", "or",
    }
)  # fmt: skip

_PARAMETERS = (
    "worda_count", "wordb_count", "bigram_count", "len_vocab", "min_count", "corpus_word_count",
)  # fmt: skip


def original_scorer(
    worda_count: float,
    wordb_count: float,
    bigram_count: float,
    len_vocab: float,
    min_count: float,
    corpus_word_count: float,  # noqa: ARG001 (the signature of all scorers)
) -> float:
    """Score a pair by how much more often it is there than its words would make one expect.

    Parameters
    ----------
    worda_count, wordb_count : int
        How often the first and the last word were seen.
    bigram_count : int
        How often they were seen together.
    len_vocab : int
        How many distinct words and pairs there are.
    min_count : float
        Discount, so that pairs of rare words do not come out on top.
    corpus_word_count : int
        Not used.

    Returns
    -------
    float
        ``(bigram_count - min_count) * len_vocab / (worda_count * wordb_count)``; minus infinity
        where a word was never seen.

    References
    ----------
    Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
    Compositionality", equation 6; the factor `len_vocab` is gensim's.

    Examples
    --------
    >>> original_scorer(10, 20, 9, 1000, 5, 50_000)
    20.0
    """
    expected = worda_count * wordb_count
    if expected == 0:
        return -math.inf
    return (bigram_count - min_count) / float(expected) * len_vocab


def npmi_scorer(
    worda_count: float,
    wordb_count: float,
    bigram_count: float,
    len_vocab: float,  # noqa: ARG001 (the signature of all scorers)
    min_count: float,
    corpus_word_count: float,
) -> float:
    """Score a pair by its normalised pointwise mutual information.

    Parameters
    ----------
    worda_count, wordb_count : int
        How often the first and the last word were seen.
    bigram_count : int
        How often they were seen together.
    len_vocab : int
        Not used.
    min_count : float
        A pair that was seen less often scores minus infinity.
    corpus_word_count : int
        Words in the text.

    Returns
    -------
    float
        From -1 to 1, which is reached by words that are only ever seen together.

    References
    ----------
    Bouma 2009, "Normalized (Pointwise) Mutual Information in Collocation Extraction", equation 7.

    Examples
    --------
    >>> npmi_scorer(10, 10, 10, 1000, 5, 50_000)
    1.0
    """
    if bigram_count < min_count or not (worda_count and wordb_count and bigram_count):
        return -math.inf
    share_a = worda_count / float(corpus_word_count)
    share_b = wordb_count / float(corpus_word_count)
    share = bigram_count / float(corpus_word_count)
    return math.log(share / (share_a * share_b)) / -math.log(share)


def scorer_of(scoring: Any) -> Scorer:
    """Check what a caller gives for `scoring`, and return the function that it means."""
    if scoring == "default":
        return original_scorer
    if scoring == "npmi":
        return npmi_scorer
    if not callable(scoring):
        raise ParameterError(
            f"scoring is {scoring!r:.60}: give 'default', 'npmi' or a function of "
            f"{', '.join(_PARAMETERS)}"
        )
    try:
        parameters = inspect.signature(scoring).parameters
    except (TypeError, ValueError):
        return scoring  # type: ignore[no-any-return]  # a compiled function does not tell
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    missing = [name for name in _PARAMETERS if name not in parameters]
    if missing and not takes_all:
        raise ParameterError(
            f"the scoring function lacks the parameters {', '.join(missing)}: it is called with "
            f"all of {', '.join(_PARAMETERS)} by name"
        )
    return scoring  # type: ignore[no-any-return]


def rule_of(scorer: Scorer | None) -> str | None:
    """Tell what the core calls a scorer; None for one that it does not have."""
    return {original_scorer: "default", npmi_scorer: "npmi"}.get(scorer)  # type: ignore[arg-type]

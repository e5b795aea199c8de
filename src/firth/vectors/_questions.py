"""What a user may ask with - words, rows, vectors, weighted pairs, lists of them - made plain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from operator import index as as_index
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError

Vector: TypeAlias = NDArray[Any]
Key: TypeAlias = str | int
Term: TypeAlias = Key | Vector | tuple[Key | Vector, float]
Terms: TypeAlias = Term | Sequence[Term] | None
Question: TypeAlias = Key | Vector | tuple[Terms, Terms]
# What to do about a word without a vector.
Unseen: TypeAlias = Literal["error", "zero", "mean", "skip"]


@dataclass
class WeightedTerms:
    """The terms of a question, words and vectors, each with its weight."""

    terms: list[Key | Vector]
    weights: list[float]


def weighted_terms(positive: Terms, negative: Terms) -> WeightedTerms:
    """Read the two sides of a question; a pair brings its own weight, sign and all."""
    result = WeightedTerms([], [])
    for side, given, weight in (("positive", positive, 1.0), ("negative", negative, -1.0)):
        for item in _as_list(side, given):
            if is_key(item) or _is_vector(item):
                result.terms.append(item)
                result.weights.append(weight)
            elif _is_pair(item):
                result.terms.append(item[0])
                result.weights.append(float(item[1]))
            else:
                raise ParameterError(
                    f"{side} has {_told(item)}; each must be a word, a row number, a vector (a "
                    f"NumPy array of one dimension) or a pair of one of these and its weight"
                )
    if not result.terms:
        raise ParameterError("there is nothing to ask with: give a word or vector in positive")
    return result


def only_word(positive: Terms, negative: Terms) -> str | None:
    """Give the word of a question that is one word, as most are; None for others."""
    if isinstance(positive, list) and len(positive) == 1:
        positive = positive[0]
    nothing_against = negative is None or (isinstance(negative, list) and not negative)
    return positive if isinstance(positive, str) and nothing_against else None


def sides(question: Any) -> tuple[Terms, Terms]:
    """Tell the positive and the negative side of one of many questions."""
    if is_key(question) or _is_vector(question):
        return question, None
    if isinstance(question, tuple) and len(question) == 2 and not _is_pair(question):
        return question
    raise ParameterError(
        f"{_told(question)} is no question; give a word, a vector (a NumPy array of one dimension) "
        f"or a pair (positive, negative) such as (['woman', 'king'], ['man'])"
    )


def is_key(item: object) -> bool:
    """Tell whether something names a row: a word, or the number of the row."""
    return isinstance(item, str) or (isinstance(item, Integral) and not isinstance(item, bool))


def words_of(name: str, words: Iterable[str]) -> list[str]:
    """Make a list of words; a string, whose characters would be taken for words, is refused."""
    if isinstance(words, str):
        raise ParameterError(
            f"{name} is the string {words[:60]!r}; give a list of words, for instance "
            f"{name}={words[:60].split()!r}"
        )
    return list(words)


def check_oov(oov: Unseen) -> Unseen:
    if oov not in {"error", "zero", "mean", "skip"}:
        raise ParameterError(f"oov must be 'error', 'zero', 'mean' or 'skip', not {oov!r}")
    return oov


def check_topn(topn: object) -> int:
    """Check how many words to find; fewer than none is none, as in gensim."""
    if not is_key(topn) or isinstance(topn, str):
        raise ParameterError(f"topn must be a whole number, not {topn!r}")
    return max(0, as_index(topn))  # type: ignore[arg-type]


def _as_list(side: str, given: Any) -> Sequence[Any]:
    if given is None:
        return []
    if is_key(given) or _is_vector(given) or _is_pair(given):
        return [given]
    if isinstance(given, np.ndarray) and given.ndim == 2:
        return list(given)
    if isinstance(given, Iterable):
        return list(given)
    raise ParameterError(f"{side} is {_told(given)}; give words or vectors")


def _is_vector(item: object) -> bool:
    return isinstance(item, np.ndarray) and item.ndim == 1 and item.dtype.kind in "fiu"


def _is_pair(item: object) -> bool:
    return (
        isinstance(item, tuple)
        and len(item) == 2
        and (is_key(item[0]) or _is_vector(item[0]))
        and isinstance(item[1], Real)
    )


def _told(item: object) -> str:
    text = repr(item).replace("\n", " ")
    return f"{type(item).__name__} {text if len(text) <= 60 else text[:57] + '...'}"

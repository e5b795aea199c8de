"""Questions to a model and their answers, as the shapes that travel."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from msgspec import UNSET

from firth.errors import WordNotFoundError
from firth.service import _shapes as shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from firth.service._models import ServedModel
    from firth.service._search import Found, Question
    from firth.vectors import KeyedVectors

    Told = shapes.Answer | shapes.QuestionProblem

# Near spellings take up to 50 ms a word: help for a person, not for a list of a thousand words.
_MOST_SUGGESTIONS = 3
# Nor for a crowd: one core at most looks for them.
_suggesting = threading.Lock()
# What float32 can tell of a cosine.
_DECIMALS = 6


@dataclass(frozen=True)
class Asked:
    """A question for neighbours, and how its answer is put.

    Attributes
    ----------
    question : str or (list of str, list of str)
        A word, or the words for and those against.
    words : list of str
        The words as they are told with the answer.
    """

    question: Question
    words: list[str]
    negative: list[str] | None = None
    is_analogy: bool = False

    @classmethod
    def of_word(cls, word: str) -> Asked:
        """Ask for the neighbours of a word."""
        return cls(word, [word])

    @classmethod
    def of_sides(cls, positive: list[str], negative: list[str]) -> Asked:
        """Ask for the neighbours of a sum of words."""
        if len(positive) == 1 and not negative:
            return cls.of_word(positive[0])
        return cls((positive, negative), positive, negative or None)

    @classmethod
    def of_analogy(cls, a: str, b: str, c: str) -> Asked:
        """Ask what is to c as b is to a."""
        return cls(([b, c], [a]), [a, b, c], is_analogy=True)

    def tell(self, wv: KeyedVectors, found: Found) -> shapes.Answer:
        """Put what was found."""
        rows, scores = found
        there = rows >= 0
        neighbours = tuple(
            shapes.Neighbour(word, round(score, _DECIMALS))
            for word, score in zip(
                wv.vocab.words_at(rows[there]), scores[there].tolist(), strict=True
            )
        )
        unseen = _unseen(wv, [*self.words, *(self.negative or [])])
        if self.is_analogy:
            return shapes.AnalogyAnswer(words=self.words, unseen=unseen, answers=neighbours)
        return shapes.SimilarAnswer(
            words=self.words,
            unseen=unseen,
            negative=self.negative or UNSET,
            neighbours=neighbours,
        )

    def missing(self, wv: KeyedVectors) -> list[str]:
        """Give the words that have no vector."""
        return [word for word in (*self.words, *(self.negative or ())) if word not in wv]


async def find_neighbours(
    model: ServedModel, asked: Sequence[Asked], k: int, *, approximate: bool
) -> list[Told]:
    """Answer questions for neighbours; those with unknown words are told so instead."""
    wv, lane = model.wv, model.lane(approximate=approximate)
    missing = [each.missing(wv) for each in asked]
    known = [at for at, words in enumerate(missing) if not words]
    told: list[Any] = [None] * len(asked)
    if len(known) < len(asked):
        told = await model.in_thread(_problems, wv, asked, missing)
    if known:
        found = await lane.ask([asked[at].question for at in known], k)
        for at, each in zip(known, found, strict=True):
            told[at] = asked[at].tell(wv, each)
    return told


def _problems(
    wv: KeyedVectors, asked: Sequence[Asked], missing: Sequence[Sequence[str]]
) -> list[shapes.QuestionProblem | None]:
    """Say which questions cannot be answered."""
    problems = Problems(wv)
    return [
        problems.of(each.words, words) if words else None
        for each, words in zip(asked, missing, strict=True)
    ]


class Problems:
    """Tells of words that are not there; the first of them with near spellings."""

    def __init__(self, wv: KeyedVectors) -> None:
        self._wv = wv
        self._n_told = 0

    def text(self, missing: Sequence[str]) -> str:
        """Say which words have no vector."""
        self._n_told += 1
        word = missing[0]
        if self._n_told <= _MOST_SUGGESTIONS and _suggesting.acquire(blocking=False):
            try:
                self._wv.get_index(word)
            except WordNotFoundError as error:
                return str(error)
            finally:
                _suggesting.release()
        return f"the word {word[:100]!r} is not among the {len(self._wv):,} words"

    def of(self, words: list[str], missing: Sequence[str]) -> shapes.QuestionProblem:
        """Say why a question has no answer."""
        return shapes.QuestionProblem(words, self.text(missing))


def similarities(wv: KeyedVectors, pairs: Sequence[Sequence[str]]) -> list[Told]:
    """Tell how similar the words of pairs are."""

    def similarity(words: list[str], unseen: Any) -> shapes.Answer:
        value = float(wv.similarity(*words))
        told = round(value, _DECIMALS) if math.isfinite(value) else None
        return shapes.SimilarityAnswer(words=words, unseen=unseen, similarity=told)

    return _each(wv, pairs, similarity)


def odd_ones_out(wv: KeyedVectors, lists: Sequence[Sequence[str]]) -> list[Told]:
    """Tell which word of each list fits least with the others."""

    def odd_one_out(words: list[str], unseen: Any) -> shapes.Answer:
        odd = wv.doesnt_match(words)
        return shapes.OddOneOutAnswer(words=words, unseen=unseen, odd_one_out=odd)

    return _each(wv, lists, odd_one_out)


def _each(
    wv: KeyedVectors,
    questions: Sequence[Sequence[str]],
    answer: Callable[[list[str], Any], shapes.Answer],
) -> list[Told]:
    problems = Problems(wv)
    told: list[Told] = []
    for question in questions:
        words = list(question)
        missing = [word for word in words if word not in wv]
        told.append(problems.of(words, missing) if missing else answer(words, _unseen(wv, words)))
    return told


def vectors(
    wv: KeyedVectors, words: Sequence[str], *, norm: bool
) -> list[shapes.VectorAnswer | shapes.NoVector]:
    """Tell the vectors of words."""
    problems = Problems(wv)
    known = [word for word in words if word in wv]
    numbers = iter(_shortest(wv.get_vectors(known, norm=norm)) if known else [])
    is_known = set(known)
    return [
        shapes.VectorAnswer(
            word=word,
            unseen=UNSET if wv.has_index_for(word) else True,
            vector=next(numbers),
        )
        if word in is_known
        else shapes.NoVector(word, problems.text([word]))
        for word in words
    ]


def _unseen(wv: KeyedVectors, words: Sequence[str]) -> Any:
    if wv.subwords is None:
        return UNSET
    return [word for word in words if not wv.has_index_for(word)] or UNSET


_Numbers: TypeAlias = "list[float | None]"


def _shortest(matrix: NDArray[np.float32]) -> list[_Numbers]:
    """Give numbers of float32 as the doubles that are written with nine digits.

    So many tell any float32 from the next; Python would write the seventeen of a double.
    """
    exact = matrix.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        digits = 8 - np.floor(np.log10(np.abs(exact)))
        # Powers of ten up to 22 are exact in a double, so that the quotient is the nearest one.
        is_short = (digits >= 0) & (digits <= 22)
        scale = 10.0 ** np.where(is_short, digits, 0)
        rounded = np.round(exact * scale) / scale
    rows: list[_Numbers] = np.where(is_short, rounded, exact).tolist()
    if not np.isfinite(exact).all():
        rows = [[x if x is not None and math.isfinite(x) else None for x in row] for row in rows]
    return rows

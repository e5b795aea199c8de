"""Answers: words with their scores, as lists and as tables."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, SupportsIndex, overload

import numpy as np
from numpy.typing import NDArray

from firth.errors import MissingExtraError
from firth.vocab import Vocab

_SHOWN = 20  # questions of a table in a notebook


class Neighbours(list[tuple[str, float]]):
    """The neighbours of one question: a list of (word, score), nearest first.

    Examples
    --------
    >>> from firth.vectors import Neighbours
    >>> found = Neighbours([("queen", 0.75), ("prince", 0.5)])
    >>> found[0]
    ('queen', 0.75)
    >>> found.words, found.scores
    (['queen', 'prince'], [0.75, 0.5])
    """

    @property
    def words(self) -> list[str]:
        """The words."""
        return [word for word, _ in self]

    @property
    def scores(self) -> list[float]:
        """Their scores."""
        return [score for _, score in self]

    @overload
    def __getitem__(self, index: SupportsIndex) -> tuple[str, float]: ...
    @overload
    def __getitem__(self, index: slice) -> "Neighbours": ...
    def __getitem__(self, index: SupportsIndex | slice) -> "tuple[str, float] | Neighbours":
        if isinstance(index, slice):
            return Neighbours(super().__getitem__(index))
        return super().__getitem__(index)

    def to_pandas(self) -> Any:
        """Make a `pandas.DataFrame` with the columns ``word`` and ``score``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        return _pandas().DataFrame({"word": self.words, "score": self.scores})

    def _repr_html_(self) -> str:
        return _html(["", "word", "score"], [(i, *pair) for i, pair in enumerate(self, 1)])


class NeighbourTable(Sequence[Neighbours]):
    """The neighbours of many questions: a sequence of `Neighbours`, one for each.

    Words are decoded when they are looked at. Equal to a list of lists of the same pairs.

    Attributes
    ----------
    rows : numpy.ndarray of int64, shape (n_questions, topn)
        The rows of the neighbours, nearest first; -1 where there are no more.
    scores : numpy.ndarray of float32, shape (n_questions, topn)
        Their scores; minus infinity beside -1.
    """

    def __init__(
        self,
        vocab: Vocab,
        questions: Sequence[Any],
        rows: NDArray[np.int64],
        scores: NDArray[np.float32],
    ) -> None:
        self._vocab = vocab
        self._questions = questions
        self.rows = rows
        self.scores = scores

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Neighbours: ...
    @overload
    def __getitem__(self, index: slice) -> "NeighbourTable": ...
    def __getitem__(self, index: SupportsIndex | slice) -> "Neighbours | NeighbourTable":
        if isinstance(index, slice):
            questions = self._questions[index]
            return NeighbourTable(self._vocab, questions, self.rows[index], self.scores[index])
        rows, scores = self.rows[index], self.scores[index]
        if len(rows) and rows[-1] < 0:  # those that are not there are the last
            n = int(np.count_nonzero(rows >= 0))
            rows, scores = rows[:n], scores[:n]
        return Neighbours(zip(self._vocab.words_at(rows), scores.tolist(), strict=True))

    def __iter__(self) -> Iterator[Neighbours]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        first = ",\n ".join(map(repr, self[:3]))
        rest = f",\n ... {len(self):,} questions" if len(self) > 3 else ""
        return f"NeighbourTable([{first}{rest}])"

    @property
    def questions(self) -> list[str]:
        """What was asked: the word, a sum of words, or the number of a vector."""
        return [_told(question, at) for at, question in enumerate(self._questions)]

    def to_pandas(self) -> Any:
        """Make a `pandas.DataFrame` with a line for each neighbour.

        Columns are ``question``, ``rank`` (from 1), ``word`` and ``score``.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        asked, ranks = np.nonzero(self.rows >= 0)
        return _pandas().DataFrame(
            {
                "question": np.array([*self.questions, ""], object)[asked],
                "rank": ranks + 1,
                "word": self._vocab.words_at(self.rows[asked, ranks]),
                "score": self.scores[asked, ranks],
            }
        )

    def _repr_html_(self) -> str:
        lines = [
            (question, ", ".join(f"{word} {score:.3f}" for word, score in found))
            for question, found in zip(self.questions[:_SHOWN], self[:_SHOWN], strict=True)
        ]
        more = len(self) - _SHOWN
        note = f"<p>and {more:,} questions more</p>" if more > 0 else ""
        return _html(["question", "neighbours"], lines) + note


def _told(question: Any, at: int) -> str:
    """Name a question: its words with their signs."""
    if isinstance(question, str):
        return question
    if not (isinstance(question, tuple) and len(question) == 2):
        return str(question) if np.ndim(question) == 0 else f"vector {at}"
    parts = []
    for sign, side in zip("+-", question, strict=True):
        terms = [side] if isinstance(side, str | int) else [] if side is None else list(side)
        parts += [f"{sign} {term if isinstance(term, str | int) else '...'}" for term in terms]
    return " ".join(parts).removeprefix("+ ")


def _pandas() -> Any:
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("pandas", "pandas", "a table of answers") from error
    return pd


def _html(columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """Write a table for notebooks; words come from strangers' files and are escaped."""

    def cells(tag: str, values: Sequence[Any]) -> str:
        told = [f"{v:.4f}" if isinstance(v, float) else escape(str(v)) for v in values]
        return "<tr>" + "".join(f"<{tag}>{value}</{tag}>" for value in told) + "</tr>"

    body = "".join(cells("td", line) for line in lines)
    return f"<table><thead>{cells('th', columns)}</thead><tbody>{body}</tbody></table>"

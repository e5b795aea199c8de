"""Answers to analogies, by 3CosAdd and 3CosMul."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from firth import _core
from firth.evaluation._words import has_direction
from firth.machine import usable_cores
from firth.threads import run_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from firth.evaluation._test_sets import Analogy
    from firth.evaluation._words import Lookup

Method: TypeAlias = Literal["3CosAdd", "3CosMul"]
METHODS: tuple[Method, ...] = ("3CosAdd", "3CosMul")

# Levy and Goldberg 2014, section 5: it prevents division by zero.
_EPSILON = 0.001
# Scores that are held at a time: few enough to stay in the second-level cache while the questions
# of a section, which share their words, go through them.
_SCORES = 1 << 20
_FEWEST_ROWS, _MOST_ROWS = 256, 4096
_QUESTIONS_A_TASK = 2048


@dataclass(frozen=True)
class AnsweredAnalogies:
    """The answers to analogies.

    Attributes
    ----------
    covered : numpy.ndarray of bool, shape (n_questions,)
        The questions that can be asked, and answered: a, b, c and an accepted answer are known.
    rows : numpy.ndarray of int64, shape (n_questions,)
        The row of each answer; -1 where there is none.
    right : numpy.ndarray of bool, shape (n_questions,)
        Whether it is among the accepted ones.
    rarest : numpy.ndarray of int64, shape (n_questions,)
        The largest row of the words of a question; -1 where it is not covered.
    """

    covered: NDArray[np.bool_]
    rows: NDArray[np.int64]
    right: NDArray[np.bool_]
    rarest: NDArray[np.int64]


def answer_analogies(
    questions: Sequence[Analogy], lookup: Lookup, n_rows: int, method: Method = "3CosAdd"
) -> AnsweredAnalogies:
    """Answer analogies with the best row that is none of the words asked with.

    3CosAdd (Mikolov, Yih and Zweig 2013, section 4) maximises cos(d, b) + cos(d, c) - cos(d, a);
    3CosMul (Levy and Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word
    Representations", equation 4) maximises cos(d, b) cos(d, c) / (cos(d, a) + 0.001) with cosines
    moved to [0, 1].

    Parameters
    ----------
    questions : sequence of Analogy
        What to answer.
    lookup : Lookup
        Where to.
    n_rows : int
        Only words among so many first rows are known, and looked for.
    method : "3CosAdd" or "3CosMul"
        How.

    Notes
    -----
    Test sets ask thousands of questions with a few hundred words. So the cosines of all rows with
    each word are computed once, block by block, and a question costs two additions a row where the
    product of its own vector would cost `vector_size` multiplications. 3CosMul is a sum as well, of
    logarithms.
    """
    terms = np.array(
        [[lookup.row(w, n_rows) for w in (q.a, q.b, q.c)] for q in questions], np.int64
    )
    terms = terms.reshape(-1, 3)
    accepted = [
        {row for word in question.answers for row in lookup.rows(word) if row < n_rows}
        for question in questions
    ]
    covered = (terms >= 0).all(axis=1) & np.array([bool(rows) for rows in accepted], np.bool_)
    asked = np.flatnonzero(covered)
    # Other spellings of the words asked with are no answers either.
    exclude = [
        sorted({row for word in (q.a, q.b, q.c) for row in lookup.rows(word) if row < n_rows})
        for q in (questions[i] for i in asked.tolist())
    ]
    rows = np.full(len(questions), -1, np.int64)
    rows[asked] = _best_rows(lookup, terms[asked], exclude, n_rows, method)
    right = np.array([row in some for row, some in zip(rows.tolist(), accepted, strict=True)], bool)
    rarest = np.full(len(questions), -1, np.int64)
    for i in asked.tolist():
        rarest[i] = max(*terms[i].tolist(), min(accepted[i]))
    return AnsweredAnalogies(covered, rows, right, rarest)


def _best_rows(
    lookup: Lookup,
    terms: NDArray[np.int64],
    exclude: list[list[int]],
    n_rows: int,
    method: Method,
) -> NDArray[np.int64]:
    """Find the best row for each question (a, b, c), all of them rows with a direction."""
    words, numbers = np.unique(terms, return_inverse=True)
    asked: NDArray[np.uint32] = numbers.reshape(-1, 3).astype(np.uint32)
    norms = lookup.embedding.norms
    units = lookup.vectors[words].astype(np.float32) / norms[words, None]
    offsets = np.zeros(len(terms) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, exclude), np.int64, len(exclude)), out=offsets[1:])
    flat = np.array([row for rows in exclude for row in rows], np.int64)
    best = np.full(len(terms), -np.inf, np.float32)
    best_rows = np.full(len(terms), -1, np.int64)
    step = min(_MOST_ROWS, max(_FEWEST_ROWS, _SCORES // max(1, len(words))))
    parts = [
        slice(begin, begin + _QUESTIONS_A_TASK) for begin in range(0, len(terms), _QUESTIONS_A_TASK)
    ]
    for begin in range(0, n_rows if len(terms) else 0, step):
        end = min(begin + step, n_rows)
        plus, minus = _scores(units, lookup, slice(begin, end), method)

        def take_in(
            part: slice,
            plus: NDArray[np.float32] = plus,
            minus: NDArray[np.float32] = minus,
            begin: int = begin,
        ) -> None:
            _core.best_sums(
                plus, minus, asked[part], flat, offsets[part.start : part.stop + 1], begin,
                best[part], best_rows[part],
            )  # fmt: skip

        run_tasks(parts, take_in, min(len(parts), usable_cores()))
    return best_rows


def _scores(
    units: NDArray[np.float32], lookup: Lookup, rows: slice, method: Method
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give what each row adds to a score beside a word, on the side of b and c, and takes as a."""
    norms = lookup.embedding.norms[rows]
    usable = has_direction(norms)
    block = lookup.vectors[rows].astype(np.float32, copy=False)
    if not usable.all():
        block = np.where(usable[:, None], block, np.float32(0))
    cosines = units @ block.T
    cosines /= np.where(usable, norms, np.float32(1))
    if method == "3CosAdd":
        plus = minus = cosines
    else:
        shifted = np.clip((cosines + 1) / 2, 1e-30, None, out=cosines)
        plus, minus = np.log(shifted), np.log(shifted + np.float32(_EPSILON))
    if not usable.all():
        plus = np.where(usable, plus, np.float32(-np.inf))
    return plus, minus

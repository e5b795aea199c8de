"""Test sets for probes: pairs of words with judgements, and analogies.

Words are looked up as they stand, and lower-cased where they are not there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import FormatError, SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from firth.vectors import KeyedVectors

_LARGEST = 64 << 20


class TestSet(ABC):
    """Questions with known answers."""

    __test__ = False  # pytest takes it for tests of its own otherwise

    @abstractmethod
    def n_known(self, wv: KeyedVectors) -> int:
        """Count the questions whose words all have vectors."""

    @abstractmethod
    def score(self, wv: KeyedVectors) -> float:
        """Score vectors on the questions that they know; NaN where that says nothing."""


class Similarities(TestSet):
    """Pairs of words with people's judgements."""

    def __init__(self, pairs: list[tuple[str, str, float]]) -> None:
        self._pairs = pairs

    def _known(self, wv: KeyedVectors) -> list[tuple[int, int, float]]:
        found = [(_row(wv, a), _row(wv, b), judged) for a, b, judged in self._pairs]
        return [(a, b, judged) for a, b, judged in found if a is not None and b is not None]

    def n_known(self, wv: KeyedVectors) -> int:
        """Count the pairs whose words both have vectors."""
        return len(self._known(wv))

    def score(self, wv: KeyedVectors) -> float:
        """Compute Spearman's correlation of the cosines with the judgements, from -1 to 1."""
        known = self._known(wv)
        if len(known) < 3:
            return float("nan")
        cosines = np.array([wv.similarity(a, b) for a, b, _ in known])
        return spearman(cosines, np.array([judged for _, _, judged in known]))


class Analogies(TestSet):
    """Questions of four words: a is to b as c is to d."""

    def __init__(self, questions: list[tuple[str, str, str, str]]) -> None:
        self._questions = questions

    def _known(self, wv: KeyedVectors) -> list[list[int]]:
        found = [[_row(wv, word) for word in question] for question in self._questions]
        return [[row for row in rows if row is not None] for rows in found if None not in rows]

    def n_known(self, wv: KeyedVectors) -> int:
        """Count the questions whose words all have vectors."""
        return len(self._known(wv))

    def score(self, wv: KeyedVectors) -> float:
        """Compute the share that 3CosAdd answers, from 0 to 1."""
        known = self._known(wv)
        if not known:
            return float("nan")
        asked = [([b, c], [a]) for a, b, c, _ in known]
        answers = wv.most_similar_many(asked, topn=1)
        right = [
            bool(best) and wv.get_index(best[0][0]) == rows[3]
            for best, rows in zip(answers, known, strict=True)
        ]
        return float(np.mean(right))


def read_test_set(path: Path) -> TestSet:
    """Read a test set.

    Raises
    ------
    SourceError
        There is no such file, or it cannot be read.
    FormatError
        A line has neither two words and a number nor four words; or there is no line.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise FormatError(f"{path}: over {_LARGEST >> 20} MiB: not a test set")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file; give the file of a test set") from None
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: byte {error.start:,} is no UTF-8: not a test set") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    pairs, questions = [], []
    for number, line in enumerate(lines, start=1):
        parts = _parts(line)
        if not parts or parts[0].startswith((":", "#")):
            continue
        judged = _number(parts[2]) if len(parts) >= 3 else None
        if judged is not None:
            pairs.append((parts[0], parts[1], judged))
        elif len(parts) == 4:
            questions.append((parts[0], parts[1], parts[2], parts[3]))
        elif number > 1:  # the first may have the names of columns
            raise FormatError(
                f"{path}: line {number} has neither two words and a number nor four words: "
                f"{line!r:.60}"
            )
    if bool(pairs) == bool(questions):
        what = "both pairs and analogies" if pairs else "no question in it"
        raise FormatError(f"{path}: {what}: not a test set")
    return Similarities(pairs) if pairs else Analogies(questions)


def _parts(line: str) -> list[str]:
    for separator in ("\t", ";", ","):
        if line.count(separator) >= 2:
            return [part.strip() for part in line.split(separator)]
    return line.split()


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _row(wv: KeyedVectors, word: str) -> int | None:
    row = wv.vocab.get(word)
    return wv.vocab.get(word.lower()) if row is None else row


def spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Compute Spearman's rank correlation; equal values share the mean of their ranks."""
    ranks = [_ranks(values) for values in (a, b)]
    x, y = (values - values.mean() for values in ranks)
    length = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / length if length else float("nan")


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + ends - 1) / 2)[inverse]

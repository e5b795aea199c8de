"""The bootstrap: how often each question is drawn when a test set is drawn again."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

# Weights that are held at a time.
_AT_A_TIME = 1 << 21


@dataclass(frozen=True)
class Resampling:
    """Draws questions again, with replacement.

    What is drawn are the units that questions are made of. Of most test sets each question is one.
    Questions of analogies are made of two pairs of words each, which stand in many questions: both
    are drawn, and a question counts as often as the product of the two (Owen 2007, "The pigeonhole
    bootstrap"). Drawing the questions themselves would take them for independent, and make
    intervals far too narrow.

    Attributes
    ----------
    name : str
        Gives the stream of random numbers, together with the seed: the same for all models.
    first : numpy.ndarray of int64, shape (n_questions,)
        A unit of each question.
    second : numpy.ndarray of int64, shape (n_questions,), optional
        The other unit of each.
    strata : list of (int, int)
        Ranges of units, which are drawn apart from each other: those of sections.
    """

    name: str
    first: NDArray[np.int64]
    second: NDArray[np.int64] | None = None
    strata: list[tuple[int, int]] = field(default_factory=list)

    def weights(self, n_resamples: int, seed: int) -> Iterator[NDArray[np.float32]]:
        """Draw, some resamples at a time.

        Yields
        ------
        numpy.ndarray of float32, shape (n_some, n_questions)
            How often each question counts in each resample.
        """
        rng = np.random.default_rng([seed, zlib.crc32(self.name.encode("utf-8", "replace"))])
        n_units = max(end for _, end in self.strata)
        step = max(1, _AT_A_TIME // max(1, len(self.first)))
        for begin in range(0, n_resamples, step):
            n_some = min(step, n_resamples - begin)
            units = np.empty((n_some, n_units), np.float32)
            for start, end in self.strata:
                units[:, start:end] = _draw(rng, n_some, end - start)
            weights = units[:, self.first]
            if self.second is not None:
                weights *= units[:, self.second]
            yield weights


def one_by_one(name: str, sizes: Sequence[int]) -> Resampling:
    """Draw questions one by one, in strata of these sizes."""
    ends = np.cumsum(sizes).tolist()
    strata = list(zip([0, *ends[:-1]], ends, strict=True))
    return Resampling(name, np.arange(ends[-1]), None, strata)


def by_units(
    name: str, units: Sequence[Sequence[Hashable]], others: Sequence[Sequence[Hashable]] | None
) -> Resampling:
    """Draw what questions are made of, by strata.

    Parameters
    ----------
    name : str
        As of `Resampling`.
    units, others : sequences of sequences of hashable
        For each stratum the units of its questions.
    """
    first, second, strata = [], [], []
    n_units = 0
    for i, some in enumerate(units):
        numbers: dict[Hashable, int] = {}
        first += [n_units + numbers.setdefault(unit, len(numbers)) for unit in some]
        if others is not None:
            second += [n_units + numbers.setdefault(unit, len(numbers)) for unit in others[i]]
        strata.append((n_units, n_units + len(numbers)))
        n_units += len(numbers)
    paired = None if others is None else np.array(second, np.int64)
    return Resampling(name, np.array(first, np.int64), paired, strata)


def interval(drawn: Sequence[NDArray[np.float64]], level: float = 0.95) -> tuple[float, float]:
    """Give the percentiles between which `level` of values lie; NaN where there are too few."""
    values = np.concatenate([*drawn, np.empty(0)])
    finite = values[np.isfinite(values)]
    if len(finite) < max(20, 0.9 * len(values)):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _draw(rng: np.random.Generator, n_resamples: int, n: int) -> NDArray[np.int64]:
    """Draw n of n things with replacement, and count how often each came."""
    drawn = rng.integers(0, n, (n_resamples, n)) + n * np.arange(n_resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=n_resamples * n).reshape(n_resamples, n)

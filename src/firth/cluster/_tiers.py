"""Which rows workers exchange when: frequent ones often, rare ones seldom.

As `firth.models` merges the replicas of threads (its deterministic mode): the most frequent rows
are exchanged behind every step, `BASE` times as many behind every step whose number `BASE` divides,
and so on up to all rows. Each tier costs about the same, and a row that is updated often never
waits long (Ji et al. 2016, "Parallelizing Word2Vec in Shared and Distributed Memory", section 3.2,
exchange frequent rows more often for the same reason).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BASE = 4
# Of each matrix, one row for so many words that a worker trains in a step is exchanged behind it.
WORDS_PER_ROW = 24
_FREQUENT_ROWS = 4_096
FULL_EXCHANGES_PER_EPOCH = 8  # at least, where the text has the steps


@dataclass(frozen=True)
class Rhythm:
    """When tiers of rows are exchanged.

    Attributes
    ----------
    first_rows : int
        Rows of each matrix in the first tier.
    n_tiers : int
        How many tiers there are; the last has all rows that are left.
    """

    first_rows: int
    n_tiers: int

    @classmethod
    def of(cls, words_per_step: float, steps_per_epoch: int, n_rows: int) -> Self:
        """Choose it for steps of so many words of each worker, and matrices of up to `n_rows`."""
        first = max(int(words_per_step / WORDS_PER_ROW), 1)
        by_rows = math.ceil(math.log(max(n_rows / first, 1), BASE))
        by_steps = int(math.log(max(steps_per_epoch // FULL_EXCHANGES_PER_EPOCH, 1), BASE))
        return cls(first, 1 + min(by_rows, by_steps))

    def last_tier(self, step: int) -> int:
        """Tell up to which tier rows are exchanged behind a step; steps count from 1."""
        tier = 0
        while tier + 1 < self.n_tiers and step % BASE ** (tier + 1) == 0:
            tier += 1
        return tier

    def ends(self, n_rows: int) -> list[int]:
        """Give the rank behind the last row of each tier."""
        inner = [min(self.first_rows * BASE**tier, n_rows) for tier in range(self.n_tiers - 1)]
        return [*inner, n_rows]


class Tiers:
    """The rows of the matrices of a model, by tiers.

    Parameters
    ----------
    shares : mapping of str to numpy.ndarray of float32, shape (n_rows,)
        For each matrix, how often a row is updated for a word of the text.
    rhythm : Rhythm
        How many rows each tier has.

    Attributes
    ----------
    frequent : dict of numpy.ndarray of uint32
        Of each matrix the rows that are updated most often, some thousands, in rising order.
    """

    def __init__(self, shares: Mapping[str, NDArray[np.float32]], rhythm: Rhythm) -> None:
        self.rhythm = rhythm
        self.shares = dict(shares)
        self.tier_of: dict[str, NDArray[np.uint8]] = {}
        self.frequent: dict[str, NDArray[np.uint32]] = {}
        self._rows: dict[str, list[NDArray[np.uint32]]] = {}
        for name, share in shares.items():
            by_share = np.argsort(-share, kind="stable").astype(np.uint32)
            ends = rhythm.ends(len(share))
            tier_of = np.empty(len(share), np.uint8)
            for tier in reversed(range(rhythm.n_tiers)):
                tier_of[by_share[: ends[tier]]] = tier
            self.tier_of[name] = tier_of
            self.frequent[name] = np.sort(by_share[:_FREQUENT_ROWS])
            # In the order of memory, which is faster to go through.
            self._rows[name] = [np.sort(by_share[:end]) for end in ends[:-1]]

    def rows(self, name: str, last_tier: int) -> NDArray[np.uint32]:
        """Give the rows of a matrix in the tiers up to one, in rising order."""
        inner = self._rows[name]
        if last_tier < len(inner):
            return inner[last_tier]
        return np.arange(len(self.shares[name]), dtype=np.uint32)

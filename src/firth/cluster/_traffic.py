"""What training on a cluster costs: a model of traffic and of time.

Traffic. In words that a worker trains between two exchanges, a row that is touched with the rate t
(times for a word) is touched at all with the probability ``1 - exp(-t w)`` (Poisson). It then goes
to its owner, unless that is the worker itself (one of n times), with 4 bytes for each number and 4
for its own. What the owners have merged goes to n - 1 others; a row is among it with the
probability ``1 - exp(-t W)``, of the words W that all have trained.

Where the rows are split among the workers, a row is asked for if its word is in the text of a step
at all, or drawn to be a negative; if it is touched it goes back; and of what the owners have merged
there goes a copy to one other worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth.cluster._split import NOISE_PER_WORD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from firth.cluster._tiers import Tiers

_BYTES_PER_NUMBER = 4


class Traffic:
    """Expects bytes of exchanges.

    Parameters
    ----------
    touches : mapping of str to numpy.ndarray of float32, shape (n_rows,)
        For each matrix, how often a row is touched for a word of the text; several updates at the
        same place of the text are one touch.
    tiers : Tiers
        Which rows are exchanged when.
    vector_size : int
        Numbers in a row.
    """

    def __init__(
        self, touches: Mapping[str, NDArray[np.float32]], tiers: Tiers, vector_size: int
    ) -> None:
        self._touches = touches
        self._tiers = tiers
        self._bytes_per_row = _BYTES_PER_NUMBER * (vector_size + 1)

    def expected(self, last_tier: int, words: Sequence[Sequence[int]]) -> float:
        """Expect the bytes of an exchange.

        Parameters
        ----------
        last_tier : int
            Rows of the tiers up to this one are exchanged.
        words : sequence of sequences of int, shape (n_workers, last_tier + 1)
            Words that each worker has trained since rows of each tier were exchanged.
        """
        n = len(words)
        total = 0.0
        for name, touch in self._touches.items():
            rows = self._tiers.rows(name, last_tier)
            rates, tiers = touch[rows].astype(np.float64), self._tiers.tier_of[name][rows]
            each = np.mean(words, axis=0)[tiers]  # they have trained about the same
            sent = -np.expm1(-rates * each).sum() * (n - 1)
            merged = -np.expm1(-rates * each * n).sum() * (n - 1)
            total += float(sent + merged) * self._bytes_per_row
        return total


class SplitTraffic:
    """Expects bytes of steps in which the rows are split among the workers.

    Parameters
    ----------
    frequencies : numpy.ndarray of float64, shape (n_words,)
        What each word has of all words of the text.
    touches : mapping of str to numpy.ndarray of float32, shape (n_words,)
        As of `Traffic`, for "input" and "targets".
    tiers : Tiers
        Rows of the first tier are always asked for.
    vector_size : int
        Numbers in a row.
    """

    def __init__(
        self,
        frequencies: NDArray[np.float64],
        touches: Mapping[str, NDArray[np.float32]],
        tiers: Tiers,
        vector_size: int,
    ) -> None:
        self._frequencies = frequencies
        self._kept = touches["input"].astype(np.float64)
        noise = touches["targets"] - self._kept
        self._noise_per_word = float(noise.sum())
        self._noise = noise / self._noise_per_word
        self._frequent = tiers.rows("input", 0)
        self._bytes_per_row = _BYTES_PER_NUMBER * (vector_size + 1)

    def _asked_for(self, words: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expect how often each row is asked for, from 0 to 1: those of the text, and of noise."""
        in_text = -np.expm1(-self._frequencies * words)
        in_text[self._frequent] = 1.0
        return in_text, np.minimum(self._noise * (words * NOISE_PER_WORD), 1.0)

    def rows_at_hand(self, words: float) -> float:
        """Expect how many rows, of all matrices, a worker has for so many words."""
        in_text, drawn = self._asked_for(words)
        return float(in_text.sum() + (1 - (1 - in_text) * (1 - drawn)).sum())

    def expected(self, last_tier: int, words: Sequence[Sequence[int]]) -> float:  # noqa: ARG002
        """Expect the bytes of a step; parameters are those of `Traffic`."""
        n = len(words)
        each = float(np.mean(words))
        drawn = self._asked_for(each)[1]
        asked = self.rows_at_hand(each)
        n_uses = self._noise_per_word / NOISE_PER_WORD  # of each word that was drawn
        used = np.where(
            drawn < 1,
            drawn * -np.expm1(-n_uses),
            -np.expm1(-self._noise * (each * self._noise_per_word)),
        )
        untouched = np.exp(-self._kept * each)
        changed = np.array([1 - untouched, 1 - untouched * (1 - used)])
        merged = 1 - (1 - changed) ** n
        to_owners = (n - 1) * (asked + changed.sum())
        return float(to_owners + merged.sum()) * self._bytes_per_row

"""What training on a cluster costs: a model of traffic and of time.

Traffic. In words that a worker trains between two exchanges, a row that is touched with the rate t
(times for a word) is touched at all with the probability ``1 - exp(-t w)`` (Poisson). It then goes
to its owner, unless that is the worker itself (one of n times), with 4 bytes for each number and 4
for its own. What the owners have merged goes to n - 1 others; a row is among it with the
probability ``1 - exp(-t W)``, of the words W that all have trained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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

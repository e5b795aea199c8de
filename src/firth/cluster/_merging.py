"""How the changes of several workers become one.

n workers begin with the same row. Each update takes it a share r of the way to where the loss wants
it, so that k updates take it ``1 - exp(-r k)`` of the way: the sum of what they have changed has to
be multiplied by a factor (`firth.models.merge_factors`), which is 1 for a rare row, whose changes
add up, and 1 / n for one that every worker has taken all of its way.

But r is not one number. The loss of a pair is bent in the direction of the other vector alone, by
its squared length. In the few directions that all vectors share, rows arrive soon; in most others
they hardly ever do. So a change is cut into its parts along the principal axes of what the row
meets, and each part has a factor of its own. With one factor for all directions, either frequent
words swing along the common ones, or they learn too little in the others: four workers that train
skip-gram lose .015 of SimLex-999 by that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth.models import merge_factors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.cluster._tiers import Tiers

    Matrices = dict[str, NDArray[np.float32]]

# How strongly the loss is bent at a pair, on average, and how much is to be made of it: sigmoid' is
# small where a negative is told apart, of which kind most is that a target meets. Chosen by
# SimLex-999 with four workers; with less, input vectors go more by topics than by meaning.
BENDS = {"input": 1.5, "targets": 0.006, "nodes": 0.2}
# In a vocabulary of few words the same rows meet again and again: all directions are alike.
_BEND_OF_FEW_WORDS, _MOST_BEND_OF_FEW = 8.0, 0.4
# Below, factors are 1 within half a percent.
_LEAST_WAY = 0.01
_ROWS_PER_BLOCK = 2_048


class Axes:
    """The directions in which a row's way is measured, and how fast it goes in each.

    Attributes
    ----------
    rates : numpy.ndarray of float64, shape (vector_size,)
        Rising; the share of its way that a row goes with an update, for a learning rate of 1.
    directions : numpy.ndarray of float32, shape (vector_size, vector_size)
        A column for each.
    """

    def __init__(self, name: str, frequent: Matrices, tiers: Tiers) -> None:
        """Find them for a matrix, by the most frequent rows of those that its rows meet.

        Parameters
        ----------
        name : str
            The matrix.
        frequent : dict of numpy.ndarray of float32, shape (n_rows, vector_size)
            Of each matrix the rows of the first tier.
        tiers : Tiers
            All rows.
        """
        size = frequent[name].shape[1]
        met = np.zeros((size, size))
        n_updates = float(tiers.shares[name].sum())
        for other in frequent.keys() - {name} if name == "input" else {"input"}:
            shares = tiers.shares[other]
            weights = shares[tiers.rows(other, 0)]
            weights = weights / max(float(weights.sum()), 1e-30)
            vectors = frequent[other]
            # An update may meet several: those of a context all targets of the window.
            times = max(1.0, float(shares.sum()) / max(n_updates, 1e-30))
            met += times * (vectors.T @ (vectors * weights[:, None]))
        lengths, directions = np.linalg.eigh(met)
        few = min(_BEND_OF_FEW_WORDS / len(tiers.shares[name]), _MOST_BEND_OF_FEW)
        self.rates = BENDS[name] * np.maximum(lengths, 0.0) + few
        self.directions = directions.astype(np.float32)

    def merge(
        self, sums: NDArray[np.float32], n_updates: NDArray[np.float64], alpha: float, n: int
    ) -> None:
        """Multiply sums of changes by what they are to count.

        Parameters
        ----------
        sums : numpy.ndarray of float32, shape (n_rows, vector_size)
            Changed where they lie.
        n_updates : numpy.ndarray of float64, shape (n_rows,)
            How often each row was updated, by all workers together.
        alpha : float
            The learning rate.
        n : int
            Workers.
        """
        rates = alpha * self.rates
        often = np.flatnonzero(n_updates * rates.max() > _LEAST_WAY)
        often = often[np.argsort(-n_updates[often], kind="stable")]
        for begin in range(0, len(often), _ROWS_PER_BLOCK):
            rows = often[begin : begin + _ROWS_PER_BLOCK]
            # Rates rise: in the directions before these, all of the block add up.
            first = int(np.searchsorted(rates, _LEAST_WAY / n_updates[rows[0]]))
            directions = self.directions[:, first:]
            ways = (n_updates[rows, None] * rates[first:]).astype(np.float32)
            changes = sums[rows]
            parts = (changes @ directions) * (merge_factors(ways, 1.0, n) - 1)
            sums[rows] = changes + parts @ directions.T

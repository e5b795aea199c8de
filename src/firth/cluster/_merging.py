"""How the changes of several workers become one.

n workers begin with the same row. Each update takes it a share r of the way to where the loss wants
it, so that k updates take it ``1 - exp(-r k)`` of the way: what they have changed in sum has to be
multiplied by a factor f (`firth.models.merge_factors`), which is 1 for a rare row, whose changes
add up, and 1 / n for one that every worker has taken all of its way.

But r is not one number. The loss of a pair is bent in the direction of the other vector alone, by
its squared length. In the few directions that all vectors share, rows arrive soon; in most others
they hardly ever do. So a change is cut into its parts along the principal axes of what the row
meets, and each part has a factor of its own.

And r is not known, only that it is not more than some number, by which f is too cautious. So what f
withholds is not lost: it becomes momentum. With S the sum of the changes and v the velocity, which
is 0 in the beginning::

    v  <-  (1 - f) v + f S
    the row moves by  f S + (1 - f) v

That is Nesterov's accelerated gradient (Sutskever et al. 2013, "On the Importance of Initialization
and Momentum in Deep Learning", section 2), with exchanges as its steps (as in Douillard et al.
2023, "DiLoCo: Distributed Low-Communication Training of Language Models"). Where changes go on in
the same direction they add up to the whole of S in the end, ``f / (1 - (1 - f)) = 1``, whatever f
is. Where workers have taken a row all of its way, f S takes it there, and nothing swings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth.models import merge_factors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from firth.cluster._rows import Rows
    from firth.cluster._tiers import Tiers

    Matrices = dict[str, NDArray[np.float32]]

# The most that the loss of a pair is bent in the direction of the other vector, for its squared
# length: the logistic function rises by 1/4 at most, and as both vectors of the pair move, they
# come closer twice as fast.
_MOST_BEND = 0.5
# Below, factors are 1 within half a percent.
_LEAST_WAY = 0.01
_ROWS_PER_BLOCK = 2_048


class Axes:
    """The directions in which a row's way is measured, and how fast it goes in each, at most.

    Parameters
    ----------
    name : str
        The matrix.
    frequent : mapping of str to Rows
        Of each matrix rows that are updated often: those that the matrix's rows meet.
    shares : mapping of str to numpy.ndarray of float32, shape (n_rows,)
        For each matrix, how often a row is updated for a word of the text.

    Attributes
    ----------
    rates : numpy.ndarray of float64, shape (vector_size,)
        Rising; the share of its way that a row goes with an update, for a learning rate of 1.
    directions : numpy.ndarray of float32, shape (vector_size, vector_size)
        A column for each.
    """

    def __init__(
        self,
        name: str,
        frequent: Mapping[str, Rows],
        shares: Mapping[str, NDArray[np.float32]],
    ) -> None:
        size = frequent[name].values.shape[1]
        met = np.zeros((size, size))
        n_updates = float(shares[name].sum())
        for other in frequent.keys() - {name} if name == "input" else {"input"}:
            rows = frequent[other]
            weights = shares[other][rows.numbers]
            weights = weights / max(float(weights.sum()), 1e-30)
            # An update may meet several: those of a context all targets of the window.
            times = max(1.0, float(shares[other].sum()) / max(n_updates, 1e-30))
            met += times * (rows.values.T @ (rows.values * weights[:, None]))
        lengths, directions = np.linalg.eigh(met)
        self.rates = _MOST_BEND * np.maximum(lengths, 0.0)
        self.directions = directions.astype(np.float32)


class Merger:
    """What a worker makes of the changes of the rows that it owns, and what is still to come.

    Parameters
    ----------
    tiers : Tiers
        The rows of the model.
    """

    def __init__(self, tiers: Tiers) -> None:
        self._shares = tiers.shares
        self._n_owners = 0
        # Of row i in place i // n, as for all rows of an owner.
        self._velocities: Matrices = {}
        self._next: dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]] = {}

    def begin(self, n_owners: int) -> None:
        """Begin an exchange among so many workers; one that was begun before did not take place."""
        self._next = {}
        if n_owners != self._n_owners:  # and with them the rows that each one owns
            self._n_owners = n_owners
            self._velocities = {}

    def merge(
        self,
        name: str,
        added: Rows,
        n_updates: NDArray[np.float64],
        alpha: float,
        n: int,
        axes: Axes,
    ) -> None:
        """Make of changes that were added up what rows are to change by.

        Parameters
        ----------
        name : str
            The matrix.
        added : Rows
            Changed where they lie.
        n_updates : numpy.ndarray of float64, shape (n_rows,)
            How often each row was updated, by all workers together.
        alpha : float
            The learning rate.
        n : int
            Workers that have trained.
        axes : Axes
            Those of the matrix.
        """
        rates = alpha * axes.rates
        often = np.flatnonzero(n_updates * rates.max() > _LEAST_WAY)
        often = often[np.argsort(-n_updates[often], kind="stable")]
        places = (added.numbers[often] // self._n_owners).astype(np.int64)
        velocities = self._velocities_of(name, added.values.shape[1])
        following = np.empty((len(often), velocities.shape[1]), np.float32)
        for begin in range(0, len(often), _ROWS_PER_BLOCK):
            block = slice(begin, begin + _ROWS_PER_BLOCK)
            rows = often[block]
            # Rates rise: in the directions before these, all of the block add up.
            first = int(np.searchsorted(rates, _LEAST_WAY / n_updates[rows[0]]))
            directions = axes.directions[:, first:]
            ways = (n_updates[rows, None] * rates[first:]).astype(np.float32)
            factors = merge_factors(ways, 1.0, n)
            changes = added.values[rows] @ directions
            velocity = velocities[places[block]] @ directions
            velocity = (1 - factors) * velocity + factors * changes
            following[block] = velocity @ directions.T
            to_come = (1 - factors) * (velocity - changes)
            added.values[rows] += to_come @ directions.T
        self._next[name] = places, following

    def end(self) -> None:
        """Note that what was merged last has been applied."""
        for name, (places, following) in self._next.items():
            self._velocities[name][places] = following
        self._next = {}

    def _velocities_of(self, name: str, vector_size: int) -> NDArray[np.float32]:
        if name not in self._velocities:
            n_rows = -(-len(self._shares[name]) // self._n_owners)
            self._velocities[name] = np.zeros((n_rows, vector_size), np.float32)
        return self._velocities[name]

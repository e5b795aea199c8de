"""What a worker has changed, and how the changes of all become one; arrays only, no Ray.

Each worker trains a replica of the matrices, and has beside it the *base*: the rows as they were
when they were last exchanged, the same in all workers. An exchange has three steps:

1. `changes`: each worker cuts the rows that it has touched by their owners (row i belongs to worker
   ``i % n``): a part for each.
2. `merge`: each owner adds up the parts that it gets, and makes of the sums what `_merging` tells.
3. `apply`: all workers add the result to their base, and go on from there.

So each changed row crosses the network twice at most, once to its owner and once from there to each
other worker, and no worker has more to do than another.

Nothing is changed before `apply`: an exchange that fails, because a worker dies, is begun again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth.cluster._merging import Axes, Merger
from firth.cluster._rows import Part, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from firth.cluster._tiers import Tiers

    Matrices = dict[str, NDArray[np.float32]]

_ROWS_PER_BLOCK = 8_192  # which stay in the cache while they are compared
_STEPS_AT_THE_BEGINNING = 16  # in which vectors grow fast


class Exchange:
    """One worker's side of the exchange.

    Parameters
    ----------
    matrices : dict of numpy.ndarray of float32, shape (n_rows, vector_size)
        The replica, which trains; changed where it lies.
    tiers : Tiers
        Its rows.
    alone : bool
        Whether there is nobody to exchange with, so that there is no base beside the replica.
    """

    def __init__(self, matrices: Matrices, tiers: Tiers, *, alone: bool = False) -> None:
        self.matrices = matrices
        self.base = matrices if alone else {name: each.copy() for name, each in matrices.items()}
        self._tiers = tiers
        self._words = [0] * tiers.rhythm.n_tiers
        self._step, self._last_tier = 0, 0
        self._axes: dict[str, Axes] = {}
        self._merger = Merger(tiers)
        self.applied = 0

    def count(self, n_words: int) -> None:
        """Count words that were trained."""
        self._words = [words + n_words for words in self._words]

    def changes(self, step: int, last_tier: int, n_parts: int) -> list[Part]:
        """Cut the rows that were touched, of the tiers up to one, by their owners."""
        self._step, self._last_tier = step, last_tier
        found = {name: self._changed(name, last_tier) for name in self.matrices}
        return [
            Part(self._words[: last_tier + 1], {n: r.owned(p, n_parts) for n, r in found.items()})
            for p in range(n_parts)
        ]

    def _changed(self, name: str, last_tier: int) -> Rows:
        matrix, base = self.matrices[name], self.base[name]
        rows = self._tiers.rows(name, last_tier)
        all_rows = len(rows) == len(matrix)  # where nothing has to be gathered to be compared
        numbers, values = [], []
        for begin in range(0, len(rows), _ROWS_PER_BLOCK):
            block = rows[begin : begin + _ROWS_PER_BLOCK]
            which = slice(begin, begin + len(block)) if all_rows else block
            changed = block[(matrix[which] != base[which]).any(axis=1)]
            numbers.append(changed)
            values.append(matrix[changed] - base[changed])
        return Rows(np.concatenate(numbers), np.concatenate(values))

    def merge(self, alpha: float, parts: Sequence[Part]) -> Part:
        """Add up what the workers have changed of the rows that this one owns."""
        words = [sum(each) for each in zip(*(part.words for part in parts), strict=True)]
        per_tier = np.array(words, np.float64)
        merged = {}
        self._merger.begin(len(parts))
        for name in self.matrices:
            added = Rows.added([part.rows[name] for part in parts])
            n_words = per_tier[self._tiers.tier_of[name][added.numbers]]
            n_updates = self._tiers.shares[name][added.numbers] * n_words
            self._merger.merge(name, added, n_updates, alpha, len(parts), self._axes_of(name))
            merged[name] = added
        return Part(words, merged)

    def _axes_of(self, name: str) -> Axes:
        """Find the axes of a matrix anew where more than the most frequent rows are exchanged."""
        is_seldom = self._last_tier > 0 or self._tiers.rhythm.n_tiers == 1
        if name not in self._axes or is_seldom or self._step < _STEPS_AT_THE_BEGINNING:
            frequent = {
                each: Rows(self._tiers.frequent[each], rows[self._tiers.frequent[each]])
                for each, rows in self.base.items()
            }
            self._axes[name] = Axes(name, frequent, self._tiers.shares)
        return self._axes[name]

    def apply(self, step: int, merged: Sequence[Part]) -> None:
        """Take over what the owners have merged."""
        for part in merged:
            for name, rows in part.rows.items():
                base = self.base[name]
                exchanged = base[rows.numbers] + rows.values
                base[rows.numbers] = exchanged
                self.matrices[name][rows.numbers] = exchanged
        self._merger.end()
        for tier in range(len(merged[0].words)):
            self._words[tier] = 0
        self.applied = step

    def take_over(self, base: Matrices, applied: int) -> None:
        """Go on from another worker's base; what was trained and not exchanged yet is kept.

        Parameters
        ----------
        base : dict of numpy.ndarray of float32
            The rows of a worker that has applied more steps than this one.
        applied : int
            Its last step. Where this one has sent its changes for that step, they are in there.
        """
        was_sent = self.applied < applied == self._step
        for name, matrix in self.matrices.items():
            kept = matrix - self.base[name]
            if was_sent:
                kept[self._tiers.rows(name, self._last_tier)] = 0.0
            self.base[name] = np.array(base[name])
            np.add(self.base[name], kept, out=matrix)
        if was_sent:
            self._merger.end()
            for tier in range(self._last_tier + 1):
                self._words[tier] = 0
        self.applied = applied

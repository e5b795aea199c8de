"""Rows that are split among the workers, where all of them are too many for one.

Row i belongs to worker ``i % n``, as in an exchange of replicas. For a step, which is some chunks
for each worker:

1. `wanted`: each worker looks which words its chunks have, draws words to be negatives
   (`firth.models.Excerpts`), and asks their owners for these rows.
2. `give`: the owners give them.
3. `train`: each worker trains its excerpt of the model, and cuts what has changed by owners.
4. `merge`: the owners add up what they get, and make of it what `_merging` tells.
5. `apply`: what has come out is taken over by its owner, and by the next worker, which keeps a
   *copy* of the owner's rows.

So a worker needs memory for its share of the rows three times, with what merging keeps of them, and
for what a step touches. Until the
fifth part nothing has changed: a step in which a worker dies is begun again. The rows of a dead
worker are in the copy.

Arrays only, no Ray.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from firth.cluster._merging import Axes, Merger
from firth.cluster._rows import Part, Rows
from firth.cluster._tiers import Tiers
from firth.models import Excerpts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from firth.cluster._exchange import Matrices
    from firth.cluster._tiers import Rhythm
    from firth.models import Excerpt, Recipe

    Numbers = dict[str, NDArray[np.uint32]]

# Words drawn to be negatives, for each word of the text: about as many as its windows use, so that
# few are used twice.
NOISE_PER_WORD = 1.0


@dataclass
class Kept:
    """The rows of a worker, or the copy of them that the next one keeps.

    Attributes
    ----------
    rows : dict of numpy.ndarray of float32, shape (n_rows, vector_size)
        By matrix: those of the numbers i with ``i % n == place``.
    applied : int
        The last step whose changes are in there; 0 before the first.
    """

    rows: Matrices
    applied: int = 0

    def apply(self, step: int, merged: Part, n: int) -> None:
        """Take over what was merged, which is the rows as they are now."""
        for name, new in merged.rows.items():
            self.rows[name][new.numbers // n] = new.values
        self.applied = step


class Share:
    """A worker's part in training a model whose rows are split.

    Parameters
    ----------
    recipe : Recipe
        What the model is.
    rhythm : Rhythm
        How many rows are in the first tier, which is in all excerpts.
    threads : int
        How many will train an excerpt at the same time.
    place, n : int
        Number of the worker, and of all.
    own, copy : Kept, optional
        What it begins with; rows are drawn if these are not given.
    """

    def __init__(
        self,
        recipe: Recipe,
        rhythm: Rhythm,
        threads: int,
        place: int,
        n: int,
        own: Kept | None = None,
        copy: Kept | None = None,
    ) -> None:
        self._excerpts = Excerpts(recipe, threads)
        self._tiers = Tiers(self._excerpts.shares, rhythm)
        self._place = place
        self._n = n
        self.own = own or Kept(self._excerpts.draw(place, n))
        self.copy = copy or Kept(self._excerpts.draw((place - 1) % n, n))
        self._n_words = len(recipe.vocab)
        self._excerpt: Excerpt | None = None
        self._frequent: dict[str, Rows] = {}
        self._merger = Merger(self._tiers)

    def wanted(self, ids: Sequence[NDArray[np.uint32]], seed: int) -> list[Numbers]:
        """Choose an excerpt for chunks with these ids; gives the rows to ask each owner for."""
        is_there = np.zeros(self._n_words, np.bool_)
        for each in ids:
            is_there[each] = True
        # By these it will know the axes along which it merges.
        for name in ("input", "targets"):
            is_there[self._tiers.rows(name, 0)] = True
        words = np.flatnonzero(is_there).astype(np.uint32)
        n_noise = max(int(sum(map(len, ids)) * NOISE_PER_WORD), 1)
        self._excerpt = None  # its memory first
        self._excerpt = self._excerpts.excerpt(words, n_noise, seed)
        return [
            {
                name: numbers[numbers % self._n == owner]
                for name, numbers in self._excerpt.numbers.items()
            }
            for owner in range(self._n)
        ]

    def give(self, wanted: Sequence[Numbers]) -> list[Matrices]:
        """Give each worker the rows that it asks for."""
        return [
            {name: self.own.rows[name][numbers // self._n] for name, numbers in theirs.items()}
            for theirs in wanted
        ]

    def take(self, given: Sequence[Matrices]) -> Excerpt:
        """Put together what the owners gave; returns what can be trained now."""
        excerpt = self._chosen()
        values: Matrices = {}
        for name, numbers in excerpt.numbers.items():
            rows = np.empty((len(numbers), given[0][name].shape[1]), np.float32)
            for owner, theirs in enumerate(given):
                rows[numbers % self._n == owner] = theirs[name]
            values[name] = rows
            frequent = self._tiers.rows(name, 0)
            self._frequent[name] = Rows(frequent, rows[np.searchsorted(numbers, frequent)])
        excerpt.take(values)
        return excerpt

    def _chosen(self) -> Excerpt:
        if self._excerpt is None:
            raise RuntimeError("an excerpt is chosen before it is trained")
        return self._excerpt

    def changes(self, n_words: int) -> list[Part]:
        """Cut what has changed in so many words by its owners."""
        excerpt = self._chosen()
        found = {name: Rows(*excerpt.changes(name)) for name in excerpt.numbers}
        self._excerpt = None
        return [
            Part([n_words], {name: rows.owned(owner, self._n) for name, rows in found.items()})
            for owner in range(self._n)
        ]

    def merge(self, alpha: float, parts: Sequence[Part]) -> Part:
        """Add up the changes of the rows that this worker owns; gives them as they are then."""
        n_words = sum(part.words[0] for part in parts)
        n_trained = sum(part.words[0] > 0 for part in parts)
        merged = {}
        self._merger.begin(self._n)
        for name, rows in self.own.rows.items():
            added = Rows.added([part.rows[name] for part in parts])
            if n_trained > 1:
                n_updates = self._tiers.shares[name][added.numbers].astype(np.float64) * n_words
                axes = Axes(name, self._frequent, self._tiers.shares)
                self._merger.merge(name, added, n_updates, alpha, n_trained, axes)
            merged[name] = Rows(added.numbers, rows[added.numbers // self._n] + added.values)
        return Part([n_words], merged)

    def apply(self, step: int, merged: Part) -> None:
        """Take over what it has merged."""
        self.own.apply(step, merged, self._n)
        self._merger.end()

"""Rows on their way between workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """Some rows of a matrix, or changes of them.

    Attributes
    ----------
    numbers : numpy.ndarray of uint32, shape (n,)
        Rising.
    values : numpy.ndarray of float32, shape (n, vector_size)
    """

    numbers: NDArray[np.uint32]
    values: NDArray[np.float32]

    @property
    def n_bytes(self) -> int:
        """What they take on the way."""
        return self.numbers.nbytes + self.values.nbytes

    @classmethod
    def added(cls, changes: Sequence[Self]) -> Self:
        """Add up changes; none of them has to have all rows."""
        numbers = np.unique(np.concatenate([rows.numbers for rows in changes]))
        sums = np.zeros((len(numbers), changes[0].values.shape[1]), np.float32)
        for rows in changes:
            sums[np.searchsorted(numbers, rows.numbers)] += rows.values
        return cls(numbers, sums)

    def owned(self, owner: int, n_owners: int) -> Rows:
        """Give those that belong to a worker: row i belongs to worker ``i % n``."""
        if n_owners == 1:
            return self
        is_owned = self.numbers % n_owners == owner
        return Rows(self.numbers[is_owned], self.values[is_owned])


@dataclass(frozen=True)
class Part:
    """What a worker sends to one owner, or an owner to all.

    Attributes
    ----------
    words : list of int
        For each tier, the words trained by the sender since its rows were exchanged.
    rows : dict of Rows
        By matrix.
    """

    words: list[int]
    rows: dict[str, Rows]

    @property
    def n_bytes(self) -> int:
        """What it takes on the way."""
        return sum(rows.n_bytes for rows in self.rows.values())

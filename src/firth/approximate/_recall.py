"""How much an index finds, told by questions whose exact answers are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from firth.neighbours import top_k

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The k of recall@k.
K = 10
# Cosines are computed in single precision here and there, in another order.
_ROUNDING = 1e-6


class Search(Protocol):
    """What is tried: as `NeighbourIndex.search`."""

    def __call__(
        self, queries: NDArray[np.float32], k: int, exclude: list[list[int]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find about the `k` nearest rows of each query."""
        ...


@dataclass(frozen=True)
class Trial:
    """Questions, what each leaves out, and the cosines of the true nearest rows."""

    queries: NDArray[np.float32]
    exclude: list[list[int]]
    cosines: NDArray[np.float32]

    @classmethod
    def of(cls, matrix: NDArray[Any], norms: NDArray[np.float32], rows: NDArray[np.int64]) -> Self:
        """Ask for the neighbours of sums of rows, each of length 1; `rows` is (n, how many)."""
        vectors = matrix[rows].astype(np.float32) / norms[rows][..., None]
        exclude: list[list[int]] = rows.tolist()
        queries = vectors.sum(axis=1)
        _, cosines = top_k(matrix, norms, queries, K, exclude)
        return cls(queries, exclude, cosines)

    def recall(self, search: Search) -> float:
        """Tell the share of the true nearest rows that a search finds, from 0 to 1.

        A row that is as near as the last of them counts as one of them.
        """
        _, cosines = search(self.queries, K, self.exclude)
        there = np.isfinite(self.cosines)
        last = np.where(there, self.cosines, np.inf).min(axis=1)
        found = (cosines >= last[:, None] - _ROUNDING).sum(axis=1)
        wanted = there.sum(axis=1)
        # Where there is nothing to be found, nothing is missed.
        return float(np.minimum(found, wanted).sum() / wanted.sum()) if wanted.any() else 1.0

"""Names (words, and words joined by the delimiter) as arrays and as a mapping to their counts."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from firth import _core

NO_LIMIT = 2**63 - 1


def pack(names: Collection[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Lay names end to end: their UTF-8, shape (n_bytes,), and offsets, shape (n_names + 1,)."""
    encoded = [name.encode() for name in names]
    offsets = np.zeros(len(encoded) + 1, np.uint64)
    np.cumsum(np.fromiter(map(len, encoded), np.uint64, len(encoded)), out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def unpack(names: NDArray[np.uint8], offsets: NDArray[np.uint64], row: int) -> str:
    """Give one of the names that lie end to end."""
    return names[int(offsets[row]) : int(offsets[row + 1])].tobytes().decode()


class NameCounts(Mapping[str, int]):
    """Counts by name, as a dictionary that is not there: names are made when they are looked at.

    Words come first; names come in no order that means anything. ``dict(...)`` makes a real one.
    """

    def __init__(self, table: _core.PhraseTable) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, name: str) -> int:
        count = self._count(name)
        if count == 0:
            raise KeyError(name)
        return count

    def __contains__(self, name: object) -> bool:
        return self._count(name) > 0

    def __iter__(self) -> Iterator[str]:
        for part in range(1 + self._table.n_partitions):
            yield from self._table.names_in(part)[0]

    def items(self) -> ItemsView[str, int]:
        """Give names with their counts, faster than by looking up each."""
        return _Items(self)

    def _pairs(self) -> Iterator[tuple[str, int]]:
        for part in range(1 + self._table.n_partitions):
            names, counts = self._table.names_in(part)
            yield from zip(names, counts.tolist(), strict=True)

    def __repr__(self) -> str:
        return f"<counts of {len(self):,} words and pairs>"

    def _count(self, name: object) -> int:
        if not isinstance(name, str):
            return 0
        try:
            return self._table.count_of(name)
        except UnicodeEncodeError:
            return 0


class _Items(ItemsView[str, int]):
    def __init__(self, counts: NameCounts) -> None:
        super().__init__(counts)
        self._counts = counts

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return self._counts._pairs()  # noqa: SLF001 (two halves of one thing)

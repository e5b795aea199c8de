"""The pieces of a fastText file, read from the front, each claim checked before it is believed."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.formats._source import VectorSource

_BLOCK_BYTES = 16 << 20


class ModelBytes:
    """The bytes of a file with what was read too far put back.

    Parameters
    ----------
    source : VectorSource
        From where it stands.
    """

    def __init__(self, source: VectorSource) -> None:
        self._source = source
        self._ahead = b""
        self.name = source.name

    @property
    def position(self) -> int:
        """How many bytes were taken."""
        return self._source.position - len(self._ahead)

    @property
    def n_left(self) -> int | None:
        """How many there are still, where that is known."""
        return None if self._source.size is None else self._source.size - self.position

    def damaged(self, at: int, problem: str) -> FormatError:
        """Make the error of a file that is not as it must be."""
        return FormatError(f"{self.name}: byte {at:,}: {problem}")

    def check_room(self, n_bytes: int, what: str) -> None:
        """Refuse what the rest of the file cannot hold, where its size is known."""
        if self.n_left is not None and n_bytes > self.n_left:
            raise self.damaged(
                self.position,
                f"{what} would take {n_bytes:,} bytes, but {self.n_left:,} are left; the file is "
                f"cut off or no fastText model. Get it again",
            )

    def some(self, n_bytes: int) -> bytes:
        """Take up to so many bytes, fewer only at the end."""
        data = self._ahead[:n_bytes]
        self._ahead = self._ahead[n_bytes:]
        if len(data) < n_bytes:
            data += self._source.read(n_bytes - len(data))
        return data

    def put_back(self, data: bytes) -> None:
        """Have some bytes taken next."""
        self._ahead = data + self._ahead

    def values(self, layout: str, what: str) -> tuple[Any, ...]:
        """Take the numbers of a `struct` layout."""
        at, size = self.position, struct.calcsize(layout)
        data = self.some(size)
        if len(data) < size:
            raise self._cut_off(at, at + len(data), what)
        return struct.unpack(layout, data)

    def array(self, shape: tuple[int, ...], dtype: str, what: str) -> NDArray[Any]:
        """Take an array of numbers."""
        at = self.position
        self.check_room(int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize, what)
        try:
            # Where the size of the file is unknown, as in a compressed one, memory is only taken
            # as it is filled.
            array = np.empty(shape, dtype)
        except (MemoryError, ValueError) as error:
            raise self.damaged(
                at, f"{what} claims the shape {shape}, for which there is no memory"
            ) from error
        self._fill(array, at, what)
        return array

    def rows(
        self, n_rows: int, dim: int, keep: NDArray[np.int64] | None, what: str
    ) -> NDArray[np.float32]:
        """Take a matrix of float32, of which only the rows `keep`, rising, are kept."""
        if keep is None:
            return self.array((n_rows, dim), "<f4", what)
        self.check_room(n_rows * dim * 4, what)
        result = np.empty((len(keep), dim), np.float32)
        step = max(1, _BLOCK_BYTES // (4 * dim))
        for begin in range(0, n_rows, step):
            block = self.array((min(step, n_rows - begin), dim), "<f4", what)
            first, last = np.searchsorted(keep, [begin, begin + len(block)])
            result[first:last] = block[keep[first:last] - begin]
        return result

    def _fill(self, array: NDArray[Any], at: int, what: str) -> None:
        if array.size == 0:
            return
        buffer = array.reshape(-1).view(np.uint8).data
        n_ahead = min(len(self._ahead), len(buffer))
        buffer[:n_ahead] = self._ahead[:n_ahead]
        self._ahead = self._ahead[n_ahead:]
        n_read = n_ahead
        # In blocks, so that progress is shown and Ctrl-C is heard.
        while n_read < len(buffer):
            n = self._source.readinto(buffer[n_read : n_read + _BLOCK_BYTES])
            if n == 0:
                raise self._cut_off(at, at + n_read, what)
            n_read += n

    def _cut_off(self, at: int, end: int, what: str) -> FormatError:
        return FormatError(
            f"{self.name}: cut off: the file ends at byte {end:,}, within {what}, which begins at "
            f"byte {at:,}. Get it again"
        )

"""Numbers and arrays out of the bytes of a file, each checked against what the file has."""

from __future__ import annotations

import math
import mmap
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from firth.formats._source import VectorSource


class Cursor:
    """A place in the bytes of a whole file, which are mapped.

    Parameters
    ----------
    source : VectorSource
        The file.

    Attributes
    ----------
    data : memoryview
        The bytes.
    position : int
        How many were read.
    """

    def __init__(self, source: VectorSource) -> None:
        self.name = source.name
        file = source.seekable()
        if not file.seek(0, 2):
            raise FormatError(f"{self.name}: the file is empty. Get it again")
        self.data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self.position = 0
        # Arrays of an unpacked copy must not keep its file on the disk.
        self._is_copy = source.path is None

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.position

    def fail(self, problem: str, position: int | None = None) -> FormatError:
        """Make the error for what is wrong at a position, the present one by default."""
        at = self.position if position is None else position
        return FormatError(f"{self.name}: byte {at:,}: {problem}")

    def check_left(self, n_bytes: int, what: str) -> None:
        """Check that so many bytes are left."""
        if n_bytes > self.left:
            raise self.fail(
                f"{what} takes {n_bytes:,} bytes, but {self.left:,} are left; the file is cut off "
                f"or damaged. Get it again"
            )

    def take(self, n_bytes: int, what: str) -> memoryview:
        """Give the next bytes, without a copy."""
        self.check_left(n_bytes, what)
        view = self.data[self.position : self.position + n_bytes]
        self.position += n_bytes
        return view

    def numbers(self, layout: str, what: str) -> tuple[int, ...]:
        """Read numbers, as `struct` names their types."""
        return struct.unpack(layout, self.take(struct.calcsize(layout), what))

    def array(self, dtype: DTypeLike, shape: tuple[int, ...], what: str) -> NDArray[Any]:
        """Give an array that begins here: a view of the file where it lies on the disk as it is."""
        kind: np.dtype[Any] = np.dtype(dtype)
        view = self.take(math.prod(shape) * kind.itemsize, f"{what} of shape {shape}")
        if not len(view) and max(shape) > len(self.data):  # more than NumPy can count, perhaps
            raise self.fail(f"{what} of shape {shape}: the file is damaged")
        array = np.frombuffer(view, kind).reshape(shape) if len(view) else np.empty(shape, kind)
        return array.copy() if self._is_copy else array

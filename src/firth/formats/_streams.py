"""Bytes read from the front: with a look ahead, and through anything that hands out chunks."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO

from firth.errors import FormatError, ParameterError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

READ_SIZE = 1 << 20
# Numbers as text shrink to a third, rows of zeros and ones to a hundredth; zeros to a thousandth.
MOST_GROWTH = 250
_NEVER_A_BOMB = 64 << 20
_READ_INTO = (io.BufferedReader, io.BytesIO, io.FileIO)


class ByteStream:
    """Bytes from the front, read once.

    Parameters
    ----------
    fill : callable
        Puts the next bytes into a buffer and returns how many; 0 only at the end.
    """

    def __init__(self, fill: Callable[[memoryview], int]) -> None:
        self._fill = fill
        self._ahead = memoryview(b"")
        self.position = 0

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end, and stay where we are."""
        if len(self._ahead) < size:
            buffer = bytearray(size)
            n_ahead = len(self._ahead)
            buffer[:n_ahead] = self._ahead
            n_read = self._fill_whole(memoryview(buffer)[n_ahead:])
            del buffer[n_ahead + n_read :]
            self._ahead = memoryview(bytes(buffer))
        return bytes(self._ahead[:size])

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer of bytes; returns how many were read, fewer only at the end."""
        n_ahead = min(len(self._ahead), len(buffer))
        buffer[:n_ahead] = self._ahead[:n_ahead]
        self._ahead = self._ahead[n_ahead:]
        n_read = n_ahead + self._fill_whole(buffer[n_ahead:])
        self.position += n_read
        return n_read

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        pieces = []
        # In pieces: a size that a header claims must not be allocated before it is there.
        while size > 0:
            piece = bytearray(min(size, READ_SIZE))
            n_read = self.readinto(memoryview(piece))
            if n_read < len(piece):
                pieces.append(bytes(piece[:n_read]))
                break
            pieces.append(bytes(piece))
            size -= n_read
        return b"".join(pieces)

    def _fill_whole(self, buffer: memoryview) -> int:
        n_read = 0
        while n_read < len(buffer):
            n = self._fill(buffer[n_read:])
            if n == 0:
                break
            n_read += n
        return n_read


def filled_from_file(file: BinaryIO, name: str) -> Callable[[memoryview], int]:
    """Fill buffers from an open binary file, whatever kind of object it is."""
    # Not of any class that has the method: those that inherit it from io.RawIOBase raise.
    if not isinstance(file, _READ_INTO):
        return filled_from_chunks(_pieces_of(file, name))

    def fill(buffer: memoryview) -> int:
        try:
            return file.readinto(buffer)
        except OSError as error:
            raise unreadable(name, error) from error

    return fill


def _pieces_of(file: BinaryIO, name: str) -> Iterator[bytes]:
    while True:
        try:
            piece: Any = file.read(READ_SIZE)
        except OSError as error:
            if isinstance(error, FirthErrors):
                raise
            raise unreadable(name, error) from error
        if piece is None:
            raise FormatError(f"{name} returned nothing yet: pass a file that blocks")
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise ParameterError(
                f"{name} returned {type(piece).__name__}, not bytes: open the file in mode 'rb'"
            )
        if not piece:
            return
        yield bytes(piece)


# FormatError and SourceError, which must not be wrapped once more.
FirthErrors = (FormatError, SourceError)


def filled_from_chunks(chunks: Iterable[bytes]) -> Callable[[memoryview], int]:
    """Fill buffers from an iterator of pieces of any size."""
    iterator = iter(chunks)
    rest = memoryview(b"")

    def fill(buffer: memoryview) -> int:
        nonlocal rest
        while not rest:
            piece = next(iterator, None)
            if piece is None:
                return 0
            rest = memoryview(piece)
        n = min(len(rest), len(buffer))
        buffer[:n] = rest[:n]
        rest = rest[n:]
        return n

    return fill


class ForwardFile(io.RawIOBase):
    """A stream as a file that seeks forward only; what `tarfile` reads archives through.

    A read of more than `largest_read` bytes is refused: `tarfile` takes the names and remarks of
    members into memory whole, whatever their size is said to be.
    """

    largest_read = 16 << 20

    def __init__(self, stream: ByteStream, name: str) -> None:
        super().__init__()
        self._stream = stream
        self._name = name

    def readable(self) -> bool:
        """Tell that this file can be read."""
        return True

    def tell(self) -> int:
        """Give the position."""
        return self._stream.position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Skip forward."""
        if whence != os.SEEK_SET or offset < self._stream.position:
            raise FormatError(f"{self._name}: the members of the archive are out of order")
        left = offset - self._stream.position
        buffer = memoryview(bytearray(min(left, READ_SIZE)))
        while left > 0:
            n_read = self._stream.readinto(buffer[: min(left, READ_SIZE)])
            if n_read == 0:
                break
            left -= n_read
        return self._stream.position

    def read(self, size: int = -1, /) -> bytes:
        """Read `size` bytes, fewer only at the end."""
        if size < 0 or size > self.largest_read:
            raise FormatError(
                f"{self._name}: the archive has remarks of {size:,} bytes about a member, which no "
                f"archive of vectors needs; unpack it yourself if you trust it"
            )
        return self._stream.read(size)


def without_bombs(
    chunks: Iterable[bytes], n_packed: Callable[[], int], name: str
) -> Iterator[bytes]:
    """Pass unpacked chunks on, but refuse what unpacks to far more than vectors do.

    Parameters
    ----------
    chunks : iterable of bytes
        Unpacked bytes.
    n_packed : callable
        Tells from how many bytes they were unpacked so far.
    name : str
        For the message.

    Raises
    ------
    FormatError
        The bytes are many times those that they were unpacked from.
    """
    n_unpacked = 0
    for chunk in chunks:
        n_unpacked += len(chunk)
        if n_unpacked > _NEVER_A_BOMB and n_unpacked > MOST_GROWTH * n_packed():
            raise FormatError(
                f"{name}: unpacks to over {MOST_GROWTH} times its size ({n_unpacked:,} bytes up to "
                f"here), as no vectors do: it is made to fill memory or disk. Unpack it yourself "
                f"if you trust it"
            )
        yield chunk


def unreadable(name: str, error: OSError) -> SourceError:
    """Say which source cannot be read, and why."""
    what = error.strerror or str(error)
    hint = "; check its permissions" if isinstance(error, PermissionError) else ""
    return SourceError(f"{name}: cannot be read: {what}{hint}")

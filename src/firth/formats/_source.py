"""Where the bytes of a vector file come from: a path, compressed or in an archive, or a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

HEAD_BYTES = 64 << 10


class VectorSource:
    """The unpacked bytes of one vector file, read once from the front; or a folder.

    Attributes
    ----------
    name : str
        For messages.
    path : Path or None
        The file or folder itself where it lies on disk as it is (not compressed, not in an
        archive): for formats that map it or hand it to a library.
    size : int or None
        The number of unpacked bytes, where it is known without unpacking.
    position : int
        How many of them were read.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.path: Path | None = path
        self.is_folder = path.is_dir()
        self.position = 0
        self.size: int | None = None
        self._file: BinaryIO | None = None
        self._head = b""
        if not self.is_folder:
            self.size = path.stat().st_size
            self._file = path.open("rb")
            self._head = self._file.read(HEAD_BYTES)
            self._file.seek(0)

    @property
    def head(self) -> bytes:
        """The first 64 KiB, or all where there are fewer; does not move `position`."""
        return self._head

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        data = self._file.read(size) if self._file else b""
        self.position += len(data)
        return data

    def seekable(self) -> BinaryIO:
        """Give the whole as a file that can seek: the file itself, or an unpacked temporary one."""
        assert self._file is not None
        return self._file

    def sibling(self, name: str) -> VectorSource | None:
        """Open another file that lies beside this one, or in this folder, if it is there."""
        if self.path is None:
            return None
        other = (self.path if self.is_folder else self.path.parent) / name
        return VectorSource(other) if other.is_file() else None

    def close(self) -> None:
        """Close what is open, and remove what was unpacked."""
        if self._file:
            self._file.close()

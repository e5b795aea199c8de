"""Arrays in ``.npy`` files and in the ``.npz`` archives of NumPy, without its pickles.

The header is read by NumPy (`numpy.lib.format`; it is a literal, and nothing runs). What it claims
is checked here against what the file has, before memory is taken.
"""

from __future__ import annotations

import math
import mmap
import tokenize
import warnings
import zipfile
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.lib import format as npy_format

from firth.compression import zip_errors
from firth.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from firth.formats._source import VectorSource

_BLOCK_BYTES = 4 << 20
# Deflate makes a thousandth of zeros at most; vectors shrink by some per cent, and padded words by
# up to two orders of magnitude. Below this size nobody is hurt.
_MOST_SHRUNK = 250
_HARMLESS_BYTES = 64 << 20
_MOST_NUMBERS = 1 << 58  # of 16 bytes at most, which NumPy counts with 63 bits
_OBJECTS = "O"
_HEADER_READERS: dict[tuple[int, int], Callable[[IO[bytes]], tuple[Any, ...]]] = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
    (3, 0): npy_format.read_array_header_2_0,
}
_HEADER_ERRORS = (
    *(ValueError, SyntaxError, MemoryError, RecursionError, TypeError, KeyError),
    tokenize.TokenError,
)


class NpyHeader:
    """What stands at the beginning of a ``.npy`` file.

    Attributes
    ----------
    shape : tuple of int
        Of the array.
    dtype : numpy.dtype
        Of its elements; of kind "O" where a pickle follows.
    order : str
        "C" where the rows come first, "F" where the columns do.
    n_bytes : int
        How many bytes of the array follow; 0 where a pickle does.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        try:
            # 3.0 differs from 2.0 in the encoding of field names only, and fields are refused.
            reader = _HEADER_READERS[npy_format.read_magic(file)]
            with warnings.catch_warnings():  # of headers that Python 2 wrote, which are read
                warnings.simplefilter("ignore")
                header = reader(file)
        except _HEADER_ERRORS as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise FormatError(
                f"{name}: no array of NumPy: its header cannot be read: {first}"
            ) from None
        self.shape: tuple[int, ...] = header[0]
        self.order: Literal["C", "F"] = "F" if header[1] else "C"
        self.dtype: np.dtype[Any] = header[2]
        n_most = math.prod(max(n, 1) for n in self.shape)  # NumPy counts so, for one of no numbers
        if any(n < 0 for n in self.shape) or len(self.shape) > 32 or n_most > _MOST_NUMBERS:
            raise FormatError(f"{name}: the header claims the shape {self.shape}, which is none")
        if self.dtype.names is not None or self.dtype.subdtype is not None:
            raise FormatError(f"{name}: an array of structures, where numbers or words belong")
        is_objects = self.dtype.kind == _OBJECTS
        self.n_bytes = 0 if is_objects else math.prod(self.shape) * self.dtype.itemsize


def read_npy(source: VectorSource) -> NDArray[Any]:
    """Read a ``.npy`` file of numbers; by memory map where it lies on the disk as it is.

    Raises
    ------
    FormatError
        If the file is none, has not the size that its header claims, or holds Python objects.
    """
    file = source.seekable()
    file.seek(0)
    header = NpyHeader(file, source.name)
    if header.dtype.kind not in "fiu":
        raise FormatError(f"{source.name}: an array of {header.dtype}, where numbers belong")
    start = file.tell()
    size = file.seek(0, 2) - start
    if size != header.n_bytes:
        raise FormatError(
            f"{source.name}: the header claims {header.n_bytes:,} bytes for the shape "
            f"{header.shape}, but {size:,} follow; the file is cut off or damaged"
        )
    if not size:
        return np.zeros(header.shape, header.dtype)
    if source.path is not None:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return np.ndarray(header.shape, header.dtype, mapped, start, order=header.order)
    file.seek(start)
    flat = _read_numbers(file, header, source.name)
    return flat.reshape(header.shape, order=header.order)


def _read_numbers(file: IO[bytes], header: NpyHeader, name: str) -> NDArray[Any]:
    """Read as many numbers as the header claims, into memory that is taken as they come."""
    flat: NDArray[Any] = np.empty(math.prod(header.shape), header.dtype)
    view = flat.view(np.uint8).data
    position = 0
    while position < len(view):
        block = file.read(min(_BLOCK_BYTES, len(view) - position))
        if not block:
            raise FormatError(
                f"{name}: cut off after {position:,} of {len(view):,} bytes of the array"
            )
        view[position : position + len(block)] = block
        position += len(block)
    return flat


class NpzArchive:
    """The members of a ``.npz`` archive.

    Parameters
    ----------
    source : VectorSource
        The archive.

    Raises
    ------
    FormatError
        If it is no zip archive.
    """

    def __init__(self, source: VectorSource) -> None:
        self.name = source.name
        file = source.seekable()
        self._size = file.seek(0, 2)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise FormatError(f"{self.name}: the archive is damaged or cut off: {error}") from error
        self._members = {info.filename.removesuffix(".npy"): info for info in self._zip.infolist()}

    def __contains__(self, member: str) -> bool:
        return member in self._members

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self._members)

    def open(self, member: str) -> tuple[IO[bytes], NpyHeader, str]:
        """Open an array: its bytes from behind the header, the header, and a name for messages."""
        info = self._members[member]
        where = f"{self.name}: member {info.filename}"
        n_packed = min(info.compress_size, self._size)
        if info.file_size > _HARMLESS_BYTES and info.file_size > _MOST_SHRUNK * n_packed:
            raise FormatError(
                f"{where}: {n_packed:,} bytes claim to unpack to {info.file_size:,}, "
                f"over {_MOST_SHRUNK} times as many; this is no file of vectors"
            )
        try:
            file = self._zip.open(info)
            header = NpyHeader(file, where)
        except zip_errors(OSError, RuntimeError) as error:  # RuntimeError: it is encrypted
            raise FormatError(f"{where}: cannot be unpacked: {error}") from error
        start = info.file_size if header.dtype.kind == _OBJECTS else header.n_bytes
        if start > info.file_size:
            raise FormatError(
                f"{where}: its header claims {header.n_bytes:,} bytes for the shape "
                f"{header.shape}, but it has {info.file_size:,}"
            )
        return file, header, where

    def numbers(self, member: str) -> NDArray[Any]:
        """Read an array of numbers."""
        file, header, where = self.open(member)
        if header.dtype.kind not in "fiu":
            raise FormatError(f"{where}: an array of {header.dtype}, where numbers belong")
        try:
            flat = _read_numbers(file, header, where)
        except zip_errors(OSError, NotImplementedError) as error:
            raise FormatError(f"{where}: cannot be unpacked: {error}") from error
        return flat.reshape(header.shape, order=header.order)

    def words(self, member: str) -> Iterator[list[str] | list[bytes]]:
        """Read an array of texts of one dimension (kinds "U" and "S"), block by block."""
        file, header, where = self.open(member)
        dtype = header.dtype
        if dtype.kind not in "US" or len(header.shape) != 1:
            raise FormatError(
                f"{where}: an array of {dtype} and shape {header.shape}, where words belong"
            )
        left = header.shape[0]
        step = max(1, _BLOCK_BYTES // max(1, dtype.itemsize))
        while left:
            n_words = min(left, step)
            try:
                block = file.read(n_words * dtype.itemsize)
            except zip_errors(OSError, NotImplementedError) as error:
                raise FormatError(f"{where}: cannot be unpacked: {error}") from error
            if len(block) < n_words * dtype.itemsize:
                raise FormatError(f"{where}: cut off, {left:,} words before its end")
            if dtype.itemsize == 0:
                yield [""] * n_words
            else:
                yield _texts(block, dtype, where)
            left -= n_words

    def close(self) -> None:
        """Close the archive, not the file that it is in."""
        self._zip.close()


def _texts(block: bytes, dtype: np.dtype[Any], where: str) -> list[str] | list[bytes]:
    try:
        texts: list[str] | list[bytes] = np.frombuffer(block, dtype).tolist()
    except (ValueError, UnicodeDecodeError) as error:  # code points that there are not
        raise FormatError(f"{where}: a word has characters that there are none of: {error}") from (
            error
        )
    return texts

"""The lines of a file of a test set, with their numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firth.compression import decompress, find_codec
from firth.errors import FormatError, ParameterError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_LARGEST = 64 << 20
_CHUNK = 1 << 20
_SEPARATORS = "\t;,"


@dataclass(frozen=True)
class Line:
    """A line of a file.

    Attributes
    ----------
    path : Path
        The file.
    number : int
        The number of the line, from 1.
    text : str
        What stands on it, without spaces around it; tabs, which may be about an empty field, stay.
    """

    path: Path
    number: int
    text: str

    def wrong(self, what: str) -> FormatError:
        """Make the error that tells what is wrong with this line."""
        return FormatError(f"{self.path}: line {self.number:,} {what}: {self.text[:60]!r}")


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """Read a small file, also compressed.

    Raises
    ------
    SourceError
        There is no such file, or it cannot be read.
    FormatError
        It is too large for a test set, in another encoding, or damaged.
    ParameterError
        There is no such encoding.
    """
    try:
        with path.open("rb") as file:
            data = b"".join(_limited(_unpacked(file, path), path))
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file; give the file of a test set") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: a folder where the file of a test set belongs") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise ParameterError(f"encoding is {encoding!r}, which Python does not know") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(
            f"{path}: line {line:,} is no {encoding} (byte {error.start:,} of the file); if it is "
            f"Latin-1, convert it: iconv -f latin1 -t utf-8"
        ) from None


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a small file, empty ones too, and comments that begin with ``#``."""
    lines = read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [
        Line(path, number, text.strip(" ") if text.strip() else "")
        for number, text in enumerate(lines, start=1)
    ]


def said(lines: list[Line]) -> list[Line]:
    """Leave out empty lines and comments."""
    return [line for line in lines if line.text and not line.text.startswith("#")]


def fields_of(lines: list[Line]) -> list[list[str]]:
    """Split lines at what separates the fields of most: tab, semicolon, comma, or spaces."""
    for separator in _SEPARATORS:
        if sum(separator in line.text for line in lines) > len(lines) / 2:
            rows = csv.reader((line.text for line in lines), delimiter=separator)
            # A quote that is never closed would take in the lines behind it.
            split = [[field.strip() for field in row] for row in rows]
            if len(split) == len(lines):
                return split
    return [line.text.split() for line in lines]


def number_in(field: str) -> float | None:
    """Read a number; None where it is none, or not finite."""
    try:
        value = float(field)
    except ValueError:
        return None
    return value if value - value == 0 else None


def _unpacked(file: BinaryIO, path: Path) -> Iterator[bytes]:
    head = file.read(_CHUNK)
    codec = find_codec(head, str(path), FormatError)

    def chunks() -> Iterator[bytes]:
        chunk = head
        while chunk:
            yield chunk
            chunk = file.read(_CHUNK)

    return chunks() if codec is None else decompress(chunks(), codec, str(path), FormatError)


def _limited(chunks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    n_bytes = 0
    for chunk in chunks:
        n_bytes += len(chunk)
        if n_bytes > _LARGEST:
            raise FormatError(f"{path}: more than {_LARGEST >> 20} MiB: not a test set")
        yield chunk

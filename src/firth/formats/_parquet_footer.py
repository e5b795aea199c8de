"""How much a Parquet file claims to hold, read from its footer and the headers of its pages.

The footer is a struct of Thrift in the compact protocol, followed by its length (u32,
little-endian) and ``PAR1``. pyarrow knows the same, but a damaged footer that is asked for its
columns ends the process: the C++ exception is not caught on the way to Python (pyarrow 26). And it
makes room for a page as large as its header says before it reads it.

https://github.com/apache/parquet-format and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

from firth.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable

_MAGIC = b"PAR1"
_MOST_DEPTH = 32
_ROW_GROUPS, _COLUMNS, _N_ROWS, _COLUMN_METADATA = 4, 1, 3, 3
_N_VALUES, _CHUNK_BYTES, _DATA_AT, _DICTIONARY_AT = 5, 7, 9, 11
_UNPACKED_BYTES, _PAGE_BYTES, _LENGTH = 2, 3, -1
# Of a page header, which is some dozen bytes, or has the least and the most of a page's texts, too.
_HEADER_BYTES = (1 << 10, 1 << 20)
# The most that bytes of a page may become: Snappy, Zstandard and the others stay far below, but for
# pages that say the same all over.
_MOST_GROWTH, _HARMLESS = 1 << 10, 64 << 20


def most_values(file: BinaryIO, name: str) -> int:
    """Give the number of values in the column that has most of them.

    Raises
    ------
    FormatError
        If the footer is cut off or damaged, or a page claims more than there can be.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - 8))
    end = file.read(8)
    length = int.from_bytes(end[:4], "little")
    if size < 12 or end[4:] != _MAGIC or length > size - 12:
        raise FormatError(
            f"{name}: the file is damaged or cut off: no footer of Parquet ends it. Get it again"
        )
    file.seek(size - 8 - length)
    try:
        footer = _Compact(file.read(length)).struct(0)
        by_column: dict[int, int] = {}
        for group in footer[_ROW_GROUPS]:
            for i, column in enumerate(group[_COLUMNS]):
                n_values = column[_COLUMN_METADATA][_N_VALUES]
                by_column[i] = by_column.get(i, 0) + abs(n_values)
        groups = [group for group in footer[_ROW_GROUPS] if group[_N_ROWS]]  # else without pages
        chunks = [column[_COLUMN_METADATA] for group in groups for column in group[_COLUMNS]]
        places = [_place(chunk) for chunk in chunks]
    except (IndexError, KeyError, TypeError, ValueError):
        raise FormatError(
            f"{name}: the file is damaged: the footer, {length:,} bytes from byte "
            f"{size - 8 - length:,} on, is none of Parquet. Get it again"
        ) from None
    for begin, behind in places:
        _check_pages(file, name, begin, min(behind, size - 8 - length))
    return max(by_column.values(), default=0)


def _place(chunk: dict[int, Any]) -> tuple[int, int]:
    """Give where the pages of a column begin and end, of a group of rows."""
    begin = min(chunk[_DATA_AT], chunk.get(_DICTIONARY_AT) or chunk[_DATA_AT])
    return max(begin, 0), begin + chunk[_CHUNK_BYTES]


def _check_pages(file: BinaryIO, name: str, begin: int, end: int) -> None:
    at = begin
    while at < end:
        header = _page_header(file, at, end)
        try:
            n_bytes, unpacked = header[_PAGE_BYTES], header[_UNPACKED_BYTES]
            data = at + header[_LENGTH]
            is_good = 0 <= n_bytes <= end - data
            is_good = is_good and 0 <= unpacked <= _MOST_GROWTH * n_bytes + _HARMLESS
        except (KeyError, TypeError):
            is_good = False
        if not is_good:
            raise FormatError(
                f"{name}: the file is damaged: what begins at byte {at:,} is no page of Parquet, "
                f"or claims to be larger than there is room for. Get it again"
            )
        at = data + n_bytes


def _page_header(file: BinaryIO, at: int, end: int) -> dict[int, Any]:
    """Read the header of a page, empty if it is none, with its own length under `_LENGTH`."""
    for most in _HEADER_BYTES:
        file.seek(at)
        compact = _Compact(file.read(min(most, end - at)))
        try:
            return compact.struct(0) | {_LENGTH: compact.at}
        except IndexError:  # it goes on
            continue
        except (KeyError, TypeError, ValueError):
            break
    return {}


class _Compact:
    """Values of Thrift's compact protocol; each of a list takes a byte at least."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int) -> dict[int, Any]:
        """Read the fields of a struct by their ids."""
        fields: dict[int, Any] = {}
        field = 0
        while head := self.byte():
            field = field + (head >> 4) if head >> 4 else self.integer(depth)
            kind = head & 15
            # A truth is told by the type of its field and has no byte of its own.
            fields[field] = kind == 1 if kind in {1, 2} else self.value(kind, depth)
        return fields

    def value(self, kind: int, depth: int) -> Any:
        """Read a value of a type."""
        if depth > _MOST_DEPTH:
            raise ValueError(depth)
        return _READERS[kind](self, depth + 1)

    def byte(self, _depth: int = 0) -> int:
        """Read a byte."""
        self.at += 1
        return self._data[self.at - 1]

    def varint(self) -> int:
        """Read an unsigned number of seven bits a byte."""
        result, shift = 0, 0
        while shift < 70:
            byte = self.byte()
            result |= (byte & 127) << shift
            if byte < 128:
                return result
            shift += 7
        raise ValueError(result)

    def integer(self, _depth: int) -> int:
        """Read a signed number (zigzag)."""
        number = self.varint()
        return number >> 1 if not number & 1 else -(number >> 1) - 1

    def skip(self, n_bytes: int) -> None:
        """Leave bytes out."""
        self.at += n_bytes
        if self.at > len(self._data):
            raise IndexError

    def double(self, _depth: int) -> None:
        """Leave a float64 out."""
        self.skip(8)

    def text(self, _depth: int) -> None:
        """Leave a text out."""
        self.skip(self.varint())

    def items(self, depth: int) -> list[Any]:
        """Read a list or set."""
        head = self.byte()
        n_items = self.varint() if head >> 4 == 15 else head >> 4
        if n_items > len(self._data):
            raise ValueError(n_items)
        return [self.value(head & 15, depth) for _ in range(n_items)]

    def mapping(self, depth: int) -> None:
        """Leave a map out."""
        n_items = self.varint()
        kinds = self.byte() if n_items else 0
        if n_items > len(self._data):
            raise ValueError(n_items)
        for _ in range(n_items):
            self.value(kinds >> 4, depth)
            self.value(kinds & 15, depth)


_READERS: Final[dict[int, Callable[[_Compact, int], Any]]] = {
    **dict.fromkeys((1, 2, 3), _Compact.byte),
    **dict.fromkeys((4, 5, 6), _Compact.integer),
    7: _Compact.double,
    8: _Compact.text,
    **dict.fromkeys((9, 10), _Compact.items),
    11: _Compact.mapping,
    12: _Compact.struct,
}

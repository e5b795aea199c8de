"""How many numbers a Parquet file claims to hold, read from its footer.

The footer is a struct of Thrift in the compact protocol, followed by its length (u32,
little-endian) and ``PAR1``. pyarrow knows the same, but a damaged footer that is asked for its
columns ends the process: the C++ exception is not caught on the way to Python (pyarrow 26).

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
_ROW_GROUPS, _COLUMNS, _COLUMN_METADATA, _N_VALUES = 4, 1, 3, 5


def most_values(file: BinaryIO, name: str) -> int:
    """Give the number of values in the column that has most of them.

    Raises
    ------
    FormatError
        If the footer is cut off or damaged.
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
    except (IndexError, KeyError, TypeError, ValueError):
        raise FormatError(
            f"{name}: the file is damaged: the footer, {length:,} bytes from byte "
            f"{size - 8 - length:,} on, is none of Parquet. Get it again"
        ) from None
    return max(by_column.values(), default=0)


class _Compact:
    """Values of Thrift's compact protocol; each of a list takes a byte at least."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, depth: int) -> dict[int, Any]:
        """Read the fields of a struct by their ids."""
        if depth > _MOST_DEPTH:
            raise ValueError(depth)
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
        return _READERS[kind](self, depth + 1)

    def byte(self, _depth: int = 0) -> int:
        """Read a byte."""
        self._at += 1
        return self._data[self._at - 1]

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
        self._at += n_bytes
        if self._at > len(self._data):
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

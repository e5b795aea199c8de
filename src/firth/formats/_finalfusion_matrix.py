"""The matrices of finalfusion's files, plain and quantised; see `firth.formats.finalfusion`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth.formats._chooser import take_rows

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from firth.formats._cursor import Cursor

_U8, _F32 = 1, 10
_ROWS_A_BLOCK = 4096
# A quantised row has a byte where the matrix has some four to forty; a file that claims more than
# this would be made to fill the memory.
_MOST_GROWTH = 512


class ArrayRows:
    """The rows of a plain array, mapped from the file."""

    def __init__(self, cursor: Cursor) -> None:
        self.n_rows, n_columns, kind = cursor.numbers("<QII", "the head of the matrix")
        _check_type(cursor, kind, _F32)
        _skip_padding(cursor)
        self._rows = cursor.array("<f4", (self.n_rows, n_columns), "the matrix")

    def at(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Give rows, rising; the mapped ones themselves where they are the first of all."""
        return take_rows(self._rows, rows, "float32")

    def from_row(self, first: int) -> NDArray[Any]:
        """Give all rows from this one on."""
        return self._rows[first:]


class QuantisedRows:
    """The rows of a quantised array, made again when they are wanted.

    Each part of a row is one of the centroids of that part (Jegou, Douze and Schmid 2011, "Product
    Quantization for Nearest Neighbor Search"), and the whole may have been rotated by a projection
    and scaled to length 1.
    """

    def __init__(self, cursor: Cursor) -> None:
        has_projection, has_norms, n_codes, n_columns, n_centroids, self.n_rows, code, value = (
            cursor.numbers("<IIIIIQII", "the head of the quantised matrix")
        )
        _check_type(cursor, code, _U8)
        _check_type(cursor, value, _F32)
        if not n_codes or n_columns % n_codes or not n_centroids:
            raise cursor.fail(
                f"rows of {n_columns:,} numbers in {n_codes:,} parts with {n_centroids:,} "
                f"centroids; the file is damaged"
            )
        _skip_padding(cursor)
        what = "the quantised matrix"
        shape = (n_columns, n_columns)
        self._projection = cursor.array("<f4", shape, what) if has_projection else None
        self._centroids = cursor.array("<f4", (n_codes, n_centroids, n_columns // n_codes), what)
        self._norms = cursor.array("<f4", (self.n_rows,), what) if has_norms else None
        self._codes = cursor.array("u1", (self.n_rows, n_codes), what)
        self._n_columns = n_columns
        if self.n_rows * n_columns * 4 > _MOST_GROWTH * len(cursor.data):
            raise cursor.fail(
                f"{len(cursor.data):,} bytes would become a matrix of {self.n_rows:,} x "
                f"{n_columns:,} numbers; the file is damaged or means harm"
            )
        for begin in range(0, self.n_rows, _ROWS_A_BLOCK):
            highest = int(self._codes[begin : begin + _ROWS_A_BLOCK].max(initial=0))
            if highest >= n_centroids:
                raise cursor.fail(f"a code of {highest} for {n_centroids} centroids; damaged")

    def at(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Make rows again, shape (n, n_columns)."""
        result = np.empty((len(rows), self._n_columns), np.float32)
        parts = np.arange(len(self._centroids))
        for begin in range(0, len(rows), _ROWS_A_BLOCK):
            chosen = rows[begin : begin + _ROWS_A_BLOCK]
            made = self._centroids[parts, self._codes[chosen]].reshape(len(chosen), -1)
            with no_warnings():
                if self._projection is not None:
                    made = made @ self._projection.T
                if self._norms is not None:
                    made *= self._norms[chosen][:, None]
            result[begin : begin + len(chosen)] = made
        return result

    def from_row(self, first: int) -> NDArray[Any]:
        """Make all rows from this one on."""
        return self.at(np.arange(first, self.n_rows))


def no_warnings() -> AbstractContextManager[None]:
    """Let numbers of damaged files become infinite or NaN, which is counted later."""
    return np.errstate(over="ignore", under="ignore", invalid="ignore")


def read_norms(cursor: Cursor, n_words: int) -> NDArray[np.float32]:
    """Read the lengths of the words' vectors."""
    n_norms, kind = cursor.numbers("<QI", "the head of the norms")
    _check_type(cursor, kind, _F32)
    if n_norms != n_words:
        raise cursor.fail(f"{n_norms:,} norms for {n_words:,} words; the file is damaged")
    _skip_padding(cursor)
    return cursor.array("<f4", (n_norms,), "the norms")


def _skip_padding(cursor: Cursor) -> None:
    cursor.take(4 - cursor.position % 4, "the padding")


def _check_type(cursor: Cursor, found: int, wanted: int) -> None:
    if found != wanted:
        raise cursor.fail(f"numbers of type {found}, where type {wanted} belongs; damaged")

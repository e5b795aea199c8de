"""Attributes of words: what is known of each beside its vector."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError


class Attributes:
    """Named columns with a value for each word; those that were never set have 0, or None."""

    def __init__(self, columns: Mapping[str, NDArray[Any]] | None = None) -> None:
        self._columns = dict(columns or {})

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    @property
    def names(self) -> list[str]:
        """What there is."""
        return list(self._columns)

    def numbers(self, n_words: int) -> dict[str, NDArray[Any]]:
        """Give the columns that hold numbers, as long as there are words."""
        return {
            name: _grown(column, n_words)
            for name, column in self._columns.items()
            if column.dtype.kind in "biuf"
        }

    def get(self, name: str, row: int) -> Any:
        """Give the value of a word, as a NumPy number where it is one."""
        column = self._columns[name]
        # Words that joined since it was set are behind the end.
        return column[row] if row < len(column) else _unset(1, column.dtype)[0]

    def set(self, name: str, row: int, value: Any, n_words: int) -> None:
        """Set the value of a word, of which there are `n_words`.

        The first value of a name decides what the others may be.
        """
        given = np.asarray(value).dtype
        kept = given if given.kind in "biuf" else np.dtype(np.object_)
        column = self._columns.get(name)
        if column is None:
            column = _unset(n_words, np.dtype(np.int64) if kept.kind == "i" else kept)
        elif not np.can_cast(kept, column.dtype, "same_kind"):
            raise ParameterError(
                f"{name} is {column.dtype} for the words that have it, and {value!r:.60} is {kept}"
            )
        column = _grown(column, n_words)
        if not column.flags.writeable:  # mapped from a file
            column = column.copy()
        column[row] = value
        self._columns[name] = column

    def selected(self, rows: NDArray[np.int64], n_words: int) -> "Attributes":
        """Give the attributes of other words: of some rows, in the order asked for; -1 for none."""
        made = {}
        for name, column in self._columns.items():
            made[name] = _unset(len(rows), column.dtype)
            made[name][rows >= 0] = _grown(column, n_words)[rows[rows >= 0]]
        return Attributes(made)


def _unset(n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.full(n, None) if dtype.kind == "O" else np.zeros(n, dtype)


def _grown(column: NDArray[Any], n_words: int) -> NDArray[Any]:
    if len(column) == n_words:
        return column
    return np.concatenate([column, _unset(n_words - len(column), column.dtype)])

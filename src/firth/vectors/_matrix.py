"""The matrix of `KeyedVectors`: in single or half precision, or in bytes."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firth.errors import ParameterError
from firth.neighbours import row_norms, top_k

Rows = NDArray[np.int64] | slice
# Rows that are converted at a time.
_BLOCK = 1 << 14
_MOST = 127  # the largest number of a row of bytes


class VectorMatrix:
    """Vectors as rows, in float32, float16, or int8 with a scale for each row.

    What was given is shared until the first change, which copies it.
    """

    def __init__(
        self,
        array: NDArray[Any],
        *,
        norms: NDArray[np.float32] | None = None,
        scales: NDArray[np.float32] | None = None,
    ) -> None:
        kept = array.dtype if scales is not None or array.dtype == np.float16 else np.float32
        # A view of our own: the caller's array stays as writable as it was.
        self._array: NDArray[Any] = np.ascontiguousarray(array, kept).view()
        self._array.flags.writeable = False
        self._scales = scales
        self._norms = norms
        self._base: NDArray[Any] | None = None  # the same, to be changed, once it is our own
        self.version = 0  # how often rows have been changed

    def __len__(self) -> int:
        return len(self._array)

    @property
    def array(self) -> NDArray[Any]:
        """The numbers as they are kept, read-only: of int8 still to be multiplied with `scales`."""
        return self._array

    @property
    def scales(self) -> NDArray[np.float32] | None:
        """What to multiply each row of int8 with, shape (n_rows,)."""
        return self._scales

    @property
    def norms(self) -> NDArray[np.float32]:
        """The lengths of the rows, shape (n_rows,)."""
        if self._norms is None:
            self._norms = row_norms(self._array)
            if self._scales is not None:
                self._norms *= self._scales
        return self._norms

    def fill_norms(self, *, force: bool) -> None:
        """Compute the lengths unless they are there."""
        self._norms = None if force else self._norms
        self.norms  # noqa: B018

    @cached_property
    def norms_as_kept(self) -> NDArray[np.float32]:
        """The lengths of the rows as they are kept, which is what a search divides by."""
        if self._scales is None:
            return self.norms
        there = self._scales > 0  # not where it is NaN either
        return np.divide(self.norms, self._scales, out=np.zeros_like(self.norms), where=there)

    def floats(self, rows: Rows) -> NDArray[np.float32]:
        """Give rows in single precision; a view where they are kept so and `rows` is a slice."""
        some: NDArray[np.float32] = self._array[rows].astype(np.float32, copy=False)
        return some if self._scales is None else some * self._scales[rows, None]

    def blocks(self) -> list[slice]:
        """Cut the rows into parts that may be converted at a time."""
        return [slice(at, min(at + _BLOCK, len(self))) for at in range(0, len(self), _BLOCK)]

    def all_floats(self) -> NDArray[np.float32]:
        """Give all rows in single precision: the matrix itself, or a copy of what is kept so."""
        return self.floats(slice(0, len(self)))

    def mean(self) -> NDArray[np.float64]:
        """Give the mean of all rows that have a direction; zeros where there is none."""
        total, n = np.zeros(self._array.shape[1]), 0
        for rows in self.blocks():
            used = has_direction(self.norms[rows])
            total += self.floats(rows)[used].sum(axis=0, dtype=np.float64)
            n += int(used.sum())
        return total / max(1, n)

    def cosines(self, direction: NDArray[np.float32], begin: int, end: int) -> NDArray[np.float32]:
        """Give the cosines of rows with a direction of length 1; 0 for rows of zeros."""
        cosines = np.empty(end - begin, np.float32)
        # What is not of single precision is converted a part at a time.
        step = len(cosines) if self._array.dtype == np.float32 else _BLOCK
        with np.errstate(invalid="ignore", over="ignore"):
            for first in range(0, len(cosines), step or 1):
                rows = slice(begin + first, min(begin + first + step, end))
                dots = self.floats(rows) @ direction
                cosines[first : first + step] = dots / divisors(self.norms[rows])
        return cosines

    def top(
        self,
        directions: ArrayLike,
        k: int,
        exclude: Sequence[Sequence[int]] | None,
        candidates: Rows,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the rows of the highest cosine among candidates; -1 where there are no more."""
        if not isinstance(candidates, slice):
            return top_k(self._array, self.norms_as_kept, directions, k, exclude, candidates)
        begin, end, _ = candidates.indices(len(self))
        inside = [[row - begin for row in rows if begin <= row < end] for rows in exclude or ()]
        found, scores = top_k(
            self._array[begin:end],
            self.norms_as_kept[begin:end],
            directions,
            k,
            inside if exclude is not None else None,
        )
        found[found >= 0] += begin
        return found, scores

    # --- other numbers ----------------------------------------------------------------------------

    def astype(self, dtype: np.dtype[Any]) -> "VectorMatrix":
        """Give the same in another precision."""
        if dtype == np.int8:
            codes = np.empty(self._array.shape, np.int8)
            scales = np.empty(len(self), np.float32)
            for rows in self.blocks():
                codes[rows], scales[rows] = _as_bytes(self.floats(rows))
            return VectorMatrix(codes, scales=scales)
        made = np.empty(self._array.shape, dtype)
        with np.errstate(over="ignore"):
            for rows in self.blocks():
                made[rows] = self.floats(rows)
        return VectorMatrix(made)

    # --- change -----------------------------------------------------------------------------------

    def put(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Put vectors in place of rows."""
        self.norms  # noqa: B018 (made before, so that only those of these rows are made again)
        array = self._own()
        if self._scales is None:
            with np.errstate(over="ignore"):
                array[rows] = vectors
        else:
            array[rows], self._scales[rows] = _as_bytes(vectors)
        self.norms[rows] = row_norms(self.floats(rows))
        self._forget()

    def make_unit(self) -> None:
        """Scale all rows to length 1; rows of zeros stay as they are."""
        lengths = divisors(self.norms)
        array = self._own()
        if self._scales is not None:
            self._scales /= lengths
        else:
            for rows in self.blocks():
                array[rows] = self.floats(rows) / lengths[rows, None]
        self._norms = None
        self._forget()

    def extended(self, vectors: NDArray[np.float32]) -> "VectorMatrix":
        """Give a matrix with more rows behind these."""
        more = VectorMatrix(vectors)
        if self._array.dtype != np.float32:
            more = more.astype(self._array.dtype)
        made = VectorMatrix(
            np.concatenate([self._array, more.array]),
            norms=None if self._norms is None else np.concatenate([self._norms, more.norms]),
            scales=_joined(self._scales, more.scales),
        )
        made._base = made._array.base
        return made

    def selected(self, rows: NDArray[np.int64]) -> "VectorMatrix":
        """Give a matrix of some of the rows, in the order asked for."""
        return VectorMatrix(
            self._array[rows],
            norms=None if self._norms is None else self._norms[rows],
            scales=None if self._scales is None else self._scales[rows],
        )

    def _forget(self) -> None:
        self.__dict__.pop("norms_as_kept", None)
        self.version += 1

    def _own(self) -> NDArray[Any]:
        """Give the numbers to be changed, copied the first time."""
        if self._base is None:
            self._base = self._array.copy()
            self._array = self._base.view()
            self._array.flags.writeable = False
            self._scales = None if self._scales is None else self._scales.copy()
            self._norms = None if self._norms is None else self._norms.copy()
        return self._base


def divisors(norms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give what to divide by for length 1: 1 for a row of zeros, which stays as it is."""
    return np.where(norms == 0, np.float32(1), norms)


def has_direction(norms: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which rows can be neighbours: not those of zeros, with NaN or infinite."""
    return np.isfinite(norms) & (norms > 0)


def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale a vector to length 1; one of zeros stays as it is."""
    length = np.sqrt(vector @ vector)
    return vector / length if length > 0 else vector


def check_dtype(name: str, dtype: Any) -> np.dtype[Any]:
    """Check that a matrix can be kept in this type."""
    try:
        checked: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        checked = np.dtype(np.void)
    if checked not in {np.dtype(kept) for kept in (np.float32, np.float16, np.int8)}:
        raise ParameterError(f"{name} must be float32, float16 or int8, not {dtype!r}")
    return checked


def _as_bytes(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Give rows as whole numbers with their scales; that of a row with NaN is NaN."""
    most = np.abs(vectors).max(axis=1, initial=0)
    usable = np.isfinite(most) & (most > 0)
    per_unit = np.divide(_MOST, most, out=np.zeros_like(most), where=usable)
    codes = np.rint(np.where(usable[:, None], vectors, 0) * per_unit[:, None]).astype(np.int8)
    return codes, np.where(np.isfinite(most), most / np.float32(_MOST), np.float32(np.nan))


def _joined(
    first: NDArray[np.float32] | None, second: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    return None if first is None or second is None else np.concatenate([first, second])

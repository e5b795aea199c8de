"""The axes along which rows differ most: what an index keeps of them, to look at less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# As many axes are kept as have this share of the variance; rows that differ in others only are told
# apart when they are scored. Where hardly an axis matters less than the others, all are kept.
_VARIANCE, _FEWEST, _STEP = 0.85, 64, 32
_NEARLY_ALL = 0.75
_SAMPLED_ROWS = 1 << 16
_ROUNDING = 1e-4


def check_lengths(name: str, vectors: NDArray[np.float32], where: str) -> None:
    """Refuse numbers that no direction has: NaN, and those above 1."""
    if not (np.abs(vectors) <= 1 + _ROUNDING).all():
        raise FormatError(f"{where}: numbers in {name!r} are above 1: build the index again")


def sampled_units(
    matrix: NDArray[Any], norms: NDArray[np.float32], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Take some of the rows that have a direction, evenly from all, each of length 1."""
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLED_ROWS)).astype(np.int64)]
    units: NDArray[np.float32] = matrix[some].astype(np.float32) / norms[some][:, None]
    return units


def principal_axes(
    vectors: NDArray[np.float32], n_axes: int | None, random: np.random.Generator
) -> NDArray[np.float32]:
    """Find the axes along which vectors are the longest, shape (vector_size, n_axes).

    Their number is `n_axes`, or, if that is None, so many that they hold most of the variance of
    the vectors about their mean. They are turned among themselves, so that none matters more than
    another.
    """
    dim = vectors.shape[1]
    moments = (vectors.T @ vectors).astype(np.float64) / len(vectors)
    _, axes = np.linalg.eigh(moments)
    axes = axes[:, ::-1]
    if n_axes is None:
        mean = vectors.mean(axis=0, dtype=np.float64)
        along = np.diag(axes.T @ moments @ axes) - (mean @ axes) ** 2
        share = np.cumsum(along) / max(along.sum(), np.finfo(np.float64).tiny)
        n_axes = max(int(np.searchsorted(share, _VARIANCE)) + 1, _FEWEST)
        n_axes = dim if n_axes > _NEARLY_ALL * dim else -(-n_axes // _STEP) * _STEP
    n_axes = min(n_axes, dim)
    turn, _ = np.linalg.qr(random.standard_normal((n_axes, n_axes)))
    turned: NDArray[np.float32] = (axes[:, :n_axes] @ turn).astype(np.float32)
    return turned

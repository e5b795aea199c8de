"""Codes of four bits for each number of a row, which are looked at where signs have been.

Gao et al. 2024, "Practical and Asymptotically Optimal Quantization of High-Dimensional Vectors in
Euclidean Space for Approximate Nearest Neighbor Search": the numbers of a turned row are as good as
normally distributed, are cut into sixteen equal steps, and the whole is scaled so that the estimate
of its product with itself is right. A row's codes lie together with its factors, so that looking at
one row, anywhere in memory, reads a cache line or two, where its vector has many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The layout of a row; see core/kernels/fine_codes.hpp.
_ROW_STEP, _FACTOR_BYTES = 32, 4
_CACHE_LINE = 64
_LEVELS, _MIDDLE = 16, 7.5
# The step that loses the least of a normal distribution is 0.3352 of its standard deviation (Max
# 1960, "Quantizing for Minimum Distortion", table II); the scale of signs is 1 / 0.7979 of that.
_STEP_OF_SCALE = 0.3352 * 0.7979


def fine_row_bytes(n_numbers: int) -> int:
    """Give the bytes of a row."""
    return -(-(n_numbers // 2 + _FACTOR_BYTES) // _ROW_STEP) * _ROW_STEP


def no_fine_codes(n_rows: int, n_numbers: int) -> NDArray[np.uint8]:
    """Make room for codes of rows, all 0, so that a row lies in as few cache lines as it can."""
    row_bytes = fine_row_bytes(n_numbers)
    memory = np.zeros(n_rows * row_bytes + _CACHE_LINE, np.uint8)
    begin = -memory.ctypes.data % _CACHE_LINE
    return memory[begin : begin + n_rows * row_bytes].reshape(n_rows, row_bytes)


def fine_codes(
    turned: NDArray[np.float32], scales: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Code rows, shape (n_rows, n_numbers); their scales are those of their signs.

    Returns
    -------
    codes : numpy.ndarray of uint8, shape (n_rows, n_numbers / 2)
        The first half of the numbers in the lower bits.
    scales : numpy.ndarray of float32, shape (n_rows,)
        What code - 7.5 has to be multiplied by.
    """
    steps = np.where(scales > 0, scales, 1)[:, None] * np.float32(_STEP_OF_SCALE)
    codes = np.clip(np.floor(turned / steps) + _LEVELS // 2, 0, _LEVELS - 1).astype(np.uint8)
    along = np.einsum("ij,ij->i", codes - np.float32(_MIDDLE), turned)
    squares = np.einsum("ij,ij->i", turned, turned)
    fine_scales = np.zeros(len(turned), np.float32)
    np.divide(squares, along, out=fine_scales, where=along > 0)
    lower, upper = np.split(codes, 2, axis=1)
    return lower | upper << 4, fine_scales


def write_factors(
    rows: NDArray[np.uint8],
    n_numbers: int,
    scales: NDArray[np.int16],
    offsets: NDArray[np.int16],
) -> None:
    """Write the factors of rows behind their codes; there may be more of them than rows."""
    factors = np.stack([scales, offsets], axis=1)[: len(rows)].astype("<i2")
    at = n_numbers // 2
    rows[:, at : at + _FACTOR_BYTES] = factors.view(np.uint8).reshape(len(rows), _FACTOR_BYTES)

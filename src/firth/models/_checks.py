"""Checks of parameters that all models share; each returns the value in its plain type."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def whole(name: str, value: Any) -> int:
    """Check that a parameter is a whole number."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ParameterError(f"{name} must be a whole number, not {value!r:.60}")
    return int(value)


def at_least_1(name: str, value: Any) -> int:
    """Check that a parameter is a whole number of 1 or more."""
    if whole(name, value) < 1:
        raise ParameterError(f"{name} must be 1 or more, not {value}")
    return int(value)


def finite(name: str, value: Any, *, above: float = -math.inf, at_least: float = 0.0) -> float:
    """Check that a parameter is a finite number, 0 or more unless told otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ParameterError(f"{name} must be a number, not {value!r:.60}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < at_least or number <= above:
        bound = " above 0" if above == 0.0 else " of 0 or more" if at_least == 0.0 else ""
        raise ParameterError(f"{name} must be a finite number{bound}, not {value!r:.60}")
    return number


def one_of(name: str, value: Any) -> int:
    """Check that a parameter is 0 or 1."""
    if value not in (0, 1):
        raise ParameterError(f"{name} must be 0 or 1, not {value!r:.60}")
    return int(value)


def check_instruction_set() -> None:
    """Name the environment variable at fault before a kernel fails for it."""
    try:
        _core.isa()
    except ValueError as error:
        raise ParameterError(f"the environment variable FIRTH_ISA: {error}") from None


def lock_factors(name: str, given: Any, n_rows: int) -> NDArray[np.float32]:
    """Give the factors that lock rows, shape (n_rows,); one number stands for all of them.

    Raises
    ------
    ParameterError
        It is no array of numbers from 0 to 1 of that shape.
    """
    try:
        factors = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        factors = np.empty((0, 0), np.float32)
    if factors.shape not in {(), (1,), (n_rows,)}:
        raise ParameterError(
            f"wv.{name} has the shape {np.shape(given)}; give one factor for each of the "
            f"{n_rows:,} rows, or a single one for all, shape (1,)"
        )
    if not ((factors >= 0) & (factors <= 1)).all():
        raise ParameterError(
            f"wv.{name} must hold numbers from 0 (a vector stays as it is) to 1 (it learns)"
        )
    return np.broadcast_to(factors, (n_rows,))

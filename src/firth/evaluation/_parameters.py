"""Checks of parameters."""

from __future__ import annotations

from operator import index as as_index

from firth.errors import ParameterError


def whole(name: str, value: object, least: int) -> int:
    """Give a whole number that is not below `least`."""
    try:
        number = as_index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ParameterError(f"{name} must be a whole number from {least}, not {value!r:.60}")
    return number

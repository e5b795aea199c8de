"""How much one request may ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from firth.errors import ParameterError


@dataclass(frozen=True)
class Limits:
    """How much one request may ask for, and for how long it may keep the service busy.

    Attributes
    ----------
    body : int
        The most bytes of a request's body.
    questions : int
        The most questions, or words, of one request; also of the terms of one question.
    k : int
        The most neighbours that may be asked for.
    seconds : float
        The longest that a request may take to arrive, to be answered, or to be taken off.
    waiting : int
        The most questions that may wait for their turn; more are sent away with 503.
    connections : int
        The most connections at once; more are sent away with 503.

    Raises
    ------
    ParameterError
        If one of them is not above 0.
    """

    body: int = 1 << 20
    questions: int = 1000
    k: int = 1000
    seconds: float = 10.0
    waiting: int = 20_000
    connections: int = 500

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (value > 0 and math.isfinite(value)):
                raise ParameterError(f"the limit {field.name} must be above 0, not {value!r}")

"""Requests as the shapes that they claim to have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints
from typing import Annotated as AnnotatedType

import msgspec

from firth.service._problems import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

    from firth.service._limits import Limits

Shape = TypeVar("Shape", bound=msgspec.Struct)

JSON = "application/json"


class QueryReader:
    """Reads the query of a request as one shape.

    Parameters
    ----------
    shape : type
        A `msgspec.Struct`, whose fields are what the query may have.
    """

    def __init__(self, shape: type[msgspec.Struct]) -> None:
        self.shape = shape
        hints = get_type_hints(shape, include_extras=True)
        self._lists = {name for name, hint in hints.items() if _is_list(hint)}

    def read(self, request: Request) -> Any:
        """Read it.

        Raises
        ------
        Problem
            It is not of this shape.
        """
        given: dict[str, Any] = {}
        for name, value in request.query_params.multi_items():
            if name in self._lists:
                given.setdefault(name, []).append(value)
            elif name in given:
                raise Problem(400, f"the parameter {name} is given twice; give it once")
            else:
                given[name] = value
        try:
            return msgspec.convert(given, self.shape, strict=False)
        except msgspec.ValidationError as error:
            raise Problem(400, f"the query cannot be read: {_told(error)}") from None


class BodyReader:
    """Reads the JSON in the body of a request as one shape.

    Parameters
    ----------
    shape : type
        A `msgspec.Struct`.
    limits : Limits
        How long a body may be, and how long it may take to arrive.
    """

    def __init__(self, shape: type[msgspec.Struct], limits: Limits) -> None:
        self._decode = msgspec.json.Decoder(shape).decode
        self._limits = limits

    async def read(self, request: Request) -> Any:
        """Read it.

        Raises
        ------
        Problem
            It is no JSON, too long, too slow, or not of this shape.
        """
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != JSON:
            raise Problem(
                415, f"the body is {media_type[:100] or 'of no type'}; send {JSON} as Content-Type"
            )
        try:
            async with asyncio.timeout(self._limits.seconds):
                body = await self._body(request)
        except TimeoutError:
            raise Problem(
                408,
                f"the body did not arrive within {self._limits.seconds:g} seconds",
                headers={"Connection": "close"},
            ) from None
        try:
            return self._decode(body)
        except msgspec.ValidationError as error:
            raise Problem(400, f"the body cannot be read: {_told(error)}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Problem(400, f"the body is no JSON: {_told(error)}") from None

    async def _body(self, request: Request) -> bytes:
        limit = self._limits.body
        pieces, size = [], 0
        claimed = request.headers.get("content-length", "")
        if claimed.isdecimal() and int(claimed) <= limit:
            claimed = ""
        if not claimed:
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    break
                pieces.append(piece)
        if claimed or size > limit:
            raise Problem(
                413,
                f"the body is longer than {limit:,} bytes; send fewer questions at a time",
                headers={"Connection": "close"},
            )
        return b"".join(pieces)


def check_number(limits: Limits, number: int, what: str) -> None:
    """Refuse more of something than one request may have.

    Raises
    ------
    Problem
        There are more than `limits.questions`.
    """
    if number > limits.questions:
        raise Problem(
            400, f"{number:,} {what} are too many; at most {limits.questions:,} at a time"
        )


def check_k(limits: Limits, k: int) -> None:
    """Refuse to find more neighbours than one request may have.

    Raises
    ------
    Problem
        There are more than `limits.k`.
    """
    if k > limits.k:
        raise Problem(400, f"k is {k:,}; at most {limits.k:,} neighbours can be asked for")


def _is_list(hint: Any) -> bool:
    while get_origin(hint) is AnnotatedType:
        hint = get_args(hint)[0]
    return get_origin(hint) is list


def _told(error: Exception) -> str:
    """Tell what msgspec says, without the dollar that is its name for the whole."""
    message = str(error).replace(" - at `$.", " - at `").replace(" - at `$`", "")
    return message[:1].lower() + message[1:]

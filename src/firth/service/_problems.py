"""Answers to what cannot be answered, as RFC 9457 wants them ("Problem Details for HTTP APIs")."""

from __future__ import annotations

import http
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from firth.errors import ParameterError, WordNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
_encode = msgspec.json.Encoder().encode


class Problem(Exception):  # noqa: N818 (the word of the standard)
    """A request that is not answered, and why.

    Parameters
    ----------
    status : int
        The status of the response.
    detail : str
        What was wrong, where, and what to do.
    headers : mapping of str, optional
        More headers of the response.
    """

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Make the response that tells it."""
        content = {
            "title": http.HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        return Response(_encode(content), self.status, self.headers, MEDIA_TYPE)


def _of_problem(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, Problem)
    return error.response()


def _of_unknown_word(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return Problem(404, str(error)).response()


def _of_parameter(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return Problem(400, str(error)).response()


def _of_http(request: Request, error: Exception) -> Response:
    """Tell what the router refuses: paths and methods that are not there."""
    status = getattr(error, "status_code", 500)
    headers = getattr(error, "headers", None)
    detail = str(getattr(error, "detail", ""))
    if status == 404:
        detail = f"there is no {request.url.path[:200]} here; /openapi.json tells what there is"
    elif status == 405:
        allowed = (headers or {}).get("Allow", "GET")
        detail = f"{request.method[:20]} cannot be used here; use {allowed}"
    return Problem(status, detail, headers=headers).response()


def _of_anything(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Say no more than that: the log has the rest."""
    return Problem(500, "the service failed on this request; its log tells why").response()


HANDLERS: dict[Any, Any] = {
    Problem: _of_problem,
    WordNotFoundError: _of_unknown_word,
    ParameterError: _of_parameter,
    HTTPException: _of_http,
    Exception: _of_anything,
}

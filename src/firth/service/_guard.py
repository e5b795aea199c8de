"""What stands before all routes: who may ask, how long it may take, and what is counted."""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import TYPE_CHECKING

from firth.service._problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from firth.service._limits import Limits
    from firth.service._metrics import Metrics

# Of everything that is answered, unless the route says otherwise.
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
OPEN_PATHS = frozenset({"/health"})
_OTHER = "other"


class Guard:
    """Lets requests through to an application, or sends them away.

    Parameters
    ----------
    app : ASGI application
        What answers.
    limits : Limits
        How long a client may take to take its answer.
    token : str or None
        What requests must bring as ``Authorization: Bearer``; None where anybody may ask.
    hosts : collection of str or None
        The names by which the service may be called, without ports; None for any. A page of a
        stranger, whose name was made to lead to this machine, calls it by that name.
    metrics : Metrics
        What counts.
    routes : collection of str
        The paths that are counted by name.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        token: str | None,
        hosts: Collection[str] | None,
        metrics: Metrics,
        routes: Collection[str],
    ) -> None:
        self._app = app
        self._seconds = limits.seconds
        self._token = None if token is None else token.encode()
        self._hosts = None if hosts is None else {host.lower() for host in hosts}
        self._metrics = metrics
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        path = scope["path"]
        route = path if path in self._routes else _OTHER
        method = scope["method"] if scope["method"] in _METHODS else _OTHER

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"] = list(message.get("headers", ()))
                given = {name for name, _ in headers}
                headers += [pair for pair in _HEADERS.items() if pair[0] not in given]
            try:
                async with asyncio.timeout(self._seconds):
                    await send(message)
            except TimeoutError:
                # Who reads slower than that keeps what was answered in memory.
                raise ClientTooSlowError from None

        self._metrics.begin()
        try:
            problem = self._refusal(scope)
            if problem is None:
                await self._app(scope, receive, send_with_headers)
            else:
                await problem.response()(scope, receive, send_with_headers)
        except ClientTooSlowError:
            status = 499
        finally:
            self._metrics.end(route, method, status, time.perf_counter() - began)

    def _refusal(self, scope: Scope) -> Problem | None:
        """Tell why a request may not be answered, if it may not."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self._hosts is not None:
            host = _without_port(headers.get(b"host", b"").decode("latin-1"))
            if host not in self._hosts:
                names = " or ".join(sorted(self._hosts))
                return Problem(421, f"this service is not {host[:100]!r}; call it {names}")
        if self._token is not None and scope["path"] not in OPEN_PATHS:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._token):
                return Problem(
                    401,
                    "send the token of this service as 'Authorization: Bearer TOKEN'",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        return None


class ClientTooSlowError(Exception):
    """A client does not take its answer."""


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


def _without_port(host: str) -> str:
    """Give the name of a Host header.

    Examples
    --------
    >>> _without_port("localhost:8000"), _without_port("[::1]:8000")
    ('localhost', '::1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()

"""Connections that are given up when nothing comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from firth.service._problems import Problem

if TYPE_CHECKING:
    import asyncio

# A client that sends its head byte by byte would keep a connection for as long as it likes.
SECONDS_FOR_A_HEAD = 10.0
# And one whose head has no end, memory.
_LONGEST_HEAD = 1 << 16


class PatientProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, but for what is no request, or none that arrives in time."""

    _giving_up: asyncio.TimerHandle | None = None
    _of_head = 0  # bytes

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Read on, unless it is a head that does not end."""
        super().data_received(data)
        self._of_head = self._of_head + len(data) if self._giving_up is not None else 0
        if self._of_head > _LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (it says no more than that)
        """Say what is wrong with what is no HTTP, or more of it than is read."""
        told = Problem(
            400, "this is no HTTP, or its head is longer than 64 KiB; POST what is long"
        ).response()
        fields = [*told.raw_headers, (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % field for field in fields)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%s\r\n%s" % (head, told.body))
        self.transport.close()

    def on_message_begin(self) -> None:
        """Wait for the rest of a request that has begun."""
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        """Wait no more: the body has a time of its own."""
        self._wait_no_more()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._giving_up is None:
            self._giving_up = self.loop.call_later(SECONDS_FOR_A_HEAD, self._give_up)

    def _wait_no_more(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _give_up(self) -> None:
        self._giving_up = None
        if not self.transport.is_closing():
            self.transport.close()

"""The service on a port: listening, workers, and a server in a thread of its own."""

from __future__ import annotations

import errno
import os
import signal
import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from uvicorn.supervisors import Multiprocess

from firth.errors import ParameterError
from firth.service._connections import PatientProtocol
from firth.service._limits import Limits
from firth.service._metrics import FOLDER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

# The names of this machine, for itself.
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")

_PORTS_TRIED = 100
_BACKLOG = 2048
_SECONDS_TO_END = 5
_SECONDS_TO_START = 30


def listen(host: str, port: int, *, or_next: bool = False) -> socket.socket:
    """Take a port of this machine.

    Parameters
    ----------
    host : str
        The name or address to listen at.
    port : int
        The port; 0 for any that is free.
    or_next : bool
        Where it is in use, take the next one that is free.

    Returns
    -------
    socket.socket
        Bound, and not yet listened to.

    Raises
    ------
    ParameterError
        If there is no such address, or the port is in use or reserved for others.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ParameterError(f"there is no address {host!r} to listen at: {error}") from None
    family, _, _, _, address = found[0]
    try:
        return _bind(family, address)
    except PermissionError:
        raise ParameterError(
            f"port {port} is for programs with more rights; take one from 1024 on"
        ) from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise ParameterError(
                f"cannot listen at {host}, port {port}: {error.strerror or error}"
            ) from None
    free = _next_free(family, address)
    if free is None:
        raise ParameterError(f"port {port} is in use, and so are the {_PORTS_TRIED} behind it")
    if not or_next:
        number = free.getsockname()[1]
        free.close()
        raise ParameterError(f"port {port} is in use; {number} is free: --port {number}")
    return free


def _bind(family: int, address: Any) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have the same port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # Two that are bound, and not listened to, may have the same port.
        bound.listen(_BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound


def _next_free(family: int, address: Any) -> socket.socket | None:
    host, port, *rest = address
    for number in range(port + 1, min(port + 1 + _PORTS_TRIED, 1 << 16)):
        try:
            return _bind(family, (host, number, *rest))
        except OSError:
            continue
    return None


def address_of(bound: socket.socket, host: str) -> str:
    """Give the address of a page that a socket serves."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{bound.getsockname()[1]}"


def run_workers(
    make_app: Callable[[], ASGIApp],
    bound: socket.socket,
    *,
    limits: Limits | None = None,
    workers: int = 1,
) -> None:
    """Serve an application until Ctrl-C or a polite kill.

    Parameters
    ----------
    make_app : callable
        Makes the application, in each worker; with several it must be something that can be
        pickled, for it travels to other processes of this machine.
    bound : socket.socket
        What `listen` gave.
    limits : Limits, optional
        How many connections there may be, and how slow.
    workers : int
        Processes. One that dies is replaced, unless it is the only one.
    """
    config = _config(make_app, limits or Limits(), workers)
    with bound:
        if workers == 1:
            _Server(config).run(sockets=[bound])
        else:
            with _shared_figures():
                Multiprocess(config, sockets=[bound]).run()


def _config(make_app: Callable[[], ASGIApp], limits: Limits, workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        make_app,
        factory=True,
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        workers=workers,
        limit_concurrency=limits.connections,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )


class _Server(uvicorn.Server):
    """A server for which Ctrl-C and a polite kill are the ordinary end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn raises the signal once more when all is done, in the middle of its event loop.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        caught = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self.handle_exit) for number in caught]
        try:
            yield
        finally:
            for number, handler in zip(caught, before, strict=True):
                signal.signal(number, handler)


@contextmanager
def _shared_figures() -> Iterator[None]:
    """Give workers a folder for what they count, so that each of them can tell the sum."""
    if FOLDER_VARIABLE in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="firth-metrics-") as folder:
        os.environ[FOLDER_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER_VARIABLE]


class BackgroundServer:
    """A server in a thread of this process, for as long as something else goes on.

    Parameters
    ----------
    app : ASGI application
        What to serve.
    host : str
        The name or address to listen at.
    port : int
        The port; 0 for any that is free.
    or_next : bool
        Where it is in use, take the next one that is free.
    limits : Limits, optional
        How many connections there may be, and how slow.

    Raises
    ------
    ParameterError
        As of `listen`.

    Examples
    --------
    ``with BackgroundServer(create_app(models)) as server: print(server.url)``
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        or_next: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self._bound = listen(host, port, or_next=or_next)
        self.url = address_of(self._bound, host)
        self._server = _Server(_config(lambda: app, limits or Limits(), 1))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._bound],), name="firth-service", daemon=True
        )
        self._thread.start()
        until = time.monotonic() + _SECONDS_TO_START
        while not self._server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)

    def close(self) -> None:
        """Answer what is under way, and end."""
        self._server.should_exit = True
        self._thread.join(_SECONDS_TO_END + 1)
        self._bound.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *of_error: object) -> None:
        self.close()

"""One request to a server, and what is to be done about its answer.

urllib3 speaks HTTP: it is small, has no dependencies of its own, and tells a broken connection from
a complete answer. What it does not know is what a download wants: to go on where it was broken off.
So redirects and repetitions are ours.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

from firth.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

CONNECT_SECONDS = 10.0
# Between two pieces of data, not for all of them: a slow server may take its time.
READ_SECONDS = 60.0
_MOST_REDIRECTS = 10
_REDIRECTS = {301, 302, 303, 307, 308}
_LATER = {408, 425, 429, 500, 502, 503, 504}
# What a Retry-After may ask for at most; servers in trouble ask for hours.
_MOST_WAIT = 60.0


class Trouble(Exception):  # noqa: N818 (not an error before all addresses are in trouble)
    """Why an address does not give a file.

    Attributes
    ----------
    again : bool
        Whether it may give it a moment later.
    wait : float or None
        How many seconds the server wants to be left alone.
    no_network : bool
        Whether it is the network that is missing, so that no other address will do better.
    of_host : bool
        Whether the whole machine cannot be reached; the message then says which.
    """

    def __init__(
        self,
        message: str,
        *,
        again: bool = False,
        wait: float | None = None,
        no_network: bool = False,
        of_host: bool = False,
    ) -> None:
        super().__init__(message)
        self.again = again
        self.wait = wait
        self.no_network = no_network
        self.of_host = of_host

    def told(self, address: str) -> str:
        """Tell the trouble, and with which address."""
        return str(self) if self.of_host else f"{shown(address)} {self}"


class Client:
    """Connections to servers, directly or over the proxies that the environment names."""

    def __init__(self) -> None:
        self._pools: dict[str | None, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.clear()

    def request(
        self, address: str, headers: Mapping[str, str], *, verified: bool
    ) -> BaseHTTPResponse:
        """Ask for a file; its data are still to be read.

        Parameters
        ----------
        address : str
            http or https.
        headers : mapping
            Of the request: for a range, for instance.
        verified : bool
            Whether what comes will be compared with a checksum. If not, an https address must not
            lead to one of http, where anybody on the way could change it.

        Returns
        -------
        urllib3.BaseHTTPResponse
            With status 200, 206 or 416.

        Raises
        ------
        Trouble
            The server cannot be reached, or gives another answer.
        """
        from urllib3.exceptions import HTTPError
        from urllib3.util import Retry

        secure = address.startswith("https:")
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                response: BaseHTTPResponse = self._pool_for(address).request(
                    "GET", shown(address), headers={**headers, **_login(address)},
                    redirect=False, retries=False,
                    preload_content=False, decode_content=False,
                )  # fmt: skip
            except HTTPError as error:
                raise as_trouble(error, address) from error
            if response.status in _REDIRECTS and (location := response.headers.get("Location")):
                response.close()
                address = urljoin(address, location)
                if urlsplit(address).scheme not in {"http", "https"}:
                    raise Trouble(f"leads to {shown(address)}, which is no address of a file")
                if secure and not verified and not address.startswith("https:"):
                    raise Trouble(
                        f"leads from https to {shown(address)}, where it is not protected"
                    )
                continue
            if response.status in {200, 206, 416}:
                return response
            wait = None
            if response.status in _LATER:
                try:
                    wait = Retry().get_retry_after(response)
                except HTTPError:  # a Retry-After that is neither a number nor a date
                    wait = None
            response.close()
            raise Trouble(
                _told(response.status),
                again=response.status in _LATER,
                wait=None if wait is None else min(max(wait, 0.0), _MOST_WAIT),
            )
        raise Trouble(f"leads from one address to the next, more than {_MOST_REDIRECTS} times")

    def _pool_for(self, address: str) -> Any:
        """Give the connections for an address: direct, or over the proxy of the environment."""
        from urllib.request import getproxies, proxy_bypass

        parts = urlsplit(address)
        proxies = getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        if proxy and parts.hostname and proxy_bypass(parts.hostname):
            proxy = None
        if proxy and "://" not in proxy:
            proxy = f"http://{proxy}"
        if proxy not in self._pools:
            self._pools[proxy] = _new_pool(proxy)
        return self._pools[proxy]


def _login(address: str) -> dict[str, str]:
    """Give the header for the login in an address; a redirect does not take it along."""
    from urllib.parse import unquote

    import urllib3

    parts = urlsplit(address)
    if not parts.username:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return dict(urllib3.make_headers(basic_auth=login))


def _told(status: int) -> str:
    import http

    try:
        phrase = f" ({http.HTTPStatus(status).phrase})"
    except ValueError:
        phrase = ""
    hint = {
        401: ": it wants a login", 403: ": it may not be fetched from here",
        404: ": it is not there", 407: ": the proxy wants a login",
        410: ": it is not there any more",
    }.get(status, "")  # fmt: skip
    return f"answers {status}{phrase}{hint}"


def as_trouble(error: Exception, address: str) -> Trouble:
    """Say what is the matter with a connection."""
    from urllib3 import exceptions

    host = urlsplit(address).hostname or address
    if isinstance(error, exceptions.ProxyError):
        return Trouble(f"the proxy for {host} fails: {error.original_error}", of_host=True)
    if isinstance(error, exceptions.NameResolutionError):
        # A name that does not exist, or no server of names at all, which looks the same offline.
        gone = isinstance(error.__cause__, socket.gaierror) and (
            error.__cause__.errno == socket.EAI_AGAIN
        )
        return Trouble(f"the name {host} cannot be resolved", no_network=gone, of_host=True)
    if isinstance(error, exceptions.NewConnectionError):
        reason = error.__cause__
        told = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(error)
        gone = isinstance(reason, OSError) and reason.errno == errno.ENETUNREACH
        return Trouble(f"no connection to {host}: {told.lower()}", no_network=gone, of_host=True)
    if isinstance(error, exceptions.ConnectTimeoutError):
        return Trouble(f"{host} does not answer within {CONNECT_SECONDS:.0f} s", of_host=True)
    if isinstance(error, exceptions.SSLError):
        return Trouble(f"no safe connection to {host}: {error}", of_host=True)
    if isinstance(error, exceptions.ReadTimeoutError):
        return Trouble(f"sends nothing for {READ_SECONDS:.0f} s", again=True)
    if isinstance(error, exceptions.LocationParseError | exceptions.LocationValueError):
        return Trouble(f"is no address: {error}")
    # What urllib3 says of a broken connection is two errors in one another.
    inner = error.args[-1] if error.args else error
    if isinstance(inner, exceptions.IncompleteRead) and inner.expected:
        told = f": {inner.expected:,} bytes are still to come"
    elif isinstance(inner, OSError) and inner.strerror:
        told = f": {inner.strerror.lower()}"
    else:
        told = ""
    return Trouble(f"breaks off the connection{told}", again=True)


def shown(address: str) -> str:
    """Give an address as messages may hold it: without a password in it."""
    parts = urlsplit(address)
    if "@" not in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _new_pool(proxy: str | None) -> Any:
    from urllib.parse import unquote

    import urllib3

    settings: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        "retries": False,
    }
    if proxy is None:
        return urllib3.PoolManager(**settings)
    if proxy.startswith("socks"):
        try:
            from urllib3.contrib.socks import SOCKSProxyManager
        except ImportError as error:
            raise DownloadError(
                f"the proxy {shown(proxy)} speaks SOCKS, for which the package 'PySocks' is needed"
                f": pip install pysocks"
            ) from error
        return SOCKSProxyManager(proxy, **settings)
    user = urlsplit(proxy)
    headers = None
    if user.username:
        login = f"{unquote(user.username)}:{unquote(user.password or '')}"
        headers = urllib3.make_headers(proxy_basic_auth=login)
    return urllib3.ProxyManager(shown(proxy), proxy_headers=headers, **settings)

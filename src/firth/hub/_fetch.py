"""One file from the network to the disk: resumed after a break, verified, in place when whole.

Beside ``name`` there is ``name.partial`` while it is on its way, and ``name.partial.json`` with
what a request for the rest needs: the address, the length, and the server's mark of this version of
the file (RFC 9110: a strong ETag, or the date of the last change), by which the server sends the
rest of the same file, or the whole of a new one (If-Range).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import re
import shutil
from dataclasses import asdict, dataclass
from time import sleep
from typing import TYPE_CHECKING, Any

from firth.errors import DownloadError, FirthError, OutputError
from firth.hub._checksums import Digest
from firth.hub._http import Client, Trouble, as_trouble, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from urllib3 import BaseHTTPResponse

    from firth.progress import Progress

logger = logging.getLogger("firth")

# How often in a row an address may fail without giving a byte, and how long to wait after each.
MOST_FAILURES = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
_BLOCK = 64 << 10
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$")
_UNSATISFIED = re.compile(r"bytes \*/(\d+)$")


@dataclass
class Version:
    """Which file a server gives, as its headers tell."""

    address: str
    etag: str | None = None
    last_modified: str | None = None
    total: int | None = None

    @property
    def validator(self) -> str | None:
        """What If-Range takes: a strong ETag, or else a date."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


def fetch(
    addresses: Sequence[str],
    target: Path,
    *,
    checksum: str | None = None,
    checksum_from: str = "",
    show: bool | None = None,
) -> tuple[Version, Digest]:
    """Bring a file to the disk, from the first address that gives it.

    Parameters
    ----------
    addresses : sequence of str
        Where it is; all of them the same bytes.
    target : Path
        Where it is to be; nobody else may fetch it at the same time.
    checksum : str, optional
        What it must have, as "sha256:..." or "md5:...".
    checksum_from : str
        Who says so, for messages.
    show : bool, optional
        Whether to show a progress bar, as in `firth.progress.progress`.

    Returns
    -------
    Version, Digest
        What was fetched, from where, and its checksums.

    Raises
    ------
    DownloadError
        No address gives it, or what they give has another checksum.
    OutputError
        There is no room for it on the disk, or no permission to write there.
    """
    from firth.progress import progress

    troubles: list[tuple[str, Trouble]] = []
    with progress(f"downloading {target.name}", unit="B", show=show) as bar, Client() as client:
        for address in addresses:
            transfer = _Transfer(client, address, target, checksum, checksum_from, bar)
            try:
                return transfer.run()
            except Trouble as trouble:
                troubles.append((address, trouble))
                if trouble.no_network:
                    break
                logger.debug("%s: %s", shown(address), trouble)
        # Several addresses on one machine that cannot be reached are one trouble.
        told = "; ".join(dict.fromkeys(trouble.told(address) for address, trouble in troubles))
        raise DownloadError(f"{target.name} cannot be downloaded: {told}") from troubles[-1][1]


class _Transfer:
    """The way of one file from one address, in as many pieces as it takes."""

    def __init__(
        self,
        client: Client,
        address: str,
        target: Path,
        checksum: str | None,
        checksum_from: str,
        bar: Progress,
    ) -> None:
        self.client = client
        self.address = address
        self.target = target
        self.partial = target.with_name(f"{target.name}.partial")
        self.notes = target.with_name(f"{target.name}.partial.json")
        self.checksum = checksum
        self.checksum_from = checksum_from
        self.bar = bar
        self.furthest = 0
        self.was_resumed = False

    def run(self) -> tuple[Version, Digest]:
        """Fetch the file and put it in place."""
        failures = 0
        while True:
            before = self.furthest
            try:
                version, digest = self._once()
                return self._put_in_place(version, digest)
            except Trouble as trouble:
                # A server that breaks off at the same place each time gets nowhere.
                failures = 1 if self.furthest >= before + _BLOCK else failures + 1
                # What answered before may do so again: a train leaves its tunnel.
                if failures >= MOST_FAILURES or not (trouble.again or self.furthest):
                    raise
                self._wait(trouble, failures)
            except FirthError:
                raise
            except OSError as error:
                # A full disk, mostly: the half of a file would only keep it full.
                self._discard()
                raise self._output_error(error) from error

    def _wait(self, trouble: Trouble, failures: int) -> None:
        seconds = trouble.wait
        if seconds is None:
            seconds = min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT)
            seconds *= 0.5 + random.random()
        self.bar.advance(0, attempt=failures + 1)
        logger.info("%s %s; trying again in %.1f s", shown(self.address), trouble, seconds)
        sleep(seconds)

    def _once(self) -> tuple[Version, Digest]:
        """Ask for the file, or for the rest of it, and write what comes."""
        digest = Digest(self.checksum)
        old = self._version_begun()
        offset = self.partial.stat().st_size if old else 0
        headers = {"User-Agent": _user_agent(), "Accept-Encoding": "identity"}
        if old and offset:
            headers["Range"] = f"bytes={offset}-"
            if old.validator and old.address == self.address:
                headers["If-Range"] = old.validator
        response = self.client.request(self.address, headers, verified=self.checksum is not None)
        try:
            if response.status == 416:
                return self._already_there(response, old, offset, digest)
            if response.status == 206:
                version = self._rest(response, old, offset)
                digest.update_from(self.partial)
                self.was_resumed = True
            else:
                offset = 0
                version = _version(self.address, response, _length(response))
            self._check_room(version, offset)
            self._write(response, version, offset, digest)
        finally:
            response.close()
        return version, digest

    def _version_begun(self) -> Version | None:
        """Tell which file the half that lies on the disk belongs to, if it is of any use."""
        try:
            noted = Version(**json.loads(self.notes.read_bytes()))
            self.partial.stat()
        except (OSError, ValueError, TypeError):
            return None
        # From another address it is worth something only where a checksum tells in the end.
        same = noted.address == self.address and noted.validator
        return noted if same or (self.checksum and noted.total) else None

    def _already_there(
        self, response: BaseHTTPResponse, old: Version | None, offset: int, digest: Digest
    ) -> tuple[Version, Digest]:
        """Make sense of "range not satisfiable": either all is there, or it is another file."""
        total = _UNSATISFIED.match(response.headers.get("Content-Range", ""))
        if old and total and int(total[1]) == offset == (old.total or offset):
            digest.update_from(self.partial)
            self.was_resumed = True
            return old, digest
        self._discard()
        raise Trouble("cannot go on where the download was broken off", again=offset > 0)

    def _rest(self, response: BaseHTTPResponse, old: Version | None, offset: int) -> Version:
        """Check that a part of a file goes on where ours ends, and is of the same file."""
        told = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        total = int(told[3]) if told and told[3] != "*" else None
        right = told is not None and old is not None and int(told[1]) == offset
        if right and old and old.total is not None and total is not None:
            right = total == old.total
        if not right:
            self._discard()
            raise Trouble("sends another part of the file than was asked for", again=True)
        version = _version(self.address, response, total)
        if old and version.address == old.address and old.validator != version.validator:
            # If-Range was ignored: what lies here is of an older file.
            self._discard()
            raise Trouble("has another file by now", again=True)
        return version

    def _check_room(self, version: Version, offset: int) -> None:
        if version.total is None:
            return
        free = shutil.disk_usage(self.target.parent).free
        if version.total - offset > free:
            from firth.progress import format_count

            raise OutputError(
                f"{self.target}: there is no room: the download needs "
                f"{format_count(version.total - offset, 'B')} and "
                f"{format_count(free, 'B')} are free; make room, or set FIRTH_CACHE to a folder on "
                f"a larger disk"
            )

    def _write(
        self, response: BaseHTTPResponse, version: Version, offset: int, digest: Digest
    ) -> None:
        from urllib3.exceptions import HTTPError

        write_json(self.notes, asdict(version))
        self.bar.begin(offset, version.total)
        at = offset
        with self.partial.open("ab" if offset else "wb") as file:
            try:
                for block in response.stream(_BLOCK, decode_content=False):
                    if at == 0:
                        self._refuse_web_page(block)
                    file.write(block)
                    digest.update(block)
                    at += len(block)
                    self.furthest = max(self.furthest, at)
                    self.bar.advance(len(block))
            except HTTPError as error:
                raise as_trouble(error, self.address) from error
            finally:
                file.flush()
            os.fsync(file.fileno())
        if version.total is not None and at != version.total:
            raise Trouble(
                f"announces {version.total:,} bytes and sends {at:,}", again=at < version.total
            )

    def _refuse_web_page(self, head: bytes) -> None:
        """Refuse the page of a portal or a login that comes with status 200 in place of a file."""
        start = head[:256].lstrip().lower()
        if start.startswith((b"<!doctype html", b"<html")) and self.target.suffix != ".html":
            raise Trouble("gives a web page in place of the file: is there a login in between?")

    def _put_in_place(self, version: Version, digest: Digest) -> tuple[Version, Digest]:
        if not digest.is_expected:
            self._discard()
            # Two halves may be of two files: once more, then, all in one piece.
            resumed, self.was_resumed, self.furthest = self.was_resumed, False, 0
            raise Trouble(
                f"gives a file with {digest.found}; {self.checksum_from} {self.checksum}",
                again=resumed,
            )
        self.partial.replace(self.target)
        self.notes.unlink(missing_ok=True)
        return version, digest

    def _discard(self) -> None:
        self.partial.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)

    def _output_error(self, error: OSError) -> OutputError:
        result = OutputError(
            f"{self.target}: cannot be written: {error.strerror or error}; make room, or set "
            f"FIRTH_CACHE to another folder"
        )
        result.errno = error.errno
        return result


def _version(address: str, response: BaseHTTPResponse, total: int | None) -> Version:
    headers = response.headers
    return Version(address, headers.get("ETag"), headers.get("Last-Modified"), total)


def _length(response: BaseHTTPResponse) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _user_agent() -> str:
    from importlib import metadata

    return f"firth/{metadata.version('firth')}"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a small file that is whole or not there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(json.dumps(content, indent=2) + "\n", encoding="ascii")
        beside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)

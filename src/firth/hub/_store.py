"""What was downloaded: where it lies, and how it is known to be what it should be.

::

    downloads/                       in firth's cache folder
        glove.6B.zip                 as it was published
        glove.6B.zip.json            its size, sha256 and time, from where and when it came
    downloads/addresses/5d41402abc4b/vectors.txt.gz    files that have no name but an address
    vectors/glove.6B.50d/            the model folder that was made of it

All of it may be deleted at any time, and any of it may be put there by hand. The note with the
checksum remains when a file is deleted: the next download must be the same.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import logging
import os
import re
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from firth.errors import DownloadError, ParameterError
from firth.storage import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firth.hub._sources import Source

logger = logging.getLogger("firth")

_NO = {"", "0", "false", "no", "off"}
_WAIT_BEFORE_TELLING = 1.0
# In bytes; systems have room for 255, and there are endings to come.
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Item:
    """A file that the network has: one of the catalogue, or an address.

    Attributes
    ----------
    name : str
        What the user calls it.
    addresses : tuple of str
        Where it is.
    path : Path
        Where it lies, or will lie, on this machine.
    published : str
        The address of its publisher.
    checksum : str or None
        The published one.
    homepage : str or None
        Where to look for it by hand.
    """

    name: str
    addresses: tuple[str, ...]
    path: Path
    published: str
    checksum: str | None = None
    homepage: str | None = None


@dataclass
class Record:
    """What is noted of a file beside it."""

    sha256: str
    size: int
    mtime_ns: int
    verified: str | None = None
    address: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    date: str = ""

    @property
    def checksum(self) -> str:
        """The checksum in the form of the catalogue."""
        return f"sha256:{self.sha256}"


def is_offline() -> bool:
    """Tell whether ``FIRTH_OFFLINE`` forbids the network."""
    return os.environ.get("FIRTH_OFFLINE", "").strip().casefold() not in _NO


def store_folder(name: str) -> Path:
    """Give a folder of the cache: "downloads" or "vectors".

    Raises
    ------
    DownloadError
        There is no place for a cache.
    """
    cache = cache_folder()
    if cache is None:
        raise DownloadError(
            "there is no place to keep downloads, as this user has no home; set FIRTH_CACHE to one"
        )
    return cache / name


def item_of_source(source: Source) -> Item:
    """Tell where the file of a source is, on the network and on this machine."""
    path = store_folder("downloads") / source.file
    addresses = (*_mirrors(source.file), *source.addresses)
    return Item(source.name, addresses, path, source.addresses[0], source.checksum, source.homepage)


def _mirrors(file: str) -> Iterator[str]:
    """Give the addresses that ``FIRTH_MIRROR`` adds: bases, to which the name is appended."""
    for base in os.environ.get("FIRTH_MIRROR", "").split():
        if not base.startswith(("http://", "https://")):
            raise ParameterError(
                f"FIRTH_MIRROR has {base!r}: give addresses that start with https:// or http://, "
                f"with spaces between them"
            )
        yield f"{base.rstrip('/')}/{file}"


def item_of_address(address: str) -> Item:
    """Tell where the file of an address lies on this machine.

    Raises
    ------
    ParameterError
        It is no address of a file.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError as error:
        raise ParameterError(f"{address!r} is no address: {error}") from error
    if not host or any(letter <= " " for letter in address):
        raise ParameterError(f"{address!r} is no address of a file")
    # A name that is safe on every system; what the file is, is told by its content.
    name = re.sub(r"[^\w.+-]", "_", unquote(parts.path).rpartition("/")[2])
    name = name.encode()[-_LONGEST_NAME:].decode(errors="ignore").lstrip(".")
    unique = hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    path = store_folder("downloads") / "addresses" / unique / (name or "file")
    return Item(address, (address,), path, address)


def obtain(item: Item, *, again: bool = False, show: bool | None = None) -> tuple[Path, Record]:
    """Give a file that is known to be the right one, downloading it where it is missing.

    Parameters
    ----------
    item : Item
        The file.
    again : bool
        Download it also where it is there, and take what comes for the right one where there is
        no published checksum.
    show : bool, optional
        Whether to show a progress bar.

    Raises
    ------
    DownloadError
        It is not there and cannot be downloaded, or it is not the right one.
    OutputError
        There is no room for it.
    """
    from firth.hub._fetch import fetch, write_json
    from firth.hub._http import shown

    if not again and (record := present(item)):
        return item.path, record
    if is_offline():
        raise DownloadError(
            f"{shown(item.name)} is not on this machine, and FIRTH_OFFLINE forbids to download it. "
            f"{_by_hand(item)}, or unset FIRTH_OFFLINE"
        )
    with locked(item.path, "download"):
        if not again and (record := present(item)):
            return item.path, record
        earlier = None if again else read_record(item.path)
        expected, says_who = item.checksum, "published is"
        if expected is None and earlier is not None:
            expected = earlier.checksum
            says_who = (
                f"the first download, of {earlier.date[:10]}, had (delete "
                f"{_record_path(item.path)} if the publisher replaced the file)"
            )
        try:
            version, digest = fetch(
                item.addresses, item.path, checksum=expected, checksum_from=says_who, show=show
            )
        except DownloadError as error:
            raise DownloadError(f"{error}. {_by_hand(item)}") from error.__cause__
        record = _record(
            item, digest.sha256, address=shown(version.address), etag=version.etag,
            last_modified=version.last_modified,
        )  # fmt: skip
        write_json(_record_path(item.path), asdict(record))
        return item.path, record


def present(item: Item) -> Record | None:
    """Tell what is known of a file that is there, None where there is none.

    A file that was put there by hand, or changed since, is read through once.
    """
    from firth.hub._checksums import Digest
    from firth.hub._fetch import write_json

    try:
        stat = item.path.stat()
    except OSError:
        return None
    record = read_record(item.path)
    unchanged = record and (record.size, record.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    if record and unchanged and record.verified == item.checksum:
        return record
    expected = item.checksum or (record.checksum if record else None)
    digest = Digest(expected)
    digest.update_from(item.path)
    if not digest.is_expected:
        said = "published is" if item.checksum else "when it was downloaded it had"
        raise DownloadError(
            f"{item.path}: this file has {digest.found}, but {said} {expected}; it is damaged or "
            f"another one: delete it, and it is downloaded anew"
        )
    record = _record(item, digest.sha256)
    with contextlib.suppress(OSError):  # a cache that may only be read
        write_json(_record_path(item.path), asdict(record))
    return record


def read_record(path: Path) -> Record | None:
    """Read what is noted of a file, whether the file is there or not."""
    try:
        record = Record(**json.loads(_record_path(path).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return record if re.fullmatch("[0-9a-f]{64}", str(record.sha256)) else None


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _record(
    item: Item,
    sha256: str,
    *,
    address: str | None = None,
    etag: str | None = None,
    last_modified: str | None = None,
) -> Record:
    stat = item.path.stat()
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Record(
        sha256, stat.st_size, stat.st_mtime_ns, item.checksum, address, etag, last_modified, now
    )


def _by_hand(item: Item) -> str:
    from firth.hub._http import shown

    where = f" (see {item.homepage})" if item.homepage else ""
    return f"To put it there by hand, save {shown(item.published)}{where} as {item.path}"


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Let no other process, and no other thread, work at a file or folder of the cache.

    What was made for it, folders and the lock itself, is gone afterwards where nothing came of it.
    """
    from filelock import FileLock, Timeout

    lock_path = path.with_name(f".{path.name}.lock")
    made = _make_parents(lock_path)
    lock = FileLock(lock_path, thread_local=False)
    try:
        try:
            lock.acquire(timeout=_WAIT_BEFORE_TELLING)
        except Timeout:
            logger.info("waiting for another process, which is at the same %s: %s", what, path.name)
            lock.acquire()
        try:
            yield
        finally:
            # Whoever waits for it sees that its file is gone, and makes a new one.
            lock_path.unlink(missing_ok=True)
            lock.release()
    finally:
        for folder in made:
            try:
                folder.rmdir()
            except OSError:
                break


def _make_parents(path: Path) -> list[Path]:
    """Make the folders above a file; returns the new ones, deepest first."""
    from firth.errors import OutputError

    missing = []
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        missing.append(folder)
        folder = folder.parent
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path.parent}: this folder cannot be made: {error.strerror or error}; set "
            f"FIRTH_CACHE to one that can"
        ) from error
    return missing

"""Files that all nodes can reach: on shared disks, in object stores, behind addresses."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from firth.errors import ParameterError, SourceError
from firth.text import TextSource, open_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class RemoteFile:
    """A file of text.

    Attributes
    ----------
    name : str
        Its path, absolute where it is one of this machine, or its address.
    size : int or None
        In bytes; None where that is not known.
    is_local : bool
        Whether it is a path, which all nodes must see.
    """

    name: str
    size: int | None
    is_local: bool

    @contextmanager
    def open(self, field: str | None, errors: str) -> Iterator[TextSource]:
        """Open the text of the file.

        Raises
        ------
        SourceError
            It cannot be read.
        """
        if self.is_local:
            yield open_text(Path(self.name), field=field, errors=errors)
            return
        filesystem, path = _filesystem(self.name)
        with _explained(self.name), filesystem.open(path, "rb") as file:
            yield open_text(cast("BinaryIO", _Named(file, self.name)), field=field, errors=errors)


class _Named:
    """A file with the name by which messages call it, and which tells what it holds."""

    def __init__(self, file: Any, name: str) -> None:
        self._file = file
        self.name = name.split("?", 1)[0]
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def seekable(self) -> bool:
        return bool(self._file.seekable())


def find_files(source: Any, field: str | None, errors: str) -> list[RemoteFile]:
    """Find the files that a caller means.

    Parameters
    ----------
    source : str, path, or list of these
        Paths, folders, patterns and addresses: ``s3://``, ``gs://``, ``hdfs://``, ``http://`` and
        whatever else fsspec or pyarrow can read.
    field, errors
        As for `open_text`; checked on the files of this machine.

    Raises
    ------
    SourceError
        There is no such file, or credentials are missing.
    ParameterError
        `source` is none of these, or a field is missing.
    """
    sources: Sequence[Any] = source if isinstance(source, list | tuple) else [source]
    if not sources or not all(isinstance(each, str | os.PathLike) for each in sources):
        raise ParameterError(
            f"the text for a cluster is {source!r:.60}: give a path, a pattern or an address, a "
            f"list of these, or the pair that encode_corpus returned"
        )
    found: list[RemoteFile] = []
    for each in map(os.fspath, sources):
        if each == "-":
            raise ParameterError(
                "standard input cannot be read by the nodes of a cluster: give files, or encode "
                "the text first with encode_corpus"
            )
        found += _remote_files(each) if "://" in each else _local_files(each, field, errors)
    return found


def _local_files(name: str, field: str | None, errors: str) -> list[RemoteFile]:
    told = open_text(Path(name) if Path(name).exists() else name, field=field, errors=errors)
    fingerprint: Any = told.fingerprint()
    if fingerprint is None:
        raise ParameterError(f"{name} can be read only once: give a file")
    files = zip(fingerprint["files"], fingerprint["sizes"], strict=True)
    return [RemoteFile(file, size, is_local=True) for file, size in files]


def _remote_files(address: str) -> list[RemoteFile]:
    filesystem, path = _filesystem(address)
    protocol = address.split("://", 1)[0]
    with _explained(address):
        if any(sign in path for sign in "*?[") and protocol not in {"http", "https"}:
            names = sorted(filesystem.glob(path))
        elif filesystem.isdir(path) and protocol not in {"http", "https"}:
            names = sorted(filesystem.find(path))
        else:
            names = [path]
        sizes = [filesystem.info(name).get("size") for name in names]
    if not names:
        raise SourceError(f"{address}: no file matches")
    return [
        RemoteFile(str(filesystem.unstrip_protocol(name)), size, is_local=False)
        for name, size in zip(names, sizes, strict=True)
    ]


def _filesystem(address: str) -> tuple[Any, str]:
    """Open a file system by fsspec, or by pyarrow where fsspec lacks the package for it."""
    import fsspec

    try:
        with _explained(address):
            return cast("tuple[Any, str]", fsspec.core.url_to_fs(address))
    except ImportError as missing:
        from fsspec.implementations.arrow import ArrowFSWrapper
        from pyarrow.fs import FileSystem

        try:
            filesystem, path = FileSystem.from_uri(address)
        except (OSError, ValueError) as error:
            raise SourceError(f"{address}: cannot be read: {error}; {missing}") from error
        return ArrowFSWrapper(filesystem), path


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """Tell what goes wrong in a file system as firth does."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"{address}: no such file") from error
    except ImportError:
        raise
    except PermissionError as error:
        raise SourceError(
            f"{address}: access is refused: {error}; all nodes need credentials for it"
        ) from error
    except Exception as error:
        # Each file system has errors of its own; those of missing credentials are named so.
        if isinstance(error, SourceError | ParameterError):
            raise
        kind = type(error).__name__
        if "redential" in kind or "redential" in str(error):
            what = f"credentials are missing: {error}; all nodes need them"
        elif isinstance(error, OSError | ValueError) or "Client" in kind:
            what = f"cannot be read: {error}"
        else:
            raise
        raise SourceError(f"{address}: {what}") from error

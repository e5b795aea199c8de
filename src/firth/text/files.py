"""Files to read: found by path, folder or pattern, and opened so that reading is counted."""

from __future__ import annotations

import glob
import io
import os
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from firth.compression import ZIP_MAGICS
from firth.errors import SourceError, TextError
from firth.text.records import record_format

if TYPE_CHECKING:
    from collections.abc import Iterator

STANDARD_INPUT = "standard input"


class CountedFile(io.RawIOBase):
    """A binary file that counts what is read from it, and tells errors as firth does.

    Parameters
    ----------
    file : binary file
        What to read; not closed with this one.
    name : str
        What messages call it.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__()
        self._file = file
        self.name = name
        self.n_read = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes; fewer only at the end, or where a stream returns fewer."""
        try:
            data = self._file.read(size)
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror or error}") from error
        if not isinstance(data, bytes):
            what = "nothing yet" if data is None else f"{type(data).__name__}, not bytes"
            raise TextError(f"{self.name} returned {what}: pass a blocking file open in mode 'rb'")
        self.n_read += len(data)
        return data

    def readable(self) -> bool:
        """Tell that this file can be read."""
        return True

    def seekable(self) -> bool:
        """Tell whether the file has a position that can be moved."""
        seekable = getattr(self._file, "seekable", None)
        return seekable is not None and bool(seekable())

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move the position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Give the position."""
        return self._file.tell()


@dataclass(frozen=True)
class TextFile:
    """A file to read, or a stream.

    Attributes
    ----------
    name : str
        What messages call it: the path as the caller gave it.
    path : Path or None
        Where it is; None for a stream.
    member : str or None
        The one member of a .zip archive to read.
    stream : binary file or None
        What to read when there is no path.
    size : int or None
        In bytes on disk; None when unknown.
    mtime_ns : int or None
        When it was modified; None for what can be read only once.
    is_named : bool
        Whether the name tells the format.
    """

    name: str
    path: Path | None = None
    member: str | None = None
    stream: BinaryIO | None = None
    size: int | None = None
    mtime_ns: int | None = None
    is_named: bool = True

    @property
    def is_stream(self) -> bool:
        """Whether it can be read only once."""
        return self.mtime_ns is None

    def record_format(self, field: str | None) -> str | None:
        """Tell the format of its records, None for plain text; see `record_format`.

        Without a name, a field can only be one of JSON lines.
        """
        if self.is_named:
            return record_format(self.name)
        return None if field is None else "jsonl"

    def is_zip(self) -> bool:
        """Look whether the file is a .zip archive, whose members have names of their own."""
        if self.is_stream or self.member is not None:
            return False
        with self.open() as file:
            return file.read(4) in ZIP_MAGICS

    def absolute_name(self) -> str:
        """Give the absolute path, with the member of the archive if it is one."""
        path = str(Path(self.path or self.name).resolve())
        return path if self.member is None else f"{path}/{self.member}"

    @contextmanager
    def open(self) -> Iterator[CountedFile]:
        """Open the file for reading; a stream is left open afterwards."""
        if self.stream is not None:
            yield CountedFile(self.stream, self.name)
            return
        if self.path is None:
            raise AssertionError("a text file has a path or a stream")
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise _unreadable(self.name, error) from error
        with file:
            yield CountedFile(file, self.name)


def find_files(source: str | os.PathLike[str]) -> list[TextFile]:
    """Find the files that a caller means by one path.

    Parameters
    ----------
    source : str or path
        A file, a folder (all files in it and below, in the order of their names, hidden ones left
        out), a glob pattern (``**`` for any folders), ``archive.zip/member.txt``, or ``-`` for
        standard input.

    Returns
    -------
    list of TextFile
        One or more.

    Raises
    ------
    SourceError
        There is no such file, or the folder or pattern has none.
    """
    name = os.fspath(source)
    if name == "-":
        return [_standard_input()]
    if not _exists(name):
        name = os.path.expanduser(name)  # noqa: PTH111 - Path() would drop "./" of messages
    if _exists(name):
        return _files_below(name) if Path(name).is_dir() else [_file(name)]
    member = _zip_member(name)
    if member is not None:
        return [member]
    if glob.has_magic(name):
        files = _files_matching(name)
        if not files:
            raise SourceError(f"no file matches the pattern {_shown(name)}")
        return files
    hint = ""
    if isinstance(source, str) and (" " in source or "\n" in source) and os.sep not in source:
        hint = "; a text itself goes into a list: [text]"
    parent = Path(name).parent
    if not hint and _exists(str(parent)) and parent.is_file():
        hint = f"; {parent} is a file, but no .zip archive that could have members"
    raise SourceError(f"no such file or folder: {_shown(name)}{hint}")


def stream_file(stream: BinaryIO, name: str | None = None) -> TextFile:
    """Describe an open binary file; its size is known where it is a plain file on disk."""
    own_name = getattr(stream, "name", None)
    is_named = name is None and isinstance(own_name, str)
    size = None
    # Only these: the number of a wrapper's file (GzipFile, for one) is that of other bytes.
    if isinstance(stream, (io.BufferedReader, io.FileIO)):
        try:
            status = os.fstat(stream.fileno())
            if stat.S_ISREG(status.st_mode):
                size = max(0, status.st_size - stream.tell())
        except (OSError, ValueError):
            size = None
    shown = name or (str(own_name) if is_named else f"the {type(stream).__name__}")
    return TextFile(shown, stream=stream, size=size, is_named=is_named)


def _standard_input() -> TextFile:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise SourceError("there is no standard input to read from")
    return stream_file(stream, STANDARD_INPUT)


def _exists(name: str) -> bool:
    try:
        return os.path.lexists(name)
    except ValueError:  # a NUL character
        return False


def _shown(name: str) -> str:
    return repr(name if len(name) <= 200 else name[:197] + "...")


def _by_parts(name: str) -> tuple[str, ...]:
    return Path(name).parts


def _unreadable(name: str, error: OSError) -> SourceError:
    what = error.strerror or str(error)
    hint = ": check its permissions" if isinstance(error, PermissionError) else ""
    return SourceError(f"{name} cannot be opened ({what}){hint}")


def _file(name: str) -> TextFile:
    path = Path(name)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise SourceError(f"{name} is a link to a file that is not there") from None
    except OSError as error:
        raise _unreadable(name, error) from error
    if not stat.S_ISREG(status.st_mode):
        # A named pipe, or what a shell passes for <(command).
        return TextFile(name, path, is_named=False)
    return TextFile(name, path, size=status.st_size, mtime_ns=status.st_mtime_ns)


def _files_matching(pattern: str) -> list[TextFile]:
    """Find the files of a pattern, and those below its folders, without the hidden ones."""
    matches = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path would drop "./" of names
    if "**" in pattern:
        # It has the files of its folders already; links that lead in a circle give more names of
        # them, of which the shortest is kept.
        names: dict[str, str] = {}
        for match in sorted(matches, key=len):
            if not Path(match).is_dir():
                names.setdefault(os.path.realpath(match), match)
        return [_file(name) for name in sorted(names.values(), key=_by_parts)]
    files: list[TextFile] = []
    for match in sorted(matches, key=_by_parts):
        is_folder = Path(match).is_dir()
        files += _files_below(match, may_be_empty=True) if is_folder else [_file(match)]
    return files


def _files_below(folder: str, *, may_be_empty: bool = False) -> list[TextFile]:
    names: list[str] = []
    # A link to a folder above this one would bring in what the caller did not name.
    seen = {str(parent) for parent in Path(os.path.realpath(folder)).parents}

    def fail(error: OSError) -> None:
        raise _unreadable(str(error.filename), error) from error

    # Links are followed, each folder once: corpora are often put together out of links.
    for place, folders, files in os.walk(folder, onerror=fail, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names += [os.path.join(place, name) for name in files if not name.startswith(".")]  # noqa: PTH118
    found = [_file(name) for name in sorted(names, key=_by_parts)]
    found = [file for file in found if not file.is_stream]
    if not found and not may_be_empty:
        raise SourceError(f"the folder {folder} has no files to read (hidden files are left out)")
    return found


def _zip_member(name: str) -> TextFile | None:
    """Read ``archive.zip/member.txt``, when that is what `name` means."""
    for parent in Path(name).parents:
        if _exists(str(parent)):
            if not parent.is_file():
                return None
            archive = _file(str(parent))
            if not archive.is_zip():
                return None
            member = Path(name).relative_to(parent).as_posix()
            return TextFile(name, parent, member, size=archive.size, mtime_ns=archive.mtime_ns)
    return None

"""Temporary copies of what formats must seek in, no larger than the disk allows."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from firth.errors import FirthError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A copy leaves this much of the disk to others.
_LEFT_FREE = 64 << 20
_CHECKED_EVERY = 16 << 20


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that is gone when the block ends."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="firth-"))
    except OSError as error:
        raise _no_room("a temporary folder", error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def temporary_copy(chunks: Iterable[bytes], name: str) -> BinaryIO:
    """Write a stream to a file without a name, which is gone when it is closed."""
    copy = None
    try:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the caller)
        _write(chunks, cast("BinaryIO", copy), name)
        copy.seek(0)
    except BaseException as error:
        if copy is not None:
            # Closing tries once more to write what is left.
            with suppress(OSError):
                copy.close()
        if not isinstance(error, OSError) or isinstance(error, FirthError):
            raise
        raise _no_room(name, error) from error
    return cast("BinaryIO", copy)


def copy_to_folder(chunks: Iterable[bytes], folder: Path, inside: str, name: str) -> Path:
    """Write a stream to a file in a temporary folder, which removes it."""
    path = folder / inside
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as copy:
            _write(chunks, copy, name)
    except FirthError:
        raise
    except OSError as error:
        raise _no_room(name, error) from error
    return path


def _write(chunks: Iterable[bytes], copy: BinaryIO, name: str) -> None:
    unchecked = 0
    for chunk in chunks:
        copy.write(chunk)
        unchecked += len(chunk)
        if unchecked >= _CHECKED_EVERY:
            unchecked = 0
            copy.flush()
            status = os.fstatvfs(copy.fileno())
            if status.f_bavail * status.f_frsize < _LEFT_FREE:
                raise _no_room(name, OSError("the disk is nearly full"))


def _no_room(name: str, error: OSError) -> OutputError:
    result = OutputError(
        f"{name}: has to be unpacked to disk to be read, and that failed "
        f"({error.strerror or error}): make room in {tempfile.gettempdir()}, or set TMPDIR to "
        f"another folder"
    )
    result.errno = error.errno
    return result

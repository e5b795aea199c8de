"""Files of a folder, or of an archive of one, with their places in it."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from firth.errors import SourceError, TextError

if TYPE_CHECKING:
    from collections.abc import Iterator

# A post, letter or article is far below this; what is above is something else.
MOST_BYTES = 64 << 20
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


def is_tree(source: str | os.PathLike[str]) -> bool:
    """Tell a folder or an archive, or a folder within an archive, from a file of records."""
    path = Path(source)
    return path.is_dir() or archive_of(path) is not None


def archive_of(path: Path) -> tuple[Path, str] | None:
    """Split ``posts.tar.gz/train`` into the archive and the folder in it; None if it is none."""
    for each in (path, *path.parents):
        if each.name.lower().endswith(_ARCHIVES) and each.is_file():
            inside = path.relative_to(each).as_posix()
            return each, "" if inside == "." else inside
    return None


def files_of(source: str | os.PathLike[str]) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Read the files of a folder or archive; hidden ones are left out.

    Yields
    ------
    place : PurePosixPath
        Where the file is, from the folder that was given.
    data : bytes
        What is in it.

    Raises
    ------
    SourceError
        If there is no such folder, or a file cannot be read.
    TextError
        If an archive is damaged, or a file is too large to be a text.
    """
    path = Path(source)
    archive = archive_of(path)
    if archive is None:
        yield from _files_of_folder(path)
        return
    file, inside = archive
    reader = _members_of_zip if file.suffix.lower() == ".zip" else _members_of_tar
    found = False
    for place, data in reader(file):
        if inside and not place.is_relative_to(inside):
            continue
        found = True
        yield place.relative_to(inside), data
    if not found:
        where = f" below {inside!r}" if inside else ""
        raise SourceError(f"the archive {file} has no files{where} (hidden ones are left out)")


def _is_hidden(place: PurePosixPath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in place.parts)


def _files_of_folder(folder: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    if not folder.exists():
        raise SourceError(f"no such folder: {folder}")

    def fail(error: OSError) -> None:
        raise SourceError(f"{error.filename} cannot be read ({error.strerror})") from error

    places = []
    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        places += [Path(parent, name) for name in names if not name.startswith(".")]
    for path in sorted(places):
        if not path.is_file():  # a pipe or a broken link
            continue
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise SourceError(f"{path} cannot be read ({error.strerror or error})") from error
        yield PurePosixPath(path.relative_to(folder).as_posix()), _checked(data, str(path))


def _members_of_tar(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        # As a stream: nothing of the archive is unpacked to disk, and it is read once.
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                place = PurePosixPath(member.name)
                if not member.isfile() or _is_hidden(place):
                    continue
                file = archive.extractfile(member)
                data = b"" if file is None else file.read(MOST_BYTES + 1)
                yield place, _checked(data, f"{path}/{place}")
    except (tarfile.TarError, EOFError, OSError, OverflowError, ValueError) as error:
        if isinstance(error, SourceError | TextError):
            raise
        raise TextError(
            f"{path} cannot be read as a tar archive ({error}): it is damaged or cut off. Check it "
            f"with 'tar tf', or get it again"
        ) from error


def _members_of_zip(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                place = PurePosixPath(member.filename)
                if member.is_dir() or _is_hidden(place):
                    continue
                with archive.open(member) as file:
                    yield place, _checked(file.read(MOST_BYTES + 1), f"{path}/{place}")
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError, ValueError) as error:
        if isinstance(error, SourceError | TextError):
            raise
        raise TextError(
            f"{path} cannot be read as a zip archive ({error}): it is damaged, cut off or "
            f"encrypted. Check it with 'unzip -t', or get it again"
        ) from error


def _checked(data: bytes, name: str) -> bytes:
    if len(data) > MOST_BYTES:
        raise TextError(
            f"{name} is larger than {MOST_BYTES >> 20} MiB: is it a text? Move it elsewhere"
        )
    return data

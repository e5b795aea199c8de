"""Archives of text, unpacked into a folder and nowhere else."""

from __future__ import annotations

import secrets
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from firth.compression import zip_errors
from firth.errors import FormatError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    Member = tuple[str, int, IO[bytes]]

# A folder has this note of what it was made of.
_MARK = ".firth-unpacked"
_BLOCK = 1 << 20


def unpack(archive: Path, folder: Path, sha256: str) -> Path:
    """Unpack a ``.zip`` or ``.tar.*`` into a folder, which appears whole.

    Parameters
    ----------
    archive : Path
        What was downloaded.
    folder : Path
        Where to; it is left alone when it was made of the same archive.
    sha256 : str
        Of the archive.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FormatError
        The archive is damaged, or one of its members would lie elsewhere, or is no plain file.
    OutputError
        There is no room for what is in it.
    """
    mark = folder / _MARK
    if mark.is_file() and mark.read_text(encoding="ascii", errors="replace") == sha256:
        return folder
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.partial")
    beside.mkdir()
    try:
        _unpack_into(archive, beside)
        (beside / _MARK).write_text(sha256, encoding="ascii")
        if folder.exists():
            folder.rename(beside / ".replaced")
            shutil.rmtree(beside / ".replaced")
        beside.rename(folder)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        result = OutputError(f"{folder}: cannot be written: {error.strerror or error}; make room")
        result.errno = error.errno
        raise result from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _unpack_into(archive: Path, folder: Path) -> None:
    room = shutil.disk_usage(folder).free
    try:
        for name, size, source in _members(archive):
            target = folder / _safe(archive, name)
            room -= size
            if room < 0:
                raise OutputError(
                    f"{archive}: there is no room on the disk for what is packed in it, from "
                    f"{name!r} on; make room"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            with source, target.open("xb") as file:
                _copy(archive, name, source, file, size)
    except zip_errors(tarfile.TarError, NotImplementedError, OverflowError, RuntimeError) as error:
        raise FormatError(
            f"{archive}: this archive is damaged: {error}; download it again"
        ) from error
    except FileExistsError as error:
        raise FormatError(f"{archive}: two members of this archive have the same name") from error


def _members(archive: Path) -> Iterator[Member]:
    """Go through the plain files in an archive: name, size, data."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
                    raise FormatError(f"{archive}: {info.filename!r} in it is no plain file")
                if not info.is_dir():
                    yield info.filename, info.file_size, packed.open(info)
        return
    with tarfile.open(archive) as tape:
        for member in tape:
            if member.isdir():
                continue
            if not member.isreg():
                raise FormatError(f"{archive}: {member.name!r} in it is no plain file but a link")
            data = tape.extractfile(member)
            if data is not None:
                yield member.name, member.size, data


def _safe(archive: Path, name: str) -> Path:
    """Check that a member lies below the folder that it is unpacked into."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = [part for part in path.parts if part != "."]
    if path.is_absolute() or not parts or ".." in parts or ":" in parts[0]:
        raise FormatError(
            f"{archive}: {name!r} in it would be unpacked outside of its folder; this is no "
            f"archive to be trusted"
        )
    return Path(*parts)


def _copy(archive: Path, name: str, source: IO[bytes], target: IO[bytes], size: int) -> None:
    """Copy a member; one that is larger than it claims would fill the disk."""
    left = size
    while block := source.read(min(_BLOCK, left + 1)):
        left -= len(block)
        if left < 0:
            raise FormatError(f"{archive}: {name!r} in it is larger than it claims to be")
        target.write(block)
    if left:
        raise FormatError(f"{archive}: {name!r} in it is cut off; download it again")

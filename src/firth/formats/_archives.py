"""Members of .zip and .tar archives: which one is meant, and its bytes."""

from __future__ import annotations

import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from firth.compression import COMPRESSION_SUFFIXES, UNPACKED_CHUNK, zip_errors
from firth.errors import FormatError, SourceError
from firth.formats._streams import FirthErrors, without_bombs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TAR_MAGIC = slice(257, 262)
MOST_MEMBERS = 100_000
# What lies beside vectors in archives and is none.
_COMPANIONS = {".md", ".rst", ".html", ".pdf", ".json", ".npy", ".py", ".sh", ".yaml", ".yml"}
_PAPERS = {"readme", "license", "licence", "copying", "notice", "changelog", "authors", "citation"}
_OFFICE_MEMBERS = {"[Content_Types].xml", "mimetype"}


def is_tar(head: bytes) -> bool:
    """Tell an archive of tar (POSIX, GNU) by its first 512 bytes."""
    return head[TAR_MAGIC] == b"ustar"


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes
    ----------
    name : str
        Its path in the archive.
    size : int
        Of its content, in bytes, as the archive says.
    handle : zipfile.ZipInfo or tarfile.TarInfo
        What the archive knows it by.
    """

    name: str
    size: int
    handle: zipfile.ZipInfo | tarfile.TarInfo


class ZipArchive:
    """A .zip archive in a file that can seek."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise FormatError(
                f"{name}: begins like a .zip archive but cannot be opened ({error}): it is damaged "
                f"or cut off, as its table of contents stands at the end. Get the file again"
            ) from error
        if not _OFFICE_MEMBERS.isdisjoint(self._zip.namelist()):
            raise FormatError(f"{name}: this is a document of an office program or an e-book")

    def members(self) -> Iterator[Member]:
        """List the files in it, in their order."""
        for info in self._zip.infolist():
            if info.filename and not info.is_dir():
                yield Member(info.filename, info.file_size, info)

    def chunks(self, member: Member) -> Iterator[bytes]:
        """Unpack a member."""
        name = f"{self.name}/{member.name}"
        info = cast("zipfile.ZipInfo", member.handle)
        n_unpacked = 0
        try:
            with self._zip.open(info) as file:
                unpacked = iter(lambda: file.read(UNPACKED_CHUNK), b"")
                for chunk in without_bombs(unpacked, lambda: info.compress_size, name):
                    n_unpacked += len(chunk)
                    yield chunk
        except NotImplementedError as error:
            raise FormatError(f"{name}: cannot be unpacked ({error}): unpack it first") from None
        except RuntimeError as error:
            if not info.flag_bits & 1:
                raise
            raise FormatError(f"{name}: is encrypted: unpack the archive first") from error
        except zip_errors(OSError) as error:
            if isinstance(error, FirthErrors):
                raise
            raise FormatError(
                f"{name}: damaged or cut off after {n_unpacked} unpacked bytes "
                f"({str(error) or 'the data end'}). Check the archive with 'unzip -t', or get it "
                f"again"
            ) from error


class TarArchive:
    """A .tar archive, read from the front."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self._file = file
        try:
            self._tar = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115 (the caller's file)
        except (tarfile.TarError, OverflowError, ValueError, OSError) as error:
            raise self._damaged(error) from error

    def members(self) -> Iterator[Member]:
        """List the files in it, in their order; read one before going on to the next."""
        n_members = 0
        try:
            while (info := self._tar.next()) is not None:
                n_members += 1
                if n_members > MOST_MEMBERS:
                    raise FormatError(
                        f"{self.name}: has more than {MOST_MEMBERS:,} members: unpack it first"
                    )
                if "\0" in info.name:
                    raise tarfile.ReadError(f"a name with a zero byte, {info.name[:60]!r}")
                # Holes of a sparse file could be of any size and cost nothing in the archive.
                if info.isreg() and not info.issparse():
                    yield Member(info.name, info.size, info)
                self._tar.members = []  # type: ignore[attr-defined]  # would keep all of them
        except (tarfile.TarError, OverflowError, ValueError, OSError) as error:
            raise self._damaged(error) from error

    def chunks(self, member: Member) -> Iterator[bytes]:
        """Unpack a member."""
        n_unpacked = 0
        try:
            file = self._tar.extractfile(cast("tarfile.TarInfo", member.handle))
            while file is not None and (chunk := file.read(UNPACKED_CHUNK)):
                n_unpacked += len(chunk)
                yield chunk
        except (tarfile.TarError, OverflowError, ValueError, OSError) as error:
            raise self._damaged(error) from error
        if n_unpacked < member.size:
            raise FormatError(
                f"{self.name}/{member.name}: the archive is cut off: {n_unpacked:,} of "
                f"{member.size:,} bytes are there. Get the file again"
            )

    def _damaged(self, error: Exception) -> Exception:
        if isinstance(error, FirthErrors):
            return error
        return FormatError(
            f"{self.name}: the .tar archive is damaged or cut off ({error}). Check it with "
            f"'tar -tf', or get it again"
        )


Archive = ZipArchive | TarArchive


def is_vector_file(name: str) -> bool:
    """Tell what may be a vector file in an archive by its name: not papers, not hidden files."""
    path = PurePosixPath(name)
    if any(part.startswith(".") or part == "__MACOSX" for part in path.parts):
        return False
    return (
        path.suffix.lower() not in _COMPANIONS
        and path.name.split(".")[0].lower() not in _PAPERS
        and not path.name.endswith("metadata.tsv")  # one of a pair
    )


def folders_in(members: Iterable[Member]) -> list[str]:
    """List the folders in an archive that are one whole: those with a ``config.json``.

    Also those with the list of modules of sentence-transformers.
    """
    found = []
    for member in members:
        path = PurePosixPath(member.name)
        if path.name in {"config.json", "modules.json"}:
            found.append("" if str(path.parent) == "." else str(path.parent))
    found = list(dict.fromkeys(found))
    return [f for f in found if not any(other != f and _is_below(f, other) for other in found)]


def _is_below(name: str, folder: str) -> bool:
    return not folder or PurePosixPath(name).is_relative_to(folder)


def choose_member(members: Sequence[Member], wanted: str | None, archive: str) -> Member:
    """Find the member that is asked for, or the only one that may hold vectors."""
    if wanted is not None:
        for member in members:
            if _plain(member.name) == _plain(wanted):
                return member
        names = [member.name for member in members]
        raise SourceError(f"{archive}: has no member {wanted!r}; {_listed(names)}")
    candidates = [member for member in members if is_vector_file(member.name)]
    if not candidates:
        names = [member.name for member in members]
        raise SourceError(f"{archive}: no file of vectors in this archive; {_listed(names)}")
    if len(candidates) > 1:
        names = [member.name for member in candidates]
        raise SourceError(
            f"{archive}: several files in this archive may be meant; {_listed(names)}. Name one: "
            f"{archive}/{names[0]}"
        )
    return candidates[0]


def _plain(name: str) -> str:
    return str(PurePosixPath(name))


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "it has no files"
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"it has {', '.join(map(repr, names[:10]))}{more}"


def without_compression(name: str) -> str:
    """Leave out the suffix of a compression."""
    lowered = name.lower()
    for suffix in COMPRESSION_SUFFIXES:
        if lowered.endswith(suffix):
            return name[: -len(suffix)]
    return name

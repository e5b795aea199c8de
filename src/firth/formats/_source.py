"""Where the bytes of a vector file come from: a path, compressed or in an archive, or a stream."""

from __future__ import annotations

import io
import os
import stat
from contextlib import ExitStack, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from firth.compression import (
    COMPRESSED_CHUNK,
    COMPRESSION_SUFFIXES,
    ZIP_MAGICS,
    Codec,
    decompress,
    find_codec,
)
from firth.errors import FormatError, ParameterError, SourceError
from firth.formats._archives import (
    Archive,
    Member,
    TarArchive,
    ZipArchive,
    choose_member,
    folders_in,
    is_tar,
    without_compression,
)
from firth.formats._copies import copy_to_folder, temporary_copy, temporary_folder
from firth.formats._streams import (
    READ_SIZE,
    ByteStream,
    ForwardFile,
    filled_from_chunks,
    filled_from_file,
    unreadable,
    without_bombs,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD_BYTES = 64 << 10
_TAR_HEAD = 512


class VectorSource:
    """The unpacked bytes of one vector file, read once from the front; or a folder.

    Compression (``.gz``, ``.bz2``, ``.xz``, ``.zst``) and archives (``.zip``, ``.tar``, also
    compressed) are told by their first bytes, not by names. In an archive the only file that may
    hold vectors is read, or the member that is asked for.

    Parameters
    ----------
    source : str, path or binary file
        A file or folder, also with ``~``; ``archive.zip/member``; or a file open in binary mode,
        from where it stands. It need not be able to seek, and is not closed.

    Attributes
    ----------
    name : str
        For messages.
    path : Path or None
        The file or folder itself where it lies on disk as it is (not compressed, not in an
        archive): for formats that map it or hand it to a library. A folder in an archive is
        unpacked, and `path` is where to.
    is_folder : bool
        Whether it is a folder, which has no bytes of its own.
    size : int or None
        The number of unpacked bytes, where it is known without unpacking and cannot be a lie.
    n_packed_bytes : int or None
        The size on disk, where it is known: of the archive, the compressed file.
    n_packed_read : int
        How much of that was read, for progress.

    Raises
    ------
    SourceError
        No such file, or it cannot be read; several files in an archive may be meant.
    FormatError
        A damaged archive or compressed file, in `read` and all other methods too.
    ParameterError
        `source` is neither a path nor a file in binary mode.

    Examples
    --------
    >>> import gzip, io
    >>> with VectorSource(io.BytesIO(gzip.compress(b"one 1 2"))) as source:
    ...     source.head, source.read(3), source.position
    (b'one 1 2', b'one', 3)
    """

    def __init__(self, source: str | os.PathLike[str] | BinaryIO) -> None:
        self.path: Path | None = None
        self.is_folder = False
        self.size: int | None = None
        self.n_packed_bytes: int | None = None
        self.n_packed_read = 0
        self.on_read: Callable[[int], object] | None = None
        self._source = source
        self._archive_path: str | None = None
        self._copy: BinaryIO | None = None
        self._stream = ByteStream(lambda _: 0)
        self._cleanup = ExitStack()
        try:
            if isinstance(source, str | os.PathLike):
                self.name = os.fspath(source)
                self._open_path()
            else:
                self._open_file(source)
            self._head = self._stream.peek(HEAD_BYTES)
        except BaseException:
            self.close()
            raise

    # --- reading --------------------------------------------------------------------------------

    @property
    def head(self) -> bytes:
        """The first 64 KiB, or all where there are fewer; does not move `position`."""
        return self._head

    @property
    def position(self) -> int:
        """How many unpacked bytes were read."""
        return self._stream.position

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end."""
        return self._stream.read(size)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill a buffer; returns the number of bytes that were read, fewer only at the end."""
        return self._stream.readinto(memoryview(buffer).cast("B"))

    def chunks(self, size: int = READ_SIZE) -> Iterator[bytes]:
        """Read the rest in pieces of `size` bytes, the last one shorter."""
        while chunk := self.read(size):
            yield chunk

    def read_exactly(self, size: int, what: str) -> bytes:
        """Return the next `size` bytes, or tell that the file ends inside of them.

        Parameters
        ----------
        size : int
            How many bytes there must be.
        what : str
            What they are, for the message: "the header".

        Raises
        ------
        FormatError
            The file is cut off.
        """
        if self.size is not None and size > self.size - self.position:
            self._raise_cut_off(size, what, self.size)
        at = self.position
        data = self.read(size)
        if len(data) < size:
            self._raise_cut_off(size, what, at + len(data), at)
        return data

    def _raise_cut_off(self, size: int, what: str, end: int, at: int | None = None) -> None:
        at = self.position if at is None else at
        raise FormatError(
            f"{self.name}: cut off: {what} takes {size:,} bytes from byte {at:,} on, but the file "
            f"ends at byte {end:,}. Get the file again"
        )

    # --- other ways to the same bytes -------------------------------------------------------------

    def seekable(self) -> BinaryIO:
        """Give the whole as a file that can seek, and be mapped: it has a `fileno`.

        The file itself where it lies on disk as it is, else a temporary copy, which is gone when
        this source is closed.

        Raises
        ------
        OutputError
            There is no room for the copy.
        """
        if self.path is not None and not self.is_folder:
            return self._cleanup.enter_context(self.path.open("rb"))
        if self._copy is None:
            with ExitStack() as stack:
                chunks = self._from_the_front(stack).chunks()
                self._copy = self._cleanup.enter_context(temporary_copy(chunks, self.name))
        self._copy.seek(0)
        return self._copy

    def on_disk(self) -> Path:
        """Give the path of a file with these bytes, for libraries that take nothing else.

        The file itself where it lies on disk as it is, else a temporary copy as of `seekable`.
        """
        if self.path is not None:
            return self.path
        folder = self._cleanup.enter_context(temporary_folder())
        with ExitStack() as stack:
            chunks = self._from_the_front(stack).chunks()
            name = PurePosixPath(without_compression(self.name)).name or "vectors"
            return copy_to_folder(chunks, folder, name, self.name)

    def _from_the_front(self, stack: ExitStack) -> VectorSource:
        """Give what reads all bytes from the first on: itself if nothing was read yet."""
        if self._copy is not None:
            self._copy.seek(0)
            return stack.enter_context(VectorSource(self._copy))
        if self.position == 0:
            return self
        if not isinstance(self._source, str | os.PathLike):
            raise AssertionError(  # noqa: TRY004 (a slip of a format, not of a caller)
                "a stream was read already: ask for a copy before"
            )
        return stack.enter_context(VectorSource(self._source))

    def sibling(self, name: str) -> VectorSource | None:
        """Open another file that lies beside this one, or in this folder, if it is there.

        Also in the same archive, and under its name with the suffix of a compression. It is closed
        with this source.
        """
        if self._archive_path is not None and not self.is_folder:
            member = PurePosixPath(self.name).parent / name
            with suppress(SourceError):
                return self._cleanup.enter_context(VectorSource(str(member)))
            return None
        place = self.path if self.is_folder else self._file_path
        if place is None:
            return None
        folder = place if self.is_folder else place.parent
        for suffix in ("", *COMPRESSION_SUFFIXES):
            other = folder / (name + suffix)
            if other.is_file():
                return self._cleanup.enter_context(VectorSource(other))
        return None

    def has_sibling(self, name: str) -> bool:
        """Tell whether `sibling` would find this file."""
        other = self.sibling(name)
        if other is not None:
            other.close()
        return other is not None

    def close(self) -> None:
        """Close what was opened, and remove what was unpacked."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- opening ----------------------------------------------------------------------------------

    _file_path: Path | None = None

    def _open_path(self) -> None:
        path, member = _locate(self.name)
        if path.is_dir():
            self.is_folder = True
            self.path = path
            return
        try:
            status = path.stat()
            file = self._cleanup.enter_context(path.open("rb"))
        except FileNotFoundError:
            raise SourceError(f"{self.name}: a link to a file that is not there") from None
        except OSError as error:
            raise unreadable(self.name, error) from error
        self._file_path = path
        is_regular = stat.S_ISREG(status.st_mode)
        if is_regular:
            self.n_packed_bytes = status.st_size
        name = str(path) if member else self.name
        self._open_layers(file, name, member, can_seek=is_regular)
        if is_regular and self._is_plain:
            self.path = path

    def _open_file(self, file: BinaryIO) -> None:
        if isinstance(cast("object", file), io.TextIOBase) or not hasattr(file, "read"):
            what = "a file in text mode" if hasattr(file, "read") else type(file).__name__
            raise ParameterError(
                f"a source of vectors is a path or a file open in mode 'rb', not {what}"
            )
        own_name = getattr(file, "name", None)
        self.name = own_name if isinstance(own_name, str) else f"the {type(file).__name__}"
        can_seek = False
        with suppress(AttributeError, OSError):
            can_seek = file.seekable()
        if can_seek:
            start = file.tell()
            self.n_packed_bytes = max(0, file.seek(0, os.SEEK_END) - start)
            file.seek(start)
        self._open_layers(file, self.name, None, can_seek=can_seek)

    def _open_layers(
        self, file: BinaryIO, name: str, wanted: str | None, *, can_seek: bool
    ) -> None:
        """Set `_stream` to the innermost bytes: of the member of an archive, unpacked."""
        start = file.tell() if can_seek else 0
        stream = self._packed(file, name)
        head = stream.peek(_TAR_HEAD)
        codec = find_codec(head, name, FormatError)
        self._is_plain = codec is None
        inner, inner_head = stream, head
        if codec is not None:
            inner = _unpacked(stream, codec, name)
            inner_head = inner.peek(_TAR_HEAD)
        is_zip = codec is None and head.startswith(ZIP_MAGICS)
        if not is_zip and not is_tar(inner_head):
            if wanted is not None:
                raise SourceError(
                    f"{name}/{wanted}: {name} is a file, but no archive that could have members"
                )
            self._stream = inner
            self.size = self.n_packed_bytes if codec is None else None
            return
        if not can_seek:
            chunks = iter(lambda: inner.read(READ_SIZE), b"")
            file = self._cleanup.enter_context(temporary_copy(chunks, name))
            self.n_packed_bytes = file.seek(0, os.SEEK_END)
            start, codec = 0, None

        def reopened() -> Archive:
            file.seek(start)
            if is_zip:
                return ZipArchive(cast("BinaryIO", _From(file, start) if start else file), name)
            self.n_packed_read = 0
            again = self._packed(file, name)
            if codec is not None:
                again = _unpacked(again, codec, name)
            return TarArchive(cast("BinaryIO", ForwardFile(again, name)), name)

        archive = reopened()
        members = list(archive.members())
        if is_zip and members and all(member.name.endswith(".npy") for member in members):
            # A file of NumPy, which is a .zip archive too.
            file.seek(start)
            self._stream = self._packed(file, name)
            self.size = self.n_packed_bytes
            return
        self._is_plain = False
        self._open_member(reopened, members, wanted, name)

    def _open_member(
        self,
        reopened: Callable[[], Archive],
        members: list[Member],
        wanted: str | None,
        archive_name: str,
    ) -> None:
        self._archive_path = archive_name
        folder = _folder_meant(members, wanted)
        if folder is not None:
            self.path = self._cleanup.enter_context(temporary_folder())
            self.is_folder = True
            archive = reopened()
            for member in archive.members():
                inside = _path_below(member.name, folder)
                if inside is not None:
                    copy_to_folder(archive.chunks(member), self.path, inside, self.name)
            return
        chosen = choose_member(members, wanted, archive_name)
        self.name = f"{archive_name}/{chosen.name}"
        archive = reopened()
        member = next(m for m in archive.members() if m.name == chosen.name)
        stream = ByteStream(filled_from_chunks(archive.chunks(member)))
        codec = find_codec(stream.peek(_TAR_HEAD), self.name, FormatError)
        if codec is not None:
            stream = _unpacked(stream, codec, self.name)
        head = stream.peek(_TAR_HEAD)
        if is_tar(head):
            raise FormatError(f"{self.name}: an archive inside of an archive: unpack it first")
        self._stream = stream

    def _packed(self, file: BinaryIO, name: str) -> ByteStream:
        fill = filled_from_file(file, name)

        def counted(buffer: memoryview) -> int:
            n = fill(buffer)
            self.n_packed_read += n
            if self.on_read is not None:
                self.on_read(n)
            return n

        return ByteStream(counted)


def _unpacked(stream: ByteStream, codec: Codec, name: str) -> ByteStream:
    packed = iter(lambda: stream.read(COMPRESSED_CHUNK), b"")
    chunks = decompress(packed, codec, name, FormatError)
    return ByteStream(filled_from_chunks(without_bombs(chunks, lambda: stream.position, name)))


def _folder_meant(members: list[Member], wanted: str | None) -> str | None:
    folders = folders_in(members)
    if wanted is None:
        return folders[0] if len(folders) == 1 else None
    names = {str(PurePosixPath(member.name)) for member in members}
    plain = str(PurePosixPath(wanted))
    return plain if plain in folders and plain not in names else None


def _path_below(name: str, folder: str) -> str | None:
    """Give the path of a member below a folder, unless it would lead out of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        return None
    try:
        return str(path.relative_to(folder)) if folder else str(path)
    except ValueError:
        return None


def _locate(name: str) -> tuple[Path, str | None]:
    """Split ``archive.zip/member``; the second part is None for all other paths."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~nobody
        path = Path(name)
    try:
        if os.path.lexists(path):
            return path, None
        for parent in path.parents:
            if parent.is_file():
                return parent, path.relative_to(parent).as_posix()
    except (ValueError, OSError) as error:  # a NUL character, a name too long
        raise SourceError(f"{_shown(name)}: cannot be the name of a file: {error}") from None
    hint = "check the spelling and where you are"
    if "://" in name:
        hint = "addresses are for firth.load, which downloads them"
    raise SourceError(f"{_shown(name)}: no such file or folder; {hint}")


def _shown(name: str) -> str:
    name = name if name.isprintable() else repr(name)
    return name if len(name) <= 200 else name[:197] + "..."


class _From(io.RawIOBase):
    """A file that begins where another one stands; `zipfile` seeks to what it takes for the top."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        super().__init__()
        self._file = file
        self._start = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset + (self._start if whence == os.SEEK_SET else 0), whence)

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(size)

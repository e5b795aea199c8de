"""Compressed bytes as a stream of decompressed chunks.

Formats are told by their first bytes, never by the file's name: a ``.gz`` that a web server has
already unpacked reads as the text that it is. Memory stays bounded whatever a file unpacks to,
because every decoder is asked for a limited piece at a time.
"""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from firth.errors import InputError

# What a decoder is given and asked for at a time: large enough that Python's share of the time
# does not show, small enough to stay in the last-level cache.
COMPRESSED_CHUNK = 256 << 10
UNPACKED_CHUNK = 1 << 20

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")


class Decoder(Protocol):
    """One member of a compressed file; the interface of ``bz2`` and ``lzma``."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether all that the input so far unpacks to has been returned."""

    @property
    def unused_data(self) -> bytes:
        """The input after the end of the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take more input, which may be empty, and return up to about `max_length` bytes."""


class _GzipDecoder:
    """A gzip member (RFC 1952) with the interface of ``bz2.BZ2Decompressor``."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int) -> bytes:
        text = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        # zlib may hold back output although it took all input: then the piece is full.
        self.needs_input = not self._inflate.unconsumed_tail and len(text) < max_length
        return text

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data


class _ZstdDecoder:
    """A Zstandard frame (RFC 8878) with the interface of ``bz2.BZ2Decompressor``.

    ``zstandard`` offers either bounded output (``stream_reader``, which takes a cut-off file for
    a complete one) or a known end (``decompressobj``, which returns all that its input unpacks
    to). This is the latter, fed in slices that shrink where the text repeats itself.
    """

    _largest_slice = 32 << 10
    _smallest_slice = 64

    def __init__(self) -> None:
        import zstandard

        decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 31)
        self._frame = decompressor.decompressobj()
        self._pending = memoryview(b"")
        self._slice = self._smallest_slice

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if data:
            self._pending = memoryview(bytes(self._pending) + data if self._pending else data)
        pieces = []
        length = 0
        while self._pending and not self._frame.eof and length < max_length:
            part, self._pending = self._pending[: self._slice], self._pending[self._slice :]
            piece = self._frame.decompress(part)
            pieces.append(piece)
            length += len(piece)
            if len(piece) > max_length:
                fitting = self._slice * max_length // len(piece)
                self._slice = max(self._smallest_slice, fitting)
            elif len(piece) < max_length // 4:
                self._slice = min(self._largest_slice, 2 * self._slice)
        return b"".join(pieces)

    @property
    def needs_input(self) -> bool:
        return not self._pending

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data + bytes(self._pending)


def _new_bz2() -> Decoder:
    import bz2

    return bz2.BZ2Decompressor()


def _new_xz() -> Decoder:
    import lzma

    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ)


def _damage() -> tuple[type[Exception], ...]:
    """List the errors by which decoders tell damage, without importing what is not in use."""
    errors: list[type[Exception]] = [zlib.error, OSError, EOFError, ValueError, MemoryError]
    if "lzma" in sys.modules:
        errors.append(sys.modules["lzma"].LZMAError)
    if "zstandard" in sys.modules:
        errors.append(sys.modules["zstandard"].ZstdError)
    return tuple(errors)


@dataclass(frozen=True)
class Codec:
    """A compression format: how it begins, how its file is named, what reads and checks it."""

    name: str
    magics: tuple[bytes, ...]
    suffixes: tuple[str, ...]
    new_decoder: Callable[[], Decoder]
    check_command: str

    def begins(self, head: bytes) -> bool:
        """Tell whether `head`, the first bytes of a file, are of this format."""
        return head.startswith(self.magics)

    def is_cut_in_magic(self, head: bytes, name: str) -> bool:
        """Tell whether a file named like this format ends before its magic bytes do."""
        return name.lower().endswith(self.suffixes) and any(
            len(head) < len(magic) and magic.startswith(head) for magic in self.magics
        )


_ZSTD_SKIPPABLE = tuple(bytes([0x50 + i]) + b"\x2a\x4d\x18" for i in range(16))

CODECS = (
    Codec("gzip", (b"\x1f\x8b\x08",), (".gz",), _GzipDecoder, "gzip -t"),
    # "BZh" alone could begin a text; a block or the end of the stream follows it.
    Codec(
        "bzip2",
        tuple(
            b"BZh%d" % level + follows
            for level in range(1, 10)
            for follows in (b"1AY&SY", b"\x17rE8P\x90")
        ),
        (".bz2",),
        _new_bz2,
        "bzip2 -t",
    ),
    Codec("xz", (b"\xfd7zXZ\x00",), (".xz",), _new_xz, "xz -t"),
    Codec(
        "zstd", (b"\x28\xb5\x2f\xfd", *_ZSTD_SKIPPABLE), (".zst", ".zstd"), _ZstdDecoder, "zstd -t"
    ),
)

COMPRESSION_SUFFIXES = tuple(suffix for codec in CODECS for suffix in codec.suffixes)

_FOREIGN = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "an lz4 file"),
    (b"\x1f\x9d", "a .Z file of compress"),
    (b"LZIP", "an lzip file"),
)


def find_codec(head: bytes, name: str, error: type[InputError]) -> Codec | None:
    """Tell the compression of a file by its first bytes.

    Parameters
    ----------
    head : bytes
        The first bytes of the file, 16 or more where it has as many.
    name : str
        The name of the file, for messages.
    error : type of InputError
        What to raise: the error of the room that reads.

    Returns
    -------
    Codec or None
        None when the bytes are not compressed.

    Raises
    ------
    InputError
        Of the type `error`: a compression that firth does not read, or a compressed file cut off in
        its first bytes.
    """
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise error(f"{name} is {what}, which firth does not read: unpack it first")
    for codec in CODECS:
        if codec.begins(head):
            return codec
        if codec.is_cut_in_magic(head, name):
            raise error(
                f"{name} is cut off: it ends after {len(head)} bytes, inside of the first bytes "
                f"of {codec.name} data. Get the file again"
            )
    return None


def decompress(
    chunks: Iterable[bytes], codec: Codec, name: str, error: type[InputError]
) -> Iterator[bytes]:
    """Decompress a stream of any number of members, one after the other.

    Parameters
    ----------
    chunks : iterable of bytes
        The compressed bytes, from the first.
    codec : Codec
        Their format.
    name : str
        The name of the file, for messages.
    error : type of InputError
        What to raise: the error of the room that reads.

    Yields
    ------
    bytes
        Pieces of about 1 MiB at most.

    Raises
    ------
    InputError
        Of the type `error`: the data are damaged, are cut off, or are followed by something else.
    """
    decoder: Decoder | None = None
    n_members = 0
    n_compressed = 0
    n_unpacked = 0
    for chunk in chunks:
        n_compressed += len(chunk)
        data = chunk
        while data:
            if decoder is None:
                # Archives on tape and some writers pad the end with NUL bytes.
                data = data.lstrip(b"\0") if n_members else data
                if not data:
                    break
                decoder = codec.new_decoder()
                n_unpacked_before = n_unpacked
            try:
                for text in _unpack(decoder, data):
                    n_unpacked += len(text)
                    yield text
            except _damage() as damage:
                where = f"between the bytes {n_compressed - len(chunk)} and {n_compressed}"
                if n_members and n_unpacked == n_unpacked_before:
                    raise error(
                        f"{name}: the {codec.name} data end {where} of the file, but are followed "
                        f"by something else ({damage}). Check the file with '{codec.check_command}'"
                    ) from damage
                raise error(
                    f"{name}: damaged {codec.name} data {where} of the file ({damage}); "
                    f"{n_unpacked} bytes could be unpacked. Check the file with "
                    f"'{codec.check_command}', or get it again"
                ) from damage
            data = b""
            if decoder.eof:
                data = decoder.unused_data
                decoder = None
                n_members += 1
    if decoder is not None:
        raise error(
            f"{name} is cut off: the {codec.name} data stop after {n_compressed} bytes, before "
            f"their end mark; {n_unpacked} bytes could be unpacked. Get the file again"
        )


def _unpack(decoder: Decoder, data: bytes) -> Iterator[bytes]:
    """Unpack `data` in limited pieces, as far as the member goes."""
    while True:
        text = decoder.decompress(data, UNPACKED_CHUNK)
        if text:
            yield text
        if decoder.eof or decoder.needs_input:
            return
        data = b""


def zip_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Name what Python's zipfile raises where a member of an archive is damaged, and others.

    Not OSError, which bz2 raises for damage, and the disk for its own.
    """
    import lzma
    import zipfile

    # UnicodeDecodeError: the name in front of the member is not the one in the list of members.
    damage = zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeDecodeError
    return *damage, *others

"""One file as blocks of UTF-8, whatever it is: plain, compressed, an archive, records."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, cast

from firth.compression import (
    COMPRESSED_CHUNK,
    UNPACKED_CHUNK,
    ZIP_MAGICS,
    decompress,
    find_codec,
    zip_errors,
)
from firth.errors import FirthError, ParameterError, SourceError, TextError
from firth.text.encoding import BLOCK_SIZE, cut_blocks, strip_mark, valid_blocks
from firth.text.records import (
    read_delimited,
    read_json_lines,
    read_parquet,
    record_format,
)

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterable, Iterator

    from firth.text.files import CountedFile, TextFile

_HEAD_SIZE = 16
_OFFICE_MEMBERS = {"[Content_Types].xml", "mimetype"}


def file_blocks(
    opened: CountedFile, file: TextFile, field: str | None, errors: str
) -> Iterator[bytes]:
    r"""Read one file.

    Parameters
    ----------
    opened : CountedFile
        The file, at its beginning.
    file : TextFile
        What is known about it.
    field : str or None
        The field of the text, for a file of records.
    errors : str
        The policy for bytes that are not UTF-8, as in ``open``.

    Yields
    ------
    bytes
        Valid UTF-8 that splits no token, at most about 8 MiB; the last of the file, and of each
        member and record, ends with ``\n``.

    Raises
    ------
    SourceError, TextError, ParameterError
        See `firth.text.TextSource.blocks`.
    """
    head, _ = _peek(_read(opened, _HEAD_SIZE))
    is_compressed = find_codec(head, file.name, TextError) is not None
    rest = _read(opened, COMPRESSED_CHUNK if is_compressed else BLOCK_SIZE)
    chunks = chain((head,), rest) if head else rest
    kind = file.record_format(field)
    if head.startswith(ZIP_MAGICS):
        with _seekable(opened, chunks, file.name) as archive:
            yield from _archive_blocks(archive, file, field, errors)
    elif kind == "parquet" and not is_compressed:
        with _seekable(opened, chunks, file.name) as table:
            texts = read_parquet(table, field, errors, file.name)
            yield from _cut_texts(texts, file.name)
    else:
        yield from _stream_blocks(head, chunks, kind, file.name, field, errors)


def field_of_plain_text(name: str, field: str) -> ParameterError:
    """Make the error for a field of what has none."""
    return ParameterError(
        f"{name} is read as plain text, which has no field {field!r}: leave out field=, or name "
        "the file after its format (.jsonl, .ndjson, .csv, .tsv, .parquet)"
    )


def _stream_blocks(
    head: bytes,
    chunks: Iterator[bytes],
    kind: str | None,
    name: str,
    field: str | None,
    errors: str,
) -> Iterator[bytes]:
    """Read what is not an archive, from its first byte to its last."""
    codec = find_codec(head, name, TextError)
    if codec is not None:
        chunks = decompress(chunks, codec, name, TextError)
    if kind == "parquet":
        with _seekable(None, chunks, name) as table:
            yield from _cut_texts(read_parquet(table, field, errors, name), name)
        return
    chunks, offset = strip_mark(chunks, name, errors)
    if kind is None:
        if field is not None:
            raise field_of_plain_text(name, field)
        yield from valid_blocks(cut_blocks(chunks, name), name, errors, offset)
    elif kind == "jsonl":
        yield from _cut_texts(read_json_lines(chunks, field, errors, name), name)
    else:
        tabs = kind == "tsv"
        yield from _cut_texts(read_delimited(chunks, field, errors, name, tabs=tabs), name)


def _archive_blocks(
    file: BinaryIO, archive: TextFile, field: str | None, errors: str
) -> Iterator[bytes]:
    """Read the members of a .zip archive in their order, or the one that is asked for."""
    import zipfile

    try:
        opened = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise TextError(
            f"{archive.name} begins like a .zip archive but cannot be opened ({error}): it is "
            "damaged or cut off, as its table of contents stands at the end. Get the file again"
        ) from error
    with opened:
        names = set(opened.namelist())
        if not names.isdisjoint(_OFFICE_MEMBERS):
            raise TextError(
                f"{archive.name} is a document of an office program or e-book, not a .zip archive "
                "of texts: save it as plain text"
            )
        for member in _chosen_members(opened, archive):
            name = archive.name if archive.member else f"{archive.name}/{member.filename}"
            kind = record_format(member.filename)
            if kind is None and not archive.member:
                kind = record_format(archive.name)
            if kind is None and field is not None:
                raise field_of_plain_text(name, field)
            head, chunks = _peek(_read_member(opened, member, name))
            if head.startswith(ZIP_MAGICS):
                raise TextError(f"{name} is an archive inside of an archive: unpack it first")
            yield from _stream_blocks(head, chunks, kind, name, field, errors)


def _chosen_members(opened: zipfile.ZipFile, archive: TextFile) -> list[zipfile.ZipInfo]:
    members = [member for member in opened.infolist() if not member.is_dir()]
    if archive.member is not None:
        chosen = [member for member in members if member.filename == archive.member]
        if not chosen:
            have = [repr(member.filename) for member in members]
            more = f" and {len(have) - 10} more" if len(have) > 10 else ""
            raise SourceError(
                f"the archive {archive.path} has no member {archive.member!r}; it has "
                f"{', '.join(have[:10]) or 'none'}{more}"
            )
        return chosen
    # Finder adds a folder __MACOSX of what is no text.
    chosen = [
        member
        for member in members
        if not any(
            part.startswith(".") or part == "__MACOSX" for part in member.filename.split("/")
        )
    ]
    if not chosen:
        raise SourceError(
            f"the archive {archive.name} has no files to read (hidden ones are left out)"
        )
    return chosen


def _read_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Iterator[bytes]:

    n_text = 0
    try:
        with opened.open(member) as file:
            while chunk := file.read(UNPACKED_CHUNK):
                n_text += len(chunk)
                yield chunk
    except NotImplementedError as error:
        raise TextError(f"{name} cannot be unpacked by firth ({error}): unpack it first") from None
    except RuntimeError as error:
        if not member.flag_bits & 1:
            raise
        raise TextError(f"{name} is encrypted: unpack the archive first") from error
    except zip_errors() as error:
        raise TextError(
            f"{name} is damaged or cut off after {n_text} bytes of its text "
            f"({str(error) or 'the data end'}). Check the archive with 'unzip -t', or get it again"
        ) from error


def _cut_texts(texts: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Cut the texts that are longer than two blocks."""
    for text in texts:
        if len(text) <= 2 * BLOCK_SIZE:
            yield text
        else:
            yield from cut_blocks((text,), name)


def _read(file: CountedFile, size: int) -> Iterator[bytes]:
    while chunk := file.read(size):
        yield chunk


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Give the first bytes of a stream, and the whole stream."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= _HEAD_SIZE:
            break
    return head, chain((head,), chunks) if head else chunks


@contextmanager
def _seekable(opened: CountedFile | None, chunks: Iterable[bytes], name: str) -> Iterator[BinaryIO]:
    """Give a file that can be sought in: `opened` where it can, else a copy on disk of `chunks`."""
    if opened is not None and opened.seekable():
        opened.seek(0)
        yield cast("BinaryIO", opened)
        return
    with _copy_on_disk(chunks, name) as copy:
        yield copy


def _copy_on_disk(chunks: Iterable[bytes], name: str) -> BinaryIO:
    """Write a stream to a temporary file, which goes away when it is closed."""
    import tempfile

    copy = None
    try:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the caller
        for chunk in chunks:
            copy.write(chunk)
        copy.seek(0)
    except BaseException as error:
        if copy is not None:
            # Closing tries once more to write what is left.
            with suppress(OSError):
                copy.close()
        if not isinstance(error, OSError) or isinstance(error, FirthError):
            raise
        raise SourceError(
            f"{name} has to be copied to disk to be read, and that failed "
            f"({error.strerror or error}): make room in the folder for temporary files, or set "
            "TMPDIR to another one"
        ) from error
    return cast("BinaryIO", copy)

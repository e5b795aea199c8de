"""Writing vectors in any format: whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from firth.errors import OutputError, ParameterError
from firth.formats._registry import FORMATS, format_named
from firth.storage import output_errors, write_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firth.formats._format import Format
    from firth.formats._table import VectorTable

_COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")


def write_vectors(
    table: VectorTable,
    target: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 (the word of the field)
) -> None:
    """Write word vectors in any format that can be written.

    A file or folder appears whole under its name, or not at all. A file that was there is
    replaced; a folder only when it is empty or firth wrote it.

    Parameters
    ----------
    table : VectorTable
        What to write.
    target : str or path
        Where to; compressed when the name ends in ``.gz``, ``.bz2``, ``.xz`` or ``.zst``.
    format : str, optional
        The name of the format, one of `FORMATS`; else told by the ending of the target: the folder
        of firth where there is none.

    Raises
    ------
    ParameterError
        There is no such format, or it cannot be written, or the ending of the target is of none.
    OutputError
        The target cannot be written, or is a folder that must not be replaced.
    """
    path = Path(target).expanduser()
    chosen = format_by_name(path.name, table) if format is None else format_named(format)
    if chosen.name != "firth":
        table = table.in_floats()
    if chosen.write_folder is not None:
        if path.suffix.lower() in _COMPRESSIONS:
            raise ParameterError(f"{path}: {chosen.title} is a folder, which is not compressed")
        with write_folder(path) as folder:
            chosen.write_folder(table, folder)
    elif chosen.write_file is not None:
        with new_file(path) as file:
            chosen.write_file(table, file)
    else:
        can = [name for name, each in FORMATS.items() if each.write_file or each.write_folder]
        raise ParameterError(
            f"format {chosen.name!r} can be read but not written; use one of {', '.join(can)}"
        )


def format_by_name(name: str, table: VectorTable) -> Format:
    """Tell the format to write a table in from the name of a file or folder."""
    lowered = name.lower()
    for suffix in _COMPRESSIONS:
        lowered = lowered.removesuffix(suffix)
    suffixes = [
        (len(suffix), each)
        for each in FORMATS.values()
        for suffix in each.suffixes
        if lowered.endswith(suffix) and (each.write_file or each.write_folder)
    ]
    if suffixes:
        longest = max(length for length, _ in suffixes)
        named = [each for length, each in suffixes if length == longest]
        suited = [each for each in named if each.suits is not None and each.suits(table)]
        common = [each for each in named if each.suits is None]
        return (suited + common + named)[0]
    if "." not in lowered:
        return FORMATS["firth"]
    known = sorted({s for f in FORMATS.values() if f.write_file for s in f.suffixes})
    raise ParameterError(
        f"{name}: no format is known by this ending; use one of {', '.join(known)}, or name the "
        f"format: one of {', '.join(FORMATS)}"
    )


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside its target and move it into place when the block ends."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        what = "a folder, not a file" if path.is_dir() else "there and is no file"
        raise OutputError(f"{path}: this is {what}; choose another name")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: cannot be written: no such folder as {path.parent}; make it")
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with output_errors(path), _new(beside) as file:
            packed = _packing(file, path.suffix.lower())
            try:
                yield packed
                if packed is not file:
                    packed.close()
            except BaseException:
                _abandon(packed)
                raise
            file.flush()
            os.fsync(file.fileno())
        with output_errors(path):
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _new(path: Path) -> BinaryIO:
    return path.open("xb")


def _abandon(file: BinaryIO) -> None:
    """Close a file of which nothing is wanted any more, though closing writes what is left."""
    with suppress(OSError):
        file.close()


def _packing(file: BinaryIO, suffix: str) -> BinaryIO:
    if suffix == ".gz":
        import gzip

        return cast("BinaryIO", gzip.GzipFile("", "wb", fileobj=file, compresslevel=6, mtime=0))
    if suffix == ".bz2":
        import bz2

        return cast("BinaryIO", bz2.BZ2File(file, "wb"))
    if suffix == ".xz":
        import lzma

        return cast("BinaryIO", lzma.LZMAFile(file, "wb"))
    if suffix == ".zst":
        import zstandard

        return cast("BinaryIO", zstandard.ZstdCompressor().stream_writer(file, closefd=False))
    return file

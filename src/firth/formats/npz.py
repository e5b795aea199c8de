"""``.npz`` files as GluonNLP shipped its embeddings.

A zip archive of NumPy with the members::

    idx_to_token.npy    the words: an array of objects, which NumPy writes as a pickle; or of
                        fixed-width texts (kinds U and S)
    idx_to_vec.npy      float32 (n_words, vector_size)
    unknown_token.npy   a text: the word that stands for all unknown ones; empty where there is none
    counts.npy          int64 (n_words,), ours: how often each word was seen

The pickle is read by `firth.formats.restricted_pickle`, which runs nothing. Written are fixed-width
texts (UTF-32, as wide as the longest word), so that ``numpy.load`` opens the file without
``allow_pickle``; GluonNLP reads both.
"""

from __future__ import annotations

import zipfile
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy_format

from firth.compression import zip_errors
from firth.errors import FormatError, OutputError
from firth.formats._chooser import WORDS_A_BLOCK, RowChooser, make_chosen_table
from firth.formats._format import Format
from firth.formats._npy import NpzArchive
from firth.formats._table import LoadReport
from firth.formats.restricted_pickle import PickledArray, load_restricted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable

_NAME = "npz"
_WORDS, _VECTORS, _UNKNOWN, _COUNTS = "idx_to_token", "idx_to_vec", "unknown_token", "counts"
_BLOCK_BYTES = 4 << 20
# All words are as wide as the longest one; beyond this a file would be of padding only.
_MOST_PADDING_BYTES = 16 << 30


def _recognise(source: VectorSource) -> bool:
    # The archive's own list stands at its end, but NumPy names the first member like this.
    head = source.head
    return not source.is_folder and head.startswith(b"PK\x03\x04") and b".npy" in head[30:160]


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    archive = NpzArchive(source)
    report = LoadReport(_NAME, source.name)
    for member in (_WORDS, _VECTORS):
        if member not in archive:
            raise FormatError(
                f"{source.name}: an archive of NumPy without the array {member!r}; vectors have "
                f"{_WORDS!r} and {_VECTORS!r}, this has {', '.join(archive.names[:8])}"
            )
    chooser = RowChooser(options, report)
    counts = archive.numbers(_COUNTS) if _COUNTS in archive else None
    for words in _words(archive):
        if chooser.is_full:
            break
        part = slice(chooser.n_seen, chooser.n_seen + len(words))
        chooser.add(words, _part_of(counts, part))
    matrix = archive.numbers(_VECTORS)
    unknown = _unknown_word(archive)
    config = {"unknown_word": unknown} if unknown else {}
    return make_chosen_table(chooser, matrix, options, report, config=config)


def _part_of(counts: np.ndarray[Any, Any] | None, part: slice) -> np.ndarray[Any, Any] | None:
    fits = counts is not None and counts.ndim == 1 and counts.dtype.kind in "iu"
    return counts[part] if fits and counts is not None and len(counts) >= part.stop else None


def _words(archive: NpzArchive) -> Iterator[Sequence[str | bytes]]:
    _file, header, _where = archive.open(_WORDS)
    if header.dtype.kind != "O":
        yield from archive.words(_WORDS)
        return
    words = _objects(archive, _WORDS)
    if not all(isinstance(word, str | bytes) for word in words):
        raise FormatError(f"{archive.name}: {_WORDS!r} has something that is no text")
    for begin in range(0, len(words), WORDS_A_BLOCK):
        yield words[begin : begin + WORDS_A_BLOCK]


def _objects(archive: NpzArchive, member: str) -> list[Any]:
    """Read an array of Python objects, as texts."""
    file, header, where = archive.open(member)
    try:
        data = file.read()
    except zip_errors(OSError, NotImplementedError) as error:
        raise FormatError(f"{where}: cannot be unpacked: {error}") from error
    array = load_restricted(data, where)
    if not isinstance(array, PickledArray) or not isinstance(array.values, list):
        raise FormatError(f"{where}: the pickle in it is no array of words")
    if array.shape != header.shape:
        raise FormatError(
            f"{where}: its header claims the shape {header.shape}, its pickle {array.shape}"
        )
    return [bytes(word) if isinstance(word, memoryview) else word for word in array.values]


def _unknown_word(archive: NpzArchive) -> str:
    """Give the word that stands for all unknown ones; empty where there is none."""
    if _UNKNOWN not in archive:
        return ""
    file, header, where = archive.open(_UNKNOWN)
    if header.shape != ():
        return ""
    if header.dtype.kind == "O":
        word = _objects(archive, _UNKNOWN)[0]
    elif header.dtype.kind in "US" and header.dtype.itemsize < 1 << 16:
        data = file.read(header.dtype.itemsize)
        if len(data) < header.dtype.itemsize:
            raise FormatError(f"{where}: cut off after {len(data):,} bytes")
        word = np.frombuffer(data, header.dtype)[0] if data else ""
    else:
        return ""
    if isinstance(word, bytes):
        return word.decode("utf-8", "replace")
    return str(word) if isinstance(word, str) else ""


def _write(table: VectorTable, file: BinaryIO) -> None:
    n_words = len(table.vocab)
    width = _widest(table)
    if n_words * width * 4 > _MOST_PADDING_BYTES:
        raise OutputError(
            f"the longest word has {width:,} characters, and a .npz file has all {n_words:,} words "
            f"at that width, {n_words * width * 4 / (1 << 30):,.0f} GiB; write another format, or "
            f"leave that word out"
        )
    unknown = table.config.get("unknown_word", "")
    out = cast("BinaryIO", _WriteOnly(file))
    with zipfile.ZipFile(out, "w") as archive:
        with _member(archive, _WORDS) as member:
            _write_header(member, (n_words,), np.dtype(f"<U{width}"))
            words = table.vocab.words
            for begin in range(0, n_words, WORDS_A_BLOCK):
                block = words[begin : begin + WORDS_A_BLOCK]
                member.write(np.array(block, f"<U{width}").tobytes())
        with _member(archive, _VECTORS) as member:
            _write_header(member, table.vectors.shape, np.dtype("<f4"))
            step = max(1, _BLOCK_BYTES // (4 * table.vectors.shape[1]))
            for begin in range(0, n_words, step):
                member.write(table.vectors[begin : begin + step].astype("<f4").tobytes())
        if table.vocab.counts.any():
            with _member(archive, _COUNTS) as member:
                _write_header(member, (n_words,), np.dtype("<i8"))
                member.write(table.vocab.counts.astype("<i8").tobytes())
        with _member(archive, _UNKNOWN) as member:
            text = np.array(unknown if isinstance(unknown, str) else "")
            _write_header(member, (), text.dtype)
            member.write(text.tobytes())


class _WriteOnly:
    """A file without `seek` and `tell`, which files that compress have but cannot use backwards."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write
        self.flush = file.flush


def _widest(table: VectorTable) -> int:
    """Give the number of characters of the longest word."""
    widest = 1
    words = table.vocab.words
    for begin in range(0, len(words), WORDS_A_BLOCK):
        block = words[begin : begin + WORDS_A_BLOCK]
        widest = max(widest, *map(len, block))
        for word in block:
            if word.endswith("\0"):
                raise OutputError(
                    f"the word {word!r} ends with the character NUL, which NumPy takes for padding "
                    f"in a .npz file; write another format, or leave that word out"
                )
    return widest


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Begin an array; the padding of words is packed, vectors would hardly get smaller."""
    # A fixed date, so that the same vectors make the same file.
    info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_STORED if name == _VECTORS else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return archive.open(info, "w", force_zip64=True)


def _write_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    header = {
        "descr": npy_format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    npy_format.write_array_header_1_0(cast("Any", file), header)


NPZ = Format(
    name=_NAME,
    title="NumPy's .npz, as GluonNLP has it",
    suffixes=(".npz",),
    recognise=_recognise,
    read=_read,
    write_file=_write,
)

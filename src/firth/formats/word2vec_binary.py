r"""word2vec's binary format.

::

    <rows> <dims>\n                        as text
    <word> 0x20 <dims x float32> [\n]      for each word, little-endian

word2vec.c and fastText's converters end each row with a line end, gensim and Google do not; both
are read, and gensim's are written. A word ends at its first space and can have none. word2vec.c
cuts words off after some number of bytes, perhaps inside of a character.
"""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from firth.errors import FormatError
from firth.formats._blocks import Blocks
from firth.formats._format import Format
from firth.formats._header import Header, read_header
from firth.formats._rows import counted, new_rows, table_of_rows, what_is_left
from firth.formats._table import LoadReport
from firth.formats._text_words import check_spaceless_words
from firth.machine import usable_cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth import _core
    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable

_TEXT_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?[ \t\r\n]|[-+]?(nan|inf)", re.I)
_NO_LIMIT = 2**64 - 1
_ROWS_LOOKED_AT = 16
_FEW = 6
_BYTES_WRITTEN = 4 << 20


def _recognise(source: VectorSource) -> bool:
    header = read_header(source)
    if header is None:
        return False
    rest = source.head[header.length :]
    space = rest.find(b" ")
    # A line of text goes on with a number; that four bytes of a float32 look like one, and a space
    # follows them, happens once in a billion files.
    return space >= 0 and rest[space + 1 :] != b"" and not _TEXT_NUMBER.match(rest, space + 1)


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    header = read_header(source)
    if header is None:
        raise FormatError(
            f"{source.name}: does not begin with the header of word2vec, two whole numbers in a "
            f"line: rows and dims"
        )
    header.check(source, options, least_row=4 * header.dims + 1)
    _refuse_big_endian(source, header)
    report = LoadReport(
        "word2vec-binary", source.name, rows_claimed=header.rows, notes=header.notes
    )
    source.read(header.length)
    rows = new_rows(header.dims, options)
    if source.size is not None and options.only is None:
        most = source.size // (4 * header.dims + 1) + 1
        rows.reserve(min(header.rows, options.limit or most, most))
    with closing(Blocks(source)) as blocks:
        _read_rows(rows, blocks, header, options, report)
    return table_of_rows(rows, options, report)


def _read_rows(
    rows: _core.WordRows,
    blocks: Blocks,
    header: Header,
    options: ReadOptions,
    report: LoadReport,
) -> None:
    n_threads = usable_cores()
    n_left = 0
    while not rows.is_full and blocks.advance(n_left):
        n_parsed = 0
        n_before = rows.counts["rows_read"]
        if n_before < header.rows:
            n_parsed = rows.parse_binary(
                blocks.data, blocks.length, min(header.rows - n_before, _NO_LIMIT), n_threads
            )
            _check(rows, blocks, 0, report)
            if rows.counts["rows_read"] == header.rows:
                rows.mark()
        if rows.counts["rows_read"] >= header.rows:
            # What a header that counts too few leaves out.
            rest = blocks.data[n_parsed:]
            n_parsed += rows.parse_binary(rest, blocks.length - n_parsed, _NO_LIMIT, n_threads)
            if rows.binary_problem is not None:
                break
        n_left = blocks.length - n_parsed
    if rows.is_full:
        return
    n_rows = rows.counts["rows_read"]
    end = blocks.offset + blocks.length
    left = blocks.data[blocks.length - n_left : blocks.length].tobytes()
    if n_rows >= header.rows and (rows.binary_problem is not None or left.strip(b"\n\0 ")):
        # No rows, then, but something else behind the last one.
        rows.cut_back_to_mark()
        n_rows = rows.counts["rows_read"]
        said = "something else than rows stands behind the last one, and was left out"
        if options.strict:
            raise FormatError(f"{report.source}: {said}; strict=True refuses that")
        report.notes.append(said)
    if n_rows < header.rows - 1 or (n_rows < header.rows and left.strip(b"\n")):
        raise FormatError(
            f"{report.source}: cut off: the header says {counted(header.rows, 'row')}, but the "
            f"file ends at byte {end:,}, in row {n_rows + 1:,}, which begins at byte "
            f"{end - len(left):,}. Get it again{what_is_left(n_rows)}"
        )
    said = f"the header says {counted(header.rows, 'row')}, and there are {n_rows:,}"
    if n_rows != header.rows:
        if options.strict:
            raise FormatError(f"{report.source}: {said}; strict=True refuses that")
        report.notes.append(said)


def _check(rows: _core.WordRows, blocks: Blocks, begin: int, report: LoadReport) -> None:
    if rows.binary_problem is None:
        return
    kind, row, offset, length = rows.binary_problem
    begin += offset
    where = f"{report.source}, row {row + 1:,} (byte {blocks.offset + begin:,})"
    if kind == "bad_word":
        word = blocks.data[begin : begin + min(length, 200)].tobytes()
        raise FormatError(
            f"{where}: the word is not UTF-8: {word!r}; errors='replace' or 'ignore' repairs it"
        )
    raise FormatError(
        f"{where}: no space within {length:,} bytes, which would end the word; the rows before it "
        f"do not have the size that the header says, or the file is damaged"
    )


def _refuse_big_endian(source: VectorSource, header: Header) -> None:
    """Refuse numbers that make no sense as they are and good sense the other way round."""
    numbers = _first_numbers(source.head[header.length :], header)
    numbers = numbers[numbers.view(np.uint32) != 0]
    # A few numbers may be anything. Of many, a quarter looks well the wrong way round too.
    if len(set(numbers.view(np.uint32).tolist())) < _FEW:
        return
    if _plausible(numbers) < 0.5 and _plausible(numbers.byteswap()) > 0.95:
        raise FormatError(
            f"{source.name}: its numbers are big-endian: written by a program on such a host. "
            f"firth reads little-endian files only; write it as text there and read that"
        )


def _first_numbers(data: bytes, header: Header) -> NDArray[np.float32]:
    n_bytes = 4 * header.dims
    at = 0
    pieces = []
    for _ in range(min(header.rows, _ROWS_LOOKED_AT)):
        space = data.find(b" ", at)
        if space < 0:
            break
        piece = data[space + 1 : space + 1 + n_bytes]
        pieces.append(piece[: len(piece) // 4 * 4])
        at = space + 1 + n_bytes
    return np.frombuffer(b"".join(pieces), "<f4")


def _plausible(numbers: NDArray[np.float32]) -> float:
    """Tell how many of some numbers, from 0 to 1, have a size that vectors have."""
    with np.errstate(invalid="ignore"):  # NaN that signals
        sizes = np.abs(numbers)
        return float(((sizes > 1e-12) & (sizes < 1e6)).mean())


def _write(table: VectorTable, file: BinaryIO) -> None:
    n_words, dims = table.vectors.shape
    vocab = table.vocab
    check_spaceless_words(vocab, WORD2VEC_BINARY.title)
    file.write(b"%d %d\n" % (n_words, dims))
    step = max(1, _BYTES_WRITTEN // (4 * dims))
    for begin in range(0, n_words, step):
        end = min(n_words, begin + step)
        block = np.ascontiguousarray(table.vectors[begin:end], "<f4")
        words = vocab.words_at(np.arange(begin, end))
        pieces = []
        for word, row in zip(words, block, strict=True):
            pieces += [word.encode(), b" ", row.data]
        file.write(b"".join(pieces))


WORD2VEC_BINARY = Format(
    "word2vec-binary",
    "word2vec, binary",
    (".bin", ".w2v.bin"),
    _recognise,
    _read,
    write_file=_write,
)

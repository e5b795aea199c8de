"""Lines of words and numbers, whether a header stands above them or not."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from firth import _core
from firth.errors import FormatError
from firth.formats._blocks import Blocks
from firth.formats._rows import check_utf8, counted, new_rows, table_of_rows, what_is_left
from firth.machine import usable_cores

if TYPE_CHECKING:
    from firth.formats._format import ReadOptions
    from firth.formats._rows import Words
    from firth.formats._source import VectorSource
    from firth.formats._table import LoadReport, VectorTable

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Of rows that are formatted at a time, in numbers: bounds the memory for their text.
_NUMBERS_AT_A_TIME = 1 << 20
_LONGEST_SHOWN = 60


def read_text_rows(
    source: VectorSource,
    dims: int,
    options: ReadOptions,
    report: LoadReport,
    *,
    first_line: int,
    words: Words | None = None,
) -> VectorTable:
    """Read lines of a word and its numbers, from where the source stands to its end.

    Parameters
    ----------
    source : VectorSource
        At the beginning of a line.
    dims : int
        The number of numbers in a line.
    options : ReadOptions
        What is wanted.
    report : LoadReport
        What its `rows_claimed` says is checked; the rest is filled in.
    first_line : int
        The number of the first line, from 1, for messages.
    words : pair of arrays, optional
        The words of the lines, as many as there are; the lines have numbers only then.

    Raises
    ------
    FormatError
        A line that is none of a word and `dims` numbers; or what `strict` and `errors` refuse.
    """
    n_threads = usable_cores()
    rows = new_rows(dims, options)
    if words is not None:
        rows.take_words_from(*words)
    with closing(Blocks(source)) as blocks:
        n_left = 0
        while not rows.is_full and blocks.advance(n_left):
            n_parsed = rows.parse_text(blocks.data, blocks.length, n_threads)
            place = _Place(source, blocks, 0, first_line)
            _check(rows, place, report, dims, words)
            n_left = blocks.length - n_parsed
        if n_left and not rows.is_full:
            # The last line has no end.
            begin = blocks.length - n_left
            last = blocks.data[begin:]
            last[n_left] = ord("\n")
            rows.parse_text(last, n_left + 1, 1)
            place = _Place(source, blocks, begin, first_line)
            _check(rows, place, report, dims, words, at_end=True)
        end = blocks.offset + blocks.length
    _note(rows.counts, report)
    if not rows.is_full:
        _check_header(rows.counts["rows_read"], report, options, end)
    return table_of_rows(rows, options, report)


def _note(counts: dict[str, int], report: LoadReport) -> None:
    if n := counts["blank_lines"]:
        report.notes.append(f"blank lines that were passed over: {n:,}")
    if n := counts["spaced_words"]:
        report.notes.append(f"words with spaces in them: {n:,}")


def _check_header(n_rows: int, report: LoadReport, options: ReadOptions, end: int) -> None:
    claimed = report.rows_claimed
    if claimed is None or claimed == n_rows:
        return
    said = f"the header says {counted(claimed, 'row')}, and there are {n_rows:,}"
    if options.strict:
        raise FormatError(f"{report.source}: {said}; strict=True refuses that")
    if n_rows < claimed - 1:
        raise FormatError(
            f"{report.source}: cut off: {said} up to byte {end:,}, where the file ends. Get it "
            f"again{what_is_left(n_rows)}"
        )
    report.notes.append(said)


class _Place(NamedTuple):
    """What was parsed: a block from some byte of it on, whose first line has this number."""

    source: VectorSource
    blocks: Blocks
    begin: int
    first_line: int


def _check(
    rows: _core.WordRows,
    place: _Place,
    report: LoadReport,
    dims: int,
    words: Words | None,
    *,
    at_end: bool = False,
) -> None:
    """Raise the problem that the parser found, if it did."""
    if rows.text_problem is None:
        return
    kind, line, offset, length, n_numbers = rows.text_problem
    if kind == "bad_word" and words is not None:
        check_utf8(rows, words, report)
    begin = place.begin + offset
    shown = _shown(place.blocks.data[begin : begin + length].tobytes())
    line, byte = place.first_line + line, place.blocks.offset + begin
    where = f"{place.source.name}, line {line:,} (byte {byte:,})"
    if kind == "bad_word":
        raise FormatError(
            f"{where}: the word is not UTF-8: {shown}; errors='replace' or 'ignore' repairs it"
        )
    if kind == "after_blank":
        raise FormatError(
            f"{where}: a line of numbers behind a blank one, so that nobody knows which word is "
            f"its own; take the blank line out"
        )
    if at_end and kind in {"too_few", "no_number"}:
        raise FormatError(
            f"{where}: cut off: the file ends inside of this line, after "
            f"{n_numbers:,} of {counted(dims, 'number')}. Get the file again"
        )
    expected = counted(dims, "number")
    expected += " as the header says" if report.rows_claimed is not None else " as in the others"
    if kind == "no_number":
        raise FormatError(
            f"{where}: {shown} stands where a number belongs; a line has a word and {expected}"
        )
    if kind == "too_many":
        expected += ", and no word can end in one more"
    raise FormatError(f"{where}: {counted(n_numbers, 'number')} in place of {expected}: {shown}")


def _shown(field: bytes) -> str:
    text = field.decode(errors="backslashreplace")
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "...")


def write_text_rows(
    table: VectorTable, file: BinaryIO, *, separator: str = " ", with_words: bool = True
) -> None:
    """Write a line for each word; numbers are as short as they can be and be read back exactly."""
    n_words, dims = table.vectors.shape
    step = max(1, _NUMBERS_AT_A_TIME // dims)
    n_threads = usable_cores()
    for begin in range(0, n_words, step):
        end = min(n_words, begin + step)
        block = np.ascontiguousarray(table.vectors[begin:end])
        words = table.vocab.word_bytes, table.vocab.word_offsets[begin : end + 1]
        if block.dtype == np.float16:
            halves = block.view(np.uint16)
            text = _core.format_half_rows(*words, halves, separator, with_words, n_threads)
        else:
            block = block.astype(np.float32, copy=False)
            text = _core.format_rows(*words, block, separator, with_words, n_threads)
        file.write(text)

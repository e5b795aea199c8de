r"""word2vec's text: a header, then a line for each word. fastText's ``.vec`` is the same.

::

    <rows> <dims>\n
    <word> <number> ... <number>\n

Words are UTF-8 and may have spaces in them, as long as they do not end in what looks like one more
number. Numbers stand between spaces or tabs. fastText ends each line with a space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from firth.errors import FormatError
from firth.formats._format import Format
from firth.formats._header import read_header
from firth.formats._lines import head_lines, n_numbers_at_end
from firth.formats._table import LoadReport
from firth.formats._text_rows import read_text_rows, write_text_rows
from firth.formats._text_words import check_line_words

if TYPE_CHECKING:
    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable


def _recognise(source: VectorSource) -> bool:
    header = read_header(source)
    if header is None:
        return False
    lines = head_lines(source.head[header.length :])
    # An empty file of vectors has no line, and is told as such when it is read.
    return not lines or n_numbers_at_end(lines[0]) > 0


def _recognise_fasttext(source: VectorSource) -> bool:
    if not _recognise(source):
        return False
    lines = source.head.split(b"\n")[1:-1]
    return bool(lines) and all(line.endswith(b" ") for line in lines)


def _read_as(name: str, source: VectorSource, options: ReadOptions) -> VectorTable:
    header = read_header(source)
    if header is None:
        raise FormatError(
            f"{source.name}: its first line is no header of two whole numbers, rows and dims; "
            f"without one it may be in the format 'glove'"
        )
    report = LoadReport(name, source.name, rows_claimed=header.rows, notes=header.notes)
    header.check(source, options, least_row=2 * header.dims)
    source.read(header.length)
    return read_text_rows(source, header.dims, options, report, first_line=2)


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    return _read_as("word2vec-text", source, options)


def _read_fasttext(source: VectorSource, options: ReadOptions) -> VectorTable:
    return _read_as("fasttext-vec", source, options)


def _write(table: VectorTable, file: BinaryIO) -> None:
    n_words, dims = table.vectors.shape
    check_line_words(table.vocab, WORD2VEC_TEXT.title)
    file.write(b"%d %d\n" % (n_words, dims))
    write_text_rows(table, file)


WORD2VEC_TEXT = Format(
    "word2vec-text", "word2vec, text", (".txt", ".w2v.txt"), _recognise, _read, write_file=_write
)
FASTTEXT_VEC = Format(
    "fasttext-vec",
    "fastText, text",
    (".vec",),
    _recognise_fasttext,
    _read_fasttext,
    write_file=_write,
)

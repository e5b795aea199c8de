r"""GloVe's text: a line for each word, without a header.

::

    <word> <number> ... <number>\n

Words are UTF-8; those of glove.840B may have spaces in them (". . ."). The number of dimensions is
that of most of the first lines.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

from firth.errors import FormatError
from firth.formats._format import Format
from firth.formats._lines import head_lines, n_numbers_at_end
from firth.formats._table import LoadReport
from firth.formats._text_rows import BYTE_ORDER_MARK, read_text_rows, write_text_rows
from firth.formats._text_words import check_line_words

if TYPE_CHECKING:
    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable


def _dims(source: VectorSource) -> int:
    """Count the numbers of most of the first lines; of several counts, the first one."""
    lines = head_lines(source.head.removeprefix(BYTE_ORDER_MARK))
    counts = Counter(n_numbers_at_end(line) for line in lines)
    return counts.most_common(1)[0][0] if counts else 0


def _recognise(source: VectorSource) -> bool:
    # A word and one number make a list of counts or scores, not of vectors.
    # Nor are there lines where only old Macs see line ends.
    head = source.head
    has_lines = b"\n" in head or b"\r" not in head.rstrip()
    return b"\0" not in head and has_lines and _dims(source) > 1


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    head = source.head
    report = LoadReport("glove", source.name)
    if head.startswith(BYTE_ORDER_MARK):
        source.read(len(BYTE_ORDER_MARK))
        report.notes.append("a byte-order mark was passed over")
    if len(head) > 1 and b"\n" not in head and source.size != len(head):
        raise FormatError(
            f"{source.name}: its first line is longer than {len(head):,} bytes: no word vectors of "
            f"GloVe"
        )
    dims = _dims(source)
    if dims == 0:
        raise FormatError(f"{source.name}: its first line is no word with numbers: {head[:60]!r}")
    return read_text_rows(source, dims, options, report, first_line=1)


def _write(table: VectorTable, file: BinaryIO) -> None:
    check_line_words(table.vocab, GLOVE.title)
    write_text_rows(table, file)


GLOVE = Format(
    "glove",
    "GloVe, text without a header",
    (".glove.txt", ".glove"),
    _recognise,
    _read,
    write_file=_write,
)

r"""word2vec's text: a header, then a line for each word.

::

    <rows> <dims>\n
    <word> <number> ... <number>\n
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from firth.errors import FormatError
from firth.formats._format import Format
from firth.formats._rows import make_table
from firth.formats._table import LoadReport

if TYPE_CHECKING:
    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable

_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?(\d+)[ \t]+(\d+)[ \t\r]*\n")


def _recognise(source: VectorSource) -> bool:
    return _HEADER.match(source.head) is not None


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    found = _HEADER.match(source.head)
    if not found:
        raise FormatError(f"{source.name}: has no header of word2vec")
    n_rows, dims = int(found[1]), int(found[2])
    source.read(found.end())
    words, rows = [], []
    for line in io.BytesIO(b"".join(source.chunks())):
        parts = line.rstrip().rsplit(b" ", dims)
        words.append(parts[0])
        rows.append(np.array(parts[1:], np.float32))
    report = LoadReport("word2vec-text", source.name, rows_claimed=n_rows)
    return make_table(words, np.array(rows), options, report)


def _write(table: VectorTable, file: BinaryIO) -> None:
    n_words, dims = table.vectors.shape
    file.write(b"%d %d\n" % (n_words, dims))
    for word, row in zip(table.vocab, table.vectors, strict=True):
        file.write(word.encode() + b" " + " ".join(map(str, row)).encode() + b"\n")


WORD2VEC_TEXT = Format(
    "word2vec-text",
    "word2vec, text",
    (".txt", ".vec"),
    _recognise,
    _read,
    write_file=_write,
)

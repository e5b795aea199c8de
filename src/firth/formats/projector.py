r"""The pair of files of TensorFlow's Embedding Projector.

::

    vectors.tsv     <number> \t ... \t <number> \n      a line for each word
    metadata.tsv    <word> \n                           the same lines; without a header
    metadata.tsv    word \t count \n                    or with more columns, and then a header
                    <word> \t <count> \n

The first file may also be called tensor.tsv, and both may have something before that in their names
(as gensim's script word2vec2tensor writes them). Words are in the column "word", "label", "token"
or "name", else in the first; counts in "count" or "frequency".
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import FormatError
from firth.formats._format import Format
from firth.formats._lines import head_lines, is_number
from firth.formats._rows import Words, new_rows, pack_words
from firth.formats._source import VectorSource
from firth.formats._table import LoadReport
from firth.formats._text_rows import BYTE_ORDER_MARK, read_text_rows, write_text_rows
from firth.formats._text_words import check_tabless_words
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.formats._table import VectorTable

_VECTORS = ("vectors", "tensors", "tensor", "embeddings")
_METADATA = "metadata"
_WORD_COLUMNS = (b"word", b"label", b"token", b"name")
_COUNT_COLUMNS = (b"count", b"frequency")
_LONGEST_LINE = 1 << 20


def _recognise(source: VectorSource) -> bool:
    if source.path is not None and source.is_folder:
        names = {path.name for path in source.path.iterdir()}
        return f"{_METADATA}.tsv" in names and any(f"{name}.tsv" in names for name in _VECTORS)
    partners = _partners(source)
    # Also without its other half, which is then said to be missing.
    return bool(partners) and (b"\t" in source.head or any(map(source.has_sibling, partners)))


def _partners(source: VectorSource) -> list[str]:
    """Give the names that the other file may have; none if this is not a file of such a pair."""
    stem, dot, _ = PurePath(source.name).name.partition(".tsv")
    if not dot:
        return []
    if stem.endswith(_METADATA):
        return [f"{stem.removesuffix(_METADATA)}{name}.tsv" for name in _VECTORS]
    for name in _VECTORS:
        if stem.endswith(name):
            return [f"{stem.removesuffix(name)}{_METADATA}.tsv"]
    return []


def _open_pair(source: VectorSource) -> tuple[VectorSource, VectorSource]:
    """Open the vectors and the metadata, at their beginning."""
    if source.is_folder:
        return _beside(source, [f"{name}.tsv" for name in _VECTORS]), _beside(
            source, [f"{_METADATA}.tsv"]
        )
    other = _beside(source, _partners(source))
    again = VectorSource(source.path or source.name)
    is_metadata = PurePath(source.name).name.partition(".tsv")[0].endswith(_METADATA)
    return (other, again) if is_metadata else (again, other)


def _beside(source: VectorSource, names: list[str]) -> VectorSource:
    for name in names:
        if (other := source.sibling(name)) is not None:
            return other
    if not names:
        raise FormatError(
            f"{source.name}: the projector's files are called vectors.tsv and metadata.tsv"
        )
    where = "in this folder" if source.is_folder else "beside it"
    raise FormatError(f"{source.name}: the file {names[0]} is not {where}, which belongs to it")


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    columns = _Columns.of(*_open_pair(source))
    vectors, metadata = _open_pair(source)
    with vectors, metadata:
        words, counts = columns.read(metadata)
        if vectors.head.startswith(BYTE_ORDER_MARK):
            vectors.read(len(BYTE_ORDER_MARK))
        lines = head_lines(vectors.head.removeprefix(BYTE_ORDER_MARK))
        fields = lines[0].split() if lines else []
        if not fields or not all(map(is_number, fields)):
            raise FormatError(f"{vectors.name}, line 1: not a line of numbers between tabs")
        report = LoadReport("projector", source.name)
        table = read_text_rows(vectors, len(fields), options, report, first_line=1, words=words)
    is_full = options.limit is not None and len(table.vocab) >= options.limit
    if report.rows_read < columns.n_lines and not is_full:
        raise FormatError(
            f"{vectors.name}: {report.rows_read:,} of its {columns.n_lines:,} lines have numbers; "
            f"take the blank lines at its end out"
        )
    if counts is not None:
        kept = new_rows(0, options).take_words(*words)
        vocab = table.vocab
        arrays = vocab.word_bytes, vocab.word_offsets, counts[kept], vocab.slots
        table.vocab = Vocab.from_parts(*arrays)
    return table


@dataclass(frozen=True)
class _Columns:
    """What stands where in the metadata."""

    has_header: bool
    word: int
    count: int | None
    n_lines: int

    @classmethod
    def of(cls, vectors: VectorSource, metadata: VectorSource) -> _Columns:
        """Tell whether there is a header by the number of lines: a word may be "word" too."""
        with vectors, metadata:
            n_vectors, _ = _count_lines(vectors)
            n_lines, n_words = _count_lines(metadata)
            first = metadata.head.removeprefix(BYTE_ORDER_MARK).partition(b"\n")[0]
        if n_vectors not in {n_lines, n_lines - 1, n_words, n_words - 1}:
            raise FormatError(
                f"{metadata.name}: {n_lines:,} lines for the {n_vectors:,} of {vectors.name}; the "
                f"two files do not belong together, or one is cut off"
            )
        if n_vectors in {n_lines, n_words}:
            return cls(False, 0, None, n_vectors)
        names = [name.strip().lower() for name in first.split(b"\t")]
        words = [names.index(name) for name in _WORD_COLUMNS if name in names]
        counts = [names.index(name) for name in _COUNT_COLUMNS if name in names]
        return cls(True, words[0] if words else 0, counts[0] if counts else None, n_vectors)

    def read(self, metadata: VectorSource) -> tuple[Words, NDArray[np.int64] | None]:
        """Read the words and, if there is such a column, their counts."""
        counts = array("q")

        def words() -> Iterator[bytes]:
            for number, line in enumerate(_lines(metadata), 1):
                if number == 1 and self.has_header:
                    continue
                if number == self.n_lines + self.has_header + 1:
                    break
                fields = line.split(b"\t")
                if self.count is not None:
                    counts.append(self._count(fields, metadata.name, number))
                yield fields[self.word] if self.word < len(fields) else b""

        packed = pack_words(words())
        return packed, np.frombuffer(counts, np.int64) if self.count is not None else None

    def _count(self, fields: list[bytes], name: str, line: int) -> int:
        try:
            count = int(fields[self.count or 0])
        except (ValueError, IndexError):
            count = -1
        if not 0 <= count < 2**63:
            raise FormatError(f"{name}, line {line:,}: the count is no whole number of 0 or more")
        return count


def _count_lines(source: VectorSource) -> tuple[int, int]:
    """Count the lines of a text, without and with blank ones at its end."""
    n = 0
    n_at_end = 0
    for chunk in source.chunks():
        n += chunk.count(b"\n")
        rest = chunk.rstrip(b"\r\n")
        n_at_end = chunk.count(b"\n", len(rest)) + (0 if rest else n_at_end)
    unfinished = source.position > 0 and n_at_end == 0
    return n + unfinished - max(0, n_at_end - 1), n + unfinished


def _lines(source: VectorSource) -> Iterator[bytes]:
    """Give the lines of a text, without their ends."""
    rest = b""
    is_first = True
    for chunk in source.chunks():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield (line.removeprefix(BYTE_ORDER_MARK) if is_first else line).removesuffix(b"\r")
            is_first = False
        if len(rest) > _LONGEST_LINE:
            raise FormatError(
                f"{source.name}: a line of over {_LONGEST_LINE:,} bytes up to byte "
                f"{source.position:,}; that is no word"
            )
    if rest:
        yield (rest.removeprefix(BYTE_ORDER_MARK) if is_first else rest).removesuffix(b"\r")


def _write(table: VectorTable, folder: Path) -> None:
    vocab = table.vocab
    check_tabless_words(vocab, PROJECTOR.title)
    with (folder / "vectors.tsv").open("wb") as file:
        write_text_rows(table, file, separator="\t", with_words=False)
    has_counts = bool(vocab.counts.any())
    with (folder / f"{_METADATA}.tsv").open("w", encoding="utf-8", newline="\n") as file:
        if has_counts:
            file.write("word\tcount\n")
            file.writelines(f"{w}\t{n}\n" for w, n in zip(vocab, vocab.counts, strict=True))
        else:
            file.writelines(f"{word}\n" for word in vocab)


PROJECTOR = Format(
    "projector",
    "TensorFlow's Embedding Projector",
    (),
    _recognise,
    _read,
    write_folder=_write,
)

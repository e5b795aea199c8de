"""finalfusion's ``.fifu`` files.

All numbers little-endian. A header, then chunks in this order::

    b"FiFu", version u32 = 0, n_chunks u32, n_chunks ids u32

    id u32, length u64 of what follows, and then by id
    5  metadata             TOML in UTF-8
    1  simple vocabulary    n u64; n times: length u32, UTF-8
    3  buckets, own hash    n u64, min_n u32, max_n u32, exponent u32; words as in 1
    7  buckets, fastText's  n u64, min_n u32, max_n u32, buckets u32; words as in 1
    8  explicit n-grams     n u64, m u64, min_n u32, max_n u32; words as in 1;
                            m times: length u32, UTF-8, row u64
    2  array                rows u64, columns u32, type u32 = 10; padding; float32 rows
    4  quantised array      projection u32, norms u32, codes a row u32, columns u32, centroids u32,
                            rows u64, types u32 = 1, u32 = 10; padding; float32 projection,
                            centroids, norms; codes u8
    6  norms                n u64, type u32 = 10; padding; n float32

Padding is 4 - p % 4 zeros at position p: one to four. The rows of n-grams follow those of words.
Rows of words have length 1, and the norms give them their own again. Lengths of chunks are not
relied on: finalfusion's Python package writes those of explicit n-grams too small.

Written are simple vocabularies, and those with buckets or explicit n-grams where the subwords of
the table are of such a kind. Quantised arrays are read only.

https://finalfusion.github.io/spec
"""

from __future__ import annotations

import json
import struct
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

import numpy as np

from firth.errors import FirthError, FormatError
from firth.formats._chooser import WORDS_A_BLOCK, RowChooser
from firth.formats._cursor import Cursor
from firth.formats._finalfusion_matrix import ArrayRows, QuantisedRows, no_warnings, read_norms
from firth.formats._format import Format
from firth.formats._rows import finish_table
from firth.formats._table import LoadReport
from firth.subwords import ExplicitSubwords, FastTextSubwords, FinalfusionSubwords

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable
    from firth.subwords import Subwords

_NAME = "finalfusion"
_MAGIC = b"FiFu"
_SIMPLE, _ARRAY, _BUCKETS, _QUANTISED, _METADATA, _NORMS, _FASTTEXT, _EXPLICIT, _FLORET = range(
    1, 10
)
_F32 = 10
_MOST_CHUNKS = 16
_MOST_METADATA = 16 << 20
_LEAST_ITEM = 4  # bytes of an empty word
_BLOCK_BYTES = 4 << 20


# --- reading --------------------------------------------------------------------------------------


class _Vocabulary(NamedTuple):
    """What a vocabulary chunk tells, but the words."""

    kind: int
    n_words: int
    min_n: int = 0
    max_n: int = 0
    n_buckets: int = 0
    n_ngrams: int = 0


def _recognise(source: VectorSource) -> bool:
    return not source.is_folder and source.head.startswith(_MAGIC)


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    cursor = Cursor(source)
    report = LoadReport(_NAME, source.name)
    _read_header(cursor)
    kind = _chunk(cursor, "the vocabulary")
    config: dict[str, Any] = {}
    if kind == _METADATA:
        config = _read_metadata(cursor, report)
        kind = _chunk(cursor, "the vocabulary")
    vocabulary = _read_vocabulary(cursor, kind)
    report.rows_claimed = vocabulary.n_words
    chooser = RowChooser(options, report)
    for words, positions in _items(cursor, vocabulary.n_words):
        if not chooser.is_full:
            chooser.add(words, where=lambda i, at=positions: f"byte {at[i]:,}")  # type: ignore[misc]
    ngrams = _read_ngrams(cursor, vocabulary.n_ngrams)
    vocab, rows = chooser.vocab(), chooser.rows()
    kind = _chunk(cursor, "the matrix")
    if kind not in {_ARRAY, _QUANTISED}:
        raise cursor.fail(f"a chunk with the id {kind}, where a matrix belongs")
    matrix = (ArrayRows if kind == _ARRAY else QuantisedRows)(cursor)
    n_parts = matrix.n_rows - vocabulary.n_words
    if n_parts < 0:
        raise cursor.fail(f"{matrix.n_rows:,} rows for {vocabulary.n_words:,} words")
    vectors = matrix.at(rows)
    if cursor.left and _chunk(cursor, "the norms") == _NORMS:
        norms = read_norms(cursor, vocabulary.n_words)
        with no_warnings():
            vectors = vectors * norms[rows][:, None]
    subwords = None
    if vocabulary.kind != _SIMPLE:
        parts = matrix.from_row(vocabulary.n_words)
        subwords = _make_subwords(cursor, vocabulary, ngrams, parts)
    return finish_table(vocab, vectors, options, report, subwords=subwords, config=config)


def _read_header(cursor: Cursor) -> None:
    _magic, version, n_chunks = cursor.numbers("<4sII", "the header")
    if version != 0:
        raise cursor.fail(f"version {version} of finalfusion is not known; update firth", 4)
    if not 2 <= n_chunks <= _MOST_CHUNKS:
        raise cursor.fail(f"{n_chunks:,} chunks, where two to five belong", 8)
    cursor.numbers(f"<{n_chunks}I", "the list of chunks")


def _chunk(cursor: Cursor, what: str) -> int:
    """Read the head of a chunk; returns its id."""
    kind, _length = cursor.numbers("<IQ", f"the head of {what}")
    return kind


def _read_metadata(cursor: Cursor, report: LoadReport) -> dict[str, Any]:
    cursor.position -= 8
    (length,) = cursor.numbers("<Q", "the length of the metadata")
    if length > _MOST_METADATA:
        raise cursor.fail(f"metadata of {length:,} bytes; the file is damaged")
    text = bytes(cursor.take(length, "the metadata"))
    try:
        metadata = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        report.notes.append(f"the metadata are no TOML and left out: {error}")
        return {}
    own = metadata.get("firth")
    known: dict[str, Any] = json.loads(
        json.dumps(own if isinstance(own, dict) else {"metadata": metadata}, default=str)
    )
    return known


def _read_vocabulary(cursor: Cursor, kind: int) -> _Vocabulary:
    what = "the head of the vocabulary"
    if kind == _SIMPLE:
        vocabulary = _Vocabulary(kind, *cursor.numbers("<Q", what))
    elif kind in {_BUCKETS, _FASTTEXT}:
        vocabulary = _Vocabulary(kind, *cursor.numbers("<QIII", what))
        if kind == _BUCKETS:
            if vocabulary.n_buckets > 40:
                raise cursor.fail(f"2^{vocabulary.n_buckets} buckets; the file is damaged")
            vocabulary = vocabulary._replace(n_buckets=1 << vocabulary.n_buckets)
    elif kind == _EXPLICIT:
        n_words, n_ngrams, min_n, max_n = cursor.numbers("<QQII", what)
        vocabulary = _Vocabulary(kind, n_words, min_n, max_n, n_ngrams=n_ngrams)
    elif kind == _FLORET:
        raise FormatError(
            f"{cursor.name}: floret's vectors in a file of finalfusion have no words, only "
            f"buckets; firth reads the .floret.vec file that floret writes"
        )
    else:
        raise cursor.fail(f"a chunk with the id {kind}, where a vocabulary belongs")
    if (vocabulary.n_words + vocabulary.n_ngrams) * _LEAST_ITEM > cursor.left:
        raise cursor.fail(
            f"claims {vocabulary.n_words + vocabulary.n_ngrams:,} words and n-grams, for which "
            f"{cursor.left:,} bytes are too few; the file is cut off or damaged"
        )
    return vocabulary


def _items(
    cursor: Cursor, n_items: int, n_behind: int = 0
) -> Iterator[tuple[list[bytes], list[int]]]:
    """Read words with their lengths, and so many bytes behind each, block by block.

    Gives the words and where each begins.
    """
    data, size = cursor.data, len(cursor.data)
    for begin in range(0, n_items, WORDS_A_BLOCK):
        words, positions = [], []
        position = cursor.position
        for _ in range(min(WORDS_A_BLOCK, n_items - begin)):
            start = position + 4
            position = start + int.from_bytes(data[position:start], "little")
            if position > size or start > size:
                raise cursor.fail("the word that begins here does not end; cut off", start)
            words.append(bytes(data[start:position]))
            positions.append(start)
            position += n_behind
        cursor.position = position
        yield words, positions


def _read_ngrams(cursor: Cursor, n_ngrams: int) -> tuple[list[str], NDArray[np.int64]] | None:
    if not n_ngrams:
        return None
    ngrams: list[str] = []
    rows = np.empty(n_ngrams, np.int64)
    for words, positions in _items(cursor, n_ngrams, n_behind=8):
        cursor.check_left(0, "the rows of the n-grams")
        for word, at in zip(words, positions, strict=True):
            try:
                ngrams.append(word.decode())
            except UnicodeDecodeError as error:
                raise cursor.fail(f"an n-gram is not UTF-8: {error.reason}", at) from None
            end = at + len(word)
            row = int.from_bytes(cursor.data[end : end + 8], "little")
            rows[len(ngrams) - 1] = min(row, np.iinfo(np.int64).max)
    return ngrams, rows


def _make_subwords(
    cursor: Cursor,
    vocabulary: _Vocabulary,
    ngrams: tuple[list[str], NDArray[np.int64]] | None,
    rows: NDArray[Any],
) -> Subwords | None:
    min_n, max_n = vocabulary.min_n, vocabulary.max_n
    try:
        if vocabulary.kind == _EXPLICIT:
            texts, places = ngrams or ([], np.zeros(0, np.int64))
            return ExplicitSubwords(rows, texts, min_n, max_n, ngram_rows=places)
        if len(rows) != vocabulary.n_buckets:
            raise cursor.fail(
                f"{len(rows):,} rows behind those of the words, for {vocabulary.n_buckets:,} "
                f"buckets of n-grams"
            )
        hashing = "fasttext" if vocabulary.kind == _FASTTEXT else "finalfusion"
        return FinalfusionSubwords(rows, min_n, max_n, hashing=hashing)  # type: ignore[arg-type]
    except FormatError:
        raise
    except FirthError as error:
        raise FormatError(f"{cursor.name}: the n-grams cannot be used: {error}") from error


# --- writing --------------------------------------------------------------------------------------


class _Writer:
    """Writes to a file that cannot seek, and knows where it is, for the padding."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.position = 0

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.position += len(data)

    def chunk(self, kind: int, length: int) -> None:
        self.write(struct.pack("<IQ", kind, length))

    def padding_at(self, offset: int) -> int:
        """Tell how much padding there is so many bytes on."""
        return 4 - (self.position + offset) % 4


def _write(table: VectorTable, file: BinaryIO) -> None:
    subwords = table.subwords
    parts = _parts_of(subwords)
    kind = _SIMPLE if parts is None else parts[0]
    metadata = _to_toml(table.config)
    chunks = [*([_METADATA] if metadata else []), kind, _ARRAY, _NORMS]
    writer = _Writer(file)
    writer.write(struct.pack(f"<4sII{len(chunks)}I", _MAGIC, 0, len(chunks), *chunks))
    if metadata:
        writer.chunk(_METADATA, len(metadata))
        writer.write(metadata)
    _write_vocabulary(writer, table, subwords, kind)
    n_rows, n_columns = table.vectors.shape
    if parts is not None:
        n_rows += parts[1]
    head = struct.pack("<QII", n_rows, n_columns, _F32)
    padding = writer.padding_at(12 + len(head))
    writer.chunk(_ARRAY, len(head) + padding + n_rows * n_columns * 4)
    writer.write(head + bytes(padding))
    norms = _write_words(writer, table.vectors)
    if parts is not None:
        for block in parts[2]:
            writer.write(np.ascontiguousarray(block, "<f4").data.cast("B"))
    head = struct.pack("<QI", len(norms), _F32)
    padding = writer.padding_at(12 + len(head))
    writer.chunk(_NORMS, len(head) + padding + norms.nbytes)
    writer.write(head + bytes(padding))
    writer.write(norms.astype("<f4").data.cast("B"))


def _blocks(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    step = max(1, _BLOCK_BYTES // (4 * rows.shape[1]))
    for begin in range(0, len(rows), step):
        yield rows[begin : begin + step].astype(np.float32)


def _write_words(writer: _Writer, vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Write the rows of the words, scaled to length 1; returns what lengths they had."""
    norms = np.empty(len(vectors), np.float32)
    at = 0
    for rows in _blocks(vectors):
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
        lengths[~(lengths <= np.finfo(np.float32).max)] = 1  # a row that none can scale stays so
        norms[at : at + len(rows)] = lengths
        at += len(rows)
        scaled = rows / np.where(lengths == 0, 1, lengths)[:, None]
        writer.write(scaled.astype("<f4").data.cast("B"))
    return norms


def _parts_of(subwords: Subwords | None) -> tuple[int, int, Iterable[NDArray[Any]]] | None:
    """Give the kind of vocabulary for subwords, the number of their rows, and these in blocks.

    None for those that finalfusion has no vocabulary for; then words are all that is written.
    """
    if isinstance(subwords, ExplicitSubwords):
        order = _in_order(subwords)[0]
        return _EXPLICIT, len(order), _blocks(subwords.rows[order])
    if isinstance(subwords, FinalfusionSubwords):
        kind = _BUCKETS if subwords.hashing == "finalfusion" else _FASTTEXT
        plain = (subwords.begin_mark, subwords.end_mark) == ("<", ">")
        usable = plain and subwords.max_n > 0
        return (kind, len(subwords.rows), _blocks(subwords.rows)) if usable else None
    if isinstance(subwords, FastTextSubwords) and subwords.max_n > 0 and len(subwords.rows):
        return _FASTTEXT, subwords.bucket, _all_buckets(subwords)
    return None


def _in_order(subwords: ExplicitSubwords) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give rows numbers in the order in which n-grams name them, as finalfusion does.

    Returns the rows in that order, and the new number of the row of each n-gram.
    """
    rows, first, which = np.unique(subwords.ngram_rows, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return rows[order], np.argsort(order)[which]


def _all_buckets(subwords: FastTextSubwords) -> Iterator[NDArray[Any]]:
    """Give the rows of all buckets: zeros for those that a quantised model dropped."""
    if subwords.kept is None:
        yield from _blocks(subwords.rows)
        return
    step = max(1, _BLOCK_BYTES // (4 * subwords.vector_size))
    for begin in range(0, subwords.bucket, step):
        end = min(begin + step, subwords.bucket)
        block = np.zeros((end - begin, subwords.vector_size), np.float32)
        first, last = np.searchsorted(subwords.kept, (begin, end))
        block[subwords.kept[first:last] - begin] = subwords.rows[first:last]
        yield block


def _write_vocabulary(
    writer: _Writer, table: VectorTable, subwords: Subwords | None, kind: int
) -> None:
    vocab = table.vocab
    length = len(vocab.word_bytes) + 4 * len(vocab)
    if kind == _EXPLICIT and isinstance(subwords, ExplicitSubwords):
        ngrams = [ngram.encode() for ngram in subwords.ngrams]
        head = struct.pack("<QQII", len(vocab), len(ngrams), subwords.min_n, subwords.max_n)
        length += sum(map(len, ngrams)) + 12 * len(ngrams)
    elif kind == _SIMPLE:
        head = struct.pack("<Q", len(vocab))
    else:
        assert isinstance(subwords, FinalfusionSubwords | FastTextSubwords)
        n_buckets = subwords.bucket
        buckets = n_buckets.bit_length() - 1 if kind == _BUCKETS else n_buckets
        # Shorter n-grams than one character there are none; finalfusion refuses the 0.
        min_n = max(1, subwords.min_n)
        head = struct.pack("<QIII", len(vocab), min_n, subwords.max_n, buckets)
    writer.chunk(kind, len(head) + length)
    writer.write(head)
    text, offsets = vocab.word_bytes, vocab.word_offsets
    for begin in range(0, len(vocab), WORDS_A_BLOCK):
        bounds = offsets[begin : begin + WORDS_A_BLOCK + 1].tolist()
        block = text[bounds[0] : bounds[-1]].tobytes()
        writer.write(
            b"".join(
                struct.pack("<I", last - first) + block[first - bounds[0] : last - bounds[0]]
                for first, last in pairwise(bounds)
            )
        )
    if kind == _EXPLICIT and isinstance(subwords, ExplicitSubwords):
        for ngram, row in zip(ngrams, _in_order(subwords)[1].tolist(), strict=True):
            writer.write(struct.pack("<I", len(ngram)) + ngram + struct.pack("<Q", row))


def _to_toml(config: Mapping[str, Any]) -> bytes:
    """Write what is known of the vectors as TOML: texts, numbers and truths; nothing nested."""
    lines = []
    for name, value in config.items():
        if isinstance(value, str | bool | int | float):
            text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
            lines.append(f"{json.dumps(name, ensure_ascii=False)} = {text}")
    document = "\n".join(["[firth]", *lines, ""]).encode("utf-8", "replace") if lines else b""
    try:
        tomllib.loads(document.decode())
    except ValueError:  # NaN, or an integer that TOML does not take
        return b""
    return document


FINALFUSION: Final = Format(
    name=_NAME,
    title="finalfusion",
    suffixes=(".fifu",),
    recognise=_recognise,
    read=_read,
    write_file=_write,
)

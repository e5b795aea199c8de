"""Words and rows as they stand in a file, made into a table: repaired, chosen, converted."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from firth import _core
from firth.errors import FormatError, ParameterError
from firth.formats._table import LoadReport, VectorTable
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.subwords import Subwords

_NO_LIMIT = 2**64 - 1

# The bytes of words, one after the other; where each begins, and where the last one ends.
Words: TypeAlias = "tuple[NDArray[np.uint8], NDArray[np.uint64]]"


def new_rows(dims: int, options: ReadOptions) -> _core.WordRows:
    """Make what takes the rows of a file: each word once, of those that are wanted.

    Rows of no dimensions take words alone.
    """
    wanted = None
    if options.only is not None:
        vocab = Vocab.from_words(sorted(options.only))
        wanted = (vocab.word_bytes, vocab.word_offsets, vocab.slots)
    limit = _NO_LIMIT if options.limit is None else options.limit
    return _core.WordRows(dims, options.dtype == "float16", limit, options.errors, wanted)


def table_of_rows(
    rows: _core.WordRows,
    options: ReadOptions,
    report: LoadReport,
    *,
    config: Mapping[str, Any] | None = None,
) -> VectorTable:
    """Make a table of the rows that were kept, without a copy of them."""
    counts = rows.counts
    _fill(report, counts)
    report.not_finite = counts["not_finite"]
    if counts["too_large"]:
        raise FormatError(
            f"{report.source}: {counted(counts['too_large'], 'row')} with numbers beyond 65,504, "
            f"the largest that float16 holds; read them as float32"
        )
    if not counts["kept"]:
        raise nothing_left(options, report)
    refuse_repairs(options, report)
    word_bytes, word_offsets, matrix = rows.release()
    vocab = _vocab(word_bytes, word_offsets, np.zeros(counts["kept"], np.int64))
    if matrix.dtype == np.uint16:
        matrix = matrix.view(np.float16)
    return VectorTable(vocab, matrix, config=dict(config or {}), report=report)


def _fill(report: LoadReport, counts: Mapping[str, int]) -> None:
    report.rows_read = counts["rows_read"]
    report.duplicates = counts["duplicates"]
    report.empty_words = counts["empty_words"]
    report.undecodable_words = counts["undecodable_words"]


def _vocab(
    word_bytes: NDArray[np.uint8], word_offsets: NDArray[np.uint64], counts: NDArray[np.int64]
) -> Vocab:
    # Not from_arrays, which would decode all words to check what the core has checked.
    slots, _ = _core.build_slots(word_bytes, word_offsets)
    return Vocab.from_parts(word_bytes, word_offsets, counts, slots)


def pack_words(words: Iterable[bytes]) -> Words:
    """Put words one after the other: their bytes, and where each begins and the last one ends."""
    packed = bytearray()
    ends = array("Q", [0])
    for word in words:
        packed += word
        ends.append(len(packed))
    return np.frombuffer(packed, np.uint8), np.frombuffer(ends, np.uint64)


def make_table(
    words: Iterable[bytes] | Words,
    vectors: NDArray[Any],
    options: ReadOptions,
    report: LoadReport,
    *,
    counts: NDArray[np.int64] | None = None,
    subwords: Subwords | None = None,
    config: Mapping[str, Any] | None = None,
) -> VectorTable:
    """Make a table of the words and the matrix of a file, as a caller wants it.

    Rows without a word, and those whose word stood there before, are left out; words that are no
    UTF-8 are repaired or refused; then `only`, `limit` and `dtype` are applied. The report tells.

    Parameters
    ----------
    words : iterable of bytes, or pair of arrays
        The words as they stand in the file, one for each row; or all their bytes one after the
        other, and where each begins and the last ends.
    vectors : numpy.ndarray, shape (n_rows, vector_size)
        Their vectors; may be mapped from the file, and is kept as it is where all its rows stay.
    options : ReadOptions
        What is wanted.
    report : LoadReport
        Where to count what was repaired.
    counts : numpy.ndarray of int64, shape (n_rows,), optional
        How often each word was seen.
    subwords, config : optional
        What else the table holds.

    Returns
    -------
    VectorTable
        With this report.

    Raises
    ------
    FormatError
        Words and rows do not fit each other, none is left, or something is refused as `strict`
        and `errors` say.
    """
    word_bytes, word_offsets = words if isinstance(words, tuple) else pack_words(words)
    n_rows = len(word_offsets) - 1
    if n_rows != len(vectors):
        raise FormatError(
            f"{report.source}: has {n_rows:,} words for {len(vectors):,} vectors; the file is "
            f"damaged"
        )
    rows = new_rows(0, options)
    kept = rows.take_words(word_bytes, word_offsets)
    if not rows.is_full and rows.counts["rows_read"] < n_rows:
        check_utf8(rows, (word_bytes, word_offsets), report)
    _fill(report, rows.counts)
    if not len(kept):
        raise nothing_left(options, report)
    kept_bytes, kept_offsets, _ = rows.release()
    if len(kept) < n_rows:
        vectors = vectors[kept]
        counts = None if counts is None else counts[kept]
    if counts is None:
        counts = np.zeros(len(kept), np.int64)
    vocab = _vocab(kept_bytes, kept_offsets, np.ascontiguousarray(counts, np.int64))
    return finish_table(vocab, vectors, options, report, subwords=subwords, config=config)


def check_utf8(rows: _core.WordRows, words: Words, report: LoadReport) -> None:
    """Refuse the first word that was not taken, if it is no UTF-8."""
    word_bytes, word_offsets = words
    row = rows.counts["rows_read"]
    if rows.is_full or row >= len(word_offsets) - 1:
        return
    begin, end = int(word_offsets[row]), int(word_offsets[row + 1])
    word = word_bytes[begin:end].tobytes()
    try:
        word.decode()
    except UnicodeDecodeError:
        raise FormatError(
            f"{report.source}: the word of row {row + 1:,} is not UTF-8: {word[:200]!r}; "
            f"errors='replace' or 'ignore' repairs it"
        ) from None


def finish_table(
    vocab: Vocab,
    vectors: NDArray[Any],
    options: ReadOptions,
    report: LoadReport,
    *,
    norms: NDArray[np.float32] | None = None,
    subwords: Subwords | None = None,
    config: Mapping[str, Any] | None = None,
) -> VectorTable:
    """Make a table of rows that are chosen already: count what is not finite, convert."""
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise FormatError(
            f"{report.source}: has vectors of shape {vectors.shape}; rows of numbers are wanted"
        )
    report.not_finite = _count_not_finite(vectors)
    vectors = converted(vectors, options.dtype, report)
    if subwords is not None:
        report.not_finite += _count_not_finite(subwords.rows)
        if subwords.rows.dtype != options.dtype:
            n_before = _count_not_finite(subwords.rows)
            subwords = subwords.astype(options.dtype)
            if _count_not_finite(subwords.rows) > n_before:
                raise FormatError(
                    f"{report.source}: has numbers beyond the largest that {options.dtype} holds"
                )
    refuse_repairs(options, report)
    return VectorTable(
        vocab, vectors, norms=norms, subwords=subwords, config=dict(config or {}), report=report
    )


def converted(vectors: NDArray[Any], dtype: str, report: LoadReport) -> NDArray[Any]:
    """Give a matrix in another dtype, itself if it is that already.

    Raises
    ------
    FormatError
        A finite number would become infinite.
    """
    if vectors.dtype == dtype:
        return np.ascontiguousarray(vectors)
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(vectors, dtype)
    if vectors.dtype.itemsize > result.dtype.itemsize and (
        _count_not_finite(result) > _count_not_finite(vectors)
    ):
        raise FormatError(
            f"{report.source}: has numbers beyond the largest that {dtype} holds, "
            f"{np.finfo(dtype).max:,.0f}; read them as float32"
        )
    return result


def _count_not_finite(vectors: NDArray[Any]) -> int:
    # In blocks, for the sake of memory.
    return sum(
        int((~np.isfinite(vectors[begin : begin + 4096])).any(axis=1).sum())
        for begin in range(0, len(vectors), 4096)
    )


def counted(n: int, what: str) -> str:
    """Write a count with what is counted, in the plural where it has one."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def what_is_left(n_rows: int) -> str:
    """Tell how to read the rows before the end of a file that was cut off."""
    return f"; limit={n_rows} reads the rows before that" if n_rows else ""


def nothing_left(options: ReadOptions, report: LoadReport) -> FormatError | ParameterError:
    """Say why a table would have no rows."""
    if options.only is not None and report.rows_read:
        return ParameterError(
            f"{report.source}: has none of the {counted(len(options.only), 'word')} of only="
        )
    return FormatError(f"{report.source}: has no words")


def refuse_repairs(options: ReadOptions, report: LoadReport) -> None:
    """With ``strict``, refuse a file in which something was repaired."""
    if options.strict and report.repairs:
        found = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in report.repairs.items())
        raise FormatError(
            f"{report.source}: {found}; strict=True refuses what is repaired or counted without it"
        )


def select_rows(table: VectorTable, options: ReadOptions) -> VectorTable:
    """Apply `only`, `limit` and `dtype` to a table that is whole: of a mapped folder, say."""
    rows: NDArray[np.int64] | None = None
    n_words = len(table.vocab)
    if options.only is not None:
        rows = table.vocab.ids(sorted(options.only))
        rows = np.sort(rows[rows >= 0])
    if options.limit is not None and (n_words if rows is None else len(rows)) > options.limit:
        rows = np.arange(options.limit) if rows is None else rows[: options.limit]
    if rows is not None:
        if not len(rows):
            raise ParameterError(
                f"none of the {len(options.only or ()):,} words of only= is among its words"
            )
        table.vocab = Vocab.from_words(table.vocab.words_at(rows), table.vocab.counts[rows])
        table.vectors = table.vectors[rows]
        table.norms = None if table.norms is None else table.norms[rows]
        if table.subwords is not None:
            table.subwords = table.subwords.select_words(rows)
    if table.vectors.dtype != options.dtype:
        report = table.report or LoadReport("", "the table")
        table.vectors = converted(table.vectors, options.dtype, report)
        table.norms = None
        if table.subwords is not None:
            table.subwords = table.subwords.astype(options.dtype)
    return table

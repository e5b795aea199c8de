"""Words and rows as they stand in a file, made into a table: repaired, chosen, converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, ParameterError
from firth.formats._table import VectorTable
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.formats._table import LoadReport
    from firth.subwords import Subwords


def make_table(
    words: Iterable[bytes],
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
    words : iterable of bytes
        The words as they stand in the file, one for each row.
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
    kept: dict[bytes, int] = {}
    n_rows = 0
    for row, raw in enumerate(words):
        n_rows += 1
        if options.limit is not None and len(kept) >= options.limit:
            break
        word = _decoded(raw, row, options, report)
        if not word:
            report.empty_words += 1
        elif options.only is not None and word.decode() not in options.only:
            continue
        elif word in kept:
            report.duplicates += 1
        else:
            kept[word] = row
    report.rows_read = n_rows
    if n_rows > len(vectors):
        raise FormatError(
            f"{report.source}: has {n_rows:,} words or more for {len(vectors):,} vectors; the file "
            f"is damaged"
        )
    rows = np.fromiter(kept.values(), np.int64, len(kept))
    whole = len(rows) == len(vectors)
    return finish_table(
        Vocab.from_words((word.decode() for word in kept), None if counts is None else counts[rows])
        if kept
        else None,
        vectors if whole else vectors[rows],
        options,
        report,
        subwords=subwords,
        config=config,
    )


def finish_table(
    vocab: Vocab | None,
    vectors: NDArray[Any],
    options: ReadOptions,
    report: LoadReport,
    *,
    norms: NDArray[np.float32] | None = None,
    subwords: Subwords | None = None,
    config: Mapping[str, Any] | None = None,
) -> VectorTable:
    """Make a table of rows that are chosen already: count what is not finite, convert."""
    if vocab is None:
        raise nothing_left(options, report)
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise FormatError(
            f"{report.source}: has vectors of shape {vectors.shape}; rows of numbers are wanted"
        )
    dtype = np.dtype(options.dtype)
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(vectors, dtype)
    for begin in range(0, len(vectors), 4096):
        block = vectors[begin : begin + 4096]
        report.not_finite += int((~np.isfinite(block)).any(axis=1).sum())
    refuse_repairs(options, report)
    return VectorTable(
        vocab, vectors, norms=norms, subwords=subwords, config=dict(config or {}), report=report
    )


def nothing_left(options: ReadOptions, report: LoadReport) -> FormatError | ParameterError:
    """Say why a table would have no rows."""
    if options.only is not None and report.rows_read:
        return ParameterError(
            f"{report.source}: none of the {len(options.only):,} words of only= is among its words"
        )
    return FormatError(f"{report.source}: has no words")


def refuse_repairs(options: ReadOptions, report: LoadReport) -> None:
    """With ``strict``, refuse a file in which something was repaired."""
    if options.strict and report.repairs:
        found = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in report.repairs.items())
        raise FormatError(
            f"{report.source}: {found}; strict=True refuses what is repaired or counted without it"
        )


def _decoded(raw: bytes, row: int, options: ReadOptions, report: LoadReport) -> bytes:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        if options.errors == "strict":
            raise FormatError(
                f"{report.source}: the word of row {row + 1:,} is not UTF-8: {raw!r} ({error}); "
                f"errors='replace' or 'ignore' repairs it"
            ) from None
        report.undecodable_words += 1
        return raw.decode(errors=options.errors).encode()
    return raw


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
    if table.vectors.dtype != options.dtype:
        table.vectors = table.vectors.astype(options.dtype)
        table.norms = None
    return table

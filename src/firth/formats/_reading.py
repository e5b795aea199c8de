"""Reading a file of vectors in any format."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from firth.errors import ParameterError
from firth.formats._format import ReadOptions
from firth.formats._registry import format_named, recognise
from firth.formats._rows import refuse_repairs
from firth.formats._source import VectorSource
from firth.progress import progress as show_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from firth.formats._table import VectorTable


def read_vectors(
    source: str | os.PathLike[str] | BinaryIO | VectorSource,
    *,
    format: str | None = None,  # noqa: A002 (the word of the field)
    only: Iterable[str] | None = None,
    limit: int | None = None,
    dtype: Literal["float32", "float16"] = "float32",
    strict: bool = False,
    errors: Literal["strict", "replace", "ignore"] = "strict",
    progress: bool | None = None,
) -> VectorTable:
    """Read word vectors from a file or folder in any format.

    Parameters
    ----------
    source : str, path, binary file or VectorSource
        See `VectorSource`.
    format : str, optional
        The name of the format, one of `FORMATS`; recognised when not given.
    only : iterable of str, optional
        Keep these words only.
    limit : int, optional
        Keep at most this many rows: the first ones, of those in `only`.
    dtype : "float32" or "float16"
        Of the matrix.
    strict : bool, default False
        Refuse files in which something would have to be repaired: duplicate and empty words, NaN
        and infinite values, a header that counts wrongly.
    errors : "strict", "replace" or "ignore"
        What to do with words that are not UTF-8: refuse, put U+FFFD, or drop the bytes.
    progress : bool, optional
        False: none. None or True: a bar on a terminal, log lines elsewhere.

    Returns
    -------
    VectorTable
        With a report of what was repaired.

    Raises
    ------
    SourceError
        There is no such file, or it cannot be read.
    FormatError
        The file is in no known format, is damaged, or is not what `format` says.
    ParameterError
        A parameter is none of these, or no word of `only` is in the file.
    """
    options = _options(only, limit, dtype, strict=strict, errors=errors)
    named = None if format is None else format_named(format)
    opened = source if isinstance(source, VectorSource) else VectorSource(source)
    with nullcontext() if isinstance(source, VectorSource) else opened:
        chosen = named or recognise(opened)
        total = opened.n_packed_bytes
        with show_progress("loading", total=total, unit="B", show=progress) as bar:
            bar.advance(opened.n_packed_read)
            opened.on_read = bar.advance
            table = chosen.read(opened, options)
    if table.report is not None:
        refuse_repairs(options, table.report)
    return table


def _options(
    only: Iterable[str] | None, limit: int | None, dtype: str, *, strict: bool, errors: str
) -> ReadOptions:
    if isinstance(only, str):
        raise ParameterError(f"only is the string {only!r}; give a list of words")
    if limit is not None and (not isinstance(cast("object", limit), int) or limit < 1):
        raise ParameterError(f"limit must be 1 or more, or None, not {limit!r}")
    if dtype not in {"float32", "float16"}:
        raise ParameterError(f"dtype must be 'float32' or 'float16', not {dtype!r}")
    if errors not in {"strict", "replace", "ignore"}:
        raise ParameterError(f"errors must be 'strict', 'replace' or 'ignore', not {errors!r}")
    words = None if only is None else frozenset(only)
    if words is not None:
        if not words:
            raise ParameterError("only has no words; leave it out to keep all")
        for word in words:
            if not isinstance(word, str):
                raise ParameterError(f"only has {type(word).__name__} {word!r}, not a string")
    return ReadOptions(
        words,
        limit,
        cast('Literal["float32", "float16"]', dtype),
        strict,
        cast('Literal["strict", "replace", "ignore"]', errors),
    )

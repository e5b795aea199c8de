"""The way in: whatever a caller may pass for text, as a source."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, Literal, cast, overload

from firth.errors import ParameterError
from firth.text.encoding import check_errors
from firth.text.files import find_files, stream_file
from firth.text.iterables import IterableSource, TokenSource
from firth.text.kinds import hint_for, kind_of
from firth.text.sources import FileSource, TextSource


@overload
def open_text(
    source: Any, *, field: str | None = ..., errors: str = ..., tokens: Literal[False] = ...
) -> TextSource: ...
@overload
def open_text(
    source: Any, *, field: str | None = ..., errors: str = ..., tokens: Literal[True]
) -> TokenSource: ...
def open_text(
    source: str | os.PathLike[str] | BinaryIO | Iterable[Any],
    *,
    field: str | None = None,
    errors: str = "strict",
    tokens: bool = False,
) -> TextSource | TokenSource:
    r"""Open text, wherever it is.

    Formats are recognised by their first bytes: plain UTF-8, ``.gz``, ``.bz2``, ``.xz``, ``.zst``
    (any number of members or frames, windows of up to 2 GiB), ``.zip`` (all members). Records are
    recognised by the name of the file, below any suffix of a compression: ``.jsonl``,
    ``.ndjson``, ``.csv``, ``.tsv``, ``.parquet``.

    Parameters
    ----------
    source : str, path, list of paths, binary file or iterable
        - a path: a file, a folder (with all below it, in order, without hidden files), a glob
          pattern, ``archive.zip/member.txt``, or ``-`` for standard input;
        - a list of `pathlib.Path`: each of these, one after the other;
        - a file open in binary mode, or in text mode (then in the encoding of your choice);
        - an iterable of strings, each a text; a generator too, which is read only once;
        - with ``tokens=True``, an iterable of lists of tokens.
    field : str, optional
        Where the text is in a file of records: the key or column. Standard input, and other
        streams without a name, are read as JSON lines when it is given.
    errors : str, default "strict"
        What to do with bytes that are not UTF-8, as in ``open``: ``"strict"`` raises,
        ``"replace"`` puts U+FFFD, ``"ignore"`` drops, ``"backslashreplace"`` writes ``\xff``;
        or the name of a handler registered with ``codecs.register_error``.
    tokens : bool, default False
        Whether `source` has lists of tokens instead of text.

    Returns
    -------
    TextSource or TokenSource
        The latter with ``tokens=True``.

    Raises
    ------
    SourceError
        No such file, or a folder or pattern without files.
    ParameterError
        An unknown `errors`; a `field` that is missing, or given for plain text; or `source` is
        none of these.
    TextError
        With ``tokens=True``: `source` is a string.

    Examples
    --------
    >>> source = open_text(["You shall know a word", "by the company it keeps"])
    >>> b"".join(source.blocks())
    b'You shall know a word\nby the company it keeps\n'
    """
    check_errors(errors)
    if field is not None and (not field or type(field) is not str):
        raise ParameterError(f"field is {field!r}: give the name of a key or column")
    if tokens:
        if field is not None:
            raise ParameterError("field does not go with lists of tokens, which have no fields")
        return TokenSource(cast("Iterable[Iterable[str]]", source))
    if isinstance(source, (str, os.PathLike)):
        return FileSource(find_files(source), field, errors)
    if isinstance(source, (list, tuple)):
        if source and all(isinstance(item, os.PathLike) for item in source):
            files = [file for item in source for file in find_files(item)]
            return FileSource(files, field, errors)
        _refuse_names_of_files(source)
    if hasattr(source, "read") and not isinstance(source, io.TextIOBase):
        return FileSource([stream_file(cast("BinaryIO", source))], field, errors)
    if isinstance(source, (bytes, bytearray, memoryview, Mapping)) or not isinstance(
        source, Iterable
    ):
        raise ParameterError(
            f"the source of text is {kind_of(source)}: pass a path, an open file or an iterable of "
            f"strings{hint_for(source)}"
        )
    if field is not None:
        raise ParameterError(
            "field goes with files of records (.jsonl, .csv, .tsv, .parquet), not with an iterable "
            "of texts: pass the texts themselves, (record[field] for record in records)"
        )
    return IterableSource(cast("Iterable[str]", source), errors)


def _refuse_names_of_files(texts: list[Any] | tuple[Any, ...]) -> None:
    """Refuse a list of strings that all name files: it would be trained on their names."""
    if texts and all(
        # os.path, because Path.is_file() raises on strings that cannot be names.
        isinstance(text, str) and os.path.isfile(text)  # noqa: PTH113
        for text in texts
    ):
        raise ParameterError(
            f"a list of strings is a list of texts, but {texts[0]!r} is the name of a file: pass "
            "pathlib.Path objects to read files"
        )

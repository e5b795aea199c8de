"""Several fields of each record of a file: a text and its label, for one."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from firth.compression import COMPRESSED_CHUNK, decompress, find_codec
from firth.errors import ParameterError, TextError
from firth.text.encoding import strip_mark
from firth.text.files import find_files
from firth.text.records import (
    decoded_lines,
    list_fields,
    parse_csv,
    record_format,
    separator_hint,
    split_at_tabs,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from firth.text.files import TextFile


def read_rows(
    path: str | os.PathLike[str], fields: Sequence[str], errors: str = "strict"
) -> Iterator[tuple[int, list[Any]]]:
    """Read some fields of each record of JSON lines, or of comma- or tab-separated values.

    Parameters
    ----------
    path : str or Path
        The file, told by its name, below any suffix of a compression; "-" is standard input, as
        JSON lines.
    fields : sequence of str
        Names of keys or columns.
    errors : str
        The policy for bytes that are not UTF-8, as in ``open``.

    Yields
    ------
    number : int
        The line at which the record begins, from 1.
    values : list
        The values of the fields: strings of columns, and what JSON has.

    Raises
    ------
    SourceError
        If there is no such file.
    ParameterError
        If the file is none of these.
    TextError
        If a record lacks a field or is damaged, with its line.
    """
    files = find_files(path)
    kind = record_format(files[0].name) if files[0].is_named else "jsonl"
    if len(files) > 1 or kind not in {"jsonl", "csv", "tsv"}:
        raise ParameterError(
            f"{path} is no file of records that can be read here: it must be named .jsonl, "
            f".ndjson, .csv or .tsv, as it may be compressed"
        )
    lines = decoded_lines(_unpacked(files[0], errors), errors, files[0].name)
    if kind == "jsonl":
        yield from _json_rows(lines, fields, files[0].name)
    else:
        rows = split_at_tabs(lines) if kind == "tsv" else parse_csv(lines, files[0].name)
        yield from _columns(rows, fields, files[0].name)


def _unpacked(file: TextFile, errors: str) -> Iterator[bytes]:
    """Read a file, whatever it is compressed by."""
    with file.open() as opened:
        head = opened.read(COMPRESSED_CHUNK)
        chunks: Iterator[bytes] = chain((head,), iter(lambda: opened.read(COMPRESSED_CHUNK), b""))
        codec = find_codec(head, file.name, TextError)
        if codec is not None:
            chunks = decompress(chunks, codec, file.name, TextError)
        yield from strip_mark(chunks, file.name, errors)[0]


def _json_rows(
    lines: Iterator[str], fields: Sequence[str], name: str
) -> Iterator[tuple[int, list[Any]]]:
    for number, line in enumerate(lines, 1):
        if not line or line.isspace():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise TextError(
                f"{name}, line {number} is no JSON object ({error}): JSON lines have one whole "
                f"object on each line"
            ) from None
        if not isinstance(record, dict):
            raise TextError(f"{name}, line {number} is no JSON object, but {line[:24]!r}")
        if missing := [field for field in fields if field not in record]:
            raise TextError(
                f"{name}, line {number} has no field {missing[0]!r}; it has {list_fields(record)}"
            )
        yield number, [record[field] for field in fields]


def _columns(
    rows: Iterator[tuple[int, list[str]]], fields: Sequence[str], name: str
) -> Iterator[tuple[int, list[Any]]]:
    _, header = next(rows, (0, []))
    for field in fields:
        if header.count(field) != 1:
            what = "no column" if field not in header else "more than one column"
            raise TextError(
                f"{name}, line 1 has {what} {field!r}; it has {list_fields(header)}"
                f"{separator_hint(header)}"
            )
    places = [header.index(field) for field in fields]
    for number, row in rows:
        if len(row) != len(header):
            raise TextError(
                f"{name}, line {number} does not have the {len(header)} columns of the header, but "
                f"{len(row)}"
            )
        yield number, [row[place] for place in places]

"""Texts out of files of records: JSON lines, comma- and tab-separated values, Parquet.

Each reader yields one text after the other as UTF-8 that ends with a newline. All of them take
``field=None`` for the question "which fields are there?", and answer it in the error that they
raise.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from firth.compression import COMPRESSION_SUFFIXES
from firth.errors import MissingExtraError, ParameterError, TextError
from firth.text.encoding import RECODE_HINT, REPLACE_HINT, decode_with, encode_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import BinaryIO

RECORD_FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}

MAX_RECORD_SIZE = 1 << 30
_PARQUET_BATCH_SIZE = 4 << 20


def record_format(name: str) -> str | None:
    """Tell the format of a file of records by its name, below any suffix of a compression.

    Returns
    -------
    str or None
        ``"jsonl"``, ``"csv"``, ``"tsv"`` or ``"parquet"``; None for plain text.
    """
    name = name.lower()
    for suffix in (*COMPRESSION_SUFFIXES, ".zip"):
        if name.endswith(suffix):
            name = name.removesuffix(suffix)
            break
    return next((kind for suffix, kind in RECORD_FORMATS.items() if name.endswith(suffix)), None)


def list_fields(fields: Iterable[str]) -> str:
    """Name the first twenty fields, for messages."""
    names = [repr(field) for field in fields]
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more if names else "none"


def no_field_given(name: str, fields: Iterable[str] | None = None) -> ParameterError:
    """Make the error for records without the name of the field that holds the text."""
    have = "" if fields is None else f"; it has {list_fields(fields)}"
    return ParameterError(f"{name} holds records: say which field is the text with field={have}")


def read_json_lines(
    chunks: Iterable[bytes], field: str | None, errors: str, name: str
) -> Iterator[bytes]:
    """Read one field of JSON lines; ``null`` is an empty text, blank lines are passed over.

    Parameters
    ----------
    chunks : iterable of bytes
        The file, in pieces of any size.
    field : str or None
        The key of the text in each object.
    errors : str
        The policy for bytes and surrogates that are not UTF-8.
    name : str
        The name of the file, for messages.

    Yields
    ------
    bytes
        The text of one record.

    Raises
    ------
    ParameterError
        `field` is None and there is a record.
    TextError
        A line that is not UTF-8 or no JSON object, or one where the field is missing or no
        string.
    """
    import json

    parse = json.JSONDecoder().decode
    for number, offset, line in _lines(chunks, name):
        if not line or line.isspace():
            continue
        if not line.lstrip()[:1] == b"{":
            raise TextError(
                f"{name}, line {number} is no JSON object (it begins {_excerpt(line)}): JSON lines "
                'have an object such as {"text": "..."} on each line'
            )
        source = _decoded(line, errors, f"{name}, line {number}", offset)
        if source is None:
            # As surrogates the bytes survive the parser, for encode_with to decide about.
            source = line.decode("utf-8", "surrogateescape")
        try:
            record = parse(source)
        except (ValueError, RecursionError) as error:
            raise TextError(
                f"{name}, line {number} is no JSON object ({error}): JSON lines have one whole "
                "object on each line"
            ) from None
        if field is None:
            raise no_field_given(name, record)
        if field not in record:
            raise TextError(
                f"{name}, line {number} has no field {field!r}; it has {list_fields(record)}"
            )
        text = record[field]
        if text is None:
            continue
        if not isinstance(text, str):
            raise TextError(
                f"{name}, line {number}: the field {field!r} is {_json_type(text)}, not a string"
            )
        try:
            yield encode_with(text, errors, name) + b"\n"
        except UnicodeEncodeError as error:
            raise TextError(
                f"{name}, line {number}: the field {field!r} has a lone surrogate "
                f"(\\u{ord(text[error.start]):04x}), which is no character: "
                f"{REPLACE_HINT}"
            ) from None


def read_delimited(
    chunks: Iterable[bytes], field: str | None, errors: str, name: str, *, tabs: bool
) -> Iterator[bytes]:
    """Read one column of comma-separated (RFC 4180) or tab-separated values with a header.

    Tab-separated values have no quoting, as IANA registers them and as corpora use them: a quote
    is a character like others, and a text never spans lines.

    Parameters
    ----------
    chunks, field, errors, name
        As for `read_json_lines`; the field is the name of a column.
    tabs : bool
        Whether the columns are separated by tabs instead of commas.

    Yields
    ------
    bytes
        The text of one row.

    Raises
    ------
    ParameterError
        `field` is None.
    TextError
        A column that is missing in the header, a row with more or fewer columns than the header,
        quotes that do not pair, bytes that are not UTF-8.
    """
    lines = decoded_lines(chunks, errors, name)
    rows = split_at_tabs(lines) if tabs else parse_csv(lines, name)
    _, header = next(rows, (0, None))
    if header is None:
        return
    if field is None:
        raise no_field_given(name, header)
    if header.count(field) != 1:
        what = "no column" if field not in header else "more than one column"
        raise TextError(
            f"{name}, line 1 has {what} {field!r}; it has {list_fields(header)}"
            f"{separator_hint(header)}"
        )
    column = header.index(field)
    for number, row in rows:
        if len(row) != len(header):
            hint = "a tab" if tabs else "a comma outside of quotes"
            raise TextError(
                f"{name}, line {number} does not have the {len(header)} columns of the header, but "
                f"{len(row)}" + (f": is there {hint} in a text?" if len(row) > len(header) else "")
            )
        yield row[column].encode() + b"\n"


def read_parquet(file: BinaryIO, field: str | None, errors: str, name: str) -> Iterator[bytes]:
    """Read one column of strings of a Parquet file, batch by batch of each row group.

    Parameters
    ----------
    file : binary file
        Open for reading, and seekable: a Parquet file has its table of contents at the end.
    field, errors, name
        As for `read_json_lines`; the field is the name of a column.

    Yields
    ------
    bytes
        The texts of a batch of rows, about 4 MiB; each ends with a newline.

    Raises
    ------
    ParameterError
        `field` is None.
    TextError
        The file is damaged, the column is missing or has no strings, or they are not UTF-8.
    MissingExtraError
        ``pyarrow`` is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import compute, parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet", f"reading {name}") from None

    try:
        table = parquet.ParquetFile(file)
        schema = table.schema_arrow
        if field is None:
            raise no_field_given(name, schema.names)
        if schema.names.count(field) != 1:
            raise TextError(f"{name} has no column {field!r}; it has {list_fields(schema.names)}")
        kind = schema.field(field).type
        value_kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not any(
            is_kind(value_kind)
            for is_kind in (
                pa.types.is_string,
                pa.types.is_large_string,
                pa.types.is_string_view,
                pa.types.is_binary,
                pa.types.is_large_binary,
                pa.types.is_null,
            )
        ):
            raise TextError(f"{name}: the column {field!r} holds {kind}, not strings")
        n_rows = 0
        for batch in table.iter_batches(_rows_per_batch(table, field), columns=[field]):
            # The column becomes one run of bytes in pyarrow: no string is made in Python.
            texts = batch.column(0).cast(pa.large_binary())
            ended = compute.binary_join_element_wise(
                compute.fill_null(texts, b""),
                pa.scalar(b"\n", pa.large_binary()),
                pa.scalar(b"", pa.large_binary()),
            )
            offsets = ended.buffers()[1]
            begin, end = (
                int.from_bytes(offsets[8 * i : 8 * i + 8].to_pybytes(), "little")
                for i in (ended.offset, ended.offset + len(ended))
            )
            data = ended.buffers()[2][begin:end].to_pybytes() if len(ended) else b""
            yield _checked_column(data, texts, n_rows, errors, field, name)
            n_rows += len(texts)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TextError(
            f"{name} cannot be read as Parquet, it is damaged or cut off ({reason}). "
            "Get the file again"
        ) from error


def _lines(chunks: Iterable[bytes], name: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield number (from 1), offset and bytes of each line, without its newline."""
    number = 1
    offset = 0
    pending: list[bytes] = []
    n_pending = 0
    for chunk in chain(chunks, (b"",)):
        first, *others = chunk.split(b"\n")
        pending.append(first)
        n_pending += len(first)
        if n_pending > MAX_RECORD_SIZE:
            raise TextError(
                f"{name}, line {number} is longer than {MAX_RECORD_SIZE >> 20} MiB: "
                "is there one record on each line?"
            )
        if not others:
            continue
        *whole, last = b"".join(pending), *others
        for line in whole:
            yield number, offset, line
            number += 1
            offset += len(line) + 1
        pending = [last]
        n_pending = len(last)
    if n_pending:
        yield number, offset, b"".join(pending)


def decoded_lines(chunks: Iterable[bytes], errors: str, name: str) -> Iterator[str]:
    """Yield the lines of a file, without their newlines."""
    for number, offset, line in _lines(chunks, name):
        text = _decoded(line, errors, f"{name}, line {number}", offset)
        yield decode_with(line, errors, name) if text is None else text


def _decoded(line: bytes, errors: str, place: str, offset: int) -> str | None:
    """Decode a line of UTF-8; None if it is none, which is an error under "strict"."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        if errors == "strict":
            raise TextError(
                f"{place} is not UTF-8 at byte {offset + error.start} of the text "
                f"(0x{line[error.start]:02x}): {RECODE_HINT}"
            ) from None
        return None


def split_at_tabs(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its line."""
    for number, line in enumerate(lines, start=1):
        if line and not line.isspace():
            yield number, line.removesuffix("\r").split("\t")


def parse_csv(lines: Iterable[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its first line."""
    import csv

    reader = csv.reader((line + "\n" for line in lines), strict=True)
    number = 1
    while True:
        # The limit belongs to the process, and its default of 128 KiB is less than an article.
        limit = csv.field_size_limit(MAX_RECORD_SIZE)
        try:
            row = next(reader, None)
        except csv.Error as error:
            if "new-line character" in str(error):
                raise TextError(
                    f"{name}, line {number} has a carriage return outside of quotes: end the lines "
                    "with \\n or \\r\\n"
                ) from None
            raise TextError(
                f"{name}, line {number}: no comma-separated values as of RFC 4180 ({error}). A "
                'text with commas, quotes or line ends stands in "quotes", and quotes in it are '
                'doubled: ""'
            ) from None
        finally:
            csv.field_size_limit(limit)
        if row is None:
            return
        if row:
            yield number, row
        number = reader.line_num + 1


def separator_hint(header: Sequence[str]) -> str:
    """Say what to do about a header that is separated by something else."""
    for separator, what in ((";", "semicolons"), ("\t", "tabs (name it .tsv)")):
        if len(header) == 1 and separator in header[0]:
            return f". Are the columns separated by {what}? firth expects commas"
    return ""


def _rows_per_batch(table: Any, field: str) -> int:
    """Give the number of rows that make about 4 MiB of text, from the sizes in the metadata."""
    metadata = table.metadata
    size = 0
    for group in range(metadata.num_row_groups):
        columns = metadata.row_group(group)
        size += sum(
            columns.column(i).total_uncompressed_size
            for i in range(columns.num_columns)
            if columns.column(i).path_in_schema == field
        )
    per_row = size / max(1, metadata.num_rows)
    return min(65536, max(16, int(_PARQUET_BATCH_SIZE / max(1.0, per_row))))


def _checked_column(
    data: bytes, texts: Any, n_rows: int, errors: str, field: str, name: str
) -> bytes:
    """Check that the texts of a batch, joined in `data`, are UTF-8, or make them so."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        if errors != "strict":
            return decode_with(data, errors, name).encode()
    else:
        return data
    for row, text in enumerate(texts, start=n_rows + 1):
        try:
            (text.as_py() or b"").decode()
        except UnicodeDecodeError as error:
            raise TextError(
                f"{name}, row {row}: the column {field!r} is not UTF-8 at byte {error.start} of "
                f"its text: {RECODE_HINT}"
            ) from None
    raise AssertionError("a batch is UTF-8 if every text in it is")


def _excerpt(line: bytes) -> str:
    text = line[:24].decode("utf-8", "replace")
    return repr(text if len(line) <= 24 else text + "...")


def _json_type(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object")

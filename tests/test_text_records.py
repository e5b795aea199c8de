"""Files of records: which field is read, and what is refused."""

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import MissingExtraError, ParameterError, TextError
from firth.text import open_text, records
from firth.text.records import read_delimited, read_json_lines, record_format

pyarrow = pytest.importorskip("pyarrow", reason="needs the extra 'parquet'")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'parquet'")


def read(path: Path, data: str | bytes, field: str | None = "text", errors: str = "strict") -> str:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return b"".join(open_text(path, field=field, errors=errors).blocks()).decode()


def refused(path: Path, data: str | bytes, field: str | None = "text") -> str:
    with pytest.raises((TextError, ParameterError)) as raised:
        read(path, data, field)
    message = str(raised.value)
    assert str(path) in message
    return message


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jsonl", "jsonl"),
        ("a.NDJSON.gz", "jsonl"),
        ("folder.csv/a.txt", None),
        ("a.csv.bz2", "csv"),
        ("a.tsv.zst", "tsv"),
        ("a.parquet.xz", "parquet"),
        ("a.jsonl.zip", "jsonl"),
        ("a.json", None),
        ("jsonl", None),
        ("a.csv.txt", None),
    ],
)
def test_formats_are_told_by_name_below_a_compression(name: str, kind: str | None) -> None:
    assert record_format(name) == kind


# --- JSON lines ---------------------------------------------------------------------------------


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "text": "one\\nof two \\u00e9 lines"}\r',
        "",
        '  {"text": null}',
        '{"text": ""}',
        '{"other": {"text": "inner"}, "text": "\\ud83d\\ude00"}',
    ]
    path = tmp_path / "a.jsonl"
    assert read(path, "\ufeff" + "\n".join(lines)) == "one\nof two é lines\n\n😀\n"
    packed = tmp_path / "a.jsonl.gz"
    assert read(packed, gzip.compress("\n".join(lines).encode())) == "one\nof two é lines\n\n😀\n"
    assert read(path, "") == ""


@given(
    st.lists(st.fixed_dictionaries({"text": st.text()}, optional={"id": st.integers()})),
    st.integers(1, 50),
)
def test_json_lines_of_any_text_in_any_pieces(rows: list[dict[str, str]], size: int) -> None:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    texts = list(read_json_lines(chunks, "text", "strict", "a.jsonl"))
    assert texts == [row["text"].encode() + b"\n" for row in rows]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            '{"text": "a"}\n\n{"title": "b", "body": "c"}',
            "line 3 has no field 'text'; it has 'title', 'body'",
        ),
        ('{"text": "a"}\n{}', "line 2 has no field 'text'; it has none"),
        ('[{"text": "a"}]', 'line 1 is no JSON object (it begins \'[{"text": "a"}]\')'),
        ("text\n", "line 1 is no JSON object"),
        ('{\n"text": "a"}', "line 1 is no JSON object (Expecting property name"),
        ('{"text": "a"}\n{"text": "b', "line 2 is no JSON object (Unterminated string"),
        ('{"text": 3}', "the field 'text' is a number, not a string"),
        ('{"text": true}', "the field 'text' is a boolean, not a string"),
        ('{"text": ["a"]}', "the field 'text' is a list, not a string"),
        ('{"text": {"a": 1}}', "the field 'text' is an object, not a string"),
        ('{"text": ' + "[" * 100_000, "line 1 is no JSON object (maximum recursion depth"),
        ('{"text": "a\\ud800"}', "line 1: the field 'text' has a lone surrogate (\\ud800)"),
        (
            b'{"text": "a"}\n{"text": "caf\xe9"}',
            "line 2 is not UTF-8 at byte 27 of the text (0xe9)",
        ),
    ],
)
def test_bad_json_lines_are_refused_with_their_line(
    data: str | bytes, message: str, tmp_path: Path
) -> None:
    assert message in refused(tmp_path / "a.jsonl", data)


def test_policies_reach_into_json_strings(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    latin = b'{"text": "caf\xe9 \\u00e9"}'
    assert read(path, latin, errors="replace") == "caf\ufffd é\n"
    # Were the line itself decoded so, it would be no JSON any more.
    assert read(path, latin, errors="backslashreplace") == "caf\\xe9 é\n"
    assert read(path, '{"text": "a\\ud800b"}', errors="ignore") == "ab\n"


def test_the_fields_that_there_are_are_told(tmp_path: Path) -> None:
    message = refused(tmp_path / "a.jsonl", '{"id": 1, "body": "a"}', field=None)
    assert "say which field is the text with field=; it has 'id', 'body'" in message
    many = json.dumps({f"f{i}": i for i in range(30)})
    assert "'f19' and 10 more" in refused(tmp_path / "b.jsonl", many)
    assert read(tmp_path / "empty.jsonl", "", field=None) == ""


def test_a_record_of_endless_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_SIZE", 1 << 20)
    chunks = iter([b'{"text": "short"}\n{"text": "'] + [b"x" * (1 << 18)] * 8)
    texts = read_json_lines(chunks, "text", "strict", "a.jsonl")
    assert next(texts) == b"short\n"
    with pytest.raises(TextError, match="line 2 is longer than 1 MiB: is there one record"):
        next(texts)


def test_a_record_larger_than_a_block_is_cut(tmp_path: Path) -> None:
    text = "some words " * 1_000_000
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": text}))
    blocks = list(open_text(path, field="text").blocks())
    assert b"".join(blocks).decode() == text + "\n"
    assert max(map(len, blocks)) < 6 << 20


# --- comma- and tab-separated values ------------------------------------------------------------


def test_csv(tmp_path: Path) -> None:
    data = 'id,text\r\n1,"one, ""two""\nthree"\r\n\r\n2,four\r\n'
    assert read(tmp_path / "a.csv", "\ufeff" + data) == 'one, "two"\nthree\nfour\n'
    assert read(tmp_path / "a.csv", data, field="id") == "1\n2\n"
    assert read(tmp_path / "a.csv", "") == ""
    assert read(tmp_path / "a.csv", b"text\ncaf\xe9\n", errors="replace") == "caf\ufffd\n"


@given(st.lists(st.tuples(st.text(), st.text()), max_size=8), st.integers(1, 50))
def test_csv_of_any_text_in_any_pieces(rows: list[tuple[str, str]], size: int) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "text"), *rows])
    data = file.getvalue().encode()
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    texts = list(read_delimited(chunks, "text", "strict", "a.csv", tabs=False))
    assert texts == [text.encode() + b"\n" for _, text in rows]


def test_a_cell_may_be_longer_than_the_limit_of_csv_which_stays_as_it_is(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    text = "word " * 100_000
    assert len(text) > limit
    assert read(tmp_path / "a.csv", f"text\n{text}\n") == text + "\n"
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("id,body\n1,a\n", "line 1 has no column 'text'; it has 'id', 'body'"),
        ("text,text\na,b\n", "line 1 has more than one column 'text'"),
        ("id;text\n1;a\n", "Are the columns separated by semicolons?"),
        ("id\ttext\n1\ta\n", "Are the columns separated by tabs (name it .tsv)?"),
        (
            'id,text\n"1\n2",a\n3,b,c\n',
            "line 4 does not have the 2 columns of the header, but 3: is there a comma",
        ),
        ("id,text\n1,a\n2\n", "line 3 does not have the 2 columns of the header, but 1"),
        ('id,text\n1,a\n2,"b\n3,c\n', "line 3: no comma-separated values as of RFC 4180"),
        ('id,text\n1,"a"b\n', "line 2: no comma-separated values as of RFC 4180"),
        ("id,text\r1,a\r", "line 1 has a carriage return outside of quotes"),
        (b"text\na\ncaf\xe9\n", "line 3 is not UTF-8 at byte 10 of the text (0xe9)"),
    ],
)
def test_bad_csv_is_refused_with_its_line(data: str | bytes, message: str, tmp_path: Path) -> None:
    assert message in refused(tmp_path / "a.csv", data)


def test_tsv_has_no_quoting(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    assert (
        read(path, 'id\ttext\r\n1\t"open\r\n\r\n2\tit\'s 5" long\r\n') == '"open\nit\'s 5" long\n'
    )
    assert "line 3 does not have the 2 columns" in refused(path, "id\ttext\n\n1\ta\tb\n")
    assert "it has 'id', 'text'" in refused(path, "id\ttext\n", field=None)


# --- Parquet ------------------------------------------------------------------------------------


def write_parquet(path: Path, *, row_group_size: int | None = None, **columns: object) -> bytes:
    parquet.write_table(pyarrow.table(columns), path, row_group_size=row_group_size)
    return path.read_bytes()


@pytest.mark.parametrize(
    "kind",
    [
        pyarrow.string(),
        pyarrow.large_string(),
        pyarrow.binary(),
        pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
    ],
    ids=str,
)
def test_parquet_columns_of_text(kind: object, tmp_path: Path) -> None:
    texts = [b"one", None, "twö\nlines".encode(), b""]
    if kind != pyarrow.binary():
        texts = [text if text is None else text.decode() for text in texts]  # type: ignore[misc]
    column = pyarrow.array(texts)
    column = column.dictionary_encode() if pyarrow.types.is_dictionary(kind) else column.cast(kind)
    path = tmp_path / "a.parquet"
    data = write_parquet(path, id=[1, 2, 3, 4], text=column, row_group_size=3)
    assert read(path, data) == "one\n\ntwö\nlines\n\n"
    assert read(tmp_path / "a.parquet.gz", gzip.compress(data)) == "one\n\ntwö\nlines\n\n"


def test_parquet_is_read_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(path, text=[f"text number {i}" for i in range(400_000)])
    source = open_text(path, field="text")
    blocks = list(source.blocks())
    assert b"".join(blocks).decode().split("\n") == [
        *(f"text number {i}" for i in range(400_000)),
        "",
    ]
    assert len(blocks) > 1
    assert source.n_bytes_read == source.n_bytes
    assert (
        read(tmp_path / "empty.parquet", write_parquet(path, text=pyarrow.array([], "string")))
        == ""
    )
    nulls = write_parquet(path, text=pyarrow.nulls(2))
    assert read(tmp_path / "nulls.parquet", nulls) == "\n\n"


def test_bad_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    data = write_parquet(path, id=[1, 2], text=["some text", "another"])
    assert "has no column 'body'; it has 'id', 'text'" in refused(path, data, field="body")
    assert "field=; it has 'id', 'text'" in refused(path, data, field=None)
    assert "the column 'id' holds int64, not strings" in refused(path, data, field="id")
    for damaged in (b"", b"no", data[: len(data) // 2], data[:-12] + b"\xff" * 4 + data[-8:]):
        assert "damaged or cut off" in refused(path, damaged)
    assert "name it .parquet and pass field=" in refused(tmp_path / "a.dat", data, field=None)
    latin = write_parquet(tmp_path / "b.parquet", text=[b"a", b"caf\xe9"])
    assert "row 2: the column 'text' is not UTF-8 at byte 3" in refused(path, latin)
    assert read(path, latin, errors="replace") == "a\ncaf\ufffd\n"


def test_parquet_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    write_parquet(path, text=["a"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'firth\[parquet\]'"):
        list(open_text(path, field="text").blocks())

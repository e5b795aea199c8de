"""Files of words and tags in columns."""

import gzip
import io

import pytest

from firth.errors import FormatError, ParameterError, SourceError, TextError
from firth.tasks import read_conll

SMALL = "Sally\tB-person\nsmiles\tO\n\nNo\tO\n"
READ = ([["Sally", "smiles"], ["No"]], [["B-person", "O"], ["O"]])


@pytest.mark.parametrize(
    "text",
    [
        SMALL,
        SMALL.rstrip("\n"),
        SMALL.replace("\n", "\r\n"),
        SMALL.replace("\t", "  "),
        "\ufeff" + SMALL,
        "\n\n" + SMALL.replace("\n\n", "\n\t\n \n\n"),
        "-DOCSTART- -X-\n\n" + SMALL,
    ],
)
def test_columns_are_read_as_they_come(tmp_path, text):
    path = tmp_path / "some.conll"
    path.write_bytes(text.encode())
    assert read_conll(path) == READ
    assert read_conll(io.BytesIO(text.encode())) == READ


@pytest.mark.parametrize("name", ["some.conll.gz", "some.tsv.gz"])
def test_compressed_files_are_read(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(SMALL.encode()))
    assert read_conll(str(path)) == READ


def test_a_tsv_is_no_table_with_names(tmp_path):
    path = tmp_path / "some.tsv"
    path.write_text(SMALL)
    assert read_conll(path) == READ


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SMALL.encode())))
    assert read_conll("-") == READ


def test_columns_are_chosen(tmp_path):
    path = tmp_path / "some.conll"
    path.write_text("1 Sally NNP B-person x\n2 smiles VBZ O y\n")
    words, tags = read_conll(path, word_column=1, tag_column=-2)
    assert (words, tags) == ([["Sally", "smiles"]], [["B-person", "O"]])


def test_words_that_look_like_space_or_ends_of_lines_stay(tmp_path):
    path = tmp_path / "some.conll"
    text = "\u00a0\tO\n\u2028\tO\na b\tO\n"
    path.write_text(text)
    assert read_conll(path).words == [["\u00a0", "\u2028", "a b"]]


def test_a_sentence_over_many_blocks_is_one(tmp_path):
    path = tmp_path / "long.conll"
    path.write_text("word\tO\n" * 200_000)
    words, tags = read_conll(path)
    assert (len(words), len(words[0]), len(tags[0])) == (1, 200_000, 200_000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tO\nb\n", r"bad.conll: line 2 has 1 of the 2 columns that it must have: 'b'"),
        ("a\tO\n\nb\tx\tO\n", r"line 3 has 3 columns where the lines before have 2"),
        ("a\tO\nb\tperson\n", r"line 2 has 'person' where a tag belongs; write O, or B-"),
        ("a\nb\n", r"line 1 has 1 of the 2 columns"),
        ("a\tO\n\tO\n", r"line 2 has an empty column"),
        ("\n \n\n", "has no sentences"),
        ("", "has no sentences"),
        ("x " * (2 << 20), "a line is longer than 1 MiB"),
        ("-DOCSTART- O\n", "has no sentences"),
    ],
)
def test_broken_files_are_told_by_the_line(tmp_path, text, message):
    path = tmp_path / "bad.conll"
    path.write_text(text)
    with pytest.raises(FormatError, match=message):
        read_conll(path)


@pytest.mark.parametrize("name", ["latin.conll", "latin.tsv"])
def test_what_is_not_utf8_is_told(tmp_path, name):
    path = tmp_path / name
    path.write_bytes("Sally\tO\nM\xfcller\tO\n".encode("latin-1"))
    with pytest.raises(TextError, match=rf"{name} is not UTF-8 at byte 9"):
        read_conll(path)


def test_what_is_not_utf8_can_be_replaced(tmp_path):
    path = tmp_path / "latin.conll"
    path.write_bytes("M\xfcller\tO\n".encode("latin-1"))
    assert read_conll(path, errors="replace").words == [["M\ufffdller"]]


def test_no_such_file(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        read_conll(tmp_path / "none.conll")
    with pytest.raises(FormatError, match="is a folder"):
        read_conll(tmp_path)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"word_column": "x"}, "a column is 'x'; give its number"),
        ({"word_column": -1}, "words and tags are both said to be in column -1"),
    ],
)
def test_columns_that_are_none(tmp_path, columns, message):
    path = tmp_path / "some.conll"
    path.write_text(SMALL)
    with pytest.raises(ParameterError, match=message):
        read_conll(path, **columns)


def test_a_column_that_is_not_there_is_told_by_the_line(tmp_path):
    path = tmp_path / "some.conll"
    path.write_text(SMALL)
    with pytest.raises(FormatError, match="line 1 has 2 of the 6 columns"):
        read_conll(path, tag_column=5)

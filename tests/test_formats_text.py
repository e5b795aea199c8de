"""word2vec's text, GloVe's text, and fastText's .vec."""

import gzip
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from firth.errors import FormatError, ParameterError
from firth.formats import VectorTable, read_vectors, write_vectors
from firth.vocab import Vocab

DATA = Path(os.environ.get("FIRTH_DATA", Path(__file__).parents[2] / "shared" / "data"))

ROWS = b"the 0.5 -1\nof 0.25 1e-3\nand 2 3.5\n"
TEXT = b"3 2\n" + ROWS


def read(data, **options):
    return read_vectors(io.BytesIO(data), progress=False, **options)


def read_words(data, **options):
    return list(read(data, **options).vocab)


def refused(data, **options):
    with pytest.raises(FormatError) as raised:
        read(data, **options)
    return str(raised.value).removeprefix("the BytesIO")


def table(words, vectors, counts=None):
    return VectorTable(Vocab.from_words(words, counts), np.array(vectors, np.float32))


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [TEXT, ROWS, gzip.compress(TEXT)])
def test_words_numbers_and_report(data):
    found = read(data)
    assert list(found.vocab) == ["the", "of", "and"]
    assert found.vectors.dtype == np.float32
    assert found.vectors.tolist() == [[0.5, -1], [0.25, np.float32(1e-3)], [2, 3.5]]
    assert found.vocab.counts.tolist() == [0, 0, 0]
    report = found.report
    assert report.format == ("glove" if data == ROWS else "word2vec-text")
    assert report.rows_claimed == (None if data == ROWS else 3)
    assert (report.rows_read, report.repairs, report.notes) == (3, {}, [])


def test_fasttext_ends_its_lines_with_a_space():
    found = read(TEXT.replace(b"\n", b" \n").replace(b"3 2 ", b"3 2"))
    assert found.report.format == "fasttext-vec"
    assert list(found.vocab) == ["the", "of", "and"]


@pytest.mark.parametrize("header", [b"", b"3 2\n"])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b" \n"),
        lambda text: text.replace(b"\n", b"\t \r\n"),
        lambda text: text[:-1],
        lambda text: text.replace(b" ", b"\t"),
    ],
    ids=["windows", "trailing space", "all sorts", "no last line end", "tabs"],
)
def test_other_line_ends_and_separators(header, change):
    found = read(change(header + ROWS))
    assert list(found.vocab) == ["the", "of", "and"]
    assert found.vectors.tolist() == read(TEXT).vectors.tolist()


@pytest.mark.parametrize("data", [TEXT, ROWS])
def test_a_byte_order_mark_is_no_part_of_the_first_word(data):
    found = read(b"\xef\xbb\xbf" + data)
    assert list(found.vocab) == ["the", "of", "and"]
    assert found.report.notes == ["a byte-order mark was passed over"]


def test_words_with_spaces_as_in_glove_840b():
    words = [". . .", "at name@domain.com", "a\u00a0b", "c\u2028d", "1", "$ 5 off", "\x85", "..."]
    text = b"".join(f"{word} 0.25 -0.5 7\n".encode() for word in ["the", *words])
    found = read(text)
    assert list(found.vocab) == ["the", *words]
    assert (found.vectors == [0.25, -0.5, 7]).all()
    assert found.report.notes == ["words with spaces in them: 3"]
    assert read_words(text, only=[". . .", "$", "at"]) == [". . ."]


def test_words_that_are_numbers():
    text = b"1 2 3\n0.5 2 3\n1e5 2 3\nnan 2 3\n"
    assert read_words(text) == ["1", "0.5", "1e5", "nan"]
    assert read_words(b"4 2\n" + text) == ["1", "0.5", "1e5", "nan"]


def test_empty_words_and_duplicates_are_left_out_and_counted():
    found = read(b"6 2\nthe 1 2\n 3 4\nthe 5 6\nof 7 8\n\t9 9\nthe 0 0\n")
    assert list(found.vocab) == ["the", "of"]
    assert found.vectors.tolist() == [[1, 2], [7, 8]]
    assert found.report.rows_read == 6
    assert found.report.repairs == {"duplicates": 2, "empty_words": 2}


def test_blank_lines_are_passed_over():
    found = read(b"2 2\n\nthe 1 2\n \r\nof 3 4\n\n\n")
    assert list(found.vocab) == ["the", "of"]
    assert found.report.notes == ["blank lines that were passed over: 4"]


@pytest.mark.parametrize(("claimed", "word"), [(2, "row"), (4, "row"), (1, "row")])
def test_a_header_that_counts_wrongly_is_noted_and_refused_when_strict(claimed, word):
    data = b"%d 2\n" % claimed + ROWS
    found = read(data)
    assert len(found.vocab) == found.report.rows_read == 3
    said = f"the header says {claimed} row{'' if claimed == 1 else 's'}, and there are 3"
    assert found.report.notes == [said]
    assert said in refused(data, strict=True)
    assert read_words(data, strict=True, limit=2) == ["the", "of"]


def test_words_that_are_not_utf8():
    data = b"4 1\nthe 1\nn\xffo 2\n\xf0\x9f\x98 3\nthe\xff 4\n"
    message = refused(data)
    assert ", line 3 (byte 10): the word is not UTF-8: 'n\\\\xffo'; errors='replace'" in message
    found = read(data, errors="replace")
    assert list(found.vocab) == ["the", "n\ufffdo", "\ufffd", "the\ufffd"]
    assert found.report.repairs == {"undecodable_words": 3}
    found = read(data, errors="ignore")
    assert list(found.vocab) == ["the", "no"]
    assert found.report.repairs == {
        "undecodable_words": 3,
        "empty_words": 1,
        "duplicates": 1,
    }
    assert "3 undecodable words" in refused(data, errors="replace", strict=True)


def test_values_that_are_not_finite_are_counted_and_refused_when_strict():
    data = b"4 2\na nan 1\nb 1 -inf\nc 1e39 0\nd 1 2\n"
    found = read(data)
    assert found.report.not_finite == 3
    assert np.isnan(found.vectors[0, 0])
    assert np.isinf(found.vectors[1:3]).any(axis=1).all()
    assert "3 not finite" in refused(data, strict=True)
    assert read(data, only=["d"]).report.not_finite == 0


# --- what is wanted -------------------------------------------------------------------------------


def test_limit_only_and_dtype():
    assert read_words(TEXT, limit=2) == ["the", "of"]
    assert read_words(TEXT, limit=9) == ["the", "of", "and"]
    assert read_words(TEXT, only=["and", "the", "nothing"]) == ["the", "and"]
    assert read_words(TEXT, only=["and", "of"], limit=1) == ["of"]
    found = read(TEXT, dtype="float16")
    assert found.vectors.dtype == np.float16
    assert found.vectors.tolist() == read(TEXT).vectors.astype(np.float16).tolist()
    with pytest.raises(ParameterError, match="none of the 2 words of only="):
        read(TEXT, only=["no", "nothing"])
    assert "numbers beyond 65,504" in refused(b"a 1 65520\nb 1 2\n", dtype="float16")
    assert np.isinf(read(b"a 1 inf\nb 1 2\n", dtype="float16").vectors[0, 1])


def test_limit_reads_the_front_of_a_file_that_is_cut_off():
    cut = b"1000000 2\n" + ROWS[:-3]
    assert read_words(cut, limit=2) == ["the", "of"]
    assert "cut off" in refused(cut)


def test_blocks_are_joined_where_lines_go_on(monkeypatch):
    words = [f"word{i}" for i in range(3000)]
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((3000, 5)).astype(np.float32)
    file = io.BytesIO()
    lines = [f"{w} {' '.join(map(str, v))}\n" for w, v in zip(words, vectors, strict=True)]
    file.write("".join(lines).encode())
    expected = read(file.getvalue())
    assert list(expected.vocab) == words
    assert expected.vectors.tobytes() == vectors.tobytes()
    for size, headroom in [(64, 4), (1 << 10, 1 << 10), (1 << 16, 8)]:
        monkeypatch.setattr("firth.formats._blocks.BLOCK_SIZE", size)
        monkeypatch.setattr("firth.formats._blocks._HEADROOM", headroom)
        for source in (io.BytesIO(file.getvalue()), Trickle(file.getvalue())):
            found = read_vectors(source, progress=False)
            assert found.vocab == expected.vocab
            assert found.vectors.tobytes() == expected.vectors.tobytes()


class Trickle:
    def __init__(self, data):
        self._file = io.BytesIO(data)

    def read(self, size):
        return self._file.read(min(size, 100))


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"3 2\na 1 2\nb 3\nc 5 6\n", "line 3 (byte 10): 1 number in place of 2 numbers as the h"),
        (b"a 1 2\nb 3\nc 5 6\n", "line 2 (byte 6): 1 number in place of 2 numbers as in the oth"),
        (b"3 2\na 1 2\nb 3 4 5\nc 5 6\n", "line 3 (byte 10): 3 numbers in place of 2 numbers"),
        (b"3 2\na 1 2\nb 3 0.4 5\nc 5 6\n", "line 3 (byte 10): 3 numbers in place of 2 numbers"),
        (b"3 2\n\na 1 2\nb x 4\nc 5 6\n", "line 4 (byte 13): 'x' stands where a number belongs"),
        (b"3 2\na 1 2\nb 3 x\nc 5 6\n", "line 3 (byte 14): 'x' stands where a number belongs"),
        (b"3 2\na 1 2\nbc\nc 5 6\n", "line 3 (byte 10): 0 numbers in place of 2 numbers"),
        (b"3 2\na 1 2\n5 6\nc 5 6\n", "line 3 (byte 10): 1 number in place of 2 numbers"),
        (b"2 3\na 1 2\nb 3 4\n", "line 2 (byte 4): 2 numbers in place of 3 numbers as the header"),
        (b"2 1\na 1 2\nb 3 4\n", "line 2 (byte 4): 2 numbers in place of 1 number as the header"),
        (b"3 2\na 1 2\nb 3 4\nc 5", "line 4 (byte 16): cut off: the file ends inside of this l"),
        (b"3 2\na 1 2\nb 3 4\nc 5 -", "line 4 (byte 20): cut off: the file ends inside of this"),
        (b"a 1 2\nb 3 4\nc 5", "line 3 (byte 12): cut off: the file ends inside of this line, af"),
        (b"5 2\n" + ROWS, "cut off: the header says 5 rows, and there are 3 up to byte 38"),
        (b"1000 2\n" + ROWS, "cut off, or its header is wrong: 1,000 rows of 2 numbers take 4,003"),
        (b"9" * 12 + b" 300\na" + b" 1.5" * 300 + b"\n", "rows of 300 numbers take 599,999,999,99"),
        (b"2 1000001\na 1 2\n", "the header says 1,000,001 dims; firth reads from 1 to 1,000,000"),
        (b"9 0\na 1\n", "0 dims"),
        (b"0 5\n", "has no words: the header says 0 rows"),
        (b"1 2\n 1 2\n", "has no words"),
    ],
)
def test_a_bad_line_is_told_with_its_place(data, message):
    assert message in refused(data)


def test_a_claim_of_a_compressed_file_takes_no_memory():
    claim = gzip.compress(b"999999999999 900000\nking 0.1 0.2\n")
    assert "2 numbers in place of 900,000" in refused(claim)
    claim = gzip.compress(b"999999999999 2\nking 0.1 0.2\n")
    assert "cut off: the header says 999,999,999,999 rows, and there are 1" in refused(claim)


def test_a_line_without_an_end_is_not_kept_forever(monkeypatch):
    monkeypatch.setattr("firth.formats._blocks.LONGEST_ROW", 1 << 20)
    monkeypatch.setattr("firth.formats._blocks.BLOCK_SIZE", 1 << 18)
    data = b"2 2\na 1 2\nb" + b"x" * (3 << 20)
    assert re.search(r"from byte 10 on there are over 1 MiB without the end", refused(data))


def test_a_format_that_is_named_and_wrong():
    assert "no header of two whole numbers" in refused(ROWS, format="word2vec-text")
    assert "no header" in refused(ROWS, format="fasttext-vec")
    assert "no word with numbers" in refused(b"nothing here\n", format="glove")
    assert "longer than 65,536 bytes" in refused(b"x" * 100_000, format="glove")
    # A header is a word and a number where none is expected.
    assert "line 2 (byte 4): 2 numbers in place of 1" in refused(b"5 2\na 1 2\n", format="glove")


# --- what is written ------------------------------------------------------------------------------

FORMATS = ["word2vec-text", "glove", "fasttext-vec"]


@pytest.mark.parametrize("name", FORMATS)
def test_numbers_are_as_short_as_they_can_be(name, tmp_path):
    path = tmp_path / "a"
    write_vectors(table(["a b", "c"], [[0.1, 1], [-1e-10, 3.0000002]]), path, format=name)
    header = b"" if name == "glove" else b"2 2\n"
    assert path.read_bytes() == header + b"a b 0.1 1\nc -1e-10 3.0000002\n"
    half = VectorTable(Vocab.from_words(["a"]), np.array([[0.1]], np.float16))
    write_vectors(half, path, format=name)
    assert path.read_bytes() == header.replace(b"2 2", b"1 1") + b"a 0.099975586\n"


@given(
    words=st.lists(st.text(max_size=6), min_size=1, max_size=8, unique=True),
    vectors=hnp.arrays(np.float32, (8, 2), elements=st.floats(width=32, allow_nan=False)),
    name=st.sampled_from(FORMATS),
)
def test_what_is_written_is_read_back_or_refused(words, vectors, name, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "a.txt"
    before = table(words, vectors[: len(words)])
    try:
        write_vectors(before, path, format=name)
    except ParameterError as error:
        assert "would not be read back" in str(error)  # noqa: PT017
        assert not path.exists()
        return
    after = read_vectors(path, format=name, progress=False)
    assert after.vocab == before.vocab
    assert after.vectors.tobytes() == before.vectors.tobytes()


@pytest.mark.parametrize(
    "word", ["", " ", "a ", "\ta", "a\nb", "pi 3.14", "war 2", "a 1e5", "- +5"]
)
def test_words_that_a_line_cannot_hold_are_refused(word, tmp_path):
    before = table(["ok", word], [[1], [2]])
    for name in FORMATS:
        with pytest.raises(ParameterError, match=re.escape(repr(word))):
            write_vectors(before, tmp_path / "a", format=name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "word", ["a b", "a\u00a0", "1", "-", "2 wars", "a\rb", "\ufeffa", "it is nan"]
)
def test_words_that_a_line_can_hold(word, tmp_path):
    before = table(["ok", word], [[1, 2], [3, 4]])
    for name in FORMATS:
        write_vectors(before, tmp_path / "a", format=name)
        assert list(read_vectors(tmp_path / "a", format=name, progress=False).vocab) == ["ok", word]


# --- real files and other programs ----------------------------------------------------------------


def real(name):
    path = DATA / "vectors" / name
    if not path.exists():
        pytest.skip(f"needs real data: {path} is absent; set FIRTH_DATA")
    return path


@pytest.mark.parametrize(
    ("name", "format_name", "shape", "first"),
    [
        ("glove.6B.50d.top5k.txt.gz", "glove", (5050, 50), ("the", 0.418)),
        ("fasttext-en-top2k-300d.vec.gz", "word2vec-text", (2000, 300), (",", 0.1250)),
    ],
)
def test_real_files(name, format_name, shape, first, tmp_path):
    path = real(name)
    found = read_vectors(path, progress=False, strict=True)
    assert found.report.format == format_name
    assert found.vectors.shape == shape
    assert (found.vocab.words[0], found.vectors[0, 0]) == (first[0], np.float32(first[1]))
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        rows = [line.split() for line in file][-shape[0] :]
    assert list(found.vocab) == [row[0] for row in rows]
    assert np.array_equal(found.vectors, np.array([row[1:] for row in rows], np.float32))
    for other in FORMATS:
        write_vectors(found, tmp_path / "again.gz", format=other)
        again = read_vectors(tmp_path / "again.gz", format=other, progress=False)
        assert again.vocab == found.vocab
        assert np.array_equal(again.vectors, found.vectors)


@pytest.mark.filterwarnings("ignore")  # gensim leaves files open
def test_gensim_reads_and_writes_the_same(tmp_path):
    keyed_vectors = pytest.importorskip("gensim.models.keyedvectors")
    rng = np.random.default_rng(4)
    before = table(["a", "b\u00a0c", "d"], rng.standard_normal((3, 7)))
    for name, options in {"a.txt": {}, "a.glove.txt": {"no_header": True}}.items():
        write_vectors(before, tmp_path / name)
        theirs = keyed_vectors.KeyedVectors.load_word2vec_format(tmp_path / name, **options)
        assert theirs.index_to_key == list(before.vocab)
        assert theirs.vectors.tobytes() == before.vectors.tobytes()
    theirs.save_word2vec_format(tmp_path / "b.txt")
    again = read_vectors(tmp_path / "b.txt", progress=False, strict=True)
    assert again.vectors.tobytes() == before.vectors.tobytes()


def test_fasttext_starts_from_what_firth_writes(tmp_path):
    fasttext = pytest.importorskip("fasttext")
    rng = np.random.default_rng(4)
    before = table(["king", "queen"], rng.standard_normal((2, 6)))
    write_vectors(before, tmp_path / "a.vec")
    (tmp_path / "train.txt").write_text("__label__x king\n__label__y queen\n" * 20)
    model = fasttext.train_supervised(
        str(tmp_path / "train.txt"),
        dim=6,
        pretrainedVectors=str(tmp_path / "a.vec"),
        lr=0,
        epoch=1,
        thread=1,
        verbose=0,
    )
    for word, row in zip(before.vocab, before.vectors, strict=True):
        assert np.array_equal(model.get_input_vector(model.get_word_id(word)), row)

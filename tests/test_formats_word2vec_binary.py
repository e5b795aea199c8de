"""word2vec's binary format."""

import gzip
import io
import os
import re
import tracemalloc
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
ROWS = [(b"the", [0.5, -1, 2]), (b"of", [1e-3, 3, 4]), (b"and", [0, 5, 6])]


def binary(rows=ROWS, claimed=None, end=b"", dtype="<f4"):
    dims = len(rows[0][1])
    data = b"%d %d\n" % (len(rows) if claimed is None else claimed, dims)
    for word, numbers in rows:
        data += word + b" " + np.array(numbers, dtype).tobytes() + end
    return data


def read(data, **options):
    return read_vectors(io.BytesIO(data), progress=False, **options)


def read_words(data, **options):
    return list(read(data, **options).vocab)


def refused(data, **options):
    with pytest.raises(FormatError) as raised:
        read(data, **options)
    return str(raised.value)


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_rows_with_and_without_line_ends(end, pack):
    found = read(pack(binary(end=end)))
    assert found.report.format == "word2vec-binary"
    assert (found.report.rows_claimed, found.report.rows_read, found.report.notes) == (3, 3, [])
    assert list(found.vocab) == ["the", "of", "and"]
    assert found.vectors.tobytes() == np.array([row for _, row in ROWS], np.float32).tobytes()


def test_limit_only_and_dtype():
    assert read_words(binary(), limit=2) == ["the", "of"]
    assert read_words(binary(), only=["and", "the"]) == ["the", "and"]
    assert read_words(binary(), only=["and", "the"], limit=1) == ["the"]
    found = read(binary(), dtype="float16", only=["of"])
    assert found.vectors.dtype == np.float16
    assert found.vectors.tolist() == np.array([ROWS[1][1]], np.float16).tolist()
    with pytest.raises(ParameterError, match="none of the 1 word of only="):
        read(binary(), only=["nothing"])
    assert "numbers beyond 65,504" in refused(binary([(b"a", [1e5, 1])]), dtype="float16")


def test_duplicates_empty_words_and_values_that_are_not_finite():
    rows = [(b"a", [np.nan, 1]), (b"", [1, 2]), (b"a", [3, 4]), (b"b", [np.inf, 0]), (b"c", [5, 6])]
    found = read(binary(rows))
    assert list(found.vocab) == ["a", "b", "c"]
    assert found.report.repairs == {"duplicates": 1, "empty_words": 1, "not_finite": 2}
    assert "1 duplicates, 1 empty words, 2 not finite" in refused(binary(rows), strict=True)


def test_words_cut_off_inside_of_a_character():
    rows = [(b"a", [1]), ("für".encode()[:2], [2]), ("日本".encode()[:-1], [3])]
    assert "row 2 (byte 10): the word is not UTF-8: b'f\\xc3'" in refused(binary(rows))
    found = read(binary(rows), errors="replace")
    assert list(found.vocab) == ["a", "f\ufffd", "日\ufffd"]
    assert found.report.repairs == {"undecodable_words": 2}
    assert read_words(binary(rows), errors="ignore") == ["a", "f", "日"]


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("claimed", [2, 4])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_one_row_off_is_noted_and_refused_when_strict(end, claimed, pack):
    data = pack(binary(claimed=claimed, end=end))
    found = read(data)
    assert list(found.vocab) == ["the", "of", "and"]
    assert found.report.notes == [f"the header says {claimed} rows, and there are 3"]
    assert "there are 3; strict=True" in refused(data, strict=True)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_cut_off_files(pack):
    whole = binary()
    begins = [whole.index(word + b" ") for word, _ in ROWS]
    for size in range(len(whole) - 1, begins[0] + 6, -3):
        if size == begins[2]:
            continue  # a header that counts one row too many is a common mistake
        row = sum(size >= begin for begin in begins)
        message = refused(pack(whole[:size]))
        if pack is bytes and size < begins[2] - 2 * len(b"of"):
            # Too short for the header, whatever the words are.
            assert "cut off, or its header is wrong" in message
        else:
            assert f"ends at byte {size}, in row {row}, which begins at byte" in message
            assert f"byte {begins[row - 1]}. Get it again" in message
            assert row == 1 or f"limit={row - 1} reads the rows before" in message
        if row > 1:
            assert len(read_words(pack(whole[:size]), limit=row - 1)) == row - 1


@pytest.mark.parametrize("rest", [b"JUNK", b"not a row, is it?", b"x" * 100_000])
def test_something_else_behind_the_last_row_is_left_out(rest):
    found = read(binary() + rest)
    assert list(found.vocab) == ["the", "of", "and"]
    assert len(found.vectors) == found.report.rows_read == 3
    assert found.report.notes == [
        "something else than rows stands behind the last one, and was left out"
    ]
    assert "strict=True refuses" in refused(binary() + rest, strict=True)


def test_claims_take_no_memory():
    one = binary([(b"king", [0.5] * 300)])[6:]
    for claim in (b"999999999999 300\n", b"9 900000\n", b"9" * 20 + b" 300\n"):
        for data in (claim + one, gzip.compress(claim + one)):
            tracemalloc.start()
            try:
                assert "cut off" in refused(data)
                assert tracemalloc.get_traced_memory()[1] < 60 << 20
            finally:
                tracemalloc.stop()
    assert "1,000,001 dims; firth reads from 1 to 1,000,000" in refused(b"1 1000001\n" + one)
    assert "0 dims" in refused(b"1 0\n" + one)


def test_big_endian_files_are_refused_by_name():
    rng = np.random.default_rng(6)
    rows = [(b"w%d" % i, rng.standard_normal(50) / 10) for i in range(30)]
    assert "its numbers are big-endian" in refused(binary(rows, dtype=">f4"))
    assert len(read_words(binary(rows))) == 30
    zeros = [(b"a", [0, 0]), (b"b", [0, 0])]
    assert read_words(binary(zeros)) == ["a", "b"]


def test_a_word_without_an_end():
    data = b"2 3\n" + b"x" * 200_000
    assert "row 1 (byte 4): no space within 65,536 bytes" in refused(data, format="word2vec-binary")


def test_a_format_that_is_named_and_wrong():
    assert "does not begin with the header of word2vec" in refused(b"x", format="word2vec-binary")


def test_blocks_are_joined_where_rows_go_on(monkeypatch):
    rng = np.random.default_rng(7)
    vectors = rng.standard_normal((2000, 9)).astype(np.float32)
    data = binary([(b"word%d" % i, row) for i, row in enumerate(vectors)], claimed=1999)
    for size in (50, 1000, 30_000):
        monkeypatch.setattr("firth.formats._blocks.BLOCK_SIZE", size)
        found = read(data)
        assert found.vectors.tobytes() == vectors.tobytes()
        assert found.vocab.words[1999] == "word1999"


@given(
    words=st.lists(st.text(max_size=5), min_size=1, max_size=6, unique=True),
    vectors=hnp.arrays(
        np.float32, (6, 3), elements=st.floats(-9, 9, width=32) | st.sampled_from([np.nan, np.inf])
    ),
)
def test_what_is_written_is_read_back_or_refused(words, vectors, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "a.bin"
    before = VectorTable(Vocab.from_words(words), vectors[: len(words)])
    try:
        write_vectors(before, path)
    except ParameterError as error:
        assert "would not be read back" in str(error)  # noqa: PT017
        assert any(not word or " " in word or word[0] == "\n" for word in words)
        return
    after = read_vectors(path, format="word2vec-binary", progress=False)
    assert after.vocab == before.vocab
    assert after.vectors.tobytes() == before.vectors.tobytes()


def test_many_rows_are_written_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("firth.formats.word2vec_binary._BYTES_WRITTEN", 100)
    vectors = np.arange(3000, dtype=np.float16).reshape(1000, 3)
    before = VectorTable(Vocab.from_words(f"w{i}" for i in range(1000)), vectors)
    write_vectors(before, tmp_path / "a.bin.zst")
    after = read_vectors(tmp_path / "a.bin.zst", progress=False)
    assert after.vocab == before.vocab
    assert np.array_equal(after.vectors, vectors)


def test_real_file():
    path = DATA / "vectors" / "googlenews-8k-300d.bin.gz"
    if not path.exists():
        pytest.skip(f"needs real data: {path} is absent; set FIRTH_DATA")
    found = read_vectors(path, strict=True, progress=False)
    assert found.vectors.shape == (8000, 300)
    king, queen = (found.vectors[found.vocab[word]] for word in ("king", "queen"))
    cosine = king @ queen / np.sqrt((king @ king) * (queen @ queen))
    assert cosine == pytest.approx(0.6511, abs=5e-5)


@pytest.mark.filterwarnings("ignore")  # gensim leaves files open
def test_gensim_reads_and_writes_the_same(tmp_path):
    keyed_vectors = pytest.importorskip("gensim.models.keyedvectors")
    rng = np.random.default_rng(4)
    words = Vocab.from_words(["a", "b\u00a0c", "d"])
    before = VectorTable(words, rng.standard_normal((3, 7)).astype(np.float32))
    write_vectors(before, tmp_path / "a.bin")
    theirs = keyed_vectors.KeyedVectors.load_word2vec_format(tmp_path / "a.bin", binary=True)
    assert theirs.index_to_key == list(words)
    assert theirs.vectors.tobytes() == before.vectors.tobytes()
    theirs.save_word2vec_format(tmp_path / "b.bin", binary=True)
    assert (tmp_path / "b.bin").read_bytes() == (tmp_path / "a.bin").read_bytes()


def test_words_with_spaces_are_refused(tmp_path):
    before = VectorTable(Vocab.from_words(["ok", "New York"]), np.ones((2, 2), np.float32))
    with pytest.raises(ParameterError, match=re.escape("cannot hold the word 'New York'")):
        write_vectors(before, tmp_path / "a.bin")
    assert list(tmp_path.iterdir()) == []

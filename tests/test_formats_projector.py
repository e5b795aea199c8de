"""The Embedding Projector's vectors.tsv and metadata.tsv."""

import gzip
import shutil
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import FormatError, ParameterError
from firth.formats import VectorTable, read_vectors, write_vectors
from firth.vocab import Vocab

VECTORS = b"0.5\t-1\n0.25\t1e-3\n2\t3.5\n"
VALUES = [[0.5, -1], [0.25, np.float32(1e-3)], [2, 3.5]]


@pytest.fixture
def folder(tmp_path):
    def make(metadata, vectors=VECTORS, names=("vectors.tsv", "metadata.tsv")):
        place = tmp_path / "pair"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name, data in zip(names, (vectors, metadata), strict=True):
            (place / name).write_bytes(data)
        return place

    return make


def read(source, **options):
    return read_vectors(source, progress=False, **options)


@pytest.mark.parametrize(
    ("metadata", "words", "counts"),
    [
        (b"the\nof\nand\n", ["the", "of", "and"], [0, 0, 0]),
        (b"the\nof\nand", ["the", "of", "and"], [0, 0, 0]),
        (b"\xef\xbb\xbfthe\r\nof\r\nand\r\n", ["the", "of", "and"], [0, 0, 0]),
        (b"word\nof\nand\n", ["word", "of", "and"], [0, 0, 0]),
        (b"Word\nthe\nof\nand\n", ["the", "of", "and"], [0, 0, 0]),
        (b"terms\nthe\nof\nand\n", ["the", "of", "and"], [0, 0, 0]),
        (
            b"id\tLabel\tCount\n0\tthe\t9\n1\tof it\t5\n2\tand\t0\n",
            ["the", "of it", "and"],
            [9, 5, 0],
        ),
        (b"x\ty\nthe\t9\nof\t5\nand\t0\n", ["the", "of", "and"], [0, 0, 0]),
        (b"the\t9\nof\t5\nand\t0\n\n", ["the", "of", "and"], [0, 0, 0]),
    ],
)
def test_words_with_and_without_a_header(metadata, words, counts, folder):
    place = folder(metadata)
    for source in (place, place / "vectors.tsv", place / "metadata.tsv"):
        found = read(source)
        assert found.report.format == "projector"
        assert list(found.vocab) == words
        assert found.vectors.tolist() == VALUES
        assert found.vocab.counts.tolist() == counts


@pytest.mark.parametrize(
    "names", [("my_tensor.tsv", "my_metadata.tsv"), ("vectors.tsv.gz", "metadata.tsv")]
)
def test_other_names(names, folder):
    data = gzip.compress(VECTORS) if names[0].endswith("gz") else VECTORS
    place = folder(b"the\nof\nand\n", data, names)
    for name in names:
        assert list(read(place / name).vocab) == ["the", "of", "and"]


def test_a_pair_in_an_archive(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/vectors.tsv", VECTORS)
        archive.writestr("x/metadata.tsv", b"the\nof\nand\n")
    for source in (path, path / "x" / "vectors.tsv"):
        assert list(read(source).vocab) == ["the", "of", "and"]


def test_limit_only_dtype_and_repairs(folder):
    place = folder(b"word\tcount\na\t5\n\t4\na\t3\nb\t2\n", b"1\t2\n3\t4\n5\t6\n7\t8\n")
    found = read(place)
    assert list(found.vocab) == ["a", "b"]
    assert found.vectors.tolist() == [[1, 2], [7, 8]]
    assert found.vocab.counts.tolist() == [5, 2]
    assert found.report.repairs == {"duplicates": 1, "empty_words": 1}
    found = read(place, only=["b"], dtype="float16")
    assert (list(found.vocab), found.vectors.tolist()) == (["b"], [[7, 8]])
    assert found.vocab.counts.tolist() == [2]
    assert list(read(place, limit=1).vocab) == ["a"]


@pytest.mark.parametrize(
    ("metadata", "vectors", "message"),
    [
        (b"the\nof\n", VECTORS, "2 lines for the 3 of"),
        (b"a\nb\nc\nd\ne\n", VECTORS, "5 lines for the 3 of"),
        (b"the\nof\nand\n", b"0.5\t1\nx\t2\n3\t4\n", "line 2 (byte 6): 'x' stands where a number"),
        (b"the\nof\nand\n", b"0.5\t1\n2\n3\t4\n", "line 2 (byte 6): 1 number in place of 2"),
        (b"the\nof\nand\n", b"0.5\t1\n2\t3\t4\n3\t4\n", "line 2 (byte 6): 3 numbers in place of 2"),
        (b"word\tcount\nthe\t3\nof\t2\nand\t1\n", b"9\n\n\t", "1 of its 3 lines have numbers"),
        (b"the\nof\nand\n", b"\n1\n3\n", "line 2 (byte 1): a line of numbers behind a blank one"),
        (
            b"w\n" * 300_001,
            b"1\n" * 20_000 + b"\n" + b"1\n" * 280_000,
            "a line of numbers behind a blank one",
        ),
        (b"the\nof\nand\n", b"a\tb\nc\td\ne\tf\n", "line 1: not a line of numbers"),
        (b"the\nof\nn\xffo\n", VECTORS, "the word of row 3 is not UTF-8"),
        (b"word\tcount\nthe\t1\nof\tx\nand\t1\n", VECTORS, "line 3: the count is no whole number"),
        (b"word\tcount\nthe\t1\nof\t-1\nand\t1\n", VECTORS, "line 3: the count is no whole number"),
    ],
)
def test_pairs_that_do_not_fit(metadata, vectors, message, folder):
    with pytest.raises(FormatError) as raised:
        read(folder(metadata, vectors))
    assert message in str(raised.value)


def test_half_of_a_pair(folder):
    place = folder(b"the\nof\nand\n")
    (place / "metadata.tsv").unlink()
    with pytest.raises(FormatError, match=r"vectors.tsv: the file metadata.tsv is not beside it"):
        read(place / "vectors.tsv")
    with pytest.raises(FormatError, match=r"the file metadata.tsv is not in this folder"):
        read(place, format="projector")
    with pytest.raises(FormatError, match=r"files are called vectors.tsv and metadata.tsv"):
        read(folder(b"", names=("a.tsv", "b.tsv")) / "a.tsv", format="projector")


def test_a_line_of_the_metadata_that_does_not_end(folder):
    with pytest.raises(FormatError, match=r"a line of over 1,048,576 bytes"):
        read(folder(b"x" * (3 << 20) + b"\nb\nc\n"))


def test_what_is_written(tmp_path):
    vectors = np.array([[0.1, 2], [3e-9, -1]], np.float32)
    for counts, metadata in ((None, b"a b\nc\n"), ([7, 5], b"word\tcount\na b\t7\nc\t5\n")):
        place = tmp_path / f"{counts is None}"
        write_vectors(
            VectorTable(Vocab.from_words(["a b", "c"], counts), vectors), place, format="projector"
        )
        assert (place / "vectors.tsv").read_bytes() == b"0.1\t2\n3e-09\t-1\n"
        assert (place / "metadata.tsv").read_bytes() == metadata


@given(
    words=st.lists(st.text(max_size=5), min_size=1, max_size=6, unique=True),
    counts=st.none() | st.lists(st.integers(0, 2**62), min_size=6, max_size=6),
)
def test_what_is_written_is_read_back_or_refused(words, counts, tmp_path_factory):
    place = tmp_path_factory.mktemp("t") / "pair"
    vectors = np.random.default_rng(1).standard_normal((len(words), 2)).astype(np.float32)
    vocab = Vocab.from_words(words, counts and counts[: len(words)])
    try:
        write_vectors(VectorTable(vocab, vectors), place, format="projector")
    except ParameterError as error:
        assert "would not be read back" in str(error)  # noqa: PT017
        assert not place.exists()
        assert any(not word or set(word) & set("\t\n\r\ufeff") for word in words)
        return
    found = read(place)
    assert found.vocab == vocab
    assert found.vectors.tobytes() == vectors.tobytes()

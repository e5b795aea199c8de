import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import FormatError
from firth.formats import FORMATS, read_vectors, write_vectors
from firth.subwords import (
    ExplicitSubwords,
    FastTextSubwords,
    FinalfusionSubwords,
    FloretSubwords,
)
from vector_tables import WORDS, assert_same, little_memory, make_table

UNSEEN = ["unseen", "Zürich", "x", "xxxyyy", "😀😀😀"]
NGRAMS = ["<un", "see", "Zür", "xyy", "😀😀😀"]


def rows(n, vector_size=5):
    return np.random.default_rng(n).normal(size=(n, vector_size)).astype(np.float32)


SUBWORDS = {
    "own hash": lambda: FinalfusionSubwords(rows(16), 3, 6),
    "fastText's hash": lambda: FinalfusionSubwords(rows(15), 3, 6, hashing="fasttext"),
    "fastText": lambda: FastTextSubwords(rows(15), 3, 6),
    "pruned": lambda: FastTextSubwords(rows(3), 3, 6, bucket=15, kept=np.array([2, 5, 11])),
    "explicit": lambda: ExplicitSubwords(
        rows(7), NGRAMS, 3, 3, ngram_rows=np.array([3, 1, 1, 6, 0])
    ),
}


def unit(vectors):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)


@pytest.mark.parametrize("suffix", ["", ".xz"])
def test_a_table_comes_back(tmp_path, suffix):
    table = make_table(counts=False, config={"epochs": 3, "note": 'ü "\\ \x7f', "a": {"b": 1}})
    table.vectors[2] = 0
    path = tmp_path / f"v.fifu{suffix}"
    write_vectors(table, path)
    read = read_vectors(path)
    assert_same(read, table, 1e-6)
    assert read.config == {"epochs": 3, "note": 'ü "\\ \x7f'}
    assert (read.report.format, read.report.rows_claimed) == ("finalfusion", len(WORDS))


@pytest.mark.parametrize("kind", SUBWORDS)
def test_subwords_come_back_in_their_direction(tmp_path, kind):
    table = make_table(counts=False, subwords=SUBWORDS[kind]())
    write_vectors(table, tmp_path / "v.fifu")
    read = read_vectors(tmp_path / "v.fifu")
    assert_same(read, table, 1e-6)
    expected = unit(table.subwords.vectors(UNSEEN))
    np.testing.assert_allclose(read.subwords.vectors(UNSEEN), expected, atol=1e-6)


def test_subwords_without_a_chunk_are_left_out(tmp_path):
    table = make_table(counts=False, subwords=FloretSubwords(rows(8), 3, 4, hash_count=2))
    write_vectors(table, tmp_path / "v.fifu")
    read = read_vectors(tmp_path / "v.fifu")
    assert read.subwords is None
    assert_same(read, table, 1e-6)


@given(
    words=st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, unique=True
    )
)
def test_any_words_come_back(words):
    table = make_table(words, 3, counts=False)
    file = io.BytesIO()
    FORMATS["finalfusion"].write_file(table, file)
    file.seek(0)
    assert_same(read_vectors(file), table, 1e-6)


@pytest.mark.parametrize("kind", [None, *SUBWORDS])
def test_finalfusion_reads_what_is_written(tmp_path, kind):
    finalfusion = pytest.importorskip("finalfusion", reason="finalfusion is not installed")
    subwords = SUBWORDS[kind]() if kind else None
    table = make_table(counts=False, subwords=subwords, config={"epochs": 3})
    write_vectors(table, tmp_path / "v.fifu")
    theirs = finalfusion.load_finalfusion(tmp_path / "v.fifu")
    assert theirs.vocab.words == WORDS
    assert theirs.metadata == {"firth": {"epochs": 3}}
    for word, vector in zip(WORDS, table.vectors, strict=True):
        found, norm = theirs.embedding_with_norm(word)
        np.testing.assert_allclose(found * norm, vector, atol=1e-6)
    ours = read_vectors(tmp_path / "v.fifu").subwords
    for word in UNSEEN if kind else []:
        vector = ours.vectors([word])[0]
        if vector.any():  # where all buckets of a word were dropped, finalfusion divides by zero
            np.testing.assert_allclose(theirs.embedding(word), vector, atol=1e-6)


@pytest.mark.parametrize("with_norms", [True, False])
def test_files_of_finalfusion_are_read(tmp_path, with_norms):
    finalfusion = pytest.importorskip("finalfusion", reason="finalfusion is not installed")
    from finalfusion.norms import Norms
    from finalfusion.storage import NdArray
    from finalfusion.subword import FinalfusionHashIndexer
    from finalfusion.vocab import FinalfusionBucketVocab

    vocab = FinalfusionBucketVocab(["one", "two"], FinalfusionHashIndexer(3, 2, 4))
    matrix = rows(10, 4)
    norms = Norms(np.array([2, 3], np.float32)) if with_norms else None
    theirs = finalfusion.Embeddings(NdArray(matrix), vocab, norms)
    theirs.write(str(tmp_path / "v.fifu"))
    table = read_vectors(tmp_path / "v.fifu")
    scale = [[2], [3]] if with_norms else 1
    assert table.vectors.tolist() == (matrix[:2] * np.array(scale, np.float32)).tolist()
    for word in UNSEEN:
        np.testing.assert_allclose(
            table.subwords.vectors([word])[0], theirs.embedding(word), atol=1e-6
        )


def test_explicit_ngrams_of_finalfusion_are_read(tmp_path):
    finalfusion = pytest.importorskip("finalfusion", reason="finalfusion is not installed")
    write_vectors(make_table(["one", "two"], subwords=SUBWORDS["own hash"]()), tmp_path / "v.fifu")
    theirs = finalfusion.load_finalfusion(tmp_path / "v.fifu").bucket_to_explicit()
    theirs.write(str(tmp_path / "e.fifu"))
    table = read_vectors(tmp_path / "e.fifu")
    assert "<on" in table.subwords.ngrams
    np.testing.assert_allclose(
        table.subwords.vectors(["onto"])[0], theirs.embedding("onto"), atol=1e-6
    )


def test_a_matrix_without_norms_is_mapped(tmp_path):
    path = tmp_path / "v.fifu"
    path.write_bytes(fifu([simple(["a", "b"]), array(rows(2, 3))]))
    table = read_vectors(path)
    assert not table.vectors.flags.owndata
    assert table.vectors.tolist() == rows(2, 3).tolist()
    assert read_vectors(path, only=["b"]).vectors.tolist() == rows(2, 3)[1:].tolist()
    assert read_vectors(path, limit=1).vectors.tolist() == rows(2, 3)[:1].tolist()


# --- files made by hand ---------------------------------------------------------------------------


def fifu(chunks, version=0, n_chunks=None):
    """Put chunks (id, function from position to bytes) into a file."""
    ids = [kind for kind, _ in chunks]
    n_chunks = len(ids) if n_chunks is None else n_chunks
    data = struct.pack(f"<4sII{len(ids)}I", b"FiFu", version, n_chunks, *ids)
    for kind, body in chunks:
        content = body(len(data) + 12)
        data += struct.pack("<IQ", kind, len(content)) + content
    return data


def padded(head, position, tail):
    at = position + len(head)
    return head + bytes(4 - at % 4) + tail


def simple(words, n_words=None):
    items = b"".join(struct.pack("<I", len(w.encode())) + w.encode() for w in words)
    return 1, lambda _: struct.pack("<Q", len(words) if n_words is None else n_words) + items


def array(matrix, shape=None, kind=10):
    n_rows, n_columns = shape or matrix.shape
    head = struct.pack("<QII", n_rows, n_columns, kind)
    return 2, lambda at: padded(head, at, matrix.astype("<f4").tobytes())


def quantised(codes, centroids, *, projection=None, norms=None, shape=None):
    n_codes, n_centroids, width = centroids.shape
    n_rows = len(codes) if shape is None else shape
    columns = n_codes * width
    flags = (int(projection is not None), int(norms is not None))
    head = struct.pack("<IIIIIQII", *flags, n_codes, columns, n_centroids, n_rows, 1, 10)
    parts = [p.astype("<f4").tobytes() for p in (projection, centroids, norms) if p is not None]
    return 4, lambda at: padded(head, at, b"".join(parts) + codes.astype("u1").tobytes())


def norms_of(values):
    head = struct.pack("<QI", len(values), 10)
    return 6, lambda at: padded(head, at, np.array(values, "<f4").tobytes())


def test_quantised_rows_are_made_again(tmp_path):
    centroids = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    codes = np.array([[0, 2], [1, 1]])
    projection = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], np.float32)
    path = tmp_path / "v.fifu"
    path.write_bytes(fifu([simple(["a", "b"]), quantised(codes, centroids)]))
    assert read_vectors(path).vectors.tolist() == [[0, 1, 10, 11], [2, 3, 8, 9]]
    norms = np.array([1, 10], np.float32)
    chunk = quantised(codes, centroids, projection=projection, norms=norms)
    path.write_bytes(fifu([simple(["a", "b"]), chunk]))
    assert read_vectors(path).vectors.tolist() == [[1, 0, 11, 10], [30, 20, 90, 80]]
    assert read_vectors(path, only=["b"]).vectors.tolist() == [[30, 20, 90, 80]]


ONE = np.ones((1, 2), np.float32)
NGRAM_5 = b"\1\0\0\0b" + struct.pack("<Q", 5)  # of row 5


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"FiFu", "the header takes 12 bytes"),
        (fifu([simple(["a"]), array(ONE)], version=7), "version 7"),
        (fifu([simple(["a"]), array(ONE)], n_chunks=1 << 31), "2,147,483,648 chunks"),
        (fifu([array(ONE), simple(["a"])]), "the id 2, where a vocabulary belongs"),
        (fifu([simple(["a"]), simple(["b"])]), "the id 1, where a matrix belongs"),
        (fifu([simple(["a"], 10**12), array(ONE)]), "claims 1,000,000,000,000 words"),
        (fifu([simple(["a"], 3), array(ONE)]), "the id 65536, where a matrix belongs"),
        (fifu([simple(["a"]), array(ONE, (10**12, 300))]), "1,200,000,000,000,000 bytes"),
        (fifu([simple(["a"]), array(ONE, (1 << 62, 1 << 31))]), "are left"),
        (fifu([simple(["a"]), array(ONE, (1 << 63, 0))]), r"shape \(9223372036854775808, 0\)"),
        (fifu([simple(["a"]), array(ONE, kind=11)]), "numbers of type 11"),
        (fifu([simple(["a", "b"]), array(ONE)]), "1 rows for 2 words"),
        (fifu([simple(["a"]), array(ONE), norms_of([1, 2])]), "2 norms for 1 words"),
        (fifu([simple([]), array(ONE)]), "no words"),
        (fifu([simple(["a"]), array(ONE)])[:-1], "are left"),
        (
            fifu([(3, lambda _: struct.pack("<QIII", 0, 3, 6, 60)), array(ONE)]),
            r"2\^60 buckets",
        ),
        (
            fifu([(3, lambda _: struct.pack("<QIII", 1, 3, 6, 2) + b"\1\0\0\0a"), array(ONE)]),
            "0 rows behind those of the words, for 4 buckets",
        ),
        (
            fifu([(3, lambda _: struct.pack("<QIII", 1, 6, 3, 0) + b"\1\0\0\0a"), array(rows(2))]),
            "the n-grams cannot be used",
        ),
        (
            fifu(
                [
                    (8, lambda _: struct.pack("<QQII", 1, 1, 3, 3) + b"\1\0\0\0a" + NGRAM_5),
                    array(rows(2)),
                ]
            ),
            "n-grams cannot be used: ngram_rows must be one of the 1 rows",
        ),
        (fifu([(9, lambda _: bytes(40)), array(ONE)]), "floret"),
        (fifu([(5, lambda _: b""), simple(["a"])])[:24] + b"\xff" * 8, "metadata of"),
        (
            fifu([simple(["a"]), quantised(np.zeros((1, 2)), np.zeros((2, 1, 1)), shape=1 << 60)]),
            "are left",
        ),
        (
            fifu([simple(["a"]), quantised(np.full((1, 2), 9), np.zeros((2, 3, 1)))]),
            "a code of 9 for 3 centroids",
        ),
        (
            fifu([simple(["a"]), quantised(np.zeros((100_000, 1)), np.zeros((1, 1, 50_000)))]),
            "would become a matrix of 100,000 x 50,000",
        ),
    ],
)
def test_damaged_files_are_refused(tmp_path, data, problem):
    path = tmp_path / "v.fifu"
    path.write_bytes(data)
    with little_memory(), pytest.raises(FormatError, match=problem) as caught:
        read_vectors(path)
    assert str(path) in str(caught.value)


def test_words_that_are_not_utf8_are_told_with_their_byte(tmp_path):
    path = tmp_path / "v.fifu"
    path.write_bytes(fifu([simple(["ab"]), array(ONE)]).replace(b"ab", b"a\xff"))
    with pytest.raises(FormatError, match=r"byte 44: the word b'a\\xff' is not UTF-8"):
        read_vectors(path)
    assert list(read_vectors(path, errors="ignore").vocab) == ["a"]


def test_metadata_that_are_no_toml_are_noted(tmp_path):
    path = tmp_path / "v.fifu"
    path.write_bytes(fifu([(5, lambda _: b"= ="), simple(["a"]), array(ONE)]))
    table = read_vectors(path)
    assert "no TOML" in table.report.notes[0]
    path.write_bytes(fifu([(5, lambda _: b"a = 1979-05-27"), simple(["a"]), array(ONE)]))
    assert read_vectors(path).config == {"metadata": {"a": "1979-05-27"}}


@pytest.mark.parametrize("kind", ["own hash", "explicit"])
def test_files_cut_off_anywhere_are_refused(tmp_path, kind):
    write_vectors(make_table(subwords=SUBWORDS[kind]()), tmp_path / "v.fifu")
    data = (tmp_path / "v.fifu").read_bytes()
    ends = set(range(4, len(data), 31))
    # The norms at the end are a chunk that may be missing.
    ends.discard(len(data) - 12 - 12 - 4 * len(WORDS))
    for end in ends:
        (tmp_path / "cut.fifu").write_bytes(data[:end])
        with pytest.raises(FormatError):
            read_vectors(tmp_path / "cut.fifu")


def test_numbers_that_become_infinite_are_counted_without_a_warning(tmp_path):
    path = tmp_path / "v.fifu"
    words, huge = simple(["a", "b", "c"]), np.float32(3e38)
    path.write_bytes(fifu([words, array(rows(3) * 100), norms_of([huge, np.nan, 1])]))
    assert read_vectors(path).report.not_finite == 2
    with pytest.raises(FormatError, match="2 not finite"):
        read_vectors(path, strict=True)
    centroids = np.array([[[1e38, 1e38], [1, 1]]], np.float32)
    chunk = quantised(np.array([[0], [1], [0]]), centroids, projection=np.full((2, 2), 9))
    path.write_bytes(fifu([words, chunk]))
    assert read_vectors(path).report.not_finite == 2


def test_numbers_without_a_length_come_back(tmp_path):
    table = make_table(["a", "b", "c", "d"], counts=False)
    table.vectors[:3, 1] = np.inf, np.nan, 3e38
    table.vectors[2, 0] = 3e38
    write_vectors(table, tmp_path / "v.fifu")
    assert_same(read_vectors(tmp_path / "v.fifu"), table, 1e-6)

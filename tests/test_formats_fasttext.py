import bz2
import contextlib
import gzip
import io
import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from fasttext_files import WORDS, dense, model, quantised, some_rows
from firth.errors import FormatError, OutputError, ParameterError
from firth.formats import (
    FastTextArgs,
    FastTextModelData,
    VectorTable,
    read_fasttext_model,
    read_vectors,
    write_fasttext_model,
    write_vectors,
)
from firth.formats.fasttext import FASTTEXT
from firth.subwords import FastTextSubwords, FloretSubwords
from firth.vocab import Vocab

DATA = Path(os.environ.get("FIRTH_DATA", Path(__file__).parents[2] / "shared" / "data"))
UNSEEN = ["kings", "unseen", "日本語", "a", "", "größe", "</S>"]


def read(data, **options):
    return read_vectors(io.BytesIO(data), **options)


def expected(word, words, rows, version=12):
    """A vector by the reference; `rows` are those of the words and then of the buckets."""
    own = rows[words.index(word)] if word in words else None
    ids = naive.fasttext_ids(word, 2, 3, 10, with_sentence_end=version == 0)
    return naive.mean_rows(own, rows[len(words) :], ids)


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [12, 11, 0])
@pytest.mark.parametrize("skip_gram", [True, False])
def test_vectors_of_all_words_are_to_the_bit_those_of_the_reference(version, skip_gram):
    rows = some_rows(4 + 10)
    data = model(version=version, rows=rows, model=2 if skip_gram else 1)
    table = read(data)
    assert list(table.vocab) == list(WORDS)
    assert table.vocab.counts.tolist() == list(WORDS.values())
    for word, vector in zip(WORDS, table.vectors, strict=True):
        assert vector.tobytes() == expected(word, list(WORDS), rows, version).tobytes(), word
    for word, vector in zip(UNSEEN, table.subwords.vectors(UNSEEN), strict=True):
        assert vector.tobytes() == expected(word, list(WORDS), rows).tobytes(), word
    assert table.subwords.word_rows.tobytes() == rows[:4].tobytes()
    assert table.config["fasttext"]["model"] == ("sg" if skip_gram else "cbow")
    assert table.config["fasttext"]["n_tokens"] == 19
    assert (table.report.format, table.report.rows_claimed, table.report.repairs) == (
        "fasttext", 4, {},
    )  # fmt: skip


def test_the_whole_model_for_training():
    rows, output = some_rows(14), some_rows(4, seed=5)
    data = read_fasttext_model(io.BytesIO(model(rows=rows, output=output, ws=7, t=0.25)))
    assert data.args == FastTextArgs(
        dim=4, ws=7, epoch=5, min_count=1, neg=5, loss="ns", model="sg", bucket=10, min_n=2,
        max_n=3, t=0.25,
    )  # fmt: skip
    assert data.word_rows.tobytes() == rows[:4].tobytes()
    assert data.bucket_rows.tobytes() == rows[4:].tobytes()
    assert data.output.tobytes() == output.tobytes()
    assert (data.n_tokens, data.labels, data.version, data.quantised) == (19, {}, 12, False)
    assert data.vectors()[1].tobytes() == expected("king", list(WORDS), rows).tobytes()
    assert read_fasttext_model(io.BytesIO(model()), output=False).output is None


def test_without_ngrams_there_are_no_subwords():
    rows = some_rows(4)
    table = read(model(rows=rows, bucket=0, minn=0, maxn=0))
    assert table.subwords is None
    assert table.vectors.tobytes() == rows.tobytes()
    # Buckets of n-grams of words, as classifiers have them.
    assert read(model(minn=0, maxn=0)).subwords is None
    assert read(model(minn=3, maxn=2)).subwords is None


def test_classifiers_have_words_and_labels():
    rows = some_rows(14)
    data = model(labels={"__label__en": 4, "__label__de": 2}, rows=rows, model=3, loss=3)
    table = read(data)
    assert list(table.vocab) == list(WORDS)
    assert table.config["labels"] == {"__label__en": 4, "__label__de": 2}
    assert "2 labels" in table.report.notes[0]
    assert table.vectors[1].tobytes() == expected("king", list(WORDS), rows).tobytes()
    assert read_fasttext_model(io.BytesIO(data)).output.shape == (2, 4)
    # Those of version 11 have no n-grams of characters, whatever their parameters say.
    old = read(model(labels={"__label__en": 4}, rows=rows, model=3, loss=3, version=11))
    assert old.subwords is None
    assert old.vectors.tobytes() == rows[:4].tobytes()


@pytest.mark.parametrize("with_norms", [False, True])
@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_quantised_rows_are_their_centroids(columns, with_norms):
    random = np.random.default_rng(6)
    dim, n_pieces = 4, -(-4 // columns)
    codes = random.integers(0, 256, (14, n_pieces))
    centroids = random.normal(size=256 * dim).astype(np.float32)
    norms = (random.integers(0, 256, 14), random.normal(size=256).astype(np.float32))
    rows = np.zeros((14, dim), np.float32)
    for row in range(14):
        for piece in range(n_pieces):
            width = min(columns, dim - piece * columns)
            at = piece * 256 * columns + codes[row, piece] * width
            rows[row, piece * columns : piece * columns + width] = centroids[at : at + width]
        if with_norms:
            rows[row] *= norms[1][norms[0][row]]
    data = model(
        labels={"__label__x": 1}, model=3, loss=3,
        quantised_input=quantised(codes, centroids, dim, columns, norms if with_norms else None),
    )  # fmt: skip
    table = read(data)
    assert table.vectors[1].tobytes() == expected("king", list(WORDS), rows).tobytes()
    assert table.subwords.rows.tobytes() == rows[4:].tobytes()
    assert "quantised" in table.report.notes[1]


def test_buckets_that_were_dropped_do_not_count():
    rows = some_rows(4 + 3)
    pruned = {7: 1, 2: 0, 5: 2}  # in any order
    codes = np.arange(7)[:, None].repeat(4, axis=1)
    centroids = np.zeros((4, 256), np.float32)
    centroids[:, :7] = rows.T
    data = model(
        labels={"__label__x": 1}, model=3, loss=3, pruned=pruned,
        quantised_input=quantised(codes, centroids.reshape(-1), 4, 1),
    )  # fmt: skip
    table = read(data)
    for word in [*WORDS, *UNSEEN]:
        own = rows[list(WORDS).index(word)] if word in WORDS else None
        ids = [pruned[b] for b in naive.fasttext_ids(word, 2, 3, 10) if b in pruned]
        vector = (
            table.vectors[table.vocab[word]] if word in WORDS else table.subwords.vectors([word])[0]
        )
        assert vector.tobytes() == naive.mean_rows(own, rows[4:], ids).tobytes(), word
    matrix = quantised(codes[:4], centroids.reshape(-1), 4, 1)
    nothing = read(model(labels={"x": 1}, model=3, pruned={}, quantised_input=matrix))
    assert nothing.subwords is None


def test_only_limit_and_dtype():
    rows = some_rows(14)
    whole = read(model(rows=rows))
    table = read(model(rows=rows), only=["日本", "king", "nobody"])
    assert list(table.vocab) == ["king", "日本"]
    assert table.vocab.counts.tolist() == [5, 2]
    assert table.vectors.tobytes() == whole.vectors[[1, 3]].tobytes()
    assert table.subwords.word_rows.tobytes() == rows[[1, 3]].tobytes()
    table = read(model(rows=rows), limit=2)
    assert list(table.vocab) == ["</s>", "king"]
    assert table.vectors.tobytes() == whole.vectors[:2].tobytes()
    assert list(read(model(), only=["日本", "king"], limit=1).vocab) == ["king"]
    half = read(model(rows=rows), dtype="float16")
    assert half.vectors.dtype == half.subwords.rows.dtype == np.float16
    assert half.vectors.tobytes() == whole.vectors.astype(np.float16).tobytes()
    with pytest.raises(ParameterError, match="none of the 1 word"):
        read(model(), only=["nobody"])


def test_words_that_need_repair():
    words = {"good": 9, b"\xffbad": 8, "": 7, b"\xfebad": 6, "last": 5}
    rows = some_rows(15)
    with pytest.raises(FormatError, match=r"row 2 is not UTF-8: b'\\xffbad'"):
        read(model(words, rows=rows))
    table = read(model(words, rows=rows), errors="replace")
    assert list(table.vocab) == ["good", "\ufffdbad", "last"]
    assert table.vocab.counts.tolist() == [9, 8, 5]
    assert table.report.repairs == {"duplicates": 1, "empty_words": 1, "undecodable_words": 2}
    # n-grams are hashed as they stand in the file.
    core_ids = naive.fasttext_ids("good", 2, 3, 10)
    assert table.vectors[0].tobytes() == naive.mean_rows(rows[0], rows[5:], core_ids).tobytes()
    from firth import _core

    raw = np.frombuffer(b"\xffbad", np.uint8)
    ids, _ = _core.subword_ids(raw, np.array([0, 4], np.uint64), 2, 3, 10)
    assert table.vectors[1].tobytes() == naive.mean_rows(rows[1], rows[5:], ids).tobytes()
    assert list(read(model(words, rows=rows), errors="ignore").vocab) == ["good", "bad", "last"]
    with pytest.raises(FormatError, match="strict=True refuses"):
        read(model(words, rows=rows), errors="replace", strict=True)
    chosen = read(model(words, rows=rows), errors="ignore", only=["last"], limit=3)
    assert chosen.vectors.tobytes() == table.vectors[2:].tobytes()


def test_numbers_that_are_none_are_counted():
    rows = some_rows(14)
    rows[6, 1], rows[7, 0] = np.inf, np.nan  # buckets
    rows[0, 3] = np.nan  # of </s>, which has no n-grams
    table = read(model(rows=rows))
    words = int((~np.isfinite(table.vectors)).any(axis=1).sum())
    assert table.report.not_finite == words + 2
    with pytest.raises(FormatError, match="strict"):
        read(model(rows=rows), strict=True)
    rows = some_rows(14)
    rows[9, 1] = 1e6
    assert read(model(rows=rows), strict=True).report.not_finite == 0
    with pytest.raises(FormatError, match=r"beyond.*the largest that float16 holds"):
        read(model(rows=rows), dtype="float16")


def test_compressed_and_named(tmp_path):
    data = model()
    (tmp_path / "m.bin.gz").write_bytes(gzip.compress(data))
    (tmp_path / "m.bin.bz2").write_bytes(bz2.compress(data))
    whole = read(data)
    for name in ("m.bin.gz", "m.bin.bz2"):
        assert read_vectors(tmp_path / name).vectors.tobytes() == whole.vectors.tobytes()
    assert read_fasttext_model(tmp_path / "m.bin.gz").output.shape == (4, 4)


def test_what_only_training_needs_may_be_cut_off():
    data = model()
    table = read(data[:-5])
    assert "cut off within its output matrix" in table.report.notes[0]
    with pytest.raises(FormatError, match="the output matrix would take 64 bytes, but 59"):
        read_fasttext_model(io.BytesIO(data[:-5]))
    assert read(data).report.notes == []


# --- files that are not what they claim -----------------------------------------------------------


def patched(at, layout, *values, **made):
    data = bytearray(model(**made))
    struct.pack_into(layout, data, at, *values)
    return bytes(data)


DICTIONARY = 92
INPUT = DICTIONARY + sum(len(word.encode()) + 10 for word in WORDS)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (patched(0, ">i", 793712314), "byte 0: a model from a big-endian machine"),
        (patched(4, "<i", 13), "byte 4: the format has version 13; firth knows up to 12"),
        (patched(8, "<i", -1), "byte 8: the parameters of training make no sense"),
        (patched(32, "<i", 9), "byte 8: the parameters of training make no sense"),
        (patched(64, "<3i", 10**9, 10**9, 0), "dictionary of 1,000,000,000 entries would take"),
        (patched(64, "<3i", 5, 5, 0), "byte [0-9]+: "),
        (patched(DICTIONARY + 5, "<q", -4), "byte 92: the dictionary is damaged after entry 0"),
        (patched(DICTIONARY + 13, "<b", 1), "byte 92: the dictionary is damaged after entry 0"),
        (patched(INPUT, "<b", 7), f"byte {INPUT}: 7 stands where 0 or 1 belongs"),
        (patched(INPUT + 1, "<2q", 10**12, 4), f"byte {INPUT + 1}: an input matrix of 1,000,000,0"),
        (patched(INPUT + 1, "<2q", 14, 5), "14 x 5, where words, buckets and .* make 14 x 4"),
        (patched(40, "<i", 2_000_000), "14 x 4, where words, buckets and .* make 2,000,004 x 4"),
        (model()[:100], "would take 40 bytes, but 8 are left; the file is cut off"),
        (model()[:50], "byte 50: the file ends within its header"),
        (model()[:INPUT], "cut off: the file ends at byte 158, within the mark"),
        (model()[: INPUT + 9], "within the sizes of the input matrix, which begins at byte 159"),
        (model()[: INPUT + 30], "the rows of the words would take 64 bytes, but 13 are left"),
        (model()[: INPUT + 100], "the rows of the buckets would take 160 bytes, but 19 are left"),
        (model({"a" * 3_000_000: 1}), "a word of over 1,048,576 bytes"),
    ],
)
def test_damage_is_told_with_its_place(data, message):
    with pytest.raises(FormatError, match=message):
        read(data, format="fasttext")


@pytest.mark.parametrize(
    ("at", "layout", "values", "message"),
    [
        (1, "<2q", (14, 2**40), "the input matrix claims 14 x 1,099,511,627,776 numbers"),
        (1, "<2q", (2**40, 4), "claims 1,099,511,627,776 x 4 numbers"),
        (17, "<i", (10**9,), "the codes of the input matrix would take 1,000,000,000 bytes"),
        (17, "<i", (-1,), "claims 14 x 4 numbers in -1 codes"),
        (49, "<4i", (4, 2, 3, 1), "28 codes for 14 rows of 2 pieces|claims"),
        (49, "<4i", (5, 2, 2, 2), r"claims \(dim, nsubq, dsub, lastdsub\) = \(5, 2, 2, 2\) for 4"),
        (49, "<4i", (4, 4, 1, 1), "28 codes for 14 rows of 4 pieces"),
        (49, "<4i", (4, 0, 2, 2), "claims"),
        (49, "<4i", (4, 2, 0, 2), "claims"),
    ],
)
def test_quantised_matrices_that_contradict_themselves(at, layout, values, message):
    matrix = bytearray(quantised(np.zeros((14, 2)), np.zeros(256 * 4), 4, 2))
    struct.pack_into(layout, matrix, at, *values)
    data = model(labels={"x": 1}, model=3, quantised_input=bytes(matrix))
    if message.startswith("28 codes for 14 rows of 2"):
        read(data)  # pieces of another width are no contradiction
        return
    with pytest.raises(FormatError, match=message):
        read(data)


@pytest.mark.parametrize(
    "pruned", [{2: 0, 11: 1}, {-1: 0}, {2: 5}, {2: -1}], ids=["bucket", "negative", "row", "minus"]
)
def test_lists_of_kept_buckets_out_of_range(pruned):
    codes = np.zeros((4 + len(pruned), 4))
    data = model(
        labels={"x": 1}, model=3, pruned=pruned,
        quantised_input=quantised(codes, np.zeros(1024), 4, 1),
    )  # fmt: skip
    with pytest.raises(FormatError, match="list of kept buckets is damaged"):
        read(data)


def test_sizes_are_not_believed_where_that_of_the_file_is_unknown():
    # A stream, or a compressed file, has no size: memory is taken as far as it is filled.
    data = gzip.compress(patched(64, "<3i", 2**31 - 1, 2**31 - 1, 0))
    with pytest.raises(FormatError, match=r"the (dictionary is damaged|file ends within entry)"):
        read(data, format="fasttext")
    data = gzip.compress(patched(40, "<i", 2**31 - 1)[: INPUT + 1] + struct.pack(
        "<2q", 2**31 + 3, 4) + bytes(1000))  # fmt: skip
    with pytest.raises(FormatError, match=r"within the rows of the buckets|no memory"):
        read(data, format="fasttext")


@given(st.integers(0, 400), st.binary(min_size=1, max_size=9))
def test_any_damage_is_a_format_error_or_none(at, change):
    data = bytearray(model())
    data[at : at + len(change)] = change
    with contextlib.suppress(FormatError):
        table = read(bytes(data), format="fasttext", errors="replace")
        assert len(table.vocab) == len(table.vectors)


def test_other_files_are_not_taken_for_models():
    from firth.formats import VectorSource, recognise

    for data, name in [
        (model(), "fasttext"),
        (model(version=0), "fasttext"),
        (b"2 2\nking 1 2\nqueen 3 4\n", "word2vec-text"),
        (b"king 1 2\nqueen 3 4\n", "glove"),
    ]:
        with VectorSource(io.BytesIO(data)) as source:
            assert recognise(source).name == name
    for data in (model(version=0, dim=20_000)[:200], b"\0" * 500, os.urandom(500), b"\x01" * 200):
        with VectorSource(io.BytesIO(data)) as source:
            assert not FASTTEXT.recognise(source)


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["model", "table"])
def test_what_was_read_is_written_byte_for_byte(kind, tmp_path):
    data = model(output=np.zeros((4, 4), np.float32), ws=9, loss=1, model=1)
    if kind == "model":
        write_fasttext_model(read_fasttext_model(io.BytesIO(data)), tmp_path / "m.bin")
    else:
        write_vectors(read(data), tmp_path / "m.bin", format="fasttext")
    assert (tmp_path / "m.bin").read_bytes() == data
    stream = io.BytesIO()
    write_fasttext_model(read_fasttext_model(io.BytesIO(data)), stream)
    assert stream.getvalue() == data
    assert list(tmp_path.iterdir()) == [tmp_path / "m.bin"]


def test_older_models_become_version_12_with_the_same_vectors():
    data = model(version=0)
    table = read(data)
    for write in (
        lambda stream: FASTTEXT.write_file(table, stream),
        lambda stream: write_fasttext_model(read_fasttext_model(io.BytesIO(data)), stream),
    ):
        stream = io.BytesIO()
        write(stream)
        again = read(stream.getvalue())
        assert again.vectors.tobytes() == table.vectors.tobytes()
        assert again.subwords.rows.tobytes() == table.subwords.rows.tobytes()
        assert not again.subwords.sentence_end_ngrams


def test_large_models_are_written_in_blocks(monkeypatch):
    monkeypatch.setattr("firth.formats.fasttext._BLOCK_ROWS", 3)
    data = model({f"w{i}": 20 - i for i in range(10)})
    stream = io.BytesIO()
    write_fasttext_model(read_fasttext_model(io.BytesIO(data)), stream)
    assert stream.getvalue() == data


@pytest.mark.parametrize(
    "subwords", [None, FloretSubwords(some_rows(8), 2, 3)], ids=["none", "floret"]
)
def test_vectors_without_ngrams_of_fasttext_are_written_as_words(subwords, caplog):
    vocab = Vocab.from_words(["a b", "日本"], [3, 2])
    stream = io.BytesIO()
    FASTTEXT.write_file(VectorTable(vocab, some_rows(2), subwords=subwords), stream)
    table = read(stream.getvalue())
    assert table.vocab == vocab
    assert table.vectors.tobytes() == some_rows(2).tobytes()
    assert table.subwords is None
    assert table.config["fasttext"]["n_tokens"] == 5
    told = [record.message for record in caplog.records]
    assert bool(told) == (subwords is not None)
    assert not told or "cannot hold these subwords (floret)" in told[0]


def test_half_precision_is_written_in_single():
    table = read(model(), dtype="float16")
    stream = io.BytesIO()
    FASTTEXT.write_file(table, stream)
    again = read(stream.getvalue())
    assert again.vectors == pytest.approx(table.vectors.astype(np.float32), abs=2e-3)
    rows = table.subwords.rows.astype(np.float32)
    assert again.subwords.rows.tobytes() == rows.tobytes()


def test_the_words_of_quantised_classifiers_can_be_written():
    codes = np.arange(14)[:, None]
    data = model(
        labels={"x": 1}, model=3, pruned={i: i for i in range(10)},
        quantised_input=quantised(codes, some_rows(256).reshape(-1), 4, 4),
    )  # fmt: skip
    table = read(data)
    stream = io.BytesIO()
    FASTTEXT.write_file(table, stream)
    again = read(stream.getvalue())
    assert again.vectors.tobytes() == table.vectors.tobytes()
    assert again.config["fasttext"]["model"] == "sg"


def small_model():
    args = FastTextArgs(dim=4, bucket=10, min_n=2, max_n=3)
    return FastTextModelData(args, Vocab.from_words(["a", "b"]), some_rows(2), some_rows(10))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": {"x": 1}}, "a classifier of fastText"),
        ({"kept": np.arange(10)}, "without some of its buckets"),
        ({"args": FastTextArgs(dim=4, bucket=10, model="sup")}, "a classifier of fastText"),
        ({"args": FastTextArgs(dim=4, bucket=10, loss="mse")}, "loss must be one of hs, .* 'mse'"),
        ({"args": FastTextArgs(dim=5, bucket=10)}, r"word_rows has the shape \(2, 4\); \(2, 5\)"),
        ({"args": FastTextArgs(dim=4, bucket=9)}, r"bucket_rows has the shape \(10, 4\); \(9, 4\)"),
        ({"output": some_rows(3)}, r"output has the shape \(3, 4\); \(2, 4\) belongs"),
        ({"words": ["a", "b\0"]}, r"the word 'b\\x00' has a zero byte"),
    ],
)
def test_models_that_cannot_be_written(changes, message, tmp_path):
    if "words" in changes:
        changes = {"vocab": Vocab.from_words(changes["words"])}
    with pytest.raises(ParameterError, match=message):
        write_fasttext_model(replace(small_model(), **changes), tmp_path / "m.bin")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="this is a folder"):
        write_fasttext_model(small_model(), tmp_path)


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        st.integers(0, 2**40),
        min_size=1,
        max_size=9,
    ),
    st.integers(1, 9),
    st.integers(1, 20),
)
def test_any_words_come_back(words, dim, bucket):
    args = FastTextArgs(dim=dim, bucket=bucket, min_n=1, max_n=4)
    rows, buckets = some_rows(len(words), dim), some_rows(bucket, dim, seed=3)
    vocab = Vocab.from_words(words, list(words.values()))
    stream = io.BytesIO()
    write_fasttext_model(FastTextModelData(args, vocab, rows, buckets), stream)
    again = read_fasttext_model(io.BytesIO(stream.getvalue()))
    assert again.args == args
    assert again.vocab == vocab
    assert again.word_rows.tobytes() == rows.tobytes()
    assert again.bucket_rows.tobytes() == buckets.tobytes()
    assert not again.output.any()


# --- real files, and the package ------------------------------------------------------------------


def real(name):
    path = DATA / "vectors" / name
    if not path.exists():
        pytest.skip(f"needs real data: {path} is absent; set FIRTH_DATA")
    return path


def package(path):
    fasttext = pytest.importorskip("fasttext", reason="needs the package fasttext")
    return fasttext.load_model(str(path))


def assert_same_as_the_package(path, table, words):
    theirs = package(path)
    for word in words:
        vector = theirs.get_word_vector(word).astype(np.float32)
        row = table.vocab.get(word)
        ours = table.subwords.vectors([word])[0] if row is None else table.vectors[row]
        assert ours.tobytes() == vector.tobytes(), word


UNSEEN_REAL = ["unbekannt", "x", "", "日本語", "Übergröße", "two words", "\u00a0", "👩‍👩‍👧", "</s"]


def test_the_real_model_is_that_of_the_package(tmp_path):
    path = real("fasttext-tiny-50d.bin")
    table = read_vectors(path)
    assert table.vectors.shape == (157, 50)
    assert table.vocab.words[:3] == ["</s>", ",", "."]
    assert table.config["fasttext"]["bucket"] == 100
    assert_same_as_the_package(path, table, [*table.vocab, *UNSEEN_REAL])


def test_the_real_classifier_is_that_of_the_package():
    path = real("lid.176.ftz")
    table = read_vectors(path)
    assert len(table.config["labels"]) == 176
    assert table.config["labels"].keys() >= {"__label__de", "__label__ja"}
    theirs = package(path)
    assert list(table.config["labels"]) == theirs.get_labels()
    data = read_fasttext_model(path)
    for row in (0, 1, 1000, len(data.vocab) - 1):
        expected = theirs.get_input_vector(row).astype(np.float32)
        assert data.word_rows[row].tobytes() == expected.tobytes()
    assert_same_as_the_package(path, table, [*table.vocab.words[::50], *UNSEEN_REAL])


def test_the_package_reads_what_is_written(tmp_path):
    path = real("fasttext-tiny-50d.bin")
    table = read_vectors(path)
    write_vectors(table, tmp_path / "folder", format="firth")
    write_vectors(read_vectors(tmp_path / "folder"), tmp_path / "m.bin", format="fasttext")
    assert_same_as_the_package(tmp_path / "m.bin", table, [*table.vocab, *UNSEEN_REAL])
    write_fasttext_model(read_fasttext_model(path), tmp_path / "m.bin")
    assert (tmp_path / "m.bin").read_bytes() == path.read_bytes()


def test_the_package_reads_words_without_ngrams_and_counts(tmp_path):
    vocab = Vocab.from_words(["one", "two", "three"])
    write_vectors(VectorTable(vocab, some_rows(3, 16)), tmp_path / "m.bin", format="fasttext")
    theirs = package(tmp_path / "m.bin")
    assert theirs.get_words() == ["one", "two", "three"]
    assert theirs.get_word_vector("two").tobytes() == some_rows(3, 16)[1].tobytes()
    assert len(theirs.get_nearest_neighbors("two", k=2)) == 2


def test_gensim_reads_what_is_written(tmp_path):
    fasttext = pytest.importorskip("gensim.models.fasttext", reason="needs gensim")
    data = model({"king": 5, "Übergröße": 3, "日本": 2}, output=np.zeros((3, 4), np.float32))
    table = read(data)
    write_vectors(table, tmp_path / "m.bin", format="fasttext")
    theirs = fasttext.load_facebook_vectors(str(tmp_path / "m.bin"))
    assert theirs.index_to_key == list(table.vocab)
    assert theirs.vectors == pytest.approx(table.vectors, abs=1e-6)
    for word in ("kings", "größe"):
        assert theirs[word] == pytest.approx(table.subwords.vectors([word])[0], abs=1e-6)
    assert fasttext.load_facebook_model(str(tmp_path / "m.bin")).wv.bucket == 10
    plain = VectorTable(Vocab.from_words(["a", "b"], [2, 1]), some_rows(2))
    write_vectors(plain, tmp_path / "plain.bin", format="fasttext")
    theirs = fasttext.load_facebook_vectors(str(tmp_path / "plain.bin"))
    assert theirs["b"].tobytes() == some_rows(2)[1].tobytes()


def test_subwords_keep_their_words_when_words_are_chosen():
    subwords = FastTextSubwords(some_rows(10), 2, 3, word_rows=some_rows(4))
    some = subwords.select_words(np.array([3, 0]))
    assert some.word_rows.tobytes() == some_rows(4)[[3, 0]].tobytes()
    assert FastTextSubwords(some_rows(10), 2, 3).select_words(np.array([1])).word_rows is None


def test_a_dense_matrix_is_what_fasttext_writes():
    assert dense(np.ones((2, 3), np.float32))[:16] == struct.pack("<2q", 2, 3)

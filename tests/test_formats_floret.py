import io

import numpy as np
import pytest

import naive
from fasttext_files import model, some_rows
from firth.errors import FormatError
from firth.formats import VectorSource, read_vectors, recognise

SEED = 2166136261
WORDS = {"</s>": 9, "king": 5, "Übergröße": 3, "日本": 2}
UNSEEN = ["kings", "日本語", "a", "größe"]


def table_text(rows, *, min_n=2, max_n=3, hash_count=2, seed=SEED, marks="< >", order=None):
    lines = [f"{len(rows)} {rows.shape[1]} {min_n} {max_n} {hash_count} {seed} {marks}\n"]
    numbers = order or range(len(rows))
    lines += [f"{i} " + " ".join(map(repr, rows[i].tolist())) + " \n" for i in numbers]
    return "".join(lines).encode()


def words_text(words, vectors):
    lines = [f"{len(words)} {vectors.shape[1]}\n"]
    for word, row in zip(words, vectors, strict=True):
        lines.append(f"{word} " + " ".join(map(repr, row.tolist())) + " \n")
    return "".join(lines).encode()


def expected(word, rows, own=None, hash_count=2, marks=("<", ">")):
    ids = naive.floret_ids(word, 2, 3, len(rows), hash_count, SEED, *marks)
    return naive.mean_rows(own, rows, ids)


@pytest.mark.parametrize("hash_count", [1, 2, 4])
def test_binary_models(hash_count):
    rows = some_rows(4 + 10)
    data = model(WORDS, rows=rows, floret=hash_count)
    table = read_vectors(io.BytesIO(data))
    assert table.report.format == "floret"
    assert list(table.vocab) == list(WORDS)
    assert table.vocab.counts.tolist() == list(WORDS.values())
    assert table.config["floret"]["hash_count"] == hash_count
    # The first word keeps a row of its own, which floret forgets to leave out.
    assert table.vectors[0].tobytes() == rows[0].tobytes()
    for word, vector in [
        *zip(list(WORDS)[1:], table.vectors[1:], strict=True),
        *zip(UNSEEN, table.subwords.vectors(UNSEEN), strict=True),
    ]:
        right = expected(word, rows[4:], hash_count=hash_count)
        assert vector.tobytes() == right.tobytes(), word


def test_the_first_word_may_be_any():
    rows = some_rows(2 + 10)
    table = read_vectors(io.BytesIO(model({"king": 5, "日本": 2}, rows=rows, floret=1)))
    right = expected("king", rows[2:], own=rows[0], hash_count=1)
    assert table.vectors[0].tobytes() == right.tobytes()
    other = read_vectors(
        io.BytesIO(model({"king": 5, "日本": 2}, rows=rows, floret=1)), only=["日本"]
    )
    assert other.vectors.tobytes() == table.vectors[1:].tobytes()
    half = read_vectors(io.BytesIO(model(WORDS, floret=2)), dtype="float16", limit=2)
    assert half.vectors.dtype == half.subwords.rows.dtype == np.float16
    assert len(half.vocab) == 2


def test_models_of_floret_in_fasttexts_own_mode():
    rows = some_rows(14)
    table = read_vectors(io.BytesIO(model(WORDS, rows=rows, floret=0)))
    assert table.report.format == "fasttext"
    assert (
        table.vectors.tobytes()
        == read_vectors(io.BytesIO(model(WORDS, rows=rows))).vectors.tobytes()
    )


@pytest.mark.parametrize("beside", ["vec", "vec.gz", "bin"])
def test_tables_find_their_words_beside_them(tmp_path, beside):
    rows = some_rows(14)
    whole = read_vectors(io.BytesIO(model(WORDS, rows=rows, floret=2)))
    (tmp_path / "m.floret").write_bytes(table_text(rows[4:]))
    text = words_text(WORDS, whole.vectors)
    if beside == "vec":
        (tmp_path / "m.vec").write_bytes(text)
    elif beside == "vec.gz":
        import gzip

        (tmp_path / "m.vec.gz").write_bytes(gzip.compress(text))
    else:
        (tmp_path / "m.bin").write_bytes(model(WORDS, rows=rows, floret=2))
    table = read_vectors(tmp_path / "m.floret")
    assert table.report.format == "floret"
    assert list(table.vocab) == list(WORDS)
    assert table.vectors.tobytes() == whole.vectors.tobytes()
    ours, theirs = table.subwords.vectors(UNSEEN), whole.subwords.vectors(UNSEEN)
    assert ours.tobytes() == theirs.tobytes()
    some = read_vectors(tmp_path / "m.floret", only=["king"], dtype="float16")
    assert list(some.vocab) == ["king"]
    assert some.subwords.rows.dtype == np.float16


def test_tables_without_words(tmp_path):
    rows = some_rows(10)
    (tmp_path / "m.floret").write_bytes(table_text(rows, marks="« »»"))
    with pytest.raises(FormatError, match=r"has no words; put its m.vec beside it, or .* only="):
        read_vectors(tmp_path / "m.floret")
    table = read_vectors(tmp_path / "m.floret", only=["king", "kings", "日本"], limit=2)
    assert list(table.vocab) == ["king", "kings"]
    right = expected("kings", rows, marks=("«", "»»"))
    assert table.vectors[1].tobytes() == right.tobytes()


def test_rows_of_tables_in_another_order():
    rows = some_rows(5)
    data = table_text(rows, order=[3, 1, 0, 4, 2])
    table = read_vectors(io.BytesIO(data), only=["king"])
    assert table.subwords.rows.tobytes() == rows.tobytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (table_text(some_rows(5))[:-40], "line [56]|cut off"),
        (table_text(some_rows(5), order=[0, 1, 2, 3]), "claims 5 buckets; rows 0 to 4 must follow"),
        (table_text(some_rows(5), order=[0, 1, 2, 3, 3]), "claims 5 buckets"),
        (table_text(some_rows(5), hash_count=7), "line 1: hash_count must be from 1 to 4"),
        (table_text(some_rows(5), min_n=4, max_n=3), "line 1: min_n is 4"),
        (table_text(some_rows(5), seed=2**32), "line 1: seed must be"),
        (b"king 1 2 3\n", "line 1 is no header of floret"),
        (b"5 0 2 3 2 1 < >\n0 0.5\n", "says 0 dims"),
        (b"5 2147483647 2 3 2 1 < >\n0 0.5\n", "says 2,147,483,647 dims"),
        (b"5 1000000 2 3 2 1 < >\n0 0.5\n", "5 rows of 1,000,000 numbers take"),
        (model(WORDS, labels={"x": 1}, floret=2, model=3), "a classifier of floret"),
        (model(WORDS, floret=2)[:300], "would take"),
    ],
)
def test_damage(data, message):
    with pytest.raises(FormatError, match=message):
        read_vectors(io.BytesIO(data), format="floret", only=["king"])


def test_what_is_floret_is_recognised():
    for data, name in [
        (model(WORDS, floret=3), "floret"),
        (table_text(some_rows(3)), "floret"),
        (model(WORDS), "fasttext"),
        (words_text(["a", "b"], some_rows(2, 7)), "fasttext-vec"),
    ]:
        with VectorSource(io.BytesIO(data)) as source:
            assert recognise(source).name == name


def test_the_package_gives_the_same(tmp_path):
    floret = pytest.importorskip("floret", reason="needs the package floret")
    random = np.random.default_rng(8)
    words = ["haus", "häuser", "straße", "日本語", "the", "running"]
    text = "\n".join(" ".join(random.choice(words, 9)) for _ in range(300))
    (tmp_path / "text").write_text(text, encoding="utf-8")
    theirs = floret.train_unsupervised(
        str(tmp_path / "text"), mode="floret", hashCount=2, bucket=50, minn=3, maxn=5, dim=8,
        minCount=1, epoch=1, thread=1, verbose=0,
    )  # fmt: skip
    theirs.save_model(str(tmp_path / "m.bin"))
    theirs.save_floret_vectors(str(tmp_path / "m.floret"))
    theirs.save_vectors(str(tmp_path / "m.vec"))
    table = read_vectors(tmp_path / "m.bin")
    vectors = [*table.vectors, *table.subwords.vectors(UNSEEN)]
    for word, vector in zip([*table.vocab, *UNSEEN], vectors, strict=True):
        assert vector.tobytes() == theirs.get_word_vector(word).astype(np.float32).tobytes(), word
    printed = read_vectors(tmp_path / "m.floret")
    assert printed.vocab.words == table.vocab.words
    assert printed.subwords.vectors(UNSEEN) == pytest.approx(np.array(vectors[-4:]), abs=1e-4)

"""Many questions at once, filters, words that are not there, tables of answers, bytes."""

import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth import KeyedVectors, Vocab
from firth.errors import MissingExtraError, ParameterError, WordNotFoundError
from firth.vectors import Neighbours, NeighbourTable

N = 300


def some_words():
    syllables = ["ba", "ko", "ri", "té", "nu", "ß", "日"]
    return [syllables[i % 7] + syllables[i // 7 % 7] + str(i) for i in range(N)]


@pytest.fixture(scope="module")
def wv():
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((N, 12)).astype(np.float32)
    matrix[17], matrix[18, 0] = 0, np.nan
    return KeyedVectors(Vocab.from_words(some_words(), range(3 * N, 2 * N, -1)), matrix)


def slow(wv, word, topn, allowed):
    """The neighbours of a word among allowed rows, by sorting all cosines."""
    cosines = wv.most_similar(word, topn=None)
    rows = [r for r in allowed if r not in {wv.get_index(word), *wv.rows_without_direction}]
    return [wv.index_to_key[r] for r in sorted(rows, key=lambda r: -cosines[r])[:topn]]


# --- filters --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [
        ({}, lambda i, w: True),
        ({"prefix": "ba"}, lambda i, w: w.startswith("ba")),
        ({"prefix": "té"}, lambda i, w: w.startswith("té")),
        ({"prefix": ""}, lambda i, w: True),
        ({"pattern": "[13]$"}, lambda i, w: w[-1] in "13"),
        ({"pattern": re.compile("KO", re.IGNORECASE)}, lambda i, w: "ko" in w),
        ({"clip_start": 20, "clip_end": 120}, lambda i, w: 20 <= i < 120),
        ({"restrict_vocab": 40}, lambda i, w: i < 40),
        ({"among": [*some_words()[3:90:5], "nobody"]}, lambda i, w: 3 <= i < 90 and i % 5 == 3),
        ({"among": np.array([200, 5, 7, 7, 17, 18])}, lambda i, w: i in {200, 5, 7}),
        ({"among": np.arange(N) % 3 == 0}, lambda i, w: i % 3 == 0),
        (
            {"among": np.arange(N) % 3 == 0, "prefix": "ri", "pattern": "7", "clip_start": 50},
            lambda i, w: i % 3 == 0 and w.startswith("ri") and "7" in w and i >= 50,
        ),
        ({"prefix": "nobody"}, lambda i, w: False),
        ({"among": []}, lambda i, w: False),
        ({"clip_start": 50, "clip_end": 40, "prefix": "ba"}, lambda i, w: False),
    ],
)
@pytest.mark.parametrize("n_questions", [1, 30])
def test_filters(wv, filters, allowed, n_questions):
    rows = [i for i, word in enumerate(wv.index_to_key) if allowed(i, word)]
    questions = wv.index_to_key[:n_questions]
    found = wv.most_similar_many(questions, topn=6, **filters)
    for question, answer in zip(questions, found, strict=True):
        if question in {wv.index_to_key[17], wv.index_to_key[18]}:
            assert answer == []
        else:
            assert answer.words == slow(wv, question, 6, rows)
    assert wv.most_similar(questions[0], topn=6, **filters).words == found[0].words


@given(st.sets(st.integers(0, N - 1)), st.integers(0, N + 5), st.integers(1, 20))
@settings(max_examples=60)
def test_any_rows_are_searched_as_if_they_were_all(wv, rows, topn, n_questions):
    among = np.array(sorted(rows), np.int64)
    questions = [w for i, w in enumerate(wv.index_to_key[:n_questions]) if i not in {17, 18}]
    for question, answer in zip(
        questions, wv.most_similar_many(questions, topn, among=among), strict=True
    ):
        assert answer.words == slow(wv, question, topn, sorted(rows))


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"among": "ba"}, "among is the string 'ba'"),
        ({"among": np.array([3, N])}, "among is int64 of shape .2,.; give words, numbers of rows"),
        ({"among": np.array([-1])}, "numbers of rows from 0 to 299"),
        ({"among": np.ones(3, bool)}, "a truth value for each of the 300 words"),
        ({"among": [3.5]}, "is float 3.5, not a string"),
        ({"prefix": 3}, "prefix must be a string, not 3"),
        ({"pattern": "("}, "pattern '.' is no regular expression"),
        ({"pattern": 3}, "is no regular expression"),
        ({"pattern": re.compile(b"x")}, "words are strings"),
        ({"clip_start": -1}, "clip_start must be 0 or more"),
        ({"oov": "what"}, "oov must be 'error', 'zero', 'mean' or 'skip', not 'what'"),
    ],
)
def test_filters_that_are_none(wv, filters, message):
    for ask in (wv.most_similar, lambda word, **f: wv.most_similar_many([word], **f)):
        with pytest.raises(ParameterError, match=message):
            ask("koba1", **filters)


def test_all_similarities_of_filtered_rows_are_refused(wv):
    with pytest.raises(ParameterError, match=r"topn=len\(wv\)"):
        wv.most_similar("koba1", topn=None, prefix="ba")
    assert len(wv.most_similar("koba1", topn=len(wv))) == N - 3


# --- words that are not there ---------------------------------------------------------------------


def test_vectors_of_words_that_are_not_there(wv):
    known = wv["koba1"]
    words = ["nobody", "koba1", "nothing"]
    with pytest.raises(WordNotFoundError, match="'nobody' is not among"):
        wv.get_vectors(words)
    zeros = wv.get_vectors(words, oov="zero")
    assert zeros.shape == (3, 12)
    assert not zeros[0].any()
    assert (zeros[1] == known).all()
    assert (wv.get_vectors(words, oov="skip") == known).all()
    assert wv.get_vectors(words, oov="skip").shape == (1, 12)
    assert wv.get_vectors(["nobody"], oov="skip").shape == (0, 12)
    mean = np.delete(wv.vectors, [17, 18], axis=0).mean(axis=0)
    assert wv.get_vectors(words, oov="mean")[2] == pytest.approx(mean, abs=1e-6)
    assert wv.get_vector("nobody", oov="mean") == pytest.approx(mean, abs=1e-6)
    normed = wv.get_vectors(words, norm=True, oov="mean")
    assert np.linalg.norm(normed, axis=1) == pytest.approx(np.ones(3))
    assert not wv.get_vector("nobody", oov="zero").any()
    with pytest.raises(ParameterError, match="one vector cannot be skipped"):
        wv.get_vector("nobody", oov="skip")
    with pytest.raises(ParameterError, match="keys is the string"):
        wv.get_vectors("koba1")


def test_questions_with_words_that_are_not_there(wv):
    plain = wv.most_similar("koba1", topn=3)
    skipped = wv.most_similar(["koba1", "nobody"], topn=3, oov="skip")
    zero = wv.most_similar(["koba1"], "nobody", topn=3, oov="zero")
    for found in (skipped, zero):  # sums are rounded once more
        assert found.words == plain.words
        assert found.scores == pytest.approx(plain.scores, abs=1e-6)
    assert wv.most_similar(["koba1", "nobody"], topn=3, oov="mean") != plain
    assert wv.most_similar("nobody", oov="skip") == []
    found = wv.most_similar_many(["koba1", "nobody", "koba1"], topn=3, oov="skip")
    assert found == [plain, [], plain]
    with pytest.raises(WordNotFoundError, match="'nobody'"):
        wv.most_similar_many(["koba1", "nobody"])


# --- tables ---------------------------------------------------------------------------------------


def test_neighbours_are_a_list(wv):
    found = wv.most_similar("koba1", topn=4)
    assert isinstance(found, list)
    assert isinstance(found, Neighbours)
    assert found.words == [word for word, _ in found]
    assert found.scores == [score for _, score in found]
    assert isinstance(found[:2], Neighbours)
    assert found[:2] == list(found)[:2]
    assert found[-1] == list(found)[-1]
    assert "<td>1</td>" in found._repr_html_()


def test_a_table_of_answers(wv):
    questions = ["koba1", (["koba1", "riba2"], "téba3"), wv["koba1"], 4, wv.index_to_key[17]]
    table = wv.most_similar_many(questions, topn=3)
    assert isinstance(table, NeighbourTable)
    assert len(table) == 5
    assert table.rows.shape == table.scores.shape == (5, 3)
    assert table.rows[4].tolist() == [-1, -1, -1]
    assert table[4] == []
    assert table[-2] == table[3]
    assert table[1:3] == [table[1], table[2]]
    assert table == list(table)
    assert table != list(table)[:4]
    assert table != "abcde"
    assert table.questions == ["koba1", "koba1 + riba2 - téba3", "vector 2", "4", "téri17"]
    assert repr(table).startswith("NeighbourTable([[('")
    assert "5 questions" in repr(table)
    with pytest.raises(IndexError):
        table[5]


def test_tables_in_notebooks_escape_words():
    wv = KeyedVectors(Vocab.from_words(["a", "<b>&"]), np.array([[1, 0], [1, 1]], np.float32))
    for html in (wv.most_similar("a")._repr_html_(), wv.most_similar_many(["a"])._repr_html_()):
        assert "&lt;b&gt;&amp;" in html
        assert "<b>" not in html
    assert "and 2 questions more" in wv.most_similar_many(["a"] * 22)._repr_html_()


def test_tables_for_pandas(wv):
    pytest.importorskip("pandas", reason="pandas is not installed (the extra pandas)")
    found = wv.most_similar("koba1", topn=2)
    frame = found.to_pandas()
    assert list(frame.columns) == ["word", "score"]
    assert frame["word"].tolist() == found.words
    table = wv.most_similar_many(["koba1", wv.index_to_key[17], "riba2"], topn=2)
    frame = table.to_pandas()
    assert frame["question"].tolist() == ["koba1", "koba1", "riba2", "riba2"]
    assert frame["rank"].tolist() == [1, 2, 1, 2]
    assert frame["word"].tolist() == [*table[0].words, *table[2].words]
    assert len(wv.most_similar_many([]).to_pandas()) == 0


def test_tables_need_pandas(wv, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"firth\[pandas\]"):
        wv.most_similar("koba1").to_pandas()


@pytest.mark.parametrize("topn", [0, -1, 1, N, 10 * N])
def test_any_number_of_neighbours(wv, topn):
    found = wv.most_similar_many(["koba1", "riba2"], topn=topn)
    assert found.rows.shape == (2, min(max(0, topn), N))
    assert [len(each) for each in found] == [min(max(0, topn), N - 3)] * 2


# --- bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_questions", [1, 40])
def test_bytes_answer_as_the_numbers_that_they_stand_for(wv, n_questions, isa):
    small = wv.astype("int8")
    assert small.dtype == np.int8
    assert repr(small) == f"KeyedVectors({N} words, vector_size=12, int8)"
    same = KeyedVectors(small.vocab, small.vectors)
    assert small.norms == pytest.approx(same.norms, rel=1e-6, nan_ok=True)
    assert small.rows_without_direction.tolist() == [17, 18]
    questions = small.vectors[:n_questions]
    for filters in ({}, {"prefix": "ba"}, {"clip_start": 9, "clip_end": 99}):
        ours = small.most_similar_many(questions, 5, **filters)
        right = same.most_similar_many(questions, 5, **filters)
        assert (ours.rows == right.rows).all()
        assert ours.scores == pytest.approx(right.scores, abs=1e-6)


def test_bytes_are_near(wv):
    small = wv.astype(np.int8)
    rows = np.delete(np.arange(N), [17, 18])
    step = np.abs(wv.vectors[rows]).max(axis=1) / 127
    assert (np.abs(small.vectors[rows] - wv.vectors[rows]) <= step[:, None] * 0.5001).all()
    assert small.similarity("koba1", "riba2") == pytest.approx(
        wv.similarity("koba1", "riba2"), abs=0.02
    )
    assert small["koba1"].dtype == np.float32
    assert not small[wv.index_to_key[17]].any()
    assert np.isnan(small[wv.index_to_key[18]]).all()
    assert small.astype("float32").vectors.dtype == np.float32
    assert wv.astype("float16").dtype == np.float16
    for kind in ("float64", "what", None):
        with pytest.raises(ParameterError, match="dtype must be float32, float16 or int8"):
            wv.astype(kind)


def test_bytes_are_kept(wv, tmp_path):
    small = wv.astype("int8")
    small.save(tmp_path / "m")
    loaded = KeyedVectors.load(tmp_path / "m")
    assert loaded.dtype == np.int8
    assert np.array_equal(loaded.vectors, small.vectors, equal_nan=True)
    assert loaded.most_similar("koba1") == small.most_similar("koba1")
    assert (tmp_path / "m/vectors.safetensors").stat().st_size < 12 * N + 8 * N + 1000
    # Other formats, and reading with options, have single precision.
    small.save(tmp_path / "v.bin", format="word2vec-binary")
    read = KeyedVectors.load(tmp_path / "v.bin")
    assert np.array_equal(read.vectors, small.vectors, equal_nan=True)
    some = KeyedVectors.load(tmp_path / "m", only=["koba1", "riba2"])
    assert np.array_equal(some["koba1"], small["koba1"])


def test_scales_belong_to_bytes():
    vocab = Vocab.from_words(["a", "b"])
    codes = np.array([[100, 0], [0, 50]], np.int8)
    wv = KeyedVectors(vocab, codes, scales=np.array([0.5, 2], np.float32))
    assert wv.vectors.tolist() == [[50, 0], [0, 100]]
    assert KeyedVectors(vocab, codes).vectors.tolist() == codes.tolist()
    with pytest.raises(ParameterError, match="scales belong to vectors of int8; these are float32"):
        KeyedVectors(vocab, codes.astype(np.float32), scales=np.ones(2, np.float32))
    with pytest.raises(ParameterError, match=r"scales is float64 of shape .2,."):
        KeyedVectors(vocab, codes, scales=np.ones(2))

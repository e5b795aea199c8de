"""evaluate_word_analogies and evaluate_word_pairs: gensim's numbers."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

import firth
from firth import KeyedVectors, Vocab
from firth.errors import FormatError, MissingExtraError, ParameterError, SourceError

DATA = Path(os.environ.get("FIRTH_DATA", Path(__file__).parents[2] / "shared" / "data"))

WORDS = ["man", "woman", "king", "queen", "King", "son", "daughter", "of"]
MATRIX = np.array(
    [[1, 0, 0], [1, 1, 0], [1, 0, 2], [1, 1, 2], [1.1, 0, 2], [1, 0, -3], [1, 1, -3], [0, 0, 1]],
    np.float32,
)
QUESTIONS = """: royal
man woman king queen
MAN woman King queen
man woman king daughter
: family
man woman son daughter
man woman son

man woman son niece
"""


@pytest.fixture
def wv():
    return KeyedVectors(Vocab.from_words(WORDS), MATRIX)


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text(QUESTIONS)
    return path


def test_analogies_by_hand(wv, questions, caplog):
    caplog.set_level("INFO", "firth")
    score, sections = wv.evaluate_word_analogies(questions)
    assert score == 3 / 4
    assert [section["section"] for section in sections] == ["royal", "family", "Total accuracy"]
    assert sections[0]["correct"] == [("MAN", "WOMAN", "KING", "QUEEN")] * 2
    assert sections[0]["incorrect"] == [("MAN", "WOMAN", "KING", "DAUGHTER")]
    assert sections[2]["incorrect"] == sections[0]["incorrect"]
    assert "line 7 is passed over" in caplog.text
    assert "family: 100.0% (1/1)" in caplog.text
    assert "royal: 66.7% (2/3)" in caplog.text


def test_what_analogies_can_be_asked_with(wv, questions):
    assert wv.evaluate_word_analogies(questions, dummy4unknown=True)[0] == 3 / 5
    # "MAN" is not there, and "King" is another word.
    exact, sections = wv.evaluate_word_analogies(questions, case_insensitive=False)
    assert sections[0]["correct"] == [("man", "woman", "king", "queen")]
    assert exact == 2 / 3
    first = wv.evaluate_word_analogies(questions, restrict_vocab=4)[1]
    assert [len(section["correct"]) for section in first] == [2, 0, 2]
    mul = wv.evaluate_word_analogies(questions, similarity_function="most_similar_cosmul")
    assert len(mul[1]) == 3
    with pytest.raises(ParameterError, match="similarity_function is 'cosadd'; it must be one of"):
        wv.evaluate_word_analogies(questions, similarity_function="cosadd")


def test_files_that_are_no_analogies(wv, tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("man woman king queen\n: late\n")
    with pytest.raises(FormatError, match=r"line 1: missing section header") as raised:
        wv.evaluate_word_analogies(path)
    assert isinstance(raised.value, ValueError)  # as gensim's
    path.write_text(": nothing\n")
    with pytest.raises(FormatError, match="no question"):
        wv.evaluate_word_analogies(path)
    with pytest.raises(SourceError, match=r"none\.txt: no such file"):
        wv.evaluate_word_analogies(tmp_path / "none.txt")


def test_pairs_by_hand(wv, tmp_path):
    stats = pytest.importorskip("scipy.stats", reason="needs SciPy")
    path = tmp_path / "pairs.tsv.gz"
    lines = "# of whom\nword1\tword2\tmean\nman\tWOMAN\t8\nking\tqueen\t9\nson\tof\t1\nno\tson\t3\n"
    path.write_bytes(gzip.compress(lines.encode()))
    pearson, spearman, unknown = wv.evaluate_word_pairs(path)
    cosines = [wv.similarity(*p) for p in (("man", "woman"), ("king", "queen"), ("son", "of"))]
    assert pearson[0] == pytest.approx(stats.pearsonr([8, 9, 1], cosines)[0])
    assert spearman.pvalue == pytest.approx(stats.spearmanr([8, 9, 1], cosines).pvalue)
    assert unknown == 25
    pearson, _, unknown = wv.evaluate_word_pairs(path, dummy4unknown=True)
    assert pearson[0] == pytest.approx(stats.pearsonr([8, 9, 1, 3], [*cosines, 0])[0])
    assert unknown == 25
    assert wv.evaluate_word_pairs(path, case_insensitive=False, dummy4unknown=True)[2] == 50
    latin = tmp_path / "latin.csv"
    latin.write_bytes("man,woman,1\nking,queen,2\nson,of,3\nna\u00efve,of,3\n".encode("latin-1"))
    assert wv.evaluate_word_pairs(latin, delimiter=",", encoding="latin-1")[2] == 25
    with pytest.raises(FormatError, match="line 4 is no utf8"):
        wv.evaluate_word_pairs(latin, delimiter=",")
    with pytest.raises(FormatError, match=r"no pair with a judgement.*delimiter is '\\t'"):
        wv.evaluate_word_pairs(latin, encoding="latin-1")
    with pytest.raises(ParameterError, match="encoding is 'klingon'"):
        wv.evaluate_word_pairs(latin, encoding="klingon")


def test_pairs_need_scipy(wv, questions, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy.stats", None)
    with pytest.raises(MissingExtraError, match=r"evaluate_word_pairs needs.*firth\[evaluate\]"):
        wv.evaluate_word_pairs(questions)


# --- gensim itself --------------------------------------------------------------------------------

SAMPLES = ["googlenews-8k-300d.bin.gz", "glove.6B.50d.top5k.txt.gz"]
SETTINGS = [{}, {"case_insensitive": False}, {"dummy4unknown": True}, {"restrict_vocab": 1000}]


def theirs(words, matrix):
    gensim = pytest.importorskip("gensim.models", reason="needs gensim")
    vectors = gensim.KeyedVectors(matrix.shape[1])
    vectors.add_vectors(words, matrix)
    return vectors


@pytest.mark.parametrize("options", SETTINGS)
def test_gensim_gives_the_same_for_made_vectors(tmp_path, options):
    draw = np.random.default_rng(4)
    words = [f"{'wW'[i % 7 == 3]}{i % 50}" for i in range(60)]
    words = list(dict.fromkeys(words))
    matrix = draw.normal(size=(len(words), 6)).astype(np.float32)
    path = tmp_path / "q.txt"
    lines = [" ".join(f"w{i}" for i in draw.integers(0, 52, 4)) for _ in range(300)]
    path.write_text(": a\n" + "\n".join(lines[:200]) + "\n: b\n" + "\n".join(lines[200:]))
    ours = KeyedVectors(Vocab.from_words(words), matrix)
    expected = theirs(words, matrix).evaluate_word_analogies(str(path), **options)
    assert ours.evaluate_word_analogies(path, **options) == expected


@pytest.mark.parametrize("name", SAMPLES)
def test_gensim_gives_the_same_for_published_vectors(name):
    path = DATA / "vectors" / name
    if not path.exists():
        pytest.skip(f"needs real data: {path} is absent; set FIRTH_DATA")
    our = firth.load(path, limit=5000)
    their = theirs(list(our.index_to_key), np.array(our.vectors))
    # Every eighth question: gensim takes a minute for all of them.
    questions = DATA / "eval" / "questions-words.txt"
    lines = questions.read_text().splitlines()
    some = [line for i, line in enumerate(lines) if line.startswith(":") or i % 8 == 0]
    fewer = Path(os.environ["TMPDIR"]) / "some.txt"
    fewer.write_text("\n".join(some) + "\n")
    assert our.evaluate_word_analogies(fewer) == their.evaluate_word_analogies(str(fewer))
    for options in SETTINGS:
        for set_ in ("EN-MEN-TR-3k", "EN-SIMLEX-999", "EN-WS-353-ALL"):
            file = DATA / "eval" / "similarity" / f"{set_}.txt"
            expected = their.evaluate_word_pairs(str(file), **options)
            found = our.evaluate_word_pairs(file, **options)
            for ours, theirs_ in zip(found[:2], expected[:2], strict=True):
                assert tuple(ours) == pytest.approx(tuple(theirs_), abs=5e-7)
            assert found[2] == pytest.approx(expected[2])

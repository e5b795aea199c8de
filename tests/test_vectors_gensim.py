"""The questions of gensim's KeyedVectors, beside gensim where it is installed.

Where it is not, what can be worked out by hand is held.
"""

import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from firth import KeyedVectors, Vocab
from firth.errors import MissingExtraError, ParameterError, WordNotFoundError

DATA = Path(os.environ.get("FIRTH_DATA", Path(__file__).parents[2] / "shared" / "data"))
WORDS = ["king", "queen", "man", "woman", "prince", "apple", "pear", "fruit", "computer", "office"]
COUNTS = [50, 40, 40, 30, 20, 10, 9, 8, 7, 6]


def some_vectors(dtype=np.float32):
    rng = np.random.default_rng(7)
    return rng.standard_normal((len(WORDS), 8)).astype(dtype)


@pytest.fixture
def wv():
    return KeyedVectors(Vocab.from_words(WORDS, COUNTS), some_vectors())


@pytest.fixture
def theirs(recwarn):
    gensim = pytest.importorskip(
        "gensim", reason="gensim is not installed: nothing to compare with"
    )
    made = gensim.models.KeyedVectors(8)
    made.add_vectors(WORDS, some_vectors())
    for word, count in zip(WORDS, COUNTS, strict=True):
        made.set_vecattr(word, "count", count)
    return made


def same_neighbours(ours, theirs):
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    assert [s for _, s in ours] == pytest.approx([s for _, s in theirs], abs=2e-6)


# --- beside gensim --------------------------------------------------------------------------------

QUESTIONS = [
    ("most_similar", {"positive": ["woman", "king"], "negative": ["man"]}),
    ("most_similar", {"positive": "king", "topn": 3}),
    ("most_similar", {"positive": [("king", 2.0), ("man", -0.5)], "negative": [("pear", -0.3)]}),
    ("most_similar", {"positive": ["king", 3], "clip_start": 2, "clip_end": 8}),
    ("most_similar", {"positive": ["king"], "clip_start": 3, "restrict_vocab": 4}),
    ("most_similar", {"positive": [some_vectors()[0], "man"], "topn": 99}),
    ("most_similar", {"positive": some_vectors()[:3], "negative": some_vectors()[4]}),
    ("most_similar", {"negative": ["king"]}),
    ("most_similar", {"positive": ["king"], "topn": 0}),
    ("most_similar_cosmul", {"positive": ["woman", "king"], "negative": ["man"]}),
    ("most_similar_cosmul", {"positive": "king", "negative": "man", "topn": 2}),
    ("most_similar_cosmul", {"positive": ["king", some_vectors()[1]]}),
    ("similar_by_word", {"word": "king", "topn": 4}),
    ("similar_by_key", {"key": "king", "restrict_vocab": 5}),
    ("similar_by_vector", {"vector": some_vectors()[2], "topn": 4}),
]


@pytest.mark.parametrize(("name", "arguments"), QUESTIONS)
def test_neighbours_are_gensims(wv, theirs, name, arguments):
    same_neighbours(getattr(wv, name)(**arguments), getattr(theirs, name)(**arguments))


NUMBERS = [
    ("similarity", ("king", "queen")),
    ("similarity", ("king", 3)),
    ("distance", ("king", "queen")),
    ("distances", ("king",)),
    ("distances", ("king", ["man", "pear"])),
    ("distances", (some_vectors()[0], ["man", 5])),
    ("n_similarity", (["king", "queen"], ["man", "woman", "apple"])),
    ("rank", ("king", "pear")),
    ("relative_cosine_similarity", ("king", "queen", 3)),
    ("relative_cosine_similarity", ("king", "queen")),
    ("cosine_similarities", (some_vectors()[0], some_vectors()[1:])),
    ("get_mean_vector", (["king", "nobody", some_vectors()[4]], [1.0, 3.0, -2.0], True, True)),
    ("get_mean_vector", (["king", 4], None, False)),
    ("get_normed_vectors", ()),
    ("get_vector", ("pear", True)),
    ("get_vecattr", ("pear", "count")),
    ("wmdistance", (["king", "man", "man"], ["queen", "apple", "king", "nobody"])),
    ("wmdistance", (["king", "man"], ["queen", "apple", "pear"], False)),
    ("wmdistance", (["king"], ["king", "king"])),
    ("wmdistance", (["king"], ["nobody"])),
]


@pytest.mark.parametrize(("name", "arguments"), NUMBERS)
def test_numbers_are_gensims(wv, theirs, name, arguments):
    if name == "wmdistance":
        pytest.importorskip("ot", reason="POT is not installed (the extra wmd)")
    ours, right = getattr(wv, name)(*arguments), getattr(theirs, name)(*arguments)
    assert ours == pytest.approx(right, abs=2e-6)
    assert np.shape(ours) == np.shape(right)


WORDS_ASKED = [
    ("doesnt_match", (["king", "queen", "apple", "pear"],)),
    ("closer_than", ("king", "pear")),
    ("most_similar_to_given", ("king", ["pear", "queen", "man"])),
]


@pytest.mark.parametrize(("name", "arguments"), WORDS_ASKED)
def test_words_are_gensims(wv, theirs, name, arguments):
    assert getattr(wv, name)(*arguments) == getattr(theirs, name)(*arguments)


def test_all_scores_are_gensims(wv, theirs):
    for name, arguments in (
        ("most_similar", {"positive": ["woman", "king"], "negative": ["man"], "topn": None}),
        ("most_similar", {"positive": "king", "topn": None, "clip_start": 2, "clip_end": 5}),
        ("most_similar_cosmul", {"positive": ["woman", "king"], "negative": "man", "topn": None}),
    ):
        ours, right = getattr(wv, name)(**arguments), getattr(theirs, name)(**arguments)
        assert ours == pytest.approx(right, rel=1e-5)
    for use_norm in (True, False):
        ours = wv.rank_by_centrality(WORDS[:6], use_norm)
        right = theirs.rank_by_centrality(WORDS[:6], use_norm)
        assert [word for _, word in ours] == [word for _, word in right]
        assert [s for s, _ in ours] == pytest.approx([float(s) for s, _ in right], abs=2e-6)


def test_changes_are_gensims(wv, theirs):
    new = np.arange(16, dtype=np.float32).reshape(2, 8)
    for each in (wv, theirs):
        each.add_vectors(["king", "ring"], new)  # what is there keeps its vector
        each.add_vectors(["queen", "rose"], new[::-1], replace=True)
        each["man"] = new[1]
        each[["woman", "tulip"]] = new
        each.set_vecattr("ring", "count", 45)
        each.set_vecattr("king", "weight", 0.5)
    theirs.fill_norms(force=True)
    assert list(wv.index_to_key) == theirs.index_to_key
    assert np.array_equal(wv.vectors, theirs.vectors)
    assert wv.get_vecattr("ring", "count") == theirs.get_vecattr("ring", "count") == 45
    assert wv.get_vecattr("king", "weight") == theirs.get_vecattr("king", "weight") == 0.5
    assert wv.get_vecattr("pear", "weight") == theirs.get_vecattr("pear", "weight") == 0
    same_neighbours(wv.most_similar("pear", topn=5), theirs.most_similar("pear", topn=5))
    wv.unit_normalize_all()
    theirs.unit_normalize_all()
    assert wv.vectors == pytest.approx(theirs.vectors, abs=1e-6)


def test_sorting_is_gensims(wv, theirs):
    for each in (wv, theirs):
        each.set_vecattr("office", "count", 45)
        each.set_vecattr("fruit", "count", 100)
        each.set_vecattr("queen", "count", 41)  # gensim turns words of equal count around
        each.sort_by_descending_frequency()
    assert list(wv.index_to_key) == theirs.index_to_key
    assert np.array_equal(wv.vectors, theirs.vectors)
    assert [wv.get_vecattr(w, "count") for w in WORDS] == [
        theirs.get_vecattr(w, "count") for w in WORDS
    ]


def test_vectors_of_a_corpus_are_gensims(wv, theirs):
    words = ["pear", "nobody", "king", "pear"]
    for arguments in ({}, {"copy_vecattrs": True}):
        ours, right = (each.vectors_for_all(words, **arguments) for each in (wv, theirs))
        assert list(ours.index_to_key) == right.index_to_key == ["pear", "king"]
        assert np.array_equal(ours.vectors, right.vectors)
    assert ours.get_vecattr("pear", "count") == right.get_vecattr("pear", "count") == 9


def test_files_that_both_write(wv, theirs, tmp_path):
    wv.save_word2vec_format(tmp_path / "ours.txt", tmp_path / "ours.vocab")
    theirs.save_word2vec_format(str(tmp_path / "theirs.txt"), str(tmp_path / "theirs.vocab"))
    assert (tmp_path / "ours.vocab").read_text() == (tmp_path / "theirs.vocab").read_text()
    ours = KeyedVectors.load_word2vec_format(tmp_path / "theirs.txt", tmp_path / "theirs.vocab")
    right = type(theirs).load_word2vec_format(
        str(tmp_path / "ours.txt"), str(tmp_path / "ours.vocab")
    )
    assert list(ours.index_to_key) == right.index_to_key == WORDS
    assert np.array_equal(ours.vectors, right.vectors)
    assert ours.get_vecattr("pear", "count") == right.get_vecattr("pear", "count") == 9


def test_an_indexer_is_asked_as_gensim_asks_it(wv, theirs):
    class Indexer:
        def most_similar(self, vector, num_neighbors):
            self.asked = vector, num_neighbors
            return [("queen", 1.0)]

    asked = []
    for each in (wv, theirs):
        indexer = Indexer()
        assert each.most_similar(["king", "man"], topn=3, indexer=indexer) == [("queen", 1.0)]
        asked.append(indexer.asked)
    assert asked[0][0] == pytest.approx(asked[1][0], abs=1e-6)
    assert asked[0][1] == asked[1][1] == 3


# --- by hand --------------------------------------------------------------------------------------


@pytest.fixture
def plain():
    """Vectors whose cosines can be seen: at 0, 30, 60, 90 and 180 degrees, of several lengths."""
    angles = np.radians([0, 30, 60, 90, 180])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[1], [2], [3], [4], [5]]
    return KeyedVectors(Vocab.from_words(["a", "b", "c", "d", "e"]), rows.astype(np.float32))


def test_the_documented_examples_of_gensim_run(wv):
    """Those of the module `gensim.models.keyedvectors`, with vectors that need no download."""
    word_vectors = wv
    result = word_vectors.most_similar(positive=["woman", "king"], negative=["man"])
    most_similar_key, similarity = result[0]
    assert f"{most_similar_key}: {similarity:.4f}" == "apple: 0.6144"
    result = word_vectors.most_similar_cosmul(positive=["woman", "king"], negative=["man"])
    most_similar_key, similarity = result[0]
    assert f"{most_similar_key}: {similarity:.4f}" == "apple: 0.8678"
    assert word_vectors.doesnt_match(["apple", "king", "pear", "fruit"]) in WORDS
    assert -1 <= word_vectors.similarity("woman", "man") <= 1
    most_similar_key, similarity = word_vectors.similar_by_word("king")[0]
    assert most_similar_key in WORDS
    assert f"{word_vectors.distance('king', 'king'):.1f}" in {"0.0", "-0.0"}
    similarity = word_vectors.n_similarity(["apple", "pear"], ["fruit", "office"])
    assert (
        f"{similarity:.4f}"
        == f"{word_vectors.n_similarity(['pear', 'apple'], ['office', 'fruit']):.4f}"
    )
    assert word_vectors["computer"].shape == (8,)
    assert word_vectors.get_vector("office", norm=True).shape == (8,)
    pytest.importorskip("ot", reason="POT is not installed (the extra wmd)")
    assert word_vectors.wmdistance(["king", "office", "man"], ["queen", "computer"]) > 0


def test_multiplied_similarities(plain):
    # (1 + cos) / 2 to a, over that to e; of b, the first: 0.9330 / 0.0670.
    right = {"b": (1 + np.sqrt(0.75)) / (1 - np.sqrt(0.75)), "c": 1.5 / 0.5, "d": 1.0}
    found = plain.most_similar_cosmul("a", "e")
    assert found.words == ["b", "c", "d"]
    assert found.scores == pytest.approx(list(right.values()), rel=1e-3)
    assert plain.most_similar_cosmul("a", topn=1) == [("b", pytest.approx(0.9330, abs=1e-4))]
    assert plain.most_similar_cosmul("a", restrict_vocab=1) == []
    assert plain.most_similar_cosmul("a", topn=0) == []
    assert plain.most_similar_cosmul("a", topn=None, restrict_vocab=3).shape == (3,)
    assert plain.most_similar_cosmul(["c", plain["a"]], topn=1)[0][0] == "b"
    with pytest.raises(ParameterError, match="nothing is positive"):
        plain.most_similar_cosmul(negative="a")
    with pytest.raises(ParameterError, match="knows no weights"):
        plain.most_similar_cosmul([("a", 0.5)])
    with pytest.raises(WordNotFoundError):
        plain.most_similar_cosmul("nobody")


def test_what_has_no_direction_multiplies_with_nothing():
    rows = np.array([[1, 0], [0, 0], [np.nan, 1], [1, 1]], np.float32)
    wv = KeyedVectors(Vocab.from_words(["a", "zero", "broken", "b"]), rows)
    assert wv.most_similar_cosmul("a").words == ["b"]
    assert wv.rows_without_direction.tolist() == [1, 2]


def test_the_nearest_of_some(plain):
    assert plain.most_similar_to_given("a", ["e", "d", "c"]) == "c"
    assert plain.most_similar_to_given("e", ["a", "d"]) == "d"
    with pytest.raises(ParameterError, match="keys_list is empty"):
        plain.most_similar_to_given("a", [])
    with pytest.raises(ParameterError, match="keys_list is the string"):
        plain.most_similar_to_given("a", "bc")


def test_cosines_of_arrays():
    cosines = KeyedVectors.cosine_similarities(
        np.array([2.0, 0]), np.array([[1, 0], [0, 0], [3, 3]])
    )
    assert cosines == pytest.approx([1, 0, np.sqrt(0.5)])
    with pytest.raises(
        ParameterError, match=r"vector_1 has the shape \(2,\) and vectors_all \(2,\)"
    ):
        KeyedVectors.cosine_similarities([1, 2], [1, 2])


def test_shares_of_cosines(plain):
    # The neighbours of a: b at cos 30°, c at cos 60°.
    right = 0.5 / (np.sqrt(0.75) + 0.5)
    assert plain.relative_cosine_similarity("a", "c", topn=2) == pytest.approx(right, rel=1e-5)
    with pytest.raises(ParameterError, match="'a' has no neighbours"):
        plain.relative_cosine_similarity("a", "b", topn=0)


def test_ranks_by_centrality(plain, caplog):
    ranked = plain.rank_by_centrality(["a", "b", "d", "nobody"])
    assert [word for _, word in ranked] == ["b", "a", "d"]
    assert ranked[0][0] == pytest.approx(np.cos(np.radians(8.79)), abs=1e-3)
    assert "nobody" in caplog.text
    # Not scaled, the longest one pulls.
    assert plain.rank_by_centrality(["a", "b", "c"], use_norm=False)[0][1] == "c"


def test_distances_of_documents(plain):
    pytest.importorskip("ot", reason="POT is not installed (the extra wmd)")
    # One word to one word travels the chord of the angle; two thirds stay where they are.
    assert plain.wmdistance(["a"], ["c"]) == pytest.approx(1.0, abs=1e-6)
    assert plain.wmdistance(["a", "c", "a"], ["a", "a", "a"]) == pytest.approx(1 / 3, abs=1e-6)
    assert plain.wmdistance(["a"], ["c"], norm=False) == pytest.approx(np.sqrt(7), abs=1e-5)
    assert plain.wmdistance(["a", "b"], ["b", "a"]) == pytest.approx(0, abs=1e-6)
    assert plain.wmdistance(["a"], ["nobody"]) == float("inf")
    # Other words of the same vector are no distance away; gensim says infinity.
    twins = KeyedVectors(Vocab.from_words(["x", "y"]), np.ones((2, 3), np.float32))
    assert twins.wmdistance(["x"], ["y"]) == 0
    with pytest.raises(ParameterError, match="document2 is the string"):
        plain.wmdistance(["a"], "a b")


def test_distances_of_documents_need_a_package(plain, monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(
        MissingExtraError, match=r"wmdistance needs the package 'POT'.*firth\[wmd\]"
    ):
        plain.wmdistance(["a"], ["b"])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("googlenews-8k-300d.bin.gz", {"binary": True}),
        ("glove.6B.50d.top5k.txt.gz", {"no_header": True}),
    ],
)
@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")  # gensim's own
def test_real_vectors_answer_as_gensims_do(tmp_path, name, options):
    gensim = pytest.importorskip("gensim", reason="gensim is not installed: nothing to compare to")
    path = DATA / "vectors" / name
    if not path.exists():
        pytest.skip(f"needs real data: {path} is absent; set FIRTH_DATA")
    ours = KeyedVectors.load_word2vec_format(path, **options)
    # gensim leaves files open that are compressed, or without a header.
    header = f"{len(ours)} {ours.vector_size}\n".encode() if "no_header" in options else b""
    unpacked = tmp_path / "vectors"
    unpacked.write_bytes(header + gzip.decompress(path.read_bytes()))
    theirs = gensim.models.KeyedVectors.load_word2vec_format(
        str(unpacked), binary="binary" in options
    )
    rows = np.random.default_rng(5).integers(0, len(ours), (25, 6))
    for a, b, c, *others in ([ours.index_to_key[row] for row in some] for some in rows):
        for ask in ("most_similar", "most_similar_cosmul"):
            same_neighbours(getattr(ours, ask)([a, b], [c]), getattr(theirs, ask)([a, b], [c]))
        assert ours.doesnt_match([a, b, c, *others]) == theirs.doesnt_match([a, b, c, *others])
        assert ours.rank(a, b) == theirs.rank(a, b)
        for ask, arguments in (
            ("similarity", (a, b)),
            ("n_similarity", ([a, b], [c, *others])),
            ("relative_cosine_similarity", (a, b)),
        ):
            right = getattr(theirs, ask)(*arguments)
            assert getattr(ours, ask)(*arguments) == pytest.approx(right, abs=1e-6)

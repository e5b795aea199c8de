import gzip
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from firth.errors import (
    FormatError,
    OutputError,
    ParameterError,
    SourceError,
    VocabularyError,
    WordNotFoundError,
)
from firth.storage import open_tensors, save_tensors, write_config, write_folder
from firth.vectors import KeyedVectors
from firth.vocab import Vocab

DATA = Path(os.environ.get("FIRTH_DATA", Path(__file__).parents[2] / "shared" / "data"))
WORDS = ["king", "queen", "man", "woman", "apple", "zero", "broken"]
MATRIX = np.array(
    [[5, 1, 0], [5, -1, 0.1], [2, 1, 0], [2, -1, 0.2], [0, 0.2, 3], [0, 0, 0], [np.nan, 1, 1]],
    np.float32,
)


@pytest.fixture
def wv():
    return KeyedVectors(Vocab.from_words(WORDS, [9, 8, 7, 6, 5, 4, 3]), MATRIX)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


# --- looking up -----------------------------------------------------------------------------------


def test_sizes_and_words(wv):
    assert len(wv) == 7
    assert wv.vector_size == 3
    assert repr(wv) == "KeyedVectors(7 words, vector_size=3)"
    assert wv.index_to_key == WORDS
    assert wv.index_to_key[2] == "man"
    assert wv.key_to_index["man"] == 2
    assert dict(wv.key_to_index) == {word: row for row, word in enumerate(WORDS)}
    assert len(wv.key_to_index) == 7
    assert "man" in wv.key_to_index
    assert "men" not in wv.key_to_index
    assert "7 words" in repr(wv.key_to_index)
    assert "man" in wv
    assert "men" not in wv
    assert 6 in wv
    assert 7 not in wv
    assert None not in wv
    assert wv.has_index_for("king")


def test_vectors_by_word_row_and_list(wv):
    assert (wv["man"] == MATRIX[2]).all()
    assert (wv[2] == MATRIX[2]).all()
    assert wv[["man", 0]].shape == (2, 3)
    assert wv[[]].shape == (0, 3)
    assert np.array_equal(wv.vectors, MATRIX, equal_nan=True)
    assert wv.get_vector("king", norm=True) == pytest.approx(MATRIX[0] / np.sqrt(26))
    assert wv.get_vector("zero", norm=True).tolist() == [0, 0, 0]
    assert wv.get_index("man") == 2
    assert wv.get_index(np.int64(2)) == 2
    assert wv.get_index("men", default=-1) == -1
    assert wv.norms[:2] == pytest.approx([np.sqrt(26), np.sqrt(26.01)])


def test_what_is_handed_out_cannot_be_changed(wv):
    for array in (wv["man"], wv.vectors, wv.get_vector("man", norm=True)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    matrix = MATRIX.copy()
    KeyedVectors(wv.vocab, matrix)
    assert matrix.flags.writeable


def test_missing_words_raise_key_errors_with_near_spellings(wv):
    for ask in (
        lambda: wv["quene"],
        lambda: wv[["king", "quene"]],
        lambda: wv.get_index("quene"),
        lambda: wv.most_similar("quene"),
        lambda: wv.most_similar_many(["king", "quene"]),
        lambda: wv.similarity("king", "quene"),
        lambda: wv.key_to_index["quene"],
    ):
        with pytest.raises(KeyError, match=r"'quene' is not among the 7 words; near .* queen"):
            ask()
    with pytest.raises(WordNotFoundError, match="a word is a string, not int 7"):
        wv[7]


def test_counts(wv):
    assert wv.get_vecattr("king", "count") == 9
    with pytest.raises(ParameterError, match="no attribute 'sample_int'"):
        wv.get_vecattr("king", "sample_int")
    with pytest.raises(VocabularyError, match="come without counts"):
        KeyedVectors(Vocab.from_words(WORDS), MATRIX).get_vecattr("king", "count")


def test_normed_vectors(wv):
    normed = wv.get_normed_vectors()
    assert np.linalg.norm(normed[:5], axis=1) == pytest.approx(np.ones(5))
    assert normed[5].tolist() == [0, 0, 0]


def test_mean_vector(wv):
    king, man = MATRIX[0], MATRIX[2]
    mean = wv.get_mean_vector(["king", man, "nobody"], [1, -3, 9], pre_normalize=False)
    assert mean == pytest.approx((king - 3 * man) / 4)
    mean = wv.get_mean_vector(["king", "man"], post_normalize=True)
    right = king / np.linalg.norm(king) + man / np.linalg.norm(man)
    assert mean == pytest.approx(right / np.linalg.norm(right))
    assert wv.get_mean_vector(["nobody"]).tolist() == [0, 0, 0]
    with pytest.raises(WordNotFoundError):
        wv.get_mean_vector(["nobody"], ignore_missing=False)
    with pytest.raises(ParameterError, match="keys is empty"):
        wv.get_mean_vector([])
    with pytest.raises(ParameterError, match=r"2 keys, but weights has the shape .3,."):
        wv.get_mean_vector(["king", "man"], [1, 2, 3])
    with pytest.raises(ParameterError, match="keys is the string 'king'"):
        wv.get_mean_vector("king")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vectors": MATRIX[:3]}, "3 rows for 7 words"),
        ({"vectors": MATRIX[0]}, "must be a matrix of numbers"),
        ({"vectors": MATRIX[:, :0]}, "must be a matrix of numbers"),
        ({"vectors": MATRIX.astype(str)}, "must be a matrix of numbers"),
        ({"norms": np.ones(3, np.float32)}, "norms is float32 of shape .3,."),
        ({"vocab": WORDS}, "vocab is list, not a Vocab"),
    ],
)
def test_parts_that_do_not_fit(arguments, message):
    with pytest.raises(ParameterError, match=message):
        KeyedVectors(**({"vocab": Vocab.from_words(WORDS), "vectors": MATRIX} | arguments))


def test_other_types_of_numbers_are_converted():
    wv = KeyedVectors(Vocab.from_words(["a", "b"]), np.array([[1, 2], [3, 4]]).T)
    assert wv.vectors.dtype == np.float32
    assert wv["b"].tolist() == [2, 4]


# --- asking ---------------------------------------------------------------------------------------


def test_neighbours_leave_out_the_words_asked_with(wv):
    assert [word for word, _ in wv.most_similar("king")] == ["man", "queen", "woman", "apple"]
    assert wv.most_similar("king", topn=1) == [("man", pytest.approx(cosine(MATRIX[0], MATRIX[2])))]
    # The vector of a word is no word: the word itself comes first.
    assert wv.most_similar(wv["king"], topn=1)[0][0] == "king"
    assert wv.similar_by_vector(wv["king"], topn=1)[0][0] == "king"
    assert wv.similar_by_word("king", 2) == wv.similar_by_key("king", 2)


def test_analogies_and_weights(wv):
    assert wv.most_similar(positive=["woman", "king"], negative=["man"], topn=1)[0][0] == "queen"
    plain = wv.most_similar(["woman", "king"], "man")
    assert wv.most_similar([("woman", 1), ("king", 1.0), ("man", -1)]) == plain
    # As in gensim, a pair's own weight stands in place of the sign of its side.
    assert wv.most_similar(["woman", "king"], [("man", -1.0)]) == plain
    assert wv.most_similar(("king", 2.0)) == wv.most_similar("king")
    assert wv.most_similar(wv[["king", "man"]], topn=5) == wv.most_similar([wv[0], wv[2]], topn=5)


def test_ranges_of_rows(wv):
    assert [word for word, _ in wv.most_similar("king", restrict_vocab=2)] == ["queen"]
    found = [word for word, _ in wv.most_similar("king", clip_start=1, clip_end=4)]
    assert found == ["man", "queen", "woman"]
    assert wv.most_similar("king", clip_start=5, clip_end=2) == []
    assert wv.most_similar("king", topn=None, clip_start=1, clip_end=4).shape == (3,)
    for name in ("clip_start", "restrict_vocab"):
        with pytest.raises(ParameterError, match=f"{name} must be 0 or more, not -1"):
            wv.most_similar("king", **{name: -1})


def test_all_similarities(wv):
    similarities = wv.most_similar("king", topn=None)
    assert similarities[:5] == pytest.approx([cosine(MATRIX[0], row) for row in MATRIX[:5]])
    assert similarities[5] == 0
    assert np.isnan(similarities[6])
    assert wv.distances("king")[:6] == pytest.approx(1 - similarities[:6])


def test_rows_without_a_direction_are_never_found(wv):
    for word in WORDS:
        assert {"zero", "broken"}.isdisjoint(found for found, _ in wv.most_similar(word, topn=99))
    assert wv.most_similar("zero") == []
    assert wv.most_similar("broken") == []
    assert wv.similarity("zero", "king") == 0
    assert np.isnan(wv.similarity("broken", "king"))
    assert wv.most_similar_many(["zero", "king"], topn=1) == [[], wv.most_similar("king", topn=1)]


def test_topn(wv):
    assert wv.most_similar("king", topn=0) == []
    assert wv.most_similar("king", topn=-1) == []
    assert len(wv.most_similar("king", topn=np.int64(2))) == 2
    for topn in (2.0, "2", True):
        with pytest.raises(ParameterError, match="topn must be a whole number"):
            wv.most_similar("king", topn=topn)


@pytest.mark.parametrize(
    ("positive", "message"),
    [
        (None, "nothing to ask with"),
        ([], "nothing to ask with"),
        ([None], "positive has NoneType None; each must be a word"),
        ([1.5], "positive has float 1.5"),
        ([["king"]], "positive has list"),
        ([("king", "man")], "positive has tuple"),
        (3.5, "positive is float 3.5"),
        (np.ones(4), r"a vector of shape \(4,\) was given; these have \(3,\)"),
    ],
)
def test_what_is_no_question(wv, positive, message):
    with pytest.raises(ParameterError, match=message):
        wv.most_similar(positive)


def test_many_questions_are_one_after_the_other(wv):
    questions = ["king", 2, wv["apple"], (["woman", "king"], ["man"]), ("king", None), ([], "man")]
    one_by_one = [wv.most_similar(q) for q in questions[:3]]
    one_by_one += [wv.most_similar(p, n) for p, n in questions[3:]]
    many = wv.most_similar_many(iter(questions))
    assert [[word for word, _ in found] for found in many] == [
        [word for word, _ in found] for found in one_by_one
    ]
    for found, expected in zip(many, one_by_one, strict=True):
        assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=1e-6)
    assert wv.most_similar_many(MATRIX[:2], topn=1) == [
        wv.most_similar(row, topn=1) for row in MATRIX[:2]
    ]
    assert wv.most_similar_many([]) == []


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ("king", "questions is the string 'king'; give a list of words"),
        ([["king"]], "list .'king'. is no question; give a word, a vector"),
        ([("king", 2.0)], "is no question"),
        ([("a", "b", "c")], "is no question"),
        ([1.5], "float 1.5 is no question"),
    ],
)
def test_what_is_no_list_of_questions(wv, questions, message):
    with pytest.raises(ParameterError, match=message):
        wv.most_similar_many(questions)


def test_similarities_and_distances(wv):
    assert wv.similarity("king", "queen") == pytest.approx(cosine(MATRIX[0], MATRIX[1]))
    assert isinstance(wv.similarity("king", "queen"), float)
    assert wv.distance("king", "queen") == pytest.approx(1 - cosine(MATRIX[0], MATRIX[1]))
    right = [1 - cosine(MATRIX[0], MATRIX[1]), 0]
    assert wv.distances("king", ["queen", "king"]) == pytest.approx(right, abs=1e-6)
    assert wv.distances(MATRIX[0], ("queen", "king")) == pytest.approx(right, abs=1e-6)
    with pytest.raises(ParameterError, match="other_words is the string 'queen'"):
        wv.distances("king", "queen")
    mean = MATRIX[0] + MATRIX[1]
    assert wv.n_similarity(["king", "queen"], ["man"]) == pytest.approx(cosine(mean, MATRIX[2]))
    with pytest.raises(ParameterError, match="keys is empty"):
        wv.n_similarity(["king"], [])


def test_ranks(wv):
    assert wv.closer_than("king", "woman") == ["queen", "man"]
    assert wv.rank("king", "woman") == 3
    assert wv.rank("king", "man") == 1


def test_odd_one_out(wv, caplog):
    assert wv.doesnt_match(["king", "apple", "queen"]) == "apple"
    assert wv.doesnt_match(["king", "queen", "broken"]) == "broken"
    assert wv.doesnt_match(w for w in ("king", "nobody")) == "king"
    assert "nobody" in caplog.text
    with pytest.raises(ParameterError, match="none of the words has a vector"):
        wv.doesnt_match(["nobody"])
    with pytest.raises(ParameterError, match=re.escape("words=['king', 'queen']")):
        wv.doesnt_match("king queen")


# --- keeping --------------------------------------------------------------------------------------


def test_a_saved_model_comes_back(wv, tmp_path):
    wv.save(tmp_path / "m", extra_config={"algorithm": "by hand", "epochs": 3})
    loaded = KeyedVectors.load(tmp_path / "m")
    assert loaded.vocab == wv.vocab
    assert np.array_equal(loaded.vectors, MATRIX, equal_nan=True)
    assert loaded.most_similar("king") == wv.most_similar("king")
    assert loaded.get_vecattr("king", "count") == 9
    assert not loaded.vectors.flags.writeable
    assert loaded.config["algorithm"] == "by hand"
    assert loaded.config["n_words"] == 7
    config = json.loads((tmp_path / "m/config.json").read_text())
    assert config["kind"] == "keyed_vectors"
    # Saving where it came from is safe, and keeps how it was made.
    loaded.save(tmp_path / "m", extra_config={"epochs": 4})
    again = KeyedVectors.load(tmp_path / "m")
    assert again.config["algorithm"] == "by hand"
    assert again.config["epochs"] == 4
    assert np.array_equal(loaded.vectors, again.vectors, equal_nan=True)
    assert Vocab.load(tmp_path / "m") == wv.vocab


def test_save_refuses(wv, tmp_path):
    with pytest.raises(ParameterError, match=r"extra_config has .'kind'., which the format uses"):
        wv.save(tmp_path / "m", extra_config={"kind": "x"})
    (tmp_path / "f").touch()
    with pytest.raises(OutputError, match="this is a file"):
        wv.save(tmp_path / "f")


def test_norms_are_made_where_there_are_none(wv, tmp_path):
    wv.save(tmp_path / "m")
    path = tmp_path / "m/vectors.safetensors"
    save_tensors(path, {"vectors": open_tensors(path)["vectors"]})
    assert KeyedVectors.load(tmp_path / "m").most_similar("king") == wv.most_similar("king")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"matrix": MATRIX}, "no matrix .vectors. of float32 or float16"),
        ({"vectors": MATRIX.astype(np.float64)}, "no matrix .vectors. of float32 or float16"),
        ({"vectors": MATRIX[0]}, "no matrix .vectors. of float32 or float16"),
        ({"vectors": MATRIX[:3]}, "shape .3, 3. for the 7 words .* do not belong together"),
        ({"vectors": MATRIX, "norms": np.ones(3, np.float32)}, "norms of float32 and shape .3,."),
    ],
)
def test_matrices_that_do_not_fit_the_words(wv, tmp_path, tensors, message):
    wv.save(tmp_path / "m")
    save_tensors(tmp_path / "m/vectors.safetensors", tensors)
    with pytest.raises(FormatError, match=message) as caught:
        KeyedVectors.load(tmp_path / "m")
    assert "vectors.safetensors" in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "vectors.safetensors", "vocab.safetensors"])
def test_missing_cut_off_and_foreign_files(wv, tmp_path, name):
    wv.save(tmp_path / "good")
    for damage in (
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-5]),
        lambda path: path.write_bytes(path.read_bytes()[:9]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x80\x04pickle" * 30),
    ):
        shutil.rmtree(tmp_path / "bad", ignore_errors=True)
        shutil.copytree(tmp_path / "good", tmp_path / "bad")
        damage(tmp_path / "bad" / name)
        with pytest.raises(FormatError, match=re.escape(name)):
            KeyedVectors.load(tmp_path / "bad")


def test_folders_that_are_no_model(tmp_path):
    with pytest.raises(SourceError, match="none: no such file"):
        KeyedVectors.load(tmp_path / "none")
    with write_folder(tmp_path / "c") as folder:
        write_config(folder, "corpus")
    with pytest.raises(FormatError, match="of kind 'corpus', not 'keyed_vectors'"):
        KeyedVectors.load(tmp_path / "c")


# --- real vectors ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def glove():
    path = DATA / "vectors" / "glove.6B.50d.top5k.txt.gz"
    if not path.exists():
        pytest.skip(f"needs real data: {path} is absent; set FIRTH_DATA")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split(" ") for line in file]
    matrix = np.array([row[1:] for row in rows], np.float32)
    return KeyedVectors(Vocab.from_words(row[0] for row in rows), matrix)


def test_real_vectors_answer_as_gensim_does(glove):
    """The figures are those of gensim 4.4 on the same file."""
    assert glove.most_similar("king", topn=3) == [
        ("prince", pytest.approx(0.823618, abs=1e-5)),
        ("queen", pytest.approx(0.783904, abs=1e-5)),
        ("ii", pytest.approx(0.774623, abs=1e-5)),
    ]
    assert glove.most_similar(["woman", "king"], ["man"], topn=1) == [
        ("queen", pytest.approx(0.852360, abs=1e-5))
    ]
    assert glove.doesnt_match(["green", "blue", "red", "dog"]) == "dog"
    many = glove.most_similar_many(glove.index_to_key[:100], topn=5)
    for word, found in zip(glove.index_to_key, many, strict=False):
        expected = glove.most_similar(word, topn=5)
        assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=1e-6)

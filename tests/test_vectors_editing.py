"""Words and vectors that are changed."""

import numpy as np
import pytest

from fasttext_files import some_rows
from firth import FastText, KeyedVectors, Vocab, Word2Vec
from firth.errors import FormatError, ParameterError, VocabularyError, WordNotFoundError
from firth.storage import save_tensors
from firth.subwords import FastTextSubwords

WORDS = ["king", "queen", "man"]
MATRIX = np.array([[4, 1], [4, 2], [-1, 3]], np.float32)
KINDS = ["float32", "float16", "int8"]
TEXT = [["the", "king", "and", "the", "queen"], ["the", "man", "walks"]] * 20


@pytest.fixture
def wv():
    return KeyedVectors(Vocab.from_words(WORDS, [5, 9, 9]), MATRIX)


# --- from nothing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_begin_empty(kind):
    wv = KeyedVectors(2, dtype=kind)
    assert len(wv) == 0
    assert wv.vectors.shape == (0, 2)
    assert "king" not in wv
    assert wv.most_similar(np.array([1.0, 2.0])) == []
    assert wv.most_similar_many(np.ones((20, 2))).rows.shape == (20, 0)
    with pytest.raises(WordNotFoundError, match="nothing comes near"):
        wv["king"]
    wv.add_vectors(WORDS, MATRIX)
    assert wv.index_to_key == WORDS
    assert wv.dtype == kind
    assert wv.vectors == pytest.approx(MATRIX, abs=0.02)
    assert wv.most_similar("king", topn=1)[0][0] == "queen"


def test_gensims_ways_to_begin():
    for wv in (
        KeyedVectors(2, 100),
        KeyedVectors(2, count=100, dtype=np.float32),
        KeyedVectors(vector_size=2, count=100),
    ):
        assert wv.vector_size == 2
        assert len(wv) == 0
    for arguments in ({"vocab": 0}, {"vocab": 2, "vectors": -1}, {}, {"vector_size": "2"}):
        with pytest.raises(ParameterError, match=r"KeyedVectors\(100\)"):
            KeyedVectors(**arguments)
    with pytest.raises(ParameterError, match="dtype must be float32"):
        KeyedVectors(2, dtype="float64")


def test_nothing_is_not_saved(tmp_path):
    with pytest.raises(VocabularyError, match="no words to save"):
        KeyedVectors(2).save(tmp_path / "m")
    assert not (tmp_path / "m").exists()


# --- adding and replacing -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_words_join_behind_the_others(wv, kind):
    wv = wv.astype(kind)
    assert not wv.changed
    wv.norms  # noqa: B018 (made before: they must grow, too)
    assert [wv.add_vector(f"new{i}", [i, 1]) for i in range(100)] == list(range(3, 103))
    assert wv.add_vector("new7", [9, 9]) == 10  # keeps its vector
    assert wv.add_vector("king", [9, 9]) == 0
    assert wv.changed
    assert len(wv) == 103
    assert wv["new7"] == pytest.approx([7, 1], abs=0.03)
    assert wv["king"] == pytest.approx([4, 1], abs=0.02)
    assert wv.norms == pytest.approx(np.linalg.norm(wv.vectors, axis=1), rel=1e-3)
    assert wv.get_vecattr("king", "count") == 5
    assert wv.get_vecattr("new7", "count") == 0
    assert wv.most_similar("new99", topn=1)[0][1] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_item_assignment(wv, kind):
    wv = wv.astype(kind)
    assert wv.most_similar("king", topn=1)[0][0] == "queen"
    wv["man"] = [4.0, 1.01]
    assert wv.most_similar("king", topn=1)[0][0] == "man"
    wv[1] = np.array([0, 7])
    wv[["king", "prince"]] = [[7, 7], [8, 8]]
    assert wv.vectors == pytest.approx(np.array([[7, 7], [0, 7], [4, 1.01], [8, 8]]), abs=0.06)
    assert wv.norms == pytest.approx(np.linalg.norm(wv.vectors, axis=1), rel=1e-3)
    # Of a word that is given twice, the last counts.
    wv[["king", "king"]] = [[1, 1], [2, 2]]
    assert wv["king"] == pytest.approx([2, 2], abs=0.02)
    wv["king"] = [0, 0]
    assert wv.rows_without_direction.tolist() == [0]
    assert "king" not in wv.most_similar("man").words


def test_what_was_given_or_mapped_stays(wv, tmp_path):
    wv.save(tmp_path / "m")
    before = (tmp_path / "m/vectors.safetensors").read_bytes()
    matrix = MATRIX.copy()
    for each in (KeyedVectors(wv.vocab, matrix), KeyedVectors.load(tmp_path / "m")):
        handed_out = each.vectors
        each["king"] = [9, 9]
        each.unit_normalize_all()
        each.add_vector("prince", [1, 1])
        assert handed_out.tolist() == MATRIX.tolist()
    assert matrix.tolist() == MATRIX.tolist()
    assert (tmp_path / "m/vectors.safetensors").read_bytes() == before


def test_batches_with_words_given_twice_and_extras(wv):
    wv.add_vectors(
        ["a", "b", "a", "king"],
        np.arange(8).reshape(4, 2),
        extras={"count": np.array([1, 2, 3, 4]), "share": [0.5, 0.25, 1.0, 0.0]},
    )
    assert wv.index_to_key == [*WORDS, "a", "b"]
    assert wv["a"].tolist() == [0, 1]
    assert [wv.get_vecattr(word, "count") for word in ("a", "b", "king")] == [1, 2, 5]
    assert [wv.get_vecattr(word, "share") for word in ("a", "b", "king")] == [0.5, 0.25, 0]
    wv.add_vectors("c", [5, 5])  # one word, as gensim takes it
    assert wv["c"].tolist() == [5, 5]
    wv.add_vectors([], [])
    assert len(wv) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], [[1, 2, 3]]), r"shape \(1, 3\) for 1 words; give numbers of shape \(1, 2\)"),
        ((["a", "b"], [[1, 2]]), r"shape \(1, 2\) for 2 words"),
        ((["a", "b"], [[1, 2], [1]]), "for 2 words"),
        ((["a"], [["x", "y"]]), "vectors are <U1; give numbers"),
        ((["a"], [[1, 2]], {"count": [1, 2]}), r"extras\['count'\] has the shape \(2,\)"),
        (([1.5], [[1, 2]]), "a word is a string, not float 1.5"),
        ((["a", None], [[1, 2], [3, 4]]), "a word is a string, not NoneType None"),
        ((["a", 7], [[1, 2], [3, 4]]), "a word is a string, not int 7"),
        ((["a", "\ud800"], [[1, 2], [3, 4]]), "lone surrogate"),
    ],
)
def test_vectors_that_do_not_fit_change_nothing(wv, arguments, message):
    with pytest.raises((ParameterError, VocabularyError, WordNotFoundError), match=message):
        wv.add_vectors(*arguments)
    assert len(wv) == 3
    assert not wv.changed


def test_what_cannot_be_a_word_or_row(wv):
    with pytest.raises(WordNotFoundError):
        wv[3] = [1, 2]
    with pytest.raises(VocabularyError, match="lone surrogate"):
        wv["\ud800"] = [1, 2]
    assert len(wv) == 3


# --- attributes -----------------------------------------------------------------------------------


def test_attributes(wv, tmp_path):
    wv.set_vecattr("king", "level", 3)
    wv.set_vecattr("man", "level", np.int32(4))
    wv.set_vecattr("queen", "kind", "noun")
    wv.set_vecattr("king", "count", 50)
    assert wv.vocab.counts.tolist() == [50, 9, 9]
    wv.add_vector("prince", [1, 1])
    assert [wv.get_vecattr(word, "level") for word in wv.index_to_key] == [3, 0, 4, 0]
    assert wv.get_vecattr("queen", "kind") == "noun"
    assert wv.get_vecattr("prince", "kind") is None
    wv.sort_by_descending_frequency()
    assert wv.get_vecattr("queen", "kind") == "noun"
    with pytest.raises(ParameterError, match="level is int64 for the words that have it"):
        wv.set_vecattr("king", "level", "high")
    with pytest.raises(ParameterError, match="no attribute 'what'; words have: count, level, kind"):
        wv.get_vecattr("king", "what")
    for count in (-1, 2.5, "3"):
        with pytest.raises(ParameterError, match="count must be a whole number"):
            wv.set_vecattr("king", "count", count)
    wv.save(tmp_path / "m")
    loaded = KeyedVectors.load(tmp_path / "m")
    assert loaded.get_vecattr("man", "level") == 4
    loaded.set_vecattr("queen", "level", 7)  # it is mapped
    assert loaded.get_vecattr("queen", "level") == 7
    assert loaded.vectors_for_all(["queen"], copy_vecattrs=True).get_vecattr("queen", "level") == 7
    loaded.save(tmp_path / "m")
    assert KeyedVectors.load(tmp_path / "m").get_vecattr("queen", "level") == 7


def test_attributes_that_are_not_kept_are_told(wv, tmp_path, caplog):
    wv.set_vecattr("queen", "kind", "noun")
    wv.save(tmp_path / "m")
    assert "kind" in caplog.text
    with pytest.raises(ParameterError, match="no attribute 'kind'"):
        KeyedVectors.load(tmp_path / "m").get_vecattr("queen", "kind")


def test_attributes_of_other_words(wv, tmp_path):
    wv.set_vecattr("king", "level", 3)
    wv.save(tmp_path / "m")
    save_tensors(tmp_path / "m/attributes.safetensors", {"level": np.zeros(2, np.int64)})
    with pytest.raises(FormatError, match=r"attributes.safetensors: has 'level' of .* for 3 words"):
        KeyedVectors.load(tmp_path / "m")


# --- in place -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_of_one(kind):
    rows = np.array([[3, 4], [0, 0], [3e4, 4e4]], np.float32)
    wv = KeyedVectors(Vocab.from_words(list("abc")), rows).astype(kind)
    wv.unit_normalize_all()
    assert wv.vectors == pytest.approx(np.array([[0.6, 0.8], [0, 0], [0.6, 0.8]]), abs=0.004)
    assert wv.norms == pytest.approx([1, 0, 1], abs=0.004)
    assert wv.similarity("a", "c") == pytest.approx(1, abs=1e-3)


def test_order_by_count(wv):
    wv.sort_by_descending_frequency()
    assert wv.index_to_key == ["queen", "man", "king"]
    assert wv["man"].tolist() == [-1, 3]
    assert wv.get_vecattr("queen", "count") == 9
    assert wv.most_similar("king", topn=1)[0][0] == "queen"
    before = wv.vocab
    wv.sort_by_descending_frequency()
    assert wv.vocab is before
    KeyedVectors(2).sort_by_descending_frequency()


# --- with subwords and models ---------------------------------------------------------------------


def test_subwords_go_along(tmp_path):
    subwords = FastTextSubwords(some_rows(30, 8), 3, 4, word_rows=some_rows(3, 8, seed=1))
    wv = KeyedVectors(Vocab.from_words(WORDS, [5, 9, 9]), some_rows(3, 8), subwords=subwords)
    wv.sort_by_descending_frequency()
    assert (wv.vectors_vocab == subwords.word_rows[[1, 2, 0]]).all()
    unseen = wv["kings"]
    wv["kings"] = np.ones(8)
    assert wv.has_index_for("kings")
    assert (wv["kings"] == 1).all()
    assert (wv["queens"] == subwords.vectors(["queens"])[0]).all()
    with pytest.raises(AttributeError, match="no 'vectors_vocab'"):
        wv.vectors_vocab  # noqa: B018
    wv.save(tmp_path / "m")
    assert KeyedVectors.load(tmp_path / "m")["kings"].tolist() == [1] * 8
    made = wv.vectors_for_all(["kingss", "man", "kingss"])
    assert made.index_to_key == ["kingss", "man"]
    assert made.subwords is None
    assert unseen.shape == (8,)
    assert wv.vectors_for_all(["kingss", "man"], allow_inference=False).index_to_key == ["man"]


def test_vectors_for_all_of_nothing(wv):
    made = wv.vectors_for_all(["nobody"])
    assert len(made) == 0
    assert made.vector_size == 2
    with pytest.raises(ParameterError, match="keys is the string"):
        wv.vectors_for_all("king")
    assert wv.astype("int8").vectors_for_all(["man"]).dtype == np.int8


def test_a_model_trains_on_from_changed_vectors():
    model = Word2Vec(TEXT, vector_size=4, min_count=1, epochs=1, workers=1, sample=0)
    model.wv["king"] = np.full(4, 9.0)
    locks = np.ones(len(model.wv), np.float32)
    locks[model.wv.get_index("king")] = 0
    model.wv.vectors_lockf = locks
    model.train(TEXT, total_examples=len(TEXT), epochs=1)
    assert model.wv["king"].tolist() == [9] * 4


# --- vectors of a file ----------------------------------------------------------------------------


@pytest.mark.parametrize("binary", [False, True])
def test_vectors_of_a_file_take_the_place_of_ours(wv, tmp_path, binary):
    other = KeyedVectors(Vocab.from_words(["man", "ring", "king"]), MATRIX + 10)
    other.save_word2vec_format(tmp_path / "v", binary=binary)
    wv.intersect_word2vec_format(tmp_path / "v", lockf=0.25, binary=binary)
    assert wv.index_to_key == WORDS
    assert wv["king"].tolist() == [9, 13]
    assert wv["queen"].tolist() == [4, 2]
    assert wv["man"].tolist() == [14, 11]
    assert wv.vectors_lockf.tolist() == [0.25, 1, 0.25]
    assert wv.norms == pytest.approx(np.linalg.norm(wv.vectors, axis=1))


def test_files_that_do_not_intersect(wv, tmp_path):
    KeyedVectors(Vocab.from_words(["x"]), np.ones((1, 2), np.float32)).save_word2vec_format(
        tmp_path / "v"
    )
    with pytest.raises(ParameterError, match="has none of the 3 words"):
        wv.intersect_word2vec_format(tmp_path / "v")
    KeyedVectors(Vocab.from_words(["king"]), np.ones((1, 3), np.float32)).save_word2vec_format(
        tmp_path / "v"
    )
    with pytest.raises(ParameterError, match="vectors of size 3; these have 2"):
        wv.intersect_word2vec_format(tmp_path / "v")
    assert not wv.changed


def test_training_from_vectors_of_a_file(tmp_path):
    """gensim's way to start from what others trained."""
    words = ["king", "queen", "elsewhere"]
    KeyedVectors(Vocab.from_words(words), some_rows(3, 4)).save_word2vec_format(tmp_path / "v")
    model = Word2Vec(vector_size=4, min_count=1, workers=1, epochs=2, sample=0)
    model.build_vocab(TEXT)
    before = model.wv["walks"].copy()
    model.wv.intersect_word2vec_format(tmp_path / "v", lockf=0.0)
    model.train(TEXT, total_examples=model.corpus_count, epochs=2)
    assert (model.wv["king"] == some_rows(3, 4)[0]).all()
    assert (model.wv["queen"] == some_rows(3, 4)[1]).all()
    assert (model.wv["walks"] != before).any()


def test_words_that_join_a_model_are_refused_by_its_training():
    model = FastText(TEXT, vector_size=4, min_count=1, epochs=1, workers=1, bucket=50, sample=0)
    model.wv["prince"] = np.ones(4)
    with pytest.raises(ParameterError, match="wv must be KeyedVectors of shape"):
        model.train(TEXT, total_examples=len(TEXT), epochs=1)


# --- word2vec's format, the rest of gensim's parameters -------------------------------------------


def test_words_are_written_in_the_order_of_an_attribute(wv, tmp_path):
    def written(**options):
        wv.save_word2vec_format(tmp_path / "v.txt", **options)
        return [line.split(" ")[0] for line in (tmp_path / "v.txt").read_text().splitlines()[1:]]

    assert written() == ["queen", "man", "king"]  # by count
    assert written(prefix="*") == ["*queen", "*man", "*king"]
    wv.set_vecattr("man", "weight", 2.5)
    assert written(sort_attr="weight") == ["man", "king", "queen"]
    wv.save_word2vec_format(tmp_path / "v.txt", tmp_path / "v.vocab", sort_attr="weight")
    assert (tmp_path / "v.vocab").read_text() == "man 2.5\nking 0.0\nqueen 0.0\n"
    with pytest.raises(ParameterError, match="no attribute 'what'"):
        written(sort_attr="what")
    plain = KeyedVectors(Vocab.from_words(WORDS), MATRIX)
    plain.save_word2vec_format(tmp_path / "v.txt")
    assert list(KeyedVectors.load(tmp_path / "v.txt").index_to_key) == WORDS

import copy
import pickle
import shutil

import numpy as np
import pytest

import firth
from firth.errors import FormatError, OutputError, ParameterError
from firth.storage import save_tensors
from firth.vectors import KeyedVectors
from firth.vocab import Vocab

pytest.importorskip("usearch", reason="approximate search needs usearch: firth[index]")

# One thread: several make another graph each time, in which a row may be hard to reach.
QUIET = {"progress": False, "n_questions": 50, "workers": 1}


@pytest.fixture(scope="module")
def vectors():
    random = np.random.default_rng(1)
    centres = random.standard_normal((10, 8)) * 2
    return (centres[np.arange(600) % 10] + random.standard_normal((600, 8))).astype(np.float32)


@pytest.fixture
def wv(vectors):
    return KeyedVectors(Vocab.from_words([f"w{i}" for i in range(600)]), vectors)


def same(approximate, exact):
    assert [word for word, _ in approximate] == [word for word, _ in exact]
    np.testing.assert_allclose([s for _, s in approximate], [s for _, s in exact], atol=1e-6)


def test_most_similar_by_index(wv):
    assert wv.index is None
    index = wv.build_index(expansion_search=600, **QUIET)
    assert index is wv.index
    assert index.recall == 1
    for question in ("w3", ["w3", "w13"], ("w3", 0.5), wv["w3"]):
        same(wv.most_similar(question, topn=7, approximate=True), wv.most_similar(question, topn=7))
    same(
        wv.most_similar(["w1", "w2"], ["w3"], approximate=True),
        wv.most_similar(["w1", "w2"], ["w3"]),
    )
    questions = ["w5", (["w1", "w2"], "w3"), wv["w9"]]
    for mine, exact in zip(
        wv.most_similar_many(questions, 4, approximate=True),
        wv.most_similar_many(questions, 4),
        strict=True,
    ):
        same(mine, exact)
    assert wv.most_similar("w1", topn=0, approximate=True) == []
    assert len(wv.most_similar("w1", topn=10_000, approximate=True)) == 599


def test_what_an_index_cannot_answer(wv):
    with pytest.raises(ParameterError, match=r"there is none: call build_index\(\) first"):
        wv.most_similar("w1", approximate=True)
    wv.build_index(**QUIET)
    for options in (
        {"restrict_vocab": 5},
        {"clip_start": 1},
        {"clip_end": 9},
        {"among": ["w3"]},
        {"prefix": "w"},
    ):
        with pytest.raises(ParameterError, match="approximate=True looks among all words"):
            wv.most_similar("w1", approximate=True, **options)
        with pytest.raises(ParameterError, match="approximate=True looks among all words"):
            wv.most_similar_many(["w1"], approximate=True, **options)
    with pytest.raises(ParameterError, match="not both"):
        wv.most_similar("w1", indexer=wv, approximate=True)
    with pytest.raises(ParameterError, match="topn=None"):
        wv.most_similar("w1", topn=None, approximate=True)
    with pytest.raises(ParameterError, match="kind is 'annoy', which is none of rabitq, hnsw"):
        wv.build_index("annoy")


def test_an_index_is_saved_with_its_vectors(wv, tmp_path):
    wv.build_index("hnsw", dtype="int8", **QUIET)
    wv.save(tmp_path / "model")
    opened = firth.load(tmp_path / "model")
    assert opened.index.about == wv.index.about
    same(
        opened.most_similar("w3", approximate=True),
        wv.most_similar("w3", approximate=True),
    )
    opened.save(tmp_path / "model")  # where its own index is mapped from
    opened.save(tmp_path / "copy")
    assert firth.load(tmp_path / "copy").index.recall == wv.index.recall
    assert opened.most_similar("w3", approximate=True)


def test_an_index_is_added_to_the_folder_that_vectors_came_from(wv, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wv.save("model")
    opened = firth.load("model")
    assert opened.index is None
    with pytest.raises(ParameterError, match=r"no index to save; call build_index\(\) first"):
        opened.save_index()
    opened.build_index(**QUIET)
    monkeypatch.chdir(tmp_path.parent)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "model").iterdir()}
    opened.save_index()
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "model").iterdir()}
    assert after.pop("index.safetensors")
    assert after == before
    assert firth.load(tmp_path / "model").index.recall == opened.index.recall
    wv.save(tmp_path / "model")  # replaces the folder; these have no index
    assert firth.load(tmp_path / "model").index is None


def test_an_index_is_not_put_to_other_vectors(wv, vectors, tmp_path):
    wv.save(tmp_path / "model")
    opened = firth.load(tmp_path / "model")
    opened.build_index(**QUIET)
    KeyedVectors(wv.vocab, vectors * 2).save(tmp_path / "model")
    with pytest.raises(OutputError, match="the vectors there are not those that the index is of"):
        opened.save_index()
    shutil.rmtree(tmp_path / "model")
    with pytest.raises(OutputError, match="are not those"):
        opened.save_index()
    wv.build_index(**QUIET)
    with pytest.raises(ParameterError, match=r"not loaded from a folder of firth; save\(folder\)"):
        wv.save_index()


def test_the_index_of_other_vectors_is_refused(wv, vectors, tmp_path, caplog):
    wv.build_index(**QUIET)
    wv.save(tmp_path / "model")
    KeyedVectors(wv.vocab, vectors + 1).save(tmp_path / "other")
    shutil.copy(tmp_path / "model" / "index.safetensors", tmp_path / "other")
    other = firth.load(tmp_path / "other")
    with pytest.raises(FormatError, match=r"other.*: this is the index of another"):
        other.most_similar("w1", approximate=True)
    assert len(other.most_similar("w1")) == 10
    other.save(tmp_path / "saved")
    assert "the index is not kept with the vectors" in caplog.text
    assert not (tmp_path / "saved" / "index.safetensors").exists()
    other.build_index(**QUIET)
    other.save_index()
    assert firth.load(tmp_path / "other").most_similar("w1", approximate=True)


def test_a_damaged_index_is_refused_when_it_is_asked(wv, tmp_path):
    wv.save(tmp_path / "model")
    save_tensors(tmp_path / "model" / "index.safetensors", {"x": np.zeros(3, np.uint8)})
    opened = firth.load(tmp_path / "model")
    assert len(opened.most_similar("w1")) == 10
    with pytest.raises(FormatError, match="has no 'about', and so is no index"):
        opened.most_similar("w1", approximate=True)


def test_half_precision_and_rows_without_direction(vectors):
    vectors = vectors.astype(np.float16)
    vectors[3] = 0
    wv = KeyedVectors(Vocab.from_words([f"w{i}" for i in range(600)]), vectors)
    wv.build_index(expansion_search=600, **QUIET)
    same(wv.most_similar("w1", approximate=True), wv.most_similar("w1"))
    assert wv.most_similar("w3", approximate=True) == []
    assert "w3" not in dict(wv.most_similar("w13", topn=600, approximate=True))


def test_an_index_does_not_outlive_a_change(wv, vectors, tmp_path):
    wv.build_index(**QUIET)
    wv.save(tmp_path / "model")
    for change in (
        lambda wv: wv.add_vector("new", vectors[1]),
        lambda wv: wv.__setitem__("w1", vectors[2]),
        lambda wv: wv.unit_normalize_all(),
    ):
        opened = firth.load(tmp_path / "model")
        assert opened.index is not None
        change(opened)
        assert opened.index is None
        with pytest.raises(ParameterError, match="there is none"):
            opened.most_similar("w1", approximate=True)
        opened.build_index(expansion_search=600, **QUIET)
        same(opened.most_similar("w1", approximate=True), opened.most_similar("w1"))
        with pytest.raises(OutputError, match="are not those that the index is of"):
            opened.save_index()
    opened.set_vecattr("w1", "count", 3)
    assert opened.index is not None


def test_bytes_are_indexed_too(wv, tmp_path):
    wv = wv.astype("int8")
    wv.build_index(expansion_search=600, **QUIET)
    wv.save(tmp_path / "model")
    opened = firth.load(tmp_path / "model")
    assert opened.index.about == wv.index.about
    for each in (wv, opened):
        same(each.most_similar("w1", approximate=True), wv.most_similar("w1"))


def test_vectors_travel_without_their_index(wv, tmp_path):
    wv.build_index(**QUIET)
    assert pickle.loads(pickle.dumps(wv)).index is None
    wv.save(tmp_path / "model")
    opened = firth.load(tmp_path / "model")
    assert opened.index.about == copy.deepcopy(opened).index.about

"""What gensim saved: files that gensim wrote where it is installed, and old ones made by hand."""

import collections
import gzip
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest

from firth.errors import FormatError, ParameterError
from firth.formats import FORMATS, VectorSource, read_vectors

WORDS = ["the", "king", "über", "new york"]
VECTORS = np.arange(8, dtype=np.float32).reshape(4, 2)
COUNTS = [9, 5, 2, 1]


@pytest.fixture
def saved(monkeypatch, tmp_path):
    """Pickle objects of classes that look like gensim's, as its `save` does."""

    def save(name, kind, fields, protocol=4, separate=(), prefix=""):
        path = tmp_path / name
        made = make(kind, fields, separate, path, prefix)
        path.write_bytes(pickle.dumps(made, protocol))
        return path

    def make(kind, fields, separate=(), path=None, prefix=""):
        module, _, name = kind.rpartition(".")
        for part in range(module.count(".") + 1):
            parent = ".".join(module.split(".")[: part + 1])
            if parent not in sys.modules or not hasattr(sys.modules[parent], "made_here"):
                stand_in = type(sys)(parent)
                stand_in.made_here = True
                monkeypatch.setitem(sys.modules, parent, stand_in)
        if not hasattr(sys.modules[module], name):
            setattr(sys.modules[module], name, type(name, (), {"__module__": module}))
        thing = getattr(sys.modules[module], name)()
        thing.__dict__.update(fields)
        for field in separate:
            array = thing.__dict__.pop(field)
            thing.__dict__.setdefault("__numpys", []).append(field)
            file = f"{path}.{prefix}{field}"
            if str(path).endswith((".gz", ".bz2")):
                np.savez_compressed(f"{file}.npz", val=array)
            else:
                np.save(f"{file}.npy", array)
        return thing

    save.make = make
    return save


def keyed_vectors():
    return {
        "vector_size": 2,
        "index_to_key": list(WORDS),
        "key_to_index": {word: i for i, word in enumerate(WORDS)},
        "vectors": VECTORS,
        "norms": None,
        "expandos": {"count": np.array(COUNTS)},
        "__numpys": [],
        "__recursive_saveloads": [],
    }


def check(table, counts=COUNTS):
    assert list(table.vocab) == WORDS
    assert table.vocab.counts.tolist() == counts
    assert table.vectors.tolist() == VECTORS.tolist()
    assert table.report.format == "gensim"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_keyed_vectors_of_gensim_4(saved, protocol):
    path = saved("v.kv", "gensim.models.keyedvectors.KeyedVectors", keyed_vectors(), protocol)
    check(read_vectors(path))


def test_large_arrays_lie_beside_and_are_mapped(saved):
    kind = "gensim.models.keyedvectors.KeyedVectors"
    path = saved("v.kv", kind, keyed_vectors(), separate=["vectors"])
    table = read_vectors(path)
    check(table)
    assert not table.vectors.flags.owndata
    assert not table.vectors.flags.writeable


def test_a_missing_array_is_named(saved, tmp_path):
    kind = "gensim.models.keyedvectors.KeyedVectors"
    path = saved("v.kv", kind, keyed_vectors(), separate=["vectors"])
    (tmp_path / "v.kv.vectors.npy").unlink()
    with pytest.raises(FormatError, match=r"v\.kv\.vectors\.npy is missing.*copy all"):
        read_vectors(path)


def test_compressed_with_its_arrays(saved, tmp_path):
    kind = "gensim.models.keyedvectors.KeyedVectors"
    path = saved("v.kv.gz", kind, keyed_vectors(), separate=["vectors"])
    path.write_bytes(gzip.compress(path.read_bytes()))
    check(read_vectors(path))


def test_in_an_archive_with_its_arrays(saved, tmp_path):
    kind = "gensim.models.keyedvectors.KeyedVectors"
    path = saved("v.kv", kind, keyed_vectors(), separate=["vectors"])
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in (path, tmp_path / "v.kv.vectors.npy"):
            archive.write(file, f"folder/{file.name}")
    check(read_vectors(tmp_path / "a.zip"))


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_model_with_its_vectors_in_it(saved, protocol, tmp_path):
    # As gensim 4 saves Word2Vec, with much that is not looked at.
    kind = "gensim.models.keyedvectors.KeyedVectors"
    path = tmp_path / "w.model"
    wv = saved.make(kind, keyed_vectors(), ["vectors"], path, "wv.")
    fields = {
        "wv": wv,
        "hashfxn": hash,
        "random": np.random.RandomState(1),
        "raw_vocab": collections.defaultdict(int),
        "syn1neg": VECTORS * 2,
        "__recursive_saveloads": ["wv"],
    }
    check(read_vectors(saved("w.model", "gensim.models.word2vec.Word2Vec", fields, protocol)))


def old_vocab(saved):
    kind = "gensim.models.keyedvectors.Vocab"
    return {
        word: saved.make(kind, {"count": count, "index": i, "sample_int": 2**32})
        for i, (word, count) in enumerate(zip(WORDS, COUNTS, strict=True))
    }


@pytest.mark.parametrize("names", [("vectors", "index2word"), ("syn0", "index2word")])
def test_keyed_vectors_of_gensim_3(saved, names):
    matrix, words = names
    fields = {matrix: VECTORS, words: list(WORDS), "vocab": old_vocab(saved), "vectors_norm": None}
    kind = "gensim.models.keyedvectors.Word2VecKeyedVectors"
    check(read_vectors(saved("v.kv", kind, fields, protocol=2)))


def test_a_model_from_before_keyed_vectors(saved):
    fields = {"syn0": VECTORS, "index2word": list(WORDS), "vocab": old_vocab(saved)}
    check(read_vectors(saved("w.model", "gensim.models.word2vec.Word2Vec", fields, protocol=2)))


def test_integer_keys_become_text_and_counts_may_be_missing(saved):
    fields = keyed_vectors() | {"index_to_key": [3, 1, 2, 0], "expandos": {}}
    path = saved("v.kv", "gensim.models.keyedvectors.KeyedVectors", fields)
    table = read_vectors(path)
    assert list(table.vocab) == ["3", "1", "2", "0"]
    assert not table.vocab.counts.any()
    assert "integers" in table.report.notes[0]


def test_only_limit_and_dtype(saved):
    path = saved("v.kv", "gensim.models.keyedvectors.KeyedVectors", keyed_vectors())
    table = read_vectors(path, only=["über", "the"], limit=1, dtype="float16")
    assert (list(table.vocab), table.vectors.tolist()) == (["the"], [[0, 1]])
    assert table.vectors.dtype == np.float16
    with pytest.raises(ParameterError, match="none of the 1 word"):
        read_vectors(path, only=["nothing"])


# --- FastText -------------------------------------------------------------------------------------


def fasttext_fields(**changed):
    rng = np.random.default_rng(0)
    fields = {
        "index_to_key": list(WORDS),
        "vectors_vocab": VECTORS,
        "vectors_ngrams": rng.normal(size=(20, 2)).astype(np.float32),
        "min_n": 3,
        "max_n": 5,
        "bucket": 20,
        "compatible_hash": True,
        "__ignoreds": ["vectors", "buckets_word"],
    }
    return fields | changed


def test_fasttext_has_its_vectors_composed_again(saved):
    path = saved("f.kv", "gensim.models.fasttext.FastTextKeyedVectors", fasttext_fields())
    table = read_vectors(path)
    subwords = table.subwords
    grams, rows = subwords.parts("king")
    expected = (VECTORS[1] + subwords.rows[rows].sum(axis=0)) / (len(grams) + 1)
    np.testing.assert_allclose(table.vectors[1], expected, rtol=1e-5)
    assert subwords.word_rows.tolist() == VECTORS.tolist()
    assert len(read_vectors(path, only=["über"]).subwords.word_rows) == 1


def test_old_fasttext_keeps_its_vectors_without_its_own_hash(saved):
    fields = fasttext_fields(compatible_hash=False, vectors=VECTORS)
    path = saved("f.kv", "gensim.models.keyedvectors.FastTextKeyedVectors", fields, protocol=2)
    table = read_vectors(path)
    assert table.vectors.tolist() == VECTORS.tolist()
    assert table.subwords is None
    assert "hashed them in its own way" in table.report.notes[0]
    del fields["vectors"]
    path = saved("f.kv", "gensim.models.keyedvectors.FastTextKeyedVectors", fields, protocol=2)
    with pytest.raises(FormatError, match=r"load it in gensim 3\.8"):
        read_vectors(path)


def test_fasttext_without_buckets_is_its_words(saved):
    fields = fasttext_fields(bucket=0, vectors_ngrams=np.zeros((0, 2), np.float32))
    path = saved("f.kv", "gensim.models.fasttext.FastTextKeyedVectors", fields)
    table = read_vectors(path)
    assert table.vectors.tolist() == VECTORS.tolist()
    assert table.subwords is None


# --- what is refused ------------------------------------------------------------------------------


class Bomb:
    def __reduce__(self):
        return os.system, ("touch owned",)


def test_code_in_a_saved_model_is_refused_with_advice(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fields = keyed_vectors() | {"hashfxn": Bomb()}
    path = saved("v.kv", "gensim.models.keyedvectors.KeyedVectors", fields)
    with pytest.raises(FormatError, match=r"v\.kv: byte [\d,]+ .*'system'.*save_word2vec_format"):
        read_vectors(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"index_to_key": []}, "has no word vectors"),
        ({"index_to_key": [("a", "b")]}, "a word is no text"),
        ({"vectors": None}, "no matrix of vectors"),
        ({"vectors": VECTORS[:3]}, r"4 words and a matrix of shape \(3, 2\)"),
        ({"vectors": VECTORS.reshape(-1)}, r"a matrix of shape \(8,\)"),
        ({"vectors": VECTORS.reshape(4, 2, 1)}, "a matrix of shape"),
    ],
)
def test_what_does_not_fit_is_refused(saved, changed, problem):
    fields = keyed_vectors() | changed
    path = saved("v.kv", "gensim.models.keyedvectors.KeyedVectors", fields)
    with pytest.raises(FormatError, match=problem):
        read_vectors(path)


def test_models_without_word_vectors_are_refused(saved):
    path = saved("l.model", "gensim.models.ldamodel.LdaModel", {"id2word": {0: "a"}})
    with pytest.raises(FormatError, match=r"ldamodel\.LdaModel in it has no word vectors"):
        read_vectors(path)


def test_other_pickles_are_not_taken_for_gensim(tmp_path):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"gensim": 1}, 4))
    with VectorSource(path) as source:
        assert not FORMATS["gensim"].recognise(source)
    with pytest.raises(FormatError, match="no object of gensim"):
        read_vectors(path, format="gensim")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda data: data[:-4], "cut off"),
        (lambda data: data + b"more", "4 follow|more|claims"),
        (lambda data: b"\x93NUMPX" + data[6:], "header cannot be read"),
        (lambda data: data.replace(b"(4, 2)", b"(9, 2)"), "claims 72 bytes"),
        (lambda data: data.replace(b"<f4", b"|O "), "numbers belong|cannot be read"),
        (lambda data: data[:40], "cannot be read"),
        (lambda data: b"", "header cannot be read|empty"),
    ],
)
def test_damaged_arrays_beside_are_refused(saved, tmp_path, damage, problem):
    kind = "gensim.models.keyedvectors.KeyedVectors"
    path = saved("v.kv", kind, keyed_vectors(), separate=["vectors"])
    array = tmp_path / "v.kv.vectors.npy"
    array.write_bytes(damage(array.read_bytes()))
    with pytest.raises(FormatError, match=problem):
        read_vectors(path)


def test_a_column_major_array_beside(saved, tmp_path):
    kind = "gensim.models.keyedvectors.KeyedVectors"
    path = saved("v.kv", kind, keyed_vectors(), separate=["vectors"])
    np.save(tmp_path / "v.kv.vectors.npy", np.asfortranarray(VECTORS))
    check(read_vectors(path))


# --- gensim itself --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gensim_models():
    models = pytest.importorskip("gensim.models", reason="gensim is not installed")
    sentences = [["the", "king", "and", "the", "queen"], ["über", "the", "new", "king"]] * 5
    settings = {"vector_size": 8, "min_count": 1, "epochs": 1, "workers": 1}
    return {
        "word2vec": models.Word2Vec(sentences, **settings),
        "fasttext": models.FastText(sentences, bucket=50, **settings),
        "doc2vec": models.Doc2Vec(
            [models.doc2vec.TaggedDocument(s, [str(i)]) for i, s in enumerate(sentences)],
            **settings,
        ),
    }


@pytest.mark.parametrize("name", ["word2vec", "fasttext", "doc2vec"])
@pytest.mark.parametrize("sep_limit", [1, 1 << 30])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("whole", [True, False])
def test_files_of_gensim(gensim_models, tmp_path, name, sep_limit, suffix, whole):
    wv = gensim_models[name].wv
    path = tmp_path / f"m.model{suffix}"
    (gensim_models[name] if whole else wv).save(str(path), sep_limit=sep_limit)
    table = read_vectors(path)
    assert list(table.vocab) == wv.index_to_key
    np.testing.assert_allclose(table.vectors, wv.vectors, rtol=0, atol=1e-8)
    assert table.vocab.counts.tolist() == [wv.get_vecattr(w, "count") for w in wv.index_to_key]
    if name == "fasttext":
        unseen = table.subwords.vectors(["kingdom", "queenly"])
        expected = [wv.get_vector(word) for word in ("kingdom", "queenly")]
        np.testing.assert_allclose(unseen, expected, rtol=0, atol=1e-8)

import json

import numpy as np
import pytest

from firth.errors import FormatError
from firth.formats import FORMATS, VectorSource, read_vectors, write_vectors
from firth.storage import open_tensors, save_tensors
from vector_tables import assert_same, little_memory, make_table

WORDS = ["the", "king", "don't", "u.s.", ",", "new_york", "über"]


def write(table, path):
    write_vectors(table, path, format="static-embedding")
    return path


def test_a_table_comes_back(tmp_path):
    table = make_table(config={"epochs": 3})
    read = read_vectors(write(table, tmp_path / "m"))
    assert_same(read, table)
    assert read.config == {"epochs": 3}
    assert read.report.format == "static-embedding"
    assert not read.report.repairs


def test_counts_may_be_missing_and_float16_is_written_as_float32(tmp_path):
    table = make_table(counts=False, dtype=np.float16)
    path = write(table, tmp_path / "m")
    assert set(open_tensors(path / "model.safetensors")) == {"embeddings"}
    assert_same(read_vectors(path, dtype="float16"), table)


def test_the_matrix_is_mapped_when_all_rows_are_kept(tmp_path):
    path = write(make_table(["a", "[UNK]"]), tmp_path / "m")
    read = read_vectors(path)
    assert list(read.vocab) == ["a", "[UNK]"]
    assert not read.vectors.flags.owndata
    assert read_vectors(path, only=["[UNK]"]).vectors.shape == (1, 5)
    assert list(read_vectors(path, limit=1).vocab) == ["a"]


def test_a_vector_of_nan_that_signal_is_one(tmp_path):
    path = write(make_table(["a", "[UNK]"]), tmp_path / "m")
    tensors = {
        name: np.array(array) for name, array in open_tensors(path / "model.safetensors").items()
    }
    tensors["embeddings"].view(np.uint32)[1] = 0x7F800001
    save_tensors(path / "model.safetensors", tensors)
    assert list(read_vectors(path).vocab) == ["a", "[UNK]"]


def pre_tokenizer(words, path):
    write(make_table(words), path)
    return json.loads((path / "tokenizer.json").read_bytes())


def test_text_is_lower_cased_when_no_word_has_a_capital(tmp_path):
    assert pre_tokenizer(["a", "über"], tmp_path / "a")["normalizer"] == {"type": "Lowercase"}
    assert pre_tokenizer(["a", "Über"], tmp_path / "b")["normalizer"] is None


def test_text_is_cut_as_the_words_are(tmp_path):
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")

    def tokens(words, text, name):
        write(make_table(words), tmp_path / name)
        tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / name / "tokenizer.json"))
        return tokenizer.encode(text).tokens

    text = "The U.S. king, he don't!"
    assert tokens(WORDS, text, "a") == ["the", "u.s.", "king", ",", "[UNK]", "don't", "[UNK]"]
    assert tokens(["the", "king"], text, "b") == ["the", "[UNK]", "king", "[UNK]", "[UNK]"]
    marked = ["the_DT", "king//NN", "a|b", "c:d", "U/S"]
    assert tokens(marked, "king//NN king, c:d", "c") == ["king//NN", "[UNK]", "c:d"]


# --- the packages ---------------------------------------------------------------------------------


def test_model2vec_loads_it_and_gives_the_mean_of_the_words(tmp_path):
    model2vec = pytest.importorskip("model2vec", reason="model2vec is not installed")
    table = make_table(WORDS)
    model = model2vec.StaticModel.from_pretrained(write(table, tmp_path / "m"))
    rows = [WORDS.index(w) for w in ("the", "king", ",", "don't", "the", "u.s.", "über")]
    found = model.encode("The KING, unknown don't! The U.S. Über")
    np.testing.assert_allclose(found, table.vectors[rows].mean(axis=0), atol=1e-6)
    long = model.encode("king " * 2000 + "the " * 2000)
    np.testing.assert_allclose(long, table.vectors[[0, 1]].mean(axis=0), atol=1e-4)
    model.save_pretrained(tmp_path / "again")
    again = read_vectors(tmp_path / "again")
    assert list(again.vocab) == WORDS
    assert (again.vectors == table.vectors).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_sentence_transformers_loads_it(tmp_path):
    package = pytest.importorskip(
        "sentence_transformers", reason="sentence-transformers is not installed"
    )
    table = make_table(WORDS)
    model = package.SentenceTransformer(str(write(table, tmp_path / "m")), device="cpu")
    found = model.encode(["the king don't", "über , the"])
    expected = [table.vectors[[0, 1, 2]].mean(axis=0), table.vectors[[6, 4, 0]].mean(axis=0)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    model.save(str(tmp_path / "again"))
    again = read_vectors(tmp_path / "again")
    assert list(again.vocab) == WORDS
    np.testing.assert_allclose(again.vectors, table.vectors, atol=1e-7)


# --- models of others -----------------------------------------------------------------------------


def model_folder(path, model, tensors, *, added=(), modules=None, config=None):
    path.mkdir()
    tokenizer = {"version": "1.0", "added_tokens": list(added), "model": model}
    (path / "tokenizer.json").write_text(json.dumps(tokenizer))
    save_tensors(path / "model.safetensors", tensors)
    if modules is not None:
        (path / "modules.json").write_text(json.dumps(modules))
    if config is not None:
        (path / "config.json").write_text(json.dumps(config))
    return path


MATRIX = np.arange(8, dtype=np.float32).reshape(4, 2) + 1


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"type": "WordPiece", "vocab": {"##ing": 1, "go": 0, "a": 3, "b": 2}}, "go ##ing b a"),
        ({"type": "BPE", "vocab": {"Ġthe": 0, "t": 1, "h": 2, "e": 3}}, "Ġthe t h e"),
        ({"type": "Unigram", "unk_id": 0, "vocab": [[w, -1.0] for w in "▁a▁b"]}, "▁ a b"),
    ],
)
def test_tokens_become_words(tmp_path, model, words):
    path = model_folder(tmp_path / "m", model, {"embedding.weight": MATRIX})
    table = read_vectors(path)
    assert list(table.vocab) == words.split()
    assert table.vectors[0].tolist() == [1, 2]
    assert f"the tokens of {model['type']}" in table.report.notes[0]


def test_added_tokens_gaps_and_their_order(tmp_path):
    model = {"type": "WordLevel", "vocab": {"b": 3, "a": 1}, "unk_token": "a"}
    added = [{"id": 0, "content": "[PAD]"}, {"id": 1, "content": "a"}]
    table = read_vectors(model_folder(tmp_path / "m", model, {"embeddings": MATRIX}, added=added))
    assert list(table.vocab) == ["[PAD]", "a", "b"]
    assert table.vectors.tolist() == MATRIX[[0, 1, 3]].tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
def test_mapping_and_weights_are_applied(tmp_path, dtype):
    model = {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "c": 2}}
    tensors = {
        "embeddings": MATRIX[:2].astype(dtype),
        "mapping": np.array([1, 0, 1], np.int32),
        "weights": np.array([1, 2, 0.5], np.float64),
    }
    path = model_folder(tmp_path / "m", model, tensors, config={"normalize": True, "x": 1})
    table = read_vectors(path)
    assert table.vectors.tolist() == [[3, 4], [2, 4], [1.5, 2]]
    assert table.vectors.dtype == np.float32
    assert table.config == {"normalize": True}


def test_a_nested_static_embedding(tmp_path):
    (tmp_path / "m").mkdir()
    model = {"type": "WordLevel", "vocab": {"a": 0}}
    model_folder(tmp_path / "m" / "0_StaticEmbedding", model, {"embedding.weight": MATRIX})
    modules = [
        {"idx": 0, "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "type": "sentence_transformers.models.Normalize"},
    ]
    (tmp_path / "m" / "modules.json").write_text(json.dumps(modules))
    table = read_vectors(tmp_path / "m")
    assert table.vectors.tolist() == [[1, 2]]
    assert table.report.notes == ["modules that are not applied: Normalize"]


GOOD = {"type": "WordLevel", "vocab": {"a": 0, "b": 1}}
EMBEDDINGS = {"embeddings": MATRIX}


@pytest.mark.parametrize(
    ("model", "tensors", "more", "problem"),
    [
        (GOOD, {"weight": MATRIX}, {}, "no matrix 'embeddings' .* but weight"),
        (GOOD, {"embeddings": MATRIX[0]}, {}, "no matrix"),
        (None, EMBEDDINGS, {}, "no 'model'"),
        ({"type": "WordLevel"}, EMBEDDINGS, {}, "no 'vocab'"),
        ({"type": "WordLevel", "vocab": {}}, EMBEDDINGS, {}, "no words"),
        ({"type": "WordLevel", "vocab": {"a": 4}}, EMBEDDINGS, {}, "the id 4, .* has 4 rows"),
        ({"type": "WordLevel", "vocab": {"a": -1}}, EMBEDDINGS, {}, "no texts and numbers"),
        ({"type": "WordLevel", "vocab": {"a": "x"}}, EMBEDDINGS, {}, "no texts and numbers"),
        ({"type": "WordLevel", "vocab": {"a": 10**30}}, EMBEDDINGS, {}, "no texts and numbers"),
        ({"type": "Unigram", "vocab": [[1, 2], []]}, EMBEDDINGS, {}, "no texts and numbers"),
        ({"type": "WordLevel", "vocab": {"\ud800": 0}}, EMBEDDINGS, {}, "not UTF-8"),
        (GOOD, EMBEDDINGS | {"mapping": np.array([0, 9])}, {}, "'mapping' is not one of 4"),
        (GOOD, EMBEDDINGS | {"mapping": np.array([0.5, 1])}, {}, "'mapping' is not"),
        (GOOD, EMBEDDINGS | {"weights": np.ones(3)}, {}, "'weights' is float64 of shape"),
        (GOOD, EMBEDDINGS, {"modules": [{"type": "x.Transformer"}]}, "consists of Transformer"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, model, tensors, more, problem):
    path = model_folder(tmp_path / "m", model, tensors, **more)
    with little_memory(), pytest.raises(FormatError, match=problem) as caught:
        read_vectors(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["tokenizer.json", "modules.json", "config.json"])
@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00", '{"a": 1' + "0" * 5000 + "}"])
def test_json_that_is_none_is_refused(tmp_path, name, text):
    path = model_folder(tmp_path / "m", GOOD, EMBEDDINGS, modules=[], config={})
    (path / name).write_text(text)
    with pytest.raises(FormatError, match=rf"{name}: cannot be read as JSON"):
        read_vectors(path)


def test_other_folders_and_files_are_left_to_others(tmp_path):
    with VectorSource(tmp_path) as source:
        assert not FORMATS["static-embedding"].recognise(source)
    path = write(make_table(), tmp_path / "m")
    with pytest.raises(FormatError, match=r"give the folder that has model\.safetensors"):
        read_vectors(path / "model.safetensors", format="static-embedding")

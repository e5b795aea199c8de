import json
import re
import sys

import numpy as np
import pytest

import firth
from firth import exports
from firth.cli.export import OPENED_BY
from firth.cli.export import TARGETS as COMMAND_TARGETS
from firth.errors import MissingExtraError, OutputError, ParameterError
from firth.storage import open_tensors

WORDS = ["the", "king", "queen", "über", 'say "hi"', "日本", "a\\b", "<b>"]


@pytest.fixture
def wv():
    matrix = np.random.default_rng(1).standard_normal((8, 4)).astype(np.float32)
    return firth.KeyedVectors(firth.Vocab.from_words(WORDS, range(8, 0, -1)), matrix)


def words_in(folder):
    return json.loads((folder / "words.json").read_text(encoding="utf-8"))


def run_page(folder, monkeypatch):
    """Run what the folder's README says, as who gets the folder would."""
    page = (folder / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(folder)
    namespace = {}
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], namespace)
    return namespace


# --- PyTorch --------------------------------------------------------------------------------------


def test_for_torch_without_torch(wv, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    firth.export(wv, tmp_path / "t", to="torch")
    weight = open_tensors(tmp_path / "t" / "model.safetensors")["weight"]
    np.testing.assert_array_equal(weight, wv.vectors)
    assert words_in(tmp_path / "t") == WORDS
    names = {path.name for path in (tmp_path / "t").iterdir()}
    assert names == {"model.safetensors", "words.json", "README.md", "config.json"}


def test_for_torch_as_its_page_says(wv, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="needs PyTorch: firth[torch]")
    firth.export(wv, tmp_path / "t", to="torch", padding="<pad>", unknown="<unk>")
    found = run_page(tmp_path / "t", monkeypatch)
    assert found["words"] == ["<pad>", "<unk>", *WORDS]
    ids = [found["ids"][word] for word in ["<pad>", "<unk>", "über", "<b>"]]
    vectors = found["embedding"](torch.tensor(ids)).numpy()
    assert not vectors[:2].any()
    np.testing.assert_array_equal(vectors[2:], wv[["über", "<b>"]])
    assert found["embedding"].padding_idx == 0


def test_many_words_are_written_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("firth.exports._networks._ROWS_A_BLOCK", 3)
    for n_words in (1, 3, 7):
        words = [f"w{i}" for i in range(n_words)]
        many = firth.KeyedVectors(firth.Vocab.from_words(words), np.ones((n_words, 2), np.float32))
        for special in ({}, {"unknown": "?"}):
            firth.export(many, tmp_path / "t", to="torch", **special)
            assert words_in(tmp_path / "t") == [*special.values(), *words]


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_vectors_of_few_bits_become_float32(wv, tmp_path, dtype):
    small = wv.astype(dtype)
    firth.export(small, tmp_path / "t", to="torch")
    weight = open_tensors(tmp_path / "t" / "model.safetensors")["weight"]
    assert weight.dtype == np.float32
    np.testing.assert_array_equal(weight, small.vectors.astype(np.float32))


# --- Keras ----------------------------------------------------------------------------------------


def test_for_keras_as_its_page_says(wv, tmp_path, monkeypatch):
    keras = pytest.importorskip("keras", reason="needs Keras: firth[keras]")
    firth.export(wv, tmp_path / "k", to="keras", padding="<pad>")
    found = run_page(tmp_path / "k", monkeypatch)
    assert type(found["embedding"]) is keras.layers.Embedding  # nothing of firth's
    assert not found["embedding"].trainable
    ids = np.array([[found["ids"][word] for word in ["<pad>", *WORDS]]])
    vectors = keras.ops.convert_to_numpy(found["embedding"](ids))[0]
    assert not vectors[0].any()
    np.testing.assert_array_equal(vectors[1:], wv.vectors)


# --- others ---------------------------------------------------------------------------------------


def test_for_spacy(wv, tmp_path):
    spacy = pytest.importorskip("spacy", reason="needs spaCy: firth[spacy]")
    firth.export(wv, tmp_path / "s", to="spacy")
    firth.export(wv, tmp_path / "s", to="spacy", language="en")  # firth's, and so replaced
    nlp = spacy.load(tmp_path / "s")
    assert nlp.lang == "en"
    assert nlp.vocab.vectors.shape == (8, 4)
    for word in WORDS:
        np.testing.assert_array_equal(nlp.vocab[word].vector, wv[word])
    doc = nlp("the king unseen")
    assert [token.has_vector for token in doc] == [True, True, False]
    near = nlp.vocab.vectors.most_similar(wv["king"][None].copy(), n=2)[0][0]
    assert nlp.vocab.strings[near[0]] == "king"
    assert nlp.vocab.strings[near[1]] == wv.most_similar("king", topn=1)[0][0]
    with pytest.raises(ParameterError, match="language is 'zz', which spaCy does not know"):
        firth.export(wv, tmp_path / "z", to="spacy", language="zz")
    assert not (tmp_path / "z").exists()


@pytest.mark.parametrize("to", ["model2vec", "sentence-transformers"])
def test_for_static_models(wv, tmp_path, to):
    firth.export(wv, tmp_path / "s", to=to)
    again = firth.load(tmp_path / "s")
    assert list(again.vocab) == WORDS
    np.testing.assert_array_equal(again.vectors, wv.vectors)


def test_model2vec_opens_it(wv, tmp_path):
    model2vec = pytest.importorskip("model2vec", reason="needs model2vec")
    firth.export(wv, tmp_path / "s", to="model2vec")
    found = model2vec.StaticModel.from_pretrained(tmp_path / "s").encode(["king", "the queen"])
    expected = [wv["king"], (wv["the"] + wv["queen"]) / 2]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "tensorflow"}, "to is 'tensorflow', which is none of sentence-transformers, mod"),
        ({"to": "torch", "language": "en"}, "language is for spaCy; leave it out for torch"),
        ({"to": "spacy", "padding": "<pad>"}, "padding and unknown are for torch and keras"),
        ({"to": "torch", "unknown": "queen"}, "'queen' is a word already, with row 2"),
        ({"to": "torch", "padding": "x", "unknown": "x"}, "padding and unknown are both 'x'"),
    ],
)
def test_what_does_not_go_together(wv, tmp_path, options, message):
    with pytest.raises(ParameterError, match=message):
        firth.export(wv, tmp_path / "t", **options)
    assert not list(tmp_path.iterdir())


def test_what_has_no_vectors(wv, tmp_path):
    with pytest.raises(
        ParameterError, match=r"wv is ndarray; give KeyedVectors, such as model\.wv"
    ):
        firth.export(wv.vectors, tmp_path / "t", to="torch")


def test_nothing_of_others_is_replaced(wv, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    for to in exports.TARGETS:
        if to not in {"spacy", "keras"} or to in sys.modules:
            with pytest.raises(OutputError, match="mine"):
                firth.export(wv, tmp_path / "mine", to=to)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"


@pytest.mark.parametrize("package", ["spacy", "keras"])
def test_missing_packages_are_named(wv, tmp_path, monkeypatch, package):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "firth.layers.keras", raising=False)
    monkeypatch.delattr(firth.layers, "keras", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'firth\[{package}\]'"):
        firth.export(wv, tmp_path / "x", to=package)
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_nothing(wv, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("firth.exports._networks.save_tensors", fail)
    with pytest.raises(OutputError, match="the disk is full"):
        firth.export(wv, tmp_path / "t", to="torch")
    assert not list(tmp_path.iterdir())


# --- the command ----------------------------------------------------------------------------------


def test_the_command(wv, tmp_path, run):
    source, target = tmp_path / "wv", tmp_path / "out"
    wv.save(source)
    status, out, _ = run(
        "export", source, target, "--to", "torch", "--limit", 3, "--padding", "<p>"
    )
    assert status == 0
    assert out.splitlines()[0] == f"3 words x 4 dimensions written to {target}"
    assert words_in(target) == ["<p>", *WORDS[:3]]
    status, _, err = run("export", source, target, "--to", "torch")
    assert (status, "--force to replace it" in err) == (1, True)
    status, out, _ = run("export", source, target, "--to", "torch", "--force", "-q")
    assert (status, out) == (0, "")
    assert words_in(target) == WORDS
    status, _, err = run("export", source, target)
    assert (status, "--to" in err) == (2, True)
    status, _, err = run("export", source, tmp_path / "m", "--to", "model2vec", "--padding", "x")
    assert (status, "padding and unknown are for" in err) == (2, True)


def test_the_command_knows_all_programs():
    assert exports.TARGETS == COMMAND_TARGETS
    assert set(OPENED_BY) == set(COMMAND_TARGETS)

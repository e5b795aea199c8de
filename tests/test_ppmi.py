"""PPMI and its decomposition."""

import json
import sys

import numpy as np
import pytest

import firth
import naive
from firth.cooccurrence import count_cooccurrences
from firth.corpus import encode_corpus
from firth.errors import InputError, MissingExtraError, ParameterError
from firth.models import PPMI, _ppmi

pytest.importorskip("sklearn")

QUICK = {"vector_size": 8, "min_count": 1, "progress": False}
GIVEN = {name: value for name, value in QUICK.items() if name != "min_count"}


def topics(n_sentences=800, n_topics=4, length=8, seed=3):
    random = np.random.default_rng(seed)
    words = [[f"{topic}{i}" for i in range(10)] for topic in "abcdefgh"[:n_topics]]
    return [
        random.choice([*words[random.integers(n_topics)], "the"], length).tolist()
        for _ in range(n_sentences)
    ]


@pytest.fixture(scope="module")
def sentences():
    return topics()


@pytest.fixture
def counts(sentences):
    vocab, corpus = encode_corpus(sentences, tokens=True, min_count=1)
    with corpus, count_cooccurrences(vocab, corpus, window=5, progress=False) as counted:
        yield counted


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(
    ("negative", "context_smoothing"), [(1, 0.75), (1, 1), (2, 0.75), (0.5, 0)]
)
def test_the_matrix_is_that_of_the_reference(
    sentences, symmetric, negative, context_smoothing, monkeypatch
):
    monkeypatch.setattr(_ppmi, "_ENTRIES_PER_BLOCK", 100)
    vocab, corpus = encode_corpus(sentences[:50], tokens=True, min_count=1)
    with (
        corpus,
        count_cooccurrences(
            vocab, corpus, window=5, symmetric=symmetric, progress=False
        ) as counted,
    ):
        matrix = _ppmi.ppmi(counted, negative, context_smoothing)
        full = counted.to_scipy().toarray().astype(float)
    expected = naive.ppmi(full, negative, context_smoothing)
    assert matrix.toarray() == pytest.approx(expected, abs=2e-6)
    assert (matrix.data > 0).all()
    assert matrix.dtype == np.float32


@pytest.mark.parametrize("weighting", [0, 0.5, 1])
def test_vectors_are_the_singular_ones(counts, weighting):
    model = PPMI(cooccurrences=counts, eigenvalue_weighting=weighting, **GIVEN | {"vector_size": 5})
    left, values, _ = np.linalg.svd(_ppmi.ppmi(counts, 1, 0.75).toarray().astype(float))
    assert model.singular_values == pytest.approx(values[:5], rel=1e-4)
    # Up to signs, and turns among equal values: the similarities are the same.
    expected = left[:, :5] * values[:5] ** weighting
    assert model.wv.vectors @ model.wv.vectors.T == pytest.approx(expected @ expected.T, abs=0.02)
    assert model.wv.vectors.dtype == np.float32


def test_words_of_a_topic_find_each_other_and_seeds_do_not_matter(sentences):
    models = [PPMI(sentences, seed=seed, **QUICK) for seed in (1, 1, 2)]
    for word in models[0].wv.index_to_key:
        if word != "the":
            near = {other[0] for other, _ in models[0].wv.most_similar(word, topn=9)}
            assert near <= {word[0], "t"}
    assert models[0].wv.vectors.tobytes() == models[1].wv.vectors.tobytes()
    assert models[0].singular_values[:4] == pytest.approx(models[2].singular_values[:4], rel=1e-3)


def test_figures_repr_and_folder(counts, tmp_path):
    model = PPMI(cooccurrences=counts, negative=2, **GIVEN)
    assert 0 < model.n_positive < model.n_pairs == counts.n_nonzero
    assert repr(model) == (
        f"PPMI(41 words x 8, {model.n_positive:,} of {model.n_pairs:,} pairs above 0)"
    )
    model.save(tmp_path / "vectors")
    wv = firth.load(tmp_path / "vectors")
    assert (wv.vectors == model.wv.vectors).all()
    training = json.loads((tmp_path / "vectors" / "config.json").read_text())["training"]
    assert training["algorithm"] == "ppmi-svd"
    assert training["parameters"]["negative"] == 2
    assert training["parameters"]["window"] == 5
    assert training["n_positive"] == model.n_positive


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"vector_size": 42}, "vector_size=42 is more than the 41 words"),
        ({"negative": 0}, "negative must be a finite number above 0"),
        ({"context_smoothing": -1}, "context_smoothing"),
        ({"eigenvalue_weighting": "half"}, "eigenvalue_weighting must be a number"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"window": 0}, "window"),
    ],
    ids=str,
)
def test_parameters_out_of_range(sentences, parameters, message):
    with pytest.raises(ParameterError, match=message):
        PPMI(sentences, **QUICK | parameters)


def test_no_pair_that_stands_out():
    with pytest.raises(InputError, match="lower negative, or give more text"):
        PPMI([["a", "b"]] * 10, negative=1000, **QUICK | {"vector_size": 1})


def test_a_missing_extra_is_told_before_counting(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.utils.extmath", None)

    def never():
        raise AssertionError
        yield

    with pytest.raises(MissingExtraError, match=r"pip install 'firth\[svd\]'"):
        PPMI(never(), **QUICK)


def test_a_word_that_has_no_context():
    sentences = [["a", "b", "c"], ["b", "c"], ["alone"]] * 5
    model = PPMI(sentences, window=1, **QUICK | {"vector_size": 2})
    assert np.isfinite(model.wv.vectors).all()
    assert not model.wv["alone"].any()

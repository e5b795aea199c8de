import json
import os
import subprocess
import sys

import numpy as np
import pytest

import firth
from firth.errors import ParameterError

pytest.importorskip("keras", reason="needs Keras: firth[keras]")

import keras

from firth.layers.keras import cosine_model, embedding, embedding_bag, nearest_model

IDS = np.array([[2, 1, 4, 0], [3, 0, 0, 0], [0, 0, 0, 0]])
numpy = keras.ops.convert_to_numpy


@pytest.fixture
def matrix():
    return np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)


@pytest.fixture
def wv(matrix):
    return firth.KeyedVectors(firth.Vocab.from_words(["the", *"abcde"]), matrix)


def test_vectors_are_the_rows(wv, matrix):
    for rows in (wv, matrix):
        for padding_idx in (None, 0, -1):
            vectors = numpy(embedding(rows, padding_idx=padding_idx)(IDS))
            assert vectors.dtype == np.float32
            np.testing.assert_array_equal(vectors, matrix[IDS])
    for shape in ((1,), (1, 2, 3)):
        assert embedding(wv)(np.zeros(shape, "int32")).shape == (*shape, 4)
    symbolic = embedding(wv)(keras.Input((None,), dtype="int32"))
    assert symbolic.shape == (None, None, 4)


def network_of(layer):
    length = IDS.shape[1]
    if "Bag" in type(layer).__name__:
        return keras.Sequential(
            [keras.Input((length,), dtype="int32"), layer, keras.layers.Dense(1)]
        )
    flat = keras.layers.Flatten()
    return keras.Sequential(
        [keras.Input((length,), dtype="int32"), layer, flat, keras.layers.Dense(1)]
    )


OPTIMISERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
    "adamw": lambda: keras.optimizers.AdamW(0.5, weight_decay=0.1),
}


def train(layer, make_optimiser):
    network = network_of(layer)
    network.compile(optimizer=make_optimiser(), loss="mse")
    network.fit(IDS, np.ones((3, 1), "float32"), epochs=4, batch_size=3, verbose=0)
    return network


@pytest.mark.parametrize("make", [embedding, embedding_bag])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_frozen_rows_stay_to_the_bit(matrix, make, optimiser):
    layer = make(matrix, padding_idx=0)
    before = numpy(layer.embeddings).copy()
    train(layer, OPTIMISERS[optimiser])
    np.testing.assert_array_equal(numpy(layer.embeddings), before)
    assert not layer.trainable_weights


@pytest.mark.parametrize("make", [embedding, embedding_bag])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("has_zeros", [True, False])
def test_padding_never_moves_and_the_others_do(matrix, make, optimiser, has_zeros):
    matrix[0] *= not has_zeros
    layer = make(matrix, trainable=True, padding_idx=0)
    before, given = numpy(layer.embeddings).copy(), numpy(layer(np.array([[0]]))).copy()
    train(layer, OPTIMISERS[optimiser])
    moved = (numpy(layer.embeddings) != before).any(axis=1)
    assert not moved[0]
    assert moved[1:5].all()
    np.testing.assert_array_equal(numpy(layer(np.array([[0]]))), given)


def test_rows_that_are_thawed_later(matrix):
    layer = embedding(matrix, padding_idx=0)
    layer.trainable = True
    train(layer, OPTIMISERS["adamw"])
    after = numpy(layer(np.arange(6)))
    np.testing.assert_array_equal(after[0], matrix[0])
    assert (after[1:5] != matrix[1:5]).any(axis=1).all()


def test_bags(matrix):
    whole = matrix[IDS]
    for mode, reduce in (("mean", np.mean), ("sum", np.sum), ("max", np.max)):
        found = numpy(embedding_bag(matrix, mode)(IDS))
        np.testing.assert_allclose(found, reduce(whole, axis=1), rtol=1e-5, atol=1e-6)
        layer = embedding_bag(matrix, mode, padding_idx=0)
        expected = [reduce(matrix[[2, 1, 4]], axis=0), matrix[3], np.zeros(4)]
        np.testing.assert_allclose(numpy(layer(IDS)), expected, rtol=1e-5, atol=1e-6)
        assert layer(keras.Input((7,), dtype="int32")).shape == (None, 4)


def test_masks_are_given_where_they_are_asked_for(matrix):
    ids = keras.ops.convert_to_tensor(IDS)
    assert embedding(matrix, padding_idx=4).compute_mask(ids) is None
    mask = embedding(matrix, padding_idx=4, mask_padding=True).compute_mask(ids)
    np.testing.assert_array_equal(numpy(mask), IDS != 4)
    layer = embedding(matrix, padding_idx=0, mask_padding=True)
    pooled = keras.Sequential([layer, keras.layers.GlobalAveragePooling1D()])
    expected = [matrix[[2, 1, 4]].mean(axis=0), matrix[3]]
    np.testing.assert_allclose(numpy(pooled(ids[:2])), expected, rtol=1e-5)


@pytest.mark.parametrize("make", [embedding, embedding_bag])
def test_ids_out_of_range(wv, make):
    layer = make(wv)
    with pytest.raises(ParameterError, match="no row 6: ids go from 0 to 5"):
        layer(np.array([[0, 6, 1]]))
    with pytest.raises(ParameterError, match=r"no row -1: .* unknown word"):
        layer(np.array([[0, -1]]))


def test_what_does_not_fit(wv):
    with pytest.raises(ParameterError, match="7 ids and 6 rows"):
        embedding(wv, vocab=list("abcdefg"))
    with pytest.raises(ParameterError, match="mode is 'median'"):
        embedding_bag(wv, "median")
    with pytest.raises(ParameterError, match="topn must be a whole number"):
        nearest_model(wv, 0)


@pytest.mark.parametrize("make", [embedding, embedding_bag])
def test_a_saved_network_opens_again(matrix, make, tmp_path):
    layer = make(matrix, trainable=True, padding_idx=0, name="words")
    network = train(layer, OPTIMISERS["sgd"])
    network.save(tmp_path / "network.keras")
    opened = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(opened.predict(IDS, verbose=0), network.predict(IDS, verbose=0))
    assert opened.get_layer("words").get_config() == layer.get_config()
    assert len(json.dumps(layer.get_config())) < 3000  # the rows are not in there


# --- cosine models --------------------------------------------------------------------------------


def test_cosines_are_those_of_the_vectors(wv):
    first, second = np.array([1, 2, 3, 3]), np.array([2, 5, 0, 3])
    model = cosine_model(wv)
    assert [each.name for each in model.inputs] == ["first", "second"]
    cosines = model.predict({"first": first, "second": second}, verbose=0)
    expected = [wv.similarity(a, b) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    np.testing.assert_allclose(cosines, expected, atol=1e-6)


def test_neighbours_are_those_of_the_vectors(wv, tmp_path):
    model = nearest_model(wv, topn=3)
    rows, scores = model.predict(np.arange(6), verbose=0)
    for word, found, cosines in zip(wv.index_to_key, rows.tolist(), scores.tolist(), strict=True):
        expected = wv.most_similar(word, topn=3)
        assert [wv.index_to_key[row] for row in found] == [w for w, _ in expected]
        np.testing.assert_allclose(cosines, [score for _, score in expected], atol=1e-6)
    model.save(tmp_path / "nearest.keras")
    opened = keras.models.load_model(tmp_path / "nearest.keras")
    np.testing.assert_array_equal(opened.predict(np.arange(6), verbose=0)[0], rows)


def test_vectors_of_zeros(matrix):
    matrix[0] = 0
    model = cosine_model(matrix)
    cosines = model.predict([np.array([0, 0]), np.array([1, 0])], verbose=0)
    assert cosines.tolist() == [0, 0]
    rows, scores = nearest_model(matrix, 9).predict(np.array([1]), verbose=0)
    assert rows.shape == (1, 5)
    assert scores[0, -1] == -np.inf
    assert np.isfinite(scores[0, :-1]).all()


def test_models_share_a_layer_and_see_what_it_learns(matrix):
    layer = embedding(matrix, trainable=True)
    model = cosine_model(layer)
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")
    words = [np.zeros(1, "int32"), np.ones(1, "int32")]
    model.fit(words, np.ones(1, "float32"), epochs=30, verbose=0)
    assert model.predict(words, verbose=0)[0] > 0.9
    assert nearest_model(layer, 1).predict(np.array([0]), verbose=0)[0].tolist() == [[1]]


# --- backends -------------------------------------------------------------------------------------

OTHER = """
import numpy as np, keras
from firth.layers.keras import embedding, embedding_bag
matrix = np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)
ids = np.array([[2, 1, 4, 0], [3, 0, 0, 0]])
assert keras.backend.backend() == {backend!r}
found = keras.ops.convert_to_numpy(embedding(matrix)(ids))
assert np.array_equal(found, matrix[ids])
layer = embedding(matrix, trainable=True, padding_idx=0)
network = keras.Sequential([layer, keras.layers.Flatten(), keras.layers.Dense(1)])
network.compile(optimizer=keras.optimizers.AdamW(0.5, weight_decay=0.1), loss="mse")
network.fit(ids, np.ones(2, "float32"), epochs=2, verbose=0)
after = keras.ops.convert_to_numpy(layer(np.arange(6)))
assert np.array_equal(after[0], matrix[0]) and (after[1:5] != matrix[1:5]).any(1).all()
if {backend!r} != "torch":  # compiled, it cannot raise
    assert np.isnan(network.predict(ids - 1, verbose=0)).all()
"""


@pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
def test_other_backends(backend):
    if backend == keras.backend.backend():
        pytest.skip("the tests above are with this backend")
    pytest.importorskip(backend, reason=f"needs the backend {backend}")
    done = subprocess.run(
        [sys.executable, "-c", OTHER.format(backend=backend)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_missing_backend_is_named():
    code = "import sys; sys.modules['tensorflow'] = None\nimport firth.layers.keras"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "KERAS_BACKEND names its backend" in done.stderr.splitlines()[-1]
    assert "needs the package 'tensorflow'" in done.stderr.splitlines()[-1]

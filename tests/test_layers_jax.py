import numpy as np
import pytest

import firth
from firth.errors import ParameterError

pytest.importorskip("flax", reason="needs JAX and Flax: firth[jax]")

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from firth.layers.jax import Frozen, embedding, embedding_bag

IDS = np.array([[2, 1, 4, 0], [3, 0, 0, 0], [0, 0, 0, 0]])


@pytest.fixture
def matrix():
    return np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)


@pytest.fixture
def wv(matrix):
    return firth.KeyedVectors(firth.Vocab.from_words(["the", *"abcde"]), matrix)


def test_vectors_are_the_rows(wv, matrix):
    for rows in (wv, matrix):
        for padding_idx in (None, 0, -1):
            vectors = embedding(rows, padding_idx=padding_idx)(IDS)
            assert vectors.dtype == jnp.float32
            np.testing.assert_array_equal(vectors, matrix[IDS])
    for shape in ((), (0,), (2, 0), (1, 2, 3)):
        assert embedding(wv)(jnp.zeros(shape, jnp.int32)).shape == (*shape, 4)


class Network(nnx.Module):
    def __init__(self, layer):
        self.layer = layer
        self.head = nnx.Linear(4, 1, rngs=nnx.Rngs(0))

    def __call__(self, ids):
        return self.head(self.layer(ids))


OPTIMISERS = {
    "sgd": optax.chain(optax.add_decayed_weights(0.1), optax.sgd(0.1, 0.9, nesterov=True)),
    "adamw": optax.adamw(0.5, weight_decay=0.1),
}


@nnx.jit
def step(network, optimiser, ids):
    gradients = nnx.grad(lambda n: ((n(ids) + 1) ** 2).sum())(network)
    optimiser.update(network, gradients)


def train(layer, transform):
    network = Network(layer)
    optimiser = nnx.Optimizer(network, transform, wrt=nnx.Param)
    for _ in range(5):
        step(network, optimiser, jnp.asarray(IDS))


@pytest.mark.parametrize("make", [embedding, embedding_bag])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_frozen_rows_stay_to_the_bit(matrix, make, optimiser):
    for padding_idx in (None, 0):
        layer = make(matrix, padding_idx=padding_idx)
        before = np.array(layer.embedding[...])
        train(layer, OPTIMISERS[optimiser])
        np.testing.assert_array_equal(layer.embedding[...], before)
        assert isinstance(layer.embedding, Frozen)
        assert not jax.tree.leaves(nnx.state(layer, nnx.Param))


@pytest.mark.parametrize("make", [embedding, embedding_bag])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("has_zeros", [True, False])
def test_padding_never_moves_and_the_others_do(matrix, make, optimiser, has_zeros):
    matrix[0] *= not has_zeros
    layer = make(matrix, trainable=True, padding_idx=0)
    before, given = np.array(layer.embedding[...]), np.array(layer(np.array([[0]])))
    train(layer, OPTIMISERS[optimiser])
    moved = (np.array(layer.embedding[...]) != before).any(axis=1)
    assert not moved[0]
    assert moved[1:5].all()
    np.testing.assert_array_equal(layer(np.array([[0]])), given)


def test_bags(matrix):
    whole = matrix[IDS]
    for mode, reduce in (("mean", np.mean), ("sum", np.sum), ("max", np.max)):
        found = embedding_bag(matrix, mode)(IDS)
        np.testing.assert_allclose(found, reduce(whole, axis=1), rtol=1e-5, atol=1e-6)
        found = embedding_bag(matrix, mode, padding_idx=0)(IDS)
        expected = [reduce(matrix[[2, 1, 4]], axis=0), matrix[3], np.zeros(4)]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        assert not np.asarray(embedding_bag(matrix, mode)(np.zeros((2, 0), int))).any()


@pytest.mark.parametrize("make", [embedding, embedding_bag])
def test_ids_out_of_range(wv, make):
    layer = make(wv)
    with pytest.raises(ParameterError, match="no row 6: ids go from 0 to 5"):
        layer(np.array([[0, 6, 1]]))
    with pytest.raises(ParameterError, match=r"no row -1: .* unknown word"):
        layer(jnp.array([[0, -1]]))
    # A compiled function cannot raise; nothing that looks like a vector comes out.
    compiled = nnx.jit(lambda layer, ids: layer(ids))
    for wrong in (6, -1):
        assert np.isnan(compiled(layer, jnp.array([[wrong]]))).all()
    assert np.isfinite(compiled(layer, jnp.array([[5]]))).all()


def test_what_does_not_fit(wv):
    with pytest.raises(ParameterError, match="7 ids and 6 rows"):
        embedding(wv, vocab=list("abcdefg"))
    with pytest.raises(ParameterError, match="mode is 'median'"):
        embedding_bag(wv, "median")


def test_state_goes_from_one_module_to_another(matrix):
    layer = embedding(matrix, trainable=True, padding_idx=0)
    train(layer, OPTIMISERS["sgd"])
    graph, state = nnx.split(layer)
    again = nnx.merge(graph, state)
    np.testing.assert_array_equal(again(IDS), layer(IDS))

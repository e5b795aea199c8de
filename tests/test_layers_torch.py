import numpy as np
import pytest

import firth
from firth.errors import ParameterError

pytest.importorskip("torch", reason="needs PyTorch: firth[torch]")

import torch

from firth.layers.torch import cosine_model, embedding, embedding_bag, nearest_model

IDS = [[2, 1, 4, 0], [3, 0, 0, 0], [0, 0, 0, 0]]


@pytest.fixture
def matrix():
    return np.random.default_rng(1).standard_normal((6, 4)).astype(np.float32)


@pytest.fixture
def wv(matrix):
    return firth.KeyedVectors(firth.Vocab.from_words(["the", *"abcde"]), matrix)


def test_vectors_are_the_rows(wv, matrix):
    for rows in (wv, matrix):
        vectors = embedding(rows)(torch.tensor(IDS))
        assert vectors.shape == (3, 4, 4)
        assert vectors.dtype == torch.float32
        np.testing.assert_array_equal(vectors, matrix[IDS])
    for shape in ((), (0,), (2, 0), (1, 2, 3)):
        assert embedding(wv)(torch.zeros(shape, dtype=torch.int32)).shape == (*shape, 4)


@pytest.mark.parametrize("has_zeros", [True, False])
def test_rows_with_padding(matrix, has_zeros):
    matrix[3] = matrix[3] * (not has_zeros)
    for trainable in (True, False):
        layer = embedding(matrix, trainable, padding_idx=-3)
        np.testing.assert_array_equal(layer(torch.tensor(IDS)).detach(), matrix[IDS])
        assert layer.padding_idx == 3
        assert set(layer.state_dict()) == {"weight"} | (
            {"padding_vector"} - {has_zeros and "padding_vector"}
        )


OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.5, momentum=0.9, weight_decay=0.1),
    "nesterov": lambda p: torch.optim.SGD(p, 0.5, momentum=0.9, nesterov=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.5, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.5, momentum=0.9, weight_decay=0.1),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.5, weight_decay=0.1),
}


def train(layer, make_optimiser, ids=IDS):
    head = torch.nn.Linear(4, 1)
    parameters = [p for p in [*layer.parameters(), *head.parameters()] if p.requires_grad]
    optimiser = make_optimiser(parameters)
    for _ in range(5):
        optimiser.zero_grad()
        # Not zero for vectors of zeros, so that a gradient does arrive at padding.
        (head(layer(torch.tensor(ids))) + 1).square().sum().backward()
        optimiser.step()


@pytest.mark.parametrize("make", [embedding, embedding_bag])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_frozen_rows_stay_to_the_bit(matrix, make, optimiser):
    for padding_idx in (None, 0):
        layer = make(matrix, padding_idx=padding_idx)
        before = layer.weight.detach().clone()
        train(layer, OPTIMISERS[optimiser])
        assert torch.equal(layer.weight, before)
        assert not layer.weight.requires_grad


@pytest.mark.parametrize("make", [embedding, embedding_bag])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("has_zeros", [True, False])
def test_padding_never_moves_and_the_others_do(matrix, make, optimiser, has_zeros):
    matrix[0] *= not has_zeros
    layer = make(matrix, trainable=True, padding_idx=0)
    before = layer.weight.detach().clone()
    given = layer(torch.tensor([[0]])).detach().clone()
    train(layer, OPTIMISERS[optimiser])
    moved = (layer.weight != before).any(dim=1)
    assert not moved[0]
    assert moved[1:5].all()
    assert torch.equal(layer(torch.tensor([[0]])), given)


def test_rows_that_are_thawed_later(matrix):
    layer = embedding(matrix, padding_idx=0)
    layer.requires_grad_(True)
    train(layer, OPTIMISERS["adamw"])
    after = layer(torch.arange(6)).detach().numpy()
    np.testing.assert_array_equal(after[0], matrix[0])
    assert (after[1:5] != matrix[1:5]).any(axis=1).all()


def test_gradients_of_few_rows(matrix):
    layer = embedding(matrix, trainable=True, padding_idx=0, sparse=True)
    train(layer, lambda p: torch.optim.SGD(p, 0.1), [[1, 0, 2]])
    assert layer.weight.grad.is_sparse
    moved = (layer.weight.detach().numpy() != matrix).any(axis=1)
    assert moved[1:].tolist() == [True, True, False, False, False]


def test_bags(matrix):
    ids = torch.tensor(IDS)
    whole = matrix[IDS]
    for mode, reduce in (("mean", np.mean), ("sum", np.sum), ("max", np.max)):
        found = embedding_bag(matrix, mode)(ids)
        np.testing.assert_allclose(found, reduce(whole, axis=1), rtol=1e-5, atol=1e-6)
        # Padding does not count, although its row is not zeros.
        found = embedding_bag(matrix, mode, padding_idx=0)(ids)
        assert found.shape == (3, 4)
        expected = [reduce(matrix[[2, 1, 4]], axis=0), matrix[3], np.zeros(4)]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    weights = torch.rand(3, 4)
    found = embedding_bag(matrix, "sum")(ids, per_sample_weights=weights)
    np.testing.assert_allclose(found, (whole * weights.numpy()[:, :, None]).sum(1), rtol=1e-4)
    flat = embedding_bag(matrix)(torch.tensor([1, 2, 3]), torch.tensor([0, 2]))
    np.testing.assert_allclose(flat, [matrix[1:3].mean(0), matrix[3]], rtol=1e-5)


@pytest.mark.parametrize("make", [embedding, embedding_bag])
def test_ids_out_of_range(wv, make):
    layer = make(wv)
    with pytest.raises(ParameterError, match=r"no row 6: ids go from 0 to 5, and those .* larger"):
        layer(torch.tensor([[0, 6, 1]]))
    with pytest.raises(ParameterError, match=r"no row -1: .* unknown word"):
        layer(torch.tensor([[0, -1]]))
    with pytest.raises(RuntimeError):  # PyTorch's own, which knows better
        layer(torch.tensor([[0.5]]))


def test_what_does_not_fit(wv):
    with pytest.raises(ParameterError, match="7 ids and 6 rows"):
        embedding(wv, vocab=list("abcdefg"))
    with pytest.raises(ParameterError, match="mode is 'median', which is none of mean, sum, max"):
        embedding_bag(wv, "median")
    for topn in (0, -1, 1.5, True):
        with pytest.raises(ParameterError, match="topn must be a whole number"):
            nearest_model(wv, topn)


def test_a_saved_state_fits_plain_layers(matrix, tmp_path):
    from safetensors.torch import load_file, save_file

    matrix[0] = 0
    layer = embedding(matrix, trainable=True, padding_idx=0)
    train(layer, OPTIMISERS["sgd"])
    save_file(layer.state_dict(), tmp_path / "layer.safetensors")
    plain = torch.nn.Embedding(6, 4, padding_idx=0)
    plain.load_state_dict(load_file(tmp_path / "layer.safetensors"))
    assert torch.equal(plain(torch.tensor(IDS)), layer(torch.tensor(IDS)))
    again = embedding(np.zeros_like(matrix), padding_idx=0)
    again.load_state_dict(plain.state_dict())
    assert torch.equal(again.weight, plain.weight)


def test_layers_can_be_exported_and_vectorised(matrix):
    for layer in (embedding(matrix, padding_idx=0), embedding_bag(matrix, padding_idx=0)):
        exported = torch.export.export(layer, (torch.tensor(IDS),)).module()
        assert torch.equal(exported(torch.tensor(IDS)), layer(torch.tensor(IDS)))


# --- cosine models --------------------------------------------------------------------------------


def test_cosines_are_those_of_the_vectors(wv):
    first, second = np.array([1, 2, 3, 3]), np.array([2, 5, 0, 3])
    cosines = cosine_model(wv)(torch.from_numpy(first), torch.from_numpy(second))
    expected = [wv.similarity(a, b) for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    np.testing.assert_allclose(cosines, expected, atol=1e-6)


def test_a_vector_of_zeros_is_similar_to_nothing(matrix):
    matrix[0] = 0
    assert cosine_model(matrix)(torch.tensor([0, 0]), torch.tensor([1, 0])).tolist() == [0, 0]
    rows, scores = nearest_model(matrix, 9)(torch.tensor([1]))
    assert rows.shape == (1, 5)
    assert scores[0, -1] == -torch.inf
    assert torch.isfinite(scores[0, :-1]).all()
    assert 0 not in rows[0, :-1]


def test_neighbours_are_those_of_the_vectors(wv):
    rows, scores = nearest_model(wv, topn=3)(torch.arange(6))
    for word, found, cosines in zip(wv.index_to_key, rows.tolist(), scores.tolist(), strict=True):
        expected = wv.most_similar(word, topn=3)
        assert [wv.index_to_key[row] for row in found] == [w for w, _ in expected]
        np.testing.assert_allclose(cosines, [score for _, score in expected], atol=1e-6)


def test_models_share_a_layer_and_see_what_it_learns(matrix):
    layer = embedding(matrix, trainable=True)
    model, nearest = cosine_model(layer), nearest_model(layer, 1)
    first, second = torch.tensor([0]), torch.tensor([1])
    optimiser = torch.optim.SGD(model.parameters(), 0.5)
    for _ in range(50):
        optimiser.zero_grad()
        (1 - model(first, second)).sum().backward()
        optimiser.step()
    assert model(first, second).item() > 0.99
    rows, scores = nearest(first)
    assert rows.tolist() == [[1]]
    assert not scores.requires_grad

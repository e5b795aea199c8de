"""Training on some rows of a model, with negatives from a pool."""

import numpy as np
import pytest

import firth
from firth.errors import ParameterError
from firth.models import Excerpts, Plan, Recipe, Replica, Word2Vec
from firth.models._sampling import noise_weights

N_WORDS = 300
SIZE = 20  # no whole cache line


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    random = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("text") / "text.txt"
    words = np.minimum(random.zipf(1.3, (2000, 15)), N_WORDS)
    path.write_text("\n".join(" ".join(f"w{word}" for word in line) for line in words.tolist()))
    vocab, corpus = firth.encode_corpus(path, min_count=1, progress=False)
    with corpus:
        yield vocab, corpus


def recipe_of(vocab, **parameters):
    model = Word2Vec(vector_size=SIZE, seed=3, progress=False, **{"sample": 1e-3} | parameters)
    return Recipe.of(model, vocab, None)


def train_on(excerpts, corpus, rows, *, n_noise=None, chunk=0):
    """Train an excerpt on a chunk of the text; gives it, and what was done."""
    plan = Plan.of_corpus(
        corpus, 3000, epochs=1, alpha=0.025, min_alpha=0.025, seed=excerpts.model.seed
    )
    task = plan.task(chunk)
    ids = corpus.chunk(task.first_sentence, task.last_sentence)[0]
    excerpt = excerpts.excerpt(np.unique(ids), n_noise or len(ids), task.seed)
    excerpt.take({name: rows[name][numbers] for name, numbers in excerpt.numbers.items()})
    return excerpt, excerpt.train(corpus, task)


@pytest.mark.parametrize("n", [1, 3, 70_000])
def test_shares_of_the_rows_are_those_that_a_replica_draws(encoded, n):
    vocab, _ = encoded
    recipe = recipe_of(vocab)
    replica, excerpts = Replica(recipe, 1), Excerpts(recipe, 1)
    for place in {0, n // 2, n - 1}:
        for name, rows in excerpts.draw(place, n).items():
            np.testing.assert_array_equal(rows, replica.matrices[name][place::n])


def test_shares_of_the_rows_of_many_words_are_those_of_one_block_after_the_other():
    vocab = firth.Vocab.from_counter({f"w{number}": 1 for number in range(66_000)})
    recipe = recipe_of(vocab)
    rows = Replica(recipe, 1).matrices["input"]
    excerpts = Excerpts(recipe, 1)
    for place in range(7):
        np.testing.assert_array_equal(excerpts.draw(place, 7)["input"], rows[place::7])


@pytest.mark.parametrize("parameters", [{"sg": 1}, {"sg": 0}, {"sg": 1, "negative": 15}])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_excerpt_learns_what_all_rows_would(encoded, parameters, threads):
    vocab, corpus = encoded
    recipe = recipe_of(vocab, **parameters)
    replica, excerpts = Replica(recipe, threads), Excerpts(recipe, threads)
    rows = {name: matrix.copy() for name, matrix in replica.matrices.items()}
    plan = Plan.of_corpus(corpus, 3000, epochs=1, alpha=0.025, min_alpha=0.025, seed=3)
    losses = np.zeros((2, plan.chunks_per_epoch))
    for chunk in range(plan.chunks_per_epoch):
        done = replica.train(corpus, plan.task(chunk))
        losses[0, chunk] = done.loss / done.n_examples
        excerpt, other = train_on(excerpts, corpus, rows, chunk=chunk)
        assert (other.n_words, other.n_kept) == (done.n_words, done.n_kept)
        losses[1, chunk] = other.loss / other.n_examples
        for name, matrix in rows.items():
            numbers, changes = excerpt.changes(name)
            assert np.isin(numbers, excerpt.numbers[name]).all()
            matrix[numbers] += changes
    assert losses[0, -1] < 0.9 * losses[0, 0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.03)


def test_each_word_is_drawn_as_often_as_the_noise_distribution_has_it(encoded):
    vocab, _ = encoded
    excerpts = Excerpts(recipe_of(vocab), 1)
    weights = noise_weights(vocab.counts, 0.75)
    expected = 100 * weights / weights.sum()
    times = np.zeros(len(vocab))
    for seed in range(2000):
        excerpt = excerpts.excerpt(np.array([5, 9], np.uint32), 100, seed)
        drawn = np.zeros(len(vocab))
        drawn[excerpt._rows] = excerpt._weights
        assert (np.abs(drawn - expected) < 1).all()
        times += drawn
    np.testing.assert_allclose(times / 2000, expected, atol=0.05)


@pytest.mark.parametrize(
    "model",
    [
        Word2Vec(hs=1, negative=5, progress=False),
        Word2Vec(hs=1, negative=0, progress=False),
        firth.FastText(progress=False),
    ],
)
def test_other_models_have_no_excerpts(encoded, model):
    vocab, _ = encoded
    with pytest.raises(ParameterError, match=r"skip-gram or CBOW by negative sampling alone"):
        Excerpts(Recipe.of(model, vocab, None), 1)

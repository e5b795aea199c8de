"""The training kernels against their references in NumPy."""

import numpy as np
import pytest

import naive
from firth import _core
from firth.models._sampling import keep_limits, noise_tables

N_WORDS = 50


def make_run(vector_size, seed=1, scale=1.0):
    random = np.random.default_rng(seed)
    stride = -(-vector_size // 16) * 16
    vectors, targets = np.zeros((2, N_WORDS, stride), np.float32)
    vectors[:, :vector_size] = random.normal(0, scale, (N_WORDS, vector_size))
    targets[:, :vector_size] = random.normal(0, scale, (N_WORDS, vector_size))
    # A skewed distribution, so that words come twice in a window and negatives hit the centre word.
    counts = np.sort((1000 / np.arange(1, N_WORDS + 1) ** 1.5).astype(np.int64) + 1)[::-1]
    ids = random.choice(N_WORDS, 300, p=counts / counts.sum()).astype(np.uint32)
    ends = np.array([1, 40, 42, 200, 200, 299, 300], np.int64)
    return vectors, targets, ids, ends, counts


@pytest.mark.parametrize("vector_size", [3, 16, 100, 300])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"negative": 1},
        {"negative": 2, "window": 1},
        {"negative": 11, "window": 2},
        {"negative": 20, "window": 9, "shrink_windows": False},
        {"cbow": True},
        {"cbow": True, "cbow_mean": False, "negative": 7},
        {"cbow": True, "window": 12, "shrink_windows": False},
        {"one_by_one": True},
        {"one_by_one": True, "negative": 20, "window": 9, "shrink_windows": False},
        {"one_by_one": True, "cbow": True},
        {"one_by_one": True, "cbow": True, "cbow_mean": False, "negative": 7},
    ],
    ids=str,
)
def test_a_chunk_changes_the_matrices_as_the_reference_does(isa, vector_size, settings):
    defaults = {
        "window": 5, "negative": 5, "shrink_windows": True, "cbow": False, "cbow_mean": True,
    }  # fmt: skip
    settings = defaults | settings
    vectors, targets, ids, ends, counts = make_run(vector_size, scale=vector_size**-0.5)
    limits, noise = keep_limits(counts, 0.05), noise_tables(counts, 0.75)
    expected_vectors, expected_targets = vectors.astype(np.float64), targets.astype(np.float64)
    expected = naive.train_negative(
        expected_vectors, expected_targets, ids, ends, limits, noise, 0.02, 7, **settings
    )
    first = 1000
    trainer = _core.NegativeSamplingTrainer(vectors, targets, limits, *noise, **settings)
    loss, n_examples, n_kept = trainer.train(ids, ends + first, first, 0.02, 7)
    assert (n_examples, n_kept) == expected[1:]
    assert 0 < n_kept < len(ids)
    assert loss == pytest.approx(expected[0], rel=1e-5)
    assert np.abs(expected_vectors - vectors).max() < 3e-5
    assert np.abs(expected_targets - targets).max() < 3e-5
    # Both moved, and the padding did not.
    before, before_targets, *_ = make_run(vector_size, scale=vector_size**-0.5)
    assert np.abs(vectors - before).max() > 0.01
    assert np.abs(targets - before_targets).max() > 0.01
    assert not vectors[:, vector_size:].any()
    assert not targets[:, vector_size:].any()


def test_gradient_is_the_derivative_of_the_loss():
    # One pair of words: a small step changes the loss by minus the squared gradient.
    vectors, targets, *_ = make_run(16)
    noise = noise_tables(np.array([0] * 2 + [1] * (N_WORDS - 2)), 1.0)
    limits = keep_limits(np.ones(N_WORDS, np.int64), 0)
    ids, ends = np.array([0, 1], np.uint32), np.array([2], np.int64)

    def loss_after(alpha):
        v, t = vectors.copy(), targets.copy()
        trainer = _core.NegativeSamplingTrainer(
            v, t, limits, *noise, window=1, negative=3, shrink_windows=False, cbow=False,
            cbow_mean=True,
        )  # fmt: skip
        trainer.train(ids, ends, 0, alpha, 3)
        moved = np.sum((v - vectors) ** 2) + np.sum((t - targets) ** 2)
        return trainer.train(ids, ends, 0, 0.0, 3)[0], moved

    alpha = 1e-3
    before, _ = loss_after(0.0)
    after, moved = loss_after(alpha)
    assert (before - after) / (moved / alpha) == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize("score", [-80.0, -20.0, -3.0, -0.1, 0.0, 0.1, 3.0, 20.0, 80.0])
def test_extreme_scores_have_their_true_loss_and_gradient(isa, score):
    vectors, targets = np.zeros((2, 2, 16), np.float32)
    vectors[1, 0] = 1.0
    targets[0, 0] = score
    targets[1, 0] = score
    # The only noise word is the centre of one window and the negative of the other.
    noise = np.array([[2**32 - 1, 0], [0, 0]], np.uint32), np.array([0, 1, 2], np.uint32)
    trainer = _core.NegativeSamplingTrainer(
        vectors, targets, np.full(2, 2**32 - 1, np.uint32), *noise, window=1, negative=1,
        shrink_windows=False, cbow=False, cbow_mean=True,
    )  # fmt: skip
    loss, n_examples, _ = trainer.train(
        np.array([0, 1], np.uint32), np.array([2], np.int64), 0, 0.5, 1
    )
    # Centre 0, context 1, its negative collides; centre 1, context 0 whose vector is zero.
    expected = np.logaddexp(0, -score) + 2 * np.log(2)
    assert n_examples == 2
    assert loss == pytest.approx(expected, rel=1e-6, abs=1e-6)
    sigmoid = 1 / (1 + np.exp(-score))
    assert targets[0, 0] == pytest.approx(score + 0.5 * (1 - sigmoid), rel=1e-6)


def test_threads_of_different_sets_of_instructions_find_the_same_neighbours():
    from firth import Word2Vec

    random = np.random.default_rng(5)
    topics = [[f"{topic}{i}" for i in range(12)] for topic in "abcdef"]
    sentences = [random.choice(topics[random.integers(6)], 8).tolist() for _ in range(3000)]
    before, answers = _core.isa(), {}
    for name in _core.supported_isas():
        _core.select_isa(name)
        model = Word2Vec(
            sentences, vector_size=32, sg=1, sample=0, epochs=3, workers=1, progress=False
        )
        answers[name] = {
            word: {near for near, _ in model.wv.most_similar(word, topn=11)}
            for word in model.wv.index_to_key
        }
    _core.select_isa(before)
    for found in answers.values():
        assert found == answers["baseline"]


def test_unknown_instruction_set_names_those_there_are():
    with pytest.raises(ValueError, match=r"no instruction set 'mmx'.*baseline"):
        _core.select_isa("mmx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": np.array([0, N_WORDS], np.uint32)}, "outside of the vocabulary"),
        ({"sentence_ends": np.array([3], np.int64)}, "do not match"),
        ({"sentence_ends": np.array([2, 1, 2], np.int64)}, "fall"),
    ],
)
def test_a_damaged_corpus_does_not_become_an_address(change, message):
    vectors, targets, *_, counts = make_run(16)
    trainer = _core.NegativeSamplingTrainer(
        vectors, targets, keep_limits(counts, 0), *noise_tables(counts, 0.75), window=5,
        negative=5, shrink_windows=True, cbow=False, cbow_mean=True,
    )  # fmt: skip
    chunk = {"ids": np.array([0, 1], np.uint32), "sentence_ends": np.array([2], np.int64)} | change
    with pytest.raises(ValueError, match=message):
        trainer.train(**chunk, first_position=0, alpha=0.1, seed=1)


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_alias_table_stands_for_its_weights(n):
    weights = np.random.default_rng(n).pareto(0.5, n) + 1e-9
    columns = _core.build_alias_table(weights).reshape(-1, 2)
    assert naive.alias_shares(columns) == pytest.approx(weights / weights.sum(), abs=1e-8)


def test_subsampling_keeps_the_share_of_word2vec():
    counts = np.array([10_000, 1_000, 10, 1], np.int64)
    shares = keep_limits(counts, 1e-2) / (2**32 - 1)
    ratio = 1e-2 * counts.sum() / counts
    assert shares == pytest.approx(np.minimum(np.sqrt(ratio) + ratio, 1), abs=1e-6)
    assert (keep_limits(counts, 0) == 2**32 - 1).all()
    # From 1 on it is a count, as in gensim.
    assert keep_limits(counts, 500)[1] == keep_limits(counts, 500 / counts.sum())[1]


def test_noise_with_a_large_or_negative_exponent_stays_finite():
    counts = np.array([10**12, 10, 1], np.int64)
    assert naive.noise_shares(*noise_tables(counts, 40.0)) == pytest.approx([1, 0, 0], abs=1e-6)
    shares = naive.noise_shares(*noise_tables(counts, -1.0))
    assert shares == pytest.approx(np.array([1e-12, 0.1, 1]) / 1.1, abs=1e-6)


@pytest.mark.parametrize(
    "counts", [[7], [9, 5, 5, 5, 2, 2], [5, 5, 9, 9, 5], list(range(50, 0, -1))]
)
def test_words_of_equal_count_share_a_column_of_the_noise(counts):
    counts = np.array(counts, np.int64)
    columns, run_starts = noise_tables(counts, 0.75)
    assert len(columns) == len(run_starts) - 1 == 1 + np.count_nonzero(np.diff(counts))
    expected = counts**0.75 / np.sum(counts**0.75)
    assert naive.noise_shares(columns, run_starts) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("columns", "run_starts", "message"),
    [
        ([[0, 0]], [0, N_WORDS - 1], "cover"),
        ([[0, 0]], [1, N_WORDS], "cover"),
        ([[0, 0]], [0, 1, N_WORDS], "cover"),
        ([], [0], "cover"),
        ([[0, 1]], [0, N_WORDS], "alias"),
        ([[0, 0], [0, 0], [0, 0]], [0, 5, 5, N_WORDS], "empty"),
    ],
)
def test_damaged_noise_does_not_become_an_address(columns, run_starts, message):
    vectors, targets, *_, counts = make_run(16)
    columns = np.array(columns, np.uint32).reshape(-1, 2)
    with pytest.raises(ValueError, match=message):
        _core.NegativeSamplingTrainer(
            vectors, targets, keep_limits(counts, 0), columns, np.array(run_starts, np.uint32),
            window=5, negative=5, shrink_windows=True, cbow=False, cbow_mean=True,
        )  # fmt: skip

"""The training kernels against their references in NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from firth import _core
from firth.models._sampling import keep_limits, noise_tables

N_WORDS = 50
PLAIN = {"window": 1, "negative": 1, "shrink_windows": False, "cbow": False, "cbow_mean": True}


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


def make_trainer(vectors, limits, settings, targets=None, noise=None, nodes=None, paths=None,
                 parts=None, lock_factors=None):  # fmt: skip
    """The compiled trainer, with the arguments of `naive.train_chunk`."""
    columns, run_starts = noise or (None, None)
    path_offsets, path_nodes, path_n_positive = paths or (None, None, None)
    part_offsets, part_rows = parts or (None, None)
    return _core.WindowTrainer(
        vectors, limits, **settings, targets=targets, noise_columns=columns,
        noise_run_starts=run_starts, nodes=nodes, path_offsets=path_offsets, path_nodes=path_nodes,
        path_n_positive=path_n_positive, part_offsets=part_offsets, part_rows=part_rows,
        lock_factors=lock_factors,
    )  # fmt: skip


def make_parts(random, n_rows):
    """One to ten rows for each word, its own the first; some rows stand twice."""
    rows = [[w, *random.integers(0, n_rows, random.integers(0, 10))] for w in range(N_WORDS)]
    offsets = np.cumsum([0, *map(len, rows)]).astype(np.uint64)
    return offsets, np.concatenate(rows).astype(np.uint32)


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
        {"hs": True, "negative": 0},
        {"hs": True},
        {"hs": True, "negative": 0, "cbow": True},
        {"hs": True, "negative": 3, "cbow": True, "cbow_mean": False},
        {"hs": True, "negative": 2, "one_by_one": True},
        {"parts": True},
        {"parts": True, "negative": 2, "window": 1},
        {"parts": True, "window": 9, "shrink_windows": False},
        {"parts": True, "cbow": True},
        {"parts": True, "cbow": True, "cbow_mean": False},
        {"parts": True, "hs": True, "negative": 0},
        {"parts": True, "one_by_one": True},
        {"parts": True, "one_by_one": True, "cbow": True, "cbow_mean": False},
        {"locks": True},
        {"parts": True, "locks": True, "cbow": True},
    ],
    ids=str,
)
def test_a_chunk_changes_the_matrices_as_the_reference_does(isa, vector_size, settings):
    defaults = {
        "window": 5, "negative": 5, "shrink_windows": True, "cbow": False, "cbow_mean": True,
    }  # fmt: skip
    settings = defaults | settings
    random = np.random.default_rng(3)
    has_paths, has_parts, has_locks = (
        settings.pop(name, False) for name in ("hs", "parts", "locks")
    )
    vectors, targets, ids, ends, counts = make_run(vector_size, scale=vector_size**-0.5)
    limits = keep_limits(counts, 0.05)
    options = {}
    if settings["negative"]:
        options |= {"targets": targets, "noise": noise_tables(counts, 0.75)}
    if has_paths:
        options |= {"nodes": targets[::-1].copy(), "paths": _core.build_huffman_paths(counts)}
    if has_parts:
        vectors = np.concatenate([vectors, vectors[::-1] * 0.7])
        options["parts"] = make_parts(random, len(vectors))
    if has_locks:
        options["lock_factors"] = random.random(len(vectors), np.float32)
    before = {"vectors": vectors.copy()} | {
        name: options[name].copy() for name in ("targets", "nodes") if name in options
    }
    expected = {name: matrix.astype(np.float64) for name, matrix in before.items()}
    expected_result = naive.train_chunk(
        ids=ids, sentence_ends=ends, keep_limits=limits, alpha=0.02, seed=7, **settings,
        **(options | expected),
    )  # fmt: skip
    first = 1000
    trainer = make_trainer(vectors, limits, settings, **options)
    loss, n_examples, n_kept = trainer.train(ids, ends + first, first, 0.02, 7)
    assert (n_examples, n_kept) == expected_result[1:]
    assert 0 < n_kept < len(ids)
    assert loss == pytest.approx(expected_result[0], rel=1e-5)
    for name, matrix in (options | {"vectors": vectors}).items():
        if name in expected:
            assert np.abs(expected[name] - matrix).max() < 3e-5
            # It moved, and the padding did not.
            assert np.abs(matrix - before[name]).max() > 0.005
            assert not matrix[:, vector_size:].any()


def test_gradient_is_the_derivative_of_the_loss():
    # One pair of words: a small step changes the loss by minus the squared gradient.
    vectors, targets, *_ = make_run(16)
    noise = noise_tables(np.array([0] * 2 + [1] * (N_WORDS - 2)), 1.0)
    limits = keep_limits(np.ones(N_WORDS, np.int64), 0)
    ids, ends = np.array([0, 1], np.uint32), np.array([2], np.int64)

    def loss_after(alpha):
        v, t = vectors.copy(), targets.copy()
        trainer = make_trainer(v, limits, PLAIN | {"negative": 3}, targets=t, noise=noise)
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
    limits = np.full(2, 2**32 - 1, np.uint32)
    trainer = make_trainer(vectors, limits, PLAIN, targets=targets, noise=noise)
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
    trainer = make_trainer(
        vectors, keep_limits(counts, 0), PLAIN, targets=targets, noise=noise_tables(counts, 0.75)
    )
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
        make_trainer(
            vectors, keep_limits(counts, 0), PLAIN, targets=targets,
            noise=(columns, np.array(run_starts, np.uint32)),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "neither"),
        ({"targets": True}, "missing"),
        ({"noise": True, "targets": True, "negative": 256}, "negative out of range"),
        ({"paths": (0, 0, 0)}, "missing"),
        ({"paths": (1, 0, 0), "nodes": True}, "paths do not fit"),
        ({"paths": (0, N_WORDS, 0), "nodes": True}, "out of range"),
        ({"paths": (0, 0, 200), "nodes": True}, "more labels"),
        ({"noise": True, "targets": True, "parts": (1, 0)}, "parts do not fit"),
        ({"noise": True, "targets": True, "parts": (0, N_WORDS)}, "part is out of range"),
        ({"noise": True, "targets": True, "locks": 3}, "lock_factors"),
    ],
    ids=str,
)
def test_damaged_tables_do_not_become_addresses(options, message):
    """Paths and parts are right but for what is added to offsets, rows and numbers of labels."""
    vectors, targets, *_, counts = make_run(16)
    given = {}
    if "targets" in options:
        given["targets"] = targets
    if "noise" in options:
        given["noise"] = noise_tables(counts, 0.75)
    if "nodes" in options:
        given["nodes"] = targets
    if "paths" in options:
        paths = _core.build_huffman_paths(counts)
        given["paths"] = [a + a.dtype.type(b) for a, b in zip(paths, options["paths"], strict=True)]
    if "parts" in options:
        rows = np.arange(N_WORDS + 1)
        given["parts"] = (
            (rows + options["parts"][0]).astype(np.uint64),
            (rows[:-1] + options["parts"][1]).astype(np.uint32),
        )
    if "locks" in options:
        given["lock_factors"] = np.ones(options["locks"], np.float32)
    default = 5 if "targets" in options else 0
    settings = PLAIN | {"negative": options.get("negative", default)}
    with pytest.raises(ValueError, match=message):
        make_trainer(vectors, keep_limits(counts, 0), settings, **given)


@given(st.lists(st.integers(1, 50), min_size=2, max_size=60))
def test_paths_are_those_of_a_huffman_tree(counts):
    paths = _core.build_huffman_paths(np.array(counts, np.int64))
    found = [dict(naive.path_of(word, *paths)) for word in range(len(counts))]
    # A 0 in the code is the label 1.
    codes = naive.huffman_codes(counts)
    assert [sum(labels.values()) for labels in found] == [code.count("0") for code in codes]
    assert [len(labels) for labels in found] == [len(code) for code in codes]
    # The root is 0, nodes are those of a tree, and no two words have the same path.
    assert all(0 in labels for labels in found)
    assert {node for labels in found for node in labels} == set(range(len(counts) - 1))
    assert len({tuple(sorted(labels.items())) for labels in found}) == len(counts)


def test_a_deep_huffman_tree_still_fits():
    counts = [1, 1]
    while len(counts) < 85:
        counts.append(counts[-1] + counts[-2])
    counts = np.array(counts, np.int64)
    offsets, nodes, n_positive = _core.build_huffman_paths(counts)
    assert np.diff(offsets.astype(np.int64)).max() == 84
    make_trainer(
        np.zeros((85, 16), np.float32), keep_limits(counts, 0), PLAIN | {"negative": 0},
        nodes=np.zeros((84, 16), np.float32), paths=(offsets, nodes, n_positive),
    )  # fmt: skip

"""Threads that train copies of the rows that all of them change."""

import numpy as np
import pytest

from firth import Word2Vec, _core
from firth.models._sampling import keep_limits, noise_tables

N_WORDS, N_HOT, STRIDE = 60, 20, 32
ALPHA = 0.02
KINDS = ["skip-gram", "cbow", "tree", "tree and noise"]
pytestmark = pytest.mark.parametrize("kind", KINDS)


class Training:
    """A chunk of random words, trained from the same random matrices each time."""

    def __init__(self, kind, n_tokens):
        random = np.random.default_rng(4)
        self.kind = kind
        self.counts = np.sort((1000 / np.arange(1, N_WORDS + 1)).astype(np.int64))[::-1]
        shares = self.counts / self.counts.sum()
        self.ids = random.choice(N_WORDS, n_tokens, p=shares).astype(np.uint32)
        self.ends = np.append(np.arange(20, n_tokens, 20), n_tokens)
        self.limits = keep_limits(self.counts, 0)
        self.start = random.normal(0, 0.2, (3, N_WORDS, STRIDE)).astype(np.float32)

    def run(self, n_threads=1, updates=None):
        """Give the matrices behind it; with `updates`, the first rows are trained in copies."""
        matrices = self.start.copy()
        vectors, targets, nodes = matrices
        what = {}
        if "tree" in self.kind:
            names = ("path_offsets", "path_nodes", "path_n_positive")
            paths = zip(names, _core.build_huffman_paths(self.counts), strict=True)
            what |= {"nodes": nodes[:-1], "hot_nodes": updates, **dict(paths)}
        if self.kind != "tree":
            columns, run_starts = noise_tables(self.counts, 0.75)
            what |= {"negative": 5, "targets": targets, "hot_targets": updates}
            what |= {"noise_columns": columns, "noise_run_starts": run_starts}
        trainer = _core.WindowTrainer(
            vectors, self.limits, window=3, shrink_windows=True, cbow=self.kind == "cbow",
            cbow_mean=True, n_threads=n_threads, hot_input=updates, **what,
        )  # fmt: skip
        result = trainer.train(self.ids, self.ends, 0, ALPHA, 5)
        return matrices, result


def test_one_thread_learns_the_same_from_copies(isa, kind):
    # Long enough for exchanges of the first rows within the chunk.
    training = Training(kind, 10_000)
    expected, told = training.run()
    found, result = training.run(1, np.ones(N_HOT, np.float32))
    assert result[1:] == told[1:]
    assert result[0] == pytest.approx(told[0], rel=1e-5)
    np.testing.assert_allclose(found, expected, atol=2e-4)
    assert np.abs(found - training.start).max() > 0.2


@pytest.mark.parametrize("n_threads", [2, 7])
def test_a_change_of_a_copy_counts_less_the_further_all_threads_go(isa, kind, n_threads):
    training = Training(kind, 300)
    expected, (_, _, n_kept) = training.run()
    updates = np.geomspace(1e-6, 30, N_HOT).astype(np.float32)
    found, _ = training.run(n_threads, updates)
    way = 0.4 * ALPHA * n_kept * updates.astype(np.float64)
    factor = np.expm1(-n_threads * way) / (n_threads * np.expm1(-way))
    assert factor[0] == pytest.approx(1, abs=5e-3)
    assert factor[-1] == pytest.approx(1 / n_threads, abs=1e-3)
    change = (expected - training.start)[:, :N_HOT]
    np.testing.assert_allclose(
        (found - training.start)[:, :N_HOT], factor[:, None] * change, rtol=5e-3, atol=1e-6
    )
    # Rows without copies are trained where they are, beside copies that learn all they would.
    np.testing.assert_array_equal(found[:, N_HOT:], expected[:, N_HOT:])


def test_copies_of_rows_that_are_not_there_are_refused(kind):
    with pytest.raises(ValueError, match="more hot rows than rows"):
        Training(kind, 20).run(2, np.ones(N_WORDS + 1, np.float32))


def test_several_threads_learn_what_one_does(kind):
    random = np.random.default_rng(5)
    topics = [[f"{topic}{i}" for i in range(8)] for topic in "abcd"]
    sentences = [random.choice(topics[random.integers(4)], 10).tolist() for _ in range(4000)]
    model = Word2Vec(
        sentences, vector_size=24, sg=kind != "cbow", hs="tree" in kind, sample=0, epochs=6,
        negative=0 if kind == "tree" else 5, workers=3, batch_words=2000, progress=False,
    )  # fmt: skip
    for word in model.wv.index_to_key:
        assert {near[0] for near, _ in model.wv.most_similar(word, topn=7)} == {word[0]}

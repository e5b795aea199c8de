"""GloVe and PPMI on a cluster of Ray, of three nodes on this machine."""

import logging
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import firth
from firth.errors import InputError, MissingExtraError, ParameterError, VocabularyError
from firth.models import CallbackAny2Vec
from ray_cluster import WORKERS, kill

pytest.importorskip("ray", reason="Ray is not installed: make test-cluster installs it")
if not os.environ.get("FIRTH_TEST_CLUSTER"):
    pytest.skip("they need a process of their own: make test-cluster", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip


ROUND = 3 * WORKERS  # in which a process is hit


def text_of(n_lines=3000, seed=1):
    random = np.random.default_rng(seed)
    kinds = [[f"{kind}{number}" for number in range(12)] for kind in ("animal", "number")]
    # GloVe learns from pairs that were seen: the kinds meet, but seldom.
    lines = [
        [random.choice(kinds[kind ^ int(random.random() < 0.1)]) for _ in range(12)]
        for kind in random.integers(2, size=n_lines).tolist()
    ]
    return "".join(" ".join([*line, "the"]) + "\n" for line in lines)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(text_of())
    return path


def small(**parameters):
    defaults = {"vector_size": 16, "window": 5, "epochs": 15, "x_max": 10}
    return firth.GloVe(**defaults | parameters, progress=False)


def knows(wv):
    inside = wv.similarity("animal1", "animal2") + wv.similarity("number3", "number4")
    across = wv.similarity("animal1", "number2") + wv.similarity("animal3", "number4")
    return inside > across + 0.5


@pytest.mark.parametrize("symmetric", [True, False])
def test_pairs_and_counts_are_those_of_one_machine(cluster, text, symmetric):
    """What each node keeps for GloVe is the matrix of one machine, entry for entry."""
    import ray

    from firth.cluster._glove import blocks_of
    from firth.cluster._nodes import nodes
    from firth.cluster._pairs import Window, count_on_nodes
    from firth.cluster._shards import shards_of_corpus
    from firth.progress import progress

    pytest.importorskip("scipy")
    vocab, corpus = firth.encode_corpus(text, progress=False)
    how = {"window": 5, "symmetric": symmetric, "progress": False}
    with corpus, firth.count_cooccurrences(vocab, corpus, **how) as counts:
        expected = counts.to_scipy().toarray()
        encoded = shards_of_corpus(vocab, corpus, 2000, 8)
    with progress("", show=False) as bar:
        counted = count_on_nodes(encoded, Window(5, symmetric, True), nodes(), blocks_of, 1, bar)
    found = np.zeros_like(expected)
    for share, blocks in enumerate(ray.get(counted.shares)):
        for column, block in enumerate(blocks):
            assert block.chunk_ends[-1] == len(block.pairs)
            words, contexts, values = block.pairs.T
            places = words * WORKERS + share, contexts * WORKERS + column
            assert not found[places].any()
            found[places] = values.copy().view(np.float32)
    np.testing.assert_array_equal(found, expected)
    assert counted.n_pairs == np.count_nonzero(expected)


def test_glove_learns_what_it_learns_on_one_machine(cluster, text):
    model, report = firth.cluster.train(small(), text, progress=False)
    alone = small(corpus_file=text, workers=1)
    assert knows(model.wv)
    assert model.loss == pytest.approx(alone.loss, rel=0.1)
    assert model.n_pairs == alone.n_pairs == report.n_words // 15
    assert model.wv.vocab == alone.wv.vocab
    assert len(model.epoch_losses) == 15
    assert model.biases.shape == model.context_biases.shape == (25,)
    assert report.unit == "pairs"
    assert report.n_bytes == pytest.approx(report.expected_bytes, rel=0.2)
    assert len(report.workers) == WORKERS
    words = [worker.n_words for worker in report.workers]
    assert max(words) < 1.3 * min(words)
    assert all(worker.kernel_seconds > 0 for worker in report.workers)


def test_a_glove_can_be_saved_and_callbacks_may_end_it(cluster, text, tmp_path):
    class Looks(CallbackAny2Vec):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, model):
            self.seen.append(model.wv.vectors.copy())
            if len(self.seen) == 2:
                model.stop_training("seen enough")

    looks = Looks()
    pair = firth.encode_corpus(text, progress=False)
    with pair[1]:
        model, _ = firth.cluster.train(small(), pair, callbacks=[looks], progress=False)
    assert len(looks.seen) == 2
    np.testing.assert_array_equal(model.wv.vectors, looks.seen[1])
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(firth.load(tmp_path / "model").vectors, looks.seen[1])


def test_ppmi_is_that_of_one_machine(cluster, text):
    pytest.importorskip("sklearn")
    settings = {"vector_size": 5, "window": 5, "progress": False}
    model, report = firth.cluster.train(firth.PPMI(**settings), text, progress=False)
    alone = firth.PPMI(corpus_file=text, **settings)
    assert model.n_pairs == alone.n_pairs
    assert model.n_positive == alone.n_positive
    np.testing.assert_allclose(model.singular_values, alone.singular_values, rtol=1e-4)
    np.testing.assert_allclose(np.abs(model.wv.vectors), np.abs(alone.wv.vectors), atol=1e-3)
    assert report.n_exchanges == 16
    assert all(worker.kernel_seconds > 0 for worker in report.workers)


# --- faults -----------------------------------------------------------------------------------


def hit(monkeypatch, do):
    """Do something to the process of a worker while it trains its block of a round."""
    from firth.cluster import _glove

    hits = []
    begin = _glove.GloveEngine.train_round

    def begin_and_hit(self, number):
        import ray

        if number == ROUND:
            before = ray.get(self.ledger.process.remote())

            def wait_and_hit():
                while (now := ray.get(self.ledger.process.remote())) == before:
                    time.sleep(0.001)
                do(now)
                hits.append(now)

            threading.Thread(target=wait_and_hit, daemon=True).start()
        return begin(self, number)

    monkeypatch.setattr(_glove.GloveEngine, "train_round", begin_and_hit)
    return hits


def slow(monkeypatch):
    """Make the blocks of the round that is hit take a while, once they are noted as begun."""
    from firth.cluster import _glove

    train = _glove.train_block

    def train_block(ledger, place, *arguments):
        done = train(ledger, place, *arguments)
        if place[0] == ROUND:
            time.sleep(5)
        return done

    monkeypatch.setattr(_glove, "train_block", train_block)


def test_a_killed_worker_loses_nothing(cluster, text, monkeypatch, caplog):
    slow(monkeypatch)
    hits = hit(monkeypatch, kill)
    with caplog.at_level(logging.WARNING, "firth"):
        model, report = firth.cluster.train(small(epochs=8), text, progress=False)
    assert hits
    assert len(report.lost) == 1
    assert "trained again; nothing is lost" in report.lost[0]
    assert report.lost[0] in caplog.text
    assert len(model.epoch_losses) == 8
    assert report.n_words == 8 * model.n_pairs
    assert knows(model.wv)


def test_a_glove_whose_driver_was_killed_goes_on_and_ends_the_same(cluster, text, tmp_path):
    script = f"""
import sys, time
import firth
from firth.cluster import _glove
train = _glove.GloveEngine.train_round
def slow(self, number):
    time.sleep(0.1)
    return train(self, number)
_glove.GloveEngine.train_round = slow
model = firth.GloVe(vector_size=16, window=5, epochs=15, x_max=10, progress=False)
model, report = firth.cluster.train(
    model, {str(text)!r}, address={cluster.address!r}, checkpoint={str(tmp_path / "c")!r},
    checkpoint_every=0.2, resume=True, progress=False)
print(len(model.epoch_losses), report.n_words, model.n_pairs)
model.save({str(tmp_path / "m")!r})
"""
    first = subprocess.Popen([sys.executable, "-c", script])
    for _ in range(1200):
        if len(list((tmp_path / "c").glob("state-*"))) == 2:
            break
        time.sleep(0.05)
    first.kill()
    first.wait()
    assert not (tmp_path / "m").exists()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    epochs, pairs_now, pairs = map(int, done.stdout.split())
    assert epochs == 15
    assert 0 < pairs_now < 15 * pairs
    assert knows(firth.load(tmp_path / "m"))
    with pytest.raises(ParameterError, match="epochs was 15 and is 3"):
        firth.cluster.train(small(epochs=3), text, checkpoint=tmp_path / "c", resume=True)


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "source", "more", "error", "message"),
    [
        (small(), b"a b c\n", {}, VocabularyError, "no words are left"),
        (small(min_count=1), b"a b\n" * 9, {}, InputError, "2 words for 3 workers"),
        (small(min_count=1), b"a\nb\nc\n" * 9, {}, InputError, "no word has a context"),
        (small(keep_cooccurrences="x"), None, {}, ParameterError, "keep_cooccurrences"),
        (firth.PPMI(), None, {"checkpoint": "c"}, ParameterError, "no epochs"),
        (small(), None, {"resume": True}, ParameterError, "give checkpoint="),
        (small(learning_rate=1e30), None, {}, ParameterError, "diverged.*learning_rate"),
        (small(phrases=1), None, {}, ParameterError, "phrases are not joined"),
        (firth.PPMI(vector_size=99), None, {}, ParameterError, "more than the 25 words"),
        (firth.PPMI(vector_size=2, negative=1e9), None, {}, InputError, "none of the .* pairs"),
        (firth.PPMI(), None, {"callbacks": [CallbackAny2Vec()]}, ParameterError, "no epochs"),
    ],
)  # fmt: skip
def test_bad_input_is_told(cluster, text, tmp_path, model, source, more, error, message):
    if source is not None:
        (tmp_path / "t.txt").write_bytes(source)
        text = tmp_path / "t.txt"
    with pytest.raises(error, match=message):
        firth.cluster.train(model, text, progress=False, **more)


def test_a_model_that_is_trained_already(cluster, text):
    with pytest.raises(ParameterError, match="is trained already"):
        firth.cluster.train(small(corpus_file=text, epochs=1), text)


def test_without_scipy_the_extra_is_named_before_anything_is_counted(cluster, text, monkeypatch):
    model = firth.PPMI()
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(MissingExtraError, match=r"firth\[svd\]"):
        firth.cluster.train(model, text)


def test_the_command_trains_glove_and_tells_what_each_worker_did(cluster, text, run, tmp_path):
    arguments = ["--model", "glove", "--dim", "16", "--window", "5", "--epochs", "3"]
    status, out, told = run(
        "train", text, "-o", tmp_path / "m", "--cluster", cluster.address, *arguments
    )
    assert (status, "Error" in told) == (0, False)
    for number in range(WORKERS):
        assert f"worker {number} on " in out
    assert "bytes a pair" in out
    assert "3 nodes, 3 workers; reading 1 file" in told
    assert "counting pairs: 100%" in told
    assert len(firth.load(tmp_path / "m")) == 25

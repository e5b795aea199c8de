"""Training on a cluster of Ray, of three nodes on this machine."""

import contextlib
import logging
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import firth
from firth.errors import (
    ClusterError,
    InputError,
    MissingExtraError,
    OutputError,
    ParameterError,
    SourceError,
    TextError,
    VocabularyError,
)
from firth.models import CallbackAny2Vec, Word2Vec
from ray_cluster import WORKERS, kill

pytest.importorskip("ray", reason="Ray is not installed: make test-cluster installs it")
if not os.environ.get("FIRTH_TEST_CLUSTER"):
    # Ray's client ends a process that has loaded all that the other tests load.
    pytest.skip("they need a process of their own: make test-cluster", allow_module_level=True)


pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip


def text_of(n_lines=6000, seed=1):
    """Lines about animals and lines about numbers, which share only some words."""
    random = np.random.default_rng(seed)
    animals = ["cat", "dog", "cow", "horse", "sheep", "goat", "barks", "eats", "sleeps", "runs"]
    numbers = ["one", "two", "three", "four", "five", "six", "plus", "minus", "equals", "times"]
    lines = []
    for _ in range(n_lines):
        words = animals if random.random() < 0.5 else numbers
        lines.append(" ".join([*random.choice(words, 8), "the", *random.choice(words, 4)]))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(text_of())
    return path


def small(**parameters):
    defaults = {"vector_size": 16, "sg": 1, "sample": 0, "epochs": 4, "batch_words": 2000}
    return Word2Vec(**defaults | parameters, progress=False)


def knows(wv, by=0.5):
    """Tell whether the two kinds of words are told apart."""
    inside = wv.similarity("cat", "dog") + wv.similarity("two", "six")
    across = wv.similarity("cat", "two") + wv.similarity("dog", "six")
    return inside > across + by


@pytest.mark.parametrize(
    "parameters",
    [{"sg": 1}, {"sg": 0, "alpha": 0.05}, {"sg": 1, "hs": 1, "negative": 0}],
    ids=["skip-gram", "cbow", "hs"],
)
def test_models_of_windows_learn(cluster, text, parameters):
    model, report = firth.cluster.train(small(**parameters), text, progress=False)
    assert knows(model.wv, by=0.5 if model.sg else 0.05)  # alone, CBOW has 0.1 here
    assert len(model.wv) == 21
    assert model.corpus_total_words == 6000 * 13 == report.n_words // 4
    assert model.epoch_losses[-1] < model.epoch_losses[0]
    assert len(report.workers) == WORKERS
    assert all(worker.kernel_seconds > 0 for worker in report.workers)
    words = [worker.n_words for worker in report.workers]
    assert max(words) < 1.1 * min(words)
    assert report.bytes_per_word > 0
    assert report.lost == []


def test_fasttext_learns_and_the_model_can_be_saved(cluster, text, tmp_path):
    model = firth.FastText(
        vector_size=16, sg=1, sample=0, epochs=4, bucket=500, batch_words=2000, progress=False
    )
    trained, _ = firth.cluster.train(model, text, progress=False)
    assert trained is model
    assert knows(model.wv)
    assert model.wv["doggy"].shape == (16,)
    model.save(tmp_path / "model")
    opened = firth.FastText.load(tmp_path / "model")
    np.testing.assert_array_equal(opened.wv["doggy"], model.wv["doggy"])


def test_words_and_counts_are_those_of_one_machine(cluster, tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(text_of(500, seed=number))
    alone = firth.build_vocab(tmp_path, min_count=5)
    model, _ = firth.cluster.train(small(epochs=1), str(tmp_path / "*.txt"), progress=False)
    assert model.wv.vocab == alone
    assert model.wv.vocab.counts.tolist() == alone.counts.tolist()


def test_an_encoded_text_and_a_model_that_has_learned(cluster, text):
    pair = firth.encode_corpus(text, progress=False)
    model = small(epochs=2)
    with pair[1]:
        firth.cluster.train(model, pair, progress=False)
        first = model.wv.vectors.copy()
        firth.cluster.train(model, pair, progress=False)
    assert model.train_count == 2
    assert model.epochs_trained == 4
    assert knows(model.wv)
    before, after = (
        v / np.linalg.norm(v, axis=1, keepdims=True) for v in (first, model.wv.vectors)
    )
    assert (before * after).sum(axis=1).min() > 0.3  # it went on, and did not begin anew


def test_records_and_compressed_text(cluster, tmp_path):
    import gzip
    import json

    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"body": line}) + "\n" for line in text_of(900).splitlines())
    address = f"file://{tmp_path}/a.jsonl.gz"
    model, _ = firth.cluster.train(small(batch_words=500), address, field="body", progress=False)
    assert model.corpus_total_words == 900 * 13


def test_callbacks_see_the_vectors_and_may_end_the_training(cluster, text):
    class Looks(CallbackAny2Vec):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, model):
            self.seen.append(model.wv.vectors.copy())
            if len(self.seen) == 2:
                model.stop_training("seen enough")

    looks = Looks()
    model, _ = firth.cluster.train(small(), text, callbacks=[looks], progress=False)
    assert len(looks.seen) == 2
    assert not np.array_equal(*looks.seen)
    np.testing.assert_array_equal(model.wv.vectors, looks.seen[1])


# --- faults -----------------------------------------------------------------------------------


def test_a_worker_that_is_killed_is_replaced(cluster, text, monkeypatch, caplog):
    from firth.cluster import _seats

    killed = []
    count = _seats.Seat.count

    def count_and_kill(self, *figures):
        count(self, *figures)
        if not killed and self.report.n_words > 60_000:
            import ray

            killed.append(ray.get(self.actor.process.remote()))
            kill(killed[0])

    monkeypatch.setattr(_seats.Seat, "count", count_and_kill)
    with caplog.at_level(logging.WARNING, "firth"):
        model, report = firth.cluster.train(small(), text, progress=False)
    assert len(killed) == len(report.lost) == 1
    assert "was killed" in report.lost[0]
    assert "another one took its place" in report.lost[0]
    assert report.lost[0] in caplog.text
    assert knows(model.wv)
    assert report.n_words == 4 * 6000 * 13


def test_a_straggler_is_waited_for_and_then_others_do_its_work(cluster, text, monkeypatch):
    from firth.cluster import _seats

    stopped = []
    count = _seats.Seat.count

    def count_and_stop(self, *figures):
        count(self, *figures)
        if not stopped and self.report.n_words > 20_000:
            import ray

            stopped.append(ray.get(self.actor.process.remote()))
            os.kill(stopped[0], 19)

    monkeypatch.setattr(_seats.Seat, "count", count_and_stop)
    try:
        model, report = firth.cluster.train(small(), text, patience=1.0, progress=False)
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):  # it was ended
                os.kill(pid, 18)
    assert len(report.lost) == 1
    assert knows(model.wv)
    assert report.n_words == 4 * 6000 * 13


def test_when_a_killed_driver_is_started_again_it_goes_on(cluster, text, tmp_path):
    script = f"""
import sys, logging
import firth
model = firth.Word2Vec(vector_size=16, sg=1, sample=0, epochs=12, batch_words=1000, progress=False)
model, report = firth.cluster.train(
    model, {str(text)!r}, address={cluster.address!r}, checkpoint={str(tmp_path / "c")!r},
    checkpoint_every=0.5, resume=len(sys.argv) > 1, progress=False)
print(model.n_words_trained, report.n_words)
model.save({str(tmp_path / "m")!r})
"""
    environment = os.environ | {"RAY_ADDRESS": cluster.address}
    first = subprocess.Popen([sys.executable, "-c", script], env=environment)
    for _ in range(600):
        if len(list((tmp_path / "c").glob("state-*"))) == 2:
            break
        time.sleep(0.1)
    first.kill()
    first.wait()
    assert not (tmp_path / "m").exists()
    done = subprocess.run(
        [sys.executable, "-c", script, "again"],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    all_words, words_now = map(int, done.stdout.split())
    assert all_words == 12 * 6000 * 13
    assert 0 < words_now < all_words
    assert knows(firth.load(tmp_path / "m"))


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no cluster at 127.0.0.1:1"),
        ("ray://127.0.0.1:10001", "from one of its nodes"),
        ("127.0.0.1:no", "is no address"),
    ],
)
def test_an_address_where_no_cluster_is(address, message, monkeypatch, text):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(ClusterError, match=message):
        firth.cluster.train(small(), text, address=address)


@pytest.mark.parametrize("what", ["firth", "Python"])
def test_nodes_with_another_version(cluster, text, monkeypatch, what):
    from firth.cluster import _nodes

    about = _nodes.about_this_process

    monkeypatch.setattr(_nodes, "about_this_process", lambda paths: about(paths) | {what: "0.0.7"})
    probe = _nodes.about_this_process
    import ray

    remote = ray.remote
    monkeypatch.setattr(
        ray, "remote", lambda function: remote(about if function is probe else function)
    )
    with pytest.raises(ClusterError, match=rf"has {what} .*0\.0\.7: install the same"):
        firth.cluster.train(small(), text)


def test_a_path_that_nodes_do_not_see(cluster, text, monkeypatch):
    from firth.cluster import _nodes

    found = _nodes.nodes()
    with pytest.raises(SourceError, match=r"does not see /nowhere/a\.txt.*all nodes read"):
        _nodes.check_nodes(found, ["/nowhere/a.txt"])


@pytest.mark.parametrize(
    ("model", "source", "more", "error", "message"),
    [
        (small(), "/nowhere.txt", {}, SourceError, "no such file"),
        (small(), "file:///nowhere.txt", {}, SourceError, "no such file"),
        (small(), "-", {}, ParameterError, "standard input"),
        (small(), ["a b c"], {}, SourceError, "no such file"),
        (small(), 7, {}, ParameterError, "the text for a cluster is 7"),
        (small(), None, {"workers": 99}, ParameterError, "workers=99.*3 cores"),
        (small(), None, {"workers": 0}, ParameterError, "workers must be 1 or more"),
        (small(), None, {"patience": -1}, ParameterError, "patience"),
        (small(), None, {"resume": True}, ParameterError, "give checkpoint="),
        (small(), None, {"field": "body"}, ParameterError, "no field 'body'"),
        (small(batch_words=10**6), None, {}, InputError, "1 chunks for 3 workers"),
        (small(min_count=10**6), None, {}, VocabularyError, "no words are left"),
        (small(phrases=1), None, {}, ParameterError, "phrases"),
        (small(deterministic=True), None, {}, ParameterError, "deterministic"),
        ("model", None, {}, ParameterError, "give a Word2Vec"),
        (small(alpha=1e30), None, {}, ParameterError, "diverged"),
        (small(vector_size=10**9), None, {}, ClusterError, "GB for Ray"),
    ],
)  # fmt: skip
def test_bad_input_is_told(cluster, text, model, source, more, error, message):
    with pytest.raises(error, match=message):
        firth.cluster.train(model, text if source is None else source, progress=False, **more)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"a b \xff c\n", TextError, r"bad\.txt.*UTF-8"),
        (b"  \n \n", TextError, "no tokens"),
        (b"\x1f\x8b\x08\x00cut off", TextError, r"bad\.txt"),
        (b"a\nb\na\nb\n" * 10, InputError, "no word has a context"),
    ],
)
def test_text_that_cannot_be_used(cluster, tmp_path, content, error, message):
    (tmp_path / "bad.txt").write_bytes(content)
    with pytest.raises(error, match=message):
        firth.cluster.train(small(), tmp_path / "bad.txt", progress=False)


def test_a_checkpoint_is_not_overwritten_without_asking(cluster, text, tmp_path):
    checkpoint = tmp_path / "c"
    firth.cluster.train(small(epochs=1), text, checkpoint=checkpoint, progress=False)
    with pytest.raises(OutputError, match="go on from it with resume=True"):
        firth.cluster.train(small(epochs=1), text, checkpoint=checkpoint, progress=False)
    with pytest.raises(ParameterError, match=r"another training.*epochs was 1 and is 2"):
        firth.cluster.train(
            small(epochs=2), text, checkpoint=checkpoint, resume=True, progress=False
        )
    model, report = firth.cluster.train(
        small(epochs=1), text, checkpoint=checkpoint, resume=True, progress=False
    )
    assert report.n_words == 0
    assert model.n_words_trained == 6000 * 13


def test_without_ray_the_extra_is_named(monkeypatch, text):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'firth\[cluster\]'"):
        firth.cluster.train(small(), text)

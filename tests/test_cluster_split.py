"""Training a model whose rows are split among the workers: first without Ray, then with it."""

import copy
import logging
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import firth
from firth.cluster._nodes import Node
from firth.cluster._split import Kept, Share
from firth.cluster._tiers import Rhythm, Tiers
from firth.cluster._traffic import SplitTraffic
from firth.cluster._windows import check_split_memory, chooses_to_split
from firth.errors import ClusterError, ParameterError
from firth.models import Recipe, Word2Vec
from ray_cluster import WORKERS, kill

SIZE = 8
needs_ray = pytest.mark.skipif(
    not os.environ.get("FIRTH_TEST_CLUSTER"), reason="needs a process of its own: make test-cluster"
)
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip


def vocab_of(n_words):
    return firth.Vocab.from_counter({f"w{i}": max(20_000 // (i + 1), 1) for i in range(n_words)})


def team(n, n_words=200, first_rows=10, **parameters):
    model = Word2Vec(vector_size=SIZE, sample=0, progress=False, **parameters)
    recipe = Recipe.of(model, vocab_of(n_words), None)
    return [Share(recipe, Rhythm(first_rows, 2), 1, place, n) for place in range(n)]


def step(workers, number, texts, change=None, alpha=0.025):
    """Go through a step; instead of training, `change` may change what a worker has."""
    n = len(workers)
    wanted = [workers[k].wanted(texts[k], seed=number) for k in range(n)]
    given = [workers[k].give([theirs[k] for theirs in wanted]) for k in range(n)]
    parts = []
    for k, worker in enumerate(workers):
        excerpt = worker.take([theirs[k] for theirs in given])
        if change:
            change(k, excerpt)
        parts.append(worker.changes(sum(map(len, texts[k]))))
    merged = [workers[k].merge(alpha, [theirs[k] for theirs in parts]) for k in range(n)]
    for k, part in enumerate(merged):
        workers[k].apply(number, part)
        workers[(k + 1) % n].copy.apply(number, part, n)
    return wanted, given, parts, merged


def whole(workers, name):
    n = len(workers)
    rows = np.empty((sum(len(worker.own.rows[name]) for worker in workers), SIZE), np.float32)
    for k, worker in enumerate(workers):
        rows[k::n] = worker.own.rows[name]
    return rows


def ids_of(seed, n_words=200, size=50):
    return [np.random.default_rng(seed).integers(n_words, size=size, dtype=np.uint32)]


def test_workers_get_the_rows_that_they_ask_for_and_no_others():
    workers = team(3)
    before = {name: whole(workers, name) for name in ("input", "targets")}
    texts = [ids_of(k) for k in range(3)]

    def look(k, excerpt):
        assert set(excerpt.numbers["input"]) == {*texts[k][0].tolist(), *range(10)}
        for name, numbers in excerpt.numbers.items():
            np.testing.assert_array_equal(excerpt._before[name], before[name][numbers])

    wanted, given, *_ = step(workers, 1, texts, look)
    for k in range(3):
        for owner in range(3):
            for name, numbers in wanted[k][owner].items():
                assert (numbers % 3 == owner).all()
                assert len(given[owner][k][name]) == len(numbers)


def test_changes_of_all_come_to_the_owner_and_to_its_copy():
    workers = team(3)
    before = whole(workers, "input")
    texts = [[np.array([150, 151], np.uint32)] for _ in range(3)]  # rare: what is changed adds up

    def change(k, excerpt):
        where = excerpt._places["input"][np.searchsorted(excerpt.numbers["input"], 150 + k % 2)]
        excerpt._matrices["input"][where, :SIZE] += 1

    step(workers, 1, texts, change)
    after = whole(workers, "input")
    np.testing.assert_allclose(after[150], before[150] + 2, atol=0.02)
    np.testing.assert_allclose(after[151], before[151] + 1, atol=0.02)
    others = np.delete(np.arange(200), [150, 151])
    np.testing.assert_array_equal(after[others], before[others])
    for k, worker in enumerate(workers):
        assert worker.own.applied == worker.copy.applied == 1
        for name, rows in workers[k - 1].own.rows.items():
            np.testing.assert_array_equal(worker.copy.rows[name], rows)


def test_one_who_has_nothing_to_train_takes_part():
    workers = team(3)
    change = []

    def look(k, excerpt):
        if k == 0:
            excerpt._matrices["input"][:, :SIZE] += 1
        change.append(excerpt.numbers["input"].tolist())

    before = whole(workers, "input")
    step(workers, 1, [ids_of(1), [], []], look)
    assert change[1] == list(range(10))
    changed = (whole(workers, "input") != before).any(axis=1)
    assert np.flatnonzero(changed).tolist() == change[0]


def test_who_takes_the_place_of_another_goes_on_from_the_copy():
    workers = team(3)

    def change(k, excerpt):
        for matrix in excerpt._matrices.values():
            matrix[:, :SIZE] += k + 1

    step(workers, 1, [ids_of(k) for k in range(3)], change)
    other = copy.deepcopy(workers)
    recipe = Recipe.of(Word2Vec(vector_size=SIZE, sample=0, progress=False), vocab_of(200), None)
    own = Kept({k: v.copy() for k, v in other[2].copy.rows.items()}, other[2].copy.applied)
    kept = Kept({k: v.copy() for k, v in other[0].own.rows.items()}, other[0].own.applied)
    other[1] = Share(recipe, Rhythm(10, 2), 1, 1, 3, own, kept)
    for team_ in (workers, other):
        step(team_, 2, [ids_of(10 + k) for k in range(3)], change)
    for name in ("input", "targets"):
        np.testing.assert_array_equal(whole(workers, name), whole(other, name))


def test_traffic_is_that_of_words_at_random():
    n, n_words, size = 3, 2000, 1000
    workers = team(n, n_words=n_words, window=1, negative=2)
    counts = vocab_of(n_words).counts
    model = Word2Vec(vector_size=SIZE, sample=0, negative=2, window=1, progress=False)
    model.begin_with(vocab_of(n_words))
    tiers = Tiers(model.update_shares(), Rhythm(10, 2))
    traffic = SplitTraffic(counts / counts.sum(), model.touch_shares(), tiers, SIZE)
    random = np.random.default_rng(1)
    measured = 0

    def touch(k, excerpt):
        words = texts[k][0]
        negatives = random.choice(excerpt._rows, size, p=excerpt._weights / excerpt._weights.sum())
        for name, touched in (("input", words), ("targets", np.union1d(words, negatives))):
            where = excerpt._places[name][np.searchsorted(excerpt.numbers[name], touched)]
            excerpt._matrices[name][where, :SIZE] += 1

    for number in range(20):
        texts = [
            [random.choice(n_words, size, p=counts / counts.sum()).astype(np.uint32)]
            for _ in range(n)
        ]
        wanted, given, parts, merged = step(workers, number, texts, touch)
        for i in range(n):
            for j in set(range(n)) - {i}:
                measured += sum(numbers.nbytes for numbers in wanted[i][j].values())
                measured += sum(rows.nbytes for rows in given[j][i].values())
                measured += parts[i][j].n_bytes
            measured += merged[i].n_bytes
    expected = 20 * traffic.expected(0, [[size]] * n)
    assert measured == pytest.approx(expected, rel=0.05)


# --- on a cluster of Ray ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    from test_cluster import text_of

    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(text_of())
    return path


def small(**parameters):
    defaults = {"vector_size": 16, "sg": 1, "sample": 0, "epochs": 4, "batch_words": 2000}
    return Word2Vec(**defaults | parameters, progress=False)


def train_split(model, text, **more):
    return firth.cluster.train(model, text, split_rows=True, progress=False, **more)


@needs_ray
@pytest.mark.parametrize("sg", [1, 0], ids=["skip-gram", "cbow"])
def test_models_learn(cluster, text, sg):
    from test_cluster import knows

    model, report = train_split(small(sg=sg, alpha=0.025 if sg else 0.05), text)
    assert knows(model.wv, by=0.5 if sg else 0.05)
    assert len(report.workers) == WORKERS
    assert all(worker.kernel_seconds > 0 for worker in report.workers)
    assert report.n_words == 4 * 6000 * 13
    assert report.n_bytes == pytest.approx(report.expected_bytes, rel=0.2)
    assert report.lost == []
    before = model.wv.vectors.copy()
    model.alpha = 1e-3
    train_split(model, text)  # it goes on, and does not begin anew
    a, b = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (before, model.wv.vectors))
    assert (a * b).sum(axis=1).min() > 0.9


@needs_ray
@pytest.mark.parametrize("phase", ["training", "merging", "applying"])
def test_a_killed_worker_loses_nothing(cluster, text, monkeypatch, caplog, phase):
    import ray

    from firth.cluster import _seats, _split_engine
    from test_cluster import knows

    killed = []

    def hit(seat):
        if not killed and seat.report.n_words > 40_000:
            killed.append(ray.get(seat.actor.process.remote()))
            kill(killed[0])

    if phase == "training":
        count = _seats.Seat.count

        def count_and_kill(self, *figures):
            count(self, *figures)
            hit(self)

        monkeypatch.setattr(_seats.Seat, "count", count_and_kill)
    elif phase == "merging":
        collect = _split_engine.SplitEngine._collect

        def collect_and_kill(self, *given):
            yield from collect(self, *given)
            hit(self._seats.all[1])

        monkeypatch.setattr(_split_engine.SplitEngine, "_collect", collect_and_kill)
    else:
        apply = _split_engine.SplitEngine._apply

        def kill_and_apply(self, parts):
            hit(self._seats.all[1])
            apply(self, parts)

        monkeypatch.setattr(_split_engine.SplitEngine, "_apply", kill_and_apply)
    with caplog.at_level(logging.WARNING, "firth"):
        model, report = train_split(small(), text)
    assert len(killed) == len(report.lost) == 1
    assert "was killed" in report.lost[0]
    assert "had a copy of its rows, and nothing is lost; another one took" in report.lost[0]
    assert report.lost[0] in caplog.text
    assert report.n_words == 4 * 6000 * 13
    assert knows(model.wv)


@needs_ray
def test_two_neighbours_that_are_killed_end_it_and_the_same_call_goes_on(
    cluster, text, monkeypatch, tmp_path
):
    import ray

    from firth.cluster import _split_engine
    from test_cluster import knows

    apply = _split_engine.SplitEngine._apply

    def apply_and_kill(self, parts):
        apply(self, parts)
        if self._report.n_words > 120_000:
            pids = ray.get([seat.actor.process.remote() for seat in self._seats.all[:2]])
            for pid in pids:
                kill(pid)

    how = {"checkpoint": tmp_path / "c", "checkpoint_every": 0.01, "resume": True}
    with monkeypatch.context() as patched:
        patched.setattr(_split_engine.SplitEngine, "_apply", apply_and_kill)
        with pytest.raises(ClusterError, match=r"workers 0 and 1 died at the same time.*resume"):
            train_split(small(), text, **how)
    model, report = train_split(small(), text, **how)
    assert 0 < report.n_words < 4 * 6000 * 13
    assert model.n_words_trained == 4 * 6000 * 13
    assert knows(model.wv)


@needs_ray
def test_a_straggler_is_ended_after_a_while(cluster, text, monkeypatch):
    import ray

    from firth.cluster import _seats

    stopped = []
    count = _seats.Seat.count

    def count_and_stop(self, *figures):
        count(self, *figures)
        if not stopped and self.report.n_words > 20_000:
            stopped.append(ray.get(self.actor.process.remote()))
            os.kill(stopped[0], 19)

    monkeypatch.setattr(_seats.Seat, "count", count_and_stop)
    _, report = train_split(small(epochs=2), text, patience=1.0)
    assert len(report.lost) == 1
    assert "had not answered" in report.lost[0]
    assert "nothing is lost" in report.lost[0]
    assert report.n_words == 2 * 6000 * 13


@needs_ray
def test_when_a_killed_driver_is_started_again_it_goes_on(cluster, text, tmp_path):
    from test_cluster import knows

    command = [
        f"{os.path.dirname(sys.executable)}/firth",  # noqa: PTH120
        "train", str(text), "-o", str(tmp_path / "m"), "--dim", "16", "--sample", "0",
        "--epochs", "20", "--cluster", cluster.address, "--cluster-split-rows",
        "--checkpoint-every", "0.5s", "--resume",
    ]  # fmt: skip
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    checkpoint = tmp_path / "m.checkpoint"
    deadline = time.monotonic() + 90
    while len(list(checkpoint.glob("state-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    first.kill()
    first.wait()
    assert not (tmp_path / "m").exists()
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    assert "worker 2 on" in done.stdout
    assert knows(firth.load(tmp_path / "m"))


# --- when rows are split, and what cannot be --------------------------------------------------


def nodes_with(memory, n=3):
    return [(Node(str(number), f"node{number}", 1, memory), 1) for number in range(n)]


def test_rows_are_split_where_copies_do_not_fit(caplog):
    n_bytes = 10**9
    enough, little = (nodes_with(7 * n_bytes // 3 + less) for less in (1, -1))
    model = Word2Vec()
    assert not chooses_to_split(model, n_bytes, enough, None)
    assert chooses_to_split(model, n_bytes, enough, True)
    with caplog.at_level(logging.INFO, "firth"):
        assert chooses_to_split(model, n_bytes, little, None)
    assert (
        "2.3 GB for two copies of the matrices each, and a share: the rows are split" in caplog.text
    )
    told = "2.3 GB for two copies of the matrices each, and a share: give fewer"
    with pytest.raises(ClusterError, match=told):
        chooses_to_split(model, n_bytes, little, False)
    with pytest.raises(ClusterError, match=told + r".*this FastText cannot be split"):
        chooses_to_split(firth.FastText(), n_bytes, little, None)
    with pytest.raises(ClusterError, match="two workers or more, and there is one"):
        chooses_to_split(model, n_bytes, nodes_with(n_bytes - 1, n=1), None)


def test_the_memory_of_shares_and_of_what_steps_touch_is_looked_at():
    n_bytes, at_hand = 3 * 10**9, 10**8
    needed = 3 * 10**9 + 3 * at_hand
    check_split_memory(n_bytes, at_hand, nodes_with(needed))
    with pytest.raises(ClusterError, match=r"3\.3 GB for three shares of the 3\.0 GB"):
        check_split_memory(n_bytes, at_hand, nodes_with(needed - 1))


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        (Word2Vec(hs=1, negative=0), {}, "this Word2Vec cannot be split"),
        (firth.FastText(), {}, "this FastText cannot be split"),
        (Word2Vec(), {"workers": 1}, "two workers or more, and there is one"),
    ],
)
def test_what_cannot_be_split_is_told_before_a_cluster_is_looked_for(
    model, more, message, tmp_path
):
    pytest.importorskip("ray")
    with pytest.raises(ParameterError, match=message):
        firth.cluster.train(model, tmp_path, split_rows=True, address="127.0.0.1:1", **more)

"""What workers of a cluster exchange, and when; without Ray."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth.cluster._exchange import Exchange
from firth.cluster._merging import Axes, Merger
from firth.cluster._rows import Rows
from firth.cluster._tiers import BASE, Rhythm, Tiers
from firth.cluster._traffic import Traffic
from firth.cluster._worker import Shard, chunk_table

SIZE = 3
MATRICES = ("input", "targets")


def team(n, n_rows=40, first_rows=4, n_tiers=2, seed=0):
    random = np.random.default_rng(seed)
    shares = {name: random.random(n_rows).astype(np.float32) / 100 for name in MATRICES}
    tiers = Tiers(shares, Rhythm(first_rows, n_tiers))
    start = {name: random.random((n_rows, SIZE)).astype(np.float32) for name in MATRICES}
    return tiers, [
        Exchange({name: rows.copy() for name, rows in start.items()}, tiers) for _ in range(n)
    ]


def axes_of(name, base, tiers):
    frequent = {each: Rows(tiers.frequent[each], base[each][tiers.frequent[each]]) for each in base}
    return Axes(name, frequent, tiers.shares)


def merge(tiers, sums, n_updates, n, axes):
    """Merge changes of all rows of the inputs as one owner of all of them, who begins."""
    merger = Merger(tiers)
    merger.begin(1)
    rows = Rows(np.arange(len(sums), dtype=np.uint32), sums)
    merger.merge("input", rows, n_updates, 0.025, n, axes)
    return rows.values


def exchange(workers, step, last_tier, alpha=0.025):
    n = len(workers)
    parts = [worker.changes(step, last_tier, n) for worker in workers]
    merged = [workers[j].merge(alpha, [theirs[j] for theirs in parts]) for j in range(n)]
    for worker in workers:
        worker.apply(step, merged)
    return parts, merged


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5), st.integers(0, 1000), st.integers(1, 3))
def test_the_sum_of_the_changes_times_the_factor_is_what_all_have_afterwards(n, seed, n_tiers):
    tiers, workers = team(n, n_tiers=n_tiers, seed=seed)
    random = np.random.default_rng(seed + 1)
    start = workers[0].base["input"].copy()
    changes = np.zeros((n, *start.shape), np.float32)
    for number, worker in enumerate(workers):
        touched = random.random(len(start)) < 0.5
        changes[number][touched] = random.standard_normal((touched.sum(), SIZE))
        worker.matrices["input"] += changes[number]
        worker.count(1000 * (number + 1))
    axes = axes_of("input", workers[0].base, tiers)
    exchange(workers, 1, n_tiers - 1)
    expected = changes.sum(axis=0)
    n_updates = tiers.shares["input"].astype(np.float64) * 1000 * sum(range(1, n + 1))
    expected = merge(tiers, expected, n_updates, n, axes) + start
    for worker in workers:
        np.testing.assert_allclose(worker.matrices["input"], expected, atol=1e-5)
        np.testing.assert_array_equal(worker.base["input"], workers[0].base["input"])


def shared_direction(n_rows=2000, size=8):
    """Targets that share one long direction."""
    random = np.random.default_rng(1)
    targets = 0.3 * random.standard_normal((n_rows, size)).astype(np.float32)
    targets[:, 0] = 5.0
    base = {"input": np.zeros((n_rows, size), np.float32), "targets": targets}
    share = np.full(n_rows, 1 / n_rows, np.float32)
    tiers = Tiers({"input": share, "targets": share}, Rhythm(n_rows, 1))
    return base, tiers, axes_of("input", base, tiers)


def test_changes_add_up_where_rows_seldom_meet_and_are_averaged_where_they_always_do():
    _, tiers, axes = shared_direction()
    n = 4
    lengths = np.sort(axes.rates)
    assert lengths[-1] == pytest.approx(25 / 2, rel=0.05)  # (5^2) times the bend
    assert lengths[-2] < lengths[-1] / 100
    often = 50 / (0.025 * lengths[-1])  # of which the shared direction has all of its way
    # What is withheld comes at once as far as it is sure to come: (1 - f) f of it.
    averaged = 1 / n + (1 - 1 / n) / n
    sums = merge(tiers, np.ones((3, 8), np.float32), np.array([1e-3, often, 1e9]), n, axes)
    np.testing.assert_allclose(sums[0], 1, rtol=1e-3)
    assert sums[1, 0] == pytest.approx(averaged, abs=0.02)
    np.testing.assert_allclose(sums[1, 1:], 1, atol=0.06)
    np.testing.assert_allclose(sums[2], averaged, rtol=1e-3)


def test_rows_that_all_workers_take_all_of_their_way_arrive_and_stay():
    _, tiers, axes = shared_direction()
    merger = Merger(tiers)
    n, n_updates, where_to = 4, np.array([1e9]), np.full((1, 8), 3, np.float32)
    row = np.zeros((1, 8), np.float32)
    ways = []
    for _ in range(5):
        changes = n * (where_to - row)
        merger.begin(n)
        rows = Rows(np.array([8], np.uint32), changes)
        merger.merge("input", rows, n_updates, 0.025, n, axes)
        merger.end()
        row += rows.values
        ways.append(float(row[0, 0]))
    # First it looks ahead, as if that went on; then it does not swing.
    np.testing.assert_allclose(ways, [3 + 3 * (1 - 1 / n), 3, 3, 3, 3], rtol=1e-5)


def test_changes_that_go_on_in_one_direction_add_up_in_the_end():
    _, tiers, axes = shared_direction()
    merger = Merger(tiers)
    n, steps = 4, 60
    total = np.zeros(8)
    for _ in range(steps):
        merger.begin(n)
        rows = Rows(np.array([8], np.uint32), np.ones((1, 8), np.float32))
        merger.merge("input", rows, np.array([1e9]), 0.025, n, axes)
        merger.end()
        total += rows.values[0]
    # All but what is on its way: so much as n of them have.
    np.testing.assert_allclose(total, steps, atol=n)
    assert rows.values[0] == pytest.approx(1, abs=0.01)


def test_what_an_exchange_that_failed_has_merged_does_not_count():
    _, tiers, axes = shared_direction()

    def merged(*, fails):
        merger, values = Merger(tiers), []
        for step in range(3):
            for _ in range(2 if fails and step == 1 else 1):
                merger.begin(4)
                rows = Rows(np.array([8], np.uint32), np.full((1, 8), step + 1, np.float32))
                merger.merge("input", rows, np.array([1e5]), 0.025, 4, axes)
            merger.end()
            values.append(rows.values)
        return np.concatenate(values)

    np.testing.assert_array_equal(merged(fails=True), merged(fails=False))
    one, other = Merger(tiers), Merger(tiers)
    for n_owners in (4, 3):  # rows change hands: what one had is not another's
        one.begin(n_owners)
        rows = Rows(np.array([8], np.uint32), np.ones((1, 8), np.float32))
        one.merge("input", rows, np.array([1e5]), 0.025, 4, axes)
        one.end()
    other.begin(3)
    alone = Rows(np.array([8], np.uint32), np.ones((1, 8), np.float32))
    other.merge("input", alone, np.array([1e5]), 0.025, 4, axes)
    np.testing.assert_array_equal(rows.values, alone.values)


def test_only_rows_that_were_touched_are_sent_and_each_to_its_owner():
    _, workers = team(3, n_tiers=1)
    workers[0].matrices["input"][[4, 7, 9]] += 1
    parts, merged = exchange(workers, 1, 0)
    assert [part.rows["input"].numbers.tolist() for part in parts[0]] == [[9], [4, 7], []]
    assert all(part.n_bytes == 0 for part in parts[1])
    assert [part.rows["input"].numbers.tolist() for part in merged] == [[9], [4, 7], []]
    assert merged[1].n_bytes == 2 * (4 + 4 * SIZE)


def test_rare_rows_wait_and_keep_their_changes_until_all_are_exchanged():
    tiers, workers = team(2, first_rows=4)
    rare = int(np.argmin(tiers.shares["input"]))
    often = int(np.argmax(tiers.shares["input"]))
    before = workers[1].matrices["input"].copy()
    workers[0].matrices["input"][[rare, often]] += 1
    workers[0].count(100)
    exchange(workers, 1, 0)
    assert (workers[1].matrices["input"][often] > before[often]).all()
    assert (workers[1].matrices["input"][rare] == before[rare]).all()
    assert (workers[0].matrices["input"][rare] == before[rare] + 1).all()
    exchange(workers, 2, 1)
    assert (workers[1].matrices["input"][rare] > before[rare]).all()
    np.testing.assert_array_equal(workers[0].matrices["input"], workers[1].matrices["input"])


def test_an_exchange_that_failed_can_be_begun_again_with_fewer():
    _, workers = team(3, n_tiers=1)
    workers[0].matrices["input"][4] += 1
    workers[0].count(10)
    for worker in workers:
        worker.changes(1, 0, 3)
    exchange(workers[:2], 1, 0)
    np.testing.assert_array_equal(workers[0].matrices["input"], workers[1].matrices["input"])
    assert workers[1].applied == 1
    assert workers[2].applied == 0


def test_who_missed_an_exchange_takes_it_over_and_keeps_what_was_not_exchanged():
    tiers, workers = team(2, first_rows=4)
    rare = int(np.argmin(tiers.shares["input"]))
    often = int(np.argmax(tiers.shares["input"]))
    for worker in workers:
        worker.matrices["input"][[rare, often]] += 1
        worker.count(10)
    parts = [worker.changes(1, 0, 2) for worker in workers]
    merged = [workers[j].merge(0.025, [theirs[j] for theirs in parts]) for j in range(2)]
    workers[0].apply(1, merged)
    workers[1].take_over(workers[0].base, 1)
    np.testing.assert_array_equal(workers[0].base["input"], workers[1].base["input"])
    # What it had sent is in there, and is not added once more; the rare row is its own still.
    np.testing.assert_array_equal(workers[0].matrices["input"], workers[1].matrices["input"])
    fresh = Exchange({"input": np.zeros_like(workers[0].base["input"])}, tiers)
    fresh.matrices["input"][:] = fresh.base["input"]
    fresh.take_over(workers[0].base, 1)
    np.testing.assert_array_equal(fresh.matrices["input"], workers[0].base["input"])
    kept = workers[0].matrices["input"][rare] - fresh.matrices["input"][rare]
    np.testing.assert_allclose(kept, 1, atol=1e-5)


@given(st.floats(1, 1e7), st.integers(0, 10**6), st.integers(1, 10**7))
def test_tiers_cover_all_rows_and_the_last_comes_in_time(words, steps, n_rows):
    rhythm = Rhythm.of(words, steps, n_rows)
    ends = rhythm.ends(n_rows)
    assert ends == sorted(ends)
    assert ends[-1] == n_rows
    assert rhythm.last_tier(BASE ** (rhythm.n_tiers - 1)) == rhythm.n_tiers - 1
    assert rhythm.last_tier(1) == 0 or rhythm.n_tiers == 1


def test_tiers_go_by_how_often_rows_are_updated():
    shares = {"input": np.array([0.1, 0.5, 0.3, 0.2, 0.4, 0.01], np.float32)}
    tiers = Tiers(shares, Rhythm(2, 2))
    assert tiers.rows("input", 0).tolist() == [1, 4]
    assert tiers.rows("input", 1).tolist() == [0, 1, 2, 3, 4, 5]
    assert tiers.tier_of["input"].tolist() == [1, 0, 1, 1, 0, 1]


def test_traffic_is_that_of_touches_at_random():
    n, words, n_rows = 3, 2000, 300
    random = np.random.default_rng(3)
    rates = (random.random(n_rows) / 1000).astype(np.float32)
    tiers = Tiers({"input": rates}, Rhythm(n_rows, 1))
    measured = []
    for _ in range(30):
        workers = [
            Exchange({"input": np.zeros((n_rows, SIZE), np.float32)}, tiers) for _ in range(n)
        ]
        for worker in workers:
            worker.matrices["input"][random.poisson(rates * words) > 0] += 1
            worker.count(words)
        parts, merged = exchange(workers, 1, 0)
        measured.append(
            sum(parts[i][j].n_bytes for i in range(n) for j in range(n) if i != j)
            + (n - 1) * sum(part.n_bytes for part in merged)
        )
    expected = Traffic({"input": rates}, tiers, SIZE).expected(0, [[words]] * n)
    assert np.mean(measured) == pytest.approx(expected, rel=0.05)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(1, 50))
def test_chunks_of_a_shard_are_its_sentences_in_order(lengths, size):
    ends = np.cumsum(lengths)
    table = chunk_table(ends, size)
    assert table[0][0] == 0
    assert table[-1][1] == len(lengths)
    assert (table[1:, 0] == table[:-1, 1]).all()
    assert table[:, 2].sum() == sum(lengths)
    assert (table[:, 2] >= 1).all()
    shard = Shard(np.arange(ends[-1], dtype=np.uint32), ends)
    first, last, words = table[-1]
    ids, theirs, position = shard.chunk(int(first), int(last))
    assert len(ids) == words
    assert ids[0] == position
    assert theirs[-1] == position + words

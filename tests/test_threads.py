"""Tasks and results on threads: order, failures, interruptions."""

import signal
import threading
import time

import pytest

from firth.threads import map_in_order, run_tasks


def own_threads():
    """Threads that still run, a moment after the last of them said that it has ended."""
    time.sleep(0.02)
    return [t for t in threading.enumerate() if t.name.startswith("firth")]


@pytest.mark.parametrize("workers", [1, 3, 20])
def test_each_task_is_done_once(workers):
    done = []
    assert run_tasks(iter(range(100)), done.append, workers)
    assert sorted(done) == list(range(100))
    assert workers > 1 or done == list(range(100))
    assert own_threads() == []


def test_tasks_run_at_the_same_time():
    both = threading.Barrier(2, timeout=10)
    assert run_tasks(range(2), lambda _: both.wait(), 2)


def test_the_first_failure_stops_the_rest():
    done, stop = [], threading.Event()

    def work(task):
        if task == 3:
            raise OSError("no more")
        done.append(task)

    with pytest.raises(OSError, match="no more"):
        run_tasks(range(1000), work, 1, stop)
    assert done == [0, 1, 2]
    assert stop.is_set()
    assert own_threads() == []


def test_a_source_of_tasks_that_fails():
    def tasks():
        yield 1
        raise ValueError("source")

    with pytest.raises(ValueError, match="source"):
        run_tasks(tasks(), lambda _: None, 2)


def test_an_interrupt_lets_tasks_finish():
    done, stop = [], threading.Event()

    def work(task):
        if task == 5:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            stop.wait(10)
        done.append(task)

    assert not run_tasks(range(1000), work, 1, stop)
    assert done[:6] == [0, 1, 2, 3, 4, 5]
    assert len(done) < 1000
    assert own_threads() == []


def test_a_second_interrupt_does_not_leave_threads_alone():
    done = []

    def work(task):
        for _ in range(3):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.05)
        done.append(task)

    assert not run_tasks(range(1000), work, 1)
    assert done == [0]
    assert own_threads() == []


def test_results_come_in_order_and_not_too_far_ahead():
    started = []

    def work(item):
        started.append(item)
        time.sleep(0.001 * (item % 3))
        return item * item

    for n, result in enumerate(map_in_order(work, iter(range(40)), 3)):
        assert result == n * n
        assert len(started) <= n + 3 + 3
    assert n == 39
    assert own_threads() == []


def test_a_failure_comes_at_its_place():
    def work(item):
        if item == 4:
            raise OSError("four")
        return item

    seen = []
    with pytest.raises(OSError, match="four"):
        seen.extend(map_in_order(work, range(100), 3))
    assert own_threads() == []


def test_who_stops_early_leaves_no_threads():
    results = map_in_order(abs, range(1000), 2)
    assert next(results) == 0
    results.close()
    assert own_threads() == []

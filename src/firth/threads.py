"""Work on several threads, for code that gives up Python's lock: the compiled core, files."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

__all__ = ["map_in_order", "run_in_order", "run_tasks"]

T = TypeVar("T")
R = TypeVar("R")


def run_tasks(
    tasks: Iterable[T],
    work: Callable[[T], object],
    workers: int,
    stop: threading.Event | None = None,
) -> bool:
    """Give tasks to threads, one after the other, until all are done.

    Parameters
    ----------
    tasks : iterable
        Asked for the next one by one thread at a time.
    work : callable
        Does one; called from several threads.
    workers : int
        How many threads.
    stop : threading.Event, optional
        Set when the rest is not wanted any more, after an error or Ctrl-C: for a `work` that looks
        at it, because it takes long.

    Returns
    -------
    bool
        Whether all was done; False after Ctrl-C, which lets each thread finish its task.

    Raises
    ------
    BaseException
        The first that `work` or `tasks` raised, when all threads have stopped.

    Examples
    --------
    >>> done = []
    >>> run_tasks(range(3), done.append, workers=2), sorted(done)
    (True, [0, 1, 2])
    """
    waiting = iter(tasks)
    lock = threading.Lock()
    stop = stop or threading.Event()
    begin, all_ended = threading.Event(), threading.Event()
    failures: list[BaseException] = []
    left = workers

    def run() -> None:
        nonlocal left
        begin.wait()
        try:
            for task in iter(take, _NOTHING):
                work(task)  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001 (raised again in the calling thread)
            failures.append(error)
            stop.set()
        with lock:
            left -= 1
            if not left:
                all_ended.set()

    def take() -> object:
        with lock:
            return _NOTHING if stop.is_set() else next(waiting, _NOTHING)

    # An event is waited for, and not the threads: up to Python 3.12, a Thread.join that Ctrl-C
    # interrupts takes the thread for stopped, and whoever joins it again does not wait at all.
    threads = [threading.Thread(target=run, name=f"firth-{number}") for number in range(workers)]
    finished = False
    try:
        for thread in threads:
            thread.start()
        begin.set()
        all_ended.wait()
        finished = True
    except KeyboardInterrupt:
        pass
    finally:
        # After anything that ends this early, no thread may go on alone; not even when Ctrl-C comes
        # twice, as `timeout` sends it: each has only its task to finish.
        stop.set()
        with lock:
            left -= sum(thread.ident is None for thread in threads)
            if not left:
                all_ended.set()
        begin.set()
        while not all_ended.is_set():
            with suppress(KeyboardInterrupt):
                all_ended.wait()
    if failures:
        raise failures[0]
    return finished


_NOTHING = object()


def run_in_order(
    tasks: Iterable[T], work: Callable[[T], R], use: Callable[[R], object], workers: int
) -> None:
    """Do tasks on threads, and use what comes of them in the order of the tasks.

    A thread takes the next task, does it, and hands on whatever is next: what a thread has made
    need not go to the core of another one. The calling thread only waits.

    Parameters
    ----------
    tasks : iterable
        Asked for the next one by one thread at a time.
    work : callable
        Does one; called from several threads.
    use : callable
        Takes a result; called by one thread at a time.
    workers : int
        How many threads.

    Raises
    ------
    BaseException
        The first that any of the three raised, when all threads have stopped; Ctrl-C among them.

    Examples
    --------
    >>> used = []
    >>> run_in_order([-1, 2, -3], abs, used.append, workers=2)
    >>> used
    [1, 2, 3]
    """
    stop = threading.Event()
    turn = threading.Condition()
    results: dict[int, R] = {}
    n_used = 0

    def few_ahead() -> Iterator[tuple[int, T]]:
        # One slow thread must not make the others fill the memory with what comes after it.
        for number, task in enumerate(tasks):
            with turn:
                while number > n_used + 4 * workers and not stop.is_set():
                    turn.wait(timeout=0.1)
            yield number, task

    def work_and_use(numbered: tuple[int, T]) -> None:
        nonlocal n_used
        number, task = numbered
        result = work(task)
        with turn:
            results[number] = result
            while n_used in results:
                use(results.pop(n_used))
                n_used += 1
            turn.notify_all()

    if not run_tasks(few_ahead(), work_and_use, workers, stop):
        raise KeyboardInterrupt


def map_in_order(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield the results of a function in the order of its arguments, computed on threads.

    Only a few are computed ahead, so that results need not fit into memory together. When the
    caller stops early, what is under way is waited for.

    Examples
    --------
    >>> list(map_in_order(abs, [-1, 2, -3], workers=2))
    [1, 2, 3]
    """
    under_way: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="firth") as threads:
        try:
            for item in items:
                under_way.append(threads.submit(work, item))
                if len(under_way) > workers + 1:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)

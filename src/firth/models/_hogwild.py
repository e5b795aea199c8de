"""Threads that share the matrices without locks (Recht et al. 2011, "Hogwild!")."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from firth.threads import run_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firth.models._schedule import Course, Done, Run
    from firth.progress import Progress


class Hogwild:
    """Gives chunks to threads, one after the other, which all change the same matrices.

    With one thread, the same plan gives the same bits.

    Parameters
    ----------
    train : callable
        Trains on a task of the plan; called from several threads.
    plan : Course
        The chunks.
    workers : int
        Threads.
    bar : Progress
        Told how many words are done.
    """

    def __init__(
        self, train: Callable[[Any], Done], plan: Course, workers: int, bar: Progress
    ) -> None:
        self._train = train
        self._plan = plan
        self._workers = workers
        self._bar = bar

    def advance(self, run: Run, until: int, deadline: float) -> None:
        """Train on the next chunks of the run.

        When it returns, no chunk is under way. Ctrl-C lets each thread finish its chunk, and is
        noted in the run.

        Parameters
        ----------
        run : Run
            Where the training is.
        until : int
            The chunk to stop before.
        deadline : float
            The time by `time.perf_counter` after which no further chunk is begun.

        Raises
        ------
        FormatError
            The corpus is damaged.
        ParameterError
            The training diverged: the learning rate is too high.
        """
        adding = threading.Lock()

        def numbers() -> Iterator[int]:
            begin = run.position
            for number in range(begin, until):
                # The first chunk is always trained on, so that every call gets further.
                if number > begin and time.perf_counter() >= deadline:
                    return
                yield number

        def work(number: int) -> None:
            task = self._plan.task(number)
            done = self._train(task)
            with adding:
                mean = run.add(self._plan, task, done)
            self._bar.advance(done.n_words, loss=mean)

        run.start_clock()
        try:
            run.interrupted = not run_tasks(numbers(), work, self._workers)
        finally:
            run.stop_clock()

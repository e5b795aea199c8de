"""Threads that share the matrices without locks (Recht et al. 2011, "Hogwild!")."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from firth.models._schedule import train_chunk
from firth.threads import run_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firth.corpus import Corpus
    from firth.models._schedule import ChunkTrainer, Plan, Run
    from firth.progress import Progress


class Hogwild:
    """Gives chunks to threads, one after the other, which all change the same matrices.

    With one thread, the same plan gives the same bits.

    Parameters
    ----------
    trainer : ChunkTrainer
        Called from several threads.
    corpus : Corpus
        The text.
    plan : Plan
        Its chunks.
    workers : int
        Threads.
    bar : Progress
        Told how many words are done.
    """

    def __init__(
        self, trainer: ChunkTrainer, corpus: Corpus, plan: Plan, workers: int, bar: Progress
    ) -> None:
        self._trainer = trainer
        self._corpus = corpus
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
            done = train_chunk(self._trainer, self._corpus, task)
            with adding:
                mean = run.add(self._plan, task, done)
            self._bar.advance(done.n_words, loss=mean)

        run.start_clock()
        try:
            run.interrupted = not run_tasks(numbers(), work, self._workers)
        finally:
            run.stop_clock()

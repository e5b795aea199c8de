"""Threads that share the matrices without locks (Recht et al. 2011, "Hogwild!")."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from firth.models._schedule import train_chunk

if TYPE_CHECKING:
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
            The time by `time.perf_counter` after which no chunk is begun.

        Raises
        ------
        FormatError
            The corpus is damaged.
        ParameterError
            The training diverged: the learning rate is too high.
        """
        numbers = iter(range(run.position, until))
        lock = threading.Lock()
        stop = threading.Event()
        failures: list[BaseException] = []

        def work() -> None:
            try:
                while not stop.is_set() and time.perf_counter() < deadline:
                    with lock:
                        number = next(numbers, None)
                    if number is None:
                        return
                    task = self._plan.task(number)
                    done = train_chunk(self._trainer, self._corpus, task)
                    with lock:
                        mean = run.add(self._plan, task, done)
                    self._bar.advance(done.n_words, loss=mean)
            except BaseException as error:  # noqa: BLE001 (raised again in the calling thread)
                failures.append(error)
                stop.set()

        threads: list[threading.Thread] = []
        run.start_clock()
        try:
            for number in range(self._workers):
                thread = threading.Thread(target=work, name=f"firth-{number}")
                threads.append(thread)
                thread.start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            run.interrupted = True
        finally:
            # After anything that ends this early, no thread may go on alone.
            stop.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()
            run.stop_clock()
        if failures:
            raise failures[0]

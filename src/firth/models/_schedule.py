"""Chunks of a corpus, given to threads one after the other.

A chunk is the unit of everything: the learning rate and the random numbers depend on its place in
the run and on nothing else, so that one thread or many draw the same samples, and with one thread
the same seed gives the same bits.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from firth.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from firth.corpus import Corpus
    from firth.progress import Progress

CHUNK_SIZE = 65_536  # tokens: some 15 ms of work, which hides what starting it costs


class ChunkTrainer(Protocol):
    """A compiled kernel with its matrices."""

    def train(
        self,
        ids: NDArray[np.uint32],
        sentence_ends: NDArray[np.int64],
        first_position: int,
        alpha: float,
        seed: int,
    ) -> tuple[float, int, int]:
        """Train on a chunk; returns the sum of the losses, the examples and the words kept."""


@dataclass
class Losses:
    """Loss of each epoch, added up in double precision."""

    sums: list[float]
    n_examples: list[int] = field(default_factory=list)

    @classmethod
    def of_epochs(cls, epochs: int) -> Losses:
        """Start with nothing."""
        return cls([0.0] * epochs, [0] * epochs)

    def add(self, epoch: int, loss: float, n_examples: int) -> None:
        """Count a chunk."""
        self.sums[epoch] += loss
        self.n_examples[epoch] += n_examples

    def mean(self, epoch: int) -> float:
        """Mean loss of the examples of an epoch so far; NaN before there are any."""
        n = self.n_examples[epoch]
        return self.sums[epoch] / n if n else float("nan")


@dataclass
class Run:
    """What a training run did.

    Attributes
    ----------
    losses : Losses
        By epoch.
    n_words : int
        Words of the corpus that were gone through, in all epochs.
    n_kept : int
        Those of them that subsampling left.
    seconds : float
        How long it took.
    interrupted : bool
        Whether Ctrl-C ended it early.
    """

    losses: Losses
    n_words: int = 0
    n_kept: int = 0
    seconds: float = 0.0
    interrupted: bool = False


@dataclass(frozen=True)
class _Task:
    epoch: int
    first_sentence: int
    last_sentence: int
    alpha: float
    seed: int


def train_chunks(
    trainer: ChunkTrainer,
    corpus: Corpus,
    *,
    epochs: int,
    alpha: float,
    min_alpha: float,
    seed: int,
    workers: int,
    bar: Progress,
) -> Run:
    """Train on all chunks of a corpus, `epochs` times.

    The learning rate falls from `alpha` to `min_alpha` in equal steps from chunk to chunk. Threads
    share the matrices without locks (Recht et al. 2011, "Hogwild!"). Ctrl-C lets each thread finish
    its chunk.

    Parameters
    ----------
    trainer : ChunkTrainer
        Called from several threads.
    corpus : Corpus
        The text.
    epochs, workers, seed : int
        Passes over the text, threads, and the seed of all that is random.
    alpha, min_alpha : float
        Learning rate of the first chunk, and of what would follow the last.
    bar : Progress
        Told how many words are done.

    Returns
    -------
    Run
        What was done.

    Raises
    ------
    FormatError
        The corpus is damaged.
    ParameterError
        The training diverged: the learning rate is too high.
    """
    run = Run(Losses.of_epochs(epochs))
    tasks = _tasks(corpus, epochs, alpha, min_alpha, seed)
    lock = threading.Lock()
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                with lock:
                    task = next(tasks, None)
                if task is None:
                    return
                n_words, loss, n_examples, n_kept = _train_chunk(trainer, corpus, task)
                with lock:
                    run.losses.add(task.epoch, loss, n_examples)
                    run.n_words += n_words
                    run.n_kept += n_kept
                    mean = run.losses.mean(task.epoch)
                bar.advance(n_words, loss=mean)
        except BaseException as error:  # noqa: BLE001 (raised again in the calling thread)
            failures.append(error)
            stop.set()

    started = time.perf_counter()
    threads: list[threading.Thread] = []
    try:
        for number in range(workers):
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
    run.seconds = time.perf_counter() - started
    if failures:
        raise failures[0]
    return run


def _train_chunk(trainer: ChunkTrainer, corpus: Corpus, task: _Task) -> tuple[int, float, int, int]:
    """Train on a chunk; returns its words, and what the kernel returns."""
    sentences = task.first_sentence, task.last_sentence
    ids, ends, first = corpus.chunk(*sentences)
    try:
        loss, n_examples, n_kept = trainer.train(ids, ends, first, task.alpha, task.seed)
    except ValueError as error:
        raise corpus.damaged(error) from error
    if not math.isfinite(loss):
        raise ParameterError(
            f"the training diverged in epoch {task.epoch + 1}, at the learning rate "
            f"{task.alpha:.3g}: the loss is no finite number any more. Lower alpha or negative; "
            f"where a few words make up most of the text, lower sample or ns_exponent too"
        )
    corpus.release(*sentences)
    return len(ids), loss, n_examples, n_kept


def _tasks(
    corpus: Corpus, epochs: int, alpha: float, min_alpha: float, seed: int
) -> Iterator[_Task]:
    starts = corpus.chunk_starts(CHUNK_SIZE).tolist()
    n_chunks = len(starts) - 1
    for epoch in range(epochs):
        for number in range(n_chunks):
            done = (epoch * n_chunks + number) / (epochs * n_chunks)
            random = np.random.SeedSequence((seed, epoch, number))
            yield _Task(
                epoch,
                starts[number],
                starts[number + 1],
                alpha - (alpha - min_alpha) * done,
                int(random.generate_state(1, np.uint64)[0]),
            )

"""Several threads and the same bits: each trains a replica of its own, and replicas are merged.

A round gives every thread the same number of chunks, which depends on nothing but the sizes of the
corpus and of the matrices. Each trains its own on its own replica. Then the rows are merged, shared
out among the threads, in a fixed order of additions. Nothing depends on who was faster.

How far a row moves
-------------------
W replicas begin a round with the same row. In an epoch a row is updated often, and each update
takes it a share `r` of the way to where the loss wants it, so that `n` updates take it the share
``1 - exp(-r n)`` (near enough a quadratic loss of curvature r / alpha). One thread that did the
work of all would have taken it ``1 - exp(-r W n)`` of the way; W replicas, each on its own, move by
deltas whose sum is W times ``1 - exp(-r n)``. So the sum of the deltas is multiplied by

    (1 - exp(-r W n)) / (W (1 - exp(-r n)))

For a rare row (r W n near 0) that is 1: the deltas are added up, since hardly two replicas have
touched it. For a frequent one it is 1 / W: each replica has gone all the way, and the mean is what
is wanted. Adding up everywhere diverges at frequent words; the mean everywhere (McDonald et al.
2010, "Distributed Training Strategies for the Structured Perceptron") unlearns W - 1 of W changes
of the rare ones.

`r` is the learning rate times the curvature: for a pair, sigmoid' times the squared length of the
other vector, about 2 where vectors have learned something. `n` is what is expected by the counts
of words, the windows and the noise.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from firth import _core
from firth.models._matrices import empty_matrix
from firth.models._schedule import CHUNK_SIZE, Done, train_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from firth.corpus import Corpus
    from firth.models._schedule import ChunkTrainer, Plan, Run, Task
    from firth.models._word_model import Matrices
    from firth.progress import Progress

CURVATURE = 2.0
# Words that a thread trains on between two merges, for each row of the matrices: what merging costs
# grows with the rows, and training must take several times as long.
WORDS_PER_ROW = 4
FREQUENT = 16
ROUNDS_PER_EPOCH = 8  # at least, where the corpus has the chunks

T = TypeVar("T")


class Rounds:
    """Trains on replicas, round by round.

    Parameters
    ----------
    matrices : dict of numpy.ndarray of float32, shape (n_rows, stride)
        What is trained; between two rounds all replicas are copies of it.
    make_trainer : callable
        Makes a trainer for matrices.
    shares : mapping of str to numpy.ndarray of float32, shape (n_rows,)
        For each matrix, how often a row is updated for a word of the text, on average.
    corpus, plan, workers, bar
        As for `Hogwild`.
    """

    def __init__(
        self,
        matrices: Matrices,
        make_trainer: Callable[[Matrices], ChunkTrainer],
        shares: Mapping[str, NDArray[np.float32]],
        corpus: Corpus,
        plan: Plan,
        workers: int,
        bar: Progress,
    ) -> None:
        self._matrices = matrices
        self._shares = shares
        self._corpus = corpus
        self._plan = plan
        self._workers = workers
        self._bar = bar
        # The first stands on the matrices themselves where there is no second to merge with.
        self._replicas = [
            {name: _copy(matrix) for name, matrix in matrices.items()} if workers > 1 else matrices
            for _ in range(workers)
        ]
        self._trainers = [make_trainer(replica) for replica in self._replicas]
        n_rows = sum(map(len, matrices.values()))
        wanted = round(n_rows * WORDS_PER_ROW / CHUNK_SIZE)
        most = plan.chunks_per_epoch // (workers * ROUNDS_PER_EPOCH)
        self._chunks_per_round = workers * max(min(wanted, most), 1)
        self._frequent = {
            name: np.sort(np.argsort(-share, kind="stable")[: len(share) // FREQUENT]).astype(
                np.uint32
            )
            for name, share in shares.items()
        }

    def advance(self, run: Run, until: int, deadline: float) -> None:
        """Train on the next rounds, up to the first that ends at `until` or behind it.

        When it returns, no chunk is under way and the replicas are merged. Ctrl-C is heard behind
        the round that is under way. Errors are those of `Hogwild.advance`.
        """
        with ThreadPoolExecutor(self._workers, thread_name_prefix="firth") as threads:
            while True:
                self._round(run, threads)
                if run.position >= until or run.ends or time.perf_counter() >= deadline:
                    break

    def _round(self, run: Run, threads: ThreadPoolExecutor) -> None:
        """Train on as many steps as a round has: a chunk for each thread, then another."""
        per_epoch, per_round = self._plan.chunks_per_epoch, self._chunks_per_round
        in_epoch = run.position % per_epoch
        n = min(per_round - in_epoch % per_round, per_epoch - in_epoch)
        end = run.position + n
        n_words = 0
        while run.position < end:
            numbers = range(run.position, min(run.position + self._workers, end))
            tasks = [self._plan.task(number) for number in numbers]
            run.start_clock()
            try:
                parts = _results(
                    [threads.submit(self._train, run, *each) for each in enumerate(tasks)], run
                )
                words_of_step = sum(done.n_words for done in parts)
                n_words += words_of_step
                if self._workers > 1:
                    rate = CURVATURE * tasks[0].alpha
                    self._merge(rate, words_of_step, n_words if numbers.stop == end else 0)
            finally:
                run.stop_clock()
            # In the order of the text: sums of floating-point numbers depend on it.
            for task, done in zip(tasks, parts, strict=True):
                run.add(self._plan, task, done)

    def _train(self, run: Run, worker: int, task: Task) -> Done:
        done = train_chunk(self._trainers[worker], self._corpus, task)
        mean = run.losses.mean(task.epoch)  # up to the step before
        self._bar.advance(done.n_words, **({} if math.isnan(mean) else {"loss": mean}))
        return done

    def _merge(self, rate: float, words_of_step: int, words_of_round: int) -> None:
        """Merge the frequent rows behind a step; all of them where a round ends there."""
        for name, matrix in self._matrices.items():
            replicas = [replica[name] for replica in self._replicas]
            share, rows = self._shares[name], self._frequent[name]
            factors = merge_factors(share[rows] * words_of_step, rate, self._workers)
            if not words_of_round:
                _core.merge_replicas(matrix, replicas, factors, rows, n_threads=self._workers)
                continue
            of_all = merge_factors(share * words_of_round, rate, self._workers)
            of_all[rows] = factors
            _core.merge_replicas(matrix, replicas, of_all, n_threads=self._workers)


def merge_factors(
    updates: NDArray[np.float32], rate: float, n_replicas: int
) -> NDArray[np.float32]:
    """Compute what the sum of the changes of each row is multiplied with.

    Parameters
    ----------
    updates : numpy.ndarray of float32, shape (n_rows,)
        How often a row was updated in the round, in all replicas together.
    rate : float
        The share of its way that a row goes with an update.
    n_replicas : int
        How many were trained.

    Returns
    -------
    numpy.ndarray of float32, shape (n_rows,)
        From 1 / n_replicas, for rows that are updated often, to 1.
    """
    total = np.maximum(np.asarray(updates, np.float64) * rate, 1e-9)
    factors: NDArray[np.float32] = (
        np.expm1(-total) / (n_replicas * np.expm1(-total / n_replicas))
    ).astype(np.float32)
    return factors


def _copy(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    # In memory with large pages, like the matrix itself.
    n_rows, stride = matrix.shape
    copy = empty_matrix(n_rows, stride)
    copy[:] = matrix
    return copy


def _results(futures: list[Future[T]], run: Run) -> list[T]:
    """Wait for all threads, also after Ctrl-C or an error in one of them."""
    while True:
        try:
            wait(futures)
            break
        except KeyboardInterrupt:
            run.interrupted = True
    return [future.result() for future in futures]

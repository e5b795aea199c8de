"""Several threads and the same bits: each trains a replica of its own, and replicas are merged.

Every thread trains its own chunk on its own replica. Then rows are merged, shared out among the
threads, in a fixed order of additions. When, and which, depends on nothing but the sizes of the
corpus and of the matrices, and on how many threads there are; not on who was faster.

How far a row moves
-------------------
W replicas begin with the same row. Each update takes it a share `r` of the way to where the loss
wants it, so that `n` updates take it the share
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
other vector, but in the direction of that vector only; over all directions less. With 0.4 both
skip-gram and CBOW learn well with two threads and are stable with eight, where 0.1 lets skip-gram
diverge. `n` is what is expected by the counts of words, the windows and the noise.

The nearer the replicas stay to each other, the less depends on that factor. So chunks are smaller
here, and frequent rows, which most updates go to, are merged behind each step of a chunk for every
thread; less frequent ones behind every fourth, every sixteenth step, and so on; all rows behind a
round.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from firth import _core
from firth.models._matrices import empty_matrix
from firth.models._schedule import Done, train_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from firth.corpus import Corpus
    from firth.models._schedule import ChunkTrainer, Plan, Run, Task
    from firth.models._word_model import Matrices
    from firth.progress import Progress

CURVATURE = 0.4
ROUND_CHUNK_SIZE = 16_384  # words: a quarter of that of other trainings, so that merges come often
# Of each matrix, one row for so many words of a chunk is merged behind every step.
WORDS_PER_MERGED_ROW = 12
BASE = 4  # rows of the next tier, and steps until they are merged, for each of the one before
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
        first = max(plan.n_words // plan.n_chunks // WORDS_PER_MERGED_ROW, 1)
        n_rows = max(map(len, matrices.values()))
        most_steps = max(plan.chunks_per_epoch // (workers * ROUNDS_PER_EPOCH), 1)
        tiers = min(round(math.log(max(n_rows / first, 1), BASE)), int(math.log(most_steps, BASE)))
        self._steps_per_round = BASE**tiers
        self._tiers = {name: _Tiers(share, first, tiers, workers) for name, share in shares.items()}

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
        per_epoch = self._plan.chunks_per_epoch
        per_round = self._steps_per_round * self._workers
        in_epoch = run.position % per_epoch
        end = run.position + min(per_round - in_epoch % per_round, per_epoch - in_epoch)
        step = 0
        while run.position < end:
            step += 1
            numbers = range(run.position, min(run.position + self._workers, end))
            tasks = [self._plan.task(number) for number in numbers]
            run.start_clock()
            try:
                parts = _results(
                    [threads.submit(self._train, run, *each) for each in enumerate(tasks)], run
                )
                if self._workers > 1:
                    n_words = sum(done.n_words for done in parts)
                    is_last = numbers.stop == end
                    self._merge(CURVATURE * tasks[0].alpha, n_words, 0 if is_last else step)
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

    def _merge(self, rate: float, n_words: int, step: int) -> None:
        for name, matrix in self._matrices.items():
            rows, factors = self._tiers[name].due(rate, n_words, step)
            replicas = [replica[name] for replica in self._replicas]
            _core.merge_replicas(matrix, replicas, factors, rows, n_threads=self._workers)


class _Tiers:
    """The rows of a matrix by how often they are updated, and when they are merged.

    The most frequent rows are merged behind every step, `BASE` times as many behind every step
    whose number `BASE` divides, and so on: so each tier costs the same, and a row that is updated
    often never waits long.

    Parameters
    ----------
    share : numpy.ndarray of float32, shape (n_rows,)
        How often each is updated for a word of the text.
    first : int
        Rows of the first tier.
    last : int
        The number of the last tier, counted from 0, which has all that are left.
    workers : int
        Replicas.
    """

    def __init__(self, share: NDArray[np.float32], first: int, last: int, workers: int) -> None:
        self._rows = np.argsort(-share, kind="stable").astype(np.uint32)
        self._share = share[self._rows]
        self._ends = [min(first * BASE**tier, len(share)) for tier in range(last)] + [len(share)]
        self._words = [0] * len(self._ends)
        self._workers = workers

    def due(
        self, rate: float, n_words: int, step: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Give the rows to be merged behind a step of so many words, and their factors.

        Steps count from 1; behind step 0, which ends a round, all rows are.
        """
        self._words = [words + n_words for words in self._words]
        last = 0
        while last + 1 < len(self._ends) and step % BASE ** (last + 1) == 0:
            last += 1
        factors, begin = [], 0
        for tier in range(last + 1):
            end = self._ends[tier]
            updates = self._share[begin:end] * self._words[tier]
            factors.append(merge_factors(updates, rate, self._workers))
            begin, self._words[tier] = end, 0
        return self._rows[:begin], np.concatenate(factors)


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

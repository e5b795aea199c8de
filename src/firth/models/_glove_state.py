"""What GloVe trains, and the chunks of its pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from firth.models._glove_rows import (
    CONTEXT,
    CONTEXT_SQUARES,
    WORD,
    WORD_SQUARES,
    initial_biases,
    initial_rows,
)
from firth.models._schedule import DivergedError, Done

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from firth import _core
    from firth.cooccurrence import Cooccurrences
    from firth.models._dealt import DealtCooccurrences
    from firth.models._schedule import Run

    Side = tuple[NDArray[np.float32], NDArray[np.float32]]

_PARTS = {
    "words": WORD,
    "word_squares": WORD_SQUARES,
    "contexts": CONTEXT,
    "context_squares": CONTEXT_SQUARES,
}


class GloveState:
    """All that is trained.

    Parameters
    ----------
    n_words, vector_size, seed : int

    Attributes
    ----------
    rows, biases : numpy.ndarray of float32
        As `initial_rows` and `initial_biases` make them.
    """

    def __init__(self, n_words: int, vector_size: int, seed: int) -> None:
        self._size = vector_size
        self.rows = initial_rows(n_words, vector_size, seed)
        self.biases = initial_biases(n_words, vector_size, seed)

    def matrices(self) -> dict[str, NDArray[np.float32]]:
        """Give views of all of it, without padding."""
        parts = self.rows.reshape(len(self.rows), 4, -1)
        views = {name: parts[:, part, : self._size] for name, part in _PARTS.items()}
        return views | {"biases": self.biases}

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Tell the shapes of `matrices`."""
        return {name: (len(m), m.shape[1]) for name, m in self.matrices().items()}

    def take(self, matrices: Mapping[str, NDArray[np.float32]]) -> None:
        """Go on from what `matrices` gave."""
        for name, matrix in self.matrices().items():
            matrix[:] = matrices[name]

    def sides(self) -> tuple[Side, Side]:
        """Give views of vectors and biases, of the words and of the contexts."""
        parts = self.matrices()
        return (
            (parts["words"], self.biases[:, WORD]),
            (parts["contexts"], self.biases[:, CONTEXT]),
        )


@dataclass(frozen=True)
class PairTask:
    """A chunk of pairs, and what it is trained with."""

    epoch: int
    chunk: int
    alpha: float
    seed: int


@dataclass(frozen=True)
class PairPlan:
    """The chunks of all epochs, in another random order each; a `Course`.

    Attributes
    ----------
    chunks_per_epoch, epochs, seed : int
    n_pairs : int
        Pairs of an epoch.
    learning_rate : float
        The same all the time: AdaGrad lowers it by itself.
    """

    chunks_per_epoch: int
    epochs: int
    seed: int
    n_pairs: int
    learning_rate: float

    @property
    def n_chunks(self) -> int:
        return self.epochs * self.chunks_per_epoch

    @property
    def n_words(self) -> int:
        return self.epochs * self.n_pairs

    def task(self, number: int) -> PairTask:
        """Give a chunk of the run, counted from 0."""
        epoch, place = divmod(number, self.chunks_per_epoch)
        chunk = int(_order(self.seed, epoch, self.chunks_per_epoch)[place])
        random = np.random.SeedSequence((self.seed, epoch, chunk))
        seed = int(random.generate_state(1, np.uint64)[0])
        return PairTask(epoch, chunk, self.learning_rate, seed)

    def diverged(self, number: int) -> DivergedError:
        """Make the error to raise when a chunk makes numbers that are no numbers any more."""
        return DivergedError(
            f"the training diverged in epoch {number // self.chunks_per_epoch + 1}: the loss is no "
            f"finite number any more. Lower learning_rate (it is {self.learning_rate:g})"
        )


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, n_chunks: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(n_chunks)


def train_pairs(
    trainer: _core.GloveTrainer,
    dealt: DealtCooccurrences,
    counts: Cooccurrences,
    plan: PairPlan,
    task: PairTask,
) -> Done:
    """Train on a chunk.

    Raises
    ------
    FormatError
        The co-occurrences are damaged.
    ParameterError
        The training diverged: the learning rate is too high.
    """
    try:
        loss, n = trainer.train(dealt.read(task.chunk), task.seed)
    except ValueError as error:
        raise counts.damaged(error) from error
    if not math.isfinite(loss):
        raise plan.diverged(task.epoch * plan.chunks_per_epoch)
    return Done(n, loss, n, n)


class EpochsElsewhere:
    """An engine for what trains in other processes, an epoch at a time.

    Parameters
    ----------
    train_epoch : callable
        As of `GloVe.train_by`.
    plan : PairPlan
        An epoch is a chunk.
    """

    def __init__(
        self, train_epoch: Callable[[int], tuple[float, int, bool]], plan: PairPlan
    ) -> None:
        self._train_epoch = train_epoch
        self._plan = plan

    def advance(self, run: Run, until: int, deadline: float) -> None:  # noqa: ARG002
        """Train on the next epoch."""
        run.start_clock()
        loss, n, is_whole = self._train_epoch(run.position)
        run.stop_clock()
        if is_whole:
            run.add(self._plan, self._plan.task(run.position), Done(n, loss, n, n))
        else:
            run.losses.add(run.position, loss, n)
            run.interrupted = True

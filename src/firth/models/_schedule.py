"""Chunks of a corpus, and what a run has done with them.

A chunk is the unit of everything: the learning rate and the random numbers depend on its place in
the run and on nothing else, so that one thread or many draw the same samples, and with one thread
the same seed gives the same bits. A run can stop between two chunks and go on as if it had not.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from firth.errors import ParameterError
from firth.models._curve import Curve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from firth.corpus import Corpus
    from firth.errors import FormatError

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


class Text(Protocol):
    """What chunks are cut from: a `Corpus`, or what does its part in another process."""

    def chunk(
        self, first_sentence: int, last_sentence: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64], int]:
        """Give sentences, as `Corpus.chunk`."""

    def release(self, first_sentence: int, last_sentence: int) -> None:
        """Let the memory of sentences go that have been read."""

    def damaged(self, what: object) -> FormatError:
        """Make the error to raise when it is not what it should be."""


@dataclass(frozen=True)
class Task:
    """A chunk, and what it is trained with."""

    epoch: int
    first_sentence: int
    last_sentence: int
    alpha: float
    seed: int


class Course(Protocol):
    """What a training goes through: so many chunks, in their order. `Plan` is one."""

    @property
    def chunks_per_epoch(self) -> int: ...

    @property
    def n_chunks(self) -> int: ...

    @property
    def n_words(self) -> int:
        """Words of all epochs, or what is counted instead."""

    def task(self, number: int) -> Any:
        """Give a chunk of the run, counted from 0: its `epoch`, its learning rate `alpha`."""

    def diverged(self, number: int) -> DivergedError:
        """Make the error to raise when a chunk makes numbers that are no numbers any more."""


@dataclass(frozen=True)
class Plan:
    """The chunks of a run in their order: those of the corpus, `epochs` times.

    Attributes
    ----------
    starts : list of int
        The first sentence of each chunk of the corpus, and the number of sentences.
    word_ends : numpy.ndarray of int64, shape (chunks_per_epoch,)
        The words of the corpus up to the end of each chunk.
    epochs : int
        Passes over the corpus.
    alpha, min_alpha : float
        Learning rate of the first chunk, and of what would follow the last; it falls in between in
        equal steps.
    seed : int
        Of all that is random.
    epochs_before : int
        Passes of the trainings before this one, whose random numbers are not drawn again.
    """

    starts: list[int]
    word_ends: NDArray[np.int64]
    epochs: int
    alpha: float
    min_alpha: float
    seed: int
    epochs_before: int = 0

    @classmethod
    def of_corpus(cls, corpus: Corpus, chunk_size: int | None = None, **how: Any) -> Self:
        """Cut a corpus into chunks of about `chunk_size` words."""
        starts = corpus.chunk_starts(chunk_size or CHUNK_SIZE)
        return cls(starts.tolist(), corpus.sentence_ends[starts[1:] - 1], **how)

    @property
    def chunks_per_epoch(self) -> int:
        return len(self.starts) - 1

    @property
    def n_chunks(self) -> int:
        return self.epochs * self.chunks_per_epoch

    @property
    def n_words(self) -> int:
        return self.epochs * int(self.word_ends[-1])

    def chunk_behind(self, words: float) -> int:
        """Give the first chunk before which so many words of the run are done."""
        epoch, rest = divmod(words, int(self.word_ends[-1]))
        return (
            int(epoch) * self.chunks_per_epoch
            + int(np.searchsorted(self.word_ends, rest))
            + (rest > 0)
        )

    def alpha_of(self, number: int) -> float:
        """Give the learning rate of a chunk of the run."""
        return self.alpha - (self.alpha - self.min_alpha) * (number / self.n_chunks)

    def task(self, number: int) -> Task:
        """Give a chunk of the run, counted from 0."""
        epoch, chunk = divmod(number, self.chunks_per_epoch)
        random = np.random.SeedSequence((self.seed, self.epochs_before + epoch, chunk))
        return Task(
            epoch,
            self.starts[chunk],
            self.starts[chunk + 1],
            self.alpha_of(number),
            int(random.generate_state(1, np.uint64)[0]),
        )

    def diverged(self, number: int) -> DivergedError:
        """Make the error to raise when a chunk makes numbers that are no numbers any more."""
        return diverged(self.task(number))


@dataclass
class Losses:
    """Loss of each epoch, added up in double precision."""

    sums: list[float]
    n_examples: list[int]

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
        return self.sums[epoch] / n if n else math.nan


@dataclass
class Done:
    """What training on a chunk did."""

    n_words: int
    loss: float
    n_examples: int
    n_kept: int


@dataclass
class Run:
    """How far a training is, and what it did until then.

    Attributes
    ----------
    losses : Losses
        By epoch.
    position : int
        Chunks that are done; between two segments these are the first ones of the plan.
    n_words : int
        Words of the corpus that were gone through, in all epochs.
    n_kept : int
        Those of them that subsampling left.
    seconds : float
        How long training took, without what looked at it in between.
    interrupted : bool
        Whether Ctrl-C ended it early.
    stopped : str
        Why it ended early otherwise; empty if it did not.
    curve : Curve
        The loss along the way.
    """

    losses: Losses
    position: int = 0
    n_words: int = 0
    n_kept: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    stopped: str = ""
    curve: Curve = field(default_factory=Curve)
    _resumed_at: float | None = field(default=None, repr=False)

    @classmethod
    def of_epochs(cls, epochs: int) -> Self:
        """Start at the first chunk."""
        return cls(Losses.of_epochs(epochs))

    @property
    def ends(self) -> bool:
        """Whether something ended it before its last chunk."""
        return self.interrupted or bool(self.stopped)

    def add(self, plan: Course, task: Any, done: Done) -> float:
        """Count a chunk; returns the mean loss of its epoch so far."""
        self.losses.add(task.epoch, done.loss, done.n_examples)
        self.position += 1
        self.n_words += done.n_words
        self.n_kept += done.n_kept
        epochs = self.position / plan.chunks_per_epoch
        self.curve.add(
            done.loss, done.n_examples, n_chunks=plan.n_chunks, words=self.n_words,
            epochs=epochs, alpha=task.alpha, seconds=self.seconds_now(),
        )  # fmt: skip
        return self.losses.mean(task.epoch)

    def start_clock(self) -> None:
        """Count seconds from here on."""
        self._resumed_at = time.perf_counter()

    def stop_clock(self) -> None:
        """Count seconds up to here."""
        self.seconds = self.seconds_now()
        self._resumed_at = None

    def seconds_now(self) -> float:
        """Seconds of training until now."""
        running = 0.0 if self._resumed_at is None else time.perf_counter() - self._resumed_at
        return self.seconds + running

    def state(self) -> dict[str, Any]:
        """Tell all of it, as JSON can hold it; every number comes back to the last bit."""
        return {
            "position": self.position,
            "n_words": self.n_words,
            "n_kept": self.n_kept,
            "seconds": self.seconds,
            "losses": self.losses.sums,
            "n_examples": self.losses.n_examples,
            "curve": self.curve.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Go back to where `state` was called; it may raise KeyError, TypeError or ValueError."""
        losses = Losses(
            [float(loss) for loss in state["losses"]], [int(n) for n in state["n_examples"]]
        )
        if len(losses.sums) != len(losses.n_examples):
            raise ValueError("losses and examples differ in their number")
        return cls(
            losses,
            int(state["position"]),
            int(state["n_words"]),
            int(state["n_kept"]),
            float(state["seconds"]),
            curve=Curve.from_state(state["curve"]),
        )


class DivergedError(ParameterError):
    """The loss is no finite number any more."""


def train_chunk(trainer: ChunkTrainer, corpus: Text, task: Task) -> Done:
    """Train on a chunk.

    Raises
    ------
    FormatError
        The corpus is damaged.
    ParameterError
        The training diverged: the learning rate is too high.
    """
    sentences = task.first_sentence, task.last_sentence
    ids, ends, first = corpus.chunk(*sentences)
    try:
        loss, n_examples, n_kept = trainer.train(ids, ends, first, task.alpha, task.seed)
    except ValueError as error:
        raise corpus.damaged(error) from error
    if not math.isfinite(loss):
        raise diverged(task)
    corpus.release(*sentences)
    return Done(len(ids), loss, n_examples, n_kept)


def diverged(task: Task) -> DivergedError:
    """Make the error to raise when numbers are no numbers any more."""
    return DivergedError(
        f"the training diverged in epoch {task.epoch + 1}, at the learning rate "
        f"{task.alpha:.3g}: the loss is no finite number any more. Lower alpha or negative; "
        f"where a few words make up most of the text, lower sample or ns_exponent too"
    )

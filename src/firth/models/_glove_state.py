"""What GloVe trains, and the chunks of its pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import ParameterError
from firth.models._matrices import FLOATS_PER_CACHE_LINE, empty_matrix
from firth.models._schedule import DivergedError, Done

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from firth import _core
    from firth.cooccurrence import Cooccurrences
    from firth.models._dealt import DealtCooccurrences

_WORD, _WORD_SQUARES, _CONTEXT, _CONTEXT_SQUARES = range(4)
_PARTS = {
    "words": _WORD,
    "word_squares": _WORD_SQUARES,
    "contexts": _CONTEXT,
    "context_squares": _CONTEXT_SQUARES,
}
_ROWS_PER_BLOCK = 65_536


class GloveState:
    """What the kernel trains: of each word two vectors and two biases, each with sums of squares.

    As in GloVe's own program, vectors and biases begin with random numbers up to
    ``0.5 / vector_size``, and sums at 1, so that the first step has the full learning rate.

    Parameters
    ----------
    n_words, vector_size, seed : int

    Attributes
    ----------
    rows : numpy.ndarray of float32, shape (n_words, 4 * stride)
        Word, its sums, context, its sums; each with padding.
    biases : numpy.ndarray of float32, shape (n_words, 4)
        The same of the biases.

    Raises
    ------
    ParameterError
        They do not fit into memory.
    """

    def __init__(self, n_words: int, vector_size: int, seed: int) -> None:
        self._size = vector_size
        self._stride = -(-vector_size // FLOATS_PER_CACHE_LINE) * FLOATS_PER_CACHE_LINE
        try:
            self.rows = empty_matrix(n_words, 4 * self._stride)
        except ParameterError as error:
            raise ParameterError(
                f"{n_words:,} words x {vector_size:,} dimensions need "
                f"{n_words * self._stride * 16 / 1e9:.1f} GB, which this machine does not have; "
                f"lower vector_size, or the number of words by min_count or max_final_vocab"
            ) from error
        random = np.random.default_rng(seed)
        for begin in range(0, n_words, _ROWS_PER_BLOCK):
            block = self.rows[begin : begin + _ROWS_PER_BLOCK].reshape(-1, 4, self._stride)
            for part in (_WORD, _CONTEXT):
                values = random.random((len(block), vector_size), dtype=np.float32)
                block[:, part, :vector_size] = (values - 0.5) / vector_size
                block[:, part + 1] = 1.0
        values = np.random.default_rng((seed, 1)).random((n_words, 4), dtype=np.float32)
        self.biases: NDArray[np.float32] = (values - np.float32(0.5)) / np.float32(vector_size)
        self.biases[:, [_WORD_SQUARES, _CONTEXT_SQUARES]] = 1.0

    @staticmethod
    def shapes(n_words: int, vector_size: int) -> dict[str, tuple[int, int]]:
        """Tell the shapes of `matrices`."""
        return dict.fromkeys(_PARTS, (n_words, vector_size)) | {"biases": (n_words, 4)}

    def matrices(self) -> dict[str, NDArray[np.float32]]:
        """Give views of all that is trained, without padding."""
        parts = {name: self._part(number) for name, number in _PARTS.items()}
        return parts | {"biases": self.biases}

    def _part(self, number: int) -> NDArray[np.float32]:
        begin = number * self._stride
        return self.rows[:, begin : begin + self._size]

    def take(self, matrices: Mapping[str, NDArray[np.float32]]) -> None:
        """Go on from what `matrices` gave."""
        for name, matrix in self.matrices().items():
            matrix[:] = matrices[name]

    def vectors(self, model: str) -> NDArray[np.float32]:
        """Make the vectors to be kept, in new memory; `model` as of `GloVe`."""
        words, contexts = self._part(_WORD), self._part(_CONTEXT)
        if model == "concatenated":
            return np.concatenate([words, contexts], axis=1)
        return words + contexts if model == "sum" else words.copy()

    def biases_of_words(self) -> NDArray[np.float32]:
        """Copy the biases of words, shape (n_words,)."""
        return self.biases[:, _WORD].copy()

    def biases_of_contexts(self) -> NDArray[np.float32]:
        """Copy the biases of contexts, shape (n_words,)."""
        return self.biases[:, _CONTEXT].copy()


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

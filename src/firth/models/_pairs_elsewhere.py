"""GloVe in other processes: rows of some words and contexts, and the pairs between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from firth import _core
from firth.errors import FormatError
from firth.models._matrices import FLOATS_PER_CACHE_LINE, empty_matrix
from firth.models._schedule import DivergedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ROWS_PER_BLOCK = 65_536


@dataclass(frozen=True)
class GloveRecipe:
    """What a GloVe is before it is trained; parameters of `GloVe`, as they were validated there."""

    vector_size: int
    learning_rate: float
    x_max: float
    alpha: float
    seed: int

    @property
    def stride(self) -> int:
        """Numbers that a vector takes in the rows that are trained."""
        return -(-self.vector_size // FLOATS_PER_CACHE_LINE) * FLOATS_PER_CACHE_LINE

    @property
    def bytes_per_row(self) -> int:
        """What a word takes as a word, or as a context."""
        return 4 * (2 * self.stride + 2)


@dataclass(frozen=True)
class GloveRows:
    """Some words, as words or as contexts.

    Attributes
    ----------
    vectors : numpy.ndarray of float32, shape (n_words, 2 * stride)
        The vector of each, and behind it the sums of squares of AdaGrad.
    biases : numpy.ndarray of float32, shape (n_words, 2)
        The same of the bias.
    """

    vectors: NDArray[np.float32]
    biases: NDArray[np.float32]

    @classmethod
    def draw(cls, recipe: GloveRecipe, n_words: int, *place: int) -> GloveRows:
        """Make rows to begin with, as on one machine; `place` tells them from others' rows."""
        random = np.random.default_rng((recipe.seed, *place))
        size, stride = recipe.vector_size, recipe.stride
        vectors = np.zeros((n_words, 2 * stride), np.float32)
        vectors[:, stride:] = 1.0
        for begin in range(0, n_words, _ROWS_PER_BLOCK):
            block = vectors[begin : begin + _ROWS_PER_BLOCK, :size]
            block[:] = (random.random(block.shape, dtype=np.float32) - 0.5) / size
        biases = np.ones((n_words, 2), np.float32)
        biases[:, 0] = (random.random(n_words, dtype=np.float32) - 0.5) / size
        return cls(vectors, biases)

    @classmethod
    def of_shares(cls, shares: Sequence[GloveRows]) -> GloveRows:
        """Put shares together: row i is in share ``i % n``."""
        n, n_words = len(shares), sum(map(len, shares))
        vectors = np.empty((n_words, shares[0].vectors.shape[1]), np.float32)
        biases = np.empty((n_words, 2), np.float32)
        for number, share in enumerate(shares):
            vectors[number::n], biases[number::n] = share.vectors, share.biases
        return cls(vectors, biases)

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def n_bytes(self) -> int:
        """What they take on the way."""
        return self.vectors.nbytes + self.biases.nbytes


class GloveBlock:
    """Trains the pairs between some words and some contexts.

    Word i of the words and context i of the contexts share a row of what the kernel trains. It
    takes them for a word's two sides, and changes one side for the words of pairs and the other for
    their contexts; so no side needs a row of its own.

    Parameters
    ----------
    recipe : GloveRecipe
        What the model is.
    words, contexts : GloveRows
        Copied.
    """

    def __init__(self, recipe: GloveRecipe, words: GloveRows, contexts: GloveRows) -> None:
        self._learning_rate = recipe.learning_rate
        self._sizes = len(words), len(contexts)
        self._half = 2 * recipe.stride
        self._rows = empty_matrix(max(self._sizes), 2 * self._half)
        self._biases = np.ones((max(self._sizes), 4), np.float32)
        for side, rows in enumerate((words, contexts)):
            self._rows[: len(rows), side * self._half : (side + 1) * self._half] = rows.vectors
            self._biases[: len(rows), 2 * side : 2 * side + 2] = rows.biases
        self._trainer = _core.GloveTrainer(
            self._rows,
            self._biases,
            learning_rate=recipe.learning_rate,
            x_max=recipe.x_max,
            alpha=recipe.alpha,
            symmetric=False,
        )

    def train(self, pairs: NDArray[np.uint32], seed: int) -> tuple[float, int]:
        """Train on pairs; safe from several threads.

        Parameters
        ----------
        pairs : numpy.ndarray of uint32, shape (n, 3)
            Word, context, and the bits of the count as a float32; those of a word together.
        seed : int
            Of their order.

        Returns
        -------
        loss, n : float, int
            Sum of the losses, and of how many pairs.

        Raises
        ------
        DivergedError
            The loss is no finite number.
        FormatError
            The pairs are damaged.
        """
        try:
            loss, n = self._trainer.train(pairs, seed)
        except ValueError as error:
            raise FormatError(f"the counted pairs are damaged ({error}); train again") from error
        if not math.isfinite(loss):
            raise DivergedError(
                f"the training diverged: the loss is no finite number any more. Lower "
                f"learning_rate (it is {self._learning_rate:g})"
            )
        return loss, n

    def rows(self) -> tuple[GloveRows, GloveRows]:
        """Give words and contexts, as they were trained."""
        words, contexts = (
            GloveRows(
                self._rows[:n, side * self._half : (side + 1) * self._half].copy(),
                self._biases[:n, 2 * side : 2 * side + 2].copy(),
            )
            for side, n in enumerate(self._sizes)
        )
        return words, contexts

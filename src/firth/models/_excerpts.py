"""Training on an excerpt: those rows that some text needs, where all rows are too many for a place.

A pair of skip-gram or CBOW changes rows of the words of the text around it, and of its negatives.
The words are known before. Negatives are drawn in two steps instead of one: first as many words as
asked for from all of the vocabulary, in proportion to the noise distribution, then out of these by
the kernel, each as often as it is among them. So every negative comes from the noise distribution,
and those of an excerpt have each other's company more often than others.

The first step takes every so many-th of the noise from a random place on (systematic sampling): a
word gets its share of the excerpt, rounded up or down at random. Frequent words so are never more
often there, or more seldom, than they should be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import ParameterError
from firth.models._matrices import empty_matrix, uniform_blocks
from firth.models._sampling import keep_limits, noise_weights, share_kept, tables_of_runs
from firth.models._schedule import train_chunk
from firth.models._word2vec import HOT_ROWS, Word2Vec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.errors import FormatError
    from firth.models._elsewhere import Recipe
    from firth.models._schedule import Done, Task, Text
    from firth.models._word_model import Matrices

    Numbers = NDArray[np.uint32]


class Excerpts:
    """Makes excerpts of a model.

    Parameters
    ----------
    recipe : Recipe
        What the model is; its weights are not looked at.
    threads : int
        How many will train an excerpt at the same time.

    Attributes
    ----------
    shares : dict of numpy.ndarray of float32, shape (n_words,)
        As of `Replica`.
    """

    def __init__(self, recipe: Recipe, threads: int) -> None:
        self.model = recipe.make(threads)
        check_excerpts(self.model)
        counts = recipe.vocab.counts
        self.n_threads = threads
        self.shares = self.model.update_shares()
        self.limits = keep_limits(counts, self.model.sample)
        self.n_kept = max(float(share_kept(counts, self.model.sample).sum()), 1e-12)
        weights = noise_weights(counts, self.model.ns_exponent)
        self._noise_ends = np.cumsum(weights / weights.sum())
        self._noise_ends[-1] = 1.0

    def draw(self, place: int, n: int) -> Matrices:
        """Draw the rows i of ``i % n == place`` as they are before any training."""
        n_words, size = len(self.limits), self.model.vector_size
        inputs = np.empty((len(range(place, n_words, n)), size), np.float32)
        for begin, block in uniform_blocks(n_words, size, self.model.seed):
            first = begin + (place - begin) % n
            theirs = block[first - begin :: n]
            inputs[first // n : first // n + len(theirs)] = theirs
        return {"input": inputs, "targets": np.zeros_like(inputs)}

    def excerpt(self, words: Numbers, n_noise: int, seed: int) -> Excerpt:
        """Choose rows.

        Parameters
        ----------
        words : numpy.ndarray of uint32, shape (n,)
            Those of the text, rising.
        n_noise : int
            How many words are drawn to be negatives; the same one may be drawn several times.
        seed : int
            Of the draw.
        """
        places = (np.arange(n_noise) + np.random.default_rng(seed).random()) / n_noise
        noise, times = np.unique(
            np.searchsorted(self._noise_ends, places, side="right").astype(np.uint32),
            return_counts=True,
        )
        return Excerpt(self, words, noise, times)


class Excerpt:
    """Some rows of a model, and what trains them.

    Attributes
    ----------
    numbers : dict of numpy.ndarray of uint32, shape (n,)
        The rows that it needs of each matrix, rising.
    """

    def __init__(
        self, of: Excerpts, words: Numbers, noise: Numbers, times: NDArray[np.int64]
    ) -> None:
        rows = np.union1d(words, noise)
        self.numbers = {"input": words, "targets": rows}
        self._of = of
        weights = np.zeros(len(rows))
        weights[np.searchsorted(rows, noise)] = times
        # Those drawn equally often are neighbours, so that the tables are small; the most frequent
        # ones come first.
        order = np.argsort(-weights, kind="stable")
        place = np.empty(len(rows), np.int64)
        place[order] = np.arange(len(rows))
        self._rows, self._weights = rows[order], weights[order]
        self._places = {"input": place[np.searchsorted(rows, words)], "targets": place}
        self._place_of_word = np.zeros(len(of.limits), np.uint32)
        self._place_of_word[rows] = place
        self._before: Matrices = {}
        self._matrices: Matrices = {}

    def take(self, values: Matrices) -> None:
        """Take the rows of `numbers`, and get ready to train them."""
        model, shares = self._of.model, self._of.shares
        self._before = values
        for name, rows in values.items():
            matrix = empty_matrix(len(self._rows), model.vector_size)
            matrix[self._places[name], : model.vector_size] = rows
            self._matrices[name] = matrix
        columns, run_starts = tables_of_runs(self._weights)
        more: dict[str, Any] = {"noise_columns": columns, "noise_run_starts": run_starts}
        if self._of.n_threads > 1:
            hot = self._rows[:HOT_ROWS]
            more |= {
                f"hot_{name}": (share[hot] / self._of.n_kept).astype(np.float32)
                for name, share in shares.items()
            }
        self._trainer = model.make_trainer_of_excerpt(
            self._matrices, self._of.limits[self._rows], n_threads=self._of.n_threads, **more
        )

    def train(self, text: Text, task: Task) -> Done:
        """Train on a chunk of the text that it was made for; errors are those of `train_chunk`."""
        return train_chunk(self._trainer, _Renamed(text, self._place_of_word), task)

    def changes(self, name: str) -> tuple[Numbers, NDArray[np.float32]]:
        """Give which rows of a matrix have changed, and by how much."""
        now = self._matrices[name][self._places[name], : self._of.model.vector_size]
        has_changed = (now != self._before[name]).any(axis=1)
        return self.numbers[name][has_changed], (now - self._before[name])[has_changed]


class _Renamed:
    """A text whose words have other numbers."""

    def __init__(self, text: Text, numbers: Numbers) -> None:
        self._text = text
        self._numbers = numbers

    def chunk(
        self, first_sentence: int, last_sentence: int
    ) -> tuple[Numbers, NDArray[np.int64], int]:
        ids, ends, first = self._text.chunk(first_sentence, last_sentence)
        return self._numbers[ids], ends, first

    def release(self, first_sentence: int, last_sentence: int) -> None:
        self._text.release(first_sentence, last_sentence)

    def damaged(self, what: object) -> FormatError:
        return self._text.damaged(what)


def check_excerpts(model: Word2Vec) -> None:
    """Refuse models of which there are no excerpts.

    Raises
    ------
    ParameterError
        It is not skip-gram or CBOW with negative sampling alone.
    """
    if type(model) is not Word2Vec or model.hs or not model.negative:
        raise ParameterError(
            f"the rows of this {type(model).__name__} cannot be split among workers: that takes "
            f"skip-gram or CBOW by negative sampling alone (a Word2Vec, hs=0, negative above 0)"
        )

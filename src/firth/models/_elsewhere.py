"""Models that are trained in other processes: what makes one there, and trains its copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from firth.models._fasttext import FastText
from firth.models._schedule import train_chunk
from firth.models._word2vec import Word2Vec

if TYPE_CHECKING:
    from firth.models._schedule import Done, Task, Text
    from firth.models._word_model import Matrices
    from firth.vocab import Vocab

_CLASSES: dict[str, type[Word2Vec]] = {"Word2Vec": Word2Vec, "FastText": FastText}


@dataclass(frozen=True)
class Recipe:
    """All that a model is before it is trained, to be sent to other processes.

    Attributes
    ----------
    class_name : str
        "Word2Vec" or "FastText".
    parameters : dict
        Those of the class.
    vocab : Vocab
        The words.
    weights : dict of numpy.ndarray of float32, shape (n_rows, vector_size), or None
        What it begins with. Where that is None, it is drawn by the seed: the same in all processes.
    """

    class_name: str
    parameters: dict[str, Any]
    vocab: Vocab
    weights: Matrices | None

    @classmethod
    def of(cls, model: Word2Vec, vocab: Vocab, weights: Matrices | None) -> Self:
        """Take down what makes a model with these words."""
        parameters = {name: getattr(model, name) for name in model.PARAMETERS}
        return cls(type(model).__name__, parameters, vocab, weights)

    def make(self, threads: int) -> Word2Vec:
        """Make the model, with its words, to be trained by so many threads."""
        given = self.parameters | {"workers": threads}
        model = _CLASSES[self.class_name](**given, progress=False)
        model.begin_with(self.vocab)
        return model


class Replica:
    """The matrices of a model in a process of their own, and what trains them.

    Parameters
    ----------
    recipe : Recipe
        What the model is.
    threads : int
        How many will call `train` at the same time.

    Attributes
    ----------
    matrices : dict of numpy.ndarray of float32, shape (n_rows, vector_size)
        Views without padding, which change as it is trained.
    shares : dict of numpy.ndarray of float32, shape (n_rows,)
        For each matrix, how often a row is updated for a word of the text, on average.
    """

    def __init__(self, recipe: Recipe, threads: int) -> None:
        model = recipe.make(threads)
        padded, self._trainer, self.shares = model.parts_to_train(recipe.weights, threads)
        self.matrices = {name: rows[:, : model.vector_size] for name, rows in padded.items()}

    def train(self, text: Text, task: Task) -> Done:
        """Train on a chunk; errors are those of `train_chunk`."""
        return train_chunk(self._trainer, text, task)

"""The settings of a classifier, checked."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from firth.errors import ParameterError

Model = Literal["cnn", "kim", "mean", "sif", "counts", "tfidf"]
Embedding = Literal["frozen", "fine-tuned", "scratch"]

NETWORKS = ("cnn", "kim")
AVERAGES = ("mean", "sif")
BAGS = ("counts", "tfidf")
MODELS = (*NETWORKS, *AVERAGES, *BAGS)
EMBEDDINGS = ("frozen", "fine-tuned", "scratch")
PRECISIONS = ("float32", "bfloat16")

_COUNTS = ("maxlen", "num_words", "min_freq", "vector_size", "filters", "epochs", "batch_size")
# The strength of regularisation of each linear model where none is given; in scikit-learn's terms
# its inverse. Chosen on held-out training texts of 20 Newsgroups.
_DEFAULT_C = {"mean": 0.1, "sif": 0.1, "counts": 30.0, "tfidf": 30.0}


@dataclass(frozen=True)
class Settings:
    """What `firth.tasks.TextClassifier` is told, but its vectors.

    Raises
    ------
    ParameterError
        If a setting is out of its range.
    """

    model: Model
    embedding: Embedding
    maxlen: int
    num_words: int
    min_freq: int
    vector_size: int
    tokenizer: Any
    lowercase: bool
    filters: int
    dropout: float
    epochs: int
    batch_size: int
    learning_rate: float
    validation: float
    patience: int | None
    C: float | None  # scikit-learn's name
    class_weight: Any
    seed: int
    device: str | None
    precision: str
    progress: bool | None

    def __post_init__(self) -> None:
        known_values = (("model", MODELS), ("embedding", EMBEDDINGS), ("precision", PRECISIONS))
        for name, known in known_values:
            value = getattr(self, name)
            if value not in known:
                raise ParameterError(f"{name} is {value!r}, which is none of {', '.join(known)}")
        for name in _COUNTS:
            _check_whole(name, getattr(self, name), 1)
        _check_whole("seed", self.seed, 0)
        if self.patience is not None:
            _check_whole("patience", self.patience, 1)
        _check_between("dropout", self.dropout, "0 to below 1", lambda x: 0 <= x < 1)
        _check_between("validation", self.validation, "0 to 0.5", lambda x: 0 <= x <= 0.5)
        _check_between("learning_rate", self.learning_rate, "above 0", lambda x: x > 0)
        if self.C is not None:
            _check_between("C", self.C, "above 0", lambda x: x > 0)
        weight = self.class_weight
        if weight is not None and weight != "balanced" and not isinstance(weight, Mapping):
            raise ParameterError(
                f"class_weight is {weight!r}; give None, 'balanced', or a weight for each class"
            )

    @property
    def is_network(self) -> bool:
        """Whether PyTorch learns it; scikit-learn does otherwise."""
        return self.model in NETWORKS

    @property
    def needs_vectors(self) -> bool:
        """Whether it begins with vectors of words that were trained before."""
        return self.model in AVERAGES or (self.is_network and self.embedding != "scratch")

    @property
    def c(self) -> float:
        """The inverse strength of regularisation of a linear model."""
        return _DEFAULT_C[self.model] if self.C is None else self.C

    def to_dict(self) -> dict[str, Any]:
        """Give the settings by name."""
        return asdict(self)


def _check_whole(name: str, value: Any, least: int) -> None:
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_whole or value < least:
        raise ParameterError(f"{name} must be a whole number of {least} or more, not {value!r}")


def _check_between(name: str, value: Any, words: str, is_right: Any) -> None:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not is_right(value):
        raise ParameterError(f"{name} must be a number {words}, not {value!r}")


def weights_of_classes(
    class_weight: Any, classes: list[Any], counts: list[int]
) -> list[float] | None:
    """Give a weight for each class: as given, or by how rare it is; None for all the same.

    "balanced" is scikit-learn's: all texts over the classes and over the texts of the class.

    Raises
    ------
    ParameterError
        If a class that is given a weight is none, or the weight is below 0.
    """
    if class_weight is None:
        return None
    if class_weight == "balanced":
        return [sum(counts) / (len(counts) * count) for count in counts]
    if unknown := [name for name in class_weight if name not in classes]:
        raise ParameterError(
            f"class_weight has {unknown[0]!r}, which is no class; there are "
            f"{', '.join(map(repr, classes[:20]))}"
        )
    weights = [float(class_weight.get(name, 1.0)) for name in classes]
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights):
        raise ParameterError(f"class_weight has a weight below 0: {class_weight!r:.200}")
    return weights

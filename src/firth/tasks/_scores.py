"""How well texts were told apart: accuracy, scores of each class, who is taken for whom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_N_RESAMPLES = 1000


@dataclass(frozen=True)
class ClassScore:
    """The score of one class.

    Attributes
    ----------
    label : object
        The class.
    precision : float
        The share of texts taken for this class that are of it; 0 if there are none.
    recall : float
        The share of texts of this class that were found; 0 if there are none.
    f1 : float
        The harmonic mean of both.
    n_texts : int
        How many texts are of this class.
    """

    label: Any
    precision: float
    recall: float
    f1: float
    n_texts: int


@dataclass(frozen=True)
class ClassificationReport:
    """The scores of a classifier on texts whose classes are known.

    Attributes
    ----------
    labels : list
        The classes, those that were not learned behind the others.
    confusion : numpy.ndarray of int64, shape (n_labels, n_labels)
        How many texts of the class of the row were taken for that of the column.
    accuracy, macro_f1 : float
        The share of texts whose class was found, and the mean of the classes' F1.
    accuracy_interval : (float, float)
        95 % of the accuracies when the texts are drawn again, 1,000 times (bootstrap).
    classes : list of ClassScore
        Precision, recall and F1 of each class.
    unseen : list
        Labels that were not learned; their texts count as wrong.
    """

    labels: list[Any]
    confusion: NDArray[np.int64]
    accuracy: float
    macro_f1: float
    accuracy_interval: tuple[float, float]
    classes: list[ClassScore]
    unseen: list[Any]

    @property
    def n_texts(self) -> int:
        """How many texts were scored."""
        return int(self.confusion.sum())

    def mistakes(self, topn: int = 10) -> list[tuple[Any, Any, int]]:
        """List the commonest mistakes: the class, what it was taken for, and how often."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:topn].tolist()
        pairs = (divmod(place, len(self.labels)) for place in order)
        return [(self.labels[i], self.labels[j], int(wrong[i, j])) for i, j in pairs if wrong[i, j]]

    def to_dict(self) -> dict[str, Any]:
        """Give the report as JSON can hold it."""
        return {
            "n_texts": self.n_texts,
            "accuracy": round(self.accuracy, 6),
            "accuracy_interval": [round(each, 6) for each in self.accuracy_interval],
            "macro_f1": round(self.macro_f1, 6),
            "unseen_labels": self.unseen,
            "classes": [
                {
                    "label": each.label,
                    "precision": round(each.precision, 6),
                    "recall": round(each.recall, 6),
                    "f1": round(each.f1, 6),
                    "n_texts": each.n_texts,
                }
                for each in self.classes
            ],
            "confusion": self.confusion.tolist(),
        }

    def to_text(self) -> str:
        """Write the scores of each class, and of all, as lines of text."""
        width = max([len("macro average"), *(len(str(each.label)) for each in self.classes)])
        lines = [f"{'':{width}}  precision  recall      F1   texts"]
        lines += [
            f"{each.label!s:{width}}  {each.precision:9.3f}  {each.recall:6.3f}  {each.f1:6.3f}  "
            f"{each.n_texts:6,}"
            for each in self.classes
        ]
        low, high = self.accuracy_interval
        lines.append(f"{'macro average':{width}}  {'':9}  {'':6}  {self.macro_f1:6.3f}")
        lines.append(
            f"{'accuracy':{width}}  {self.accuracy:.4f}, 95 % interval {low:.4f} to {high:.4f}, "
            f"{self.n_texts:,} texts"
        )
        return "\n".join(lines)

    def save_picture(self, path: Any) -> None:
        """Draw the confusion matrix as ``.png``, ``.svg`` or ``.pdf``; see `firth.tasks`."""
        from firth.tasks._pictures import draw_confusion

        draw_confusion(self, path)


def score_predictions(
    labels: NDArray[Any], predicted: NDArray[Any], classes: NDArray[Any]
) -> ClassificationReport:
    """Score predictions.

    Parameters
    ----------
    labels, predicted : numpy.ndarray, shape (n_texts,)
        What texts are, and what they were taken for.
    classes : numpy.ndarray, shape (n_classes,)
        What was learned.

    Raises
    ------
    InputError
        If there are no texts.
    """
    if not len(labels):
        raise InputError("there are no texts to score")
    learned = classes.tolist()
    unseen = [label for label in np.unique(labels).tolist() if label not in set(learned)]
    names = [*learned, *unseen]
    number = {label: i for i, label in enumerate(names)}
    true = np.array([number[label] for label in labels.tolist()])
    found = np.array([number[label] for label in predicted.tolist()])
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (true, found), 1)
    scores = [_score_of(label, confusion, i) for i, label in enumerate(names)]
    # Who is neither there nor taken for somebody has no score that could count.
    present = [s for i, s in enumerate(scores) if confusion[i].any() or confusion[:, i].any()]
    right = true == found
    return ClassificationReport(
        labels=names,
        confusion=confusion,
        accuracy=float(right.mean()),
        macro_f1=float(np.mean([score.f1 for score in present])),
        accuracy_interval=_interval(int(right.sum()), len(right)),
        classes=scores,
        unseen=unseen,
    )


def _score_of(label: Any, confusion: NDArray[np.int64], i: int) -> ClassScore:
    right, of_it, taken = confusion[i, i], confusion[i].sum(), confusion[:, i].sum()
    precision = float(right / taken) if taken else 0.0
    recall = float(right / of_it) if of_it else 0.0
    f1 = float(2 * right / (of_it + taken)) if of_it + taken else 0.0
    return ClassScore(label, precision, recall, f1, int(of_it))


def _interval(n_right: int, n_texts: int) -> tuple[float, float]:
    """Draw the texts again: how many of them are right is then binomial."""
    drawn = np.random.default_rng(1).binomial(n_texts, n_right / n_texts, _N_RESAMPLES) / n_texts
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def mean_interval(values: list[float], level: float = 0.95) -> tuple[float, float, float]:
    """Give the mean of values and the interval in which it lies by Student's t; NaN for one value.

    Examples
    --------
    >>> mean, low, high = mean_interval([1.0, 2.0, 3.0])
    >>> mean, round(low, 2), round(high, 2)
    (2.0, -0.48, 4.48)
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, math.nan, math.nan
    from scipy.stats import t

    half = float(t.ppf((1 + level) / 2, len(values) - 1) * np.std(values, ddof=1))
    half /= math.sqrt(len(values))
    return mean, mean - half, mean + half

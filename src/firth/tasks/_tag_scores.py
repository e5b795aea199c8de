"""Entities that were found, against those that are there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firth.errors import ParameterError
from firth.tasks._tag_schemes import Entity, check_tags, entities_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True)
class EntityScore:
    """How many entities were found, and how many of them are right.

    An entity is right if its words and its label are, all of them.

    Attributes
    ----------
    n_true : int
        Entities that there are.
    n_predicted : int
        Entities that were found.
    n_right : int
        Those that are both.
    """

    n_true: int
    n_predicted: int
    n_right: int

    @property
    def precision(self) -> float:
        """The share of what was found that is right; 0 if nothing was found."""
        return self.n_right / self.n_predicted if self.n_predicted else 0.0

    @property
    def recall(self) -> float:
        """The share of what there is that was found; 0 if there is nothing."""
        return self.n_right / self.n_true if self.n_true else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.n_true + self.n_predicted
        return 2 * self.n_right / total if total else 0.0

    def __iter__(self) -> Iterator[int]:
        return iter((self.n_true, self.n_predicted, self.n_right))

    def to_dict(self) -> dict[str, Any]:
        """Give all as JSON can hold it."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "n_true": self.n_true,
            "n_predicted": self.n_predicted,
            "n_right": self.n_right,
        }


@dataclass(frozen=True)
class TaggingScores:
    """Scores of tags against the right ones, by entities.

    The same as seqeval's ``classification_report`` gives, in its default mode.

    Attributes
    ----------
    all : EntityScore
        Of all entities, whatever their label ("micro average").
    by_label : dict of str to EntityScore
        Of those of each label, by its name.
    surface : EntityScore or None
        Of the distinct pairs of words and label, where words were given: what is named a hundred
        times counts once (Derczynski et al. 2017, "Results of the WNUT2017 shared task").
    accuracy : float
        The share of the words whose tag is right. Most words are outside of entities, so that it is
        high whatever a tagger does.
    n_sentences, n_words : int
        What was scored.
    """

    all: EntityScore
    by_label: dict[str, EntityScore]
    surface: EntityScore | None
    accuracy: float
    n_sentences: int
    n_words: int

    @property
    def precision(self) -> float:
        """Of all entities."""
        return self.all.precision

    @property
    def recall(self) -> float:
        """Of all entities."""
        return self.all.recall

    @property
    def f1(self) -> float:
        """Of all entities."""
        return self.all.f1

    @property
    def macro_f1(self) -> float:
        """The mean of the labels' F1."""
        scores = [score.f1 for score in self.by_label.values()]
        return sum(scores) / len(scores) if scores else 0.0

    def rows(self) -> list[tuple[str, EntityScore]]:
        """List what a table shows: each label, all, and distinct names."""
        rows = [*self.by_label.items(), ("all", self.all)]
        return rows if self.surface is None else [*rows, ("all, each name once", self.surface)]

    def to_dict(self) -> dict[str, Any]:
        """Give all as JSON can hold it."""
        return {
            **self.all.to_dict(),
            "macro_f1": self.macro_f1,
            "accuracy": self.accuracy,
            "surface": None if self.surface is None else self.surface.to_dict(),
            "labels": {label: score.to_dict() for label, score in self.by_label.items()},
            "n_sentences": self.n_sentences,
            "n_words": self.n_words,
        }

    def __str__(self) -> str:
        rows = self.rows()
        width = max(len(label) for label, _ in rows)
        lines = [f"{'':<{width}}  precision  recall     F1  entities"]
        lines += [
            f"{label:<{width}}  {score.precision:9.4f}  {score.recall:.4f}  {score.f1:.4f}"
            f"  {score.n_true:8,}"
            for label, score in rows
        ]
        return "\n".join(lines)


def score_tags(
    true: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    words: Sequence[Sequence[str]] | None = None,
) -> TaggingScores:
    """Score tags against the right ones, by entities.

    Parameters
    ----------
    true, predicted : sequence of sequence of str
        The tags of each sentence, in any scheme; see `firth.tasks.find_entities` for how they are
        read.
    words : sequence of sequence of str, optional
        The words of each sentence, for scores in which each name counts once.

    Returns
    -------
    TaggingScores
        Precision, recall and F1.

    Raises
    ------
    ParameterError
        If there are not as many of one as of the other, or something is no tag.

    Examples
    --------
    >>> from firth.tasks import score_tags
    >>> true = [["B-person", "I-person", "O"], ["O", "B-place"]]
    >>> found = [["B-person", "I-person", "O"], ["B-place", "I-place"]]
    >>> scores = score_tags(true, found)
    >>> scores.precision, scores.recall, scores.f1
    (0.5, 0.5, 0.5)
    """
    _check_same(true, predicted, "sentences of true and predicted tags")
    if words is not None:
        _check_same(words, true, "sentences of words and true tags")
    counts = {name: Counter[str]() for name in ("true", "predicted", "right")}
    names: dict[str, set[tuple[str, ...]]] = {"true": set(), "predicted": set()}
    n_words = n_same = 0
    for i, (right, found) in enumerate(zip(true, predicted, strict=True)):
        _check_same(right, found, f"true and predicted tags in sentence {i}")
        check_tags(right, f"true[{i}]")
        check_tags(found, f"predicted[{i}]")
        there, guessed = set(entities_of(right)), set(entities_of(found))
        counts["true"].update(_labels(there))
        counts["predicted"].update(_labels(guessed))
        counts["right"].update(_labels(there & guessed))
        n_words += len(right)
        n_same += sum(a == b for a, b in zip(right, found, strict=True))
        if words is not None:
            _check_same(words[i], right, f"words and true tags in sentence {i}")
            for name, entities in (("true", there), ("predicted", guessed)):
                names[name].update((e.label, *words[i][e.begin : e.end]) for e in entities)
    labels = sorted(counts["true"] | counts["predicted"])
    return TaggingScores(
        all=EntityScore(*(each.total() for each in counts.values())),
        by_label={
            label: EntityScore(*(each[label] for each in counts.values())) for label in labels
        },
        surface=None if words is None else _of_sets(names["true"], names["predicted"]),
        accuracy=n_same / n_words if n_words else 0.0,
        n_sentences=len(true),
        n_words=n_words,
    )


def _of_sets(true: set[tuple[str, ...]], predicted: set[tuple[str, ...]]) -> EntityScore:
    return EntityScore(len(true), len(predicted), len(true & predicted))


def _labels(entities: Iterable[Entity]) -> Iterable[str]:
    return (entity.label for entity in entities)


def _check_same(a: Sequence[object], b: Sequence[object], what: str) -> None:
    if len(a) != len(b):
        raise ParameterError(f"the numbers of {what} differ: {len(a):,} and {len(b):,}")

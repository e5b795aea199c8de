"""Classifiers compared on the same texts: which pays, and from how many texts on."""

from __future__ import annotations

import logging
import math
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import InputError, ParameterError
from firth.tasks._classifier import TextClassifier
from firth.tasks._scores import mean_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from firth.tasks._texts import LabelledTexts
    from firth.vectors import KeyedVectors

logger = logging.getLogger("firth")

# What is compared, by the names of the table.
COMPARED: dict[str, dict[str, Any]] = {
    "network, frozen": {"embedding": "frozen"},
    "network, fine-tuned": {"embedding": "fine-tuned"},
    "network, from scratch": {"embedding": "scratch"},
    "mean of vectors": {"model": "mean"},
    "SIF of vectors": {"model": "sif"},
    "bag of words": {"model": "counts"},
    "TF-IDF": {"model": "tfidf"},
}


@dataclass(frozen=True)
class Trial:
    """One classifier, learned from some texts with one seed.

    Attributes
    ----------
    name : str
        What it is called in the table.
    n_texts, seed : int
        How many texts it was learned from, and what chose them and all else that was drawn.
    accuracy, macro_f1 : float
        On the texts that are the same for all.
    seconds, processor_seconds : float
        How long learning took, and how long all processors were at it.
    """

    name: str
    n_texts: int
    seed: int
    accuracy: float
    macro_f1: float
    seconds: float
    processor_seconds: float


@dataclass(frozen=True)
class ComparedRow:
    """The trials of one classifier with so many texts, over all seeds.

    Attributes
    ----------
    name, n_texts
        As of `Trial`.
    accuracy, low, high : float
        The mean over the seeds, and the interval of 95 % in which it lies by Student's t; NaN for
        one seed.
    macro_f1, seconds, processor_seconds : float
        Means over the seeds.
    n_seeds : int
        How many trials there were.
    """

    name: str
    n_texts: int
    accuracy: float
    low: float
    high: float
    macro_f1: float
    seconds: float
    processor_seconds: float
    n_seeds: int


@dataclass
class ClassifierComparison:
    """What `compare_classifiers` found.

    Attributes
    ----------
    trials : list of Trial
        One for each classifier, size and seed.
    n_test : int
        How many texts all were scored on.
    """

    trials: list[Trial] = field(default_factory=list)
    n_test: int = 0

    @property
    def rows(self) -> list[ComparedRow]:
        """The trials by classifier and size, in the order in which they came."""
        groups: dict[tuple[str, int], list[Trial]] = {}
        for trial in self.trials:
            groups.setdefault((trial.name, trial.n_texts), []).append(trial)
        rows = []
        for (name, n_texts), some in groups.items():
            accuracy, low, high = mean_interval([trial.accuracy for trial in some])
            f1, seconds, processor_seconds = (
                float(np.mean([getattr(trial, each) for trial in some]))
                for each in ("macro_f1", "seconds", "processor_seconds")
            )
            rows.append(
                ComparedRow(
                    name, n_texts, accuracy, low, high, f1, seconds, processor_seconds, len(some)
                )
            )
        return rows

    def difference(self, first: str, second: str, n_texts: int) -> tuple[float, float, float]:
        """Compare two classifiers seed by seed: the mean difference of accuracies, its interval."""
        by_seed: dict[str, dict[int, float]] = {first: {}, second: {}}
        for trial in self.trials:
            if trial.n_texts == n_texts and trial.name in by_seed:
                by_seed[trial.name][trial.seed] = trial.accuracy
        seeds = sorted(by_seed[first].keys() & by_seed[second].keys())
        if not seeds:
            names = ", ".join(dict.fromkeys(trial.name for trial in self.trials))
            raise ParameterError(
                f"{first!r} and {second!r} have no trial with {n_texts:,} texts in common; there "
                f"are {names}"
            )
        return mean_interval([by_seed[first][seed] - by_seed[second][seed] for seed in seeds])

    def to_dict(self) -> dict[str, Any]:
        """Give rows and trials as JSON can hold them."""
        return {
            "n_test": self.n_test,
            "rows": [_rounded(vars(row)) for row in self.rows],
            "trials": [_rounded(vars(trial)) for trial in self.trials],
        }

    def to_markdown(self) -> str:
        """Write the rows as a table of Markdown."""
        lines = [
            "| classifier | training texts | accuracy | 95 % interval | macro F1 | seconds |",
            "|---|---:|---:|---|---:|---:|",
        ]
        lines += [
            f"| {row.name} | {row.n_texts:,} | {row.accuracy:.3f} | {_interval(row)} | "
            f"{row.macro_f1:.3f} | {row.seconds:,.1f} |"
            for row in self.rows
        ]
        return "\n".join(lines) + "\n"

    def save_picture(self, path: str | os.PathLike[str]) -> None:
        """Draw accuracy by the number of training texts as ``.png``, ``.svg`` or ``.pdf``."""
        from firth.tasks._pictures import draw_learning_curves

        draw_learning_curves(self, path)


def _interval(row: ComparedRow) -> str:
    return "one seed" if row.n_seeds < 2 else f"{row.low:.3f} to {row.high:.3f}"


def _rounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _number(value) if isinstance(value, float) else value
        for name, value in fields.items()
    }


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def compare_classifiers(
    train: LabelledTexts,
    test: LabelledTexts,
    vectors: KeyedVectors | str | os.PathLike[str] | None,
    *,
    names: Sequence[str] | None = None,
    sizes: Sequence[int] | None = None,
    seeds: Sequence[int] = (1, 2, 3),
    settings: Mapping[str, Any] | None = None,
    on_trial: Callable[[Trial], None] | None = None,
) -> ClassifierComparison:
    """Learn several classifiers from the same texts, and score all on the same others.

    Each seed draws the texts to learn from anew where `sizes` asks for fewer than there are, as
    many of each class as all have in proportion; all classifiers of a seed get the same.

    Parameters
    ----------
    train, test : LabelledTexts
        Texts to learn from and to score on.
    vectors : KeyedVectors, str or path
        Vectors of words.
    names : sequence of str, optional
        Which of `COMPARED`; all, if not given, but those that need vectors where there are none.
    sizes : sequence of int, optional
        How many texts to learn from; all of them, if not given.
    seeds : sequence of int
        Each is learned once with each seed.
    settings : mapping, optional
        Of `TextClassifier`, for all: ``{"epochs": 5}``.
    on_trial : callable, optional
        Is told each trial as it ends.

    Returns
    -------
    ClassifierComparison
        The trials, and their means and intervals.

    Raises
    ------
    ParameterError
        If a name or a size is none.
    InputError
        If there are no texts.
    """
    chosen = list(COMPARED) if names is None else list(names)
    if names is None and vectors is None:
        chosen = ["network, from scratch", "bag of words", "TF-IDF"]
    if unknown := [name for name in chosen if name not in COMPARED]:
        raise ParameterError(f"{unknown[0]!r} is none of {', '.join(map(repr, COMPARED))}")
    if not len(train) or not len(test):
        raise InputError("there are no texts to compare classifiers on")
    if not len(seeds):
        raise ParameterError("there are no seeds; give at least one")
    many = [len(train)] if sizes is None else list(sizes)
    if wrong := [size for size in many if not 2 <= size <= len(train)]:
        raise ParameterError(f"{wrong[0]} texts to learn from: there are from 2 to {len(train):,}")
    from firth.hub import load

    wv = load(vectors) if isinstance(vectors, str | os.PathLike) else vectors
    result = ClassifierComparison(n_test=len(test))
    for size in many:
        for seed in seeds:
            rows = draw_texts(train.labels, size, seed)
            texts = [train.texts[i] for i in rows]
            labels = [train.labels[i] for i in rows]
            for name in chosen:
                options = {"vectors": wv, "seed": seed, **(settings or {}), **COMPARED[name]}
                classifier = TextClassifier(**options)
                begin = time.perf_counter(), time.process_time()
                classifier.fit(texts, labels)
                seconds = time.perf_counter() - begin[0], time.process_time() - begin[1]
                report = classifier.evaluate(test.texts, test.labels)
                trial = Trial(name, size, seed, report.accuracy, report.macro_f1, *seconds)
                result.trials.append(trial)
                logger.info(
                    "%s, %s texts, seed %s: accuracy %.4f in %.1f s",
                    name, f"{size:,}", seed, report.accuracy, seconds[0],
                )  # fmt: skip
                if on_trial is not None:
                    on_trial(trial)
    return result


def draw_texts(labels: Sequence[str], size: int, seed: int) -> list[int]:
    """Draw texts, of each class as many as it has in proportion, in a new order.

    Returns
    -------
    list of int
        Their numbers; all of them for the size of all.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    if size == len(labels):
        return [int(i) for i in order]
    # Each text has a place among those of its class; the first of all classes come first.
    seen: dict[str, int] = {}
    totals: dict[str, int] = {}
    for label in labels:
        totals[label] = totals.get(label, 0) + 1
    places = np.empty(len(labels))
    for i in order.tolist():
        seen[labels[i]] = seen.get(labels[i], 0) + 1
        places[i] = (seen[labels[i]] - 0.5) / totals[labels[i]]
    chosen = order[np.argsort(places[order], kind="stable")[:size]]
    return [int(i) for i in random.permutation(chosen)]


def split_texts(
    texts: LabelledTexts, share: float, seed: int = 1
) -> tuple[LabelledTexts, LabelledTexts]:
    """Split texts at random.

    Parameters
    ----------
    texts : LabelledTexts
        The texts.
    share : float
        How many to score on, between 0 and 1.
    seed : int
        Of the order in which they are drawn.

    Returns
    -------
    train, test : LabelledTexts
        Those to learn from, and those to score on.

    Raises
    ------
    ParameterError
        If the share is not between 0 and 1, or leaves nothing on one side.
    """
    n_test = round(share * len(texts)) if 0 < share < 1 else 0
    if not 0 < n_test < len(texts):
        raise ParameterError(
            f"a share of {share} of {len(texts):,} texts leaves none to learn from or none to "
            f"score on; give one between 0 and 1"
        )
    order = np.random.default_rng(seed).permutation(len(texts)).tolist()
    return _taken(texts, order[n_test:]), _taken(texts, order[:n_test])


def _taken(texts: LabelledTexts, rows: list[int]) -> LabelledTexts:
    some = [texts.texts[i] for i in rows], [texts.labels[i] for i in rows]
    # What was counted of all texts is put down as it is in proportion.
    n_headers = round(texts.n_headers * len(rows) / len(texts))
    return replace(texts, texts=some[0], labels=some[1], n_headers=n_headers)

"""The answers of a model to a test set, and what is measured of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import ParameterError
from firth.evaluation._analogies import METHODS, Method, answer_analogies
from firth.evaluation._groups import (
    associations_of,
    cluster,
    outlier_positions,
    permutation_p,
    purity,
)
from firth.evaluation._measures import AdjustedRand, Correlation, EffectSize, Measure, Share
from firth.evaluation._resampling import Resampling, by_units, one_by_one
from firth.evaluation._test_sets import (
    Analogies,
    Associations,
    Categories,
    Outliers,
    TestSet,
    WordPairs,
)
from firth.evaluation._words import Lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from firth.evaluation._words import Embedding

#: Clusterings that purity and adjusted Rand index are averaged over.
CLUSTERINGS = range(10)


@dataclass(frozen=True)
class Answers:
    """The answers of a model to a test set.

    Attributes
    ----------
    measures : list of Measure
        What is measured of them, all over the same questions.
    rarest : numpy.ndarray of int64, shape (n_questions,)
        The largest row of the words of each question: that of the rarest, where rows go by falling
        count. -1 where the question is not covered, or bands of frequency make no sense.
    p_values : dict of str to float
        By section, of tests that have one.
    """

    measures: list[Measure]
    rarest: NDArray[np.int64]
    p_values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """How a test set divides: its sections, and what is drawn when it is resampled.

    Attributes
    ----------
    sections : dict of str to numpy.ndarray of bool, shape (n_questions,)
        The questions of each section; that of "" are all.
    resampling : Resampling
        Draws the questions again.
    """

    sections: dict[str, NDArray[np.bool_]]
    resampling: Resampling


def layout_of(test_set: TestSet) -> Layout:
    """Tell how a test set divides."""
    if isinstance(test_set, Analogies):
        return _layout_of_analogies(test_set)
    if isinstance(test_set, Associations):
        sizes = [len(side) for test in test_set.tests for side in (test.x, test.y)]
        numbers = np.repeat(np.arange(len(sizes)) // 2, sizes)
        sections = {test.name: numbers == i for i, test in enumerate(test_set.tests)}
        return Layout(sections, one_by_one(test_set.name, sizes))
    everything = {"": np.ones(len(test_set), np.bool_)}
    if isinstance(test_set, Outliers) and len(test_set.groups) > 1:
        # The outliers of a group are told apart from the same members.
        groups = [i for i, group in enumerate(test_set.groups) for _ in group.outliers]
        return Layout(everything, by_units(test_set.name, [groups], None))
    return Layout(everything, one_by_one(test_set.name, [len(test_set)]))


def _layout_of_analogies(test_set: Analogies) -> Layout:
    names = list(test_set.sections)
    questions = list(test_set.sections.values())
    numbers = np.repeat(np.arange(len(names)), [len(some) for some in questions])
    sections = {"": np.ones(len(numbers), np.bool_)}
    # Google's sections of grammar are told by their names; papers give both halves.
    grammar = np.array([name.startswith("gram") for name in names])
    if grammar.any() and not grammar.all():
        sections |= {"semantic": ~grammar[numbers], "syntactic": grammar[numbers]}
    if len(names) > 1:
        sections |= {name: numbers == i for i, name in enumerate(names)}
    resampling = by_units(
        test_set.name,
        [[(q.a, q.b) for q in some] for some in questions],
        [[(q.c, q.answers[0]) for q in some] for some in questions],
    )
    return Layout(sections, resampling)


def ask(
    test_set: TestSet, lookup: Lookup, n_rows: int, methods: Sequence[Method] = METHODS
) -> Answers:
    """Let a model answer a test set.

    Parameters
    ----------
    test_set : TestSet
        The questions.
    lookup : Lookup
        The model, with the words of the test set looked up.
    n_rows : int
        Analogies are asked, and answered, among so many first rows.
    methods : sequence of "3CosAdd" or "3CosMul"
        How analogies are answered.
    """
    if isinstance(test_set, Analogies):
        return _ask_analogies(test_set, lookup, n_rows, methods)
    if isinstance(test_set, WordPairs):
        return _ask_pairs(test_set, lookup)
    if isinstance(test_set, Categories):
        return _ask_categories(test_set, lookup)
    if isinstance(test_set, Outliers):
        return _ask_outliers(test_set, lookup)
    if isinstance(test_set, Associations):
        return _ask_associations(test_set, lookup)
    raise ParameterError(f"{type(test_set).__name__} is no kind of test set that firth knows")


def _ask_analogies(
    test_set: Analogies, lookup: Lookup, n_rows: int, methods: Sequence[Method]
) -> Answers:
    questions = [question for some in test_set.sections.values() for question in some]
    answered = [answer_analogies(questions, lookup, n_rows, method) for method in methods]
    return Answers(
        [
            Share(method, each.covered, each.right.astype(np.float64))
            for method, each in zip(methods, answered, strict=True)
        ],
        answered[0].rarest,
    )


def _ask_pairs(test_set: WordPairs, lookup: Lookup) -> Answers:
    first, known_first = lookup.units([a for a, _ in test_set.pairs])
    second, known_second = lookup.units([b for _, b in test_set.pairs])
    covered = known_first & known_second
    cosines = np.einsum("ij,ij->i", first, second)
    judged = np.array(test_set.judgements)
    rarest = np.array([max(lookup.row(a), lookup.row(b)) for a, b in test_set.pairs], np.int64)
    return Answers(
        [
            Correlation("Spearman", covered, cosines, judged, of_ranks=True),
            Correlation("Pearson", covered, cosines, judged, of_ranks=False),
        ],
        np.where(covered, rarest, -1),
    )


def _ask_categories(test_set: Categories, lookup: Lookup) -> Answers:
    vectors, covered = lookup.units(test_set.members)
    names, classes = np.unique(test_set.classes, return_inverse=True)
    pure = np.zeros(len(covered))
    clusterings = [np.zeros(len(covered), np.int64) for _ in CLUSTERINGS]
    if covered.any():
        n_clusters = min(len(names), int(covered.sum()))
        for all_, some in zip(
            clusterings, cluster(vectors[covered], n_clusters, CLUSTERINGS), strict=True
        ):
            all_[covered] = some
            pure[covered] += purity(classes[covered], some) / len(CLUSTERINGS)
    return Answers(
        [
            Share("purity", covered, pure),
            AdjustedRand("adjusted Rand", covered, classes, clusterings),
        ],
        np.full(len(covered), -1),
    )


def _ask_outliers(test_set: Outliers, lookup: Lookup) -> Answers:
    answered = [outlier_positions(group, lookup) for group in test_set.groups]
    covered = np.concatenate([some for some, _ in answered])
    positions = np.concatenate([some for _, some in answered])
    return Answers(
        [
            Share("accuracy", covered, (positions == 1).astype(np.float64)),
            Share("OPP", covered, positions),
        ],
        np.full(len(covered), -1),
    )


def _ask_associations(test_set: Associations, lookup: Lookup) -> Answers:
    covered, associations, is_x = [], [], []
    p_values = {}
    for test in test_set.tests:
        known, values = associations_of(test, lookup)
        on_x = np.arange(len(known)) < len(test.x)
        p_values[test.name] = permutation_p(values[known & on_x], values[known & ~on_x])
        covered.append(known)
        associations.append(values)
        is_x.append(on_x)
    all_covered = np.concatenate(covered)
    effect = EffectSize(
        "effect size", all_covered, np.concatenate(associations), np.concatenate(is_x)
    )
    return Answers([effect], np.full(len(all_covered), -1), p_values)


def first_score(embedding: Embedding, test_set: TestSet) -> tuple[float, int]:
    """Score a model by the usual measure of a test set, and nothing else: for probes of trainings.

    Returns
    -------
    score : float
        Of the questions that are covered; NaN where they are too few.
    n_covered : int
        How many these are.
    """
    lookup = Lookup(embedding, test_set.words())
    measure = ask(test_set, lookup, lookup.n_rows, METHODS[:1]).measures[0]
    return measure.value(measure.covered), int(np.count_nonzero(measure.covered))

"""What an evaluation found: scores, and comparisons of models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from firth.errors import ParameterError
from firth.evaluation._frequency import BAND_NAMES, bands_of
from firth.evaluation._resampling import interval

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from firth.evaluation._answers import Answers, Layout
    from firth.evaluation._tables import Grid
    from firth.evaluation._test_sets import TestSet

Uncovered: TypeAlias = Literal["skip", "wrong", "common"]

_FEWEST_IN_A_BAND = 10
# What the rounding of vectors in single precision makes of the same scores.
_NO_DIFFERENCE = 1e-6


@dataclass(frozen=True)
class Score:
    """What a model scored on a test set, or one of its sections.

    Attributes
    ----------
    model, test_set, kind : str
        Whose score, on what, and of which kind that is.
    section : str
        The section; "" for all of the test set.
    metric : str
        "3CosAdd" and "3CosMul" (share of right answers), "Spearman" and "Pearson" (correlations),
        "purity" and "adjusted Rand", "accuracy" and "OPP", "effect size".
    value : float
        The score; NaN where too few questions are covered.
    low, high : float
        Between these lie 95 % of the scores of test sets that are drawn again from this one.
    n_questions : int
        How many questions there are.
    n_covered : int
        How many of them have known words only.
    n_scored : int
        How many of them `value` is about.
    p_value : float or None
        One-sided, by permutation; of associations only.
    """

    model: str
    test_set: str
    kind: str
    section: str
    metric: str
    value: float
    low: float
    high: float
    n_questions: int
    n_covered: int
    n_scored: int
    p_value: float | None = None

    @property
    def coverage(self) -> float:
        """The share of questions that are covered."""
        return self.n_covered / self.n_questions


@dataclass(frozen=True)
class Comparison:
    """Two models on the same questions.

    Attributes
    ----------
    first, second : str
        The models.
    test_set, section, metric : str
        As of `Score`.
    difference : float
        The score of the second less that of the first, on the questions that both cover; on all
        questions if those that are not covered count as wrong.
    low, high : float
        Between these lie 95 % of the differences when questions are drawn again.
    p_value : float
        Two-sided, of no difference, by the paired bootstrap: twice the share of differences on the
        other side of 0. Not corrected for the number of comparisons.
    n_questions : int
        The questions that were compared.
    """

    first: str
    second: str
    test_set: str
    section: str
    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    n_questions: int


@dataclass(frozen=True)
class SetResult:
    """All models' answers to one test set."""

    test_set: TestSet
    layout: Layout
    answers: dict[str, Answers]

    @property
    def metrics(self) -> list[str]:
        """What is measured, the usual metric first."""
        return [measure.metric for measure in next(iter(self.answers.values())).measures]


class Evaluation:
    """Scores of models on test sets, as `evaluate` gives them.

    Attributes
    ----------
    scores : list of Score
        By test set, section, metric and model.
    models : dict of str to dict
        What is known of each model: the number of words and so on.
    uncovered : str
        What was done with questions that are not covered.
    settings : dict
        What else `evaluate` was asked for.
    """

    def __init__(
        self,
        results: Sequence[SetResult],
        models: dict[str, dict[str, Any]],
        *,
        uncovered: Uncovered,
        n_resamples: int,
        seed: int,
        settings: dict[str, Any],
    ) -> None:
        self._results = list(results)
        self._n_resamples, self._seed = n_resamples, seed
        self.models = models
        self.uncovered = uncovered
        self.settings = settings
        self._comparisons: dict[tuple[str, str, bool], list[Comparison]] = {}
        self.scores: list[Score] = []
        for result in self._results:
            sections = result.layout.sections.items()
            self.scores += self._scores_of(
                result, {name: dict.fromkeys(result.answers, within) for name, within in sections}
            )

    @property
    def sizes(self) -> dict[str, int]:
        """How many questions each test set has."""
        return {result.test_set.name: len(result.test_set) for result in self._results}

    def score(
        self, test_set: str, metric: str | None = None, *, model: str | None = None,
        section: str = "",
    ) -> Score:  # fmt: skip
        """Find one score.

        Parameters
        ----------
        test_set : str
            The name of the test set.
        metric : str, optional
            Its first one if not given.
        model : str, optional
            The first one if not given.
        section : str
            All of it if not given.

        Raises
        ------
        ParameterError
            There is no such score.
        """
        for score in self.scores:
            if (
                score.test_set == test_set
                and score.section == section
                and metric in {None, score.metric}
                and model in {None, score.model}
            ):
                return score
        names = ", ".join(dict.fromkeys(score.test_set for score in self.scores))
        raise ParameterError(
            f"there is no score of {test_set!r} (section {section!r}, metric {metric!r}, model "
            f"{model!r}); the test sets are {names}"
        )

    def compare(self, first: str, second: str, *, sections: bool = False) -> list[Comparison]:
        """Compare two models on the same questions by a paired test.

        Parameters
        ----------
        first, second : str
            Names of models.
        sections : bool
            Whether sections are compared as well, and not only whole test sets.

        Returns
        -------
        list of Comparison
            By test set, section and metric.

        Raises
        ------
        ParameterError
            There is no such model.

        Notes
        -----
        The paired bootstrap (Efron and Tibshirani 1993, "An Introduction to the Bootstrap",
        chapter 16; Berg-Kirkpatrick, Burkett and Klein 2012): questions are drawn again, the same
        for both models, and the differences of their scores are looked at.
        """
        for name in (first, second):
            if name not in self.models:
                raise ParameterError(f"no model {name!r}; there are {', '.join(self.models)}")
        key = (first, second, sections)
        if key not in self._comparisons:
            self._comparisons[key] = self._compare(first, second, sections)
        return list(self._comparisons[key])

    def by_frequency(self) -> list[Score]:
        """Score questions by how rare their rarest word is: analogies and similarities.

        Returns
        -------
        list of Score
            The section is a range of rows such as "1,000-3,000", of a vocabulary whose rows go by
            falling count. Bands of fewer than ten questions are left out.
        """
        found = []
        for result in self._results:
            bands: dict[str, dict[str, NDArray[np.bool_]]] = {}
            for i, band in enumerate(BAND_NAMES):
                within = {
                    model: bands_of(answers.rarest) == i
                    for model, answers in result.answers.items()
                }
                enough = {
                    model: questions
                    for model, questions in within.items()
                    if np.count_nonzero(questions) >= _FEWEST_IN_A_BAND
                }
                if enough:
                    bands[band] = enough
            first = result.metrics[0]
            found += [score for score in self._scores_of(result, bands) if score.metric == first]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON can hold it; NaN is None."""
        models = list(self.models)
        pairs = [(models[0], other) for other in models[1:]]
        return {
            "models": self.models,
            "uncovered": self.uncovered,
            **self.settings,
            "scores": [_plain(score) for score in self.scores],
            "comparisons": [_plain(each) for pair in pairs for each in self.compare(*pair)],
        }

    def grid(self, *, sections: bool = False) -> Grid:
        """Arrange the scores as a table of text: a row a test set and metric, a column a model."""
        from firth.evaluation._tables import grid_of

        return grid_of(self, sections=sections)

    def to_markdown(self, *, sections: bool = False) -> str:
        """Write the scores as a table in Markdown: a row a test set and metric, a column a model.

        Parameters
        ----------
        sections : bool
            Whether sections have rows of their own.
        """
        from firth.evaluation._tables import markdown

        return markdown(self.grid(sections=sections))

    def to_latex(self, *, sections: bool = False) -> str:
        """Write the scores as a table for LaTeX with booktabs; otherwise as `to_markdown`."""
        from firth.evaluation._tables import latex

        return latex(self.grid(sections=sections))

    def save_report(self, path: str | os.PathLike[str]) -> None:
        """Write a page of HTML with tables and pictures, complete in itself.

        Parameters
        ----------
        path : str or Path
            The file; it appears whole.

        Raises
        ------
        MissingExtraError
            Matplotlib is not installed: the extra `plot`.
        OutputError
            The file cannot be written.
        """
        from firth.evaluation._report import save_report

        save_report(self, path)

    def __str__(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        n_sets = len(self._results)
        return f"<Evaluation of {', '.join(self.models)} on {n_sets} test set{'s'[: n_sets != 1]}>"

    # --- within -----------------------------------------------------------------------------------

    def _scores_of(
        self, result: SetResult, sections: Mapping[str, Mapping[str, NDArray[np.bool_]]]
    ) -> list[Score]:
        """Score the models on parts of a test set: the questions of each, by section and model."""
        asked = [
            (section, model, i, questions, self._kept(result, model, i, questions))
            for section, within in sections.items()
            for i in range(len(result.metrics))
            for model, questions in within.items()
        ]
        drawn: list[list[NDArray[np.float64]]] = [[] for _ in asked]
        for weights in result.layout.resampling.weights(self._n_resamples, self._seed):
            for values, (_, model, i, _, kept) in zip(drawn, asked, strict=True):
                values.append(result.answers[model].measures[i].values(weights, kept))
        scores = []
        for values, (section, model, i, questions, kept) in zip(drawn, asked, strict=True):
            measure = result.answers[model].measures[i]
            score = Score(
                model, result.test_set.name, result.test_set.kind, section, measure.metric,
                measure.value(kept), *interval(values),
                int(np.count_nonzero(questions)),
                int(np.count_nonzero(questions & measure.covered)),
                int(np.count_nonzero(kept)),
                result.answers[model].p_values.get(section),
            )  # fmt: skip
            scores.append(score)
        return scores

    def _kept(
        self, result: SetResult, model: str, i: int, within: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        measure = result.answers[model].measures[i]
        if self.uncovered == "wrong" and measure.can_be_wrong:
            return within
        if self.uncovered == "common":
            others = [answers.measures[i].covered for answers in result.answers.values()]
            shared: NDArray[np.bool_] = np.logical_and.reduce([within, *others])
            return shared
        return within & measure.covered

    def _compare(self, first: str, second: str, sections: bool) -> list[Comparison]:
        return [
            each for result in self._results
            for each in self._compare_on(result, first, second, sections)
        ]  # fmt: skip

    def _compare_on(
        self, result: SetResult, first: str, second: str, sections: bool
    ) -> list[Comparison]:
        """Compare two models on a test set and perhaps its sections; weights are drawn once."""
        of_first, of_second = (result.answers[name].measures for name in (first, second))
        asked = []
        for section, within in result.layout.sections.items():
            if section and not sections and "" in result.layout.sections:
                continue
            for one, other in zip(of_first, of_second, strict=True):
                counted = self.uncovered == "wrong" and one.can_be_wrong
                kept = within if counted else within & one.covered & other.covered
                asked.append((section, one, other, kept))
        drawn: list[list[NDArray[np.float64]]] = [[] for _ in asked]
        for weights in result.layout.resampling.weights(self._n_resamples, self._seed):
            for values, (_, one, other, kept) in zip(drawn, asked, strict=True):
                values.append(other.values(weights, kept) - one.values(weights, kept))
        return [
            Comparison(
                first, second, result.test_set.name, section, one.metric,
                other.value(kept) - one.value(kept), *interval(values), _p_value(values),
                int(np.count_nonzero(kept)),
            )
            for values, (section, one, other, kept) in zip(drawn, asked, strict=True)
        ]  # fmt: skip


def _p_value(drawn: list[NDArray[np.float64]]) -> float:
    """Give twice the share of differences on the rarer side of 0, and never 0 itself."""
    differences = np.concatenate([*drawn, np.empty(0)])
    finite = differences[np.isfinite(differences)]
    if not len(finite):
        return float("nan")
    below = np.count_nonzero(finite <= _NO_DIFFERENCE)
    above = np.count_nonzero(finite >= -_NO_DIFFERENCE)
    return float(min(1.0, 2 * (min(below, above) + 1) / (len(finite) + 1)))


def _plain(found: Score | Comparison) -> dict[str, Any]:
    told = asdict(found)
    if isinstance(found, Score):
        told["coverage"] = found.coverage
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in told.items()
    }

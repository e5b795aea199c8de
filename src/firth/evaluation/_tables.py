"""Scores as tables: for a terminal, for Markdown, for LaTeX."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firth.evaluation._results import Comparison, Evaluation, Score

KINDS = {
    "analogies": "Analogies, % right",
    "similarity": "Similarity, correlation",
    "categories": "Categories",
    "outliers": "Outliers, %",
    "associations": "Associations",
}
PERCENT = {"3CosAdd", "3CosMul", "purity", "accuracy", "OPP"}
#: Differences to the first model with a smaller p-value get a star.
SIGNIFICANT = 0.05
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A score as it is printed.

    Attributes
    ----------
    value, interval, coverage, p_value : str
        Its parts; the last two may be empty.
    is_best, is_different : bool
        Whether no model is better, and whether it differs from the first model.
    """

    value: str
    interval: str
    coverage: str
    p_value: str
    is_best: bool
    is_different: bool

    @property
    def star(self) -> str:
        """The mark of a difference."""
        return "*" if self.is_different else ""


@dataclass(frozen=True)
class Row:
    """What all models scored on one thing."""

    kind: str
    test_set: str
    section: str
    metric: str
    n_questions: str
    coverage: str
    cells: list[Cell]
    is_part: bool

    @property
    def label(self) -> str:
        """The test set, or the section."""
        return self.section or self.test_set


@dataclass(frozen=True)
class Grid:
    """A table of scores.

    Attributes
    ----------
    models : list of str
        The columns.
    rows : list of Row
        By kind, test set, section and metric.
    notes : list of str
        What has to stand below it.
    """

    models: list[str]
    rows: list[Row]
    notes: list[str]

    def by_kind(self) -> list[tuple[str, list[Row]]]:
        """Give the rows under their headings."""
        kinds = dict.fromkeys(row.kind for row in self.rows)
        order = [kind for kind in KINDS if kind in kinds]
        return [(KINDS[kind], [row for row in self.rows if row.kind == kind]) for kind in order]


def grid_of(evaluation: Evaluation, *, sections: bool = False) -> Grid:
    """Arrange scores: test sets and metrics as rows, models as columns."""
    models = list(evaluation.models)
    different = _different_from_first(evaluation, models, sections=sections)
    rows: dict[tuple[str, str, str], list[Score]] = {}
    whole = {score.test_set for score in evaluation.scores if not score.section}
    for score in evaluation.scores:
        if not score.section or sections or score.test_set not in whole:
            rows.setdefault((score.test_set, score.section, score.metric), []).append(score)
    return Grid(
        models,
        [_row(scores, different, whole) for scores in rows.values()],
        _notes(evaluation, starred=bool(different)),
    )


def _row(scores: list[Score], different: set[tuple[str, str, str, str]], whole: set[str]) -> Row:
    first = scores[0]
    coverages = [f"{100 * score.coverage:.0f}%" for score in scores]
    same = len(set(coverages)) == 1
    # An effect of a bias is not the better for being larger.
    finite = [score.value for score in scores if math.isfinite(score.value)]
    best = max(finite) if len(finite) > 1 and first.kind != "associations" else math.inf
    cells = [
        Cell(
            told(score.metric, score.value),
            "" if math.isnan(score.low) else
            f"[{told(score.metric, score.low)}, {told(score.metric, score.high)}]",
            "" if same else coverage,
            "" if score.p_value is None else told_p(score.p_value),
            score.value == best,
            (score.model, score.test_set, score.section, score.metric) in different,
        )
        for score, coverage in zip(scores, coverages, strict=True)
    ]  # fmt: skip
    return Row(
        first.kind, first.test_set, first.section, first.metric, f"{first.n_questions:,}",
        coverages[0] if same else "", cells,
        bool(first.section) and first.test_set in whole,
    )  # fmt: skip


def _different_from_first(
    evaluation: Evaluation, models: Sequence[str], *, sections: bool
) -> set[tuple[str, str, str, str]]:
    compared = (
        each
        for other in models[1:]
        for each in evaluation.compare(models[0], other, sections=sections)
    )
    return {
        (each.second, each.test_set, each.section, each.metric)
        for each in compared
        if each.p_value < SIGNIFICANT
    }


def _notes(evaluation: Evaluation, *, starred: bool) -> list[str]:
    policy = {
        "skip": "Questions with unknown words are left out; coverage says how many are not.",
        "wrong": "Questions with unknown words count as answered wrongly.",
        "common": "Only questions whose words all models know are counted.",
    }
    notes = [policy[evaluation.uncovered]]
    settings = evaluation.settings
    if settings["n_resamples"]:
        notes.append(f"Brackets: 95% intervals of {settings['n_resamples']:,} bootstrap resamples.")
    has_analogies = any(score.kind == "analogies" for score in evaluation.scores)
    if has_analogies and settings["restrict_vocab"]:
        notes.append(f"Analogies: among the first {settings['restrict_vocab']:,} words.")
    if starred:
        notes.append(
            f"*: differs from {next(iter(evaluation.models))} on the questions that both know "
            f"(p < {SIGNIFICANT:g}, paired bootstrap, each comparison by itself)."
        )
    return notes


def told(metric: str, value: float) -> str:
    """Write a score: shares in percent, correlations and indices with three decimals."""
    if math.isnan(value):
        return "-"
    if metric in PERCENT:
        return f"{100 * value:.1f}"
    return f"{value:.2f}" if metric == "effect size" else f"{value:.3f}"


def told_p(value: float) -> str:
    """Write a p-value."""
    if math.isnan(value):
        return "p -"
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.2g}"


def told_difference(each: Comparison) -> str:
    """Write a difference with its sign, its interval and its p-value."""
    sign = "+" if each.difference >= 0 else ""
    return (
        f"{sign}{told(each.metric, each.difference)} [{told(each.metric, each.low)}, "
        f"{told(each.metric, each.high)}] {told_p(each.p_value)}"
    )


def markdown(grid: Grid) -> str:
    """Write a table in Markdown."""
    heads = ["", "metric", "questions", "covered", *grid.models]
    lines = [_pipes(heads), _pipes(["---", "---", *["---:"] * (len(heads) - 2)])]
    for heading, rows in grid.by_kind():
        lines.append(_pipes([f"**{heading}**", *[""] * (len(heads) - 1)]))
        for row in rows:
            label = f"&nbsp;&nbsp;{row.label}" if row.is_part else row.label
            cells = [
                " ".join(
                    filter(
                        None,
                        [
                            (f"**{cell.value}**" if cell.is_best else cell.value) + cell.star,
                            cell.interval,
                            cell.p_value,
                            cell.coverage and f"({cell.coverage})",
                        ],
                    )
                )
                for cell in row.cells
            ]
            lines.append(_pipes([label, row.metric, row.n_questions, row.coverage, *cells]))
    return "\n".join([*lines, "", *(note.replace("*", r"\*") for note in grid.notes)]) + "\n"


def _pipes(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


def latex(grid: Grid) -> str:
    """Write a table for LaTeX, with the rules of booktabs."""
    n_columns = 4 + len(grid.models)
    lines = [
        r"% \usepackage{booktabs}",
        rf"\begin{{tabular}}{{ll{'r' * (n_columns - 2)}}}",
        r"\toprule",
        " & ".join(_tex(t) for t in ["", "metric", "questions", "covered", *grid.models]) + r" \\",
    ]
    for heading, rows in grid.by_kind():
        lines += [r"\midrule", rf"\multicolumn{{{n_columns}}}{{l}}{{\emph{{{_tex(heading)}}}}} \\"]
        for row in rows:
            label = r"\quad " * row.is_part + _tex(row.label)
            cells = [_latex_cell(cell) for cell in row.cells]
            told = [label, *map(_tex, (row.metric, row.n_questions, row.coverage)), *cells]
            lines.append(" & ".join(told) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", *(f"% {note}" for note in grid.notes)]
    return "\n".join(lines) + "\n"


def _latex_cell(cell: Cell) -> str:
    value = rf"\textbf{{{cell.value}}}" if cell.is_best else cell.value
    star = "$^{*}$" if cell.is_different else ""
    rest = " ".join(filter(None, [cell.interval, cell.p_value, cell.coverage]))
    return value + star + (rf" {{\scriptsize {_tex(rest)}}}" if rest else "")


def _tex(text: str) -> str:
    escaped = re.sub(r"[\\&%$#_{}~^]", lambda found: _LATEX[found[0]], text)
    return escaped.replace("<", "$<$")

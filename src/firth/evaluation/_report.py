"""An evaluation as a page of HTML that is complete in itself."""

from __future__ import annotations

import secrets
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from firth.errors import OutputError
from firth.evaluation import _pictures
from firth.evaluation._tables import KINDS, told, told_p
from firth.storage import output_errors

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from firth.evaluation._results import Evaluation, Score
    from firth.evaluation._tables import Cell, Grid, Row

_STYLE = """
:root { color-scheme: light dark; --grid: #dddddd; --dim: #666666; --back: #ffffff;
  --text: #1b1b1b; --band: #f4f5f7; }
@media (prefers-color-scheme: dark) { :root { --grid: #3c3f45; --dim: #a2a6ad; --back: #16181c;
  --text: #e6e6e6; --band: #1f2228; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 2rem 1.25rem 4rem; background: var(--back);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
figure { max-width: 60rem; } p { margin: .4rem 0; max-width: 46rem; } .dim { color: var(--dim); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem;
  border-top: 2px solid currentColor; border-bottom: 2px solid currentColor; }
th, td { padding: .2rem .7rem; text-align: right; vertical-align: baseline; white-space: nowrap; }
th:first-child, td:first-child, td.metric, th.metric { text-align: left; }
thead th { border-bottom: 1px solid currentColor; }
tr.kind td { font-style: italic; padding-top: .7rem; text-align: left; }
tr.section td:first-child { padding-left: 1.8rem; }
tbody tr:hover { background: var(--band); }
small { color: var(--dim); font-size: .82em; }
svg { width: 100%; height: auto; display: block; }
.pair { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr));
  gap: .5rem 2rem; }
figure { margin: .5rem 0; } figcaption { font-size: .9rem; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .9rem; margin: .4rem 0;
  padding: .3rem 0; position: sticky; top: 0; background: var(--back); }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 50%;
  margin-right: .4em; } details { margin: .8rem 0; } summary { cursor: pointer; }
@media print { body { max-width: none; } details { display: block; } }
"""


def check_report(path: str | os.PathLike[str]) -> None:
    """Tell before the work whether a report of it can be drawn and written.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed: the extra `plot`.
    OutputError
        The file is a folder, or its folder is not there.
    """
    path = Path(path).expanduser()
    _pictures.check_matplotlib()
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no regular file"
        raise OutputError(f"{path}: is {what}; give the name of a file for the report")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; make it first")


def save_report(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write the page; it appears whole. See `Evaluation.save_report`."""
    check_report(path)
    page = report(evaluation)
    path = Path(path).expanduser()
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    with output_errors(path):
        try:
            beside.write_text(page, encoding="utf-8", newline="\n")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def report(evaluation: Evaluation) -> str:
    """Make the page of an evaluation."""
    models = list(evaluation.models)
    title = f"Evaluation of {', '.join(models)}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="dim">{escape(_summary(evaluation))}</p>',
        _legend(models),
        _models(evaluation),
        "<h2>Scores</h2>",
        _table(evaluation.grid()),
        *(f'<p class="dim">{escape(note)}</p>' for note in evaluation.grid().notes),
        *_score_pictures(evaluation, models),
        "<h2>Coverage</h2>",
        "<p>A score says nothing about questions whose words a model does not know.</p>",
        f"<figure>{_pictures.coverage(evaluation.scores, models)}</figure>",
        *_frequency(evaluation, models),
        *_comparisons(evaluation, models),
        *_sections(evaluation),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _summary(evaluation: Evaluation) -> str:
    sets = dict.fromkeys(score.test_set for score in evaluation.scores)
    n_questions = sum(evaluation.sizes.values())
    return (
        f"{len(sets)} test sets with {n_questions:,} questions. Words are compared "
        f"{'without' if evaluation.settings['case_insensitive'] else 'with'} regard to case"
        f"{'; unseen words have the vectors of their subwords' * evaluation.settings['subwords']}."
    )


def _legend(models: Sequence[str]) -> str:
    items = (
        f'<span><i style="background:{_pictures.colour(i)}"></i>{escape(model)}</span>'
        for i, model in enumerate(models)
    )
    return f'<div class="legend">{"".join(items)}</div>'


def _models(evaluation: Evaluation) -> str:
    rows = [
        [
            escape(name),
            f"{told['words']:,}",
            str(told["vector_size"]),
            f"{told['without_direction']:,}",
        ]
        for name, told in evaluation.models.items()
    ]
    return _plain_table(["model", "words", "dimensions", "without a direction"], rows)


def _table(grid: Grid, *, of_sections: bool = False) -> str:
    heads = ["", "metric", "questions", "covered", *grid.models]
    body = []
    for heading, rows in grid.by_kind():
        if not of_sections:
            body.append(f'<tr class="kind"><td colspan="{len(heads)}">{escape(heading)}</td></tr>')
        for label, alike in groupby(rows, lambda row: row.label):
            body += [_row(row, "" if i else label) for i, row in enumerate(alike)]
    head = "".join(
        f"<th{' class=metric' * (name == 'metric')}>{escape(name)}</th>" for name in heads
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _row(row: Row, label: str) -> str:
    cells = "".join(f"<td>{_cell(cell)}</td>" for cell in row.cells)
    kind = ' class="section"' if row.is_part else ""
    return (
        f'<tr{kind}><td>{escape(label.strip())}</td><td class="metric">{escape(row.metric)}</td>'
        f"<td>{row.n_questions}</td><td>{row.coverage}</td>{cells}</tr>"
    )


def _cell(cell: Cell) -> str:
    value = f"<b>{cell.value}</b>" if cell.is_best else cell.value
    rest = " ".join(filter(None, [cell.interval, cell.coverage]))
    below = f"<br><small>{escape(cell.p_value)}</small>" if cell.p_value else ""
    return f"{value}{cell.star} <small>{escape(rest)}</small>{below}"


def _score_pictures(evaluation: Evaluation, models: Sequence[str]) -> Iterable[str]:
    for kind, heading in KINDS.items():
        of_kind = [score for score in evaluation.scores if score.kind == kind]
        whole = [score for score in of_kind if not score.section] or of_kind
        if whole:
            metric = whole[0].metric
            first = [score for score in whole if score.metric == metric]
            yield f"<h3>{escape(heading)}</h3>"
            yield f"<figure>{_pictures.intervals(first, models, metric)}</figure>"


def _frequency(evaluation: Evaluation, models: Sequence[str]) -> Iterable[str]:
    sets: dict[str, list[Score]] = {}
    for score in evaluation.by_frequency():
        sets.setdefault(score.test_set, []).append(score)
    # A single band is no course.
    drawn = {
        name: scores
        for name, scores in sets.items()
        if len({score.section for score in scores}) > 1
    }
    if not drawn:
        return
    yield "<h2>Scores by frequency</h2>"
    yield (
        "<p>Questions by their rarest word: its place in the vocabulary, whose words go by falling "
        "frequency. Bands of fewer than ten questions are left out.</p>"
    )
    yield '<div class="pair">'
    for name, scores in drawn.items():
        picture = _pictures.by_frequency(scores, models, scores[0].metric)
        yield f"<figure><figcaption>{escape(name)}</figcaption>{picture}</figure>"
    yield "</div>"


def _comparisons(evaluation: Evaluation, models: Sequence[str]) -> Iterable[str]:
    if len(models) < 2:
        return
    yield "<h2>Differences</h2>"
    yield (
        f"<p>To {escape(models[0])}, on the questions that both models know, by the paired "
        "bootstrap. p-values are not corrected for how many there are.</p>"
    )
    rows = []
    for other in models[1:]:
        for each in evaluation.compare(models[0], other):
            sign = "+" if each.difference > 0 else ""
            difference = sign + told(each.metric, each.difference)
            low, high = told(each.metric, each.low), told(each.metric, each.high)
            rows.append([
                escape(other), escape(f"{each.test_set} {each.section}".strip()),
                escape(each.metric), f"{each.n_questions:,}",
                f"<b>{difference}</b>" if each.p_value < 0.05 else difference,
                f"[{low}, {high}]", escape(told_p(each.p_value)),
            ])  # fmt: skip
    heads = ["model", "test set", "metric", "questions", "difference", "95% interval", ""]
    yield _plain_table(heads, rows)


def _sections(evaluation: Evaluation) -> Iterable[str]:
    grid = evaluation.grid(sections=True)
    names = dict.fromkeys(row.test_set for row in grid.rows if row.section)
    whole = {row.test_set for row in grid.rows if not row.section}
    for name in names:
        if name in whole:
            rows = [row for row in grid.rows if row.test_set == name and row.section]
            yield f"<details><summary>Sections of {escape(name)}</summary>"
            yield _table(type(grid)(grid.models, rows, []), of_sections=True)
            yield "</details>"


def _plain_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )

"""Scores of models as tables on a terminal."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from firth.evaluation import Cell, Comparison, Evaluation, Moved, StabilityBand

_LABELS_WIDTH, _CELL_WIDTH, _NARROW_CELL_WIDTH = 66, 22, 18


def is_terminal() -> bool:
    """Tell whether people read what is printed."""
    return sys.stdout.isatty()


def print_scores(found: Evaluation, *, sections: bool) -> None:
    """Print a table of scores: a row a test set and metric, a column a model."""
    from rich.text import Text

    console = _console()
    grid = found.grid(sections=sections)
    # Intervals stand below their scores where there is no room beside them.
    beside = _LABELS_WIDTH + _CELL_WIDTH * len(grid.models) <= console.width
    # And where there is not even room for that, only the scores stay.
    names = ["metric", "questions", "covered"]
    if _LABELS_WIDTH + _NARROW_CELL_WIDTH * len(grid.models) > console.width:
        names = names[:1]
    table = _table()
    table.add_column("", min_width=12)
    for name in names:
        table.add_column(name, justify="left" if name == "metric" else "right", no_wrap=True)
    for model in grid.models:
        table.add_column(_printable(model), justify="right", no_wrap=True, overflow="fold")
    for i, (heading, rows) in enumerate(grid.by_kind()):
        if i:
            table.add_section()
        table.add_row(Text(heading, style="italic"))
        for label, alike in groupby(rows, lambda row: row.label):
            for j, row in enumerate(alike):
                shown = Text("" if j else _printable("  " * row.is_part + label))
                cells = [_cell(cell, beside=beside) for cell in row.cells]
                told = (row.metric, row.n_questions, row.coverage)[: len(names)]
                table.add_row(shown, *told, *cells)
    console.print(table)
    for note in grid.notes:
        console.print(Text(note, style="dim"))


def print_comparisons(found: Evaluation) -> None:
    """Print how models differ from the first one, on the questions that both know."""
    from rich.text import Text

    from firth.evaluation import told as written
    from firth.evaluation import told_p

    models = list(found.models)
    if len(models) < 2:
        return
    table = _table()
    for name in ("", "metric", "questions", "difference", "95% interval", "p"):
        table.add_column(name, justify="left" if name in {"", "metric"} else "right")
    for i, other in enumerate(models[1:]):
        if i:
            table.add_section()
        title = f"{_printable(other)} - {_printable(models[0])}"
        table.add_row(Text(title, style="italic"))
        for each in _of_first_metrics(found.compare(models[0], other)):
            table.add_row(
                _printable(each.section or each.test_set),
                each.metric,
                f"{each.n_questions:,}",
                Text(
                    ("+" if each.difference > 0 else "") + written(each.metric, each.difference),
                    style="bold" if each.p_value < 0.05 else "",
                ),
                _interval(written(each.metric, each.low), written(each.metric, each.high)),
                told_p(each.p_value).removeprefix("p = ").removeprefix("p "),
            )
    console = _console()
    console.print()
    console.print(table)


def _interval(low: str, high: str) -> str:
    return "-" if low == "-" else f"[{low}, {high}]"


def _of_first_metrics(compared: list[Comparison]) -> Iterator[Comparison]:
    """Give the comparisons by the usual metric of each test set; a report has the others."""
    seen: dict[tuple[str, str], str] = {}
    for each in compared:
        if seen.setdefault((each.test_set, each.section), each.metric) == each.metric:
            yield each


def _cell(cell: Cell, *, beside: bool) -> Text:
    from rich.text import Text

    text = Text(cell.value + cell.star, style="bold" if cell.is_best else "")
    for part in filter(None, (cell.interval, cell.p_value, cell.coverage)):
        text.append(" " if beside and part == cell.interval else "\n")
        text.append(part, style="not bold dim")
    return text


def _table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="bold", pad_edge=False)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _printable(text: str) -> str:
    from firth.cli.answers import printable

    return printable(text)


def print_moved(moved: Sequence[Moved]) -> None:
    """Print words that moved, with their neighbours in both models."""
    from rich.text import Text

    table = _table()
    for name in ("word", "distance", "z", "shared", "old neighbours", "new neighbours"):
        is_number = name in {"distance", "z", "shared"}
        table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number)
    for each in moved:
        in_both = {w for w, _ in each.old_neighbours} & {w for w, _ in each.new_neighbours}
        near = []
        for some in (each.old_neighbours, each.new_neighbours):
            text = Text()
            for neighbour, _ in some:
                style = "dim" if neighbour in in_both else ""
                text.append(_printable(neighbour) + " ", style=style)
            near.append(text)
        word = Text(_printable(each.word), style="bold")
        numbers = (f"{each.distance:.3f}", f"{each.z:.1f}", f"{100 * each.shared:.0f}%")
        table.add_row(word, *numbers, *near)
    _console().print(table)


def print_stability(bands: Sequence[StabilityBand], topn: int) -> None:
    """Print how much the neighbours of words agree, by bands of frequency."""
    table = _table()
    for name in ("words", "asked", f"of {topn} neighbours", "95% interval"):
        table.add_column(name, justify="right")
    for band in bands:
        table.add_row(
            band.band,
            f"{band.n_asked:,}",
            f"{100 * band.overlap:.1f}%",
            f"[{100 * band.low:.1f}, {100 * band.high:.1f}]",
        )
    _console().print(table)

"""Scores of models as tables on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from firth.evaluation import Evaluation, Moved, StabilityBand

# Where a line may end: before an interval, not within it.
NO_BREAK = "\N{NO-BREAK SPACE}"


def is_terminal() -> bool:
    """Tell whether people read what is printed."""
    return sys.stdout.isatty()


def print_scores(found: Evaluation, *, sections: bool) -> None:
    """Print a table of scores: a row a test set and metric, a column a model."""
    from rich.text import Text

    grid = found.grid(sections=sections)
    table = _table()
    table.add_column("")
    table.add_column("metric")
    table.add_column("questions", justify="right")
    table.add_column("covered", justify="right")
    for model in grid.models:
        table.add_column(_printable(model), justify="right")
    for i, (heading, rows) in enumerate(grid.by_kind()):
        if i:
            table.add_section()
        table.add_row(Text(heading, style="italic"))
        before = ""
        for row in rows:
            label = _printable(row.label)
            shown = Text(label if label != before else "")
            before = label
            cells = [
                _cell(c.value + c.star, [c.interval, c.p_value, c.coverage], is_best=c.is_best)
                for c in row.cells
            ]
            table.add_row(shown, row.metric, row.n_questions, row.coverage, *cells)
    console = _console()
    console.print(table)
    for note in grid.notes:
        console.print(Text(note, style="dim"))


def print_comparisons(found: Evaluation) -> None:
    """Print how models differ from the first one, on the questions that both know."""
    from rich.text import Text

    from firth.evaluation import told, told_p

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
        for each in found.compare(models[0], other):
            table.add_row(
                _printable(f"{each.test_set} {each.section}".strip()),
                each.metric,
                f"{each.n_questions:,}",
                Text(
                    ("+" if each.difference > 0 else "") + told(each.metric, each.difference),
                    style="bold" if each.p_value < 0.05 else "",
                ),
                f"[{told(each.metric, each.low)},{NO_BREAK}{told(each.metric, each.high)}]",
                told_p(each.p_value).removeprefix("p = ").removeprefix("p "),
            )
    console = _console()
    console.print()
    console.print(table)


def _cell(value: str, rest: list[str], *, is_best: bool) -> Text:
    from rich.text import Text

    text = Text(value, style="bold" if is_best else "")
    for part in filter(None, rest):
        text.append(" ")
        text.append(part.replace(" ", NO_BREAK), style="not bold dim")
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
            f"[{100 * band.low:.1f},{NO_BREAK}{100 * band.high:.1f}]",
        )
    _console().print(table)

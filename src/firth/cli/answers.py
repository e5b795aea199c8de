"""Answers as people and programs read them: a table, lines with tabs, or JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firth.cli.questions import Question

JSON_DECIMALS = 6
TEXT_DECIMALS = 4


@dataclass(frozen=True)
class Answer:
    """What a question was answered with.

    Attributes
    ----------
    fields : dict
        What the JSON object holds beside ``words``.
    rows : sequence of tuple
        The same as lines: words and figures, as many as there are columns.
    """

    fields: dict[str, Any]
    rows: Sequence[tuple[str | float, ...]]


class AnswerPrinter:
    """Prints the answers of one command.

    Parameters
    ----------
    columns : sequence of str
        What the columns of an answer's rows hold.
    as_json : bool
        One JSON object a line for each question, whatever standard output is.
    with_question : bool
        Begin each line with the words of the question, because there may be several.
    """

    def __init__(self, columns: Sequence[str], *, as_json: bool, with_question: bool) -> None:
        self.columns = columns
        self.as_json = as_json
        self.with_question = with_question
        self.failed = False
        self._as_table = not as_json and sys.stdout.isatty()

    def print(self, question: Question, answer: Answer) -> None:
        """Print one answer, in the order of the questions."""
        if self.as_json:
            print_json({"words": list(question.words), **answer.fields})
        elif self._as_table:
            self._print_table(question, answer)
        else:
            asked = question.words if self.with_question else ()
            # One write for an answer: a line each would be slow for thousands of questions.
            lines = ["\t".join(_column(value) for value in (*asked, *row)) for row in answer.rows]
            if lines:
                print_line("\n".join(lines))

    def print_error(self, question: Question, message: str) -> None:
        """Say on standard error why a question has no answer; the next ones are answered still."""
        self.failed = True
        if self.as_json:
            print_json({"words": list(question.words), "error": message})
        print_message(f"{question.place}{message}")

    def _print_table(self, question: Question, answer: Answer) -> None:
        if len(self.columns) == 1:
            asked = question.words if self.with_question else ()
            print_line("  ".join(_column(value) for value in (*asked, *answer.rows[0])))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
        for name in self.columns:
            figures = name == "similarity"
            table.add_column(name, justify="right" if figures else "left", overflow="fold")
        for row in answer.rows:
            table.add_row(
                *(
                    Text(_column(value), style="bold" if isinstance(value, str) else "cyan")
                    for value in row
                )
            )
        console = Console(highlight=False)
        if self.with_question:
            console.print(Text(printable(" ".join(question.words)), style="bold underline"))
        console.print(table)
        if self.with_question:
            console.print()


def printable(text: str) -> str:
    r"""Write control characters as escapes: words come from strangers' files.

    Examples
    --------
    >>> printable("a\tb \x1b[31mred")
    'a\\tb \\x1b[31mred'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


class ReaderGoneError(Exception):
    """Nobody reads standard output any more.

    click would make exit status 1 of the error that Python raises for this.
    """


def print_line(text: str) -> None:
    """Print a line on standard output, at once."""
    try:
        click.echo(text)
    except BrokenPipeError:
        raise ReaderGoneError from None


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on one line, in UTF-8 or, where that cannot be written, in ASCII."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    try:
        text = json.dumps(value, ensure_ascii=not is_utf8)
        text.encode("utf-8")
    except UnicodeEncodeError:  # an argument that is not UTF-8 arrives with lone surrogates
        text = json.dumps(value)
    print_line(text)


def print_message(text: str) -> None:
    """Print an error or warning on standard error: one line, whatever it holds."""
    click.echo(f"firth: {printable(' '.join(text.split()))}", err=True)


def similarity_for_json(value: float) -> float | None:
    """Round to what float32 can tell; a similarity that is no number is null in JSON."""
    return round(float(value), JSON_DECIMALS) if value == value else None  # noqa: PLR0124 (NaN)


def _column(value: str | float) -> str:
    return printable(value) if isinstance(value, str) else f"{value:.{TEXT_DECIMALS}f}"

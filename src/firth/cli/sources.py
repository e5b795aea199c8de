"""The commands about what can be had by name: list and download."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_json, print_line
from firth.cli.ask import json_option
from firth.cli.command import command, option
from firth.errors import SourceError

if TYPE_CHECKING:
    from firth.hub import Source, Sources


@command(
    "list",
    "List the vectors that can be had by name",
    examples="""
    firth list                   # all, one line where there is one source a language
    firth list glove
    firth list German
    firth list 'cc.*.300.bin' --json
    """,
)
@click.argument("pattern", required=False)
@json_option
def list_(pattern: str | None, as_json: bool) -> int:
    """List the vectors, corpora and test sets that can be had by name.

    PATTERN is part of a name, a pattern with * and ?, a family (glove, fasttext, word2vec,
    numberbatch), a kind (vectors, corpus, evaluation) or a language. A star stands before what is
    on this machine already.
    """
    from firth.hub import is_here, list_sources

    sources = list_sources(pattern)
    if not sources:
        raise SourceError(
            f"nothing by name matches '{pattern}'; 'firth list' without a pattern lists all"
        )
    if as_json:
        for source in sources:
            print_json({**told_of(source), "downloaded": is_here(source)})
    elif sys.stdout.isatty():
        _print_table(sources)
    else:
        print_line("\n".join("\t".join(_columns(source)) for source in sources))
    return 0


def told_of(source: Source) -> dict[str, Any]:
    """Give what the catalogue has about a source, as JSON; what is not known is not there."""
    from dataclasses import asdict

    known = asdict(source)
    del known["pattern"]  # the name, once more
    return {name: value for name, value in known.items() if value not in (None, "", ())}


def _columns(source: Source) -> list[str]:
    """Give what programs read; a figure that is not known is empty."""
    return [
        source.name,
        str(source.words or ""),
        str(source.vector_size or ""),
        str(source.n_bytes or ""),
        source.language or "",
        source.licence or "",
        source.title,
    ]


# The last column, what a source was made of, is cut to what is left of the line; below this many
# letters it says nothing.
_FEWEST_LETTERS = 16


def _print_table(sources: Sources) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from firth.hub import COLUMNS, is_here, table_of

    here = {source.name for source in sources if is_here(source)}
    rows = [[("* " if row[0] in here else "  ") + row[0], *row[1:]] for row in table_of(sources)]
    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    room = console.width + 2
    for column, (name, right) in enumerate(COLUMNS):
        width = max(len(row[column]) for row in rows)
        # A narrow terminal shows fewer columns rather than halves of all.
        fits = width + 2 <= room
        if column == 0 or fits or (column == len(COLUMNS) - 1 and room >= _FEWEST_LETTERS):
            table.add_column(
                name,
                justify="right" if right else "left",
                no_wrap=True,
                min_width=width if fits else None,
            )
            room -= width + 2
        else:
            break
    for row in rows[1:]:
        cells = [Text(cell) for cell in row[1 : len(table.columns)]]
        table.add_row(Text(row[0], style="bold"), *cells)
    console.print(table)
    console.print(
        f"[dim]{len(sources):,} sources{', * on this machine' if here else ''}; "
        "firth info NAME, firth download NAME[/]"
    )


@command(
    "download",
    "Download vectors or a corpus by name",
    examples="""
    firth download glove.6B.50d
    firth similar glove.6B.50d computers
    firth train "$(firth download text8)" -o text8
    """,
)
@click.argument("name")
@option("--again", is_flag=True, help="Download it even if it is there.")
@option("-q", "--quiet", is_flag=True, help="Show no progress.")
def download(name: str, again: bool, quiet: bool) -> int:
    """Download NAME, verify it, and print where it is.

    NAME is one of 'firth list'. Vectors are converted to a model folder, which opens at once from
    then on; what is printed is that folder. NAME may also be an http or https address, whose file
    is left as it is. A download that was broken off goes on where it was.
    """
    from firth.hub import download as fetch
    from firth.hub import find_source, prepare

    progress = False if quiet else None
    source = find_source(name)
    if source is not None and source.kind == "vectors":
        if again:
            fetch(name, again=True, progress=progress)
        print_line(str(prepare(name, progress=progress)))
        if sys.stdout.isatty() and not quiet:
            print_line(f"Try: firth similar {shlex.quote(name)} water")
    else:
        print_line(str(fetch(name, again=again, progress=progress)))
    return 0

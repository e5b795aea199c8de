"""The commands that draw a few words: firth plot analogy, similarity, neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from firth.cli.answers import print_line
from firth.cli.ask import load_vectors, source_argument
from firth.cli.command import HELP_SETTINGS, Group, command, option
from firth.cli.maps import theme_option, title_option

if TYPE_CHECKING:
    from collections.abc import Sequence

output_option = option(
    "-o", "--output", required=True, metavar="FILE", help="The picture: .png, .svg or .pdf."
)
words_argument = click.argument("words", metavar="WORD...", nargs=-1, required=True)


@click.group(
    "plot",
    cls=Group,
    short_help="Draw a few words: analogies, similarities, neighbours",
    context_settings=HELP_SETTINGS,
    examples="""
    firth plot analogy wiki100 man woman king queen -o pairs.png
    firth plot similarity wiki100 green blue red zebra lion -o similar.svg
    firth plot neighbours wiki100 jazz -o jazz.pdf
    """,
)
def plot() -> None:
    """Draw a picture of what vectors say of a few words."""


@command(
    "analogy",
    "Draw pairs of words, joined by arrows in their plane",
    examples="""
    firth plot analogy wiki100 man woman king queen uncle aunt -o pairs.png
    firth plot analogy wiki100 france paris japan tokyo italy rome -o capitals.pdf
    """,
)
@source_argument
@words_argument
@output_option
@theme_option
@title_option
def analogy(source: str, words: Sequence[str], output: str, theme: str, title: str | None) -> None:
    """Draw pairs of words in the plane of their first two principal components.

    WORDs are pairs, one after the other. Where pairs stand in the same relation, their arrows are
    about parallel.
    """
    if len(words) % 2 or len(words) < 4:
        raise click.UsageError(
            f"Give two pairs of words or more, one after the other; got {len(words)} words."
        )
    from firth.maps import check_target, plot_analogy

    check_target(output)
    plot_analogy(load_vectors(source), words, output, theme=theme, title=title)
    print_line(f"Drawn to {output}.")


@command(
    "similarity",
    "Draw how similar words are to each other",
    examples="""
    firth plot similarity wiki100 green blue red zebra lion -o similar.png
    """,
)
@source_argument
@words_argument
@output_option
@theme_option
@title_option
def similarity(
    source: str, words: Sequence[str], output: str, theme: str, title: str | None
) -> None:
    """Draw a heat map of the cosines of all pairs of WORDs, similar ones beside each other."""
    if len(words) < 2:
        raise click.UsageError("Give two words or more.")
    from firth.maps import check_target, plot_similarity

    check_target(output)
    plot_similarity(load_vectors(source), words, output, theme=theme, title=title)
    print_line(f"Drawn to {output}.")


@command(
    "neighbours",
    "Draw the nearest neighbours of a word",
    examples="""
    firth plot neighbours wiki100 jazz -o jazz.png
    firth plot neighbours wiki100 jazz -o jazz.svg -k 40 --theme dark
    """,
)
@source_argument
@click.argument("word", metavar="WORD")
@output_option
@option(
    "-k",
    "--top",
    default=20,
    type=click.IntRange(1, 60),
    metavar="N",
    help="How many words to show, 1 to 60.",
)
@theme_option
@title_option
def neighbours(
    source: str, word: str, output: str, top: int, theme: str, title: str | None
) -> None:
    """Draw the nearest neighbours of WORD, as bars of their cosines."""
    from firth.maps import check_target, plot_neighbours

    check_target(output)
    plot_neighbours(load_vectors(source), word, output, topn=top, theme=theme, title=title)
    print_line(f"Drawn to {output}.")


for _command in (analogy, similarity, neighbours):
    plot.add_command(_command)

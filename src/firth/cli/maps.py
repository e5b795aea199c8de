"""The command that draws maps: firth map."""

from __future__ import annotations

from pathlib import Path

import click

from firth.cli.answers import print_line
from firth.cli.ask import load_vectors, source_argument
from firth.cli.command import command, option

WORDS, LOOK = "Words", "Look"

theme_option = option(
    "--theme",
    type=click.Choice(["light", "dark"]),
    default="light",
    section=LOOK,
    help="The colours.",
)
title_option = option("--title", section=LOOK, metavar="TEXT", help="What stands above.")


@command(
    "map",
    "Draw a map of words",
    examples="""
    firth map wiki100 -o map.png                       # the 2,000 most frequent words
    firth map wiki100 -o map.html --top 20000          # a page to wander in
    firth map wiki100 -o jazz.svg --around jazz        # a word and its 300 neighbours
    firth map wiki100 -o my.pdf --words my-words.txt --color my-groups.tsv
    """,
)
@source_argument
@option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="A picture (.png, .svg, .pdf) or a page (.html).",
)
@option(
    "--top",
    type=click.IntRange(min=1),
    section=WORDS,
    metavar="N",
    help="The N first, most frequent words, 2000 if nothing is said; with --around so many "
    "neighbours, 300 if nothing is said.",
)
@option("--around", section=WORDS, metavar="WORD", help="WORD and its nearest neighbours.")
@option(
    "--words",
    "word_file",
    type=click.Path(dir_okay=False),
    section=WORDS,
    metavar="FILE",
    help="The words of a file, one a line.",
)
@option(
    "--method",
    type=click.Choice(["tsne", "umap", "pca"]),
    default="tsne",
    help="How the plane is made: t-SNE, UMAP, or principal components.",
)
@option("--seed", type=click.IntRange(min=0), default=1, metavar="N", help="The same map again.")
@option(
    "--color",
    default="clusters",
    section=LOOK,
    metavar="WHAT",
    help="clusters, frequency, or a FILE with a word, a tab, and its group or a number on each "
    "line.",
)
@option(
    "--clusters",
    type=click.IntRange(1, 7),
    default=7,
    section=LOOK,
    metavar="N",
    help="How many clusters, 1 to 7.",
)
@option(
    "--labels",
    type=click.IntRange(min=0),
    section=LOOK,
    metavar="N",
    help="The most words to write in a picture; as many as find a place if not given.",
)
@theme_option
@title_option
def map_(
    source: str, output: str, top: int | None, around: str | None, word_file: str | None,
    method: str, seed: int, color: str, clusters: int, labels: int | None, theme: str,
    title: str | None,
) -> None:  # fmt: skip
    """Draw words of VECTORS in a plane, so that similar ones are near each other.

    Words that are together are similar; how far apart groups are says little. A page has hover and
    search, and needs no network.
    """
    if word_file is not None and (top is not None or around is not None):
        raise click.UsageError("--words says which ones to draw; leave out --top and --around.")
    from firth.maps import check_target, map_words, read_words

    check_target(output, with_page=True)
    words = None if word_file is None else read_words(word_file)
    made = map_words(
        load_vectors(source), words, top=top, around=around, method=method, color=color,
        clusters=clusters, seed=seed, show_progress=True,
    )  # fmt: skip
    made.save(output, theme=theme, title=title, labels=labels)
    print_line(f"{len(made):,} words drawn to {Path(output)}.")

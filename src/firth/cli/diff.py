"""The commands that compare models word by word: diff and stability."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from firth.cli.answers import print_json, print_line, print_message, printable
from firth.cli.ask import json_option, load_vectors, top_option
from firth.cli.command import command, option
from firth.cli.scores import is_terminal, print_moved, print_stability

if TYPE_CHECKING:
    from firth.evaluation import Moved


@command(
    "diff",
    "Show which words moved between two models",
    examples="""
    firth diff news-1990 news-2020                # two decades
    firth diff wiki medicine -k 50 --by z         # two domains; rare words not ahead
    firth diff wiki medicine cell patient         # these words
    firth diff before after --no-align            # the same space, before and after tuning
    """,
)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.argument("words", metavar="[WORD...]", nargs=-1)
@top_option
@option(
    "--neighbours",
    default=6,
    type=click.IntRange(min=1),
    metavar="N",
    help="How many neighbours of each word to show.",
)
@option(
    "--restrict-vocab",
    default=20_000,
    type=click.IntRange(min=0),
    metavar="N",
    help="Compare the N most frequent words that both have; 0 for all.",
)
@option(
    "--by",
    type=click.Choice(["distance", "z"]),
    default="distance",
    help="Rank by distance, or by how far it is above that of words of like frequency.",
)
@option("--no-align", is_flag=True, help="Do not rotate the old vectors onto the new ones.")
@json_option
def diff(
    old: str, new: str, words: tuple[str, ...], top: int, neighbours: int, restrict_vocab: int,
    by: str, no_align: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show the words whose vectors moved most from OLD to NEW, with their neighbours in both.

    The vectors of the words that both have are scaled to length 1, and the old ones are rotated
    onto the new ones (orthogonal Procrustes). The distance is 1 - the cosine that is left; z says
    how many standard deviations that is above the distances of words of like frequency.
    """
    from firth.evaluation import diff as compare

    found = compare(
        load_vectors(old),
        load_vectors(new),
        restrict_vocab=restrict_vocab or None,
        align=not no_align,
        by="z" if by == "z" else "distance",
    )
    moved = found.of(words, neighbours) if words else found.moved(top, neighbours)
    if as_json:
        print_json(found.to_dict(1, 1) | {"moved": [asdict(each) for each in moved]})
    elif is_terminal():
        print_line(
            f"{found.n_shared:,} words in common; {found.n_compared:,} compared, with a mean "
            f"similarity of {found.mean_similarity:.3f}"
        )
        for side, n, some in (
            ("old", found.n_only_old, found.only_old),
            ("new", found.n_only_new, found.only_new),
        ):
            if n:
                shown = " ".join(printable(word) for word in some)
                print_line(f"only in the {side} model: {n:,} words: {shown} ...")
        print_moved(moved)
    else:
        print_line("word\tdistance\tz\tshared\told\tnew")
        for each in moved:
            print_line(_tabs(each))


def _tabs(each: Moved) -> str:
    near = [
        " ".join(printable(word) for word, _ in some)
        for some in (each.old_neighbours, each.new_neighbours)
    ]
    numbers = [f"{value:.4f}" for value in (each.distance, each.z, each.shared)]
    return "\t".join([printable(each.word), *numbers, *near])


@command(
    "stability",
    "Tell how much neighbours agree between trainings",
    examples="""
    for seed in 1 2 3; do firth train corpus.txt -o seed$seed --seed $seed; done
    firth stability seed1 seed2 seed3
    """,
)
@click.argument("sources", metavar="VECTORS...", nargs=-1, required=True)
@top_option
@option(
    "--words",
    default=1000,
    type=click.IntRange(min=1),
    metavar="N",
    help="How many words of each band of frequency to ask for.",
)
@option("--seed", type=click.IntRange(min=0), default=1, metavar="N", help="Seed of the sample.")
@json_option
def stability(sources: tuple[str, ...], top: int, words: int, seed: int, as_json: bool) -> None:
    """Tell what share of the nearest neighbours models agree on, by frequency of the words.

    For models of the same text and settings with several seeds: what they do not agree on is
    chance.
    """
    if len(sources) < 2:
        raise click.UsageError("Give two models or more.")
    from firth.evaluation import stability as tell

    bands = tell([load_vectors(s) for s in sources], topn=top, n_words=words, seed=seed)
    if as_json:
        print_json({"bands": [asdict(band) for band in bands], "topn": top})
    elif is_terminal():
        print_stability(bands, top)
    else:
        print_line("words\tasked\toverlap\tlow\thigh")
        for band in bands:
            numbers = (f"{value:.4f}" for value in (band.overlap, band.low, band.high))
            print_line("\t".join([band.band, str(band.n_asked), *numbers]))
    if len({*sources}) < len(sources):
        print_message("warning: the same vectors were given twice; they agree on everything")

"""The command that builds an index for approximate search."""

from __future__ import annotations

import click

from firth.cli.answers import print_json, print_line
from firth.cli.command import command, option


@command(
    "index",
    "Build an index for approximate search",
    examples="""
    firth index wiki100
    firth index wiki100 --dtype int8 --recall 0.99
    """,
)
@click.argument("folder", metavar="FOLDER")
@option(
    "--dtype",
    type=click.Choice(["float32", "float16", "int8"]),
    default="float16",
    help="How the index keeps its copy of the vectors.",
)
@option(
    "--recall",
    type=float,
    default=0.95,
    metavar="X",
    help="The share of the ten nearest that a search shall find.",
)
@option(
    "--connectivity",
    type=int,
    default=16,
    metavar="N",
    help="Neighbours of a word in the graph: more find more, and take memory.",
)
@option(
    "--expansion-add",
    type=int,
    default=128,
    metavar="N",
    help="Candidates held while a word is added: more make a better graph, slower.",
)
@option(
    "--threads",
    type=int,
    metavar="N",
    help="Threads that build.  [default: one for each core]",
)
@option("--json", "as_json", is_flag=True, help="Print what was built as a JSON object.")
def index(
    folder: str,
    dtype: str,
    recall: float,
    connectivity: int,
    expansion_add: int,
    threads: int | None,
    as_json: bool,
) -> None:
    """Build an index for the vectors in FOLDER, and put it there.

    FOLDER is one that firth wrote: firth convert makes one of any file of vectors. Programs then
    ask wv.most_similar(word, approximate=True). What the index finds of the true ten nearest is
    measured, printed, and kept in it.
    """
    from firth.storage import read_config
    from firth.vectors import KeyedVectors

    read_config(folder, "keyed_vectors")  # before a build that may take long
    vectors = KeyedVectors.load(folder)
    built = vectors.build_index(
        dtype=dtype,
        target_recall=recall,
        connectivity=connectivity,
        expansion_add=expansion_add,
        workers=threads,
    )
    vectors.save_index()
    if as_json:
        print_json(built.about)
        return
    print_line(
        f"{len(built):,} of {len(vectors):,} words; finds {100 * built.recall:.1f} % of the ten "
        f"nearest of a word, {100 * built.recall_of_sums:.1f} % of those of two words together"
    )

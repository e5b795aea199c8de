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
    firth index wiki100 --recall 0.99
    firth index news3m --kind hnsw --dtype int8
    """,
)
@click.argument("folder", metavar="FOLDER")
@option(
    "--kind",
    type=click.Choice(["rabitq", "hnsw"]),
    default="rabitq",
    help="Codes of a bit a number, or a graph, which is faster from a million words on.",
)
@option(
    "--recall",
    type=float,
    default=0.95,
    metavar="X",
    help="The share of the ten nearest that a search shall find.",
)
@option(
    "--bits",
    type=int,
    metavar="N",
    help="rabitq: the length of a word's code.  [default: by the vectors]",
)
@option(
    "--dtype",
    type=click.Choice(["float32", "float16", "int8"]),
    help="hnsw: how it keeps its copy of the vectors.  [default: float16]",
)
@option(
    "--connectivity",
    type=int,
    metavar="N",
    help="hnsw: neighbours of a word: more find more, and take memory.  [default: 16]",
)
@option(
    "--expansion-add",
    type=int,
    metavar="N",
    help="hnsw: candidates held while a word is added.  [default: 128]",
)
@option(
    "--threads",
    type=int,
    metavar="N",
    help="hnsw: threads that build.  [default: one for each core]",
)
@option("--json", "as_json", is_flag=True, help="Print what was built as a JSON object.")
def index(
    folder: str,
    kind: str,
    recall: float,
    bits: int | None,
    dtype: str | None,
    connectivity: int | None,
    expansion_add: int | None,
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
        kind,
        bits=bits,
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

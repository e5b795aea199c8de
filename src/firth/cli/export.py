"""The command that writes vectors for other programs."""

from __future__ import annotations

from typing import Any

import click

from firth.cli.answers import print_line
from firth.cli.command import command, option
from firth.cli.convert import POSITIVE, READING, check_target, read_words

# Written out: importing them would import NumPy before the help is shown.
TARGETS = ("sentence-transformers", "model2vec", "spacy", "torch", "keras")
OPENED_BY = {
    "sentence-transformers": "SentenceTransformer({!r})",
    "model2vec": "StaticModel.from_pretrained({!r})",
    "spacy": "spacy.load({!r})",
    "torch": "see {}/README.md",
    "keras": "see {}/README.md",
}


@command(
    "export",
    "Write vectors for another program",
    examples="""
    firth export vectors for-st --to sentence-transformers
    firth export glove.6B.100d en_glove --to spacy --language en
    firth export vectors for-torch --to torch --padding '<pad>' --unknown '<unk>'
    """,
)
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@option(
    "--to",
    required=True,
    type=click.Choice(TARGETS),
    metavar="PROGRAM",
    help="Who is to open DST: sentence-transformers, model2vec, spacy, torch or keras.",
)
@option("--padding", metavar="WORD", help="torch, keras: put a row of zeros first, for padding.")
@option("--unknown", metavar="WORD", help="torch, keras: and one for words that are not there.")
@option("--language", metavar="CODE", help="spacy: the language, such as en.  [default: xx]")
@option("--limit", type=POSITIVE, section=READING, metavar="N", help="Take the first N words.")
@option(
    "--only",
    section=READING,
    metavar="FILE",
    help='Take the words in FILE, one a line; "-" is standard input.',
)
@option("--force", is_flag=True, help="Replace DST if firth wrote it.")
@option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def export(
    source: str,
    target: str,
    to: str,
    limit: int | None,
    only: str | None,
    force: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Write the vectors in SRC as a folder DST that another program opens, without firth.

    SRC is a file or folder in any format, an address, or a name of 'firth list'. DST appears whole
    or not at all.
    """
    from firth.exports import export as write
    from firth.hub import load

    check_target(target, replace=force)
    words = None if only is None else read_words(only)
    wv = load(source, only=words, limit=limit, progress=False if quiet else None)
    write(wv, target, to, **options)
    if not quiet:
        print_line(f"{len(wv):,} words x {wv.vector_size} dimensions written to {target}")
        print_line(f"open it: {OPENED_BY[to].format(target)}")
    return 0

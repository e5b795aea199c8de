"""The command that writes vectors in another format."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_line, print_message
from firth.cli.command import command, option
from firth.errors import OutputError, TextError

if TYPE_CHECKING:
    from firth.formats import LoadReport

READING = "Reading"
POSITIVE = click.IntRange(min=1)


@command(
    "convert",
    "Write vectors in another format",
    examples="""
    firth convert GoogleNews-vectors-negative300.bin.gz googlenews
    firth convert glove.840B.300d.txt glove.parquet --limit 500000
    firth convert vectors vectors.vec.gz
    firth convert wiki.simple simple.bin --to word2vec-binary --only words.txt
    """,
)
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@option(
    "--to",
    metavar="FORMAT",
    help="Format of DST.  [default: by its ending; none is a model folder]",
)
@option(
    "--from", "from_", metavar="FORMAT", section=READING, help="Format of SRC.  [default: seen]"
)
@option("--limit", type=POSITIVE, section=READING, metavar="N", help="Keep the first N words.")
@option(
    "--only",
    section=READING,
    metavar="FILE",
    help='Keep the words in FILE, one a line; "-" is standard input.',
)
@option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    section=READING,
    metavar="TYPE",
    help="float32, or float16 for half of the size.",
)
@option("--strict", is_flag=True, section=READING, help="Refuse SRC where it needs repairs.")
@option(
    "--errors",
    type=click.Choice(["strict", "replace", "ignore"]),
    default="strict",
    section=READING,
    metavar="HOW",
    help="Words that are not UTF-8: strict stops, replace puts U+FFFD, ignore drops the bytes.",
)
@option("--force", is_flag=True, help="Replace DST if it is there.")
@option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def convert(
    source: str,
    target: str,
    to: str | None,
    from_: str | None,
    only: str | None,
    force: bool,
    quiet: bool,
    **reading: Any,
) -> int:
    """Read the vectors in SRC and write them to DST, whole or not at all.

    SRC is a file or folder in any format, an address, or a name of 'firth list'. The format of DST
    goes by its ending; 'firth convert --help' shows some, docs/formats.md lists all.
    """
    from firth.formats import write_vectors
    from firth.hub import open_table

    check_target(target, replace=force)
    words = None if only is None else read_words(only)
    options = {**reading, "only": words, "format": from_}
    table = open_table(source, options, progress=False if quiet else None)
    write_vectors(table, target, format=to)
    if not quiet:
        n_words, vector_size = table.vectors.shape
        print_line(f"{n_words:,} words x {vector_size} dimensions written to {target}")
        if words is not None and n_words < len(words) and reading["limit"] is None:
            print_message(
                f"{len(words) - n_words:,} of the {len(words):,} words are not in {source}"
            )
        if table.report is not None:
            for line in repairs(table.report):
                print_message(line)
    return 0


def check_target(target: str, *, replace: bool) -> None:
    """Refuse to replace what is there, before minutes of reading rather than after."""
    path = Path(target).expanduser()
    if not replace and (path.is_file() or (path.is_dir() and any(path.iterdir()))):
        raise OutputError(
            f"{target}: is there already; choose another name, or --force to replace it"
        )
    if not path.parent.is_dir():
        raise OutputError(f"{target}: there is no folder {path.parent}; make it first")


def read_words(file: str) -> list[str]:
    """Read words, one a line, from a file or from standard input."""
    try:
        if file != "-":
            data = Path(file).expanduser().read_bytes()
        else:
            data = b"" if sys.stdin is None else sys.stdin.buffer.read()
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TextError(
            f"{file}: line {line} is not UTF-8; convert the file first, for example with iconv"
        ) from None
    return list(dict.fromkeys(word for line in lines if (word := line.rstrip("\r"))))


def repairs(report: LoadReport) -> list[str]:
    """Tell what had to be repaired while vectors were read, a line each."""
    told = {
        "duplicates": "rows were left out because their word stood there before",
        "empty_words": "rows were left out because they have no word",
        "undecodable_words": "words were not UTF-8 and were repaired",
        "not_finite": "rows have values that are not finite, and are kept",
    }
    lines = [f"{n:,} {told.get(name, name)}" for name, n in report.repairs.items()]
    return [*lines, *report.notes]

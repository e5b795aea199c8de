"""The command that lists phrases, and what ``firth train`` does about them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_json, print_line, printable
from firth.cli.command import command, option
from firth.cli.train import check_output, options_in_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firth.phrases import FrozenPhrases, Phrases

POSITIVE = click.IntRange(min=1)
TEXT, PHRASES = "Text", "Phrases"
ENGLISH = "english"


@command(
    "phrases",
    "List words that stand together too often for chance",
    examples="""
    firth phrases corpus.txt.gz
    firth phrases corpus.txt.gz --connectors english --threshold 50 -k 100
    firth phrases corpus.txt.gz -o pairs && firth train corpus.txt.gz -o vectors --phrases pairs
    firth phrases corpus.txt.gz --after pairs     # of three and four words
    """,
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@option("-o", "--output", metavar="DIR", help="Keep the phrases in this folder.")
@option("-k", "--top", type=click.IntRange(min=0), metavar="N", help="List the first N only.")
@option(
    "--sort",
    type=click.Choice(["count", "score"]),
    default="count",
    metavar="NAME",
    help="List by falling count or score.",
)
@option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@option(
    "--min-count",
    type=POSITIVE,
    default=5,
    section=PHRASES,
    metavar="N",
    help="Leave out pairs that are not seen more often.",
)
@option(
    "--threshold",
    type=float,
    section=PHRASES,
    metavar="X",
    help="What a pair has to score more than.  [default: 10; for npmi 0.5]",
)
@option(
    "--scoring",
    type=click.Choice(["default", "npmi"]),
    default="default",
    section=PHRASES,
    metavar="NAME",
    help="default, scores that grow with the text, or npmi, from -1 to 1.",
)
@option(
    "--connectors",
    section=PHRASES,
    metavar="WORDS",
    help="Words that may stand inside of phrases: 'english', or yours with commas between them.",
)
@option(
    "--after",
    multiple=True,
    section=PHRASES,
    metavar="DIR",
    help="Join the phrases kept in DIR before; may be given several times.",
)
@option(
    "--tokenizer",
    type=click.Choice(["whitespace", "words"]),
    default="whitespace",
    section=TEXT,
    metavar="NAME",
    help="whitespace, for text that is tokenised already, or words, for running text.",
)
@option("--lowercase", is_flag=True, section=TEXT, help="Lower-case all words.")
@option(
    "--field",
    metavar="NAME",
    section=TEXT,
    help="Field that holds the text, for .jsonl, .csv, .tsv and .parquet.",
)
@option(
    "--errors",
    type=click.Choice(["strict", "replace", "ignore"]),
    default="strict",
    section=TEXT,
    metavar="HOW",
    help="Bytes that are not UTF-8: strict stops, replace puts U+FFFD, ignore drops them.",
)
@option("--threads", type=POSITIVE, metavar="N", help="Threads.  [default: one for each core]")
@option("--force", is_flag=True, help="Replace what is in DIR already.")
@option("-q", "--quiet", is_flag=True, help="Print no progress.")
def phrases(
    sources: tuple[str, ...],
    output: str | None,
    top: int | None,
    sort: str,
    as_json: bool,
    force: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """List the phrases of SOURCE, the most frequent first: phrase, score, count.

    Words that follow each other are a phrase if they do so much more often than chance would have
    it. A SOURCE is what firth train takes.
    """
    if quiet:
        logging.getLogger("firth").setLevel(logging.WARNING)
    if output is not None:
        check_output(output, replace=force)
    model = _learn(sources, quiet=quiet, **settings)
    frozen = model.freeze()
    if output is not None:
        frozen.save(output)
    counts = model.vocab
    found = [(phrase, score, counts[phrase]) for phrase, score in frozen.phrasegrams.items()]
    if sort == "count":
        found.sort(key=lambda each: -each[2])
    for phrase, score, count in found[:top]:
        if as_json:
            print_json({"phrase": phrase, "score": score, "count": count})
        else:
            print_line(f"{printable(phrase)}\t{score:.6g}\t{count}")


def _learn(
    sources: Sequence[str],
    *,
    min_count: int,
    threshold: float | None,
    scoring: str,
    connectors: str | None,
    after: Sequence[str],
    threads: int | None,
    quiet: bool,
    **text: Any,
) -> Phrases:
    from firth.phrases import Phrases, learn_phrases

    model = Phrases(
        min_count=min_count,
        threshold=threshold if threshold is not None else 0.5 if scoring == "npmi" else 10.0,
        scoring=scoring,
        connector_words=connector_words(connectors),
    )
    with options_in_messages():
        learn_phrases(
            list(sources),
            model,
            after=[load_phrases(folder) for folder in after],
            workers=threads,
            progress=False if quiet else None,
            **text,
        )
    return model


def connector_words(given: str | None) -> frozenset[str]:
    """Read the value of ``--connectors``.

    Examples
    --------
    >>> sorted(connector_words("of, the"))
    ['of', 'the']
    """
    from firth.phrases import ENGLISH_CONNECTOR_WORDS

    if given is None:
        return frozenset()
    if given == ENGLISH:
        return ENGLISH_CONNECTOR_WORDS
    return frozenset(word.strip() for word in given.split(",") if word.strip())


def load_phrases(folder: str) -> Phrases | FrozenPhrases:
    """Open phrases that were kept; here, so that ``firth --help`` need not import NumPy."""
    from firth.phrases import Phrases

    return Phrases.load(folder)


def phrases_to_join(
    given: Sequence[str], threshold: float | None, connectors: str | None
) -> list[Phrases | FrozenPhrases]:
    """Make of the values of ``--phrases`` the models to join by.

    Parameters
    ----------
    given : sequence of str
        How many times to learn phrases; or folders.
    threshold, connectors
        The options of what is learned.

    Raises
    ------
    click.UsageError
        A number is given beside something else, or is 0; or the settings go with nothing.
    """
    from firth.phrases import Phrases

    numbers = [each for each in given if each.isdecimal()]
    if numbers and len(given) > 1:
        raise click.UsageError("--phrases is either one number or one folder and more.")
    if not numbers:
        if threshold is not None or connectors is not None:
            raise click.UsageError(
                "--phrase-threshold and --connectors go with --phrases N, which learns phrases."
            )
        return [load_phrases(folder) for folder in given]
    if int(numbers[0]) < 1:
        raise click.UsageError("--phrases 0 would do nothing: learn phrases 1 time or more.")
    settings: dict[str, Any] = {} if threshold is None else {"threshold": threshold}
    settings["connector_words"] = connector_words(connectors)
    return [Phrases(**settings) for _ in range(int(numbers[0]))]

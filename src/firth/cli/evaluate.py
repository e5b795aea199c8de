"""The command that scores vectors on test sets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_json, print_line, print_message, printable
from firth.cli.ask import load_vectors
from firth.cli.command import command, option
from firth.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firth.evaluation import Evaluation, TestSet

TABLE = "Table"
FORMATS = ("table", "tsv", "markdown", "latex")
COLUMNS = (
    "model", "test_set", "section", "metric", "value", "low", "high", "n_questions", "n_covered",
    "n_scored", "p_value",
)  # fmt: skip


@command(
    "evaluate",
    "Score vectors on test sets",
    examples="""
    firth evaluate wiki100 --sets questions-words.txt
    firth evaluate skipgram cbow glove --sets eval --report report.html
    firth evaluate skipgram cbow --sets eval --uncovered common --format latex
    firth evaluate wiki100 --sets simlex --json    # by name, of the folder FIRTH_TEST_SETS
    """,
)
@click.argument("sources", metavar="VECTORS...", nargs=-1, required=True)
@option(
    "--sets",
    multiple=True,
    metavar="PATH_OR_NAME",
    help="Test sets: files, folders, or names of sets in the folder FIRTH_TEST_SETS, whose sets "
    "are all taken otherwise. May be given several times.",
)
@option(
    "--uncovered",
    type=click.Choice(["skip", "wrong", "common"]),
    default="skip",
    metavar="WHAT",
    help="Questions with unknown words: skip them, count them as wrong, or score all models on "
    "their common ones.",
)
@option(
    "--restrict-vocab",
    type=click.IntRange(min=0),
    default=300_000,
    metavar="N",
    help="Ask, and answer, analogies among the first N words; 0 for all.",
)
@option("--case-sensitive", is_flag=True, help="Words that differ in case are different.")
@option("--subwords", is_flag=True, help="Unseen words have the vectors of their subwords.")
@option(
    "--resamples",
    type=click.IntRange(min=0),
    default=1000,
    metavar="N",
    help="Resamples of the bootstrap; 0 for no intervals.",
)
@option("--seed", type=click.IntRange(min=0), default=1, metavar="N", help="Seed of resampling.")
@option("--sections", is_flag=True, section=TABLE, help="A row for each section of analogies.")
@option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    section=TABLE,
    metavar="NAME",
    show_default=False,
    help="table, tsv, markdown or latex; a table on a terminal and tsv elsewhere if not given.",
)
@option("--json", "as_json", is_flag=True, section=TABLE, help="Print one JSON object.")
@option(
    "--report",
    metavar="FILE",
    section=TABLE,
    help="Write a page of HTML with tables and pictures.",
)
def evaluate(
    sources: tuple[str, ...], sets: tuple[str, ...], form: str | None, as_json: bool,
    report: str | None, sections: bool, **settings: Any,
) -> None:  # fmt: skip
    """Score VECTORS on test sets: analogies, similarity, categories, outliers, associations.

    Each score stands with its coverage and a 95 % interval. Of several models the first is compared
    with each other one on the same questions.
    """
    if as_json and form:
        raise click.UsageError("--json and --format do not go together.")
    names = _names(sources)
    test_sets = find_test_sets(sets)
    from firth.evaluation import check_report
    from firth.evaluation import evaluate as score

    if report is not None:
        check_report(report)
    found = score(
        {name: load_vectors(source) for name, source in zip(names, sources, strict=True)},
        test_sets,
        uncovered=settings["uncovered"],
        restrict_vocab=settings["restrict_vocab"] or None,
        case_insensitive=not settings["case_sensitive"],
        subwords=settings["subwords"],
        n_resamples=settings["resamples"],
        seed=settings["seed"],
        progress=None,
    )
    if report is not None:
        found.save_report(report)
    _print(found, form, as_json=as_json, sections=sections)
    if report is not None:
        print_message(f"the report is in {report}")


def find_test_sets(given: Sequence[str]) -> list[TestSet]:
    """Read test sets that are paths, or names of sets in the folder FIRTH_TEST_SETS."""
    from firth.evaluation import read_test_sets

    folder = os.environ.get("FIRTH_TEST_SETS")
    if not given:
        if not folder:
            raise click.UsageError(
                "Which test sets? Give --sets FILE_OR_FOLDER, or set FIRTH_TEST_SETS to a folder "
                "of them."
            )
        return read_test_sets(folder)
    there: list[TestSet] | None = None
    found: list[TestSet] = []
    for each in given:
        if Path(each).exists() or not folder:
            found += read_test_sets(each)
            continue
        there = read_test_sets(folder) if there is None else there
        named = [some for some in there if some.name.casefold() == each.casefold()] or [
            some for some in there if each.casefold() in some.name.casefold()
        ]
        if not named:
            names = ", ".join(some.name for some in there)
            raise SourceError(
                f"{each}: neither a file or folder, nor a test set in {folder}; there are {names}"
            )
        found += named
    return read_test_sets(list({id(some): some for some in found}.values()))


def _names(sources: Sequence[str]) -> list[str]:
    """Name models by the ends of their paths, as far as these differ."""
    short = [Path(source.rstrip("/")).name or source for source in sources]
    if len(set(sources)) < len(sources):
        raise click.UsageError("The same vectors are given twice.")
    return list(sources) if len(set(short)) < len(short) else short


def _print(found: Evaluation, form: str | None, *, as_json: bool, sections: bool) -> None:
    if as_json:
        print_json(found.to_dict())
        return
    from firth.cli.scores import is_terminal, print_comparisons, print_scores

    form = form or ("table" if is_terminal() else "tsv")
    if form == "tsv":
        print_line("\t".join(COLUMNS))
        for score in found.scores:
            if sections or not score.section or score.kind == "associations":
                print_line("\t".join(_field(getattr(score, name)) for name in COLUMNS))
    elif form == "table":
        print_scores(found, sections=sections)
        print_comparisons(found)
    else:
        write = found.to_markdown if form == "markdown" else found.to_latex
        print_line(write(sections=sections).rstrip("\n"))


def _field(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6f}" if isinstance(value, float) else printable(str(value))

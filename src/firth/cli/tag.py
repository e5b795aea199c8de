"""The commands that find named entities: firth tag train, evaluate, predict, compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_json, print_line, printable
from firth.cli.ask import load_vectors
from firth.cli.command import HELP_SETTINGS, Group, command, option
from firth.cli.scores import is_terminal
from firth.cli.train import check_output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firth.tasks import (
        FoundEntity,
        TaggedSentences,
        Tagger,
        TaggerComparison,
        TaggingScores,
    )

NETWORK, LEARNING, COLUMNS = "Network", "Learning", "Columns"

_json_option = option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_POSITIVE = click.IntRange(min=1)
_SHARE = click.FloatRange(0, 1, max_open=True)

_COLUMN_OPTIONS = (
    option(
        "--word-column", default=0, type=int, section=COLUMNS, metavar="N",
        help="The column of the words, from 0; -1 is the last.",
    ),
    option(
        "--tag-column", default=-1, type=int, section=COLUMNS, metavar="N",
        help="The column of the tags.",
    ),
)  # fmt: skip

_LEARNING_OPTIONS = (
    option(
        "--network", type=click.Choice(["bilstm", "cnn"]), default="bilstm", section=NETWORK,
        metavar="NAME", help="What looks at the words around: bilstm or cnn.",
    ),
    option(
        "--characters", type=click.Choice(["cnn", "bilstm", "none"]), default="cnn",
        section=NETWORK, metavar="NAME",
        help="What looks at the characters of a word: cnn, bilstm or none.",
    ),
    option(
        "--no-crf", is_flag=True, section=NETWORK,
        help="Choose the tag of each word by itself, rather than those of a sentence together.",
    ),
    option(
        "--hidden-size", type=_POSITIVE, default=100, section=NETWORK, metavar="N",
        help="The size of a word's vector in each direction.",
    ),
    option(
        "--validation", section=LEARNING, metavar="FILE",
        help="Sentences to stop by; a tenth of TRAIN if not given.",
    ),
    option("--epochs", type=_POSITIVE, default=40, section=LEARNING, metavar="N",
           help="Passes over the sentences, at most."),
    option(
        "--patience", type=_POSITIVE, default=8, section=LEARNING, metavar="N",
        help="Stop when F1 has not risen for N passes.",
    ),
    option("--batch-size", type=_POSITIVE, default=32, section=LEARNING, metavar="N",
           help="Sentences between two changes."),
    option(
        "--learning-rate", type=click.FloatRange(0, 1, min_open=True), default=0.003,
        section=LEARNING, metavar="X", help="How far a change goes.",
    ),
    option("--dropout", type=_SHARE, default=0.5, section=LEARNING, metavar="X",
           help="The share of figures that are left out while it learns."),
)  # fmt: skip


def _with(options: tuple[Any, ...]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for each in reversed(options):
            function = each(function)
        return function

    return decorate


@click.group(
    "tag",
    cls=Group,
    short_help="Find named entities",
    context_settings=HELP_SETTINGS,
    examples="""
    firth tag train train.conll --vectors wiki100 -o names
    firth tag predict names "Sally Johnson is an orange farmer"
    """,
)
def tag() -> None:
    """Find names in sentences: persons, places, or whatever the tags of your sentences mark."""


@command(
    "train",
    "Learn from sentences whose entities are marked",
    examples="""
    firth tag train train.conll --vectors wiki100 -o names
    firth tag train train.conll --validation dev.conll --vectors wiki100 -o names
    firth tag train train.conll -o names                     # without vectors
    """,
)
@click.argument("source", metavar="TRAIN")
@option("-o", "--output", required=True, metavar="DIR", help="The folder of the tagger.")
@option("--force", is_flag=True, help="Replace a tagger that is there already.")
@option("--vectors", metavar="VECTORS", help="What is known of words from elsewhere.")
@option(
    "--embedding",
    type=click.Choice(["frozen", "fine-tuned", "scratch"]),
    show_default=False,
    metavar="NAME",
    help="frozen leaves vectors as they are, fine-tuned goes on learning them, "
    "scratch does without.  [default: frozen if there are any]",
)
@option("--seed", type=click.IntRange(min=0), default=1, metavar="N", help="The same again.")
@_with(_LEARNING_OPTIONS)
@_with(_COLUMN_OPTIONS)
def train(
    source: str, output: str, force: bool, vectors: str | None, validation: str | None,
    word_column: int, tag_column: int, **settings: Any,
) -> None:  # fmt: skip
    """Learn from the sentences of TRAIN: a word and its tag a line, empty lines between sentences.

    Tags are of the scheme IOB1, IOB2 or BIOES, as B-person; which one is found out.
    """
    if vectors is None and settings["embedding"] in {"frozen", "fine-tuned"}:
        raise click.UsageError(f"--embedding {settings['embedding']} needs --vectors.")
    check_output(output, replace=force)
    columns = {"word_column": word_column, "tag_column": tag_column}
    sentences = _read(source, columns)
    held_out = None if validation is None else _read(validation, columns)
    from firth.tasks import Tagger

    wv = None if vectors is None else load_vectors(vectors)
    tagger = Tagger(wv, **_parameters(settings)).fit(*sentences, validation=held_out)
    tagger.save(output)
    _print_training(tagger, len(sentences.words), output)


@command(
    "evaluate",
    "Score a tagger on sentences whose entities are marked",
    examples="""
    firth tag evaluate names test.conll
    firth tag evaluate names test.conll --json
    """,
)
@click.argument("tagger", metavar="TAGGER")
@click.argument("source", metavar="FILE")
@_json_option
@_with(_COLUMN_OPTIONS)
def evaluate(tagger: str, source: str, as_json: bool, **columns: int) -> None:
    """Score TAGGER on the sentences of FILE by precision, recall and F1 of entities.

    An entity is found if all of its words are, no others, and its label.
    """
    sentences = _read(source, columns)
    scores = _load(tagger).evaluate(*sentences)
    if as_json:
        print_json(scores.to_dict())
    else:
        _print_scores(scores)


@command(
    "predict",
    "Find the entities of sentences",
    examples="""
    firth tag predict names "Robert Lin is a durian cultivator"
    firth tag predict names - < sentences.txt        # one a line
    firth tag predict names - --columns < sentences.txt > found.conll
    """,
)
@click.argument("tagger", metavar="TAGGER")
@click.argument("sentences", metavar="SENTENCE...", nargs=-1, required=True)
@option("--json", "as_json", is_flag=True, help="One JSON object for each sentence.")
@option("--columns", "as_columns", is_flag=True, help="A word and its tag a line, as CoNLL has it.")
def predict(tagger: str, sentences: tuple[str, ...], as_json: bool, as_columns: bool) -> None:
    """Find the entities of each SENTENCE; a lone "-" reads one a line from standard input."""
    if as_json and as_columns:
        raise click.UsageError("--json and --columns do not go together.")
    from firth.cli.questions import read_questions
    from firth.tasks import split_words

    network: Tagger | None = None
    for batch in read_questions(sentences, a_line_is_a_word=True):
        network = _load(tagger) if network is None else network
        texts = [" ".join(question.words) for question in batch]
        words = [split_words(text) for text in texts]
        if as_columns:
            for its_words, tags in zip(words, network.predict(words), strict=True):
                pairs = zip(its_words, tags, strict=True)
                print_line("".join(f"{printable(word)}\t{tag}\n" for word, tag in pairs))
            continue
        for text, its_words, found in zip(texts, words, network.find(words), strict=True):
            if as_json:
                print_json({"text": text, "entities": [each._asdict() for each in found]})
            else:
                _print_found(its_words, found)


@command(
    "compare",
    "Compare taggers with and without vectors",
    examples="""
    firth tag compare train.conll test.conll --vectors wiki100
    firth tag compare train.conll test.conll --validation dev.conll --vectors wiki100 --seeds 5
    """,
)
@click.argument("source", metavar="TRAIN")
@click.argument("test", metavar="TEST")
@option("--vectors", required=True, metavar="VECTORS", help="What is known of words.")
@option("--seeds", type=_POSITIVE, default=3, metavar="N", help="How many of each, from 1.")
@_json_option
@_with(_LEARNING_OPTIONS)
@_with(_COLUMN_OPTIONS)
def compare(
    source: str, test: str, vectors: str, seeds: int, as_json: bool, validation: str | None,
    word_column: int, tag_column: int, **settings: Any,
) -> None:  # fmt: skip
    """Learn from TRAIN without VECTORS, with them frozen and fine-tuned, and score each on TEST.

    New names are entities of which TRAIN has no word.
    """
    columns = {"word_column": word_column, "tag_column": tag_column}
    sentences, to_test = _read(source, columns), _read(test, columns)
    held_out = None if validation is None else _read(validation, columns)
    from firth.tasks import compare_taggers

    found = compare_taggers(
        sentences, to_test, load_vectors(vectors), validation=held_out, seeds=seeds,
        **_parameters(settings),
    )  # fmt: skip
    if as_json:
        print_json(found.to_dict())
    else:
        _print_comparison(found)


for _command in (train, evaluate, predict, compare):
    tag.add_command(_command)


def _read(source: str, columns: dict[str, int]) -> TaggedSentences:
    from firth.tasks import read_conll

    return read_conll(source, word_column=columns["word_column"], tag_column=columns["tag_column"])


def _load(tagger: str) -> Tagger:
    from firth.tasks import Tagger

    return Tagger.load(tagger)


def _parameters(settings: dict[str, Any]) -> dict[str, Any]:
    """Name options as `Tagger` does."""
    settings["crf"] = not settings.pop("no_crf")
    if settings["characters"] == "none":
        settings["characters"] = None
    return settings


def _print_training(tagger: Tagger, n_sentences: int, output: str) -> None:
    record = tagger.record_
    best = record.epochs[record.best_epoch - 1]
    sentences = f"{n_sentences:,} sentences in {record.seconds:.0f} s"
    told = [f"{len(tagger.labels_)} labels learned from {sentences}"]
    if best.score is not None:
        told.append(f"F1 {best.score:.4f} on held-out ones after {best.number} passes")
    if tagger.coverage_ is not None:
        told.append(f"{100 * tagger.coverage_:.1f} % of the words have vectors")
    print_line(f"{'; '.join(told)}. Written to {output}.")


def _print_scores(scores: TaggingScores) -> None:
    on_terminal = is_terminal()
    _print_rows(
        ["label", "precision", "recall", "F1", "there", "found", "right"],
        [
            [
                label,
                *(f"{value:.4f}" for value in (each.precision, each.recall, each.f1)),
                *(f"{n:,}" if on_terminal else str(n) for n in each),
            ]
            for label, each in scores.rows()
        ],
    )


def _print_comparison(found: TaggerComparison) -> None:
    rows = list(found.rows())
    names = list(rows[0][2])
    _print_rows(
        ["embedding", "seeds", *names],
        [
            [embedding, str(n_seeds), *(str(figures[name]) for name in names)]
            for embedding, n_seeds, figures in rows
        ],
    )


def _print_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on a terminal, and lines with tabs elsewhere; the first column has names."""
    if not is_terminal():
        for row in (columns, *rows):
            print_line("\t".join(printable(value) for value in row))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="bold", pad_edge=False)
    for i, name in enumerate(columns):
        table.add_column("" if i == 0 else name, justify="right" if i else "left")
    for name, *figures in rows:
        table.add_row(Text(printable(name)), *figures)
    Console(highlight=False).print(table)


def _print_found(words: Sequence[str], found: Sequence[FoundEntity]) -> None:
    """Print a sentence with its entities in brackets."""
    shown = [printable(word) for word in words]
    on_terminal = is_terminal()
    for each in found:
        label = printable(each.label)
        told = click.style(label, fg="cyan") if on_terminal else label
        shown[each.begin] = f"[{told} {shown[each.begin]}"
        shown[each.end - 1] += "]"
    print_line(" ".join(shown))

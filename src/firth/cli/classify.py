"""The commands that tell texts apart: classify train, evaluate, predict, compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_json, print_line, print_message, printable
from firth.cli.command import HELP_SETTINGS, Group, command, option
from firth.errors import ParameterError, TextError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firth.tasks import (
        ClassificationReport,
        ClassifierComparison,
        LabelledTexts,
        TextClassifier,
    )

# Written out: importing them would import scikit-learn before the help is shown.
MODELS = ("cnn", "kim", "mean", "sif", "counts", "tfidf")
EMBEDDINGS = ("frozen", "fine-tuned", "scratch")
TEXTS, LEARNING, WORDS = "Texts", "Learning", "Words"
POSITIVE = click.IntRange(min=1)
_STDIN = "-"
_TEXTS_AT_A_TIME = 512


@click.group(
    "classify",
    cls=Group,
    short_help="Tell texts apart: train, evaluate, predict, compare",
    context_settings=HELP_SETTINGS,
    examples="""
    firth classify compare 20news-bydate.tar.gz --headers strip --vectors wiki
    firth classify train 20news-bydate.tar.gz/20news-bydate-train --vectors wiki -o news
    firth classify predict news - < letter.txt
    """,
)
def classify() -> None:
    """Tell which class a text belongs to, by networks over word vectors and by what is older."""


def _texts_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for add in reversed(_TEXTS_OPTIONS):
        function = add(function)
    return function


_TEXTS_OPTIONS = (
    option(
        "--headers",
        type=click.Choice(["keep", "strip"]),
        default="keep",
        section=TEXTS,
        metavar="WHAT",
        help="strip: take off the header lines that posts and letters begin with.",
    ),
    option("--text", "text_field", default="text", section=TEXTS, metavar="FIELD",
           help="Key or column of the text, in files of records."),
    option("--label", "label_field", default="label", section=TEXTS, metavar="FIELD",
           help="Key or column of the label."),
    option("--encoding", section=TEXTS, metavar="NAME",
           help="Of files in folders; UTF-8, and latin-1 for those that are not, if not given."),
)  # fmt: skip


def _model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for add in reversed(_MODEL_OPTIONS):
        function = add(function)
    return function


_MODEL_OPTIONS = (
    option("--epochs", type=POSITIVE, default=20, section=LEARNING, metavar="N",
           help="Networks: passes over the texts, at most."),
    option("--batch-size", type=POSITIVE, default=32, section=LEARNING, metavar="N",
           help="Networks: texts in a step."),
    option("--learning-rate", type=float, default=1e-3, section=LEARNING, metavar="X",
           help="Networks: size of a step."),
    option("--dropout", type=float, default=0.5, section=LEARNING, metavar="X",
           help="Networks: share of units left out while learning."),
    option("--filters", type=POSITIVE, default=128, section=LEARNING, metavar="N",
           help="Networks: filters of each convolution."),
    option("--validation", type=float, default=0.1, section=LEARNING, metavar="X",
           help="Networks: share of texts held out to find the best pass; 0 for none."),
    option("--patience", type=POSITIVE, default=3, section=LEARNING, metavar="N",
           help="Networks: stop when that has not got better for N passes."),
    option("--class-weight", type=click.Choice(["balanced"]), section=LEARNING, metavar="WHAT",
           help="balanced: rare classes weigh as much as frequent ones."),
    option("--device", section=LEARNING, metavar="NAME",
           help="Where PyTorch computes; cuda where that is, else cpu, if not given."),
    option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32",
           section=LEARNING, metavar="WHAT", help="Networks: float32 or bfloat16."),
    option("--maxlen", type=POSITIVE, default=400, section=WORDS, metavar="N",
           help="Networks: how many words of a text are read."),
    option("--num-words", type=POSITIVE, default=40_000, section=WORDS, metavar="N",
           help="How many words are known."),
    option("--min-freq", type=POSITIVE, default=1, section=WORDS, metavar="N",
           help="Words that occur less often are not."),
    option("--tokenizer", default="words", section=WORDS, metavar="NAME",
           help="What splits texts: words or whitespace."),
    option("--keep-case", is_flag=True, section=WORDS, help="Do not lower-case texts."),
)  # fmt: skip


@command(
    "train",
    "Learn from texts with labels",
    examples="""
    firth classify train posts/ --vectors wiki -o news              # a folder for each class
    firth classify train reviews.csv --text review --label stars --model tfidf -o stars
    firth classify train 20news-bydate.tar.gz/20news-bydate-train --headers strip --vectors wiki \\
      --embedding fine-tuned -o news
    """,
)
@click.argument("data", metavar="DATA")
@option("-o", "--output", required=True, metavar="DIR", help="The folder to write.")
@option("--vectors", metavar="VECTORS", help="Vectors of words: file, folder, address or name.")
@option(
    "--model",
    type=click.Choice(MODELS),
    default="cnn",
    metavar="NAME",
    help="cnn, kim, mean, sif, counts or tfidf.",
)
@option(
    "--embedding",
    type=click.Choice(EMBEDDINGS),
    default="frozen",
    metavar="HOW",
    help="Networks: frozen, fine-tuned or scratch.",
)
@option("--seed", type=click.IntRange(min=0), default=1, metavar="N", help="Of all that is drawn.")
@option("--force", is_flag=True, help="Replace DIR if firth wrote it.")
@option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@_model_options
@_texts_options
def train(
    data: str, output: str, vectors: str | None, model: str, embedding: str, seed: int,
    force: bool, quiet: bool, headers: str, text_field: str, label_field: str,
    encoding: str | None, **settings: Any,
) -> int:  # fmt: skip
    """Learn to tell the classes of DATA apart, and write the classifier to DIR.

    DATA is a folder with a folder for each class, an archive of one, or a file of records: .csv,
    .tsv or .jsonl.
    """
    from firth.cli.convert import check_target

    check_target(output, replace=force)
    texts = _read(data, headers, text_field, label_field, encoding)
    from firth.tasks import TextClassifier

    classifier = TextClassifier(
        vectors, model, embedding, seed=seed, progress=False if quiet else None,  # type: ignore[arg-type]
        **_of_classifier(settings),
    ).fit(texts.texts, texts.labels)  # fmt: skip
    classifier.save(output)
    if not quiet:
        print_line(_told_of_training(classifier, texts))
        print_line(f"written to {output}; ask it: firth classify predict {output} -")
    return 0


def _of_classifier(settings: dict[str, Any]) -> dict[str, Any]:
    return {"lowercase": not settings.pop("keep_case")} | settings


def _told_of_training(classifier: TextClassifier, texts: LabelledTexts) -> str:
    parts = [f"learned from {len(texts):,} texts of {len(classifier.classes_)} classes"]
    record = classifier.record_
    if record is not None and record.epochs:
        best = record.epochs[record.best_epoch - 1]
        held = "" if best.score is None else f", accuracy {best.score:.3f} on those held out"
        parts.append(f"pass {best.number} of {len(record.epochs)}: loss {best.loss:.3f}{held}")
    if classifier.n_truncated_:
        parts.append(f"{classifier.n_truncated_:,} texts are longer than {classifier.maxlen} words")
    return "; ".join(parts)


@command(
    "evaluate",
    "Score a classifier on texts with labels",
    examples="""
    firth classify evaluate news 20news-bydate.tar.gz/20news-bydate-test --headers strip
    firth classify evaluate news test.jsonl --picture confusion.png --json
    """,
)
@click.argument("classifier", metavar="DIR")
@click.argument("data", metavar="DATA")
@option("--picture", metavar="FILE", help="Draw the confusion matrix: .png, .svg or .pdf.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_texts_options
def evaluate(
    classifier: str, data: str, picture: str | None, as_json: bool, headers: str,
    text_field: str, label_field: str, encoding: str | None,
) -> int:  # fmt: skip
    """Score the classifier in DIR on DATA: each class, who is taken for whom, and all."""
    from firth.tasks import TextClassifier, check_picture

    if picture is not None:
        check_picture(picture)
    opened = TextClassifier.load(classifier)
    texts = _read(data, headers, text_field, label_field, encoding)
    report = opened.evaluate(texts.texts, texts.labels)
    if report.unseen:
        names = ", ".join(repr(label) for label in report.unseen[:5])
        print_message(
            f"warning: labels that were not learned count as wrong: {names}"
            + (f" and {len(report.unseen) - 5} more" if len(report.unseen) > 5 else "")
        )
    if picture is not None:
        report.save_picture(picture)
    if as_json:
        print_json(report.to_dict())
    else:
        _print_report(report)
    if picture is not None:
        print_message(f"the picture is in {picture}")
    return 0


def _print_report(report: ClassificationReport) -> None:
    for line in report.to_text().splitlines():
        print_line(printable(line))
    if mistakes := report.mistakes(5):
        print_line("most often taken for another:")
        width = max(len(str(label)) for label, _, _ in mistakes)
        for label, taken, n in mistakes:
            print_line(printable(f"  {label!s:{width}}  for {taken}, {n:,} times"))


@command(
    "predict",
    "Tell the classes of texts, and why",
    examples="""
    firth classify predict news letter.txt other.txt
    firth classify predict news letter.txt --why 8
    firth classify predict news --lines questions.txt --json     # a text in each line
    echo "the shuttle reached its orbit" | firth classify predict news -
    """,
)
@click.argument("classifier", metavar="DIR")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@option("--lines", is_flag=True, help="Each line of a file is a text; a file is one otherwise.")
@option("-k", "--top", type=POSITIVE, default=1, metavar="N", help="How many classes to show.")
@option(
    "--why",
    type=POSITIVE,
    metavar="N",
    help="Show the N words that spoke for the class, by taking each out.",
)
@option("--json", "as_json", is_flag=True, help="One JSON object for each text.")
def predict(
    classifier: str, files: tuple[str, ...], lines: bool, top: int, why: int | None, as_json: bool
) -> int:  # fmt: skip
    """Tell the class of each FILE by the classifier in DIR; "-" is standard input."""
    from firth.tasks import TextClassifier

    opened = TextClassifier.load(classifier)
    for file in files:
        named = [(file, _read_text(file))]
        if lines:
            split = named[0][1].splitlines()
            named = [(f"{file}, line {i}", each) for i, each in enumerate(split, 1) if each.strip()]
        for begin in range(0, len(named), _TEXTS_AT_A_TIME):
            _print_predictions(opened, named[begin : begin + _TEXTS_AT_A_TIME], top, why, as_json)
    return 0


def _print_predictions(
    opened: TextClassifier,
    named: Sequence[tuple[str, str]],
    top: int,
    why: int | None,
    as_json: bool,
) -> None:
    found = opened.predict_proba([text for _, text in named])
    for (name, text), probabilities in zip(named, found, strict=True):
        order = (-probabilities).argsort(kind="stable")[:top].tolist()
        classes = [(opened.classes_[i].item(), float(probabilities[i])) for i in order]
        words = [] if why is None else opened.explain(text, why)
        if as_json:
            told: dict[str, Any] = {
                "text": name,
                "classes": [{"label": label, "probability": round(p, 6)} for label, p in classes],
            }
            if why is not None:
                told["words"] = [
                    {"word": w.word, "count": w.count, "weight": round(w.weight, 6)} for w in words
                ]
            print_json(told)
            continue
        parts = [part for label, p in classes for part in (str(label), f"{p:.3f}")]
        print_line("\t".join(printable(part) for part in (name, *parts)))
        for each in words:
            print_line(f"  {each.weight:+.3f}\t{printable(each.word)}")


def _read_text(file: str) -> str:
    if file == _STDIN:
        data, name = sys.stdin.buffer.read(), "standard input"
    else:
        name = file
        if Path(file).is_dir():
            raise TextError(f"{file} is a folder; give files, or {file}/*")
        data = Path(file).read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        print_message(f"warning: {name} is not UTF-8 and is read as latin-1")
        return data.decode("latin-1")


@command(
    "compare",
    "Compare networks, means and counts on the same texts",
    examples="""
    firth classify compare 20news-bydate.tar.gz --headers strip --vectors wiki
    firth classify compare posts/ --vectors wiki --sizes 250,1000,all --picture curve.png
    firth classify compare train.csv --test test.csv --vectors wiki --seeds 5 --markdown
    """,
)
@click.argument("data", metavar="DATA")
@option("--vectors", metavar="VECTORS", help="Vectors of words: file, folder, address or name.")
@option(
    "--test",
    "test_data",
    metavar="DATA",
    help="Texts to score on; if DATA has no folder of them, a fifth of it if not given.",
)
@option("--sizes", default="all", metavar="N,N,...", help="Numbers of texts to learn from.")
@option(
    "--seeds", "n_seeds", type=POSITIVE, default=3, metavar="N", help="How often each is learned."
)
@option("--only", multiple=True, metavar="NAME", help="A row of the table; may be repeated.")
@option(
    "--model",
    type=click.Choice(MODELS[:2]),
    default="cnn",
    metavar="NAME",
    help="The network: cnn or kim.",
)
@option("--picture", metavar="FILE", help="Draw the learning curves: .png, .svg or .pdf.")
@option("--markdown", is_flag=True, help="Print the table as Markdown.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object, with every trial.")
@option("-q", "--quiet", is_flag=True, help="Show no progress.")
@_model_options
@_texts_options
def compare(
    data: str, vectors: str | None, test_data: str | None, sizes: str, n_seeds: int,
    only: tuple[str, ...], picture: str | None, markdown: bool, as_json: bool, quiet: bool,
    headers: str, text_field: str, label_field: str, encoding: str | None, **settings: Any,
) -> int:  # fmt: skip
    """Learn from the same texts with and without pre-trained vectors, and score all alike.

    A network over frozen vectors, fine-tuned ones and some from scratch; means of vectors; counts
    of words and TF-IDF: the place where pre-trained vectors pay.
    """
    if as_json and markdown:
        raise click.UsageError("--json and --markdown do not go together.")
    if (test_data or data).endswith(_STDIN) and data == _STDIN:
        raise click.UsageError("The texts are read more than once: give a file or folder.")
    from firth.tasks import check_picture, compare_classifiers

    if picture is not None:
        check_picture(picture)
    learned, scored = _read_both(data, test_data, (headers, text_field, label_field, encoding))
    found = compare_classifiers(
        learned,
        scored,
        vectors,
        names=list(only) or None,
        sizes=_sizes(sizes, len(learned)),
        seeds=range(1, n_seeds + 1),
        settings=_of_classifier(settings) | {"progress": False if quiet else None},
    )
    if picture is not None:
        found.save_picture(picture)
    if as_json:
        print_json(found.to_dict())
    elif markdown:
        print_line(found.to_markdown().rstrip("\n"))
    else:
        _print_comparison(found)
    if picture is not None:
        print_message(f"the picture is in {picture}")
    return 0


def _read_both(
    data: str, test_data: str | None, options: tuple[Any, ...]
) -> tuple[LabelledTexts, LabelledTexts]:
    from firth.tasks import read_split, split_texts

    headers, text_field, label_field, encoding = options
    learned, scored = read_split(
        data, headers=headers, text_field=text_field, label_field=label_field, encoding=encoding
    )
    if test_data is not None:
        scored = _read(test_data, *options)
    if scored is None:
        learned, scored = split_texts(learned, 0.2, seed=1)
        print_message(f"{len(scored):,} texts, drawn at random, are held out to score on")
    _warn_of_leaks(learned)
    return learned, scored


def _sizes(sizes: str, n_texts: int) -> list[int]:
    found = []
    for size in sizes.split(","):
        try:
            found.append(n_texts if size.strip() == "all" else int(size.replace("_", "")))
        except ValueError:
            raise ParameterError(
                f"--sizes {sizes}: {size!r} is no number; give such as 250,1000,all"
            ) from None
    return found


def _print_comparison(found: ClassifierComparison) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not sys.stdout.isatty():
        columns = ("classifier", "texts", "accuracy", "low", "high", "macro_f1", "seconds")
        print_line("\t".join(columns))
        for row in found.rows:
            figures = (row.accuracy, row.low, row.high, row.macro_f1)
            told = "\t".join("" if x != x else f"{x:.4f}" for x in figures)  # noqa: PLR0124 (NaN)
            print_line(f"{row.name}\t{row.n_texts}\t{told}\t{row.seconds:.1f}")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("classifier")
    for name in ("texts", "accuracy", "95 % interval", "macro F1", "seconds"):
        table.add_column(name, justify="right")
    for row in found.rows:
        interval = "" if row.n_seeds < 2 else f"{row.low:.3f} to {row.high:.3f}"
        table.add_row(
            Text(row.name, style="bold"), f"{row.n_texts:,}", Text(f"{row.accuracy:.3f}", "cyan"),
            interval, f"{row.macro_f1:.3f}", f"{row.seconds:,.1f}",
        )  # fmt: skip
    Console(highlight=False).print(table)


def _read(
    data: str, headers: str, text_field: str, label_field: str, encoding: str | None
) -> LabelledTexts:
    from firth.tasks import read_labelled_texts

    texts = read_labelled_texts(
        data,
        headers=headers,  # type: ignore[arg-type]
        text_field=text_field,
        label_field=label_field,
        encoding=encoding,
    )
    _warn_of_leaks(texts)
    return texts


def _warn_of_leaks(texts: LabelledTexts) -> None:
    leaks = texts.leaks()
    if leaks is not None:
        print_message("warning: " + leaks.replace("headers='strip'", "--headers strip"))


for _command in (train, evaluate, predict, compare):
    classify.add_command(_command)

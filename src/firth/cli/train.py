"""The command that trains a model from text."""

from __future__ import annotations

import logging
import re
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from firth.cli.answers import print_line, print_message
from firth.cli.cluster import cluster_options, train_on_cluster
from firth.cli.command import command, option
from firth.cli.live import live_options, watcher
from firth.cli.models import FASTTEXT, SETTINGS, WORD2VEC, settings_in_python
from firth.cli.runs import checkpoint_of, run_options, with_runs
from firth.errors import FirthError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from firth.models import PPMI, CallbackAny2Vec, GloVe, Word2Vec
    from firth.vectors import KeyedVectors

    Model = Word2Vec | GloVe | PPMI

INTERRUPTED = 130
MODEL, TEXT, RUN = "Model", "Text", "Run"
POSITIVE = click.IntRange(min=1)
# What the kernels have room for: _core.MAX_NEGATIVE, which help need not import.
MOST_NEGATIVES = 255

OPTION_OF_SETTING = {
    "min_count": "--min-count",
    "max_final_vocab": "--max-vocab",
    "vector_size": "--dim",
    "workers": "--threads",
    "memory_limit": "--memory",
    "learning_rate": "--alpha",
    "x_max": "--x-max",
    "min_n": "--min-n",
    "max_n": "--max-n",
    "keep_cooccurrences": "--keep-counts",
    "resume": "--resume",
}
# Common English words are only taken for a setting where a value is assigned to them.
SETTING_IN_MESSAGE = re.compile(
    r"\b(?P<assigned>min_count|max_final_vocab|vector_size|workers|field|errors|tokenizer|sample"
    r"|window|negative|epochs|alpha|seed|memory_limit|min_n|max_n|bucket|resume)=['\"]?"
    r"(?P<value>[\w.-]*)['\"]?"
    r"|\b(?P<named>min_count|max_final_vocab|vector_size|learning_rate|keep_cooccurrences)\b"
)

# What people ask first, where the vocabulary has it.
WELL_KNOWN_ANALOGIES = (("man", "woman", "son"), ("read", "reading", "write"))
WELL_KNOWN_WORDS = ("computers", "language", "music", "water", "function")


@command(
    "train",
    "Train word vectors on text",
    examples="""
    firth train corpus.txt.gz -o vectors
    firth train books/ -o books --tokenizer words --lowercase
    firth train 'news/*.jsonl.zst' --field text -o news --dim 300 --epochs 10
    firth train corpus.txt.gz -o vectors --explore
    firth train corpus.txt.gz -o vectors --checkpoint-every 60s --resume
    zcat logs.gz | firth train - -o logs --model cbow
    firth train corpus.txt.gz -o phrases --phrases 2 --connectors english
    firth train corpus.txt.gz -o forms --model fasttext-skipgram
    firth train wiki.txt.zst -o wiki --model glove --keep-counts wiki-counts
    firth train 's3://bucket/*.jsonl.zst' --field text -o crawl --cluster auto
    """,
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@option("-o", "--output", metavar="DIR", required=True, help="The model folder to write.")
@option(
    "--model",
    type=click.Choice(list(SETTINGS)),
    default="skipgram",
    section=MODEL,
    metavar="NAME",
    help="skipgram, which learns rare words better, or cbow, which is faster; fasttext-skipgram or "
    "fasttext-cbow, with n-grams of characters; glove or ppmi, from counts of co-occurrences.",
)
@option(
    "--dim", type=POSITIVE, default=100, section=MODEL, metavar="N", help="Dimensions of a vector."
)
@option(
    "--window",
    type=POSITIVE,
    default=5,
    section=MODEL,
    metavar="N",
    help="Words to the left and right that count as context; 15 for glove.",
)
@option(
    "--negative",
    type=click.IntRange(min=0, max=MOST_NEGATIVES),
    default=5,
    section=MODEL,
    metavar="N",
    help="Random words that each context is told apart from; for ppmi the shift, 1.",
)
@option(
    "--hs",
    is_flag=True,
    section=MODEL,
    help="Hierarchical softmax instead of negatives; beside them, where --negative stands too.",
)
@option(
    "--min-n",
    type=click.IntRange(min=0),
    default=3,
    section=MODEL,
    metavar="N",
    help="fasttext: the shortest n-grams, in characters.",
)
@option(
    "--max-n",
    type=click.IntRange(min=0),
    default=6,
    section=MODEL,
    metavar="N",
    help="fasttext: the longest n-grams; 0 for none.",
)
@option(
    "--bucket",
    type=click.IntRange(min=0),
    default=2_000_000,
    section=MODEL,
    metavar="N",
    help="fasttext: rows that n-grams are hashed into.",
)
@option(
    "--sample",
    type=click.FloatRange(min=0),
    default=1e-3,
    section=MODEL,
    metavar="X",
    help="Thin out words above this share of the text; 1e-4 suits large texts, 0 keeps all.",
)
@option(
    "--alpha",
    type=click.FloatRange(min=0, min_open=True),
    default=0.025,
    section=MODEL,
    metavar="X",
    help="Learning rate at the start; it falls to 0.0001. For glove 0.05, by AdaGrad.",
)
@option(
    "--epochs",
    type=POSITIVE,
    default=5,
    section=MODEL,
    metavar="N",
    help="Passes over the text; 25 for glove, over its pairs.",
)
@option(
    "--x-max",
    type=click.FloatRange(min=0, min_open=True),
    section=MODEL,
    metavar="X",
    help="glove: pairs counted less often weigh less.  [default: 100]",
)
@option(
    "--memory",
    type=click.FloatRange(min=0, min_open=True),
    section=MODEL,
    metavar="GB",
    help="glove, ppmi: what counting may take; the rest goes to disk.  [default: 2]",
)
@option(
    "--keep-counts",
    metavar="DIR",
    section=MODEL,
    help="glove, ppmi: keep the co-occurrences in a folder.",
)
@option(
    "--min-count",
    type=POSITIVE,
    default=5,
    section=TEXT,
    metavar="N",
    help="Leave out words seen less often.",
)
@option(
    "--max-vocab",
    type=POSITIVE,
    section=TEXT,
    metavar="N",
    help="Keep only the N most frequent words.",
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
@option(
    "--phrases",
    multiple=True,
    section=TEXT,
    metavar="N|DIR",
    help="Join phrases (new_york) before training: learn them N times, or use those in DIR.",
)
@option(
    "--phrase-threshold",
    type=click.FloatRange(min=0, min_open=True),
    section=TEXT,
    metavar="X",
    help="What words have to score to be a phrase.  [default: 10]",
)
@option(
    "--connectors",
    section=TEXT,
    metavar="WORDS",
    help="Words that may stand inside of phrases: 'english', or yours with commas between them.",
)
@option(
    "--threads",
    type=POSITIVE,
    section=RUN,
    metavar="N",
    help="Threads that train.  [default: one for each core]",
)
@option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    section=RUN,
    metavar="N",
    help="Seed of all that is random; with --threads 1 the same bits each time.",
)
@run_options
@live_options
@cluster_options
@option("--force", is_flag=True, help="Replace the model folder DIR if there is one.")
@option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def train(
    sources: tuple[str, ...],
    output: str,
    force: bool,
    quiet: bool,
    explore: bool,
    no_browser: bool,
    **settings: Any,
) -> int:
    """Train word vectors on SOURCE and write them to a model folder.

    A SOURCE is a file, a folder, a glob pattern, or "-" for standard input: plain text, or .gz,
    .bz2, .xz, .zst and .zip with text inside, or .jsonl, .csv, .tsv and .parquet with --field. A
    line is a sentence.

    Ctrl-C stops the training and keeps what was learned so far. With --checkpoint-every, the same
    command with --resume goes on from where it was stopped, whatever stopped it.
    """
    if quiet:
        logging.getLogger("firth").setLevel(logging.WARNING)
    checkpoint = checkpoint_of(output)
    resumes = bool(settings["resume"]) and checkpoint.exists()
    check_output(output, replace=force or resumes)
    context = click.get_current_context()
    given = {
        name for name in settings if context.get_parameter_source(name) != ParameterSource.DEFAULT
    }
    watched = watcher(output, settings["model"], explore=explore, no_browser=no_browser)
    with watched as watching:
        model = train_model(
            sources,
            output=output,
            quiet=quiet,
            given=given,
            callbacks=watching.callbacks,
            **settings,
        )
        model.save(output)
        keeps = bool(settings["resume"] or settings["checkpoint_every"])
        if keeps and not model.interrupted:
            from firth.models import remove_checkpoint

            remove_checkpoint(checkpoint)
        if not quiet:
            if keeps and model.interrupted:
                print_message("the same command with --resume goes on from here")
            print_summary(model, output)
        if not model.interrupted:
            watching.stay(output)
    return INTERRUPTED if model.interrupted else 0


def train_model(
    sources: Sequence[str],
    *,
    model: str,
    dim: int,
    max_vocab: int | None,
    threads: int | None,
    quiet: bool,
    given: AbstractSet[str],
    output: str | None = None,
    callbacks: Sequence[CallbackAny2Vec] = (),
    cluster: str | None = None,
    cluster_workers: int | None = None,
    cluster_split_rows: bool = False,
    **settings: Any,
) -> Model:
    """Train a model with the settings of the command line under their names in Python."""
    from firth import models

    of_model = _with_phrases(settings_in_python(model, settings, given))
    arguments: dict[str, Any] = {
        "corpus_file": sources[0] if len(sources) == 1 else list(sources),
        "vector_size": dim,
        "max_final_vocab": max_vocab,
        "workers": threads,
        "progress": False if quiet else None,
    }
    with options_in_messages():
        arguments |= with_runs(of_model, output)
        if cluster:
            if callbacks:
                raise click.UsageError("--explore shows a training on this machine, not --cluster.")
            how = cluster, cluster_workers, cluster_split_rows
            return train_on_cluster(*how, model, arguments, given, quiet=quiet)
        for name in ("cluster-workers", "cluster-split-rows"):
            if name.replace("-", "_") in given:
                raise click.UsageError(f"--{name} goes with --cluster.")
        if callbacks:
            arguments["callbacks"] = [*arguments.get("callbacks", ()), *callbacks]
        if model == "glove":
            return models.GloVe(**arguments)
        if model == "ppmi":
            return models.PPMI(**arguments)
        if model in FASTTEXT:
            return models.FastText(sg=FASTTEXT[model], **arguments)
        return models.Word2Vec(sg=WORD2VEC[model], **arguments)


def _with_phrases(arguments: dict[str, Any]) -> dict[str, Any]:
    """Put what is to be joined in place of the options that tell of it."""
    phrases = arguments.pop("phrases", ())
    others = arguments.pop("phrase_threshold", None), arguments.pop("connectors", None)
    if phrases or others != (None, None):
        from firth.cli.phrases import phrases_to_join

        arguments["phrases"] = phrases_to_join(phrases, *others) or None
    return arguments


@contextmanager
def options_in_messages() -> Iterator[None]:
    """Give settings the names of their options in the errors of the library."""
    try:
        yield
    except FirthError as error:
        error.args = tuple(with_option_names(str(part)) for part in error.args)
        raise


def with_option_names(message: str) -> str:
    """Give the settings that a message of the library names the names of their options.

    Examples
    --------
    >>> with_option_names("pass errors='replace', or a lower min_count")
    'pass --errors replace, or a lower --min-count'
    """

    def as_option(found: re.Match[str]) -> str:
        name = found["assigned"] or found["named"]
        value = f" {found['value']}" if found["value"] else ""
        return OPTION_OF_SETTING.get(name, f"--{name}") + value

    return SETTING_IN_MESSAGE.sub(as_option, message)


def check_output(output: str | Path, *, replace: bool) -> None:
    """Refuse an output folder that cannot be written, before hours of training rather than after.

    Parameters
    ----------
    output : str or Path
        The model folder to be written.
    replace : bool
        Whether a model folder that is there already may be replaced.

    Raises
    ------
    OutputError
        When it is a file or a folder of something else, when it is a model and not to be
        replaced, or when there is no permission to write.
    """
    from firth.storage import check_target

    check_target(output)
    if not replace and Path(output).is_dir() and any(Path(output).iterdir()):
        raise OutputError(
            f"{output}: there is a model already; choose another -o, or --force to replace it"
        )


def print_summary(model: Model, output: str) -> None:
    """Tell what was learned, where it is, and what to try next."""
    vectors = model.wv
    if model.interrupted:
        print_message("interrupted; what was learned so far is kept")
    print_line(f"{len(vectors):,} words x {vectors.vector_size} dimensions, {_figures_of(model)}")
    print_line(f"Saved to {output}. Try:")
    for line in commands_to_try(vectors, output):
        print_line(f"  {line}")


def _figures_of(model: Model) -> str:
    """Tell how well and how fast a model learned."""
    from firth.models import PPMI, GloVe
    from firth.progress import format_count, format_duration

    if isinstance(model, PPMI):
        pairs = format_count(model.n_positive, "pairs")
        return f"from {pairs} of words in {format_duration(model.training_seconds)}"
    if isinstance(model, GloVe):
        rate = format_count(model.pairs_per_second, "pairs")
    else:
        rate = format_count(model.words_per_second, "words")
    return f"loss {model.loss:.4f}, {rate}/s"


def commands_to_try(vectors: KeyedVectors, output: str) -> list[str]:
    """Suggest commands whose words the model knows."""
    folder = shlex.quote(output)
    word = _word_to_try(vectors)
    commands = [f"firth similar {folder} {shlex.quote(word)}"]
    for analogy in WELL_KNOWN_ANALOGIES:
        if all(asked in vectors for asked in analogy):
            commands.append(f"firth analogy {folder} {' '.join(analogy)}")
            break
    commands.append(f"firth info {folder}")
    return commands


def _word_to_try(vectors: KeyedVectors) -> str:
    """Choose a word that has neighbours worth seeing: one of content, not too rare."""
    for word in WELL_KNOWN_WORDS:
        if vectors.get_index(word, default=len(vectors)) < len(vectors) // 2:
            return word
    # Past the function words, which stand first.
    some = vectors.index_to_key[min(len(vectors) // 10, 300) :][:300]
    chosen: str = max(some, key=lambda word: (word.isalpha() and len(word) >= 5, word.islower()))
    return chosen

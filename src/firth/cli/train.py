"""The command that trains a model from text."""

from __future__ import annotations

import logging
import re
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_line, print_message
from firth.cli.command import command, option
from firth.errors import FirthError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firth.models import Word2Vec
    from firth.vectors import KeyedVectors

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
}
# Common English words are only taken for a setting where a value is assigned to them.
SETTING_IN_MESSAGE = re.compile(
    r"\b(?P<assigned>min_count|max_final_vocab|vector_size|workers|field|errors|tokenizer|sample"
    r"|window|negative|epochs|alpha|seed)=['\"]?(?P<value>[\w.-]*)['\"]?"
    r"|\b(?P<named>min_count|max_final_vocab|vector_size)\b"
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
    zcat logs.gz | firth train - -o logs --model cbow
    firth train corpus.txt.gz -o phrases --phrases 2 --connectors english
    """,
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@option("-o", "--output", metavar="DIR", required=True, help="The model folder to write.")
@option(
    "--model",
    type=click.Choice(["skipgram", "cbow"]),
    default="skipgram",
    section=MODEL,
    metavar="NAME",
    help="skipgram, which learns rare words better, or cbow, which is faster.",
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
    help="Words to the left and right that count as context.",
)
@option(
    "--negative",
    type=click.IntRange(min=1, max=MOST_NEGATIVES),
    default=5,
    section=MODEL,
    metavar="N",
    help="Random words that each context is told apart from.",
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
    help="Learning rate at the start; it falls to 0.0001.",
)
@option(
    "--epochs", type=POSITIVE, default=5, section=MODEL, metavar="N", help="Passes over the text."
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
@option("--force", is_flag=True, help="Replace the model folder DIR if there is one.")
@option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def train(sources: tuple[str, ...], output: str, force: bool, quiet: bool, **settings: Any) -> int:
    """Train word vectors on SOURCE and write them to a model folder.

    A SOURCE is a file, a folder, a glob pattern, or "-" for standard input: plain text, or .gz,
    .bz2, .xz, .zst and .zip with text inside, or .jsonl, .csv, .tsv and .parquet with --field. A
    line is a sentence.

    Ctrl-C stops the training and keeps what was learned so far.
    """
    if quiet:
        logging.getLogger("firth").setLevel(logging.WARNING)
    check_output(output, replace=force)
    model = train_model(sources, quiet=quiet, **settings)
    model.save(output)
    if not quiet:
        print_summary(model, output)
    return INTERRUPTED if model.interrupted else 0


def train_model(
    sources: Sequence[str],
    *,
    model: str,
    dim: int,
    max_vocab: int | None,
    threads: int | None,
    quiet: bool,
    phrases: Sequence[str] = (),
    phrase_threshold: float | None = None,
    connectors: str | None = None,
    **same_name: Any,
) -> Word2Vec:
    """Train a model with the settings of the command line under their names in Python."""
    from firth.cli.phrases import phrases_to_join
    from firth.models import Word2Vec

    if phrases or phrase_threshold is not None or connectors is not None:
        joined = phrases_to_join(phrases, phrase_threshold, connectors)
        same_name["phrases"] = joined or None

    with options_in_messages():
        return Word2Vec(
            corpus_file=sources[0] if len(sources) == 1 else list(sources),
            vector_size=dim,
            sg=int(model == "skipgram"),
            max_final_vocab=max_vocab,
            workers=threads,
            progress=False if quiet else None,
            **same_name,
        )


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


def print_summary(model: Word2Vec, output: str) -> None:
    """Tell what was learned, where it is, and what to try next."""
    from firth.progress import format_count

    vectors = model.wv
    if model.interrupted:
        print_message("interrupted; what was learned so far is kept")
    print_line(
        f"{len(vectors):,} words x {vectors.vector_size} dimensions, loss {model.loss:.4f}, "
        f"{format_count(model.words_per_second, 'words')}/s"
    )
    print_line(f"Saved to {output}. Try:")
    for line in commands_to_try(vectors, output):
        print_line(f"  {line}")


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

"""The command that shows firth at work without any data of one's own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from firth.cli.answers import print_line, print_message
from firth.cli.command import command, option
from firth.cli.train import INTERRUPTED, check_output
from firth.errors import SourceError

if TYPE_CHECKING:
    from firth.models import Word2Vec
    from firth.vectors import KeyedVectors

DEFAULT_FOLDER = "firth-demo"

ASKED_WORDS = ("function", "string", "error", "list", "integer", "socket", "directory")
N_NEIGHBOURS = 6
ASKED_ANALOGIES = (
    ("read", "reading", "write"),
    ("left", "right", "top"),
    ("minimum", "maximum", "min"),
)

# A small text wants many passes, a large one few: about this many words are trained on in all.
WORDS_TO_TRAIN_ON = 30_000_000
# Words rarer than this end up near to words of the one place where they stand.
MIN_COUNT = 20
FEWEST_EPOCHS, MOST_EPOCHS = 5, 30


@command(
    "demo",
    "See it work, without data of your own",
    examples="""
    firth demo
    firth demo -o /tmp/python-words
    """,
)
@option("-o", "--output", metavar="DIR", default=DEFAULT_FOLDER, help="The model folder to write.")
@option("--force", is_flag=True, help="Replace a model folder DIR that is not the demo's own.")
def demo(output: str, force: bool) -> int:
    """Train on the English that came with Python, and ask the result.

    The text is the language reference and the docstrings of the standard library and of the
    installed packages, read as text and never executed. It takes about a minute and needs no
    network. A second run replaces the folder of the first.
    """
    check_output(output, replace=force or output == DEFAULT_FOLDER)
    paragraphs = gather()
    model = train_on(paragraphs)
    model.save(output)
    if model.interrupted:
        print_message(f"interrupted; what was learned so far is in {output}")
        return INTERRUPTED
    show(model.wv, output)
    return 0


def gather() -> list[str]:
    """Read the English that came with Python, and tell how much it is.

    Returns
    -------
    list of str
        Paragraphs, each on one line.

    Raises
    ------
    SourceError
        When this Python came without its library's source.
    """
    from firth.cli.python_docs import paragraphs
    from firth.progress import format_count, format_duration

    started = time.monotonic()
    found = list(paragraphs())
    if not found:
        raise SourceError(
            "this Python came without the source of its library, so there is no text to train on; "
            "train on a text of your own: firth train corpus.txt -o vectors"
        )
    n_words = sum(len(paragraph.split()) for paragraph in found)
    taken = format_duration(time.monotonic() - started)
    print_line(f"Read {format_count(n_words, 'words')} of Python's documentation in {taken}.")
    return found


def train_on(paragraphs: list[str]) -> Word2Vec:
    """Train skip-gram with settings for a small text."""
    from firth.models import Word2Vec

    n_words = sum(len(paragraph.split()) for paragraph in paragraphs)
    epochs = min(max(WORDS_TO_TRAIN_ON // max(n_words, 1), FEWEST_EPOCHS), MOST_EPOCHS)
    started = time.monotonic()
    model = Word2Vec(
        paragraphs,
        tokenizer="words",
        lowercase=True,
        sg=1,
        vector_size=100,
        min_count=MIN_COUNT,
        epochs=epochs,
    )
    from firth.progress import format_count, format_duration

    taken = format_duration(time.monotonic() - started)
    rate = format_count(model.words_per_second, "words")
    print_line(
        f"Trained {len(model.wv):,} words x {model.wv.vector_size} dimensions "
        f"in {taken} ({rate}/s, {epochs} epochs)."
    )
    return model


def show(vectors: KeyedVectors, output: str) -> None:
    """Print neighbours and analogies, and what to try next."""
    import shlex

    print_line("\nWords near to")
    asked = [word for word in ASKED_WORDS if word in vectors]
    width = max((len(word) for word in asked), default=0)
    for word, found in zip(asked, vectors.most_similar_many(asked, topn=N_NEIGHBOURS), strict=True):
        print_line(f"  {word:<{width}}  {', '.join(neighbour for neighbour, _ in found)}")
    print_line("\nAnalogies")
    for a, b, c in ASKED_ANALOGIES:
        if all(word in vectors for word in (a, b, c)):
            [(answer, _)] = vectors.most_similar(positive=[b, c], negative=[a], topn=1)
            print_line(f"  {a} is to {b} as {c} is to {answer}")
    folder = shlex.quote(output)
    print_line(f"\nThe model is in {folder}. Try:")
    print_line(f"  firth similar {folder} exception")
    print_line(f"  firth analogy {folder} add added remove")
    print_line(f"  firth odd-one-out {folder} list tuple dict socket")
    print_line("  firth train your-text.txt -o your-vectors --tokenizer words --lowercase")

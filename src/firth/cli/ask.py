"""The commands that ask a model: similar, analogy, similarity, odd-one-out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import Answer, AnswerPrinter, similarity_for_json
from firth.cli.ask_filters import filter_options, filters_of
from firth.cli.command import command, option
from firth.cli.questions import FROM_STANDARD_INPUT, Question, read_questions
from firth.errors import WordNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from firth.vectors import KeyedVectors, Neighbours

    Answers = Iterator[Answer]

# Near spellings take up to 50 ms a word: help for a person, not for a list of a thousand lines.
MOST_SUGGESTIONS = 5

source_argument = click.argument("source", metavar="VECTORS")
json_option = option("--json", "as_json", is_flag=True, help="One JSON object for each question.")
top_option = option(
    "-k",
    "--top",
    default=10,
    type=click.IntRange(min=1),
    metavar="N",
    help="How many words to show.",
)


@command(
    "similar",
    "Show the nearest neighbours of words",
    examples="""
    firth similar wiki100 computers
    firth similar wiki100 king queen -k 3          # two questions
    firth similar wiki100 king queen --together    # one: near to both
    firth similar wiki100 computers --prefix comp  # among words that begin so
    firth similar wiki100 - --json < words.txt     # one word a line
    firth similar glove.6B.50d computers           # by name, downloaded the first time
    """,
)
@source_argument
@click.argument("words", metavar="WORD...", nargs=-1, required=True)
@top_option
@option("--together", is_flag=True, help="One question: the neighbours of all the words' mean.")
@filter_options
@json_option
def similar(
    source: str,
    words: tuple[str, ...],
    top: int,
    together: bool,
    as_json: bool,
    **only: Any,
) -> int:
    """Show the nearest neighbours of each WORD in VECTORS.

    The similarity is the cosine of the angle between two vectors: 1 for the same direction, about
    0 for words that have nothing to do with each other.
    """
    filters = filters_of(**only)

    def answers(vectors: KeyedVectors, questions: Sequence[Question]) -> Answers:
        asked = [(list(question.words), None) for question in questions]
        found = vectors.most_similar_many(asked, topn=top, **filters)
        return _told("neighbours", found)

    return _ask(
        source,
        words,
        answers,
        columns=("word", "similarity"),
        as_json=as_json,
        a_line_is_a_word=not together,
    )


@command(
    "analogy",
    'Complete "A is to B as C is to ..."',
    examples="""
    firth analogy wiki100 man woman son
    firth analogy wiki100 paris france berlin -k 3
    firth analogy wiki100 paris france berlin --multiply
    echo man woman king | firth analogy wiki100 -
    """,
)
@source_argument
@click.argument("words", metavar="A B C", nargs=-1, required=True)
@top_option
@option("--multiply", is_flag=True, help="Multiply similarities (3CosMul) rather than add them.")
@filter_options
@json_option
def analogy(
    source: str,
    words: tuple[str, ...],
    top: int,
    multiply: bool,
    as_json: bool,
    **only: Any,
) -> int:
    """Complete "A is to B as C is to ...".

    Ranks the words by their similarity to B - A + C, with vectors of length one; A, B and C
    themselves are left out. A lone "-" reads three words a line from standard input.
    """
    filters = filters_of(**only)
    if multiply and any(value is not None for value in only.values()):
        raise click.UsageError("--multiply looks among all words; leave the other options out")

    def answers(vectors: KeyedVectors, questions: Sequence[Question]) -> Answers:
        asked = [([b, c], [a]) for a, b, c in (question.words for question in questions)]
        if multiply:
            found: Any = (vectors.most_similar_cosmul(*sides, topn=top) for sides in asked)
        else:
            found = vectors.most_similar_many(asked, topn=top, **filters)
        return _told("answers", found)

    return _ask(
        source,
        words,
        answers,
        columns=("word", "similarity"),
        as_json=as_json,
        n_words=(3, 3),
    )


@command(
    "similarity",
    "Print how similar two words are",
    examples="""
    firth similarity wiki100 woman man
    firth similarity wiki100 - < pairs.txt         # two words a line
    """,
)
@source_argument
@click.argument("words", metavar="A B", nargs=-1, required=True)
@json_option
def similarity(source: str, words: tuple[str, ...], as_json: bool) -> int:
    """Print how similar two words are: the cosine of the angle between their vectors.

    A lone "-" reads two words a line from standard input.
    """

    def answers(vectors: KeyedVectors, questions: Sequence[Question]) -> Answers:
        for question in questions:
            a, b = question.words
            value = float(vectors.similarity(a, b))
            yield Answer({"similarity": similarity_for_json(value)}, [(value,)])

    return _ask(source, words, answers, columns=("similarity",), as_json=as_json, n_words=(2, 2))


@command(
    "odd-one-out",
    "Print the word that fits least with the others",
    examples="""
    firth odd-one-out wiki100 green blue red zebra
    firth odd-one-out wiki100 - < lists.txt        # one list a line
    """,
)
@source_argument
@click.argument("words", metavar="WORD...", nargs=-1, required=True)
@json_option
def odd_one_out(source: str, words: tuple[str, ...], as_json: bool) -> int:
    """Print the WORD that fits least with the others: the farthest from their mean.

    A lone "-" reads one list of words a line from standard input.
    """

    def answers(vectors: KeyedVectors, questions: Sequence[Question]) -> Answers:
        for question in questions:
            word = vectors.doesnt_match(list(question.words))
            yield Answer({"odd_one_out": word}, [(word,)])

    return _ask(
        source, words, answers, columns=("odd one out",), as_json=as_json, n_words=(3, None)
    )


def load_vectors(source: str | Path) -> KeyedVectors:
    """Load vectors; here, so that ``firth --help`` need not import NumPy."""
    from firth.hub import load

    return load(source)


def _ask(
    source: str,
    words: Sequence[str],
    answers: Callable[[KeyedVectors, Sequence[Question]], Answers],
    *,
    columns: Sequence[str],
    as_json: bool,
    n_words: tuple[int, int | None] = (1, None),
    a_line_is_a_word: bool = False,
) -> int:
    """Answer every question, and tell by the exit status whether all had an answer."""
    from_standard_input = tuple(words) == (FROM_STANDARD_INPUT,)
    if not from_standard_input and not a_line_is_a_word:
        wrong = _wrong_number(words, n_words)
        if wrong and FROM_STANDARD_INPUT not in words:
            raise click.UsageError(wrong)
    printer = AnswerPrinter(
        columns,
        as_json=as_json,
        with_question=from_standard_input or (a_line_is_a_word and len(words) > 1),
    )
    vectors: KeyedVectors | None = None
    for batch in read_questions(words, a_line_is_a_word=a_line_is_a_word):
        if vectors is None:
            vectors = load_vectors(source)
        errors = _errors(vectors, batch, n_words, a_line_is_a_word=a_line_is_a_word)
        answered = answers(vectors, [question for question in batch if question not in errors])
        for question in batch:
            if question in errors:
                printer.print_error(question, errors[question])
            else:
                printer.print(question, next(answered))
    return 1 if printer.failed else 0


def _errors(
    vectors: KeyedVectors,
    questions: Sequence[Question],
    n_words: tuple[int, int | None],
    *,
    a_line_is_a_word: bool,
) -> dict[Question, str]:
    """Find the questions that cannot be answered, and say why."""
    errors: dict[Question, str] = {}
    for question in questions:
        wrong = _wrong_number(question.words, n_words)
        missing = [word for word in question.words if word not in vectors]
        if wrong:
            errors[question] = wrong
        elif missing and a_line_is_a_word and len(missing[0].split()) > 1:
            errors[question] = (
                f"{_unknown(vectors, missing[0])}; give one word a line, or --together "
                "to ask for all words of a line at once"
            )
        elif missing and len(errors) < MOST_SUGGESTIONS:
            errors[question] = _not_found(vectors, missing[0])
        elif missing:
            errors[question] = _unknown(vectors, missing[0])
    return errors


def _unknown(vectors: KeyedVectors, word: str) -> str:
    return f"the word '{word}' is not among the {len(vectors):,} words"


def _not_found(vectors: KeyedVectors, word: str) -> str:
    try:
        vectors.get_index(word)
    except WordNotFoundError as error:
        return str(error)
    raise AssertionError(word)


def _wrong_number(words: Sequence[str], n_words: tuple[int, int | None]) -> str | None:
    least, most = n_words
    if len(words) < least or (most is not None and len(words) > most):
        wanted = f"{least} words" if least == most else f"{least} words or more"
        return f"expected {wanted}, got {len(words)}: {' '.join(words)}"
    return None


def _told(field: str, found: Iterable[Neighbours]) -> Answers:
    """Tell the neighbours that were found for each question."""
    for neighbours in found:
        told = [
            {"word": word, "similarity": similarity_for_json(value)} for word, value in neighbours
        ]
        yield Answer({field: told}, neighbours)

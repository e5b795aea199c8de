"""Questions of the asking commands: from the command line, or from standard input by ``-``."""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, NamedTuple, cast

import click

from firth.errors import TextError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import BufferedReader

FROM_STANDARD_INPUT = "-"
BATCH_SIZE = 1000
READ_BYTES = 1 << 16


class Question(NamedTuple):
    """The words of one question, and the line of standard input that asked it."""

    words: tuple[str, ...]
    line: int | None = None

    @property
    def place(self) -> str:
        """Where the question stands, to begin a message with."""
        return "" if self.line is None else f"line {self.line}: "


def read_questions(words: Sequence[str], *, a_line_is_a_word: bool) -> Iterator[list[Question]]:
    """Read the questions that the command line or standard input asks, in batches.

    A batch is what can be answered at once: all that stands ready on standard input, so that a
    program at the other end of a pipe gets its answer before it asks on.

    Parameters
    ----------
    words : sequence of str
        The arguments of the command: one question, or ``-`` alone.
    a_line_is_a_word : bool
        True where each argument, and each line, is a question of one word; it may hold spaces.

    Yields
    ------
    list of Question
        At most 1,000 of them; blank lines ask nothing.

    Raises
    ------
    TextError
        When standard input is not UTF-8.
    """
    if tuple(words) != (FROM_STANDARD_INPUT,):
        if FROM_STANDARD_INPUT in words:
            raise click.UsageError(
                "'-' reads the questions from standard input and stands alone, without other words"
            )
        yield (
            [Question((word,)) for word in words] if a_line_is_a_word else [Question(tuple(words))]
        )
        return
    batch: list[Question] = []
    for number, line, more_is_ready in _lines_of_standard_input():
        words_of_line = [line.strip()] if a_line_is_a_word else line.split()
        if any(words_of_line):
            batch.append(Question(_decoded(words_of_line, number), number))
        if batch and (len(batch) == BATCH_SIZE or not more_is_ready):
            yield batch
            batch = []
    if batch:
        yield batch


def _lines_of_standard_input() -> Iterator[tuple[int, bytes, bool]]:
    """Yield number, text, and whether more lines have already arrived."""
    if sys.stdin is None:  # closed by the shell: <&-
        return
    stream = cast("BufferedReader", sys.stdin.buffer)
    number = 0
    rest = b""
    while True:
        # read1 gives what is there and waits only for the first byte.
        block = stream.read1(READ_BYTES)
        lines = (rest + block).split(b"\n")
        rest = lines.pop() if block else b""
        for at, line in enumerate(lines, 1):
            number += 1
            yield number, line.removeprefix(BOM_UTF8) if number == 1 else line, at < len(lines)
        if not block:
            return


def _decoded(words: Sequence[bytes], number: int) -> tuple[str, ...]:
    try:
        return tuple(word.decode() for word in words)
    except UnicodeDecodeError as error:
        shown = error.object.decode(errors="backslashreplace")
        raise TextError(
            f"standard input, line {number}: '{shown}' is not UTF-8; "
            "convert the questions first, for example with iconv -t utf-8"
        ) from None

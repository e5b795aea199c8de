"""The first lines of a text, by which formats are told and the number of dimensions is found."""

from __future__ import annotations

import re

_NUMBER = re.compile(
    rb"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|nan|inf(inity)?)", re.IGNORECASE
)
_MOST_LINES = 20


def is_number(field: bytes) -> bool:
    """Tell whether a field is written as a number."""
    return _NUMBER.fullmatch(field) is not None


def head_lines(head: bytes) -> list[bytes]:
    """Give the first lines of a text that are whole and not blank; or its only, unfinished one."""
    lines = head.split(b"\n")
    whole = [line for line in lines[:-1] if line.strip()][:_MOST_LINES]
    return whole or [line for line in lines if line.strip()]


def n_numbers_at_end(line: bytes) -> int:
    """Count the fields at the end of a line that are numbers; its first field is a word."""
    fields = line.strip(b" \t\r").split()
    if line[:1] in b" \t":  # the word is empty
        fields.insert(0, b"")
    n = 0
    while n < len(fields) - 1 and is_number(fields[-1 - n]):
        n += 1
    return n

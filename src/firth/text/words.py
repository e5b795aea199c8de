"""The words of a text by Unicode's rules."""

from __future__ import annotations

import functools
import re
import unicodedata

# Typographic variants, and what they are written as; the soft hyphen only shows where a line
# may break.
_SPELLINGS = (("\u2019", "'"), ("\u2010", "-"), ("\u2011", "-"), ("\u00ad", ""))


def _one_spelling(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    for variant, usual in _SPELLINGS:
        text = text.replace(variant, usual)
    return text


def words_and_line_ends(text: str) -> list[str]:
    r"""Find the words of a text, and its line ends.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        The words, each in its one spelling, and ``"\n"`` for each line end. What a word is
        stands in `firth.text.tokenizers.WordTokenizer`.
    """
    return _word_or_line_end().findall(text if text.isascii() else _one_spelling(text))


@functools.cache
def _word_or_line_end() -> re.Pattern[str]:
    r"""Compile the pattern of words; ``\w`` of ``re`` lacks the marks, which it needs."""
    letters = r"[^\W_]++"
    # The guard spares the long class of marks its look at the usual end of a word.
    core = rf"{letters}(?:(?![\x00-\x7f])[{_marks()}]++(?:{letters})?)*+"
    inside = r"['\-_\u00b7\u05f3\u05f4]|(?<=\d)[.,](?=\d)"
    return re.compile(rf"{core}(?:(?:{inside}){core})*+|\n")


def _marks() -> str:
    """List the marks of Unicode, and the joiners, as ranges for a class of `re`."""
    # Beyond U+1FFFF there are ideographs, and the variation selectors from U+E0100 on.
    candidates = (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0))
    marks = [0x200C, 0x200D]
    marks += [point for point in candidates if unicodedata.category(chr(point))[0] == "M"]
    ranges: list[list[int]] = []
    for point in sorted(marks):
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)

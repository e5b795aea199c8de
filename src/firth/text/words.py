r"""The words of a text by Unicode's rules, found by blanking what lies between them.

A pattern for words would match, and make an object, for every word. The patterns here match what
is no word, of which there is less, and leave the splitting to the core. They are written for the
engine of ``re``: it skips ahead fast to a first character out of one class or a literal, and
classes are slow only for characters that are in none of their tables.
"""

from __future__ import annotations

import functools
import re
import unicodedata

# What may join two parts of a word: apostrophe, hyphen, middle dot, geresh, gershayim, and the
# joiners without width (UAX #29: MidLetter, MidNumLet, Single_Quote; Extend and Format).
_JOINERS = r"'\-\u00b7\u05f3\u05f4\u200c\u200d"

# Typographic variants, and what they are written as; a soft hyphen only shows where a line may
# break.
_SPELLINGS = (("\u2019", "'"), ("\u2010", "-"), ("\u2011", "-"), ("\u00ad", ""))

# All characters that have a combining class, change in NFC, may compose with the one before, or
# are marks; and few others, so that most lines of most texts need no normalisation.
_UNSETTLED = re.compile(
    "[\u0300-\u1dff\u1f00-\u1fff\u2000-\u2001\u20d0-\u20f0\u2126-\u212b\u2329-\u232a\u2adc"
    "\u2cef-\u2cf1\u2d7f\u2de0-\u2dff\u302a-\u302f\u3099-\u309a\ua66f-\uabff\uf900-\ufaff"
    "\ufb1d-\ufb4f\ufe00-\ufe2f\U000101fd-\U0001efff\U0002f800-\U0002fa1f\U000e0100-\U000e01ef]"
)


def keep_words(text: str) -> str:
    r"""Leave of a text its words and line ends, each word in its one spelling.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The words, with one ASCII whitespace or more between them, on the same lines. What a word
        is stands in `firth.text.WordTokenizer`.

    Examples
    --------
    >>> keep_words("“Don’t!” said\nmy mother-in-law.").split()
    ["Don't", 'said', 'my', 'mother-in-law']
    """
    underscores, between_words, _ = _patterns()
    if not text.isascii():
        text = _in_one_spelling(text)
    if "_" in text:
        text = underscores.sub(" ", text)
    return between_words.sub(" ", text)


def _in_one_spelling(text: str) -> str:
    stray_marks = _patterns()[2]
    for variant, usual in _SPELLINGS:
        text = text.replace(variant, usual)
    if _UNSETTLED.search(text):
        text = "\n".join(
            stray_marks.sub(" ", unicodedata.normalize("NFC", line))
            if _UNSETTLED.search(line)
            else line
            for line in text.split("\n")
        )
    return text


@functools.cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    r"""Compile what is blanked: underscores at the edges of words, the rest, marks on nothing.

    ``\w`` of ``re`` are letters, digits and the underscore; it lacks the marks.
    """
    marks = _mark_ranges()
    # Of a run of underscores or of other characters between words, only a single one that joins
    # is kept. Whitespace is tested for first, as the usual end of the run and the cheapest test.
    underscores = rf"_(?:_++|(?=\s)|(?!(?<=(?:[^\W_]|[{marks}])_)[\w{marks}]))"
    # ASCII stands first, although \w has it, to be found in the table of the class.
    other = rf"[^a-zA-Z0-9 \t\n\r\x0b\x0c\w{marks}]"
    joins = rf"(?<=[\w{marks}][{_JOINERS}])[\w{marks}]|(?<=\d[.,])\d"
    between_words = rf"{other}(?:{other}++|(?=\s)|(?!{joins}))"
    stray_marks = rf"(?<![^\W_])(?<![{marks}])[{marks}]++"
    return re.compile(underscores), re.compile(between_words), re.compile(stray_marks)


def _mark_ranges() -> str:
    """List the marks of Unicode as ranges for a class of ``re``."""
    # Beyond U+1FFFF there are ideographs, and the variation selectors from U+E0100 on.
    candidates = (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0))
    ranges: list[list[int]] = []
    for point in candidates:
        if unicodedata.category(chr(point))[0] == "M":
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)

"""What is a word, against a slow reference that looks at one character after the other."""

import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firth.text import words
from firth.text.words import keep_words

ASCII_WHITESPACE = " \t\n\r\x0b\x0c"
JOINERS = "'-_\u00b7\u05f3\u05f4\u200c\u200d"


def naive_words(text: str) -> list[str]:
    """Keep letters, digits, the marks on them, and what joins two of them."""
    for variant, usual in (("\u2019", "'"), ("\u2010", "-"), ("\u2011", "-"), ("\u00ad", "")):
        text = text.replace(variant, usual)
    text = unicodedata.normalize("NFC", text)
    solid: list[bool] = []
    for i, char in enumerate(text):
        on_letter = unicodedata.category(char)[0] == "M" and i > 0 and solid[i - 1]
        solid.append(char.isalnum() or on_letter)
    kept = ""
    for i, char in enumerate(text):
        between = 0 < i < len(text) - 1 and solid[i - 1] and solid[i + 1]
        joins = between and char in JOINERS
        if between and char in ".,":
            joins = text[i - 1].isdecimal() and text[i + 1].isdecimal()
        kept += char if solid[i] or joins or char in ASCII_WHITESPACE else " "
    return [word.decode() for word in kept.encode().split()]


def words_of(text: str) -> list[str]:
    return [word.decode() for word in keep_words(text).encode().split()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Don’t!” said my mother-in-law.", ["Don't", "said", "my", "mother-in-law"]),
        ("l'homme 'quoted' rock'n'roll 'em", ["l'homme", "quoted", "rock'n'roll", "em"]),
        ("_foo_ new_york __init__ a__b", ["foo", "new_york", "init", "a", "b"]),
        (
            "3.14 1,000 3. .5 U.S. a,b 10,,5",
            ["3.14", "1,000", "3", "5", "U", "S", "a", "b", "10", "5"],
        ),
        ("state-of-the-art a--b a -b c-", ["state-of-the-art", "a", "b", "a", "b", "c"]),
        ("हिन्दी में लिखना", ["हिन्दी", "में", "लिखना"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("col·lega צה״ל", ["col·lega", "צה״ל"]),
        ("cafe\u0301 caf\u00e9", ["caf\u00e9", "caf\u00e9"]),
        ("co\u00adoperate re\u2011do", ["cooperate", "re-do"]),
        ("❤\ufe0f 👩\u200d👩 :-) … №", []),
        ("a\u2028b\u00a0c\x1cd", ["a", "b", "c", "d"]),
        ("m² ½ x₂ Ⅷ", ["m²", "½", "x₂", "Ⅷ"]),
        ("one\u0301_two \u0301 _\u0301x", ["on\u00e9_two", "x"]),
    ],
)
def test_words_are_those_that_linguists_expect(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected
    assert naive_words(text) == expected


INTERESTING = (
    "aZé7٣\u0301\u0323\u0903\u094d\ufe0f \n\t\r'’-‐_·.,\u200c\u200d\u00ad!\u00a0\u2028\x1c"
    "漢한\u1100\u1161\u11a8\u212b❤😀𝒜\U0001d165\U000e0101"
)


@given(st.text(st.sampled_from(INTERESTING) | st.characters(codec="utf-8"), max_size=40))
@example("a_\u0301b")
@example("a\u00ad\u0301")
@example("\u1100\u1161\u11a8")
@settings(max_examples=600)
def test_blanking_leaves_what_the_slow_reference_keeps(text: str) -> None:
    assert words_of(text) == naive_words(text)


@given(st.text(st.sampled_from(INTERESTING), max_size=40))
def test_lines_stay_lines(text: str) -> None:
    assert keep_words(text).count("\n") == text.count("\n")
    assert [words_of(line) for line in text.split("\n")] == [
        words_of(line) for line in keep_words(text).split("\n")
    ]


@given(st.text(st.sampled_from(INTERESTING), max_size=40))
def test_words_of_words_are_the_same(text: str) -> None:
    assert words_of(" ".join(words_of(text))) == words_of(text)


def test_only_lines_without_marks_or_other_forms_go_unnormalised() -> None:
    composing = {
        chr(int(parts[1], 16))
        for point in range(sys.maxunicode + 1)
        if (parts := unicodedata.decomposition(chr(point)).split())
        and len(parts) == 2
        and not parts[0].startswith("<")
    }
    for point in range(sys.maxunicode + 1):
        char = chr(point)
        if 0xD800 <= point < 0xE000 or words._UNSETTLED.match(char):
            continue
        assert not unicodedata.combining(char), hex(point)
        assert unicodedata.category(char)[0] != "M", hex(point)
        assert unicodedata.normalize("NFC", char) == char, hex(point)
        assert char not in composing, hex(point)
    # Vowels and final consonants of Hangul compose by rule, not by the table.
    assert all(words._UNSETTLED.match(chr(point)) for point in range(0x1161, 0x11C3))


def test_no_mark_of_unicode_is_left_out() -> None:
    pattern = words.re.compile(f"[{words._mark_ranges()}]")
    points = [p for p in range(sys.maxunicode + 1) if unicodedata.category(chr(p))[0] == "M"]
    assert len(points) > 2000
    assert all(pattern.match(chr(point)) for point in points)
    assert not any(pattern.match(char) for char in "aé漢!\u200d")

"""The forms in which test sets are published.

Each function makes a test set of lines of one form, or says which line it could not read.
"""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

from firth.errors import FormatError, SourceError
from firth.evaluation._lines import Line, fields_of, number_in, read_lines, read_text, said
from firth.evaluation._test_sets import (
    Analogies,
    Analogy,
    Association,
    Associations,
    Categories,
    OutlierGroup,
    WordPairs,
)

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger("firth")

BATS_FILE = re.compile(r"[A-Z]\d\d \[.*\]\.txt")
_PART_OF_SPEECH = re.compile(r"(?i).+-[nvjar]")
_CLASS_COLUMNS = {"category", "class", "label", "cluster"}
_WORD_COLUMNS = {"word", "concept", "term", "name"}
_BLESS_RELATIONS = {"attri", "coord", "event", "hyper", "mero", "random-n", "random-j", "random-v"}

# Caliskan, Bryson and Narayanan 2017, table 1: the lists of each test, by their names in the file
# that is passed around: targets X and Y, attributes A and B.
_WEAT = {
    "WEAT 1 flowers/insects": ("flowers", "insects", "pleasant_5", "unpleasant_5a"),
    "WEAT 2 instruments/weapons": ("instruments", "weapons", "pleasant_5", "unpleasant_5a"),
    "WEAT 3 Eur./Afr. Am. names": (
        "european_american_names_5", "african_american_names_5", "pleasant_5", "unpleasant_5b",
    ),
    "WEAT 4 other such names": (
        "european_american_names_7", "african_american_names_7", "pleasant_5", "unpleasant_5b",
    ),
    "WEAT 5 other attributes": (
        "european_american_names_7", "african_american_names_7", "pleasant_9", "unpleasant_9",
    ),
    "WEAT 6 male/female names": (
        "male_names", "female_names", "career", "family",
    ),
    "WEAT 7 math/arts": ("math", "arts", "male_terms", "female_terms"),
    "WEAT 8 science/arts": (
        "science", "arts_2", "male_terms_2", "female_terms_2",
    ),
    "WEAT 9 mental/physical": (
        "mental_disease", "physical_disease", "temporary", "permanent",
    ),
    "WEAT 10 young/old names": (
        "young_people_names", "old_people_names", "pleasant_9", "unpleasant_9",
    ),
}  # fmt: skip


def google_analogies(name: str, lines: list[Line]) -> Analogies:
    """Four words a line, under headings that begin with a colon (Mikolov et al. 2013)."""
    sections: dict[str, list[Analogy]] = {}
    section = name
    for line in said(lines):
        if line.text.startswith(":"):
            section = line.text[1:].strip() or name
            continue
        words = line.text.split("\t") if "\t" in line.text else line.text.split()
        if len(words) != 4:
            raise line.wrong(f"has {len(words)} words where an analogy has four")
        sections.setdefault(section, []).append(Analogy(words[0], words[1], words[2], (words[3],)))
    return Analogies(name, sections)


def msr_analogies(name: str, questions: list[Line], answers: list[Line]) -> Analogies:
    """Three words a line, and in another file relation and answer (Mikolov, Yih, Zweig 2013)."""
    sections: dict[str, list[Analogy]] = {}
    asked, answered = said(questions), said(answers)
    for question, answer in zip(asked, answered, strict=False):
        words, told = question.text.split(), answer.text.split()
        if len(words) != 3:
            raise question.wrong(f"has {len(words)} words where a question has three")
        if len(told) != 2:
            raise answer.wrong("has no relation and answer")
        sections.setdefault(told[0], []).append(Analogy(words[0], words[1], words[2], (told[1],)))
    if len(asked) != len(answered):
        raise FormatError(
            f"{questions[0].path}: {len(asked):,} questions, but {answers[0].path.name} has "
            f"{len(answered):,} answers"
        )
    return Analogies(name, sections)


def msr_joined(name: str, lines: list[Line]) -> Analogies:
    """Three words, relation and answer on each line: the two files of MSR side by side."""
    sections: dict[str, list[Analogy]] = {}
    for line in said(lines):
        fields = line.text.split()
        if len(fields) != 5:
            raise line.wrong("has no three words, relation and answer")
        sections.setdefault(fields[3], []).append(
            Analogy(fields[0], fields[1], fields[2], (fields[4],))
        )
    return Analogies(name, sections)


def bats_questions(lines: list[Line]) -> list[Analogy]:
    """Ask for every pair of one of BATS's files by every other (Gladkova et al. 2016)."""
    pairs = []
    for line in said(lines):
        fields = line.text.split("\t") if "\t" in line.text else line.text.split(maxsplit=1)
        answers = tuple(filter(None, (w.strip() for w in fields[-1].split("/"))))
        if len(fields) != 2 or not fields[0].strip() or not answers:
            raise line.wrong("has no word and what belongs to it")
        pairs.append((fields[0].strip(), answers))
    return [
        Analogy(a, shown[0], c, answers)
        for i, (a, shown) in enumerate(pairs)
        for j, (c, answers) in enumerate(pairs)
        if i != j
    ]


def word_pairs(name: str, lines: list[Line]) -> WordPairs:
    """Two words and a number a line, perhaps under a line with the names of columns.

    The judgement is the first number behind the words: SimLex-999 and SimVerb-3500 have the part of
    speech between, others have the judgements of each person behind it.
    """
    lines = said(lines)
    rows = fields_of(lines)
    pairs, judgements = [], []
    for i, (line, fields) in enumerate(zip(lines, rows, strict=True)):
        numbers = (number_in(field) for field in fields[2:])
        judged = next((number for number in numbers if number is not None), None)
        if judged is not None and fields[0] and fields[1]:
            if number_in(fields[0]) is not None:
                raise line.wrong("begins with a number; it must have two words, then a number")
            pairs.append((fields[0], fields[1]))
            judgements.append(judged)
        elif i > 0:  # the first one may have the names of the columns
            raise line.wrong("has no two words and a number")
    words = _without_parts_of_speech([word for pair in pairs for word in pair])
    return WordPairs(name, list(zip(words[::2], words[1::2], strict=True)), judgements)


def categories(name: str, lines: list[Line]) -> Categories:
    """Read a word and its class a line; without names of columns that of fewer values is the class.

    Lines without a word are left out with a warning: AP has one as it is passed around.
    """
    lines = said(lines)
    rows = fields_of(lines)
    heads = [field.lower() for field in rows[0]]
    if is_bless(rows[0]):
        # BLESS (Baroni and Lenci 2011) has a line for each concept, relation and relatum.
        of_concept = {fields[0]: fields[1] for fields in rows if len(fields) > 1}
        concepts = _without_parts_of_speech(list(of_concept))
        return Categories(name, concepts, list(of_concept.values()))
    if names_columns_of_classes(rows[0]):
        word_at = next(i for i, head in enumerate(heads) if head in _WORD_COLUMNS)
        class_at = next(i for i, head in enumerate(heads) if head in _CLASS_COLUMNS)
        lines, rows = lines[1:], rows[1:]
    else:
        n_values = [len({fields[i] for fields in rows if len(fields) > i}) for i in (0, 1)]
        word_at, class_at = (1, 0) if n_values[0] < n_values[1] else (0, 1)
    members, classes, without = [], [], []
    for line, fields in zip(lines, rows, strict=True):
        if len(fields) <= max(word_at, class_at) or not fields[class_at]:
            raise line.wrong("has no word and class")
        if not fields[word_at]:
            without.append(line.number)
            continue
        members.append(fields[word_at])
        classes.append(fields[class_at])
    if without:
        logger.warning(
            "%s: %d lines have a class and no word, and are left out; the first is line %d",
            lines[0].path, len(without), without[0],
        )  # fmt: skip
    return Categories(name, _without_parts_of_speech(members), classes)


def names_columns_of_classes(fields: list[str]) -> bool:
    """Tell whether these are the names of columns, one of words and one of their classes."""
    heads = {field.lower() for field in fields}
    return bool(_CLASS_COLUMNS & heads and _WORD_COLUMNS & heads)


def is_bless(fields: list[str]) -> bool:
    """Tell whether this is a line of BLESS: concept, class, relation, relatum."""
    return len(fields) == 4 and fields[2] in _BLESS_RELATIONS


def outlier_group(name: str, lines: list[Line]) -> OutlierGroup:
    """Words that belong together, an empty line, words that do not (8-8-8, WikiSem500)."""
    texts = [line.text for line in lines]
    while texts and not texts[-1]:
        texts.pop()
    if texts.count("") != 1 or not texts[0]:
        raise FormatError(
            f"{lines[0].path}: an outlier group has words, one empty line, and outliers; this "
            f"file has {texts.count('')} empty lines"
        )
    middle = texts.index("")
    return OutlierGroup(name, tuple(texts[:middle]), tuple(texts[middle + 1 :]))


def associations(name: str, path: Path) -> Associations:
    """Word lists as JSON: those of WEAT by their names, or each test with its own four lists."""
    try:
        told = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}: line {error.lineno:,} is no JSON: {error.msg}") from None
    if not isinstance(told, dict):
        raise FormatError(f"{path}: no JSON object of word lists")
    if all(isinstance(value, list) for value in told.values()):
        lists = {key: _words(path, key, value) for key, value in told.items()}
        tests = [
            Association(title, *(lists[key] for key in keys))
            for title, keys in _WEAT.items()
            if set(keys) <= lists.keys()
        ]
    else:
        tests = [_association(path, title, value) for title, value in told.items()]
    if not tests:
        raise FormatError(
            f"{path}: no test of association: give the lists of WEAT by their names, or for each "
            f"test an object with the lists X, Y (targets), A and B (attributes)"
        )
    return Associations(name, tests)


def _association(path: Path, title: str, value: Any) -> Association:
    told = {key.lower(): some for key, some in value.items()} if isinstance(value, dict) else {}
    if missing := [key for key in "xyab" if key not in told]:
        raise FormatError(
            f"{path}: the test {title!r} has no list {missing[0].upper()!r}; each has X, Y "
            f"(targets), A and B (attributes)"
        )
    return Association(title, *(_words(path, f"{title}.{key}", told[key]) for key in "xyab"))


def _words(path: Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise FormatError(f"{path}: {key!r} is no list of words")
    return tuple(value)


def _without_parts_of_speech(words: list[str]) -> list[str]:
    """Take suffixes such as that of ``sun-n`` off, where every word has one."""
    if words and all(map(_PART_OF_SPEECH.fullmatch, words)):
        return [word[:-2] for word in words]
    return words


def answers_beside(path: Path) -> list[Line]:
    """Read the answers to a file of questions."""
    answers = path.with_suffix(".answers")
    if not answers.exists():
        raise SourceError(f"{path}: its answers are missing: {answers.name} beside it")
    return read_lines(answers)

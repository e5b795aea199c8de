"""Test sets in files and folders, told apart by their look."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from firth.errors import FormatError, ParameterError, SourceError
from firth.evaluation import _forms
from firth.evaluation._lines import Line, fields_of, number_in, read_lines, said
from firth.evaluation._test_sets import Analogies, Outliers, TestSet

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger("firth")

TestSetSource: TypeAlias = str | os.PathLike[str] | TestSet

_NO_SETS = re.compile(r"(?i)\..*|readme.*|licen[cs]e.*|.*\.(md|pdf|py|html?|zip|answers)|.*~")
_PACKED = {".gz", ".bz2", ".xz", ".zst"}


def read_test_set(path: str | os.PathLike[str], name: str | None = None) -> TestSet:
    r"""Read a test set as its authors distribute it, also compressed.

    ========================  ==================================================================
    analogies                 Google's ``questions-words.txt`` and any file of that form; MSR's
                              ``word_relationship.questions`` with its ``.answers``; BATS's files
                              and folders
    similarity                two words and a number a line, with tabs, semicolons, commas or
                              spaces: WordSim-353, SimLex-999, SimVerb-3500, MEN, RG-65, RareWords
    categories                a word and its class a line: AP, Battig, ESSLLI, BLESS
    outliers                  8-8-8 and WikiSem500: a file, or a folder of files, in which an empty
                              line stands before the outliers
    associations              WEAT's word lists as JSON
    ========================  ==================================================================

    Parameters
    ----------
    path : str or Path
        The file or folder.
    name : str, optional
        What tables call it; the name of the file without its suffix otherwise.

    Returns
    -------
    TestSet
        `Analogies`, `WordPairs`, `Categories`, `Outliers` or `Associations`.

    Raises
    ------
    SourceError
        It is not there, or cannot be read.
    FormatError
        It is no test set, or one with a line that cannot be read; the message has its number.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("pairs.txt").write_text("tiger cat 7.35\nking cabbage 0.23\n")
    >>> read_test_set("pairs.txt").judgements
    [7.35, 0.23]
    """
    path = Path(path).expanduser()
    name = name or _name_of(path)
    if path.is_dir():
        found = _folder_as_one(path, name)
        if found is None:
            raise SourceError(f"{path}: a folder of several test sets; read_test_sets reads those")
        return found
    test_set = _read_file(path, name)
    if not len(test_set):
        raise FormatError(f"{path}: no question in it: not a test set")
    return test_set


def read_test_sets(sources: TestSetSource | Iterable[TestSetSource]) -> list[TestSet]:
    """Read all test sets of files and folders.

    Parameters
    ----------
    sources : path, TestSet, or iterable of these
        Files, folders, which are read with all folders in them, and test sets, which are taken as
        they are.

    Returns
    -------
    list of TestSet
        In the order given, and by name within a folder. Names are made different where they are
        not. Files of a folder that are no test sets are left out with a warning in the log.

    Raises
    ------
    SourceError, FormatError
        As `read_test_set`; or there is no test set in a folder.
    """
    if isinstance(sources, str | os.PathLike | TestSet):
        sources = [sources]
    found: list[TestSet] = []
    for source in sources:
        if isinstance(source, TestSet):
            found.append(source)
        elif isinstance(source, str | os.PathLike):
            path = Path(source).expanduser()
            found += _read_folder(path) if path.is_dir() else [read_test_set(path)]
        else:
            raise ParameterError(f"{source!r:.60} is no test set; give files, folders or test sets")
    if not found:
        raise ParameterError("there are no test sets; give at least one file or folder")
    return _with_names_of_their_own(found)


def _read_folder(folder: Path) -> list[TestSet]:
    found = [] if (whole := _folder_as_one(folder, _name_of(folder))) is None else [whole]
    if not found:
        for path in sorted(folder.iterdir()):
            if _NO_SETS.fullmatch(path.name):
                continue
            if path.is_dir():
                if not _is_empty(path):
                    found += _read_folder(path)
                continue
            try:
                found.append(read_test_set(path))
            except FormatError as error:
                logger.warning("left out: %s", error)
    if not found:
        raise FormatError(f"{folder}: no test set in this folder")
    return found


def _is_empty(folder: Path) -> bool:
    return all(_NO_SETS.fullmatch(path.name) for path in folder.iterdir())


def _folder_as_one(folder: Path, name: str) -> TestSet | None:
    """Read BATS's folders, and those of groups with outliers, which make one test set."""
    paths = sorted(folder.rglob("*.txt"))
    paths = [path for path in paths if not _NO_SETS.fullmatch(path.name)]
    if paths and all(_forms.BATS_FILE.fullmatch(path.name) for path in paths):
        return Analogies(name, {p.stem: _forms.bats_questions(read_lines(p)) for p in paths})
    if paths and all(path.parent == folder for path in paths):
        files = [read_lines(path) for path in paths if path.stat().st_size < 1 << 20]
        if len(files) == len(paths) and all(map(_has_outliers, files)):
            groups = zip(paths, files, strict=True)
            return Outliers(name, [_forms.outlier_group(p.stem, lines) for p, lines in groups])
    return None


def _read_file(path: Path, name: str) -> TestSet:
    if path.suffix == ".json":
        return _forms.associations(name, path)
    lines = read_lines(path)
    if path.suffix == ".questions":
        return _forms.msr_analogies(name, lines, _forms.answers_beside(path))
    if _forms.BATS_FILE.fullmatch(path.name):
        return Analogies(name, {name: _forms.bats_questions(lines)})
    if _has_outliers(lines):
        return Outliers(name, [_forms.outlier_group(name, lines)])
    rows = said(lines)
    if not rows:
        raise FormatError(f"{path}: no question in it: not a test set")
    if any(line.text.startswith(":") for line in rows):
        return _forms.google_analogies(name, lines)
    fields = fields_of(rows)
    if _forms.names_columns_of_classes(fields[0]):
        return _forms.categories(name, lines)
    judged = sum(any(number_in(f) is not None for f in row[2:]) for row in fields)
    if 2 * judged >= len(rows):
        return _forms.word_pairs(name, lines)
    width = Counter(map(len, fields)).most_common(1)[0][0]
    if width == 4 and not _forms.is_bless(fields[0]):
        return _forms.google_analogies(name, lines)
    if width == 5:
        return _forms.msr_joined(name, lines)
    if width in {2, 3, 4} and len(rows) > 1:
        return _forms.categories(name, lines)
    raise rows[0].wrong(
        "begins no test set: neither two words and a number, nor four words, nor a word and class"
    )


def _has_outliers(lines: list[Line]) -> bool:
    texts = [line.text for line in lines]
    while texts and not texts[-1]:
        texts.pop()
    words = [text for text in texts if text]
    return (
        texts.count("") == 1
        and len(words) >= 4
        and texts[0] != ""
        and all(len(text.split()) == 1 and not text.startswith(":") for text in words)
    )


def _name_of(path: Path) -> str:
    while path.suffix in _PACKED:
        path = path.with_suffix("")
    return path.name if path.is_dir() else path.stem


def _with_names_of_their_own(sets: list[TestSet]) -> list[TestSet]:
    from dataclasses import replace

    seen: dict[str, int] = {}
    result = []
    for each in sets:
        seen[each.name] = n = seen.get(each.name, 0) + 1
        result.append(each if n == 1 else replace(each, name=f"{each.name} ({n})"))
    return result

"""Texts with labels: from folders of classes, archives of such, and files of records."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from firth.errors import InputError, ParameterError, TextError
from firth.tasks._trees import files_of, is_tree
from firth.text import read_rows

logger = logging.getLogger("firth")

Headers = Literal["keep", "strip"]

# A line such as "Subject: Re: motorcycles", as letters and posts to newsgroups begin with.
_HEADER = re.compile(r"(?P<name>[A-Z][A-Za-z-]{1,40}): ?\S?")
# Names that a class's folder of training or test texts ends in.
_TRAIN, _TEST = re.compile(r"(?:.*[-_.])?train(?:ing)?"), re.compile(r"(?:.*[-_.])?test(?:ing)?")


@dataclass
class LabelledTexts:
    """Texts and their labels.

    Attributes
    ----------
    texts, labels : list of str
        As many of the one as of the other.
    name : str
        Where they come from.
    stray : list of str
        Files that are in no folder of a class, and were passed over.
    n_latin1 : int
        How many texts were not UTF-8, and were read as latin-1.
    n_headers : int
        How many texts begin, or began, with header lines.
    headers_stripped : bool
        Whether these were taken off.
    """

    texts: list[str] = field(default_factory=list, repr=False)
    labels: list[str] = field(default_factory=list, repr=False)
    name: str = ""
    stray: list[str] = field(default_factory=list)
    n_latin1: int = 0
    n_headers: int = 0
    headers_stripped: bool = False

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def classes(self) -> dict[str, int]:
        """How many texts each label has, by label."""
        return dict(sorted(Counter(self.labels).items()))

    def leaks(self) -> str | None:
        """Tell what gives the labels away, or None.

        Headers of a post name the group that it was sent to, who wrote it, and the thread that it
        belongs to. Whoever learns from them is right about a split of the same time and people,
        and about nothing else.
        """
        if not self.headers_stripped and self.n_headers > len(self) / 2:
            return (
                f"{self.n_headers:,} of {len(self):,} texts begin with the headers of a post "
                f"(From:, Subject:, ...), which tell who wrote it and in which thread, if not the "
                f"group itself: scores will say less about the texts; headers='strip' takes them "
                f"off"
            )
        named = Counter(
            label
            for text, label in zip(self.texts, self.labels, strict=True)
            if len(label) > 3 and label.casefold() in text.casefold()
        )
        if named.total() > len(self) / 2:
            label, n = named.most_common(1)[0]
            return (
                f"{named.total():,} of {len(self):,} texts have the name of their class in them, "
                f"such as {label!r} in {n:,}: is the label part of the text?"
            )
        return None


def read_labelled_texts(
    source: str | os.PathLike[str],
    *,
    headers: Headers = "keep",
    text_field: str = "text",
    label_field: str = "label",
    encoding: str | None = None,
) -> LabelledTexts:
    """Read texts and their labels.

    Parameters
    ----------
    source : str or Path
        A folder with a folder for each class and a file for each text; a ``.tar``, ``.tar.gz`` or
        ``.zip`` of one, or a folder in it (``posts.tar.gz/train``); or a file of records, named
        ``.jsonl``, ``.csv`` or ``.tsv``, as it may be compressed.
    headers : "keep" or "strip"
        "strip" takes off what stands before the first blank line of texts that begin with header
        lines, as posts and letters do.
    text_field, label_field : str
        The keys or columns of a file of records.
    encoding : str, optional
        Of the files of a folder. UTF-8 if not given, and latin-1 for those that are not.

    Returns
    -------
    LabelledTexts
        The texts, in the order of the files' names or of the records.

    Raises
    ------
    SourceError
        If there is no such file or folder.
    InputError
        If there are no texts, or folders lie in another way.
    TextError
        If a record has no text or no label, with its line.
    ParameterError
        If an option is none of these.

    Examples
    --------
    >>> from pathlib import Path
    >>> from firth.tasks import read_labelled_texts
    >>> for label, text in (("animals", "the cat purrs"), ("tools", "the saw cuts")):
    ...     Path("texts", label).mkdir(parents=True)
    ...     _ = Path("texts", label, "1.txt").write_text(text)
    >>> found = read_labelled_texts("texts")
    >>> found.texts, found.labels
    (['the cat purrs', 'the saw cuts'], ['animals', 'tools'])
    """
    _check_options(headers, encoding)
    if is_tree(source):
        parts = _read_tree(source, headers, encoding)
        if len(parts) > 1:
            raise InputError(_folders_of_folders(source, sorted(parts)))
        return next(iter(parts.values()))
    return _read_records(source, headers, text_field, label_field)


def read_split(
    source: str | os.PathLike[str],
    *,
    headers: Headers = "keep",
    text_field: str = "text",
    label_field: str = "label",
    encoding: str | None = None,
) -> tuple[LabelledTexts, LabelledTexts | None]:
    """Read texts to learn from and, where the source has them apart, others to score on.

    Parameters
    ----------
    source, headers, text_field, label_field, encoding
        As of `read_labelled_texts`. A folder, or archive, may have two folders of classes, with
        names that end in "train" and "test", as 20 Newsgroups by date has.

    Returns
    -------
    train : LabelledTexts
        All texts, where they are not split.
    test : LabelledTexts or None
        The others.
    """
    _check_options(headers, encoding)
    if not is_tree(source):
        return _read_records(source, headers, text_field, label_field), None
    parts = _read_tree(source, headers, encoding)
    if len(parts) == 1:
        return next(iter(parts.values())), None
    train = [name for name in parts if _TRAIN.fullmatch(name.lower())]
    test = [name for name in parts if _TEST.fullmatch(name.lower())]
    if len(parts) != 2 or len(train) != 1 or len(test) != 1:
        raise InputError(_folders_of_folders(source, sorted(parts)))
    return parts[train[0]], parts[test[0]]


def _check_options(headers: str, encoding: str | None) -> None:
    if headers not in {"keep", "strip"}:
        raise ParameterError(f"headers is {headers!r}, which is neither 'keep' nor 'strip'")
    if encoding is not None:
        try:
            b"".decode(encoding)
        except LookupError:
            raise ParameterError(
                f"encoding is {encoding!r}, which Python does not know; latin-1, cp1252 and utf-8 "
                f"are some that it does"
            ) from None


def _folders_of_folders(source: str | os.PathLike[str], names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:4]) + (", ..." if len(names) > 4 else "")
    return (
        f"{source} has folders of folders ({shown}), where a folder for each class was looked for: "
        f"give one of these, {os.fspath(source)}/{names[0]}"
    )


def _read_tree(
    source: str | os.PathLike[str], headers: Headers, encoding: str | None
) -> dict[str, LabelledTexts]:
    """Read a folder: by its name, or by those of the folders in it that have folders of classes."""
    found: list[tuple[PurePosixPath, str, bool]] = []
    for place, data in files_of(source):
        text, is_latin1 = _decoded(data, encoding, f"{source}/{place}")
        found.append((place, text, is_latin1))
    prefix = _common_folder([place for place, _, _ in found])
    places = [place.relative_to(prefix) for place, _, _ in found]
    # Where no file lies right in a folder of the first level, those are not the classes.
    is_deep = bool(places) and not any(len(place.parts) == 2 for place in places)
    parts: dict[str, LabelledTexts] = {}
    stray: list[str] = []
    for place, (_, text, is_latin1) in zip(places, found, strict=True):
        level = 1 if is_deep else 0
        if len(place.parts) < level + 2:
            stray.append(str(prefix / place))
            continue
        part = place.parts[0] if is_deep else ""
        into = parts.setdefault(part, LabelledTexts(name=str(source)))
        _add(into, text, place.parts[level], headers)
        into.n_latin1 += is_latin1
    if not parts:
        raise InputError(
            f"{source} has no folder of a class: it must hold a folder for each class, with a file "
            f"for each text in it" + (f"; it has {stray[0]!r}" if stray else "")
        )
    if stray:
        next(iter(parts.values())).stray = stray
        logger.warning(
            "%s: passed over %s in no folder of a class, such as %s",
            source,
            "a file" if len(stray) == 1 else f"{len(stray):,} files",
            stray[0],
        )
    return parts


def _common_folder(places: list[PurePosixPath]) -> PurePosixPath:
    """Find the folder that all files are in, as archives often have one, and nothing else is."""
    prefix = PurePosixPath()
    while places:
        level = len(prefix.parts)
        names = {place.parts[level] for place in places if len(place.parts) > level + 2}
        if len(names) != 1 or any(len(place.parts) <= level + 2 for place in places):
            break
        prefix /= next(iter(names))
    return prefix


def _decoded(data: bytes, encoding: str | None, name: str) -> tuple[str, bool]:
    """Decode a file, and tell whether it was read as latin-1 because it is not UTF-8."""
    try:
        return data.decode(encoding or "utf-8-sig"), False
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise TextError(
                f"{name} is not {encoding}: {error.reason} at byte {error.start:,}; give its "
                f"encoding, or none: files that are not UTF-8 are read as latin-1 then"
            ) from None
        return data.decode("latin-1"), True


def _read_records(
    source: str | os.PathLike[str], headers: Headers, text_field: str, label_field: str
) -> LabelledTexts:
    result = LabelledTexts(name=os.fspath(source))
    for number, (text, label) in read_rows(source, (text_field, label_field)):
        where = f"{source}, line {number}"
        if not isinstance(text, str):
            raise TextError(f"{where}: the field {text_field!r} is {text!r:.40}, not a string")
        if isinstance(label, bool) or not isinstance(label, str | int) or label == "":
            raise TextError(
                f"{where}: the field {label_field!r} is {label!r:.40}, which is no label; give a "
                f"name or a whole number"
            )
        _add(result, text, str(label), headers)
    if not result.texts:
        raise InputError(f"{source} has no records")
    return result


def _add(into: LabelledTexts, text: str, label: str, headers: Headers) -> None:
    body = _without_headers(text)
    into.n_headers += body is not None
    if headers == "strip":
        into.headers_stripped = True
        text = text if body is None else body
    into.texts.append(text)
    into.labels.append(label)


def _without_headers(text: str) -> str | None:
    """Take off the header lines that a text begins with; None if it begins with none.

    Headers end at the first blank line. Half of the lines must look like some, not all: of old
    posts a few begin with the rest of a path, or have lines that are broken without being indented.
    """
    end = re.search(r"\r?\n[ \t]*\r?\n", text)
    head = [] if end is None else text[: end.start()].splitlines()
    if end is None or not head or not any(map(_HEADER.match, head[:2])):
        return None
    return text[end.end() :] if 2 * sum(map(_is_header, head)) >= len(head) else None


def _is_header(line: str) -> bool:
    # A space begins what goes on from the line before.
    return bool(_HEADER.match(line)) or line[:1] in {" ", "\t"}

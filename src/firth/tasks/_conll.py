"""Files of words and tags in columns, as CoNLL's tasks have them.

A word a line with its columns, and an empty line behind each sentence::

    Empire     B-location
    State      I-location
    Building   I-location
    .          O
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from firth.compression import COMPRESSION_SUFFIXES
from firth.errors import FormatError, ParameterError, TextError
from firth.tasks._tag_schemes import is_tag
from firth.text import open_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_DOCUMENT_START = "-DOCSTART-"
_LARGEST_LINE = 1 << 20
# What `open_text` takes for tables whose columns have names.
_TABLES = (".tsv", ".csv")


class TaggedSentences(NamedTuple):
    """The words of sentences and their tags, for `firth.tasks.Tagger`.

    Attributes
    ----------
    words, tags : list of list of str
        Of each sentence.
    """

    words: list[list[str]]
    tags: list[list[str]]


def read_conll(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    word_column: int = 0,
    tag_column: int = -1,
    errors: str = "strict",
) -> TaggedSentences:
    r"""Read all sentences of a file of words and tags in columns.

    Parameters
    ----------
    source : str, path, or file open in binary mode
        Also compressed; "-" is standard input. Columns are separated by tabs where a line has any,
        else by spaces. Lines that begin with ``-DOCSTART-`` are passed over.
    word_column, tag_column : int
        Which column has words and which tags, from 0; from the last, -1, backwards.
    errors : str
        What to do with bytes that are not UTF-8; see `firth.open_text`.

    Returns
    -------
    TaggedSentences
        A pair of lists: words and tags of each sentence.

    Raises
    ------
    SourceError
        If there is no such file.
    FormatError
        If a line has too few columns, another number of them than the one before, or no tag, with
        the number of the line; or if there are no sentences.
    TextError
        If it is not UTF-8.

    Examples
    --------
    >>> from pathlib import Path
    >>> from firth.tasks import read_conll
    >>> _ = Path("a.conll").write_text("Sally B-person\nsmiles O\n\nNo O\n")
    >>> words, tags = read_conll("a.conll")
    >>> words, tags
    ([['Sally', 'smiles'], ['No']], [['B-person', 'O'], ['O']])
    """
    found = TaggedSentences([], [])
    for lines in _sentences(source, (word_column, tag_column), errors):
        for number, fields in lines:
            if not is_tag(tag := fields[tag_column]):
                place = f"{_name_of(source)}: line {number:,}"
                raise FormatError(
                    f"{place} has {tag!r:.60} where a tag belongs; write O, or B-, I-, E- or S- "
                    f"and a label, as in B-person, or say which column has the tags"
                )
        found.words.append([fields[word_column] for _, fields in lines])
        found.tags.append([fields[tag_column] for _, fields in lines])
    if not found.words:
        raise FormatError(f"{_name_of(source)}: has no sentences; a word and its tag make a line")
    return found


class _Line(NamedTuple):
    number: int
    fields: list[str]


def _sentences(
    source: str | os.PathLike[str] | BinaryIO, wanted: Sequence[int], errors: str
) -> Iterator[list[_Line]]:
    for column in wanted:
        if isinstance(column, bool) or not isinstance(column, int):
            raise ParameterError(f"a column is {column!r}; give its number, from 0 or from -1")
    if len(set(wanted)) < len(wanted):
        raise ParameterError(f"words and tags are both said to be in column {wanted[0]}")
    n_needed = max(len(wanted), *(column + 1 if column >= 0 else -column for column in wanted))
    name = _name_of(source)
    sentence: list[_Line] = []
    n_columns = 0
    for number, text in enumerate(_lines(source, errors), 1):
        # A word may be a no-break space, or hold one: only these separate.
        fields = text.split("\t") if "\t" in text else [f for f in text.split(" ") if f]
        if not any(fields) or text.isspace():
            if sentence:
                yield sentence
            sentence = []
            continue
        if fields[0] == _DOCUMENT_START:
            continue
        if len(fields) != n_columns or not all(fields):
            _check(fields, wanted, n_needed, n_columns, f"{name}: line {number:,}")
        n_columns = len(fields)
        sentence.append(_Line(number, fields))
    if sentence:
        yield sentence


def _check(
    fields: list[str], wanted: Sequence[int], n_needed: int, n_columns: int, place: str
) -> None:
    """Refuse a line that has not the columns that it must have."""
    text = "  ".join(fields)[:60]
    places = {column % len(fields) for column in wanted}
    if len(fields) < n_needed or len(places) < len(wanted):
        raise FormatError(
            f"{place} has {len(fields)} of the {n_needed} columns that it must have: {text!r}"
        )
    if n_columns not in {0, len(fields)}:
        raise FormatError(
            f"{place} has {len(fields)} columns where the lines before have {n_columns}: {text!r}"
        )
    if not all(fields[column] for column in wanted):
        raise FormatError(f"{place} has an empty column: {text!r}")


def _lines(source: str | os.PathLike[str] | BinaryIO, errors: str) -> Iterator[str]:
    r"""Read the lines of a text; only \n and \r\n end one, for a word may be another."""
    rest = b""
    for block in _blocks(source, errors):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > _LARGEST_LINE:
            raise FormatError(
                f"{_name_of(source)}: a line is longer than 1 MiB; this is no file of columns"
            )
        for line in lines:
            yield line.removesuffix(b"\r").decode().removeprefix("\ufeff")
    if rest:
        yield rest.decode()


class _Columns:
    """A file whose name `open_text` does not see, for that would make a table of it."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read


def _blocks(source: str | os.PathLike[str] | BinaryIO, errors: str) -> Iterator[bytes]:
    if hasattr(source, "read") or str(source) == "-":
        yield from open_text(source, errors=errors).blocks()
        return
    path = Path(source)
    if path.is_dir():
        raise FormatError(f"{path}: this is a folder; give a file of words and tags")
    name = path.name.lower()
    for suffix in COMPRESSION_SUFFIXES:
        name = name.removesuffix(suffix)
    if not name.endswith(_TABLES) or not path.is_file():
        yield from open_text(source, errors=errors).blocks()
        return
    with path.open("rb") as file:
        try:
            yield from open_text(_Columns(file), errors=errors).blocks()
        except TextError as error:
            raise TextError(str(error).replace("the _Columns", str(path))) from error


def _name_of(source: str | os.PathLike[str] | BinaryIO) -> str:
    if hasattr(source, "read"):
        return str(getattr(source, "name", "the file"))
    return "standard input" if str(source) == "-" else str(source)

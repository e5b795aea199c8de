"""What a source in the catalogue is, and a list of them that can be read."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, SupportsIndex, overload

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["vectors", "corpus", "evaluation"]


@dataclass(frozen=True)
class Source:
    """Vectors, a corpus or a test set that can be had by its name.

    Attributes
    ----------
    name : str
        What `firth.load` and `firth.download` take.
    kind : str
        "vectors", "corpus" or "evaluation".
    family : str
        What it belongs to: "glove", "fasttext", "word2vec", "numberbatch" for vectors.
    title : str
        What it was made of.
    file : str
        The name of the file in the cache; several sources may lie in one archive.
    addresses : tuple of str
        Where the file is, all of them the same bytes; tried in this order.
    member : str or None
        Which file of the archive it is, where there are several.
    language : str or None
        In English; "many" for more than one.
    words, vector_size : int or None
        The size of the matrix, as far as it is published.
    n_bytes : int or None
        The size of the download, for people: rounded where the publisher rounds.
    checksum : str or None
        "sha256:..." or "md5:..." of the file, where it is published.
    subwords : bool
        Whether it makes vectors for unseen words.
    licence, publisher, homepage : str or None
        Whose it is, and what may be done with it.
    unpack : bool
        Whether the file is unpacked into a folder.
    aliases : tuple of str
        Other names for the same.
    pattern : str
        The name with ``{code}`` for the language, where there is one source a language.
    """

    name: str
    kind: Kind
    family: str
    title: str
    file: str
    addresses: tuple[str, ...]
    member: str | None = None
    language: str | None = None
    words: int | None = None
    vector_size: int | None = None
    n_bytes: int | None = None
    checksum: str | None = None
    subwords: bool = False
    licence: str | None = None
    publisher: str | None = None
    homepage: str | None = None
    unpack: bool = False
    aliases: tuple[str, ...] = ()
    pattern: str = ""

    def matches(self, pattern: str) -> bool:
        """Tell whether `pattern` means this source: its name, or part of it, family or language."""
        pattern = pattern.casefold()
        names = [name.casefold() for name in (self.name, *self.aliases)]
        if any(letter in pattern for letter in "*?["):
            return any(fnmatchcase(name, pattern) for name in names)
        others = (self.family, self.kind, self.publisher, self.language)
        told = {
            part.casefold() for other in others if other for part in (other, *other.split(", "))
        }
        return pattern in told or any(pattern in name for name in names)


class Sources(list[Source]):
    """A list of sources that shows itself as a table."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> Source: ...
    @overload
    def __getitem__(self, index: slice) -> Sources: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Source | Sources:
        """Give one source, or some of them as a list of the same kind."""
        if isinstance(index, slice):
            return Sources(super().__getitem__(index))
        return super().__getitem__(index)

    def __repr__(self) -> str:
        """Show a table; sources that differ in their language only are one line."""
        rows = table_of(self)
        widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
        return "\n".join(
            "  ".join(
                f"{cell:>{width}}" if right else f"{cell:<{width}}"
                for cell, width, (_, right) in zip(row, widths, COLUMNS, strict=True)
            ).rstrip()
            for row in rows
        )


# The columns of a table, and whether they hold figures.
COLUMNS = (
    ("name", False),
    ("words", True),
    ("dim", True),
    ("size", True),
    ("language", False),
    ("licence", False),
    ("what", False),
)
# From how many on sources that differ only in their language are told in one line.
_MANY = 20


def table_of(sources: Sequence[Source]) -> list[list[str]]:
    """Give the rows of a table as text, the heading first."""
    of_pattern: dict[str, int] = {}
    for source in sources:
        of_pattern[source.pattern] = of_pattern.get(source.pattern, 0) + 1
    rows = [[name for name, _ in COLUMNS]]
    told: set[str] = set()
    for source in sources:
        n_languages = of_pattern[source.pattern]
        if n_languages < _MANY or "{code}" not in source.pattern:
            rows.append(_row(source))
        elif source.pattern not in told:
            told.add(source.pattern)
            name = source.pattern.replace("{code}", "LANG")
            row = _row(source)
            rows.append([name, "", row[2], "", f"{n_languages} languages", *row[5:]])
    return rows


def _row(source: Source) -> list[str]:
    from firth.progress import format_count

    return [
        source.name,
        f"{source.words:,}" if source.words else "",
        str(source.vector_size or ""),
        format_count(source.n_bytes, "B") if source.n_bytes else "",
        source.language or "",
        source.licence or "",
        source.title,
    ]

"""What a module of a format offers, and what it is asked with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable


@dataclass(frozen=True)
class ReadOptions:
    """How a vector file is to be read.

    Attributes
    ----------
    only : frozenset of str, optional
        Keep these words only.
    limit : int, optional
        Keep at most this many rows, the first ones (of those in `only`).
    dtype : str
        Of the matrix: "float32" or "float16".
    strict : bool
        Refuse what is otherwise repaired and counted in the report.
    errors : str
        What to do with words that are not UTF-8: "strict", "replace" or "ignore".
    """

    only: frozenset[str] | None = None
    limit: int | None = None
    dtype: Literal["float32", "float16"] = "float32"
    strict: bool = False
    errors: Literal["strict", "replace", "ignore"] = "strict"


@dataclass(frozen=True)
class Format:
    """A file format of word vectors.

    Attributes
    ----------
    name : str
        As in ``--to``: "word2vec-binary".
    title : str
        For people: "word2vec, binary".
    suffixes : tuple of str
        How its files are commonly named, the first one for writing; without compression.
    recognise : callable
        Tells by the first bytes (and by what lies beside it, for folders and pairs) whether a
        source is in this format. The formats with magic bytes are asked first.
    read : callable
        Reads a source that `recognise` took.
    write_file, write_folder : callable, optional
        One of them for formats that can be written: to a binary file that cannot seek, or into an
        empty folder. They appear whole under their name when it returns.
    suits : callable, optional
        Tells whether a table is better written in this format than in others whose files are named
        alike; without it, if in no other.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    recognise: Callable[[VectorSource], bool]
    read: Callable[[VectorSource, ReadOptions], VectorTable]
    write_file: Callable[[VectorTable, BinaryIO], None] | None = None
    write_folder: Callable[[VectorTable, Path], None] | None = None
    suits: Callable[[VectorTable], bool] | None = None

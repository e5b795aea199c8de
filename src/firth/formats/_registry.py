"""The formats there are, and which of them a source is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from firth.errors import FormatError, ParameterError
from firth.formats._unknown import what_it_looks_like

if TYPE_CHECKING:
    from firth.formats._format import Format
    from firth.formats._source import VectorSource


@cache
def _formats() -> dict[str, Format]:
    # Imported when they are asked for, so that opening a folder of firth imports no other format.
    # In the order in which they are asked: folders and magic bytes first, then what can only be
    # told by its look.
    from firth.formats.fasttext import FASTTEXT
    from firth.formats.finalfusion import FINALFUSION
    from firth.formats.floret import FLORET
    from firth.formats.gensim_saved import GENSIM
    from firth.formats.glove import GLOVE
    from firth.formats.magnitude import MAGNITUDE
    from firth.formats.native import NATIVE
    from firth.formats.npz import NPZ
    from firth.formats.parquet import ARROW, PARQUET
    from firth.formats.projector import PROJECTOR
    from firth.formats.static_embedding import STATIC_EMBEDDING
    from firth.formats.word2vec_binary import WORD2VEC_BINARY
    from firth.formats.word2vec_text import FASTTEXT_VEC, WORD2VEC_TEXT

    formats = (
        # folders
        NATIVE,
        STATIC_EMBEDDING,
        PROJECTOR,
        # files with magic bytes
        FLORET,  # has the magic bytes of fastText
        FASTTEXT,
        FINALFUSION,
        NPZ,
        PARQUET,
        ARROW,
        MAGNITUDE,
        GENSIM,
        # files that are told by how they look
        WORD2VEC_BINARY,
        FASTTEXT_VEC,
        WORD2VEC_TEXT,
        GLOVE,
    )
    return {each.name: each for each in formats}


class _Formats(Mapping[str, "Format"]):
    def __getitem__(self, name: str) -> Format:
        return _formats()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_formats())

    def __len__(self) -> int:
        return len(_formats())

    def __repr__(self) -> str:
        return f"FORMATS({', '.join(self)})"


FORMATS: Mapping[str, Format] = _Formats()
"""All formats by name, in the order in which a source is tried against them."""


def format_named(name: str) -> Format:
    """Find a format by its name.

    Raises
    ------
    ParameterError
        There is none of this name.
    """
    if name not in FORMATS:
        raise ParameterError(f"format is {name!r}, which is none of {', '.join(FORMATS)}")
    return FORMATS[name]


def recognise(source: VectorSource) -> Format:
    """Tell the format of a source.

    Raises
    ------
    FormatError
        Nobody recognises it; the message says what it looks like.
    """
    for each in FORMATS.values():
        if each.recognise(source):
            return each
    raise FormatError(f"{source.name}: {what_it_looks_like(source)}")

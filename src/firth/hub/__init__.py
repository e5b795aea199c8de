"""Word vectors from wherever they are, by file, name or address; what there is by name.

Names are looked up in the catalogue of this room (files of TOML, for people to read), downloaded
once, verified, and kept in firth's cache folder.
"""

from typing import TYPE_CHECKING, Any

from firth.hub._load import load, open_table, resolve

if TYPE_CHECKING:
    from firth.hub._catalogue import find_source, list_sources
    from firth.hub._named import download, is_here, prepare
    from firth.hub._sources import COLUMNS, Source, Sources, table_of

__all__ = [
    "COLUMNS",
    "Source",
    "Sources",
    "download",
    "find_source",
    "is_here",
    "list_sources",
    "load",
    "open_table",
    "prepare",
    "resolve",
    "table_of",
]


def __getattr__(name: str) -> Any:
    # Loading a folder is a matter of milliseconds, and needs nothing of what downloads.
    value: Any
    if name in {"find_source", "list_sources"}:
        from firth.hub import _catalogue

        value = getattr(_catalogue, name)
    elif name in {"download", "is_here", "prepare"}:
        from firth.hub import _named

        value = getattr(_named, name)
    elif name in {"COLUMNS", "Source", "Sources", "table_of"}:
        from firth.hub import _sources

        value = getattr(_sources, name)
    else:
        raise AttributeError(f"module 'firth.hub' has no attribute {name!r}")
    globals()[name] = value
    return value

"""The catalogue of sources: files of TOML beside this module, for people to read and to add to.

::

    [defaults]                          # fields of every source in the file
    licence = "PDDL"

    [[source]]
    name = "glove.6B.{vector_size}d"    # braces stand for other fields
    each = [{ vector_size = 50 }, ...]  # a source for each of these
    languages = "crawl"                 # and one for each in [languages.crawl]: {code}, {language}
    words = { en = 2_519_370 }          # a table has a value for each code
    checksums = "wiki"                  # so has [checksums.wiki], where it is long

The other fields are those of `Source`.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING, Any

from firth.errors import ParameterError
from firth.hub._sources import Source, Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

# In the order in which they are listed.
_FILES = (
    "glove.toml", "word2vec.toml", "fasttext.toml", "numberbatch.toml", "gensim_data.toml",
    "corpora.toml",
)  # fmt: skip
_FIELDS = frozenset(Source.__dataclass_fields__)
_N_SUGGESTIONS = 3


@functools.cache
def catalogue() -> dict[str, Source]:
    """Read the catalogue: sources by name, in the order of the files."""
    import tomllib

    found: dict[str, Source] = {}
    for name in _FILES:
        text = resources.files("firth.hub").joinpath("catalogue", name).read_text("utf-8")
        for source in sources_of(tomllib.loads(text)):
            if source.name in found:
                raise AssertionError(f"{name}: {source.name} is there twice")
            found[source.name] = source
    return found


def sources_of(document: dict[str, Any]) -> Iterator[Source]:
    """Make the sources that a file of the catalogue describes."""
    for entry in document["source"]:
        fields = {"kind": "vectors", **document.get("defaults", {}), **entry}
        languages = document.get("languages", {}).get(fields.pop("languages", None))
        if table := fields.pop("checksums", None):
            fields["checksum"] = document["checksums"][table]
        for each in fields.pop("each", [{}]):
            for code, language in (languages or {None: None}).items():
                one = fields | each
                one = {
                    key: value.get(code) if isinstance(value, dict) else value
                    for key, value in one.items()
                }
                if languages:
                    one |= {"code": code, "language": language, "pattern": one["name"]}
                yield _source(one)


def _source(fields: dict[str, Any]) -> Source:
    """Fill the braces; a name may be used by other fields, once its own braces are filled."""

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return value.format_map(known)
        return tuple(map(fill, value)) if isinstance(value, list) else value

    known = dict(fields)
    pattern = fields.get("pattern", "")
    known["name"] = fill(fields["name"])
    filled = {key: fill(value) for key, value in fields.items() if key in _FIELDS - {"pattern"}}
    return Source(**filled, pattern=pattern or known["name"])


@functools.cache
def _names() -> dict[str, str]:
    """Tell the name of a source by any spelling of it: aliases, other case."""
    sources = catalogue().values()
    spellings = {alias.casefold(): s.name for s in sources for alias in s.aliases}
    return spellings | {source.name.casefold(): source.name for source in sources}


def find_source(name: str) -> Source | None:
    """Find a source by its name, in any case, or by another name that it has."""
    found = _names().get(name.casefold())
    return catalogue()[found] if found else None


def suggestions(name: str) -> list[str]:
    """Find the names that one was most likely meant with a wrong one."""
    import difflib

    close = difflib.get_close_matches(name.casefold(), _names(), n=_N_SUGGESTIONS, cutoff=0.6)
    return list(dict.fromkeys(_names()[spelling] for spelling in close))


def list_sources(pattern: str | None = None) -> Sources:
    """List the vectors, corpora and test sets that can be had by name.

    Parameters
    ----------
    pattern : str, optional
        Which ones: a part of the name ("6B"), a pattern ("cc.d?.300*"), a family ("glove",
        "fasttext", "word2vec", "numberbatch"), a kind ("vectors", "corpus", "evaluation"), a
        publisher or a language ("German"); all of them without it.

    Returns
    -------
    list of Source
        In the order of the catalogue; it prints as a table. Each has its `name`, `words`,
        `vector_size`, `language`, `licence`, `n_bytes` (of the download) and `checksum`, as far
        as they are published.

    Raises
    ------
    ParameterError
        If `pattern` is no string.

    Examples
    --------
    >>> import firth
    >>> [source.name for source in firth.list_sources("glove.6B")]
    ['glove.6B.50d', 'glove.6B.100d', 'glove.6B.200d', 'glove.6B.300d']
    >>> firth.list_sources("cc.de.*")[0].language
    'German'
    """
    if pattern is not None and not isinstance(pattern, str):
        raise ParameterError(f"pattern is {pattern!r}: give a part of a name, such as 'glove'")
    found = catalogue().values()
    return Sources(source for source in found if not pattern or source.matches(pattern))

"""GluonNLP's way to word vectors by name.

Examples
--------
>>> import firth
>>> firth.embedding.list_sources("word2vec")
['GoogleNews-vectors-negative300', 'word2vec-ruscorpora-300']
>>> wv = firth.embedding.create("glove", source="glove.6B.50d")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from firth.errors import ParameterError

if TYPE_CHECKING:
    from firth.vectors import KeyedVectors

__all__ = ["create", "list_sources"]

# What GluonNLP takes where no source is given.
_DEFAULTS = {
    "glove": "glove.6B.50d",
    "word2vec": "GoogleNews-vectors-negative300",
    "fasttext": "wiki.simple",
    "numberbatch": "numberbatch-en-19.08",
}


def create(embedding_name: str, source: str | None = None, **options: Any) -> KeyedVectors:
    """Load vectors of a family by the name of their source.

    Parameters
    ----------
    embedding_name : str
        The family: "glove", "word2vec", "fasttext" or "numberbatch".
    source : str, optional
        Which of its vectors, as `list_sources` names them; "glove.6B.50d", "wiki.simple",
        "GoogleNews-vectors-negative300" and "numberbatch-en-19.08" if not given.
    **options
        Those of `firth.load`: `only`, `limit`, `dtype`, `progress`, and others.

    Returns
    -------
    KeyedVectors
        The words and their vectors.

    Raises
    ------
    ParameterError
        There is no such family, or it has no such source.
    DownloadError
        The vectors cannot be downloaded.

    Examples
    --------
    ``firth.embedding.create("glove", source="glove.6B.50d")`` is `firth.load` of that name.
    """
    from firth.hub import load

    names = list_sources(embedding_name)
    name = _DEFAULTS[embedding_name.casefold()] if source is None else source
    if name not in names:
        import difflib

        close = difflib.get_close_matches(name, names, n=3)
        meant = f"; did you mean {' or '.join(close)}?" if close else ""
        raise ParameterError(
            f"{embedding_name} has no source {name!r}{meant} "
            f"firth.embedding.list_sources({embedding_name!r}) tells them"
        )
    return load(name, **options)


@overload
def list_sources(embedding_name: None = None) -> dict[str, list[str]]: ...
@overload
def list_sources(embedding_name: str) -> list[str]: ...
def list_sources(embedding_name: str | None = None) -> list[str] | dict[str, list[str]]:
    """List the names of the vectors that can be had.

    Parameters
    ----------
    embedding_name : str, optional
        A family: "glove", "word2vec", "fasttext" or "numberbatch".

    Returns
    -------
    list of str, or dict of str to list of str
        The names in the family; of each family where none is given.

    Raises
    ------
    ParameterError
        There is no such family.

    Examples
    --------
    >>> import firth
    >>> firth.embedding.list_sources("glove")[0]
    'glove.6B.50d'
    """
    from firth.hub import list_sources as list_all

    families: dict[str, list[str]] = {name: [] for name in _DEFAULTS}
    for found in list_all("vectors"):
        if found.family in families:
            families[found.family].append(found.name)
    if embedding_name is None:
        return families
    if str(embedding_name).casefold() not in families:
        raise ParameterError(
            f"embedding_name is {embedding_name!r}, which is none of {', '.join(families)}"
        )
    return families[embedding_name.casefold()]

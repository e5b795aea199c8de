"""Vectors from wherever they are: a folder, a file, an address, a name of the catalogue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from firth.errors import ParameterError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firth.formats import VectorTable
    from firth.vectors import KeyedVectors


def load(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    only: Iterable[str] | None = None,
    limit: int | None = None,
    dtype: Literal["float32", "float16"] = "float32",
    strict: bool = False,
    errors: Literal["strict", "replace", "ignore"] = "strict",
    format: str | None = None,  # noqa: A002 (the word of the field)
    progress: bool | None = None,
) -> KeyedVectors:
    """Load word vectors from a file or folder, by the name of a source, or from an address.

    Parameters
    ----------
    source : str, path or binary file
        The first of these that it is:

        - a file or folder, in any format that firth reads, which is recognised by the content;
          also compressed, and as a member of an archive (``archive.zip/vectors.txt``). A folder of
          firth opens by memory map, at once, whatever its size.
        - an http or https address of such a file. It is downloaded once.
        - the name of a source in `list_sources`: "glove.6B.100d". It is downloaded once, verified,
          and converted to a folder of firth, which opens by memory map from then on.
        - a file open in binary mode.
    only : iterable of str, optional
        Keep these words only.
    limit : int, optional
        Keep at most this many words: the first ones, of those in `only`.
    dtype : "float32" or "float16"
        Of the matrix; float16 takes half of the memory.
    strict : bool, default False
        Refuse files in which something would have to be repaired, instead of repairing it and
        counting that in `KeyedVectors.load_report`.
    errors : "strict", "replace" or "ignore"
        What to do with words that are not UTF-8: refuse, put U+FFFD, or drop the bytes.
    format : str, optional
        The format, where it is not to be recognised; one of `firth.formats.FORMATS`.
    progress : bool, optional
        False: none. None or True: a bar on a terminal, log lines elsewhere.

    Returns
    -------
    KeyedVectors
        The words and their vectors.

    Raises
    ------
    SourceError
        There is no such file, and no source of this name.
    DownloadError
        It cannot be downloaded, or what came is not what was published.
    FormatError
        The file is damaged, or in no format that firth knows; the message tells what it is.
    ParameterError
        A parameter is out of its range, or no word of `only` is there.

    See Also
    --------
    list_sources : What there is by name.

    Notes
    -----
    Where downloads lie, and the environment variables about them, is told in ``docs/hub.md``. With
    `only` or `limit`, a source by name is read from the downloaded file without converting it.

    Examples
    --------
    >>> import firth
    >>> vocab = firth.Vocab.from_words(["east", "north"])
    >>> firth.KeyedVectors(vocab, [[1, 0], [0, 1]]).save("compass")
    >>> firth.load("compass").similarity("east", "north")
    0.0
    """
    from firth.vectors import KeyedVectors

    options = {
        "only": only, "limit": limit, "dtype": dtype, "strict": strict, "errors": errors,
        "format": format,
    }  # fmt: skip
    where = resolve(source)
    if where is None or isinstance(where, Path):
        given: dict[str, Any] = {
            name: value
            for name, value in options.items()
            # An array, as `only` may be, has no equality of its own.
            if not (isinstance(value, type(_PLAIN[name])) and value == _PLAIN[name])
        }
        if progress is not None and not (isinstance(where, Path) and where.is_dir()):
            given["progress"] = progress
        return KeyedVectors.load(source if where is None else where, **given)
    return KeyedVectors._of(open_table(source, options, progress=progress))  # noqa: SLF001


_PLAIN: dict[str, Any] = {
    "only": None, "limit": None, "dtype": "float32", "strict": False, "errors": "strict",
    "format": None,
}  # fmt: skip


def open_table(
    source: str | os.PathLike[str] | BinaryIO,
    options: dict[str, Any],
    *,
    progress: bool | None = None,
) -> VectorTable:
    """Open what `load` takes as plain data; `options` are those of `read_vectors`."""
    from firth.formats import read_vectors

    options = _PLAIN | options
    where = resolve(source)
    if where is None or isinstance(where, Path):
        return read_vectors(source if where is None else where, progress=progress, **options)
    from firth.hub._named import open_named

    return open_named(where, options, show=progress)


def resolve(source: Any) -> Any:
    """Tell what a source is: a `Path`, a `Source` of the catalogue, or None for an open file.

    An address becomes a source of its own.

    Raises
    ------
    SourceError
        It is none of these.
    ParameterError
        It is not even a string, a path or a file.
    """
    if isinstance(source, os.PathLike):
        return Path(source)
    if not isinstance(source, str):
        if hasattr(source, "read"):
            return None
        raise ParameterError(
            f"the source of vectors is {type(source).__name__}: give a path, a name, an address or "
            f"an open file"
        )
    if not source.strip():
        raise SourceError("the name of the vectors is empty: give a path, a name or an address")
    scheme, colon, _ = source.partition("://")
    if colon and scheme.casefold() in {"http", "https"}:
        from firth.hub._named import source_of_address

        return source_of_address(source)
    path = Path(source).expanduser()
    if _may_be_read(path):
        return path
    from firth.hub._catalogue import find_source

    found = find_source(source)
    if found is not None:
        return found
    raise SourceError(_not_found(source, scheme if colon else ""))


def _may_be_read(path: Path) -> bool:
    """Tell whether a path leads somewhere: to a file, a folder, or a member of an archive."""
    try:
        return path.exists() or any(parent.is_file() for parent in path.parents)
    except (OSError, ValueError):  # too long, or with a NUL byte in it
        return False


def _not_found(name: str, scheme: str) -> str:
    from firth.hub._catalogue import suggestions

    if scheme:
        return (
            f"{name}: only http:// and https:// can be downloaded; fetch the file with another "
            f"program and load it from the disk"
        )
    close = suggestions(name)
    meant = f" Did you mean {' or '.join(close)}?" if close else ""
    return (
        f"{name}: no such file or folder, and no source of this name.{meant} "
        f"firth.list_sources() tells the names"
    )

"""Words and their vectors, to be asked."""

import os
from typing import Any, BinaryIO

from firth.vectors._keyed_vectors import KeyedVectors

__all__ = ["KeyedVectors", "load"]


def load(source: str | os.PathLike[str] | BinaryIO, **options: Any) -> KeyedVectors:
    """Open or read word vectors.

    Parameters
    ----------
    source : str, path or binary file
        A folder that `Word2Vec.save` or `KeyedVectors.save` wrote, which opens by memory map:
        nothing of the matrix is read before it is asked for. Or a file or folder in another
        format, also compressed or in an archive.
    **options
        Those of `firth.formats.read_vectors`.

    Returns
    -------
    KeyedVectors
        The words and their vectors.

    Raises
    ------
    SourceError
        There is no such file or folder.
    FormatError
        It is in no format that firth knows, or a file is missing, cut off or another's.

    Examples
    --------
    >>> import firth
    >>> vocab = firth.Vocab.from_words(["east", "north"])
    >>> firth.KeyedVectors(vocab, [[1, 0], [0, 1]]).save("compass")
    >>> firth.load("compass").similarity("east", "north")
    0.0
    """
    return KeyedVectors.load(source, **options)

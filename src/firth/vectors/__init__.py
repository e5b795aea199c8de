"""Words and their vectors, to be asked."""

import os

from firth.vectors._keyed_vectors import KeyedVectors

__all__ = ["KeyedVectors", "load"]


def load(folder: str | os.PathLike[str]) -> KeyedVectors:
    """Open word vectors by memory map.

    Parameters
    ----------
    folder : str or Path
        A folder that `Word2Vec.save` or `KeyedVectors.save` wrote.

    Returns
    -------
    KeyedVectors
        Nothing of the matrix is read before it is asked for.

    Raises
    ------
    SourceError
        There is no such folder.
    FormatError
        It is not one of firth, or a file in it is missing, cut off or another's.

    Examples
    --------
    >>> import firth
    >>> vocab = firth.Vocab.from_words(["east", "north"])
    >>> firth.KeyedVectors(vocab, [[1, 0], [0, 1]]).save("compass")
    >>> firth.load("compass").similarity("east", "north")
    0.0
    """
    return KeyedVectors.load(folder)

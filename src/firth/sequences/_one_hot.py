"""Ids as vectors with a single one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import ParameterError
from firth.sequences._tokens import is_whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def one_hot(ids: ArrayLike, n_words: int, dtype: Any = np.float32) -> NDArray[Any]:
    r"""Write ids as vectors that are 1 at the id and 0 elsewhere.

    The product of a one-hot vector with a matrix is a row of the matrix: ``one_hot(ids, n) @
    matrix`` is ``matrix[ids]``, and takes n_words times as long.

    Parameters
    ----------
    ids : array_like of int, any shape
        From 0 to n_words - 1.
    n_words : int
        The length of the vectors.
    dtype : numpy dtype
        Of the result.

    Returns
    -------
    numpy.ndarray, shape (\*ids.shape, n_words)
        Takes n_words times the memory of one number for each id.

    Raises
    ------
    ParameterError
        If an id is out of range, or no whole number.

    Examples
    --------
    >>> from firth import one_hot
    >>> one_hot([2, 0], 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    array = np.asarray(ids)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ParameterError(f"ids are whole numbers, not {array.dtype}")
    if not is_whole(n_words) or n_words < 1:
        raise ParameterError(f"n_words must be a whole number of 1 or more, not {n_words!r}")
    outside = array[(array < 0) | (array >= n_words)]
    if outside.size:
        raise ParameterError(
            f"the id {outside.flat[0]:,} is none of {n_words:,} words: ids go from 0 to "
            f"{n_words - 1:,}"
        )
    result = np.zeros((*array.shape, int(n_words)), dtype)
    np.put_along_axis(result, array[..., None].astype(np.int64), 1, axis=-1)
    return result

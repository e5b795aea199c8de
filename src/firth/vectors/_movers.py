"""The Word Mover's Distance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firth.errors import MissingExtraError


def movers_distance(
    vectors1: NDArray[Any], shares1: NDArray[Any], vectors2: NDArray[Any], shares2: NDArray[Any]
) -> float:
    """Give the cost of the cheapest transport between two sets of points with their shares.

    `vectors1` has the shape (n1, vector_size), `shares1` (n1,) sums to 1; and so the others. A way
    costs its Euclidean length.
    """
    try:
        from ot import emd2
    except ImportError as error:
        raise MissingExtraError("POT", "wmd", "wmdistance") from error
    # Not by the product of the two: the difference of near points would be lost in rounding.
    costs = np.stack([np.linalg.norm(vectors2 - row, axis=1) for row in vectors1])
    costs = np.ascontiguousarray(costs, np.float64)
    return float(emd2(shares1, shares2, costs))

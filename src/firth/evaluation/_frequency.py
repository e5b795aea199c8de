"""Bands of frequency: words by their rows, which go by falling count."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows at which bands begin.
BANDS = (0, 1_000, 3_000, 10_000, 30_000, 100_000)
#: What they are called: places in the vocabulary, from 1.
BAND_NAMES = [
    *(f"{begin + 1:,}-{end:,}" for begin, end in pairwise(BANDS)),
    f"over {BANDS[-1]:,}",
]


def bands_of(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the number of the band of each row; -1 for negative rows."""
    return np.searchsorted(BANDS, rows, side="right") - 1

"""Where to write words beside their points, so that none covers another."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

# Tried in this order, as cartographers do (Imhof 1975, "Positioning names on maps"): right above
# all others. Each is where the label's centre lies, in halves of its size from the point.
_PLACES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.8), (-1, 0.8), (1, -0.8), (-1, -0.8))
#: Points in a row for which there was no place, behind which no more are tried.
_PATIENCE = 3000


class Label(NamedTuple):
    """A word that has a place: which one, and the centre of the text in pixels."""

    which: int
    x: float
    y: float


def place_labels(
    points: NDArray[np.float64],
    order: Iterable[int],
    size_of: Callable[[int], tuple[float, float]],
    bounds: tuple[float, float, float, float],
    *,
    gap: float,
    most: int,
    avoid: NDArray[np.float64] | None = None,
    reach: int = 1,
) -> list[Label]:
    """Give labels places, the first ones first; who finds none has none.

    Parameters
    ----------
    points : numpy.ndarray, shape (n_points, 2)
        In pixels.
    order : iterable of int
        Which points have labels, the most important ones first.
    size_of : callable
        Width and height of the label of a point, in pixels.
    bounds : tuple of float
        Left, bottom, right and top of where labels may be.
    gap : float
        How far a label is from its point.
    most : int
        How many labels to place.
    avoid : numpy.ndarray, shape (n, 2), optional
        Pixels that no label may cover.
    reach : int
        How many gaps a label may be away from its point where there is no place nearer.
    """
    left, bottom, right, top = bounds
    # A raster of pixels: whether a place is free is one look, however many labels there are.
    taken = np.zeros((max(1, int(top - bottom) + 1), max(1, int(right - left) + 1)), np.bool_)
    if avoid is not None:
        at = (avoid - (left, bottom)).astype(int)
        inside = ((at >= 0) & (at < taken.shape[::-1])).all(axis=1)
        taken[at[inside, 1], at[inside, 0]] = True
    placed: list[Label] = []
    failed = 0
    for i in order:
        if len(placed) >= most or failed > _PATIENCE:
            break
        x, y = float(points[i, 0]), float(points[i, 1])
        width, height = size_of(i)
        for away, (across, up) in product(range(1, reach + 1), _PLACES):
            cx = x + across * (width / 2 + away * gap)
            cy = y + up * (height / 2 + away * gap)
            box = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
            if box[0] < left or box[1] < bottom or box[2] > right or box[3] > top:
                continue
            cells = (
                slice(int(box[1] - bottom), int(np.ceil(box[3] - bottom))),
                slice(int(box[0] - left), int(np.ceil(box[2] - left))),
            )
            if taken[cells].any():
                continue
            taken[cells] = True
            # The point itself must stay in sight as well.
            dot = max(1, int(gap * 0.7))
            row, column = int(y - bottom), int(x - left)
            taken[max(0, row - dot) : row + dot, max(0, column - dot) : column + dot] = True
            placed.append(Label(i, cx, cy))
            failed = 0
            break
        else:
            failed += 1
    return placed

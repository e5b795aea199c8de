"""A map as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from firth.maps import _colours
from firth.maps._fonts import families, size_of_text
from firth.maps._groups import shown
from firth.maps._labels import place_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from firth.maps._colours import Theme
    from firth.maps._map import WordMap

_INCHES = (11.0, 8.5)
DOTS_PER_INCH = 160
# Around the words, in inches: at the sides, below (the legend) and above (the title).
_SIDE, _BELOW, _ABOVE = 0.25, 0.62, 0.5
# Points: from the rarest word of the map to the most frequent one.
_SMALLEST, _LARGEST = 6.0, 10.5
_EMPHASISED = 13.0
_MOST_LABELS = 900


class Bounds(NamedTuple):
    """A rectangle of pixels, from the left and from below."""

    left: float
    bottom: float
    right: float
    top: float

    @classmethod
    def inside(
        cls, inches: tuple[float, float], *, left: float, below: float, right: float, above: float
    ) -> Self:
        """Leave margins, in inches, of a picture."""
        sides = (left, below, inches[0] - right, inches[1] - above)
        return cls(*(side * DOTS_PER_INCH for side in sides))


def draw(word_map: WordMap, *, theme: str, title: str | None, labels: int | None) -> Any:
    """Draw a map as a figure of Matplotlib."""
    colours = _colours.theme_of(theme)
    figure, panel, renderer = canvas(_INCHES, colours)
    bounds = Bounds.inside(_INCHES, left=_SIDE, below=_BELOW, right=_SIDE, above=_ABOVE)
    height = _INCHES[1] * DOTS_PER_INCH
    points = fitted(word_map.coordinates, bounds, inset=0.03)
    hues = point_colours(word_map, colours)
    _draw_points(panel, points, hues, word_map, colours)
    _draw_labels(panel, renderer, points, hues, word_map, colours, bounds, labels)
    heading = word_map.title if title is None else title
    panel.text(
        bounds[0], height - 0.3 * DOTS_PER_INCH, shown(heading, 110), parse_math=False,
        color=colours.text, fontsize=13, fontweight="bold", va="center", family=families(),
    )  # fmt: skip
    _draw_legend(panel, renderer, word_map, colours, bounds)
    return figure


def canvas(inches: tuple[float, float], theme: Theme) -> tuple[Any, Any, Any]:
    """Make a figure with one panel, and what measures text.

    One unit is one pixel, so that labels are where they were measured to fit.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=DOTS_PER_INCH, facecolor=theme.back)
    agg: Any = FigureCanvasAgg(figure)
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set_axis_off()
    panel.set_xlim(0, inches[0] * DOTS_PER_INCH)
    panel.set_ylim(0, inches[1] * DOTS_PER_INCH)
    return figure, panel, agg.get_renderer()


def fitted(coordinates: NDArray[Any], bounds: Bounds, inset: float) -> NDArray[np.float64]:
    """Scale points into a rectangle of pixels, both axes alike."""
    left, bottom, right, top = bounds
    points = coordinates.astype(np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([right - left, top - bottom]) * (1 - 2 * inset)
    spread = np.where(high > low, high - low, 1.0)
    scale = float(np.min(np.where(high > low, room / spread, np.inf)))
    middle = np.array([left + right, bottom + top]) / 2
    if not np.isfinite(scale):  # all in one place
        scale = 1.0
    fits: NDArray[np.float64] = np.add(middle, (points - (low + high) / 2) * scale)
    return fits


def point_colours(word_map: WordMap, theme: Theme) -> list[str]:
    """Give the colour of each word's dot."""
    colouring = word_map.colouring
    if colouring.is_scale:
        return _colours.viridis(colouring.values, theme)
    return [_colours.group_colour(group, theme) for group in colouring.groups.tolist()]


def label_sizes(n_words: int) -> NDArray[np.float64]:
    """Give the size of each label in points: larger for words further in front."""
    rank = np.log1p(np.arange(n_words)) / np.log1p(max(1, n_words - 1))
    # In steps of half a point: Matplotlib looks for the font of each size anew.
    sizes: NDArray[np.float64] = np.round(2 * (_LARGEST - (_LARGEST - _SMALLEST) * rank)) / 2
    return sizes


def _draw_points(
    panel: Any, points: NDArray[np.float64], hues: list[str], word_map: WordMap, theme: Theme
) -> None:
    n = len(points)
    area = float(np.clip(26000 / n, 0.6, 16))
    # Rare words first, so that the frequent ones are not covered.
    panel.scatter(
        points[::-1, 0], points[::-1, 1], s=area, c=hues[::-1], alpha=0.75 if n < 5000 else 0.6,
        linewidths=0, rasterized=n > 5000,
    )  # fmt: skip
    if word_map.around in word_map.words:
        x, y = points[word_map.words.index(word_map.around)]
        panel.scatter([x], [y], s=70, facecolors="none", edgecolors=theme.text, linewidths=1.3)


def _draw_labels(
    panel: Any,
    renderer: Any,
    points: NDArray[np.float64],
    hues: list[str],
    word_map: WordMap,
    theme: Theme,
    bounds: Bounds,
    most: int | None,
) -> None:
    sizes = label_sizes(len(word_map))
    order = list(range(len(word_map)))
    middle = word_map.words.index(word_map.around) if word_map.around in word_map.words else None
    if middle is not None:
        order.remove(middle)
        order.insert(0, middle)
        sizes[middle] = _EMPHASISED

    def size_of(i: int) -> tuple[float, float]:
        weight = "bold" if i == middle else "normal"
        width, height = size_of_text(renderer, shown(word_map.words[i]), sizes[i], weight)
        ring = 16 if i == middle else 0
        return width + 2 + ring, height + 2

    placed = place_labels(
        points, order, size_of, bounds, gap=4.0, most=_MOST_LABELS if most is None else most
    )
    for label in placed:
        i = label.which
        panel.text(
            label.x, label.y, shown(word_map.words[i]), parse_math=False, family=families(),
            fontsize=float(sizes[i]), fontweight="bold" if i == middle else "normal",
            color=theme.text if i == middle else _colours.mixed(hues[i], theme.text, theme.shade),
            ha="center", va="center",
        )  # fmt: skip


def _draw_legend(
    panel: Any,
    renderer: Any,
    word_map: WordMap,
    theme: Theme,
    bounds: Bounds,
) -> None:
    colouring = word_map.colouring
    y = 0.42 * DOTS_PER_INCH

    def write(x: float, y: float, text: str, color: str, size: float = 8.5) -> float:
        panel.text(
            x, y, text, parse_math=False, color=color, fontsize=size, va="center",
            family=families(),
        )  # fmt: skip
        return float(size_of_text(renderer, text, size)[0])

    if colouring.is_scale:
        _draw_scale(panel, word_map, theme, write, bounds[0], y)
        return
    entries = [
        (_colours.group_colour(group, theme), name) for group, name in enumerate(colouring.names)
    ]
    if (colouring.groups < 0).any():
        entries.append((theme.other, "not said"))
    x = bounds[0]
    for hue, name in entries:
        width = size_of_text(renderer, name, 8.5)[0]
        if x > bounds[0] and x + 16 + width > bounds[2]:
            x, y = bounds[0], y - 0.22 * DOTS_PER_INCH
        panel.scatter([x + 5], [y], s=28, c=hue, linewidths=0)
        write(x + 16, y, name, theme.text)
        x += 16 + width + 26


def _draw_scale(
    panel: Any,
    word_map: WordMap,
    theme: Theme,
    write: Callable[..., float],
    x: float,
    y: float,
) -> None:
    low, high = word_map.colouring.ends
    x += write(x, y, f"{word_map.colouring.title}:   {low}", theme.text) + 10
    hues = _colours.viridis(np.linspace(0, 1, 120), theme)
    panel.bar(x + np.arange(120) * 2, 14, width=2.2, bottom=y - 7, color=hues, linewidth=0)
    write(x + 250, y, high, theme.text)

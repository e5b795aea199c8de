"""Colours that people who see fewer of them tell apart too, on light and on dark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firth.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Okabe and Ito 2008, "Color Universal Design"; their black would be lost among words or on dark.
GROUPS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
N_GROUPS = len(GROUPS)
_VIRIDIS_STEPS = 9


@dataclass(frozen=True)
class Theme:
    """The colours of a picture.

    Attributes
    ----------
    back, text, dim, grid : str
        Background, text, what is told in passing, lines; as ``#rrggbb``.
    shade : float
        How much of the text's colour goes into that of a word, so that it can be read.
    viridis : tuple of float
        The part of the colour map that is seen on this background.
    """

    back: str
    text: str
    dim: str
    grid: str
    other: str
    shade: float
    viridis: tuple[float, float]


THEMES = {
    "light": Theme("#ffffff", "#1b1b1b", "#666666", "#dddddd", "#9a9a9a", 0.42, (0.0, 0.88)),
    "dark": Theme("#16181c", "#ececec", "#a2a6ad", "#3c3f45", "#7d828b", 0.35, (0.22, 1.0)),
}


def theme_of(name: str) -> Theme:
    """Find the colours by name."""
    if name not in THEMES:
        raise ParameterError(f"theme is {name!r}; there are {' and '.join(THEMES)}")
    return THEMES[name]


def group_colour(group: int, theme: Theme) -> str:
    """Give the colour of a group; those behind the last colour, and -1 for none, are grey."""
    return GROUPS[group] if 0 <= group < N_GROUPS else theme.other


def mixed(colour: str, other: str, share: float) -> str:
    """Mix a share of another colour in.

    Examples
    --------
    >>> mixed("#ffffff", "#000000", 0.2)
    '#cccccc'
    """
    one, two = (bytes.fromhex(given.removeprefix("#")) for given in (colour, other))
    parts = (round((1 - share) * a + share * b) for a, b in zip(one, two, strict=True))
    return "#" + bytes(parts).hex()


def viridis(values: NDArray[Any], theme: Theme) -> list[str]:
    """Give the colours of values from 0 to 1; grey where one is NaN."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    low, high = theme.viridis
    colours = colormaps["viridis"](low + (high - low) * values)
    return [
        theme.other if value != value else to_hex(colour)  # noqa: PLR0124 (NaN)
        for value, colour in zip(values.tolist(), colours, strict=True)
    ]


def viridis_steps(theme: Theme) -> list[str]:
    """Give colours along the scale, for a bar."""
    import numpy as np

    return viridis(np.linspace(0, 1, _VIRIDIS_STEPS), theme)

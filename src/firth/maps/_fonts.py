"""Fonts for words of all scripts, as far as this machine has them."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from firth.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Matplotlib brings the first one. The others are where words of other scripts are written from.
_FAMILIES = (
    "DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Hiragino Sans",
    "PingFang SC", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "WenQuanYi Zen Hei",
    "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Devanagari", "Noto Sans Bengali",
    "Noto Sans Tamil", "Noto Sans Thai", "Noto Sans Ethiopic", "Noto Emoji", "Arial Unicode MS",
    "Unifont",
)  # fmt: skip


def need_matplotlib(purpose: str, extra: str = "map") -> None:
    """Raise MissingExtraError where nothing can be drawn."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("matplotlib", extra, purpose) from error


@cache
def families() -> list[str]:
    """Name the fonts of this machine that words are written in."""
    from matplotlib.font_manager import fontManager

    there = {font.name for font in fontManager.ttflist}
    return [family for family in _FAMILIES if family in there]


def size_of_text(renderer: Any, text: str, points: float, weight: str = "normal") -> Any:
    """Measure a text in pixels: width and height."""
    from matplotlib.font_manager import FontProperties

    font = FontProperties(family=families(), size=points, weight=weight)
    width, height, _ = renderer.get_text_width_height_descent(text, font, ismath=False)
    return width, height


@contextmanager
def told_missing_glyphs() -> Iterator[None]:
    """Say once, in words of ours, that some words cannot be written with the fonts here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    missing = False
    for warning in caught:
        if "missing from font" in str(warning.message) or "Glyph" in str(warning.message):
            missing = True
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    if missing:
        warnings.warn(
            "some words have characters that no font here can write, and are "
            "drawn as boxes; install a font such as Noto Sans, or make a page (.html), which is "
            "written in the fonts of who reads it",
            stacklevel=5,
        )

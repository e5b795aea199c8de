"""Pictures of what vectors say of a few words: analogies, similarities, neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import ParameterError
from firth.maps import _colours
from firth.maps._files import check_target, save_figure
from firth.maps._fonts import families, need_matplotlib, size_of_text, told_missing_glyphs
from firth.maps._groups import shown
from firth.maps._labels import place_labels
from firth.maps._picture import DOTS_PER_INCH, Bounds, canvas, fitted
from firth.maps._projecting import principal_components

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from firth.maps._colours import Theme
    from firth.maps._vectors import Vectors

_MOST = 60  # words of which a picture can be read
_TEXT = 11.0  # points


def plot_analogy(
    wv: Vectors,
    words: Iterable[str],
    file: str | os.PathLike[str],
    *,
    theme: str = "light",
    title: str | None = None,
) -> None:
    """Draw pairs of words in their plane, each joined by an arrow.

    Where pairs stand in the same relation their arrows are about parallel (Mikolov et al. 2013,
    "Distributed Representations of Words and Phrases and their Compositionality", figure 2).

    Parameters
    ----------
    wv : KeyedVectors
        Where the vectors are.
    words : iterable of str
        The pairs, one word after the other: man, woman, king, queen.
    file : str or Path
        The picture, which appears whole: ``.png``, ``.svg`` or ``.pdf``.
    theme : "light" or "dark"
        Its colours.
    title : str, optional
        What stands above.

    Raises
    ------
    ParameterError
        If there are not two pairs or more.
    WordNotFoundError
        If a word is not there.
    MissingExtraError
        Matplotlib is not installed: the extra `plot`.
    OutputError
        The picture cannot be written.

    Notes
    -----
    Vectors are scaled to length 1. Upwards in the picture is the mean difference of the pairs;
    across is the direction in which the words differ most besides. So arrows are drawn as parallel
    as a plane can show them. How parallel they are with all dimensions is written below: the mean
    cosine between the differences of the pairs, and the share of the vectors' spread that the
    plane holds.
    """
    path, colours = _begin(file, theme)
    words = _checked(words, "plot_analogy")
    if len(words) % 2 or len(words) < 4:
        raise ParameterError(
            f"{len(words)} words are not two pairs or more; give them one after the other: man "
            f"woman king queen"
        )
    units = _units(wv, words)
    points, share = _plane(units[::2], units[1::2])
    figure, panel, renderer = canvas((8.0, 6.4), colours)
    bounds = Bounds.inside((8.0, 6.4), left=0.25, below=0.5, right=0.25, above=0.6)
    places = fitted(points, bounds, inset=0.09)
    with told_missing_glyphs():
        for pair in range(len(words) // 2):
            hue = _hue(pair, colours)
            begin, end = places[2 * pair], places[2 * pair + 1]
            panel.annotate(
                "", xy=end, xytext=begin,
                arrowprops={"arrowstyle": "-|>", "color": hue, "lw": 1.8, "shrinkA": 5,
                            "shrinkB": 5, "mutation_scale": 14},
            )  # fmt: skip
            panel.scatter(*zip(begin, end, strict=True), s=34, color=hue, linewidths=0, zorder=3)
        hues = [_hue(i // 2, colours) for i in range(len(words))]
        arrows = np.linspace(places[::2], places[1::2], 400).reshape(-1, 2)
        _write_words(panel, renderer, places, words, hues, colours, bounds, arrows)
        parallel = _mean_cosine(units[1::2] - units[::2])
        _write_title(
            panel, colours, title or f"{len(words) // 2} pairs in their plane",
            "Upwards: the mean difference of the pairs. Across: where the words differ most "
            f"besides. The plane holds {share:.0%} of the spread.\nMean cosine between the full "
            f"differences of two pairs: {parallel:.2f} (1 is parallel).",
        )  # fmt: skip
        save_figure(figure, path)


def plot_neighbours(
    wv: Vectors,
    word: str,
    file: str | os.PathLike[str],
    *,
    topn: int = 20,
    theme: str = "light",
    title: str | None = None,
) -> None:
    """Draw the nearest neighbours of a word, as bars of their cosines.

    Parameters
    ----------
    wv : KeyedVectors
        Where the vectors are.
    word : str
        The word.
    file : str or Path
        The picture, which appears whole: ``.png``, ``.svg`` or ``.pdf``.
    topn : int
        How many, 1 to 60.
    theme : "light" or "dark"
        Its colours.
    title : str, optional
        What stands above.

    Raises
    ------
    ParameterError
        If `topn` is out of range.
    WordNotFoundError
        If the word is not there.
    MissingExtraError
        Matplotlib is not installed: the extra `plot`.
    OutputError
        The picture cannot be written.
    """
    path, colours = _begin(file, theme)
    if isinstance(topn, bool) or not 1 <= topn <= _MOST:
        raise ParameterError(f"topn must be 1 to {_MOST}, not {topn!r}")
    near = list(wv.most_similar(word, topn=topn))
    if not near:
        raise ParameterError(f"{word[:60]!r} has no neighbours: its vector has no direction")
    labels = [shown(each) for each, _ in near]
    cosines = [float(cosine) for _, cosine in near]
    with told_missing_glyphs():
        figure, panel = _axes((7.2, 1.1 + 0.27 * len(near)), colours)
        panel.barh(range(len(near)), cosines, height=0.68, color=_colours.GROUPS[0])
        panel.set_yticks(range(len(near)), labels, family=families(), parse_math=False)
        panel.set_ylim(len(near) - 0.4, -0.6)
        panel.set_xlim(min(0.0, *cosines), max(*cosines, 0.1) * 1.1)
        for place, cosine in enumerate(cosines):
            panel.text(
                max(cosine, 0.0), place, f" {cosine:.2f}", va="center", fontsize=8.5,
                color=colours.dim,
            )  # fmt: skip
        panel.set_xlabel("cosine")
        panel.tick_params(axis="y", length=0)
        _head(panel, title or f"The words nearest to {shown(word)}", colours)
        save_figure(figure, path)


def plot_similarity(
    wv: Vectors,
    words: Iterable[str],
    file: str | os.PathLike[str],
    *,
    theme: str = "light",
    title: str | None = None,
) -> None:
    """Draw how similar words are to each other, as a heat map of their cosines.

    Parameters
    ----------
    wv : KeyedVectors
        Where the vectors are.
    words : iterable of str
        2 to 60 words. They are put in an order in which similar ones stand together, where SciPy
        is installed (average linkage with optimal leaf order: Bar-Joseph, Gifford and Jaakkola
        2001, "Fast optimal leaf ordering for hierarchical clustering").
    file : str or Path
        The picture, which appears whole: ``.png``, ``.svg`` or ``.pdf``.
    theme : "light" or "dark"
        Its colours.
    title : str, optional
        What stands above.

    Raises
    ------
    ParameterError
        If there are too few or too many words.
    WordNotFoundError
        If a word is not there.
    MissingExtraError
        Matplotlib is not installed: the extra `plot`.
    OutputError
        The picture cannot be written.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    path, colours = _begin(file, theme)
    words = _checked(words, "plot_similarity")
    if len(words) < 2:
        raise ParameterError("give two words or more to be compared")
    units = _units(wv, words)
    cosines = units @ units.T
    order = _alike_together(cosines)
    words = [words[i] for i in order]
    cosines = cosines[np.ix_(order, order)]
    n = len(words)
    others = cosines[~np.eye(n, dtype=bool)]
    low, high = min(0.0, float(others.min())), max(float(others.max()), 0.1)
    steps = np.linspace(*colours.viridis, 256)
    scale = LinearSegmentedColormap.from_list("seen", colormaps["viridis"](steps))
    side = max(4.2, 2.0 + 0.36 * n)
    with told_missing_glyphs():
        figure, panel = _axes((side + 0.9, side), colours)
        # A word is as similar to itself as can be, which says nothing and would dim all others.
        drawn = np.where(np.eye(n, dtype=bool), np.nan, cosines)
        image = panel.imshow(drawn, cmap=scale, vmin=low, vmax=high)
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_ticks(
                range(n), [shown(word, 24) for word in words], family=families(), parse_math=False
            )
            axis.set_tick_params(length=0)
        panel.tick_params(axis="x", labelrotation=45 if n > 4 else 0)
        if n > 4:
            for label in panel.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
        for spine in panel.spines.values():
            spine.set_visible(False)
        if n <= 24:
            _write_cosines(panel, cosines, image)
        bar = figure.colorbar(image, ax=panel, fraction=0.04, pad=0.02)
        bar.outline.set_visible(False)
        bar.ax.tick_params(colors=colours.dim, length=0)
        bar.set_label("cosine", color=colours.dim)
        _head(panel, title or "How similar the words are", colours)
        save_figure(figure, path)


# --- what they share ------------------------------------------------------------------------------


def _begin(file: str | os.PathLike[str], theme: str) -> tuple[Path, Theme]:
    path = check_target(file)
    need_matplotlib("drawing a picture", extra="plot")
    return path, _colours.theme_of(theme)


def _checked(words: Iterable[str], name: str) -> list[str]:
    if isinstance(words, str):
        raise ParameterError(f"words is the string {words[:60]!r}; give {name} a list of words")
    words = list(words)
    if len(words) > _MOST:
        raise ParameterError(
            f"{len(words):,} words are more than a picture of them can show; give {_MOST} at most"
        )
    return words


def _units(wv: Vectors, words: Sequence[str]) -> NDArray[np.float32]:
    """Look up all words, of which none may be missing, scaled to length 1."""
    units = wv.get_vectors(words, norm=True)
    lengths = np.linalg.norm(units, axis=1)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        wrong = words[int(np.flatnonzero(~(lengths > 0) | ~np.isfinite(lengths))[0])]
        raise ParameterError(
            f"the vector of {wrong[:60]!r} is zero or not finite; leave the word out"
        )
    return units


def _plane(
    begins: NDArray[np.float32], ends: NDArray[np.float32]
) -> tuple[NDArray[np.float64], float]:
    """Project pairs on their plane, and tell which share of their spread it holds.

    Its first axis is the direction in which they differ most besides that of their mean
    difference, which is the second one.
    """
    words = np.stack([begins, ends], axis=1).reshape(-1, begins.shape[1]).astype(np.float64)
    words -= words.mean(axis=0)
    up = (ends.astype(np.float64) - begins).mean(axis=0)
    length = float(np.sqrt(up @ up))
    up /= length or 1.0
    heights = words @ up
    across = principal_components(words - heights[:, None] * up)
    points = np.stack([across[:, 0], heights if length > 0 else across[:, 1]], axis=1)
    spread = float((words**2).sum())
    return points, float((points**2).sum()) / spread if spread > 0 else 1.0


def _mean_cosine(differences: NDArray[np.float32]) -> float:
    lengths = np.linalg.norm(differences, axis=1, keepdims=True)
    units = differences / np.where(lengths > 0, lengths, 1)
    cosines = units @ units.T
    return float(cosines[np.triu_indices(len(units), 1)].mean())


def _alike_together(cosines: NDArray[np.float32]) -> list[int]:
    n = len(cosines)
    try:
        from scipy.cluster.hierarchy import leaves_list, linkage
        from scipy.spatial.distance import squareform
    except ImportError:
        return list(range(n))
    distances = np.maximum(1 - cosines.astype(np.float64), 0)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), "average", optimal_ordering=True)
    order: list[int] = leaves_list(tree).tolist()
    return order


def _hue(pair: int, theme: Theme) -> str:
    return _colours.group_colour(pair % _colours.N_GROUPS, theme)


def _write_title(panel: Any, theme: Theme, title: str, below: str) -> None:
    edge = 0.25 * DOTS_PER_INCH
    height = panel.get_ylim()[1]
    panel.text(
        edge, height - 1.2 * edge, shown(title, 80), parse_math=False, color=theme.text,
        fontsize=13, fontweight="bold", va="center", family=families(),
    )  # fmt: skip
    panel.text(edge, edge, below, color=theme.dim, fontsize=8, va="center", family=families())


def _write_words(
    panel: Any, renderer: Any, places: NDArray[np.float64], words: Sequence[str],
    hues: Sequence[str], theme: Theme, bounds: Bounds, avoid: NDArray[np.float64],
) -> None:  # fmt: skip
    def size_of(i: int) -> tuple[float, float]:
        width, height = size_of_text(renderer, shown(words[i]), _TEXT)
        return width + 2, height + 2

    # A word that is given twice is written once.
    order = list({word: i for i, word in reversed(list(enumerate(words)))}.values())
    for label in place_labels(
        places, sorted(order), size_of, bounds, gap=8.0, most=len(words), avoid=avoid, reach=12
    ):
        panel.text(
            label.x, label.y, shown(words[label.which]), parse_math=False, family=families(),
            fontsize=_TEXT, ha="center", va="center", zorder=4,
            color=_colours.mixed(hues[label.which], theme.text, theme.shade + 0.15),
        )  # fmt: skip


def _axes(inches: tuple[float, float], theme: Theme) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=DOTS_PER_INCH, layout="constrained", facecolor=theme.back)
    panel = figure.subplots()
    panel.set_facecolor(theme.back)
    panel.set_axisbelow(True)
    panel.tick_params(colors=theme.text, labelsize=9)
    panel.xaxis.label.set_color(theme.text)
    for side, spine in panel.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.grid)
    return figure, panel


def _head(panel: Any, title: str, theme: Theme) -> None:
    panel.set_title(
        shown(title, 60), loc="left", color=theme.text, fontsize=12, fontweight="bold",
        family=families(), parse_math=False,
    )  # fmt: skip


def _write_cosines(panel: Any, cosines: NDArray[np.float32], image: Any) -> None:
    for row, column in zip(*np.nonzero(~np.eye(len(cosines), dtype=bool)), strict=True):
        red, green, blue, _ = image.cmap(image.norm(cosines[row, column]))
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.55
        panel.text(
            column, row, f"{cosines[row, column]:.2f}", ha="center", va="center", fontsize=7.5,
            color="#1b1b1b" if light else "#ffffff",
        )  # fmt: skip

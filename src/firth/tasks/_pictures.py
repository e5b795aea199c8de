"""Pictures: who is taken for whom, and how accuracy grows with the texts learned from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import MissingExtraError, OutputError, ParameterError

if TYPE_CHECKING:
    import os

    from firth.tasks._compare import ClassifierComparison, ComparedRow
    from firth.tasks._scores import ClassificationReport

_SUFFIXES = (".png", ".svg", ".pdf")
# Okabe and Ito 2008, "Color Universal Design": told apart by people who see fewer colours, too.
_COLOURS = ("#0072B2", "#56B4E9", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#555555")
_MARKERS = "osD^vPX"
_MOST_WRITTEN = 30  # classes, above which a matrix has no room for numbers


def draw_confusion(report: ClassificationReport, path: str | os.PathLike[str]) -> None:
    """Draw a confusion matrix; a row is what texts are, a column what they were taken for."""
    check_picture(path)
    from matplotlib.figure import Figure

    n = len(report.labels)
    totals = report.confusion.sum(axis=1, keepdims=True)
    shares = report.confusion / np.maximum(totals, 1)
    side = min(16.0, 2.6 + 0.36 * n)
    figure = Figure(figsize=(side + 0.9, side), layout="constrained")
    panel = figure.subplots()
    image = panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [str(label) for label in report.labels]
    panel.set_xticks(range(n), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    panel.set_yticks(range(n), names, fontsize=8)
    panel.set_xlabel("taken for")
    panel.set_ylabel("is")
    panel.set_title(
        f"accuracy {report.accuracy:.3f} on {report.n_texts:,} texts, macro F1 "
        f"{report.macro_f1:.3f}",
        fontsize=10,
    )
    if n <= _MOST_WRITTEN:
        for i, j in zip(*np.nonzero(report.confusion), strict=True):
            colour = "white" if shares[i, j] > 0.55 else "#333333"
            count = f"{report.confusion[i, j]:,}"
            panel.text(j, i, count, ha="center", va="center", fontsize=6.5, color=colour)
    panel.tick_params(length=0)
    for spine in panel.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(image, ax=panel, fraction=0.04, pad=0.01, format=_percent())
    bar.outline.set_visible(False)
    bar.set_label("of the row's texts")
    _save(figure, path)


def draw_learning_curves(comparison: ClassifierComparison, path: str | os.PathLike[str]) -> None:
    """Draw accuracy by the number of texts learned from, a line with intervals a classifier."""
    check_picture(path)
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, NullLocator

    rows = comparison.rows
    if not rows:
        raise ParameterError("there are no trials to draw")
    sizes = sorted({row.n_texts for row in rows})
    figure = Figure(figsize=(8.2, 4.8), layout="constrained")
    panel = figure.subplots()
    ends = []
    for i, name in enumerate(dict.fromkeys(row.name for row in rows)):
        colour = _COLOURS[i % len(_COLOURS)]
        some = sorted((row for row in rows if row.name == name), key=lambda row: row.n_texts)
        xs, ys = [row.n_texts for row in some], [row.accuracy for row in some]
        panel.errorbar(
            xs, ys, _half_widths(some), color=colour, marker=_MARKERS[i % len(_MARKERS)],
            markersize=5, linewidth=1.6, elinewidth=1, capsize=2.5,
        )  # fmt: skip
        ends.append((ys[-1], name, colour))
    panel.set_xscale("log")
    panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.yaxis.set_major_formatter(_percent())
    panel.set_ylim(bottom=0)
    panel.grid(axis="y", color="#dddddd", linewidth=0.6)
    panel.set_axisbelow(True)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    panel.set_xlabel("texts learned from")
    panel.set_ylabel(f"accuracy on {comparison.n_test:,} others")
    _name_lines(panel, ends)
    _save(figure, path)


def _half_widths(rows: list[ComparedRow]) -> Any:
    halves = np.array([row.high - row.accuracy for row in rows])
    return None if np.isnan(halves).all() else np.nan_to_num(halves)


def _name_lines(panel: Any, ends: list[tuple[float, str, str]]) -> None:
    """Write names behind the ends of lines, moved apart where they would cover each other."""
    step = 0.052 * (panel.get_ylim()[1] - panel.get_ylim()[0])
    below = -np.inf
    for y, name, colour in sorted(ends):
        below = max(y, below + step)
        panel.annotate(
            f"{name}  {100 * y:.1f}", (1.015, below), xycoords=("axes fraction", "data"),
            va="center", fontsize=9, color=colour, annotation_clip=False,
        )  # fmt: skip


def check_picture(path: str | os.PathLike[str]) -> None:
    """Check before long work that a picture can be drawn, and what kind it is to be.

    Raises
    ------
    ParameterError
        If the name ends in none of ``.png``, ``.svg``, ``.pdf``.
    OutputError
        If its folder is not there.
    MissingExtraError
        If matplotlib is missing.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise ParameterError(f"{path}: a picture is named {', '.join(_SUFFIXES)}")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: the folder {target.parent} is not there; make it first")
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("matplotlib", "tasks", "a picture") from error


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=0)


def _save(figure: Any, path: str | os.PathLike[str]) -> None:
    from firth.storage import output_errors

    target = Path(path)
    beside = target.with_name(f".{target.name}.partial{target.suffix}")
    try:
        with output_errors(target):
            figure.savefig(beside, dpi=160)
            beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)

"""Pictures of scores, as SVG to stand in a page."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any

from firth.errors import MissingExtraError
from firth.evaluation._frequency import BAND_NAMES
from firth.evaluation._tables import PERCENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firth.evaluation._results import Score

# Okabe and Ito 2008, "Color Universal Design": told apart by people who see fewer colours, too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = "osD^vP"
# Stands for the colour of the text around, which is another one on a dark page.
_TEXT, _GRID = "#010203", "#040506"
_WIDTH = 8.2  # inches
_ROW = 0.42


def colour(i: int) -> str:
    """Give the colour of a model."""
    return COLOURS[i % len(COLOURS)]


def intervals(scores: Sequence[Score], models: Sequence[str], label: str) -> str:
    """Draw scores with their intervals: a line a test set, a point a model."""
    rows = list(dict.fromkeys(_label(score) for score in scores))
    step = min(0.22, 0.7 / max(1, len(models)))
    figure, panel = _figure(len(rows) * max(1.0, len(models) * 0.45))
    for i, model in enumerate(models):
        found = {_label(score): score for score in scores if score.model == model}
        for place, row in enumerate(rows):
            score = found.get(row)
            if score is None or math.isnan(score.value):
                continue
            y = place + (i - (len(models) - 1) / 2) * step
            if not math.isnan(score.low):
                panel.plot([score.low, score.high], [y, y], color=colour(i), linewidth=2, alpha=0.6)
            panel.plot(score.value, y, _MARKERS[i % len(_MARKERS)], color=colour(i), markersize=5.5)
    _name_rows(panel, rows)
    panel.axvline(0, color=_TEXT, linewidth=0.8)
    if label in PERCENT:
        panel.xaxis.set_major_formatter(_percent())
    panel.set_xlabel(label)
    return _svg(figure, label)


def coverage(scores: Sequence[Score], models: Sequence[str]) -> str:
    """Draw the share of questions that each model knows the words of."""
    shares = coverage_of(scores)
    rows = list(dict.fromkeys(test_set for test_set, _ in shares))
    height = 0.75 / max(1, len(models))
    figure, panel = _figure(len(rows) * max(0.7, len(models) * 0.28))
    for i, model in enumerate(models):
        places = [p + (i - (len(models) - 1) / 2) * height for p in range(len(rows))]
        values = [shares.get((row, model), 0.0) for row in rows]
        panel.barh(places, values, height=0.85 * height, color=colour(i), alpha=0.85)
    _name_rows(panel, rows)
    panel.set_xlim(0, 1)
    panel.xaxis.set_major_formatter(_percent())
    panel.set_xlabel("questions whose words are known")
    return _svg(figure, "coverage")


def coverage_of(scores: Sequence[Score]) -> dict[tuple[str, str], float]:
    """Give the coverage of each test set by each model; added up where there are only sections."""
    metrics: dict[str, str] = {}
    counts: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    for score in scores:
        if metrics.setdefault(score.test_set, score.metric) == score.metric:
            told = (score.section, score.n_covered, score.n_questions)
            counts.setdefault((score.test_set, score.model), []).append(told)
    shares = {}
    for key, parts in counts.items():
        whole = [part for part in parts if not part[0]] or parts
        shares[key] = sum(n for _, n, _ in whole) / sum(n for _, _, n in whole)
    return shares


def by_frequency(scores: Sequence[Score], models: Sequence[str], metric: str) -> str:
    """Draw the scores of one test set along the frequency of the rarest word of a question."""
    bands = [band for band in BAND_NAMES if any(score.section == band for score in scores)]
    figure, panel = _figure(0, height=2.6, width=_WIDTH / 2)
    for i, model in enumerate(models):
        found = {score.section: score for score in scores if score.model == model}
        drawn = [(x, found[band]) for x, band in enumerate(bands) if band in found]
        xs = [x + (i - (len(models) - 1) / 2) * 0.06 for x, _ in drawn]
        values = [score.value for _, score in drawn]
        panel.plot(xs, values, marker=_MARKERS[i % len(_MARKERS)], color=colour(i), markersize=4)
        for x, (_, score) in zip(xs, drawn, strict=True):
            if not math.isnan(score.low):
                panel.plot([x, x], [score.low, score.high], color=colour(i), alpha=0.5)
    panel.set_xticks(range(len(bands)), [band.replace(",000", "k") for band in bands])
    panel.tick_params(axis="x", labelsize=7)
    panel.set_xlabel("place of the rarest word in the vocabulary")
    panel.set_ylabel(metric)
    if metric in PERCENT:
        panel.yaxis.set_major_formatter(_percent())
    panel.grid(axis="y", color=_GRID, linewidth=0.6)
    return _svg(figure, f"{metric} by frequency")


def _label(score: Score) -> str:
    return score.section or score.test_set


def check_matplotlib() -> None:
    """Raise MissingExtraError where nothing can be drawn."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "a report with pictures") from error


def _figure(n_rows: float, *, height: float | None = None, width: float = _WIDTH) -> Any:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    settings: Any = {
        "text.color": _TEXT, "axes.labelcolor": _TEXT, "axes.edgecolor": _TEXT,
        "xtick.color": _TEXT, "ytick.color": _TEXT, "font.size": 9.0,
    }  # fmt: skip
    with rc_context(settings):
        figure = Figure(figsize=(width, height or 0.8 + _ROW * n_rows), layout="constrained")
        panel = figure.subplots()
    figure.patch.set_alpha(0)
    panel.patch.set_alpha(0)
    panel.set_axisbelow(True)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    return figure, panel


def _name_rows(panel: Any, rows: Sequence[str]) -> None:
    panel.set_yticks(range(len(rows)), rows)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x", color=_GRID, linewidth=0.6)
    panel.spines["left"].set_visible(False)


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0, decimals=0)


def _svg(figure: Any, name: str) -> str:
    from matplotlib import rc_context

    written = io.StringIO()
    # The salt keeps the identifiers of several pictures on one page apart, and is no chance.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'<svg\b[^>]*?(viewBox="[^"]*")[^>]*>', r'<svg role="img" \1>', text, count=1)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return text.replace(_TEXT, "currentColor").replace(_GRID, "var(--grid)")

"""Learning curves as pictures."""

from __future__ import annotations

import math
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firth.errors import InputError, MissingExtraError, OutputError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

# Okabe and Ito 2008, "Color Universal Design": told apart by people who see fewer colours, too.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_GREY = "#8A8A8A"
_INCHES = (8.0, 3.4)  # of a panel
_DOTS_PER_INCH = 150


def plot_curves(
    curves: Mapping[str, Sequence[Mapping[str, Any]]], file: str | os.PathLike[str]
) -> None:
    """Draw learning curves: loss and learning rate, and below what probes saw.

    Parameters
    ----------
    curves : mapping of str to list of dict
        The points of each model, as `read_curve` gives them, by the name to be written beside its
        line.
    file : str or Path
        The picture, which appears whole; its suffix says the format: ``.png``, ``.svg``, ``.pdf``.

    Raises
    ------
    MissingExtraError
        Matplotlib is not installed.
    InputError
        A curve has no points of the loss.
    OutputError
        The file cannot be written.
    """
    for name, points in curves.items():
        if not any("loss" in point for point in points):
            raise InputError(f"{name}: its learning curve has no points: nothing was learned")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "drawing a learning curve") from error
    scores = {name: _scores_of(points) for name, points in curves.items()}
    probes = list(dict.fromkeys(probe for of_model in scores.values() for probe in of_model))
    n_panels = 2 if probes else 1
    figure = Figure(
        figsize=(_INCHES[0], _INCHES[1] * n_panels), dpi=_DOTS_PER_INCH, layout="constrained"
    )
    panels = figure.subplots(n_panels, 1, sharex=True, squeeze=False)[:, 0]
    _draw_losses(panels[0], curves)
    if probes:
        _draw_scores(panels[1], scores, probes)
    panels[-1].set_xlabel("epochs")
    panels[-1].set_xlim(left=0)
    _save(figure, Path(file))


def _draw_losses(panel: Any, curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    alone = len(curves) == 1
    lowest, highest = math.inf, -math.inf
    for colour, (name, points) in zip(_cycle(len(curves)), curves.items(), strict=True):
        losses = [point for point in points if "loss" in point]
        epochs = [point["epochs"] for point in losses]
        values = [point["loss"] for point in losses]
        # The mean of a few thousand examples jumps with the text; the line shows where it goes.
        panel.plot(epochs, values, color=colour, alpha=0.25, linewidth=0.8)
        lowest, highest = min(lowest, *values), max(highest, _highest_shown(values))
        panel.plot(epochs, _smoothed(values), color=colour, linewidth=1.8, label=name)
        if alone:
            rate = panel.twinx()
            rate.plot(epochs, [p["alpha"] for p in losses], color=_GREY, linewidth=1, dashes=(4, 3))
            rate.set_ylabel("learning rate", color=_GREY)
            rate.tick_params(axis="y", colors=_GREY)
            rate.set_ylim(bottom=0)
            rate.spines["top"].set_visible(False)
    margin = 0.05 * (highest - lowest) or 0.05
    panel.set_ylim(lowest - margin, highest + margin)
    _tidy(panel, "mean loss of an example", with_right_side=alone)
    if alone:
        panel.set_title(next(iter(curves)), loc="left")
    else:
        panel.legend(frameon=False)


def _draw_scores(
    panel: Any, scores: Mapping[str, Mapping[str, list[tuple[float, float]]]], probes: list[str]
) -> None:
    alone = len(scores) == 1
    styles = ("-", "--", ":", "-.")
    colours = _cycle(len(probes) if alone else len(scores))
    for i, (model, of_model) in enumerate(scores.items()):
        for j, probe in enumerate(probes):
            if probe not in of_model:
                continue
            epochs, values = zip(*of_model[probe], strict=True)
            panel.plot(
                epochs, values, marker="o", markersize=3.5, linewidth=1.5,
                color=colours[j] if alone else colours[i],
                linestyle="-" if alone else styles[j % len(styles)],
                label=probe if alone else f"{model}: {probe}",
            )  # fmt: skip
    _tidy(panel, "score of the probes")
    panel.legend(frameon=False)


def _scores_of(points: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Collect the scores of each probe with their epochs."""
    found: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        several = point.get("scores")
        if isinstance(several, dict):
            told = {f"{point['probe']}: {name}": score for name, score in several.items()}
        else:
            told = {str(point.get("probe")): point.get("score")}
        for name, score in told.items():
            if isinstance(score, int | float):
                found.setdefault(name, []).append((float(point["epochs"]), float(score)))
    return found


def _smoothed(values: list[float]) -> list[float]:
    """Average each value with its neighbours, over a twentieth of the curve, less at its ends."""
    most = len(values) // 40
    means = []
    for i in range(len(values)):
        reach = min(most, i, len(values) - 1 - i)
        around = values[i - reach : i + reach + 1]
        means.append(sum(around) / len(around))
    return means


def _highest_shown(values: list[float]) -> float:
    """Leave out how the loss falls at the very beginning, which would flatten all the rest."""
    return max(values[len(values) // 50 :])


def _cycle(n: int) -> list[str]:
    return [_COLOURS[i % len(_COLOURS)] for i in range(n)]


def _tidy(panel: Any, label: str, *, with_right_side: bool = False) -> None:
    panel.set_ylabel(label)
    panel.grid(axis="y", color="#E4E4E4", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines["top"].set_visible(False)
    panel.spines["right"].set_visible(with_right_side)


def _save(figure: Any, path: Path) -> None:
    beside = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        figure.savefig(beside)
        beside.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    except ValueError as error:  # a suffix that it does not know
        raise OutputError(f"{path}: {error}") from error
    finally:
        beside.unlink(missing_ok=True)

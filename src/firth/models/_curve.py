"""The learning curve: how the loss, and what probes saw, went along a training."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from firth.errors import FormatError, SourceError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

CURVE_FILE = "training.jsonl"
MOST_POINTS = 500  # of the loss: more than a drawing can show


class Curve:
    """Points along a training, in the order in which they were noted.

    Each is a dictionary with ``words`` (gone through so far), ``epochs``, ``seconds`` and either
    ``loss`` (the mean of the examples since the point before) and ``alpha``, or ``probe`` (its
    name) and what that saw.
    """

    def __init__(self, points: list[dict[str, Any]] | None = None) -> None:
        self.points = points or []
        self._chunks = 0
        self._loss = 0.0
        self._n_examples = 0

    def add(
        self,
        loss: float,
        n_examples: int,
        *,
        n_chunks: int,
        words: int,
        epochs: float,
        alpha: float,
        seconds: float,
    ) -> None:
        """Count a chunk of a run of `n_chunks`; every now and then that makes a point."""
        self._chunks += 1
        self._loss += loss
        self._n_examples += n_examples
        if self._chunks * MOST_POINTS >= n_chunks and self._n_examples:
            self.points.append(
                {
                    "words": words,
                    "epochs": round(epochs, 4),
                    "seconds": round(seconds, 3),
                    "alpha": round(alpha, 8),
                    "loss": self._loss / self._n_examples,
                }
            )
            self._chunks, self._loss, self._n_examples = 0, 0.0, 0

    def note(self, point: dict[str, Any]) -> None:
        """Add what a probe saw."""
        self.points.append(point)

    def state(self) -> dict[str, Any]:
        """Tell all of it, as JSON can hold it."""
        return {
            "points": self.points,
            "chunks": self._chunks,
            "loss": self._loss,
            "n_examples": self._n_examples,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Go back to where `state` was called."""
        curve = cls([dict(point) for point in state["points"]])
        curve._chunks = int(state["chunks"])
        curve._loss = float(state["loss"])
        curve._n_examples = int(state["n_examples"])
        return curve

    def write(self, path: Path) -> None:
        """Write a line of JSON for each point."""
        with path.open("w", encoding="ascii") as file:
            file.writelines(json.dumps(point) + "\n" for point in self.points)


def read_curve(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read the learning curve of a model folder.

    Parameters
    ----------
    folder : str or Path
        A folder that a trained model was saved to.

    Returns
    -------
    list of dict
        The points, as `Curve` tells.

    Raises
    ------
    SourceError
        There is no such folder, or it has no learning curve.
    FormatError
        A line of the file is none of a curve.
    """
    path = Path(folder) / CURVE_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        why = "no such folder" if not Path(folder).exists() else f"no {CURVE_FILE} in it"
        raise SourceError(
            f"{folder}: {why}; give a folder that firth train or Word2Vec.save wrote"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: cannot be read: {error}") from error
    points = []
    for number, line in enumerate(lines, start=1):
        try:
            point = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{path}: line {number} is no JSON: {error}") from error
        if not isinstance(point, dict) or not isinstance(point.get("words"), int):
            raise FormatError(f'{path}: line {number} has no "words": not a learning curve')
        loss = point.get("loss", 0.0)
        if not isinstance(loss, int | float) or not math.isfinite(loss):
            raise FormatError(f"{path}: line {number}: the loss is {loss!r}, which is no number")
        points.append(point)
    return points

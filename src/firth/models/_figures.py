"""What a model tells of its last training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from firth.models._schedule import Run


class RunFigures:
    """Figures of the last training, or of the one that runs."""

    _run: Run

    @property
    def epoch_losses(self) -> list[float]:
        losses = self._run.losses
        return [losses.mean(i) for i, n in enumerate(losses.n_examples) if n]

    @property
    def loss(self) -> float:
        losses = self.epoch_losses
        return losses[-1] if losses else math.nan

    @property
    def learning_curve(self) -> list[dict[str, Any]]:
        """The loss, and what probes saw, along the last training; see `firth.read_curve`."""
        return self._run.curve.points

    @property
    def training_seconds(self) -> float:
        return self._run.seconds

    @property
    def interrupted(self) -> bool:
        return self._run.interrupted

    def _per_second(self) -> float:
        return self._run.n_words / self._run.seconds if self._run.seconds else 0.0

"""One training from its first chunk to its last, with all that looks at it in between."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firth.models._callbacks import CallbackAny2Vec
    from firth.models._schedule import Course, Run
    from firth.progress import Progress


class Engine(Protocol):
    """What trains on chunks: `Hogwild`, or `Rounds` where the same bits are wanted."""

    def advance(self, run: Run, until: int, deadline: float) -> None:
        """Train on a chunk at least, up to a chunk or a time; no chunk is under way then."""


class Watch(Protocol):
    """What looks at a training every now and then, between two chunks."""

    def next_chunk(self, run: Run, plan: Any) -> int | None:
        """Give the chunk before which it wants to look next, if it goes by chunks."""

    def next_time(self, run: Run) -> float | None:
        """Give the time by `time.perf_counter` when it wants to look next, if it goes by time."""

    def look(self, model: Any, run: Run, plan: Any) -> Mapping[str, float] | None:
        """Look, where it is time to; returns figures to be shown."""


def run_training(
    model: Any,
    engine: Engine,
    run: Run,
    plan: Course,
    bar: Progress,
    *,
    callbacks: Sequence[CallbackAny2Vec],
    watches: Sequence[Watch],
) -> None:
    """Train on the rest of a plan.

    The work is cut into segments, at whose ends no chunk is under way: that is when somebody may
    look. Whatever is raised there goes to the caller, but for Ctrl-C, which is noted in the run.
    """
    try:
        for callback in callbacks:
            callback.on_train_begin(model)
        while run.position < plan.n_chunks and not run.ends:
            if run.position % plan.chunks_per_epoch == 0:
                for callback in callbacks:
                    callback.on_epoch_begin(model)
                if run.ends:
                    break
            engine.advance(run, *_segment_end(run, plan, watches, by_epochs=bool(callbacks)))
            if run.interrupted:
                break
            if run.position % plan.chunks_per_epoch == 0:
                for callback in callbacks:
                    callback.on_epoch_end(model)
            for watch in watches:
                bar.advance(0, **(watch.look(model, run, plan) or {}))
    except KeyboardInterrupt:
        run.interrupted = True
    for callback in callbacks:
        callback.on_train_end(model)


def _segment_end(
    run: Run, plan: Course, watches: Sequence[Watch], *, by_epochs: bool
) -> tuple[int, float]:
    """Tell before which chunk, and when, somebody wants to look next."""
    until = plan.n_chunks
    if by_epochs:
        until = (run.position // plan.chunks_per_epoch + 1) * plan.chunks_per_epoch
    deadline = math.inf
    for watch in watches:
        chunk, moment = watch.next_chunk(run, plan), watch.next_time(run)
        until = until if chunk is None else min(until, max(chunk, run.position + 1))
        deadline = deadline if moment is None else min(deadline, moment)
    return until, deadline

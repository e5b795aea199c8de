"""A training as it goes: how far it is, and the vectors that it has so far."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from firth.models import CallbackAny2Vec, Probe
from firth.service._problems import Problem
from firth.service._reading import JSON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from firth.service._models import Models

# Vectors are copied so often at most, and where a copy takes long so seldom that it takes no more
# than this share of the time.
_COPY_EVERY = 10.0
_SHARE_FOR_COPIES = 0.02
_TELL_EVERY = 0.5
_SILENT_FOR = 15.0  # until a sign of life is sent, so that nobody takes the connection for dead

_encode = msgspec.json.Encoder().encode


class TrainingState(Struct, frozen=True):
    """How far a training is."""

    state: Annotated[
        Literal["reading", "training", "finished", "stopped", "failed"],
        Meta(description="Stopped: before its end, by Ctrl-C or by what looks at it."),
    ]
    model: str
    algorithm: str | None = None
    message: Annotated[str | None, Meta(description="Why it was stopped, or failed.")] = None
    done: Annotated[int, Meta(description="Words gone through so far, in all epochs.")] = 0
    total: Annotated[int, Meta(description="Words to go through, in all epochs.")] = 0
    epochs: float = 0.0
    total_epochs: int = 0
    rate: Annotated[float | None, Meta(description="Words a second.")] = None
    seconds: float = 0.0
    seconds_left: float | None = None
    loss: Annotated[float | None, Meta(description="Mean of the examples of this epoch.")] = None
    points: Annotated[int, Meta(description="How many points the learning curve has.")] = 0
    vectors: Annotated[
        int, Meta(description="Grows whenever newer vectors can be asked; 0 while there are none.")
    ] = 0


class LiveTraining(CallbackAny2Vec):
    """What of a training is shown while it goes.

    Parameters
    ----------
    models : Models
        Where its vectors are put, to be asked as those of any other model.
    name : str
        What they are called there.

    Notes
    -----
    How far the training is, is read from the model by whoever asks, and costs the training nothing.
    Vectors are copied between two chunks, which takes at most a fiftieth of the time.
    """

    def __init__(self, models: Models, name: str) -> None:
        self._models = models
        self._name = name
        self._model: Any = None
        self._ended: Literal["finished", "stopped", "failed"] | None = None
        self._message: str | None = None
        self._version = 0
        self._copied_at = 0.0
        self._copy_took = 0.0
        self.total = 0  # words of the whole training
        self.closed = False

    # --- told by the training -------------------------------------------------------------------

    def callbacks(self, *, by_time: bool) -> list[CallbackAny2Vec]:
        """Give what is to be handed to the training.

        Parameters
        ----------
        by_time : bool
            Copy vectors every few seconds too, and not just behind each epoch; not for GloVe.
        """
        return [self, _Copies(self)] if by_time else [self]

    def on_train_begin(self, model: Any) -> None:
        """Note what is trained, and show the vectors that it begins with."""
        self._model = model
        self.copy(model)

    def on_epoch_end(self, model: Any) -> None:
        """Show the vectors of this epoch."""
        self._model = model
        self.copy(model)

    def on_train_end(self, model: Any) -> None:
        """Note how it ended."""
        early = getattr(model, "run", model)
        reason = str(early.stopped or "")
        self._ended = "stopped" if reason or early.interrupted else "finished"
        self._message = reason or ("interrupted" if early.interrupted else None)

    def seconds_to_next_copy(self) -> float:
        """Tell how long newer vectors can wait."""
        pause = max(_COPY_EVERY, self._copy_took / _SHARE_FOR_COPIES)
        return self._copied_at + pause - time.perf_counter()

    def copy(self, model: Any) -> None:
        """Put the vectors of this moment where they can be asked."""
        began = time.perf_counter()
        self._show(model.wv)
        self._copied_at = time.perf_counter()
        self._copy_took = self._copied_at - began

    def _show(self, vectors: Any) -> None:
        self._models.put(self._name, vectors)
        self._version += 1

    # --- told by who trains ---------------------------------------------------------------------

    def fail(self, message: str) -> None:
        """Note that it came to nothing."""
        self._ended, self._message = "failed", message

    def keep(self, folder: Path) -> None:
        """Show the vectors of the folder that the model was saved to."""
        self._show(folder)

    def close(self) -> None:
        """Let go of those who listen."""
        self.closed = True

    # --- told to others -------------------------------------------------------------------------

    def state(self) -> TrainingState:
        """Tell how far it is."""
        model = self._model
        if model is None:
            state = self._ended or "reading"
            return TrainingState(state, self._name, message=self._message)
        common: dict[str, Any] = {
            "state": self._ended or "training",
            "model": self._name,
            "message": self._message,
            "total_epochs": model.epochs,
            "vectors": self._version,
        }
        run = getattr(model, "run", None)
        if run is None:
            return TrainingState(**common, **_of_epochs(model))
        seconds, done = run.seconds_now(), run.n_words
        total = max(done, self.total)
        return TrainingState(
            **common,
            algorithm=model.algorithm,
            done=done,
            total=total,
            epochs=round(model.epochs * done / total, 4) if total else 0.0,
            rate=done / seconds if seconds else None,
            seconds=seconds,
            seconds_left=seconds * (total - done) / done if done else None,
            loss=_last(model.epoch_losses),
            points=len(run.curve.points),
        )

    def points(self, first: int = 0) -> list[Mapping[str, Any]]:
        """Give the points of the learning curve from one on."""
        if self._model is None:
            return []
        run = getattr(self._model, "run", None)
        if run is None:
            losses = self._model.epoch_losses
            return [{"epochs": i + 1.0, "loss": losses[i]} for i in range(first, len(losses))]
        return list(run.curve.points[first:])

    # --- over HTTP ------------------------------------------------------------------------------

    def routes(self) -> list[BaseRoute]:
        """Give the routes that tell of it."""
        return [
            Route("/v1/training", self._state_now, methods=["GET"]),
            Route("/v1/training/events", self._events, methods=["GET"]),
        ]

    async def _state_now(self, request: Request) -> Response:  # noqa: ARG002
        content = {"training": self.state(), "points": self.points()}
        return Response(_encode(content), media_type=JSON)

    async def _events(self, request: Request) -> Response:
        given = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        if not given.isdecimal():
            raise Problem(400, f"{given[:60]!r} is no number of a point of the curve")
        return StreamingResponse(
            self._stream(int(given)),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    async def _stream(self, n_told: int) -> AsyncIterator[bytes]:
        """Tell what is new, as server-sent events, until the training has ended."""
        before, told_at = None, time.monotonic()
        while not self.closed:
            state, points = self.state(), self.points(n_told)
            if points:
                n_told += len(points)
                yield _event("points", points, number=n_told)
            if state != before:
                yield _event("state", state)
            if points or state != before:
                before, told_at = state, time.monotonic()
            elif time.monotonic() - told_at > _SILENT_FOR:
                told_at = time.monotonic()
                yield b":\n\n"
            await asyncio.sleep(_TELL_EVERY)


class _Copies(Probe):
    """Lets a training stop for a moment, between two chunks, when newer vectors are due."""

    def __init__(self, live: LiveTraining) -> None:
        super().__init__(_nothing, seconds=_COPY_EVERY, name="live")
        self._live = live

    def next_chunk(self, run: Any, plan: Any) -> None:  # noqa: ARG002
        """Go by time; and note how long the way is."""
        self._live.total = plan.n_words

    def next_time(self, run: Any) -> float | None:  # noqa: ARG002
        """Give the time of the next copy."""
        return time.perf_counter() + max(0.0, self._live.seconds_to_next_copy())

    def look(self, model: Any, run: Any, plan: Any) -> None:  # noqa: ARG002
        """Copy the vectors, if it is time to."""
        if self._live.seconds_to_next_copy() <= 0:
            self._live.copy(model)


def _nothing(model: Any) -> float:  # noqa: ARG001
    return 0.0


def _of_epochs(model: Any) -> dict[str, Any]:
    """Tell how far a model is that is trained on counts: it tells of whole epochs."""
    done, seconds = len(model.epoch_losses), float(model.training_seconds)
    return {
        "algorithm": type(model).__name__,
        "epochs": float(done),
        "seconds": seconds,
        "seconds_left": seconds * (model.epochs - done) / done if done else None,
        "loss": _last(model.epoch_losses),
        "points": done,
    }


def _last(losses: list[float]) -> float | None:
    return losses[-1] if losses and math.isfinite(losses[-1]) else None


def _event(name: str, content: Any, *, number: int | None = None) -> bytes:
    told = b"" if number is None else b"id: %d\n" % number
    return b"event: %s\n%sdata: %s\n\n" % (name.encode(), told, _encode(content))

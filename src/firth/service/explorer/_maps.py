"""The maps of the models that are served: opened, or outlined at once and arranged meanwhile."""

from __future__ import annotations

import atexit
import hashlib
import logging
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import FirthError
from firth.service.explorer._keeping import fingerprint, load, places_to_keep, save
from firth.service.explorer._places import (
    ARRANGED,
    Places,
    arrange,
    as_bytes,
    missing_package,
    outline,
)

if TYPE_CHECKING:
    from firth.service._models import ServedModel
    from firth.vectors import KeyedVectors

logger = logging.getLogger("firth")

READY, ARRANGING, FAILED = "ready", "arranging", "failed"

# Threads that arrange, and whether they are to end: the program does. A thread that is still in
# compiled code while Python is taken down around it would bring it down with a crash.
_arranging: set[threading.Thread] = set()
_ending = threading.Event()
_SECONDS_TO_END = 20  # between two looks at that


class _EndingError(Exception):
    """The program ends."""


@atexit.register
def _end() -> None:
    _ending.set()
    for thread in list(_arranging):
        thread.join(_SECONDS_TO_END)


@dataclass(frozen=True)
class MapOfModel:
    """The map of a model as it is now.

    Attributes
    ----------
    content : bytes
        What the page reads.
    version : str
        Another one for each other map.
    """

    wv: KeyedVectors
    places: Places
    content: bytes
    version: str


class Maps:
    """The maps of models, each made once.

    Parameters
    ----------
    live : str, optional
        The model that is being trained. Its vectors are others every few seconds: they are
        outlined, and arranged when they are in a folder.
    n_arranged : int
        How many words of a model are arranged by t-SNE; 0 for none.
    """

    def __init__(self, *, live: str | None = None, n_arranged: int = ARRANGED) -> None:
        self.live = live
        self._n_arranged = n_arranged
        self._made: dict[str, MapOfModel] = {}
        self._states: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self._turns = threading.Lock()

    def get(self, model: ServedModel) -> MapOfModel:
        """Give the map of a model; made now, if it was not yet.

        Raises
        ------
        InputError
            If no two of its vectors have a direction.
        """
        with self._lock:
            made = self._made.get(model.name)
            if made is None or made.wv is not model.wv:
                made = self._begin(model)
            return made

    def state(self, model: ServedModel) -> dict[str, str | None]:
        """Tell how far the map of a model is, which one there is, and what is wrong on disk."""
        made = self.get(model)
        with self._lock:
            state, message = self._states[model.name]
        return {
            "state": state,
            "message": message,
            "version": made.version,
            "fault": model.fault,
        }

    def _begin(self, model: ServedModel) -> MapOfModel:
        if model.name == self.live and model.path is None:
            return self._put(model, self._turned(model, outline(model.wv)), READY, "")
        mark = fingerprint(model.wv)
        files = places_to_keep(model.path, mark)
        kept = load(model.wv, mark, files)
        if kept is not None:
            return self._put(model, kept, READY, "")
        made = self._put(model, outline(model.wv), READY, "")
        if self._n_arranged:
            missing = missing_package()
            if missing is not None:
                self._states[model.name] = FAILED, missing
                return made
            self._states[model.name] = ARRANGING, "waiting for its turn"
            # Not in the threads of the service: those are for answers.
            thread = threading.Thread(
                target=self._arrange, args=(model, mark), name="firth-map", daemon=True
            )
            _arranging.add(thread)
            thread.start()
        return made

    def _turned(self, model: ServedModel, places: Places) -> Places:
        """Turn the outline of a model that is being trained to where it was a moment ago."""
        before = self._made.get(model.name)
        if before is None or not np.array_equal(before.places.rows, places.rows):
            return places
        # Orthogonal Procrustes: principal components have no sign, and turn as the model learns.
        left, _, right = np.linalg.svd(places.coordinates.T @ before.places.coordinates)
        return replace(places, coordinates=(places.coordinates @ (left @ right)))

    def _arrange(self, model: ServedModel, mark: str) -> None:
        try:
            self._arrange_unless_ended(model, mark)
        except _EndingError:
            pass
        finally:
            _arranging.discard(threading.current_thread())

    def _arrange_unless_ended(self, model: ServedModel, mark: str) -> None:
        def told(message: str) -> None:
            if _ending.is_set():
                raise _EndingError
            with self._lock:
                self._states[model.name] = ARRANGING, message

        try:
            with self._turns:  # one at a time: each takes all cores
                told("beginning")
                places = arrange(model.wv, n_arranged=self._n_arranged, told=told)
        except (FirthError, MemoryError) as error:
            logger.warning("%s: words are not arranged: %s", model.name, error)
            with self._lock:
                self._states[model.name] = FAILED, str(error) or "not enough memory"
            return
        save(places, mark, places_to_keep(model.path, mark))
        with self._lock:
            if self._made[model.name].wv is model.wv:
                self._put(model, places, READY, "")

    def _put(self, model: ServedModel, places: Places, state: str, message: str) -> MapOfModel:
        version = hashlib.sha256(places.coordinates.tobytes()).hexdigest()[:16]
        content = as_bytes(places, model.wv, about={"model": model.name, "version": version})
        made = MapOfModel(model.wv, places, content, version)
        self._made[model.name] = made
        self._states[model.name] = state, message
        return made

"""The map of a model, kept beside it: made once, opened from then on."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FirthError, FormatError
from firth.service.explorer._places import NO_GROUP, Places
from firth.storage import cache_folder, open_tensors, save_tensors

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from firth.vectors import KeyedVectors

logger = logging.getLogger("firth")

MAP_FILE = "map.safetensors"
_VERSION = 1


def fingerprint(wv: KeyedVectors) -> str:
    """Tell the vectors of one model from those of others: by its words and their lengths."""
    digest = hashlib.sha256(wv.vocab.fingerprint().encode())
    digest.update(np.ascontiguousarray(wv.norms, "<f4").data)
    return digest.hexdigest()


def places_to_keep(path: Path | None, mark: str) -> list[Path]:
    """Give the files where the map of a model may lie: in its folder, or else in the cache."""
    kept = [path / MAP_FILE] if path is not None and path.is_dir() else []
    cache = cache_folder()
    return [*kept, cache / "maps" / f"{mark[:32]}.safetensors"] if cache is not None else kept


def save(places: Places, mark: str, files: list[Path]) -> Path | None:
    """Write a map into the first of the files that can be written; None if none can."""
    about = {
        "map_version": _VERSION,
        "fingerprint": mark,
        "names": places.names,
        "method": places.method,
        "n_arranged": places.n_arranged,
        "n_vocabulary": places.n_vocabulary,
    }
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    tensors: dict[str, NDArray[Any]] = {
        "about": text,
        "rows": places.rows,
        "coordinates": places.coordinates,
        "groups": places.groups,
    }
    for file in files:
        try:
            if file.name != MAP_FILE:
                file.parent.mkdir(parents=True, exist_ok=True)
            save_tensors(file, tensors)
        except (FirthError, OSError) as error:
            logger.warning("the map is not kept in %s: %s", file, error)
        else:
            return file
    return None


def load(wv: KeyedVectors, mark: str, files: list[Path]) -> Places | None:
    """Open the map of these vectors; None where there is none, or only one of other vectors."""
    for file in files:
        if not file.exists():
            continue
        try:
            places, of = _read(file, len(wv))
        except FormatError as error:
            logger.warning("the map is made anew: %s", error)
        else:
            if of == mark:
                return places
    return None


def _read(file: Path, n_words: int) -> tuple[Places, str]:
    tensors = open_tensors(file)
    try:
        about: dict[str, Any] = json.loads(tensors["about"].tobytes())
        if about["map_version"] != _VERSION:
            raise FormatError(f"{file}: a map of version {about['map_version']!r:.20}")
        rows, coordinates, groups = (tensors[name] for name in ("rows", "coordinates", "groups"))
        places = Places(
            rows, coordinates, groups, [str(name) for name in about["names"]],
            str(about["method"]), int(about["n_arranged"]), int(about["n_vocabulary"]),
        )  # fmt: skip
        mark = str(about["fingerprint"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"{file}: is no map: {error}") from error
    n = len(rows)
    if not (
        rows.dtype == np.int32
        and coordinates.dtype == np.float32
        and groups.dtype == np.uint8
        and rows.ndim == 1
        and coordinates.shape == (n, 2)
        and groups.shape == (n,)
        and n
        and np.isfinite(coordinates).all()
        and rows[0] >= 0
        and rows[-1] < n_words
        and (np.diff(rows) > 0).all()
        and groups.max() <= NO_GROUP
    ):
        raise FormatError(f"{file}: is damaged, or the map of other vectors")
    return places, mark

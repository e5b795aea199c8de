"""The routes of the explorer: its page, and what only the page asks."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from starlette.responses import Response
from starlette.routing import Route

from firth.evaluation import diff
from firth.service._problems import Problem
from firth.service._reading import JSON, QueryReader
from firth.service._routes import json_response
from firth.service._shapes import ModelName, Word  # noqa: TC001 (msgspec reads annotations)
from firth.service.explorer._maps import Maps
from firth.service.explorer._places import ARRANGED

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from firth.service._models import Models, ServedModel
    from firth.vectors import KeyedVectors

# regl compiles its draw calls with `Function`, so that 'unsafe-eval' must stand here. Where the
# browser knows Trusted Types nothing but these programs passes (explorer/src/trusted_types.ts).
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' "
    # The style sheet that regl-scatterplot makes is empty at first: this is the hash of nothing.
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types default"
)
_FILES = {
    "/": ("explorer.html", "text/html; charset=utf-8"),
    "/explorer/explorer.js": ("explorer.js", "text/javascript; charset=utf-8"),
    "/explorer/explorer.css": ("explorer.css", "text/css; charset=utf-8"),
    "/explorer/licences.txt": ("licences.txt", "text/plain; charset=utf-8"),
}
# Of frequent words that both models have: as `firth diff`.
_COMPARED = 20_000
_MOVED = 200


class OfModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question about one model."""

    model: ModelName = None


class AxesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ends of two axes."""

    left: Word
    right: Word
    below: Word
    above: Word
    model: ModelName = None


class MovedQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two models."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    other: Annotated[str, msgspec.Meta(min_length=1)]


def explorer_routes(
    models: Models, *, live: str | None = None, n_arranged: int = ARRANGED
) -> list[BaseRoute]:
    """Give the routes of the explorer, for `firth.service.create_app`.

    Parameters
    ----------
    models : Models
        The models that are explored.
    live : str, optional
        The one that is being trained, if one is.
    n_arranged : int
        How many words are arranged by t-SNE; 0 for none.
    """
    return Explorer(models, Maps(live=live, n_arranged=n_arranged)).routes()


class Explorer:
    """What the page asks beside the routes of the service."""

    def __init__(self, models: Models, maps: Maps) -> None:
        self._models = models
        self._maps = maps
        self._moved: dict[tuple[str, str], tuple[KeyedVectors, KeyedVectors, bytes]] = {}

    def routes(self) -> list[BaseRoute]:
        """Give the routes."""
        return [
            *(Route(path, self._file, methods=["GET"]) for path in _FILES),
            Route("/explorer/about", self._about, methods=["GET"]),
            Route("/explorer/map", self._map, methods=["GET"]),
            Route("/explorer/map/state", self._state, methods=["GET"]),
            Route("/explorer/axes", self._axes, methods=["GET"]),
            Route("/explorer/moved", self._moved_words, methods=["GET"]),
        ]

    async def _file(self, request: Request) -> Response:
        name, media_type = _FILES[request.url.path]
        content = resources.files("firth.service.explorer").joinpath("static", name).read_bytes()
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        return Response(content, headers=headers, media_type=media_type)

    async def _about(self, request: Request) -> Response:  # noqa: ARG002
        """Tell which model is being trained, if one is."""
        return json_response({"live": self._maps.live})

    async def _map(self, request: Request) -> Response:
        """Give the words with their places, as `as_bytes` writes them."""
        model = self._of(request)
        made = await model.in_thread(lambda: self._maps.get(model))
        return Response(made.content, headers={"ETag": f'"{made.version}"'}, media_type=_NUMBERS)

    async def _state(self, request: Request) -> Response:
        """Tell whether the map is being made, and which one there is now."""
        model = self._of(request)
        return json_response(await model.in_thread(lambda: self._maps.state(model)))

    async def _axes(self, request: Request) -> Response:
        """Give the cosines of all words of the map with two directions, as float32."""
        asked = _read_axes(request)
        model = self._models.get(asked.model)
        rows = (await model.in_thread(lambda: self._maps.get(model))).places.rows
        found, angle = await model.in_thread(lambda: _on_axes(model, asked, rows))
        return Response(
            np.ascontiguousarray(found, "<f4").tobytes(),
            headers={"X-Angle": f"{angle:.1f}"},
            media_type=_NUMBERS,
        )

    async def _moved_words(self, request: Request) -> Response:
        """Give the words whose vectors moved most between two models."""
        asked = _read_moved(request)
        old, new = self._models.get(asked.model), self._models.get(asked.other)
        kept = self._moved.get((old.name, new.name))
        if kept is None or kept[0] is not old.wv or kept[1] is not new.wv:
            told = await new.in_thread(lambda: _moved_between(old, new))
            kept = self._moved[old.name, new.name] = old.wv, new.wv, told
        return Response(kept[2], media_type=JSON)

    def _of(self, request: Request) -> ServedModel:
        return self._models.get(_read_model(request).model)


_NUMBERS = "application/octet-stream"
_read_model = QueryReader(OfModel).read
_read_axes = QueryReader(AxesQuery).read
_read_moved = QueryReader(MovedQuery).read


def _on_axes(
    model: ServedModel, asked: AxesQuery, rows: NDArray[np.int32]
) -> tuple[NDArray[np.float32], float]:
    """Measure words along two directions: from one word to another, and from a third to a fourth.

    The coordinates are cosines, so that long vectors do not stand out. Directions are differences
    of unit vectors, as in analogies.
    """
    wv = model.wv
    ends = [asked.left, asked.right, asked.below, asked.above]
    units = wv.get_vectors(ends, norm=True).astype(np.float64)
    across, up = units[1] - units[0], units[3] - units[2]
    for direction, pair in ((across, ends[:2]), (up, ends[2:])):
        if not np.linalg.norm(direction) > 1e-6:
            raise Problem(400, f"{pair[0]!r} and {pair[1]!r} point the same way: that is no axis")
    cosines = np.stack(
        [
            wv.most_similar(positive=[direction.astype(np.float32)], topn=None)[rows]
            for direction in (across, up)
        ],
        axis=1,
    )
    turn = across @ up / (np.linalg.norm(across) * np.linalg.norm(up))
    return cosines, float(np.degrees(np.arccos(np.clip(turn, -1, 1))))


def _moved_between(old: ServedModel, new: ServedModel) -> bytes:
    found = diff(old.wv, new.wv, restrict_vocab=_COMPARED)
    moved = [
        {"word": each.word, "distance": round(float(each.distance), 4)}
        for each in found.moved(_MOVED, 1)
    ]
    return msgspec.json.encode(
        {"shared": found.n_shared, "compared": found.n_compared, "moved": moved}
    )

"""The application: models behind routes, guarded and counted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from firth.service._guard import Guard
from firth.service._limits import Limits
from firth.service._metrics import MEDIA_TYPE, Metrics
from firth.service._openapi import openapi_document
from firth.service._problems import HANDLERS
from firth.service._routes import Api, json_response
from firth.service._shapes import Health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from firth.service._models import Models
    from firth.service._training import LiveTraining

LOOK_EVERY = 2.0  # seconds: whether models were replaced on disk


def create_app(
    models: Models,
    *,
    limits: Limits | None = None,
    token: str | None = None,
    hosts: Collection[str] | None = None,
    training: LiveTraining | None = None,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Make the application that answers questions about models over HTTP.

    Parameters
    ----------
    models : Models
        What is asked.
    limits : Limits, optional
        What one request may ask for.
    token : str, optional
        What requests must bring, as ``Authorization: Bearer TOKEN``.
    hosts : collection of str, optional
        The names by which the service may be called; any if not given.
    training : LiveTraining, optional
        A training to be shown as it goes.
    routes : sequence of Starlette routes
        What else is there: pages and files. The routes of the service go before them.

    Returns
    -------
    starlette.applications.Starlette
        An ASGI application, for any server of these.
    """
    limits, metrics = limits or Limits(), Metrics()
    api = Api(models, limits, training=training is not None)

    async def health(request: Request) -> Response:  # noqa: ARG001
        return json_response(Health("ok"))

    async def figures(request: Request) -> Response:  # noqa: ARG001
        return Response(metrics.text(models), media_type=MEDIA_TYPE)

    document = openapi_document(limits, version("firth"), with_token=token is not None)

    async def openapi(request: Request) -> Response:  # noqa: ARG001
        return json_response(document)

    own: list[BaseRoute] = [
        *api.routes(),
        *(training.routes() if training is not None else ()),
        Route("/openapi.json", openapi, methods=["GET"]),
        Route("/health", health, methods=["GET"]),
        Route("/metrics", figures, methods=["GET"]),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001
        looking = asyncio.create_task(_look_after(models))
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            models.close()

    guard = Middleware(
        Guard,
        limits=limits,
        token=token,
        hosts=hosts,
        metrics=metrics,
        routes=[route.path for route in own if isinstance(route, Route)],
    )
    app = Starlette(
        routes=[*own, *routes],
        middleware=[guard],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
    app.state.models = models
    app.state.limits = limits
    return app


async def _look_after(models: Models) -> None:
    """Open models again that are replaced on disk."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(LOOK_EVERY)
        await loop.run_in_executor(models.threads, models.refresh)

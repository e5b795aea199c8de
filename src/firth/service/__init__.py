"""The service: vectors asked over HTTP; extra ``serve``.

::

    request ──► guard ──► shapes ──► lanes ──► KeyedVectors ──► shapes ──► response
               _guard    _reading   _search                    _answers

::

    from firth.service import Models, create_app

    app = create_app(Models({"wiki": "wiki100"}))  # an ASGI application
"""

from typing import TYPE_CHECKING, Any

from firth.errors import MissingExtraError

try:
    import msgspec as _msgspec  # noqa: F401
    import prometheus_client as _prometheus_client  # noqa: F401
    import starlette as _starlette  # noqa: F401
    import uvicorn as _uvicorn  # noqa: F401
except ImportError as error:
    raise MissingExtraError(error.name or "starlette", "serve", "the service") from error

from firth.service._app import create_app
from firth.service._limits import Limits
from firth.service._models import Models, ServedModel, name_sources
from firth.service._problems import Problem
from firth.service._server import LOCAL_HOSTS, BackgroundServer, address_of, listen, run_workers
from firth.service.explorer import explorer_routes

if TYPE_CHECKING:
    from firth.service._training import LiveTraining

__all__ = [
    "LOCAL_HOSTS",
    "BackgroundServer",
    "Limits",
    "LiveTraining",
    "Models",
    "Problem",
    "ServedModel",
    "address_of",
    "create_app",
    "explorer_routes",
    "listen",
    "name_sources",
    "run_workers",
]


def __getattr__(name: str) -> Any:
    # What only serves need not load what trains.
    if name != "LiveTraining":
        raise AttributeError(f"module 'firth.service' has no attribute {name!r}")
    from firth.service._training import LiveTraining

    return LiveTraining

"""What the service counts, for Prometheus."""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = CONTENT_TYPE_LATEST
# Where the workers of one service put their figures, so that any of them can tell the sum.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

# The moment at which each counter began is a line more for each, and told by nothing else either.
disable_created_metrics()  # type: ignore[no-untyped-call]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Requests by route and status, how long they took, and what is served."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "firth_requests",
            "Requests that were answered.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "firth_request_seconds",
            "How long requests took.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._under_way = Gauge(
            "firth_requests_under_way",
            "Requests that are being answered.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._words = Gauge(
            "firth_model_words",
            "Words of the models that are served.",
            ["model"],
            registry=self._registry,
            multiprocess_mode="max",
        )
        ProcessCollector(registry=self._registry)

    def begin(self) -> None:
        """Count a request that has come."""
        self._under_way.inc()

    def end(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._under_way.dec()
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self, models: Any) -> bytes:
        """Write all figures as Prometheus reads them."""
        for model in models:
            self._words.labels(model.name).set(len(model.wv))
        registry = self._registry
        if FOLDER_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

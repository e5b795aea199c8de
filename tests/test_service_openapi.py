"""The OpenAPI document: true of what is answered, and thrown at the service by schemathesis."""

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from firth import KeyedVectors, Vocab

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("httpx2", reason="the client of tests is not installed")

from starlette.testclient import TestClient

from firth.service import Limits, Models, create_app

# To schemathesis 413 is no refusal, so that no body is too long here.
LIMITS = Limits(questions=20, k=50, body=1 << 28)
WORDS = ["king", "queen", "man", "woman"]


def made():
    vectors = np.random.default_rng(1).standard_normal((4, 3)).astype(np.float32)
    wv = KeyedVectors(Vocab.from_words(WORDS), vectors)
    return create_app(Models({"small": wv}, LIMITS), limits=LIMITS)


def test_the_document_tells_every_route_and_the_limits():
    app = made()
    with TestClient(app) as client:
        document = client.get("/openapi.json").json()
    paths = {route.path for route in app.routes} - {"/openapi.json"}
    assert set(document["paths"]) == paths
    similar = document["paths"]["/v1/similar"]
    parameters = {each["name"]: each for each in similar["get"]["parameters"]}
    assert parameters["word"]["required"]
    assert parameters["word"]["schema"]["maxItems"] == LIMITS.questions
    assert parameters["k"]["schema"] == {
        "type": "integer", "minimum": 1, "maximum": LIMITS.k, "default": 10,
    }  # fmt: skip
    assert parameters["model"]["schema"] == {"type": "string"}
    names = document["components"]["schemas"]
    for used in references(document):
        assert used in names
    assert "security" not in document


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].removeprefix("#/components/schemas/")
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_what_the_document_allows_is_answered_and_the_rest_refused(mode):
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    checks = pytest.importorskip("schemathesis.specs.openapi.checks")
    schema = schemathesis.openapi.from_asgi("/openapi.json", made())
    tried = set()
    for operation in (each.ok() for each in schema.get_all_operations()):
        wanted = schemathesis.GenerationMode(mode)

        @given(case=operation.as_strategy(generation_mode=wanted))
        @settings(
            max_examples=5,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def answered(case):
            # 3.0 is an integer to JSON Schema, and none to whoever reads it.
            case.call_and_validate(excluded_checks=[checks.positive_data_acceptance])

        with contextlib.suppress(Unsatisfiable):  # no query is wrong where there is none
            answered()
            tried.add(operation.label)
    assert {"GET /v1/similar", "POST /v1/similar", "POST /v1/vectors"} <= tried

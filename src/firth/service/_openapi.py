"""The OpenAPI document: what the service offers, made of the shapes that it reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from firth.service import _shapes as shapes
from firth.service._problems import MEDIA_TYPE as PROBLEM
from firth.service._reading import JSON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firth.service._limits import Limits

Schema = dict[str, Any]

VERSION = "3.1.0"
_REFERENCE = "#/components/schemas/{name}"
_REFUSALS = {
    "400": "The request asks for what cannot be, or for more than the limits allow.",
    "401": "The token is missing or wrong.",
    "404": "There is no such word, or no such model.",
    "408": "The body did not arrive in time.",
    "413": "The body is too long.",
    "415": "The body is not JSON.",
    "421": "The service is not called by this name.",
    "503": "Too many questions are waiting, or this one took too long.",
}
_OF_ANY = ("400", "401", "421", "503")


@dataclass(frozen=True)
class Offer:
    """What can be asked at one path.

    Attributes
    ----------
    path : str
        The path.
    summary : str
        What is answered there, in a line.
    query : type or None
        The `msgspec.Struct` of the query of a GET.
    body : type or None
        The one of the body of a POST; None where there is no POST.
    answer : type, or dict
        What a GET is answered with: a `msgspec.Struct`, or the schema.
    answers : dict or None
        The schema of what a POST is answered with.
    media_type : str
        Of the answer to a GET.
    """

    path: str
    summary: str
    query: type[msgspec.Struct] | None
    answer: type[msgspec.Struct] | Schema
    body: type[msgspec.Struct] | None = None
    answers: Schema | None = None
    media_type: str = JSON

    def structs(self) -> list[type[msgspec.Struct]]:
        """Give all shapes that it names."""
        named = (self.query, self.body, self.answer)
        return [each for each in named if isinstance(each, type)]


def reference(shape: type[msgspec.Struct]) -> Schema:
    """Refer to the schema of a shape."""
    return {"$ref": _REFERENCE.format(name=shape.__name__)}


def many(field: str, *shapes_of_one: type[msgspec.Struct], **more: Schema) -> Schema:
    """Give the schema of a list of answers, in which each may have one of several shapes."""
    of_one = {"anyOf": [reference(shape) for shape in shapes_of_one]}
    fields = {"model": {"type": "string"}, **more, field: {"type": "array", "items": of_one}}
    return {"type": "object", "properties": fields, "required": list(fields)}


_VECTORS = many("vectors", shapes.VectorAnswer, shapes.NoVector, vector_size={"type": "integer"})

OFFERS = (
    Offer("/v1/models", "The models that are served.", None, shapes.ModelsAnswer),
    Offer(
        "/v1/similar",
        "The nearest neighbours of words and of sums of words.",
        shapes.SimilarQuery,
        shapes.SimilarAnswer,
        shapes.SimilarBody,
        many("answers", shapes.SimilarAnswer, shapes.QuestionProblem),
    ),
    Offer(
        "/v1/analogy",
        "What is to c as b is to a.",
        shapes.AnalogyQuery,
        shapes.AnalogyAnswer,
        shapes.AnalogyBody,
        many("answers", shapes.AnalogyAnswer, shapes.QuestionProblem),
    ),
    Offer(
        "/v1/similarity",
        "How similar two words are: their cosine.",
        shapes.SimilarityQuery,
        shapes.SimilarityAnswer,
        shapes.SimilarityBody,
        many("answers", shapes.SimilarityAnswer, shapes.QuestionProblem),
    ),
    Offer(
        "/v1/odd-one-out",
        "The word that fits least with the others.",
        shapes.OddOneOutQuery,
        shapes.OddOneOutAnswer,
        shapes.OddOneOutBody,
        many("answers", shapes.OddOneOutAnswer, shapes.QuestionProblem),
    ),
    Offer(
        "/v1/vectors",
        "The vectors of words.",
        shapes.VectorsQuery,
        _VECTORS,
        shapes.VectorsBody,
        _VECTORS,
    ),
)
_PAGES = (
    Offer("/health", "Whether the service answers; no token is needed.", None, shapes.Health),
    Offer(
        "/metrics",
        "Figures for Prometheus.",
        None,
        {"type": "string"},
        media_type="text/plain; version=1.0.0; charset=utf-8",
    ),
)
# Shapes that only other schemas refer to.
_BESIDE = (shapes.SimilarAnswer, shapes.QuestionProblem, shapes.VectorAnswer, shapes.NoVector)


def openapi_document(
    limits: Limits, version: str, *, with_token: bool, offers: Sequence[Offer] = OFFERS
) -> Schema:
    """Make the OpenAPI document of a service.

    Parameters
    ----------
    limits : Limits
        What one request may ask for; told as bounds of the schemas.
    version : str
        Of firth.
    with_token : bool
        Whether requests must bring a token.
    offers : sequence of Offer
        What is offered at which path.

    Returns
    -------
    dict
        As OpenAPI 3.1 wants it.
    """
    every = [*offers, *_PAGES]
    structs = {struct for offer in every for struct in offer.structs()}
    structs |= {*_BESIDE, shapes.ProblemDetails}
    in_order = sorted(structs, key=lambda struct: struct.__name__)
    _, components = msgspec.json.schema_components(in_order, ref_template=_REFERENCE)
    for name, schema in components.items():
        if name.endswith(("Query", "Body", "Sides")):
            _bound(schema, limits)
    document: Schema = {
        "openapi": VERSION,
        "info": {
            "title": "firth",
            "version": version,
            "summary": "Static word vectors, asked over HTTP.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {offer.path: _path(offer, components) for offer in every},
        "components": {"schemas": components},
    }
    for offer in every:
        if offer.query is not None:
            components.pop(offer.query.__name__, None)
    if with_token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
        document["paths"]["/health"]["get"]["security"] = []
    return document


def _bound(schema: Any, limits: Limits) -> None:
    """Put the limits of a service into the schema of what is asked."""
    if isinstance(schema, list):
        for each in schema:
            _bound(each, limits)
    elif isinstance(schema, dict):
        if schema.get("type") == "array" and "prefixItems" not in schema:
            schema["maxItems"] = limits.questions
        for name, each in schema.items():
            if name == "k":
                each["maximum"] = limits.k
            _bound(each, limits)


def _path(offer: Offer, components: Schema) -> Schema:
    told: Schema = {"get": _operation(offer, "get", _answer_of(offer))}
    if offer.query is not None:
        told["get"]["parameters"] = _parameters(components[offer.query.__name__])
    if offer.body is not None:
        told["post"] = _operation(offer, "post", offer.answers or {})
        told["post"]["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": reference(offer.body)}},
        }
    return told


def _answer_of(offer: Offer) -> Schema:
    return offer.answer if isinstance(offer.answer, dict) else reference(offer.answer)


def _operation(offer: Offer, method: str, answer: Schema) -> Schema:
    refusals = [*_OF_ANY]
    if offer.query is not None:
        refusals.append("404")
    if method == "post":
        refusals += ["408", "413", "415"]
    content = {offer.media_type if method == "get" else JSON: {"schema": answer}}
    responses: Schema = {"200": {"description": "The answer.", "content": content}}
    for status in sorted(refusals):
        responses[status] = {
            "description": _REFUSALS[status],
            "content": {PROBLEM: {"schema": reference(shapes.ProblemDetails)}},
        }
    name = offer.path.rpartition("/")[2]
    return {
        "operationId": f"{method}-{name}",
        "summary": offer.summary if method == "get" else f"{offer.summary} Many at once.",
        "responses": responses,
    }


def _parameters(schema: Schema) -> list[Schema]:
    """Give the parameters of a query: the properties of its schema."""
    required = set(schema.get("required", ()))
    parameters = []
    for name, field in schema["properties"].items():
        of_field = {key: value for key, value in field.items() if key != "description"}
        if of_field.get("anyOf"):  # in a query, what may be null is left out
            (of_field,) = (one for one in of_field["anyOf"] if one.get("type") != "null")
        parameter = {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": of_field,
        }
        if "description" in field:
            parameter["description"] = field["description"]
        parameters.append(parameter)
    return parameters

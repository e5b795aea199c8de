"""The routes of the service: what is asked where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from firth.service import _shapes as shapes
from firth.service._answers import (
    Asked,
    find_neighbours,
    odd_ones_out,
    similarities,
    vectors,
)
from firth.service._problems import Problem
from firth.service._reading import JSON, BodyReader, QueryReader, check_k, check_number

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from firth.service._limits import Limits
    from firth.service._models import Models, ServedModel

T = TypeVar("T")

# What asks one question, and gets its answer alone.
QUERIES = (
    shapes.SimilarQuery,
    shapes.AnalogyQuery,
    shapes.SimilarityQuery,
    shapes.OddOneOutQuery,
    shapes.VectorsQuery,
)

_encode = msgspec.json.Encoder().encode
# Less than that is answered at once: a thread would cost more.
_FEW = 8


def json_response(content: Any) -> Response:
    """Make a response of what msgspec can write as JSON."""
    return Response(_encode(content), media_type=JSON)


class Api:
    """The answers to requests, over some models.

    Parameters
    ----------
    models : Models
        The models that are asked.
    limits : Limits
        What one request may ask for.
    training : bool
        Whether a training is shown beside them.
    """

    def __init__(self, models: Models, limits: Limits, *, training: bool = False) -> None:
        self._models = models
        self._limits = limits
        self._training = training

    def routes(self) -> list[BaseRoute]:
        """Give the routes."""
        return [
            Route("/v1/models", self.models, methods=["GET"]),
            *self._both("/v1/similar", shapes.SimilarQuery, shapes.SimilarBody, self.similar),
            *self._both("/v1/analogy", shapes.AnalogyQuery, shapes.AnalogyBody, self.analogy),
            *self._both(
                "/v1/similarity", shapes.SimilarityQuery, shapes.SimilarityBody, self.similarity
            ),
            *self._both(
                "/v1/odd-one-out", shapes.OddOneOutQuery, shapes.OddOneOutBody, self.odd_one_out
            ),
            *self._both("/v1/vectors", shapes.VectorsQuery, shapes.VectorsBody, self.vectors),
        ]

    def _both(
        self,
        path: str,
        query: type[msgspec.Struct],
        body: type[msgspec.Struct],
        answer: Callable[[Any], Any],
    ) -> list[BaseRoute]:
        """Give the routes for one question in the query, and for many in the body."""
        read_query, read_body = QueryReader(query).read, BodyReader(body, self._limits).read

        async def either(request: Request) -> Response:
            asked = await read_body(request) if request.method == "POST" else read_query(request)
            return json_response(await self._in_time(answer(asked)))

        return [Route(path, either, methods=["GET", "POST"])]

    async def models(self, request: Request) -> Response:
        """Tell which models there are."""
        if request.query_params:
            raise Problem(400, "there are no parameters here; leave them out")
        return json_response(
            shapes.ModelsAnswer([_info(model) for model in self._models], self._training)
        )

    async def similar(self, asked: shapes.SimilarQuery | shapes.SimilarBody) -> Any:
        """Find the neighbours of words and of sums of words."""
        if isinstance(asked, shapes.SimilarQuery):
            questions = [Asked.of_sides(asked.word, asked.negative)]
        else:
            self._check(asked.questions)
            questions = [
                Asked.of_word(each)
                if isinstance(each, str)
                else Asked.of_sides(each.positive, each.negative)
                for each in asked.questions
            ]
        for each in questions:
            for side in (each.words, each.negative or ()):
                check_number(self._limits, len(side), "words in a question")
            if not each.words and not each.negative:
                raise Problem(400, "a question has neither positive nor negative words")
        return await self._neighbours(asked, questions)

    async def analogy(self, asked: shapes.AnalogyQuery | shapes.AnalogyBody) -> Any:
        """Complete analogies."""
        if isinstance(asked, shapes.AnalogyQuery):
            questions = [Asked.of_analogy(asked.a, asked.b, asked.c)]
        else:
            self._check(asked.questions)
            questions = [Asked.of_analogy(*each) for each in asked.questions]
        return await self._neighbours(asked, questions)

    async def similarity(self, asked: shapes.SimilarityQuery | shapes.SimilarityBody) -> Any:
        """Compare pairs of words."""
        if isinstance(asked, shapes.SimilarityQuery):
            pairs = [(asked.a, asked.b)]
        else:
            pairs = asked.questions
        self._check(pairs)
        model = self._models.get(asked.model)
        return _told(asked, model, await _few_or_many(model, similarities, pairs))

    async def odd_one_out(self, asked: shapes.OddOneOutQuery | shapes.OddOneOutBody) -> Any:
        """Find the words that fit least with others."""
        lists = [asked.word] if isinstance(asked, shapes.OddOneOutQuery) else asked.questions
        self._check(lists)
        check_number(self._limits, max(map(len, lists)), "words in a question")
        model = self._models.get(asked.model)
        return _told(asked, model, await _few_or_many(model, odd_ones_out, lists))

    async def vectors(self, asked: shapes.VectorsQuery | shapes.VectorsBody) -> Any:
        """Give the vectors of words."""
        words = asked.word if isinstance(asked, shapes.VectorsQuery) else asked.words
        self._check(words, "words")
        model = self._models.get(asked.model)
        told = await _few_or_many(model, vectors, words, norm=asked.norm)
        if isinstance(asked, QUERIES) and not any(isinstance(x, shapes.VectorAnswer) for x in told):
            raise Problem(404, told[0].error)
        return {"model": model.name, "vector_size": model.wv.vector_size, "vectors": told}

    # --- within -----------------------------------------------------------------------------------

    async def _in_time(self, answer: Awaitable[T]) -> T:
        seconds = self._limits.seconds
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise Problem(
                503,
                f"there is no answer after {seconds:g} seconds; ask for less at a time, or later",
                headers={"Retry-After": "1"},
            ) from None

    def _check(self, questions: Sequence[Any], what: str = "questions") -> None:
        check_number(self._limits, len(questions), what)

    async def _neighbours(self, asked: Any, questions: list[Asked]) -> Any:
        check_k(self._limits, asked.k)
        model = self._models.get(asked.model)
        told = await find_neighbours(model, questions, asked.k, approximate=asked.approximate)
        return _told(asked, model, told)


def _told(asked: Any, model: ServedModel, told: list[Any]) -> Any:
    """Put the answers of a request, or its one."""
    if not isinstance(asked, QUERIES):
        return {"model": model.name, "answers": told}
    if isinstance(told[0], shapes.QuestionProblem):
        raise Problem(404, told[0].error)
    return msgspec.structs.replace(told[0], model=model.name)


async def _few_or_many(
    model: ServedModel, answer: Callable[..., list[Any]], questions: Sequence[Any], **options: Any
) -> list[Any]:
    """Answer a few questions at once, and many in a thread."""
    if len(questions) <= _FEW and all(
        word in model.wv
        for question in questions
        for word in ([question] if isinstance(question, str) else question)
    ):
        return answer(model.wv, questions, **options)
    return await model.in_thread(lambda: answer(model.wv, questions, **options))


def _info(model: ServedModel) -> shapes.ModelInfo:
    wv = model.wv
    return shapes.ModelInfo(
        name=model.name,
        n_words=len(wv),
        vector_size=wv.vector_size,
        dtype=str(wv.dtype),
        subwords=None if wv.subwords is None else wv.subwords.family,
        has_counts=wv.vocab.total_count > 0,
        recall=model.recall,
        fault=model.fault,
    )

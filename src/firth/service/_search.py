"""Questions of many requests, answered together.

A search goes through the whole matrix, whether for one question or for many at once, and as many
rows are read. So questions that come while a search is under way wait for its end, and are then
answered by one search. Where there is no crowd, nobody waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from firth.service._problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from firth.vectors import NeighbourTable

# A word, or the words for and those against.
Question: TypeAlias = "str | tuple[list[str], list[str]]"
# The rows of the neighbours of a question, and their scores.
Found: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.float32]]"
Search: TypeAlias = "Callable[[Sequence[Question], int], NeighbourTable]"

# Questions of one search, and how many of them may be of one request: a request of a thousand
# should not keep a hundred small ones waiting.
_TOGETHER = 32
_OF_ONE_REQUEST = 8


@dataclass
class _Request:
    questions: Sequence[Question]
    k: int
    answered: asyncio.Future[None]
    n_taken: int = 0
    found: list[Found] = field(default_factory=list)


class Lane:
    """A row of requests in front of one kind of search, which goes on one at a time.

    Parameters
    ----------
    search : callable
        Answers a list of questions with their `k` nearest words; called in a thread of `threads`.
    threads : Executor
        Where to search.
    most_waiting : int
        More questions than that are refused.
    """

    def __init__(self, search: Search, threads: Executor, most_waiting: int) -> None:
        self._search = search
        self._threads = threads
        self._most_waiting = most_waiting
        self._requests: deque[_Request] = deque()
        self._n_waiting = 0
        self._is_searching = False

    async def ask(self, questions: Sequence[Question], k: int) -> list[Found]:
        """Find the neighbours of each question.

        Raises
        ------
        Problem
            Too many questions are waiting.
        """
        if self._n_waiting + len(questions) > self._most_waiting:
            raise Problem(
                503,
                f"{self._n_waiting:,} questions are waiting already; try again in a second",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        request = _Request(questions, k, loop.create_future())
        self._requests.append(request)
        self._n_waiting += len(questions)
        if not self._is_searching:
            self._search_next(loop)
        try:
            await request.answered
        finally:
            self._n_waiting -= len(questions)
        return request.found

    def _take(self) -> list[tuple[_Request, Sequence[Question]]]:
        """Take the questions of the next search: a few of each request, the first come first."""
        taken, room = [], _TOGETHER
        again = []
        while self._requests and room:
            request = self._requests.popleft()
            if request.answered.done():  # its time is up
                continue
            begin = request.n_taken
            some = request.questions[begin : begin + min(room, _OF_ONE_REQUEST)]
            request.n_taken += len(some)
            room -= len(some)
            taken.append((request, some))
            if request.n_taken < len(request.questions):
                again.append(request)
        self._requests.extend(again)
        return taken

    def _search_next(self, loop: asyncio.AbstractEventLoop) -> None:
        taken = self._take()
        self._is_searching = bool(taken)
        if not taken:
            return
        questions = [question for _, some in taken for question in some]
        k = max(request.k for request, _ in taken)
        searching = loop.run_in_executor(self._threads, self._search, questions, k)
        searching.add_done_callback(lambda done: self._deliver(loop, taken, done))

    def _deliver(
        self,
        loop: asyncio.AbstractEventLoop,
        taken: list[tuple[_Request, Sequence[Question]]],
        done: asyncio.Future[Any],
    ) -> None:
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        if error is None:
            table, first = done.result(), 0
            for request, some in taken:
                for at in range(first, first + len(some)):
                    request.found.append(
                        (table.rows[at, : request.k], table.scores[at, : request.k])
                    )
                first += len(some)
        for request, _ in taken:
            if request.answered.done():
                continue
            if error is not None:
                request.answered.set_exception(error)
            elif len(request.found) == len(request.questions):
                request.answered.set_result(None)
        self._search_next(loop)

"""The workers of a training: put on nodes, looked after, and replaced when they die."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Any

from firth.cluster._nodes import Node, nodes, on_node
from firth.cluster._report import WorkerReport
from firth.cluster._worker import Worker
from firth.errors import ClusterError, FirthError
from firth.progress import format_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from firth.cluster._report import Report
    from firth.cluster._tiers import Rhythm

    Matrices = dict[str, NDArray[np.float32]]

logger = logging.getLogger("firth")

_SECONDS_TO_ANSWER = 10.0
# More deaths than that for each worker are no accidents.
_DEATHS_PER_WORKER = 3


class Seat:
    """The place of a worker, which others take when it dies.

    Attributes
    ----------
    number : int
        Counted from 0.
    node : Node
        Where the worker is.
    threads : int
        Its threads.
    actor : ActorHandle
        The worker.
    report : WorkerReport
        What was done here.
    """

    def __init__(self, number: int, node: Node, threads: int, n_tiers: int) -> None:
        self.number = number
        self.node = node
        self.threads = threads
        self.actor: Any = None
        self.report = WorkerReport(node.address, threads)
        self._words = [0] * n_tiers

    def count(self, n_words: int, kernel_seconds: float, seconds: float) -> None:
        """Count what the worker has trained."""
        self._words = [words + n_words for words in self._words]
        self.report.n_words += n_words
        self.report.kernel_seconds += kernel_seconds
        self.report.seconds += seconds

    def words_since(self, tier: int) -> int:
        """Give the words that it has trained since rows of a tier were exchanged."""
        return self._words[tier]

    def words_since_tiers(self, last_tier: int) -> list[int]:
        """Give the same of each tier up to one."""
        return self._words[: last_tier + 1]

    def exchanged(self, last_tier: int) -> None:
        """Note an exchange."""
        for tier in range(last_tier + 1):
            self._words[tier] = 0


class Seats:
    """All workers of a training.

    Parameters
    ----------
    recipe : ObjectRef
        The `Recipe` of the model.
    rhythm : Rhythm
        When rows are exchanged.
    placed : sequence of (Node, int)
        Where workers are to be, and with how many threads.
    report : Report
        Told who works, and what was lost.

    Attributes
    ----------
    is_alone : bool
        Whether there is one worker from the beginning, which exchanges with nobody.

    Raises
    ------
    ClusterError
        Workers cannot be started.
    """

    def __init__(
        self, recipe: Any, rhythm: Rhythm, placed: Sequence[tuple[Node, int]], report: Report
    ) -> None:
        self._recipe = recipe
        self._rhythm = rhythm
        self._report = report
        self._n_deaths = 0
        self._silent: dict[Seat, BaseException] = {}
        self.is_alone = len(placed) == 1
        self._most_deaths = _DEATHS_PER_WORKER * len(placed)
        self.all = [
            Seat(number, node, threads, rhythm.n_tiers)
            for number, (node, threads) in enumerate(placed)
        ]
        report.workers = [seat.report for seat in self.all]
        for seat in self.all:
            self._start(seat)
        for result in self.results([seat.actor.applied.remote() for seat in self.all]):
            if isinstance(result, BaseException):
                self.close()
                raise ClusterError(
                    f"a worker cannot be started: {why(result)}; where memory is short, give "
                    f"fewer workers for each node, a smaller vector_size or fewer words"
                ) from result

    def __len__(self) -> int:
        return len(self.all)

    def _start(self, seat: Seat) -> None:
        import ray

        # "control" is where a worker is told to stop while it trains.
        actor = ray.remote(concurrency_groups={"control": 1})(Worker)
        actor = actor.options(**on_node(seat.node, soft=True))
        seat.actor = actor.remote(self._recipe, self._rhythm, seat.threads, alone=self.is_alone)

    def close(self) -> None:
        """End all workers."""
        import ray

        for seat in self.all:
            if seat.actor is not None:
                ray.kill(seat.actor)

    # --- answers --------------------------------------------------------------------------------

    def results(self, futures: Sequence[Any], patience: float = math.inf) -> list[Any]:
        """Wait for all of them; an answer that was lost with a worker is the error instead.

        After `patience` seconds, workers that do not even answer are ended.

        Raises
        ------
        FirthError
            What a worker has raised.
        """
        import ray

        waiting = list(futures)
        deadline = time.perf_counter() + patience
        while waiting:
            try:
                _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=1.0)
            except KeyboardInterrupt:  # heard between two steps
                continue
            if waiting and time.perf_counter() > deadline:
                self._end_the_silent()
                deadline = time.perf_counter() + patience + _SECONDS_TO_ANSWER
        return [self._result(future) for future in futures]

    def _end_the_silent(self) -> None:
        """End workers that do not answer, not even beside their work: theirs becomes an error."""
        import ray

        asked = {
            seat.actor.process.options(concurrency_group="control").remote(): seat
            for seat in self.all
        }
        _, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_SECONDS_TO_ANSWER)
        for future in silent:
            self._end(asked[future], _SECONDS_TO_ANSWER)

    def _end(self, seat: Seat, seconds: float) -> None:
        import ray

        ray.kill(seat.actor)
        self._silent[seat] = TimeoutError(f"it had not answered for {seconds:.0f} s")

    def _result(self, future: Any) -> Any:
        import ray

        try:
            return ray.get(future)
        except ray.exceptions.RayTaskError as error:
            # An error of the worker's own; or of another one, whose part did not come.
            if isinstance(error.cause, FirthError):
                raise error.cause from None
            if isinstance(error.cause, ray.exceptions.RayError):
                return error.cause
            raise
        except ray.exceptions.RayError as error:
            return error

    def result_of(self, seat: Seat, future: Any) -> Any:
        """Give what a worker answered; where it died, replace it and give None."""
        result = self._result(future)
        if isinstance(result, BaseException):
            self._replace(seat, result)
            return None
        return result

    # --- deaths ---------------------------------------------------------------------------------

    def give_up(self, seat: Seat, seconds: float) -> None:
        """Replace a worker that has not answered for so long."""
        self._end(seat, seconds)
        self._replace(seat, self._silent[seat])

    def mend(self, step: int) -> bool:
        """Replace those that died in an exchange, and bring all to the same rows.

        Returns
        -------
        bool
            Whether the exchange took place; else it has to be begun again.
        """
        answers = self.results([seat.actor.applied.remote() for seat in self.all])
        applied = dict(zip(self.all, answers, strict=True))
        alive = [seat for seat in self.all if isinstance(applied[seat], int)]
        if not alive:
            raise self._all_dead(answers[0])
        leader = max(alive, key=lambda seat: applied[seat])
        behind = [seat for seat in alive if applied[seat] < applied[leader]]
        if behind:
            base = leader.actor.base.remote()
            self.results([s.actor.take_over.remote(base, applied[leader]) for s in behind])
        for seat in self.all:
            if seat not in alive:
                self._replace(seat, applied[seat])
        return bool(applied[leader] == step)

    def _replace(self, seat: Seat, error: BaseException) -> None:
        """Start another worker in place of one that died; or go on without, if there is no room."""
        error = self._silent.pop(seat, error)
        self._count_death(seat, error)
        others = [other for other in self.all if other is not seat]
        if not others:
            raise self._all_dead(error)
        lost = seat.words_since(self._rhythm.n_tiers - 1)
        told = f"worker {seat.number} on {seat.node.address} died ({why(error)}); " + (
            f"of what it had learned in its last {format_count(lost, 'words')}, the changes of "
            f"rows that were not exchanged yet are lost"
            if lost
            else "what it was at is trained again, and nothing is lost"
        )
        seat.node = self._node_for(seat)
        self._start(seat)
        leader, base = self._base_of_any(others)
        started = time.perf_counter()
        answer = self.results([seat.actor.take_over.remote(base, leader)])[0]
        if isinstance(answer, BaseException):
            self.all.remove(seat)
            told += f"; it could not be replaced ({why(answer)}), and the others do its work"
        else:
            seconds = time.perf_counter() - started
            told += f"; another one took its place on {seat.node.address} in {seconds:.1f} s"
        seat.exchanged(self._rhythm.n_tiers - 1)
        self._tell_lost(told)

    def _count_death(self, seat: Seat, error: BaseException) -> None:
        self._n_deaths += 1
        if self._n_deaths > self._most_deaths:
            raise ClusterError(
                f"{self._n_deaths} workers have died, the last one on {seat.node.address}: "
                f"{why(error)}; look at the logs of Ray, and at the memory of the nodes"
            )

    def _tell_lost(self, told: str) -> None:
        logger.warning("%s", told)
        self._report.lost.append(told)

    def _base_of_any(self, seats: list[Seat]) -> tuple[int, Any]:
        for seat in seats:
            applied = self.results([seat.actor.applied.remote()])[0]
            if isinstance(applied, int):
                return applied, seat.actor.base.remote()
        raise self._all_dead(applied)

    def _node_for(self, seat: Seat) -> Node:
        """Choose the node of a worker that died, if it is still there, or the emptiest one."""
        alive = nodes()
        if not alive or seat.node.id in {node.id for node in alive}:
            return seat.node
        taken = [other.node.id for other in self.all if other is not seat]
        return min(alive, key=lambda node: taken.count(node.id))

    @staticmethod
    def _all_dead(error: BaseException) -> ClusterError:
        return ClusterError(
            f"all workers have died ({why(error)}), and what they had learned with them; with a "
            f"checkpoint, the same command with resume goes on from there"
        )

    # --- state ----------------------------------------------------------------------------------

    def base(self) -> Matrices:
        """Fetch all rows as they were last exchanged."""
        while True:
            answer = self.results([self.all[0].actor.base.remote()])[0]
            if not isinstance(answer, BaseException):
                # A copy: what Ray hands out lies in its memory, and goes with it.
                return {name: matrix.copy() for name, matrix in answer.items()}
            self._replace(self.all[0], answer)

    def speeds(self) -> str:
        """Tell how fast the slowest and the fastest worker are."""
        speeds = sorted(seat.report.words_per_second for seat in self.all)
        low, high = (format_count(speed, "").rstrip() for speed in (speeds[0], speeds[-1]))
        return f"{len(speeds)} x {low}..{high}/s"


def why(error: BaseException) -> str:
    """Tell in a few words why a worker is lost."""
    import ray

    if isinstance(error, TimeoutError):
        return str(error)
    text = str(error)
    if isinstance(error, ray.exceptions.OutOfMemoryError) or "OutOfMemory" in text:
        return "its node had no memory left"
    for sign, meaning in _REASONS:
        if sign in text:
            return meaning
    return f"{type(error).__name__}: {text.strip().splitlines()[0] if text.strip() else ''}"


_REASONS = (
    ("node has died", "its node is gone"),
    ("unexpectedly", "its process was killed"),
    ("ray.kill", "it was ended"),
)

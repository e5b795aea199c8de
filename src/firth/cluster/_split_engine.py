"""The training of a model whose rows are split: `_split` tells of what a step has."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from firth.cluster._engine import ClusterEngine
from firth.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firth.cluster._seats import Seat
    from firth.cluster._worker import StepDone
    from firth.models import Run

# A step that comes to nothing so often although no worker has died.
_MOST_TRIES = 10


class SplitEngine(ClusterEngine):
    """Trains on a cluster whose workers own the rows; parameters are those of `ClusterEngine`."""

    _n_applied = 0

    def _train_once(self, run: Run, numbers: list[int]) -> list[int]:
        started = time.perf_counter()
        for _ in range(_MOST_TRIES):
            given = self._deal(numbers)
            merged = self._train_and_merge(given, run)
            if merged:
                break
            self._seats.mend(self._n_applied)
        else:
            raise ClusterError(
                f"workers have not come to the end of a step in {_MOST_TRIES} tries: look at the "
                f"logs of Ray, at the network and at the memory of the nodes"
            )
        done, parts = merged
        self._apply(parts)
        left = []
        for seat, theirs in given.items():
            self._count(run, seat, theirs, done[seat])
            left += theirs[len(done[seat].chunks) :]
        self._tell_traffic(done, time.perf_counter() - started)
        return sorted(left)

    def _train_and_merge(
        self, given: dict[Seat, list[int]], run: Run
    ) -> tuple[dict[Seat, StepDone], list[Any]] | None:
        """Do all of a step that changes nothing; None where a worker died in it."""
        seats = self._seats.all
        n = len(seats)
        alpha = self._plan.alpha_of(min(number for theirs in given.values() for number in theirs))
        wanted = [
            seat.actor.wanted.options(num_returns=n).remote(*self._work_of(given.get(seat, [])))
            for seat in seats
        ]
        rows = [
            seat.actor.give.options(num_returns=n + 1).remote(*theirs)
            for seat, theirs in zip(seats, _turned(wanted), strict=True)
        ]
        # Here each waits for all others, so that one that is slow cannot be told by their being
        # through; one that does not even answer is ended.
        if _any_lost(self._seats.results([refs[0] for refs in rows], self._patience)):
            return None
        trained = [
            seat.actor.train.options(num_returns=n + 1).remote(*theirs)
            for seat, theirs in zip(seats, _turned([refs[1:] for refs in rows]), strict=True)
        ]
        del wanted, rows
        futures = {refs[0]: seat for refs, seat in zip(trained, seats, strict=True)}
        done = dict(self._collect(futures, run))
        finished = {seat: each for seat, each in done.items() if each is not None}
        if len(finished) < n:
            return None
        merged = [
            seat.actor.merge.options(num_returns=2).remote(alpha, *theirs)
            for seat, theirs in zip(seats, _turned([refs[1:] for refs in trained]), strict=True)
        ]
        if _any_lost(self._seats.results([answer for answer, _ in merged], self._patience)):
            return None
        return finished, [part for _, part in merged]

    def _apply(self, parts: Sequence[Any]) -> None:
        """Have owners, and those that keep copies, take over what was merged."""
        self._n_applied += 1
        step, seats = self._n_applied, self._seats.all
        n = len(seats)
        applied = [
            seat.actor.apply.remote(step, part) for seat, part in zip(seats, parts, strict=True)
        ] + [
            seats[(seat.number + 1) % n].actor.apply_to_copy.remote(step, part)
            for seat, part in zip(seats, parts, strict=True)
        ]
        results = self._seats.results(applied, self._patience)
        if _any_lost(results):
            self._seats.mend(step)
        self._report.n_bytes += sum(result for result in results if isinstance(result, int))

    def _tell_traffic(self, done: dict[Seat, StepDone], seconds: float) -> None:
        report = self._report
        words = [[sum(each.n_words for each in one.chunks)] for one in done.values()]
        report.expected_bytes += self._traffic.expected(0, words)
        report.n_exchanges += 1
        report.exchange_seconds += seconds - max(one.seconds for one in done.values())

    def _exchange(self, run: Run, last_tier: int) -> None:
        """Nothing is left to exchange behind a step."""


def _any_lost(answers: Sequence[Any]) -> bool:
    return any(isinstance(answer, BaseException) for answer in answers)


def _turned(table: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Turn what each gives to each into what each gets from each."""
    return list(zip(*table, strict=True))

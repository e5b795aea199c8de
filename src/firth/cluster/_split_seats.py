"""Workers that own rows: put on nodes, and replaced by what the next one has kept of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.cluster._nodes import on_node
from firth.cluster._seats import Seats, why
from firth.cluster._split import Kept
from firth.cluster._split_worker import SplitWorker
from firth.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from firth.cluster._nodes import Node
    from firth.cluster._report import Report
    from firth.cluster._seats import Seat
    from firth.cluster._tiers import Rhythm

    Matrices = dict[str, NDArray[np.float32]]


class SplitSeats(Seats):
    """All workers of a training whose rows are split: two or more.

    Parameters
    ----------
    recipe, rhythm, placed, report
        As of `Seats`.
    weights : dict of numpy.ndarray of float32, optional
        What the model begins with; drawn by the workers if not given.
    """

    def __init__(
        self,
        recipe: Any,
        rhythm: Rhythm,
        placed: Sequence[tuple[Node, int]],
        report: Report,
        weights: Matrices | None,
    ) -> None:
        import ray

        n = len(placed)
        self._begin: list[Any] = [None] * n
        if weights:
            self._begin = [
                ray.put(Kept({name: rows[place::n].copy() for name, rows in weights.items()}))
                for place in range(n)
            ]
        super().__init__(recipe, rhythm, placed, report)
        self._begin = [None] * n

    def _start(self, seat: Seat, kept: tuple[Any, Any] | None = None) -> None:
        import ray

        n = len(self._begin)
        actor = ray.remote(concurrency_groups={"control": 1})(SplitWorker)
        actor = actor.options(**on_node(seat.node, soft=True))
        kept = kept or (self._begin[seat.number], self._begin[seat.number - 1])
        how = self._recipe, self._rhythm, seat.threads, seat.number, n
        seat.actor = actor.remote(*how, *kept)

    def neighbours(self, seat: Seat) -> tuple[Seat, Seat]:
        """Give the worker whose rows this one keeps a copy of, and the one that keeps its own."""
        return self.all[seat.number - 1], self.all[(seat.number + 1) % len(self.all)]

    # --- deaths ---------------------------------------------------------------------------------

    def result_of(self, seat: Seat, future: Any) -> Any:  # noqa: ARG002 (that of `Seats`)
        """Give what a worker answered; None where it, or one whose rows it needs, has died."""
        result = self._result(future)
        return None if isinstance(result, BaseException) else result

    def give_up(self, seat: Seat, seconds: float) -> None:
        """End a worker that has not answered for so long."""
        self._end(seat, seconds)

    def mend(self, step: int) -> bool:
        """Replace those that have died.

        Parameters
        ----------
        step : int
            The last step whose changes all rows should have.

        Raises
        ------
        ClusterError
            Rows are lost with two neighbours, or too many workers die.
        """
        answers = self.results([seat.actor.applied.remote() for seat in self.all])
        dead = {
            seat: self._silent.pop(seat, answer)
            for seat, answer in zip(self.all, answers, strict=True)
            if isinstance(answer, BaseException)
        }
        for seat, error in dead.items():
            self._count_death(seat, error)
            self._restore(seat, error, dead, step)
        return bool(dead)

    def _restore(self, seat: Seat, error: BaseException, dead: Collection[Seat], step: int) -> None:
        before, keeper = self.neighbours(seat)
        if keeper in dead:
            raise ClusterError(
                f"workers {seat.number} and {keeper.number} died at the same time "
                f"({why(error)}), and the rows of the first with them, of which the second had the "
                f"copy; with a checkpoint, the same command with resume goes on from there"
            )
        address = seat.node.address
        seat.node = self._node_for(seat)
        started = time.perf_counter()
        self._start(seat, (keeper.actor.copy.remote(), before.actor.own.remote()))
        answer = self.results([seat.actor.applied.remote()])[0]
        if isinstance(answer, BaseException):
            raise ClusterError(
                f"worker {seat.number} on {address} died ({why(error)}), and no other one can take "
                f"its place ({why(answer)}); with a checkpoint, the same command with resume goes "
                f"on from there"
            )
        lost = (
            "nothing is lost"
            if answer >= step
            else "what all had changed of them in the last step is lost"
        )
        self._tell_lost(
            f"worker {seat.number} on {address} died ({why(error)}); worker {keeper.number} had a "
            f"copy of its rows, and {lost}; another one took its place on {seat.node.address} in "
            f"{time.perf_counter() - started:.1f} s"
        )

    # --- state ----------------------------------------------------------------------------------

    def base(self) -> Matrices:
        """Fetch all rows."""
        n = len(self.all)
        while True:
            kept = self.results([seat.actor.own.remote() for seat in self.all])
            if not any(isinstance(each, BaseException) for each in kept):
                break
            self.mend(0)
        whole: Matrices = {}
        for name, rows in kept[0].rows.items():
            n_rows = sum(len(each.rows[name]) for each in kept)
            whole[name] = np.empty((n_rows, rows.shape[1]), np.float32)
            for place, each in enumerate(kept):
                whole[name][place::n] = each.rows[name]
        return whole

"""Tasks that depend on nothing but what they are given: Ray does them again when they are lost."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

from firth.cluster._nodes import nodes, on_node
from firth.errors import ClusterError, FirthError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firth.cluster._nodes import Node
    from firth.cluster._report import Report

logger = logging.getLogger("firth")

_TIMES_THE_MEDIAN = 3.0
# A task that hangs more often than that is no accident.
_MOST_TIMES = 4


class Ledger:
    """Notes which tasks were begun; an actor, asked which of them were begun again."""

    def __init__(self) -> None:
        self._begun: dict[Any, list[int]] = {}

    def begin(self, what: Any, process: int) -> None:
        """Note that a task has begun."""
        self._begun.setdefault(what, []).append(process)

    def process(self) -> int:
        """Give the process in which the last task began; for tests, which kill it."""
        return list(self._begun.values())[-1][-1] if self._begun else 0

    def begun_again(self) -> int:
        """Tell how often a task was begun that had been begun before."""
        return sum(len(processes) - 1 for processes in self._begun.values())

    @classmethod
    def start(cls) -> Any:
        """Start the actor."""
        import ray

        return ray.remote(cls).options(num_cpus=0).remote()

    @staticmethod
    def note(ledger: Any, what: Any) -> None:
        """Have the actor note that the task that calls this has begun."""
        ledger.begin.remote(what, os.getpid())


def value_of(ref: Any) -> Any:
    """Wait for a task.

    Raises
    ------
    FirthError
        What went wrong in it; `ClusterError` where it was lost again and again.
    """
    import ray

    try:
        return ray.get(ref)
    except ray.exceptions.RayTaskError as error:
        cause: BaseException | None = error
        while cause is not None:
            inner = getattr(cause, "cause", None)
            if isinstance(inner, FirthError):
                raise inner from None
            cause = inner or cause.__cause__
        raise
    except ray.exceptions.RayError as error:
        why = str(error).strip().split("\n", 1)[0]
        raise ClusterError(
            f"what a node was to do is lost again and again ({why}); look at the logs of Ray, and "
            f"at the memory of the nodes"
        ) from error


class TeamOfTasks:
    """Does one task on each of several nodes, and one that hangs somewhere else.

    Parameters
    ----------
    patience : float
        Seconds that a straggler is waited for, beyond three times what half of the others took.
    report : Report
        Told what was done again.
    """

    def __init__(self, patience: float, report: Report) -> None:
        self._patience = patience
        self._report = report
        self.interrupted = False  # by Ctrl-C, which ends nothing here

    def run(
        self, begin: Mapping[Any, Callable[[dict[str, Any]], Any]], where: Mapping[Any, Node]
    ) -> dict[Any, Any]:
        """Run tasks side by side.

        Parameters
        ----------
        begin : mapping to callable
            For each task what begins it: takes options of Ray, and gives a list of references, of
            which the last tells that it has ended.
        where : mapping to Node
            Where each is to run.

        Returns
        -------
        dict
            The references of each.

        Raises
        ------
        FirthError
            What went wrong in one.
        """
        import ray

        results = {what: begin[what](on_node(where[what], soft=True)) for what in begin}
        waiting = {refs[-1]: what for what, refs in results.items()}
        times = dict.fromkeys(begin, 1)
        started, bound = time.perf_counter(), None
        while waiting:
            try:
                ready, _ = ray.wait(list(waiting), timeout=1.0)
            except KeyboardInterrupt:
                self.interrupted = True
                continue
            for ref in ready:
                value_of(ref)
                del waiting[ref]
            now = time.perf_counter()
            if bound is None and 2 * len(waiting) <= len(begin) > 1:
                bound = now + (_TIMES_THE_MEDIAN - 1) * (now - started) + self._patience
            if bound is None or now <= bound:
                continue
            bound = now + (bound - started)
            for ref, what in list(waiting.items()):
                times[what] += 1
                if times[what] > _MOST_TIMES:
                    raise ClusterError(
                        f"a worker on {where[what].address} has hung {_MOST_TIMES} times; look at "
                        f"the logs of Ray"
                    )
                ray.cancel(ref, force=True)
                del waiting[ref]
                elsewhere = _another(where[what])
                results[what] = begin[what](on_node(elsewhere, soft=True))
                waiting[results[what][-1]] = what
                told = (
                    f"a worker on {where[what].address} had not answered for {now - started:.0f} "
                    f"s; its block is trained on {elsewhere.address}, and nothing is lost"
                )
                logger.warning("%s", told)
                self._report.lost.append(told)
        return results


def _another(node: Node) -> Node:
    others = [other for other in nodes() if other.id != node.id]
    return others[0] if others else node

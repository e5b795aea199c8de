"""The training of a model of windows on a cluster: who trains which chunks, and when they exchange.

An engine, as `Hogwild` on one machine: it goes through the chunks of a plan in their order. A step
is some chunks for each worker; behind it the workers exchange rows (`_exchange`). This process only
tells them what to do, and sees sums: rows go from worker to worker, by Ray's object store.

When a worker dies, its chunks of the step are trained again by those that are left and by its
replacement, which begins with the base of another worker.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from firth.cluster._report import Report
    from firth.cluster._seats import Seat, Seats
    from firth.cluster._shards import EncodedText
    from firth.cluster._tiers import Rhythm
    from firth.cluster._traffic import SplitTraffic, Traffic
    from firth.cluster._worker import StepDone
    from firth.models import Plan, Run, Task
    from firth.progress import Progress

# A straggler is waited for so many times as long as half of the workers took, and `patience`.
_TIMES_THE_MEDIAN = 3.0


class ClusterEngine:
    """Trains on a cluster.

    Parameters
    ----------
    seats : Seats
        The workers.
    text : EncodedText
        Where the shards are.
    plan : Plan
        The chunks, in the order of `text.order`.
    rhythm : Rhythm
        When rows are exchanged.
    chunks_per_step : int
        Chunks of each worker between two exchanges.
    patience : float
        Seconds that a straggler is waited for, beyond three times what half of the workers took.
    bring_home : callable
        Called with all matrices whenever the training stands still.
    report : Report
        Told what was done.
    traffic : Traffic
        Tells what to expect of exchanges.
    bar : Progress
        Told how many words are done.
    """

    def __init__(
        self,
        seats: Seats,
        text: EncodedText,
        plan: Plan,
        rhythm: Rhythm,
        chunks_per_step: int,
        patience: float,
        bring_home: Callable[[dict[str, NDArray[np.float32]]], None],
        report: Report,
        traffic: Traffic | SplitTraffic,
        bar: Progress,
    ) -> None:
        self._seats = seats
        self._text = text
        self._plan = plan
        self._rhythm = rhythm
        self._chunks_per_step = chunks_per_step
        self._patience = patience
        self._bring_home = bring_home
        self._report = report
        self._traffic = traffic
        self._bar = bar
        self._step = 0
        self._clock = 0.0

    def advance(self, run: Run, until: int, deadline: float) -> None:
        """Train on the next steps of the run; all rows are exchanged when it returns.

        Parameters
        ----------
        run : Run
            Where the training is.
        until : int
            The chunk to stop before, in the epoch that runs or at its end.
        deadline : float
            The time by `time.perf_counter` after which no further step is begun.

        Raises
        ------
        ClusterError
            All workers died, or one after the other.
        FirthError
            What went wrong in a worker.
        """
        run.start_clock()
        self._clock = time.perf_counter()
        per_epoch = self._plan.chunks_per_epoch
        try:
            while True:
                in_epoch = run.position // per_epoch * per_epoch + per_epoch
                most = run.position + self._chunks_per_step * len(self._seats)
                end = min(most, in_epoch, until)
                self._train(run, range(run.position, end))
                is_last = end >= until or run.ends or time.perf_counter() >= deadline
                self._step += 1
                last = self._rhythm.n_tiers - 1 if is_last else self._rhythm.last_tier(self._step)
                if not self._seats.is_alone:
                    self._exchange(run, last)
                if is_last:
                    break
            self._bring_home(self._seats.base())
        finally:
            run.stop_clock()
            self._note_time()

    def _note_time(self) -> None:
        now = time.perf_counter()
        self._report.seconds += now - self._clock
        self._clock = now

    # --- training -------------------------------------------------------------------------------

    def _train(self, run: Run, numbers: Iterable[int]) -> None:
        pending = list(numbers)
        while pending:
            pending = self._train_once(run, pending)

    def _train_once(self, run: Run, numbers: list[int]) -> list[int]:
        """Train chunks on all workers; returns those that are left over."""
        given = self._deal(numbers)
        futures = {
            seat.actor.train.remote(*self._work_of(theirs)): seat for seat, theirs in given.items()
        }
        left: list[int] = []
        for seat, done in self._collect(futures, run):
            theirs = given[seat]
            if done is None:
                left += theirs
                continue
            self._count(run, seat, theirs, done)
            left += theirs[len(done.chunks) :]
        return sorted(left)

    def _work_of(self, numbers: list[int]) -> tuple[list[tuple[int, Task]], dict[int, Any]]:
        """Give what a worker has to know of chunks: their tasks, and where their shards are."""
        chunks = []
        for number in numbers:
            shard, first, last = self._text.order[number % self._plan.chunks_per_epoch][:3]
            task = replace(self._plan.task(number), first_sentence=first, last_sentence=last)
            chunks.append((shard, task))
        return chunks, {shard: self._text.shards[shard] for shard, _ in chunks}

    def _deal(self, numbers: list[int]) -> dict[Seat, list[int]]:
        """Give chunks to workers: each those of its own shards, and nobody more than others."""
        seats = self._seats.all
        most = -(-len(numbers) // len(seats))
        given: dict[Seat, list[int]] = {seat: [] for seat in seats}
        rest: list[int] = []
        for number in numbers:
            shard = self._text.order[number % self._plan.chunks_per_epoch][0]
            own = given[seats[shard % len(seats)]]
            (own if len(own) < most else rest).append(number)
        for number in rest:
            min(given.values(), key=len).append(number)
        return {seat: sorted(theirs) for seat, theirs in given.items() if theirs}

    def _collect(
        self, futures: dict[Any, Seat], run: Run
    ) -> Iterable[tuple[Seat, StepDone | None]]:
        """Wait for workers, within a bound; None for what was lost with a worker."""
        import ray

        started = time.perf_counter()
        waiting, bound, told = dict(futures), None, False
        while waiting:
            try:
                ready, _ = ray.wait(list(waiting), timeout=1.0)
            except KeyboardInterrupt:
                run.interrupted = True
                continue
            for future in ready:
                seat = waiting.pop(future)
                yield seat, self._seats.result_of(seat, future)
            now = time.perf_counter()
            if bound is None and 2 * len(waiting) <= len(futures) > 1:
                wait = (_TIMES_THE_MEDIAN - 1) * (now - started) + self._patience
                bound = now + wait
            if bound is None or now <= bound:
                continue
            for future, seat in list(waiting.items()):
                if told:
                    del waiting[future]
                    self._seats.give_up(seat, now - started)
                    yield seat, None
                else:
                    seat.actor.stop.options(concurrency_group="control").remote()
            told, bound = True, now + wait

    def _count(self, run: Run, seat: Seat, numbers: list[int], done: StepDone) -> None:
        mean = 0.0
        n_words = 0
        for number, chunk in zip(numbers, done.chunks, strict=False):
            mean = run.add(self._plan, self._plan.task(number), chunk)
            n_words += chunk.n_words
        seat.count(n_words, done.kernel_seconds, done.seconds)
        self._report.n_words += n_words
        report = self._report
        figures: dict[str, float | str] = {"loss": mean, "nodes": self._seats.speeds()}
        if report.n_exchanges:
            share = f"{100 * report.exchange_share:.0f}%"
            figures["exchanging"] = f"{share} of the time, {report.bytes_per_word:.0f} B/word"
        self._bar.advance(n_words, **figures)

    # --- exchanging -----------------------------------------------------------------------------

    def _exchange(self, run: Run, last_tier: int) -> None:
        """Have the workers exchange rows, as often as it takes when some of them die."""
        started = time.perf_counter()
        alpha = self._plan.alpha_of(max(run.position - 1, 0))
        while True:
            seats = self._seats.all
            n = len(seats)
            parts = [
                seat.actor.changes.options(num_returns=n).remote(self._step, last_tier, n)
                for seat in seats
            ]
            columns = list(zip(*parts, strict=True)) if n > 1 else [tuple(parts)]
            merged = [
                seat.actor.merge.remote(place, alpha, *columns[place])
                for place, seat in enumerate(seats)
            ]
            applied = [
                seat.actor.apply.remote(place, self._step, *merged)
                for place, seat in enumerate(seats)
            ]
            results = self._seats.results(applied, self._patience)
            if all(isinstance(result, int) for result in results):
                break
            if self._seats.mend(self._step):
                results = [result for result in results if isinstance(result, int)]
                break
        self._report.expected_bytes += self._traffic.expected(
            last_tier, [seat.words_since_tiers(last_tier) for seat in seats]
        )
        self._report.n_bytes += sum(results)
        self._report.n_exchanges += 1
        self._report.exchange_seconds += time.perf_counter() - started
        self._note_time()
        for seat in self._seats.all:
            seat.exchanged(last_tier)

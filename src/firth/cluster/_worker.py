"""A worker: the process on a node that trains its replica; what Ray makes an actor of."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.cluster._exchange import Exchange
from firth.cluster._tiers import Rhythm, Tiers
from firth.errors import FormatError
from firth.models import Replica
from firth.threads import run_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from firth.cluster._exchange import Matrices
    from firth.cluster._rows import Part
    from firth.models import Done, Recipe, Task


class Shard:
    """A piece of the encoded text, in the memory that the processes of a node share.

    Parameters
    ----------
    ids : numpy.ndarray of uint32, shape (n_tokens,)
    sentence_ends : numpy.ndarray of int64, shape (n_sentences,)
        As in a `Corpus`.
    """

    def __init__(self, ids: NDArray[np.uint32], sentence_ends: NDArray[np.int64]) -> None:
        self.ids = ids
        self.sentence_ends = sentence_ends

    def chunk(
        self, first_sentence: int, last_sentence: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64], int]:
        """See `Corpus.chunk`."""
        first = int(self.sentence_ends[first_sentence - 1]) if first_sentence else 0
        ends = self.sentence_ends[first_sentence:last_sentence]
        return self.ids[first : int(ends[-1])], ends, first

    def release(self, first_sentence: int, last_sentence: int) -> None:
        """Ray lets memory go that nobody uses."""

    def damaged(self, what: object) -> FormatError:
        """See `Corpus.damaged`."""
        return FormatError(f"a shard of the encoded text is damaged ({what}); train again")


@dataclass(frozen=True)
class StepDone:
    """What a worker has trained in a step.

    Attributes
    ----------
    chunks : list of Done
        What was done with the first of the chunks that it was given; all of them, unless it was
        told to stop.
    kernel_seconds : float
        Seconds of the processor that training took, of all threads together.
    seconds : float
        How long it took.
    """

    chunks: list[Done]
    kernel_seconds: float
    seconds: float


class TrainsChunks:
    """Trains chunks with several threads: what all workers have in common.

    Parameters
    ----------
    threads : int
        Threads.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._stop = threading.Event()
        self._shards: dict[int, Shard] = {}

    def process(self) -> int:
        """Give the number of the process; for tests, which kill it."""
        return os.getpid()

    def stop(self) -> None:
        """Have the training end behind the chunks that are under way; called beside it."""
        self._stop.set()

    def open_shards(self, shards: Mapping[int, Any]) -> None:
        """Have these shards of the text at hand, and no others; they are given as references."""
        import ray

        for number in self._shards.keys() - shards.keys():
            del self._shards[number]
        new = [number for number in shards if number not in self._shards]
        for number, arrays in zip(new, ray.get([shards[n] for n in new]), strict=True):
            self._shards[number] = Shard(*arrays)

    def text_of(self, chunks: Sequence[tuple[int, Task]]) -> list[NDArray[np.uint32]]:
        """Give the ids of chunks."""
        return [
            self._shards[shard].chunk(task.first_sentence, task.last_sentence)[0]
            for shard, task in chunks
        ]

    def train_chunks(
        self, chunks: Sequence[tuple[int, Task]], train: Callable[[Shard, Task], Done]
    ) -> StepDone:
        """Train on chunks, until `stop` is called."""
        self._stop.clear()
        lock = threading.Lock()
        done: dict[int, Done] = {}
        kernel_seconds = 0.0

        def work(number: int) -> None:
            nonlocal kernel_seconds
            shard, task = chunks[number]
            started = time.thread_time()
            result = train(self._shards[shard], task)
            with lock:
                kernel_seconds += time.thread_time() - started
                done[number] = result

        started = time.perf_counter()
        if chunks:
            run_tasks(range(len(chunks)), work, min(self._threads, len(chunks)), self._stop)
        # Threads take chunks in order and end what they have begun: these are the first ones.
        in_order = [done[number] for number in range(len(done))]
        return StepDone(in_order, kernel_seconds, time.perf_counter() - started)


class Worker(TrainsChunks):
    """Trains chunks on a replica, and exchanges what changed.

    Parameters
    ----------
    recipe : Recipe
        What the model is.
    rhythm : Rhythm
        When its rows are exchanged.
    threads : int
        Threads.
    alone : bool
        Whether it is the only worker.
    """

    def __init__(self, recipe: Recipe, rhythm: Rhythm, threads: int, *, alone: bool) -> None:
        super().__init__(threads)
        self._replica = Replica(recipe, threads)
        tiers = Tiers(self._replica.shares, rhythm)
        self._exchange = Exchange(self._replica.matrices, tiers, alone=alone)
        self._n_bytes = 0

    def applied(self) -> int:
        """Give the last exchange that this worker has applied; 0 before the first."""
        return self._exchange.applied

    def train(self, chunks: list[tuple[int, Task]], shards: dict[int, Any]) -> StepDone:
        """Train on chunks.

        Parameters
        ----------
        chunks : list of (int, Task)
            Number of the shard, and what to train of it.
        shards : dict of int to ObjectRef
            Where these shards are.
        """
        self.open_shards(shards)
        done = self.train_chunks(chunks, self._replica.train)
        self._exchange.count(sum(each.n_words for each in done.chunks))
        return done

    def changes(self, step: int, last_tier: int, n_parts: int) -> Any:
        """Give the touched rows, a part for each owner; see `Exchange.changes`."""
        parts = self._exchange.changes(step, last_tier, n_parts)
        return parts if n_parts > 1 else parts[0]

    def merge(self, place: int, alpha: float, *parts: Part) -> Part:
        """Merge the parts of the rows that the worker at this place owns; `Exchange.merge`."""
        self._n_bytes = from_others(parts, place)
        return self._exchange.merge(alpha, parts)

    def apply(self, place: int, step: int, *merged: Part) -> int:
        """Take over what was merged; returns the bytes that came from others for this exchange."""
        self._exchange.apply(step, merged)
        return self._n_bytes + from_others(merged, place)

    def base(self) -> Matrices:
        """Give all rows as they were last exchanged."""
        return self._exchange.base

    def take_over(self, base: Matrices, applied: int) -> None:
        """Go on from another worker's rows; see `Exchange.take_over`."""
        self._exchange.take_over(base, applied)


def from_others(parts: Sequence[Part], place: int) -> int:
    """Give the bytes of what came from other workers than the one at this place."""
    return sum(part.n_bytes for number, part in enumerate(parts) if number != place)


def chunk_table(sentence_ends: NDArray[np.int64], chunk_size: int) -> NDArray[np.int64]:
    """Cut a shard into chunks of whole sentences, as `Corpus.chunk_starts`.

    Returns
    -------
    numpy.ndarray of int64, shape (n_chunks, 3)
        First sentence, the one behind the last, and words.
    """
    n = len(sentence_ends)
    marks = np.arange(chunk_size, int(sentence_ends[-1]) + 1, chunk_size)
    starts = np.unique(np.concatenate([[0, n], np.searchsorted(sentence_ends, marks) + 1]))
    starts = starts[starts <= n]
    ends = np.concatenate([[0], sentence_ends])
    return np.array([(a, b, ends[b] - ends[a]) for a, b in pairwise(starts.tolist())], np.int64)

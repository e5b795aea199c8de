"""A worker that owns a share of the rows, and trains excerpts; what Ray makes an actor of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firth.cluster._split import Kept, Share
from firth.cluster._worker import StepDone, TrainsChunks, from_others

if TYPE_CHECKING:
    from firth.cluster._exchange import Matrices
    from firth.cluster._rows import Part
    from firth.cluster._split import Numbers
    from firth.cluster._tiers import Rhythm
    from firth.models import Recipe, Task


class SplitWorker(TrainsChunks):
    """Takes part in the steps that `_split` tells of.

    Parameters
    ----------
    recipe, rhythm, place, n
        As of `Share`.
    threads : int
        Threads.
    own, copy : Kept, optional
        As of `Share`.
    """

    def __init__(
        self,
        recipe: Recipe,
        rhythm: Rhythm,
        threads: int,
        place: int,
        n: int,
        own: Kept | None,
        copy: Kept | None,
    ) -> None:
        super().__init__(threads)
        # What Ray hands out lies in its memory, and cannot be written to.
        kept = [each and Kept({k: v.copy() for k, v in each.rows.items()}, each.applied)
                for each in (own, copy)]  # fmt: skip
        self._share = Share(recipe, rhythm, threads, place, n, *kept)
        self._place = place
        self._n = n
        self._chunks: list[tuple[int, Task]] = []
        self._n_bytes = 0

    def applied(self) -> int:
        """Give the last step whose changes its rows have; 0 before the first."""
        return self._share.own.applied

    def wanted(self, chunks: list[tuple[int, Task]], shards: dict[int, Any]) -> list[Numbers]:
        """Look at the chunks of a step; gives the rows to ask each owner for."""
        self.open_shards(shards)
        self._chunks = chunks
        return self._share.wanted(self.text_of(chunks), chunks[0][1].seed if chunks else 0)

    def give(self, *wanted: Numbers) -> list[Any]:
        """Give each worker the rows that it asks for; the first tells that this is done."""
        asked = [sum(numbers.nbytes for numbers in theirs.values()) for theirs in wanted]
        self._n_bytes = sum(asked) - asked[self._place]
        return [True, *self._share.give(wanted)]

    def train(self, *given: Matrices) -> list[Any]:
        """Train the chunks on the rows that the owners gave; gives what was done, and `Part`s."""
        sizes = [sum(rows.nbytes for rows in theirs.values()) for theirs in given]
        self._n_bytes += sum(sizes) - sizes[self._place]
        done: StepDone = self.train_chunks(self._chunks, self._share.take(given).train)
        return [done, *self._share.changes(sum(each.n_words for each in done.chunks))]

    def merge(self, alpha: float, *parts: Part) -> tuple[bool, Part]:
        """Merge the changes of the rows that it owns; the second tells the rows, and stays here."""
        self._n_bytes += from_others(parts, self._place)
        return True, self._share.merge(alpha, parts)

    def apply(self, step: int, merged: Part) -> int:
        """Take over what was merged; returns the bytes that came from others in this step."""
        self._share.apply(step, merged)
        return self._n_bytes

    def apply_to_copy(self, step: int, merged: Part) -> int:
        """Do the same for the rows of the worker before; returns their bytes."""
        self._share.copy.apply(step, merged, self._n)
        return merged.n_bytes

    def own(self) -> Kept:
        """Give the rows that it owns."""
        return self._share.own

    def copy(self) -> Kept:
        """Give its copy of the rows of the worker before."""
        return self._share.copy

"""Words of the pieces of a text to one vocabulary, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Sequence

# Tables that are merged at a time.
_FAN_IN = 8
MOST_WORDS = 20_000_000


@dataclass(frozen=True)
class Counts:
    """How often words were seen.

    Attributes
    ----------
    table : pyarrow.Table
        Columns ``word`` (binary) and ``count`` (int64); each word once.
    n_tokens : int
        Tokens of the text, with those of words that were dropped.
    error : int
        By how much a count may be too low, at most.
    """

    table: Any
    n_tokens: int
    error: int = 0


def counts_of(vocab: Vocab) -> Counts:
    """Take the counts of a vocabulary."""
    import pyarrow as pa

    offsets = pa.py_buffer(vocab.word_offsets.astype(np.int64))
    words = pa.Array.from_buffers(
        pa.large_binary(), len(vocab), [None, offsets, pa.py_buffer(np.array(vocab.word_bytes))]
    )
    counts = pa.array(vocab.counts)
    return Counts(pa.table({"word": words, "count": counts}), int(vocab.counts.sum()))


def merge(*parts: Counts, most_words: int = MOST_WORDS) -> Counts:
    """Add up counts; where there are too many words, the rarest are dropped.

    Words that are dropped may come again, and are then counted from 0: a count is too low by what
    it had then, which is at most the count that all that were dropped had. Such errors add up over
    the parts (Manku and Motwani 2002, "Approximate Frequency Counts over Data Streams", for a tree
    instead of a stream).

    Parameters
    ----------
    *parts : Counts
        What to add up.
    most_words : int
        Words to keep at most.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    together = pa.concat_tables([part.table for part in parts])
    table = together.group_by("word").aggregate([("count", "sum")])
    table = pa.table({"word": table["word"], "count": table["count_sum"]})
    error = sum(part.error for part in parts)
    if len(table) > most_words:
        counts = np.sort(table["count"].to_numpy())
        dropped = int(counts[-most_words - 1])  # the most that one has which has to go
        table = table.filter(pc.greater(table["count"], dropped))
        error += dropped
    return Counts(table, sum(part.n_tokens for part in parts), error)


def merged_by_tasks(parts: Sequence[Any], most_words: int) -> Counts:
    """Merge the counts of all pieces by a tree of tasks; `parts` are references."""
    import ray

    task = ray.remote(merge).options(num_cpus=0, name="firth: add up counts")
    level = list(parts)
    while True:
        level = [
            task.remote(*level[begin : begin + _FAN_IN], most_words=most_words)
            for begin in range(0, len(level), _FAN_IN)
        ]
        if len(level) == 1:
            answer: Counts = ray.get(level[0])
            return answer


def choose_words(counts: Counts, min_count: int, max_size: int | None) -> Vocab | None:
    """Choose the words of a model: by falling count, equal ones in the order of code points.

    Returns
    -------
    Vocab or None
        None where no word is left.
    """
    import pyarrow.compute as pc

    table = counts.table.filter(pc.greater_equal(counts.table["count"], min_count))
    order = pc.sort_indices(table, sort_keys=[("count", "descending"), ("word", "ascending")])
    table = table.take(order[:max_size] if max_size else order)
    if not len(table):
        return None
    words = table["word"].combine_chunks()
    if hasattr(words, "chunks"):
        words = words.chunk(0)
    offsets = np.frombuffer(words.buffers()[1], np.int64)[words.offset :][: len(words) + 1]
    data = np.frombuffer(words.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
    return Vocab.from_arrays(
        data.copy(), (offsets - offsets[0]).astype(np.uint64), table["count"].to_numpy().copy()
    )

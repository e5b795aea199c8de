"""Models of windows on a cluster: all that `ClusterEngine` needs, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firth.cluster._engine import ClusterEngine
from firth.cluster._nodes import Node, import_ray
from firth.cluster._seats import Seats
from firth.cluster._tiers import Rhythm, Tiers
from firth.cluster._traffic import Traffic
from firth.errors import ClusterError, InputError
from firth.models import Plan, Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from firth.cluster._report import Report
    from firth.cluster._shards import EncodedText
    from firth.models import CallbackAny2Vec, Checkpoints, Word2Vec
    from firth.progress import Progress

    Matrices = dict[str, NDArray[np.float32]]

# Words that each thread of a worker trains between two exchanges, unless the text is so short that
# there would be fewer steps than these in an epoch: the more often, the less is lost by it.
_MOST_WORDS_PER_STEP = 65_536
_STEPS_PER_EPOCH = 64
_STEPS_ALONE = 32  # nothing is exchanged between them, but progress is told and Ctrl-C is heard
# A chunk is the unit of a step. That of one machine is too much for a short text.
_MOST_WORDS_PER_CHUNK = 32_768
_LEAST_WORDS_PER_CHUNK = 1_024
_CHUNKS_PER_EPOCH = 2_048


def train_windows(
    model: Word2Vec,
    text: EncodedText,
    placed: Sequence[tuple[Node, int]],
    report: Report,
    patience: float,
    callbacks: Sequence[CallbackAny2Vec],
    checkpoints: Checkpoints | None,
) -> None:
    """Train a model that has its words; parameters are those of `firth.cluster.train`.

    Raises
    ------
    InputError
        There are fewer chunks than workers, or no word has a context.
    ClusterError
        A node has not the memory for the matrices, or workers die.
    """
    ray = import_ray()
    if text.n_sentences == text.n_tokens:
        raise InputError("every sentence has one word, so that no word has a context")
    plan = Plan(list(range(len(text.order) + 1)), text.word_ends, **model.plan_parameters())
    if plan.chunks_per_epoch < len(placed):
        raise InputError(
            f"the text has {plan.chunks_per_epoch} chunks for {len(placed)} workers: give fewer "
            f"workers, more text, or smaller chunks by batch_words"
        )
    shares = model.update_shares()
    n_rows = sum(map(len, shares.values()))
    check_memory(n_rows * model.vector_size * 4, placed)
    words_per_chunk = plan.n_words / plan.n_chunks
    threads = max(threads for _, threads in placed)
    steps = _STEPS_PER_EPOCH if len(placed) > 1 else _STEPS_ALONE
    share = text.n_tokens / (steps * len(placed) * threads)
    per_step = threads * max(round(min(_MOST_WORDS_PER_STEP, share) / words_per_chunk), 1)
    steps = plan.chunks_per_epoch // (per_step * len(placed))
    rhythm = Rhythm.of(per_step * words_per_chunk, steps, max(map(len, shares.values())))
    traffic = Traffic(model.touch_shares(), Tiers(shares, rhythm), model.vector_size)
    seats: Seats | None = None

    def make_engine(weights: Matrices | None, bar: Progress) -> ClusterEngine:
        nonlocal seats
        recipe = ray.put(Recipe.of(model, text.vocab, weights))
        seats = Seats(recipe, rhythm, placed, report)
        if callbacks or model.run.position >= plan.n_chunks:
            model.follow(seats.base())
        return ClusterEngine(
            seats, text, plan, rhythm, per_step, patience, model.follow, report, traffic, bar
        )

    try:
        model.train_by(make_engine, plan, callbacks, checkpoints)
    finally:
        if seats:
            seats.close()


def chunk_size_for(n_tokens: int) -> int:
    """Choose the words of a chunk for a text: the same for any cluster."""
    return min(max(n_tokens // _CHUNKS_PER_EPOCH, _LEAST_WORDS_PER_CHUNK), _MOST_WORDS_PER_CHUNK)


def check_memory(n_bytes: int, placed: Sequence[tuple[Node, int]]) -> None:
    """Refuse matrices of so many bytes where a node has not the memory for its workers.

    Raises
    ------
    ClusterError
        It has not.
    """
    for node, _ in placed:
        n_workers = sum(other.id == node.id for other, _ in placed)
        # What is trained, and as it was exchanged last.
        copies = 2 if len(placed) > 1 else 1
        needed = copies * n_bytes * n_workers
        if node.memory and needed > node.memory:
            raise ClusterError(
                f"node {node.address} has {node.memory / 1e9:.1f} GB for Ray, and {n_workers} "
                f"workers need {needed / 1e9:.1f} GB for {copies} copies of the matrices each: "
                f"give fewer workers, a smaller vector_size, or fewer words by min_count"
            )

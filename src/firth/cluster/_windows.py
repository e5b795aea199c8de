"""Models of windows on a cluster: all that `ClusterEngine` needs, put together."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from firth.cluster._engine import ClusterEngine
from firth.cluster._nodes import Node, import_ray
from firth.cluster._seats import Seats
from firth.cluster._split_engine import SplitEngine
from firth.cluster._split_seats import SplitSeats
from firth.cluster._tiers import Rhythm, Tiers
from firth.cluster._traffic import SplitTraffic, Traffic
from firth.errors import ClusterError, InputError, ParameterError
from firth.models import Plan, Recipe, check_excerpts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from firth.cluster._report import Report
    from firth.cluster._shards import EncodedText
    from firth.models import CallbackAny2Vec, Checkpoints, Word2Vec
    from firth.progress import Progress

    Matrices = dict[str, NDArray[np.float32]]

logger = logging.getLogger("firth")

# Words that each thread of a worker trains between two exchanges, unless the text is so short that
# there would be fewer steps than these in an epoch: the more often, the less is lost by it.
_MOST_WORDS_PER_STEP = 65_536
_STEPS_PER_EPOCH = 64
_STEPS_ALONE = 32  # nothing is exchanged between them, but progress is told and Ctrl-C is heard
# A chunk is the unit of a step. That of one machine is too much for a short text.
_MOST_WORDS_PER_CHUNK = 32_768
_LEAST_WORDS_PER_CHUNK = 1_024
_CHUNKS_PER_EPOCH = 2_048
# Rows that a step trains: as they come, as they are trained, and what has changed.
_COPIES_AT_HAND = 3


def train_windows(
    model: Word2Vec,
    text: EncodedText,
    placed: Sequence[tuple[Node, int]],
    report: Report,
    patience: float,
    callbacks: Sequence[CallbackAny2Vec],
    checkpoints: Checkpoints | None,
    split_rows: bool | None,
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
    words_per_chunk = plan.n_words / plan.n_chunks
    threads = max(threads for _, threads in placed)
    steps = _STEPS_PER_EPOCH if len(placed) > 1 else _STEPS_ALONE
    share = text.n_tokens / (steps * len(placed) * threads)
    per_step = threads * max(round(min(_MOST_WORDS_PER_STEP, share) / words_per_chunk), 1)
    steps = plan.chunks_per_epoch // (per_step * len(placed))
    rhythm = Rhythm.of(per_step * words_per_chunk, steps, max(map(len, shares.values())))
    tiers = Tiers(shares, rhythm)
    n_bytes = n_rows * model.vector_size * 4
    is_split = chooses_to_split(model, n_bytes, placed, split_rows)
    traffic: Traffic | SplitTraffic = Traffic(model.touch_shares(), tiers, model.vector_size)
    if is_split:
        rhythm = Rhythm(rhythm.first_rows, 2)
        counts = text.vocab.counts
        traffic = SplitTraffic(
            counts / counts.sum(), model.touch_shares(), Tiers(shares, rhythm), model.vector_size
        )
        rows = traffic.rows_at_hand(per_step * words_per_chunk)
        check_split_memory(n_bytes, rows * model.vector_size * 4, placed)
    seats: Seats | None = None

    def make_engine(weights: Matrices | None, bar: Progress) -> ClusterEngine:
        nonlocal seats
        recipe = ray.put(Recipe.of(model, text.vocab, None if is_split else weights))
        seats = (
            SplitSeats(recipe, rhythm, placed, report, weights)
            if is_split
            else Seats(recipe, rhythm, placed, report)
        )
        if callbacks or model.run.position >= plan.n_chunks:
            model.follow(seats.base())
        engine = SplitEngine if is_split else ClusterEngine
        return engine(
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


def chooses_to_split(
    model: Word2Vec, n_bytes: int, placed: Sequence[tuple[Node, int]], asked: bool | None
) -> bool:
    """Tell whether rows are to be split among the workers.

    Parameters
    ----------
    model : Word2Vec
        What is to be trained.
    n_bytes : int
        What its matrices take.
    placed : sequence of (Node, int)
        Where workers are to be.
    asked : bool or None
        What the caller wants; None where he leaves it to the memory of the nodes.

    Raises
    ------
    ParameterError
        He wants what cannot be.
    ClusterError
        A node has not the memory for the matrices, and they cannot be split.
    """
    if asked:
        check_split(model, len(placed))
        return True
    try:
        check_memory(n_bytes, placed)
    except ClusterError as error:
        if asked is not None:
            raise
        try:
            check_split(model, len(placed))
        except ParameterError as why:
            raise ClusterError(f"{error}; {why}") from None
        logger.info("%s: the rows are split among the workers", str(error).partition(": give")[0])
        return True
    return False


def check_split(model: Word2Vec, n_workers: int | None) -> None:
    """Refuse models whose rows cannot be split, and a worker with whom nobody shares.

    Raises
    ------
    ParameterError
        It is one.
    """
    check_excerpts(model)
    if n_workers == 1:
        raise ParameterError("rows can be split among two workers or more, and there is one")


def check_memory(n_bytes: int, placed: Sequence[tuple[Node, int]]) -> None:
    """Refuse matrices of so many bytes where a node has not the memory for its workers.

    Raises
    ------
    ClusterError
        It has not.
    """
    # What is trained, and as it was exchanged last; and what merging keeps of rows that one owns.
    n = len(placed)
    needed = (2 + 1 / n) * n_bytes if n > 1 else n_bytes
    what = "two copies of the matrices each, and a share" if n > 1 else "the matrices"
    _check_memory(needed, placed, what)


def check_split_memory(n_bytes: int, at_hand: float, placed: Sequence[tuple[Node, int]]) -> None:
    """Do the same where each worker has its rows twice, a copy of others, and some to train.

    Raises
    ------
    ClusterError
        It has not.
    """
    needed = 3 * n_bytes / len(placed) + _COPIES_AT_HAND * at_hand
    _check_memory(
        needed, placed, f"three shares of the {n_bytes / 1e9:.1f} GB, and what steps touch"
    )


def _check_memory(each: float, placed: Sequence[tuple[Node, int]], what: str) -> None:
    for node, _ in placed:
        n_workers = sum(other.id == node.id for other, _ in placed)
        needed = each * n_workers
        if node.memory and needed > node.memory:
            raise ClusterError(
                f"node {node.address} has {node.memory / 1e9:.1f} GB for Ray, and {n_workers} "
                f"workers need {needed / 1e9:.1f} GB for {what}: give fewer workers for each node, "
                f"a smaller vector_size, or fewer words by min_count"
            )

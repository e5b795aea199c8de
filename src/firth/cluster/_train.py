"""Training on a cluster: from a model and a text to vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firth.cluster._engine import ClusterEngine
from firth.cluster._nodes import Node, check_nodes, connected, import_ray, nodes
from firth.cluster._report import Report
from firth.cluster._seats import Seats
from firth.cluster._shards import EncodedText, shards_of_corpus
from firth.cluster._tiers import Rhythm, Tiers
from firth.cluster._traffic import Traffic
from firth.errors import ClusterError, ParameterError
from firth.models import Plan, Recipe, Word2Vec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from firth.models import CallbackAny2Vec
    from firth.progress import Progress

    Matrices = dict[str, NDArray[np.float32]]

_SHARDS = 64
# Words that each thread of a worker trains between two exchanges.
_WORDS_PER_STEP = 65_536


def train(
    model: Word2Vec,
    source: Any,
    *,
    field: str | None = None,
    address: str = "auto",
    workers: int | None = None,
    patience: float = 30.0,
    callbacks: Sequence[CallbackAny2Vec] = (),
) -> tuple[Word2Vec, Report]:
    vocab, corpus = source
    with connected(address):
        found = nodes()
        check_nodes(found, [])
        report = Report()
        placed = _placed(found, workers)
        chunk_size = model.batch_words or 32768
        text = shards_of_corpus(vocab, corpus, chunk_size, _SHARDS)
        model.begin_with(vocab, text.n_sentences, text.n_tokens)
        _train_windows(model, text, placed, report, patience, callbacks)
    return model, report


def _placed(found: Sequence[Node], workers: int | None) -> list[tuple[Node, int]]:
    n = len(found) if workers is None else workers
    cores = sum(node.cores for node in found)
    if n > cores:
        raise ClusterError(
            f"workers={n}, and the {len(found)} nodes of the cluster have {cores} cores: give "
            f"{cores} workers at most, or start more nodes"
        )
    taken = [0] * len(found)
    for _ in range(n):
        room = [node.cores / (t + 1) for node, t in zip(found, taken, strict=True)]
        taken[room.index(max(room))] += 1
    return [
        (node, max(node.cores // t, 1))
        for node, t in zip(found, taken, strict=True)
        for _ in range(t)
    ]


def _train_windows(
    model: Word2Vec,
    text: EncodedText,
    placed: Sequence[tuple[Node, int]],
    report: Report,
    patience: float,
    callbacks: Sequence[CallbackAny2Vec],
) -> None:
    ray = import_ray()
    plan = Plan(list(range(len(text.order) + 1)), text.word_ends, **model.plan_parameters())
    if plan.chunks_per_epoch < len(placed):
        raise ParameterError("fewer chunks than workers")
    words_per_chunk = plan.n_words / plan.n_chunks
    threads = max(threads for _, threads in placed)
    per_step = threads * max(round(_WORDS_PER_STEP / words_per_chunk), 1)
    steps = plan.chunks_per_epoch // (per_step * len(placed))
    shares = model.update_shares()
    rhythm = Rhythm.of(per_step * words_per_chunk, steps, max(map(len, shares.values())))
    traffic = Traffic(model.touch_shares(), Tiers(shares, rhythm), model.vector_size)
    seats = None

    def make_engine(weights: Matrices | None, bar: Progress) -> ClusterEngine:
        nonlocal seats
        recipe = ray.put(Recipe.of(model, text.vocab, weights))
        seats = Seats(recipe, rhythm, placed, report)
        return ClusterEngine(
            seats, text, plan, rhythm, per_step, patience, model.follow, report, traffic, bar
        )

    try:
        model.train_by(make_engine, plan, callbacks, None)
    finally:
        if seats:
            seats.close()

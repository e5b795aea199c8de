"""Models of co-occurrences on a cluster: GloVe and PPMI, all put together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.cluster._glove import SIDES, GloveEngine, blocks_of
from firth.cluster._pairs import CountedPairs, Window, count_on_nodes
from firth.cluster._sharded import ShardedMatrix, check_scipy, randomized_svd, rows_of
from firth.errors import InputError, ParameterError
from firth.models import PPMI, Done, GloVe, Plan, Run
from firth.progress import progress as show_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firth.cluster._nodes import Node
    from firth.cluster._report import Report
    from firth.cluster._shards import EncodedText
    from firth.models import CallbackAny2Vec


def train_counted(
    model: GloVe | PPMI,
    text: EncodedText,
    placed: Sequence[tuple[Node, int]],
    report: Report,
    patience: float,
    callbacks: Sequence[CallbackAny2Vec],
    checkpoints: Any,
    progress: bool | None,
) -> None:
    """Count a text and train on what was counted; parameters are those of `firth.cluster.train`.

    Raises
    ------
    InputError
        There are fewer words than workers, or no word has a context.
    FirthError
        What goes wrong in the training.
    """
    n_words, n = len(text.vocab), len(placed)
    if n_words < n:
        raise InputError(
            f"the text has {n_words} words for {n} workers: give fewer workers, or more text"
        )
    settings = model.settings
    window = Window(settings.window, settings.symmetric, settings.distance_weighting)
    nodes = [node for node, _ in placed]
    gather: tuple[Callable[..., Any], int] = (
        (blocks_of, model.seed) if isinstance(model, GloVe) else (rows_of, n_words)
    )
    started = time.perf_counter()
    with show_progress("counting pairs", total=text.n_tokens, unit="words", show=progress) as bar:
        counted = count_on_nodes(text, window, nodes, *gather, bar)
    figures: dict[str, Any] = {
        "corpus_total_words": text.n_tokens,
        "n_pairs": counted.n_pairs,
        "counting_seconds": time.perf_counter() - started,
    }
    if isinstance(model, PPMI):
        _decompose(model, text, counted.shares, nodes, report, figures, progress)
        return
    _train_glove(
        model, text, counted, placed, report, patience, callbacks, checkpoints, figures, progress
    )


def _train_glove(
    model: GloVe,
    text: EncodedText,
    counted: CountedPairs,
    placed: Sequence[tuple[Node, int]],
    report: Report,
    patience: float,
    callbacks: Sequence[CallbackAny2Vec],
    checkpoints: Any,
    figures: dict[str, Any],
    progress: bool | None,
) -> None:
    n, recipe = len(placed), model.recipe()
    # A round is what a chunk is elsewhere: what a checkpoint stands behind.
    ends = np.arange(1, n + 1) * counted.n_pairs // n
    plan = Plan(list(range(n + 1)), ends, model.epochs, model.learning_rate, 0.0, model.seed)
    run, state = Run.of_epochs(model.epochs), None
    if checkpoints:
        shapes = dict.fromkeys(SIDES, (len(text.vocab), recipe.bytes_per_row // 4))
        found = checkpoints.latest(plan, shapes)
        run, state = found or (run, state)
    with show_progress("training", total=plan.n_words, unit="pairs", show=progress) as bar:
        bar.advance(run.n_words)
        engine = GloveEngine(
            recipe, len(text.vocab), counted.shares, placed, patience, report, bar, state
        )

        def train_epoch(epoch: int) -> tuple[float, int, bool]:
            end = (epoch + 1) * n
            while run.position < end and not engine.interrupted:
                run.start_clock()
                done = engine.train_round(run.position)
                run.stop_clock()
                n_pairs = sum(each.n_pairs for each in done)
                loss = sum(each.loss for each in done)
                task = plan.task(run.position)
                mean = run.add(plan, task, Done(n_pairs, loss, n_pairs, n_pairs))
                bar.advance(0, loss=mean)
                if checkpoints:
                    checkpoints.look(engine, run, plan)
            losses = run.losses
            return losses.sums[epoch], losses.n_examples[epoch], run.position == end

        losses = [run.losses.mean(epoch) for epoch in range(run.position // n)]
        model.train_by(train_epoch, engine.rows, text.vocab, callbacks, losses, **figures)
        if checkpoints:
            checkpoints.save(engine, run, plan)


def _decompose(
    model: PPMI,
    text: EncodedText,
    shares: Sequence[Any],
    nodes: Sequence[Node],
    report: Report,
    figures: dict[str, Any],
    progress: bool | None,
) -> None:
    with show_progress("computing PPMI and its SVD", unit="pairs", show=progress) as bar:

        def make_matrix() -> tuple[ShardedMatrix, int]:
            matrix = ShardedMatrix(shares, len(text.vocab), nodes, report)
            n_positive = matrix.to_ppmi(model.negative, model.context_smoothing)
            bar.advance(n_positive)
            return matrix, n_positive

        model.train_by(make_matrix, randomized_svd, text.vocab, **figures)
    report.n_words, report.unit = figures["n_pairs"], "pairs"


def check_counted(model: GloVe | PPMI, *, looks: bool, keeps: bool) -> None:
    """Refuse models that are trained already, and settings that a cluster does not have.

    Parameters
    ----------
    model : GloVe or PPMI
        What is to be trained.
    looks : bool
        Whether there are callbacks.
    keeps : bool
        Whether there are to be checkpoints.

    Raises
    ------
    ParameterError
        It is, or it has.
    """
    settings = model.settings
    kind = type(model).__name__
    if model.is_trained:
        raise ParameterError(
            f"this {kind} is trained already: make one without a text, such as "
            f"firth.{kind}(vector_size=300)"
        )
    if settings.keep_cooccurrences is not None:
        raise ParameterError(
            "keep_cooccurrences: on a cluster the counts lie on the nodes, and are not kept; "
            "leave it out, or count on one machine by firth.count_cooccurrences"
        )
    if isinstance(model, PPMI) and (looks or keeps):
        raise ParameterError(
            "PPMI has no epochs: leave out callbacks, and checkpoint with what goes with it"
        )
    if isinstance(model, PPMI):
        check_scipy()

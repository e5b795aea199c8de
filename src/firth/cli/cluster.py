"""Options of ``firth train`` for a cluster of machines, and what they set going."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_line
from firth.cli.command import option
from firth.cli.models import FASTTEXT, WORD2VEC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from firth.cluster import Report
    from firth.models import Word2Vec

CLUSTER = "Cluster"
# What goes to the training, and not to the model.
_OF_RUN = ("checkpoint", "checkpoint_every", "resume", "callbacks")


def cluster_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options of a cluster."""
    for add in reversed(_OPTIONS):
        function = add(function)
    return function


_OPTIONS = (
    option(
        "--cluster",
        metavar="ADDRESS",
        section=CLUSTER,
        help="Train on a cluster of Ray: host:port, or auto for the one that runs here, and for a "
        "new one where none does. Each SOURCE may be an address such as s3://bucket/*.jsonl.zst.",
    ),
    option(
        "--cluster-workers",
        type=click.IntRange(min=1),
        metavar="N",
        section=CLUSTER,
        help="Processes with a copy of the vectors each.  [default: one for each node]",
    ),
)


def train_on_cluster(
    address: str,
    workers: int | None,
    kind: str,
    arguments: dict[str, Any],
    given: AbstractSet[str],
    *,
    quiet: bool,
) -> Word2Vec:
    """Train a model of windows with the arguments that its class takes on one machine.

    Raises
    ------
    click.UsageError
        An option does not go with a cluster.
    """
    if "threads" in given:
        raise click.UsageError(
            "--threads does not go with --cluster: each worker has the cores that its node gives "
            "to Ray ('ray start --num-cpus')."
        )
    if kind not in WORD2VEC and kind not in FASTTEXT:
        raise click.UsageError(
            f"--cluster does not go with --model {kind}, only with skipgram, cbow, "
            f"fasttext-skipgram and fasttext-cbow."
        )
    from firth import cluster, models

    of_run = {name: arguments.pop(name) for name in _OF_RUN if name in arguments}
    source = arguments.pop("corpus_file")
    made: Word2Vec
    if kind in FASTTEXT:
        made = models.FastText(sg=FASTTEXT[kind], **arguments)
    else:
        made = models.Word2Vec(sg=WORD2VEC[kind], **arguments)
    model, report = cluster.train(
        made, source, address=address, workers=workers, progress=arguments["progress"], **of_run
    )
    if not quiet:
        for line in lines_of(report):
            print_line(line)
    return model


def lines_of(report: Report) -> Sequence[str]:
    """Tell what each worker did, and what crossed between them."""
    from firth.progress import format_count, format_duration

    lines = []
    for number, worker in enumerate(report.workers):
        words = format_count(worker.n_words, "words")
        rate = format_count(worker.words_per_second, "words")
        kernel = format_duration(worker.kernel_seconds)
        lines.append(
            f"worker {number} on {worker.node}: {words}, {rate}/s with {worker.threads} "
            f"thread{'s' if worker.threads > 1 else ''}, {kernel} of the processor"
        )
    rate = format_count(report.words_per_second, "words")
    lines.append(
        f"all: {rate}/s; {100 * report.exchange_share:.0f}% of the time for "
        f"{report.n_exchanges:,} exchanges of {format_count(report.n_bytes, 'B')}, "
        f"{report.bytes_per_word:.0f} bytes a word"
    )
    return lines

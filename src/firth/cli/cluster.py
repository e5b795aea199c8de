"""Options of ``firth train`` for a cluster of machines, and what they set going."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from firth.cli.answers import print_line
from firth.cli.command import option
from firth.cli.models import FASTTEXT, WORD2VEC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from firth.cluster import Report
    from firth.models import PPMI, GloVe, Word2Vec

CLUSTER = "Cluster"
_NOT_HERE = {
    "threads": "each worker has the cores that its node gives to Ray ('ray start --num-cpus')",
    "memory": "counts lie in Ray's memory, and on disk where that is full",
    "keep_counts": "the counts lie on the nodes",
}
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
        help="Processes that train.  [default: one for each node]",
    ),
    option(
        "--cluster-split-rows",
        is_flag=True,
        section=CLUSTER,
        help="Split the rows of the vectors among the workers, for a skipgram or cbow; it happens "
        "anyway where a node has not the memory for all of them.",
    ),
)


def train_on_cluster(
    address: str,
    workers: int | None,
    split_rows: bool,
    kind: str,
    arguments: dict[str, Any],
    given: AbstractSet[str],
    *,
    quiet: bool,
) -> Word2Vec | GloVe | PPMI:
    """Train a model with the arguments that its class takes on one machine.

    Raises
    ------
    click.UsageError
        An option does not go with a cluster.
    """
    for name, why in _NOT_HERE.items():
        if name in given:
            option_name = name.replace("_", "-")
            raise click.UsageError(f"--{option_name} does not go with --cluster: {why}.")
    from firth import cluster, models

    of_run = {name: arguments.pop(name) for name in _OF_RUN if name in arguments}
    source = arguments.pop("corpus_file")
    classes: dict[str, Any] = {
        "glove": models.GloVe,
        "ppmi": models.PPMI,
        **{name: partial(models.Word2Vec, sg=sg) for name, sg in WORD2VEC.items()},
        **{name: partial(models.FastText, sg=sg) for name, sg in FASTTEXT.items()},
    }
    made: Word2Vec | GloVe | PPMI = classes[kind](**arguments)
    model, report = cluster.train(
        made, source, address=address, workers=workers, split_rows=split_rows or None,
        progress=arguments["progress"], **of_run,
    )  # fmt: skip
    if not quiet:
        for line in lines_of(report):
            print_line(line)
    return model


def lines_of(report: Report) -> Sequence[str]:
    """Tell what each worker did, and what crossed between them."""
    from firth.progress import format_count, format_duration

    lines = []
    for number, worker in enumerate(report.workers):
        did = ""
        if worker.n_words:
            words = format_count(worker.n_words, report.unit)
            rate = format_count(worker.words_per_second, report.unit)
            threads = f"{worker.threads} thread{'s' if worker.threads > 1 else ''}"
            did = f"{words}, {rate}/s with {threads}, "
        kernel = format_duration(worker.kernel_seconds)
        lines.append(f"worker {number} on {worker.node}: {did}{kernel} of the processor")
    rate = format_count(report.words_per_second, report.unit)
    if not report.n_exchanges:
        return [*lines, f"all: {rate}/s; one worker exchanges nothing"]
    share = f"{100 * report.exchange_share:.0f}% of the time for " if report.exchange_share else ""
    lines.append(
        f"all: {rate}/s; {share}{report.n_exchanges:,} exchanges; "
        f"{format_count(report.n_bytes, 'B')} in all, {report.bytes_per_word:.3g} bytes a "
        f"{report.unit.removesuffix('s')}"
    )
    return lines

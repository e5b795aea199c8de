"""Train on a Ray cluster of several nodes on this machine, beside the same training without it.

Run it as ``python benchmarks/cluster.py [--nodes 1 4] [--model cbow] [--epochs 5] [--seeds 1 2]``.
Nodes share the cores of this machine, so that the clock says nothing about many machines. What is
printed instead: the seconds of the processor that the kernels took for each node, which are to fall
as 1 / n; the bytes that crossed between workers for each word, beside what the model of traffic
expects; and the scores.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
from pathlib import Path
from typing import Any

import firth
from corpora import write_text
from quality import TEST_SETS, scores


def on_nodes(n: int, options: argparse.Namespace, seed: int) -> tuple[Any, dict[str, float]]:
    """Train on so many nodes; gives the report and the scores."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    for _ in range(n):
        cluster.add_node(num_cpus=1, object_store_memory=400_000_000, include_dashboard=False)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        model, report = firth.cluster.train(_model(options, seed), options.text, progress=False)
    finally:
        ray.shutdown()
        cluster.shutdown()
    return report, scores(model.wv)


def _model(options: argparse.Namespace, seed: int, **more: Any) -> firth.Word2Vec:
    return firth.Word2Vec(
        vector_size=options.dim,
        sg=int(options.model == "skipgram"),
        sample=1e-4,
        epochs=options.epochs,
        seed=seed,
        progress=False,
        **more,
    )


def main() -> None:
    """Print a line for each number of nodes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", help="a text; wiki100m if not given")
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--model", choices=["skipgram", "cbow"], default="skipgram")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.text:
            options.text = str(Path(folder) / "text.txt")
            write_text(Path(options.text))
        _compare(options)


def _compare(options: argparse.Namespace) -> None:
    alone = [
        scores(_model(options, seed, corpus_file=options.text, workers=1).wv)
        for seed in options.seeds
    ]
    _print_scores("one process, without Ray", alone)
    for n in options.nodes:
        runs = [on_nodes(n, options, seed) for seed in options.seeds]
        report = runs[0][0]
        kernel = [worker.kernel_seconds for worker in report.workers]
        words = [worker.n_words for worker in report.workers]
        print(
            f"{n} nodes: kernel seconds {statistics.mean(kernel):.2f} each (of {sum(kernel):.2f}), "
            f"words {min(words):,} to {max(words):,} each, {report.words_per_second:,.0f} words/s "
            f"by the clock, {100 * report.exchange_share:.0f}% of it exchanging"
        )
        print(
            f"{n} nodes: {report.bytes_per_word:.0f} bytes a word in {report.n_exchanges:,} "
            f"exchanges, {report.expected_bytes / max(report.n_bytes, 1):.2f} of them expected"
        )
        _print_scores(f"{n} nodes", [theirs for _, theirs in runs])


def _print_scores(name: str, runs: list[dict[str, float]]) -> None:
    means = (f"{test} {statistics.mean(run[test] for run in runs):.4f}" for test in TEST_SETS)
    print(f"{name}: {', '.join(means)}", flush=True)


if __name__ == "__main__":
    main()

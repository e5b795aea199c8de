"""Train on a Ray cluster of several nodes on this machine, beside the same training without it.

Run it as ``python benchmarks/cluster.py [--nodes 1 4] [--model glove] [--epochs 5] [--seeds 1 2]
[--kill 20] [--split-rows]``. Nodes share the cores of this machine, so that the clock says nothing
about many machines. What is printed instead: the seconds of the processor that the kernels took for
each node, which are to fall as 1 / n; the bytes that crossed between workers for each word (for
GloVe, for each pair), beside what the model of traffic expects; and the scores, as means of the
seeds. The kernel seconds are the least of all seeds. With ``--kill`` a worker is ended by
``kill -9`` in the middle.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import firth
from corpora import write_text
from firth.evaluation import first_score, read_test_set
from quality import DATA, FILES

TEST_SETS = {**FILES, "MEN": "similarity/EN-MEN-TR-3k.txt"}


def scores(wv: firth.KeyedVectors) -> dict[str, float]:
    """Score vectors on the test sets of all benchmarks, and on MEN; empty without the data."""
    folder = DATA / "eval"
    if not folder.is_dir():
        return {}
    sets = {name: read_test_set(folder / file) for name, file in TEST_SETS.items()}
    return {name: first_score(wv, test)[0] for name, test in sets.items()}


def on_nodes(n: int, options: argparse.Namespace, seed: int) -> tuple[Any, dict[str, float]]:
    """Train on so many nodes; gives the report and the scores."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    for _ in range(n):
        cluster.add_node(num_cpus=1, object_store_memory=1_000_000_000, include_dashboard=False)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        if options.kill:
            threading.Thread(target=_kill_one, args=(options.kill,), daemon=True).start()
        model, report = firth.cluster.train(
            _model(options, seed), options.text, split_rows=options.split_rows or None,
            progress=None if options.verbose else False,
        )  # fmt: skip
    finally:
        ray.shutdown()
        cluster.shutdown()
    return report, scores(model.wv)


def _kill_one(after: float) -> None:
    """End the first process found that trains, so many seconds after one does."""
    signs = ("ray::Worker.train", "ray::SplitWorker.train", "ray::firth: train a block")
    killed_from = 0.0
    while True:
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                trains = process.read_text(encoding="utf-8", errors="replace").startswith(signs)
            except OSError:
                continue
            killed_from = killed_from or (time.monotonic() + after if trains else 0.0)
            if trains and time.monotonic() > killed_from:
                os.kill(int(process.parent.name), signal.SIGKILL)
                print(f"killed {process.parent.name}", flush=True)
                return
        time.sleep(0.01)


def _model(options: argparse.Namespace, seed: int, **more: Any) -> Any:
    common = {"vector_size": options.dim, "seed": seed, "progress": False, **more}
    if options.model == "ppmi":
        return firth.PPMI(**common)
    if options.model == "glove":
        return firth.GloVe(epochs=options.epochs, **common)
    sg = int(options.model == "skipgram")
    return firth.Word2Vec(sg=sg, sample=1e-4, epochs=options.epochs, **common)


def main() -> None:
    """Print a line for each number of nodes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", help="a text; wiki100m if not given")
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 4])
    parser.add_argument(
        "--model", choices=["skipgram", "cbow", "glove", "ppmi"], default="skipgram"
    )
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--kill", type=float, metavar="S", help="kill a worker after S seconds")
    parser.add_argument("--split-rows", action="store_true", help="split rows among the nodes")
    parser.add_argument("--verbose", action="store_true", help="show the progress")
    options = parser.parse_args()
    if options.verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with tempfile.TemporaryDirectory() as folder:
        if not options.text:
            options.text = str(Path(folder) / "text.txt")
            write_text(Path(options.text))
        _compare(options)


def _compare(options: argparse.Namespace) -> None:
    alone: list[dict[str, float]] = []
    runs: dict[int, list[tuple[Any, dict[str, float]]]] = {n: [] for n in options.nodes}
    # In turns, since a machine that has other work is not as fast at all times.
    for seed in options.seeds:
        model = _model(options, seed, corpus_file=options.text, workers=1)
        alone.append(scores(model.wv))
        for n in options.nodes:
            runs[n].append(on_nodes(n, options, seed))
    _print_scores("one process, without Ray", alone)
    for n, theirs in runs.items():
        _print_work(n, [report for report, _ in theirs])
        _print_scores(f"{n} nodes", [each for _, each in theirs])


def _print_work(n: int, reports: list[Any]) -> None:
    """Print the least kernel seconds of all runs, and the traffic of the first."""
    kernel = min(
        statistics.mean(worker.kernel_seconds for worker in report.workers) for report in reports
    )
    report = reports[0]
    words = [worker.n_words for worker in report.workers]
    print(
        f"{n} nodes: kernel seconds {kernel:.2f} each, "
        f"{report.unit} {min(words):,} to {max(words):,} each, "
        f"{report.words_per_second:,.0f} {report.unit}/s by the clock, "
        f"{100 * report.exchange_share:.0f}% of it exchanging"
    )
    print(
        f"{n} nodes: {report.bytes_per_word:.3g} bytes for each of the {report.unit} in "
        f"{report.n_exchanges:,} exchanges; expected are "
        f"{report.expected_bytes / max(report.n_bytes, 1):.2f} of that"
    )
    for lost in (each for report in reports for each in report.lost):
        print(f"{n} nodes: {lost}")


def _print_scores(name: str, runs: list[dict[str, float]]) -> None:
    means = (f"{test} {statistics.mean(run[test] for run in runs):.4f}" for test in runs[0])
    print(f"{name}: {', '.join(means)}", flush=True)


if __name__ == "__main__":
    main()

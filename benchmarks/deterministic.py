"""Train with several threads and the same bits each time, beside threads that share matrices.

Run it as ``python benchmarks/deterministic.py [--model cbow] [--seeds 1 2]``. Both take turns, each
in a process of its own; words a second are those of the best run of each, the scores their means.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from corpora import peak_memory_bytes, write_text
from quality import TEST_SETS, scores

NAMES = {False: "shared matrices", True: "the same bits"}


def train(options: argparse.Namespace) -> dict[str, Any]:
    import firth

    model = firth.Word2Vec(
        corpus_file=options.text,
        vector_size=options.dim,
        sample=options.sample,
        sg=int(options.model == "skipgram"),
        epochs=options.epochs,
        workers=options.threads,
        seed=options.seed,
        deterministic=options.deterministic,
        progress=False,
    )
    memory = peak_memory_bytes()
    return {
        "words_per_second": model.words_per_second,
        "loss": model.loss,
        "memory": memory,
        "scores": {} if options.no_scores else scores(model.wv),
    }


def in_a_process(options: argparse.Namespace, seed: int, deterministic: bool) -> dict[str, Any]:
    arguments = [sys.executable, __file__, "--text", options.text, "--model", options.model]
    for name in ("dim", "epochs", "threads", "sample"):
        arguments += [f"--{name}", str(getattr(options, name))]
    arguments += ["--seed", str(seed)]
    arguments += ["--deterministic"] * deterministic + ["--no-scores"] * options.no_scores
    done = subprocess.run(arguments, stdout=subprocess.PIPE, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["skipgram", "cbow"], default="skipgram")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sample", type=float, default=1e-4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--no-scores", action="store_true")
    parser.add_argument("--text", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--deterministic", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seed is not None:
        print(json.dumps(train(options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        name, options.text = write_text(text), str(text)
        print(f"{options.model}, {options.dim} dimensions, {options.threads} threads, on {name}")
        results: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
        for seed in options.seeds:
            for deterministic, runs in results.items():
                runs.append(in_a_process(options, seed, deterministic))
    speeds = {}
    for deterministic, runs in results.items():
        speeds[deterministic] = max(run["words_per_second"] for run in runs)
        told = "".join(
            f"  {each} {statistics.mean(run['scores'][each] for run in runs):.3f}"
            for each in TEST_SETS
            if all(each in run["scores"] for run in runs)
        )
        loss = statistics.mean(run["loss"] for run in runs)
        memory = max(run["memory"] for run in runs)
        print(
            f"{NAMES[deterministic]:>16}: {speeds[deterministic] / 1e6:.2f} million words/s, "
            f"{memory / 1e6:.0f} MB, loss {loss:.4f}{told}"
        )
    print(f"{'ratio':>16}: {speeds[True] / speeds[False]:.2f}")


if __name__ == "__main__":
    main()

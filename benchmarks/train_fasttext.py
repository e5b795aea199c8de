"""Train fastText with firth and with the fasttext package, and compare speed and quality.

Run it as ``python benchmarks/train_fasttext.py [--model skipgram] [--dim 100] [--seeds 1 2]``; on
nothing else than the shared corpus are the test sets' scores worth anything. Each run is a process
of its own. Words a second count the training alone, not the reading of the text: those of the
package are what its progress line tells at the end, times its threads. Words that are too rare to
be learned count with neither. The package is left out where it is not installed, or with
``--no-peer``; ``--peer-python`` is an interpreter that has it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from corpora import peak_memory_bytes, write_text
from quality import TEST_SETS, scores

WINDOW, NEGATIVE, MIN_COUNT, MIN_N, MAX_N, BUCKET = 5, 5, 5, 3, 6, 2_000_000
# fastText's own defaults; it has no end of its learning rate but 0.
ALPHA, SAMPLE = 0.05, 1e-4
# Runs where only the package is installed: nothing of firth.
PEER = """
import json, sys, fasttext
settings, text, output = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
fasttext.train_unsupervised(text, verbose=2, **settings).save_model(output)
status = open("/proc/self/status").read()
print(json.dumps({"memory": int(status.split("VmHWM:")[1].split()[0]) * 1024}))
"""


def train_firth(options: argparse.Namespace) -> dict[str, Any]:
    import firth

    model = firth.FastText(
        corpus_file=options.text,
        vector_size=options.dim,
        window=WINDOW,
        negative=NEGATIVE,
        min_count=MIN_COUNT,
        min_n=MIN_N,
        max_n=MAX_N,
        bucket=BUCKET,
        sample=SAMPLE,
        alpha=ALPHA,
        min_alpha=0,
        sg=int(options.model == "skipgram"),
        epochs=options.epochs,
        workers=options.threads,
        seed=options.seed,
        progress=False,
    )
    memory = peak_memory_bytes()
    model.wv.save(options.output)
    return {
        "words_per_second": model.words_per_second,
        "seconds": model.training_seconds,
        "memory": memory,
    }


def train_package(options: argparse.Namespace) -> dict[str, Any]:
    """Train with the package, and keep its vectors; it has no seed to be set."""
    import firth
    from firth.formats import read_fasttext_model

    settings = {
        "model": options.model, "dim": options.dim, "ws": WINDOW, "neg": NEGATIVE, "lr": ALPHA,
        "minCount": MIN_COUNT, "minn": MIN_N, "maxn": MAX_N, "bucket": BUCKET, "t": SAMPLE,
        "epoch": options.epochs, "thread": options.threads,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "model.bin")
        done = subprocess.run(
            [options.peer_python, "-c", PEER, json.dumps(settings), options.text, file],
            capture_output=True, check=True, text=True,
        )  # fmt: skip
        data = read_fasttext_model(file, output=False)
    rates = re.findall(r"words/sec/thread:\s*(\d+)", done.stderr)
    # Its rate counts the tokens of rare words too.
    known = int(data.vocab.total_count) / data.n_tokens
    rate = int(rates[-1]) * options.threads * known
    firth.KeyedVectors(data.vocab, data.vectors()).save(options.output)
    return {
        "words_per_second": rate,
        "seconds": options.epochs * int(data.vocab.total_count) / rate,
        **json.loads(done.stdout.splitlines()[-1]),
    }


def run(library: str, seed: int, text: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train in a process of its own, and score what it made."""
    import firth

    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "vectors")
        command = [sys.executable, __file__, "--child", library, "--text", str(text)]
        command += ["--output", output, "--seed", str(seed), "--model", options.model]
        command += ["--peer-python", options.peer_python]
        for name in ("dim", "threads", "epochs"):
            command += [f"--{name}", str(getattr(options, name))]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        result: dict[str, Any] = json.loads(done.stdout)
        result["scores"] = scores(firth.load(output))
    return result


def tell(name: str, result: dict[str, Any]) -> None:
    print(
        f"{name:16} {result['words_per_second'] / 1e3:9,.0f} k {result['seconds']:8.1f}"
        f" {result['memory'] / 1e6:9,.0f} MB  "
        + "  ".join(f"{result['scores'].get(name, np.nan):16.4f}" for name in TEST_SETS),
        flush=True,
    )


def mean(results: list[dict[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {
        key: statistics.mean(r[key] for r in results)
        for key in ("words_per_second", "seconds", "memory")
    }
    result["scores"] = {
        name: statistics.mean(r["scores"][name] for r in results) for name in results[0]["scores"]
    }
    return result


def has_package(python: str) -> bool:
    command = [python, "-c", "import fasttext"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["skipgram", "cbow"], default="skipgram")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--no-peer", action="store_true", help="leave the package out")
    parser.add_argument("--peer-python", default=os.environ.get("PEER_PYTHON") or sys.executable)
    for hidden in ("--child", "--text", "--output"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        train = train_firth if options.child == "firth" else train_package
        print(json.dumps(train(options)))
        return

    libraries = ["firth"]
    if not options.no_peer and has_package(options.peer_python):
        libraries.append("fasttext")
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        name = write_text(text)
        print(
            f"fastText {options.model}, dim {options.dim}, window {WINDOW}, {NEGATIVE} negatives, "
            f"n-grams of {MIN_N} to {MAX_N} in {BUCKET:,} buckets, sample {SAMPLE:g}, alpha "
            f"{ALPHA}, {options.epochs} epochs, {options.threads} threads, on {name}"
        )
        print(
            f"{'':16} {'words/s':>11} {'seconds':>8} {'memory':>12}  "
            + "  ".join(f"{test_set:>16}" for test_set in TEST_SETS),
            flush=True,
        )
        results: dict[str, list[dict[str, Any]]] = {library: [] for library in libraries}
        for seed in options.seeds:
            for library in libraries:
                result = run(library, seed, text, options)
                results[library].append(result)
                tell(f"{library} {seed}", result)
    ours = mean(results["firth"])
    tell("firth mean", ours)
    if "fasttext" not in results:
        print("the fasttext package is left out or not installed: no ratios")
        return
    theirs = mean(results["fasttext"])
    tell("fasttext mean", theirs)
    differences = "  ".join(
        f"{ours['scores'][name] - theirs['scores'][name]:+16.4f}" for name in ours["scores"]
    )
    ratio = ours["words_per_second"] / theirs["words_per_second"]
    print(f"{'firth : fasttext':16} {ratio:10.1f}x {'':22}  {differences}")


if __name__ == "__main__":
    main()

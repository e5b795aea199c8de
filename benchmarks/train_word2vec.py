"""Train word2vec with firth and with gensim on the same text, and compare speed and quality.

Run it as ``python benchmarks/train_word2vec.py [--model skipgram] [--hs] [--seeds 1 2]``; on
nothing else than the shared corpus are the test sets' scores worth anything. Each run is a process
of its own. Words a second count the training alone, not the reading of the text. The machine's peak
of fused multiply-adds is measured by a loop in registers on as many threads, right before and after
each training. gensim (the extra "benchmark") is left out with ``--no-peer``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from corpora import peak_memory_bytes, write_text
from quality import TEST_SETS, scores

WINDOW, NEGATIVE, MIN_COUNT = 5, 5, 5
ALPHA, MIN_ALPHA = 0.025, 1e-4


def alpha_at_the_end(options: argparse.Namespace) -> float:
    """Tell where gensim's learning rate really ends, so that both train with the same one.

    With `corpus_file`, each of its threads counts only its own share of the text, and takes that
    for the progress of all (`get_next_alpha` in word2vec_corpusfile.pyx): the last epoch ends after
    1 / threads of its part of the decay. With one thread it is `min_alpha`.
    """
    progress = (options.epochs - 1 + 1 / options.threads) / options.epochs
    return float(ALPHA - (ALPHA - MIN_ALPHA) * progress)


def train_firth(options: argparse.Namespace) -> dict[str, Any]:
    import firth

    peak = peak_gflops(options.threads)
    model = firth.Word2Vec(
        corpus_file=options.text,
        vector_size=options.dim,
        window=WINDOW,
        hs=int(options.hs),
        negative=0 if options.hs else NEGATIVE,
        min_count=MIN_COUNT,
        sample=options.sample,
        alpha=ALPHA,
        min_alpha=alpha_at_the_end(options),
        sg=int(options.model == "skipgram"),
        epochs=options.epochs,
        workers=options.threads,
        seed=options.seed,
        progress=False,
    )
    peak = max(peak, peak_gflops(options.threads))
    # A product and two gradients for each pair of a context (CBOW: their mean) and a target. Words
    # that are read are not those that are kept, so that the mean length of paths is not exact.
    operations = model.n_examples * targets_of_a_word(model) * options.dim * 6
    gflops = operations / model.training_seconds / 1e9
    memory = peak_memory_bytes()
    model.wv.save(options.output)
    return {
        "words_per_second": model.words_per_second,
        "seconds": model.training_seconds,
        "n_words": model.corpus_total_words,
        "n_types": len(model.wv),
        "gflops": gflops,
        "peak_gflops": peak,
        "memory": memory,
    }


def targets_of_a_word(model: Any) -> float:
    """Tell how many targets a word has: itself and its negatives, or the nodes of its path."""
    if not model.hs:
        return 1.0 + NEGATIVE
    from firth import _core

    counts = model.wv.vocab.counts
    ends = _core.build_huffman_paths(counts)[0].astype(np.int64)
    lengths = ends[1:] - ends[:-1]
    share = counts / counts.sum()
    kept = counts * np.minimum(1, np.sqrt(model.sample / share) + model.sample / share)
    return float(np.average(lengths, weights=kept))


def train_gensim(options: argparse.Namespace) -> dict[str, Any]:
    from gensim.models import Word2Vec

    import firth

    model = Word2Vec(
        vector_size=options.dim,
        window=WINDOW,
        hs=int(options.hs),
        negative=0 if options.hs else NEGATIVE,
        min_count=MIN_COUNT,
        sample=options.sample,
        alpha=ALPHA,
        min_alpha=MIN_ALPHA,
        sg=int(options.model == "skipgram"),
        workers=options.threads,
        seed=options.seed,
    )
    model.build_vocab(corpus_file=options.text)
    begin = time.perf_counter()
    model.train(
        corpus_file=options.text,
        total_words=model.corpus_total_words,
        total_examples=model.corpus_count,
        epochs=options.epochs,
    )
    seconds = time.perf_counter() - begin
    n_words = sum(int(model.wv.get_vecattr(word, "count")) for word in model.wv.index_to_key)
    memory = peak_memory_bytes()
    vocab = firth.Vocab.from_words(model.wv.index_to_key)
    firth.KeyedVectors(vocab, model.wv.vectors).save(options.output)
    return {
        "words_per_second": options.epochs * n_words / seconds,
        "seconds": seconds,
        "n_words": n_words,
        "n_types": len(model.wv),
        "memory": memory,
    }


def peak_gflops(threads: int, seconds: float = 0.3) -> float:
    """Measure what all threads together do in registers, in 10^9 operations a second."""
    from firth import _core

    _core.multiply_add_in_registers(1_000_000)
    totals = [0.0] * threads

    def work(number: int) -> None:
        while time.perf_counter() < end:
            totals[number] += _core.multiply_add_in_registers(1_000_000)

    begin = time.perf_counter()
    end = begin + seconds
    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(totals) / (time.perf_counter() - begin) / 1e9


def run(library: str, seed: int, text: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train in a process of its own, and score what it made."""
    import firth

    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "vectors")
        command = [sys.executable, __file__, "--child", library, "--text", str(text)]
        command += ["--output", output, "--seed", str(seed), "--model", options.model]
        command += ["--hs"] * options.hs
        for name in ("dim", "threads", "epochs", "sample"):
            command += [f"--{name}", str(getattr(options, name))]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        result: dict[str, Any] = json.loads(done.stdout)
        result["scores"] = scores(firth.load(output))
    return result


def tell(name: str, result: dict[str, Any]) -> None:
    share = result["gflops"] / result["peak_gflops"] if "gflops" in result else None
    print(
        f"{name:15} {result['words_per_second'] / 1e3:9,.0f} k {result['seconds']:8.1f}"
        f" {f'{share:9.1%}' if share else ' ' * 9} {result['memory'] / 1e6:9,.0f} MB  "
        + "  ".join(f"{result['scores'].get(name, np.nan):16.4f}" for name in TEST_SETS),
        flush=True,
    )


def mean(results: list[dict[str, Any]]) -> dict[str, Any]:
    keys = ("words_per_second", "seconds", "memory", "gflops", "peak_gflops")
    result: dict[str, Any] = {
        key: statistics.mean(r[key] for r in results) for key in keys if key in results[0]
    }
    result["scores"] = {
        name: statistics.mean(r["scores"][name] for r in results) for name in results[0]["scores"]
    }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["skipgram", "cbow"], default="skipgram")
    parser.add_argument("--hs", action="store_true", help="hierarchical softmax, no negatives")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--sample", type=float, default=1e-4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--no-peer", action="store_true", help="leave gensim out")
    for hidden in ("--child", "--text", "--output"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        train = train_firth if options.child == "firth" else train_gensim
        print(json.dumps(train(options)))
        return

    libraries = ["firth"]
    if find_spec("gensim") and not options.no_peer:
        libraries.append("gensim")
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        name = write_text(text)
        print(
            f"{options.model}, dim {options.dim}, window {WINDOW}, "
            f"{'hierarchical softmax' if options.hs else f'{NEGATIVE} negatives'}, sample "
            f"{options.sample:g}, alpha {ALPHA} to {alpha_at_the_end(options):.4f}, "
            f"{options.epochs} epochs, {options.threads} threads, on {name}"
        )
        print(
            f"{'':15} {'words/s':>11} {'seconds':>8} {'FMA peak':>9} {'memory':>12}  "
            + "  ".join(f"{test_set:>16}" for test_set in TEST_SETS),
            flush=True,
        )
        results: dict[str, list[dict[str, Any]]] = {library: [] for library in libraries}
        for seed in options.seeds:
            for library in libraries:
                result = run(library, seed, text, options)
                results[library].append(result)
                tell(f"{library} seed {seed}", result)
    ours = mean(results["firth"])
    tell("firth mean", ours)
    first = results["firth"][0]
    print(
        f"{first['n_words']:,} words of {first['n_types']:,} types; {ours['gflops']:.1f} of "
        f"{ours['peak_gflops']:.1f} GFLOP/s"
    )
    if "gensim" not in results:
        print("gensim is left out or not installed (pip install 'firth[benchmark]'): no ratios")
        return
    theirs = mean(results["gensim"])
    tell("gensim mean", theirs)
    differences = "  ".join(
        f"{ours['scores'][name] - theirs['scores'][name]:+16.4f}" for name in ours["scores"]
    )
    ratio = ours["words_per_second"] / theirs["words_per_second"]
    print(f"{'firth : gensim':15} {ratio:10.1f}x {'':32}  {differences}")


if __name__ == "__main__":
    main()

"""Count co-occurrences and train GloVe with firth and with GloVe's own programs on the same text.

Run it as ``python benchmarks/train_glove.py [--glove DIR] [--dim 100] [--window 5] [--epochs 15]``.
DIR holds GloVe's programs ``vocab_count``, ``cooccur``, ``shuffle`` and ``glove``
(github.com/stanfordnlp/GloVe, ``make``); without it there are no ratios. Each run is a process of
its own. "counting" is from text to shuffled co-occurrences: reading, counting and shuffling, all of
which a run needs; "training" is the rest. CPU seconds stand beside those of the clock, for machines
that have other things to do. Both start with the same learning rates and weights, and tell the same
loss.

What a pair has to move (two vectors, their sums of squares, read and written) is told as a share of
what plain copying moves on as many threads; above 1, the caches do it.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from corpora import peak_memory_bytes, write_text
from quality import TEST_SETS, scores

MIN_COUNT, X_MAX, ALPHA, RATE = 5, 100.0, 0.75, 0.05
PROGRAMS = ("vocab_count", "cooccur", "shuffle", "glove")


class Timer:
    """Seconds by the clock and of the processor, of this process and those it has waited for."""

    def __init__(self) -> None:
        self._begin = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return time.perf_counter(), sum(u.ru_utime + u.ru_stime for u in used)

    def lap(self) -> tuple[float, float]:
        """Tell what was used since the last lap."""
        begin, self._begin = self._begin, self._now()
        return self._begin[0] - begin[0], self._begin[1] - begin[1]


def run_firth(options: argparse.Namespace) -> dict[str, Any]:
    import firth
    from firth.models._dealt import DealtCooccurrences
    from firth.progress import progress

    timer = Timer()
    vocab, corpus = firth.encode_corpus(
        options.text, min_count=MIN_COUNT, workers=options.threads, progress=False, cache=False
    )
    laps = {"reading": timer.lap()}
    with corpus:
        n_words = len(corpus)
        counts = firth.count_cooccurrences(
            vocab, corpus, window=options.window, workers=options.threads, progress=False
        )
    laps["counting pairs"] = timer.lap()
    with progress("", show=False) as bar:
        DealtCooccurrences(counts, options.seed, options.threads, bar).close()
    laps["shuffling"] = timer.lap()
    with counts:
        model = firth.GloVe(
            cooccurrences=counts,
            vector_size=options.dim,
            x_max=X_MAX,
            alpha=ALPHA,
            learning_rate=RATE,
            epochs=options.epochs,
            workers=options.threads,
            seed=options.seed,
            progress=False,
        )
    seconds, cpu_seconds = timer.lap()
    # It shuffled once more.
    laps["training"] = (seconds - laps["shuffling"][0], cpu_seconds - laps["shuffling"][1])
    memory = peak_memory_bytes()
    bandwidth = copied_bytes_per_second(options.threads)
    model.save(options.output)
    stride = -(-options.dim // 16) * 16
    moved = model.n_pairs * options.epochs * 2 * 2 * stride * 4 * 2
    return {
        "laps": laps,
        "loss": model.loss,
        "n_pairs": model.n_pairs,
        "n_words": n_words,
        "memory": memory,
        "moved": moved / laps["training"][0],
        "bandwidth": bandwidth,
    }


def run_glove(options: argparse.Namespace) -> dict[str, Any]:
    import firth

    programs = {name: str(Path(options.glove).resolve() / name) for name in PROGRAMS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def run(program: str, source: Path | None, target: str, *arguments: str) -> None:
            with (folder / target).open("wb") as out:
                subprocess.run(
                    [programs[program], *arguments],
                    stdin=source.open("rb") if source else None,
                    stdout=out,
                    stderr=subprocess.STDOUT if program == "glove" else subprocess.DEVNULL,
                    cwd=folder,
                    check=True,
                )

        text = Path(options.text)
        timer = Timer()
        run("vocab_count", text, "vocab.txt", "-min-count", str(MIN_COUNT), "-verbose", "0")
        laps = {"reading": timer.lap()}
        run("cooccur", text, "counts", "-window-size", str(options.window), "-verbose", "0",
            "-vocab-file", "vocab.txt", "-memory", "4")  # fmt: skip
        laps["counting pairs"] = timer.lap()
        shuffled = ["-verbose", "0", "-memory", "4", "-seed", str(options.seed)]
        run("shuffle", folder / "counts", "shuffled", *shuffled)
        laps["shuffling"] = timer.lap()
        run("glove", None, "log", "-input-file", "shuffled", "-vocab-file", "vocab.txt",
            "-vector-size", str(options.dim), "-threads", str(options.threads), "-iter",
            str(options.epochs), "-x-max", str(X_MAX), "-alpha", str(ALPHA), "-eta", str(RATE),
            "-seed", str(options.seed), "-binary", "1", "-save-file", "vectors")  # fmt: skip
        laps["training"] = timer.lap()
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        words = [line.split()[0] for line in lines]
        n_words = sum(int(line.split()[1]) for line in lines)
        log = (folder / "log").read_text(encoding="utf-8", errors="replace")
        loss = float(log.rsplit("cost:", 1)[1].split()[0])
        n_pairs = (folder / "counts").stat().st_size // 16
        # Vectors of words, then of contexts, each with its bias behind it, in double precision.
        trained = np.fromfile(folder / "vectors.bin").reshape(2, len(words), options.dim + 1)
        vectors = trained[:, :, :-1].sum(axis=0).astype(np.float32)
        firth.KeyedVectors(firth.Vocab.from_words(words), vectors).save(options.output)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {"laps": laps, "loss": loss, "n_pairs": n_pairs, "n_words": n_words, "memory": memory}


def copied_bytes_per_second(threads: int, megabytes: int = 256) -> float:
    """Measure what all threads together read and write when they copy."""
    arrays = [np.ones((2, megabytes * 1_000_000 // 8)) for _ in range(threads)]
    best = 0.0
    for _ in range(3):
        begin = time.perf_counter()
        workers = [threading.Thread(target=np.copyto, args=(a[0], a[1])) for a in arrays]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, threads * megabytes * 2e6 / (time.perf_counter() - begin))
    return best


def run(library: str, seed: int, text: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Count and train in a process of its own, and score what it made."""
    import firth

    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "vectors")
        command = [sys.executable, __file__, "--child", library, "--text", str(text)]
        command += ["--output", output, "--seed", str(seed)]
        for name in ("dim", "threads", "epochs", "window"):
            command += [f"--{name}", str(getattr(options, name))]
        command += ["--glove", options.glove] if options.glove else []
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        result: dict[str, Any] = json.loads(done.stdout)
        result["scores"] = scores(firth.load(output))
    laps = result["laps"]
    prepared = [laps[name] for name in ("reading", "counting pairs", "shuffling")]
    result["counting"] = [sum(lap[i] for lap in prepared) for i in (0, 1)]
    result["training"] = laps["training"]
    return result


def tell(name: str, result: dict[str, Any], options: argparse.Namespace) -> None:
    pairs = result["n_words"] * options.window / result["counting"][0]
    terms = result["n_pairs"] * options.epochs / result["training"][0]
    print(
        f"{name:13} {result['counting'][0]:8.1f} {result['counting'][1]:7.1f} {pairs / 1e6:8.1f} M"
        f" {result['training'][0]:9.1f} {result['training'][1]:7.1f} {terms / 1e6:8.2f} M"
        f" {result['loss']:9.6f}  "
        + "  ".join(f"{result['scores'].get(name, np.nan):16.4f}" for name in TEST_SETS),
        flush=True,
    )


def mean(results: list[dict[str, Any]]) -> dict[str, Any]:
    first = results[0]
    return {
        "n_words": first["n_words"],
        "n_pairs": first["n_pairs"],
        "loss": statistics.mean(r["loss"] for r in results),
        **{
            name: [statistics.mean(r[name][i] for r in results) for i in (0, 1)]
            for name in ("counting", "training")
        },
        "scores": {
            name: statistics.mean(r["scores"][name] for r in results) for name in first["scores"]
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--glove", help="folder of GloVe's own programs")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--window", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    for hidden in ("--child", "--text", "--output"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        work = run_firth if options.child == "firth" else run_glove
        print(json.dumps(work(options)))
        return

    libraries = ["firth", *(["GloVe"] if options.glove else [])]
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        name = write_text(text)
        print(
            f"GloVe, dim {options.dim}, window {options.window}, x_max {X_MAX:g}, "
            f"{options.epochs} epochs, {options.threads} threads, on {name}"
        )
        print(
            f"{'':13} {'counting':>8} {'CPU s':>7} {'pairs/s':>10} {'training':>9} {'CPU s':>7}"
            f" {'nonzeros/s':>10} {'loss':>9}  "
            + "  ".join(f"{test_set:>16}" for test_set in TEST_SETS),
            flush=True,
        )
        results: dict[str, list[dict[str, Any]]] = {library: [] for library in libraries}
        for seed in options.seeds:
            for library in libraries:
                result = run(library, seed, text, options)
                results[library].append(result)
                tell(f"{library} seed {seed}", result, options)
    ours, first = mean(results["firth"]), results["firth"][0]
    tell("firth mean", ours, options)
    print(f"{first['n_words']:,} words, {first['n_pairs']:,} nonzeros; seconds, of which CPU:")
    for library in libraries:
        laps = results[library][0]["laps"]
        told = ", ".join(f"{name} {lap[0]:.1f} ({lap[1]:.1f})" for name, lap in laps.items())
        print(f"  {library}: {told}; at most {results[library][0]['memory'] / 1e6:,.0f} MB")
    print(
        f"training moves {first['moved'] / 1e9:.1f} GB/s, copying {first['bandwidth'] / 1e9:.1f}: "
        f"{first['moved'] / first['bandwidth']:.2f}"
    )
    if not options.glove:
        print("no ratios without GloVe's own programs: --glove DIR")
        return
    theirs = mean(results["GloVe"])
    tell("GloVe mean", theirs, options)
    ratios = [theirs[name][i] / ours[name][i] for name in ("counting", "training") for i in (0, 1)]
    differences = "  ".join(
        f"{ours['scores'][name] - theirs['scores'][name]:+16.4f}" for name in ours["scores"]
    )
    print(
        f"firth : GloVe {ratios[0]:7.1f}x {ratios[1]:6.1f}x {'':10} {ratios[2]:8.1f}x"
        f" {ratios[3]:6.1f}x {'':10} {ours['loss'] - theirs['loss']:+9.6f}  {differences}"
    )


if __name__ == "__main__":
    main()

"""Count and encode whitespace text on one core and on two, beside gensim's counting.

Run it as ``python benchmarks/encode.py``. The text lies in the page cache. Each run is a process
that may use one core, or two. Counting makes a vocabulary; encoding makes a vocabulary and a corpus
of ids on disk, in one reading. gensim and a `collections.Counter` only count.

Two cores are seldom twice one: they share a cache, and on a rented machine perhaps their units. So
a last line tells what is to be had: two processes at a time, each with a core and half of the text,
which have nothing to do with each other, against one process and the same half.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from corpora import write_text

ROUNDS = 11


def count_firth(text: str, cores: int) -> None:
    import firth

    firth.build_vocab(text, workers=cores, progress=False)


def encode_firth(text: str, cores: int) -> object:
    import firth

    # Its temporary files go when nobody refers to it any more: after the clock was looked at.
    return firth.encode_corpus(text, workers=cores, progress=False, cache=False)


def count_python(text: str, cores: int) -> None:  # noqa: ARG001
    from collections import Counter

    counter: Counter[bytes] = Counter()
    with Path(text).open("rb") as file:
        for line in file:
            counter.update(line.split())


def count_gensim(text: str, cores: int) -> None:  # noqa: ARG001
    from gensim.models import Word2Vec

    Word2Vec().build_vocab(corpus_file=text)


TASKS = {
    "firth counts": count_firth,
    "firth counts and encodes": encode_firth,
    "Python's Counter counts": count_python,
    "gensim counts": count_gensim,
}


def start(task: str, text: Path, cores: range) -> subprocess.Popen[str]:
    """Start a process that does a task on these cores, counted from 0, when it gets a line."""
    command = [sys.executable, __file__, "--child", task, str(text), str(cores.start)]
    command.append(str(cores.stop))
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout
    process.stdout.readline()  # it is ready
    return process


def finish(*processes: subprocess.Popen[str]) -> float:
    """Let processes begin, and give the seconds of the slowest."""
    for process in processes:
        assert process.stdin
        process.stdin.write("begin\n")
        process.stdin.flush()
    times = [json.loads(process.communicate()[0]) for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a process failed")
    return float(max(times))


def seconds(task: str, text: Path, most_cores: int) -> list[list[float]]:
    """Run a task in processes that may use one core, two ..., by turns."""
    ranges = [range(cores) for cores in range(1, most_cores + 1)]
    rounds = [[finish(start(task, text, cores)) for cores in ranges] for _ in range(ROUNDS)]
    return [list(times) for times in zip(*rounds, strict=True)]


def independent_seconds(task: str, text: Path) -> tuple[list[float], list[float]]:
    """Run one process on a core, and two that have a core each, by turns."""
    alone, both = [], []
    for _ in range(ROUNDS):
        alone.append(finish(start(task, text, range(1))))
        both.append(finish(*[start(task, text, range(core, core + 1)) for core in range(2)]))
    return alone, both


def median_ratio(one: list[float], two: list[float]) -> float:
    """Of what ran by turns: the speed of the machine changes from minute to minute."""
    return median(a / b for a, b in zip(one, two, strict=True))


def child(task: str, text: str, first_core: int, end_core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[first_core:end_core])
    cores = end_core - first_core
    # Once with a short text, so that imports do not count.
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "short.txt"
        short.write_text("you shall know a word by the company it keeps\n" * 10)
        TASKS[task](str(short), cores)
    print("ready", flush=True)
    sys.stdin.readline()
    begin = time.perf_counter()
    made = TASKS[task](text, cores)
    print(json.dumps(time.perf_counter() - begin))
    del made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        task, path, first_core, end_core = options.child
        child(task, path, int(first_core), int(end_core))
        return
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        name = write_text(text)
        size = text.stat().st_size / 1e6
        print(f"{name}: {size:.0f} MB of whitespace text; best of {ROUNDS} by turns, in MB/s")
        print(f"{'':48} {'ratio':>7} {'of the':>7}")
        print(f"{'':26} {'one core':>10} {'two cores':>10} {'(median)':>7} {'best':>7}")
        rates = {}
        for task in TASKS:
            if "gensim" in task and not find_spec("gensim"):
                continue
            most_cores = 2 if "firth" in task and (os.cpu_count() or 1) > 1 else 1
            times = seconds(task, text, most_cores)
            best = [size / min(runs) for runs in times]
            rates[task] = best[0]
            line = f"{task:26} " + " ".join(f"{rate:10.0f}" for rate in best)
            if most_cores > 1:
                line += f" {median_ratio(*times):7.2f} {best[1] / best[0]:7.2f}"
            print(line, flush=True)
        if (os.cpu_count() or 1) > 1:
            half = Path(folder) / "half.txt"
            with text.open("rb") as whole:
                half.write_bytes(whole.read(text.stat().st_size // 2).rpartition(b"\n")[0])
            alone, both = independent_seconds("firth counts and encodes", half)
            middle, best_of = 2 * median_ratio(alone, both), 2 * min(alone) / min(both)
            print(f"{'two processes, half each':48} {middle:7.2f} {best_of:7.2f}")
    if "gensim counts" in rates:
        ratio = rates["firth counts"] / rates["gensim counts"]
        print(f"firth : gensim, counting on one core: {ratio:.1f}x")


if __name__ == "__main__":
    main()

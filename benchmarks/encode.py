"""Count and encode whitespace text on one core and on two, beside gensim's counting.

Run it as ``python benchmarks/encode.py``. The text lies in the page cache. Each run is a process
that may use one core, or two. Counting makes a vocabulary; encoding makes a vocabulary and a corpus
of ids on disk, in one reading. gensim and a `collections.Counter` only count.
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

from corpora import write_text

ROUNDS = 5


def count_firth(text: str, cores: int) -> None:
    import firth

    firth.build_vocab(text, workers=cores, progress=False)


def encode_firth(text: str, cores: int) -> None:
    import firth

    firth.encode_corpus(text, workers=cores, progress=False, cache=False)[1].close()


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


def seconds(task: str, text: Path, cores: int) -> float:
    """Run a task in processes that may use so many cores; the best time."""
    command = [sys.executable, __file__, "--child", task, str(text), str(cores)]
    times = []
    for _ in range(ROUNDS):
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        times.append(float(json.loads(done.stdout)))
    return min(times)


def child(task: str, text: str, cores: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    # Once with a short text, so that imports do not count.
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "short.txt"
        short.write_text("you shall know a word by the company it keeps\n" * 10)
        TASKS[task](str(short), cores)
    begin = time.perf_counter()
    TASKS[task](text, cores)
    print(json.dumps(time.perf_counter() - begin))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        task, path, cores = options.child
        child(task, path, int(cores))
        return
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        name = write_text(text)
        size = text.stat().st_size / 1e6
        print(f"{name}: {size:.0f} MB of whitespace text; best of {ROUNDS}, in MB/s")
        print(f"{'':26} {'one core':>10} {'two cores':>10} {'ratio':>7}")
        rates = {}
        for task in TASKS:
            if "gensim" in task and not find_spec("gensim"):
                continue
            cores = (1, 2) if "firth" in task and (os.cpu_count() or 1) > 1 else (1,)
            one, *two = [size / seconds(task, text, n) for n in cores]
            rates[task] = one
            print(
                f"{task:26} {one:10.0f}" + (f" {two[0]:10.0f} {two[0] / one:7.2f}" if two else ""),
                flush=True,
            )
    if "gensim counts" in rates:
        ratio = rates["firth counts"] / rates["gensim counts"]
        print(f"firth : gensim, counting on one core: {ratio:.1f}x")


if __name__ == "__main__":
    main()

"""Open a model, ask it for the first time, ask one question after the other, ask many at once.

Run it as ``python benchmarks/open_and_ask.py [--words 400000] [--dim 100] [--questions 1000]``. The
vectors are made up: times do not depend on what is in them. With gensim installed (the extra
"benchmark") it answers the same questions in the same run, the two taking turns, and the ratios are
printed; without it our figures stand alone. Each load is timed in a process of its own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from firth.vectors import KeyedVectors
from firth.vocab import Vocab

OPEN = {
    "firth": "from firth.vectors import KeyedVectors",
    "gensim": "from gensim.models import KeyedVectors",
}
# What a process does that opens a model and asks one question; prints what that cost.
COLD = """
import json, re, sys, time
{imports}
def private():
    try:
        text = open("/proc/self/smaps_rollup").read()
    except OSError:
        return 0
    return sum(map(int, re.findall(r"Private_(?:Clean|Dirty): +(\\d+)", text)))
before = private()
begin = time.perf_counter()
wv = KeyedVectors.load({path!r}{arguments})
opened = time.perf_counter()
after = private()
asked = time.perf_counter()
wv.most_similar("word7")
print(json.dumps([opened - begin, (after - before) / 1024, time.perf_counter() - asked]))
"""


def cold(library: str, path: str, arguments: str = "") -> list[float]:
    code = COLD.format(imports=OPEN[library], path=path, arguments=arguments)
    runs = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        runs.append(json.loads(done.stdout))
    return [min(column) for column in zip(*runs, strict=True)]


def seconds(ask: Callable[..., object], *arguments: object) -> float:
    begin = time.perf_counter()
    ask(*arguments)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--questions", type=int, default=1000, help="asked at once")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    rng = np.random.default_rng(1)
    words = [f"word{i}" for i in range(options.words)]
    matrix = rng.standard_normal((options.words, options.dim), dtype=np.float32)
    questions = words[: options.questions]
    with tempfile.TemporaryDirectory() as folder:
        ours_path = str(Path(folder) / "firth")
        KeyedVectors(Vocab.from_words(words), matrix).save(ours_path)
        ours = KeyedVectors.load(ours_path)
        load, memory, first = cold("firth", ours_path)
        theirs: Any = None
        if find_spec("gensim"):
            from gensim.models import KeyedVectors as GensimVectors

            theirs = GensimVectors(options.dim)
            theirs.add_vectors(words, matrix)
            theirs_path = str(Path(folder) / "gensim.kv")
            theirs.save(theirs_path)
            their_load, their_memory, their_first = cold("gensim", theirs_path, ", mmap='r'")

        one, many, their_one = [], [], []
        for _ in range(options.rounds):
            one += [seconds(ours.most_similar, word) for word in words[:20]]
            many.append(seconds(ours.most_similar_many, questions) / len(questions))
            if theirs is not None:
                their_one += [seconds(theirs.most_similar, word) for word in words[:20]]

    print(f"{options.words:,} words x {options.dim}, {os.cpu_count()} cores; best and median")
    print(f"open          {load * 1e3:9.2f} ms      private memory {memory:7.1f} MB")
    print(f"first answer  {first * 1e3:9.2f} ms")
    tell("one by one", one)
    tell(f"{len(questions)} at once", many)
    if theirs is None:
        print("gensim is not installed (pip install 'firth[benchmark]'): no ratios")
        return
    print("gensim, the same questions (opened with mmap='r')")
    print(f"open          {their_load * 1e3:9.2f} ms      private memory {their_memory:7.1f} MB")
    print(f"first answer  {their_first * 1e3:9.2f} ms")
    tell("one by one", their_one)
    per_question = statistics.median(their_one)
    print("times faster than gensim")
    print(f"open          {their_load / load:9.1f}")
    print(f"first answer  {their_first / first:9.1f}")
    print(f"one by one    {per_question / statistics.median(one):9.1f}")
    print(f"at once       {per_question / statistics.median(many):9.1f}   (a question)")


def tell(what: str, times: list[float]) -> None:
    best, middle = min(times) * 1e3, statistics.median(times) * 1e3
    print(f"{what:13} {best:9.2f} ms  {middle:9.2f} ms a question, {1e3 / middle:8.0f} a second")


if __name__ == "__main__":
    main()

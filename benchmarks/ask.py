"""Ask one question, a thousand at once, ten thousand in bounded memory.

Run it as ``python benchmarks/ask.py [--words 400000] [--dims 100 300] [--vectors FILE]``. For each
number of dimensions, and for real vectors where a file is given, it prints, with the targets:

- one question, as a multiple of the time that reading the matrix once takes at the bandwidth that
  is measured in the same run, with as many threads as the search has;
- a thousand questions at once, as a share of the peak of this machine's multiply-adds in registers
  and beside NumPy's matrix product of the same shapes; and how many times faster than gensim's
  ``most_similar``, one by one, where gensim is installed (the extra "benchmark");
- the memory that ten thousand questions take above the matrix, in a process of its own;
- a question of a thousand at once by an index, with the recall measured, and of those one by one
  (``benchmarks/approximate.py`` tells more of it).

Made-up vectors are of a normal distribution: exact times do not depend on what is in them, and an
index has nothing to leave out.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firth import KeyedVectors, Vocab, _core
from firth.machine import usable_cores

# What a process does that asks ten thousand questions; prints its memory before and after in MB.
MANY = """
import json, re
from firth import KeyedVectors
def peak():  # of this process alone: ru_maxrss begins with that of who started it
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
wv = KeyedVectors.load({path!r})
wv.vectors.sum(), wv.norms.sum()
wv.most_similar_many(wv.index_to_key[:20])
words = wv.index_to_key[: {n}]
before = peak()
wv.most_similar_many(words, topn=10)
print(json.dumps((peak() - before) / 1024))
"""


def best(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def on_all_cores(work: Callable[[int], Any]) -> Callable[[], list[Any]]:
    pool = ThreadPoolExecutor(usable_cores())
    return lambda: list(pool.map(work, range(usable_cores())))


def seconds_to_read(matrix: NDArray[np.float32], rounds: int) -> float:
    """Time that all cores take to read a matrix once: sums of integers, as fast as memory gives."""
    whole = matrix.reshape(-1)
    parts = np.array_split(whole[: len(whole) // 2 * 2].view(np.int64), usable_cores())
    return best(on_all_cores(lambda core: np.bitwise_or.reduce(parts[core])), rounds)


def peak_flops(rounds: int) -> float:
    """Floating point operations a second that all cores do in registers."""
    compute = on_all_cores(lambda _: _core.multiply_add_in_registers(10_000_000))
    n_operations = sum(compute())
    return float(n_operations / best(compute, rounds))


def numpy_product(matrix: NDArray[np.float32], questions: NDArray[np.float32]) -> None:
    for first in range(0, len(matrix), 16_384):
        questions @ matrix[first : first + 16_384].T


def gensim_of(ours: KeyedVectors, words: list[str]) -> Any:
    from gensim.models import KeyedVectors as GensimVectors

    theirs = GensimVectors(ours.vector_size)
    theirs.add_vectors(words, ours.vectors)
    theirs.fill_norms()
    return theirs


def measure(title: str, wv: KeyedVectors, options: argparse.Namespace) -> None:
    words = list(wv.index_to_key)
    questions = words[: options.questions]
    n, dim, rounds = len(wv), wv.vector_size, options.rounds
    print(f"\n{title}: {n:,} x {dim}, {usable_cores()} cores, {_core.isa()}")
    wv.most_similar(words[0])
    read, one = [], []
    for _ in range(rounds):  # in turns, so that what else the machine does meets both
        read.append(seconds_to_read(wv.vectors, 3))
        one.append(best(lambda: wv.most_similar(words[7]), 5))
    reading = wv.vectors.nbytes / min(read) / 1e9
    tell("one question", f"{min(one) * 1e3:8.2f} ms", min(one) / min(read), "x reading", 1.5, "<=")
    print(f"    reading the matrix once: {min(read) * 1e3:.2f} ms, {reading:.1f} GB/s")

    times, peaks = [], []
    for _ in range(rounds):
        peaks.append(peak_flops(3))
        times.append(best(lambda: wv.most_similar_many(questions), 1))
    many, peak = min(times), max(peaks)
    vectors = wv.get_vectors(questions)
    blas = best(lambda: numpy_product(wv.vectors, vectors), max(1, rounds - 1))
    flops = 2.0 * n * dim * len(questions)
    name = f"{len(questions):,} questions"
    tell(name, f"{many * 1e3 / len(questions):8.3f} ms each", flops / many / peak, "of peak", 0.6)
    print(
        f"    {flops / many / 1e9:.0f} GFLOP/s; in registers {peak / 1e9:.0f}; "
        f"NumPy's product alone {flops / blas / 1e9:.0f}"
    )
    for kind in ("float16", "int8"):
        other = wv.astype(kind)
        other.most_similar(words[0])
        single = best(partial(other.most_similar, words[7]), 5)
        each = best(partial(other.most_similar_many, questions), 1) / len(questions)
        print(f"    {kind}: one {single * 1e3:.2f} ms, many {each * 1e3:.3f} ms each")
    if find_spec("gensim"):
        theirs = gensim_of(wv, words)
        theirs.most_similar(words[0])
        slow = best(lambda: [theirs.most_similar(word) for word in words[:10]], rounds) / 10
        tell("times gensim", f"{slow * 1e3:8.2f} ms each", slow / (many / len(questions)), "x", 20)
        print(f"    one by one: {slow / min(one):.1f} x")
    else:
        print("gensim is not installed (pip install 'firth[benchmark]'): no ratio")
    measure_index(wv, len(questions), rounds)
    if not Path("/proc/self/status").exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "m")
        wv.save(path)
        code = MANY.format(path=path, n=min(n, 10_000))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    memory = json.loads(done.stdout)
    tell("10,000 questions", "        memory", memory, "MB above the matrix", 100, "<=")


def measure_index(wv: KeyedVectors, n: int, rounds: int) -> None:
    """Ask approximately, by words drawn at random."""
    index = wv.build_index(progress=False)
    drawn = np.random.default_rng(2).choice(len(wv), min(n, len(wv)), replace=False)
    words = [wv.index_to_key[row] for row in drawn]
    wv.most_similar_many(words, approximate=True)
    each = best(lambda: wv.most_similar_many(words, approximate=True), rounds) / len(words)
    alone = [best(partial(wv.most_similar, word, approximate=True), 1) for word in words]
    told = f"{each * 1e3:8.3f} ms each"
    tell("approximate", told, each * 1e3, "ms a question", 0.5, "<=")
    tell("", "", index.recall, "recall@10", 0.95)
    print(f"    one by one: {np.median(alone) * 1e3:.3f} ms")


def tell(
    what: str, time_told: str, figure: float, unit: str, target: float, way: str = ">="
) -> None:
    holds = figure >= target if way == ">=" else figure <= target
    mark = "holds" if holds else "DOES NOT HOLD"
    print(f"{what:17} {time_told:17} {figure:7.2f} {unit:20} (asked {way} {target}: {mark})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--dims", type=int, nargs="*", default=[100, 300])
    parser.add_argument("--questions", type=int, default=1000, help="asked at once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vectors", nargs="*", default=[], help="files or folders of real vectors")
    options = parser.parse_args()
    for dim in options.dims:
        rng = np.random.default_rng(dim)
        matrix = rng.standard_normal((options.words, dim), dtype=np.float32)
        vocab = Vocab.from_words(f"word{i}" for i in range(options.words))
        measure("made-up vectors", KeyedVectors(vocab, matrix), options)
    for path in options.vectors:
        measure(path, KeyedVectors.load(path), options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n(the benchmark itself took {peak:,.0f} MB)")


if __name__ == "__main__":
    main()

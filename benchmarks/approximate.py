"""Approximate search: how long a question takes, how much is found, what the index costs.

Run it as ``python benchmarks/approximate.py [--words 400000] [--dim 100] [--vectors FILE]``.
Vectors are those of the file where one is given, else of a normal distribution, which are the
hardest there are: no direction is denser than another, so that nothing tells a walk where to go.
For each index (a kind, and after a colon how a graph keeps its vectors) it prints the time to build
it, the size of its file, the time to open that, the recall measured, and milliseconds a question:
one by one, a thousand at once, and the exact search beside both.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from firth import KeyedVectors, Vocab, load
from firth.approximate import NeighbourIndex

QUESTIONS = 1000
REPEATS = 3


def best_of(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Give the shortest of several times, in seconds: that of a machine that is left alone."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def median_of(work: Callable[[Any], Any], questions: list[Any]) -> float:
    times = []
    for question in questions:
        start = time.perf_counter()
        work(question)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def made_up(n_words: int, dim: int) -> KeyedVectors:
    matrix = np.random.default_rng(1).standard_normal((n_words, dim), np.float32)
    return KeyedVectors(Vocab.from_words(map(str, range(n_words))), matrix)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--vectors", help="real vectors: what firth.load takes")
    parser.add_argument("--kinds", nargs="+", default=["rabitq", "hnsw:int8"])
    parser.add_argument("--target-recall", type=float, default=0.95)
    options = parser.parse_args()
    wv = load(options.vectors) if options.vectors else made_up(options.words, options.dim)
    print(f"{len(wv):,} words of {wv.vector_size} dimensions: {options.vectors or 'made up'}")
    random = np.random.default_rng(2)
    drawn = [wv.index_to_key[i] for i in random.choice(len(wv), 2 * QUESTIONS, replace=False)]
    words, others = drawn[:QUESTIONS], drawn[QUESTIONS:]
    one = 1000 * median_of(wv.most_similar, words[:100])
    many = 1000 * best_of(lambda: wv.most_similar_many(words)) / QUESTIONS
    print(f"exact: {one:.2f} ms a question one by one, {many:.3f} ms each of {QUESTIONS:,}")
    for told in options.kinds:
        kind, _, dtype = told.partition(":")
        start, processor = time.perf_counter(), time.process_time()
        index = wv.build_index(kind, dtype=dtype or None, target_recall=options.target_recall)
        built = time.perf_counter() - start, time.process_time() - processor
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "index.safetensors"
            index.save(path)
            size = path.stat().st_size
            opened = best_of(lambda path=path: NeighbourIndex.open(path, wv.vectors, wv.norms))  # type: ignore[misc]
        ask = lambda word: wv.most_similar(word, approximate=True)  # noqa: E731
        # Pages of a new file are mapped when they are first touched: by other questions.
        wv.most_similar_many(others, approximate=True)
        median_of(ask, others[:100])
        one = 1000 * median_of(ask, words)
        many = 1000 * best_of(lambda: wv.most_similar_many(words, approximate=True)) / QUESTIONS
        print(
            f"{told}: {one:.3f} ms a question one by one, {many:.3f} ms each of {QUESTIONS:,}; "
            f"recall@10 {index.recall:.3f} (sums of two words {index.recall_of_sums:.3f}), "
            f"expansion_search {index.expansion_search}; built and measured in {built[0]:.0f} s "
            f"({built[1]:.0f} s of processors), {size / 1e6:.0f} MB, opened in "
            f"{1000 * opened:.0f} ms"
        )


if __name__ == "__main__":
    main()

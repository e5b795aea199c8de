"""Phrases: counting pairs, finding phrases and joining them, beside gensim.

python benchmarks/phrases.py [--megabytes 25]

Each task runs in a process of its own. Threads are those of two cores for firth; gensim has one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from corpora import peak_memory_bytes, write_text

ROUNDS = 3
CORES = 2


def firth_counts_file(text: str) -> None:
    from firth import Phrases

    Phrases(corpus_file=text, progress=False)


def firth_counts_lists(text: str) -> None:
    from firth import Phrases
    from firth.text import LineSentence

    # A generator, so that the file is not read past the lists.
    Phrases((sentence for sentence in LineSentence(text)), progress=False)


def gensim_counts_lists(text: str) -> None:
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    Phrases(LineSentence(text))


def firth_joins_file(text: str) -> None:
    from firth.phrases import encode_phrases

    encode_phrases(text, phrases=1, progress=False)[1].close()


def firth_joins_lists(text: str) -> None:
    from firth import Phrases
    from firth.text import LineSentence

    phrases = Phrases((sentence for sentence in LineSentence(text)), progress=False)
    for _ in phrases[LineSentence(text)]:
        pass


def gensim_joins_lists(text: str) -> None:
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    phrases = Phrases(LineSentence(text)).freeze()
    for _ in phrases[LineSentence(text)]:
        pass


TASKS = {
    "firth, files": {"count": firth_counts_file, "count, freeze, join": firth_joins_file},
    "firth, token lists": {"count": firth_counts_lists, "count, freeze, join": firth_joins_lists},
    "gensim, token lists": {
        "count": gensim_counts_lists,
        "count, freeze, join": gensim_joins_lists,
    },
}


def child(who: str, what: str, text: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    import_module("gensim.models.phrases" if who.startswith("gensim") else "firth.phrases")
    begin = time.perf_counter()
    TASKS[who][what](text)
    print(json.dumps([time.perf_counter() - begin, peak_memory_bytes()]))


def measure(who: str, what: str, text: Path) -> tuple[float, float]:
    """Give the best time in seconds, and the peak of memory in bytes."""
    results = []
    for _ in range(1 if who.startswith("gensim") else ROUNDS):
        with tempfile.TemporaryDirectory() as cache:
            done = subprocess.run(
                [sys.executable, __file__, "--child", who, what, str(text)],
                stdout=subprocess.PIPE,
                check=True,
                text=True,
                env={**os.environ, "FIRTH_CACHE": cache},
            )
        results.append(json.loads(done.stdout))
    return min(seconds for seconds, _ in results), max(memory for _, memory in results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=25, help="of text to read")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        name = write_text(text)
        with text.open("rb+") as file:
            file.truncate(min(int(options.megabytes * 1e6), text.stat().st_size))
        size = text.stat().st_size / 1e6
        print(
            f"{name}: {size:.0f} MB; firth the best of {ROUNDS} with {CORES} cores, text read anew"
        )
        print(f"{'':22}{'task':>22} {'seconds':>8} {'MB/s':>7} {'peak MB':>8} {'gensim':>7}")
        for what in ("count", "count, freeze, join"):
            times = {}
            for who in reversed(TASKS):
                if who.startswith("gensim") and not find_spec("gensim"):
                    continue
                times[who] = measure(who, what, text)
            theirs = times.get("gensim, token lists")
            for who, (seconds, memory) in times.items():
                ratio = f"{theirs[0] / seconds:6.1f}x" if theirs else ""
                print(
                    f"{who:22}{what:>22} {seconds:8.2f} {size / seconds:7.1f} {memory / 1e6:8.0f} "
                    f"{ratio}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

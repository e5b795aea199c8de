"""Text for the benchmarks: the shared corpus where it is, else made up."""

from __future__ import annotations

import resource
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from firth import open_text
from quality import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

WIKI = DATA / "corpora" / "wiki100m.txt.gz"
WORDS_PER_LINE = 1000
MADE_UP_TYPES, MADE_UP_WORDS = 70_000, 8_000_000


def write_text(path: Path) -> str:
    """Write the text in lines of 1,000 words, and return what it is called.

    The shared corpus is one endless line, of which gensim trains on the first 10,000 words only.
    """
    words = wiki_words() if WIKI.is_file() else made_up_words()
    with path.open("wb") as file:
        while line := list(islice(words, WORDS_PER_LINE)):
            file.write(b" ".join(line) + b"\n")
    return "wiki100m" if WIKI.is_file() else "made-up words by Zipf's law"


def wiki_words() -> Iterator[bytes]:
    for block in open_text(WIKI).blocks():
        yield from block.split()


def made_up_words() -> Iterator[bytes]:
    shares = 1 / np.arange(1, MADE_UP_TYPES + 1)
    random = np.random.default_rng(1)
    for _ in range(MADE_UP_WORDS // 1_000_000):
        drawn = random.choice(MADE_UP_TYPES, 1_000_000, p=shares / shares.sum())
        yield from (b"w%d" % number for number in drawn.tolist())


def peak_memory_bytes() -> int:
    """Tell the most memory that this process has had since it began.

    From /proc where there is one: getrusage also counts what the parent had when it forked.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

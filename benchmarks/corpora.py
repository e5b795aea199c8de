"""Text for the benchmarks: the shared corpus where it is, else made up."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np

from quality import DATA

if TYPE_CHECKING:
    from pathlib import Path

WIKI = DATA / "corpora" / "wiki100m.txt.gz"
WORDS_PER_LINE = 1000
MADE_UP_TYPES, MADE_UP_WORDS = 70_000, 8_000_000


def write_text(path: Path) -> str:
    """Write the text in lines of 1,000 words, and return what it is called.

    The shared corpus is one endless line, of which gensim trains on the first 10,000 words only.
    """
    if WIKI.is_file():
        words = gzip.decompress(WIKI.read_bytes()).split()
        name = "wiki100m"
    else:
        shares = 1 / np.arange(1, MADE_UP_TYPES + 1)
        drawn = np.random.default_rng(1).choice(
            MADE_UP_TYPES, MADE_UP_WORDS, p=shares / shares.sum()
        )
        words = [b"w%d" % number for number in drawn.tolist()]
        name = "made-up words by Zipf's law"
    with path.open("wb") as file:
        for begin in range(0, len(words), WORDS_PER_LINE):
            file.write(b" ".join(words[begin : begin + WORDS_PER_LINE]) + b"\n")
    return name

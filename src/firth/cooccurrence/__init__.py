"""How often words stand near each other: a sparse matrix on disk.

::

    vocab, corpus = encode_corpus("wiki.txt.gz")
    with corpus:
        counts = count_cooccurrences(vocab, corpus, window=10, folder="wiki-counts")
    counts.to_scipy()
"""

from firth.cooccurrence._counting import count_cooccurrences, cut_rows, pair_weights
from firth.cooccurrence._matrix import Cooccurrences

__all__ = ["Cooccurrences", "count_cooccurrences", "cut_rows", "pair_weights"]

"""Text as word ids on disk: counted, numbered and encoded in one reading.

::

    vocab, corpus = encode_corpus("wiki.txt.gz", min_count=5)
    with corpus:
        corpus.ids, corpus.sentence_ends
"""

from firth.corpus._corpus import Corpus
from firth.corpus._encode import NoKnownWordError, build_vocab, encode_corpus
from firth.corpus._renaming import MAX_SENTENCE_LENGTH
from firth.corpus._rewrite import rewrite_corpus

__all__ = [
    "MAX_SENTENCE_LENGTH",
    "Corpus",
    "NoKnownWordError",
    "build_vocab",
    "encode_corpus",
    "rewrite_corpus",
]

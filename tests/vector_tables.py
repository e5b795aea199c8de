"""Small tables of vectors for the tests of formats."""

import resource
from contextlib import contextmanager

import numpy as np

from firth.formats import VectorTable
from firth.vocab import Vocab

WORDS = ["the", "über", "new york", "\u00a0", "\u2028x", "😀", "</s>", "x" * 300]


def make_table(words=None, vector_size=5, *, counts=True, dtype=np.float32, **fields):
    words = WORDS if words is None else words
    rng = np.random.default_rng(len(words))
    vectors = rng.normal(size=(len(words), vector_size)).astype(dtype)
    counted = range(len(words), 0, -1) if counts else None
    return VectorTable(Vocab.from_words(words, counted), vectors, **fields)


def assert_same(ours, theirs, tolerance=0.0):
    """Check that two tables have the same words, counts and vectors."""
    assert list(ours.vocab) == list(theirs.vocab)
    assert ours.vocab.counts.tolist() == theirs.vocab.counts.tolist()
    assert ours.vectors.shape == theirs.vectors.shape
    np.testing.assert_allclose(ours.vectors, theirs.vectors, rtol=0, atol=tolerance)


@contextmanager
def little_memory(n_bytes=256 << 20):
    """Let nothing in the block take much more memory than there is in use."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
        used = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)

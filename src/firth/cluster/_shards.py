"""Encoded text on a cluster: shards in Ray's object store, and the order of their chunks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.cluster._worker import chunk_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.corpus import Corpus
    from firth.vocab import Vocab

# So many shards are gone through side by side, a chunk of each after the other: then each worker
# has chunks of its own shards in every step, and not all of the text has to be at hand.
_SHARDS_SIDE_BY_SIDE = 64
_MOST_TOKENS_PER_SHARD = 16 << 20


@dataclass
class EncodedText:
    """The ids of a text in the cluster.

    Attributes
    ----------
    vocab : Vocab
        The words.
    shards : list of ObjectRef
        Ids and sentence ends of each.
    order : list of (int, int, int, int)
        The chunks in the order in which they are trained: shard, first sentence, the one behind
        the last, words.
    n_tokens, n_sentences, n_tokens_read : int
        As of a `Corpus`.
    """

    vocab: Vocab
    shards: list[Any]
    order: list[tuple[int, int, int, int]] = field(repr=False)
    n_tokens: int
    n_sentences: int
    n_tokens_read: int

    @classmethod
    def of_tables(
        cls, vocab: Vocab, shards: list[Any], tables: list[NDArray[np.int64]], **figures: int
    ) -> EncodedText:
        """Put the chunks of shards, as `chunk_table` lists them, into an order."""
        order: list[tuple[int, int, int, int]] = []
        for begin in range(0, len(tables), _SHARDS_SIDE_BY_SIDE):
            group = tables[begin : begin + _SHARDS_SIDE_BY_SIDE]
            for row in range(max(map(len, group))):
                for shard, table in enumerate(group, start=begin):
                    if row < len(table):
                        first, last, words = table[row].tolist()
                        order.append((shard, first, last, words))
        return cls(vocab, shards, order, **figures)

    @property
    def word_ends(self) -> NDArray[np.int64]:
        """Words up to the end of each chunk, in their order."""
        return np.cumsum([words for _, _, _, words in self.order])


def shards_of_corpus(vocab: Vocab, corpus: Corpus, chunk_size: int, n_shards: int) -> EncodedText:
    """Put an encoded text of this machine into the cluster, cut into about `n_shards`."""
    import ray

    n_shards = max(n_shards, -(-len(corpus) // _MOST_TOKENS_PER_SHARD))
    starts = corpus.chunk_starts(max(len(corpus) // n_shards, 1)).tolist()
    shards, tables = [], []
    for first, last in itertools.pairwise(starts):
        ids, ends, position = corpus.chunk(first, last)
        ends = ends - position
        shards.append(ray.put((np.array(ids), ends)))
        tables.append(chunk_table(ends, chunk_size))
        corpus.release(first, last)
    return EncodedText.of_tables(
        vocab,
        shards,
        tables,
        n_tokens=len(corpus),
        n_sentences=len(corpus.sentence_ends),
        n_tokens_read=corpus.n_tokens_read,
    )

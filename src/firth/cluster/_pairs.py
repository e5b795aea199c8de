"""Co-occurrences counted on all nodes: each counts its shards, and pairs are shuffled by word.

In three steps of tasks, with the compiled core that counts on one machine:

1. *count*: some shards are counted, and the rows of the matrix encoded part by part.
2. *merge*: the blocks of a part are added up, and its pairs dealt to shares: those of word i go to
   share ``i % n``. Of a symmetric matrix half is counted, and both orders of a pair are dealt.
3. *gather*: the pairs of a share are put together.

Weights are whole numbers: the sums are those of one machine to the last bit. Ray keeps what lies
between two steps, writes it to disk where memory is short, and makes it again when a node is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.cluster._nodes import on_node
from firth.cooccurrence import cut_rows, pair_weights
from firth.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from firth.cluster._nodes import Node
    from firth.cluster._shards import EncodedText
    from firth.progress import Progress

_MOST_TOKENS_PER_TASK = 16 << 20
_MOST_PARTS = 256


@dataclass(frozen=True)
class Window:
    """What counts as a pair; parameters of `firth.count_cooccurrences`."""

    window: int
    symmetric: bool
    distance_weighting: bool


@dataclass(frozen=True)
class Pairs:
    """Some pairs of words.

    Attributes
    ----------
    words, contexts : numpy.ndarray of uint32, shape (n,)
    counts : numpy.ndarray of float32, shape (n,)
    """

    words: NDArray[np.uint32]
    contexts: NDArray[np.uint32]
    counts: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def n_bytes(self) -> int:
        """What they take on the way."""
        return self.words.nbytes + self.contexts.nbytes + self.counts.nbytes

    def take(self, places: NDArray[Any]) -> Pairs:
        """Take some of them."""
        return Pairs(self.words[places], self.contexts[places], self.counts[places])


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Put pairs behind each other."""
    return Pairs(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0]))
    )


@dataclass
class CountedPairs:
    """The pairs of a text, in shares.

    Attributes
    ----------
    shares : list of ObjectRef
        What `gather` made of the pairs of each share.
    n_pairs : int
        How many there are, both orders counted.
    """

    shares: list[Any]
    n_pairs: int


def count_on_nodes(
    text: EncodedText,
    window: Window,
    nodes: Sequence[Node],
    gather: Callable[..., Any],
    argument: Any,
    bar: Progress,
) -> CountedPairs:
    """Count the pairs of a text, and leave a share of them on each of some nodes.

    Parameters
    ----------
    text : EncodedText
        Where the shards are.
    window : Window
        What counts as a pair.
    nodes : sequence of Node
        Where the shares are to lie; one may stand there several times.
    gather : callable
        Takes the number of a share, of how many, `argument`, and several `Pairs`; makes of them
        what is to be kept.
    argument
        For `gather`.
    bar : Progress
        Told how many words are counted.

    Raises
    ------
    InputError
        No sentence has two words of the vocabulary.
    """
    import ray

    if text.n_sentences == text.n_tokens:
        raise InputError("every sentence has one word, so that no word has a context")
    n = len(nodes)
    weights, scale = pair_weights(window.window, window.distance_weighting, text.n_tokens)
    vocab = text.vocab
    parts = cut_rows(vocab, min(_MOST_PARTS, 2 * text.n_tokens * window.window / 1e6))
    how = ray.put((len(vocab), weights, window.symmetric, parts))
    count = ray.remote(_count).options(num_returns=len(parts) + 1, name="firth: count pairs")
    blocks = [count.remote(how, *shards) for shards in _groups(text, n)]
    told = {block[-1]: block for block in blocks}
    waiting = list(told)
    while waiting:
        ready, waiting = ray.wait(waiting)
        bar.advance(sum(ray.get(ready)))
    merge = ray.remote(_merge).options(num_returns=n + 1, name="firth: add up pairs")
    dealt = []
    for number, rows in enumerate(parts):
        theirs = [block[number] for block in blocks]
        dealt.append(merge.remote(len(vocab), rows, scale, window.symmetric, n, *theirs))
    n_pairs = sum(ray.get([each[-1] for each in dealt]))
    put = ray.remote(gather)
    shares = [
        put.options(**on_node(node, soft=True), name="firth: gather pairs").remote(
            number, n, argument, *(each[number] for each in dealt)
        )
        for number, node in enumerate(nodes)
    ]
    ray.wait(shares, num_returns=len(shares), fetch_local=False)
    return CountedPairs(shares, n_pairs)


def _groups(text: EncodedText, n_nodes: int) -> list[list[Any]]:
    """Put shards together that are counted by one task: one for each node, if memory allows."""
    n = max(n_nodes, -(-text.n_tokens // _MOST_TOKENS_PER_TASK))
    n = min(n, len(text.shards))
    cuts = [i * len(text.shards) // n for i in range(n + 1)]
    return [text.shards[begin:end] for begin, end in pairwise(cuts)]


def _count(how: Any, *shards: tuple[NDArray[np.uint32], NDArray[np.int64]]) -> list[Any]:
    """Count shards; gives a block of each part of the rows, and how many words were counted."""
    n_words, weights, symmetric, parts = how
    n_tokens = sum(len(ids) for ids, _ in shards)
    counter = _core.CooccurrenceCounter(n_words, weights, symmetric, n_tokens)
    for ids, sentence_ends in shards:
        counter.add(ids, sentence_ends, 0)
    counter.find_places()
    return [*(counter.encode_rows(*rows) for rows in parts), n_tokens]


def _merge(
    n_words: int,
    rows: tuple[int, int],
    scale: float,
    symmetric: bool,
    n_shares: int,
    *blocks: NDArray[np.uint8],
) -> list[Any]:
    """Add up a part of the rows; gives the pairs of each share, and how many they are in all."""
    begin, end = rows
    merger = _core.CooccurrenceMerger(n_words)
    lengths, contexts, counts = merger.merge(list(blocks), end - begin, scale)
    words = np.repeat(np.arange(begin, end, dtype=np.uint32), lengths)
    pairs = Pairs(words, contexts, counts)
    if symmetric:
        below = pairs.take(contexts != words)
        pairs = joined([pairs, Pairs(below.contexts, below.words, below.counts)])
    share = pairs.words % n_shares
    return [*(pairs.take(share == number) for number in range(n_shares)), len(pairs)]

"""Hierarchical softmax: the Huffman tree of a vocabulary, and the probabilities that it gives.

Morin and Bengio (2005), "Hierarchical Probabilistic Neural Network Language Model"; as word2vec
has it, Mikolov et al. (2013), "Distributed Representations of Words and Phrases and their
Compositionality", section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from firth import _core

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from firth.vocab import Vocab

# Numbers that are gathered at a time while sentences are scored.
_BLOCK_NUMBERS = 1 << 20


@dataclass(frozen=True)
class HuffmanTree:
    """The path of each word: frequent words have short ones.

    Attributes
    ----------
    offsets : numpy.ndarray of uint64, shape (n_words + 1,)
        Where the path of each word begins in `nodes`, and where the last one ends.
    nodes : numpy.ndarray of uint32
        The inner nodes of all paths, 0 being the root; of each path first those with the label 1.
    n_positive : numpy.ndarray of uint8, shape (n_words,)
        How many of them have that label; the others have 0.
    """

    offsets: NDArray[np.uint64]
    nodes: NDArray[np.uint32]
    n_positive: NDArray[np.uint8]

    @classmethod
    def of(cls, vocab: Vocab) -> Self:
        """Build the tree of word2vec.c and fastText, of two words or more."""
        return cls(*_core.build_huffman_paths(np.ascontiguousarray(vocab.counts, np.int64)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The nodes on the path of each word, shape (n_words,)."""
        offsets = self.offsets.astype(np.int64)
        return offsets[1:] - offsets[:-1]

    def log_shares(
        self, node_vectors: NDArray[np.float32], hidden: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Compute the logarithm of the probability of each word, shape (n_words,).

        Parameters
        ----------
        node_vectors : numpy.ndarray of float32, shape (n_nodes, vector_size)
        hidden : numpy.ndarray of float32, shape (vector_size,)
            The vector of a context, or the mean or sum of several.
        """
        scores = (node_vectors @ hidden).astype(np.float64)
        signs = np.where(self._is_positive(), 1.0, -1.0)
        steps = -np.logaddexp(0.0, -signs * scores[self.nodes])
        return np.add.reduceat(steps, self.offsets[:-1].astype(np.int64))

    def _is_positive(self) -> NDArray[np.bool_]:
        """Tell which nodes of all paths have the label 1."""
        within = np.arange(len(self.nodes)) - np.repeat(
            self.offsets[:-1].astype(np.int64), self.lengths
        )
        positive: NDArray[np.bool_] = within < np.repeat(self.n_positive, self.lengths)
        return positive

    def padded_paths(
        self, words: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Give the paths of some words as a table.

        Returns
        -------
        nodes : numpy.ndarray of uint32, shape (n, longest)
        signs : numpy.ndarray of float32, shape (n, longest)
            1 and -1 for the labels 1 and 0; 0 behind the end of a path.
        """
        lengths = self.lengths[words]
        step = np.arange(lengths.max(initial=1))
        is_node = step < lengths[:, None]
        at = np.where(is_node, self.offsets[words].astype(np.int64)[:, None] + step, 0)
        signs = np.where(step < self.n_positive[words][:, None], 1, -1) * is_node
        return self.nodes[at], signs.astype(np.float32)


def score_sentences(
    sentences: Iterable[Sequence[int]],
    tree: HuffmanTree,
    vectors: NDArray[np.float32],
    node_vectors: NDArray[np.float32],
    *,
    window: int,
    cbow: bool,
    cbow_mean: bool,
) -> NDArray[np.float32]:
    """Compute the logarithm of the probability of sentences.

    Skip-gram: the sum over all pairs of a word and a context within `window` of the logarithm of
    the word's probability beside the context. CBOW: the sum over all words, beside the mean or the
    sum of their contexts. Windows are not shrunk.

    Parameters
    ----------
    sentences : iterable of sequences of int
        Rows of words.
    tree : HuffmanTree
    vectors, node_vectors : numpy.ndarray of float32, shapes (n_words, size) and (n_nodes, size)

    Returns
    -------
    numpy.ndarray of float32, shape (n_sentences,)
    """
    size = vectors.shape[1]
    step = max(1, _BLOCK_NUMBERS // (size * (2 * window + 16)))
    scores: list[float] = []
    for ids, ends in _blocks(sentences, step):
        begins = np.concatenate([[0], ends[:-1]])
        sentence = np.repeat(np.arange(len(ends)), ends - begins)
        total = np.zeros(len(ends))
        for first in range(0, len(ids), step):
            at = np.arange(first, min(first + step, len(ids)))
            contexts, is_context = _windows(at, begins[sentence[at]], ends[sentence[at]], window)
            inputs = vectors[ids[contexts]] * is_context[:, :, None]
            nodes, signs = tree.padded_paths(ids[at])
            if cbow:
                hidden = inputs.sum(axis=1, keepdims=True)
                if cbow_mean:
                    hidden /= np.maximum(is_context.sum(axis=1), 1)[:, None, None]
                inputs, is_context = hidden, np.ones((len(at), 1), np.bool_)
            products = node_vectors[nodes] @ inputs.transpose(0, 2, 1)
            steps = np.logaddexp(np.float32(0), -signs[:, :, None] * products)
            counts = (signs != 0)[:, :, None] & is_context[:, None, :]
            by_word = np.where(counts, steps, 0).sum(axis=(1, 2), dtype=np.float64)
            np.subtract.at(total, sentence[at], by_word)
        scores += total.tolist()
    return np.array(scores, np.float32)


def _blocks(
    sentences: Iterable[Sequence[int]], n_words: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Lay sentences one after the other, about `n_words` at a time, with their ends."""
    ids: list[int] = []
    ends: list[int] = []
    for sentence in sentences:
        ids += sentence
        ends.append(len(ids))
        if len(ids) >= n_words:
            yield np.array(ids, np.int64), np.array(ends)
            ids, ends = [], []
    if ends:
        yield np.array(ids, np.int64), np.array(ends)


def _windows(
    at: NDArray[np.int64], begins: NDArray[np.int64], ends: NDArray[np.int64], window: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give the places around some places, shape (n, 2 * window), and which are in the sentence."""
    around = at[:, None] + np.concatenate([np.arange(-window, 0), np.arange(1, window + 1)])
    inside = (around >= begins[:, None]) & (around < ends[:, None])
    return np.where(inside, around, at[:, None]), inside

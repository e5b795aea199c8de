"""What word2vec draws at random: which words to leave out, and which to contrast with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 2**32 - 1


def keep_limits(counts: NDArray[np.int64], sample: float) -> NDArray[np.uint32]:
    """Compute how often a word is kept when frequent words are thinned out.

    Parameters
    ----------
    counts : numpy.ndarray of int64, shape (n_words,)
        How often each word occurs.
    sample : float
        The share of the text above which words are thinned out; 0 keeps all. If 1 or more, a count
        instead of a share, as in gensim.

    Returns
    -------
    numpy.ndarray of uint32, shape (n_words,)
        A word is kept when 32 random bits are at most this.

    Notes
    -----
    The share kept is ``sqrt(t / f) + t / f`` for frequency ``f`` and threshold ``t``: the formula
    of word2vec.c and gensim, not the ``sqrt(t / f)`` of Mikolov et al. 2013, section 2.3.
    """
    threshold = sample if sample >= 1 else sample * counts.sum()
    if threshold == 0:
        return np.full(len(counts), _MOST, np.uint32)
    ratio = threshold / np.maximum(counts, 1)
    kept = np.minimum(np.sqrt(ratio) + ratio, 1)
    limits: NDArray[np.uint32] = (kept * _MOST).astype(np.uint32)
    return limits


def noise_tables(
    counts: NDArray[np.int64], ns_exponent: float
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Build the tables from which negatives are drawn.

    Neighbouring words of equal count are a run: one is drawn, then one of its words. There are far
    fewer counts than words (2,341 for the 67,869 words of a text of 17 million), so that the tables
    stay in the nearest caches, where one with a column for each word would not.

    Parameters
    ----------
    counts : numpy.ndarray of int64, shape (n_words,)
        How often each word occurs.
    ns_exponent : float
        Negatives are drawn in proportion to ``counts ** ns_exponent`` (Mikolov et al. 2013, section
        2.2: 0.75).

    Returns
    -------
    columns : numpy.ndarray of uint32, shape (n_runs, 2)
        An alias table (Walker 1977): column i stands for run i when 32 random bits are below its
        first number, else for the run that its second number names.
    run_starts : numpy.ndarray of uint32, shape (n_runs + 1,)
        The first word of each run, and the number of words.
    """
    return tables_of_runs(noise_weights(counts, ns_exponent))


def tables_of_runs(
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Build the same for weights, of which equal ones are neighbours."""
    inner = np.flatnonzero(np.diff(weights)) + 1
    starts = np.concatenate([[0], inner, [len(weights)]])
    columns = _core.build_alias_table(weights[starts[:-1]] * np.diff(starts))
    return columns.reshape(-1, 2), starts.astype(np.uint32)


def share_kept(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """Compute what each word has of all words of a text and is kept by subsampling, on average."""
    shares: NDArray[np.float64] = (
        counts / max(counts.sum(), 1) * (keep_limits(counts, sample) / _MOST)
    )
    return shares


def expected_updates(
    counts: NDArray[np.int64],
    *,
    sample: float,
    ns_exponent: float,
    window: int,
    shrink_windows: bool,
    negative: int,
    cbow: bool,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute how often rows are updated for a word of the text, on average.

    Parameters
    ----------
    counts : numpy.ndarray of int64, shape (n_words,)
        How often each word occurs.
    sample, ns_exponent, window, shrink_windows, negative, cbow
        As for `Word2Vec`.

    Returns
    -------
    contexts : numpy.ndarray of float32, shape (n_words,)
        Updates of each word's vector: it is a context of all words around it.
    targets : numpy.ndarray of float32, shape (n_words,)
        Updates of its vector as a target: of the word itself, and as a negative; for each context,
        but with CBOW for each window. Those of CBOW count half.
    """
    kept = share_kept(counts, sample)
    n_contexts = window + 1 if shrink_windows else 2 * window
    noise = noise_weights(counts, ns_exponent)
    targets = kept + kept.sum() * negative * (noise / noise.sum())
    # The mean of a window is shorter than its vectors, and moves its targets less.
    weight = 0.5 if cbow else 1.0
    return (
        (weight * kept * n_contexts).astype(np.float32),
        (weight * targets * (1 if cbow else n_contexts)).astype(np.float32),
    )


def expected_touches(
    counts: NDArray[np.int64], *, sample: float, ns_exponent: float, negative: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute how often rows are touched for a word of the text, on average.

    What all contexts of a window do to a row at once is one touch here; two windows share their
    negatives.

    Parameters
    ----------
    counts, sample, ns_exponent, negative
        As for `expected_updates`.

    Returns
    -------
    contexts, targets : numpy.ndarray of float32, shape (n_words,)
        As of `expected_updates`.
    """
    kept = share_kept(counts, sample)
    noise = noise_weights(counts, ns_exponent)
    targets = kept + kept.sum() * (negative / 2) * (noise / noise.sum())
    return kept.astype(np.float32), targets.astype(np.float32)


def shares_of_rows(
    shares: NDArray[np.float32],
    offsets: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    n_rows: int,
) -> NDArray[np.float32]:
    """Add up the updates of words by the rows that each has: its n-grams, the nodes of its path.

    Parameters
    ----------
    shares : numpy.ndarray of float32, shape (n_words,)
        Updates of each word.
    offsets, rows : numpy.ndarray
        Word w has ``rows[offsets[w] : offsets[w + 1]]``.
    n_rows : int
        How many rows there are.

    Returns
    -------
    numpy.ndarray of float32, shape (n_rows,)
        Updates of each row.
    """
    ends = offsets.astype(np.int64)
    of_each = np.repeat(shares, ends[1:] - ends[:-1])
    return np.bincount(rows, of_each, n_rows).astype(np.float32)


def copies_of_commonest_noise(
    counts: NDArray[np.int64], ns_exponent: float, negative: int
) -> float:
    """Compute how often the word drawn most is among the negatives of a window, on average."""
    return float(negative / noise_weights(counts, ns_exponent).sum())


def noise_weights(counts: NDArray[np.int64], ns_exponent: float) -> NDArray[np.float64]:
    """Weights of the noise distribution; the highest is 1.

    By logarithms, since the powers themselves may overflow; words without a count count once.
    """
    weights = np.log(np.maximum(counts, 1).astype(np.float64)) * ns_exponent
    shares: NDArray[np.float64] = np.exp(weights - weights.max())
    return shares

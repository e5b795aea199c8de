"""Answers to what asks for groups of words: categories, outliers, associations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.evaluation._test_sets import Association, OutlierGroup
    from firth.evaluation._words import Lookup

# Fewer members tell nothing about what belongs together.
_FEWEST_MEMBERS = 2
_PERMUTATIONS = 19_999
_PERMUTATIONS_AT_A_TIME = 20_000


def cluster(vectors: NDArray[np.float64], n_clusters: int, seeds: range) -> list[NDArray[np.int64]]:
    """Cluster vectors of length 1 by k-means, once for each seed.

    Raises
    ------
    MissingExtraError
        scikit-learn is not installed.
    """
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "evaluate", "scoring categories") from error
    # More clusters than different vectors are none.
    n_clusters = min(n_clusters, len(np.unique(vectors, axis=0)))
    with threadpool_limits(1):  # for a few hundred vectors threads cost more than they save
        return [
            KMeans(n_clusters, n_init=1, random_state=seed).fit_predict(vectors).astype(np.int64)
            for seed in seeds
        ]


def purity(classes: NDArray[np.int64], clusters: NDArray[np.int64]) -> NDArray[np.float64]:
    """Tell for each word, by 1 or 0, whether its class is the most frequent one of its cluster.

    Zhao and Karypis 2001, "Criterion functions for document clustering": the mean is the purity.
    """
    counts = np.zeros((clusters.max() + 1, classes.max() + 1), np.int64)
    np.add.at(counts, (clusters, classes), 1)
    pure: NDArray[np.bool_] = counts.argmax(axis=1)[clusters] == classes
    return pure.astype(np.float64)


def outlier_positions(
    group: OutlierGroup, lookup: Lookup
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Rank each outlier of a group among the members by how compact the others are without it.

    Camacho-Collados and Navigli 2016, "Find the word that does not belong", section 3: a word's
    compactness score is the mean similarity of all pairs of the other words, so that the higher it
    is, the less the word belongs. That order is the one of falling sums of the similarities of a
    word to the others, from the end.

    Returns
    -------
    covered : numpy.ndarray of bool, shape (n_outliers,)
        The outliers that are known, where two members or more are.
    positions : numpy.ndarray of float64, shape (n_outliers,)
        0 where every member belongs less than the outlier, 1 where each belongs more.
    """
    vectors, known = lookup.units([*group.members, *group.outliers])
    n_members = len(group.members)
    members = vectors[:n_members][known[:n_members]]
    covered = known[n_members:] & (len(members) >= _FEWEST_MEMBERS)
    positions = np.zeros(len(group.outliers))
    within = (members @ members.T).sum(axis=1)
    for i in np.flatnonzero(covered).tolist():
        to_members = members @ vectors[n_members + i]
        # Without itself; the outlier wins a tie as little as it loses one.
        belongs = within - 1 + to_members
        positions[i] = np.mean(belongs > to_members.sum())
    return covered, positions


def associations_of(
    test: Association, lookup: Lookup
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Tell how much nearer each target, those of x then those of y, is to a than to b.

    Caliskan, Bryson and Narayanan 2017, "Semantics derived automatically from language corpora
    contain human-like biases": the difference of its mean cosines with both.

    Returns
    -------
    covered : numpy.ndarray of bool, shape (n_x + n_y,)
        The targets that are known; none where no attribute of a side is.
    associations : numpy.ndarray of float64, shape (n_x + n_y,)
        From -2 to 2.
    """
    targets, known = lookup.units([*test.x, *test.y])
    sides = []
    for words in (test.a, test.b):
        vectors, there = lookup.units(words)
        if not there.any():
            return np.zeros(len(targets), np.bool_), np.zeros(len(targets))
        sides.append((targets @ vectors[there].T).mean(axis=1))
    return known, sides[0] - sides[1]


def permutation_p(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Give the one-sided p-value of a larger mean of x: over all ways to divide both, or a sample.

    Raises
    ------
    MissingExtraError
        SciPy is not installed.
    """
    if min(len(x), len(y)) < 2:
        return float("nan")
    try:
        from scipy.stats import permutation_test
    except ImportError as error:
        raise MissingExtraError("scipy", "evaluate", "testing associations") from error
    result = permutation_test(
        (x, y),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        permutation_type="independent",
        vectorized=True,
        n_resamples=_PERMUTATIONS,
        batch=_PERMUTATIONS_AT_A_TIME,
        alternative="greater",
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)

"""What is measured of the answers to a test set, also where questions count several times.

Each measure takes weights, shape (n_resamples, n_questions): how often each question counts. With
weights of 1 that is the measure as it is known.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Measure(ABC):
    """A measure of the answers of one model.

    Attributes
    ----------
    metric : str
        What it is called.
    covered : numpy.ndarray of bool, shape (n_questions,)
        The questions whose words are known. The others have the answer that counts as wrong.
    """

    #: Whether a question that is not covered can be counted as answered wrongly.
    can_be_wrong = True

    def __init__(self, metric: str, covered: NDArray[np.bool_]) -> None:
        self.metric = metric
        self.covered = covered

    def value(self, kept: NDArray[np.bool_]) -> float:
        """Measure the questions that are kept."""
        return float(self.values(np.ones((1, len(self.covered)), np.float32), kept)[0])

    def values(self, weights: NDArray[np.float32], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Measure the questions that are kept, as often as each counts; NaN where that is none."""
        if not kept.any():
            return np.full(len(weights), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            within = weights if kept.all() else weights[:, np.flatnonzero(kept)]
            return self._values(within.astype(np.float64), kept)

    @abstractmethod
    def _values(self, weights: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Measure the questions that are kept, whose weights these are."""


class Share(Measure):
    """The mean of what each question was answered with, from 0 (wrong) to 1 (right)."""

    def __init__(
        self, metric: str, covered: NDArray[np.bool_], outcomes: NDArray[np.float64]
    ) -> None:
        super().__init__(metric, covered)
        self.outcomes = np.where(covered, outcomes, 0.0)

    def _values(self, weights: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = (weights @ self.outcomes[kept]) / weights.sum(axis=1)
        return shares


class Correlation(Measure):
    """Pearson's correlation of two variables, or of their ranks, which is Spearman's."""

    def __init__(
        self,
        metric: str,
        covered: NDArray[np.bool_],
        cosines: NDArray[np.float64],
        judged: NDArray[np.float64],
        *,
        of_ranks: bool,
    ) -> None:
        super().__init__(metric, covered)
        self.cosines = np.where(covered, cosines, 0.0)
        self.judged = judged
        self.of_ranks = of_ranks

    def _values(self, weights: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        if np.count_nonzero(kept) < 3:
            return np.full(len(weights), np.nan)
        total = weights.sum(axis=1, keepdims=True)
        centred = []
        for values in (self.cosines[kept], self.judged[kept]):
            x = weighted_ranks(values, weights) if self.of_ranks else values[None, :]
            centred.append(x - (weights * x).sum(axis=1, keepdims=True) / total)
        a, b = centred
        products = ((weights * u * v).sum(axis=1) for u, v in ((a, b), (a, a), (b, b)))
        ab, aa, bb = products
        # Of values that are all the same what rounding leaves is no variance.
        flat = (aa <= 1e-20 * total[:, 0]) | (bb <= 1e-20 * total[:, 0])
        correlations: NDArray[np.float64] = np.where(flat, np.nan, ab / np.sqrt(aa * bb))
        return np.clip(correlations, -1, 1)


def weighted_ranks(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rank values that occur several times; equal ones share the mean of their ranks.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (n,)
        The values.
    weights : numpy.ndarray of float64, shape (n_resamples, n)
        How often each occurs: whole numbers.

    Returns
    -------
    numpy.ndarray of float64, shape (n_resamples, n)
        The rank of each among all that occur, from 1.
    """
    distinct, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(distinct)))
    in_group = np.add.reduceat(weights[:, order], starts, axis=1)
    behind = np.cumsum(in_group, axis=1)
    ranks: NDArray[np.float64] = (behind - (in_group - 1) / 2)[:, group]
    return ranks


class AdjustedRand(Measure):
    """The adjusted Rand index of clusterings with the classes, averaged over the clusterings.

    Hubert and Arabie 1985, "Comparing partitions", equation 5. A word that is drawn twice makes no
    pair with itself, which both sides would always put together.
    """

    def __init__(
        self,
        metric: str,
        covered: NDArray[np.bool_],
        classes: NDArray[np.int64],
        clusterings: Sequence[NDArray[np.int64]],
    ) -> None:
        super().__init__(metric, covered)
        self.classes = classes
        # What is not covered is in a cluster of its own.
        self.clusterings = [np.where(covered, each + 1, 0) for each in clusterings]

    def _values(self, weights: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        classes = self.classes[kept]
        n_classes = int(self.classes.max()) + 1
        itself = (weights**2).sum(axis=1)

        def n_pairs(labels: NDArray[np.int64]) -> NDArray[np.float64]:
            _, numbers = np.unique(labels, return_inverse=True)
            sums = weights @ np.eye(numbers.max() + 1)[numbers]
            pairs: NDArray[np.float64] = ((sums**2).sum(axis=1) - itself) / 2
            return pairs

        total = (weights.sum(axis=1) ** 2 - itself) / 2
        in_classes = n_pairs(classes)
        indices = np.zeros(len(weights))
        for clusters in self.clusterings:
            in_clusters = n_pairs(clusters[kept])
            in_both = n_pairs(clusters[kept] * n_classes + classes)
            expected = in_classes * in_clusters / total
            most = (in_classes + in_clusters) / 2
            same = most == expected
            indices += np.where(
                same, 1.0, (in_both - expected) / np.where(same, 1, most - expected)
            )
        return indices / len(self.clusterings)


class EffectSize(Measure):
    """How much more one set of words is associated with something than another, in deviations.

    Caliskan, Bryson and Narayanan 2017: the difference of the means over the standard deviation of
    both sets together (with n - 1, as in the authors' program).
    """

    can_be_wrong = False

    def __init__(
        self,
        metric: str,
        covered: NDArray[np.bool_],
        associations: NDArray[np.float64],
        is_x: NDArray[np.bool_],
    ) -> None:
        super().__init__(metric, covered)
        self.associations = associations
        self.is_x = is_x

    def _values(self, weights: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        s, is_x = self.associations[kept], self.is_x[kept]
        means = [
            (weights[:, side] @ s[side]) / weights[:, side].sum(axis=1) for side in (is_x, ~is_x)
        ]
        total = weights.sum(axis=1)
        mean = (weights @ s) / total
        variance = (weights * (s - mean[:, None]) ** 2).sum(axis=1) / (total - 1)
        effects: NDArray[np.float64] = (means[0] - means[1]) / np.sqrt(variance)
        return np.where(np.isfinite(effects), effects, np.nan)

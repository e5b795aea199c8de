"""How much the neighbours of words depend on the seed of a training."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import InputError, ParameterError
from firth.evaluation._evaluate import by_name
from firth.evaluation._frequency import BAND_NAMES, bands_of
from firth.evaluation._parameters import whole
from firth.evaluation._resampling import interval, one_by_one
from firth.evaluation._words import WORDS_AT_A_TIME, has_direction
from firth.neighbours import row_norms, top_k

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from firth.evaluation._words import Embedding


@dataclass(frozen=True)
class StabilityBand:
    """How stable the neighbours of words of like frequency are.

    Attributes
    ----------
    band : str
        The rows of the words in the first model, such as "1-1,000".
    n_words : int
        How many words there are.
    n_asked : int
        How many of them, drawn at random, were asked for.
    overlap : float
        The share of a word's nearest neighbours in one model that are so in another, averaged over
        words and pairs of models: 1 where all agree.
    low, high : float
        Between these lie 95 % of the means when words are drawn again.
    """

    band: str
    n_words: int
    n_asked: int
    overlap: float
    low: float
    high: float


def stability(
    models: Mapping[str, Embedding] | Iterable[Embedding],
    *,
    topn: int = 10,
    n_words: int = 1000,
    n_resamples: int = 1000,
    seed: int = 1,
) -> list[StabilityBand]:
    """Tell how much the neighbours of words agree between models, by frequency of the words.

    For models of the same text and settings with several seeds: what they do not agree on is
    chance.

    Parameters
    ----------
    models : iterable of KeyedVectors, or mapping
        Two models or more.
    topn : int
        How many nearest neighbours are compared, among the words that all models have.
    n_words : int
        How many words of each band are asked for at most.
    n_resamples : int
        Resamples of the bootstrap for the intervals; 0 for none.
    seed : int
        Of what is drawn.

    Returns
    -------
    list of StabilityBand
        The most frequent words first; bands without words are left out.

    Raises
    ------
    ParameterError
        There are fewer than two models, or a number is out of its range.
    InputError
        The models share fewer than two words.

    Notes
    -----
    Wendlandt, Kummerfeld and Mihalcea 2018, "Factors Influencing the Surprising Instability of Word
    Embeddings", section 3: the overlap of the ten nearest neighbours. See also Antoniak and Mimno
    2018, "Evaluating the Stability of Embedding-based Word Similarities".

    Examples
    --------
    >>> import numpy as np
    >>> from firth import KeyedVectors, Vocab
    >>> from firth.evaluation import stability
    >>> vocab = Vocab.from_words([f"word{i}" for i in range(50)])
    >>> vectors = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32)
    >>> stability([KeyedVectors(vocab, vectors), KeyedVectors(vocab, 2 * vectors)])[0].overlap
    1.0
    """
    named = list(by_name(models).values())
    if len(named) < 2:
        raise ParameterError("stability is told of two models or more; one was given")
    topn, n_words = whole("topn", topn, 1), whole("n_words", n_words, 1)
    whole("n_resamples", n_resamples, 0)
    rows = _shared_rows(named)
    if len(rows) < 2:
        raise InputError(
            f"the models have {len(rows)} words with a direction in common; neighbours need two"
        )
    rng = np.random.default_rng(seed)
    bands = bands_of(rows[:, 0])
    asked = {}
    for i in np.unique(bands).tolist():
        places = np.flatnonzero(bands == i)
        asked[i] = np.sort(rng.choice(places, min(n_words, len(places)), replace=False))
    places = np.concatenate(list(asked.values()))
    found = [_neighbours(model, rows[:, i], places, topn) for i, model in enumerate(named)]
    overlaps = _overlaps(found)
    result, begin = [], 0
    for i, some in asked.items():
        values = overlaps[begin : begin + len(some)]
        begin += len(some)
        drawn = [
            (weights @ values) / len(values)
            for weights in one_by_one(f"band {i}", [len(values)]).weights(n_resamples, seed)
        ]
        result.append(
            StabilityBand(
                BAND_NAMES[i],
                int(np.count_nonzero(bands == i)),
                len(some),
                float(values.mean()),
                *interval(drawn),
            )
        )
    return result


def _shared_rows(models: list[Embedding]) -> NDArray[np.int64]:
    """Find the rows of the words that all models have, with a direction: (n_shared, n_models)."""
    found = []
    for begin in range(0, len(models[0].vocab), WORDS_AT_A_TIME):
        words = models[0].vocab.words[begin : begin + WORDS_AT_A_TIME]
        some = np.stack([model.vocab.ids(words) for model in models], axis=1)
        found.append(some[(some >= 0).all(axis=1)])
    rows = np.concatenate(found)
    kept = np.ones(len(rows), np.bool_)
    for i, model in enumerate(models):
        kept &= has_direction(model.norms)[rows[:, i]]
    return rows[kept]


def _neighbours(
    model: Embedding, rows: NDArray[np.int64], places: NDArray[np.int64], topn: int
) -> NDArray[np.int64]:
    """Find the neighbours of some of the shared words, among these, by their places in them."""
    matrix = np.ascontiguousarray(model.vectors[rows])
    if matrix.dtype not in {np.dtype(np.float32), np.dtype(np.float16)}:
        matrix = matrix.astype(np.float32)
    exclude = [[place] for place in places.tolist()]
    return top_k(matrix, row_norms(matrix), matrix[places], topn, exclude)[0]


def _overlaps(found: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Give the share of neighbours in common for each word, averaged over pairs of models."""
    pairs = list(combinations(found, 2))
    total = np.zeros(len(found[0]))
    for one, other in pairs:
        # Where there are fewer words than neighbours asked for, -1 fills up the rest.
        common = (one[:, :, None] == other[:, None, :]) & (one >= 0)[:, :, None]
        total += common.any(axis=2).sum(axis=1) / np.maximum(1, (one >= 0).sum(axis=1))
    return total / len(pairs)

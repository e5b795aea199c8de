"""Two models compared word by word: what moved between them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from firth.errors import InputError, ParameterError
from firth.evaluation._parameters import whole
from firth.evaluation._words import WORDS_AT_A_TIME, has_direction
from firth.neighbours import top_k

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from firth.evaluation._words import Embedding

By: TypeAlias = Literal["distance", "z"]

# Words whose frequency is like a word's: so many around it.
_ALIKE = 500


@dataclass(frozen=True)
class Moved:
    """A word in two models.

    Attributes
    ----------
    word : str
        The word.
    distance : float
        1 - the cosine of its two vectors, once the models are aligned: from 0 to 2.
    z : float
        How many standard deviations that is above what words of like frequency have.
    shared : float
        The share of its nearest neighbours in one model that are so in the other as well.
    old_count, new_count : int
        How often it was seen; 0 where that is not known.
    old_neighbours, new_neighbours : list of (str, float)
        The nearest words in each model with their cosines.
    """

    word: str
    distance: float
    z: float
    shared: float
    old_count: int
    new_count: int
    old_neighbours: list[tuple[str, float]]
    new_neighbours: list[tuple[str, float]]


class Diff:
    """What moved between two models, as `diff` gives it.

    Attributes
    ----------
    n_shared : int
        Words that both models have.
    n_compared : int
        How many of them, the most frequent ones, were aligned and compared.
    only_old, only_new : list of str
        The most frequent words of each model that the other one does not have.
    n_only_old, n_only_new : int
        How many of those there are.
    mean_similarity : float
        The mean cosine of the two vectors of the words that were compared: how well the models
        align.
    words : list of str
        The words that were compared, those that moved most first.
    distances, z : numpy.ndarray of float64, shape (n_compared,)
        As of `Moved`, in the order of `words`.
    """

    def __init__(
        self,
        old: Embedding,
        new: Embedding,
        rows: NDArray[np.int64],
        distances: NDArray[np.float64],
        z: NDArray[np.float64],
        by: By,
        told: dict[str, Any],
    ) -> None:
        order = np.argsort(-(distances if by == "distance" else z), kind="stable")
        self._old, self._new, self._rows = old, new, rows[order]
        self.distances, self.z = distances[order], z[order]
        self.words = old.vocab.words_at(self._rows[:, 0])
        self._places = {word: place for place, word in enumerate(self.words)}
        self.n_compared = len(self.words)
        self.mean_similarity = float(1 - distances.mean())
        self.n_shared: int = told["n_shared"]
        self.only_old: list[str] = told["only_old"]
        self.only_new: list[str] = told["only_new"]
        self.n_only_old: int = told["n_only_old"]
        self.n_only_new: int = told["n_only_new"]

    def moved(self, topn: int = 20, neighbours: int = 10) -> list[Moved]:
        """Give the words that moved most, with their neighbours in both models.

        Parameters
        ----------
        topn : int
            How many words.
        neighbours : int
            How many nearest words of each.
        """
        return self._tell(np.arange(min(whole("topn", topn, 1), self.n_compared)), neighbours)

    def of(self, words: Iterable[str], neighbours: int = 10) -> list[Moved]:
        """Tell how some words moved.

        Raises
        ------
        InputError
            A word was not compared: it is not in both models, or not among the words compared.
        """
        words = [words] if isinstance(words, str) else list(words)
        for word in words:
            if word not in self._places:
                where = [
                    name
                    for name, model in (("old", self._old), ("new", self._new))
                    if word not in model.vocab
                ]
                why = (
                    f"it is not in the {' and the '.join(where)} model" if where else
                    f"it is not among the {self.n_compared:,} most frequent words with a direction "
                    f"in both; give a larger restrict_vocab"
                )  # fmt: skip
                raise InputError(f"the word {word!r} was not compared: {why}")
        return self._tell(np.array([self._places[word] for word in words], np.int64), neighbours)

    def to_dict(self, topn: int = 20, neighbours: int = 10) -> dict[str, Any]:
        """Give the numbers, and the words that moved most, as JSON can hold them."""
        names = ("n_shared", "n_compared", "n_only_old", "n_only_new", "only_old", "only_new",
                 "mean_similarity")  # fmt: skip
        told = {name: getattr(self, name) for name in names}
        return told | {"moved": [asdict(each) for each in self.moved(topn, neighbours)]}

    def __repr__(self) -> str:
        return (
            f"<Diff of {self.n_compared:,} words, mean similarity {self.mean_similarity:.3f}; "
            f"moved most: {', '.join(self.words[:5])}>"
        )

    def _tell(self, places: NDArray[np.int64], neighbours: int) -> list[Moved]:
        n = whole("neighbours", neighbours, 1)
        rows = self._rows[places]
        near = [_nearest(m, rows[:, i], n) for i, m in enumerate((self._old, self._new))]
        counts = [m.vocab.counts for m in (self._old, self._new)]
        return [
            Moved(
                self.words[place],
                float(self.distances[place]),
                float(self.z[place]),
                _share(old_near, new_near),
                int(counts[0][rows[i, 0]]),
                int(counts[1][rows[i, 1]]),
                old_near,
                new_near,
            )
            for i, (place, old_near, new_near) in enumerate(zip(places, *near, strict=True))
        ]


def diff(
    old: Embedding,
    new: Embedding,
    *,
    restrict_vocab: int | None = 20_000,
    align: bool = True,
    by: By = "distance",
) -> Diff:
    """Tell which words moved between two models: two decades, two domains, before and after tuning.

    The vectors of words that both have are scaled to length 1; the old ones are rotated onto the
    new ones by orthogonal Procrustes; the distance that is left ranks the words.

    Parameters
    ----------
    old, new : KeyedVectors
        The models. Of different sizes of vectors the smaller is filled up with zeros.
    restrict_vocab : int or None
        Align and compare so many shared words, the most frequent ones: those that come early in
        both. Rare words have noisy vectors. None for all.
    align : bool
        False: compare the vectors as they are, for models of the same space, such as before and
        after fine-tuning.
    by : "distance" or "z"
        Rank by the distance, or by how far it is above that of words of like frequency: rare words
        move more than frequent ones without meaning anything by it.

    Returns
    -------
    Diff
        All words compared, those that moved most first.

    Raises
    ------
    InputError
        The models share no word, or only words without a direction.
    ParameterError
        A parameter is out of its range.

    Notes
    -----
    Hamilton, Leskovec and Jurafsky 2016, "Diachronic Word Embeddings Reveal Statistical Laws of
    Semantic Change", section 2.2: R = argmin ||A R - B|| over orthogonal R, which is U V' of the
    singular value decomposition of A' B (Schönemann 1966). Two trainings of the same text differ
    too: look at `firth.evaluation.stability` before making much of a distance.

    Examples
    --------
    >>> import numpy as np
    >>> from firth import KeyedVectors, Vocab
    >>> from firth.evaluation import diff
    >>> vocab = Vocab.from_words(["sun", "moon", "gay", "happy"])
    >>> old = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], np.float32)
    >>> new = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 1], [1, 0, 0]], np.float32)
    >>> found = diff(KeyedVectors(vocab, old), KeyedVectors(vocab, new))
    >>> found.n_shared, len(found.moved(topn=2, neighbours=1))
    (4, 2)
    """
    if by not in get_args(By):
        raise ParameterError(f"by is {by!r}; it must be one of {', '.join(get_args(By))}")
    rows, told = _shared_rows(old, new)
    usable = has_direction(old.norms[rows[:, 0]]) & has_direction(new.norms[rows[:, 1]])
    rows = rows[usable]
    if not len(rows):
        raise InputError(
            f"the models have {told['n_shared']:,} words in common, none of them with a direction "
            f"in both: they cannot be compared"
        )
    rows = rows[np.argsort(rows.max(axis=1), kind="stable")]
    if restrict_vocab is not None:
        rows = rows[: whole("restrict_vocab", restrict_vocab, 1)]
    a, b = (_units(model, rows[:, i]) for i, model in enumerate((old, new)))
    width = max(a.shape[1], b.shape[1])
    a, b = (np.pad(m, ((0, 0), (0, width - m.shape[1]))) for m in (a, b))
    if align:
        u, _, vt = np.linalg.svd(a.T.astype(np.float64) @ b)
        a = a @ (u @ vt).astype(np.float32)
    distances = 1 - np.einsum("ij,ij->i", a, b, dtype=np.float64)
    return Diff(old, new, rows, distances, _z_scores(distances), by, told)


def _shared_rows(old: Embedding, new: Embedding) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """Find the rows of words that both models have, (n_shared, 2), and what only one has."""
    pairs: list[NDArray[np.int64]] = []
    only_old: list[str] = []
    n_old, n_new = len(old.vocab), len(new.vocab)
    is_shared = np.zeros(n_new, np.bool_)
    for begin in range(0, n_old, WORDS_AT_A_TIME):
        words = old.vocab.words[begin : begin + WORDS_AT_A_TIME]
        found = new.vocab.ids(words)
        there = np.flatnonzero(found >= 0)
        pairs.append(np.stack([there + begin, found[there]], axis=1))
        is_shared[found[there]] = True
        if len(only_old) < 10:
            only_old += [words[i] for i in np.flatnonzero(found < 0)[:10].tolist()]
    rows = np.concatenate([*pairs, np.empty((0, 2), np.int64)])
    only_new = np.flatnonzero(~is_shared)
    return rows, {
        "n_shared": len(rows),
        "n_only_old": n_old - len(rows),
        "n_only_new": len(only_new),
        "only_old": only_old[:10],
        "only_new": new.vocab.words_at(only_new[:10]),
    }


def _units(model: Embedding, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    vectors: NDArray[np.float32] = model.vectors[rows].astype(np.float32)
    vectors /= model.norms[rows, None]
    return vectors


def _z_scores(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compare each value with those around it; words stand in the order of their frequency."""
    n = len(distances)
    width = min(_ALIKE, n)
    begins = np.clip(np.arange(n) - width // 2, 0, n - width)
    sums = np.concatenate([[0.0], np.cumsum(distances)])
    squares = np.concatenate([[0.0], np.cumsum(distances**2)])
    means = (sums[begins + width] - sums[begins]) / width
    variances = (squares[begins + width] - squares[begins]) / width - means**2
    deviations = np.sqrt(np.maximum(variances, 0))
    return np.where(deviations > 1e-12, (distances - means) / np.maximum(deviations, 1e-12), 0.0)


def _nearest(model: Embedding, rows: NDArray[np.int64], n: int) -> list[list[tuple[str, float]]]:
    vectors = np.ascontiguousarray(model.vectors)
    found, cosines = top_k(vectors, model.norms, vectors[rows], n, [[r] for r in rows.tolist()])
    return [
        list(zip(model.vocab.words_at(some[some >= 0]), values.tolist(), strict=False))
        for some, values in zip(found, cosines, strict=True)
    ]


def _share(old: list[tuple[str, float]], new: list[tuple[str, float]]) -> float:
    most = max(len(old), len(new), 1)
    return len({word for word, _ in old} & {word for word, _ in new}) / most

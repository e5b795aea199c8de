"""Where the words of a model stand in the plane.

To arrange all words of a large vocabulary by t-SNE takes longer than people wait, and for rare
words it tells little. So the frequent words are arranged, and each of the others stands among
those of them that are nearest to it by the full vectors. Until that is done there are the
principal components, which take a second.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import InputError, MissingExtraError
from firth.maps import map_words
from firth.neighbours import row_norms, top_k

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from firth.vectors import KeyedVectors

#: More dots than this no browser moves smoothly, and no eye tells apart.
MOST_WORDS = 400_000
#: Arranged by t-SNE; see docs/explorer.md for what more and fewer of them cost and bring.
ARRANGED = 20_000
NO_GROUP = 7
_NEAREST = 10
_QUERIES = 2048
_SAMPLED = 20_000  # words that the outline's axes are of
# How much nearer neighbours count for more: the cosine to this power.
_SHARPNESS = 12
# Neighbours further from the nearest one than this share of the map's width do not count: the mean
# of two distant places is a third that has to do with neither.
_AREA = 0.04


@dataclass(frozen=True)
class Places:
    """Words in the plane.

    Attributes
    ----------
    rows : numpy.ndarray of int32, shape (n_words,)
        Which words, by their places in the vocabulary: rising.
    coordinates : numpy.ndarray of float32, shape (n_words, 2)
        Where they are.
    groups : numpy.ndarray of uint8, shape (n_words,)
        The cluster of each; 7 for none.
    names : list of str
        What the clusters are called.
    method : "pca" or "tsne"
        How the plane was made.
    n_arranged : int
        The first so many were arranged; the others stand among them.
    n_vocabulary : int
        How many words the model has.
    """

    rows: NDArray[np.int32]
    coordinates: NDArray[np.float32]
    groups: NDArray[np.uint8]
    names: list[str]
    method: str
    n_arranged: int
    n_vocabulary: int

    @property
    def note(self) -> str:
        """What a reader of the map has to know of it."""
        n = len(self.rows)
        if self.method == "pca":
            told = "The two directions in which vectors differ most (principal components)."
        else:
            told = f"The {self.n_arranged:,} most frequent words, arranged by t-SNE."
            if n > self.n_arranged:
                told += (
                    f" The other {n - self.n_arranged:,} stand among those of them that are "
                    f"nearest to each by the full vectors."
                )
        if self.n_vocabulary > n:
            told += f" {self.n_vocabulary - n:,} more words of the model are not on the map."
        return told


def outline(wv: KeyedVectors) -> Places:
    """Lay words out by their principal components: at once.

    Raises
    ------
    InputError
        If fewer than two words have a direction.
    """
    rows, units = _units(wv)
    # Of a part of the words: the axes are the same, and hundreds of thousands are laid out at once.
    some = units[:: -(-len(units) // _SAMPLED)]
    centre = some.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh((some - centre).T @ (some - centre))
    axes = axes[:, :-3:-1]
    points = np.zeros((len(units), 2), np.float32)
    points[:, : axes.shape[1]] = units @ axes.astype(np.float32) - (centre @ axes)
    return Places(rows, points, np.full(len(rows), NO_GROUP, np.uint8), [], "pca", 0, len(wv))


def arrange(
    wv: KeyedVectors,
    *,
    n_arranged: int = ARRANGED,
    seed: int = 1,
    told: Callable[[str], None] = lambda _: None,
) -> Places:
    """Arrange the frequent words by t-SNE, and put each of the others among its nearest.

    Parameters
    ----------
    wv : KeyedVectors
        The words and vectors.
    n_arranged : int
        How many words are arranged.
    seed : int
        The same seed gives the same map.
    told : callable
        Is given a sentence for each step of the work. What it raises ends the work.

    Raises
    ------
    InputError, ParameterError
        If fewer than ten words have a direction.
    MissingExtraError
        If openTSNE or scikit-learn is not installed: the extra `map`.
    """
    rows, units = _units(wv)
    first = rows[:n_arranged]
    arranging = f"arranging the {len(first):,} most frequent words by t-SNE"
    told(arranging)
    with warnings.catch_warnings():
        # Of words without a direction, which are left out already.
        warnings.simplefilter("ignore")
        made = map_words(
            wv,
            wv.vocab.words_at(first.astype(np.int64)),
            seed=seed,
            on_progress=lambda share: told(f"{arranging}: {share:.0%}"),
        )
    groups = np.minimum(made.colouring.groups, NO_GROUP).astype(np.uint8)
    coordinates = made.coordinates
    if len(rows) > len(first):
        putting = f"putting the other {len(rows) - len(first):,} words among their nearest"
        others, groups_of_others = _among(
            units, coordinates, groups, seed, lambda share: told(f"{putting}: {share:.0%}")
        )
        coordinates = np.concatenate([coordinates, others])
        groups = np.concatenate([groups, groups_of_others])
    return Places(
        rows, coordinates, groups, list(made.colouring.names), "tsne", len(first), len(wv)
    )


def _units(wv: KeyedVectors) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Give the frequent words that have a direction, and their vectors of length 1."""
    n = min(len(wv), MOST_WORDS)
    vectors = np.asarray(wv.vectors[:n], np.float32)
    norms = row_norms(vectors)
    rows = np.flatnonzero(np.isfinite(norms) & (norms > 0)).astype(np.int32)
    if len(rows) < 2:
        raise InputError(f"{len(rows)} of {n:,} vectors have a direction; there is nothing to map")
    return rows, vectors[rows] / norms[rows, None]


def _among(
    units: NDArray[np.float32],
    places: NDArray[np.float32],
    groups: NDArray[np.uint8],
    seed: int,
    on_progress: Callable[[float], None],
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Put the words behind the first ones among their nearest of these, with their clusters."""
    n_first = len(places)
    known, norms = units[:n_first], np.ones(n_first, np.float32)
    width = float(np.ptp(places, axis=0).max()) or 1.0
    found = np.empty((len(units) - n_first, 2), np.float32)
    of_group = np.empty(len(found), np.uint8)
    for begin in range(0, len(found), _QUERIES):
        on_progress(begin / len(found))
        part = slice(begin, min(begin + _QUERIES, len(found)))
        near, cosines = top_k(
            known, norms, units[n_first + part.start : n_first + part.stop], _NEAREST
        )
        around = places[near]
        weights = np.maximum(cosines, 1e-3) ** _SHARPNESS
        weights *= np.linalg.norm(around - around[:, :1], axis=2) < _AREA * width
        weights /= weights.sum(axis=1, keepdims=True)
        found[part] = np.einsum("ij,ijk->ik", weights, around)
        of_group[part] = groups[near[:, 0]]
    # Words with the same neighbours would cover each other.
    nudge = np.random.default_rng(seed).normal(0, 0.0012 * width, found.shape)
    return found + nudge.astype(np.float32), of_group


def missing_package() -> str | None:
    """Tell what to install to have words arranged; None if it is there."""
    try:
        import openTSNE  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        return str(MissingExtraError(error.name or "openTSNE", "map", "arranging words by t-SNE"))
    return None


def as_bytes(places: Places, wv: KeyedVectors, *, about: dict[str, Any]) -> bytes:
    """Write a map as the page reads it.

    Four bytes for the length of a header of JSON, the header, and then numbers, little-endian:
    coordinates (float32), counts (uint32) and groups (uint8) of the words of the header.
    """
    import msgspec

    rows = places.rows.astype(np.int64)
    counts = np.minimum(wv.vocab.counts[rows], np.iinfo(np.uint32).max)
    header = msgspec.json.encode(
        about
        | {
            "words": wv.vocab.words_at(rows),
            "groups": places.names,
            "method": places.method,
            "note": places.note,
            "total": places.n_vocabulary,
            "counted": bool(counts.any()),
        }
    )
    header += b" " * (-len(header) % 4)
    return b"".join(
        (
            len(header).to_bytes(4, "little"),
            header,
            np.ascontiguousarray(places.coordinates, "<f4").tobytes(),
            np.ascontiguousarray(counts, "<u4").tobytes(),
            places.groups.tobytes(),
        )
    )

"""From vectors to points of a plane: t-SNE, UMAP and principal components."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import MissingExtraError, ParameterError
from firth.machine import usable_cores
from firth.neighbours import row_norms, top_k
from firth.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

METHODS = ("tsne", "umap", "pca")
# t-SNE and UMAP arrange neighbourhoods: of a few words there is nothing to arrange.
FEWEST = 10
_QUERIES = 1024  # answered at a time
# Belkina et al. 2019, "Automated optimized parameters for t-SNE", and openTSNE's own phases.
_EXAGGERATED, _PLAIN, _EXAGGERATION = 250, 500, 12
_STEP = 25  # iterations between two looks at the progress
# Below this many words the tree of Barnes and Hut is faster than the Fourier transform of a grid.
_FEW = 10_000
# Below this many two threads wait for each other longer than they work.
_ONE_THREAD = 5000


def project(
    vectors: ArrayLike,
    method: str = "tsne",
    *,
    perplexity: float = 30.0,
    n_neighbours: int = 15,
    seed: int = 1,
    show_progress: bool = False,
    on_progress: Callable[[float], None] = lambda _: None,
) -> NDArray[np.float32]:
    """Lay vectors out in a plane.

    Parameters
    ----------
    vectors : array_like, shape (n_words, vector_size)
        Vectors as rows. They are scaled to length 1, so that near means a high cosine.
    method : "tsne", "umap" or "pca"
        How: t-SNE (openTSNE) and UMAP keep neighbours together, and distances between groups mean
        little; principal components keep the directions in which the vectors differ most.
    perplexity : float
        About how many neighbours t-SNE holds on to.
    n_neighbours : int
        How many UMAP does.
    seed : int
        The same seed gives the same plane, on the same machine and versions.
    show_progress : bool
        Show a bar.
    on_progress : callable
        Is called now and then with the share that is done, from 0 to 1. What it raises ends the
        work.

    Returns
    -------
    numpy.ndarray of float32, shape (n_words, 2)
        The points; turned so that the plane is widest from left to right.

    Raises
    ------
    ParameterError
        There is no such method, or there are too few words for it.
    MissingExtraError
        openTSNE or umap-learn is not installed: the extra `map`.

    Notes
    -----
    Neighbours are exact: firth's own search gives them to both. Both begin with the principal
    components, which keep the large distances in order (Kobak and Linderman 2021, "Initialization
    is critical for preserving global data structure in both t-SNE and UMAP").

    References
    ----------
    van der Maaten and Hinton 2008, "Visualizing Data using t-SNE"; Linderman et al. 2019, "Fast
    interpolation-based t-SNE for improved visualization of single-cell RNA-seq data"; McInnes,
    Healy and Melville 2018, "UMAP: Uniform Manifold Approximation and Projection for Dimension
    Reduction".

    Examples
    --------
    >>> import numpy as np
    >>> from firth.maps import project
    >>> project(np.eye(3), "pca").shape
    (3, 2)
    """
    units = _units(vectors)
    check_method(method, len(units))
    if method == "pca":
        return _turned(principal_components(units))
    if not perplexity > 1:
        raise ParameterError(f"perplexity must be above 1, not {perplexity}")
    if n_neighbours < 2:
        raise ParameterError(f"n_neighbours must be 2 or more, not {n_neighbours}")
    if method == "tsne":
        perplexity = min(perplexity, (len(units) - 1) / 3)
        k = min(int(3 * perplexity), len(units) - 1)
        neighbours = nearest(units, k, lambda: on_progress(0.0))
        points = _tsne(
            units, neighbours, perplexity, seed, show_progress=show_progress,
            on_progress=on_progress,
        )  # fmt: skip
        return _turned(points)
    n_neighbours = min(n_neighbours, len(units) - 1)
    return _turned(_umap(units, nearest(units, n_neighbours, lambda: on_progress(0.0)), seed))


def check_method(method: str, n_words: int) -> None:
    """Tell before the work whether it can be done."""
    if method not in METHODS:
        raise ParameterError(f"method is {method!r}; there are {', '.join(METHODS)}")
    if n_words < 2:
        raise ParameterError("one word alone makes no map; give two or more")
    if method != "pca" and n_words < FEWEST:
        raise ParameterError(
            f"{n_words} words are too few for {method}, which needs {FEWEST}; take method 'pca'"
        )
    try:
        if method == "tsne":
            import openTSNE  # noqa: F401
        elif method == "umap":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import umap  # noqa: F401
    except ImportError as error:
        package = {"tsne": "openTSNE", "umap": "umap"}[method]
        raise MissingExtraError(package, "map", f"a map by {method}") from error


def nearest(
    units: NDArray[np.float32], k: int, tick: Callable[[], None] = lambda: None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the `k` nearest other rows of each, with their cosines, nearest first."""
    norms = row_norms(units)
    rows = np.empty((len(units), k), np.int64)
    cosines = np.empty(rows.shape, np.float32)
    for first in range(0, len(units), _QUERIES):
        tick()
        part = slice(first, min(first + _QUERIES, len(units)))
        itself = [[row] for row in range(part.start, part.stop)]
        rows[part], cosines[part] = top_k(units, norms, units[part], k, itself)
    return rows, cosines


def principal_components(units: NDArray[Any]) -> NDArray[np.float64]:
    """Project on the two directions in which vectors differ most, shape (n_words, 2)."""
    centred = units - units.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    points: NDArray[np.float64] = centred @ axes[:, :-3:-1]
    if points.shape[1] < 2:  # vectors of one dimension
        points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    # An axis has no sign of its own; so it has the same each time.
    farthest = points[np.abs(points).argmax(axis=0), [0, 1]]
    points *= np.where(farthest < 0, -1.0, 1.0)
    return points


def _tsne(
    units: NDArray[np.float32],
    neighbours: tuple[NDArray[np.int64], NDArray[np.float32]],
    perplexity: float,
    seed: int,
    *,
    show_progress: bool,
    on_progress: Callable[[float], None],
) -> NDArray[np.float64]:
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    rows, cosines = neighbours
    known = PrecomputedNeighbors(rows, _distances(cosines).astype(np.float64))
    n_jobs = 1 if len(units) < _ONE_THREAD else usable_cores()
    affinities = PerplexityBasedNN(perplexity=perplexity, knn_index=known, n_jobs=n_jobs)
    embedding = TSNEEmbedding(
        _start(units, 1e-4), affinities, n_jobs=n_jobs, random_state=seed,
        negative_gradient_method="bh" if len(units) < _FEW else "fft",
    )  # fmt: skip
    total = _EXAGGERATED + _PLAIN
    with progress(
        "arranging", total=total, unit="steps", show=None if show_progress else False
    ) as bar:
        for done in range(0, total, _STEP):
            early = done < _EXAGGERATED
            embedding.optimize(
                _STEP,
                exaggeration=_EXAGGERATION if early else 1,
                momentum=0.5 if early else 0.8,
                inplace=True,
            )
            bar.advance(_STEP)
            on_progress((done + _STEP) / total)
    return np.asarray(embedding, np.float64)


def _umap(
    units: NDArray[np.float32],
    neighbours: tuple[NDArray[np.int64], NDArray[np.float32]],
    seed: int,
) -> NDArray[np.float64]:
    rows, cosines = neighbours
    n = len(units)
    # UMAP takes each row for the nearest of itself.
    rows = np.concatenate([np.arange(n)[:, None], rows], axis=1)
    distances = np.concatenate([np.zeros((n, 1), np.float32), _distances(cosines)], axis=1)
    with warnings.catch_warnings():
        # With a seed it works on one core, and warns of that each time.
        warnings.simplefilter("ignore")
        import umap

        points = umap.UMAP(
            n_neighbors=rows.shape[1],
            precomputed_knn=(rows.astype(np.int32), distances, None),
            init=_start(units, 10.0).astype(np.float32),
            random_state=seed,
        ).fit_transform(units)
    return np.asarray(points, np.float64)


def _distances(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the distances of unit vectors with these cosines."""
    return np.sqrt(np.maximum(2 - 2 * cosines, 0))


def _start(units: NDArray[np.float32], size: float) -> NDArray[np.float64]:
    points = principal_components(units)
    spread = float(points[:, 0].std())
    # Words with the same vector would stay on top of each other for ever.
    nudge = np.random.default_rng(0).normal(0, 1e-3, points.shape)
    return size * (points / (spread or 1.0) + nudge)


def _turned(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Turn a plane so that it is widest from left to right."""
    return principal_components(points.astype(np.float32)).astype(np.float32)


def _units(vectors: ArrayLike) -> NDArray[np.float32]:
    array = np.asarray(vectors)
    if array.ndim != 2 or array.dtype.kind not in "fiu" or 0 in array.shape:
        raise ParameterError(
            f"vectors is {array.dtype} of shape {array.shape}; it must be a matrix of numbers of "
            f"shape (n_words, vector_size)"
        )
    array = array.astype(np.float32)
    norms = row_norms(array)
    if not (np.isfinite(norms).all() and norms.all()):
        wrong = int(np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))[0])
        raise ParameterError(f"row {wrong:,} of vectors is zero or not finite: it points nowhere")
    return np.asarray(array / norms[:, None])

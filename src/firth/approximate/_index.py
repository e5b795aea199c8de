"""An index over the rows of a matrix."""

from __future__ import annotations

import json
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from firth.approximate._about import KINDS, VERSION, fingerprint, read_about
from firth.approximate._graph import DTYPES, MOST_NODES, Graph, GraphBuilder
from firth.approximate._recall import K, Trial
from firth.errors import FormatError, ParameterError
from firth.machine import usable_cores
from firth.neighbours import row_norms
from firth.progress import progress as show_progress
from firth.storage import open_tensors, output_errors, save_tensors

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

logger = logging.getLogger("firth")

# Rows that are added at a time: Ctrl-C is heard in between.
_ROWS_AT_A_TIME = 8192
# Numbers of vectors that are fetched at a time to be scored.
_NUMBERS_AT_A_TIME = 1 << 21
# What a search may hold at most, when the number is looked for.
_MOST_EXPANSION = 4096
# Recall is tried on samples: what is chosen on one should hold on the other.
_MARGIN = 0.005
_DTYPES = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(np.int8))
_ALIGNMENT = 64


class NeighbourIndex:
    """Finds most of the rows nearest to a question, by looking at few of them.

    A hierarchical navigable small world graph (Malkov and Yashunin 2018, "Efficient and Robust
    Approximate Nearest Neighbor Search Using Hierarchical Navigable Small World Graphs"), built
    by usearch. What it finds is scored with the vectors of the matrix: cosines are exact, and only
    rows may be missing. How many are, is measured when the index is built.

    Make one with `build`, or open one with `open`.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.approximate import NeighbourIndex
    >>> matrix = np.random.default_rng(1).standard_normal((1000, 8)).astype(np.float32)
    >>> index = NeighbourIndex.build(matrix, progress=False)
    >>> index.recall > 0.9
    True
    >>> rows, scores = index.search(matrix[:1], k=3)
    >>> int(rows[0, 0])
    0
    """

    def __init__(
        self,
        graph: Graph,
        matrix: NDArray[Any],
        norms: NDArray[np.float32],
        about: dict[str, Any],
    ) -> None:
        # Takes all as it is; the class methods check.
        self._graph = graph
        self._matrix = matrix
        self._norms = norms
        self._about = about

    # --- making ---------------------------------------------------------------------------------

    @classmethod
    def build(
        cls,
        matrix: NDArray[Any],
        norms: NDArray[np.float32] | None = None,
        *,
        kind: str = "hnsw",
        dtype: str = "float16",
        connectivity: int = 16,
        expansion_add: int = 128,
        expansion_search: int | None = None,
        target_recall: float = 0.95,
        n_questions: int = 1000,
        seed: int = 1,
        workers: int | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Build an index, and measure how much it finds.

        Parameters
        ----------
        matrix : numpy.ndarray of float32, float16 or int8, shape (n_rows, vector_size)
            Vectors as rows. Rows of zeros or with NaN have no direction and stay outside.
        norms : numpy.ndarray of float32, shape (n_rows,), optional
            Their lengths; computed if not given.
        kind : "hnsw"
            The only one.
        dtype : "float32", "float16" or "int8"
            How the index keeps its copy of the vectors. Answers are scored with the matrix itself.
        connectivity : int
            How many neighbours a node of the graph has, M of the paper; from 2 to 256.
        expansion_add : int
            How many candidates are held while a row is added, efConstruction of the paper.
        expansion_search : int, optional
            How many are held in a search, ef of the paper: more find more and take longer. The
            fewest that reach `target_recall` if not given.
        target_recall : float
            The share of the ten nearest rows to reach, above 0 and below 1.
        n_questions : int
            How many questions, at most, each measurement of recall asks.
        seed : int
            Chooses the questions.
        workers : int, optional
            Threads that build; one for each core if not given. With one, the graph is the same
            each time.
        progress : bool, optional
            Show it, or not; where it can be seen if not given.

        Returns
        -------
        NeighbourIndex
            With `recall` measured on questions that had no part in choosing `expansion_search`.

        Raises
        ------
        ParameterError
            If a parameter is out of its range, or no row has a direction.
        MissingExtraError
            If usearch is not installed.
        """
        matrix, norms = _checked(matrix, norms)
        _check_choice("kind", kind, KINDS)
        _check_choice("dtype", dtype, DTYPES)
        _check_range("connectivity", connectivity, 2, 256)
        _check_range("expansion_add", expansion_add, 1, 1 << 20)
        if expansion_search is not None:
            _check_range("expansion_search", expansion_search, 1, 1 << 20)
        if not 0 < target_recall < 1:
            raise ParameterError(f"target_recall must be above 0 and below 1, not {target_recall}")
        _check_range("n_questions", n_questions, 1, 1 << 20)
        if workers is not None:
            _check_range("workers", workers, 1, 1 << 12)
        rows = np.flatnonzero(np.isfinite(norms) & (norms > 0))
        if len(rows) == 0:
            raise ParameterError("no row of the matrix has a direction: all are zeros or NaN")
        if len(rows) > MOST_NODES:
            raise ParameterError(f"{len(rows):,} rows are too many; at most {MOST_NODES:,} fit")
        n_threads = workers or usable_cores()
        scale = _scale(matrix, norms, rows) if dtype == "int8" else 1.0
        builder = GraphBuilder(matrix.shape[1], dtype, connectivity, expansion_add, scale)
        with show_progress("indexing", total=len(rows), unit="rows", show=progress) as bar:
            for begin in range(0, len(rows), _ROWS_AT_A_TIME):
                some = rows[begin : begin + _ROWS_AT_A_TIME]
                vectors = matrix[some].astype(np.float32) / norms[some][:, None]
                builder.add(some, vectors, n_threads)
                bar.advance(len(some))
        about = {
            "index_version": VERSION,
            "kind": kind,
            "dtype": dtype,
            "n_rows": len(matrix),
            "vector_size": matrix.shape[1],
            "n_indexed": len(rows),
            "connectivity": connectivity,
            "expansion_add": expansion_add,
            "expansion_search": expansion_search,
            "scale": scale,
            "fingerprint": fingerprint(matrix, norms),
        }
        index = cls(builder.finish(len(matrix)), matrix, norms, about)
        index._measure(rows, target_recall, n_questions, np.random.default_rng(seed))
        return index

    def _measure(
        self,
        rows: NDArray[np.int64],
        target: float,
        n_questions: int,
        random: np.random.Generator,
    ) -> None:
        """Choose how much a search holds, where that is left open, and measure the recall."""
        chosen = random.choice(rows, min(2 * n_questions, len(rows)), replace=False)
        half = (len(chosen) + 1) // 2
        trial = partial(Trial.of, self._matrix, self._norms)
        if self._about["expansion_search"] is None:
            self._about["expansion_search"] = self._fewest_for(trial(chosen[half:, None]), target)
        self._about["recall"] = trial(chosen[:half, None]).recall(self.search)
        pairs = random.choice(rows, (half, 2))
        self._about["recall_of_sums"] = trial(pairs).recall(self.search)
        self._about["n_questions"] = half
        if self.recall < target and self.expansion_search >= min(_MOST_EXPANSION, len(self)):
            logger.warning(
                "the index finds %.1f %% of the ten nearest, not the %.1f %% asked for: these "
                "vectors are hard to search; give a larger connectivity, or ask exactly",
                100 * self.recall,
                100 * target,
            )

    def _fewest_for(self, trial: Trial, target: float) -> int:
        """Find how many candidates a search has to hold for a recall, to within a sixteenth."""

        def reaches(expansion: int) -> bool:
            return trial.recall(partial(self.search, expansion=expansion)) >= target + _MARGIN

        too_few, most = 0, min(_MOST_EXPANSION, len(self))
        enough = min(16, most)
        while enough < most and not reaches(enough):
            too_few, enough = enough, min(enough + enough // 2, most)
        while enough - too_few > max(enough // 16, 1):
            middle = (too_few + enough) // 2
            if reaches(middle):
                enough = middle
            else:
                too_few = middle
        return enough

    # --- asking ---------------------------------------------------------------------------------

    def search(
        self,
        queries: ArrayLike,
        k: int,
        exclude: Sequence[Sequence[int]] | None = None,
        *,
        expansion: int | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find most of the `k` rows with the highest cosine to each query.

        Parameters
        ----------
        queries : array_like, shape (n_queries, vector_size)
            Vectors of any length but 0.
        k : int
            How many rows to find for each.
        exclude : sequence of sequences of int, optional
            The rows that each query leaves out.
        expansion : int, optional
            How many candidates the search holds; `expansion_search` if not given.

        Returns
        -------
        rows : numpy.ndarray of int64, shape (n_queries, min(k, n_rows))
            Best first; -1 where no more were found.
        scores : numpy.ndarray of float32, of the same shape
            Their cosines, exact; minus infinity beside -1.

        Raises
        ------
        ParameterError
            If the shape of the queries does not fit, or `k` is negative.
        """
        directions = self._unit_rows(queries)
        if k < 0:
            raise ParameterError(f"k must be 0 or more, not {k}")
        if exclude is not None and len(exclude) != len(directions):
            raise ParameterError(
                f"exclude has {len(exclude)} entries for {len(directions)} queries; give one each"
            )
        k = min(k, len(self._matrix))
        rows = np.full((len(directions), k), -1, np.int64)
        scores = np.full((len(directions), k), -np.inf, np.float32)
        known = np.flatnonzero(np.isfinite(directions).all(axis=1))
        excluded = _padded([exclude[i] for i in known.tolist()] if exclude else [()] * len(known))
        # Twice as many as asked for: those that the graph's copy, of less precision, misplaces.
        n_fetched = min(2 * (k + excluded.shape[1]), len(self))
        held = max(expansion or self.expansion_search, n_fetched)
        step = max(1, _NUMBERS_AT_A_TIME // max(1, n_fetched * self._matrix.shape[1]))
        for begin in range(0, len(known) if k else 0, step):
            some = known[begin : begin + step]
            n_threads = min(usable_cores(), (len(some) + 7) // 8)
            keys = self._graph.nearest(directions[some], n_fetched, held, n_threads)
            keys[(keys[:, :, None] == excluded[begin : begin + step, None, :]).any(axis=2)] = -1
            found, cosines = self._best(keys, directions[some], k)
            rows[some, : found.shape[1]], scores[some, : found.shape[1]] = found, cosines
        return rows, scores

    def _best(
        self, keys: NDArray[np.int64], directions: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Score candidates with their vectors, and give the best."""
        vectors = self._matrix[keys].astype(np.float32, copy=False)
        cosines = np.einsum("qfd,qd->qf", vectors, directions)
        cosines /= np.where(keys < 0, np.float32(1), self._norms[keys])
        cosines[keys < 0] = -np.inf
        order = np.lexsort((keys, -cosines))[:, :k]
        queries = np.arange(len(keys))[:, None]
        return keys[queries, order], cosines[queries, order]

    def _unit_rows(self, queries: ArrayLike) -> NDArray[np.float32]:
        """Scale queries to length 1; those without a direction become NaN."""
        array = np.asarray(queries)
        dim = self._matrix.shape[1]
        if array.ndim != 2 or array.shape[1] != dim or array.dtype.kind not in "fiu":
            raise ParameterError(
                f"queries is {array.dtype} of shape {array.shape}; it must be numbers of shape "
                f"(n_queries, {dim})"
            )
        array = array.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            array /= np.linalg.norm(array, axis=1, keepdims=True)
        return array.astype(np.float32)

    # --- what it is -----------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self._about["n_indexed"])

    def __repr__(self) -> str:
        return (
            f"NeighbourIndex({len(self):,} of {len(self._matrix):,} rows, {self._about['kind']}, "
            f"{self._about['dtype']}, recall@{K} {self.recall:.3f})"
        )

    @property
    def recall(self) -> float:
        """The share of the ten nearest that it finds for rows of the matrix, from 0 to 1.

        Measured on rows drawn at random, which are left out of their own answers.
        """
        return float(self._about["recall"])

    @property
    def recall_of_sums(self) -> float:
        """The same for sums of two rows drawn at random: questions that are far from all rows."""
        return float(self._about["recall_of_sums"])

    @property
    def expansion_search(self) -> int:
        """How many candidates a search holds."""
        return int(self._about["expansion_search"])

    def is_of(self, matrix: NDArray[Any], norms: NDArray[np.float32]) -> bool:
        """Tell whether this is the index of a matrix whose rows have these lengths."""
        return bool(
            matrix.shape == self._matrix.shape
            and self._about["fingerprint"] == fingerprint(matrix, norms)
        )

    @property
    def about(self) -> dict[str, Any]:
        """All that is known of it: how it was built, how much it finds."""
        return dict(self._about)

    # --- keeping --------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index, without the matrix, to a ``.safetensors`` file.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        path = Path(path)
        text = json.dumps(self._about).encode()
        # So that the graph, behind it in the file, begins at a cache line.
        text += b" " * (-len(text) % _ALIGNMENT)
        with output_errors(path):
            save_tensors(path, {"about": np.frombuffer(text, np.uint8), "graph": self._graph.data})

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        matrix: NDArray[Any],
        norms: NDArray[np.float32] | None = None,
    ) -> Self:
        """Open what `save` wrote, by memory map.

        Parameters
        ----------
        path : str or Path
            The file.
        matrix : numpy.ndarray of float32, float16 or int8, shape (n_rows, vector_size)
            The matrix that the index was built for.
        norms : numpy.ndarray of float32, shape (n_rows,), optional
            The lengths of its rows; computed if not given.

        Raises
        ------
        FormatError
            If the file is missing, damaged, or the index of another matrix.
        """
        matrix, norms = _checked(matrix, norms)
        tensors = open_tensors(path)
        about = read_about(Path(path), tensors)
        sizes = about["n_rows"], about["vector_size"]
        if sizes != matrix.shape:
            raise FormatError(
                f"{path}: this is the index of {sizes[0]:,} vectors of size {sizes[1]}, and there "
                f"are {len(matrix):,} of size {matrix.shape[1]}: build it again"
            )
        if about["fingerprint"] != fingerprint(matrix, norms):
            raise FormatError(
                f"{path}: this is the index of another matrix, or of what this one was before it "
                f"changed: build it again"
            )
        graph = Graph(
            tensors["graph"],
            about["n_indexed"],
            len(matrix),
            about["vector_size"],
            about["dtype"],
            about["connectivity"],
            str(path),
        )
        return cls(graph, matrix, norms, about)


def _checked(
    matrix: NDArray[Any], norms: NDArray[np.float32] | None
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    if matrix.ndim != 2 or matrix.dtype not in _DTYPES or matrix.shape[1] == 0:
        raise ParameterError(
            f"matrix is {matrix.dtype} of shape {matrix.shape}; it must be float32, float16 or "
            f"int8, of two dimensions"
        )
    norms = row_norms(matrix) if norms is None else norms
    if norms.shape != matrix.shape[:1]:
        raise ParameterError(
            f"norms has the shape {norms.shape} for {len(matrix):,} rows: give one for each"
        )
    return matrix, norms


def _check_choice(name: str, value: object, choices: Any) -> None:
    if value not in choices:
        raise ParameterError(f"{name} is {value!r}, which is none of {', '.join(choices)}")


def _check_range(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or not least <= value <= most:
        raise ParameterError(f"{name} must be a whole number from {least} to {most}, not {value!r}")


def _scale(matrix: NDArray[Any], norms: NDArray[np.float32], rows: NDArray[np.int64]) -> float:
    """Choose what numbers are multiplied by to fill the 255 steps of int8; few are cut off."""
    some = rows[:: max(1, len(rows) // 4096)]
    values = np.abs(matrix[some].astype(np.float32) / norms[some][:, None])
    return float(127 / np.quantile(values, 0.9999))


def _padded(lists: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Lay lists of rows out as a matrix, filled up with what is no row."""
    width = max(map(len, lists), default=0)
    return np.array([[*rows, *[-2] * (width - len(rows))] for rows in lists], np.int64).reshape(
        len(lists), width
    )

"""An index over the rows of a matrix."""

from __future__ import annotations

import json
import logging
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from firth.approximate._about import KINDS, VERSION, fingerprint, read_about
from firth.approximate._codes import MOST_BITS, SignCodes
from firth.approximate._graph import DTYPES, MOST_NODES, Graph
from firth.approximate._recall import K, Trial
from firth.errors import FormatError, ParameterError
from firth.machine import usable_cores
from firth.neighbours import best_of, row_norms, unit_rows
from firth.progress import progress as show_progress
from firth.storage import open_tensors, output_errors, save_tensors

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

logger = logging.getLogger("firth")

# Candidates that are held at a time to be scored, of 8 bytes.
_CANDIDATES_AT_A_TIME = 1 << 21
# What a search may hold at most, when the number is looked for.
_MOST_EXPANSION = {"rabitq": 1 << 14, "hnsw": 1 << 12}
# Recall is tried on samples: what is chosen on one should hold on the other.
_MARGIN = 0.005
_DTYPES = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(np.int8))
_ALIGNMENT = 64
# The settings of a graph, where none are given.
_DTYPE, _CONNECTIVITY, _EXPANSION_ADD = "float16", 16, 128


class Candidates(Protocol):
    """What tells rows among which the nearest are: `SignCodes` or `Graph`."""

    def candidates(
        self, directions: NDArray[np.float32], n_wanted: int, expansion: int, n_threads: int
    ) -> NDArray[np.int64]:
        """Find rows, shape (n_directions, as many as it takes); -1 is none."""
        ...

    @property
    def about(self) -> dict[str, Any]:
        """How they were made."""
        ...

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """What is kept in a file."""
        ...


class NeighbourIndex:
    """Finds most of the rows nearest to a question, by looking at few of them.

    Codes of one bit for each of a vector's numbers, all of which are read for a question, with
    codes of four bits of those that look near (Gao and Long 2024, "RaBitQ: Quantizing
    High-Dimensional Vectors with a Theoretical Error Bound for Approximate Nearest Neighbor
    Search"); or a hierarchical navigable small world graph (Malkov and Yashunin 2018, "Efficient
    and Robust Approximate Nearest Neighbor Search Using Hierarchical Navigable Small World
    Graphs"), built by usearch. What they find is scored with the vectors of the matrix: cosines are
    exact, and only rows may be missing. How many are, is measured when the index is built.

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
        found_by: Candidates,
        matrix: NDArray[Any],
        norms: NDArray[np.float32],
        about: dict[str, Any],
    ) -> None:
        # Takes all as it is; the class methods check.
        self._found_by = found_by
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
        kind: str = "rabitq",
        bits: int | None = None,
        dtype: str | None = None,
        connectivity: int | None = None,
        expansion_add: int | None = None,
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
        kind : "rabitq" or "hnsw"
            Codes are made in a second and are small; the time of a question grows with the rows.
            That of a graph hardly does, so that it is faster from about a million rows on.
        bits : int, optional
            Of ``"rabitq"``: how many each row has. If not given, as many as there are principal
            axes that hold 85 % of the variance, but 64 at least; all, where these are most.
        dtype : "float32", "float16" or "int8", optional
            Of ``"hnsw"``: how it keeps its copy of the vectors; float16 if not given.
        connectivity : int, optional
            Of ``"hnsw"``: how many neighbours a node has, M of the paper, from 2 to 256; 16 if not
            given.
        expansion_add : int, optional
            Of ``"hnsw"``: how many candidates are held while a row is added, efConstruction of the
            paper; 128 if not given.
        expansion_search : int, optional
            How many candidates a search holds, ef of the paper, or scores, with codes: more find
            more and take longer. The fewest that reach `target_recall` if not given.
        target_recall : float
            The share of the ten nearest rows to reach, above 0 and below 1.
        n_questions : int
            How many questions, at most, each measurement of recall asks.
        seed : int
            Chooses the questions, and turns the axes of codes.
        workers : int, optional
            Threads that build a graph; one for each core if not given. With one, the graph is the
            same each time. Codes always are.
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
            If usearch is not installed, which makes graphs.
        """
        matrix, norms = _checked(matrix, norms)
        _check_choice("kind", kind, KINDS)
        of_graphs = {
            "dtype": dtype,
            "connectivity": connectivity,
            "expansion_add": expansion_add,
        }
        for name, value in ({"bits": bits} if kind == "hnsw" else of_graphs).items():
            if value is not None:
                raise ParameterError(f"{name} is no setting of an index of kind {kind!r}")
        if expansion_search is not None:
            _check_range("expansion_search", expansion_search, 1, 1 << 20)
        if bits is not None:
            _check_range("bits", bits, 1, MOST_BITS)
        if dtype is not None:
            _check_choice("dtype", dtype, DTYPES)
        if connectivity is not None:
            _check_range("connectivity", connectivity, 2, 256)
        if expansion_add is not None:
            _check_range("expansion_add", expansion_add, 1, 1 << 20)
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
        about = {
            "index_version": VERSION,
            "kind": kind,
            "n_rows": len(matrix),
            "vector_size": matrix.shape[1],
            "n_indexed": len(rows),
            "expansion_search": expansion_search,
            "fingerprint": fingerprint(matrix, norms),
        }
        random = np.random.default_rng(seed)
        found_by: Candidates
        with show_progress("indexing", total=len(rows), unit="rows", show=progress) as bar:
            if kind == "rabitq":
                found_by = SignCodes.build(matrix, norms, rows, bits, random, bar.advance)
            else:
                found_by = Graph.build(
                    matrix,
                    norms,
                    rows,
                    dtype or _DTYPE,
                    connectivity or _CONNECTIVITY,
                    expansion_add or _EXPANSION_ADD,
                    workers or usable_cores(),
                    random,
                    bar.advance,
                )
        about |= found_by.about
        index = cls(found_by, matrix, norms, about)
        index._measure(rows, target_recall, n_questions, random)
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
        if self.recall < target and self.expansion_search >= self._most_expansion:
            logger.warning(
                "the index finds %.1f %% of the ten nearest, not the %.1f %% asked for: these "
                "vectors are hard to search; give %s, or ask exactly",
                100 * self.recall,
                100 * target,
                "more bits" if self._about["kind"] == "rabitq" else "a larger connectivity",
            )

    @property
    def _most_expansion(self) -> int:
        return min(_MOST_EXPANSION[self._about["kind"]], len(self))

    def _fewest_for(self, trial: Trial, target: float) -> int:
        """Find how many candidates a search has to hold for a recall, to within a sixteenth."""

        def reaches(expansion: int) -> bool:
            return trial.recall(partial(self.search, expansion=expansion)) >= target + _MARGIN

        too_few, most = 0, self._most_expansion
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
        directions = unit_rows(queries, self._matrix.shape[1])
        if k < 0:
            raise ParameterError(f"k must be 0 or more, not {k}")
        k = min(k, len(self._matrix))
        n_wanted = k + max(map(len, exclude or ()), default=0)
        expansion = expansion or self.expansion_search
        step = max(1, _CANDIDATES_AT_A_TIME // max(1, expansion, 2 * n_wanted))
        parts = [
            self._search(
                directions[begin : begin + step],
                k,
                exclude and exclude[begin : begin + step],
                n_wanted,
                expansion,
            )
            for begin in range(0, max(1, len(directions)), step)
        ]
        rows, scores = (
            parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
        )
        return rows, scores

    def _search(
        self,
        directions: NDArray[np.float32],
        k: int,
        exclude: Sequence[Sequence[int]] | None,
        n_wanted: int,
        expansion: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        # Those without a direction are NaN throughout.
        # Of one question, as is mostly asked, without calling NumPy twice.
        first = directions.item(0) if len(directions) == 1 else directions[:, 0].sum()
        if some_nowhere := math.isnan(first):
            nowhere = np.isnan(directions[:, 0])
            directions = np.where(nowhere[:, None], np.float32(0), directions)
        candidates = self._found_by.candidates(directions, n_wanted, expansion, usable_cores())
        if some_nowhere:
            candidates[nowhere] = -1
        return best_of(self._matrix, self._norms, directions, k, exclude, candidates)

    # --- what it is -----------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self._about["n_indexed"])

    def __repr__(self) -> str:
        return (
            f"NeighbourIndex({len(self):,} of {len(self._matrix):,} rows, {self._about['kind']}, "
            f"recall@{K} {self.recall:.3f})"
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
        """How many candidates a search holds, or scores."""
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
        # So that what is behind it in the file begins at a cache line.
        text += b" " * (-len(text) % _ALIGNMENT)
        with output_errors(path):
            save_tensors(path, {"about": np.frombuffer(text, np.uint8)} | self._found_by.tensors)

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
        of_kind = SignCodes if about["kind"] == "rabitq" else Graph
        return cls(of_kind.open(tensors, about, str(path)), matrix, norms, about)


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

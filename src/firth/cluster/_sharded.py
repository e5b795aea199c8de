"""A sparse matrix whose rows lie on the nodes of a cluster, for PPMI and its decomposition."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.cluster._nodes import on_node
from firth.cluster._pairs import joined
from firth.cluster._report import WorkerReport
from firth.cluster._tasks import value_of
from firth.errors import MissingExtraError
from firth.models import logarithms, positive_pmi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from firth.cluster._nodes import Node
    from firth.cluster._pairs import Pairs
    from firth.cluster._report import Report

    Floats = NDArray[Any]

# Row starts, columns and values of a share's rows, in compressed sparse rows.
Rows = tuple[Any, Any, Any]
_FAN_IN = 8
_OVERSAMPLES = 10


def rows_of(share: int, n_shares: int, n_words: int, *parts: Pairs) -> Rows:
    """Make the rows of a share of the words: those of ``i % n_shares == share``."""
    pairs = joined(parts)
    order = np.lexsort((pairs.contexts, pairs.words))
    counts = np.bincount(pairs.words // n_shares, minlength=len(range(share, n_words, n_shares)))
    starts = np.concatenate([[0], np.cumsum(counts)])
    return starts, pairs.contexts[order].astype(np.int32), pairs.counts[order]


def _sums(rows: Rows, n_words: int) -> tuple[Floats, Floats]:
    """Add up the rows, and the columns, of a share."""
    starts, columns, values = rows
    numbers = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    of_rows = np.bincount(numbers, values, len(starts) - 1)
    return of_rows, np.bincount(columns, values, n_words)


def _ppmi(rows: Rows, of_row: Floats, of_column: Floats) -> tuple[Rows, int]:
    """Make PPMI of counts; gives how many entries are left, too."""
    starts, columns, values = rows
    lengths = np.diff(starts)
    pmi = positive_pmi(values, np.repeat(of_row, lengths), of_column[columns])
    is_kept = pmi > 0
    kept = np.concatenate([[0], np.cumsum(is_kept)])[starts]
    return (kept, columns[is_kept], pmi[is_kept].astype(np.float32)), int(kept[-1])


def _product(rows: Rows, n_words: int, factor: Floats, *, transposed: bool) -> Any:
    """Multiply a share's rows, or their transpose, with a matrix; gives the seconds, too."""
    from scipy.sparse import csr_array

    started = time.thread_time()
    starts, columns, values = rows
    matrix = csr_array((values, columns, starts), (len(starts) - 1, n_words))
    product = (matrix.T if transposed else matrix) @ factor
    return np.ascontiguousarray(product), time.thread_time() - started


def _add(*parts: Floats) -> Floats:
    added: Floats = np.sum(parts, axis=0)
    return added


class ShardedMatrix:
    """Products with a matrix whose row i lies in share ``i % n``.

    What is multiplied is dense and narrow, and must fit on each node; the matrix need not.

    Parameters
    ----------
    shares : sequence of ObjectRef
        What `rows_of` made.
    n_words : int
        Rows, and columns.
    nodes : sequence of Node
        Where the shares are.
    report : Report
        Told what was done.

    Attributes
    ----------
    shape : tuple of (int, int)
    """

    def __init__(
        self, shares: Sequence[Any], n_words: int, nodes: Sequence[Node], report: Report
    ) -> None:
        self.shape = (n_words, n_words)
        self._shares = list(shares)
        self._nodes = nodes
        self._report = report
        self._is_transposed = False
        report.workers = [WorkerReport(node.address, 1) for node in nodes]

    def to_ppmi(self, negative: float, context_smoothing: float) -> int:
        """Make PPMI of counts; gives how many entries are above 0."""
        n, n_words = len(self._shares), self.shape[0]
        sums = self._on_each(_sums, "firth: add up rows", lambda _: (n_words,))
        row_sums = np.empty(n_words)
        for number, (of_rows, _) in enumerate(sums):
            row_sums[number::n] = value_of(of_rows)
        column_sums = value_of(self._added([of_columns for _, of_columns in sums]))
        of_row, of_column = logarithms(row_sums, column_sums, negative, context_smoothing)
        made = self._on_each(
            _ppmi, "firth: compute PPMI", lambda number: (of_row[number::n], of_column)
        )
        self._shares = [rows for rows, _ in made]
        return sum(value_of(n_positive) for _, n_positive in made)

    @property
    def T(self) -> ShardedMatrix:  # noqa: N802 (NumPy's name)
        """The transpose, of the same shares."""
        other = object.__new__(ShardedMatrix)
        vars(other).update(vars(self) | {"_is_transposed": not self._is_transposed})
        return other

    def __matmul__(self, factor: Floats) -> Floats:
        n, n_words = len(self._shares), self.shape[0]
        transposed = self._is_transposed
        started = time.perf_counter()
        whole = None if transposed else _put(factor)

        def arguments(number: int) -> tuple[Any, ...]:
            return n_words, np.ascontiguousarray(factor[number::n]) if transposed else whole

        products = self._on_each(_product, "firth: multiply", arguments, transposed=transposed)
        if transposed:
            result: Floats = value_of(self._added([product for product, _ in products]))
        else:
            result = np.empty((n_words, factor.shape[1]), np.float32)
            for number, (product, _) in enumerate(products):
                result[number::n] = value_of(product)
        self._count([value_of(seconds) for _, seconds in products], started)
        # The narrow matrix, or what is added up, goes between all nodes but one; and of what is
        # cut by rows each node has its share.
        self._report.n_bytes += int(factor.nbytes * (n - 1) * (1 + 1 / n))
        return result

    def _on_each(
        self, function: Callable[..., Any], name: str, arguments: Callable[[int], Any], **more: Any
    ) -> list[Any]:
        """Have each node do something with its share; gives two references of each."""
        import ray

        task = ray.remote(function)
        return [
            task.options(**on_node(node, soft=True), num_returns=2, name=name).remote(
                share, *arguments(number), **more
            )
            for number, (share, node) in enumerate(zip(self._shares, self._nodes, strict=True))
        ]

    def _added(self, parts: list[Any]) -> Any:
        """Add up by a tree of tasks, so that no node has all at once."""
        import ray

        add = ray.remote(_add).options(num_cpus=0, name="firth: add up")
        while len(parts) > 1:
            groups = (parts[begin : begin + _FAN_IN] for begin in range(0, len(parts), _FAN_IN))
            parts = [add.remote(*group) for group in groups]
        return parts[0]

    def _count(self, kernel_seconds: list[float], started: float) -> None:
        for worker, seconds in zip(self._report.workers, kernel_seconds, strict=True):
            worker.kernel_seconds += seconds
        self._report.n_exchanges += 1
        self._report.seconds += time.perf_counter() - started


def randomized_svd(
    matrix: ShardedMatrix, rank: int, *, n_iter: int, random_state: np.random.RandomState
) -> tuple[Floats, Floats, Floats]:
    """Decompose a matrix of which there are only products.

    The steps of scikit-learn's function of this name, which takes arrays alone (Halko, Martinsson
    and Tropp 2011, "Finding Structure with Randomness", algorithms 4.3 and 5.1).

    Returns
    -------
    left, values, right : numpy.ndarray
        Of shapes (n_rows, rank), (rank,) and (rank, n_columns).
    """
    from scipy import linalg

    size = rank + _OVERSAMPLES
    found = random_state.normal(size=(matrix.shape[1], size)).astype(np.float32)
    for _ in range(n_iter):
        found, _ = linalg.lu(matrix @ found, permute_l=True, check_finite=False)
        found, _ = linalg.lu(matrix.T @ found, permute_l=True, check_finite=False)
    found, _ = linalg.qr(matrix @ found, mode="economic", check_finite=False)
    # (Q' M)' = M' Q
    left, values, right = linalg.svd((matrix.T @ found).T, full_matrices=False)
    return (found @ left)[:, :rank], values[:rank], right[:rank]


def _put(array: Floats) -> Any:
    import ray

    return ray.put(np.ascontiguousarray(array))


def check_scipy() -> None:
    """Look for what decomposes before hours of counting rather than after.

    Raises
    ------
    MissingExtraError
        SciPy is not installed.
    """
    try:
        import scipy.sparse  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("scipy", "svd", "PPMI") from error

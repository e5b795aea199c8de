"""The graph of an index: built by usearch, walked by the core.

Its bytes, all numbers little-endian (usearch 2)::

    matrix   u32 n, u32 bytes of a vector; n vectors
    head     64 bytes: "usearch", version 3 x u16, kinds 4 x u8, u64 n, u64 deleted, u64 dimensions
    sizes    u64 n, u64 M, u64 2 M, u64 highest level, u64 node at which a search begins
    levels   n x i16
    nodes    u64 key, i16 level, u32 count and 2 M x u32, for each level above u32 count and M x u32
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.approximate._axes import check_lengths, principal_axes, sampled_units
from firth.errors import FormatError, MissingExtraError
from firth.storage import output_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

# Of each type: its name in usearch, its number in usearch's files, and its bytes.
DTYPES = {"float32": ("f32", 11, 4), "float16": ("f16", 12, 2), "int8": ("i8", 23, 1)}

_HEAD = struct.Struct("<7s3H4B3QB22x")
_SIZES = struct.Struct("<5Q")
_INNER_PRODUCT, _U64, _U32 = 105, 14, 15
# usearch names slots by u32; one stands for none.
MOST_NODES = 2**32 - 1
# Rows that are added at a time: Ctrl-C is heard in between.
_ROWS_AT_A_TIME = 8192


class GraphBuilder:
    """Vectors of length 1, put into a graph one after the other.

    Parameters
    ----------
    axes : numpy.ndarray of float32, shape (vector_size, n_axes)
        What is kept of a vector: its numbers along these.
    dtype : str
        How vectors are kept: one of `DTYPES`.
    connectivity : int
        How many neighbours a node has (M); twice as many on the lowest level.
    expansion_add : int
        How many candidates are held while the place of a new vector is looked for.
    scale : float
        What numbers are multiplied by before they are rounded to int8.

    Raises
    ------
    MissingExtraError
        If usearch is not installed.
    """

    def __init__(
        self,
        axes: NDArray[np.float32],
        dtype: str,
        connectivity: int,
        expansion_add: int,
        scale: float,
    ) -> None:
        self._axes, self._dtype, self._connectivity = axes, dtype, connectivity
        self._scale = scale
        self._expansion_add = expansion_add
        # Lookups by key are a table of all keys, which nobody here asks.
        self._index: Any = _usearch().Index(
            ndim=axes.shape[1],
            metric="ip",
            dtype=DTYPES[dtype][0],
            connectivity=connectivity,
            expansion_add=expansion_add,
            enable_key_lookups=False,
        )

    def add(self, keys: NDArray[np.int64], vectors: NDArray[np.float32], n_threads: int) -> None:
        """Add vectors of length 1, shape (n, vector_size), under the numbers of their rows."""
        kept: NDArray[Any] = vectors @ self._axes
        if self._dtype == "int8":
            kept = np.clip(np.rint(kept * self._scale), -127, 127).astype(np.int8)
        with _errors_of_usearch():
            self._index.add(keys.astype(np.uint64), kept, threads=n_threads)

    def finish(self, n_rows: int) -> Graph:
        """Give the graph, whose keys are rows of a matrix of `n_rows`.

        Raises
        ------
        OutputError
            If there is no room for it among the temporary files.
        """
        # By way of a file, which goes with its last use: in memory it would be there twice.
        with TemporaryDirectory(prefix="firth-") as folder:
            path = Path(folder) / "graph"
            with output_errors(path):
                try:
                    with _errors_of_usearch():
                        self._index.save(str(path))
                except RuntimeError as error:  # usearch does not say why
                    raise OSError(f"{error}; is the disk full?") from error
            data = np.memmap(path, np.uint8, "r")
        n_nodes = len(self._index)
        del self._index
        return Graph(
            {"graph": data, "axes": self._axes},
            n_nodes,
            n_rows,
            self._dtype,
            self._connectivity,
            "the index",
            expansion_add=self._expansion_add,
            scale=self._scale,
        )


class Graph:
    """A graph in which a search walks to the neighbours of a question.

    Parameters
    ----------
    tensors : dict of str to numpy.ndarray
        ``graph``, its bytes, which stay where they are, and ``axes`` (vector_size, n_axes).
    n_nodes : int
        How many vectors the graph should have.
    n_rows : int
        How many rows the matrix has that keys point to.
    dtype, connectivity
        As in `GraphBuilder`.
    where : str
        What to call the bytes in messages.
    **about
        What else is known of how it was made.

    Raises
    ------
    FormatError
        If they are no such graph, or point to what is not there.
    """

    def __init__(
        self,
        tensors: dict[str, NDArray[Any]],
        n_nodes: int,
        n_rows: int,
        dtype: str,
        connectivity: int,
        where: str,
        **about: Any,
    ) -> None:
        data, self._axes = tensors["graph"], tensors["axes"]
        dim = self._axes.shape[1]
        self.tensors = {"graph": data, "axes": self._axes}
        self.about = {"dtype": dtype, "connectivity": connectivity} | about
        self._n_nodes = n_nodes
        entry = _check(data, n_nodes, n_rows, dim, dtype, connectivity, where)
        width = dim * DTYPES[dtype][2]
        end = 8 + n_nodes * width
        self._walked = _core.IndexGraph(
            data[8:end].reshape(n_nodes, width),
            dtype,
            data[end + _HEAD.size + _SIZES.size :],
            n_rows,
            connectivity,
            2 * connectivity,
            entry,
        )

    @classmethod
    def build(
        cls,
        matrix: NDArray[Any],
        norms: NDArray[np.float32],
        rows: NDArray[np.int64],
        dtype: str,
        connectivity: int,
        expansion_add: int,
        n_threads: int,
        random: np.random.Generator,
        done: Callable[[int], None],
    ) -> Graph:
        """Make the graph of those rows of a matrix that have a direction.

        `done` is told of rows as they are added.
        """
        units = sampled_units(matrix, norms, rows)
        axes = principal_axes(units, None, random)
        scale = _scale(units @ axes) if dtype == "int8" else 1.0
        builder = GraphBuilder(axes, dtype, connectivity, expansion_add, scale)
        for begin in range(0, len(rows), _ROWS_AT_A_TIME):
            some = rows[begin : begin + _ROWS_AT_A_TIME]
            vectors = matrix[some].astype(np.float32) / norms[some][:, None]
            builder.add(some, vectors, n_threads)
            done(len(some))
        return builder.finish(len(matrix))

    @classmethod
    def open(cls, tensors: dict[str, NDArray[Any]], about: dict[str, Any], where: str) -> Graph:
        """Open the graph of a file that says this about itself."""
        axes = tensors.get("axes", np.empty(0))
        if axes.dtype != np.float32 or axes.ndim != 2 or len(axes) != about["vector_size"]:
            raise FormatError(f"{where}: 'axes' do not fit: build the index again")
        check_lengths("axes", axes, where)
        return cls(
            tensors,
            about["n_indexed"],
            about["n_rows"],
            about["dtype"],
            about["connectivity"],
            where,
        )

    def candidates(
        self, directions: NDArray[np.float32], n_wanted: int, expansion: int, n_threads: int
    ) -> NDArray[np.int64]:
        """Find rows among which the `n_wanted` nearest of each direction probably are.

        `expansion` is how many a search holds, at least twice as many as are wanted. All are given,
        since what the graph keeps of vectors may misplace some; -1 stands where there are no more.
        """
        k = min(max(expansion, 2 * n_wanted), self._n_nodes)
        keys = np.empty((len(directions), k), np.int64)
        self._walked.nearest(directions @ self._axes, k, n_threads, keys)
        return keys


def _scale(vectors: NDArray[np.float32]) -> float:
    """Choose what numbers are multiplied by to fill the 255 steps of int8; few are cut off."""
    some = np.abs(vectors[:: max(1, len(vectors) // 4096)])
    return float(127 / np.quantile(some, 0.9999))


def _check(
    data: NDArray[np.uint8],
    n_nodes: int,
    n_rows: int,
    dim: int,
    dtype: str,
    connectivity: int,
    where: str,
) -> int:
    """Check all that a walk takes for sizes and addresses, and give the node that it begins at."""

    def check(holds: bool, at: int, what: str) -> None:
        if not holds:
            raise FormatError(
                f"{where}: byte {at:,} of the graph: {what}; the index is damaged or of "
                f"another version of usearch: build it again"
            )

    _, kind, item = DTYPES[dtype]
    head = 8 + n_nodes * dim * item
    sizes, levels = head + _HEAD.size, head + _HEAD.size + _SIZES.size
    check(len(data) > levels, 0, f"{len(data):,} bytes are too few for {n_nodes:,} vectors")
    n, width = struct.unpack_from("<2I", data.data)
    check((n, width) == (n_nodes, dim * item), 0, f"{n:,} vectors of {width:,} bytes")
    name, major, _, _, *fields = _HEAD.unpack_from(data.data, head)
    check((name, major) == (b"usearch", 2), head, "not usearch, version 2")
    expected = [_INNER_PRODUCT, kind, _U64, _U32, n_nodes, 0, dim, 0]
    check(fields == expected, head, f"fields {fields} where {expected} belong")
    n, m, m_base, top, entry = _SIZES.unpack_from(data.data, sizes)
    check(
        (n, m, m_base) == (n_nodes, connectivity, 2 * connectivity),
        sizes,
        f"sizes {(n, m, m_base)} do not fit",
    )
    check(entry < n_nodes, sizes, f"a search begins at node {entry:,} of {n_nodes:,}")
    wrong = _core.first_wrong_byte(data[levels:], n_nodes, n_rows, m, m_base)
    check(wrong < 0, levels + wrong, "a level, a key or a neighbour that cannot be")
    level = int.from_bytes(data[levels + 2 * entry : levels + 2 * entry + 2], "little")
    check(level == top, sizes, f"level {top} of a node that has {level}")
    return int(entry)


@contextmanager
def _errors_of_usearch() -> Iterator[None]:
    """Raise what usearch has made a RuntimeError of: Ctrl-C, and memory that is not there."""
    try:
        yield
    except RuntimeError as error:
        if "terminated" in str(error):
            raise KeyboardInterrupt from error
        if "memory" in str(error).lower():
            raise MemoryError(str(error)) from error
        raise


def _usearch() -> Any:
    try:
        from usearch import index
    except ImportError as error:
        raise MissingExtraError("usearch", "index", "approximate search") from error
    return index

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
from firth.errors import FormatError, MissingExtraError
from firth.storage import output_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Of each type: its name in usearch, its number in usearch's files, and its bytes.
DTYPES = {"float32": ("f32", 11, 4), "float16": ("f16", 12, 2), "int8": ("i8", 23, 1)}

_HEAD = struct.Struct("<7s3H4B3QB22x")
_SIZES = struct.Struct("<5Q")
_INNER_PRODUCT, _U64, _U32 = 105, 14, 15
# usearch names slots by u32; one stands for none.
MOST_NODES = 2**32 - 1


class GraphBuilder:
    """Vectors of length 1, put into a graph one after the other.

    Parameters
    ----------
    dim : int
        The number of dimensions.
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
        self, dim: int, dtype: str, connectivity: int, expansion_add: int, scale: float
    ) -> None:
        self._dim, self._dtype, self._connectivity = dim, dtype, connectivity
        self._scale = scale
        # Lookups by key are a table of all keys, which nobody here asks.
        self._index: Any = _usearch().Index(
            ndim=dim,
            metric="ip",
            dtype=DTYPES[dtype][0],
            connectivity=connectivity,
            expansion_add=expansion_add,
            enable_key_lookups=False,
        )

    def add(self, keys: NDArray[np.int64], vectors: NDArray[np.float32], n_threads: int) -> None:
        """Add vectors of length 1, shape (n, dim), under the numbers of their rows."""
        kept: NDArray[Any] = np.ascontiguousarray(vectors)
        if self._dtype == "int8":
            kept = np.clip(np.rint(vectors * self._scale), -127, 127).astype(np.int8)
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
        return Graph(data, n_nodes, n_rows, self._dim, self._dtype, self._connectivity, "the index")


class Graph:
    """A graph in which a search walks to the neighbours of a question.

    Parameters
    ----------
    data : numpy.ndarray of uint8, shape (n_bytes,)
        The bytes of the graph, which stay where they are.
    n_nodes : int
        How many vectors the graph should have.
    n_rows : int
        How many rows the matrix has that keys point to.
    dim, dtype, connectivity
        As in `GraphBuilder`.
    where : str
        What to call the bytes in messages.

    Raises
    ------
    FormatError
        If they are no such graph, or point to what is not there.
    """

    def __init__(
        self,
        data: NDArray[np.uint8],
        n_nodes: int,
        n_rows: int,
        dim: int,
        dtype: str,
        connectivity: int,
        where: str,
    ) -> None:
        self.data = data
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

    def nearest(
        self, queries: NDArray[np.float32], k: int, expansion: int, n_threads: int
    ) -> NDArray[np.int64]:
        """Find the keys of about the `k` nearest of each query, shape (n_queries, k).

        -1 stands where there are no more. `expansion` is how many candidates a search holds.
        """
        keys = np.empty((len(queries), k), np.int64)
        self._walked.nearest(np.ascontiguousarray(queries), max(expansion, k), n_threads, keys)
        return keys


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

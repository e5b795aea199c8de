"""The graph of an index: built, searched, and read from bytes by usearch.

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
from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.errors import FormatError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# Of each type: its name in usearch, its number in usearch's files, and its bytes.
DTYPES = {"float32": ("f32", 11, 4), "float16": ("f16", 12, 2), "int8": ("i8", 23, 1)}

_HEAD = struct.Struct("<7s3H4B3QB22x")
_SIZES = struct.Struct("<5Q")
_INNER_PRODUCT, _U64, _U32 = 105, 14, 15
# usearch names slots by u32; one stands for none.
MOST_NODES = 2**32 - 1


class Graph:
    """Vectors of length 1, in a graph in which a search walks to the neighbours of a question.

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
        self.dim, self.dtype, self.connectivity = dim, dtype, connectivity
        self.scale = scale
        # Lookups by key are a table of all keys, which nobody here asks.
        self._index: Any = _usearch().Index(
            ndim=dim,
            metric="ip",
            dtype=DTYPES[dtype][0],
            connectivity=connectivity,
            expansion_add=expansion_add,
            enable_key_lookups=False,
        )
        self._bytes: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self._index)

    def add(self, keys: NDArray[np.int64], vectors: NDArray[np.float32], n_threads: int) -> None:
        """Add vectors of length 1, shape (n, dim), under the numbers of their rows."""
        with _errors_of_usearch():
            self._index.add(keys.astype(np.uint64), self._kept(vectors), threads=n_threads)

    def nearest(
        self, queries: NDArray[np.float32], k: int, expansion: int, n_threads: int
    ) -> NDArray[np.int64]:
        """Find the keys of about the `k` nearest of each query, shape (n_queries, k).

        -1 stands where there are no more. `expansion` is how many candidates a search holds.
        """
        self._index.expansion_search = expansion
        with _errors_of_usearch():
            found = self._index.search(self._kept(queries), k, threads=n_threads)
        keys = np.full((len(queries), k), -1, np.int64)
        if len(queries) == 1:  # usearch gives one dimension then, and only what it found
            keys[0, : len(found.keys)] = found.keys
            return keys
        there = np.arange(k) < np.asarray(found.counts)[:, None]
        keys[there] = found.keys[there]
        return keys

    def write(self, path: Path) -> None:
        """Write the bytes of the graph to a file.

        Raises
        ------
        OSError
            If that fails; usearch does not say why.
        """
        try:
            self._index.save(str(path))
        except RuntimeError as error:
            raise OSError(f"{error}; is the disk full?") from error

    def view(self, data: NDArray[np.uint8], n_nodes: int, n_rows: int, where: str) -> None:
        """Search from now on in the bytes of a graph, shape (n_bytes,), which stay where they are.

        Parameters
        ----------
        data : numpy.ndarray of uint8
            What `write` wrote.
        n_nodes : int
            How many vectors the graph should have.
        n_rows : int
            How many rows the matrix has that keys point to.
        where : str
            What to call the bytes in messages.

        Raises
        ------
        FormatError
            If they are no such graph, or point to what is not there.
        """
        self._check(data, n_nodes, n_rows, where)
        try:
            self._index.view(data.data)
        except RuntimeError as error:
            raise FormatError(f"{where}: {error}; build the index again") from error
        self._bytes = data  # usearch does not hold it

    def _kept(self, vectors: NDArray[np.float32]) -> NDArray[Any]:
        if self.dtype != "int8":
            return np.ascontiguousarray(vectors)
        kept: NDArray[np.int8] = np.clip(np.rint(vectors * self.scale), -127, 127).astype(np.int8)
        return kept

    def _check(self, data: NDArray[np.uint8], n_nodes: int, n_rows: int, where: str) -> None:
        """Check all that usearch takes for sizes and addresses: it does not look itself."""

        def check(holds: bool, at: int, what: str) -> None:
            if not holds:
                raise FormatError(
                    f"{where}: byte {at:,} of the graph: {what}; the index is damaged or of "
                    f"another version of usearch: build it again"
                )

        _, kind, item = DTYPES[self.dtype]
        head = 8 + n_nodes * self.dim * item
        sizes, levels = head + _HEAD.size, head + _HEAD.size + _SIZES.size
        check(len(data) > levels, 0, f"{len(data):,} bytes are too few for {n_nodes:,} vectors")
        n, width = struct.unpack_from("<2I", data.data)
        check((n, width) == (n_nodes, self.dim * item), 0, f"{n:,} vectors of {width:,} bytes")
        name, major, _, _, *fields = _HEAD.unpack_from(data.data, head)
        check((name, major) == (b"usearch", 2), head, "not usearch, version 2")
        expected = [_INNER_PRODUCT, kind, _U64, _U32, n_nodes, 0, self.dim, 0]
        check(fields == expected, head, f"fields {fields} where {expected} belong")
        n, m, m_base, top, entry = _SIZES.unpack_from(data.data, sizes)
        check(
            (n, m, m_base) == (n_nodes, self.connectivity, 2 * self.connectivity),
            sizes,
            f"sizes {(n, m, m_base)} do not fit",
        )
        check(entry < n_nodes, sizes, f"a search begins at node {entry:,} of {n_nodes:,}")
        wrong = _core.first_wrong_byte(data[levels:], n_nodes, n_rows, m, m_base)
        check(wrong < 0, levels + wrong, "a level, a key or a neighbour that cannot be")
        level = int.from_bytes(data[levels + 2 * entry : levels + 2 * entry + 2], "little")
        check(level == top, sizes, f"level {top} of a node that has {level}")


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

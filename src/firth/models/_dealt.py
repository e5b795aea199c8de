"""Co-occurrences in random order: dealt out to chunks, in a temporary file."""

from __future__ import annotations

import errno
import os
import tempfile
from typing import TYPE_CHECKING, Self

import numpy as np

from firth import _core
from firth.errors import OutputError
from firth.threads import map_in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.cooccurrence import Cooccurrences
    from firth.progress import Progress

    Block = tuple[int, NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]]

CHUNK_SIZE = 524_288  # entries: some 100 ms of work, and many of each row to work off together
_FEWEST_CHUNKS, _SMALLEST_CHUNK = 16, 2048
_ENTRIES_PER_BLOCK = 1 << 20
_BYTES_PER_ENTRY = 12


class DealtCooccurrences:
    """The entries of a matrix in chunks, each a random sample of all.

    An entry's chunk is a hash of its number and the seed. Within a chunk the entries keep the order
    of the matrix, so that those of a row stand together.

    Parameters
    ----------
    counts : Cooccurrences
        The matrix.
    seed : int
        Of the hash.
    workers : int
        Threads.
    bar : Progress
        Told how many entries are dealt.

    Attributes
    ----------
    n_chunks : int
        How many there are.

    Raises
    ------
    OutputError
        The disk is full, or there is no place for temporary files.
    """

    def __init__(self, counts: Cooccurrences, seed: int, workers: int, bar: Progress) -> None:
        n = counts.n_stored
        self.n_chunks = max(1, min(n // _SMALLEST_CHUNK, max(_FEWEST_CHUNKS, n // CHUNK_SIZE)))
        sizes = _core.hand_sizes(0, n, self.n_chunks, seed)
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        try:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 (closed by close)
                prefix="firth-chunks-", buffering=0
            )
        except OSError as error:
            raise OutputError(
                f"no place for the co-occurrences in random order: {error}; set TMPDIR to a folder "
                f"that can be written"
            ) from error
        try:
            self._deal(counts, seed, workers, bar)
        except OSError as error:
            self.close()
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise OutputError(
                f"{tempfile.gettempdir()}: the disk is full, and the shuffled co-occurrences "
                f"need {n * _BYTES_PER_ENTRY / 1e9:,.1f} GB; free some space, or set TMPDIR to "
                f"another place"
            ) from error
        except BaseException:
            self.close()
            raise

    def _deal(self, counts: Cooccurrences, seed: int, workers: int, bar: Progress) -> None:
        def deal(block: Block) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
            first_row, row_starts, columns, values = block
            return _core.deal(row_starts, first_row, columns, values, self.n_chunks, seed)

        written = list(self._starts)
        for entries, sizes in map_in_order(deal, counts.blocks(_ENTRIES_PER_BLOCK), workers):
            begin = 0
            for chunk, size in enumerate(sizes.tolist()):
                if size:
                    self._write(entries[begin : begin + size], written[chunk])
                    begin += size
                    written[chunk] += size
            bar.advance(len(entries))

    def _write(self, entries: NDArray[np.uint32], position: int) -> None:
        view = entries.reshape(-1).view(np.uint8).data
        offset = position * _BYTES_PER_ENTRY
        while len(view):
            written = os.pwrite(self._file.fileno(), view, offset)
            view, offset = view[written:], offset + written

    def read(self, chunk: int) -> NDArray[np.uint32]:
        """Read a chunk; safe from any thread.

        Returns
        -------
        numpy.ndarray of uint32, shape (n, 3)
            Row, column, and the bits of the value as a float32.
        """
        begin, end = self._starts[chunk], self._starts[chunk + 1]
        entries = np.empty((end - begin, 3), np.uint32)
        view = entries.reshape(-1).view(np.uint8).data
        done = 0
        while done < len(view):
            offset = begin * _BYTES_PER_ENTRY + done
            n = os.preadv(self._file.fileno(), [view[done:]], offset)
            if n == 0:
                raise OSError("a temporary file became shorter while it was read")
            done += n
        return entries

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

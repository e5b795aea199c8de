"""Runs of counted rows in a temporary file."""

from __future__ import annotations

import os
import tempfile
import threading
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class Runs:
    """Blocks of bytes by the rows they hold, in one file that is gone when this process is.

    Parameters
    ----------
    folder : Path
        The folder, and so the disk, that the file lies on.
    n_parts : int
        Into how many parts the rows are cut.

    Attributes
    ----------
    n_bytes : int
        What was written so far.
    """

    def __init__(self, folder: Path, n_parts: int) -> None:
        self._file = tempfile.TemporaryFile(  # noqa: SIM115 (closed by __exit__)
            dir=folder, prefix=".runs.", buffering=0
        )
        self._blocks: list[list[tuple[int, int]]] = [[] for _ in range(n_parts)]
        self._lock = threading.Lock()
        self.n_bytes = 0

    def append(self, part: int, block: NDArray[np.uint8]) -> None:
        """Add a run's block of a part of the rows; safe from any thread."""
        with self._lock:
            offset = self.n_bytes
            self.n_bytes += len(block)
            self._blocks[part].append((offset, len(block)))
        view = block.data
        while len(view):
            written = os.pwrite(self._file.fileno(), view, offset)
            view, offset = view[written:], offset + written

    def blocks(self, part: int) -> list[NDArray[np.uint8]]:
        """Read what all runs have of a part."""
        return [self._read(offset, length) for offset, length in self._blocks[part]]

    def _read(self, offset: int, length: int) -> NDArray[np.uint8]:
        block = np.empty(length, np.uint8)
        done = 0
        while done < length:
            n = os.preadv(self._file.fileno(), [block.data[done:]], offset + done)
            if n == 0:
                raise OSError("a temporary file became shorter while it was read")
            done += n
        return block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

"""A source in large blocks, each read while the one before it is being parsed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from firth import _core
from firth.errors import FormatError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from firth.formats._source import VectorSource

BLOCK_SIZE = 8 << 20
# What is left of a block, a row that goes on in the next, is put in front of that.
_HEADROOM = 1 << 20
LONGEST_ROW = 256 << 20


class Blocks:
    """The bytes of a source from where it stands, in blocks that begin and end where rows do.

    Two buffers are read into by turns: while one is parsed, a thread fills the other. Only where
    the source is a file: to wait for a pipe, and to be interrupted meanwhile, is the business of
    the main thread.

    Attributes
    ----------
    data : numpy.ndarray of uint8
        The block, and at least `_core.READ_BEYOND` bytes behind it that may be read.
    length : int
        The number of bytes in the block.
    offset : int
        Where it begins in the source.
    """

    def __init__(self, source: VectorSource) -> None:
        self._source = source
        self._size = BLOCK_SIZE
        self._reads_ahead = source.n_packed_bytes is not None
        self._buffer: NDArray[np.uint8] | None = None
        self._spare: NDArray[np.uint8] | None = None
        self._ahead: _Read | None = None
        self._ended = False
        self.data = np.empty(0, np.uint8)
        self.length = 0
        self.offset = source.position

    def advance(self, n_left: int) -> bool:
        """Go on to the next block, which begins with the last `n_left` bytes of this one.

        False at the end: then the block is still the one before, with what was left of it.

        Raises
        ------
        FormatError
            What is left is longer than any row of vectors; or reading failed.
        """
        if self._ended:
            return False
        if n_left > LONGEST_ROW:
            raise FormatError(
                f"{self._source.name}: from byte {self.offset + self.length - n_left:,} on there "
                f"are over {LONGEST_ROW >> 20} MiB without the end of a row; this is no file of "
                f"word vectors"
            )
        read = self._ahead or _Read(self._source, self._new_buffer(), self._size)
        n_read = read.result()
        self._ahead = None
        if n_read == 0:
            self._ended = True
            return False
        self._ended = n_read < self._size
        filled = read.buffer
        if n_left <= _HEADROOM:
            data = filled[_HEADROOM - n_left :]
        else:
            data = np.empty(n_left + n_read + _core.READ_BEYOND, np.uint8)
            data[n_left : n_left + n_read] = filled[_HEADROOM : _HEADROOM + n_read]
        data[:n_left] = self.data[self.length - n_left : self.length]
        self.offset += self.length - n_left
        self.data = data
        self.length = n_left + n_read
        # The buffer of the block before is free now: what was left of it has been copied.
        self._spare, self._buffer = self._buffer, filled
        if not self._ended and self._reads_ahead:
            self._ahead = _ReadAhead(self._source, self._new_buffer(), self._size)
        return True

    def _new_buffer(self) -> NDArray[np.uint8]:
        buffer, self._spare = self._spare, None
        if buffer is None:
            buffer = np.empty(_HEADROOM + self._size + _core.READ_BEYOND, np.uint8)
        return buffer

    def close(self) -> None:
        """Wait until nothing is read any more."""
        if self._ahead is not None:
            self._ahead.wait()
            self._ahead = None


class _Read:
    """A buffer that is filled when the result is asked for."""

    def __init__(self, source: VectorSource, buffer: NDArray[np.uint8], size: int) -> None:
        self.buffer = buffer
        self._source = source
        self._view = buffer[_HEADROOM : _HEADROOM + size].data

    def result(self) -> int:
        return self._source.readinto(self._view)

    def wait(self) -> None:
        pass


class _ReadAhead(_Read):
    """A buffer that a thread fills meanwhile."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._n_read = 0
        self._error: BaseException | None = None
        # Waited for, and not the thread: up to Python 3.12, a Thread.join that Ctrl-C interrupts
        # takes the thread for stopped, and the buffer would be given back while it is filled.
        self._ended = threading.Event()
        threading.Thread(target=self._fill, daemon=True).start()

    def _fill(self) -> None:
        try:
            self._n_read = self._source.readinto(self._view)
        except BaseException as error:  # noqa: BLE001 (raised where the result is asked for)
            self._error = error
        finally:
            self._ended.set()

    def result(self) -> int:
        self._ended.wait()
        if self._error is not None:
            raise self._error
        return self._n_read

    def wait(self) -> None:
        self._ended.wait()

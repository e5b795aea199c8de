"""Provisional ids to those of a vocabulary, in the file where they lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from firth import _core
from firth.threads import run_in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MAX_SENTENCE_LENGTH = 10_000  # tokens, as in gensim; longer ones are cut, not dropped


@dataclass(frozen=True)
class Block:
    """Provisional ids of one block of text, and the interner that gave them."""

    interner: int
    n_ids: int


def rename_file(
    ids_path: Path,
    sentence_ends_path: Path,
    blocks: Iterable[Block],
    maps: list[NDArray[np.uint32]],
    workers: int,
) -> tuple[int, int]:
    """Rename the ids of a file, drop those that the maps drop, and write where sentences end.

    Blocks are renamed on threads and written in their order. There are only ever fewer ids, so that
    writing never reaches a block that has not been read.

    Parameters
    ----------
    ids_path : Path
        The file of provisional ids, changed where it lies.
    sentence_ends_path : Path
        Where to write the ends.
    blocks : iterable of Block
        What is in the file, one after the other.
    maps : list of numpy.ndarray of uint32
        For each interner the new ids of its numbers.
    workers : int
        Threads.

    Returns
    -------
    n_tokens, n_sentences : int
        How many are left.
    """
    n_sentences = 0
    cutter = SentenceCutter()
    descriptor = os.open(ids_path, os.O_RDWR)

    def rename(task: tuple[Block, int]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        block, position = task
        ids = np.empty(block.n_ids, np.uint32)
        ends = np.empty(block.n_ids, np.int64)
        _read_fully(descriptor, ids, 4 * position)
        n_ids, n_ends = _core.rename_ids(ids, maps[block.interner], ids, ends)
        # A copy, so that the room for as many ends as there are ids is not kept.
        return ids[:n_ids], ends[:n_ends].copy()

    try:
        with sentence_ends_path.open("wb") as ends_file:

            def write(renamed: tuple[NDArray[np.uint32], NDArray[np.int64]]) -> None:
                nonlocal n_sentences
                ids, line_ends = renamed
                _write_fully(descriptor, ids, 4 * cutter.n_ids)
                ends = cutter.cut(line_ends, len(ids))
                ends_file.write(ends.data)
                n_sentences += len(ends)

            run_in_order(_with_positions(blocks), rename, write, workers)
            ends = cutter.finish()
            ends_file.write(ends.data)
        os.ftruncate(descriptor, 4 * cutter.n_ids)
    finally:
        os.close(descriptor)
    return cutter.n_ids, n_sentences + len(ends)


def _with_positions(blocks: Iterable[Block]) -> Iterator[tuple[Block, int]]:
    position = 0
    for block in blocks:
        yield block, position
        position += block.n_ids


class SentenceCutter:
    """Ends of lines, block by block, to ends of sentences.

    A line without a word is no sentence, one that goes on in the next block is one sentence, and
    one that is longer than `max_length` is cut.

    Attributes
    ----------
    n_ids : int
        Ids so far.
    """

    def __init__(self, max_length: int = MAX_SENTENCE_LENGTH) -> None:
        self.n_ids = 0
        self._max_length = max_length
        self._last_end = 0

    def cut(self, line_ends: NDArray[np.int64], n_ids: int) -> NDArray[np.int64]:
        """Take the next block.

        Parameters
        ----------
        line_ends : numpy.ndarray of int64, shape (n_lines,)
            How many ids of the block stand before each end of a line.
        n_ids : int
            How many ids it has.

        Returns
        -------
        numpy.ndarray of int64, shape (n_sentences,)
            How many ids of the text stand before each end of a sentence.
        """
        ends = line_ends + self.n_ids
        self.n_ids += n_ids
        # A sentence at the end that is too long already is cut; the rest of it stays open.
        limits = np.append(ends, self.n_ids)
        lengths = np.diff(limits, prepend=self._last_end)
        pieces, begin = [], 0
        for i in np.flatnonzero(lengths > self._max_length).tolist():
            end = int(limits[i])
            cuts = np.arange(end - lengths[i] + self._max_length, end, self._max_length)
            pieces += [ends[begin:i][lengths[begin:i] > 0], cuts]
            begin = i
        pieces.append(ends[begin:][lengths[begin:-1] > 0])
        result = np.concatenate(pieces)
        if len(result):
            self._last_end = int(result[-1])
        return result

    def finish(self) -> NDArray[np.int64]:
        """Return the end of what is still open, if anything is."""
        return np.array([self.n_ids] if self.n_ids > self._last_end else [], np.int64)


def _read_fully(descriptor: int, array: NDArray[np.uint32], offset: int) -> None:
    view = array.data.cast("B")
    done = 0
    while done < len(view):
        n = os.preadv(descriptor, [view[done:]], offset + done)
        if n == 0:
            raise OSError("a temporary file became shorter while it was read")
        done += n


def _write_fully(descriptor: int, array: NDArray[np.uint32], offset: int) -> None:
    view = array.data.cast("B")
    done = 0
    while done < len(view):
        done += os.pwrite(descriptor, view[done:], offset + done)

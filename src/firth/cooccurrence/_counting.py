"""Counting co-occurrences: on all cores, in bounded memory.

The text is cut into pieces that fit into memory. A thread counts a piece and writes what it found,
sorted and compressed, to a temporary file: a run. Each run is cut at the same rows, and the runs'
blocks of the same rows are added up and appended to the matrix. Weights are whole numbers, so that
the result does not depend on how the text was cut.
"""

from __future__ import annotations

import errno
import math
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from firth import _core
from firth.cooccurrence._matrix import (
    COLUMNS_FILE,
    KIND,
    ROW_STARTS_FILE,
    VALUES_FILE,
    Cooccurrences,
)
from firth.cooccurrence._runs import Runs
from firth.corpus import MAX_SENTENCE_LENGTH, Corpus
from firth.errors import FirthError, InputError, OutputError, ParameterError
from firth.machine import usable_cores
from firth.progress import progress as show_progress
from firth.storage import check_target, write_config, write_folder
from firth.threads import map_in_order, run_tasks
from firth.vocab import VOCAB_FILE, Vocab

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from firth.progress import Progress

DEFAULT_MEMORY_LIMIT = 2.0  # gigabytes
_CHUNK_SIZE = 65_536  # tokens that are read at a time
_FEWEST_TOKENS = 2 * (_CHUNK_SIZE + MAX_SENTENCE_LENGTH)  # of a piece that is worth its run
# What a counter takes: for each token of its piece the id and the place, for each word of the
# vocabulary a sum, where its places begin, a touched column, and bits. Blocks grow by doubling.
_BYTES_PER_TOKEN = 12.2
_BYTES_PER_WORD = 21
_BYTES_OF_BLOCKS = 24e6
# Rows are cut so that a block of all runs together is about this long, were no pair to come twice.
_BYTES_PER_PART = 6e6
_BYTES_PER_PAIR = 4
_MOST_PARTS = 65_536
# Up to here, the least common multiple of all distances has 32 bits at most.
_LONGEST_EXACT_WINDOW = 22
_FINE_SCALE = 1 << 36  # beyond: errors below those of float32 for any distance


def count_cooccurrences(
    vocab: Vocab,
    corpus: Corpus,
    *,
    window: int = 15,
    symmetric: bool = True,
    distance_weighting: bool = True,
    memory_limit: float = DEFAULT_MEMORY_LIMIT,
    workers: int | None = None,
    folder: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> Cooccurrences:
    """Count how often words stand near each other.

    Parameters
    ----------
    vocab : Vocab
        The words.
    corpus : Corpus
        The text in their ids, as `firth.encode_corpus` gives both.
    window : int, default 15
        Words on either side of a word that count as its context. Windows end with the sentence;
        words that are not in the vocabulary are not there at all.
    symmetric : bool, default True
        Whether the words on both sides count, or only those to the left.
    distance_weighting : bool, default True
        Whether a pair at distance d counts ``1 / d`` (Pennington et al. 2014, section 4.2), or 1.
    memory_limit : float, default 2.0
        Gigabytes that counting may take, about; what does not fit is written to disk and merged.
    workers : int, optional
        Threads; one for each core if not given.
    folder : str or Path, optional
        Where the matrix is kept. Without it, it lies among temporary files until it is closed.
    progress : bool, optional
        As for `firth.progress.progress`.

    Returns
    -------
    Cooccurrences
        The matrix. It is the same for any `memory_limit` and number of threads.

    Raises
    ------
    ParameterError
        A parameter is out of its range, or the limit too low for the vocabulary.
    InputError
        No sentence has two words.
    OutputError
        The disk is full, or the folder is something else.
    FormatError
        The corpus is damaged.

    Notes
    -----
    For each word all of its places in the text are looked up, and their windows added up in one
    array as long as the vocabulary: nothing is hashed, and nothing sorted but the places. Up to 22
    words apart the weights are multiples of one over the least common multiple of the distances, so
    that sums are exact, and rounded once, to float32.

    Examples
    --------
    >>> from firth import count_cooccurrences, encode_corpus
    >>> vocab, corpus = encode_corpus(["a rose is a rose"], min_count=1)
    >>> with corpus, count_cooccurrences(vocab, corpus, window=3, progress=False) as counts:
    ...     counts.count("a", "rose"), counts.count("is", "rose")
    (2.5, 1.5)
    """
    plan = _Plan(vocab, corpus, window, symmetric, distance_weighting, memory_limit, workers)
    if folder is not None:
        check_target(folder)
        with write_folder(folder) as place, _full_disk_explained(Path(folder)):
            _count(plan, place, progress)
        return Cooccurrences(folder)
    try:
        temporary = tempfile.TemporaryDirectory(prefix="firth-cooccurrences-")
    except OSError as error:
        raise OutputError(
            f"no place for the co-occurrences: {error}; set TMPDIR to a folder that can be written"
        ) from error
    try:
        with _full_disk_explained(Path(temporary.name)):
            _count(plan, Path(temporary.name), progress)
        return Cooccurrences(temporary.name, remove=temporary.cleanup)
    except BaseException:
        temporary.cleanup()
        raise


@contextmanager
def _full_disk_explained(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, FirthError) or error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        explained = OutputError(
            f"{place}: the disk is full, and the co-occurrences with what is written in between "
            f"need more; free some space, keep them on another disk (a folder of their own, or "
            f"TMPDIR), or count fewer pairs by a smaller window or a higher min_count"
        )
        explained.errno = error.errno
        raise explained from error


class _Plan:
    """How the text is cut into pieces and the matrix into parts."""

    def __init__(
        self,
        vocab: Vocab,
        corpus: Corpus,
        window: int,
        symmetric: bool,
        distance_weighting: bool,
        memory_limit: float,
        workers: int | None,
    ) -> None:
        self.window = _whole("window", window)
        if window > MAX_SENTENCE_LENGTH:
            raise ParameterError(
                f"window must be at most {MAX_SENTENCE_LENGTH:,}, where sentences are cut, not "
                f"{window}"
            )
        workers = usable_cores() if workers is None else _whole("workers", workers)
        self.vocab, self.corpus = vocab, corpus
        self.symmetric, self.distance_weighting = bool(symmetric), bool(distance_weighting)
        if len(corpus.sentence_ends) == len(corpus):
            raise InputError(
                f"nothing to count: each of the {len(corpus):,} sentences has one word of the "
                f"vocabulary, so that no word has a context; give whole sentences"
            )
        self.weights, self.scale = pair_weights(window, self.distance_weighting, len(corpus))
        self.workers, most_tokens = _share_memory(memory_limit, workers, len(vocab))
        self.pieces = _pieces(corpus, most_tokens, self.workers)
        self.workers = min(self.workers, len(self.pieces))
        self.parts = cut_rows(vocab, len(corpus) * window * _BYTES_PER_PAIR / _BYTES_PER_PART)


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ParameterError(f"{name} must be a whole number of 1 or more, not {value!r}")
    return int(value)


def pair_weights(
    window: int, distance_weighting: bool, n_tokens: int
) -> tuple[NDArray[np.uint64], float]:
    """Compute what a pair adds to a sum of 64 bits, by its distance, and what that is to 1.

    No sum can overflow: not even that of all pairs of a text of `n_tokens`.

    Returns
    -------
    weights : numpy.ndarray of uint64, shape (window,)
        Of the distances from 1 up.
    scale : float
        What stands for a count of 1.
    """
    if not distance_weighting:
        return np.ones(window, np.uint64), 1.0
    pairs_of_a_word = 2 * math.ceil(1 + math.log(window))  # more than both sides' 1 + 1/2 + ...
    most = 2**62 // (n_tokens * pairs_of_a_word)
    scale = math.lcm(*range(1, window + 1)) if window <= _LONGEST_EXACT_WINDOW else _FINE_SCALE
    if scale > most:
        scale = 1 << (most.bit_length() - 1)
    return np.array([(scale + d // 2) // d for d in range(1, window + 1)], np.uint64), float(scale)


def _share_memory(memory_limit: float, workers: int, n_words: int) -> tuple[int, int]:
    """Give each thread its share; returns how many threads have enough, and tokens of a piece."""
    number = isinstance(memory_limit, int | float | np.number)
    if not number or isinstance(memory_limit, bool) or not 0 < memory_limit < math.inf:
        raise ParameterError(f"memory_limit must be gigabytes above 0, not {memory_limit!r}")
    fixed = n_words * _BYTES_PER_WORD + _BYTES_OF_BLOCKS
    least = fixed + _FEWEST_TOKENS * _BYTES_PER_TOKEN
    workers = min(workers, int(memory_limit * 1e9 / least))
    if workers == 0:
        raise ParameterError(
            f"memory_limit={memory_limit:g} GB is too low to count {n_words:,} words: give at "
            f"least {math.ceil(least / 1e7) / 100:g}, or fewer words by min_count or "
            f"max_final_vocab"
        )
    return workers, int((memory_limit * 1e9 / workers - fixed) / _BYTES_PER_TOKEN)


@dataclass(frozen=True)
class _Piece:
    """Chunks of the text that are counted together."""

    chunk_starts: list[int]  # sentences
    n_tokens: int


def _pieces(corpus: Corpus, most_tokens: int, workers: int) -> list[_Piece]:
    """Cut the text into pieces of about the same length, as many for each thread."""
    starts = corpus.chunk_starts(_CHUNK_SIZE).tolist()
    n_chunks = len(starts) - 1
    # A piece may be longer than planned by what its last chunk is longer than others.
    rounds = math.ceil(len(corpus) / ((most_tokens - _FEWEST_TOKENS // 2) * workers))
    n_pieces = min(rounds * workers, n_chunks)
    cuts = [n_chunks * i // n_pieces for i in range(n_pieces + 1)]
    pieces = []
    for begin, end in pairwise(cuts):
        chunk_starts = starts[begin : end + 1]
        first = int(corpus.sentence_ends[chunk_starts[0] - 1]) if begin else 0
        n_tokens = int(corpus.sentence_ends[chunk_starts[-1] - 1]) - first
        pieces.append(_Piece(chunk_starts, n_tokens))
    return pieces


def cut_rows(vocab: Vocab, n_parts: float) -> list[tuple[int, int]]:
    """Cut the rows into parts that have about as many pairs each; a frequent word is one alone."""
    n = min(max(int(n_parts), 16), _MOST_PARTS)
    shares = np.cumsum(vocab.counts + 1.0)
    cuts = np.searchsorted(shares, np.arange(1, n) * (shares[-1] / n)) + 1
    bounds = np.unique(np.concatenate([[0], np.minimum(cuts, len(vocab)), [len(vocab)]])).tolist()
    return list(pairwise(bounds))


def _count(plan: _Plan, folder: Path, progress: bool | None) -> None:
    """Count into a folder."""
    with Runs(folder, len(plan.parts)) as runs:
        total = len(plan.corpus)
        with show_progress("counting pairs", total=total, unit="words", show=progress) as bar:
            _write_runs(plan, runs, bar)
        with show_progress("merging", total=runs.n_bytes, unit="B", show=progress) as bar:
            row_starts, n_nonzero = _merge_runs(plan, runs, folder, bar)
    (folder / ROW_STARTS_FILE).write_bytes(row_starts.astype("<i8", copy=False).data)
    plan.vocab.to_file(folder / VOCAB_FILE)
    write_config(
        folder,
        KIND,
        window=plan.window,
        symmetric=plan.symmetric,
        distance_weighting=plan.distance_weighting,
        n_words=len(plan.vocab),
        n_tokens=len(plan.corpus),
        n_stored=int(row_starts[-1]),
        n_nonzero=n_nonzero,
    )


def _write_runs(plan: _Plan, runs: Runs, bar: Progress) -> None:
    stop = threading.Event()

    def count_piece(piece: _Piece) -> None:
        counter = _core.CooccurrenceCounter(
            len(plan.vocab), plan.weights, plan.symmetric, piece.n_tokens
        )
        for sentences in pairwise(piece.chunk_starts):
            try:
                counter.add(*plan.corpus.chunk(*sentences))
            except ValueError as error:
                raise plan.corpus.damaged(error) from error
            plan.corpus.release(*sentences)
        counter.find_places()
        for number, rows in enumerate(plan.parts):
            if stop.is_set():
                return
            runs.append(number, counter.encode_rows(*rows))
            bar.advance(counter.n_places(*rows))

    if not run_tasks(plan.pieces, count_piece, plan.workers, stop):
        raise KeyboardInterrupt


def _merge_runs(
    plan: _Plan, runs: Runs, folder: Path, bar: Progress
) -> tuple[NDArray[np.int64], int]:
    """Write the columns and values; returns where rows start, and the entries of all rows."""
    mergers = threading.local()

    def merge(part: int) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32], int]:
        if not hasattr(mergers, "merger"):
            mergers.merger = _core.CooccurrenceMerger(len(plan.vocab))
        begin, end = plan.parts[part]
        blocks = runs.blocks(part)
        n_bytes = sum(len(block) for block in blocks)
        return (*mergers.merger.merge(blocks, end - begin, plan.scale), n_bytes)

    row_starts = np.zeros(len(plan.vocab) + 1, np.int64)
    n_diagonal = 0
    with (
        (folder / COLUMNS_FILE).open("wb") as columns_file,
        (folder / VALUES_FILE).open("wb") as values_file,
    ):
        merged = map_in_order(merge, range(len(plan.parts)), plan.workers)
        for (begin, end), (lengths, columns, values, n_bytes) in zip(
            plan.parts, merged, strict=True
        ):
            row_starts[begin + 1 : end + 1] = lengths
            n_diagonal += int(
                np.count_nonzero(columns == np.repeat(np.arange(begin, end), lengths))
            )
            columns_file.write(columns.astype("<u4", copy=False).data)
            values_file.write(values.astype("<f4", copy=False).data)
            bar.advance(n_bytes)
    np.cumsum(row_starts, out=row_starts)
    n_stored = int(row_starts[-1])
    return row_starts, 2 * n_stored - n_diagonal if plan.symmetric else n_stored

"""A corpus made of another one: its tokens put together in another way."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from firth import _core
from firth.corpus._corpus import IDS_FILE, SENTENCE_ENDS_FILE, Corpus
from firth.corpus._renaming import Block, rename_file
from firth.corpus._temporary import in_temporary_folder
from firth.progress import progress as show_progress
from firth.storage import write_config
from firth.vocab import VOCAB_FILE, Vocab

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

_CHUNK_TOKENS = 1 << 20


def rewrite_corpus(
    corpus: Corpus,
    translate: Callable[[NDArray[np.uint32], NDArray[np.int64], int], NDArray[np.uint32]],
    n_provisional: int,
    choose_words: Callable[[NDArray[np.int64]], tuple[Vocab, NDArray[np.uint32]]],
    *,
    workers: int,
    progress: bool | None = None,
    title: str = "rewriting",
) -> tuple[Vocab, Corpus]:
    """Make a corpus by translating the ids of another one, chunk by chunk.

    Parameters
    ----------
    corpus : Corpus
        What to read.
    translate : callable
        Takes the ids of whole sentences, their ends and the position of the first id, as
        `Corpus.chunk` gives them; returns provisional ids below `n_provisional`, with
        ``_core.SENTENCE_END`` behind each sentence. Called from several threads.
    n_provisional : int
        How many provisional ids there are.
    choose_words : callable
        Takes how often each provisional id came, shape ``(n_provisional,)``; returns the
        vocabulary and, of the same shape, the word of each, or ``_core.DROPPED``.
    workers : int
        Threads.
    progress : bool, optional
        As for `firth.progress.progress`.
    title : str
        What the bar is called.

    Returns
    -------
    vocab : Vocab
        What `choose_words` returned.
    corpus : Corpus
        In a temporary folder, until it is closed.

    Raises
    ------
    OutputError
        The disk is full.
    """

    def make(folder: Path) -> Vocab:
        counts = np.zeros(n_provisional, np.int64)
        blocks: list[Block] = []
        starts = corpus.chunk_starts(_CHUNK_TOKENS).tolist()
        chunks = pairwise(starts)

        def work(first: int, last: int) -> NDArray[np.uint32]:
            return translate(*corpus.chunk(first, last))

        with (
            show_progress(title, total=len(corpus), unit="words", show=progress) as bar,
            (folder / IDS_FILE).open("wb") as file,
            ThreadPoolExecutor(workers) as threads,
        ):
            under_way = deque(
                (chunk, threads.submit(work, *chunk)) for chunk in islice(chunks, workers + 1)
            )
            while under_way:
                chunk, task = under_way.popleft()
                ids = task.result()
                under_way.extend((c, threads.submit(work, *c)) for c in islice(chunks, 1))
                file.write(ids.data)
                blocks.append(Block(0, len(ids)))
                words = ids[ids != _core.SENTENCE_END]
                counts += np.bincount(words, minlength=n_provisional)
                bar.advance(_n_tokens(corpus, *chunk))
                corpus.release(*chunk)
        vocab, id_map = choose_words(counts)
        n_tokens, n_sentences = rename_file(
            folder / IDS_FILE, folder / SENTENCE_ENDS_FILE, blocks, [id_map], workers
        )
        vocab.to_file(folder / VOCAB_FILE)
        write_config(
            folder,
            "corpus",
            n_tokens=n_tokens,
            n_sentences=n_sentences,
            n_tokens_read=int(counts.sum()),
        )
        return vocab

    return in_temporary_folder(make)


def _n_tokens(corpus: Corpus, first: int, last: int) -> int:
    begin = int(corpus.sentence_ends[first - 1]) if first else 0
    return int(corpus.sentence_ends[last - 1]) - begin

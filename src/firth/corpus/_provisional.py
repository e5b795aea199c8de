"""Text to provisional ids on disk, and from there to the ids of a vocabulary.

A text is read once. Each thread numbers the tokens of the blocks it gets in the order in which it
meets them; when the whole text has been seen, the threads' counts are added up, the vocabulary is
chosen, and the ids are renamed where they lie: they only become fewer.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from firth import _core
from firth.corpus._renaming import Block, rename_file
from firth.errors import FormatError, TextError, VocabularyError
from firth.text import FileSource, TextSource
from firth.threads import map_in_order, run_in_order
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from firth.progress import Progress
    from firth.text import Tokenizer, TokenSource

_ALL = 2**63 - 1
_MOST_READERS = 64  # encode faster than anything can be read


class ProvisionalIds:
    """Tokens of a text as numbers in the order in which each thread met them.

    Parameters
    ----------
    source : TextSource or TokenSource
        The text; read by `read`, once.
    tokenizer : Tokenizer
        Splits it, unless its tokens are given.
    workers : int
        Threads that encode.
    """

    def __init__(
        self, source: TextSource | TokenSource, tokenizer: Tokenizer, workers: int
    ) -> None:
        self._source = source
        self._tokenizer = tokenizer
        # Only the compiled tokenisers work without Python's lock, and a caller's function need not
        # stand being called by many threads.
        compiled = isinstance(source, TextSource) and tokenizer.compiled
        self._workers = workers = min(workers, _MOST_READERS) if compiled else 1
        self._interners = [_core.TokenInterner() for _ in range(workers)]
        self._blocks: list[Block] = []

    @property
    def n_tokens(self) -> int:
        """Tokens read so far."""
        return sum(interner.total_count for interner in self._interners)

    def read(self, path: Path | None, bar: Progress) -> None:
        """Read the whole text, and write its ids to `path`; only count where that is None."""
        free: SimpleQueue[int] = SimpleQueue()
        for number in range(self._workers):
            free.put(number)

        def encode(piece: bytes | list[list[str]]) -> tuple[Block, NDArray[np.uint32]]:
            number = free.get()
            try:
                ids = self._encode_piece(self._interners[number], piece)
            finally:
                free.put(number)
            return Block(number, len(ids)), ids

        source = self._source
        shown = 0
        with _Output(path) as write:

            def use(encoded: tuple[Block, NDArray[np.uint32]]) -> None:
                nonlocal shown
                block, ids = encoded
                self._blocks.append(block)
                write(ids)
                bar.advance(max(source.n_bytes_read - shown, 0))
                shown = source.n_bytes_read

            if isinstance(source, FileSource):
                run_in_order(source.blocks(), encode, use, self._workers)
                return
            # A caller's iterable is asked by the caller's thread only.
            pieces: Iterable[bytes | list[list[str]]] = (
                source.blocks() if isinstance(source, TextSource) else source.sentence_batches()
            )
            for encoded in map_in_order(encode, pieces, self._workers):
                use(encoded)

    def _encode_piece(
        self, interner: _core.TokenInterner, piece: bytes | list[list[str]]
    ) -> NDArray[np.uint32]:
        if isinstance(piece, list):
            return interner.encode_sentences(piece)
        if self._tokenizer.compiled:
            text = self._tokenizer.prepare(piece)
            ids = np.empty(len(text) + 1, np.uint32)
            return ids[: interner.encode_text(text, ids)]
        return self._encode_lines(interner, piece)

    def _encode_lines(self, interner: _core.TokenInterner, block: bytes) -> NDArray[np.uint32]:
        """Encode a block by a tokeniser that does not tell which lines have no tokens.

        A line that is longer than a block goes on in the next one: the first may be the end of
        one, the last the beginning, and only a line end closes a sentence, also where no token
        stands before it.
        """
        first, line_end, rest = block.partition(b"\n")
        n_whole = rest.rfind(b"\n") + 1
        ids = []
        for lines, is_open in ((first, True), (rest[:n_whole], False), (rest[n_whole:], True)):
            if lines:
                sentences = self._tokenizer.sentences(lines)
                ids.append(interner.encode_sentences(sentences, last_is_open=is_open))
            if lines is first and line_end:
                ids.append(np.array([_core.SENTENCE_END], np.uint32))
        return np.concatenate(ids)

    def choose_vocab(self, min_count: int, max_size: int | None) -> Vocab:
        """Add up the counts of all threads and keep the frequent words."""
        selected = _core.select_words(self._interners, min_count, max_size or _ALL, self._workers)
        if len(selected[-1]) == 0:
            self._raise_no_words(min_count)
        return Vocab.from_arrays(*selected)

    def _raise_no_words(self, min_count: int) -> NoReturn:
        _, _, counts = _core.select_words(self._interners, 1, _ALL, self._workers)
        if len(counts) == 0:
            raise TextError(f"{self._source.name}: no tokens: the text is empty")
        raise VocabularyError(
            f"{self._source.name}: no words are left: {len(counts):,} distinct words were read, "
            f"the most frequent one {counts[0]:,} times, and min_count is {min_count:,}; give more "
            "text or a lower min_count"
        )

    def rename(self, vocab: Vocab, ids_path: Path, sentence_ends_path: Path) -> tuple[int, int]:
        """Rename the ids in their file to those of a vocabulary, and write where sentences end.

        Returns
        -------
        n_tokens, n_sentences : int
            How many are left.
        """

        def map_of(interner: _core.TokenInterner) -> NDArray[np.uint32]:
            return interner.id_map_to(vocab.word_bytes, vocab.word_offsets)

        try:
            maps = list(map_in_order(map_of, self._interners, self._workers))
        except ValueError as error:
            raise FormatError(f"the vocabulary is damaged: {error}; make it again") from error
        return rename_file(ids_path, sentence_ends_path, self._blocks, maps, self._workers)


class _Output:
    """Writes arrays to a file, or nowhere."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("wb") if path else None

    def __enter__(self) -> Callable[[NDArray[np.uint32]], None]:
        return self._write

    def _write(self, ids: NDArray[np.uint32]) -> None:
        if self._file:
            self._file.write(ids.data)

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

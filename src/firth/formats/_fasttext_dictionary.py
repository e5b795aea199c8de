"""The words of a fastText file: read, chosen, repaired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from firth import _core
from firth.errors import FormatError, VocabularyError
from firth.formats._rows import nothing_left
from firth.vocab import Vocab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.formats._fasttext_bytes import ModelBytes
    from firth.formats._fasttext_header import Header
    from firth.formats._format import ReadOptions
    from firth.formats._table import LoadReport

_BLOCK_BYTES = 1 << 20
_SMALLEST_ENTRY = 1 + 8 + 1


@dataclass
class Words:
    """Words one after the other, as in a `Vocab`, with their counts."""

    word_bytes: NDArray[np.uint8]
    word_offsets: NDArray[np.uint64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, row: int) -> bytes:
        begin, end = self.word_offsets[row : row + 2].tolist()
        return self.word_bytes[begin:end].tobytes()

    def between(self, begin: int, end: int) -> Words:
        """Give a range of them."""
        offsets = self.word_offsets[begin : end + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        return Words(self.word_bytes[first:last], offsets - offsets[0], self.counts[begin:end])

    def at(self, rows: NDArray[np.int64]) -> Words:
        """Give those of some rows."""
        words = [self[row] for row in rows.tolist()]
        offsets = np.zeros(len(words) + 1, np.uint64)
        np.cumsum(np.fromiter(map(len, words), np.uint64, len(words)), out=offsets[1:])
        joined = np.frombuffer(bytearray(b"".join(words)), np.uint8)
        return Words(joined, offsets, self.counts[rows])


def read_dictionary(data: ModelBytes, header: Header) -> tuple[Words, Words]:
    """Read the words and the labels.

    Raises
    ------
    FormatError
        The file is cut off, or its entries make no sense.
    """
    n_entries = header.n_words + header.n_labels
    data.check_room(n_entries * _SMALLEST_ENTRY, f"a dictionary of {n_entries:,} entries")
    pieces: list[tuple[NDArray[Any], ...]] = []
    n_bytes = n_read = 0
    while n_read < n_entries:
        at = data.position
        block = data.some(_BLOCK_BYTES)
        word_bytes, offsets, counts, kinds, n_used = _core.split_fasttext_entries(
            block, n_entries - n_read
        )
        if n_used == 0:
            problem = (
                f"a word of over {_BLOCK_BYTES:,} bytes; this is no dictionary of fastText"
                if len(block) == _BLOCK_BYTES
                else f"the file ends within entry {n_read + 1:,} of the {n_entries:,} of its "
                f"dictionary. Get it again"
            )
            raise data.damaged(at, problem)
        data.put_back(block[n_used:])
        wrong = np.flatnonzero(kinds != (np.arange(n_read, n_read + len(kinds)) >= header.n_words))
        if len(wrong) or (counts < 0).any():
            raise data.damaged(at, f"the dictionary is damaged after entry {n_read:,}")
        pieces.append((word_bytes, offsets[1:] + np.uint64(n_bytes), counts))
        n_bytes += len(word_bytes)
        n_read += len(counts)
    bytes_of, ends, counts_of = (np.concatenate(each) for each in zip(*pieces, strict=True))
    offsets = np.concatenate([np.zeros(1, np.uint64), ends])
    entries = Words(bytes_of, offsets, counts_of)
    return entries.between(0, header.n_words), entries.between(header.n_words, n_entries)


def choose_words(
    words: Words, options: ReadOptions, report: LoadReport
) -> tuple[Vocab, NDArray[np.int64] | None]:
    """Choose the words that are wanted and can be kept.

    Returns
    -------
    Vocab
        The words.
    numpy.ndarray of int64, shape (n_words,), or None
        Their rows in the file, rising; None for all of them.

    Raises
    ------
    FormatError, ParameterError
        As `ReadOptions` asks, or none is left.
    """
    report.rows_claimed = report.rows_read = len(words)
    rows: NDArray[np.int64] | None = None
    vocab: Vocab | None = None
    try:
        if not len(words) or not np.diff(words.word_offsets).all():
            raise VocabularyError("some are empty")  # noqa: TRY301 (as those that are no UTF-8)
        vocab = Vocab.from_arrays(words.word_bytes, words.word_offsets, words.counts)
    except VocabularyError:
        vocab, rows = _repaired(words, options, report)
    if options.only is not None:
        found = vocab.ids(sorted(options.only))
        found = np.sort(found[found >= 0])
        vocab = _at(vocab, found, options, report)
        rows = found if rows is None else rows[found]
    if options.limit is not None and len(vocab) > options.limit:
        first = np.arange(options.limit)
        vocab = _at(vocab, first, options, report)
        rows = first if rows is None else rows[first]
    return vocab, rows


def _at(vocab: Vocab, rows: NDArray[np.int64], options: ReadOptions, report: LoadReport) -> Vocab:
    if not len(rows):
        raise nothing_left(options, report)
    return Vocab.from_words(vocab.words_at(rows), vocab.counts[rows])


def _repaired(
    words: Words, options: ReadOptions, report: LoadReport
) -> tuple[Vocab, NDArray[np.int64]]:
    """Leave out empty words and those that stood there before; decode what is no UTF-8."""
    kept: dict[str, int] = {}
    for row in range(len(words)):
        word, repaired = decode(words[row], row, options.errors, report.source)
        report.undecodable_words += repaired
        if not word:
            report.empty_words += 1
        elif kept.setdefault(word, row) != row:
            report.duplicates += 1
    if not kept:
        raise nothing_left(options, report)
    rows = np.fromiter(kept.values(), np.int64, len(kept))
    return Vocab.from_words(kept, words.counts[rows]), rows


def decode(
    raw: bytes, row: int, errors: Literal["strict", "replace", "ignore"], name: str
) -> tuple[str, bool]:
    """Decode a word; tells whether it had to be repaired."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError as error:
        if errors == "strict":
            raise FormatError(
                f"{name}: the word of row {row + 1:,} is not UTF-8: {raw!r} ({error}); "
                f"errors='replace' or 'ignore' repairs it"
            ) from None
        return raw.decode(errors=errors), True

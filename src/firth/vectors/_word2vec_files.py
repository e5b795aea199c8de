"""Files of counts beside word2vec's vectors, and the order that gensim writes words in."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firth.errors import FormatError, OutputError, SourceError
from firth.formats import VectorTable
from firth.vocab import Vocab


def write_values(words: Iterable[str], values: Iterable[Any], path: Path) -> None:
    """Write words with a value for each, a line each, as word2vec.c writes counts."""
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{word} {n}\n" for word, n in zip(words, values, strict=True))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def with_counts(vocab: Vocab, path: Path) -> Vocab:
    """Give the same words with the counts of a file; 0 for those that it does not have."""
    counts = np.zeros(len(vocab), np.int64)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                word, _, count = line.decode("utf-8", "replace").rstrip().rpartition(" ")
                if not count.isdecimal():
                    raise FormatError(f"{path}: line {number:,} is no word with its count")
                row = vocab.get(word)
                if row is not None:
                    counts[row] = int(count)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    return Vocab.from_arrays(vocab.word_bytes, vocab.word_offsets, counts)


def in_order_of(table: VectorTable, values: NDArray[Any], prefix: str) -> VectorTable:
    """Give the same table by falling values, equal ones as they are; a prefix before each word."""
    order = np.argsort(-values, kind="stable")
    is_sorted = bool((np.diff(order) == 1).all())
    if is_sorted and not prefix:
        return table
    words = [prefix + word for word in table.vocab.words_at(order)]
    return replace(
        table,
        vocab=Vocab.from_words(words, table.vocab.counts[order]),
        vectors=table.vectors if is_sorted else table.vectors[order],
        norms=None,
        scales=None if table.scales is None else table.scales[order],
        subwords=None,
    )

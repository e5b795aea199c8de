"""Words, their matrix and what belongs to it: what every format reads and writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from firth.subwords import Subwords
    from firth.vocab import Vocab


@dataclass
class LoadReport:
    """What had to be repaired, or was left out, while a vector file was read.

    Attributes
    ----------
    format : str
        The name of the format that the file is in, as `firth.formats.FORMATS` has it.
    source : str
        Where the vectors come from.
    rows_claimed : int or None
        The number of words in the header, where there is one.
    rows_read : int
        Rows that stand in what was read of the file.
    duplicates, empty_words, undecodable_words, not_finite : int
        Rows left out because their word stood there before or is empty; words that were not UTF-8
        and were repaired as `errors` says; rows with NaN or infinite values, which are kept.
    notes : list of str
        Everything else, a sentence each.
    """

    format: str
    source: str
    rows_claimed: int | None = None
    rows_read: int = 0
    duplicates: int = 0
    empty_words: int = 0
    undecodable_words: int = 0
    not_finite: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def repairs(self) -> dict[str, int]:
        """What was counted above zero: name and number of rows."""
        names = ("duplicates", "empty_words", "undecodable_words", "not_finite")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


@dataclass
class VectorTable:
    """Words and their vectors as plain data, on their way between a file and `KeyedVectors`.

    Attributes
    ----------
    vocab : Vocab
        The words with their counts (all 0 where the file has none).
    vectors : numpy.ndarray of float32, float16 or int8, shape (n_words, vector_size)
        A row for each word.
    norms : numpy.ndarray of float32, shape (n_words,), optional
        The lengths of the rows.
    scales : numpy.ndarray of float32, shape (n_words,), optional
        What to multiply each row of int8 with.
    subwords : Subwords, optional
        What makes vectors for words that are not in `vocab`.
    config : mapping
        How the vectors were made, as far as the file tells; JSON.
    report : LoadReport, optional
        What was repaired while reading.
    """

    vocab: Vocab
    vectors: NDArray[Any]
    norms: NDArray[np.float32] | None = None
    scales: NDArray[np.float32] | None = None
    subwords: Subwords | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    report: LoadReport | None = None

    def in_floats(self) -> VectorTable:
        """Give the same with rows of float32 where they are int8."""
        if self.scales is None:
            return self
        floats = np.multiply(self.vectors, self.scales[:, None], dtype=np.float32)
        return replace(self, vectors=floats, scales=None)

"""What a fastText file holds, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.subwords import FastTextSubwords

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from firth.vocab import Vocab

LOSSES = ("", "hs", "ns", "softmax", "ova")
MODELS = ("", "cbow", "sg", "sup")


@dataclass(frozen=True)
class FastTextArgs:
    """The parameters of training that stand in a fastText file, by its own names.

    Attributes
    ----------
    dim : int
        The size of the vectors.
    ws : int
        The window.
    epoch : int
        Passes over the text.
    min_count : int
        Words seen less often are left out.
    neg : int
        Negatives for each example.
    word_ngrams : int
        The words of an n-gram of words; for classifiers.
    loss : str
        "hs", "ns", "softmax" or "ova".
    model : str
        "cbow", "sg", or "sup" for classifiers.
    bucket : int
        By what the hashes of n-grams are divided.
    min_n, max_n : int
        The characters of an n-gram; `max_n` of 0 for none.
    lr_update_rate : int
        After how many words the learning rate changes.
    t : float
        The threshold of thinning out.
    """

    dim: int = 100
    ws: int = 5
    epoch: int = 5
    min_count: int = 5
    neg: int = 5
    word_ngrams: int = 1
    loss: str = "ns"
    model: str = "sg"
    bucket: int = 2_000_000
    min_n: int = 3
    max_n: int = 6
    lr_update_rate: int = 100
    t: float = 1e-4

    def as_dict(self) -> dict[str, Any]:
        """Give all of them by name."""
        return asdict(self)

    @property
    def has_ngrams(self) -> bool:
        """Whether words are made of n-grams of characters too."""
        return self.bucket > 0 and self.max_n > 0 and self.min_n <= self.max_n


@dataclass
class FastTextModelData:
    """A fastText model as its file has it: what training writes and goes on with.

    Attributes
    ----------
    args : FastTextArgs
        The parameters of training.
    vocab : Vocab
        The words with their counts; without labels.
    word_rows : numpy.ndarray of float32, shape (n_words, dim)
        The input rows of the words themselves, without their n-grams.
    bucket_rows : numpy.ndarray of float32, shape (n_buckets, dim)
        The input rows of the buckets: `args.bucket` of them, or as many as `kept` has.
    output : numpy.ndarray of float32, shape (n_outputs, dim), optional
        The output matrix: a row for each word, or for each label of a classifier. None where it
        was not asked for.
    n_tokens : int
        The tokens of the text, those of rare words left out too.
    labels : mapping of str to int
        The labels of a classifier with their counts.
    kept : numpy.ndarray of int64, shape (n_buckets,), optional
        The buckets that the rows stand for, rising, where the others were dropped.
    quantised : bool
        Whether the rows were quantised in the file.
    version : int
        Of the file: 12, 11, or 0 for those older than the magic number.
    hashed : pair of numpy.ndarray, optional
        The words as they stand in the file, bytes and offsets, where they had to be repaired:
        their n-grams are hashed as they were in training.
    """

    args: FastTextArgs
    vocab: Vocab
    word_rows: NDArray[np.float32]
    bucket_rows: NDArray[np.float32]
    output: NDArray[np.float32] | None = None
    n_tokens: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    kept: NDArray[np.int64] | None = None
    quantised: bool = False
    version: int = 12
    hashed: tuple[NDArray[np.uint8], NDArray[np.uint64]] | None = None

    def subwords(self) -> FastTextSubwords | None:
        """Give what makes vectors of unseen words; None where words have no n-grams."""
        if not self.args.has_ngrams or not len(self.bucket_rows):
            return None
        return FastTextSubwords(
            self.bucket_rows,
            self.args.min_n,
            self.args.max_n,
            bucket=self.args.bucket,
            word_rows=self.word_rows,
            kept=self.kept,
            sentence_end_ngrams=self.version == 0,
        )

    def vectors(self) -> NDArray[np.float32]:
        """Make the vectors of the words, of their own rows and their n-grams'.

        Returns
        -------
        numpy.ndarray of float32, shape (n_words, dim)
            Those that fastText gives, to the bit.
        """
        subwords = self.subwords()
        if subwords is None:
            return np.asarray(self.word_rows, np.float32)
        hashed = self.hashed or (self.vocab.word_bytes, self.vocab.word_offsets)
        return subwords.compose(*hashed, self.word_rows)

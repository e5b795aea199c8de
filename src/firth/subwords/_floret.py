"""The subwords of floret."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from firth import _core
from firth.errors import ParameterError
from firth.subwords._gather import (
    check_buckets,
    check_range,
    check_rows,
    encode,
    mean_vectors,
    ngrams,
)
from firth.subwords._subwords import Subwords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

FLORET_SEED = 2166136261


class FloretSubwords(Subwords):
    """The words and n-grams of floret in one small table, each the sum of several rows of it.

    Boyd and Warmerdam (2022), "floret: lightweight, robust word vectors", Explosion. A word and
    each of its n-grams have `hash_count` rows (Bloom embeddings); the vector is the mean of all of
    them. Seen and unseen words are made in the same way. The sentence end ``</s>`` gets zeros.

    Parameters
    ----------
    bucket_rows : numpy.ndarray of float32 or float16, shape (bucket, vector_size)
        The table.
    min_n, max_n : int
        The characters of an n-gram, of the word between its marks.
    hash_count : int
        The rows of an n-gram, 1 to 4.
    seed : int
        Of the hash.
    begin_mark, end_mark : str
        What is put before and behind a word.

    Raises
    ------
    ParameterError
        If one of them is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.subwords import FloretSubwords
    >>> subwords = FloretSubwords(np.eye(8, dtype=np.float32), min_n=4, max_n=5, hash_count=2)
    >>> subwords.parts("apple")[0]
    ['<apple>', '<app', '<appl', 'appl', 'apple', 'pple', 'pple>', 'ple>']
    """

    family: ClassVar[str] = "floret"

    def __init__(
        self,
        bucket_rows: NDArray[Any],
        min_n: int,
        max_n: int,
        *,
        hash_count: int = 1,
        seed: int = FLORET_SEED,
        begin_mark: str = "<",
        end_mark: str = ">",
    ) -> None:
        check_range(min_n, max_n)
        self._rows = check_rows("bucket_rows", bucket_rows)
        check_buckets(len(self._rows))
        if not 1 <= hash_count <= 4:
            raise ParameterError(f"hash_count must be from 1 to 4, not {hash_count}")
        if not 0 <= seed < 2**32:
            raise ParameterError(f"seed must be from 0 to 4294967295, not {seed}")
        self.min_n = min_n
        self.max_n = max_n
        self.hash_count = hash_count
        self.seed = seed
        self.begin_mark = begin_mark
        self.end_mark = end_mark

    @property
    def vector_size(self) -> int:
        """The number of dimensions."""
        return int(self._rows.shape[1])

    @property
    def rows(self) -> NDArray[Any]:
        """The table, shape (bucket, vector_size)."""
        return self._rows

    @property
    def bucket(self) -> int:
        """The number of rows of the table."""
        return len(self._rows)

    def vectors(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Make the vectors of words, seen or not, shape (n_words, vector_size)."""
        return self.compose(*encode(words))

    def compose(
        self,
        word_bytes: NDArray[np.uint8],
        word_offsets: NDArray[np.uint64],
        own: NDArray[Any] | None = None,
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Make the vectors of words that lie one after the other, as in a `Vocab`.

        With `own`, shape (n_words, vector_size), each has a row of its own too; they are written
        to `out` where that is given.
        """
        return mean_vectors(word_bytes, word_offsets, self._ids, self._rows, own, out=out)

    def parts(self, word: str) -> tuple[list[str], NDArray[np.int64]]:
        """Tell the word between its marks and its n-grams, and their rows, `hash_count` for each.

        Returns
        -------
        list of str, numpy.ndarray of int64, shape (n_ngrams * hash_count,)
            The rows of the first, those of the second, and so on.
        """
        ids = self._ids(*encode([word]))[0].astype(np.int64)
        if not len(ids):
            return [], ids
        marked = f"{self.begin_mark}{word}{self.end_mark}"
        found = ngrams(marked, self.min_n, self.max_n)
        if self.min_n <= 1 <= self.max_n:
            found = found[1:-1]
        return [marked, *found], ids

    def config(self) -> dict[str, Any]:
        """Tell its parameters, as JSON can hold them."""
        names = ("min_n", "max_n", "hash_count", "seed", "begin_mark", "end_mark")
        return {name: getattr(self, name) for name in names}

    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Give its arrays by name, for ``subwords.safetensors``."""
        return {"bucket_rows": self._rows}

    @classmethod
    def from_parts(cls, config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of what `config` and `tensors` gave."""
        return cls(
            tensors["bucket_rows"],
            config["min_n"],
            config["max_n"],
            hash_count=config["hash_count"],
            seed=config["seed"],
            begin_mark=config["begin_mark"],
            end_mark=config["end_mark"],
        )

    @property
    def _ids(self) -> Any:
        return partial(
            _core.floret_ids,
            min_n=self.min_n,
            max_n=self.max_n,
            bucket=self.bucket,
            hash_count=self.hash_count,
            seed=self.seed,
            begin_mark=self.begin_mark.encode(),
            end_mark=self.end_mark.encode(),
        )

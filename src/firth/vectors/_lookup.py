"""Words and their vectors, to be looked up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import index as as_index
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError, VocabularyError
from firth.formats import LoadReport, VectorTable
from firth.neighbours import row_norms
from firth.vectors._questions import Key, Vector, is_key, words_of
from firth.vocab import Vocab, WordList

if TYPE_CHECKING:
    from firth.subwords import Subwords


class WordVectors:
    """A vocabulary and its matrix: what `KeyedVectors` looks up; see there."""

    def __init__(
        self,
        vocab: Vocab,
        vectors: NDArray[Any],
        *,
        norms: NDArray[np.float32] | None = None,
        subwords: "Subwords | None" = None,
        config: Mapping[str, Any] | None = None,
        load_report: LoadReport | None = None,
    ) -> None:
        if not isinstance(vocab, Vocab):
            raise ParameterError(f"vocab is {type(vocab).__name__}, not a Vocab")
        vectors = np.asarray(vectors)
        if vectors.ndim != 2 or vectors.shape[1] == 0 or vectors.dtype.kind not in "fiu":
            raise ParameterError(
                f"vectors is {vectors.dtype} of shape {vectors.shape}; it must be a matrix of "
                f"numbers of shape (n_words, vector_size)"
            )
        if len(vectors) != len(vocab):
            raise ParameterError(
                f"vectors has {len(vectors):,} rows for {len(vocab):,} words; give one for each"
            )
        if norms is not None and (norms.shape != (len(vocab),) or norms.dtype != np.float32):
            raise ParameterError(
                f"norms is {norms.dtype} of shape {norms.shape}; it must be float32 with one for "
                f"each of the {len(vocab):,} words; leave it out to have it computed"
            )
        if subwords is not None and subwords.vector_size != vectors.shape[1]:
            raise ParameterError(
                f"subwords makes vectors of size {subwords.vector_size}, but those of the words "
                f"have {vectors.shape[1]}"
            )
        self._vocab = vocab
        # A view of our own: the caller's array stays as writable as it was.
        dtype = np.float16 if vectors.dtype == np.float16 else np.float32
        self._vectors: NDArray[Any] = np.ascontiguousarray(vectors, dtype).view()
        self._vectors.flags.writeable = False
        self._subwords = subwords
        self._load_report = load_report
        self._stored_norms = None if norms is None else np.ascontiguousarray(norms)
        self._config = dict(config or {})

    @classmethod
    def _of(cls, table: VectorTable) -> Self:
        return cls(
            table.vocab,
            table.vectors,
            norms=table.norms,
            subwords=table.subwords,
            config=table.config,
            load_report=table.report,
        )

    def _table(self) -> VectorTable:
        return VectorTable(
            self._vocab,
            self._vectors,
            norms=self.norms,
            subwords=self._subwords,
            config=self._config,
        )

    # --- what is there --------------------------------------------------------------------------

    @property
    def vocab(self) -> Vocab:
        """The words with their counts."""
        return self._vocab

    @property
    def vectors(self) -> NDArray[Any]:
        """All vectors, shape (n_words, vector_size), float32 or float16; read-only."""
        return self._vectors

    @property
    def vector_size(self) -> int:
        """The number of dimensions."""
        return int(self._vectors.shape[1])

    @property
    def norms(self) -> NDArray[np.float32]:
        """The lengths of the vectors, shape (n_words,)."""
        if self._stored_norms is None:
            self._stored_norms = row_norms(self._vectors)
        return self._stored_norms

    @property
    def config(self) -> dict[str, Any]:
        """How the vectors were made: what ``config.json`` says, where they come from a folder."""
        return dict(self._config)

    @property
    def subwords(self) -> "Subwords | None":
        """What makes vectors for words that are not in the vocabulary; None where nothing does."""
        return self._subwords

    @property
    def load_report(self) -> LoadReport | None:
        """What was repaired or left out while a file was read; None where none was read."""
        return self._load_report

    @property
    def index_to_key(self) -> WordList:
        """The words in the order of the rows: a sequence that decodes what is looked at."""
        return self._vocab.words

    @property
    def key_to_index(self) -> Mapping[str, int]:
        """The row of each word: a mapping that looks into the index of the vocabulary."""
        return _RowOfWord(self._vocab)

    def __len__(self) -> int:
        return len(self._vocab)

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a vector for a word; with subwords there is one for any."""
        return self.has_index_for(key) or (self._subwords is not None and isinstance(key, str))

    def __getitem__(self, key_or_keys: Key | Iterable[Key]) -> NDArray[np.float32]:
        if isinstance(key_or_keys, str) or not isinstance(key_or_keys, Iterable):
            return self.get_vector(key_or_keys)
        return self._vectors_of(list(key_or_keys))

    def __repr__(self) -> str:
        family = f", {self._subwords.family} subwords" if self._subwords is not None else ""
        return f"KeyedVectors({len(self):,} words, vector_size={self.vector_size}{family})"

    def has_index_for(self, key: object) -> bool:
        """Tell whether a word has a row, and not just a vector made of subwords."""
        if isinstance(key, str):
            return key in self._vocab
        return is_key(key) and 0 <= as_index(key) < len(self)  # type: ignore[arg-type]

    def get_index(self, key: Key, default: int | None = None) -> int:
        """Return the row of a word.

        Parameters
        ----------
        key : str or int
            The word; a row that is there is returned as it is.
        default : int, optional
            What to return for a word that is not there.

        Raises
        ------
        WordNotFoundError
            If the word is not there and there is no default. The message has near spellings.
        """
        if is_key(key) and not isinstance(key, str) and 0 <= as_index(key) < len(self):
            return as_index(key)
        if default is None:
            return self._vocab[key]  # type: ignore[index]  # what is no word raises its error
        return self._vocab.get(key, default)  # type: ignore[arg-type]

    def get_vector(self, key: Key, norm: bool = False) -> NDArray[np.float32]:
        """Return the vector of a word.

        Parameters
        ----------
        key : str or int
            The word. One that is not there gets the vector of its subwords, where there are some.
        norm : bool
            Scale it to length 1.

        Returns
        -------
        numpy.ndarray of float32, shape (vector_size,)
            Read-only. Zeros for an unseen word without any subwords.

        Raises
        ------
        WordNotFoundError
            If the word is not there, and there are no subwords.
        """
        vector: NDArray[np.float32]
        if norm:
            vector = self._unit_vectors([key])[0]
        elif (row := self._row(key)) < 0:
            vector = self._vectors_of([key])[0]
        else:
            vector = self._vectors[row]
            if vector.dtype != np.float32:
                vector = vector.astype(np.float32)
        vector.flags.writeable = False
        return vector

    def get_normed_vectors(self) -> NDArray[np.float32]:
        """Return all vectors scaled to length 1, shape (n_words, vector_size); rows of 0 stay 0."""
        result = np.array(self._vectors, np.float32)
        result /= divisors(self.norms)[:, None]
        return result

    def get_vecattr(self, key: Key, attr: str) -> int:
        """Return an attribute of a word; "count" is the only one.

        Parameters
        ----------
        key : str or int
            The word.
        attr : str
            "count": how often the word was seen in training.

        Raises
        ------
        ParameterError
            If the attribute is another one.
        VocabularyError
            If the vectors come without counts.
        WordNotFoundError
            If the word is not there.
        """
        if attr != "count":
            raise ParameterError(f"no attribute {attr!r}; words have 'count'")
        count = int(self._vocab.counts[self.get_index(key)])
        if count == 0 and self._vocab.total_count == 0:
            raise VocabularyError("these vectors come without counts of their words")
        return count

    def get_mean_vector(
        self,
        keys: Sequence[Key | Vector],
        weights: Sequence[float] | NDArray[Any] | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> NDArray[np.float32]:
        """Return the weighted mean of the vectors of some words.

        Parameters
        ----------
        keys : sequence of str, int or numpy.ndarray
            Words, and vectors of shape (vector_size,), which are taken as they are.
        weights : sequence of float, optional
            One for each; 1 otherwise. The sum is divided by the sum of their absolute values.
        pre_normalize : bool
            Scale the vectors of words to length 1 before.
        post_normalize : bool
            Scale the mean to length 1.
        ignore_missing : bool
            Leave out words that are not there, and have no subwords.

        Returns
        -------
        numpy.ndarray of float32, shape (vector_size,)
            Zeros if no word is there.

        Raises
        ------
        ParameterError
            If there are no keys, or the weights do not fit them.
        WordNotFoundError
            If a word is not there, unless that is ignored.
        """
        if isinstance(keys, str):
            keys = words_of("keys", keys)
        weights = np.ones(len(keys)) if weights is None else np.asarray(weights, np.float64)
        if len(keys) == 0:
            raise ParameterError("keys is empty; a mean needs at least one word or vector")
        if weights.shape != (len(keys),):
            raise ParameterError(
                f"there are {len(keys)} keys, but weights has the shape {weights.shape}; give one "
                f"for each"
            )
        mean = np.zeros(self.vector_size)
        total = 0.0
        for key, weight in zip(keys, weights.tolist(), strict=True):
            if isinstance(key, np.ndarray):
                vector = self._check_vector(key)
            elif ignore_missing and key not in self:
                continue
            else:
                vector = self.get_vector(key, norm=pre_normalize)
            mean += weight * vector
            total += abs(weight)
        mean /= total or 1.0
        return (unit(mean) if post_normalize else mean).astype(np.float32)

    def get_sentence_vector(self, sentence: Sequence[Key]) -> NDArray[np.float32]:
        """Return the mean of the vectors of some words, each scaled to length 1, as fastText does.

        Parameters
        ----------
        sentence : sequence of str or int
            Words. Those without a vector, or with one of zeros, are left out.

        Returns
        -------
        numpy.ndarray of float32, shape (vector_size,)
            Zeros if nothing is left.

        Raises
        ------
        ParameterError
            If `sentence` is a string.
        """
        words = words_of("sentence", sentence)  # type: ignore[arg-type]
        units = self._unit_vectors([word for word in words if word in self])
        units = units[units.any(axis=1)]
        mean: NDArray[np.float32] = units.sum(axis=0) / np.float32(max(1, len(units)))
        return mean

    # --- of fastText ------------------------------------------------------------------------------

    @property
    def vectors_vocab(self) -> NDArray[Any]:
        """The vectors of the words without their subwords, (n_words, vector_size); of fastText."""
        rows: NDArray[Any] = self._of_subwords("vectors_vocab", "word_rows")
        return rows

    @property
    def vectors_ngrams(self) -> NDArray[Any]:
        """The vectors of the n-grams, shape (n_rows, vector_size); only with subwords."""
        rows: NDArray[Any] = self._of_subwords("vectors_ngrams", "rows")
        return rows

    @property
    def min_n(self) -> int:
        """The fewest characters of an n-gram; only with subwords."""
        return int(self._of_subwords("min_n", "min_n"))

    @property
    def max_n(self) -> int:
        """The most characters of an n-gram; only with subwords."""
        return int(self._of_subwords("max_n", "max_n"))

    @property
    def bucket(self) -> int:
        """The number of buckets of n-grams; only with subwords that have some."""
        return int(self._of_subwords("bucket", "bucket"))

    def _of_subwords(self, name: str, theirs: str) -> Any:
        value = getattr(self._subwords, theirs, None)
        if value is None:
            what = "no subwords" if self._subwords is None else f"{self._subwords.family} subwords"
            raise AttributeError(f"these vectors have {what}, and so no {name!r}")
        return value

    # --- within -----------------------------------------------------------------------------------

    def _row(self, key: Key) -> int:
        """Give the row of a word; -1 where its vector is to be made of subwords."""
        if self._subwords is None or not isinstance(key, str):
            return self.get_index(key)
        return self._vocab.get(key, -1)

    def _rows(self, keys: Iterable[Key]) -> NDArray[np.int64]:
        return np.fromiter(map(self._row, keys), np.int64)

    def _vectors_of(self, keys: Sequence[Key]) -> NDArray[np.float32]:
        """Give vectors as rows, those of unseen words made of subwords."""
        return self._vectors_at(self._rows(keys), keys)

    def _vectors_at(self, rows: NDArray[np.int64], keys: Sequence[Key]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self._vectors[rows].astype(np.float32, copy=False)
        if self._subwords is not None and (rows < 0).any():
            unseen = np.flatnonzero(rows < 0).tolist()
            vectors[unseen] = self._subwords.vectors([str(keys[i]) for i in unseen])
        return vectors

    def _unit_vectors(self, keys: Sequence[Key]) -> NDArray[np.float32]:
        """Give vectors of length 1 as rows; those of zeros stay zeros."""
        rows = self._rows(keys)
        vectors, norms = self._vectors_at(rows, keys), self.norms[rows]
        if self._subwords is not None:
            norms[rows < 0] = row_norms(vectors[rows < 0])
        vectors /= divisors(norms)[:, None]
        return vectors

    def _check_vector(self, vector: Vector) -> Vector:
        if vector.shape != (self.vector_size,):
            raise ParameterError(
                f"a vector of shape {vector.shape} was given; these have ({self.vector_size},)"
            )
        return vector


class _RowOfWord(Mapping[str, int]):
    """The rows of the words, as a dictionary that is not there."""

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab

    def __getitem__(self, word: str) -> int:
        return self._vocab[word]

    def __contains__(self, word: object) -> bool:
        return word in self._vocab

    def __iter__(self) -> Iterator[str]:
        return iter(self._vocab)

    def __len__(self) -> int:
        return len(self._vocab)

    def __repr__(self) -> str:
        return f"<rows of {len(self):,} words>"


def divisors(norms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give what to divide by for length 1: 1 for a row of zeros, which stays as it is."""
    return np.where(norms == 0, np.float32(1), norms)


def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.sqrt(vector @ vector)
    return vector / length if length > 0 else vector

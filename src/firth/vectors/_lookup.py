"""Words and their vectors, to be looked up."""

from collections.abc import Iterable, Mapping, Sequence
from operator import index as as_index
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError, VocabularyError
from firth.formats import LoadReport, VectorTable
from firth.neighbours import row_norms
from firth.vectors._attributes import Attributes
from firth.vectors._matrix import VectorMatrix, check_dtype, divisors, has_direction, unit
from firth.vectors._questions import Key, Unseen, Vector, check_oov, is_key, words_of
from firth.vectors._word_matrix import WordMatrix, empty_vocab
from firth.vocab import Vocab, WordList

if TYPE_CHECKING:
    from firth.subwords import Subwords


class WordVectors:
    """A vocabulary and its matrix: what `KeyedVectors` looks up; see there."""

    def __init__(
        self,
        vocab: Vocab | int | None = None,
        vectors: NDArray[Any] | int | None = None,
        dtype: Any = np.float32,
        *,
        vector_size: int | None = None,
        count: int = 0,
        norms: NDArray[np.float32] | None = None,
        scales: NDArray[np.float32] | None = None,
        subwords: "Subwords | None" = None,
        config: Mapping[str, Any] | None = None,
        load_report: LoadReport | None = None,
    ) -> None:
        if not (vocab is None or is_key(vocab) or isinstance(vocab, Vocab)):
            raise ParameterError(f"vocab is {type(vocab).__name__}, not a Vocab")
        if not isinstance(vocab, Vocab):
            # gensim's way: the size of vectors that will be added, and how many.
            vector_size = vocab if vector_size is None else vector_size
            _check_empty(vector_size, count if vectors is None else vectors)
            empty = np.empty((0, cast("int", vector_size)), check_dtype("dtype", dtype))
            no_scales = np.empty(0, np.float32) if empty.dtype == np.int8 else None
            vocab, vectors, scales = empty_vocab(), empty, no_scales
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
        for name, each in (("norms", norms), ("scales", scales)):
            if each is not None and (each.shape != (len(vocab),) or each.dtype != np.float32):
                raise ParameterError(
                    f"{name} is {each.dtype} of shape {each.shape}; it must be float32 with one "
                    f"for each of the {len(vocab):,} words; leave it out if you have none"
                )
        if scales is not None and vectors.dtype != np.int8:
            raise ParameterError(f"scales belong to vectors of int8; these are {vectors.dtype}")
        if subwords is not None and subwords.vector_size != vectors.shape[1]:
            raise ParameterError(
                f"subwords makes vectors of size {subwords.vector_size}, but those of the words "
                f"have {vectors.shape[1]}"
            )
        self._data = WordMatrix(vocab, VectorMatrix(vectors, norms=norms, scales=scales))
        self._subwords = subwords
        self._load_report = load_report
        self._config = dict(config or {})
        self._attributes = Attributes()

    @classmethod
    def _of(cls, table: VectorTable, attributes: Attributes | None = None) -> Self:
        made = cls(
            table.vocab,
            table.vectors,
            norms=table.norms,
            scales=table.scales,
            subwords=table.subwords,
            config=table.config,
            load_report=table.report,
        )
        made._attributes = attributes or made._attributes
        return made

    def _table(self) -> VectorTable:
        return VectorTable(
            self._vocab,
            self._matrix.array,
            norms=self.norms,
            scales=self._matrix.scales,
            subwords=self._subwords,
            config=self._config,
        )

    # --- what is there --------------------------------------------------------------------------

    @property
    def _vocab(self) -> Vocab:
        return self._data.vocab

    @property
    def _matrix(self) -> VectorMatrix:
        return self._data.matrix

    @property
    def vocab(self) -> Vocab:
        """The words with their counts."""
        return self._vocab

    @property
    def vectors(self) -> NDArray[Any]:
        """All vectors, shape (n_words, vector_size), float32 or float16; read-only.

        Those of int8 are given as a copy of float32, four times as large as what is kept.
        """
        array = self._matrix.array
        if self._matrix.scales is not None:
            array = self._matrix.all_floats()
            array.flags.writeable = False
        return array

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the vectors are kept in: float32, float16 or int8."""
        kept: np.dtype[Any] = self._matrix.array.dtype
        return kept

    @property
    def vector_size(self) -> int:
        """The number of dimensions."""
        return int(self._matrix.array.shape[1])

    @property
    def norms(self) -> NDArray[np.float32]:
        """The lengths of the vectors, shape (n_words,); read-only."""
        norms = self._matrix.norms.view()
        norms.flags.writeable = False
        return norms

    @property
    def rows_without_direction(self) -> NDArray[np.int64]:
        """The rows of zeros, or with NaN or infinite numbers, which are never found."""
        return np.flatnonzero(~has_direction(self.norms))

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
        return self._vocab.token_to_idx

    def __len__(self) -> int:
        return len(self._data)

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a vector for a word; with subwords there is one for any."""
        return self.has_index_for(key) or (self._subwords is not None and isinstance(key, str))

    def __getitem__(self, key_or_keys: Key | Iterable[Key]) -> NDArray[np.float32]:
        if isinstance(key_or_keys, str) or not isinstance(key_or_keys, Iterable):
            return self.get_vector(key_or_keys)
        return self._vectors_of(list(key_or_keys))

    def __repr__(self) -> str:
        kept = "" if self.dtype == np.float32 else f", {self.dtype}"
        family = f", {self._subwords.family} subwords" if self._subwords is not None else ""
        return f"KeyedVectors({len(self):,} words, vector_size={self.vector_size}{kept}{family})"

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

    def get_vector(
        self, key: Key, norm: bool = False, oov: Unseen = "error"
    ) -> NDArray[np.float32]:
        """Return the vector of a word.

        Parameters
        ----------
        key : str or int
            The word. One that is not there gets the vector of its subwords, where there are some.
        norm : bool
            Scale it to length 1.
        oov : "error", "zero" or "mean"
            What to give for a word without a vector; see `get_vectors`.

        Returns
        -------
        numpy.ndarray of float32, shape (vector_size,)
            Read-only. Zeros for an unseen word without any subwords.

        Raises
        ------
        WordNotFoundError
            If the word is not there, and there are no subwords.
        """
        if check_oov(oov) == "skip":
            raise ParameterError("one vector cannot be skipped: oov must be error, zero or mean")
        vector: NDArray[np.float32]
        if norm or oov != "error" or (row := self._row(key)) < 0:
            vector = self.get_vectors([key], norm=norm, oov=oov)[0]
        else:
            vector = self._matrix.floats(slice(row, row + 1))[0]
        vector.flags.writeable = False
        return vector

    def get_vectors(
        self, keys: Iterable[Key], norm: bool = False, oov: Unseen = "error"
    ) -> NDArray[np.float32]:
        """Return the vectors of words as rows.

        Parameters
        ----------
        keys : iterable of str or int
            The words.
        norm : bool
            Scale each to length 1; rows of zeros stay as they are.
        oov : "error", "zero", "mean" or "skip"
            What to do about a word that has no vector, and no subwords: raise an error that has
            near spellings, give zeros, give the mean of all vectors, or leave it out, so that
            there are fewer rows than words.

        Returns
        -------
        numpy.ndarray of float32, shape (n_keys, vector_size)
            A copy.

        Raises
        ------
        WordNotFoundError
            If a word is not there and `oov` is "error".
        ParameterError
            If `keys` is a string.

        Examples
        --------
        >>> import numpy as np
        >>> from firth import KeyedVectors, Vocab
        >>> wv = KeyedVectors(Vocab.from_words(["a", "b"]), np.array([[1, 0], [0, 3]], np.float32))
        >>> wv.get_vectors(["b", "c"], oov="mean").tolist()
        [[0.0, 3.0], [0.5, 1.5]]
        """
        keys = words_of("keys", cast("Iterable[str]", keys))
        if check_oov(oov) == "error" or all(key in self for key in keys):
            return self._unit_vectors(keys) if norm else self._vectors_of(keys)
        known = np.array([key in self for key in keys], np.bool_)
        seen = self.get_vectors(
            [key for key, is_in in zip(keys, known, strict=True) if is_in], norm
        )
        if oov == "skip":
            return seen
        vectors = np.zeros((len(keys), self.vector_size), np.float32)
        if oov == "mean":
            mean = self._matrix.mean()
            vectors[:] = unit(mean) if norm else mean
        vectors[known] = seen
        return vectors

    def get_normed_vectors(self) -> NDArray[np.float32]:
        """Return all vectors scaled to length 1, shape (n_words, vector_size); rows of 0 stay 0."""
        result = np.array(self._matrix.all_floats(), np.float32)
        result /= divisors(self.norms)[:, None]
        return result

    def fill_norms(self, force: bool = False) -> None:
        """Compute `norms` now rather than when they are first needed; with `force` once more."""
        self._matrix.fill_norms(force=force)

    def get_vecattr(self, key: Key, attr: str) -> Any:
        """Return an attribute of a word: its count, or what `set_vecattr` has set.

        Parameters
        ----------
        key : str or int
            The word.
        attr : str
            "count": how often the word was seen in training; or an attribute of your own.

        Raises
        ------
        ParameterError
            If there is no such attribute.
        VocabularyError
            If the vectors come without counts.
        WordNotFoundError
            If the word is not there.
        """
        if attr == "count":
            count = int(self._vocab.counts[self.get_index(key)])
            if count == 0 and self._vocab.total_count == 0:
                raise VocabularyError("these vectors come without counts of their words")
            return count
        if attr not in self._attributes:
            names = ", ".join(["count", *self._attributes.names])
            raise ParameterError(f"no attribute {attr!r}; words have: {names}")
        return self._attributes.get(attr, self.get_index(key))

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
        vectors = self._matrix.floats(rows)
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


def _check_empty(vector_size: object, count: object) -> None:
    for name, value, least in (("vector_size", vector_size, 1), ("count", count, 0)):
        if not is_key(value) or isinstance(value, str) or as_index(cast("int", value)) < least:
            raise ParameterError(
                f"{name} is {value!r:.60}; give words and vectors, KeyedVectors(vocab, vectors) "
                f"with a Vocab, or the size of vectors that will be added, KeyedVectors(100)"
            )

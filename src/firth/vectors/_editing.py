"""Words and their vectors, to be changed."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firth.errors import ParameterError
from firth.formats import VectorTable
from firth.vectors._attributes import Attributes
from firth.vectors._lookup import WordVectors
from firth.vectors._matrix import VectorMatrix, check_dtype
from firth.vectors._questions import Key, is_key, words_of
from firth.vocab import Vocab, check_word

logger = logging.getLogger("firth")


class EditableVectors(WordVectors):
    """What `KeyedVectors` changes; see there."""

    @property
    def changed(self) -> bool:
        """Whether words or vectors are others than those that this was made of."""
        return self._data.changed

    def __setitem__(self, keys: Key | Sequence[Key], weights: ArrayLike) -> None:
        """Put vectors in place of those of words; words that are not there join.

        ``wv["king"] = vector``, ``wv[["king", "queen"]] = matrix``, ``wv[0] = vector`` (a row).
        """
        if not is_key(keys):
            self.add_vectors(cast("Sequence[Key]", keys), weights, replace=True)
        else:
            self.add_vectors([cast("Key", keys)], np.asarray(weights)[None], replace=True)

    def add_vector(self, key: str, vector: ArrayLike) -> int:
        """Add a word with its vector; one that is there keeps its own.

        Words that are added one by one are put behind the others together, when something is
        next asked.

        Parameters
        ----------
        key : str
            The word.
        vector : array_like, shape (vector_size,)
            Its vector.

        Returns
        -------
        int
            Its row.

        Raises
        ------
        ParameterError
            If the vector is none of numbers of this size.
        """
        self.add_vectors([key], np.asarray(vector)[None])
        return cast("int", self._data.row(key))

    def add_vectors(
        self,
        keys: Sequence[Key] | Key,
        weights: ArrayLike,
        extras: Mapping[str, ArrayLike] | None = None,
        replace: bool = False,
    ) -> None:
        """Add words with their vectors behind those that are there.

        A matrix that is mapped from a file, or that was given, is copied before its first change;
        the file stays as it is.

        Parameters
        ----------
        keys : sequence of str
            The words. One that is given twice counts as there the second time.
        weights : array_like, shape (n_keys, vector_size)
            A vector for each.
        extras : mapping of str to array_like, optional
            Attributes of the words, as `set_vecattr` sets them: a value for each word.
        replace : bool
            Whether words that are there get the new vector; they keep theirs otherwise. So do
            rows, which can be given by number to be replaced.

        Raises
        ------
        ParameterError
            If the vectors do not fit the words or the others.
        WordNotFoundError
            If a row is given that is not there.
        """
        if is_key(keys):
            keys, weights = [cast("Key", keys)], np.asarray(weights).reshape(1, -1)
        keys = list(cast("Sequence[Key]", keys))
        vectors = self._check_weights(keys, weights)
        values = {name: np.asarray(each) for name, each in (extras or {}).items()}
        for name, each in values.items():
            if each.shape[:1] != (len(keys),):
                raise ParameterError(
                    f"extras[{name!r}] has the shape {each.shape} for {len(keys):,} words; give "
                    f"one value for each"
                )
        for key in keys:  # all of them before the first joins
            if isinstance(key, str):
                check_word(key)
            else:
                self.get_index(key)
        taken = [self._take(*pair, replace=replace) for pair in zip(keys, vectors, strict=True)]
        old = [
            (i, key) for i, (key, how) in enumerate(zip(keys, taken, strict=True)) if how == "old"
        ]
        if old:
            # Of a word that is there twice the last vector counts.
            rows = {self.get_index(key): i for i, key in old}
            self._data.put(np.array(list(rows)), vectors[list(rows.values())])
        for name, each in values.items():
            for key, how, value in zip(keys, taken, each.tolist(), strict=True):
                if how:
                    self.set_vecattr(key, name, value)
        if "new" in taken:
            self._drop_rows_of_words()

    def set_vecattr(self, key: Key, attr: str, val: Any) -> None:
        """Set an attribute of a word.

        Attributes of numbers are kept in the folder that `save` writes.

        Parameters
        ----------
        key : str or int
            The word.
        attr : str
            The name. "count" is how often the word was seen.
        val : object
            The value. Those of one name are of one type, that of the first; words without one
            have 0, or None.

        Raises
        ------
        WordNotFoundError
            If the word is not there.
        ParameterError
            If the value is of another type than those before.
        """
        row = self.get_index(key)
        if attr == "count":
            if not is_key(val) or isinstance(val, str) or val < 0:
                raise ParameterError(f"count must be a whole number of 0 or more, not {val!r}")
            self._data.set_counts(row, val)
            return
        self._attributes.set(attr, row, val, len(self))

    def unit_normalize_all(self) -> None:
        """Scale all vectors to length 1, in place; rows of zeros stay as they are."""
        self._data.make_unit()

    def sort_by_descending_frequency(self) -> None:
        """Bring words and vectors into the order of falling counts; equal ones stay in theirs."""
        order = np.argsort(-self._vocab.counts, kind="stable")
        if (np.diff(order) == 1).all():
            return
        self._attributes = self._attributes.selected(order, len(self))
        if self._subwords is not None:
            self._subwords = self._subwords.select_words(order)
        self._data.reorder(order)

    # --- others made of these ---------------------------------------------------------------------

    def astype(self, dtype: Any) -> Self:
        """Return the same words with vectors in another precision.

        Parameters
        ----------
        dtype : "float32", "float16" or "int8"
            What to keep the vectors in. Of int8, each row has a scale of its own, so that its
            largest number is 127; the matrix takes a quarter of the memory. Neighbours are
            searched in what is kept, without it being converted as a whole.

        Returns
        -------
        KeyedVectors
            A copy.

        Raises
        ------
        ParameterError
            If it is another type.

        Examples
        --------
        >>> import numpy as np
        >>> from firth import KeyedVectors, Vocab
        >>> wv = KeyedVectors(Vocab.from_words(["a", "b"]), np.array([[1, 0], [2, 3]], np.float32))
        >>> wv.astype("int8")["b"]
        array([2.007874, 3.      ], dtype=float32)
        """
        matrix = self._matrix.astype(check_dtype("dtype", dtype))
        table = VectorTable(
            self._vocab,
            matrix.array,
            norms=matrix.norms if matrix.scales is not None else None,
            scales=matrix.scales,
            subwords=self._subwords,
            config=self._config,
            report=self._load_report,
        )
        return self._of(table, self._attributes.selected(np.arange(len(self)), len(self)))

    def vectors_for_all(
        self, keys: Iterable[str], allow_inference: bool = True, copy_vecattrs: bool = False
    ) -> Self:
        """Make vectors of some words, in the order given, such as those of a corpus.

        Parameters
        ----------
        keys : iterable of str
            The words; each counts once, and those that have no vector are left out.
        allow_inference : bool
            Whether words that are not there get the vector of their subwords, where there are some.
        copy_vecattrs : bool
            Whether counts and attributes of the words are kept. Words made of subwords have none.

        Returns
        -------
        KeyedVectors
            New vectors, without subwords.

        Raises
        ------
        ParameterError
            If `keys` is a string, or holds something else than words.
        """
        is_known = self.__contains__ if allow_inference else self.has_index_for
        words = list(filter(is_known, dict.fromkeys(words_of("keys", keys))))
        if not words:
            return type(self)(vector_size=self.vector_size, dtype=self.dtype)
        rows, counts, attributes = self._vocab.ids(words), None, Attributes()
        if copy_vecattrs:
            counts = np.where(rows >= 0, self._vocab.counts[rows], 0)
            attributes = self._attributes.selected(rows, len(self))
        matrix = VectorMatrix(self.get_vectors(words)).astype(self.dtype)
        table = VectorTable(Vocab.from_words(words, counts), matrix.array, scales=matrix.scales)
        return self._of(table, attributes)

    # --- within -----------------------------------------------------------------------------------

    def _take(self, key: Key, vector: NDArray[np.float32], *, replace: bool) -> str:
        """Add a new word, and tell what is to be done about an old one."""
        if isinstance(key, str) and self._data.row(key) is None:
            self._data.add(key, vector)
            return "new"
        return "old" if replace else ""

    def _check_weights(self, keys: Sequence[Key], weights: ArrayLike) -> NDArray[np.float32]:
        try:
            vectors = np.asarray(weights)
        except ValueError:  # rows of different lengths
            vectors = np.empty((0, 0), object)
        if vectors.shape != (len(keys), self.vector_size) and not (len(keys) == vectors.size == 0):
            raise ParameterError(
                f"vectors of shape {vectors.shape} for {len(keys):,} words; give numbers of shape "
                f"({len(keys)}, {self.vector_size})"
            )
        if vectors.dtype.kind not in "fiu":
            raise ParameterError(f"vectors are {vectors.dtype}; give numbers")
        # A copy: they may wait for a while.
        return np.array(vectors, np.float32).reshape(len(keys), self.vector_size)

    def _drop_rows_of_words(self) -> None:
        """Forget what the words are without their subwords, as the new ones have none of that."""
        subwords = self._subwords
        if subwords is not None and getattr(subwords, "word_rows", None) is not None:
            tensors = {k: v for k, v in subwords.tensors().items() if k != "word_rows"}
            self._subwords = type(subwords).from_parts(subwords.config(), tensors)

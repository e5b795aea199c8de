"""Words and their vectors, to be asked and kept."""

import logging
from collections.abc import Iterable, Sequence
from operator import index as as_index
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError
from firth.neighbours import top_k
from firth.vectors._evaluation import EvaluatedVectors
from firth.vectors._lookup import divisors, unit
from firth.vectors._questions import (
    Key,
    Question,
    Terms,
    Vector,
    is_key,
    sides,
    weighted_terms,
    words_of,
)

logger = logging.getLogger("firth")

# Questions that are answered at a time: bounds the memory for their vectors and results.
_BATCH = 4096
_CONVERTED_ROWS = 1 << 14

Neighbours = list[tuple[str, float]]


class KeyedVectors(EvaluatedVectors):
    """Words and their vectors, to be asked; names and meanings are those of gensim 4.

    Wherever a word is asked for, the number of its row does as well.

    Parameters
    ----------
    vocab : Vocab
        The words, one for each row.
    vectors : numpy.ndarray, shape (n_words, vector_size)
        Their vectors. Float32 and float16 that is C-contiguous is kept as it is, not copied: do
        not change it. Float16 is searched as it is; vectors that are handed out are float32.
    norms : numpy.ndarray of float32, shape (n_words,), optional
        The lengths of the vectors; computed when they are needed otherwise.
    subwords : Subwords, optional
        What makes vectors for words that are not there. With subwords any word has a vector, and
        whatever asks for one takes it; neighbours are looked for among the words that are there.
    config : dict, optional
        How the vectors were made; kept in the ``config.json`` of the folder that `save` writes.
    load_report : LoadReport, optional
        What was repaired while the vectors were read.

    Raises
    ------
    ParameterError
        If the vectors are no matrix of numbers with one row for each word, or those of subwords
        have another size.

    Notes
    -----
    A row of zeros has no direction: its similarity to everything is 0. One with NaN has a
    similarity of NaN. Neither is ever found as a neighbour, nor has any.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.vectors import KeyedVectors
    >>> from firth.vocab import Vocab
    >>> vocab = Vocab.from_words(["king", "queen", "cabbage"])
    >>> wv = KeyedVectors(vocab, np.array([[4, 1], [4, 2], [-1, 3]], np.float32))
    >>> wv.most_similar("king", topn=1)[0][0]
    'queen'
    >>> wv.doesnt_match(["king", "queen", "cabbage"])
    'cabbage'
    """

    # --- nearest neighbours ---------------------------------------------------------------------

    @overload
    def most_similar(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: int = ...,
        clip_start: int = ...,
        clip_end: int | None = ...,
        restrict_vocab: int | None = ...,
    ) -> Neighbours: ...
    @overload
    def most_similar(
        self,
        positive: Terms = ...,
        negative: Terms = ...,
        topn: None = ...,
        clip_start: int = ...,
        clip_end: int | None = ...,
        restrict_vocab: int | None = ...,
    ) -> NDArray[np.float32]: ...
    def most_similar(
        self,
        positive: Terms = None,
        negative: Terms = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words nearest to a sum of words and vectors.

        "a is to b as c is to ...?" is ``most_similar(positive=[b, c], negative=[a])``: 3CosAdd of
        Mikolov, Yih and Zweig (2013), "Linguistic Regularities in Continuous Space Word
        Representations", section 4.

        Parameters
        ----------
        positive, negative : str, int, numpy.ndarray, tuple, or a list of these, optional
            What counts for and against: words, whose vectors are scaled to length 1; arrays of
            shape (vector_size,), which are taken as they are; or pairs of one of these and its
            weight, in place of 1 and -1.
        topn : int or None
            How many words to find; None for the similarities of all.
        clip_start, clip_end : int
            Look only among the rows from `clip_start` to before `clip_end`.
        restrict_vocab : int, optional
            Look only among this many first (most frequent) words; goes before the clips.

        Returns
        -------
        list of (str, float), or numpy.ndarray of float32, shape (clip_end - clip_start,)
            Words with their cosine, nearest first; the words asked with are left out. With
            ``topn=None`` the cosines of all rows, those too.

        Raises
        ------
        WordNotFoundError
            If a word is not there.
        ParameterError
            If there is nothing to ask with, or a vector has another size.
        """
        begin, end = self._clip(clip_start, clip_end, restrict_vocab)
        direction, rows = self._direction(positive, negative)
        if topn is None:
            return self._cosines(direction, begin, end)
        exclude = [row - begin for row in rows if begin <= row < end]
        found, scores = top_k(
            self._vectors[begin:end],
            self.norms[begin:end],
            direction[None],
            _check_topn(topn),
            [exclude],
        )
        return self._tell(found + begin * (found >= 0), scores)[0]

    def most_similar_many(
        self, questions: Iterable[Question] | NDArray[Any], topn: int = 10
    ) -> list[Neighbours]:
        """Ask many questions at once; far faster than one after the other.

        Parameters
        ----------
        questions : iterable, or numpy.ndarray of shape (n_questions, vector_size)
            Each a word, a vector, or a pair (positive, negative) of what `most_similar` takes.
        topn : int
            How many words to find for each.

        Returns
        -------
        list of list of (str, float)
            What `most_similar` gives for each.

        Raises
        ------
        WordNotFoundError
            If a word is not there.
        ParameterError
            If a question is none, or a vector has another size.

        Examples
        --------
        ``wv.most_similar_many(["king", (["woman", "son"], ["man"])], topn=1)`` gives the nearest
        word of each of the two questions.
        """
        topn = _check_topn(topn)
        questions = words_of("questions", questions)  # type: ignore[arg-type]
        results: list[Neighbours] = []
        for first in range(0, len(questions), _BATCH):
            asked = [
                self._direction(*sides(question)) for question in questions[first : first + _BATCH]
            ]
            directions = np.stack([direction for direction, _ in asked])
            exclude = [rows for _, rows in asked]
            found = top_k(self._vectors, self.norms, directions, topn, exclude)
            results += self._tell(*found)
        return results

    def similar_by_word(
        self, word: Key, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words nearest to a word; as `most_similar` of it."""
        return self.similar_by_key(word, topn, restrict_vocab)

    def similar_by_key(
        self, key: Key, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words nearest to a word; as `most_similar` of it."""
        return self.most_similar([key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_vector(
        self, vector: Vector, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Neighbours | NDArray[np.float32]:
        """Find the words nearest to a vector, shape (vector_size,); as `most_similar` of it."""
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    # --- similarities ---------------------------------------------------------------------------

    def similarity(self, w1: Key, w2: Key) -> float:
        """Return the cosine of the angle between the vectors of two words, from -1 to 1."""
        a, b = self._unit_vectors([w1, w2])
        return float(a @ b)

    def distance(self, w1: Key, w2: Key) -> float:
        """Return 1 - `similarity` of two words, from 0 to 2."""
        return 1.0 - self.similarity(w1, w2)

    def distances(
        self, word_or_vector: Key | Vector, other_words: Iterable[Key] = ()
    ) -> NDArray[np.float32]:
        """Return the distances (1 - cosine) of a word or vector to others.

        Parameters
        ----------
        word_or_vector : str, int, or numpy.ndarray of shape (vector_size,)
            Where to measure from.
        other_words : iterable of str
            Where to measure to; all words if there are none.

        Returns
        -------
        numpy.ndarray of float32, shape (n_other_words,) or (n_words,)
            From 0 to 2.
        """
        if isinstance(word_or_vector, np.ndarray):
            vector = self._check_vector(word_or_vector)
        else:
            vector = self.get_vector(word_or_vector)
        direction = unit(vector.astype(np.float64)).astype(np.float32)
        others = words_of("other_words", other_words)  # type: ignore[arg-type]
        if not others:
            return 1 - self._cosines(direction, 0, len(self))
        return 1 - self._unit_vectors(others) @ direction

    def doesnt_match(self, words: Iterable[Key]) -> str:
        """Tell which word does not go with the others: the one furthest from their mean.

        Parameters
        ----------
        words : iterable of str
            The words; those that are not there are left out with a warning in the log.

        Returns
        -------
        str
            The one whose cosine to the mean of all, each scaled to length 1, is the lowest.

        Raises
        ------
        ParameterError
            If none of the words is there, or `words` is a string.
        """
        words = words_of("words", words)  # type: ignore[arg-type]
        used = [word for word in words if word in self]
        if len(used) < len(words):
            missing = [word for word in words if word not in self]
            logger.warning("doesnt_match: left out, as they have no vectors: %s", missing)
        if not used:
            raise ParameterError("none of the words has a vector; give some that have")
        vectors = self._unit_vectors(used).astype(np.float64)
        scores = vectors @ unit(vectors.mean(axis=0))
        scores[np.isnan(scores)] = -np.inf
        return min(zip(scores.tolist(), used, strict=True))[1]

    def n_similarity(self, ws1: Sequence[Key], ws2: Sequence[Key]) -> float:
        """Return the cosine of the means of two sets of words; those not there are left out.

        Raises
        ------
        ParameterError
            If one of the sets is empty.
        """
        means = [self.get_mean_vector(words, pre_normalize=False) for words in (ws1, ws2)]
        a, b = (unit(mean.astype(np.float64)) for mean in means)
        return float(a @ b)

    def closer_than(self, key1: Key, key2: Key) -> list[str]:
        """Return the words nearer to `key1` than `key2` is, in the order of their rows.

        Both may be unseen words with subwords; the answer is of words that are there.
        """
        return self._vocab.words_at(self._closer_rows(key1, key2))

    def rank(self, key1: Key, key2: Key) -> int:
        """Return the place of `key2` among the neighbours of `key1`; the nearest has 1."""
        return len(self._closer_rows(key1, key2)) + 1

    # --- within -----------------------------------------------------------------------------------

    def _clip(self, start: int, end: int | None, restrict_vocab: int | None) -> tuple[int, int]:
        for name, value in (("clip_start", start), ("restrict_vocab", restrict_vocab or 0)):
            if value < 0:
                raise ParameterError(f"{name} must be 0 or more, not {value}")
        if restrict_vocab:
            start, end = 0, restrict_vocab
        # gensim takes 0 for "to the end", too.
        begin, end, _ = slice(start, end or None).indices(len(self))
        return begin, max(begin, end)

    def _direction(self, positive: Terms, negative: Terms) -> tuple[NDArray[np.float32], list[int]]:
        """Give the direction of a question, of length 1, and the rows of its words."""
        asked = weighted_terms(positive, negative)
        direction = self.get_mean_vector(
            asked.terms, asked.weights, post_normalize=True, ignore_missing=False
        )
        rows = [self._row(term) for term in asked.terms if not isinstance(term, np.ndarray)]
        return direction, [row for row in rows if row >= 0]

    def _cosines(self, direction: NDArray[np.float32], begin: int, end: int) -> NDArray[np.float32]:
        cosines = np.empty(end - begin, np.float32)
        # Half precision is converted a part at a time.
        step = len(cosines) if self._vectors.dtype == np.float32 else _CONVERTED_ROWS
        with np.errstate(invalid="ignore", over="ignore"):
            for first in range(0, len(cosines), step or 1):
                rows = slice(begin + first, min(begin + first + step, end))
                some = self._vectors[rows].astype(np.float32, copy=False)
                cosines[first : first + step] = (some @ direction) / divisors(self.norms[rows])
        return cosines

    def _closer_rows(self, key1: Key, key2: Key) -> NDArray[np.int64]:
        row1, row2 = self._row(key1), self._row(key2)
        distances = self.distances(key1)
        closer = distances < (distances[row2] if row2 >= 0 else self.distances(key1, [key2])[0])
        if row1 >= 0:
            closer[row1] = False
        return np.flatnonzero(closer)

    def _tell(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> list[Neighbours]:
        """Put words to the rows that were found; -1 stands for none."""
        words = iter(self._vocab.words_at(rows[rows >= 0]))
        result: list[Neighbours] = []
        for some, values in zip(rows.tolist(), scores.tolist(), strict=True):
            # Rows come first, so that zip takes no word for one that is not there.
            found = [value for row, value in zip(some, values, strict=True) if row >= 0]
            result.append([(next(words), value) for value in found])
        return result


def _check_topn(topn: object) -> int:
    if not is_key(topn) or isinstance(topn, str):
        raise ParameterError(f"topn must be a whole number, not {topn!r}")
    return max(0, as_index(topn))  # type: ignore[arg-type]

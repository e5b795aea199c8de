"""Words and their vectors, to be compared with each other."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firth.errors import ParameterError
from firth.vectors._files import StoredVectors
from firth.vectors._matrix import unit
from firth.vectors._movers import movers_distance
from firth.vectors._questions import Key, Vector, words_of

logger = logging.getLogger("firth")


class ComparedVectors(StoredVectors):
    """What `KeyedVectors` compares; see there."""

    # --- means ------------------------------------------------------------------------------------

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
            return 1 - self._matrix.cosines(direction, 0, len(self))
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
        return self.rank_by_centrality(words)[-1][1]

    def rank_by_centrality(
        self, words: Iterable[Key], use_norm: bool = True
    ) -> list[tuple[float, str]]:
        """Rank words by how near they are to the mean of all of them.

        Parameters
        ----------
        words : iterable of str
            The words; those that are not there are left out with a warning in the log.
        use_norm : bool
            Whether vectors are scaled to length 1 before, so that scores are cosines. Otherwise
            scores are lengths along the mean.

        Returns
        -------
        list of (float, str)
            Score and word, the nearest first.

        Raises
        ------
        ParameterError
            If none of the words is there, or `words` is a string.
        """
        words = words_of("words", words)  # type: ignore[arg-type]
        used = [word for word in words if word in self]
        if len(used) < len(words):
            missing = [word for word in words if word not in self]
            logger.warning("words left out, as they have no vectors: %s", missing)
        if not used:
            raise ParameterError("none of the words has a vector; give some that have")
        vectors = self.get_vectors(used, norm=use_norm).astype(np.float64)
        scores = vectors @ unit(vectors.mean(axis=0))
        scores[np.isnan(scores)] = -np.inf
        return sorted(zip(scores.tolist(), used, strict=True), reverse=True)

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

    def most_similar_to_given(self, key1: Key, keys_list: Sequence[Key]) -> Key:
        """Return the one of some words that is most similar to `key1`, the first of the best.

        Raises
        ------
        ParameterError
            If there is none to choose from.
        """
        keys = words_of("keys_list", keys_list)  # type: ignore[arg-type]
        if not keys:
            raise ParameterError("keys_list is empty; give some words to choose from")
        cosines = self._unit_vectors(keys) @ self._unit_vectors([key1])[0]
        return keys[int(np.argmax(np.nan_to_num(cosines, nan=-np.inf)))]

    @staticmethod
    def cosine_similarities(vector_1: ArrayLike, vectors_all: ArrayLike) -> NDArray[Any]:
        """Return the cosines of one vector with others.

        Parameters
        ----------
        vector_1 : array_like, shape (vector_size,)
            The one.
        vectors_all : array_like, shape (n_vectors, vector_size)
            The others, as rows.

        Returns
        -------
        numpy.ndarray, shape (n_vectors,)
            From -1 to 1; 0 where one of the two is of zeros.

        Raises
        ------
        ParameterError
            If the shapes do not fit.

        Examples
        --------
        >>> from firth import KeyedVectors
        >>> KeyedVectors.cosine_similarities([3, 4], [[1, 0], [0, 2], [0, 0]]).tolist()
        [0.6, 0.8, 0.0]
        """
        one, others = np.asarray(vector_1), np.asarray(vectors_all)
        if one.ndim != 1 or others.ndim != 2 or others.shape[1] != len(one):
            raise ParameterError(
                f"vector_1 has the shape {one.shape} and vectors_all {others.shape}; give "
                f"(vector_size,) and (n_vectors, vector_size)"
            )
        lengths = np.linalg.norm(one) * np.linalg.norm(others, axis=1)
        cosines: NDArray[Any] = (others @ one) / np.where(lengths == 0, 1, lengths)
        return cosines

    def wmdistance(
        self, document1: Iterable[str], document2: Iterable[str], norm: bool = True
    ) -> float:
        """Return the Word Mover's Distance of two documents.

        The least way that the words of one must travel to become those of the other, where each
        word weighs what its share of the document is: Kusner, Sun, Kolkin and Weinberger (2015),
        "From Word Embeddings To Document Distances", section 4. Solved exactly, by the package
        POT.

        Parameters
        ----------
        document1, document2 : iterable of str
            Words; those that have no vector are left out.
        norm : bool
            Whether vectors are scaled to length 1 before.

        Returns
        -------
        float
            0 for the same words, whatever their order; infinity if a document has no known word.

        Raises
        ------
        MissingExtraError
            If the package POT is not installed (the extra "wmd").
        ParameterError
            If a document is a string.
        """
        documents = [words_of("document1", document1), words_of("document2", document2)]
        known = [[word for word in words if word in self] for words in documents]
        if not all(known):
            logger.warning("a document has no word that has a vector: its distance is infinite")
            return float("inf")
        distinct = [list(dict.fromkeys(words)) for words in known]
        vectors = [self.get_vectors(words, norm=norm) for words in distinct]
        shares = [
            np.array([words.count(word) for word in each]) / len(words)
            for words, each in zip(known, distinct, strict=True)
        ]
        return movers_distance(vectors[0], shares[0], vectors[1], shares[1])

    def closer_than(self, key1: Key, key2: Key) -> list[str]:
        """Return the words nearer to `key1` than `key2` is, in the order of their rows.

        Both may be unseen words with subwords; the answer is of words that are there.
        """
        return self._vocab.words_at(self._closer_rows(key1, key2))

    def rank(self, key1: Key, key2: Key) -> int:
        """Return the place of `key2` among the neighbours of `key1`; the nearest has 1."""
        return len(self._closer_rows(key1, key2)) + 1

    # --- within -----------------------------------------------------------------------------------

    def _closer_rows(self, key1: Key, key2: Key) -> NDArray[np.int64]:
        row1, row2 = self._row(key1), self._row(key2)
        distances = self.distances(key1)
        closer = distances < (distances[row2] if row2 >= 0 else self.distances(key1, [key2])[0])
        if row1 >= 0:
            closer[row1] = False
        return np.flatnonzero(closer)

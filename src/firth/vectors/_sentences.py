"""Words and their vectors, to be asked about sentences."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from firth.errors import ParameterError
from firth.vectors._editing import EditableVectors
from firth.vectors._matrix import unit
from firth.vocab import smooth_inverse_frequency


class SentenceVectors(EditableVectors):
    """What `KeyedVectors` tells of sentences; see there."""

    def sentence_similarity(
        self,
        sentence1: str | Sequence[str],
        sentence2: str | Sequence[str],
        weighting: Literal["mean", "sif"] = "mean",
        a: float = 1e-3,
    ) -> float:
        """Return the cosine of the weighted means of the words of two sentences.

        `firth.SentenceEncoder` does more, and is faster for many.

        Parameters
        ----------
        sentence1, sentence2 : str, or sequence of str
            The sentences; strings are split into words, as ``tokenizer="words"`` does. A word that
            is not there is looked for in lower case, and else left out.
        weighting : "mean" or "sif"
            The plain mean, or words weighted by smooth inverse frequency, a / (a + p).
        a : float
            Of "sif": the share of the text at which a word weighs one half.

        Returns
        -------
        float
            From -1 to 1; 0 where a sentence has no word with a vector.

        Raises
        ------
        ParameterError
            If `weighting` is something else, or "sif" and the vectors come without counts.

        Examples
        --------
        ``wv.sentence_similarity("a king rules", "the queen reigned", weighting="sif")``
        """
        if weighting not in {"mean", "sif"}:
            raise ParameterError(
                f"weighting is {weighting!r}, which is none of mean, sif; firth.SentenceEncoder "
                f"has tfidf"
            )
        weights = None
        if weighting == "sif":
            weights = smooth_inverse_frequency(self._vocab.counts, a)
        first, second = (self._mean_of(words, weights) for words in (sentence1, sentence2))
        return float(first @ second)

    def _mean_of(
        self, sentence: str | Sequence[str], weights: NDArray[np.float32] | None
    ) -> NDArray[np.float64]:
        """Give the direction of the words of a sentence."""
        if isinstance(sentence, str):
            from firth.text import make_tokenizer

            lines = make_tokenizer("words").sentences(sentence.encode("utf-8", "replace"))
            sentence = [word for words in lines for word in words]
        words = [word if word in self else word.lower() for word in sentence]
        words = [word for word in words if word in self]
        if not words:
            return np.zeros(self.vector_size)
        vectors = self._vectors_of(words).astype(np.float64)
        vectors[~np.isfinite(vectors).all(axis=1)] = 0
        if weights is not None:
            rows = self._rows(words)
            vectors *= np.where(rows < 0, 1, weights[rows])[:, None]
        return unit(vectors.sum(axis=0))

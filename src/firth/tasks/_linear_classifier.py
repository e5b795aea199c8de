"""A classifier that is linear in counts of words, or in the mean of their vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, MissingExtraError
from firth.sentences import SentenceEncoder
from firth.sequences import TextEncoder
from firth.tasks._settings import weights_of_classes
from firth.tasks._words import training_words, with_unseen_words
from firth.vectors import KeyedVectors
from firth.vocab import Vocab, embedding_matrix

try:
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
except ImportError as error:
    raise MissingExtraError("sklearn", "tasks", "a linear classifier") from error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from firth.sequences import Text
    from firth.tasks._settings import Settings

_MOST_STEPS = 1000


class BagOfWords:
    """Texts as counts of their words, each text scaled to length 1.

    With inverse document frequencies, a count n becomes 1 + log(n) before it is weighted by them.

    Attributes
    ----------
    idf : numpy.ndarray of float64, shape (n_words,), or None
        The inverse document frequency of each word; None for plain counts.
    """

    def __init__(self, vocab: Vocab, settings: Settings, idf: NDArray[np.float64] | None) -> None:
        self.vocab, self.idf = vocab, idf
        self._encoder = TextEncoder(
            vocab, tokenizer=settings.tokenizer, lowercase=settings.lowercase, unknown=False
        )

    @classmethod
    def learn(cls, texts: Sequence[Text], settings: Settings) -> BagOfWords:
        """Find the words of texts, and how many texts each is in."""
        counts = training_words(texts, settings)
        vocab = Vocab(counts, unknown_token=None, padding_token=None)
        made = cls(vocab, settings, None)
        if settings.model == "tfidf":
            made.idf = TfidfTransformer().fit(made._counts(texts)).idf_
        return made

    def _counts(self, texts: Sequence[Text]) -> Any:
        sequences = self._encoder.sequences(texts)
        ends = np.cumsum([0, *(len(ids) for ids in sequences)])
        ids = np.concatenate([np.empty(0, np.int32), *sequences])
        shape = (len(sequences), len(self.vocab))
        matrix = sparse.csr_matrix((np.ones(len(ids)), ids, ends), shape)
        matrix.sum_duplicates()
        return matrix

    def features(self, texts: Sequence[Text]) -> Any:
        """Make a sparse matrix of texts, shape (n_texts, n_words)."""
        counts = self._counts(texts)
        weigh = TfidfTransformer(use_idf=self.idf is not None, sublinear_tf=self.idf is not None)
        if self.idf is None:
            weigh.fit(counts)
        else:
            weigh.idf_ = self.idf
        return weigh.transform(counts)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Give what was learned."""
        return {} if self.idf is None else {"idf": self.idf}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[Any]], vocab: Vocab, settings: Settings
    ) -> BagOfWords:
        """Make it of what `tensors` gave."""
        if settings.model == "counts":
            return cls(vocab, settings, None)
        return cls(vocab, settings, _tensor(tensors, "idf", (len(vocab),)))


class MeanVector:
    """Texts as means of their words' vectors, each dimension scaled to the same spread.

    Attributes
    ----------
    encoder : SentenceEncoder
        Makes the means, plain or weighted by smooth inverse frequency.
    scale : numpy.ndarray of float64, shape (2, vector_size)
        The mean of each dimension over the texts, and its standard deviation.
    """

    def __init__(self, encoder: SentenceEncoder, scale: NDArray[np.float64]) -> None:
        self.encoder, self.scale = encoder, scale

    @classmethod
    def learn(cls, texts: Sequence[Text], wv: KeyedVectors, settings: Settings) -> MeanVector:
        """Learn from texts what their means have in common."""
        words = with_unseen_words(training_words(texts, settings), wv, settings)
        found = wv.vocab.ids(words)
        has = wv.vocab.ids([word.lower() for word in words])
        counts = np.where(found >= 0, wv.vocab.counts[found], wv.vocab.counts[has])
        vocab = Vocab.from_words(words, np.where((found < 0) & (has < 0), 0, counts))
        matrix, _ = embedding_matrix(vocab, wv)
        # A word without a vector is no word here: zeros would count in the mean.
        matrix[~matrix.any(axis=1)] = np.nan
        encoder = _mean_encoder(vocab, matrix, settings)
        vectors = encoder.fit_transform(texts).astype(np.float64)
        spread = vectors.std(axis=0)
        scale = np.stack([vectors.mean(axis=0), np.where(spread > 0, spread, 1)])
        return cls(encoder, scale)

    @property
    def vocab(self) -> Vocab:
        """The words."""
        return self.encoder.wv.vocab

    def features(self, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Make vectors of texts, shape (n_texts, vector_size)."""
        mean, spread = self.scale
        features: NDArray[np.float64] = (self.encoder.transform(texts) - mean) / spread
        return features

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Give what was learned."""
        return {
            "embedding.weight": self.encoder.wv.vectors,
            "weights": self.encoder.weights_,
            "components": self.encoder.components_,
            "scale": self.scale,
        }

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[Any]], vocab: Vocab, settings: Settings
    ) -> MeanVector:
        """Make it of what `tensors` gave."""
        matrix = _tensor(tensors, "embedding.weight", (len(vocab), None), np.float32)
        size = matrix.shape[1]
        encoder = _mean_encoder(vocab, matrix, settings)
        encoder.weights_ = _tensor(tensors, "weights", (len(vocab),), np.float32)
        encoder.components_ = _tensor(tensors, "components", (None, size), np.float32)
        return cls(encoder, _tensor(tensors, "scale", (2, size)))


def _mean_encoder(vocab: Vocab, matrix: NDArray[np.float32], settings: Settings) -> SentenceEncoder:
    weighting: Any = settings.model
    return SentenceEncoder(
        KeyedVectors(vocab, matrix),
        weighting,
        tokenizer=settings.tokenizer,
        lowercase=settings.lowercase,
    )


class LinearClassifier:
    """Logistic regression over features of texts.

    Attributes
    ----------
    features : BagOfWords or MeanVector
        Makes the features.
    model : sklearn.linear_model.LogisticRegression
        Gives probabilities of them.
    """

    def __init__(self, features: BagOfWords | MeanVector, model: LogisticRegression) -> None:
        self.features, self.model = features, model

    @classmethod
    def learn(
        cls,
        texts: Sequence[Text],
        numbers: NDArray[np.int64],
        classes: list[Any],
        wv: KeyedVectors | None,
        settings: Settings,
    ) -> LinearClassifier:
        """Learn from texts and the numbers of their classes."""
        features: BagOfWords | MeanVector
        if wv is not None and settings.needs_vectors:
            features = MeanVector.learn(texts, wv, settings)
        else:
            features = BagOfWords.learn(texts, settings)
        counts = np.bincount(numbers, minlength=len(classes)).tolist()
        weights = weights_of_classes(settings.class_weight, classes, counts)
        model = LogisticRegression(
            C=settings.c,
            class_weight=None if weights is None else dict(enumerate(weights)),
            max_iter=_MOST_STEPS,
            random_state=settings.seed,
        )
        return cls(features, model.fit(features.features(texts), numbers))

    def log_probabilities(self, texts: Sequence[Text]) -> NDArray[np.float32]:
        """Give the logarithms of the classes' probabilities, shape (n_texts, n_classes)."""
        found = self.model.predict_log_proba(self.features.features(texts))
        return np.asarray(found, np.float32)

    # --- keeping --------------------------------------------------------------------------------

    @property
    def vocab(self) -> Vocab:
        """The words."""
        return self.features.vocab

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Give what was learned."""
        weights = {"coef": self.model.coef_, "intercept": self.model.intercept_}
        return weights | self.features.tensors()

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[Any]], vocab: Vocab, n_classes: int, settings: Settings
    ) -> LinearClassifier:
        """Make a classifier of what `tensors` gave.

        Raises
        ------
        FormatError
            If they do not fit the settings.
        """
        features: BagOfWords | MeanVector
        if settings.needs_vectors:
            features = MeanVector.from_tensors(tensors, vocab, settings)
            n_features = features.scale.shape[1]
        else:
            features = BagOfWords.from_tensors(tensors, vocab, settings)
            n_features = len(vocab)
        # Two classes have one row of weights: scikit-learn's way.
        n_rows = 1 if n_classes == 2 else n_classes
        model = LogisticRegression(C=settings.c, max_iter=_MOST_STEPS, random_state=settings.seed)
        model.coef_ = _tensor(tensors, "coef", (n_rows, n_features))
        model.intercept_ = _tensor(tensors, "intercept", (n_rows,))
        model.classes_ = np.arange(n_classes)
        return cls(features, model)


def _tensor(
    tensors: Mapping[str, NDArray[Any]],
    name: str,
    shape: tuple[int | None, ...],
    dtype: type = np.float64,
) -> NDArray[Any]:
    """Take a tensor that must have a shape; None is any size."""
    array = tensors.get(name)
    fits = array is not None and len(array.shape) == len(shape)
    if array is None or not fits or array.dtype != dtype:
        raise FormatError(f"has no tensor {name!r} of {np.dtype(dtype)} and shape {shape}")
    sizes = zip(array.shape, shape, strict=True)
    if any(want is not None and have != want for have, want in sizes):
        raise FormatError(f"has the tensor {name!r} with the shape {array.shape}, not {shape}")
    return array

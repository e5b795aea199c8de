"""Word vectors in scikit-learn's pipelines; extra ``sklearn``.

::

    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from firth.sklearn import WordVectorizer

    model = make_pipeline(WordVectorizer(wv, weighting="sif"), LogisticRegression())
    model.fit(texts, labels)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from firth.errors import MissingExtraError, ParameterError
from firth.sentences import SentenceEncoder
from firth.vectors import KeyedVectors

try:
    from sklearn.base import (
        BaseEstimator,
        ClassNamePrefixFeaturesOutMixin,
        TransformerMixin,
        clone,
    )
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtraError("sklearn", "sklearn", "firth.sklearn") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

    from firth.text import Tokenizer

__all__ = ["WordVectorizer"]


class WordVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turns texts into vectors, weighted means of the vectors of their words.

    What `firth.SentenceEncoder` does, with scikit-learn's interface: in pipelines, grid searches
    and column transformers; `set_output` gives data frames.

    Parameters
    ----------
    wv : KeyedVectors, str or path
        The words and their vectors, or what `firth.load` takes. Clones share them. For a grid
        search with several processes give a path: each then maps the same file.
    weighting, a, n_components, probabilities, tokenizer, lowercase, lowercase_fallback, normalize
        As in `firth.SentenceEncoder`.

    Attributes
    ----------
    encoder_ : SentenceEncoder
        What was fitted.
    n_features_out_ : int
        The size of the vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from firth import KeyedVectors, Vocab
    >>> from firth.sklearn import WordVectorizer
    >>> matrix = np.array([[4, 0], [0, 4]], np.float32)
    >>> wv = KeyedVectors(Vocab.from_words(["king", "queen"]), matrix)
    >>> WordVectorizer(wv).fit_transform(["king and queen", "king"]).tolist()
    [[2.0, 2.0], [4.0, 0.0]]
    >>> WordVectorizer(wv).fit(["king"]).get_feature_names_out().tolist()
    ['wordvectorizer0', 'wordvectorizer1']
    """

    encoder_: SentenceEncoder

    def __init__(
        self,
        wv: KeyedVectors | str | os.PathLike[str] | None = None,
        weighting: Literal["mean", "sif", "tfidf"] = "mean",
        *,
        a: float = 1e-3,
        n_components: int | None = None,
        probabilities: Literal["counts", "sentences", "zipf"] | None = None,
        tokenizer: str | Callable[[str], Iterable[str]] | Tokenizer | Any = "words",
        lowercase: bool = False,
        lowercase_fallback: bool = True,
        normalize: bool = False,
    ) -> None:
        # Nothing is checked or changed here: so scikit-learn wants it.
        self.wv = wv
        self.weighting = weighting
        self.a = a
        self.n_components = n_components
        self.probabilities = probabilities
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.lowercase_fallback = lowercase_fallback
        self.normalize = normalize

    def fit(self, X: ArrayLike | Iterable[str], y: object = None) -> Self:  # noqa: ARG002, N803
        """Learn weights of words and what texts have in common, where the weighting wants that.

        Parameters
        ----------
        X : array_like of str, shape (n_texts,), or of lists of str
            The texts.
        y : object
            Not used.

        Returns
        -------
        WordVectorizer
            This one.

        Raises
        ------
        ParameterError
            If a parameter is out of its range, there are no vectors, or `X` has no texts.
        """
        texts = _texts(X)
        options = self.get_params(deep=False)
        encoder = SentenceEncoder(_vectors(options.pop("wv")), options.pop("weighting"), **options)
        self.encoder_ = encoder.fit(texts)
        self.n_features_out_ = self._n_features_out = encoder.wv.vector_size
        return self

    def transform(self, X: ArrayLike | Iterable[str]) -> NDArray[np.float32]:  # noqa: N803
        """Make vectors of texts, shape (n_texts, vector_size)."""
        check_is_fitted(self, "encoder_")
        return self.encoder_.transform(_texts(X))

    def fit_transform(
        self,
        X: ArrayLike | Iterable[str],  # noqa: N803
        y: object = None,
    ) -> NDArray[np.float32]:
        """Learn from texts, and make their vectors; as `fit`, then `transform`."""
        texts = _texts(X)
        return self.fit(texts, y).encoder_.transform(texts)

    def __sklearn_clone__(self) -> WordVectorizer:
        # Cloned like any parameter, the matrix would be copied for each fold of each search.
        parameters = self.get_params(deep=False)
        others = {name: clone(v, safe=False) for name, v in parameters.items() if name != "wv"}
        return type(self)(self.wv, **others)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _vectors(wv: Any) -> KeyedVectors:
    if isinstance(wv, str | os.PathLike):
        from firth.hub import load

        return load(wv)
    if not isinstance(wv, KeyedVectors):
        raise ParameterError(
            f"wv is {type(wv).__name__}; give KeyedVectors, or a path or name that firth.load takes"
        )
    return wv


def _texts(texts: Any) -> Any:
    """Give a column of texts as a list; pandas', say, or NumPy's of shape (n, 1)."""
    if isinstance(texts, str):
        raise ParameterError(f"X is the string {texts[:60]!r}; give a list of texts: [...]")
    if getattr(texts, "ndim", 1) == 2 and texts.shape[1] == 1:
        texts = np.asarray(texts)[:, 0]
    if getattr(texts, "ndim", 1) != 1:
        raise ParameterError(
            f"X has the shape {texts.shape}; give one column of texts, shape (n_texts,)"
        )
    return texts.tolist() if hasattr(texts, "tolist") else list(texts)

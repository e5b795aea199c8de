"""The classifier of texts, with scikit-learn's interface."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from firth.errors import MissingExtraError
from firth.tasks._given import classes_of, labels_of, texts_of, vectors_of
from firth.tasks._settings import Settings

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, clone
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingExtraError("sklearn", "tasks", "firth.tasks") from error

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from firth.sequences import Text
    from firth.tasks._evidence import Evidence
    from firth.tasks._scores import ClassificationReport
    from firth.tasks._settings import Embedding, Model
    from firth.text import Tokenizer
    from firth.vectors import KeyedVectors
    from firth.vocab import Vocab

logger = logging.getLogger("firth")


class Learned(Protocol):
    """What the kinds of models have in common."""

    @property
    def vocab(self) -> Vocab: ...
    def log_probabilities(self, texts: Sequence[Text]) -> NDArray[np.float32]: ...
    def tensors(self) -> dict[str, NDArray[Any]]: ...


class TextClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Tells which class a text belongs to, by networks over word vectors and by what is older.

    An estimator of scikit-learn: it works in pipelines, cross-validation and grid searches. A text
    is a string or a list of words.

    Parameters
    ----------
    vectors : KeyedVectors, str or path, optional
        Vectors of words that were trained before, or what `firth.load` takes. Clones share them.
        For several processes give a path: each then maps the same file.
    model : str
        - "kim": a network of filters of 3, 4 and 5 words beside each other (Kim 2014);
        - "cnn": that of Keras's tutorial, three convolutions of 5 words with maxima between;
        - "mean", "sif": logistic regression of the mean of the words' vectors, plain or weighted by
          smooth inverse frequency (Arora et al. 2017);
        - "counts", "tfidf": logistic regression of the counts of words, or of these by their
          inverse document frequency.
    embedding : "frozen", "fine-tuned" or "scratch"
        Of networks: the vectors stay as they are, learn too, or begin at random.
    maxlen : int
        Of networks: how many words of a text are read.
    num_words : int
        How many words are known: the most frequent ones of the texts, then those of `vectors`.
    min_freq : int
        Words that are seen less often in the texts are no words of theirs.
    vector_size : int
        Of "scratch" without `vectors`; otherwise their size.
    tokenizer, lowercase
        What splits strings, as in `firth.TextEncoder`.
    filters : int
        Of networks: how many filters each convolution has.
    dropout : float
        Of networks: the share of units that are left out while learning.
    epochs : int
        Of networks: passes over the texts, at most.
    batch_size, learning_rate
        Of networks: texts in a step, and the step size of AdamW.
    validation : float
        Of networks: the share of texts of each class that is held out, to find the best pass; 0
        takes the last one.
    patience : int, optional
        Of networks: stop when the score of those has not risen for so many passes.
    C : float, optional
        Of the others: the inverse strength of regularisation. If not given 0.1 for vectors, 30 for
        counts.
    class_weight : "balanced", mapping, or None
        How much texts of each class weigh, as in scikit-learn.
    seed : int
        Of all that is drawn. The same seed gives the same classifier, with the same number of
        threads.
    device : str, optional
        Where PyTorch computes; "cuda" where that is, else "cpu", if not given.
    precision : "float32" or "bfloat16"
        Of networks: what is multiplied in. bfloat16 is about twice as fast on processors that have
        it (AMX, AVX512-BF16) and on GPUs; weights and sums stay float32.
    progress : bool, optional
        Show a bar on a terminal and log lines elsewhere while a network learns; False for neither.

    Attributes
    ----------
    classes_ : numpy.ndarray, shape (n_classes,)
        The labels, sorted.
    vocab_ : Vocab
        The words that are known.
    record_ : TrainingRecord or None
        What the training of a network did: loss, score and seconds of each pass.
    n_truncated_ : int
        How many of the texts that were learned from are longer than `maxlen`.
    n_empty_ : int
        How many of them had no word that is known.

    Raises
    ------
    MissingExtraError
        From `fit`, if PyTorch is missing and the model is a network: ``firth[tasks]`` brings it.

    References
    ----------
    Chollet (2016), "Using pre-trained word embeddings in a Keras model". Kim (2014), "Convolutional
    Neural Networks for Sentence Classification". Arora, Liang and Ma (2017), "A Simple but
    Tough-to-Beat Baseline for Sentence Embeddings".

    Examples
    --------
    >>> from firth.tasks import TextClassifier
    >>> texts = ["the cat purrs", "a dog barks", "the saw cuts", "an axe splits"] * 5
    >>> labels = ["animal", "animal", "tool", "tool"] * 5
    >>> classifier = TextClassifier(model="tfidf").fit(texts, labels)
    >>> classifier.predict(["a cat and a dog"]).tolist()
    ['animal']
    >>> [each.word for each in classifier.explain("the saw cuts wood", topn=2)]
    ['cuts', 'saw']
    """

    classes_: NDArray[Any]

    def __init__(
        self,
        vectors: KeyedVectors | str | os.PathLike[str] | None = None,
        model: Model = "kim",
        embedding: Embedding = "frozen",
        *,
        maxlen: int = 400,
        num_words: int = 40_000,
        min_freq: int = 1,
        vector_size: int = 100,
        tokenizer: str | Callable[[str], Iterable[str]] | Tokenizer | Any = "words",
        lowercase: bool = True,
        filters: int = 100,
        dropout: float = 0.5,
        epochs: int = 20,
        batch_size: int = 32,
        learning_rate: float = 2e-3,
        validation: float = 0.1,
        patience: int | None = 3,
        C: float | None = None,  # noqa: N803 (scikit-learn's name)
        class_weight: Any = None,
        seed: int = 1,
        device: str | None = None,
        precision: str = "float32",
        progress: bool | None = None,
    ) -> None:
        # Nothing is checked or changed here: so scikit-learn wants it.
        self.vectors = vectors
        self.model = model
        self.embedding = embedding
        self.maxlen = maxlen
        self.num_words = num_words
        self.min_freq = min_freq
        self.vector_size = vector_size
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.filters = filters
        self.dropout = dropout
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation = validation
        self.patience = patience
        self.C = C
        self.class_weight = class_weight
        self.seed = seed
        self.device = device
        self.precision = precision
        self.progress = progress

    # --- learning -------------------------------------------------------------------------------

    def fit(self, X: ArrayLike | Iterable[Text], y: ArrayLike) -> Self:  # noqa: N803
        """Learn from texts and their labels.

        Parameters
        ----------
        X : array_like of str, shape (n_texts,), or of lists of str
            The texts.
        y : array_like, shape (n_texts,)
            Their labels: strings or numbers.

        Returns
        -------
        TextClassifier
            This one.

        Raises
        ------
        ParameterError
            If a setting is out of its range, or the vectors are missing.
        InputError
            If there are no texts, other than labels, or of one class only; or training fails.
        """
        settings = self._settings()
        texts = texts_of(X)
        classes, numbers = classes_of(texts, y)
        wv = vectors_of(self.vectors, settings)
        learned = _kind_of(settings).learn(texts, numbers, classes.tolist(), wv, settings)
        self.classes_ = classes
        self._take(learned)
        self.n_empty_ = int(self._without_words(texts).sum())
        if self.n_empty_:
            logger.warning(
                "%s of %s texts have no word that is known: nothing can be learned from them",
                f"{self.n_empty_:,}",
                f"{len(texts):,}",
            )
        return self

    def _settings(self) -> Settings:
        given = self.get_params(deep=False)
        del given["vectors"]
        return Settings(**given)

    def _take(self, learned: Any) -> None:
        self._learned: Learned = learned
        self.vocab_ = learned.vocab
        self.record_ = getattr(learned, "record", None)
        self.n_truncated_ = getattr(learned, "n_truncated", 0)

    def _without_words(self, texts: Sequence[Text]) -> NDArray[np.bool_]:
        from firth.sequences import TextEncoder

        encoder = TextEncoder(
            self.vocab_, tokenizer=self.tokenizer, lowercase=self.lowercase, unknown=False
        )
        return np.array([len(ids) == 0 for ids in encoder.sequences(texts)], np.bool_)

    # --- asking ---------------------------------------------------------------------------------

    def predict(self, X: ArrayLike | Iterable[Text]) -> NDArray[Any]:  # noqa: N803
        """Tell the class of each text, shape (n_texts,)."""
        found: NDArray[Any] = self.classes_[self._log_probabilities(X).argmax(axis=1)]
        return found

    def predict_proba(self, X: ArrayLike | Iterable[Text]) -> NDArray[np.float32]:  # noqa: N803
        """Tell how probable each class is for each text, float32 of shape (n_texts, n_classes)."""
        found: NDArray[np.float32] = np.exp(self._log_probabilities(X))
        return found

    def predict_log_proba(self, X: ArrayLike | Iterable[Text]) -> NDArray[np.float32]:  # noqa: N803
        """Give the logarithms of `predict_proba`."""
        return self._log_probabilities(X)

    def _log_probabilities(self, texts: Any) -> NDArray[np.float32]:
        check_is_fitted(self, "classes_")
        given = texts_of(texts)
        if not given:
            return np.empty((0, len(self.classes_)), np.float32)
        return self._learned.log_probabilities(given)

    def evaluate(self, X: ArrayLike | Iterable[Text], y: ArrayLike) -> ClassificationReport:  # noqa: N803
        """Score the classifier on texts whose classes are known.

        Parameters
        ----------
        X, y
            As of `fit`. Labels that no text had which was learned from count as wrong.

        Returns
        -------
        ClassificationReport
            Accuracy, macro-averaged F1 and their intervals, precision, recall and F1 of each class,
            and the confusion matrix.
        """
        from firth.tasks._scores import score_predictions

        texts = texts_of(X)
        labels = labels_of(texts, y)
        return score_predictions(labels, self.predict(texts), self.classes_)

    def explain(self, text: Text, topn: int = 10, label: Any = None) -> list[Evidence]:
        """Tell which words of a text spoke for the class that it was given.

        By occlusion: each word is taken out, wherever the text has it, and what counts is by how
        much the logarithm of the class's probability falls. That goes for all models in the same
        way, and takes as many predictions as there are words.

        Parameters
        ----------
        text : str, or list of str
            The text.
        topn : int
            How many words to tell.
        label : object, optional
            The class to explain; that which is predicted, if not given.

        Returns
        -------
        list of Evidence
            Words with what each weighs, most first; below 0 for words that spoke against it.

        References
        ----------
        Zeiler and Fergus (2014), "Visualizing and Understanding Convolutional Networks", section
        4.2, of parts of pictures; Li, Monroe and Jurafsky (2016), "Understanding Neural Networks
        through Representation Erasure", of words.
        """
        from firth.tasks._evidence import explain

        check_is_fitted(self, "classes_")
        return explain(self, text, topn, label)

    # --- keeping --------------------------------------------------------------------------------

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the classifier to a folder of its own, which needs nothing else.

        Its vectors are in it. Nothing in it is code: ``config.json``, and arrays in
        ``model.safetensors`` and ``vocab.safetensors``.

        Parameters
        ----------
        folder : str or Path
            The folder, which appears whole or not at all; one that firth wrote is replaced.

        Raises
        ------
        ParameterError
            If the tokeniser is a function, or labels are neither strings nor whole numbers.
        OutputError
            If the folder is something else, or the disk is full.
        """
        from firth.tasks._classifier_folder import save_classifier

        check_is_fitted(self, "classes_")
        save_classifier(self, self._learned.tensors(), folder)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], device: str | None = None) -> Self:
        """Open what `save` wrote.

        Parameters
        ----------
        folder : str or Path
            The folder.
        device : str, optional
            Where PyTorch is to compute.

        Raises
        ------
        SourceError
            If there is no such folder.
        FormatError
            If it is none of a classifier, of a later version, or damaged.
        """
        from firth.tasks._classifier_folder import Opened, opening

        opened = Opened.read(folder)
        with opening(folder):
            made = cls(**opened.parameters | {"device": device})
            settings = made._settings()
            made.classes_ = opened.classes
            made._take(
                _kind_of(settings).from_tensors(
                    opened.tensors, opened.vocab, len(opened.classes), settings
                )
            )
        made.n_truncated_, made.n_empty_ = opened.n_truncated, opened.n_empty
        return made

    # --- scikit-learn's -------------------------------------------------------------------------

    def __sklearn_clone__(self) -> TextClassifier:
        # Cloned like any parameter, the matrix would be copied for each fold of each search.
        parameters = self.get_params(deep=False)
        others = {name: clone(v, safe=False) for name, v in parameters.items() if name != "vectors"}
        return type(self)(self.vectors, **others)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _kind_of(settings: Settings) -> Any:
    """Find the class of the model; PyTorch is imported only where it is used."""
    if settings.is_network:
        from firth.tasks._network_classifier import NetworkClassifier

        return NetworkClassifier
    from firth.tasks._linear_classifier import LinearClassifier

    return LinearClassifier

"""Vectors of sentences as weighted means of those of their words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from firth.errors import ParameterError
from firth.sentences._words import Sentence, WordBatch, WordFinder
from firth.text import make_tokenizer
from firth.vocab import smooth_inverse_frequency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from firth.text import Tokenizer
    from firth.vectors import KeyedVectors

Weighting = Literal["mean", "sif", "tfidf"]
WEIGHTINGS = ("mean", "sif", "tfidf")

# Words whose vectors are fetched at a time.
_WORDS_AT_A_TIME = 1 << 14


@dataclass(frozen=True)
class Coverage:
    """How much of some sentences has vectors.

    Attributes
    ----------
    n_sentences, n_words : int
        How many there are.
    n_known : int
        How many of the words have a vector.
    n_empty : int
        How many of the sentences have no word with a vector; theirs is zeros.
    missing : list of (str, int)
        The most frequent words without a vector, with how often they occur.
    """

    n_sentences: int
    n_words: int
    n_known: int
    n_empty: int
    missing: list[tuple[str, int]]

    @property
    def share(self) -> float:
        """The share of the words that have a vector, from 0 to 1."""
        return self.n_known / max(1, self.n_words)


class SentenceEncoder:
    """Makes vectors of sentences, or other short texts, of the vectors of their words.

    A sentence is a string or a list of words. Words that have no vector, not of subwords either,
    are left out; a sentence without any gets zeros.

    Parameters
    ----------
    wv : KeyedVectors
        The words and their vectors.
    weighting : "mean", "sif" or "tfidf"
        "mean": the plain mean. "sif": each word weighs a / (a + p), where p is its share of the
        text, and the sum is divided by the number of words; then what all sentences have in common
        is taken off. "tfidf": each word weighs its inverse document frequency, as in scikit-learn,
        and the sum is divided by that of the weights.
    a : float
        Of "sif": the share of the text at which a word weighs one half.
    n_components : int, optional
        How many directions that sentences have in common are taken off; 1 for "sif", else 0.
    probabilities : "counts", "sentences" or "zipf", optional
        Of "sif", where the shares of words come from: the counts that `wv` has, the sentences that
        `fit` is given, or the order of the rows, most frequent first, by Zipf's law. The counts
        where there are some, else the sentences, if not given.
    tokenizer : str, callable, or tokenizers.Tokenizer
        What splits strings; see `firth.make_tokenizer`.
    lowercase : bool
        Lower-case strings before they are split.
    lowercase_fallback : bool
        Take the vector of a word in lower case where there is none as it is written.
    normalize : bool
        Scale vectors to length 1.

    Attributes
    ----------
    weights_ : numpy.ndarray of float32, shape (n_words,)
        What each word of `wv` weighs; once that is known.
    components_ : numpy.ndarray of float32, shape (n_components, vector_size)
        The common directions, of length 1; after `fit`.

    Raises
    ------
    ParameterError
        If a parameter is out of its range or does not go with another one.

    References
    ----------
    Arora, Liang and Ma (2017), "A Simple but Tough-to-Beat Baseline for Sentence Embeddings",
    algorithm 1. The common component is their first singular vector, computed exactly from the
    products of the dimensions instead of by a truncated decomposition of all sentences, so that
    these need not be held.

    Examples
    --------
    >>> import numpy as np
    >>> from firth import KeyedVectors, SentenceEncoder, Vocab
    >>> vocab = Vocab.from_words(["the", "king", "queen"], [90, 6, 4])
    >>> wv = KeyedVectors(vocab, np.array([[3, 3], [4, 0], [0, 4]], np.float32))
    >>> SentenceEncoder(wv).encode("The king and the queen").tolist()
    [2.5, 2.5]
    >>> encoder = SentenceEncoder(wv, weighting="sif", n_components=0)
    >>> encoder.similarity("the king", "the king") > encoder.similarity("the king", "the queen")
    True
    """

    weights_: NDArray[np.float32]
    components_: NDArray[np.float32]

    def __init__(
        self,
        wv: KeyedVectors,
        weighting: Weighting = "mean",
        *,
        a: float = 1e-3,
        n_components: int | None = None,
        probabilities: Literal["counts", "sentences", "zipf"] | None = None,
        tokenizer: str | Callable[[str], Iterable[str]] | Tokenizer | Any = "words",
        lowercase: bool = False,
        lowercase_fallback: bool = True,
        normalize: bool = False,
    ) -> None:
        if weighting not in WEIGHTINGS:
            raise ParameterError(
                f"weighting is {weighting!r}, which is none of {', '.join(WEIGHTINGS)}"
            )
        if n_components is None:
            n_components = 1 if weighting == "sif" else 0
        if not 0 <= n_components <= wv.vector_size:
            raise ParameterError(
                f"n_components is {n_components}; it must be from 0 to the size of the vectors, "
                f"{wv.vector_size}"
            )
        self.wv = wv
        self.weighting = weighting
        self.a = a
        self.n_components = n_components
        self.probabilities = _origin(wv, probabilities)
        self.normalize = normalize
        self._finder = WordFinder(
            wv.vocab,
            make_tokenizer(tokenizer, lowercase=lowercase),
            lowercase_fallback=lowercase_fallback,
        )
        # What an unseen word weighs: of "tfidf", as one that no sentence has had.
        self._unseen_weight = 1.0
        self._weigh_without_sentences()
        if n_components == 0:
            self.components_ = np.empty((0, wv.vector_size), np.float32)

    # --- learning -------------------------------------------------------------------------------

    def fit(self, sentences: Iterable[Sentence], y: object = None) -> Self:  # noqa: ARG002
        """Learn weights and common directions from sentences.

        Parameters
        ----------
        sentences : iterable of str, or of lists of str
            The sentences; gone through once or twice, never held, unless they are an iterator.
        y : object
            Not used; scikit-learn gives it.

        Returns
        -------
        SentenceEncoder
            This one.

        Raises
        ------
        ParameterError
            If there are no sentences, or none with a word that has a vector.
        """
        # What has a length can be gone through again; that of an array is no truth.
        sized: Any = sentences if hasattr(sentences, "__len__") else list(sentences)
        if len(sized) == 0:
            raise ParameterError("there are no sentences to learn from; give at least one")
        if self.weighting == "tfidf":
            self._learn_document_frequencies(sized)
        elif self.weighting == "sif" and self.probabilities == "sentences":
            counts = np.zeros(len(self.wv), np.int64)
            for batch in self._finder.batches(sized):
                seen = batch.rows >= 0
                np.add.at(counts, batch.rows[seen], batch.counts()[seen])
            self.weights_ = smooth_inverse_frequency(counts, self.a)
        if self.n_components:
            self._learn_components(sized)
        return self

    def _weigh_without_sentences(self) -> None:
        """Weigh words where that needs no sentences."""
        n_words = len(self.wv)
        if self.weighting == "mean":
            self.weights_ = np.ones(n_words, np.float32)
        elif self.weighting == "sif" and self.probabilities == "counts":
            self.weights_ = smooth_inverse_frequency(self.wv.vocab.counts, self.a)
        elif self.weighting == "sif" and self.probabilities == "zipf":
            self.weights_ = smooth_inverse_frequency(1 / np.arange(1.0, n_words + 1), self.a)

    def _learn_document_frequencies(self, sentences: Iterable[Sentence]) -> None:
        n_words, n_sentences = len(self.wv), 0
        frequencies = np.zeros(n_words, np.int64)
        for batch in self._finder.batches(sentences):
            # A number for each pair of a sentence and a word. Two words may have the same row.
            rows = batch.rows[batch.numbers]
            pairs = np.unique(batch.text_of()[rows >= 0] * n_words + rows[rows >= 0])
            frequencies += np.bincount(pairs % n_words, minlength=n_words)
            n_sentences += len(batch.sizes)
        self.weights_ = (np.log((1 + n_sentences) / (1 + frequencies)) + 1).astype(np.float32)
        self._unseen_weight = float(np.log(1 + n_sentences) + 1)

    def _learn_components(self, sentences: Iterable[Sentence]) -> None:
        products = np.zeros((self.wv.vector_size, self.wv.vector_size))
        for batch in self._finder.batches(sentences):
            means = self._means(batch).astype(np.float64)
            products += means.T @ means
        if not products.any():
            raise ParameterError(
                "no sentence has a word with a vector: is it the wrong language, or the wrong case?"
            )
        directions = np.linalg.eigh(products)[1][:, ::-1].T[: self.n_components]
        # Which way a direction points is chance; here it is that of its largest number.
        largest = np.abs(directions).argmax(axis=1)
        directions *= np.sign(np.take_along_axis(directions, largest[:, None], 1))
        self.components_ = np.ascontiguousarray(directions, np.float32)

    # --- encoding -------------------------------------------------------------------------------

    def transform(self, sentences: Iterable[Sentence]) -> NDArray[np.float32]:
        """Make vectors of sentences.

        Parameters
        ----------
        sentences : iterable of str, or of lists of str
            The sentences.

        Returns
        -------
        numpy.ndarray of float32, shape (n_sentences, vector_size)
            Zeros for a sentence without a word that has a vector.

        Raises
        ------
        ParameterError
            If `fit` has to come first, or `sentences` are none.
        """
        for name, what in (
            ("weights_", "the weights of words"),
            ("components_", "what they share"),
        ):
            if not hasattr(self, name):
                raise ParameterError(
                    f"weighting={self.weighting!r} learns {what} from sentences: call "
                    f"fit(sentences) or fit_transform(sentences) first"
                )
        parts = [self._finished(self._means(batch)) for batch in self._finder.batches(sentences)]
        return np.concatenate([np.empty((0, self.wv.vector_size), np.float32), *parts])

    def fit_transform(self, sentences: Iterable[Sentence], y: object = None) -> NDArray[np.float32]:
        """Learn from sentences, and make their vectors; as `fit`, then `transform`."""
        if not hasattr(sentences, "__len__"):
            sentences = list(sentences)
        return self.fit(sentences, y).transform(sentences)

    def encode(self, sentences: str | Iterable[Sentence]) -> NDArray[np.float32]:
        """Make the vector of one string, shape (vector_size,), or as `transform` of many."""
        if isinstance(sentences, str):
            vector: NDArray[np.float32] = self.transform([sentences])[0]
            return vector
        return self.transform(sentences)

    def similarity(self, a: Sentence, b: Sentence) -> float:
        """Return the cosine of the vectors of two sentences; 0 where one has none.

        Examples
        --------
        ``encoder.similarity("the cat sleeps", ["a", "dog", "rests"])``
        """
        first, second = self.transform([a, b]).astype(np.float64)
        lengths = np.sqrt((first @ first) * (second @ second))
        return float(first @ second / lengths) if lengths > 0 else 0.0

    def coverage(self, sentences: Iterable[Sentence], n_missing: int = 10) -> Coverage:
        """Tell how many of the words of sentences have vectors, and which have none."""
        n_sentences = n_words = n_known = n_empty = 0
        missing: Counter[str] = Counter()
        for batch in self._finder.batches(sentences):
            known = _usable(self._vectors(batch))
            counts, has = batch.counts(), known[batch.numbers]
            n_sentences += len(batch.sizes)
            n_words += len(batch.numbers)
            n_known += int(has.sum())
            n_empty += int((np.bincount(batch.text_of(), has, len(batch.sizes)) == 0).sum())
            for i in np.flatnonzero(~known).tolist():
                missing[batch.words[i]] += int(counts[i])
        return Coverage(n_sentences, n_words, n_known, n_empty, missing.most_common(n_missing))

    # --- within ---------------------------------------------------------------------------------

    def _vectors(self, batch: WordBatch) -> NDArray[np.float32]:
        """Give the weighted vectors of the distinct words; NaN for those that have none."""
        vectors = np.full((len(batch.words), self.wv.vector_size), np.nan, np.float32)
        seen, unseen = np.flatnonzero(batch.rows >= 0), np.flatnonzero(batch.rows < 0)
        rows = batch.rows[seen]
        # All vectors of int8 would be a copy of the whole matrix.
        vectors[seen] = (
            self.wv[rows.tolist()] if self.wv.dtype == np.int8 else self.wv.vectors[rows]
        )
        if self.wv.subwords is not None:
            made = self.wv.subwords.vectors([batch.words[i] for i in unseen.tolist()])
            vectors[unseen] = np.where(made.any(axis=1, keepdims=True), made, np.float32(np.nan))
        return vectors

    def _means(self, batch: WordBatch) -> NDArray[np.float32]:
        """Give the weighted means of the words' vectors, shape (n_sentences, vector_size)."""
        vectors = self._vectors(batch)
        known = _usable(vectors)
        weights = self.weights_[batch.rows]
        weights[batch.rows < 0] = self._unseen_weight
        weights[~known] = 0
        vectors[~known] = 0  # NaN times 0 is NaN
        vectors *= weights[:, None]
        sums = np.zeros((len(batch.sizes), self.wv.vector_size), np.float32)
        sentence = batch.text_of()
        for begin in range(0, len(batch.numbers), _WORDS_AT_A_TIME):
            some = slice(begin, begin + _WORDS_AT_A_TIME)
            starts = np.flatnonzero(np.diff(sentence[some], prepend=-1))
            some_sums = np.add.reduceat(vectors[batch.numbers[some]], starts, axis=0)
            sums[sentence[some][starts]] += some_sums
        counted = weights if self.weighting == "tfidf" else known.astype(np.float32)
        totals = np.bincount(sentence, counted[batch.numbers], len(batch.sizes))
        sums /= np.where(totals > 0, totals, 1).astype(np.float32)[:, None]
        return sums

    def _finished(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take off what all sentences have in common, and scale."""
        if len(self.components_):
            vectors -= (vectors @ self.components_.T) @ self.components_
        if self.normalize:
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors /= np.where(lengths > 0, lengths, 1)
        return vectors


def _usable(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which rows have no NaN."""
    usable: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(vectors), axis=1)
    return usable


def _origin(wv: KeyedVectors, given: str | None) -> str:
    """Tell where the shares of words come from."""
    has_counts = wv.vocab.total_count > 0
    if given is None:
        return "counts" if has_counts else "sentences"
    if given not in {"counts", "sentences", "zipf"}:
        raise ParameterError(
            f"probabilities is {given!r}, which is none of counts, sentences, zipf"
        )
    if given == "counts" and not has_counts:
        raise ParameterError(
            "probabilities is 'counts', and these vectors come without counts of their words; "
            "give 'sentences', or 'zipf' if the most frequent words come first"
        )
    return given

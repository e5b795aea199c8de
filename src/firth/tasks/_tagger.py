"""Named entities found by a network over word vectors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

import numpy as np

from firth.errors import MissingExtraError, ParameterError
from firth.tasks._tag_schemes import (
    OUTSIDE,
    check_tags,
    entities_of,
    may_follow,
    scheme_of,
    write_tags,
)
from firth.tasks._tag_scores import score_tags
from firth.tasks._tag_words import Characters, TaggerVocab, encode, words_of
from firth.vectors import KeyedVectors
from firth.vocab import Vocab

try:
    import torch
    from sklearn.base import BaseEstimator, clone

    from firth.tasks._crf import ConditionalRandomField
    from firth.tasks._tag_network import TaggingNetwork, WordVectors, make_batch, positions
    from firth.tasks._training import adam_w, by_length, device_of, seeded, train_network
except ImportError as error:
    raise MissingExtraError(error.name or "torch", "tasks", "firth.tasks.Tagger") from error

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from firth.tasks._tag_schemes import Scheme
    from firth.tasks._tag_scores import TaggingScores
    from firth.tasks._tag_words import EncodedSentences
    from firth.tasks._training import TrainingRecord

logger = logging.getLogger("firth")

_SENTENCES_AT_A_TIME = 64
_CLIP_NORM = 5.0


class FoundEntity(NamedTuple):
    """An entity that was found in a sentence.

    Attributes
    ----------
    words : tuple of str
        Its words.
    label : str
        What it is.
    begin, end : int
        Where these words stand in the sentence: ``[begin:end]``.
    probability : float
        That of its least probable tag.
    """

    words: tuple[str, ...]
    label: str
    begin: int
    end: int
    probability: float


class Tagger(BaseEstimator):  # type: ignore[misc]
    """Finds names in sentences: persons, places, whatever the tags that it learns from mark.

    A word is told by its vector and by its characters; a network reads them from both sides, and a
    conditional random field chooses the tags of a sentence together. That is the network of Lample
    et al. (2016) with the characters of Ma and Hovy (2016).

    Parameters
    ----------
    vectors : KeyedVectors, str or path, optional
        What is known of words from elsewhere. A word has the vector that it has as it is written,
        else that in lower case.
    embedding : "frozen", "fine-tuned" or "scratch", optional
        Leave these vectors as they are, go on learning those of words in training, or learn all
        without them. "frozen" if there are vectors, else "scratch".
    network : "bilstm" or "cnn"
        What looks at the words around: an LSTM in each direction, or convolutions, which are faster.
    characters : "cnn", "bilstm" or None
        What looks at the characters of a word.
    crf : bool
        Choose the tags of a sentence together. Otherwise each word gets its own most probable one.
    hidden_size : int
        The size of the vector that a word gets in each direction.
    vector_size : int
        That of word vectors from scratch.
    dropout : float
        The share of figures that are left out while it learns.
    word_dropout : float
        The share of words that are taken for unknown ones while it learns.
    learning_rate : float
        Of AdamW.
    batch_size : int
        Sentences between two changes.
    epochs : int
        Passes over the sentences, at most.
    patience : int or None
        Stop when F1 on held-out sentences has not risen for so many passes.
    validation_fraction : float
        The share of sentences that `fit` holds out if it is given no others; 0 for none: then all
        passes are made, and the weights of the last are kept.
    seed : int
        The same again, with the same versions and number of threads.
    device : str, optional
        Where to compute, such as "cuda:1"; a GPU where there is one if not given.
    show_progress : bool, optional
        False for none; see `firth.progress.progress`.

    Attributes
    ----------
    labels_ : list of str
        The labels of entities.
    scheme_ : "IOB1", "IOB2" or "BIOES"
        How the tags to learn from were written; predicted ones are written so.
    record_ : TrainingRecord
        Passes, with loss and F1 on held-out sentences.
    coverage_ : float
        The share of the words to learn from, counted as often as they occur, that have a vector.

    Examples
    --------
    >>> from firth.tasks import Tagger
    >>> sentences = [["Sally", "grows", "oranges"], ["Oranges", "grow"]] * 8
    >>> tags = [["B-person", "O", "O"], ["O", "O"]] * 8
    >>> tagger = Tagger(epochs=20, validation_fraction=0, learning_rate=0.02)
    >>> tagger.fit(sentences, tags).predict([["Sally", "grows"]])
    [['B-person', 'O']]
    """

    labels_: list[str]
    scheme_: Scheme
    record_: TrainingRecord
    coverage_: float

    def __init__(
        self,
        vectors: KeyedVectors | str | os.PathLike[str] | None = None,
        *,
        embedding: Literal["frozen", "fine-tuned", "scratch"] | None = None,
        network: Literal["bilstm", "cnn"] = "bilstm",
        characters: Literal["cnn", "bilstm"] | None = "cnn",
        crf: bool = True,
        hidden_size: int = 100,
        vector_size: int = 100,
        dropout: float = 0.5,
        word_dropout: float = 0.05,
        learning_rate: float = 0.003,
        batch_size: int = 32,
        epochs: int = 40,
        patience: int | None = 8,
        validation_fraction: float = 0.1,
        seed: int = 1,
        device: str | None = None,
        show_progress: bool | None = None,
    ) -> None:
        # Nothing is checked or changed here: so scikit-learn wants it.
        self.vectors = vectors
        self.embedding = embedding
        self.network = network
        self.characters = characters
        self.crf = crf
        self.hidden_size = hidden_size
        self.vector_size = vector_size
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.seed = seed
        self.device = device
        self.show_progress = show_progress

    # --- learning -------------------------------------------------------------------------------

    def fit(
        self,
        X: Iterable[Sequence[str] | str],  # noqa: N803
        y: Iterable[Sequence[str]],
        *,
        validation: tuple[Iterable[Sequence[str] | str], Iterable[Sequence[str]]] | None = None,
    ) -> Self:
        """Learn from sentences and their tags.

        Parameters
        ----------
        X : iterable of sequences of str
            The words of each sentence.
        y : iterable of sequences of str
            A tag for each word, in any scheme; see `firth.tasks.find_entities`.
        validation : pair of the same, optional
            Sentences to stop by, in place of some of `X`.

        Returns
        -------
        Tagger
            This one.

        Raises
        ------
        ParameterError
            If a parameter is out of its range, sentences and tags do not fit, something is no tag,
            or no entity is marked.
        """
        check_parameters(self)
        sentences, tags = _checked(X, y)
        held_out = None
        if validation is not None:
            held_out = _checked(*validation, name="validation")
        elif self.validation_fraction:
            (sentences, tags), held_out = _split(
                sentences, tags, self.validation_fraction, self.seed
            )
        self.scheme_ = scheme_of(tags)
        labels = sorted({entity.label for each in tags for entity in entities_of(each)})
        if not labels:
            raise ParameterError(
                f"all {sum(map(len, tags)):,} words of the {len(tags):,} sentences to learn from "
                f"have the tag O: there is no entity to learn"
            )
        with seeded(self.seed):
            self._make(sentences, labels)
            self._train(sentences, tags, held_out)
        return self

    def _make(self, sentences: list[list[str]], labels: list[str]) -> None:
        """Make vocabulary and network."""
        self.labels_ = labels
        words = [word for each in sentences for word in each]
        self._vocab, learned, fixed = _vectors_of(
            words, _vectors(self.vectors), self._embedding(), self.vector_size, self.seed
        )
        self._characters = None if self.characters is None else Characters.of(words)
        known = self._vocab.rows(words) >= 2 if self.vectors is not None else np.zeros(1)
        self.coverage_ = float(known.mean())
        self._build(learned, fixed)

    def _build(self, learned: NDArray[np.float32], fixed: NDArray[np.float32] | None) -> None:
        self._device = device_of(self.device)
        self._tags = [
            OUTSIDE, *(f"{prefix}-{label}" for label in self.labels_ for prefix in "BIES")
        ]  # fmt: skip
        self._network = TaggingNetwork(
            WordVectors(learned, fixed, self.word_dropout),
            len(self._tags),
            kind=self.network,
            characters=self.characters,
            n_characters=0 if self._characters is None else len(self._characters),
            hidden_size=self.hidden_size,
            dropout=self.dropout,
        ).to(self._device)
        # Without one, what may follow what is used all the same, but not learned from.
        follow = np.array([[may_follow(a, b) for b in self._tags] for a in self._tags])
        begin = np.array([may_follow(OUTSIDE, tag) for tag in self._tags])
        end = np.array([may_follow(tag, OUTSIDE) for tag in self._tags])
        self._crf = ConditionalRandomField(follow, begin, end).to(self._device)
        self._network.add_module("crf", self._crf)
        if not self.crf:
            for parameter in self._crf.parameters():
                torch.nn.init.zeros_(parameter).requires_grad_(False)

    def _train(
        self,
        sentences: list[list[str]],
        tags: list[list[str]],
        held_out: tuple[list[list[str]], list[list[str]]] | None,
    ) -> None:
        encoded = encode(sentences, self._vocab, self._characters)
        number = {tag: i for i, tag in enumerate(self._tags)}
        right = np.array(
            [
                number[tag]
                for each in tags
                for tag in write_tags(entities_of(each), len(each), "BIOES")
            ]
        )

        def loss_of(rows: NDArray[np.int64]) -> torch.Tensor:
            batch = make_batch(encoded, rows, self._device)
            at, _ = positions(encoded, rows)
            goal = torch.from_numpy(right[at]).to(self._device)
            scores = self._network(batch)
            if self.crf:
                return -self._crf(scores, goal, batch.mask).mean()
            return torch.nn.functional.cross_entropy(scores[batch.mask], goal[batch.mask])

        score = None
        if held_out is not None:
            held_words, held_tags = held_out
            held_encoded = encode(held_words, self._vocab, self._characters)

            def score() -> float:
                return score_tags(held_tags, self._predict(held_encoded)).f1

        self.record_ = train_network(
            self._network,
            loss_of,
            len(sentences),
            optimizer=adam_w(self._network, self.learning_rate),
            epochs=self.epochs,
            batches=by_length(encoded.lengths, self.batch_size),
            seed=self.seed,
            score=score,
            patience=self.patience,
            clip_norm=_CLIP_NORM,
            unit="sentences",
            show_progress=self.show_progress,
        )

    def _embedding(self) -> str:
        if self.embedding is not None:
            return self.embedding
        return "scratch" if self.vectors is None else "frozen"

    # --- finding --------------------------------------------------------------------------------

    def predict(self, X: Iterable[Sequence[str] | str]) -> list[list[str]]:  # noqa: N803
        """Tag sentences.

        Parameters
        ----------
        X : iterable of sequences of str, or of str
            The words of each sentence; strings are split into words and punctuation.

        Returns
        -------
        list of list of str
            A tag for each word, in the scheme that was learned from.
        """
        self._check_fitted()
        return self._predict(encode(words_of(X, "X"), self._vocab, self._characters))

    def find(self, X: Iterable[Sequence[str] | str]) -> list[list[FoundEntity]]:  # noqa: N803
        """Find the entities of sentences, with how probable they are.

        Parameters
        ----------
        X : iterable of sequences of str, or of str
            As for `predict`.

        Returns
        -------
        list of list of FoundEntity
            Those of each sentence, in the order of the words.
        """
        self._check_fitted()
        sentences = words_of(X, "X")
        encoded = encode(sentences, self._vocab, self._characters)
        result: list[list[FoundEntity]] = [[] for _ in sentences]
        for rows, tags, probabilities in self._batches(encoded, with_probabilities=True):
            for i, row in enumerate(rows.tolist()):
                words = sentences[row]
                found = entities_of([self._tags[tag] for tag in tags[i, : len(words)]])
                for label, begin, end in found:
                    probability = float(probabilities[i, begin:end].min())
                    result[row].append(
                        FoundEntity(tuple(words[begin:end]), label, begin, end, probability)
                    )
        return result

    def evaluate(
        self,
        X: Iterable[Sequence[str] | str],  # noqa: N803
        y: Iterable[Sequence[str]],
    ) -> TaggingScores:
        """Score on sentences whose tags are known: precision, recall and F1 of entities.

        Parameters
        ----------
        X, y
            As for `fit`.

        Returns
        -------
        TaggingScores
            Those of all entities, of each label, and of distinct names.
        """
        self._check_fitted()
        sentences, tags = _checked(X, y)
        there = {entity.label for each in tags for entity in entities_of(each)}
        if unseen := sorted(there.difference(self.labels_)):
            logger.warning(
                "labels that the tagger has not learned, and cannot find: %s", ", ".join(unseen)
            )
        return score_tags(tags, self.predict(sentences), sentences)

    def score(
        self,
        X: Iterable[Sequence[str] | str],  # noqa: N803
        y: Iterable[Sequence[str]],
    ) -> float:
        """Give F1 of entities; see `evaluate`."""
        return self.evaluate(X, y).f1

    def _predict(self, encoded: EncodedSentences) -> list[list[str]]:
        lengths = encoded.lengths.tolist()
        result: list[list[str]] = [[] for _ in lengths]
        for rows, tags, _ in self._batches(encoded):
            for row, numbers in zip(rows.tolist(), tags.tolist(), strict=True):
                written = [self._tags[number] for number in numbers[: lengths[row]]]
                result[row] = write_tags(entities_of(written), len(written), self.scheme_)
        return result

    def _batches(
        self, encoded: EncodedSentences, *, with_probabilities: bool = False
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
        """Give numbers of sentences, their tags (batch, length), and how probable these are."""
        order = np.argsort(encoded.lengths, kind="stable")
        order = order[encoded.lengths[order] > 0]
        self._network.eval()
        nothing = np.empty(0, np.float32)
        for begin in range(0, len(order), _SENTENCES_AT_A_TIME):
            rows = order[begin : begin + _SENTENCES_AT_A_TIME]
            batch = make_batch(encoded, rows, self._device)
            with torch.no_grad():
                scores = self._network(batch)
                tags = self._crf.decode(scores, batch.mask)
            probabilities = nothing
            if with_probabilities:
                of_tags = self._crf.probabilities(scores, batch.mask)
                probabilities = of_tags.gather(2, tags.unsqueeze(2)).squeeze(2).cpu().numpy()
            yield rows, tags.cpu().numpy(), probabilities

    def _check_fitted(self) -> None:
        if not hasattr(self, "_network"):
            raise ParameterError("the tagger has learned nothing yet: call fit(X, y) first")

    def __sklearn_clone__(self) -> Tagger:
        # Cloned like any parameter, the matrix would be copied for each fold of each search.
        parameters = self.get_params(deep=False)
        others = {name: clone(v, safe=False) for name, v in parameters.items() if name != "vectors"}
        return type(self)(self.vectors, **others)


def check_parameters(tagger: Tagger) -> None:
    """Refuse parameters that are out of their range."""
    choices = {
        "embedding": (None, "frozen", "fine-tuned", "scratch"),
        "network": ("bilstm", "cnn"),
        "characters": (None, "cnn", "bilstm"),
    }
    for name, allowed in choices.items():
        value = getattr(tagger, name)
        if value not in allowed:
            raise ParameterError(f"{name} is {value!r}, which is none of {allowed}")
    for name in ("hidden_size", "vector_size", "batch_size", "epochs", "patience"):
        value = getattr(tagger, name)
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not (is_whole and value >= 1) and not (name == "patience" and value is None):
            raise ParameterError(f"{name} must be a whole number of 1 or more, not {value!r}")
    for name in ("dropout", "word_dropout", "validation_fraction"):
        value = getattr(tagger, name)
        if not (isinstance(value, int | float) and 0 <= value < 1):
            raise ParameterError(f"{name} must be a number from 0 to below 1, not {value!r}")
    if not (isinstance(tagger.learning_rate, int | float) and 0 < tagger.learning_rate < 10):
        raise ParameterError(
            f"learning_rate must be a number above 0, such as 0.003, not {tagger.learning_rate!r}"
        )
    if tagger.vectors is None and tagger.embedding in {"frozen", "fine-tuned"}:
        raise ParameterError(f"embedding={tagger.embedding!r} needs vectors: Tagger(vectors=wv)")


def _checked(
    sentences: Any, tags: Any, name: str = "X"
) -> tuple[list[list[str]], list[list[str]]]:
    words = words_of(sentences, name)
    if isinstance(tags, str | bytes) or not hasattr(tags, "__iter__"):
        raise ParameterError(f"y is {type(tags).__name__} {tags!r:.60}; give a list of lists")
    lists = [list(each) for each in tags]
    if len(lists) != len(words):
        raise ParameterError(
            f"{name} has {len(words):,} sentences, and there are tags for {len(lists):,}"
        )
    for i, (its_words, its_tags) in enumerate(zip(words, lists, strict=True)):
        if len(its_words) != len(its_tags):
            raise ParameterError(
                f"{name}[{i}] has {len(its_words):,} words and {len(its_tags):,} tags; each word "
                f"needs one"
            )
        check_tags(its_tags, f"the tags of {name}[{i}]")
    kept = [i for i, its_words in enumerate(words) if its_words]
    if not kept:
        raise ParameterError(f"{name} has no sentences with words")
    return [words[i] for i in kept], [lists[i] for i in kept]


def _split(
    sentences: list[list[str]], tags: list[list[str]], fraction: float, seed: int
) -> tuple[tuple[list[list[str]], list[list[str]]], tuple[list[list[str]], list[list[str]]] | None]:
    n_held = round(fraction * len(sentences))
    if n_held < 1 or n_held == len(sentences):
        return (sentences, tags), None
    order = np.random.default_rng(seed).permutation(len(sentences)).tolist()
    parts = []
    for chosen in (sorted(order[n_held:]), sorted(order[:n_held])):
        parts.append(([sentences[i] for i in chosen], [tags[i] for i in chosen]))
    return parts[0], parts[1]


def _vectors(vectors: Any) -> KeyedVectors | None:
    if vectors is None or isinstance(vectors, KeyedVectors):
        return vectors
    return KeyedVectors.load(vectors)


def _vectors_of(
    words: list[str], wv: KeyedVectors | None, embedding: str, vector_size: int, seed: int
) -> tuple[TaggerVocab, NDArray[np.float32], NDArray[np.float32] | None]:
    """Give each word its row, and the rows that are learned and that stay."""
    wv = None if embedding == "scratch" else wv
    vector_size = vector_size if wv is None else wv.vector_size
    random = np.random.default_rng(seed)
    special = np.zeros((2, vector_size), np.float32)
    if wv is not None and embedding == "frozen":
        return TaggerVocab(None, wv.vocab), special, wv.vectors
    seen = list(dict.fromkeys(words))
    written = [w if wv is not None and w in wv.vocab else w.lower() for w in seen]
    learned = Vocab.from_words(sorted(set(written)))
    bound = (3 / vector_size) ** 0.5
    rows = random.uniform(-bound, bound, (len(learned), vector_size)).astype(np.float32)
    if wv is not None:
        ids = wv.vocab.ids(list(learned.words))
        rows[ids >= 0] = wv.vectors[ids[ids >= 0]]
    vocab = TaggerVocab(learned, None if wv is None else wv.vocab)
    return vocab, np.vstack([special, rows]), None if wv is None else wv.vectors

"""Named entities found by a network over word vectors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from firth.errors import MissingExtraError, ParameterError
from firth.tasks._tag_folder import (
    LEARNED,
    check_state,
    read_tagger,
    write_tagger,
    wrong_parameters,
)
from firth.tasks._tag_inputs import check_parameters, checked, split, vectors_from, vectors_of
from firth.tasks._tag_schemes import FoundEntity, entities_of, scheme_of, write_tags
from firth.tasks._tag_scores import score_tags
from firth.tasks._tag_words import Characters, TaggerVocab, encode, words_of

try:
    import torch
    from sklearn.base import BaseEstimator, clone

    from firth.tasks._tag_network import (
        TaggingNetwork,
        WordVectors,
        decode,
        make_batch,
        positions,
        tags_of,
    )
    from firth.tasks._training import adam_w, by_length, device_of, seeded, train_network
except ImportError as error:
    raise MissingExtraError(error.name or "torch", "tasks", "firth.tasks.Tagger") from error

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from firth.tasks._tag_schemes import Scheme
    from firth.tasks._tag_scores import TaggingScores
    from firth.tasks._tag_words import EncodedSentences
    from firth.tasks._training import TrainingRecord
    from firth.vectors import KeyedVectors

logger = logging.getLogger("firth")

_CLIP_NORM = 5.0


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
        What looks at the words around: an LSTM in each direction, or convolutions.
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
        Passes, with loss and F1 on held-out sentences; not kept with a tagger.
    coverage_ : float
        The share of the text to learn from whose words have a vector; None without vectors.

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
    coverage_: float | None

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
        sentences, tags = checked(X, y)
        held_out = None
        if validation is not None:
            held_out = checked(*validation, name="validation")
        elif self.validation_fraction:
            (sentences, tags), held_out = split(
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
        self._vocab, learned, fixed, coverage = vectors_of(
            words,
            self.load_vectors(),
            self.embedding,
            self.vector_size,
            self.seed,
        )
        self._characters = None if self.characters is None else Characters.of(words)
        self.coverage_ = coverage
        self._build(learned, fixed)

    def _build(self, learned: NDArray[np.float32], fixed: NDArray[np.float32] | None) -> None:
        self._device = device_of(self.device)
        self._tags = tags_of(self.labels_)
        vectors = WordVectors(learned, fixed, self.word_dropout)
        self._network = self._network_over(vectors).to(self._device)

    def _network_over(self, vectors: WordVectors) -> TaggingNetwork:
        return TaggingNetwork(
            vectors,
            self._tags,
            kind=self.network,
            characters=self.characters,
            n_characters=0 if self._characters is None else len(self._characters),
            hidden_size=self.hidden_size,
            dropout=self.dropout,
            crf=self.crf,
        )

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
                return -self._network.crf(scores, goal, batch.mask).mean()
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
        self._training: Any = {
            "n_sentences": len(sentences),
            "best_epoch": self.record_.best_epoch,
            "epochs": self.record_.to_dicts(),
        }

    def load_vectors(self) -> KeyedVectors | None:
        """Give the vectors, loaded if `vectors` is a path."""
        return vectors_from(self.vectors)

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
        for rows, tags, probabilities in decode(
            self._network, encoded, self._device, with_probabilities=True
        ):
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
        sentences, tags = checked(X, y)
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
        for rows, tags, _ in decode(self._network, encoded, self._device):
            for row, numbers in zip(rows.tolist(), tags.tolist(), strict=True):
                written = [self._tags[number] for number in numbers[: lengths[row]]]
                result[row] = write_tags(entities_of(written), len(written), self.scheme_)
        return result

    def _check_fitted(self) -> None:
        if not hasattr(self, "_network"):
            raise ParameterError("the tagger has learned nothing yet: call fit(X, y) first")

    # --- keeping --------------------------------------------------------------------------------

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the tagger to a folder: network, words, vectors, configuration.

        Parameters
        ----------
        folder : str or Path
            The folder; one that firth wrote is replaced.

        Raises
        ------
        OutputError
            If the folder is something else, or the disk is full.
        """
        self._check_fitted()
        parameters = self.get_params(deep=False)
        for name in ("vectors", "device", "show_progress"):
            del parameters[name]
        config = {
            "labels": self.labels_,
            "scheme": self.scheme_,
            "characters": None if self._characters is None else self._characters.characters,
            "parameters": parameters,
            "coverage": self.coverage_,
            "training": self._training,
        }
        state = self._network.state_dict().items()
        arrays = {name: tensor.cpu().numpy() for name, tensor in state}
        write_tagger(folder, config, self._vocab, arrays)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], *, device: str | None = None) -> Self:
        """Open a tagger that `save` wrote.

        Parameters
        ----------
        folder : str or Path
            The folder.
        device : str, optional
            Where to compute; a GPU where there is one if not given.

        Returns
        -------
        Tagger
            Ready to find. To learn anew it needs vectors again, which it does not keep apart.

        Raises
        ------
        SourceError
            If there is no such folder.
        FormatError
            If it is not that of a tagger, comes from a later version, is cut off or damaged.
        """
        kept = read_tagger(folder)
        self: Self
        try:
            self = cls(**kept.config["parameters"], device=device)
            check_parameters(self, with_vectors=False)
        except (ParameterError, TypeError) as error:
            raise wrong_parameters(folder, error) from error
        self.labels_, self.scheme_ = kept.config["labels"], kept.config["scheme"]
        self.coverage_, self._training = kept.config.get("coverage"), kept.config.get("training")
        self._tags = tags_of(self.labels_)
        self._vocab = TaggerVocab(kept.learned, kept.fixed)
        characters = kept.config["characters"]
        self._characters = None if characters is None else Characters(characters)
        if (characters is None) != (self.characters is None):
            problem = ParameterError("characters are there and not wanted, or the other way round")
            raise wrong_parameters(folder, problem)
        # Without memory until the file is known to have what the configuration claims.
        try:
            with torch.device("meta"):
                wanted = self._network_over(WordVectors.empty(kept.network[LEARNED].shape[1]))
        except RuntimeError as error:  # sizes that no memory has
            raise wrong_parameters(folder, error) from error
        shapes = {name: tuple(each.shape) for name, each in wanted.state_dict().items()}
        check_state(folder, {**shapes, LEARNED: kept.network[LEARNED].shape}, kept.network)
        self._build(kept.network[LEARNED], kept.vectors)
        state = {name: torch.tensor(array) for name, array in kept.network.items()}
        self._network.load_state_dict(state, strict=False)
        self._network.eval()
        return self

    def __sklearn_clone__(self) -> Tagger:
        # Cloned like any parameter, the matrix would be copied for each fold of each search.
        parameters = self.get_params(deep=False)
        others = {name: clone(v, safe=False) for name, v in parameters.items() if name != "vectors"}
        return type(self)(self.vectors, **others)

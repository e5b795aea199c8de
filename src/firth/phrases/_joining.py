"""Finding the phrases of sentences: what models that count and models that are finished share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from firth import _core
from firth.errors import ParameterError, TextError
from firth.phrases import _files
from firth.phrases._names import NO_LIMIT, pack, unpack

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from firth.phrases._phrases import Phrases
    from firth.phrases._scoring import Scorer

Sentence = Iterable[str]


class PhraseModel(ABC):
    """What `Phrases` and `FrozenPhrases` can both do: join the phrases of sentences.

    Attributes
    ----------
    connector_words : frozenset of str
        Words that may stand inside of a phrase, but not at its ends.
    delimiter : str
        What stands between the words of a phrase.
    threshold : float
        What a pair has to score more than.
    min_count : float
        As of `Phrases`.
    scoring : callable or None
        The function that scores; None for phrases that were scored elsewhere.
    """

    connector_words: frozenset[str]
    delimiter: str
    threshold: float
    min_count: float
    scoring: Scorer | None
    _table: _core.PhraseTable

    @property
    @abstractmethod
    def _rule(self) -> str | None:
        """How the core scores; None where a function of the caller's does."""

    @property
    @abstractmethod
    def _corpus_word_count(self) -> int: ...

    @abstractmethod
    def score_candidate(
        self, word_a: str, word_b: str, in_between: list[str]
    ) -> tuple[str, float] | tuple[None, None]:
        """Score two words with the connectors between them.

        Returns
        -------
        phrase : str or None
            The words joined, None if they are no phrase.
        score : float or None
            Their score.
        """

    @abstractmethod
    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model to a folder; see `load`."""

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str], *, scoring: Any = None
    ) -> Phrases | FrozenPhrases:
        """Open what `save` wrote, or what gensim's `save` did.

        Parameters
        ----------
        folder : str or Path
            The folder; or gensim's file, which is a pickle: it is read, and nothing in it is run.
        scoring : callable, optional
            The function of a model that was made with one of the caller's own: functions are not
            saved.

        Returns
        -------
        Phrases or FrozenPhrases
            Whichever was saved.

        Raises
        ------
        SourceError
            There is no such folder.
        FormatError
            It holds something else, or its file is damaged.
        ParameterError
            `scoring` is missing, or is given for a model that has one.
        """
        return _files.load(folder, scoring)

    def analyze_sentence(self, sentence: Sentence) -> Iterator[tuple[str, float | None]]:
        """Find the phrases of a sentence, from left to right.

        Parameters
        ----------
        sentence : iterable of str
            Its tokens.

        Yields
        ------
        token : str
            A phrase, its words joined by the delimiter; or a word that is part of none.
        score : float or None
            The score of the phrase; None for a word.

        Examples
        --------
        >>> from firth.phrases import FrozenPhrases
        >>> phrases = FrozenPhrases.from_scores({"new_york": 12.5})
        >>> list(phrases.analyze_sentence(["to", "new", "york"]))
        [('to', None), ('new_york', 12.5)]
        """
        yield from zip(*self._analysed(sentence, 1), strict=True)

    def __getitem__(self, sentence: Sentence | Iterable[Sentence]) -> Any:
        """Join the phrases of one sentence, or of many.

        Parameters
        ----------
        sentence : iterable of str, or iterable of these
            A sentence, or a corpus of them.

        Returns
        -------
        list of str, or iterable of these
            The tokens of the sentence with phrases joined; for a corpus an iterable that joins
            them on the way, as often as the corpus can be read.

        Raises
        ------
        TextError
            A sentence is no list of strings.
        """
        if isinstance(sentence, str | bytes):
            raise TextError(
                f"the sentence is a string ({sentence!r:.60}), not a list of tokens: split it"
            )
        if isinstance(sentence, Mapping) or not hasattr(sentence, "__iter__"):
            raise TextError(f"{sentence!r:.60} is no list of tokens and no iterable of such lists")
        if isinstance(sentence, _JoinedSentences):
            # Looking at its first sentence could take that from a stream below.
            return _JoinedSentences(self, sentence)
        items = iter(sentence)
        first = next(items, None)
        if first is None:
            return []
        again: Iterable[Any] = chain([first], items) if items is sentence else sentence
        if isinstance(first, str):
            return self._joined(again, 1)
        return _JoinedSentences(self, again)

    def find_phrases(self, sentences: Iterable[Sentence]) -> dict[str, float]:
        """Find the phrases of a corpus.

        Parameters
        ----------
        sentences : iterable of lists of str
            The corpus.

        Returns
        -------
        dict of str to float
            The phrases that occur in it, with their scores.

        Examples
        --------
        >>> from firth.phrases import FrozenPhrases
        >>> phrases = FrozenPhrases.from_scores({"new_york": 12.5, "los_angeles": 31.0})
        >>> phrases.find_phrases([["to", "new", "york"], ["to", "boston"]])
        {'new_york': 12.5}
        """
        return {
            token: score
            for number, sentence in enumerate(sentences, 1)
            for token, score in zip(*self._analysed(sentence, number), strict=True)
            if score is not None
        }

    def _joined(self, sentence: Sentence, number: int) -> list[str]:
        """Give the tokens of a sentence with its phrases joined."""
        tokens, rule = _checked_list(sentence, number), self._rule
        if rule is None:
            return self._analysed(tokens, number)[0]
        try:
            return self._table.join_sentence(
                tokens, rule, self.min_count, self.threshold, self._corpus_word_count
            )
        except (TypeError, UnicodeEncodeError):
            raise_for_tokens(tokens, number)
            raise

    def _analysed(self, sentence: Sentence, number: int) -> tuple[list[str], list[float | None]]:
        """Give the tokens of a sentence with its phrases joined, and the scores of these."""
        tokens, rule = _checked_list(sentence, number), self._rule
        try:
            if rule is None:
                return self._analysed_by_function(tokens)
            return self._table.analyze_sentence(
                tokens, rule, self.min_count, self.threshold, self._corpus_word_count
            )
        except (TypeError, UnicodeEncodeError):
            raise_for_tokens(tokens, number)
            raise

    def _analysed_by_function(self, tokens: list[str]) -> tuple[list[str], list[float | None]]:
        """Do what the core does, with a function of the caller's that scores."""
        joined: list[str] = []
        scores: list[float | None] = []
        pending: list[str] = []  # what may begin a phrase, and the connectors behind it

        def dissolve() -> None:
            joined.extend(pending)
            scores.extend([None] * len(pending))
            pending.clear()

        for token in tokens:
            if token in self.connector_words:
                pending.append(token)
                if len(pending) == 1:
                    dissolve()
                continue
            if pending:
                phrase, score = self.score_candidate(pending[0], token, pending[1:])
                if phrase is not None:
                    joined.append(phrase)
                    scores.append(score)
                    pending.clear()
                    continue
                dissolve()
            pending.append(token)
        dissolve()
        return joined, scores


class _JoinedSentences:
    """The sentences of a corpus with their phrases joined."""

    def __init__(self, phrases: PhraseModel, sentences: Iterable[Sentence]) -> None:
        self._phrases = phrases
        self._sentences = sentences
        self._is_spent = False

    def __iter__(self) -> Iterator[list[str]]:
        if self._is_spent:
            raise TextError(
                "these sentences come from a stream and have been read already: join the phrases "
                "of a list, or of another iterable that can be read more than once"
            )
        self._is_spent = isinstance(self._sentences, Iterator)
        return self._joined()

    def _joined(self) -> Iterator[list[str]]:
        joined = self._phrases._joined  # noqa: SLF001 (two halves of one thing)
        for number, sentence in enumerate(self._sentences, 1):
            yield joined(sentence, number)


class FrozenPhrases(PhraseModel):
    """Phrases that are final: they take little memory, and nothing more can be learned.

    Parameters
    ----------
    phrases_model : Phrases
        Where to take them from. `Phrases.freeze` does the same.

    Attributes
    ----------
    phrasegrams : mapping of str to float
        The phrases with their scores; read-only.

    Examples
    --------
    >>> from firth.phrases import FrozenPhrases, Phrases
    >>> sentences = [["new", "york"], ["new", "york", "cars"], ["new", "cars"]] * 4
    >>> frozen = FrozenPhrases(Phrases(sentences, min_count=3, threshold=0.3))
    >>> frozen[["in", "new", "york"]]
    ['in', 'new_york']
    """

    def __init__(self, phrases_model: Phrases | GivenPhrases) -> None:
        if not hasattr(phrases_model, "export_phrases"):
            raise ParameterError(
                f"{phrases_model!r:.60} is no Phrases: for phrases of your own there is "
                f"FrozenPhrases.from_scores"
            )
        self.connector_words = frozenset(phrases_model.connector_words)
        self.delimiter = phrases_model.delimiter
        self.threshold = phrases_model.threshold
        self.min_count = phrases_model.min_count
        self.scoring = phrases_model.scoring
        self.phrasegrams: Mapping[str, float] = MappingProxyType(phrases_model.export_phrases())
        self._table = self.make_table()

    def make_table(self) -> _core.PhraseTable:
        """Make a table of the core that finds these phrases, for callers that add words to it."""
        table = _core.PhraseTable(self.delimiter, NO_LIMIT, sorted(self.connector_words))
        names, offsets = pack(self.phrasegrams)
        wrong = table.add_phrases(names, offsets, self._scores())
        if wrong >= 0:
            name = unpack(names, offsets, wrong)
            raise ParameterError(
                f"{name!r} is no phrase: it has no delimiter {self.delimiter!r} inside"
            )
        return table

    def _scores(self) -> NDArray[np.float64]:
        return np.fromiter(self.phrasegrams.values(), np.float64, len(self.phrasegrams))

    @classmethod
    def from_scores(
        cls,
        phrasegrams: Mapping[str, float],
        *,
        threshold: float = -math.inf,
        delimiter: str = "_",
        connector_words: Iterable[str] = frozenset(),
    ) -> Self:
        """Make a model of phrases that are known already, such as a list of terms.

        Parameters
        ----------
        phrasegrams : mapping of str to float
            The phrases, their words joined by the delimiter, and a score for each.
        threshold : float
            Phrases that do not score more than this are not joined.
        delimiter : str
            What stands between the words.
        connector_words : iterable of str
            Words that may stand inside of a phrase. A phrase of more than two words is found if
            those between the first and the last are connectors, or if its beginning or end has
            been joined before.

        Raises
        ------
        ParameterError
            A name has no delimiter inside, or a score is no number.

        Examples
        --------
        >>> from firth.phrases import FrozenPhrases
        >>> terms = FrozenPhrases.from_scores(
        ...     {"heart_attack": 1, "shortness_of_breath": 1}, connector_words=["of"]
        ... )
        >>> terms[["shortness", "of", "breath", "before", "a", "heart", "attack"]]
        ['shortness_of_breath', 'before', 'a', 'heart_attack']
        """
        return cls(
            GivenPhrases(
                _checked_scores(phrasegrams),
                threshold=threshold,
                delimiter=check_delimiter(delimiter),
                connector_words=check_connectors(connector_words),
            )
        )

    @property
    def _rule(self) -> str:
        return "stored"

    @property
    def _corpus_word_count(self) -> int:
        return 0

    def score_candidate(
        self, word_a: str, word_b: str, in_between: list[str]
    ) -> tuple[str, float] | tuple[None, None]:
        """See `PhraseModel.score_candidate`."""
        phrase = self.delimiter.join([word_a, *in_between, word_b])
        score = self.phrasegrams.get(phrase, -math.inf)
        return (phrase, score) if score > self.threshold else (None, None)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the phrases to a folder.

        Parameters
        ----------
        folder : str or Path
            The folder; one that firth wrote is replaced.

        Raises
        ------
        OutputError
            The folder is something else, or the disk is full.
        """
        names, offsets = pack(self.phrasegrams)
        tensors: dict[str, NDArray[Any]] = {
            "name_bytes": names,
            "name_offsets": offsets,
            "scores": self._scores(),
        }
        _files.save(folder, self, tensors)

    def __len__(self) -> int:
        return len(self.phrasegrams)

    def __repr__(self) -> str:
        return (
            f"FrozenPhrases({len(self.phrasegrams):,} phrases, min_count={self.min_count}, "
            f"threshold={self.threshold})"
        )


@dataclass(frozen=True)
class GivenPhrases:
    """Phrases and their settings, as `FrozenPhrases` takes them."""

    phrasegrams: dict[str, float]
    threshold: float
    delimiter: str
    connector_words: frozenset[str]
    min_count: float = 0
    scoring: Scorer | None = None

    def export_phrases(self) -> dict[str, float]:
        """Give the phrases with their scores."""
        return self.phrasegrams


def _checked_scores(phrasegrams: Any) -> dict[str, float]:
    if not isinstance(phrasegrams, Mapping):
        raise ParameterError("phrasegrams must be a mapping from phrases to their scores")
    for name, score in phrasegrams.items():
        is_number = isinstance(score, int | float | np.number)
        if not isinstance(name, str) or not is_number or math.isnan(score):
            raise ParameterError(
                f"phrasegrams has {name!r:.60}: {score!r:.60}; give strings and numbers"
            )
    return {name: float(score) for name, score in phrasegrams.items()}


def check_delimiter(delimiter: Any) -> str:
    """Check what is to stand between the words of a phrase."""
    if not isinstance(delimiter, str) or not delimiter:
        raise ParameterError(
            f"delimiter is {delimiter!r}: give a string of one character or more, such as '_'"
        )
    return delimiter


def check_connectors(words: Any) -> frozenset[str]:
    """Check connector words."""
    if isinstance(words, str) or not isinstance(words, Iterable):
        raise ParameterError(f"connector_words is {words!r:.60}: give a set of words")
    found = frozenset(words)
    for word in found:
        if not isinstance(word, str) or not word:
            raise ParameterError(f"connector_words has {word!r:.60}, which is no word")
    return found


def _checked_list(sentence: Any, number: int) -> list[str]:
    if isinstance(sentence, list):
        return sentence
    if isinstance(sentence, str | bytes | Mapping) or not hasattr(sentence, "__iter__"):
        raise TextError(f"sentence {number} is {sentence!r:.60}, not a list of tokens: split it")
    return list(sentence)


def raise_for_tokens(tokens: list[Any], number: int) -> None:
    """Raise an error for the first token of a sentence that is none, if there is one."""
    for place, token in enumerate(tokens, 1):
        where = f"token {place} of sentence {number}"
        if not isinstance(token, str):
            raise TextError(f"{where} is {token!r:.60}, not a string: give lists of strings")
        try:
            token.encode()
        except UnicodeEncodeError:
            raise TextError(
                f"{where} ({token!r:.60}) has a lone surrogate, which is no character: decode the "
                f"text with errors='replace'"
            ) from None

"""Phrases that gensim saved with ``save()``: `Phrases` and `FrozenPhrases` (or `Phraser`).

::

    Phrases         vocab: how often each word and each joined pair was seen
    FrozenPhrases   phrasegrams: the score of each phrase
    both            min_count, threshold, delimiter, scoring, connector_words

Before gensim 4 texts were bytes, connector_words were common_terms, and phrasegrams had the words
of a phrase as a tuple, and before 3.8 the count beside the score. Read only: a pickle, by
`firth.formats.restricted_pickle`, which runs nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from firth.errors import FormatError
from firth.formats._source import VectorSource
from firth.formats.restricted_pickle import Record, load_restricted

if TYPE_CHECKING:
    import os

_SCORERS: Final = {"original_scorer": "default", "npmi_scorer": "npmi"}
_UNWANTED = frozenset({"lifecycle_events"})
_MOST_COUNT = 2**63


class SavedPhrases(NamedTuple):
    """What gensim saved.

    Attributes
    ----------
    counts : dict of str to int, or None
        Words and joined pairs with their counts; None for phrases that were frozen.
    scores : dict of str to float, or None
        Phrases with their scores, of those.
    settings : dict
        min_count, threshold, delimiter, connector_words.
    scoring : str or None
        "default", "npmi", or None for a function of the caller's.
    corpus_word_count, min_reduce, max_vocab_size : int
        For counting to go on.
    """

    counts: dict[str, int] | None
    scores: dict[str, float] | None
    settings: dict[str, Any]
    scoring: str | None
    corpus_word_count: int
    min_reduce: int
    max_vocab_size: int


def read_saved_phrases(path: str | os.PathLike[str]) -> SavedPhrases:
    """Read phrases that gensim saved, compressed or not.

    Raises
    ------
    SourceError
        The file cannot be read.
    FormatError
        It is damaged, holds something else, or wants to run code.
    """
    with VectorSource(path) as source:
        data = b"".join(source.chunks())
        name = source.name
    root = load_restricted(data, name, unwanted=_UNWANTED)
    if not isinstance(root, Record) or not {"vocab", "phrasegrams"} & root.fields.keys():
        what = root.kind if isinstance(root, Record) else type(root).__name__
        raise FormatError(f"{name}: no phrases of gensim, but {what}")
    return _Fields(root.fields, name).read()


class _Fields:
    def __init__(self, fields: dict[Any, Any], name: str) -> None:
        self._fields = fields
        self._name = name

    def read(self) -> SavedPhrases:
        delimiter = self._text(self._fields.get("delimiter", "_"), "delimiter")
        terms = self._fields.get("connector_words", self._fields.get("common_terms", frozenset()))
        if not isinstance(terms, frozenset | set | list | tuple):
            raise self._fail("connector_words", terms)
        settings = {
            "min_count": self._number("min_count", 5),
            "threshold": self._number("threshold", 10.0),
            "delimiter": delimiter,
            "connector_words": frozenset(self._text(term, "connector_words") for term in terms),
        }
        is_frozen = "phrasegrams" in self._fields
        return SavedPhrases(
            counts=None if is_frozen else self._counts(),
            scores=self._scores(delimiter) if is_frozen else None,
            settings=settings,
            scoring=self._scoring(),
            corpus_word_count=int(self._number("corpus_word_count", 0)),
            min_reduce=int(self._number("min_reduce", 1)),
            max_vocab_size=int(self._number("max_vocab_size", 40_000_000)),
        )

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for key, count in self._dict("vocab").items():
            if type(count) is not int or not 0 <= count < _MOST_COUNT:
                raise self._fail(f"the count of {key!r:.60}", count)
            if count and (word := self._text(key, "vocab")):
                counts[word] = count
        return counts

    def _scores(self, delimiter: str) -> dict[str, float]:
        scores = {}
        for key, value in self._dict("phrasegrams").items():
            words = key if isinstance(key, tuple) else (key,)
            name = delimiter.join(self._text(word, "phrasegrams") for word in words)
            score = value[-1] if isinstance(value, tuple) and value else value
            if not _is_number(score):
                raise self._fail(f"the score of {name!r:.60}", value)
            scores[name] = float(score)
        return scores

    def _scoring(self) -> str | None:
        scoring = self._fields.get("scoring", "original_scorer")
        if scoring in _SCORERS.values():  # of gensim before 3.1
            return str(scoring)
        return _SCORERS.get(str(scoring).rpartition(".")[2])

    def _dict(self, field: str) -> dict[Any, Any]:
        found = self._fields[field]
        found = found.fields if isinstance(found, Record) else found  # a defaultdict
        if not isinstance(found, dict):
            raise self._fail(field, found)
        return found

    def _number(self, field: str, default: float) -> Any:
        value = self._fields.get(field, default)
        if not _is_number(value):
            raise self._fail(field, value)
        return value

    def _text(self, value: Any, what: str) -> str:
        if not isinstance(value, str | bytes | memoryview):
            raise self._fail(what, value)
        try:
            text = value if isinstance(value, str) else str(value, "utf-8")
            text.encode()
        except ValueError:
            raise self._fail(what, value) from None
        return text

    def _fail(self, what: str, value: Any) -> FormatError:
        return FormatError(
            f"{self._name}: no phrases of gensim, or damaged: {what} is {value!r:.60}, which it "
            f"cannot be"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)

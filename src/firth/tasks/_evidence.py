"""Which words of a text spoke for its class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import ParameterError
from firth.text import make_tokenizer

if TYPE_CHECKING:
    from firth.sequences import Text
    from firth.tasks._classifier import TextClassifier

_PADDING = "<pad>"
# Texts as long as the one that is asked about, one for each of its words: a few hundred at a time.
_TEXTS_AT_A_TIME = 256


@dataclass(frozen=True)
class Evidence:
    """A word of a text, and what it weighed.

    Attributes
    ----------
    word : str
        The word, as the classifier reads it.
    count : int
        How often the text has it.
    weight : float
        By how much the natural logarithm of the class's probability falls without it.
    """

    word: str
    count: int
    weight: float


def explain(classifier: TextClassifier, text: Text, topn: Any, label: Any) -> list[Evidence]:
    """Weigh the words of a text; see `TextClassifier.explain`."""
    if not isinstance(topn, int) or topn < 1:
        raise ParameterError(f"topn must be a whole number of 1 or more, not {topn!r}")
    words = _words_of(classifier, text)
    before = classifier.predict_log_proba([words])[0]
    if label is None:
        column = int(before.argmax())
    else:
        found = np.flatnonzero(classifier.classes_ == label)
        if not len(found):
            raise ParameterError(
                f"label is {label!r}, which is no class; there are "
                f"{', '.join(map(repr, classifier.classes_[:20].tolist()))}"
            )
        column = int(found[0])
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    # Words that are not known weigh nothing, and need not be asked about.
    known = [word for word in counts if word in classifier.vocab_]
    weights: list[float] = []
    for begin in range(0, len(known), _TEXTS_AT_A_TIME):
        some = known[begin : begin + _TEXTS_AT_A_TIME]
        # Padding in its place: the words around stay where they are.
        without = [[_PADDING if each == word else each for each in words] for word in some]
        after = classifier.predict_log_proba(without)[:, column]
        weights += (before[column] - after).tolist()
    found_words = [Evidence(w, counts[w], x) for w, x in zip(known, weights, strict=True)]
    return sorted(found_words, key=lambda each: (-each.weight, each.word))[:topn]


def _words_of(classifier: TextClassifier, text: Text) -> list[str]:
    if not isinstance(text, str):
        return list(text)
    tokenizer = make_tokenizer(classifier.tokenizer, lowercase=classifier.lowercase)
    line = text.replace("\n", " ").encode("utf-8", "replace")
    return [word for words in tokenizer.sentences(line) for word in words]

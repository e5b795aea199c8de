"""Word vectors put to work: texts told apart, names found in sentences; extra ``tasks``.

::

    from firth.tasks import Tagger, TextClassifier, read_conll

    classifier = TextClassifier(wv, embedding="frozen").fit(texts, labels)
    classifier.predict(["a text"])

    tagger = Tagger(wv).fit(*read_conll("train.conll"))
    tagger.find(["Robert Lin is a durian cultivator"])
"""

from typing import TYPE_CHECKING, Any

from firth.tasks._classifier import TextClassifier
from firth.tasks._compare import (
    COMPARED,
    ClassifierComparison,
    ComparedRow,
    Trial,
    compare_classifiers,
    split_texts,
)
from firth.tasks._conll import TaggedSentences, read_conll
from firth.tasks._evidence import Evidence
from firth.tasks._pictures import check_picture
from firth.tasks._scores import ClassificationReport, ClassScore
from firth.tasks._tag_schemes import Entity, FoundEntity, convert_tags, find_entities
from firth.tasks._tag_scores import EntityScore, TaggingScores, score_tags
from firth.tasks._tag_words import split_words
from firth.tasks._texts import LabelledTexts, read_labelled_texts, read_split

if TYPE_CHECKING:
    from firth.tasks._tag_compare import TaggerComparison, TaggerRun, compare_taggers
    from firth.tasks._tagger import Tagger

__all__ = [
    "COMPARED",
    "ClassScore",
    "ClassificationReport",
    "ClassifierComparison",
    "ComparedRow",
    "Entity",
    "EntityScore",
    "Evidence",
    "FoundEntity",
    "LabelledTexts",
    "TaggedSentences",
    "Tagger",
    "TaggerComparison",
    "TaggerRun",
    "TaggingScores",
    "TextClassifier",
    "Trial",
    "check_picture",
    "compare_classifiers",
    "compare_taggers",
    "convert_tags",
    "find_entities",
    "read_conll",
    "read_labelled_texts",
    "read_split",
    "score_tags",
    "split_texts",
    "split_words",
]


def __getattr__(name: str) -> Any:
    # These need PyTorch as soon as they are imported, which the others do without.
    if name == "Tagger":
        from firth.tasks._tagger import Tagger

        return Tagger
    if name in {"TaggerComparison", "TaggerRun", "compare_taggers"}:
        from firth.tasks import _tag_compare

        return getattr(_tag_compare, name)
    raise AttributeError(f"module 'firth.tasks' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

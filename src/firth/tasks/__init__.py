"""Word vectors put to work: texts told apart; extra ``tasks``.

::

    from firth.tasks import TextClassifier

    classifier = TextClassifier(wv, embedding="frozen").fit(texts, labels)
    classifier.predict(["a text"])
"""

from firth.tasks._classifier import TextClassifier
from firth.tasks._compare import (
    COMPARED,
    ClassifierComparison,
    ComparedRow,
    Trial,
    compare_classifiers,
    split_texts,
)
from firth.tasks._evidence import Evidence
from firth.tasks._pictures import check_picture
from firth.tasks._scores import ClassificationReport, ClassScore
from firth.tasks._texts import LabelledTexts, read_labelled_texts, read_split

__all__ = [
    "COMPARED",
    "ClassScore",
    "ClassificationReport",
    "ClassifierComparison",
    "ComparedRow",
    "Evidence",
    "LabelledTexts",
    "TextClassifier",
    "Trial",
    "check_picture",
    "compare_classifiers",
    "read_labelled_texts",
    "read_split",
    "split_texts",
]

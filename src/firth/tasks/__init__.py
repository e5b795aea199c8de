"""Word vectors put to work: texts told apart; extra ``tasks``.

::

    from firth.tasks import TextClassifier

    classifier = TextClassifier(wv, embedding="frozen").fit(texts, labels)
    classifier.predict(["a text"])
"""

from firth.tasks._classifier import TextClassifier
from firth.tasks._evidence import Evidence
from firth.tasks._scores import ClassificationReport, ClassScore
from firth.tasks._texts import LabelledTexts, read_labelled_texts, read_split

__all__ = [
    "ClassScore",
    "ClassificationReport",
    "Evidence",
    "LabelledTexts",
    "TextClassifier",
    "read_labelled_texts",
    "read_split",
]

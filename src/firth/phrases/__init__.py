"""Phrases: words that stand together too often for chance, joined to one token (``new_york``).

::

    phrases = Phrases(corpus_file="text.txt.gz", connector_words=ENGLISH_CONNECTOR_WORDS)
    phrases[["trains", "to", "new", "york"]]
    model = Word2Vec(phrases[sentences])

Classes, functions and their parameters are those of ``gensim.models.phrases``.
"""

from firth.phrases._corpus import encode_phrases, learn_phrases
from firth.phrases._joining import FrozenPhrases, PhraseModel
from firth.phrases._phrases import Phrases
from firth.phrases._scoring import ENGLISH_CONNECTOR_WORDS, npmi_scorer, original_scorer

Phraser = FrozenPhrases  # its name in older versions of gensim

__all__ = [
    "ENGLISH_CONNECTOR_WORDS",
    "FrozenPhrases",
    "PhraseModel",
    "Phraser",
    "Phrases",
    "encode_phrases",
    "learn_phrases",
    "npmi_scorer",
    "original_scorer",
]

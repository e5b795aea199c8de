"""Vectors of sentences, made of the vectors of their words.

::

    from firth import SentenceEncoder

    encoder = SentenceEncoder(wv, weighting="sif").fit(sentences)
    encoder.encode("a sentence, or any short text")
"""

from firth.sentences._encoder import WEIGHTINGS, SentenceEncoder

__all__ = ["WEIGHTINGS", "SentenceEncoder"]

"""Vectors for words that were never seen, made of the vectors of their parts.

One class for each family that files hold: `FastTextSubwords`, `FloretSubwords`,
`FinalfusionSubwords` and `ExplicitSubwords`. Hashing and gathering are done in the compiled core.
"""

from firth.subwords._families import subwords_from
from firth.subwords._fasttext import FastTextSubwords
from firth.subwords._finalfusion import ExplicitSubwords, FinalfusionSubwords
from firth.subwords._floret import FloretSubwords
from firth.subwords._subwords import Subwords

__all__ = [
    "ExplicitSubwords",
    "FastTextSubwords",
    "FinalfusionSubwords",
    "FloretSubwords",
    "Subwords",
    "subwords_from",
]

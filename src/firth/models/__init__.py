"""Models: what turns a corpus into an embedding matrix."""

from firth.models._glove import GloVe
from firth.models._ppmi import PPMI
from firth.models._word2vec import Word2Vec

__all__ = ["PPMI", "GloVe", "Word2Vec"]

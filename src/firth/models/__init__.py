"""Models: what turns a corpus into an embedding matrix."""

from firth.models._word2vec import Word2Vec

__all__ = ["Word2Vec"]

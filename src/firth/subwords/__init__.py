"""Vectors for words that were never seen, made of the vectors of their parts."""

from firth.subwords._subwords import Subwords

__all__ = ["Subwords"]

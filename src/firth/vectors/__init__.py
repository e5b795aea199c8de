"""Words and their vectors, to be asked."""

from firth.vectors._keyed_vectors import KeyedVectors

__all__ = ["KeyedVectors"]

"""Words and their vectors, to be asked."""

from firth.vectors._keyed_vectors import KeyedVectors
from firth.vectors._results import Neighbours, NeighbourTable

__all__ = ["KeyedVectors", "NeighbourTable", "Neighbours"]

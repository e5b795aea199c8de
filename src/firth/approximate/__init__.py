"""Approximate nearest neighbours of plain arrays: an index that looks at a few rows of many.

::

    from firth.approximate import NeighbourIndex

    index = NeighbourIndex.build(matrix)
    index.recall  # the share of the true ten nearest that it finds, measured
    rows, scores = index.search(queries, k=10)
"""

from firth.approximate._about import KINDS
from firth.approximate._index import NeighbourIndex

__all__ = ["KINDS", "NeighbourIndex"]

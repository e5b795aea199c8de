"""Maps of words, and pictures of what vectors say of a few of them.

::

    vectors ──► words, unit rows ──► neighbours ──► coordinates ──► WordMap ──► picture, page
                   _choosing        neighbours      _projecting      _map     _picture, _page
"""

from firth.maps._colours import THEMES
from firth.maps._files import check_target
from firth.maps._groups import read_words
from firth.maps._map import COLOURINGS, WordMap, map_words
from firth.maps._plots import plot_analogy, plot_neighbours, plot_similarity
from firth.maps._projecting import METHODS, project

__all__ = [
    "COLOURINGS",
    "METHODS",
    "THEMES",
    "WordMap",
    "check_target",
    "map_words",
    "plot_analogy",
    "plot_neighbours",
    "plot_similarity",
    "project",
    "read_words",
]

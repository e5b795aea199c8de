"""Files of word vectors, in every common format: one module for each, its layout in its docstring.

All of them read into, and write from, a `VectorTable`; `firth.vectors.KeyedVectors` asks it.
"""

from firth.formats._format import Format, ReadOptions
from firth.formats._source import VectorSource
from firth.formats._table import LoadReport, VectorTable
from firth.formats.native import open_folder, save_folder

__all__ = [
    "Format",
    "LoadReport",
    "ReadOptions",
    "VectorSource",
    "VectorTable",
    "open_folder",
    "save_folder",
]

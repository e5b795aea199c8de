"""Files of word vectors, in every common format: one module for each, its layout in its docstring.

All of them read into, and write from, a `VectorTable`; `firth.vectors.KeyedVectors` asks it.
"""

from typing import TYPE_CHECKING, Any

from firth.formats._format import Format, ReadOptions
from firth.formats._table import LoadReport, VectorTable
from firth.formats.native import open_folder, save_folder

if TYPE_CHECKING:
    from firth.formats._fasttext_model import FastTextArgs, FastTextModelData
    from firth.formats._reading import read_vectors
    from firth.formats._registry import FORMATS, recognise
    from firth.formats._source import VectorSource
    from firth.formats._writing import write_vectors
    from firth.formats.fasttext import read_fasttext_model, write_fasttext_model
    from firth.formats.gensim_phrases import read_saved_phrases

__all__ = [
    "FORMATS",
    "FastTextArgs",
    "FastTextModelData",
    "Format",
    "LoadReport",
    "ReadOptions",
    "VectorSource",
    "VectorTable",
    "open_folder",
    "read_fasttext_model",
    "read_saved_phrases",
    "read_vectors",
    "recognise",
    "save_folder",
    "write_fasttext_model",
    "write_vectors",
]


def __getattr__(name: str) -> Any:
    # What opening a folder of firth does without is imported when it is first used.
    value: Any
    if name == "FORMATS":
        from firth.formats._registry import FORMATS as value  # noqa: N811
    elif name == "recognise":
        from firth.formats._registry import recognise as value
    elif name == "VectorSource":
        from firth.formats._source import VectorSource as value  # noqa: N813
    elif name == "read_vectors":
        from firth.formats._reading import read_vectors as value
    elif name == "write_vectors":
        from firth.formats._writing import write_vectors as value
    elif name == "FastTextArgs":
        from firth.formats._fasttext_model import FastTextArgs as value  # noqa: N813
    elif name == "FastTextModelData":
        from firth.formats._fasttext_model import FastTextModelData as value  # noqa: N813
    elif name == "read_fasttext_model":
        from firth.formats.fasttext import read_fasttext_model as value
    elif name == "read_saved_phrases":
        from firth.formats.gensim_phrases import read_saved_phrases as value
    elif name == "write_fasttext_model":
        from firth.formats.fasttext import write_fasttext_model as value
    else:
        raise AttributeError(f"module 'firth.formats' has no attribute {name!r}")
    globals()[name] = value
    return value

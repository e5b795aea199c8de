"""Static word vectors: train them on any text, ask them, measure them, put them to work.

::

    import firth

    model = firth.Word2Vec(corpus_file="text.txt.gz", vector_size=100, sg=1)
    model.wv.most_similar("computers")
    model.save("vectors")

    wv = firth.load("vectors")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Where each public name comes from. A room is imported when one of its names is first used, so that
# a program which only asks never pays for what trains.
_HOMES = {
    "Cooccurrences": "firth.cooccurrence",
    "Corpus": "firth.corpus",
    "GloVe": "firth.models",
    "KeyedVectors": "firth.vectors",
    "PPMI": "firth.models",
    "Vocab": "firth.vocab",
    "Word2Vec": "firth.models",
    "build_vocab": "firth.corpus",
    "count_cooccurrences": "firth.cooccurrence",
    "encode_corpus": "firth.corpus",
    "errors": "firth",
    "load": "firth.vectors",
    "make_tokenizer": "firth.text",
    "open_text": "firth.text",
}

__all__ = [
    "PPMI",
    "Cooccurrences",
    "Corpus",
    "GloVe",
    "KeyedVectors",
    "Vocab",
    "Word2Vec",
    "build_vocab",
    "count_cooccurrences",
    "encode_corpus",
    "errors",
    "load",
    "make_tokenizer",
    "open_text",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from firth import errors
    from firth.cooccurrence import Cooccurrences, count_cooccurrences
    from firth.corpus import Corpus, build_vocab, encode_corpus
    from firth.models import PPMI, GloVe, Word2Vec
    from firth.text import make_tokenizer, open_text
    from firth.vectors import KeyedVectors, load
    from firth.vocab import Vocab


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'firth' has no attribute {name!r}")
    home = import_module(_HOMES[name] if name != "errors" else "firth.errors")
    value = home if name == "errors" else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

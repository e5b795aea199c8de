"""Static word vectors: train them on any text, ask them, measure them, put them to work.

::

    import firth

    model = firth.Word2Vec(corpus_file="text.txt.gz", vector_size=100, sg=1)
    model.wv.most_similar("computers")
    model.save("vectors")

    wv = firth.load("vectors")  # or any vector file, or "glove.6B.100d"
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Where each public name comes from. A room is imported when one of its names is first used, so that
# a program which only asks never pays for what trains.
_HOMES = {
    "Cooccurrences": "firth.cooccurrence",
    "Corpus": "firth.corpus",
    "FastText": "firth.models",
    "FrozenPhrases": "firth.phrases",
    "GloVe": "firth.models",
    "KeyedVectors": "firth.vectors",
    "PPMI": "firth.models",
    "Phrases": "firth.phrases",
    "SentenceEncoder": "firth.sentences",
    "TextEncoder": "firth.sequences",
    "Vocab": "firth.vocab",
    "Word2Vec": "firth.models",
    "build_vocab": "firth.corpus",
    "cluster": "firth",
    "count_cooccurrences": "firth.cooccurrence",
    "count_tokens": "firth.vocab",
    "download": "firth.hub",
    "embedding": "firth",
    "embedding_matrix": "firth.vocab",
    "encode_corpus": "firth.corpus",
    "errors": "firth",
    "evaluate": "firth.evaluation",
    "export": "firth.exports",
    "layers": "firth",
    "list_sources": "firth.hub",
    "load": "firth.hub",
    "make_tokenizer": "firth.text",
    "map_words": "firth.maps",
    "one_hot": "firth.sequences",
    "open_text": "firth.text",
}

__all__ = [
    "PPMI",
    "Cooccurrences",
    "Corpus",
    "FastText",
    "FrozenPhrases",
    "GloVe",
    "KeyedVectors",
    "Phrases",
    "SentenceEncoder",
    "TextEncoder",
    "Vocab",
    "Word2Vec",
    "build_vocab",
    "cluster",
    "count_cooccurrences",
    "count_tokens",
    "download",
    "embedding",
    "embedding_matrix",
    "encode_corpus",
    "errors",
    "evaluate",
    "export",
    "layers",
    "list_sources",
    "load",
    "make_tokenizer",
    "map_words",
    "one_hot",
    "open_text",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from firth import cluster, embedding, errors, layers
    from firth.cooccurrence import Cooccurrences, count_cooccurrences
    from firth.corpus import Corpus, build_vocab, encode_corpus
    from firth.evaluation import evaluate
    from firth.exports import export
    from firth.hub import download, list_sources, load
    from firth.maps import map_words
    from firth.models import PPMI, FastText, GloVe, Word2Vec
    from firth.phrases import FrozenPhrases, Phrases
    from firth.sentences import SentenceEncoder
    from firth.sequences import TextEncoder, one_hot
    from firth.text import make_tokenizer, open_text
    from firth.vectors import KeyedVectors
    from firth.vocab import Vocab, count_tokens, embedding_matrix


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'firth' has no attribute {name!r}")
    is_module = _HOMES[name] == "firth"
    home = import_module(f"firth.{name}" if is_module else _HOMES[name])
    value = home if is_module else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

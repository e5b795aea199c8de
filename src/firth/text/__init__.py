"""Text from anywhere, as a stream of UTF-8 blocks, and the tokenisers that split it.

::

    from firth.text import make_tokenizer, open_text

    tokenizer = make_tokenizer("words", lowercase=True)
    for block in open_text("articles.jsonl.zst", field="text").blocks():
        for sentence in tokenizer.sentences(block):
            ...
"""

from firth.text.iterables import TokenSource
from firth.text.opening import open_text
from firth.text.readers import (
    BrownCorpus,
    FileSentences,
    LineSentence,
    PathLineSentences,
    Text8Corpus,
)
from firth.text.rows import read_rows
from firth.text.sources import FileSource, TextSource
from firth.text.tokenizers import TOKENIZERS, Tokenizer, make_tokenizer

__all__ = [
    "TOKENIZERS",
    "BrownCorpus",
    "FileSentences",
    "FileSource",
    "LineSentence",
    "PathLineSentences",
    "Text8Corpus",
    "TextSource",
    "TokenSource",
    "Tokenizer",
    "make_tokenizer",
    "open_text",
    "read_rows",
]

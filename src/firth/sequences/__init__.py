"""Texts as sequences of ids, and ids as one-hot vectors: what networks are fed with.

::

    from firth import TextEncoder

    encoder = TextEncoder(maxlen=100).fit(texts)
    encoder.encode(texts)  # int32, (n_texts, 100)
"""

from firth.sequences._encoder import TextEncoder
from firth.sequences._one_hot import one_hot
from firth.sequences._tokens import Text, TextTokens, TokenBatch

__all__ = ["Text", "TextEncoder", "TextTokens", "TokenBatch", "one_hot"]

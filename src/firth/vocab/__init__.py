"""The words of a corpus or of a matrix, their counts and their ids.

A `Vocab` is four arrays, so that it opens by memory map in no time, whatever its size::

    word_bytes    uint8   (n_bytes,)       the words in UTF-8, one after the other
    word_offsets  uint64  (n_words + 1,)   word i is word_bytes[word_offsets[i]:word_offsets[i + 1]]
    counts        int64   (n_words,)       how often each was seen; all 0 where that is not known
    slots         uint32  (n_slots,)       hash table from word to id, built by the compiled core
"""

from firth.vocab._checks import check_word
from firth.vocab._embedding import TokenEmbedding, VocabCoverage, embedding_matrix
from firth.vocab._tokens import Vocab, count_tokens
from firth.vocab._vocab import VOCAB_FILE
from firth.vocab._weights import smooth_inverse_frequency
from firth.vocab._word_list import WordList

__all__ = [
    "VOCAB_FILE",
    "TokenEmbedding",
    "Vocab",
    "VocabCoverage",
    "WordList",
    "check_word",
    "count_tokens",
    "embedding_matrix",
    "smooth_inverse_frequency",
]

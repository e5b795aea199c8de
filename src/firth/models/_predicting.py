"""What a trained model says about words beside each other."""

from __future__ import annotations

import logging
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from firth.errors import ParameterError
from firth.models._checks import at_least_1
from firth.models._hierarchical import HuffmanTree, score_sentences
from firth.models._word_model import WordModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from firth.vocab import Vocab

logger = logging.getLogger("firth")


class PredictingModel(WordModel):
    """A model that tells a word from others beside its contexts; the questions of `Word2Vec`.

    Attributes
    ----------
    sg, hs, negative, window, cbow_mean : int
        Parameters of `Word2Vec`.
    """

    sg: int
    hs: int
    negative: int
    window: int
    cbow_mean: int

    def _tree(self) -> HuffmanTree:
        return HuffmanTree.of(self._words())

    @property
    def syn1neg(self) -> NDArray[np.float32]:
        """The vectors of the words as targets, shape (n_words, vector_size)."""
        if not self.negative:
            raise AttributeError("syn1neg is there with negative sampling; this model has hs alone")
        return self._matrix("targets")

    @property
    def syn1(self) -> NDArray[np.float32]:
        """The vectors of the inner nodes of the tree, shape (n_words - 1, vector_size)."""
        if not self.hs:
            raise AttributeError("syn1 is there with hierarchical softmax; this model has hs=0")
        return self._matrix("nodes")

    def predict_output_word(
        self, context_words_list: Sequence[str | int], topn: int = 10
    ) -> list[tuple[str, float]] | None:
        """Tell which words are likeliest between others, by the model's own targets.

        Crude, as in gensim: the vectors of the context are added up or averaged as CBOW does, also
        in a skip-gram model, and trained by negative sampling the scores are no probabilities.
        Those of a model of hierarchical softmax alone are.

        Parameters
        ----------
        context_words_list : sequence of str or int
            The words around, or their rows; those that are not there are left out.
        topn : int, default 10
            How many words to tell.

        Returns
        -------
        list of (str, float), or None
            Words with their share, likeliest first; the shares of all words add up to 1. None where
            none of the context words is there, with a warning in the log.

        Examples
        --------
        >>> from firth.models import Word2Vec
        >>> text = [["a", "king", "rules"], ["a", "dog", "barks"]] * 100
        >>> model = Word2Vec(text, vector_size=16, sample=0, epochs=20, workers=1)
        >>> model.predict_output_word(["a", "barks"], topn=1)[0][0]
        'dog'
        """
        if isinstance(context_words_list, str):
            raise ParameterError(
                f"context_words_list is the string {context_words_list!r:.60}; give a list of words"
            )
        topn = at_least_1("topn", topn)
        wv = self.wv
        rows = [
            wv.get_index(word) for word in context_words_list if word in wv.vocab or _is_row(word)
        ]
        if not rows:
            logger.warning("predict_output_word: none of the context words has a vector")
            return None
        hidden = wv.vectors[rows].astype(np.float32).sum(axis=0)
        if self.cbow_mean:
            hidden /= len(rows)
        if self.negative:
            scores = (self.syn1neg @ hidden).astype(np.float64)
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
        else:
            shares = np.exp(self._tree().log_shares(self.syn1, hidden))
        best = np.argsort(-shares, kind="stable")[:topn]
        return list(zip(wv.vocab.words_at(best), shares[best].tolist(), strict=True))

    def score(
        self, sentences: Iterable[Sequence[str]], total_sentences: int = 1_000_000
    ) -> NDArray[np.float32]:
        """Compute how likely sentences are; for models of hierarchical softmax.

        Taddy (2015), "Document Classification by Inversion of Distributed Language
        Representations". Skip-gram: the sum of ``log p(word | context)`` over all pairs of a word
        and a context in its window, which is not shrunk here; CBOW: of ``log p(word | contexts)``
        over all words.

        Parameters
        ----------
        sentences : iterable of lists of str
            Their words; those that the model does not have are left out.
        total_sentences : int, default 1_000_000
            Sentences behind this many are not looked at.

        Returns
        -------
        numpy.ndarray of float32, shape (n_sentences,)
            Logarithms, 0 and less; 0 for a sentence without pairs.

        Raises
        ------
        ParameterError
            This model was trained by negative sampling alone, which knows no probabilities; or a
            sentence is a string.

        Examples
        --------
        >>> from firth.models import Word2Vec
        >>> text = [["a", "king", "rules"], ["a", "dog", "barks"]] * 100
        >>> model = Word2Vec(text, hs=1, negative=0, vector_size=16, sample=0, epochs=20, workers=1)
        >>> likely, unlikely = model.score([["a", "dog", "barks"], ["king", "barks", "rules"]])
        >>> bool(likely > unlikely)
        True
        """
        if not self.hs:
            raise ParameterError(
                "score needs a model of hierarchical softmax (hs=1): negative sampling tells words "
                "from noise and knows no probabilities; predict_output_word ranks words"
            )
        vocab = self._words()
        limited = islice(sentences, at_least_1("total_sentences", total_sentences))
        return score_sentences(
            (_rows_of(sentence, vocab) for sentence in limited),
            self._tree(),
            self.wv.vectors,
            self.syn1,
            window=self.window,
            cbow=not self.sg,
            cbow_mean=bool(self.cbow_mean),
        )


def _is_row(word: object) -> bool:
    return isinstance(word, int | np.integer) and not isinstance(word, bool)


def _rows_of(sentence: Sequence[str], vocab: Vocab) -> list[int]:
    if isinstance(sentence, str):
        raise ParameterError(
            f"a sentence is the string {sentence!r:.60}; give lists of words, as split() makes them"
        )
    return [row for word in sentence if (row := vocab.get(word, -1)) >= 0]

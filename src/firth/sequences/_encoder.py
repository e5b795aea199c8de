"""Texts as matrices of ids."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from firth.errors import ParameterError
from firth.sequences._tokens import Text, TextTokens, is_whole
from firth.text import make_tokenizer
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

    from firth.sequences._tokens import TokenBatch
    from firth.text import Tokenizer

logger = logging.getLogger("firth")

Side = Literal["pre", "post"]


class TextEncoder:
    """Turns texts into ids of a vocabulary, all of the same length: what networks are fed with.

    A text is a string or a list of words. Names and defaults are those of Keras's `Tokenizer` and
    `pad_sequences` where they have the thing.

    Parameters
    ----------
    vocab : Vocab, optional
        The words; `fit` makes one if not given.
    maxlen : int, optional
        How many ids a text gets; as many as the longest has if not given.
    padding, truncating : "pre" or "post"
        Where texts that are shorter are filled up, and where longer ones are cut.
    num_words : int, optional
        Only ids below this are used, which are those of the special tokens and the most frequent
        words: a matrix of so many rows suffices.
    min_freq : int
        `fit` leaves out words seen less often.
    tokenizer : str, callable, or tokenizers.Tokenizer
        What splits strings; see `firth.make_tokenizer`.
    lowercase : bool
        Lower-case strings before they are split.
    unknown : bool
        Give words that are not there the id of ``vocab.unknown_token``; without one, or with False,
        they are left out.
    dtype : numpy dtype
        Of the ids: whole numbers.

    Attributes
    ----------
    n_truncated : int
        How many of the texts that were encoded last were longer than `maxlen`.
    n_unknown : int
        How many of their words were not there.

    Raises
    ------
    ParameterError
        If a parameter is out of its range.

    Examples
    --------
    >>> from firth import TextEncoder
    >>> encoder = TextEncoder(maxlen=4).fit(["To be, or not to be", "not to"])
    >>> encoder.vocab.idx_to_token[:]
    ['<unk>', '<pad>', 'to', 'be', 'not', 'or']
    >>> encoder.encode(["to be or what", "not"]).tolist()
    [[2, 3, 5, 0], [1, 1, 1, 4]]
    >>> encoder.decode([[1, 1, 1, 4]])
    ['not']
    """

    def __init__(
        self,
        vocab: Vocab | None = None,
        maxlen: int | None = None,
        padding: Side = "pre",
        truncating: Side = "pre",
        num_words: int | None = None,
        *,
        min_freq: int = 1,
        tokenizer: str | Callable[[str], Iterable[str]] | Tokenizer | Any = "words",
        lowercase: bool = True,
        unknown: bool = True,
        dtype: Any = np.int32,
    ) -> None:
        for name, side in (("padding", padding), ("truncating", truncating)):
            if side not in {"pre", "post"}:
                raise ParameterError(f"{name} is {side!r}, which is neither 'pre' nor 'post'")
        for name, value in (("maxlen", maxlen), ("num_words", num_words), ("min_freq", min_freq)):
            if value is not None and (not is_whole(value) or value < 1):
                raise ParameterError(f"{name} must be a whole number of 1 or more, not {value!r}")
        if np.dtype(dtype).kind not in "iu":
            raise ParameterError(f"dtype is {np.dtype(dtype)}; ids are whole numbers: int32, int64")
        self.vocab = vocab
        self.maxlen = maxlen
        self.padding = padding
        self.truncating = truncating
        self.num_words = num_words
        self.min_freq = min_freq
        self.unknown = unknown
        self.dtype = np.dtype(dtype)
        self._tokens = TextTokens(make_tokenizer(tokenizer, lowercase=lowercase))
        self.n_truncated = self.n_unknown = 0

    def fit(self, texts: Iterable[Text], y: object = None) -> Self:  # noqa: ARG002
        """Count the words of texts, and make the vocabulary of them.

        Parameters
        ----------
        texts : iterable of str, or of lists of str
            The texts; gone through once.
        y : object
            Not used; scikit-learn gives it.

        Returns
        -------
        TextEncoder
            This one.

        Raises
        ------
        VocabularyError
            If no word is left.
        """
        counts: dict[str, int] = {}
        for batch in self._tokens.batches(texts):
            for word, n in zip(batch.words, batch.counts().tolist(), strict=True):
                counts[word] = counts.get(word, 0) + n
        special = {} if self.unknown else {"unknown_token": None}
        n_special = 2 if self.unknown else 1
        most = None if self.num_words is None else max(1, self.num_words - n_special)
        # Not of a counter that is empty: special tokens alone would do for that.
        words = Vocab.from_counter(counts, min_count=self.min_freq, max_size=most)
        chosen = dict(zip(words.words, words.counts.tolist(), strict=True))
        self.vocab = Vocab(chosen, **special)  # type: ignore[arg-type]
        return self

    def encode(self, texts: Iterable[Text]) -> NDArray[Any]:
        """Write texts as ids, filled up and cut to the same length.

        Parameters
        ----------
        texts : iterable of str, or of lists of str
            The texts.

        Returns
        -------
        numpy.ndarray, shape (n_texts, maxlen)
            Filled up with the id of ``vocab.padding_token``. How many texts were cut stands in
            `n_truncated`.

        Raises
        ------
        ParameterError
            If there is no vocabulary yet, or it has no `padding_token`.
        """
        vocab = self._vocab()
        if vocab.padding_token is None:
            raise ParameterError(
                "the vocabulary has no padding_token, with which short texts are filled up; make "
                "it with one, or take sequences(texts)"
            )
        parts = list(self._ids(texts))
        longest = max((int(sizes.max(initial=0)) for _, sizes in parts), default=0)
        maxlen = longest if self.maxlen is None else self.maxlen
        self.n_truncated = sum(int((sizes > maxlen).sum()) for _, sizes in parts)
        n_texts = sum(len(sizes) for _, sizes in parts)
        if self.n_truncated:
            logger.info(
                "%s of %s texts are longer than %s words and were cut",
                f"{self.n_truncated:,}",
                f"{n_texts:,}",
                f"{maxlen:,}",
            )
        result = np.full((n_texts, maxlen), vocab[vocab.padding_token], self.dtype)
        begin = 0
        for ids, sizes in parts:
            self._lay_out(ids, sizes, result[begin : begin + len(sizes)])
            begin += len(sizes)
        return result

    def sequences(self, texts: Iterable[Text]) -> list[NDArray[Any]]:
        """Write texts as ids, each as long as it is, shape (n_words_of_text,)."""
        result: list[NDArray[Any]] = []
        for ids, sizes in self._ids(texts):
            result += np.split(ids, np.cumsum(sizes)[:-1]) if len(sizes) else []
        return result

    def decode(self, ids: ArrayLike) -> list[str]:
        """Write ids as texts, without what they were filled up with, words joined by spaces.

        Parameters
        ----------
        ids : array_like of int, shape (n_texts, maxlen), or a list of sequences
            Ids, as `encode` and `sequences` give them.

        Raises
        ------
        ParameterError
            If an id is none of the vocabulary.
        """
        vocab = self._vocab()
        texts = []
        for row in ids:  # type: ignore[union-attr]
            words = vocab.to_tokens(np.atleast_1d(np.asarray(row)))
            texts.append(" ".join(word for word in words if word != vocab.padding_token))
        return texts

    # --- within ---------------------------------------------------------------------------------

    def _vocab(self) -> Vocab:
        if self.vocab is None:
            raise ParameterError("there is no vocabulary yet: give one, or call fit(texts) first")
        return self.vocab

    def _ids(self, texts: Iterable[Text]) -> Iterable[tuple[NDArray[Any], NDArray[np.int64]]]:
        """Give the ids of the words that are used, and how many each text has."""
        self.n_unknown = 0
        for batch in self._tokens.batches(texts):
            yield self._ids_of(batch)

    def _ids_of(self, batch: TokenBatch) -> tuple[NDArray[Any], NDArray[np.int64]]:
        vocab = self._vocab()
        of_words = vocab.ids(batch.words)
        if self.num_words is not None:
            of_words[of_words >= self.num_words] = -1
        self.n_unknown += int(batch.counts()[of_words < 0].sum())
        if self.unknown and vocab.unknown_token is not None:
            of_words[of_words < 0] = vocab[vocab.unknown_token]
        ids = of_words[batch.numbers].astype(self.dtype)
        known = of_words[batch.numbers] >= 0
        if known.all():
            return ids, batch.sizes
        return ids[known], np.bincount(batch.text_of()[known], minlength=len(batch.sizes))

    def _lay_out(self, ids: NDArray[Any], sizes: NDArray[np.int64], rows: NDArray[Any]) -> None:
        """Write the ids of texts into rows, each to its side."""
        maxlen = rows.shape[1]
        text = np.repeat(np.arange(len(sizes)), sizes)
        place = np.arange(len(ids)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        if self.truncating == "pre":
            place -= np.maximum(sizes - maxlen, 0)[text]
        kept = (place >= 0) & (place < maxlen)
        if self.padding == "pre":
            place += np.maximum(maxlen - sizes, 0)[text]
        rows[text[kept], place[kept]] = ids[kept]

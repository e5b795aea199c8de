"""fastText: words as the sum of their character n-grams (Bojanowski et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from firth import _core
from firth.errors import ParameterError
from firth.models._checks import whole
from firth.models._word2vec import Word2Vec
from firth.subwords import FastTextSubwords
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from firth.models._texts import type_of_source
    from firth.models._word_model import Matrices

MOST_BUCKETS = 2**31 - 1


class FastText(Word2Vec):
    """Word vectors made of the vectors of character n-grams, for unseen words too.

    The vector of a word is the mean of a row of its own and of those of its n-grams, which all
    words share that have them. So rare words learn from those that look like them, and any word has
    a vector. Names and defaults are gensim's.

    Parameters
    ----------
    sentences, corpus_file
        As for `Word2Vec`.
    sg, hs, vector_size, alpha, window, min_count, max_vocab_size
        As for `Word2Vec`. fastText itself trains with ``sg=1, alpha=0.05, sample=1e-4``.
    word_ngrams : int, default 1
        Must be 1: n-grams of words are for classifiers.
    min_n, max_n : int, default 3 and 6
        The characters of an n-gram, of the word between ``<`` and ``>``. With ``max_n=0`` there are
        none, and the model is a `Word2Vec`.
    bucket : int, default 2_000_000
        N-grams are hashed into so many rows. All of them are kept, whatever the text has:
        2,000,000 rows of 100 dimensions take 0.9 GB.
    **parameters
        All others of `Word2Vec`.

    Attributes
    ----------
    wv : KeyedVectors
        The vectors; ``wv["unseen"]`` is made of n-grams. ``wv.vectors_vocab`` and
        ``wv.vectors_ngrams`` are the rows of words and of n-grams by themselves. Rows whose factor
        in ``wv.vectors_vocab_lockf`` or ``wv.vectors_ngrams_lockf`` is 0 are not trained.

    Raises
    ------
    ParameterError
        `min_n` is above `max_n`, there are n-grams but no buckets, or as for `Word2Vec`, as are
        all other errors.

    Notes
    -----
    Bojanowski, Grave, Joulin and Mikolov (2017), "Enriching Word Vectors with Subword Information",
    section 3.2. Hashes, the order of rows and the rule that each row gets the whole gradient are
    those of the fastText program, so that `save_facebook_model` writes what it reads. The mean of a
    word is formed once for all windows that it is in, and its gradient handed out behind the last.

    Examples
    --------
    >>> from firth.models import FastText
    >>> text = [["she", "was", "walking"], ["he", "was", "talking"], ["a", "dog", "barks"]] * 100
    >>> model = FastText(text, vector_size=16, bucket=1000, sample=0, workers=1, progress=False)
    >>> "walks" in model.wv.key_to_index, model.wv["walks"].shape
    (False, (16,))
    """

    PARAMETERS: ClassVar[tuple[str, ...]] = (
        *Word2Vec.PARAMETERS, "word_ngrams", "min_n", "max_n", "bucket",
    )  # fmt: skip

    def __init__(
        self,
        sentences: Iterable[Any] | None = None,
        corpus_file: type_of_source | None = None,
        sg: int = 0,
        hs: int = 0,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        word_ngrams: int = 1,
        *,
        min_n: int = 3,
        max_n: int = 6,
        bucket: int = 2_000_000,
        **parameters: Any,
    ) -> None:
        self.word_ngrams = whole("word_ngrams", word_ngrams)
        if word_ngrams != 1:
            raise ParameterError(
                f"word_ngrams must be 1, not {word_ngrams}: n-grams of words are for classifiers; "
                f"phrases=1 joins words that belong together"
            )
        self.min_n, self.max_n = whole("min_n", min_n), whole("max_n", max_n)
        self.bucket = whole("bucket", bucket)
        if min_n < 0 or max_n < 0 or (max_n and min_n > max_n):
            raise ParameterError(
                f"min_n={min_n} does not go with max_n={max_n}: n-grams have from min_n >= 0 to "
                f"max_n >= min_n characters, and max_n=0 is for none"
            )
        if not 0 <= bucket <= MOST_BUCKETS:
            raise ParameterError(f"bucket must be 0 to {MOST_BUCKETS:,}, not {bucket:,}")
        if max_n and not bucket:
            raise ParameterError(
                f"bucket=0 leaves no rows for the n-grams of {min_n} to {max_n} characters: raise "
                f"bucket, or set max_n=0 for words without n-grams"
            )
        super().__init__(
            sentences,
            corpus_file,
            vector_size,
            alpha,
            window,
            min_count,
            max_vocab_size,
            sg=sg,
            hs=hs,
            **parameters,
        )

    @property
    def has_ngrams(self) -> bool:
        """Whether words are made of n-grams, too."""
        return self.max_n > 0

    @property
    def algorithm(self) -> str:
        """What the model learns by: "fasttext-skip-gram" or "fasttext-cbow"."""
        return f"fasttext-{super().algorithm}"

    # --- what it learns by ----------------------------------------------------------------------

    @property
    def _n_buckets(self) -> int:
        return self.bucket if self.has_ngrams else 0

    def _matrix_rows(self, n_words: int) -> dict[str, int]:
        # Buckets first: words that join later come behind.
        return super()._matrix_rows(n_words) | {"input": self._n_buckets + n_words}

    def _lock_rows(self, n_words: int) -> dict[str, int]:
        if not self.has_ngrams:
            return super()._lock_rows(n_words)
        return {"vectors_ngrams_lockf": self.bucket, "vectors_vocab_lockf": n_words}

    def _what_words_are_made_of(self) -> dict[str, Any]:
        if not self.has_ngrams:
            return {}
        offsets, rows = self._parts()
        return {"part_offsets": offsets, "part_rows": rows}

    def _parts(self) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """List the rows of each word: its own one, then those of its n-grams.

        Returns
        -------
        offsets : numpy.ndarray of uint64, shape (n_words + 1,)
        rows : numpy.ndarray of uint32, shape (offsets[-1],)
        """
        words = self._words()
        ngrams, ends = _core.subword_ids(
            words.word_bytes,
            words.word_offsets,
            min_n=self.min_n,
            max_n=self.max_n,
            bucket=self.bucket,
            with_sentence_end=False,
        )
        offsets = ends + np.arange(len(words) + 1)
        rows = np.empty(offsets[-1], np.uint32)
        is_ngram = np.ones(len(rows), np.bool_)
        is_ngram[offsets[:-1]] = False
        rows[is_ngram] = ngrams
        rows[offsets[:-1]] = self.bucket + np.arange(len(words), dtype=np.uint32)
        return offsets.astype(np.uint64), rows

    # --- vectors --------------------------------------------------------------------------------

    def _make_wv(self, weights: Matrices) -> KeyedVectors:
        vocab, own = self._words(), weights["input"][self._n_buckets :]
        if not self.has_ngrams:
            return KeyedVectors(vocab, own)
        buckets = weights["input"][: self._n_buckets]
        subwords = FastTextSubwords(buckets, self.min_n, self.max_n, word_rows=own)
        vectors = subwords.compose(vocab.word_bytes, vocab.word_offsets, own)
        return KeyedVectors(vocab, vectors, subwords=subwords)

    def _input_of(self, vectors: KeyedVectors) -> NDArray[np.float32]:
        if not self.has_ngrams:
            return super()._input_of(vectors)
        theirs = vectors.subwords
        if (
            not isinstance(theirs, FastTextSubwords)
            or theirs.word_rows is None
            or theirs.kept is not None
            or (theirs.min_n, theirs.max_n, theirs.bucket) != (self.min_n, self.max_n, self.bucket)
        ):
            raise ParameterError(
                f"wv must have subwords of fastText with the rows of words by themselves, as "
                f"min_n={self.min_n}, max_n={self.max_n} and bucket={self.bucket:,} of the model "
                f"have them, not {theirs!r:.60}"
            )
        return np.concatenate([theirs.rows, theirs.word_rows], dtype=np.float32)

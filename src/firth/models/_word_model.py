"""The words and the matrices of a model that learns from running text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from firth.errors import ParameterError
from firth.models._checks import at_least_1, lock_factors
from firth.models._matrices import empty_matrix, fill_uniform, without_padding
from firth.models._texts import TextOptions, encode, encoded_pair, type_of_source
from firth.models._words import chosen, joined
from firth.vectors import KeyedVectors
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from firth.corpus import Corpus
    from firth.models._schedule import ChunkTrainer

    TrimRule = Callable[[str, int, int], int]

Matrices = dict[str, "NDArray[np.float32]"]


class WordModel(ABC):
    """Words that are counted in a text, and a row for each of them in some matrices.

    A subclass sets the attributes below, and says which matrices there are and what trains them.

    Attributes
    ----------
    vector_size, min_count, workers, seed : int
    max_vocab_size, max_final_vocab : int or None
        Parameters of `Word2Vec`.
    corpus_count, corpus_total_words : int
        Sentences, and words of the vocabulary, in the text that the words were counted in last.
    """

    vector_size: int
    min_count: int
    max_vocab_size: int | None
    max_final_vocab: int | None
    workers: int
    seed: int

    def __init__(self, text: TextOptions, *, progress: bool | None) -> None:
        self._text = text
        self._progress = progress
        self._vocab: Vocab | None = None
        self._wv: KeyedVectors | None = None
        self._locks: dict[str, Any] = {}
        # Rows without padding; none until they are drawn, so that a first training never has them
        # twice.
        self._weights: Matrices | None = None
        # With padding, while a training runs.
        self._live: Matrices | None = None
        self.corpus_count = 0
        self.corpus_total_words = 0
        self.corpus_fingerprint: str | None = None

    @property
    def text_options(self) -> dict[str, Any]:
        """How text is split, as JSON can hold it."""
        return self._text.told()

    @property
    def has_words(self) -> bool:
        """Whether it knows the words that it learns."""
        return self._vocab is not None

    # --- what a kind of model is ----------------------------------------------------------------

    @abstractmethod
    def _matrix_rows(self, n_words: int) -> dict[str, int]:
        """Name the matrices and their rows; "input" are the vectors that are kept."""

    @abstractmethod
    def _make_trainer(self, matrices: Matrices, n_threads: int = 1) -> ChunkTrainer:
        """Make what trains on a chunk, in matrices with padding."""

    def _draw_rows(self, name: str, matrix: NDArray[np.float32], begin: int) -> None:
        """Fill the rows from `begin` on as before any training; those of a new matrix are zeros."""
        if name == "input":
            seed = self.seed
            if begin:  # not those of the first rows again
                sequence = np.random.SeedSequence((self.seed, begin))
                seed = int(sequence.generate_state(1, np.uint64)[0])
            fill_uniform(matrix[begin:], self.vector_size, seed)

    def _make_wv(self, weights: Matrices) -> KeyedVectors:
        """Make the vectors to be asked out of matrices without padding."""
        return KeyedVectors(self._words(), weights["input"][: len(self._words())])

    def _input_of(self, vectors: KeyedVectors) -> NDArray[np.float32]:
        """Give the input matrix that `_make_wv` makes such vectors of."""
        return np.ascontiguousarray(vectors.vectors, np.float32)

    # --- words ----------------------------------------------------------------------------------

    def build_vocab(
        self,
        corpus_iterable: Iterable[Any] | None = None,
        corpus_file: type_of_source | None = None,
        update: bool = False,
        *,
        sentences: Iterable[Any] | None = None,
        progress_per: int = 10_000,
        keep_raw_vocab: bool = False,
        trim_rule: TrimRule | None = None,
        min_count: int | None = None,
    ) -> None:
        """Count the words of a text, and choose those that the model learns.

        Parameters
        ----------
        corpus_iterable, corpus_file
            The text, as `sentences` and `corpus_file` of the class; one of them.
        update : bool, default False
            Whether words join those that the model has. They keep their rows and their vectors,
            and what is counted now is added to their counts; new words come behind them, with
            vectors drawn at random. Without it, the model starts anew.
        sentences
            Another name of `corpus_iterable`.
        progress_per : int
            Taken for gensim's sake: progress is shown by the time that has passed.
        keep_raw_vocab : bool
            Must be False: words that are left out are not kept; `firth.build_vocab` counts them.
        trim_rule : callable, optional
            Called with each word, its count and `min_count`; returns `RULE_KEEP`, `RULE_DISCARD` or
            `RULE_DEFAULT`, which leaves it to `min_count`.
        min_count : int, optional
            Instead of the model's.

        Raises
        ------
        ParameterError
            Both or neither of the sources are there, or `update` without words to join.
        SourceError, TextError
            The text cannot be read, or is empty.
        VocabularyError
            No word is left.
        """
        at_least_1("progress_per", progress_per)
        self._refuse_raw_vocab(keep_raw_vocab)
        if sentences is not None:
            if corpus_iterable is not None:
                raise ParameterError("corpus_iterable and sentences are the same; give one of them")
            corpus_iterable = sentences
        if min_count is not None:
            self.min_count = at_least_1("min_count", min_count)
        self._check_update(update)
        vocab, corpus = self._encode(
            corpus_iterable, corpus_file, update=update, trim_rule=trim_rule,
            names=("corpus_iterable", "corpus_file"),
        )  # fmt: skip
        with self._corpus_of(corpus_iterable, corpus):
            self._note_corpus(corpus)
        self._take_words(vocab, update=update)

    def build_vocab_from_freq(
        self,
        word_freq: Mapping[str, int],
        keep_raw_vocab: bool = False,
        corpus_count: int | None = None,
        trim_rule: TrimRule | None = None,
        update: bool = False,
    ) -> None:
        """Choose the words that the model learns from counts.

        Parameters
        ----------
        word_freq : mapping of str to int
            How often each word occurs.
        keep_raw_vocab : bool
            Must be False.
        corpus_count : int, optional
            The number of sentences, for `corpus_count`.
        trim_rule, update
            As for `build_vocab`.

        Raises
        ------
        ParameterError
            `word_freq` is no mapping, or has a key that is no string.
        VocabularyError
            No word is left, or a count is negative.
        """
        self._refuse_raw_vocab(keep_raw_vocab)
        if not hasattr(word_freq, "items"):
            raise ParameterError(
                f"word_freq must be a dictionary of words and counts, not {word_freq!r:.60}"
            )
        self._check_update(update)
        vocab = self._choose(update=update, trim_rule=trim_rule)(Vocab.from_counter(word_freq))
        self.corpus_count = 0 if corpus_count is None else at_least_1("corpus_count", corpus_count)
        self.corpus_total_words = int(sum(word_freq[w] for w in vocab if w in word_freq))
        self._take_words(vocab, update=update)

    def reset_from(self, other_model: WordModel) -> None:
        """Take the words of another model, and start anew with them.

        Parameters
        ----------
        other_model : Word2Vec
            Stays as it is; the two share their vocabulary.
        """
        if not isinstance(other_model, WordModel):
            raise ParameterError(f"other_model must be a model, not {other_model!r:.60}")
        self.corpus_count = other_model.corpus_count
        self.corpus_total_words = other_model.corpus_total_words
        self._take_words(other_model._words(), update=False)

    def init_weights(self) -> None:
        """Forget all that was learned, but keep the words."""
        self._words()
        self._forget()

    def _forget(self) -> None:
        self._weights = None
        self._wv = None
        self._locks = {}

    def _encode(
        self,
        sentences: Iterable[Any] | None,
        corpus_file: type_of_source | None,
        *,
        update: bool = False,
        trim_rule: TrimRule | None = None,
        vocab: Vocab | None = None,
        names: tuple[str, str] = ("sentences", "corpus_file"),
    ) -> tuple[Vocab, Corpus]:
        """Read a text into ids of `vocab`, or of the words that are chosen from it."""
        choose = self._choose(update=update, trim_rule=trim_rule) if update or trim_rule else None
        return encode(
            sentences,
            corpus_file,
            self._text,
            vocab=vocab,
            choose=choose if vocab is None else None,
            min_count=self.min_count,
            max_size=self._most_words(),
            workers=self.workers,
            progress=self._progress,
            names=names,
        )

    @staticmethod
    def _corpus_of(sentences: object, corpus: Corpus) -> AbstractContextManager[object]:
        """Close a corpus behind a block, unless it is the caller's own."""
        pair = encoded_pair(sentences)
        return nullcontext() if pair and pair[1] is corpus else corpus

    def _note_corpus(self, corpus: Corpus) -> None:
        self.corpus_count = len(corpus.sentence_ends)
        self.corpus_total_words = len(corpus)

    def _choose(self, *, update: bool, trim_rule: TrimRule | None) -> Callable[[Vocab], Vocab]:
        def choose(seen: Vocab) -> Vocab:
            limits = trim_rule, self.min_count, self._most_words()
            return joined(self._words(), seen, *limits) if update else chosen(seen, *limits)

        return choose

    def _most_words(self) -> int | None:
        limits = [n for n in (self.max_vocab_size, self.max_final_vocab) if n is not None]
        return min(limits, default=None)

    def _take_words(self, vocab: Vocab, *, update: bool) -> None:
        if not update:
            self._forget()
        else:
            self._take_changes()
        if update and self._weights is not None:
            grown: Matrices = {}
            for name, n_rows in self._matrix_rows(len(vocab)).items():
                grown[name] = without_padding(
                    self._padded(name, n_rows, self._weights[name]), self.vector_size
                )
            self._weights = grown
        n_before = len(self._vocab or ())
        self._vocab = vocab
        if update:
            self._locks = self._locks_of_wv()
            known = self._lock_rows(n_before)
            for name, n_rows in self._lock_rows(len(vocab)).items():
                if known[name] > 1 and np.shape(self._locks.get(name, 1)) == (known[name],):
                    new = np.ones(n_rows - known[name], np.float32)  # words that join learn
                    self._locks[name] = np.concatenate([self._locks[name], new])
        self._wv = None

    def take(self, vocab: Vocab, weights: Matrices, n_tokens: int) -> None:
        """Take words with their matrices, as another program has trained them."""
        rows = self._matrix_rows(len(vocab))
        shapes = {name: (n, self.vector_size) for name, n in rows.items()}
        if {name: matrix.shape for name, matrix in weights.items()} != shapes:
            raise ParameterError(f"these words need matrices of the shapes {shapes}")
        self._take_words(vocab, update=False)
        self._weights = weights
        self.corpus_count, self.corpus_total_words = 0, n_tokens

    def _words(self) -> Vocab:
        if self._vocab is None:
            raise ParameterError(
                f"this {type(self).__name__} has no words yet: give it a text when it is made, or "
                f"call build_vocab first"
            )
        return self._vocab

    def _check_update(self, update: bool) -> None:
        if update and self._vocab is None:
            raise ParameterError(
                "update=True lets words join those of the model, which has none yet: leave it out "
                "the first time"
            )

    def _refuse_raw_vocab(self, keep_raw_vocab: bool) -> None:
        if keep_raw_vocab:
            raise ParameterError(
                "keep_raw_vocab=True: the words that are left out are not kept; "
                "firth.build_vocab(..., min_count=1) counts all of them"
            )

    # --- vectors --------------------------------------------------------------------------------

    @property
    def wv(self) -> KeyedVectors:
        """The vectors, to be asked; while a training runs, a copy of them at this moment.

        They never change: a training makes new ones. To start from vectors of your own, set it to
        `KeyedVectors` of the same words.
        """
        if self._live is not None:
            return self._make_wv(self._copy_of_live())
        if self._wv is None:
            self._show(self._weights_without_padding())
        return cast("KeyedVectors", self._wv)

    @wv.setter
    def wv(self, vectors: KeyedVectors) -> None:
        words = self._words()
        shape = (len(words), self.vector_size)
        given: object = vectors
        if not isinstance(given, KeyedVectors) or given.vectors.shape != shape:
            what = getattr(getattr(given, "vectors", None), "shape", given)
            raise ParameterError(f"wv must be KeyedVectors of shape {shape}, not {what!s:.60}")
        if vectors.vocab != words:
            raise ParameterError("wv must have the words of the model, in the same order")
        weights = dict(self._weights_without_padding())
        weights["input"] = self._input_of(vectors)
        self._weights, self._wv = weights, vectors

    def _take_changes(self) -> None:
        """Take in vectors that the caller has changed where they are: it goes on from them."""
        if self._wv is not None and self._wv.changed:
            self.wv = self._wv

    def _show(self, weights: Matrices) -> None:
        """Make the vectors to be asked, with the locks that the ones before had."""
        self._locks = self._locks_of_wv()
        self._wv = self._make_wv(weights)
        for name in self._lock_rows(len(self._words())):
            # One factor for all, as in gensim, until the caller sets one for each.
            setattr(self._wv, name, self._locks.get(name, np.ones(1, np.float32)))

    def _weights_without_padding(self) -> Matrices:
        """Give the matrices; those of a model that has not trained are drawn now."""
        if self._weights is None:
            rows = self._matrix_rows(len(self._words()))
            self._weights = {
                name: without_padding(self._padded(name, n), self.vector_size)
                for name, n in rows.items()
            }
        return self._weights

    def _padded(
        self, name: str, n_rows: int, rows: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Make a matrix to train in that begins with some rows; the others are drawn."""
        matrix = empty_matrix(n_rows, self.vector_size)
        n_known = 0 if rows is None else len(rows)
        if rows is not None:
            matrix[:n_known, : self.vector_size] = rows
        if n_known < n_rows:
            self._draw_rows(name, matrix, n_known)
        return matrix

    def _matrix(self, name: str) -> NDArray[np.float32]:
        """Give a matrix without padding; while a training runs, a copy of it."""
        if self._live is not None:
            return self._live[name][:, : self.vector_size].copy()
        return self._weights_without_padding()[name]

    def _matrices_to_train(self, weights: Matrices | None) -> Matrices:
        known = {} if weights is None else weights
        rows = self._matrix_rows(len(self._words()))
        return {name: self._padded(name, n, known.get(name)) for name, n in rows.items()}

    def _lock_rows(self, n_words: int) -> dict[str, int]:
        """Name the arrays of factors that lock rows of the input, in the order of these rows."""
        return {"vectors_lockf": n_words}

    def _locks_of_wv(self) -> dict[str, Any]:
        names = self._lock_rows(0)
        given = {name: getattr(self._wv, name) for name in names if hasattr(self._wv, name)}
        return self._locks | given

    def _lock_factors(self) -> NDArray[np.float32] | None:
        """Check what the caller has put into ``wv.vectors_lockf``; None where all rows learn.

        Raises
        ------
        ParameterError
            It is no array of factors from 0 to 1, one for each row or one for all.
        """
        given = self._locks_of_wv()
        rows = self._lock_rows(len(self._words()))
        factors = [lock_factors(name, given.get(name, 1.0), n) for name, n in rows.items()]
        if all((part == 1).all() for part in factors):
            return None
        return np.concatenate(factors)

    def _copy_of_live(self) -> Matrices:
        return {name: self._matrix(name) for name in self._matrix_rows(len(self._words()))}

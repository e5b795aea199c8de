"""Skip-gram and CBOW (Mikolov et al. 2013)."""

from __future__ import annotations

import logging
import math
import os
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from firth import _core
from firth.corpus import MAX_SENTENCE_LENGTH, Corpus
from firth.errors import InputError, ParameterError
from firth.machine import usable_cores
from firth.models._matrices import empty_matrix, fill_uniform, without_padding
from firth.models._sampling import copies_of_commonest_noise, keep_limits, noise_tables
from firth.models._schedule import Run, train_chunks
from firth.phrases import encode_phrases
from firth.progress import format_count
from firth.progress import progress as show_progress
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.vocab import Vocab

MOST_COPIES_OF_A_NEGATIVE = 2.0

logger = logging.getLogger("firth")

type_of_source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | BinaryIO


class Word2Vec:
    """Word vectors by skip-gram or CBOW with negative sampling.

    Trains when it is made; `wv` are the vectors. Names and defaults are gensim's.

    Parameters
    ----------
    sentences : iterable of lists of str, optional
        Tokens of each sentence; read once, so that a generator will do. With `tokenizer`, an
        iterable of texts instead.
    corpus_file : str, path, list of paths or binary file, optional
        Text, in any form that `firth.text.open_text` reads. Either this or `sentences`.
    vector_size : int, default 100
        Dimensions of a vector.
    alpha : float, default 0.025
        Learning rate at the start.
    window : int, default 5
        Words on either side of a word that count as its context.
    min_count : int, default 5
        Words seen less often are left out.
    sample : float, default 1e-3
        Share of the text above which words are thinned out; 0 keeps all. For large texts 1e-4 or
        1e-5.
    seed : int, default 1
        Of all that is random. With ``workers=1``, the same seed gives the same bits.
    workers : int, optional
        Threads; one for each core if not given.
    min_alpha : float, default 1e-4
        Learning rate at the end; it falls in between along a straight line.
    sg : {0, 1}, default 0
        1 for skip-gram, 0 for CBOW.
    negative : int, default 5
        Words drawn at random that each context is told apart from, 1 to 255.
    ns_exponent : float, default 0.75
        They are drawn in proportion to their counts to this power.
    cbow_mean : {0, 1}, default 1
        Whether CBOW takes the mean of the context vectors, or their sum.
    epochs : int, default 5
        Passes over the text.
    shrink_windows : bool, default True
        Whether each window is drawn from 1 to `window`, so that near words weigh more.
    max_final_vocab : int, optional
        At most this many words, the most frequent ones.
    tokenizer : str, callable, Tokenizer or tokenizers.Tokenizer, optional
        How text is split: "whitespace", the default, or "words", or what
        `firth.text.make_tokenizer` takes.
    lowercase : bool, default False
        Whether words are lower-cased.
    field : str, optional
        Where the text is in .jsonl, .csv, .tsv and .parquet files.
    errors : str, default "strict"
        What to do with bytes that are not UTF-8, as in ``open``.
    phrases : int, Phrases, FrozenPhrases or list of these, optional
        Join phrases before training (``new_york``): how many times to learn and join them, or the
        models to join them by; see `firth.phrases.encode_phrases`.
    progress : bool, optional
        None or True: a bar if standard error is a terminal, else lines of the logger "firth";
        False: nothing.

    Attributes
    ----------
    wv : KeyedVectors
        The vectors, to be asked.
    syn1neg : numpy.ndarray of float32, shape (n_words, vector_size)
        The vectors of the words as targets, under gensim's name.
    loss : float
        Mean loss of the last epoch: for each pair of a context and a word (for CBOW: for each
        word), ``-log sigmoid(u . v)`` plus ``-log sigmoid(-n . v)`` of each negative ``n``.
    epoch_losses : list of float
        The same of each epoch.
    corpus_count, corpus_total_words : int
        Sentences, and words of the vocabulary, in the text.
    n_words_trained, n_examples : int
        Words gone through in all epochs, and the pairs (for CBOW: words) that were learned from.
    training_seconds, words_per_second : float
        How long that took, without reading the text, and how fast it was.
    interrupted : bool
        Whether Ctrl-C ended the training early; `wv` holds what was learned until then.

    Raises
    ------
    ParameterError
        A parameter is out of its range, or both or neither of `sentences` and `corpus_file` are
        there; or the training diverged.
    SourceError, TextError
        The text cannot be read, or is empty.
    VocabularyError
        No word is left.
    InputError
        No sentence has two words.

    Notes
    -----
    Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
    Compositionality", equation 4. The negatives of a word are shared by all contexts of its
    window (Ji et al. 2016, "Parallelizing Word2Vec in Shared and Distributed Memory"), and four
    windows are scored before their rows change; both make matrix products of what were single dot
    products, and leave the quality as it is.

    Examples
    --------
    >>> from firth.models import Word2Vec
    >>> sentences = [["a", "king", "rules"], ["a", "queen", "rules"], ["a", "dog", "barks"]] * 100
    >>> model = Word2Vec(sentences, vector_size=16, sample=0, epochs=20, workers=1, progress=False)
    >>> len(model.wv), model.wv["king"].shape
    (6, (16,))
    >>> model.wv.most_similar("king", topn=1)[0][0]
    'queen'
    """

    def __init__(
        self,
        sentences: Iterable[Any] | None = None,
        corpus_file: type_of_source | None = None,
        vector_size: int = 100,
        alpha: float = 0.025,
        window: int = 5,
        min_count: int = 5,
        *,
        sample: float = 1e-3,
        seed: int = 1,
        workers: int | None = None,
        min_alpha: float = 1e-4,
        sg: int = 0,
        negative: int = 5,
        ns_exponent: float = 0.75,
        cbow_mean: int = 1,
        epochs: int = 5,
        shrink_windows: bool = True,
        max_final_vocab: int | None = None,
        tokenizer: Any = None,
        lowercase: bool = False,
        field: str | None = None,
        errors: str = "strict",
        phrases: Any = None,
        progress: bool | None = None,
    ) -> None:
        self.vector_size = _at_least_1("vector_size", vector_size)
        self.window = _at_least_1("window", window)
        if window > MAX_SENTENCE_LENGTH:
            raise ParameterError(
                f"window must be at most {MAX_SENTENCE_LENGTH:,}, where sentences are cut, not "
                f"{window}"
            )
        self.min_count = _at_least_1("min_count", min_count)
        self.negative = _at_least_1("negative", negative)
        self.epochs = _at_least_1("epochs", epochs)
        self.workers = usable_cores() if workers is None else _at_least_1("workers", workers)
        self.max_final_vocab = (
            None if max_final_vocab is None else _at_least_1("max_final_vocab", max_final_vocab)
        )
        if negative > _core.MAX_NEGATIVE:
            raise ParameterError(f"negative must be at most {_core.MAX_NEGATIVE}, not {negative}")
        self.seed = _whole("seed", seed)
        if seed < 0:
            raise ParameterError(f"seed must be 0 or more, not {seed}")
        self.alpha = _finite("alpha", alpha, above=0.0)
        self.min_alpha = _finite("min_alpha", min_alpha)
        if min_alpha > alpha:
            raise ParameterError(f"min_alpha ({min_alpha}) must not be above alpha ({alpha})")
        self.sample = _finite("sample", sample)
        self.ns_exponent = _finite("ns_exponent", ns_exponent, at_least=-math.inf)
        _check_instruction_set()
        self.sg = _one_of("sg", sg)
        self.cbow_mean = _one_of("cbow_mean", cbow_mean)
        self.shrink_windows = bool(shrink_windows)
        self._progress = progress

        # As the manifest tells it, before any has learned.
        self.phrases = phrases if phrases is None or isinstance(phrases, int) else repr(phrases)
        vocab, corpus = encode_phrases(
            **_source(sentences, corpus_file, tokenizer),
            phrases=phrases,
            lowercase=lowercase,
            field=field,
            errors=errors,
            min_count=self.min_count,
            max_size=self.max_final_vocab,
            workers=self.workers,
            progress=progress,
        )
        with corpus:
            self.corpus_count = len(corpus.sentence_ends)
            self.corpus_total_words = len(corpus)
            if self.corpus_count == self.corpus_total_words:
                raise InputError(
                    f"nothing to learn from: each of the {self.corpus_count:,} sentences has one "
                    f"word of the vocabulary, so that no word has a context; give whole sentences "
                    f"(a list of token lists, not one list of tokens)"
                )
            self._train(vocab, corpus)

    def _train(self, vocab: Vocab, corpus: Corpus) -> None:
        n_words = len(vocab)
        vectors = empty_matrix(n_words, self.vector_size)
        fill_uniform(vectors, self.vector_size, self.seed)
        targets = empty_matrix(n_words, self.vector_size)
        noise_columns, noise_run_starts = noise_tables(vocab.counts, self.ns_exponent)
        trainer = _core.WindowTrainer(
            vectors,
            keep_limits(vocab.counts, self.sample),
            targets=targets,
            noise_columns=noise_columns,
            noise_run_starts=noise_run_starts,
            negative=self.negative,
            window=self.window,
            shrink_windows=self.shrink_windows,
            cbow=not self.sg,
            cbow_mean=bool(self.cbow_mean),
            one_by_one=self._needs_small_steps(vocab),
        )
        total = self.epochs * len(corpus)
        with show_progress("training", total=total, unit="words", show=self._progress) as bar:
            run = train_chunks(
                trainer,
                corpus,
                epochs=self.epochs,
                alpha=self.alpha,
                min_alpha=self.min_alpha,
                seed=self.seed,
                workers=self.workers,
                bar=bar,
            )
        del trainer
        self._note(run)
        self.syn1neg: NDArray[np.float32] = without_padding(targets, self.vector_size)
        self.wv = KeyedVectors(vocab, without_padding(vectors, self.vector_size))

    def _needs_small_steps(self, vocab: Vocab) -> bool:
        """Tell whether a window has so many copies of one negative that they must not add up.

        In a text of many words that never happens; in one of a handful, or where one word makes up
        most of it, training would diverge where word2vec.c's does not.
        """
        copies = copies_of_commonest_noise(vocab.counts, self.ns_exponent, self.negative)
        return copies > MOST_COPIES_OF_A_NEGATIVE

    def _note(self, run: Run) -> None:
        n_examples = run.losses.n_examples
        if not any(n_examples) and not run.interrupted:
            warnings.warn(
                f"nothing was learned: with sample={self.sample} too few words of this small text "
                f"are left to be anybody's context; set sample=0",
                stacklevel=4,
            )
        self.epoch_losses = [run.losses.mean(i) for i, n in enumerate(n_examples) if n]
        self.loss = self.epoch_losses[-1] if self.epoch_losses else math.nan
        self.n_words_trained = run.n_words
        self.n_examples = sum(n_examples)
        self.training_seconds = run.seconds
        self.words_per_second = run.n_words / run.seconds
        self.interrupted = run.interrupted

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the vectors, and how they were made, to a folder.

        Parameters
        ----------
        folder : str or Path
            The folder, which `firth.load` and `KeyedVectors.load` open; one that firth wrote is
            replaced.

        Raises
        ------
        OutputError
            The folder is something else, or the disk is full.
        """
        self.wv.save(folder, extra_config={"training": self._manifest()})

    def _manifest(self) -> dict[str, Any]:
        """Describe how the vectors were made."""
        parameters = {
            name: getattr(self, name)
            for name in (
                "vector_size", "alpha", "window", "min_count", "sample", "seed", "workers",
                "min_alpha", "sg", "negative", "ns_exponent", "cbow_mean", "epochs",
                "shrink_windows", "max_final_vocab", "phrases",
            )
        }  # fmt: skip
        return {
            "algorithm": "skip-gram" if self.sg else "cbow",
            "parameters": parameters,
            "n_sentences": self.corpus_count,
            "n_words": self.corpus_total_words,
            "n_words_trained": self.n_words_trained,
            "epoch_losses": self.epoch_losses,
            "seconds": round(self.training_seconds, 3),
            "words_per_second": round(self.words_per_second),
            "interrupted": self.interrupted,
            "instruction_set": _core.isa(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }

    def __repr__(self) -> str:
        kind = "skip-gram" if self.sg else "CBOW"
        rate = format_count(self.words_per_second, "words")
        return (
            f"Word2Vec({kind}, {len(self.wv):,} words x {self.vector_size}, loss {self.loss:.4f}, "
            f"{rate}/s)"
        )


def _source(
    sentences: Iterable[Any] | None, corpus_file: type_of_source | None, tokenizer: Any
) -> dict[str, Any]:
    """Tell `encode_corpus` what to read: token lists, texts to split, or files."""
    if (sentences is None) == (corpus_file is None):
        which = "neither is" if sentences is None else "both are"
        raise ParameterError(f"give either sentences= or corpus_file=; {which} there")
    if sentences is not None:
        tokens = tokenizer is None or isinstance(sentences, str)
        return {"source": sentences, "tokens": tokens, "tokenizer": None if tokens else tokenizer}
    if isinstance(corpus_file, list | tuple):
        for name in corpus_file:
            if not isinstance(name, str | os.PathLike):
                raise ParameterError(f"corpus_file lists {name!r:.60}, which is no path")
        if not corpus_file:
            raise ParameterError("corpus_file is an empty list: give at least one path")
        corpus_file = [Path(name) for name in corpus_file]
    elif not isinstance(corpus_file, str | os.PathLike) and not hasattr(corpus_file, "read"):
        raise ParameterError(
            f"corpus_file is {corpus_file!r:.60}: give a path, a list of paths or an open file; "
            f"texts go to sentences=, with tokenizer="
        )
    return {"source": corpus_file, "tokenizer": tokenizer}


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ParameterError(f"{name} must be a whole number, not {value!r}")
    return int(value)


def _at_least_1(name: str, value: Any) -> int:
    if _whole(name, value) < 1:
        raise ParameterError(f"{name} must be 1 or more, not {value}")
    return int(value)


def _finite(name: str, value: Any, *, above: float = -math.inf, at_least: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ParameterError(f"{name} must be a number, not {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < at_least or number <= above:
        bound = " above 0" if above == 0.0 else " of 0 or more" if at_least == 0.0 else ""
        raise ParameterError(f"{name} must be a finite number{bound}, not {value!r:.60}")
    return number


def _check_instruction_set() -> None:
    try:
        _core.isa()
    except ValueError as error:
        raise ParameterError(f"the environment variable FIRTH_ISA: {error}") from None


def _one_of(name: str, value: Any) -> int:
    if value not in (0, 1):
        raise ParameterError(f"{name} must be 0 or 1, not {value!r}")
    return int(value)

"""GloVe (Pennington, Socher and Manning 2014)."""

from __future__ import annotations

import logging
import math
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.errors import ParameterError
from firth.machine import usable_cores
from firth.models._callbacks import CallbackAny2Vec, check_callbacks
from firth.models._checks import at_least_1, check_instruction_set, finite, whole
from firth.models._counted import Counted, TextSettings, counted
from firth.models._dealt import DealtCooccurrences
from firth.models._glove_rows import (
    CONTEXT,
    WORD,
    chosen_vectors,
    initial_biases,
    initial_rows,
)
from firth.models._kept_phrases import phrase_folders
from firth.models._pairs_elsewhere import GloveRecipe
from firth.models._probes import Probe
from firth.models._texts import models_of_phrases
from firth.progress import format_count
from firth.progress import progress as show_progress
from firth.threads import run_tasks
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from firth.cooccurrence import Cooccurrences
    from firth.models._pairs_elsewhere import GloveRows
    from firth.models._texts import type_of_source
    from firth.progress import Progress
    from firth.vocab import Vocab

    Side = tuple[NDArray[np.float32], NDArray[np.float32]]

# What is kept, by GloVe's own numbers for its option -model.
MODELS = {"word": 1, "sum": 2, "concatenated": 3}
DEFAULT_WINDOW = 15
logger = logging.getLogger("firth")


class GloVe(Counted):
    """Word vectors by GloVe, from how often words stand near each other.

    Counts and trains when it is made; `wv` are the vectors. Without a text it waits for
    `firth.cluster.train`. Defaults are those of GloVe's own programs, but for the size of the
    vectors.

    Parameters
    ----------
    sentences : iterable of lists of str, optional
        Tokens of each sentence; read once, so that a generator will do. With `tokenizer`, an
        iterable of texts instead.
    corpus_file : str, path, list of paths or binary file, optional
        Text, in any form that `firth.text.open_text` reads.
    cooccurrences : Cooccurrences, optional
        What `firth.count_cooccurrences` counted. Not more than one of `sentences`, `corpus_file`
        and this is given; the parameters of counting and of text go with the first two only.
    vector_size : int, default 100
        Dimensions of a vector.
    window : int, default 15
        Words on either side of a word that count as its context.
    symmetric : bool, default True
        Whether the words on both sides are context, or only those to the left.
    distance_weighting : bool, default True
        Whether a pair at distance d counts ``1 / d``, or 1.
    min_count : int, default 5
        Words seen less often are left out.
    x_max : float, default 100
        Pairs counted less often weigh less: ``(x / x_max) ** alpha``.
    alpha : float, default 0.75
        The exponent of that. It is no learning rate.
    learning_rate : float, default 0.05
        Learning rate at the start, of AdaGrad (GloVe's ``-eta``).
    epochs : int, default 25
        Passes over all pairs of words that were counted.
    seed : int, default 1
        Of all that is random. With ``workers=1``, the same seed gives the same bits.
    workers : int, optional
        Threads; one for each core if not given.
    model : {"sum", "word", "concatenated"}, default "sum"
        What the vector of a word is: the sum of its two vectors, as word and as context; the one
        as word; or both, one behind the other (GloVe's ``-model`` 2, 1 and 3).
    memory_limit : float, default 2.0
        Gigabytes that counting may take; what does not fit is written to disk and merged.
    keep_cooccurrences : str or Path, optional
        A folder where the counts are kept, for `Cooccurrences`; they are temporary otherwise.
    max_final_vocab : int, optional
        At most this many words, the most frequent ones.
    callbacks : sequence of CallbackAny2Vec
        What looks at the training before and behind each epoch, and may end it.
    tokenizer, lowercase, field, errors, phrases
        How text is read, as for `Word2Vec`.
    progress : bool, optional
        None or True: a bar if standard error is a terminal, else lines of the logger "firth";
        False: nothing.

    Attributes
    ----------
    wv : KeyedVectors
        The vectors, to be asked.
    biases, context_biases : numpy.ndarray of float32, shape (n_words,)
        The biases of the words, as words and as contexts.
    loss : float
        Mean over all pairs of the last epoch: ``f(x) (w . c + b + b' - log x)^2 / 2``, as GloVe's
        own program tells it.
    epoch_losses : list of float
        The same of each epoch.
    corpus_total_words : int
        Words of the vocabulary in the text.
    n_pairs : int
        Pairs of words that were counted: the entries of the matrix that are not 0.
    counting_seconds, training_seconds : float
        How long each took, without reading the text.
    pairs_per_second : float
        How fast the training was.
    stopped : str
        Why a callback ended the training early; "" where none did.
    interrupted : bool
        Whether Ctrl-C ended the training early; `wv` holds what was learned until then.

    Raises
    ------
    ParameterError
        A parameter is out of its range, or goes with another source; or the training diverged.
    SourceError, TextError
        The text cannot be read, or is empty.
    VocabularyError
        No word is left.
    InputError
        No sentence has two words.
    OutputError
        The disk is full.
    FormatError
        The co-occurrences are damaged.

    Notes
    -----
    Pennington, Socher and Manning 2014, "GloVe: Global Vectors for Word Representation", equations
    8 and 9, by AdaGrad (Duchi, Hazan and Singer 2011) in float32. The pairs are dealt out at random
    to chunks; within one they are trained by groups of up to 16 pairs of the same word, in random
    order. Both orders of a pair, (king, queen) and (queen, king), are trained at once: they change
    different vectors. As in GloVe's own program, the learning rate of biases is 1.

    Examples
    --------
    >>> from firth.models import GloVe
    >>> sentences = [["a", "king", "rules"], ["a", "queen", "rules"], ["a", "dog", "barks"]] * 100
    >>> model = GloVe(sentences, vector_size=8, epochs=50, workers=1, progress=False)
    >>> len(model.wv), model.wv["king"].shape, model.loss < model.epoch_losses[0]
    (6, (8,), True)
    """

    def __init__(
        self,
        sentences: Iterable[Any] | None = None,
        corpus_file: type_of_source | None = None,
        cooccurrences: Cooccurrences | None = None,
        vector_size: int = 100,
        *,
        window: int = DEFAULT_WINDOW,
        symmetric: bool = True,
        distance_weighting: bool = True,
        min_count: int = 5,
        x_max: float = 100.0,
        alpha: float = 0.75,
        learning_rate: float = 0.05,
        epochs: int = 25,
        seed: int = 1,
        workers: int | None = None,
        model: str = "sum",
        memory_limit: float = 2.0,
        keep_cooccurrences: str | os.PathLike[str] | None = None,
        max_final_vocab: int | None = None,
        tokenizer: Any = None,
        lowercase: bool = False,
        field: str | None = None,
        errors: str = "strict",
        phrases: Any = None,
        callbacks: Sequence[CallbackAny2Vec] = (),
        progress: bool | None = None,
    ) -> None:
        self._callbacks = check_callbacks(callbacks)
        if any(isinstance(each, Probe) for each in self._callbacks):
            raise ParameterError(
                "a Probe looks at a training along a text, and GloVe goes through pairs: give a "
                "CallbackAny2Vec with on_epoch_end"
            )
        self.vector_size = at_least_1("vector_size", vector_size)
        self.epochs = at_least_1("epochs", epochs)
        self.workers = usable_cores() if workers is None else at_least_1("workers", workers)
        self.seed = whole("seed", seed)
        if seed < 0:
            raise ParameterError(f"seed must be 0 or more, not {seed}")
        self.x_max = finite("x_max", x_max, above=0.0)
        self.alpha = finite("alpha", alpha)
        self.learning_rate = finite("learning_rate", learning_rate, above=0.0)
        if model not in MODELS:
            names = ", ".join(map(repr, MODELS))
            raise ParameterError(f"model must be one of {names}, not {model!r}")
        self.model = model
        check_instruction_set()
        self._progress = progress
        self._phrases = models_of_phrases(phrases)
        self.settings = settings = TextSettings(
            window, symmetric, distance_weighting, min_count, max_final_vocab, memory_limit,
            keep_cooccurrences, tokenizer, lowercase, field, errors, self._phrases or None,
        )  # fmt: skip
        if cooccurrences is None and sentences is None and corpus_file is None:
            settings.check()
            self.min_count = min_count
            return
        with counted(
            cooccurrences,
            sentences,
            corpus_file,
            settings,
            TextSettings(DEFAULT_WINDOW),
            workers=self.workers,
            progress=progress,
        ) as (counts, self.counting_seconds):
            self.window, self.symmetric = counts.window, counts.symmetric
            self.distance_weighting = counts.distance_weighting
            self.min_count = min_count
            self.corpus_total_words, self.n_pairs = counts.n_tokens, counts.n_nonzero
            self._train(counts)

    def _train(self, counts: Cooccurrences) -> None:
        rows = initial_rows(len(counts), self.vector_size, self.seed)
        biases = initial_biases(len(counts), self.vector_size, self.seed)
        trainer = _core.GloveTrainer(
            rows,
            biases,
            learning_rate=self.learning_rate,
            x_max=self.x_max,
            alpha=self.alpha,
            symmetric=counts.symmetric,
        )
        show = self._progress
        with show_progress("shuffling", total=counts.n_stored, unit="pairs", show=show) as bar:
            dealt = DealtCooccurrences(counts, self.seed, self.workers, bar)
        total = self.epochs * counts.n_nonzero

        def show_vectors() -> None:
            parts = rows.reshape(len(rows), 4, -1)
            sides = ((parts[:, side], biases[:, side].copy()) for side in (WORD, CONTEXT))
            self._show(counts.vocab, *sides)

        with dealt, show_progress("training", total=total, unit="pairs", show=show) as bar:
            self._train_epochs(
                partial(self._train_epoch, trainer, counts, dealt, bar), show_vectors
            )

    def _train_epochs(
        self,
        train_epoch: Callable[[int], tuple[float, int, bool]],
        show_vectors: Callable[[], None],
        losses_before: Sequence[float] = (),
    ) -> None:
        """Train on all pairs once an epoch; see `_train_epoch` for what does."""
        self.epoch_losses, self.stopped = list(losses_before), ""
        self.loss = self.epoch_losses[-1] if self.epoch_losses else math.nan
        self.interrupted = False
        self.training_seconds = self.pairs_per_second = 0.0
        n_terms = 0

        def call(method: str) -> None:
            if self._callbacks:
                show_vectors()  # a copy, which costs: only where somebody looks
            for callback in self._callbacks:
                getattr(callback, method)(self)

        call("on_train_begin")
        for epoch in range(len(self.epoch_losses), self.epochs):
            if self.stopped:
                break
            call("on_epoch_begin")
            started = time.perf_counter()
            loss, n, is_whole = train_epoch(epoch)
            self.training_seconds += time.perf_counter() - started
            n_terms += n
            self.pairs_per_second = n_terms / self.training_seconds
            if n:
                self.loss = loss / n
                self.epoch_losses.append(self.loss)
            if not is_whole:
                self.interrupted = True
                break
            call("on_epoch_end")
        show_vectors()
        for callback in self._callbacks:
            callback.on_train_end(self)

    def _train_epoch(
        self,
        trainer: _core.GloveTrainer,
        counts: Cooccurrences,
        dealt: DealtCooccurrences,
        bar: Progress,
        epoch: int,
    ) -> tuple[float, int, bool]:
        """Train on all chunks once; gives the loss, of how many pairs, and whether on all.

        In another random order each epoch, on threads that share the rows without locks (Recht et
        al. 2011, "Hogwild!").
        """
        lock = threading.Lock()
        total_loss, n_terms = 0.0, 0

        def train(chunk: int) -> None:
            nonlocal total_loss, n_terms
            seed = np.random.SeedSequence((self.seed, epoch, chunk)).generate_state(1, np.uint64)
            try:
                loss, n = trainer.train(dealt.read(chunk), int(seed[0]))
            except ValueError as error:
                raise counts.damaged(error) from error
            if not math.isfinite(loss):
                raise ParameterError(
                    f"the training diverged in epoch {epoch + 1}: the loss is no finite number any "
                    f"more. Lower learning_rate (it is {self.learning_rate:g})"
                )
            with lock:
                total_loss += loss
                n_terms += n
                mean = total_loss / n_terms
            bar.advance(n, loss=mean)

        order = np.random.default_rng((self.seed, epoch)).permutation(dealt.n_chunks)
        is_whole = run_tasks(iter(order.tolist()), train, self.workers)
        return total_loss, n_terms, is_whole

    # --- training in other hands ----------------------------------------------------------------

    def told(self) -> dict[str, Any]:
        """Tell what a checkpoint must have been begun with, to go on from it."""
        text = self.settings
        of_text = ("window", "symmetric", "distance_weighting", "min_count", "max_final_vocab",
                   "lowercase", "field", "errors")  # fmt: skip
        of_model = ("vector_size", "x_max", "alpha", "learning_rate", "epochs", "seed")
        return {
            "class": "GloVe",
            "parameters": {name: getattr(self, name) for name in of_model},
            "counting": {name: getattr(text, name) for name in of_text},
        }

    def recipe(self) -> GloveRecipe:
        """Tell what a `GloveBlock` has to know of the model."""
        return GloveRecipe(self.vector_size, self.learning_rate, self.x_max, self.alpha, self.seed)

    def train_by(
        self,
        train_epoch: Callable[[int], tuple[float, int, bool]],
        fetch: Callable[[], tuple[GloveRows, GloveRows]],
        vocab: Vocab,
        callbacks: Sequence[CallbackAny2Vec] = (),
        losses_before: Sequence[float] = (),
        **figures: float,
    ) -> None:
        """Train by what is somewhere else, and keep what it has learned.

        Parameters
        ----------
        train_epoch : callable
            Takes the number of an epoch; gives the sum of the losses, of how many pairs, and
            whether it was trained to its end.
        fetch : callable
            Gives words and contexts.
        vocab : Vocab
            Which words they are.
        callbacks : sequence of CallbackAny2Vec
            What looks at the training, beside those of the class.
        losses_before : sequence of float
            Of the epochs that were trained before, which are not trained again.
        **figures : float
            `corpus_total_words`, `n_pairs` and `counting_seconds`.
        """
        self._callbacks = [*self._callbacks, *callbacks]
        vars(self).update(figures)
        text = self.settings
        self.window, self.symmetric = text.window, text.symmetric
        self.distance_weighting = text.distance_weighting

        def show_vectors() -> None:
            self._show(vocab, *((side.vectors, side.biases[:, 0].copy()) for side in fetch()))

        self._train_epochs(train_epoch, show_vectors, losses_before)

    def _show(self, vocab: Vocab, words: Side, contexts: Side) -> None:
        """Make the vectors of what was trained: of each side vectors and biases."""
        self.biases, self.context_biases = words[1], contexts[1]
        self.wv = KeyedVectors(
            vocab, chosen_vectors(words[0], contexts[0], self.vector_size, self.model)
        )

    def stop_training(self, reason: str = "a callback asked for it") -> None:
        """End the training behind the epoch that runs; for callbacks.

        Parameters
        ----------
        reason : str
            Goes into the log, and into the model folder.
        """
        self.stopped = reason
        logger.info("training stopped: %s", reason)

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
        self.wv.save(
            folder,
            extra_config={"training": self._manifest()},
            extra_files=phrase_folders(self._phrases),
        )

    def _manifest(self) -> dict[str, Any]:
        """Describe how the vectors were made."""
        names = (
            "vector_size", "window", "symmetric", "distance_weighting", "min_count", "x_max",
            "alpha", "learning_rate", "epochs", "seed", "workers", "model",
        )  # fmt: skip
        return {
            "algorithm": "glove",
            "parameters": {name: getattr(self, name) for name in names},
            "n_words": self.corpus_total_words,
            "n_pairs": self.n_pairs,
            "epoch_losses": self.epoch_losses,
            "counting_seconds": round(self.counting_seconds, 3),
            "seconds": round(self.training_seconds, 3),
            "pairs_per_second": round(self.pairs_per_second),
            "interrupted": self.interrupted,
            "stopped": self.stopped,
            "instruction_set": _core.isa(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }

    def __repr__(self) -> str:
        if not self.is_trained:
            return f"GloVe(not trained, vector_size={self.vector_size})"
        rate = format_count(self.pairs_per_second, "pairs")
        return (
            f"GloVe({len(self.wv):,} words x {self.wv.vector_size}, loss {self.loss:.4f}, {rate}/s)"
        )

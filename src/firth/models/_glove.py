"""GloVe (Pennington, Socher and Manning 2014)."""

from __future__ import annotations

import logging
import time
from contextlib import closing, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from firth import _core
from firth.errors import ParameterError
from firth.machine import usable_cores
from firth.models._callbacks import CallbackAny2Vec, check_callbacks
from firth.models._checkpoints import open_checkpoints
from firth.models._checks import at_least_1, check_instruction_set, finite, whole
from firth.models._counted import Counted, TextSettings, counted, identity_of_source
from firth.models._curve import CURVE_FILE
from firth.models._dealt import DealtCooccurrences
from firth.models._figures import RunFigures
from firth.models._glove_rows import chosen_vectors
from firth.models._glove_state import EpochsElsewhere, GloveState, PairPlan, train_pairs
from firth.models._hogwild import Hogwild
from firth.models._kept_phrases import phrase_folders
from firth.models._pairs_elsewhere import GloveRecipe
from firth.models._probes import Probe
from firth.models._schedule import DivergedError, Run
from firth.models._texts import TextOptions
from firth.models._training import run_training
from firth.progress import format_count
from firth.progress import progress as show_progress
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

    from firth.cooccurrence import Cooccurrences
    from firth.models._checkpoints import Checkpoints
    from firth.models._pairs_elsewhere import GloveRows
    from firth.models._texts import type_of_source
    from firth.models._training import Watch
    from firth.models._word_model import Matrices
    from firth.vocab import Vocab

    Side = tuple[NDArray[np.float32], NDArray[np.float32]]
    Shown = tuple[KeyedVectors, NDArray[np.float32], NDArray[np.float32]]

# What is kept, by GloVe's own numbers for its option -model.
MODELS = {"word": 1, "sum": 2, "concatenated": 3}
DEFAULT_WINDOW = 15
logger = logging.getLogger("firth")


class GloVe(RunFigures, Counted):
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
    checkpoint, checkpoint_every, resume
        As for `Word2Vec`: a folder where the state is saved every so many seconds, and whether to
        go on from it. The counts are kept there, too, but those given as `cooccurrences`.
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
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: float = 60.0,
        resume: bool = False,
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
        self._run = Run.of_epochs(self.epochs)
        self._shown: Shown | None = None
        self._show: Callable[[], Shown] | None = None
        text = TextOptions.of(tokenizer, lowercase, field, errors, phrases)
        self._phrases = text.phrases
        self.settings = settings = TextSettings(
            window, symmetric, distance_weighting, min_count, max_final_vocab, memory_limit,
            keep_cooccurrences, tokenizer, lowercase, field, errors, self._phrases or None,
        )  # fmt: skip
        checkpoints = open_checkpoints(checkpoint, checkpoint_every, resume)
        if cooccurrences is None and sentences is None and corpus_file is None:
            settings.check()
            self.min_count = min_count
            if checkpoints:
                raise ParameterError(
                    "without a text, a checkpoint does nothing here: give it to firth.cluster.train"
                )
            return
        with closing(checkpoints) if checkpoints else nullcontext():
            kept = None
            if checkpoints:
                given = identity_of_source(cooccurrences, sentences, corpus_file, text)
                checkpoints.open(self._told_with(text, given))
                kept = checkpoints.counts()
            source: AbstractContextManager[tuple[Cooccurrences, float]] = (
                counted(
                    cooccurrences,
                    sentences,
                    corpus_file,
                    settings,
                    TextSettings(DEFAULT_WINDOW),
                    workers=self.workers,
                    progress=progress,
                )
                if kept is None
                else nullcontext((kept, 0.0))
            )
            with source as (counts, self.counting_seconds):
                self.window, self.symmetric = counts.window, counts.symmetric
                self.distance_weighting = counts.distance_weighting
                self.min_count = min_count
                self.corpus_total_words, self.n_pairs = counts.n_tokens, counts.n_nonzero
                if checkpoints and kept is None and cooccurrences is None:
                    checkpoints.keep_counts(counts, self._phrases)
                self._train(counts, checkpoints)

    def _told_with(self, text: TextOptions, source: Mapping[str, Any]) -> dict[str, Any]:
        """Tell what `told` does, and what the training is begun with."""
        told = self.told()
        # Threads that share the rows give other bits each time, however many there are.
        told["parameters"]["workers"] = "several" if self.workers > 1 else 1
        told["parameters"]["phrases"] = len(text.phrases)
        return told | {"split": text.told(), "text": source}

    def _train(self, counts: Cooccurrences, checkpoints: Checkpoints | None) -> None:
        show = self._progress
        self._state = GloveState(len(counts), self.vector_size, self.seed)
        with show_progress("shuffling", total=counts.n_stored, unit="pairs", show=show) as bar:
            dealt = DealtCooccurrences(counts, self.seed, self.workers, bar)
        plan = PairPlan(
            dealt.n_chunks, self.epochs, self.seed, counts.n_nonzero, self.learning_rate
        )
        with dealt:
            if checkpoints and (found := checkpoints.latest(plan, self._state.shapes())):
                self._run = found[0]
                self._state.take(found[1])
            self._show = partial(self._make, counts.vocab, self._state.sides)
            try:
                self._train_on(counts, dealt, plan, checkpoints)
            except DivergedError as error:
                raise checkpoints.with_last_state(error) if checkpoints else error from None
            finally:
                self._keep()
        del self._state

    def _train_on(
        self,
        counts: Cooccurrences,
        dealt: DealtCooccurrences,
        plan: PairPlan,
        checkpoints: Checkpoints | None,
    ) -> None:
        trainer = _core.GloveTrainer(
            self._state.rows,
            self._state.biases,
            learning_rate=self.learning_rate,
            x_max=self.x_max,
            alpha=self.alpha,
            symmetric=counts.symmetric,
        )
        run, show = self._run, self._progress
        watches: list[Watch] = [checkpoints] if checkpoints else []
        with show_progress("training", total=plan.n_words, unit="pairs", show=show) as bar:
            if run.n_words:
                bar.advance(run.n_words)
            train = partial(train_pairs, trainer, dealt, counts, plan)
            engine = Hogwild(train, plan, self.workers, bar)
            callbacks = self._callbacks
            run_training(self, engine, run, plan, bar, callbacks=callbacks, watches=watches)
            if checkpoints:
                checkpoints.save(self, run, plan)

    def live_matrices(self) -> Matrices:
        """Give views of the matrices of the training that runs, without padding."""
        return self._state.matrices()

    # --- what was learned -----------------------------------------------------------------------

    @property
    def is_trained(self) -> bool:
        """Whether there are vectors; not, where the model was made without a text."""
        return self._shown is not None

    @property
    def wv(self) -> KeyedVectors:
        """The vectors, to be asked; for callbacks a copy of them at that moment."""
        return self._look()[0]

    @property
    def biases(self) -> NDArray[np.float32]:
        return self._look()[1]

    @property
    def context_biases(self) -> NDArray[np.float32]:
        return self._look()[2]

    def _look(self) -> Shown:
        if self._show:
            return self._show()
        if self._shown is None:
            raise AttributeError  # Counted says what is missing
        return self._shown

    def _keep(self) -> None:
        """Keep what was learned, and let go of what was trained."""
        self._shown, self._show = self._look(), None

    def _make(self, vocab: Vocab, sides: Callable[[], tuple[Side, Side]]) -> Shown:
        words, contexts = sides()
        vectors = chosen_vectors(words[0], contexts[0], self.vector_size, self.model)
        return KeyedVectors(vocab, vectors), words[1].copy(), contexts[1].copy()

    @property
    def pairs_per_second(self) -> float:
        return self._per_second()

    @property
    def stopped(self) -> str:
        return self._run.stopped

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

        def sides() -> tuple[Side, Side]:
            words, contexts = ((side.vectors, side.biases[:, 0]) for side in fetch())
            return words, contexts

        run = self._run = Run.of_epochs(self.epochs)
        run.position = len(losses_before)
        for epoch, loss in enumerate(losses_before):
            run.losses.add(epoch, loss, 1)
        plan = PairPlan(1, self.epochs, self.seed, self.n_pairs, self.learning_rate)
        self._show = partial(self._make, vocab, sides)
        engine = EpochsElsewhere(train_epoch, plan)
        with show_progress("training", show=False) as bar:
            run_training(self, engine, run, plan, bar, callbacks=self._callbacks, watches=[])
        self._keep()

    def stop_training(self, reason: str = "a callback asked for it") -> None:
        """End the training behind the epoch that runs; for callbacks.

        Parameters
        ----------
        reason : str
            Goes into the log, and into the model folder.
        """
        self._run.stopped = reason
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
        files = {CURVE_FILE: self._run.curve.write} | phrase_folders(self._phrases)
        self.wv.save(folder, extra_config={"training": self._manifest()}, extra_files=files)

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

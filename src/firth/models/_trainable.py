"""What every model that learns from running text shares: its trainings."""

from __future__ import annotations

import logging
import sys
import warnings
from abc import abstractmethod
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from firth.corpus import NoKnownWordError
from firth.errors import ParameterError
from firth.models._callbacks import check_callbacks
from firth.models._checkpoints import Checkpoints, open_checkpoints
from firth.models._checks import at_least_1, finite
from firth.models._figures import RunFigures
from firth.models._hogwild import Hogwild
from firth.models._identity import FingerprintInBackground, identity_of
from firth.models._kept_phrases import open_phrases
from firth.models._matrices import without_padding
from firth.models._probes import Probe
from firth.models._rounds import ROUND_CHUNK_SIZE, Rounds
from firth.models._schedule import DivergedError, Plan, Run, train_chunk
from firth.models._texts import check_contexts
from firth.models._training import run_training
from firth.models._word_model import WordModel
from firth.progress import progress as show_progress

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from firth.corpus import Corpus
    from firth.models._callbacks import CallbackAny2Vec
    from firth.models._schedule import ChunkTrainer
    from firth.models._texts import TextOptions, type_of_source
    from firth.models._training import Engine, Watch
    from firth.models._word_model import Matrices, TrimRule
    from firth.phrases import FrozenPhrases, Phrases
    from firth.progress import Progress
    from firth.vocab import Vocab

logger = logging.getLogger("firth")


class Trainable(RunFigures, WordModel):
    """A model that is trained, and trained on.

    A subclass sets the attributes below, beside those of `WordModel`.

    Attributes
    ----------
    alpha, min_alpha : float
    epochs : int
    batch_words : int or None
    phrases : str, int or None
        Parameters of `Word2Vec`.
    train_count : int
        How many trainings the model has had.
    total_train_time : float
        Their seconds.
    """

    # What makes an object of this class again.
    PARAMETERS: ClassVar[tuple[str, ...]] = ()

    alpha: float
    min_alpha: float
    epochs: int
    batch_words: int | None
    deterministic: bool
    phrases: str | int | None

    @abstractmethod
    def _update_shares(self) -> dict[str, NDArray[np.float32]]:
        """Tell how often each row of each matrix is updated for a word of the text; `Rounds`."""

    @property
    @abstractmethod
    def algorithm(self) -> str:
        """What the model learns by, for people."""

    def __init__(self, text: TextOptions, *, progress: bool | None) -> None:
        super().__init__(text, progress=progress)
        self._forget()

    def _forget(self) -> None:
        super()._forget()
        self._run = Run.of_epochs(0)
        self.epochs_trained = 0
        self.train_count = 0
        self.total_train_time = 0.0

    # --- figures of the last training -----------------------------------------------------------

    @property
    def n_words_trained(self) -> int:
        return self._run.n_words

    @property
    def n_examples(self) -> int:
        return sum(self._run.losses.n_examples)

    @property
    def words_per_second(self) -> float:
        return self._per_second()

    @property
    def run(self) -> Run:
        """What the last training did, or the one that runs."""
        return self._run

    # --- training -------------------------------------------------------------------------------

    def train(
        self,
        corpus_iterable: Iterable[Any] | None = None,
        corpus_file: type_of_source | None = None,
        total_examples: int | None = None,
        total_words: int | None = None,
        epochs: int | None = None,
        start_alpha: float | None = None,
        end_alpha: float | None = None,
        *,
        report_delay: float = 1.0,
        compute_loss: bool = False,
        callbacks: Sequence[CallbackAny2Vec] = (),
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: float = 60.0,
        resume: bool = False,
    ) -> tuple[int, int]:
        """Train on a text, after `build_vocab` or once more.

        If it fails because it diverges, the model stays as it was before. After any other error,
        also one that a callback raises, it has what was learned until then, as after Ctrl-C.

        Parameters
        ----------
        corpus_iterable, corpus_file
            The text, as `sentences` and `corpus_file` of the class; one of them. Words that the
            model does not have are left out. A generator will do for any number of epochs.
        total_examples, total_words : int, optional
            Taken for gensim's sake: the text is counted before it is trained on.
        epochs : int, optional
            Passes over the text; the model's if not given, else the model's from now on.
        start_alpha, end_alpha : float, optional
            Learning rate of this training, and `alpha` and `min_alpha` of the model from now on.
        report_delay : float
            Taken for gensim's sake: progress is shown by the time that has passed.
        compute_loss : bool
            Taken for gensim's sake: the loss is always computed.
        callbacks : sequence of CallbackAny2Vec
            What looks at the training in between.
        checkpoint, checkpoint_every, resume
            As for the class. Words and weights that the training begins with must be the same when
            it is resumed; those that a seed and a text give are.

        Returns
        -------
        n_trained, n_read : int
            Words that subsampling left, and all words of the text, in all epochs.

        Raises
        ------
        ParameterError
            The model has no words yet, a parameter is out of its range, or the training diverged.
        SourceError, TextError
            The text cannot be read, or is empty.
        InputError
            No sentence has two words that the model has.
        """
        words = self._words()
        for name, value in (("total_examples", total_examples), ("total_words", total_words)):
            if value is not None:
                at_least_1(name, value)
        finite("report_delay", report_delay)
        del compute_loss
        looking = check_callbacks(callbacks)
        epochs = self.epochs if epochs is None else at_least_1("epochs", epochs)
        alpha = self.alpha if start_alpha is None else finite("start_alpha", start_alpha, above=0.0)
        end = self.min_alpha if end_alpha is None else finite("end_alpha", end_alpha)
        if end > alpha:
            raise ParameterError(f"end_alpha ({end}) must not be above start_alpha ({alpha})")
        checkpoints = open_checkpoints(checkpoint, checkpoint_every, resume)
        names = ("corpus_iterable", "corpus_file")
        before = self.epochs, self.alpha, self.min_alpha
        self.epochs, self.alpha, self.min_alpha = epochs, alpha, end
        try:
            with closing(checkpoints) if checkpoints else nullcontext():
                kept = None
                if checkpoints:
                    text = identity_of(corpus_iterable, corpus_file, self._text)
                    told = {"text": text, "words": words.fingerprint()}
                    checkpoints.open(self.told() | told)
                    kept = checkpoints.corpus()
                corpus = kept[1] if kept else None
                if corpus is None:
                    corpus = self._encode(corpus_iterable, corpus_file, vocab=words, names=names)[1]
                with self._corpus_of(corpus_iterable, corpus):
                    if checkpoints and not kept:
                        kept = checkpoints.keep_corpus(words, corpus, self.phrases_to_join)
                        corpus = kept[1]
                    self._train(corpus, looking, checkpoints)
                    return self._run.n_kept, epochs * corpus.n_tokens_read
        except NoKnownWordError as error:
            self.epochs, self.alpha, self.min_alpha = before
            warn_caller(f"nothing was learned: {error}")
            return 0, epochs * error.n_tokens_read

    def stop_training(self, reason: str = "a callback asked for it") -> None:
        """End the training that runs; for callbacks.

        Parameters
        ----------
        reason : str
            Goes into the log, and into the model folder.
        """
        if self._live is not None:
            self._run.stopped = reason

    def get_latest_training_loss(self) -> float:
        """Return the sum of the losses of the last training, or of the one that runs, so far.

        gensim's name and meaning, but in double precision, and always there. `epoch_losses` has the
        means, which say more.
        """
        return float(sum(self._run.losses.sums))

    def _start(
        self,
        sentences: Iterable[Any] | None,
        corpus_file: type_of_source | None,
        trim_rule: TrimRule | None,
        callbacks: Sequence[CallbackAny2Vec],
        checkpoints: Checkpoints | None,
    ) -> None:
        """Choose the words of a text and train on it, in one reading; for the constructors."""
        with closing(checkpoints) if checkpoints else nullcontext():
            kept = None
            if checkpoints:
                rule = getattr(trim_rule, "__qualname__", None)
                told = {"text": identity_of(sentences, corpus_file, self._text), "trim_rule": rule}
                checkpoints.open(self.told() | told)
                kept = checkpoints.corpus()
            if kept is not None and self.phrases:
                self._join_by_those_kept_in(kept[1].folder)
            if kept is None:
                vocab, corpus = self._encode(sentences, corpus_file, trim_rule=trim_rule)
                with self._corpus_of(sentences, corpus):
                    if checkpoints:
                        kept = checkpoints.keep_corpus(vocab, corpus, self.phrases_to_join)
                    else:
                        self._begin(vocab, corpus)
                        self._train(corpus, callbacks, None)
            if kept:
                self._begin(*kept)
                self._train(kept[1], callbacks, checkpoints)

    @property
    def phrases_to_join(self) -> tuple[Phrases | FrozenPhrases, ...]:
        """What joins the phrases of a text, one after the other."""
        return self._text.phrases

    def _join_by_those_kept_in(self, folder: Path) -> bool:
        kept = open_phrases(folder)
        if kept:
            self._text = replace(self._text, phrases=kept)
        return bool(kept)

    def _begin(self, vocab: Vocab, corpus: Corpus) -> None:
        self._note_corpus(corpus)
        self._take_words(vocab, update=False)

    def told(self) -> dict[str, Any]:
        """Tell what a checkpoint must have been begun with, to go on from it."""
        parameters = {name: getattr(self, name) for name in self.PARAMETERS}
        del parameters["comment"]
        if not self.deterministic and self.workers > 1:
            # Threads that share matrices give other bits each time, however many there are.
            parameters["workers"] = "several"
        return {
            "class": type(self).__name__,
            "parameters": parameters | {"phrases": self.phrases},
            "split": self._text.told(),
            "epochs_before": self.epochs_trained,
        }

    def shapes_of_state(self) -> dict[str, tuple[int, int]]:
        """Tell which matrices a checkpoint has."""
        rows = self._matrix_rows(len(self._words()))
        return {name: (n, self.vector_size) for name, n in rows.items()}

    def live_matrices(self) -> Matrices:
        """Give views of the matrices of the training that runs, without padding."""
        live = self._live or {}
        return {name: matrix[:, : self.vector_size] for name, matrix in live.items()}

    def _train(
        self,
        corpus: Corpus,
        callbacks: Sequence[CallbackAny2Vec],
        checkpoints: Checkpoints | None,
    ) -> None:
        in_rounds = self.deterministic and self.workers > 1
        check_contexts(corpus)
        plan = Plan.of_corpus(
            corpus,
            self.batch_words or (ROUND_CHUNK_SIZE if in_rounds else None),
            **self.plan_parameters(),
        )
        fingerprint = FingerprintInBackground(corpus, self._words())

        def make_engine(weights: Matrices | None, bar: Progress) -> Engine:
            self._live = matrices = self._matrices_to_train(weights)
            if in_rounds:
                shares = self._update_shares()
                return Rounds(matrices, self._make_trainer, shares, corpus, plan, self.workers, bar)
            trainer = self._make_trainer(matrices, self.workers)
            return Hogwild(partial(train_chunk, trainer, corpus), plan, self.workers, bar)

        try:
            self.train_by(make_engine, plan, callbacks, checkpoints)
        except BaseException:
            fingerprint.cancel()
            raise
        self.corpus_fingerprint = fingerprint.result()

    # --- training in other hands ----------------------------------------------------------------

    def begin_with(self, vocab: Vocab, n_sentences: int = 0, n_tokens: int = 0) -> None:
        """Take words that were chosen before, of a text of so many sentences and words."""
        self.corpus_count, self.corpus_total_words = n_sentences, n_tokens
        self._take_words(vocab, update=False)

    def plan_parameters(self) -> dict[str, Any]:
        """Tell what a `Plan` has to know of the model."""
        return {
            "epochs": self.epochs,
            "alpha": self.alpha,
            "min_alpha": self.min_alpha,
            "seed": self.seed,
            "epochs_before": self.epochs_trained,
        }

    def parts_to_train(
        self, weights: Matrices | None, n_threads: int
    ) -> tuple[Matrices, ChunkTrainer, dict[str, NDArray[np.float32]]]:
        """Make matrices with padding, what trains them, and how often each row is updated."""
        matrices = self._matrices_to_train(weights)
        return matrices, self._make_trainer(matrices, n_threads), self.update_shares()

    def update_shares(self) -> dict[str, NDArray[np.float32]]:
        """Tell how often each row of each matrix is updated for a word of the text."""
        return self._update_shares()

    def follow(self, matrices: Matrices) -> None:
        """Take matrices, without padding, as those of the training that runs at this moment."""
        self._live = matrices

    def train_by(
        self,
        make_engine: Callable[[Matrices | None, Progress], Engine],
        plan: Plan,
        callbacks: Sequence[CallbackAny2Vec],
        checkpoints: Checkpoints | None,
    ) -> None:
        """Train by an engine, and keep what it has learned.

        Parameters
        ----------
        make_engine : callable
            Takes the rows to begin with (None: they are drawn by the seed) and the bar that is to
            be told. Engines that train elsewhere call `follow` whenever they stand still.
        plan : Plan
            The chunks.
        callbacks, checkpoints
            What looks at the training, which begins where the checkpoint stands.
        """
        state = checkpoints.latest(plan, self.shapes_of_state()) if checkpoints else None
        before = self._run
        self._take_changes()
        self._run, weights = state or (Run.of_epochs(plan.epochs), self._weights)
        del state
        try:
            self._run_to_end(make_engine, weights, plan, callbacks, checkpoints)
        except DivergedError as error:
            self._live, self._run = None, before
            if checkpoints:
                hint = "; load of the model's class opens it"
                raise checkpoints.with_last_state(error, hint) from None
            raise
        except BaseException:
            if self._live is not None:
                self._keep(self._live)
            raise
        if self._live is None:  # interrupted before an engine elsewhere had anything to tell
            raise KeyboardInterrupt
        self._keep(self._live)
        self._tell_end()

    def _run_to_end(
        self,
        make_engine: Callable[[Matrices | None, Progress], Engine],
        weights: Matrices | None,
        plan: Plan,
        callbacks: Sequence[CallbackAny2Vec],
        checkpoints: Checkpoints | None,
    ) -> None:
        run = self._run
        watches: list[Watch] = [callback for callback in callbacks if isinstance(callback, Probe)]
        if checkpoints:
            watches.append(checkpoints)
        with show_progress(
            "training", total=plan.n_words, unit="words", show=self._progress
        ) as bar:
            if run.n_words:
                bar.advance(run.n_words)
            engine = make_engine(weights, bar)
            del weights
            run_training(self, engine, run, plan, bar, callbacks=callbacks, watches=watches)
            if checkpoints:
                checkpoints.save(self, run, plan)

    def _keep(self, matrices: Matrices) -> None:
        """Make what was trained the state of the model."""
        self._live = None
        self._weights = {
            name: without_padding(matrix, self.vector_size) for name, matrix in matrices.items()
        }
        self._show(self._weights)
        self.epochs_trained += self.epochs
        self.train_count += 1
        self.total_train_time += self._run.seconds

    def _tell_end(self) -> None:
        run = self._run
        if run.stopped:
            logger.info("training stopped: %s", run.stopped)
        if not any(run.losses.n_examples) and not run.ends:
            warn_caller(
                f"nothing was learned: with sample={getattr(self, 'sample', 0)} too few words of "
                f"this small text are left to be anybody's context; set sample=0"
            )


def warn_caller(message: str) -> None:
    """Warn at the line of the program that called firth."""
    depth, frame = 2, sys._getframe(1)  # noqa: SLF001 (warnings has no public way)
    while str(frame.f_globals.get("__name__", "")).startswith("firth."):
        if frame.f_back is None:
            break
        frame = frame.f_back
        depth += 1
    warnings.warn(message, stacklevel=depth)

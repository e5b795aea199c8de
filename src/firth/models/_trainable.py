"""What every model that learns from running text shares: its trainings."""

from __future__ import annotations

import logging
import math
import sys
import warnings
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from firth.corpus import NoKnownWordError
from firth.errors import FormatError, ParameterError
from firth.models._callbacks import check_callbacks
from firth.models._checks import at_least_1, finite
from firth.models._hogwild import Hogwild
from firth.models._matrices import without_padding
from firth.models._model_folder import (
    damaged_manifest,
    read_manifest,
    read_run,
    read_weights,
    save_model,
)
from firth.models._schedule import DivergedError, Plan, Run
from firth.models._texts import TextOptions
from firth.models._training import run_training
from firth.models._word_model import WordModel
from firth.progress import progress as show_progress
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from firth.corpus import Corpus
    from firth.models._callbacks import CallbackAny2Vec
    from firth.models._texts import type_of_source
    from firth.models._word_model import Matrices, TrimRule

logger = logging.getLogger("firth")


class Trainable(WordModel):
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
    phrases: str | int | None

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
    def epoch_losses(self) -> list[float]:
        losses = self._run.losses
        return [losses.mean(i) for i, n in enumerate(losses.n_examples) if n]

    @property
    def loss(self) -> float:
        losses = self.epoch_losses
        return losses[-1] if losses else math.nan

    @property
    def n_words_trained(self) -> int:
        return self._run.n_words

    @property
    def n_examples(self) -> int:
        return sum(self._run.losses.n_examples)

    @property
    def training_seconds(self) -> float:
        return self._run.seconds

    @property
    def words_per_second(self) -> float:
        return self._run.n_words / self._run.seconds if self._run.seconds else 0.0

    @property
    def run(self) -> Run:
        """What the last training did, or the one that runs."""
        return self._run

    @property
    def interrupted(self) -> bool:
        return self._run.interrupted

    @property
    def learning_curve(self) -> list[dict[str, Any]]:
        """The loss, and what probes saw, along the last training; see `firth.read_curve`."""
        return self._run.curve.points

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
        try:
            _, corpus = self._encode(
                corpus_iterable, corpus_file, vocab=words,
                names=("corpus_iterable", "corpus_file"),
            )  # fmt: skip
        except NoKnownWordError as error:
            warn_caller(f"nothing was learned: {error}")
            return 0, epochs * error.n_tokens_read
        self.epochs, self.alpha, self.min_alpha = epochs, alpha, end
        with self._corpus_of(corpus_iterable, corpus):
            self._train(corpus, looking)
            return self._run.n_kept, epochs * corpus.n_tokens_read

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
    ) -> None:
        """Choose the words of a text and train on it, in one reading; for the constructors."""
        vocab, corpus = self._encode(sentences, corpus_file, trim_rule=trim_rule)
        with self._corpus_of(sentences, corpus):
            self._note_corpus(corpus)
            self._take_words(vocab, update=False)
            self._train(corpus, callbacks)

    def _train(self, corpus: Corpus, callbacks: Sequence[CallbackAny2Vec]) -> None:
        plan = Plan.of_corpus(
            corpus,
            self.batch_words,
            epochs=self.epochs,
            alpha=self.alpha,
            min_alpha=self.min_alpha,
            seed=self.seed,
            epochs_before=self.epochs_trained,
        )
        matrices = self._matrices_to_train()
        before = self._run
        self._run = Run.of_epochs(plan.epochs)
        trainer = self._make_trainer(matrices)
        self._live = matrices
        total = plan.epochs * len(corpus)
        try:
            with show_progress("training", total=total, unit="words", show=self._progress) as bar:
                engine = Hogwild(trainer, corpus, plan, self.workers, bar)
                run_training(self, engine, self._run, plan, callbacks=callbacks, watches=())
        except DivergedError:
            self._live, self._run = None, before
            raise
        except BaseException:
            self._keep(matrices)
            raise
        del trainer, engine
        self._keep(matrices)
        self._tell_end()

    def _keep(self, matrices: Matrices) -> None:
        """Make what was trained the state of the model."""
        locks = getattr(self._wv, "vectors_lockf", None)
        self._live = None
        self._weights = {
            name: without_padding(matrix, self.vector_size) for name, matrix in matrices.items()
        }
        self._wv = self._make_wv(self._weights)
        self._wv.vectors_lockf = locks  # type: ignore[attr-defined]
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

    # --- keeping --------------------------------------------------------------------------------

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the model, and how it was made, to a folder.

        Parameters
        ----------
        folder : str or Path
            The folder: `firth.load` and `KeyedVectors.load` open the vectors in it, `load` of the
            class the whole model, to train on. One that firth wrote is replaced.

        Raises
        ------
        OutputError
            The folder is something else, or the disk is full.
        ParameterError
            The model has no words yet.
        """
        save_model(self, folder, self._weights_to_save())

    def _weights_to_save(self) -> Matrices:
        return self._weights_without_padding() if self._live is None else self._copy_of_live()

    @classmethod
    def load(
        cls,
        folder: str | os.PathLike[str],
        *,
        tokenizer: Any = None,
        phrases: Any = None,
        progress: bool | None = None,
    ) -> Self:
        """Open a whole model that `save` wrote, to train on.

        Parameters
        ----------
        folder : str or Path
            The folder; its matrices are mapped, and copied when a training begins.
        tokenizer : optional
            How text is split from now on; needed where it was a function, which is not kept.
        phrases : optional
            What joins phrases from now on; needed where there were some, which are not kept.
        progress : bool, optional
            As for the class.

        Raises
        ------
        SourceError
            There is no such folder.
        FormatError
            It holds vectors only, or a model of another class, or is damaged.
        """
        path = Path(folder)
        wv = KeyedVectors.load(path)
        told = read_manifest(wv, path, cls.__name__)
        model = cls._with_parameters(
            told, path, tokenizer=tokenizer, phrases=phrases, progress=progress
        )
        model._restore(wv, told, path)  # noqa: SLF001 (its own class)
        return model

    def _restore(self, wv: KeyedVectors, told: dict[str, Any], path: Path) -> None:
        """Take words, matrices and figures from a folder."""
        if self.vector_size != wv.vector_size:
            raise FormatError(
                f"{path}: has vectors of size {wv.vector_size}, and a model of size "
                f"{self.vector_size}; its files do not belong together"
            )
        self._vocab, self._wv = wv.vocab, wv
        others = read_weights(wv, path, self._matrix_rows(len(wv.vocab)))
        self._weights = {"input": self._input_of(wv)} | others
        self._run = read_run(told, path)
        try:
            self.corpus_count = int(told["n_sentences"])
            self.corpus_total_words = int(told["n_words"])
            self.corpus_fingerprint = told["corpus"]
            self.epochs_trained = int(told["epochs_trained"])
            self.train_count = int(told["train_count"])
            self.total_train_time = float(told["total_train_time"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged_manifest(path, error) from error

    @classmethod
    def _with_parameters(cls, told: dict[str, Any], path: Path, **given: Any) -> Self:
        """Make a model without words from what its folder tells."""
        try:
            known = {n: v for n, v in told["parameters"].items() if n in cls.PARAMETERS}
            text = {name: told["text"][name] for name in TextOptions().told()}
            if told["parameters"].get("phrases") and given["phrases"] is None:
                logger.warning(
                    "%s: the phrases that its text was joined by are not kept with it: give "
                    "load(phrases=...) before training on text, or text whose phrases are joined",
                    path,
                )
            text |= {name: value for name, value in given.items() if value is not None}
            return cls(**known, **text)
        except (KeyError, TypeError, AttributeError, ParameterError) as error:
            raise damaged_manifest(path, error) from error


def warn_caller(message: str) -> None:
    """Warn at the line of the program that called firth."""
    depth, frame = 2, sys._getframe(1)  # noqa: SLF001 (warnings has no public way)
    while str(frame.f_globals.get("__name__", "")).startswith("firth."):
        if frame.f_back is None:
            break
        frame = frame.f_back
        depth += 1
    warnings.warn(message, stacklevel=depth)

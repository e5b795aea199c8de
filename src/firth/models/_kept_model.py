"""Models in folders: saved whole, and opened to train on."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from firth.errors import FormatError, ParameterError
from firth.models._checkpoints import Checkpoints
from firth.models._model_folder import (
    check_class,
    damaged_manifest,
    read_manifest,
    read_run,
    read_weights,
    save_model,
)
from firth.models._texts import TextOptions
from firth.models._trainable import Trainable
from firth.storage import read_config
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    import os

    from firth.models._word_model import Matrices

logger = logging.getLogger("firth")


class KeptModel(Trainable):
    """A model that can be saved, and trained on when it is opened again."""

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
            The folder; its matrices are mapped, and copied when a training begins. Or that of a
            checkpoint, whose last state is opened.
        tokenizer : optional
            How text is split from now on; needed where it was a function, which is not kept.
        phrases : optional
            What joins phrases from now on, in place of what joined them until now.
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
        if path.is_dir() and read_config(path).get("kind") == "checkpoint":
            return cls._from_checkpoint(path, tokenizer, phrases, progress)
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
    def _from_checkpoint(
        cls, path: Path, tokenizer: Any, phrases: Any, progress: bool | None
    ) -> Self:
        """Open the last state of a training that did not end, or not well."""
        config = read_config(path, "checkpoint")
        check_class(config, path, cls.__name__)
        told = {"parameters": config.get("parameters"), "text": config.get("split")}
        model = cls._with_parameters(
            told, path / "corpus", tokenizer=tokenizer, phrases=phrases, progress=progress
        )
        kept = Checkpoints(path, 1.0, resume=True).corpus()
        if kept is None:
            raise FormatError(f"{path}: has no encoded text: the training had not begun yet")
        model._begin(*kept)  # noqa: SLF001 (its own class)
        model._resume_from(path)  # noqa: SLF001
        return model

    def _take_kept_phrases(self, folder: Path, named: Any) -> None:
        """Join phrases from now on as until now; `named` is what the manifest calls them."""
        self.phrases = named
        if not self._join_by_those_kept_in(folder):
            logger.warning(
                "%s: the phrases that its text was joined by are not kept with it: give "
                "load(phrases=...) before training on text, or text whose phrases are joined",
                folder,
            )

    def _resume_from(self, path: Path) -> None:
        state = Checkpoints(path, 1.0, resume=True).latest(None, self.shapes_of_state())
        if state is None:
            raise FormatError(f"{path}: has no state of a training yet; resume the training")
        self._run, self._weights = state
        self._run.stopped = "opened from a checkpoint"
        self.epochs_trained = sum(n > 0 for n in self._run.losses.n_examples)
        self.total_train_time = self._run.seconds
        self.train_count = 1

    @classmethod
    def _with_parameters(cls, told: dict[str, Any], path: Path, **given: Any) -> Self:
        """Make a model without words from what its folder tells."""
        try:
            known = {n: v for n, v in told["parameters"].items() if n in cls.PARAMETERS}
            text = {name: told["text"][name] for name in TextOptions().told()}
            if known.get("workers") == "several":
                del known["workers"]
            text |= {name: value for name, value in given.items() if value is not None}
            model = cls(**known, **text)
        except (KeyError, TypeError, AttributeError, ParameterError) as error:
            raise damaged_manifest(path, error) from error
        named = told["parameters"].get("phrases")
        if named and given["phrases"] is None:
            model._take_kept_phrases(path, named)
        return model

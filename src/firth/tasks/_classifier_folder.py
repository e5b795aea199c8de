"""A classifier in a folder.

::

    config.json           "kind": "text_classifier", settings, classes, what training did
    model.safetensors     what was learned; of networks PyTorch's names, the vectors among them
    vocab.safetensors     the words, as in a model folder
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, ParameterError
from firth.storage import (
    check_target,
    open_tensors,
    read_config,
    save_tensors,
    write_config,
    write_folder,
)
from firth.vocab import VOCAB_FILE, Vocab

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from firth.tasks._classifier import TextClassifier

KIND = "text_classifier"
# Raised when what is learned is laid out in another way: an older firth then says so.
VERSION = 1
MODEL_FILE = "model.safetensors"
# Of the place where it runs, not of what was learned.
_NOT_KEPT = {"vectors", "device", "precision", "progress"}


def save_classifier(
    classifier: TextClassifier,
    tensors: Mapping[str, NDArray[Any]],
    folder: str | os.PathLike[str],
) -> None:
    """Write a classifier; errors are those of `TextClassifier.save`."""
    parameters = classifier.get_params(deep=False)
    if not isinstance(parameters["tokenizer"], str):
        raise ParameterError(
            f"the tokenizer is {parameters['tokenizer']!r:.60}, which a folder cannot hold: only "
            f"a tokeniser with a name can be kept, such as 'words' or 'whitespace'"
        )
    weights = parameters["class_weight"]
    if weights is not None and not isinstance(weights, str):
        # JSON's keys are strings; a list of pairs keeps whole numbers.
        parameters["class_weight"] = [[_plain(k), float(v)] for k, v in weights.items()]
    check_target(folder)
    record = classifier.record_
    with write_folder(folder) as path:
        write_config(
            path,
            KIND,
            version=VERSION,
            parameters={k: v for k, v in parameters.items() if k not in _NOT_KEPT},
            classes=[_plain(label) for label in classifier.classes_.tolist()],
            special_tokens=classifier.vocab_.special_tokens,
            n_truncated=classifier.n_truncated_,
            n_empty=classifier.n_empty_,
            training=None if record is None else {
                "epochs": record.to_dicts(),
                "best_epoch": record.best_epoch,
                "stopped_early": record.stopped_early,
            },
        )  # fmt: skip
        classifier.vocab_.to_file(path / VOCAB_FILE)
        save_tensors(path / MODEL_FILE, tensors)


def _plain(label: Any) -> str | int:
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if not isinstance(label, str | int):
        raise ParameterError(
            f"the label {label!r} is {type(label).__name__}, which a folder cannot hold; use "
            f"strings or whole numbers"
        )
    return label


@dataclass(frozen=True)
class Opened:
    """What a folder holds, before it is a classifier again."""

    parameters: dict[str, Any]
    classes: NDArray[Any]
    vocab: Vocab
    tensors: dict[str, NDArray[Any]]
    n_truncated: int
    n_empty: int

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Opened:
        """Open a folder; errors are those of `TextClassifier.load`."""
        config = read_config(folder, KIND)
        version = config.get("version")
        if version != VERSION:
            raise FormatError(
                f"{folder}: a classifier of version {version!r}; this firth reads version "
                f"{VERSION}: update firth, or train it again"
            )
        parameters, classes = config.get("parameters"), config.get("classes")
        if not isinstance(parameters, dict) or _NOT_KEPT & parameters.keys():
            raise FormatError(f'{folder}: "parameters" in its config.json are no settings')
        if (
            not isinstance(classes, list)
            or len({type(label) for label in classes} & {str, int, bool}) != 1
            or len({type(label) for label in classes}) != 1
            or len(set(classes)) < max(2, len(classes))
        ):
            raise FormatError(
                f'{folder}: "classes" in its config.json are not two or more labels, all strings '
                f"or all whole numbers, none of them twice"
            )
        weights = parameters.get("class_weight")
        with opening(folder):
            if isinstance(weights, list):
                parameters["class_weight"] = dict(weights)
            return cls(
                parameters,
                np.array(classes),
                Vocab.load(folder),
                open_tensors(Path(folder) / MODEL_FILE),
                int(config.get("n_truncated", 0)),
                int(config.get("n_empty", 0)),
            )


@contextmanager
def opening(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Say of what does not fit together where it lies."""
    try:
        yield
    except FormatError as error:
        where = "" if str(error).startswith(os.fspath(folder)) else f"{folder}: "
        hint = "" if where == "" else "; train and save it again"
        raise FormatError(f"{where}{error}{hint}") from error
    except (ParameterError, TypeError, ValueError, KeyError) as error:
        raise FormatError(
            f"{folder}: its config.json does not describe a classifier ({error}); train and save "
            f"it again"
        ) from error

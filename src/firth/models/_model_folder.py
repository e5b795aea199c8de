"""A whole model in a folder: vectors to be asked, and what further training needs.

The folder is the model folder of `firth.formats`, with some files more::

    config.json            "training": how the vectors were made
    training.safetensors   the other matrices: targets F32 (n_words, vector_size), ...
    training.jsonl         the learning curve, a JSON object in each line
    phrases-1/ ...         what joined its text, the first pass and the others, where there were any

Who asks the vectors never opens them.
"""

from __future__ import annotations

import time
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.errors import FirthError, FormatError
from firth.models._curve import CURVE_FILE, Curve, read_curve
from firth.models._kept_phrases import phrase_folders
from firth.models._schedule import Losses, Run
from firth.storage import open_tensors, save_tensors

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from firth.models._trainable import Trainable
    from firth.models._word_model import Matrices
    from firth.vectors import KeyedVectors

TRAINING_FILE = "training.safetensors"


def save_model(
    model: Trainable,
    folder: str | os.PathLike[str],
    weights: Matrices,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a model; errors are those of `KeyedVectors.save`."""
    others = {name: matrix for name, matrix in weights.items() if name != "input"}
    model.wv.save(
        folder,
        extra_config={"training": manifest(model) | dict(extra or {})},
        extra_files=phrase_folders(model.phrases_to_join)
        | {
            TRAINING_FILE: partial(save_tensors, tensors=others),
            CURVE_FILE: Curve(model.learning_curve).write,
        },
    )


def manifest(model: Trainable) -> dict[str, Any]:
    """Describe how the vectors were made, as ``config.json`` has it."""
    run = model.run
    return {
        "class": type(model).__name__,
        "algorithm": model.algorithm,
        "parameters": {name: getattr(model, name) for name in model.PARAMETERS}
        | {"phrases": model.phrases},
        "text": model.text_options,
        "n_sentences": model.corpus_count,
        "n_words": model.corpus_total_words,
        "corpus": model.corpus_fingerprint,
        "n_words_trained": run.n_words,
        "epoch_losses": model.epoch_losses,
        "loss": model.loss if model.epoch_losses else None,
        "seconds": round(run.seconds, 3),
        "words_per_second": round(model.words_per_second),
        "interrupted": run.interrupted,
        "stopped": run.stopped,
        "epochs_trained": model.epochs_trained,
        "train_count": model.train_count,
        "total_train_time": model.total_train_time,
        "run": {name: value for name, value in run.state().items() if name != "curve"},
        "firth_version": _version(),
        "numpy_version": np.__version__,
        "instruction_set": _core.isa(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _version() -> str:
    try:
        return version("firth")
    except PackageNotFoundError:  # run from the source, without being installed
        return "unknown"


def read_manifest(wv: KeyedVectors, folder: Path, class_name: str) -> dict[str, Any]:
    """Check that a folder holds a model of a class that can be trained on."""
    told = wv.config.get("training")
    if not isinstance(told, dict) or not (folder / TRAINING_FILE).is_file():
        raise FormatError(
            f"{folder}: has vectors to be asked, but not what further training needs: open it with "
            f"firth.load, or save the model itself (model.save) instead of its vectors"
        )
    check_class(told, folder, class_name)
    return told


def check_class(told: Mapping[str, Any], folder: Path, class_name: str) -> None:
    """Refuse a model of another class."""
    if told.get("class") != class_name:
        raise FormatError(
            f"{folder}: holds a {told.get('class')!s:.60}, not a {class_name}; load it with the "
            f"class that saved it"
        )


def damaged_manifest(folder: Path, error: Exception) -> FormatError:
    """Make the error for a ``config.json`` that does not tell what it should."""
    return FormatError(
        f'{folder}: "training" in its config.json is damaged ({type(error).__name__}: {error}); '
        f"save the model again, or open the vectors alone with firth.load"
    )


def read_weights(wv: KeyedVectors, folder: Path, rows: Mapping[str, int]) -> Matrices:
    """Open the matrices beside the vectors by memory map; "input" is in the vectors themselves.

    Raises
    ------
    FormatError
        One is missing or has another shape.
    """
    path = folder / TRAINING_FILE
    tensors = open_tensors(path)
    weights: Matrices = {}
    for name, n_rows in rows.items():
        if name == "input":
            continue
        array, shape = tensors.get(name), (n_rows, wv.vector_size)
        if array is None or array.shape != shape or array.dtype != np.float32:
            what = "is missing" if array is None else f"is {array.dtype} of shape {array.shape}"
            raise FormatError(
                f"{path}: the matrix {name!r} {what}, where float32 of shape {shape} belongs; "
                f"save the model again"
            )
        weights[name] = array
    return weights


def read_run(told: Mapping[str, Any], folder: Path) -> Run:
    """Give back what the last training did."""
    try:
        points = read_curve(folder)
    except FirthError:
        points = []  # only drawn from
    try:
        state = {**told["run"], "curve": Curve(points).state()}
        run = Run.from_state(state)
        run.interrupted = bool(told["interrupted"])
        run.stopped = str(told["stopped"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged_manifest(folder, error) from error
    if not run.losses.sums:
        run.losses = Losses.of_epochs(0)
    return run

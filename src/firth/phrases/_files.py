"""Phrase models on disk: a folder with ``config.json`` and ``phrases.safetensors``."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, ParameterError
from firth.phrases._scoring import rule_of
from firth.storage import open_tensors, read_config, save_tensors, write_config, write_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from firth.phrases._joining import FrozenPhrases, PhraseModel
    from firth.phrases._phrases import Phrases

KIND = "phrases"
TENSORS_FILE = "phrases.safetensors"
_OWN_FUNCTION = "function"
_COUNTED = ("max_vocab_size", "corpus_word_count", "min_reduce")
_DTYPES = {
    "name_bytes": np.uint8, "name_offsets": np.uint64, "counts": np.int64, "scores": np.float64,
}  # fmt: skip


def save(
    folder: str | os.PathLike[str],
    model: PhraseModel,
    tensors: Mapping[str, NDArray[Any]],
    **fields: Any,
) -> None:
    """Write a model to a folder, with the fields that only its class has."""
    scoring = None if model.scoring is None else rule_of(model.scoring) or _OWN_FUNCTION
    with write_folder(folder) as path:
        write_config(
            path,
            KIND,
            frozen="scores" in tensors,
            min_count=model.min_count,
            # JSON has no infinity.
            threshold=model.threshold if math.isfinite(model.threshold) else None,
            delimiter=model.delimiter,
            scoring=scoring,
            connector_words=sorted(model.connector_words),
            **fields,
        )
        save_tensors(path / TENSORS_FILE, tensors)


def load(folder: str | os.PathLike[str], scoring: Any) -> Phrases | FrozenPhrases:
    """Open a folder; see `PhraseModel.load`."""
    from firth.phrases._phrases import Phrases

    if Path(folder).is_file():
        return _load_saved_by_gensim(folder, scoring)
    config = read_config(folder, KIND)
    place = f"{folder}/config.json"
    is_frozen = _field(config, "frozen", bool, place)
    saved = config.get("scoring")
    _check_scoring(folder, scoring, saved, is_frozen=is_frozen)
    threshold = config.get("threshold")
    settings = {
        "min_count": _field(config, "min_count", int | float, place),
        "threshold": -math.inf
        if threshold is None
        else _field(config, "threshold", int | float, place),
        "delimiter": _field(config, "delimiter", str, place),
        "connector_words": _field(config, "connector_words", list, place),
    }
    whole = {} if is_frozen else {n: _field(config, n, int, place) for n in _COUNTED}
    path = Path(folder) / TENSORS_FILE
    values = "scores" if is_frozen else "counts"
    names, offsets, numbers = _tensors(path, values)
    try:
        if is_frozen:
            spans = pairwise(offsets.tolist())
            words = [names[begin:end].tobytes().decode() for begin, end in spans]
            scores = dict(zip(words, numbers.tolist(), strict=True))
            return _frozen(scores, settings)
        max_vocab_size = whole.pop("max_vocab_size")
        phrases = Phrases(scoring=scoring or saved, max_vocab_size=max_vocab_size, **settings)
    except ParameterError as error:
        raise FormatError(f"{folder}: these phrases are damaged: {error}") from error
    phrases.restore(names, offsets, numbers, **whole)
    return phrases


def _load_saved_by_gensim(path: str | os.PathLike[str], scoring: Any) -> Phrases | FrozenPhrases:
    from firth.formats import read_saved_phrases
    from firth.phrases._phrases import Phrases

    saved = read_saved_phrases(path)
    rule = saved.scoring or _OWN_FUNCTION
    _check_scoring(path, scoring, rule, is_frozen=saved.scores is not None)
    try:
        if saved.scores is not None:
            return _frozen(saved.scores, saved.settings)
        phrases = Phrases(
            scoring=scoring or rule, max_vocab_size=saved.max_vocab_size, **saved.settings
        )
    except ParameterError as error:
        raise FormatError(f"{path}: these phrases are damaged: {error}") from error
    names = [name.encode() for name in saved.counts or ()]
    offsets = np.zeros(len(names) + 1, np.uint64)
    np.cumsum(np.fromiter(map(len, names), np.uint64, len(names)), out=offsets[1:])
    phrases.restore(
        np.frombuffer(b"".join(names), np.uint8),
        offsets,
        np.fromiter((saved.counts or {}).values(), np.int64, len(names)),
        corpus_word_count=saved.corpus_word_count,
        min_reduce=saved.min_reduce,
    )
    return phrases


def _frozen(scores: dict[str, float], settings: dict[str, Any]) -> FrozenPhrases:
    from firth.phrases._joining import (
        FrozenPhrases,
        GivenPhrases,
        check_connectors,
        check_delimiter,
    )

    settings["delimiter"] = check_delimiter(settings["delimiter"])
    settings["connector_words"] = check_connectors(settings["connector_words"])
    return FrozenPhrases(GivenPhrases(scores, **settings))


def _check_scoring(
    folder: str | os.PathLike[str], scoring: Any, saved: Any, *, is_frozen: bool
) -> None:
    if scoring is not None and saved != _OWN_FUNCTION:
        raise ParameterError(
            f"{folder}: these phrases are scored by {saved!r}, as they were made: leave scoring out"
        )
    if scoring is None and saved == _OWN_FUNCTION and not is_frozen:
        raise ParameterError(
            f"{folder}: these phrases are scored by a function of yours, which is not saved: pass "
            f"it as scoring="
        )


def _field(config: Mapping[str, Any], name: str, kind: Any, place: str) -> Any:
    value = config.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise FormatError(f"{place}: {name!r} is {value!r:.60}, which it cannot be")
    return value


def _tensors(path: Path, values: str) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[Any]]:
    tensors = open_tensors(path)
    found = []
    for name in ("name_bytes", "name_offsets", values):
        array = tensors.get(name)
        if array is None or array.ndim != 1 or array.dtype != _DTYPES[name]:
            what = "is missing" if array is None else f"is {array.dtype} of shape {array.shape}"
            raise FormatError(
                f"{path}: no phrases: tensor {name!r} {what}, where {np.dtype(_DTYPES[name])} of "
                f"one dimension belongs"
            )
        found.append(array)
    names, offsets, numbers = found
    if (
        len(offsets) != len(numbers) + 1
        or (int(offsets[0]), int(offsets[-1])) != (0, len(names))
        or (offsets[1:] < offsets[:-1]).any()
        or (values == "counts" and (numbers < 1).any())
    ):
        raise FormatError(
            f"{path}: no phrases: {len(numbers):,} {values}, {len(offsets):,} offsets and "
            f"{len(names):,} bytes do not fit each other; make the folder again"
        )
    _check_utf8(path, names, offsets)
    return names, offsets, numbers


def _check_utf8(path: Path, names: NDArray[np.uint8], offsets: NDArray[np.uint64]) -> None:
    try:
        str(names.data, "utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: byte {error.start:,} of the names is no UTF-8") from None
    inner = offsets[offsets < len(names)]
    split = np.flatnonzero((names[inner] & 0xC0) == 0x80)
    if len(split):
        raise FormatError(f"{path}: the name at position {split[0]:,} starts inside a character")

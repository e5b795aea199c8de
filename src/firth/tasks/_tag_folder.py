"""A tagger as a folder.

::

    config.json                labels, characters, parameters, how it was trained
    network.safetensors        what was learned
    learned_words.safetensors  the words whose vectors were learned, if there are any
    vocab.safetensors          those whose vectors were given, if there are any
    vectors.safetensors        their vectors
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from firth.errors import FormatError
from firth.storage import open_tensors, read_config, save_tensors, write_config, write_folder
from firth.tasks._tag_schemes import SCHEMES, is_tag
from firth.vocab import VOCAB_FILE, Vocab

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from firth.tasks._tag_words import TaggerVocab

_KIND = "tagger"
_NETWORK, _VECTORS, _LEARNED_WORDS = (
    "network.safetensors", "vectors.safetensors", "learned_words.safetensors",
)  # fmt: skip
_FIXED = "vectors.fixed.weight"
LEARNED = "vectors.learned.weight"


class KeptTagger(NamedTuple):
    """What a folder of a tagger holds.

    Attributes
    ----------
    config : dict
        Labels, scheme, characters, parameters; the first three are checked.
    learned, fixed : Vocab or None
        Words.
    vectors : numpy.ndarray or None
        Those of the fixed words.
    network : dict of str to numpy.ndarray
        What was learned.
    """

    config: dict[str, Any]
    learned: Vocab | None
    fixed: Vocab | None
    vectors: NDArray[Any] | None
    network: dict[str, NDArray[Any]]


def write_tagger(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    vocab: TaggerVocab,
    network: Mapping[str, NDArray[Any]],
) -> None:
    """Write a tagger; the folder appears whole."""
    learned = {name: array for name, array in network.items() if name != _FIXED}
    with write_folder(folder) as path:
        write_config(path, _KIND, **config)
        save_tensors(path / _NETWORK, learned)
        if vocab.learned is not None:
            vocab.learned.to_file(path / _LEARNED_WORDS)
        if vocab.fixed is not None:
            vocab.fixed.to_file(path / VOCAB_FILE)
            save_tensors(path / _VECTORS, {"vectors": network[_FIXED]})


def read_tagger(folder: str | os.PathLike[str]) -> KeptTagger:
    """Open what `write_tagger` wrote, and check that its parts fit each other.

    Raises
    ------
    SourceError
        If there is no such folder.
    FormatError
        If it is not that of a tagger, comes from a later version, or is damaged.
    """
    path = Path(folder)
    config = read_config(path, _KIND)
    _check_config(path, config)
    network = open_tensors(path / _NETWORK)
    learned = _vocab(path / _LEARNED_WORDS)
    fixed = _vocab(path / VOCAB_FILE)
    vectors = None
    if fixed is not None:
        vectors = open_tensors(path / _VECTORS).get("vectors")
        if vectors is None or vectors.ndim != 2 or len(vectors) != len(fixed):
            what = "no" if vectors is None else f"an array of shape {vectors.shape} as"
            raise FormatError(
                f"{path / _VECTORS}: has {what} vectors for the {len(fixed):,} words of "
                f"{VOCAB_FILE}; copy or make the folder again"
            )
    rows = network.get(LEARNED)
    n_rows = 2 + (0 if learned is None else len(learned))
    if rows is None or rows.ndim != 2 or rows.dtype != np.float32 or len(rows) != n_rows:
        raise FormatError(
            f"{path / _NETWORK}: {LEARNED!r} must be float32 of {n_rows:,} rows, one for each word "
            f"that was learned, for padding and for unknown ones"
        )
    if vectors is not None and vectors.shape[1] != rows.shape[1]:
        raise FormatError(
            f"{path}: vectors of {vectors.shape[1]} and of {rows.shape[1]} dimensions do not go "
            f"together; copy or make the folder again"
        )
    return KeptTagger(config, learned, fixed, vectors, network)


def check_state(
    folder: str | os.PathLike[str],
    wanted: Mapping[str, tuple[int, ...]],
    kept: Mapping[str, NDArray[Any]],
) -> None:
    """Check that a file has the arrays of a network, by names and shapes.

    Raises
    ------
    FormatError
        If one is missing, too many, or of another shape or type.
    """
    path = Path(folder) / _NETWORK
    shapes = {name: shape for name, shape in wanted.items() if name != _FIXED}
    for name in sorted(shapes.keys() ^ kept.keys()):
        what = "is missing" if name in shapes else "belongs to nothing"
        raise FormatError(f"{path}: {name!r} {what}; config.json tells of another network")
    for name, shape in shapes.items():
        if kept[name].shape != shape or kept[name].dtype != np.float32:
            raise FormatError(
                f"{path}: {name!r} is {kept[name].dtype} of shape {kept[name].shape}; config.json "
                f"tells of float32 of shape {shape}"
            )


def _vocab(path: Path) -> Vocab | None:
    return Vocab.from_file(path) if path.exists() else None


def _check_config(path: Path, config: Mapping[str, Any]) -> None:
    place = path / "config.json"
    labels, characters = config.get("labels"), config.get("characters")
    if not (
        isinstance(labels, list)
        and labels
        and len(set(map(str, labels))) == len(labels)
        and all(isinstance(label, str) and is_tag(f"B-{label}") for label in labels)
    ):
        raise FormatError(f'{place}: "labels" must be a list of names, each once: {labels!r:.60}')
    if config.get("scheme") not in SCHEMES:
        raise FormatError(
            f'{place}: "scheme" is {config.get("scheme")!r:.60}, which is none of '
            f"{', '.join(SCHEMES)}"
        )
    if not (characters is None or isinstance(characters, str)):
        raise FormatError(f'{place}: "characters" must be a string or null')
    if not isinstance(config.get("parameters"), dict):
        raise FormatError(f'{place}: "parameters" must be an object')


def wrong_parameters(folder: str | os.PathLike[str], error: Exception) -> FormatError:
    """Make the error for parameters that a file has and no tagger can."""
    return FormatError(f'{Path(folder) / "config.json"}: "parameters": {error}')

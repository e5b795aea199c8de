"""Vectors for PyTorch and Keras: weights, and the words of their rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import ParameterError
from firth.storage import check_target, save_tensors, write_config, write_folder

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from numpy.typing import NDArray

    from firth.vectors import KeyedVectors

_WORDS = "words.json"
_ROWS_A_BLOCK = 65_536

_TORCH_PAGE = """\
# Word vectors for PyTorch

{n_ids:,} rows, {vector_size} dimensions, written by firth. `words.json` has the word of each row.

```python
import json
import torch
from safetensors.torch import load_file

with open("words.json", encoding="utf-8") as file:
    words = json.load(file)
ids = {{word: i for i, word in enumerate(words)}}
weight = load_file("model.safetensors")["weight"]
embedding = torch.nn.Embedding.from_pretrained(weight{padding})  # freeze=False to train it
```
"""
_KERAS_PAGE = """\
# Word vectors for Keras

{n_ids:,} rows, {vector_size} dimensions, written by firth. `words.json` has the word of each row.

```python
import json
import keras

with open("words.json", encoding="utf-8") as file:
    words = json.load(file)
ids = {{word: i for i, word in enumerate(words)}}
embedding = keras.models.load_model("embedding.keras").get_layer("embedding")
embedding.trainable = False  # True to train it
```
"""


def export_torch(
    wv: KeyedVectors, target: str | os.PathLike[str], special: list[str], has_padding: bool
) -> None:
    """Write the state of a `torch.nn.Embedding` as safetensors; PyTorch is not needed for it."""
    check_target(target)
    matrix = _matrix(wv, special)
    page = _TORCH_PAGE.format(
        n_ids=len(matrix),
        vector_size=wv.vector_size,
        padding=", padding_idx=0" if has_padding else "",
    )
    with write_folder(target) as folder:
        save_tensors(folder / "model.safetensors", {"weight": matrix})
        _write_rest(folder, wv, special, "torch_embedding", page)


def export_keras(
    wv: KeyedVectors,
    target: str | os.PathLike[str],
    special: list[str],
    has_padding: bool,  # noqa: ARG001 (Keras's layer has no row that does not move)
) -> None:
    """Write a model of one plain layer, which opens without firth."""
    from firth.layers import keras as layers  # tells what is missing

    keras = layers.keras  # type: ignore[attr-defined]
    check_target(target)
    matrix = _matrix(wv, special)
    layer = keras.layers.Embedding(*matrix.shape, weights=matrix, trainable=False, name="embedding")
    model = keras.Sequential([keras.Input((None,), dtype="int32"), layer], name="word_vectors")
    page = _KERAS_PAGE.format(n_ids=len(matrix), vector_size=wv.vector_size)
    with write_folder(target) as folder:
        model.save(folder / "embedding.keras")
        _write_rest(folder, wv, special, "keras_embedding", page)


def _matrix(wv: KeyedVectors, special: list[str]) -> NDArray[np.float32]:
    """Put rows of zeros before the vectors."""
    for token in special:
        if wv.has_index_for(token):
            raise ParameterError(
                f"{token!r} is a word already, with row {wv.get_index(token):,}; choose another "
                f"name for padding or unknown words, or leave it out"
            )
    if len(set(special)) < len(special):
        raise ParameterError(f"padding and unknown are both {special[0]!r}; give them two names")
    vectors = wv.vectors
    if not special and vectors.dtype == np.float32:
        return vectors
    matrix = np.zeros((len(special) + len(vectors), vectors.shape[1]), np.float32)
    matrix[len(special) :] = vectors
    return matrix


def _write_rest(folder: Path, wv: KeyedVectors, special: list[str], kind: str, page: str) -> None:
    with (folder / _WORDS).open("x", encoding="utf-8") as file:
        file.write("[")
        _write_words(file, special, first=True)
        for begin in range(0, len(wv), _ROWS_A_BLOCK):
            words = list(wv.vocab.words[begin : begin + _ROWS_A_BLOCK])
            _write_words(file, words, first=begin == 0 and not special)
        file.write("]\n")
    (folder / "README.md").write_text(page, encoding="utf-8")
    write_config(
        folder,
        kind,
        n_ids=len(special) + len(wv),
        vector_size=wv.vector_size,
        special_tokens=special,
        made_from=wv.config,
    )


def _write_words(file: Any, words: list[str], *, first: bool) -> None:
    if words:
        file.write(("" if first else ", ") + json.dumps(words, ensure_ascii=False)[1:-1])

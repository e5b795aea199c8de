"""One door to all programs that vectors are handed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firth.errors import ParameterError
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    import os

TARGETS: Final = ("sentence-transformers", "model2vec", "spacy", "torch", "keras")
"""What `export` can write for."""

_STATIC = ("sentence-transformers", "model2vec")


def export(
    wv: KeyedVectors,
    target: str | os.PathLike[str],
    to: str,
    *,
    padding: str | None = None,
    unknown: str | None = None,
    language: str | None = None,
) -> None:
    """Write vectors as a folder that another program opens without firth.

    Parameters
    ----------
    wv : KeyedVectors
        The words and their vectors.
    target : str or Path
        The folder, which appears whole. One that firth wrote is replaced.
    to : "sentence-transformers", "model2vec", "spacy", "torch" or "keras"
        Who is to open it:

        - ``SentenceTransformer(folder)`` or ``StaticModel.from_pretrained(folder)``; one folder
          does for both.
        - ``spacy.load(folder)``: an empty pipeline with vectors. Needs spaCy.
        - PyTorch: ``model.safetensors`` with the tensor ``weight`` of a `torch.nn.Embedding`, and
          ``words.json``, the word of each row.
        - Keras: ``embedding.keras``, a model of one `keras.layers.Embedding` that is not trainable,
          and ``words.json``. Needs Keras.
    padding, unknown : str, optional
        For PyTorch and Keras: words with rows of zeros that are put first, in this order. Padding
        has the id 0 then.
    language : str, optional
        For spaCy: the code of the language, whose tokeniser the pipeline gets; "xx", of none in
        particular, if not given.

    Raises
    ------
    ParameterError
        If `to` is none of these, or an option does not go with it.
    MissingExtraError
        If a package is needed that is not installed.
    OutputError
        If the target is something else, or the disk is full.

    Examples
    --------
    >>> import numpy as np
    >>> from firth import KeyedVectors, Vocab, export
    >>> matrix = np.array([[1, 2], [3, 4]], np.float32)
    >>> wv = KeyedVectors(Vocab.from_words(["hello", "world"]), matrix)
    >>> export(wv, "for-torch", to="torch", padding="<pad>")
    >>> from firth.storage import open_tensors
    >>> open_tensors("for-torch/model.safetensors")["weight"].tolist()
    [[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]
    """
    if not isinstance(wv, KeyedVectors):
        raise ParameterError(f"wv is {type(wv).__name__}; give KeyedVectors, such as model.wv")
    if to not in TARGETS:
        raise ParameterError(f"to is {to!r}, which is none of {', '.join(TARGETS)}")
    if language is not None and to != "spacy":
        raise ParameterError(f"language is for spaCy; leave it out for {to}")
    special = [token for token in (padding, unknown) if token is not None]
    if special and to not in {"torch", "keras"}:
        raise ParameterError(
            f"padding and unknown are for torch and keras; leave them out for {to}"
        )
    if to in _STATIC:
        wv.save(target, format="static-embedding")
    elif to == "spacy":
        from firth.exports._spacy import export_spacy

        export_spacy(wv, target, "xx" if language is None else language)
    else:
        from firth.exports._networks import export_keras, export_torch

        (export_torch if to == "torch" else export_keras)(wv, target, special, padding is not None)

"""Models of the fastText program, to be trained on, and models for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from firth.errors import FormatError, ParameterError
from firth.formats import (
    FastTextArgs,
    FastTextModelData,
    VectorTable,
    read_fasttext_model,
    write_fasttext_model,
)
from firth.models._checks import at_least_1
from firth.models._fasttext import FastText
from firth.vectors import KeyedVectors

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

logger = logging.getLogger("firth")

_UTF8 = {"utf8", "utf-8", "utf_8"}


def load_facebook_model(
    path: str | os.PathLike[str] | BinaryIO, encoding: str = "utf-8", **parameters: Any
) -> FastText:
    """Open a ``.bin`` model of fastText, to ask it and to train on.

    Parameters
    ----------
    path : str, path or binary file
        The model; compressed or in an archive, too.
    encoding : str
        Must be UTF-8, which fastText writes.
    **parameters
        Of `FastText`, for what the file does not hold (`workers`, `seed`, `tokenizer`, ...) or
        instead of what it does. What matrices depend on cannot be changed.

    Returns
    -------
    FastText
        Its vectors are those of fastText to the bit. It goes on with the file's parameters, but
        with learning rates of its own: the file has none.

    Raises
    ------
    SourceError
        There is no such file.
    FormatError
        It is no model of fastText, or damaged, or one that cannot be trained on: a classifier, a
        quantised model, or one of the losses "softmax" and "one-vs-all". `load_facebook_vectors`
        reads those.

    Examples
    --------
    ``model = load_facebook_model("cc.de.300.bin")``, then ``model.build_vocab(texts, update=True)``
    and ``model.train(texts, epochs=5)``.
    """
    _check_encoding(encoding)
    data = read_fasttext_model(path)
    args = data.args
    _check_trainable(data, path)
    fixed = {
        "vector_size": args.dim,
        "min_n": args.min_n if args.has_ngrams else 0,
        "max_n": args.max_n if args.has_ngrams else 0,
        "bucket": args.bucket,
        "hs": int(args.loss == "hs"),
    }
    for name in fixed.keys() & parameters.keys():
        if parameters[name] != fixed[name]:
            raise ParameterError(
                f"{name}={parameters[name]!r:.60} does not go with a model that was trained with "
                f"{name}={fixed[name]}; leave it out"
            )
    known = {
        "sg": int(args.model == "sg"),
        "negative": args.neg if args.loss == "ns" else 0,
        "window": args.ws,
        "epochs": args.epoch,
        "min_count": max(args.min_count, 1),
        "sample": args.t,
    }
    model = FastText(**known | parameters | fixed)
    output = data.output
    if output is None:
        raise FormatError(f"{path}: has no output matrix, which training needs")
    rows = [data.word_rows] if not model.has_ngrams else [data.bucket_rows, data.word_rows]
    weights = {"input": np.concatenate(rows, dtype=np.float32)}
    if model.hs:
        weights["nodes"] = _nodes_of(output)
    if model.negative:
        weights["targets"] = output
    model.take(data.vocab, weights, n_tokens=data.n_tokens)
    return model


def load_facebook_vectors(
    path: str | os.PathLike[str] | BinaryIO, encoding: str = "utf-8"
) -> KeyedVectors:
    """Open the vectors of a model of fastText, of any kind, with its n-grams.

    Parameters
    ----------
    path : str, path or binary file
        A ``.bin`` or ``.ftz`` file; compressed or in an archive, too.
    encoding : str
        Must be UTF-8.

    Returns
    -------
    KeyedVectors
        With vectors of unseen words.

    Raises
    ------
    SourceError
        There is no such file.
    FormatError
        It is no model of fastText, or damaged.
    """
    _check_encoding(encoding)
    data = read_fasttext_model(path, output=False)
    table = VectorTable(data.vocab, data.vectors(), subwords=data.subwords())
    return KeyedVectors._of(table)  # noqa: SLF001


def save_facebook_model(
    model: FastText,
    path: str | os.PathLike[str] | BinaryIO,
    encoding: str = "utf-8",
    lr_update_rate: int = 100,
    word_ngrams: int = 1,
) -> None:
    """Write a model as fastText does, so that its program and its package open it.

    Parameters
    ----------
    model : FastText
        The model.
    path : str, path or binary file
        Where to; compressed if the name ends so.
    encoding : str
        Must be UTF-8.
    lr_update_rate, word_ngrams : int
        Noted in the file; fastText's defaults.

    Raises
    ------
    ParameterError
        This is no `FastText`, or has no words yet.
    OutputError
        The file cannot be written.
    """
    _check_encoding(encoding)
    if not isinstance(model, FastText):
        raise ParameterError(f"model must be a FastText, not {model!r:.60}")
    write_fasttext_model(
        _data_of(
            model,
            lr_update_rate=at_least_1("lr_update_rate", lr_update_rate),
            word_ngrams=at_least_1("word_ngrams", word_ngrams),
        ),
        path,
    )


def _data_of(model: FastText, **noted: int) -> FastTextModelData:
    """Give a model the form of fastText's files, which have one loss."""
    if model.hs and model.negative:
        logger.warning(
            "files of fastText have either negative sampling or hierarchical softmax: the inner "
            "nodes of this model are left out"
        )
    wv = model.wv
    args = FastTextArgs(
        dim=model.vector_size,
        ws=model.window,
        epoch=model.epochs,
        min_count=model.min_count,
        neg=model.negative or FastTextArgs.neg,
        loss="ns" if model.negative else "hs",
        model="sg" if model.sg else "cbow",
        bucket=model.bucket if model.has_ngrams else 0,
        min_n=model.min_n if model.has_ngrams else 0,
        max_n=model.max_n,
        t=model.sample,
        **noted,
    )
    if model.has_ngrams:
        word_rows, bucket_rows = wv.vectors_vocab, wv.vectors_ngrams
    else:
        word_rows, bucket_rows = wv.vectors, np.zeros((0, model.vector_size), np.float32)
    output = model.syn1neg if model.negative else _output_of(model.syn1)
    n_tokens = max(model.corpus_total_words, int(wv.vocab.total_count))
    return FastTextModelData(args, wv.vocab, word_rows, bucket_rows, output, n_tokens)


# fastText numbers the nodes of the same tree from the smallest sum to the root, and its label for
# the side with a 0 in the code is the other one: the vectors of its nodes are ours turned round.


def _nodes_of(output: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(-output[-2::-1])


def _output_of(nodes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([-nodes[::-1], np.zeros((1, nodes.shape[1]), np.float32)])


def _check_encoding(encoding: str) -> None:
    if encoding.lower() not in _UTF8:
        raise ParameterError(f"encoding is {encoding!r:.60}; files of fastText are UTF-8")


def _check_trainable(data: FastTextModelData, path: object) -> None:
    reasons = {
        "it is a classifier": data.args.model == "sup",
        "it is quantised": data.quantised or data.kept is not None,
        "its loss is " + data.args.loss: data.args.loss not in {"ns", "hs"},
        "its words are hashed as before May 2017": data.version == 0 and "</s>" in data.vocab,
    }
    for reason, holds in reasons.items():
        if holds:
            raise FormatError(
                f"{path}: cannot be trained on, as {reason}; load_facebook_vectors reads its "
                f"vectors"
            )

"""What a classifier is given, checked: texts, labels, vectors."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import InputError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from firth.sequences import Text
    from firth.tasks._settings import Settings
    from firth.vectors import KeyedVectors

logger = logging.getLogger("firth")


def vectors_of(vectors: Any, settings: Settings) -> KeyedVectors | None:
    """Open the vectors where the model begins with some; those of "scratch" give it their size."""
    from firth.vectors import KeyedVectors

    if vectors is None:
        if settings.needs_vectors:
            what = (
                f"embedding={settings.embedding!r}"
                if settings.is_network
                else f"model={settings.model!r}"
            )
            raise ParameterError(
                f"{what} needs vectors of words: vectors=firth.load(...), or the path of some; "
                f"embedding='scratch', model='counts' and model='tfidf' do without"
            )
        return None
    if isinstance(vectors, str | os.PathLike):
        from firth.hub import load

        return load(vectors)
    if not isinstance(vectors, KeyedVectors):
        raise ParameterError(
            f"vectors is {type(vectors).__name__}; give KeyedVectors, or a path or name that "
            f"firth.load takes"
        )
    return vectors


def texts_of(texts: Any) -> list[Text]:
    """Give a column of texts as a list; pandas', say, or NumPy's of shape (n, 1).

    Raises
    ------
    ParameterError
        If it is no column of texts.
    """
    if isinstance(texts, str | bytes | Mapping) or not hasattr(texts, "__iter__"):
        raise ParameterError(
            f"X is {type(texts).__name__} {texts!r:.60}; give a list of texts: [...]"
        )
    if getattr(texts, "ndim", 1) == 2 and texts.shape[1] == 1:
        texts = np.asarray(texts)[:, 0]
    if getattr(texts, "ndim", 1) != 1:
        raise ParameterError(
            f"X has the shape {texts.shape}; give one column of texts, shape (n_texts,)"
        )
    return texts.tolist() if hasattr(texts, "tolist") else list(texts)


def labels_of(texts: Sequence[Text], y: Any) -> NDArray[Any]:
    """Give the labels of texts as an array."""
    if y is None or isinstance(y, str) or not hasattr(y, "__iter__"):
        raise ParameterError(f"y is {y!r:.60}; give a list with the label of each text")
    labels = np.asarray(y if hasattr(y, "__len__") else list(y))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ParameterError(f"y has the shape {labels.shape}; give one label for each text")
    if len(labels) != len(texts):
        raise InputError(
            f"there are {len(texts):,} texts and {len(labels):,} labels; each text needs one"
        )
    if labels.dtype.kind in "fc" and not (np.isfinite(labels) & (labels == labels.round())).all():
        raise InputError("y has numbers that are not whole: labels are strings or whole numbers")
    if labels.dtype.kind == "O" and len({type(label) for label in labels.tolist()}) > 1:
        kinds = sorted({type(label).__name__ for label in labels.tolist()})
        raise InputError(f"y has labels of several types ({', '.join(kinds)}); give all as strings")
    return labels


def classes_of(texts: Sequence[Text], y: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Give the classes of texts to learn from, and the number of each text's."""
    labels = labels_of(texts, y)
    if not len(labels):
        raise InputError("there are no texts to learn from")
    classes, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise InputError(
            f"all {len(labels):,} texts have the label {classes[0]!r}: a classifier needs two "
            f"classes or more"
        )
    if len(alone := classes[counts == 1]):
        shown = ", ".join(repr(label) for label in alone[:5].tolist())
        more = f" and {len(alone) - 5:,} more" if len(alone) > 5 else ""
        logger.warning("one text only has the label %s%s: too few to learn from", shown, more)
    return classes, numbers.astype(np.int64)

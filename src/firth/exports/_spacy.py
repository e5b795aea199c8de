"""Vectors for spaCy: an empty pipeline that has them, as ``spacy init vectors`` makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from firth.errors import MissingExtraError, ParameterError
from firth.storage import check_target, write_config, write_folder

if TYPE_CHECKING:
    import os

    from firth.vectors import KeyedVectors


def export_spacy(wv: KeyedVectors, target: str | os.PathLike[str], language: str) -> None:
    """Write a folder for `spacy.load`."""
    try:
        import spacy
        from spacy.vectors import Vectors
    except ImportError as error:
        raise MissingExtraError("spacy", "spacy", "writing a pipeline for spaCy") from error
    check_target(target)
    try:
        nlp = spacy.blank(language)
    except ImportError as error:
        raise ParameterError(
            f"language is {language!r}, which spaCy does not know, or not without a package of its "
            f"own: {error}"
        ) from error
    words = list(wv.vocab.words)
    for word in words:
        nlp.vocab.strings.add(word)
    data = np.ascontiguousarray(wv.vectors, np.float32)
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings, data=data, keys=words, name=f"{language}_firth.vectors"
    )
    nlp.meta["name"] = "firth_vectors"
    with write_folder(target) as folder:
        nlp.to_disk(folder)
        write_config(folder, "spacy_pipeline", n_words=len(words), made_from=wv.config)

"""Where the models that learn from co-occurrences get them: counted from text, or given."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firth.cooccurrence import Cooccurrences, count_cooccurrences
from firth.errors import ParameterError
from firth.models._checks import at_least_1
from firth.models._identity import identity_of
from firth.models._texts import source_of
from firth.phrases import encode_phrases
from firth.storage import check_target

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from firth.models._texts import TextOptions, type_of_source

_SOURCES = "sentences=, corpus_file= or cooccurrences="


@dataclass(frozen=True)
class TextSettings:
    """How text is read and counted; `default` is what holds where nothing is said."""

    window: int
    symmetric: bool = True
    distance_weighting: bool = True
    min_count: int = 5
    max_final_vocab: int | None = None
    memory_limit: float = 2.0
    keep_cooccurrences: str | os.PathLike[str] | None = None
    tokenizer: Any = None
    lowercase: bool = False
    field: str | None = None
    errors: str = "strict"
    phrases: Any = None

    def check(self) -> None:
        """Refuse numbers that are out of their range."""
        for name in ("window", "min_count"):
            at_least_1(name, getattr(self, name))
        if self.max_final_vocab is not None:
            at_least_1("max_final_vocab", self.max_final_vocab)


class Counted:
    """What the models that learn from co-occurrences share.

    Attributes
    ----------
    settings : TextSettings
        How text is to be read and counted.
    """

    settings: TextSettings

    @property
    def is_trained(self) -> bool:
        """Whether there are vectors; not, where the model was made without a text."""
        return "wv" in vars(self)

    def __getattr__(self, name: str) -> Any:
        if name == "wv":
            raise AttributeError(
                f"this {type(self).__name__} has no vectors: it was made without a text. Give one "
                f"of {_SOURCES}, or train it by firth.cluster.train"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


@contextmanager
def counted(
    given: Cooccurrences | None,
    sentences: Iterable[Any] | None,
    corpus_file: type_of_source | None,
    settings: TextSettings,
    default: TextSettings,
    *,
    workers: int,
    progress: bool | None,
) -> Iterator[tuple[Cooccurrences, float]]:
    """Give co-occurrences, and the seconds that counting took, for as long as the block runs.

    Those that were counted here and are not kept are gone afterwards.

    Raises
    ------
    ParameterError
        Not exactly one source is given, or settings of text go with co-occurrences that say
        otherwise.
    """
    if given is not None:
        _check_given(given, sentences, corpus_file, settings, default)
        yield given, 0.0
        return
    if settings.keep_cooccurrences is not None:
        check_target(settings.keep_cooccurrences)
    min_count = at_least_1("min_count", settings.min_count)
    most = settings.max_final_vocab
    vocab, corpus = encode_phrases(
        **source_of(sentences, corpus_file, settings.tokenizer),
        phrases=settings.phrases,
        lowercase=settings.lowercase,
        field=settings.field,
        errors=settings.errors,
        min_count=min_count,
        max_size=None if most is None else at_least_1("max_final_vocab", most),
        workers=workers,
        progress=progress,
    )
    started = time.perf_counter()
    with corpus:
        counts = count_cooccurrences(
            vocab,
            corpus,
            window=settings.window,
            symmetric=settings.symmetric,
            distance_weighting=settings.distance_weighting,
            memory_limit=settings.memory_limit,
            workers=workers,
            folder=settings.keep_cooccurrences,
            progress=progress,
        )
    with counts:
        yield counts, time.perf_counter() - started


def identity_of_source(
    given: Cooccurrences | None,
    sentences: Iterable[Any] | None,
    corpus_file: type_of_source | None,
    text: TextOptions,
) -> dict[str, Any]:
    """Describe what is counted, or the counts that are given, so that others are told apart."""
    if given is None:
        return identity_of(sentences, corpus_file, text)
    return {
        "cooccurrences": given.vocab.fingerprint(),
        "words": given.n_tokens,
        "pairs": given.n_nonzero,
    }


def _check_given(
    given: Cooccurrences,
    sentences: Iterable[Any] | None,
    corpus_file: type_of_source | None,
    settings: TextSettings,
    default: TextSettings,
) -> None:
    if not isinstance(given, Cooccurrences):
        raise ParameterError(
            f"cooccurrences is {given!r:.60}: give what firth.count_cooccurrences returns, or "
            f"firth.Cooccurrences of its folder"
        )
    if sentences is not None or corpus_file is not None:
        raise ParameterError(f"give one of {_SOURCES}; several are there")
    for name, value in vars(settings).items():
        if value not in (getattr(default, name), getattr(given, name, None)):
            known = f", with {name}={getattr(given, name)}" if hasattr(given, name) else ""
            raise ParameterError(
                f"{name}={value!r:.60} goes with text, and these co-occurrences are counted "
                f"already{known}; leave it out, or count again"
            )

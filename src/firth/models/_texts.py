"""What models take for a text, and how it becomes ids."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np

from firth import _core
from firth.corpus import Corpus, NoKnownWordError, encode_corpus, rewrite_corpus
from firth.errors import InputError, ParameterError, TextError
from firth.phrases import FrozenPhrases, Phrases, encode_phrases
from firth.vocab import Vocab

if TYPE_CHECKING:
    from numpy.typing import NDArray

type_of_source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | BinaryIO


@dataclass(frozen=True)
class TextOptions:
    """How text is split into words; the parameters of `Word2Vec` of these names.

    `phrases` are models, one after the other: they learn from the first text, and join all others
    in the same way.
    """

    tokenizer: Any = None
    lowercase: bool = False
    field: str | None = None
    errors: str = "strict"
    phrases: tuple[Phrases | FrozenPhrases, ...] = ()

    @classmethod
    def of(
        cls, tokenizer: Any, lowercase: bool, field: str | None, errors: str, phrases: Any
    ) -> Self:
        """Take what a caller gave."""
        return cls(tokenizer, lowercase, field, errors, models_of_phrases(phrases))

    def told(self) -> dict[str, Any]:
        """Tell them as JSON can hold them: a tokeniser that is no name cannot be kept."""
        name = self.tokenizer if isinstance(self.tokenizer, str) else None
        return {
            "tokenizer": name,
            "lowercase": self.lowercase,
            "field": self.field,
            "errors": self.errors,
        }


def models_of_phrases(phrases: Any) -> tuple[Phrases | FrozenPhrases, ...]:
    """Check what a caller gave for phrases: how many times to join, or what by; None for none."""
    if phrases is None:
        return ()
    if isinstance(phrases, int) and not isinstance(phrases, bool) and phrases >= 1:
        return tuple(Phrases() for _ in range(phrases))
    if isinstance(phrases, Phrases | FrozenPhrases):
        return (phrases,)
    models = tuple(phrases) if isinstance(phrases, Sequence) else ()
    if not models or not all(isinstance(m, Phrases | FrozenPhrases) for m in models):
        raise ParameterError(
            f"phrases is {phrases!r:.60}: give how many times to join phrases (1 or more), or the "
            f"Phrases or FrozenPhrases to join them by"
        )
    return models


def encode(
    sentences: Iterable[Any] | None,
    corpus_file: type_of_source | None,
    options: TextOptions,
    *,
    vocab: Vocab | None = None,
    choose: Callable[[Vocab], Vocab] | None = None,
    min_count: int = 1,
    max_size: int | None = None,
    workers: int,
    progress: bool | None,
    names: tuple[str, str] = ("sentences", "corpus_file"),
) -> tuple[Vocab, Corpus]:
    """Turn what a caller gave into a vocabulary and ids on disk.

    Parameters
    ----------
    sentences, corpus_file
        As for `Word2Vec`; or the first is what `firth.encode_corpus` returned.
    options : TextOptions
        How text is split.
    vocab : Vocab, optional
        The words to keep.
    choose : callable, optional
        Chooses them instead: takes the vocabulary of all words that were read, and returns the one
        to keep.
    min_count, max_size
        Choose them otherwise, as for `firth.encode_corpus`.
    workers, progress
        As for `firth.encode_corpus`.
    names : tuple of str
        What the caller calls the first two, for messages.

    Returns
    -------
    vocab : Vocab
        The words that are kept.
    corpus : Corpus
        To be closed by who asked, unless it is the caller's own.

    Errors are those of `firth.encode_corpus`.
    """
    encoded = encoded_pair(sentences)
    if encoded:
        if corpus_file is not None:
            raise ParameterError(f"give either {names[0]}= or {names[1]}=; both are there")
        if options.phrases:
            raise ParameterError("the text is encoded already, so that no phrases can be joined")
        result = encoded
        if choose is not None or (vocab is not None and vocab != encoded[0]):
            wanted = choose(encoded[0]) if choose else vocab
            result = _in_words_of(wanted or encoded[0], encoded, workers, progress)
    else:
        result = _encode_text(
            source_of(sentences, corpus_file, options.tokenizer, names),
            options,
            vocab,
            choose,
            {"min_count": min_count, "max_size": max_size},
            {"workers": workers, "progress": progress},
        )
    return result


def check_contexts(corpus: Corpus) -> None:
    """Refuse a text in which no word has another one beside it.

    Raises
    ------
    InputError
        Every sentence has one word.
    """
    if len(corpus.sentence_ends) == len(corpus):
        raise InputError(
            f"nothing to learn from: each of the {len(corpus):,} sentences has one word of the "
            f"vocabulary, so that no word has a context; give whole sentences (a list of token "
            f"lists, not one list of tokens)"
        )


def _encode_text(
    source: dict[str, Any],
    options: TextOptions,
    vocab: Vocab | None,
    choose: Callable[[Vocab], Vocab] | None,
    limits: dict[str, Any],
    run: dict[str, Any],
) -> tuple[Vocab, Corpus]:
    text: dict[str, Any] = (
        source | run | {name: getattr(options, name) for name in ("lowercase", "field", "errors")}
    )
    if vocab is not None and not options.phrases:
        return encode_corpus(vocab=vocab, **text)
    if vocab is not None or choose is not None:
        limits = {"min_count": 1}  # who is to leave is told afterwards
    if options.phrases:
        result = encode_phrases(phrases=options.phrases, **limits, **text)
    else:
        result = encode_corpus(**limits, **text)
    if vocab is None and choose is None:
        return result
    with result[1]:
        return _in_words_of(choose(result[0]) if choose else vocab or result[0], result, **run)


def _in_words_of(
    wanted: Vocab, encoded: tuple[Vocab, Corpus], workers: int, progress: bool | None
) -> tuple[Vocab, Corpus]:
    """Give a corpus the ids of other words, and leave out those that are not among them."""
    vocab, corpus = encoded
    rows = wanted.ids(vocab.words)
    id_map = np.where(rows < 0, _core.DROPPED, rows).astype(np.uint32)
    n_kept = int(vocab.counts[rows >= 0].sum())
    if n_kept == 0 and not (rows >= 0).any():
        raise NoKnownWordError(
            f"none of the {corpus.n_tokens_read:,} tokens of the text is among the "
            f"{len(wanted):,} words of the model",
            corpus.n_tokens_read,
        )

    def with_ends(
        ids: NDArray[np.uint32], sentence_ends: NDArray[np.int64], first_position: int
    ) -> NDArray[np.uint32]:
        return np.insert(ids, sentence_ends - first_position, np.uint32(_core.SENTENCE_END))

    return rewrite_corpus(
        corpus, with_ends, len(vocab), lambda _: (wanted, id_map), workers=workers,
        progress=progress, title="choosing words",
    )  # fmt: skip


def encoded_pair(sentences: object) -> tuple[Vocab, Corpus] | None:
    """Give the vocabulary and the corpus where a text was encoded before, to be left open."""
    if isinstance(sentences, Corpus):
        raise ParameterError(
            "a corpus goes with its vocabulary: give the pair that encode_corpus returned"
        )
    if (
        isinstance(sentences, tuple)
        and len(sentences) == 2
        and isinstance(sentences[0], Vocab)
        and isinstance(sentences[1], Corpus)
    ):
        return sentences[0], sentences[1]
    return None


def source_of(
    sentences: Iterable[Any] | None,
    corpus_file: type_of_source | None,
    tokenizer: Any,
    names: tuple[str, str] = ("sentences", "corpus_file"),
) -> dict[str, Any]:
    """Tell `encode_corpus` what to read: token lists, texts to split, or files."""
    if (sentences is None) == (corpus_file is None):
        which = "neither is" if sentences is None else "both are"
        raise ParameterError(f"give either {names[0]}= or {names[1]}=; {which} there")
    if sentences is not None:
        tokens = tokenizer is None or isinstance(sentences, str)
        source = _with_first_item(sentences, names[0])
        return {"source": source, "tokens": tokens, "tokenizer": None if tokens else tokenizer}
    if isinstance(corpus_file, list | tuple):
        for name in corpus_file:
            if not isinstance(name, str | os.PathLike):
                raise ParameterError(f"corpus_file lists {name!r:.60}, which is no path")
        if not corpus_file:
            raise ParameterError("corpus_file is an empty list: give at least one path")
        corpus_file = [Path(name) for name in corpus_file]
    elif not isinstance(corpus_file, str | os.PathLike) and not hasattr(corpus_file, "read"):
        raise ParameterError(
            f"corpus_file is {corpus_file!r:.60}: give a path, a list of paths or an open file; "
            f"texts go to {names[0]}=, with tokenizer="
        )
    return {"source": corpus_file, "tokenizer": tokenizer}


def _with_first_item(sentences: Iterable[Any], name: str) -> Iterable[Any]:
    """Say of an iterator that is at its end already what that means, before it seems empty."""
    if not isinstance(sentences, Iterator) or hasattr(sentences, "read"):
        return sentences
    for first in sentences:
        return chain([first], sentences)
    raise TextError(
        f"{name} is a {type(sentences).__name__} that has nothing left: build_vocab, or somebody "
        f"else, has read it to its end; give a list, a new one, or an object that starts anew "
        f"whenever it is gone through"
    )

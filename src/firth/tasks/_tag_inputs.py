"""What a tagger is given, checked, and the vectors that it begins with."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import ParameterError
from firth.tasks._tag_schemes import check_tags
from firth.tasks._tag_words import N_SPECIAL, TaggerVocab, words_of
from firth.vectors import KeyedVectors
from firth.vocab import Vocab

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sentences = list[list[str]]


def check_parameters(tagger: Any, *, with_vectors: bool = True) -> None:
    """Refuse parameters that are out of their range."""
    choices = {
        "embedding": (None, "frozen", "fine-tuned", "scratch"),
        "network": ("bilstm", "cnn"),
        "characters": (None, "cnn", "bilstm"),
    }
    for name, allowed in choices.items():
        value = getattr(tagger, name)
        if value not in allowed:
            raise ParameterError(f"{name} is {value!r}, which is none of {allowed}")
    for name in ("hidden_size", "vector_size", "batch_size", "epochs", "patience"):
        value = getattr(tagger, name)
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not (is_whole and value >= 1) and not (name == "patience" and value is None):
            raise ParameterError(f"{name} must be a whole number of 1 or more, not {value!r}")
    for name in ("dropout", "word_dropout", "validation_fraction"):
        value = getattr(tagger, name)
        if not (isinstance(value, int | float) and 0 <= value < 1):
            raise ParameterError(f"{name} must be a number from 0 to below 1, not {value!r}")
    if not (isinstance(tagger.learning_rate, int | float) and 0 < tagger.learning_rate < 10):
        raise ParameterError(
            f"learning_rate must be a number above 0, such as 0.003, not {tagger.learning_rate!r}"
        )
    if with_vectors and tagger.vectors is None and tagger.embedding in {"frozen", "fine-tuned"}:
        raise ParameterError(f"embedding={tagger.embedding!r} needs vectors: Tagger(vectors=wv)")


def checked(sentences: Any, tags: Any, name: str = "X") -> tuple[list[list[str]], list[list[str]]]:
    words = words_of(sentences, name)
    if isinstance(tags, str | bytes) or not hasattr(tags, "__iter__"):
        raise ParameterError(f"y is {type(tags).__name__} {tags!r:.60}; give a list of lists")
    lists = [list(each) for each in tags]
    if len(lists) != len(words):
        raise ParameterError(
            f"{name} has {len(words):,} sentences, and there are tags for {len(lists):,}"
        )
    for i, (its_words, its_tags) in enumerate(zip(words, lists, strict=True)):
        if len(its_words) != len(its_tags):
            raise ParameterError(
                f"{name}[{i}] has {len(its_words):,} words and {len(its_tags):,} tags; each word "
                f"needs one"
            )
        check_tags(its_tags, f"the tags of {name}[{i}]")
    kept = [i for i, its_words in enumerate(words) if its_words]
    if not kept:
        raise ParameterError(f"{name} has no sentences with words")
    return [words[i] for i in kept], [lists[i] for i in kept]


def split(
    sentences: list[list[str]], tags: list[list[str]], fraction: float, seed: int
) -> tuple[tuple[list[list[str]], list[list[str]]], tuple[list[list[str]], list[list[str]]] | None]:
    n_held = round(fraction * len(sentences))
    if n_held < 1 or n_held == len(sentences):
        return (sentences, tags), None
    order = np.random.default_rng(seed).permutation(len(sentences)).tolist()
    kept, held = sorted(order[n_held:]), sorted(order[:n_held])
    return (
        ([sentences[i] for i in kept], [tags[i] for i in kept]),
        ([sentences[i] for i in held], [tags[i] for i in held]),
    )


def vectors_from(vectors: Any) -> KeyedVectors | None:
    if vectors is None or isinstance(vectors, KeyedVectors):
        return vectors
    return KeyedVectors.load(vectors)


def vectors_of(
    words: list[str], wv: KeyedVectors | None, embedding: str | None, vector_size: int, seed: int
) -> tuple[TaggerVocab, NDArray[np.float32], NDArray[np.float32] | None, float | None]:
    """Give each word its row, the rows that are learned and that stay, and tell the coverage.

    Vectors that are there are frozen if nothing is said.

    Words that have no vector, such as marks of punctuation, are learned if they are seen twice;
    others are unknown ones. Those that have one are learned as well if they are to be fine-tuned,
    but only those of the text to learn from: no gradient comes to any other.
    """
    wv = None if embedding == "scratch" else wv
    vector_size = vector_size if wv is None else wv.vector_size
    written = [word if wv is not None and word in wv.vocab else word.lower() for word in words]
    counts = Counter(written)
    distinct = sorted(counts)
    ids = np.full(len(distinct), -1) if wv is None else wv.vocab.ids(distinct)
    has_vector = dict(zip(distinct, (ids >= 0).tolist(), strict=True))
    learned = [
        (word, row)
        for word, row in zip(distinct, ids.tolist(), strict=True)
        if (embedding == "fine-tuned" if row >= 0 else counts[word] > 1)
    ]
    bound = (3 / vector_size) ** 0.5
    shape = N_SPECIAL + len(learned), vector_size
    rows = np.random.default_rng(seed).uniform(-bound, bound, shape).astype(np.float32)
    rows[:N_SPECIAL] = 0
    for i, (_, row) in enumerate(learned, N_SPECIAL):
        if wv is not None and row >= 0:
            rows[i] = wv.vectors[row]
    learned_vocab = Vocab.from_words([word for word, _ in learned]) if learned else None
    if wv is None:
        return TaggerVocab(learned_vocab, None), rows, None, None
    coverage = sum(has_vector[word] for word in written) / len(written)
    return TaggerVocab(learned_vocab, wv.vocab), rows, wv.vectors, coverage

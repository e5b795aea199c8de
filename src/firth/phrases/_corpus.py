"""Text to ids with its phrases joined, on ids from beginning to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.corpus import Corpus, encode_corpus, rewrite_corpus
from firth.errors import ParameterError, VocabularyError
from firth.phrases._joining import FrozenPhrases
from firth.phrases._phrases import Phrases, check_workers, path_or_paths
from firth.vocab import Vocab

if TYPE_CHECKING:
    from numpy.typing import NDArray


Model = Phrases | FrozenPhrases


def encode_phrases(
    source: Any,
    *,
    phrases: int | Model | Sequence[Model] | None = 1,
    min_count: int = 5,
    max_size: int | None = None,
    workers: int | None = None,
    progress: bool | None = None,
    **text: Any,
) -> tuple[Vocab, Corpus]:
    """Read a text once, join its phrases, and turn it into a vocabulary and word ids on disk.

    Parameters
    ----------
    source : str, path, list, file or iterable
        As for `firth.encode_corpus`.
    phrases : int, Phrases, FrozenPhrases or list of these, default 1
        How many times to learn phrases, with the settings that `Phrases` has by default, and to
        join them: the first time pairs of words, the second time also pairs of these, and so on.
        Or the models to join by, one after the other; a `Phrases` that has counted nothing yet
        learns from this text before. None joins nothing.
    min_count, max_size
        Which words and phrases to keep after all are joined, as for `firth.encode_corpus`.
    workers, progress
        As for `firth.encode_corpus`.
    **text
        `tokenizer`, `lowercase`, `field`, `errors`, `tokens`, `cache`, as there.

    Returns
    -------
    vocab : Vocab
        Words and phrases by falling count, equal counts in the order of their code points.
    corpus : Corpus
        The text in the ids of `vocab`.

    Raises
    ------
    ParameterError
        `phrases` is none of these.
    TextError, SourceError, VocabularyError, OutputError
        As of `firth.encode_corpus`.

    Examples
    --------
    >>> from firth.phrases import FrozenPhrases, encode_phrases
    >>> known = FrozenPhrases.from_scores({"new_york": 1})
    >>> vocab, corpus = encode_phrases(
    ...     ["to new york and back to new york"], phrases=known, min_count=2
    ... )
    >>> with corpus:
    ...     list(vocab), corpus.ids.tolist()
    (['new_york', 'to'], [1, 0, 1, 0])
    """
    models = [] if phrases is None else _models(phrases)
    both: dict[str, Any] = {"workers": workers, "progress": progress}
    if not models:
        return encode_corpus(source, min_count=min_count, max_size=max_size, **both, **text)
    vocab, corpus = _joined_before(source, models, **both, **text)
    with corpus:
        return _join(
            vocab,
            corpus,
            _learned(models[-1], vocab, corpus, **both),
            min_count,
            max_size,
            **both,
        )


def learn_phrases(
    source: Any,
    model: Phrases,
    *,
    after: Sequence[Model] = (),
    workers: int | None = None,
    progress: bool | None = None,
    **text: Any,
) -> None:
    """Count the words and pairs of a text whose phrases have been joined by other models.

    Parameters
    ----------
    source : str, path, list, file or iterable
        As for `firth.encode_corpus`; a list of strings is one of paths.
    model : Phrases
        What counts.
    after : sequence of Phrases and FrozenPhrases
        The models to join by before, one after the other.
    workers, progress, **text
        As of `encode_phrases`.

    Examples
    --------
    >>> from firth.phrases import FrozenPhrases, Phrases, learn_phrases
    >>> pairs, more = FrozenPhrases.from_scores({"new_york": 1}), Phrases()
    >>> learn_phrases(iter(["in new york city"]), more, after=[pairs])
    >>> dict(more.vocab)["new_york_city"]
    1
    """
    files = path_or_paths(source) if isinstance(source, list) else source
    both: dict[str, Any] = {"workers": workers, "progress": progress}
    vocab, corpus = _joined_before(files, [*after, model], **both, **text)
    with corpus:
        model.add_corpus(vocab, corpus, **both)


def _joined_before(
    source: Any, models: Sequence[Model], *, workers: int | None, progress: bool | None, **text: Any
) -> tuple[Vocab, Corpus]:
    """Join phrases by all models but the last; keep all words."""
    both: dict[str, Any] = {"workers": workers, "progress": progress}
    vocab, corpus = encode_corpus(source, min_count=1, **both, **text)
    for model in models[:-1]:
        with corpus:
            frozen = _learned(model, vocab, corpus, **both)
            vocab, corpus = _join(vocab, corpus, frozen, 1, None, **both)
    return vocab, corpus


def _learned(model: Model, vocab: Vocab, corpus: Corpus, **both: Any) -> FrozenPhrases:
    if isinstance(model, FrozenPhrases):
        return model
    if model.corpus_word_count == 0:
        model.add_corpus(vocab, corpus, **both)
    return model.freeze()


def _models(phrases: Any) -> list[Model]:
    if isinstance(phrases, Model):
        return [phrases]
    if isinstance(phrases, int) and not isinstance(phrases, bool) and phrases >= 1:
        return [Phrases() for _ in range(phrases)]
    models = list(phrases) if isinstance(phrases, Sequence) else []
    if not models or not all(isinstance(model, Model) for model in models):
        raise ParameterError(
            f"phrases is {phrases!r:.60}: give how many times to join phrases (1 or more), or the "
            f"Phrases or FrozenPhrases to join them by"
        )
    return models


def _join(
    vocab: Vocab,
    corpus: Corpus,
    phrases: FrozenPhrases,
    min_count: int,
    max_size: int | None,
    *,
    workers: int | None,
    progress: bool | None,
) -> tuple[Vocab, Corpus]:
    """Join the phrases of a corpus, in ids of which the first are words and the others phrases."""
    table = phrases.make_table()
    tokens = table.intern_many(vocab.word_bytes, vocab.word_offsets)
    names = list(phrases.phrasegrams)
    n_words = len(vocab)

    def translate(
        ids: NDArray[np.uint32], sentence_ends: NDArray[np.int64], first_position: int
    ) -> NDArray[np.uint32]:
        try:
            return table.join_ids(ids, sentence_ends, first_position, tokens, phrases.threshold)
        except ValueError as error:
            raise corpus.damaged(error) from error

    def choose(counts: NDArray[np.int64]) -> tuple[Vocab, NDArray[np.uint32]]:
        # The text may have had some phrases as words before.
        as_words = vocab.ids(names)
        np.add.at(counts, as_words[as_words >= 0], counts[n_words:][as_words >= 0])
        counts[n_words:][as_words >= 0] = 0
        kept = np.flatnonzero(counts >= min_count)
        if len(kept) == 0:
            raise VocabularyError(
                f"no words are left: the most frequent one of {np.count_nonzero(counts):,} was "
                f"seen {counts.max():,} times, and min_count is {min_count:,}; give more text or a "
                f"lower min_count"
            )
        words = vocab.words_at(kept[kept < n_words])
        words += [names[i] for i in (kept[kept >= n_words] - n_words).tolist()]
        order = sorted(range(len(kept)), key=lambda i: (-counts[kept[i]], words[i]))[:max_size]
        chosen = kept[order]
        made = Vocab.from_words((words[i] for i in order), counts[chosen])
        id_map = np.full(n_words + len(names), _core.DROPPED, np.uint32)
        id_map[chosen] = np.arange(len(chosen), dtype=np.uint32)
        there = np.flatnonzero(as_words >= 0)
        id_map[n_words + there] = id_map[as_words[there]]
        return made, id_map

    return rewrite_corpus(
        corpus,
        translate,
        n_words + len(names),
        choose,
        workers=check_workers(workers),
        progress=progress,
        title="joining phrases",
    )

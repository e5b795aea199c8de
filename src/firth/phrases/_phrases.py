"""Phrases that are learned: words and pairs are counted, pairs are scored."""

from __future__ import annotations

import logging
import math
import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firth import _core
from firth.corpus import Corpus, encode_corpus
from firth.errors import ParameterError
from firth.machine import usable_cores
from firth.phrases import _files
from firth.phrases._joining import FrozenPhrases, PhraseModel, check_connectors, check_delimiter
from firth.phrases._names import NO_LIMIT, NameCounts
from firth.phrases._scoring import rule_of, scorer_of
from firth.progress import progress as show_progress
from firth.text import FileSentences, TokenSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from firth.vocab import Vocab

logger = logging.getLogger("firth")

_CHUNK_TOKENS = 1 << 22


class Phrases(PhraseModel):
    """Learns which words stand together too often for chance, and joins them.

    Counts the words of a text and the pairs of words that follow each other, and scores each pair;
    those that score more than `threshold` are phrases. ``phrases[sentence]`` joins them from left
    to right. Names and defaults are gensim's, and so are the results.

    For phrases of more than two words, learn again from what is joined already:
    ``Phrases(phrases[sentences])``, or ``Word2Vec(..., phrases=2)``.

    Parameters
    ----------
    sentences : iterable of lists of str, optional
        Tokens of each sentence; read once. With `tokenizer`, an iterable of texts instead. Without
        `sentences` and `corpus_file` nothing is counted yet; see `add_vocab`.
    min_count : float, default 5
        Pairs that were seen no more often than this are no phrases (with ``scoring="npmi"``: less
        often).
    threshold : float, default 10.0
        What a pair has to score more than; above 0 for the default scoring, from -1 to 1 for
        NPMI. The default scores grow with the text, so that a long text wants more.
    max_vocab_size : int, default 40,000,000
        When there are more words and pairs than this, the rare ones are dropped: those seen once,
        the next time those seen twice, and so on. They take 16 to 40 bytes each.
    delimiter : str, default "_"
        What stands between the words of a phrase.
    scoring : {"default", "npmi"} or callable, default "default"
        `original_scorer`, `npmi_scorer`, or a function with their parameters, which is slower.
    connector_words : iterable of str
        Words that may stand inside of a phrase, but not at its ends, and do not count for its
        score: ``bank_of_america``. For English `ENGLISH_CONNECTOR_WORDS`.
    corpus_file, tokenizer, lowercase, field, errors, workers, progress
        As of `Word2Vec`: text instead of token lists. It is counted on all cores.

    Attributes
    ----------
    vocab : mapping of str to int
        How often each word and each pair, joined by the delimiter, was seen; read-only.
    corpus_word_count : int
        How many words were read.
    min_reduce : int
        Names seen less than this are dropped when there are too many.

    Raises
    ------
    ParameterError
        A parameter is out of its range.
    TextError, SourceError
        The text cannot be read.

    Notes
    -----
    Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
    Compositionality", section 4. What is dropped follows Manku and Motwani 2002, "Approximate
    Frequency Counts over Data Streams". The result does not depend on the number of threads.

    Examples
    --------
    >>> from firth.phrases import ENGLISH_CONNECTOR_WORDS, Phrases
    >>> sentences = [["the", "bank", "of", "america"], ["new", "york"], ["a", "new", "bank"]] * 4
    >>> phrases = Phrases(
    ...     sentences, min_count=1, threshold=0.5, connector_words=ENGLISH_CONNECTOR_WORDS
    ... )
    >>> phrases[["in", "new", "york", "the", "bank", "of", "america"]]
    ['in', 'new_york', 'the', 'bank_of_america']
    >>> sorted(phrases.export_phrases())
    ['bank_of_america', 'new_york']
    """

    def __init__(
        self,
        sentences: Iterable[Any] | None = None,
        min_count: float = 5,
        threshold: float = 10.0,
        max_vocab_size: int = 40_000_000,
        delimiter: str = "_",
        *,
        scoring: Any = "default",
        connector_words: Iterable[str] = frozenset(),
        corpus_file: Any = None,
        tokenizer: Any = None,
        lowercase: bool = False,
        field: str | None = None,
        errors: str = "strict",
        workers: int | None = None,
        progress: bool | None = None,
    ) -> None:
        self._set(min_count, threshold, max_vocab_size, delimiter, scoring, connector_words)
        if sentences is not None or corpus_file is not None:
            self.add_vocab(
                sentences,
                corpus_file=corpus_file,
                tokenizer=tokenizer,
                lowercase=lowercase,
                field=field,
                errors=errors,
                workers=workers,
                progress=progress,
            )

    def _set(
        self,
        min_count: float,
        threshold: float,
        max_vocab_size: int,
        delimiter: str,
        scoring: Any,
        connector_words: Iterable[str],
    ) -> None:
        self.min_count = _number("min_count", min_count)
        self.threshold = _number("threshold", threshold)
        if self.min_count <= 0:
            raise ParameterError(f"min_count must be above 0, not {min_count}")
        if isinstance(scoring, str) and scoring == "default" and self.threshold <= 0:
            raise ParameterError(
                f"threshold must be above 0 for the default scoring, not {threshold}: pairs seen "
                f"fewer than min_count times score below 0"
            )
        if isinstance(scoring, str) and scoring == "npmi" and not -1 <= self.threshold <= 1:
            raise ParameterError(
                f"threshold must be from -1 to 1 for scoring='npmi', not {threshold}; 0.5 is usual"
            )
        whole = isinstance(max_vocab_size, int | np.integer)
        if not whole or isinstance(max_vocab_size, bool) or not 1 <= max_vocab_size <= NO_LIMIT:
            raise ParameterError(
                f"max_vocab_size must be a whole number of 1 or more, not {max_vocab_size!r}"
            )
        self.max_vocab_size = int(max_vocab_size)
        self.delimiter = check_delimiter(delimiter)
        self.scoring = scorer_of(scoring)
        self.connector_words = check_connectors(connector_words)
        self.corpus_word_count = 0
        self.min_reduce = 1
        self._table = self._empty_table()

    def _empty_table(self) -> _core.PhraseTable:
        return _core.PhraseTable(self.delimiter, self.max_vocab_size, sorted(self.connector_words))

    @property
    def vocab(self) -> Mapping[str, int]:
        """How often each word and each pair, joined by the delimiter, was seen; read-only."""
        return NameCounts(self._table)

    def add_vocab(
        self,
        sentences: Iterable[Any] | None = None,
        *,
        corpus_file: Any = None,
        tokenizer: Any = None,
        lowercase: bool = False,
        field: str | None = None,
        errors: str = "strict",
        workers: int | None = None,
        progress: bool | None = None,
    ) -> None:
        """Count more text.

        Parameters
        ----------
        sentences : iterable of lists of str, optional
            Tokens of each sentence; read once.
        corpus_file, tokenizer, lowercase, field, errors, workers, progress
            As of the class. Either this or `sentences`.

        Raises
        ------
        ParameterError, TextError, SourceError
            As of the class. Then nothing is added.

        Examples
        --------
        >>> from firth.phrases import Phrases
        >>> phrases = Phrases([["new", "york"]], min_count=1)
        >>> phrases.add_vocab([["new", "york"], ["york"]])
        >>> dict(phrases.vocab)
        {'new': 2, 'york': 3, 'new_york': 2}
        """
        if (sentences is None) == (corpus_file is None):
            which = "neither is" if sentences is None else "both are"
            raise ParameterError(f"give either sentences= or corpus_file=; {which} there")
        n_threads = check_workers(workers)
        if isinstance(sentences, FileSentences) and (files := sentences.whole_files()):
            sentences, corpus_file = None, files
        if sentences is not None and (tokenizer is None or isinstance(sentences, str)):
            if lowercase or field is not None:
                raise ParameterError(
                    "lowercase and field go with text (corpus_file, or sentences with tokenizer); "
                    "these sentences are lists of tokens"
                )
            self._add(self._counted(TokenSource(sentences), n_threads, progress))
            return
        vocab, corpus = encode_corpus(
            sentences if sentences is not None else path_or_paths(corpus_file),
            tokenizer=tokenizer,
            lowercase=lowercase,
            field=field,
            errors=errors,
            min_count=1,
            workers=workers,
            progress=progress,
        )
        with corpus:
            self.add_corpus(vocab, corpus, workers=workers, progress=progress)

    def add_corpus(
        self,
        vocab: Vocab,
        corpus: Corpus,
        *,
        workers: int | None = None,
        progress: bool | None = None,
    ) -> None:
        """Count an encoded text, as `firth.encode_corpus` gives it.

        Parameters
        ----------
        vocab, corpus
            From ``encode_corpus(..., min_count=1)``: words that are not in the vocabulary would be
            left out, and words be neighbours that are none in the text.
        workers, progress
            As of the class.
        """
        table = self._empty_table()
        tokens = table.intern_many(vocab.word_bytes, vocab.word_offsets)
        n_threads = check_workers(workers)
        starts = corpus.chunk_starts(_CHUNK_TOKENS).tolist()
        total = len(corpus)
        with show_progress("counting pairs", total=total, unit="words", show=progress) as bar:
            for first, last in pairwise(starts):
                ids, ends, position = corpus.chunk(first, last)
                try:
                    table.count_ids(ids, ends, position, tokens, n_threads)
                except ValueError as error:
                    raise corpus.damaged(error) from error
                bar.advance(len(ids))
                corpus.release(first, last)
        self._add(table)

    def _counted(
        self, source: TokenSource, n_threads: int, progress: bool | None
    ) -> _core.PhraseTable:
        # A table of its own, as in gensim: new sentences get a chance before what is rare among
        # all is dropped, and nothing is added when they cannot be read to their end.
        table = self._empty_table()
        with show_progress("counting pairs", total=None, unit="words", show=progress) as bar:
            for batch in source.sentence_batches():
                table.count_sentences(batch, n_threads)
                bar.advance(table.n_words_read - bar.n)
        return table

    def _add(self, counted: _core.PhraseTable) -> None:
        self.corpus_word_count += counted.n_words_read
        if len(self._table) == 0:
            self._table = counted
            return
        self.min_reduce = max(self.min_reduce, counted.min_reduce)
        self._table.merge(counted)
        if len(self._table) > self.max_vocab_size:
            self._table.prune(self.min_reduce)
            self.min_reduce += 1

    # --- scoring ----------------------------------------------------------------------------------

    @property
    def _rule(self) -> str | None:
        return rule_of(self.scoring)

    @property
    def _corpus_word_count(self) -> int:
        return self.corpus_word_count

    def score_candidate(
        self, word_a: str, word_b: str, in_between: list[str]
    ) -> tuple[str, float] | tuple[None, None]:
        """See `PhraseModel.score_candidate`."""
        if self.scoring is None:
            raise AssertionError("phrases that are learned have a scorer")
        phrase = self.delimiter.join([word_a, *in_between, word_b])
        counts = [self._table.count_of(name) for name in (word_a, word_b, phrase)]
        if not all(counts):
            return None, None
        score = self._scored(*counts)
        return (phrase, score) if score > self.threshold else (None, None)

    def _scored(self, worda_count: int, wordb_count: int, bigram_count: int) -> float:
        if self.scoring is None:
            raise AssertionError("phrases that are learned have a scorer")
        return self.scoring(
            worda_count=worda_count,
            wordb_count=wordb_count,
            bigram_count=bigram_count,
            len_vocab=len(self._table),
            min_count=self.min_count,
            corpus_word_count=self.corpus_word_count,
        )

    def export_phrases(self) -> dict[str, float]:
        """Give all phrases that were found, with their scores.

        Returns
        -------
        dict of str to float
            The phrases, their words joined by the delimiter. One that can be put together in
            several ways (``new_york`` and ``city``, ``new`` and ``york_city``) has the highest of
            its scores.

        Examples
        --------
        >>> from firth.phrases import Phrases
        >>> sentences = [["new", "york"], ["new", "york", "cars"], ["new", "cars"]] * 4
        >>> Phrases(sentences, min_count=3, threshold=0.3).export_phrases()
        {'new_york': 0.3125}
        """
        rule = self._rule
        found: dict[str, float] = {}
        for partition in range(self._table.n_partitions):
            names, a, b, both, scores = self._table.candidates(
                partition, rule or "all", self.min_count, self.threshold, self.corpus_word_count
            )
            listed = scores.tolist()
            if rule is None:
                counts = zip(a.tolist(), b.tolist(), both.tolist(), strict=True)
                listed = [self._scored(*each) for each in counts]
            for name, score in zip(names, listed, strict=True):
                if score > self.threshold and score > found.get(name, -math.inf):
                    found[name] = score
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def freeze(self) -> FrozenPhrases:
        """Give the phrases alone, which take much less memory than all that was counted.

        Returns
        -------
        FrozenPhrases
            Finds the same phrases. Nothing more can be learned.
        """
        return FrozenPhrases(self)

    # --- keeping ----------------------------------------------------------------------------------

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write all that was counted to a folder, so that counting can go on.

        Parameters
        ----------
        folder : str or Path
            The folder; one that firth wrote is replaced. `freeze` first for a small one.

        Raises
        ------
        OutputError
            The folder is something else, or the disk is full.
        """
        names, offsets, counts = self._table.arrays()
        tensors: dict[str, NDArray[Any]] = {
            "name_bytes": names,
            "name_offsets": offsets,
            "counts": counts,
        }
        _files.save(
            folder,
            self,
            tensors,
            max_vocab_size=self.max_vocab_size,
            corpus_word_count=self.corpus_word_count,
            min_reduce=self.min_reduce,
        )

    def restore(
        self,
        names: NDArray[np.uint8],
        offsets: NDArray[np.uint64],
        counts: NDArray[np.int64],
        *,
        corpus_word_count: int,
        min_reduce: int,
    ) -> None:
        """Take over what `save` wrote; for `load`."""
        self._table.add_counts(names, offsets, counts)
        self.corpus_word_count = corpus_word_count
        self.min_reduce = min_reduce

    def __repr__(self) -> str:
        return (
            f"Phrases({len(self._table):,} words and pairs, min_count={self.min_count}, "
            f"threshold={self.threshold}, max_vocab_size={self.max_vocab_size:,})"
        )


def path_or_paths(corpus_file: Any) -> Any:
    """Read a list of names as files, where the text room would take strings for texts."""
    if isinstance(corpus_file, list | tuple):
        if not corpus_file or not all(isinstance(each, str | os.PathLike) for each in corpus_file):
            raise ParameterError(f"corpus_file is {corpus_file!r:.60}: give one path or more")
        return [Path(each) for each in corpus_file]
    if isinstance(corpus_file, str | os.PathLike) or hasattr(corpus_file, "read"):
        return corpus_file
    raise ParameterError(
        f"corpus_file is {corpus_file!r:.60}: give a path, a list of paths or an open file"
    )


def check_workers(workers: Any) -> int:
    """Check a number of threads; None means one for each core."""
    if workers is None:
        return usable_cores()
    if isinstance(workers, bool) or not isinstance(workers, int | np.integer) or workers < 1:
        raise ParameterError(f"workers must be a whole number of 1 or more, not {workers!r}")
    return int(workers)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ParameterError(f"{name} must be a number, not {value!r:.60}")
    if not math.isfinite(value):
        raise ParameterError(f"{name} must be a finite number, not {value!r}")
    return value.item() if isinstance(value, np.generic) else value

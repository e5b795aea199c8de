"""From text to a vocabulary and a corpus."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.corpus._cache import cache_limit_bytes, corpus_folder, mark_used, trim
from firth.corpus._corpus import IDS_FILE, SENTENCE_ENDS_FILE, Corpus
from firth.corpus._provisional import ProvisionalIds
from firth.corpus._renaming import MAX_SENTENCE_LENGTH
from firth.corpus._temporary import in_temporary_folder
from firth.errors import FirthError, OutputError, ParameterError, TextError, VocabularyError
from firth.machine import usable_cores
from firth.progress import progress as show_progress
from firth.storage import write_config, write_folder
from firth.text import FileSentences, make_tokenizer, open_text
from firth.vocab import VOCAB_FILE, Vocab

if TYPE_CHECKING:
    from pathlib import Path

    from firth.text import TextSource, Tokenizer, TokenSource

logger = logging.getLogger("firth")

CORPUS_VERSION = 1  # of what ids mean; part of the fingerprint


class NoKnownWordError(VocabularyError):
    """None of the words of a text is in the vocabulary that it is encoded with."""

    def __init__(self, message: str, n_tokens_read: int) -> None:
        super().__init__(message)
        self.n_tokens_read = n_tokens_read


def encode_corpus(
    source: Any,
    *,
    tokenizer: Any = None,
    lowercase: bool = False,
    field: str | None = None,
    errors: str = "strict",
    tokens: bool = False,
    vocab: Vocab | None = None,
    min_count: int = 5,
    max_size: int | None = None,
    workers: int | None = None,
    progress: bool | None = None,
    cache: bool = True,
) -> tuple[Vocab, Corpus]:
    """Read a text once and turn it into a vocabulary and word ids on disk.

    Parameters
    ----------
    source : str, path, list, file or iterable
        As for `firth.text.open_text`.
    tokenizer : str, callable, Tokenizer or tokenizers.Tokenizer, default "whitespace"
        As for `firth.text.make_tokenizer`.
    lowercase : bool
        Whether words are lower-cased.
    field : str, optional
        Where the text is in files of records.
    errors : str, default "strict"
        What to do with bytes that are not UTF-8, as in ``open``.
    tokens : bool
        Whether `source` gives lists of tokens instead of text.
    vocab : Vocab, optional
        The words to keep; without it, they are chosen by `min_count` and `max_size`.
    min_count : int, default 5
        Words seen less often are left out.
    max_size : int, optional
        At most this many words, the most frequent ones.
    workers : int, optional
        Threads; as many as there are cores if not given.
    progress : bool, optional
        As for `firth.progress.progress`.
    cache : bool, default True
        Whether the result may be kept for the next time, where the source is files and the
        tokeniser can be told from others.

    Returns
    -------
    vocab : Vocab
        Words by falling count, equal counts in the order of their code points; or `vocab`.
    corpus : Corpus
        The text in the ids of `vocab`. Sentences are lines, cut after 10,000 tokens.

    Raises
    ------
    TextError, SourceError
        The text cannot be read, or has no tokens.
    VocabularyError
        No word is left, or none of the text is in `vocab`.
    ParameterError
        A parameter is out of its range.
    OutputError
        The disk is full.

    Examples
    --------
    >>> vocab, corpus = encode_corpus(["a rose is a rose"], min_count=2)
    >>> with corpus:
    ...     list(vocab), corpus.ids.tolist()
    (['a', 'rose'], [0, 1, 0, 1])
    """
    n_threads = _check(min_count, max_size, workers)
    opened, splitter = _open(source, tokenizer, lowercase, field, errors, tokens=tokens)
    fingerprint = _fingerprint(opened, splitter, vocab, min_count, max_size) if cache else None
    place = corpus_folder(fingerprint) if fingerprint and cache_limit_bytes() > 0 else None
    if place and (kept := _reopen(place)):
        return kept

    def make(folder: Path) -> Vocab:
        return _encode(opened, splitter, vocab, min_count, max_size, n_threads, progress, folder)

    if place:
        try:
            with write_folder(place) as folder:
                made = make(folder)
        except OutputError as error:
            # A home that is full or read-only must not keep anybody from training.
            logger.warning("the encoded text is not kept for the next time: %s", error)
        else:
            fits = trim(place)
            remove = None if fits else partial(shutil.rmtree, place, ignore_errors=True)
            return made, Corpus(place, remove=remove)
    return in_temporary_folder(make)


def build_vocab(
    source: Any,
    *,
    tokenizer: Any = None,
    lowercase: bool = False,
    field: str | None = None,
    errors: str = "strict",
    tokens: bool = False,
    min_count: int = 5,
    max_size: int | None = None,
    workers: int | None = None,
    progress: bool | None = None,
) -> Vocab:
    """Count the words of a text, on all cores.

    Parameters and errors are those of `encode_corpus`, which gives the same vocabulary.

    Returns
    -------
    Vocab
        Words by falling count, equal counts in the order of their code points.

    Examples
    --------
    >>> vocab = build_vocab(["a rose is a rose is a rose"], min_count=3)
    >>> list(zip(vocab.words, vocab.counts.tolist()))
    [('a', 3), ('rose', 3)]
    """
    n_threads = _check(min_count, max_size, workers)
    opened, splitter = _open(source, tokenizer, lowercase, field, errors, tokens=tokens)
    provisional = ProvisionalIds(opened, splitter, n_threads)
    with show_progress("counting", total=opened.n_bytes, unit="B", show=progress) as bar:
        provisional.read(None, bar)
    return provisional.choose_vocab(min_count, max_size)


def _check(min_count: int, max_size: int | None, workers: int | None) -> int:
    given: dict[str, object] = {"min_count": min_count, "max_size": max_size, "workers": workers}
    for name, value in given.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ParameterError(f"{name} must be a whole number of 1 or more, not {value!r}")
    return usable_cores() if workers is None else int(workers)


def _open(
    source: Any, tokenizer: Any, lowercase: bool, field: str | None, errors: str, *, tokens: bool
) -> tuple[TextSource | TokenSource, Tokenizer]:
    if tokens and (tokenizer is not None or lowercase):
        raise ParameterError("lists of tokens are not split or lower-cased: leave tokenizer out")
    if tokens and isinstance(source, FileSentences) and (files := source.whole_files()):
        source, tokens = files, False  # the same sentences, without a list of strings for each
    splitter = make_tokenizer(tokenizer, lowercase=lowercase)
    if tokens:
        return open_text(source, field=field, errors=errors, tokens=True), splitter
    return open_text(source, field=field, errors=errors), splitter


def _fingerprint(
    source: TextSource | TokenSource,
    tokenizer: Tokenizer,
    vocab: Vocab | None,
    min_count: int,
    max_size: int | None,
) -> dict[str, object] | None:
    text, splitting = source.fingerprint(), tokenizer.fingerprint()
    if text is None or splitting is None:
        return None
    words: object = vocab.fingerprint() if vocab else {"min_count": min_count, "max_size": max_size}
    return {
        "version": CORPUS_VERSION,
        "text": text,
        "tokenizer": splitting,
        "vocabulary": words,
        "max_sentence_length": MAX_SENTENCE_LENGTH,
    }


def _reopen(place: Path) -> tuple[Vocab, Corpus] | None:
    try:
        if not place.is_dir():
            return None
        kept = Vocab.load(place), Corpus(place)
    except FirthError as error:
        logger.info("encoding the text again, since what was kept is damaged: %s", error)
        # Whatever is left of it: write_folder replaces nothing that it does not recognise.
        shutil.rmtree(place, ignore_errors=True)
        return None
    except PermissionError:
        return None
    mark_used(place)
    logger.info("the text is encoded already, in %s", place)
    return kept


def _encode(
    source: TextSource | TokenSource,
    tokenizer: Tokenizer,
    vocab: Vocab | None,
    min_count: int,
    max_size: int | None,
    workers: int,
    progress: bool | None,
    folder: Path,
) -> Vocab:
    """Encode a text into a folder, and return its vocabulary."""
    provisional = ProvisionalIds(source, tokenizer, workers)
    ids_path = folder / IDS_FILE
    with show_progress("reading", total=source.n_bytes, unit="B", show=progress) as bar:
        provisional.read(ids_path, bar)
    n_tokens_read = provisional.n_tokens
    if n_tokens_read == 0:
        raise TextError(f"{source.name}: no tokens: the text is empty")
    words = vocab or provisional.choose_vocab(min_count, max_size)
    n_tokens, n_sentences = provisional.rename(words, ids_path, folder / SENTENCE_ENDS_FILE)
    if n_tokens == 0:
        raise NoKnownWordError(
            f"{source.name}: none of its {n_tokens_read:,} tokens is among the {len(words):,} "
            f"words of the vocabulary",
            n_tokens_read,
        )
    words.to_file(folder / VOCAB_FILE)
    write_config(
        folder,
        "corpus",
        n_tokens=n_tokens,
        n_sentences=n_sentences,
        n_tokens_read=n_tokens_read,
    )
    return words

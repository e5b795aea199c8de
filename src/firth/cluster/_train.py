"""Training on a cluster: from a model and a text to vectors."""

from __future__ import annotations

import logging
import math
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from firth.cluster._counted import check_counted, train_counted
from firth.cluster._counts import MOST_WORDS, Counts, choose_words
from firth.cluster._files import RemoteFile, find_files
from firth.cluster._nodes import Node, check_nodes, connected, import_ray, nodes
from firth.cluster._report import Report
from firth.cluster._shards import EncodedText, shards_of_corpus
from firth.cluster._text import HowToRead, encode_on_nodes
from firth.cluster._windows import check_split, chunk_size_for, train_windows
from firth.corpus import Corpus
from firth.errors import OutputError, ParameterError
from firth.models import PPMI, GloVe, Word2Vec, check_callbacks, open_checkpoints
from firth.vocab import Vocab

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from firth.models import CallbackAny2Vec

    AnyModel = Word2Vec | GloVe | PPMI

Model = TypeVar("Model", bound=Word2Vec | GloVe | PPMI)
logger = logging.getLogger("firth")

_SHARDS = 64


def train(
    model: Model,
    source: Any,
    *,
    field: str | None = None,
    tokenizer: Any = None,
    lowercase: bool | None = None,
    errors: str | None = None,
    address: str = "auto",
    workers: int | None = None,
    split_rows: bool | None = None,
    patience: float = 30.0,
    most_words: int = MOST_WORDS,
    callbacks: Sequence[CallbackAny2Vec] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 60.0,
    resume: bool = False,
    progress: bool | None = None,
) -> tuple[Model, Report]:
    """Train a model on a cluster of machines.

    Of models of windows each worker holds the matrices, trains chunks of the text with all cores of
    its node, and exchanges with the others the rows that were touched: frequent ones often, rare
    ones seldom. Or each holds its share of the rows, and asks the others for what it trains. For
    GloVe and PPMI pairs are counted on all nodes; each worker has those of its share of the words.

    Parameters
    ----------
    model : Word2Vec, FastText, GloVe or PPMI
        Parameters, without a text yet. It is trained in place. A `Word2Vec` or `FastText` may have
        words and vectors to go on from, which it keeps.
    source : str, path, list of these, or (Vocab, Corpus)
        Text that all nodes can reach: paths on disks that they share, patterns, and addresses such
        as ``s3://bucket/*.jsonl.zst``. Or what `firth.encode_corpus` returned.
    field, tokenizer, lowercase, errors
        How text is read; those of the model where they are not given.
    address : str, default "auto"
        "auto" for the cluster that this machine is a node of or that ``RAY_ADDRESS`` names, and
        for one that is started here where there is none; "local" to start one; or ``host:port``.
    workers : int, optional
        Processes that train; one for each node if not given. Each holds a copy of the matrices,
        or its share of them where rows are split, and for GloVe.
    split_rows : bool, optional
        Whether rows are split among the workers, for a `Word2Vec` with negative sampling alone, so
        that each holds an n-th of the matrices three times, and what a step touches. If not given,
        they are where a node has not the memory for copies.
    patience : float, default 30.0
        Seconds that a slow worker is waited for, beyond three times what half of them took; what
        it has not done by then, others do.
    most_words : int, default 20_000_000
        Distinct words that are counted at the same time, at most; the rarest are dropped beyond.
    callbacks, checkpoint, checkpoint_every, resume
        As for `Word2Vec`. A checkpoint lies where this process runs; when it is killed, the same
        call with ``resume=True`` reads the text again and goes on with the training. Not for PPMI.
    progress : bool, optional
        As for `Word2Vec`.

    Returns
    -------
    model : Word2Vec, FastText, GloVe or PPMI
        The same.
    report : Report
        What each worker did, and what crossed between them.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    ClusterError
        There is no cluster, its nodes differ, or all workers died.
    SourceError, TextError
        The text cannot be read, by this machine or by a node, or is empty.
    ParameterError
        A parameter is out of its range, the model cannot be trained on a cluster, there is less
        text than work for all workers, or the training diverged.
    VocabularyError
        No word is left.

    Notes
    -----
    Ji, Satish, Li and Dubey 2016, "Parallelizing Word2Vec in Shared and Distributed Memory",
    section 3.2. How the changes of the workers become one is told in `firth.cluster._exchange`, who
    trains which pairs of GloVe in `firth.cluster._glove`.
    """
    import_ray()
    _check_model(model)
    _check("workers", workers, at_least=1)
    _check("most_words", most_words, at_least=1)
    _check("patience", patience, at_least=0)
    if split_rows and isinstance(model, Word2Vec):
        check_split(model, workers)
    check_callbacks(callbacks)
    how = _how_to_read(model, field, tokenizer, lowercase, errors)
    encoded = _encoded_pair(source)
    files = [] if encoded else find_files(source, how.field, how.errors)
    if not isinstance(model, Word2Vec):
        check_counted(model, looks=bool(callbacks), keeps=checkpoint is not None or resume)
    checkpoints = open_checkpoints(checkpoint, checkpoint_every, resume)
    if checkpoints and not resume and (checkpoints.folder / "config.json").exists():
        raise OutputError(
            f"{checkpoints.folder}: has the checkpoint of a training already; go on from it with "
            f"resume=True, or remove the folder"
        )
    # The next lines come only when text is read and counted, which may be a while.
    tell = logger.info if progress is not False else logger.debug
    tell("looking for a cluster, or starting one here (%s)", address)
    with connected(address):
        found = nodes()
        check_nodes(found, [file.name for file in files if file.is_local])
        placed = place_workers(found, workers)
        tell(
            "%s, %s; reading %s",
            _number(len(found), "node"),
            _number(len(placed), "worker"),
            "the encoded text" if encoded else _number(len(files), "file"),
        )
        if encoded:
            text = shards_of_corpus(*encoded, _chunk_size(model, len(encoded[1])), _SHARDS)
        else:
            text = _read(model, files, how, most_words, progress)
        report = Report()
        if isinstance(model, Word2Vec) and not model.has_words:
            model.begin_with(text.vocab, text.n_sentences, text.n_tokens)
        with closing(checkpoints) if checkpoints else nullcontext():
            if checkpoints:
                workers_told = {} if isinstance(model, Word2Vec) else {"workers": len(placed)}
                checkpoints.open(_told(model, text, bool(encoded)) | workers_told)
            how_to = (report, patience, callbacks, checkpoints)
            if isinstance(model, Word2Vec):
                train_windows(model, text, placed, *how_to, split_rows)
            else:
                train_counted(model, text, placed, *how_to, progress)
    return model, report


def _check_model(model: object) -> None:
    if not isinstance(model, Word2Vec | GloVe | PPMI):
        raise ParameterError(
            f"the model is {model!r:.60}: give a Word2Vec, FastText, GloVe or PPMI without a text, "
            f"such as firth.Word2Vec(vector_size=300, sg=1)"
        )
    if model.phrases if isinstance(model, Word2Vec) else model.settings.phrases:
        raise ParameterError(
            "phrases are not joined on a cluster: join them in the text first (firth phrases), or "
            "leave out phrases="
        )
    if isinstance(model, Word2Vec) and model.deterministic:
        raise ParameterError(
            "deterministic=True holds on one machine: on a cluster, what is merged when depends on "
            "who is there"
        )


def _check(name: str, value: Any, at_least: int) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (is_number and at_least <= value < math.inf):
        raise ParameterError(f"{name} must be {at_least} or more, not {value!r:.60}")


def _how_to_read(
    model: AnyModel,
    field: str | None,
    tokenizer: Any,
    lowercase: bool | None,
    errors: str | None,
) -> HowToRead:
    told = model.text_options if isinstance(model, Word2Vec) else vars(model.settings)
    return HowToRead(
        told["tokenizer"] if tokenizer is None else tokenizer,
        told["lowercase"] if lowercase is None else lowercase,
        told["field"] if field is None else field,
        told["errors"] if errors is None else errors,
    )


def _encoded_pair(source: Any) -> tuple[Vocab, Corpus] | None:
    if isinstance(source, tuple) and len(source) == 2:
        vocab, corpus = source
        if isinstance(vocab, Vocab) and isinstance(corpus, Corpus):
            return vocab, corpus
    return None


def _told(model: Any, text: EncodedText, encoded: bool) -> dict[str, Any]:
    """Tell what a checkpoint must have been begun with, to go on from it."""
    chunks = {"number": len(text.order), "words": text.n_tokens}
    told: dict[str, Any] = model.told()
    return told | {
        "text": "encoded" if encoded else "files",
        "words": text.vocab.fingerprint(),
        "chunks": chunks,
    }


def _chunk_size(model: AnyModel, n_tokens: int) -> int:
    chosen = model.batch_words if isinstance(model, Word2Vec) else None
    return chosen or chunk_size_for(n_tokens)


def _read(
    model: AnyModel,
    files: list[RemoteFile],
    how: HowToRead,
    most_words: int,
    progress: bool | None,
) -> EncodedText:
    if isinstance(model, Word2Vec):
        min_count, sizes = model.min_count, (model.max_vocab_size, model.max_final_vocab)
    else:
        min_count, sizes = model.settings.min_count, (model.settings.max_final_vocab, None)
    limits = [n for n in sizes if n is not None]

    def choose(counts: Counts) -> Vocab | None:
        return choose_words(counts, min_count, min(limits, default=None))

    def chunk_size(n_tokens: int) -> int:
        return _chunk_size(model, n_tokens)

    return encode_on_nodes(files, how, choose, chunk_size, most_words, progress=progress)


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def place_workers(found: Sequence[Node], workers: int | None) -> list[tuple[Node, int]]:
    """Put workers on nodes, so that each has about as many cores as any other.

    Returns
    -------
    list of (Node, int)
        For each worker its node and how many threads it has.

    Raises
    ------
    ParameterError
        There are more workers than cores.
    """
    n = len(found) if workers is None else workers
    cores = sum(node.cores for node in found)
    if n > cores:
        raise ParameterError(
            f"workers={n}, and the {len(found)} nodes of the cluster have {cores} cores: give "
            f"{cores} workers at most, or start more nodes"
        )
    on_each = [0] * len(found)
    for _ in range(n):
        room = [node.cores / (taken + 1) for node, taken in zip(found, on_each, strict=True)]
        on_each[room.index(max(room))] += 1
    return [
        (node, max(node.cores // taken, 1))
        for node, taken in zip(found, on_each, strict=True)
        for _ in range(taken)
    ]

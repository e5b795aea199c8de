"""Text to ids on all nodes, by Ray Data.

Each file is read by a task as pieces of whole lines, and each piece encoded by another, with the
ids of its own words: the text is read once. The words of all pieces are added up by a tree of
tasks, the vocabulary is chosen, and the pieces' ids are renamed, each on the node where it lies.
What is left are shards in Ray's object store, which keeps them near who needs them, writes them to
disk where memory is short, and makes them again by the same tasks when a node is lost.
"""

from __future__ import annotations

import io
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.cluster._counts import Counts, counts_of, merge, merged_by_tasks
from firth.cluster._shards import EncodedText
from firth.cluster._worker import chunk_table
from firth.corpus import encode_corpus
from firth.errors import FirthError, TextError, VocabularyError
from firth.vocab import Vocab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from firth.cluster._files import RemoteFile

logger = logging.getLogger("firth")

_LEAST_BYTES, _MOST_BYTES = 1 << 20, 64 << 20
_PIECES = 64  # at least, where the text is large enough
# Compressed text becomes about so many times longer.
_EXPANSION = 3


@dataclass(frozen=True)
class HowToRead:
    """How text is split into words; the parameters of `firth.encode_corpus`."""

    tokenizer: Any
    lowercase: bool
    field: str | None
    errors: str


def encode_on_nodes(
    files: Sequence[RemoteFile],
    how: HowToRead,
    choose: Callable[[Counts], Vocab | None],
    chunk_size: Callable[[int], int],
    most_words: int,
    *,
    progress: bool | None,
) -> EncodedText:
    """Read files on all nodes, and leave their ids there.

    Parameters
    ----------
    files : sequence of RemoteFile
        What to read.
    how : HowToRead
        How it is split.
    choose : callable
        Takes the counts of all words, and gives those to keep.
    chunk_size : callable
        Takes the number of tokens, and gives the words of a chunk of training.
    most_words : int
        Words that are counted at the same time, at most; the rarest are dropped beyond.
    progress : bool, optional
        False shows nothing.

    Raises
    ------
    TextError, SourceError
        The text cannot be read, or is empty.
    VocabularyError
        No word is left.
    """
    import ray

    pieces = _pieces(files, how, progress=progress)
    look = ray.remote(_words_of).options(num_cpus=0, num_returns=2, name="firth: count words")
    looked = [look.remote(piece) for piece in pieces]
    places = ray.get([place for place, _ in looked])
    if not any(n_tokens for _, n_tokens in places):
        raise TextError(f"{_name_of(files)}: no tokens: the text is empty")
    # In the order of the text, whatever came first: who goes on from a checkpoint counts on it.
    in_order = sorted(range(len(pieces)), key=lambda number: places[number])
    in_order = [number for number in in_order if places[number][1]]
    counts = merged_by_tasks([looked[number][1] for number in in_order], most_words)
    vocab = choose(counts)
    if vocab is None or not len(vocab):
        raise VocabularyError(
            f"{_name_of(files)}: no words are left: {len(counts.table):,} distinct words were "
            f"read; give more text or a lower min_count"
        )
    if counts.error:
        logger.warning(
            "more than %s distinct words: the rarest were dropped as they were counted, so that "
            "counts may be too low by up to %s", f"{most_words:,}", f"{counts.error:,}",
        )  # fmt: skip
    words, size = ray.put(vocab), chunk_size(counts.n_tokens)
    rename = ray.remote(_renamed).options(num_cpus=0, num_returns=2, name="firth: number words")
    renamed = [rename.remote(pieces[number], words, size) for number in in_order]
    tables = ray.get([table for _, table in renamed])
    kept = [number for number, (table, _) in enumerate(tables) if len(table)]
    return EncodedText.of_tables(
        vocab,
        [renamed[number][0] for number in kept],
        [tables[number][0] for number in kept],
        n_tokens=sum(int(tables[number][0][:, 2].sum()) for number in kept),
        n_sentences=sum(tables[number][1] for number in kept),
        n_tokens_read=counts.n_tokens,
    )


def _name_of(files: Sequence[RemoteFile]) -> str:
    return files[0].name if len(files) == 1 else f"{files[0].name} ... {files[-1].name}"


def _pieces(files: Sequence[RemoteFile], how: HowToRead, *, progress: bool | None) -> list[Any]:
    """Have Ray Data read and encode; gives references to tables of pieces."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = progress is not False and sys.stderr.isatty()
    # Errors of firth as they are, and told once.
    context.raise_original_map_exception = True
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    size = piece_size([file.size for file in files], _is_packed(files))
    # So that a piece is a block, which another node can take.
    context.target_max_block_size = size
    items = [{"number": number, "file": file} for number, file in enumerate(files)]
    pieces = (
        ray.data.from_items(items, override_num_blocks=len(items))
        .map_batches(_Read(how, size), batch_size=1, batch_format="numpy", num_cpus=0.5)
        # Another share of a core, so that a piece is encoded by another task than the one that
        # reads on: one large file keeps all nodes busy.
        .map_batches(_Encode(how), batch_size=1, batch_format="numpy", num_cpus=1)
    )
    try:
        return list(pieces.to_arrow_refs())
    except ray.exceptions.RayError as error:
        raise _own_error(error) from None


def _own_error(error: BaseException) -> BaseException:
    """Find the error of firth in what Ray made of it."""
    cause: BaseException | None = error
    while cause is not None:
        inner = getattr(cause, "cause", None)
        if isinstance(cause, FirthError) and not hasattr(cause, "cause"):
            return cause
        if isinstance(inner, FirthError):
            return inner
        cause = inner or cause.__cause__
    return error


def _is_packed(files: Sequence[RemoteFile]) -> bool:
    return any(file.name.endswith((".gz", ".bz2", ".xz", ".zst", ".zip")) for file in files)


def piece_size(sizes: Sequence[int | None], is_packed: bool) -> int:
    """Choose the bytes of a piece of text: the same for any cluster."""
    total = sum(size or 0 for size in sizes) * (_EXPANSION if is_packed else 1)
    if None in sizes or total > _PIECES * _MOST_BYTES:
        return _MOST_BYTES
    return max(total // _PIECES, _LEAST_BYTES)


class _Read:
    """Reads files as pieces of whole lines, about so many bytes each."""

    def __init__(self, how: HowToRead, size: int) -> None:
        self._how = how
        self._size = size

    def __call__(self, batch: dict[str, NDArray[Any]]) -> Iterator[dict[str, Any]]:
        file: RemoteFile = batch["file"][0]
        number = int(batch["number"][0])
        piece, blocks = 0, []
        with file.open(self._how.field, self._how.errors) as source:
            for block in source.blocks():
                blocks.append(block)
                if sum(map(len, blocks)) >= self._size:
                    yield _row(number, piece, b"".join(blocks))
                    piece, blocks = piece + 1, []
        yield _row(number, piece, b"".join(blocks))


def _row(file: int, piece: int, text: bytes) -> dict[str, Any]:
    return {"file": [file], "piece": [piece], "text": [text]}


class _Encode:
    """Encodes a piece, with the ids of its own words."""

    def __init__(self, how: HowToRead) -> None:
        self._how = how

    def __call__(self, batch: dict[str, NDArray[Any]]) -> dict[str, Any]:
        row = {"file": batch["file"], "piece": batch["piece"]}
        arrays = _encoded(batch["text"][0], self._how)
        return row | {name: [array.tobytes()] for name, array in arrays.items()}


_COLUMNS: dict[str, Any] = {
    "ids": np.uint32,
    "ends": np.int64,
    "word_bytes": np.uint8,
    "word_offsets": np.uint64,
    "counts": np.int64,
}


def _encoded(text: bytes, how: HowToRead) -> dict[str, NDArray[Any]]:
    try:
        vocab, corpus = encode_corpus(
            io.BytesIO(text),
            tokenizer=how.tokenizer,
            lowercase=how.lowercase,
            errors=how.errors,
            min_count=1,
            workers=1,
            progress=False,
            cache=False,
        )
    except TextError:  # it was read without complaint, so there is no word in it
        return {name: np.empty(0, dtype) for name, dtype in _COLUMNS.items()}
    with corpus:
        arrays = (
            corpus.ids, corpus.sentence_ends, vocab.word_bytes, vocab.word_offsets, vocab.counts
        )  # fmt: skip
        return {name: np.array(array) for name, array in zip(_COLUMNS, arrays, strict=True)}


def _pieces_of(table: Any) -> Iterator[tuple[Vocab, NDArray[np.uint32], NDArray[np.int64]]]:
    """Give the pieces of a table: words, ids and sentence ends of each that has any."""
    for row in range(len(table)):
        ids, ends, *words = (
            np.frombuffer(table[name][row].as_buffer(), dtype) for name, dtype in _COLUMNS.items()
        )
        if len(ids):
            yield Vocab.from_arrays(*map(np.array, words)), ids, ends


def _words_of(table: Any) -> tuple[tuple[tuple[int, int], int], Counts]:
    """Tell where the pieces of a table stand in the text, and count their words."""
    counted = [counts_of(vocab) for vocab, _, _ in _pieces_of(table)]
    place = int(table["file"][0].as_py()), int(table["piece"][0].as_py())
    counts = merge(*counted) if counted else Counts(None, 0)
    return (place, counts.n_tokens), counts


def _renamed(
    table: Any, vocab: Vocab, chunk_size: int
) -> tuple[tuple[NDArray[np.uint32], NDArray[np.int64]], tuple[NDArray[np.int64], int]]:
    """Give the pieces of a table the ids of the vocabulary: a shard, its chunks, its sentences."""
    all_ids, all_ends, n = [], [], 0
    for words, ids, ends in _pieces_of(table):
        id_map = vocab.ids(words.words)
        renamed = id_map[ids]
        is_kept = renamed >= 0
        n_kept = np.concatenate([[0], np.cumsum(is_kept)])[ends]
        new_ends = np.unique(n_kept)  # a sentence of which nothing is left is none
        all_ids.append(renamed[is_kept].astype(np.uint32))
        all_ends.append(n + new_ends[new_ends > 0])
        n += len(all_ids[-1])
    shard = np.concatenate(all_ids), np.concatenate(all_ends).astype(np.int64)
    n_sentences = len(shard[1])
    chunks = chunk_table(shard[1], chunk_size) if n_sentences else np.empty((0, 3), np.int64)
    return shard, (chunks, n_sentences)

"""fastText's binary models: ``.bin``, and quantised ``.ftz`` (read only).

All numbers are little-endian and packed::

    int32  magic            793712314
    int32  version          12, or 11
    int32  dim, ws, epoch, minCount, neg, wordNgrams
    int32  loss             1 hs, 2 ns, 3 softmax, 4 one-vs-all
    int32  model            1 cbow, 2 skip-gram, 3 supervised
    int32  bucket, minn, maxn, lrUpdateRate
    double t
    int32  size             entries of the dictionary = nwords + nlabels
    int32  nwords, nlabels
    int64  ntokens
    int64  pruneidx_size    -1 for none
    size times: the word in UTF-8, a zero byte, int64 count, int8 kind (0 word, 1 label)
    pruneidx_size times: int32 bucket, int32 row
    bool   quant            whether the input matrix is quantised (see `fasttext_quantised`)
    input matrix:  int64 m, n; float32 data[m * n]: rows of words, then of buckets
    bool   qout             whether the output matrix is quantised
    output matrix: the same; a row for each word, or for each label of a supervised model

Files from before May 2017 lack magic, version, pruneidx_size and the two bools, and in their models
the end of a sentence, ``</s>``, has n-grams as any word has; later it has none. A classifier of
version 11 has no n-grams of characters, whatever its `maxn` says. Quantised, pruned and supervised
models are read, not written: their input vectors, labels and n-grams.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

import numpy as np

from firth.errors import FormatError, ParameterError
from firth.formats._fasttext_bytes import ModelBytes
from firth.formats._fasttext_dictionary import choose_words, decode, read_dictionary
from firth.formats._fasttext_header import (
    HEADER_BYTES,
    MAGIC_BYTES,
    NEWEST_VERSION,
    SWAPPED_MAGIC_BYTES,
    Header,
    header_bytes,
    parse_header,
)
from firth.formats._fasttext_model import LOSSES, FastTextArgs, FastTextModelData
from firth.formats._format import Format, ReadOptions
from firth.formats._rows import finish_table
from firth.formats._source import VectorSource
from firth.formats._table import LoadReport, VectorTable
from firth.formats._writing import new_file
from firth.formats.fasttext_quantised import read_quantised
from firth.subwords import FastTextSubwords

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

logger = logging.getLogger("firth")

NAME = "fasttext"
SENTENCE_END = "</s>"
_BLOCK_ROWS = 4096


# --- reading --------------------------------------------------------------------------------------


def _recognise(source: VectorSource) -> bool:
    if source.is_folder:
        return False
    if source.head[:4] in {MAGIC_BYTES, SWAPPED_MAGIC_BYTES}:
        return True
    return parse_header(source.head[:HEADER_BYTES]) is not None


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    report = LoadReport(NAME, source.name)
    data = read_model(source, options, report, with_output=False)
    vectors = data.vectors()
    subwords = data.subwords()
    config: dict[str, Any] = {NAME: data.args.as_dict() | {"n_tokens": data.n_tokens}}
    if data.labels:
        config["labels"] = dict(data.labels)
        report.notes.append(f"a classifier; config['labels'] has its {len(data.labels):,} labels")
    if data.quantised:
        report.notes.append("the vectors were quantised")
    return finish_table(data.vocab, vectors, options, report, subwords=subwords, config=config)


def read_fasttext_model(
    source: str | os.PathLike[str] | BinaryIO | VectorSource,
    *,
    output: bool = True,
    errors: Literal["strict", "replace", "ignore"] = "strict",
) -> FastTextModelData:
    """Read a whole model of fastText, to train on or to look into.

    Parameters
    ----------
    source : str, path, binary file or VectorSource
        A ``.bin`` or ``.ftz`` file, also compressed or in an archive.
    output : bool
        Read the output matrix too.
    errors : "strict", "replace" or "ignore"
        What to do with words that are not UTF-8.

    Returns
    -------
    FastTextModelData
        Parameters, words and matrices.

    Raises
    ------
    SourceError
        There is no such file, or it cannot be read.
    FormatError
        It is no model of fastText, or damaged.

    Examples
    --------
    ``read_fasttext_model("cc.de.300.bin").args.ws`` is the window that it was trained with.
    """
    if isinstance(source, VectorSource):
        options = ReadOptions(errors=errors)
        return read_model(source, options, LoadReport(NAME, source.name), with_output=output)
    with VectorSource(source) as opened:
        return read_fasttext_model(opened, output=output, errors=errors)


def read_model(
    source: VectorSource, options: ReadOptions, report: LoadReport, *, with_output: bool
) -> FastTextModelData:
    """Read a model, of its words those that are wanted."""
    data = ModelBytes(source)
    header = read_header(data)
    if header.hash_count:
        raise FormatError(f"{source.name}: this is a model of floret, not of fastText")
    words, their_labels = read_dictionary(data, header)
    vocab, rows = choose_words(words, options, report)
    if rows is not None:
        words = words.at(rows)
    kept, order = _read_pruned(data, header)
    word_rows, bucket_rows, quantised = _read_input(data, header, rows, order)
    labels = {
        decode(their_labels[i], header.n_words + i, options.errors, source.name)[0]: int(count)
        for i, count in enumerate(their_labels.counts.tolist())
    }
    result = FastTextModelData(
        header.args, vocab, word_rows, bucket_rows, None, header.n_tokens, labels, kept,
        quantised, header.version, (words.word_bytes, words.word_offsets),
    )  # fmt: skip
    if with_output:
        result.output = _read_output(data, header, quantised=quantised)
    else:
        _note_missing_output(data, header, report, quantised=quantised)
    return result


def read_header(data: ModelBytes) -> Header:
    """Read the header of a model of fastText or floret; what is none is refused."""
    head = data.some(HEADER_BYTES)
    header = parse_header(head)
    if header is not None:
        data.put_back(head[header.n_bytes :])
        return header
    raise _wrong_header(data, head)


def _wrong_header(data: ModelBytes, head: bytes) -> FormatError:
    """Say what is wrong with the front of a file."""
    if head[:4] == SWAPPED_MAGIC_BYTES:
        return data.damaged(0, "a model from a big-endian machine, which firth does not read")
    if head[:4] != MAGIC_BYTES:
        return data.damaged(0, "this is no model of fastText: its magic number is not there")
    if len(head) < HEADER_BYTES:
        return data.damaged(len(head), "the file ends within its header. Get it again")
    version = int.from_bytes(head[4:8], "little", signed=True)
    if version > NEWEST_VERSION:
        return data.damaged(
            4, f"the format has version {version}; firth knows up to {NEWEST_VERSION}"
        )
    return data.damaged(8, "the parameters of training make no sense; the file is damaged")


def _read_pruned(
    data: ModelBytes, header: Header
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """Read which buckets were kept; gives them rising, and the row of each."""
    if header.n_pruned < 0:
        return None, None
    at = data.position
    pairs = data.array((header.n_pruned, 2), "<i4", "the list of kept buckets").astype(np.int64)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    kept, order = pairs[:, 0], pairs[:, 1]
    if len(kept) and (
        (np.diff(kept) == 0).any()
        or not 0 <= kept[0] <= kept[-1] < header.args.bucket
        or not 0 <= order.min() <= order.max() < len(kept)
    ):
        raise data.damaged(at, "the list of kept buckets is damaged: numbers out of range")
    return np.ascontiguousarray(kept), np.ascontiguousarray(order)


def _read_input(
    data: ModelBytes,
    header: Header,
    rows: NDArray[np.int64] | None,
    order: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32], bool]:
    """Read the input matrix: rows of the wanted words, rows of buckets, whether quantised."""
    quantised = read_flag(data, header)
    n_buckets = header.args.bucket if order is None else len(order)
    n_rows = header.n_words + n_buckets
    at = data.position
    if quantised:
        matrix = read_quantised(data, "the input matrix")
        check_input_shape(data, at, matrix.shape, (n_rows, header.args.dim))
        word_rows, buckets = matrix[: header.n_words], matrix[header.n_words :]
        word_rows = word_rows.copy() if rows is None else word_rows[rows]
    else:
        shape = data.values("<2q", "the sizes of the input matrix")
        check_input_shape(data, at, shape, (n_rows, header.args.dim))
        what = "the rows of the words"
        word_rows = data.rows(header.n_words, header.args.dim, rows, what)
        buckets = data.array((n_buckets, header.args.dim), "<f4", "the rows of the buckets")
    if order is not None:
        buckets = buckets[order]
    return word_rows, np.ascontiguousarray(buckets), quantised


def read_flag(data: ModelBytes, header: Header) -> bool:
    """Read whether the matrix that follows is quantised."""
    if header.version == 0:
        return False
    at = data.position
    (flag,) = data.values("<B", "the mark of a quantised matrix")
    if flag > 1:
        raise data.damaged(at, f"{flag} stands where 0 or 1 belongs; the file is damaged")
    return bool(flag)


def check_input_shape(
    data: ModelBytes, at: int, shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    """Refuse an input matrix of another shape than the header says."""
    if shape != expected:
        raise data.damaged(
            at,
            f"an input matrix of {shape[0]:,} x {shape[1]:,}, where words, buckets and vectors of "
            f"this model make {expected[0]:,} x {expected[1]:,}; the file is damaged",
        )


def _read_output(data: ModelBytes, header: Header, *, quantised: bool) -> NDArray[np.float32]:
    if read_flag(data, header) and quantised:
        return read_quantised(data, "the output matrix")
    at = data.position
    n_rows, dim = data.values("<2q", "the sizes of the output matrix")
    n_outputs = header.n_labels if header.is_supervised else header.n_words
    if dim != header.args.dim or n_rows != n_outputs:
        raise data.damaged(
            at,
            f"an output matrix of {n_rows:,} x {dim:,}, where {n_outputs:,} x {header.args.dim:,} "
            f"belong; the file is damaged",
        )
    return data.array((n_rows, dim), "<f4", "the output matrix")


def _note_missing_output(
    data: ModelBytes, header: Header, report: LoadReport, *, quantised: bool
) -> None:
    """Tell of a file that ends within what was not read."""
    n_outputs = header.n_labels if header.is_supervised else header.n_words
    n_bytes = 17 + n_outputs * header.args.dim * 4
    if data.n_left is not None and data.n_left < n_bytes and header.version and not quantised:
        report.notes.append(
            "the file is cut off within its output matrix, which only training needs"
        )


# --- writing --------------------------------------------------------------------------------------


def _write(table: VectorTable, file: BinaryIO) -> None:
    _write_model(_model_of(table), file)


def write_fasttext_model(
    data: FastTextModelData, target: str | os.PathLike[str] | BinaryIO
) -> None:
    """Write a model as fastText does, version 12.

    Parameters
    ----------
    data : FastTextModelData
        What to write. Without an output matrix zeros are written, as before training.
    target : str, path or binary file
        Where to. A file appears whole, compressed if its name ends so.

    Raises
    ------
    ParameterError
        If the model is a classifier, quantised or pruned, its matrices do not fit each other, or a
        word has a zero byte, which ends a word in the file.
    OutputError
        If the file cannot be written.
    """
    if hasattr(target, "write"):
        _write_model(data, cast("BinaryIO", target))
        return
    with new_file(Path(target).expanduser()) as file:
        _write_model(data, file)


def _write_model(data: FastTextModelData, file: BinaryIO) -> None:
    _check_writable(data)
    vocab, args, word_rows = data.vocab, data.args, _rows_of_words(data)
    file.write(header_bytes(args, len(vocab), data.n_tokens))
    for begin in range(0, len(vocab), _BLOCK_ROWS):
        words = vocab.words[begin : begin + _BLOCK_ROWS]
        counts = vocab.counts[begin : begin + _BLOCK_ROWS].astype("<i8")
        entries = (
            word.encode() + b"\0" + count.tobytes() + b"\0"
            for word, count in zip(words, counts, strict=True)
        )
        file.write(b"".join(entries))
    n_buckets = len(data.bucket_rows)
    _write_matrix(file, len(vocab) + n_buckets, args.dim, word_rows, data.bucket_rows)
    if data.output is not None:
        _write_matrix(file, len(data.output), args.dim, data.output)
    else:
        _write_matrix(file, len(vocab), args.dim)


def _rows_of_words(data: FastTextModelData) -> NDArray[Any]:
    """Give the rows of words for version 12, in which the end of a sentence has no n-grams."""
    row = data.vocab.get(SENTENCE_END)
    if data.version > 0 or row is None:
        return data.word_rows
    rows = np.array(data.word_rows)
    rows[row] = data.vectors()[row]
    return rows


def _write_matrix(file: BinaryIO, n_rows: int, dim: int, *parts: NDArray[Any]) -> None:
    """Write a matrix that is not quantised, of parts; zeros where there are none."""
    file.write(b"\0" + np.array([n_rows, dim], "<i8").tobytes())
    for part in parts:
        for begin in range(0, len(part), _BLOCK_ROWS):
            block = np.ascontiguousarray(part[begin : begin + _BLOCK_ROWS], "<f4")
            file.write(block.reshape(-1).view(np.uint8).data)
    if not parts:
        for begin in range(0, n_rows, _BLOCK_ROWS):
            file.write(bytes(4 * dim * min(_BLOCK_ROWS, n_rows - begin)))


def _check_writable(data: FastTextModelData) -> None:
    args = data.args
    if args.model not in {"cbow", "sg"} or data.labels or data.kept is not None:
        raise ParameterError(
            "a classifier of fastText, or a model without some of its buckets, can be read but not "
            "written; write its vectors in another format"
        )
    if args.loss not in LOSSES[1:]:
        raise ParameterError(f"loss must be one of {', '.join(LOSSES[1:])}, not {args.loss!r}")
    shapes = {
        "word_rows": (data.word_rows.shape, (len(data.vocab), args.dim)),
        "bucket_rows": (data.bucket_rows.shape, (args.bucket, args.dim)),
    }
    if data.output is not None:
        shapes["output"] = (data.output.shape, (len(data.vocab), args.dim))
    for name, (shape, expected) in shapes.items():
        if shape != expected:
            raise ParameterError(f"{name} has the shape {shape}; {expected} belongs to this model")
    if (data.vocab.word_bytes == 0).any():
        word = next(word for word in data.vocab if "\0" in word)
        raise ParameterError(
            f"the word {word!r} has a zero byte, which ends a word in fastText's files; leave it "
            f"out or choose another format"
        )


def _model_of(table: VectorTable) -> FastTextModelData:
    """Make a model of a table: the one that it was, where it comes from one of fastText."""
    made = dict(table.config.get(NAME, {})) if isinstance(table.config, dict) else {}
    n_tokens = made.pop("n_tokens", None)
    try:
        args = FastTextArgs(**made)
    except TypeError:
        args = FastTextArgs()
    args = replace(args, dim=int(table.vectors.shape[1]))
    if not isinstance(n_tokens, int) or n_tokens < 0:
        n_tokens = int(table.vocab.total_count)
    parts = table.subwords
    if (
        isinstance(parts, FastTextSubwords)
        and parts.word_rows is not None
        and len(parts.word_rows) == len(table.vocab)
        and parts.kept is None
    ):
        args = replace(args, bucket=parts.bucket, min_n=parts.min_n, max_n=parts.max_n)
        if args.model == "sup":
            args = replace(args, model="sg", loss="ns")
        return FastTextModelData(
            args,
            table.vocab,
            parts.word_rows,
            parts.rows,
            n_tokens=n_tokens,
            version=0 if parts.sentence_end_ngrams else NEWEST_VERSION,
        )
    if parts is not None:
        logger.warning(
            "fastText's files cannot hold these subwords (%s): only the vectors of the words are "
            "written",
            parts.family,
        )
    args = replace(args, bucket=0, min_n=0, max_n=0, model="sg", loss="ns")
    nothing = np.zeros((0, args.dim), np.float32)
    return FastTextModelData(args, table.vocab, table.vectors, nothing, n_tokens=n_tokens)


FASTTEXT = Format(
    NAME,
    "fastText, binary (.bin, .ftz), with subwords",
    (".bin", ".ftz"),
    _recognise,
    _read,
    write_file=_write,
    suits=lambda table: table.subwords is not None and table.subwords.family == "fasttext",
)

r"""floret's tables (``.floret``) and binary models (``.bin``); read only.

The table is text; its rows stand for buckets, not for words, and its header has what is needed to
find those of a word (see `firth.subwords.FloretSubwords`)::

    <bucket> <dim> <minn> <maxn> <hashCount> <hashSeed> <BOW> <EOW>\n
    <number of the row, from 0> <number> ... <number>\n

The words with their vectors lie beside it, in a ``.vec`` file of the same name, which is word2vec's
text. Without one, the words are those of ``only=``.

The binary model is fastText's (see `firth.formats.fasttext`) with two more parameters between
`maxn` and `lrUpdateRate`::

    int32  mode             1 fasttext, 2 floret
    int32  hashCount        1 to 4

Its magic number and version are fastText's too: what the parameters and sizes make sense as tells
them apart. In mode floret the rows of words are not used, but for the first one. A model in mode
fasttext is read as one of fastText.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, ParameterError
from firth.formats._fasttext_bytes import ModelBytes
from firth.formats._fasttext_dictionary import choose_words, read_dictionary
from firth.formats._fasttext_header import HEADER_BYTES, parse_header
from firth.formats._format import Format, ReadOptions
from firth.formats._header import Header
from firth.formats._rows import finish_table
from firth.formats._table import LoadReport, VectorTable
from firth.formats._text_rows import read_text_rows
from firth.formats.fasttext import check_input_shape, read_flag, read_header
from firth.formats.word2vec_text import WORD2VEC_TEXT
from firth.subwords import FloretSubwords
from firth.vocab import Vocab

if TYPE_CHECKING:
    from firth.formats._source import VectorSource

NAME = "floret"
_NUMBER = rb"[ \t]+(\d{1,10})"
_HEADER = re.compile(
    rb"(?:\xef\xbb\xbf)?(\d{1,10})" + _NUMBER * 5 + rb"[ \t]+(\S{1,64})[ \t]+(\S{1,64})[ \t\r]*\n"
)
_SUFFIXES_BESIDE = (".vec", ".vec.gz", ".bin")


def _recognise(source: VectorSource) -> bool:
    if source.is_folder:
        return False
    return _is_binary(source) or _HEADER.match(source.head) is not None


def _is_binary(source: VectorSource) -> bool:
    header = parse_header(source.head[:HEADER_BYTES])
    return header is not None and header.hash_count > 0


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    return _read_binary(source, options) if _is_binary(source) else _read_table(source, options)


# --- the table ------------------------------------------------------------------------------------


def _read_table(source: VectorSource, options: ReadOptions) -> VectorTable:
    found = _HEADER.match(source.head)
    if found is None:
        raise FormatError(f"{source.name}: line 1 is no header of floret, and no model is binary")
    n_buckets, dim, min_n, max_n, hash_count, seed = map(int, found.groups()[:6])
    marks = [mark.decode("utf-8", "replace") for mark in found.groups()[6:]]
    source.read(found.end())
    report = LoadReport(NAME, source.name, rows_claimed=n_buckets)
    Header(n_buckets, dim, found.end()).check(source, ReadOptions(), least_row=2 * dim)
    buckets = read_text_rows(source, dim, ReadOptions(), report, first_line=2)
    numbers = buckets.vocab.ids([str(number) for number in range(len(buckets.vocab))])
    if len(buckets.vocab) != n_buckets or (numbers < 0).any():
        raise FormatError(
            f"{source.name}: line 1 claims {n_buckets:,} buckets; rows 0 to {n_buckets - 1:,} must "
            f"follow, each once. The file is cut off or damaged"
        )
    try:
        subwords = FloretSubwords(
            buckets.vectors if (np.diff(numbers) == 1).all() else buckets.vectors[numbers],
            min_n, max_n, hash_count=hash_count, seed=seed,
            begin_mark=marks[0], end_mark=marks[1],
        )  # fmt: skip
    except ParameterError as error:
        raise FormatError(f"{source.name}: line 1: {error}") from error
    table = _words_of(source, subwords, options)
    if table.vectors.shape[1] != dim:
        raise FormatError(
            f"{source.name}: has vectors of size {dim}, but the words beside it have "
            f"{table.vectors.shape[1]}; the two files do not belong together"
        )
    table.subwords = subwords.astype(options.dtype)
    table.config = {NAME: subwords.config() | {"bucket": n_buckets}}
    return table


def _words_of(source: VectorSource, subwords: FloretSubwords, options: ReadOptions) -> VectorTable:
    """Find the words of a table: beside it, or those that are asked for."""
    name = PurePath(source.name).name
    stem = name.removesuffix(".gz").removesuffix(PurePath(name.removesuffix(".gz")).suffix)
    for suffix in _SUFFIXES_BESIDE:
        beside = source.sibling(stem + suffix) if stem + suffix != name else None
        if beside is None:
            continue
        with beside:
            if suffix == ".bin" and _is_binary(beside):
                return _read_binary(beside, options)
            if suffix != ".bin" and WORD2VEC_TEXT.recognise(beside):
                table = WORD2VEC_TEXT.read(beside, options)
                if table.report is not None:
                    table.report.format, table.report.source = NAME, source.name
                    table.report.notes.append(f"the words are those of {beside.name}")
                return table
    if options.only is None:
        raise FormatError(
            f"{source.name}: a table of floret has no words; put its {stem}.vec beside it, or give "
            f"the words that you want as only="
        )
    words = sorted(options.only)[: options.limit]
    report = LoadReport(NAME, source.name, rows_read=len(words))
    return finish_table(Vocab.from_words(words), subwords.vectors(words), options, report)


# --- the binary model -----------------------------------------------------------------------------


def _read_binary(source: VectorSource, options: ReadOptions) -> VectorTable:
    data = ModelBytes(source)
    header = read_header(data)
    report = LoadReport(NAME, source.name)
    if header.n_pruned >= 0 or header.is_supervised:
        raise FormatError(f"{source.name}: a classifier of floret, which firth does not read")
    words, _ = read_dictionary(data, header)
    vocab, rows = choose_words(words, options, report)
    args = header.args
    at = data.position
    if read_flag(data, header):
        raise data.damaged(at, "a quantised model of floret, which firth does not read")
    shape = data.values("<2q", "the sizes of the input matrix")
    check_input_shape(data, at, shape, (header.n_words + args.bucket, args.dim))
    first = np.zeros(1, np.int64)
    own = data.rows(header.n_words, args.dim, first, "the rows of the words")
    buckets = data.array((args.bucket, args.dim), "<f4", "the rows of the buckets")
    try:
        subwords = FloretSubwords(buckets, args.min_n, args.max_n, hash_count=header.hash_count)
    except ParameterError as error:
        raise FormatError(f"{source.name}: {error}") from error
    if rows is not None:
        words = words.at(rows)
    vectors = subwords.compose(words.word_bytes, words.word_offsets)
    if rows is None or rows[0] == 0:
        # floret forgets to leave out the row of the first word, mostly the end of a sentence.
        one = words.between(0, 1)
        subwords.compose(one.word_bytes, one.word_offsets, own, out=vectors[:1])
    config: dict[str, Any] = args.as_dict()
    config |= {"hash_count": header.hash_count, "n_tokens": header.n_tokens}
    return finish_table(
        vocab,
        vectors,
        options,
        report,
        subwords=subwords,
        config={NAME: config},
    )


FLORET = Format(NAME, "floret, table (.floret) or binary (.bin)", (".floret",), _recognise, _read)

"""Vectors that gensim saved with ``save()``: `KeyedVectors`, `Word2Vec`, `FastText`, `Doc2Vec`.

::

    model.kv                          a pickle of the object, its small arrays in it
    model.kv.vectors.npy              arrays of 10 MB and more, each in a file beside it
    model.model.wv.vectors.npy        of a model, under the path of the field in the object
    model.kv.gz.vectors.npz           where the name ends in .gz or .bz2: an archive with "val"

The names of the fields by version::

    words       index_to_key (4), index2word or index2entity (1 to 3), of the model itself before
    matrix      vectors (from 3.3), syn0 (before)
    counts      expandos["count"] (4), vocab[word].count (before)
    FastText    vectors_vocab, vectors_ngrams, min_n, max_n, bucket; `vectors` is not saved

Read only. The pickle is read by `firth.formats.restricted_pickle`, which runs nothing; gensim need
not be installed. The output weights of a model are not read.
"""

from __future__ import annotations

import mmap
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, ParameterError
from firth.formats._chooser import WORDS_A_BLOCK, RowChooser, take_rows
from firth.formats._format import Format
from firth.formats._npy import NpzArchive, read_npy
from firth.formats._rows import finish_table
from firth.formats._table import LoadReport
from firth.formats.restricted_pickle import PickledArray, Record, load_restricted
from firth.subwords import FastTextSubwords

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable

_NAME = "gensim"
# The class of what was saved stands at the beginning: a pickle of protocol 2 or later of gensim's.
_BEGINNING = re.compile(rb"\x80[\x02-\x05](\x95.{8})?.{0,64}?gensim\.", re.DOTALL)
# Large dicts that tell nothing which the list of words does not.
_UNWANTED = frozenset({"key_to_index", "vectors_lockf", "lifecycle_events", "raw_vocab"})
_WORDS = ("index_to_key", "index2word", "index2entity")
_MATRIX = ("vectors", "syn0")


def _recognise(source: VectorSource) -> bool:
    return not source.is_folder and _BEGINNING.match(source.head) is not None


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    root = load_restricted(_all_bytes(source), source.name, unwanted=_UNWANTED)
    if not isinstance(root, Record):
        raise FormatError(f"{source.name}: no object of gensim, but {type(root).__name__}")
    saved = _Saved(source, root)
    owner, words = saved.find()
    report = LoadReport(_NAME, source.name)
    counts = saved.counts(owner, words)
    chooser = RowChooser(options, report)
    for begin in range(0, len(words), WORDS_A_BLOCK):
        if chooser.is_full:
            break
        part = slice(begin, begin + WORDS_A_BLOCK)
        chooser.add(words[part], None if counts is None else counts[part])
    vocab, rows = chooser.vocab(), chooser.rows()
    matrix, own_rows = saved.matrices(owner, len(words))
    own_rows = None if own_rows is None else take_rows(own_rows, rows, "float32")
    subwords = saved.subwords(owner, own_rows)
    if matrix is not None:
        vectors = take_rows(matrix, rows, options.dtype)
    elif own_rows is None:
        raise FormatError(
            f"{source.name}: has words but no matrix of vectors; save the vectors in gensim with "
            f"model.wv.save(...) and give that file"
        )
    elif subwords is not None:
        vectors = subwords.compose(vocab.word_bytes, vocab.word_offsets, own_rows)
    else:
        vectors = own_rows
        if saved.notes:
            raise FormatError(
                f"{source.name}: {saved.notes[-1]}; load it in gensim 3.8 and save it"
            )
    report.notes += saved.notes
    config = {"made_by": "gensim", "class": str(root.kind)}
    return finish_table(vocab, vectors, options, report, subwords=subwords, config=config)


def _all_bytes(source: VectorSource) -> memoryview:
    """Give the bytes of the file: mapped where they lie on the disk as they are."""
    if source.path is not None and source.size:
        with source.path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return memoryview(b"".join(source.chunks()))


class _Saved:
    """An object that gensim saved, and the files beside it."""

    def __init__(self, source: VectorSource, root: Record) -> None:
        self.source = source
        self.root = root
        self.notes: list[str] = []
        self.prefixes: dict[int, str] = {id(root): ""}

    def find(self) -> tuple[Record, list[str]]:
        """Find the object that has the vectors, and its words."""
        owners = [self.root]
        for field in ("wv", "keyed_vectors"):
            part = self.root.fields.get(field)
            if isinstance(part, Record):
                self.prefixes[id(part)] = field + "."
                owners.insert(0, part)
                break
        for owner in owners:
            for name in _WORDS:
                words = owner.fields.get(name)
                if isinstance(words, PickledArray):
                    words = words.values
                if isinstance(words, list) and words:
                    self.check_words(words)
                    return owner, words
        raise FormatError(
            f"{self.source.name}: the {self.root.kind} in it has no word vectors; save the "
            f"vectors in gensim with model.wv.save(...) and give that file"
        )

    def check_words(self, words: list[Any]) -> None:
        """Check that all words are texts; integers (keys of documents) become digits."""
        kinds = set(map(type, words))
        if int in kinds:
            words[:] = [str(word) if type(word) is int else word for word in words]
            self.notes.append("keys that were integers are read as text")
            kinds = set(map(type, words))
        if not kinds <= {str, memoryview, bytes}:
            raise FormatError(
                f"{self.source.name}: a word is no text, but {sorted(k.__name__ for k in kinds)}"
            )
        if memoryview in kinds:
            words[:] = [bytes(word) if type(word) is memoryview else word for word in words]

    def matrices(
        self, owner: Record, n_words: int
    ) -> tuple[NDArray[Any] | None, NDArray[Any] | None]:
        """Give the matrix of the vectors, and for FastText that of the words without n-grams.

        Each of shape (n_words, vector_size). FastText's vectors are not saved from gensim 4 on.
        """
        candidates = ((holder, name) for name in _MATRIX for holder in (owner, self.root))
        found = (self.array(holder, name) for holder, name in candidates)
        matrix = next((array for array in found if array is not None), None)
        own_rows = self.array(owner, "vectors_vocab")
        for array in (matrix, own_rows):
            if array is not None and (array.ndim != 2 or len(array) != n_words):
                raise FormatError(
                    f"{self.source.name}: has {n_words:,} words and a matrix of shape "
                    f"{array.shape}; the files do not belong together, or the file is damaged"
                )
        return matrix, own_rows

    def subwords(self, owner: Record, own_rows: NDArray[Any] | None) -> FastTextSubwords | None:
        """Give the n-grams of FastText, if there are any that are hashed as fastText does."""
        rows = self.array(owner, "vectors_ngrams")
        if rows is None:
            return None
        min_n, max_n, bucket = (
            owner.fields.get(name, self.root.fields.get(name))
            for name in ("min_n", "max_n", "bucket")
        )
        if type(min_n) is not int or type(max_n) is not int or type(bucket) is not int:
            return None
        if bucket == 0 or rows.ndim != 2:
            return None
        # Before 3.8 gensim hashed in a way of its own; before 3.7 it kept the n-grams it had seen.
        if owner.fields.get("compatible_hash") is not True or bucket != len(rows):
            self.notes.append(
                "the n-grams are those of a gensim before 3.8, which hashed them in its own way; "
                "they are not read, and unseen words get no vectors"
            )
            return None
        try:
            return FastTextSubwords(
                np.ascontiguousarray(rows, np.float32),
                min_n,
                max_n,
                bucket=bucket,
                word_rows=own_rows,
            )
        except ParameterError as error:
            raise FormatError(
                f"{self.source.name}: the n-grams cannot be used: {error}; the file is damaged"
            ) from error

    def counts(self, owner: Record, words: list[str]) -> NDArray[np.int64] | None:
        """Give how often each word was seen, where the file tells."""
        expandos = owner.fields.get("expandos")
        count = expandos.get("count") if isinstance(expandos, dict) else None
        if isinstance(count, PickledArray) and isinstance(count.values, np.ndarray):
            values = count.values
            if values.shape == (len(words),) and values.dtype.kind in "iu":
                return values.astype(np.int64)
        entries = owner.fields.get("vocab") or self.root.fields.get("vocab")
        if isinstance(entries, Record):  # an OrderedDict
            entries = entries.fields
        if isinstance(entries, dict):
            return np.fromiter((_count_of(entries.get(word)) for word in words), np.int64)
        return None

    def array(self, owner: Record, name: str) -> NDArray[Any] | None:
        """Give an array of an object: from the pickle, or from a file beside it."""
        value = owner.fields.get(name)
        if isinstance(value, PickledArray) and isinstance(value.values, np.ndarray):
            return value.values
        separate = owner.fields.get("__numpys")
        if not isinstance(separate, list) or name not in separate:
            return None
        own_name = re.split(r"[/\\]", self.source.name)[-1]
        stem = f"{own_name}.{self.prefixes.get(id(owner), '')}{name}"
        for suffix in (".npy", ".npz"):
            beside = self.source.sibling(stem + suffix)
            if beside is None:
                continue
            try:
                return read_npy(beside) if suffix == ".npy" else _read_npz(beside)
            finally:
                beside.close()
        raise FormatError(
            f"{self.source.name}: the file {stem}.npy is missing; gensim keeps large arrays in "
            f"files of their own: copy all that begin with {own_name} to the same folder"
        )


def _read_npz(source: VectorSource) -> NDArray[Any]:
    archive = NpzArchive(source)
    try:
        if "val" not in archive:
            names = ", ".join(islice(archive.names, 5))
            raise FormatError(f"{source.name}: has no array 'val', but: {names or 'nothing'}")
        return archive.numbers("val")
    finally:
        archive.close()


def _count_of(entry: object) -> int:
    count = entry.fields.get("count") if isinstance(entry, Record) else None
    return count if isinstance(count, int) and 0 <= count < 1 << 62 else 0


GENSIM = Format(
    name=_NAME,
    title="gensim's own saved vectors and models",
    suffixes=(".kv", ".model", ".wordvectors"),
    recognise=_recognise,
    read=_read,
)

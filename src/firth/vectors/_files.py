"""Words and their vectors, in files and folders."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self, cast

import numpy as np

from firth.errors import FormatError, ParameterError, VocabularyError
from firth.formats import VectorTable, open_folder, save_folder
from firth.storage import open_tensors, save_tensors
from firth.vectors._attributes import Attributes
from firth.vectors._index import IndexedVectors
from firth.vectors._word2vec_files import in_order_of, with_counts, write_values

logger = logging.getLogger("firth")

ATTRIBUTES_FILE = "attributes.safetensors"
_UTF8 = {"utf8", "utf-8", "utf_8"}


class StoredVectors(IndexedVectors):
    """What `KeyedVectors` reads and writes; see there."""

    def save(
        self,
        target: str | os.PathLike[str],
        format: str | None = None,  # noqa: A002 (the word of the field)
        *,
        extra_config: Mapping[str, Any] | None = None,
        extra_files: Mapping[str, Callable[[Path], None]] | None = None,
    ) -> None:
        """Write words, vectors and subwords to a folder that opens at once, or to another format.

        The folder or file appears whole: until it does, what was there before stays as it is.

        Parameters
        ----------
        target : str or Path
            Where to. A folder that firth wrote is replaced, and so is a file.
        format : str, optional
            One of `firth.formats.FORMATS`; the folder of firth otherwise, whatever the name is.
        extra_config : mapping, optional
            What else to note in the ``config.json`` of a folder of firth, as JSON can hold it:
            how the vectors were made.
        extra_files : mapping of str to callable, optional
            What else belongs into a folder of firth: names of files, and what writes each to its
            path.

        Raises
        ------
        OutputError
            If the target is something else, or the disk is full.
        ParameterError
            If there is no such format, it cannot be written, or `extra_config` has a name that
            the folder uses itself or is given for another format.
        """
        if not len(self):
            raise VocabularyError("there are no words to save; add some with add_vectors")
        if format in {None, "firth"}:
            files = dict(extra_files or {}) | self._attributes_file() | self._index_files()
            save_folder(self._table(), target, extra_config, files)
            return
        for name, extra in (("extra_config", extra_config), ("extra_files", extra_files)):
            if extra:
                raise ParameterError(f"{name} goes into a folder of firth only; leave it out")
        from firth.formats import write_vectors

        write_vectors(self._table(), target, format=format)

    @classmethod
    def load(
        cls,
        source: "str | os.PathLike[str] | BinaryIO",
        **options: Any,
    ) -> Self:
        """Open or read word vectors.

        Parameters
        ----------
        source : str, path or binary file
            A folder that `save` wrote, which opens by memory map: nothing is read before it is
            asked for. Or a file or folder in another format, also compressed or in an archive.
        **options
            Those of `firth.formats.read_vectors`: format, only, limit, dtype, strict, errors,
            progress. With any of them a folder of firth is read instead of mapped.

        Raises
        ------
        SourceError
            There is no such file or folder.
        FormatError
            It is in no format that firth knows, or a file is missing, cut off or another's.

        Examples
        --------
        ``wv = KeyedVectors.load("wiki100")`` takes milliseconds for any number of words.
        """
        if isinstance(source, str | os.PathLike) and not options:
            path = Path(source).expanduser()
            if path.is_dir():
                table = _open_or_read(path)
                attributes = _open_attributes(path / ATTRIBUTES_FILE, len(table.vocab))
                return cls._of(table, attributes)._at(path)  # noqa: SLF001 (one of our own)
        from firth.formats import read_vectors

        return cls._of(read_vectors(source, **options))

    def save_word2vec_format(
        self,
        fname: str | os.PathLike[str],
        fvocab: str | os.PathLike[str] | None = None,
        binary: bool = False,
        *,
        write_header: bool = True,
        prefix: str = "",
        sort_attr: str = "count",
    ) -> None:
        """Write words and vectors as word2vec.c does; as gensim's method of this name.

        Parameters
        ----------
        fname : str or path
            The file, compressed if its name ends in ``.gz``, ``.bz2``, ``.xz`` or ``.zst``.
        fvocab : str or path, optional
            Write the words with their counts there, a line each.
        binary : bool
            Write the binary format instead of text.
        write_header : bool
            False: without the line of sizes, as GloVe does; text only.
        prefix : str
            Write this before each word.
        sort_attr : str
            Write words by falling values of this attribute, equal ones in the order of their rows;
            it is also what goes into `fvocab`. See `get_vecattr`.

        Raises
        ------
        OutputError
            If a file cannot be written.
        ParameterError
            If the binary format is asked for without its header, or there is no such attribute.
        """
        from firth.formats import write_vectors

        if binary and not write_header:
            raise ParameterError("word2vec's binary format has a header; give write_header=True")
        format = "word2vec-binary" if binary else "word2vec-text" if write_header else "glove"  # noqa: A001
        values = self._vocab.counts
        if sort_attr != "count":
            values = np.array([self.get_vecattr(row, sort_attr) for row in range(len(self))])
        table = in_order_of(self._table(), values, prefix)
        if fvocab is not None:
            rows = np.argsort(-values, kind="stable")
            write_values(table.vocab, values[rows].tolist(), Path(fvocab))
        write_vectors(table, fname, format=format)

    @classmethod
    def load_word2vec_format(
        cls,
        fname: "str | os.PathLike[str] | BinaryIO",
        fvocab: str | os.PathLike[str] | None = None,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: Literal["strict", "replace", "ignore"] = "strict",
        limit: int | None = None,
        datatype: Any = np.float32,
        no_header: bool = False,
    ) -> Self:
        """Read word vectors in word2vec's formats; as gensim's method of this name.

        `load` recognises these and all other formats.

        Parameters
        ----------
        fname : str, path or binary file
            The file, also compressed or in an archive.
        fvocab : str or path, optional
            A file of words with their counts, a line each.
        binary : bool
            Whether it is the binary format.
        encoding : str
            UTF-8 is the only one.
        unicode_errors : "strict", "replace" or "ignore"
            What to do with words that are no UTF-8.
        limit : int, optional
            Read only so many words, the first ones.
        datatype : numpy dtype
            float32 or float16.
        no_header : bool
            The text has no line of sizes, as GloVe's.

        Raises
        ------
        SourceError
            There is no such file.
        FormatError
            It is in another format, damaged, or `fvocab` is no list of words and counts.
        ParameterError
            A parameter is none of these.
        """
        from firth.formats import read_vectors

        _check_encoding(encoding)
        dtype = np.dtype(datatype).name
        table = read_vectors(
            fname,
            format="word2vec-binary" if binary else "glove" if no_header else "word2vec-text",
            errors=unicode_errors,
            limit=limit,
            dtype=cast("Any", dtype),
        )
        if fvocab is not None:
            table = replace(table, vocab=with_counts(table.vocab, Path(fvocab)))
        return cls._of(table)

    def intersect_word2vec_format(
        self,
        fname: "str | os.PathLike[str] | BinaryIO",
        lockf: float = 0.0,
        binary: bool = False,
        encoding: str = "utf8",
        unicode_errors: Literal["strict", "replace", "ignore"] = "strict",
    ) -> None:
        """Take the vectors of a file for the words that are here and there; as gensim's method.

        No word joins, and the others keep their vectors. Of a model before its training, as
        ``model.wv.intersect_word2vec_format(...)``: it starts from vectors of others.

        Parameters
        ----------
        fname : str, path or binary file
            A file in word2vec's format, also compressed or in an archive. Only what is wanted of
            it is kept in memory.
        lockf : float
            What training moves these words by, from 0 (not at all) to 1: their places in
            `vectors_lockf`, which gets 1 for the others where there is none yet.
        binary : bool
            Whether it is the binary format.
        encoding : str
            UTF-8 is the only one.
        unicode_errors : "strict", "replace" or "ignore"
            What to do with words that are no UTF-8.

        Raises
        ------
        SourceError
            There is no such file.
        FormatError
            It is in another format, or damaged.
        ParameterError
            It has vectors of another size, or none of the words.
        """
        from firth.formats import read_vectors

        _check_encoding(encoding)
        if not len(self):
            raise ParameterError("there are no words yet that vectors could be taken for")
        table = read_vectors(
            fname,
            format="word2vec-binary" if binary else "word2vec-text",
            only=self._vocab.words,
            errors=unicode_errors,
        )
        if table.vectors.shape[1] != self.vector_size:
            raise ParameterError(
                f"{fname}: has vectors of size {table.vectors.shape[1]}; these have "
                f"{self.vector_size}"
            )
        words = list(table.vocab)
        rows = self._vocab.ids(words)
        self._data.put(rows, table.vectors)
        locks = np.asarray(getattr(self, "vectors_lockf", np.ones(1)), np.float32)
        locks = np.array(np.broadcast_to(locks, (len(self),)) if locks.shape == (1,) else locks)
        locks[rows] = lockf
        self.vectors_lockf = locks
        logger.info("took the vectors of %s of %s words from %s", len(rows), len(self), fname)

    # --- within -----------------------------------------------------------------------------------

    def _attributes_file(self) -> dict[str, Callable[[Path], None]]:
        """Tell how to write the attributes that a folder can keep, where there are some."""
        numbers = self._attributes.numbers(len(self))
        if lost := sorted(set(self._attributes.names) - set(numbers)):
            logger.warning("not saved, as a folder keeps attributes of numbers only: %s", lost)
        return {ATTRIBUTES_FILE: partial(save_tensors, tensors=numbers)} if numbers else {}


def _open_or_read(path: Path) -> VectorTable:
    """Open a folder of firth by memory map, or read one in another format."""
    try:
        return open_folder(path)
    except FormatError:
        from firth.formats import FORMATS, VectorSource, read_vectors

        with VectorSource(path) as source:
            others = (each for name, each in FORMATS.items() if name != "firth")
            if any(each.recognise(source) for each in others):
                return read_vectors(path)
        raise


def _open_attributes(path: Path, n_words: int) -> Attributes:
    """Open the attributes of a folder by memory map, where it has some."""
    if not path.is_file():
        return Attributes()
    columns = open_tensors(path)
    for name, column in columns.items():
        if column.shape != (n_words,):
            raise FormatError(
                f"{path}: has {name!r} of shape {column.shape} for {n_words:,} words; the files of "
                f"this folder do not belong together"
            )
    return Attributes(columns)


def _check_encoding(encoding: str) -> None:
    if encoding.lower() not in _UTF8:
        raise ParameterError(
            f"encoding is {encoding!r}; firth reads UTF-8. Convert the file: "
            f"iconv -f {encoding} -t utf-8"
        )

"""Words and their vectors, in files and folders."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self, cast

import numpy as np

from firth.errors import FormatError, OutputError, ParameterError, SourceError
from firth.formats import VectorTable, open_folder, save_folder
from firth.vectors._index import IndexedVectors
from firth.vocab import Vocab

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
        if format in {None, "firth"}:
            extra_files = self._index_files() | dict(extra_files or {})
            save_folder(self._table(), target, extra_config, extra_files)
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
                return cls._of(_open_or_read(path))._at(path)  # noqa: SLF001 (one of our own)
        from firth.formats import read_vectors

        return cls._of(read_vectors(source, **options))

    def save_word2vec_format(
        self,
        fname: str | os.PathLike[str],
        fvocab: str | os.PathLike[str] | None = None,
        binary: bool = False,
        *,
        write_header: bool = True,
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

        Raises
        ------
        OutputError
            If a file cannot be written.
        ParameterError
            If the binary format is asked for without its header.
        """
        from firth.formats import write_vectors

        if binary and not write_header:
            raise ParameterError("word2vec's binary format has a header; give write_header=True")
        format = "word2vec-binary" if binary else "word2vec-text" if write_header else "glove"  # noqa: A001
        if fvocab is not None:
            _write_counts(self._vocab, Path(fvocab))
        write_vectors(self._table(), fname, format=format)

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

        if encoding.lower() not in _UTF8:
            raise ParameterError(
                f"encoding is {encoding!r}; firth reads UTF-8. Convert the file: "
                f"iconv -f {encoding} -t utf-8"
            )
        dtype = np.dtype(datatype).name
        table = read_vectors(
            fname,
            format="word2vec-binary" if binary else "glove" if no_header else "word2vec-text",
            errors=unicode_errors,
            limit=limit,
            dtype=cast("Any", dtype),
        )
        if fvocab is not None:
            table = replace(table, vocab=_with_counts(table.vocab, Path(fvocab)))
        return cls._of(table)


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


def _write_counts(vocab: Vocab, path: Path) -> None:
    counts = vocab.counts.tolist()
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{word} {n}\n" for word, n in zip(vocab, counts, strict=True))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _with_counts(vocab: Vocab, path: Path) -> Vocab:
    """Give the same words with the counts of a file; 0 for those that it does not have."""
    counts = np.zeros(len(vocab), np.int64)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                word, _, count = line.decode("utf-8", "replace").rstrip().rpartition(" ")
                if not count.isdecimal():
                    raise FormatError(f"{path}: line {number:,} is no word with its count")
                row = vocab.get(word)
                if row is not None:
                    counts[row] = int(count)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    return Vocab.from_arrays(vocab.word_bytes, vocab.word_offsets, counts)

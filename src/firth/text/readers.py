"""Sentences of files as lists of tokens, under gensim's names.

Models read files by themselves (``corpus_file=``); these are for programs that want the sentences.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from firth.errors import ParameterError, SourceError, TextError
from firth.text.files import find_files
from firth.text.opening import open_text

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SENTENCE_LENGTH = 10_000  # tokens; longer sentences are cut
_ASCII_SEPARATORS = b"\x1c\x1d\x1e\x1f"  # which are whitespace to str.split(), not to bytes.split()


class FileSentences(ABC):
    """An iterable of the sentences of files, which can be read as often as one likes."""

    @abstractmethod
    def __iter__(self) -> Iterator[list[str]]: ...

    def whole_files(self) -> Any:
        """Give what to read where all lines of files are sentences and nothing is left out.

        Returns
        -------
        path, list of Path, or None
            As `open_text` takes it, for rooms that read files faster than by lists of tokens.
        """
        return None


class LineSentence(FileSentences):
    r"""The lines of a text as sentences, their tokens separated by whitespace.

    Parameters
    ----------
    source : str, path or file
        Anything on disk that `open_text` reads, compressed or not; or an open file, which is
        rewound each time that the sentences are read.
    max_sentence_length : int, default 10,000
        Longer lines are cut into sentences of so many tokens.
    limit : int, optional
        Read so many lines only.

    Raises
    ------
    SourceError
        There is no such file.
    ParameterError
        `limit` or `max_sentence_length` is below 1.
    TextError
        While reading: the text is no UTF-8, or a file cannot be rewound.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("text.txt").write_text("you shall know\na word by its company\n")
    >>> list(LineSentence("text.txt", max_sentence_length=3))
    [['you', 'shall', 'know'], ['a', 'word', 'by'], ['its', 'company']]
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | BinaryIO,
        max_sentence_length: int = MAX_SENTENCE_LENGTH,
        limit: int | None = None,
    ) -> None:
        self.source = source
        self.max_sentence_length = _at_least_1("max_sentence_length", max_sentence_length)
        self.limit = None if limit is None else _at_least_1("limit", limit)
        if isinstance(source, str | os.PathLike):
            find_files(source)  # raises where there is nothing
        elif not hasattr(source, "read"):
            raise ParameterError(
                f"the source of sentences is {source!r:.60}: give a path or an open file"
            )

    def __iter__(self) -> Iterator[list[str]]:
        if not isinstance(self.source, str | os.PathLike):
            _rewind(self.source)
        return _line_sentences(self.source, self.max_sentence_length, self.limit)

    def whole_files(self) -> Any:
        """See `FileSentences.whole_files`."""
        is_whole = self.limit is None and self.max_sentence_length == MAX_SENTENCE_LENGTH
        return self.source if is_whole and isinstance(self.source, str | os.PathLike) else None


class PathLineSentences(FileSentences):
    r"""The lines of all files of a folder as sentences, in the order of the files' names.

    Parameters
    ----------
    source : str or path
        A folder, of which those files are read that lie in it directly and are not hidden; or one
        file.
    max_sentence_length : int, default 10,000
        Longer lines are cut into sentences of so many tokens.
    limit : int, optional
        Read so many lines of each file only.

    Attributes
    ----------
    input_files : list of str
        The files.

    Raises
    ------
    SourceError
        There is no such folder or file, or the folder has no files.
    ParameterError
        `limit` or `max_sentence_length` is below 1.
    TextError
        While reading: the text is no UTF-8.

    Examples
    --------
    >>> from pathlib import Path
    >>> Path("texts").mkdir()
    >>> _ = Path("texts/b.txt").write_text("a word\n")
    >>> _ = Path("texts/a.txt").write_text("you shall know\n")
    >>> list(PathLineSentences("texts"))
    [['you', 'shall', 'know'], ['a', 'word']]
    """

    def __init__(
        self,
        source: str | os.PathLike[str],
        max_sentence_length: int = MAX_SENTENCE_LENGTH,
        limit: int | None = None,
    ) -> None:
        self.source = source
        self.max_sentence_length = _at_least_1("max_sentence_length", max_sentence_length)
        self.limit = None if limit is None else _at_least_1("limit", limit)
        self.input_files = _files_of(source)

    def __iter__(self) -> Iterator[list[str]]:
        for name in self.input_files:
            yield from _line_sentences(Path(name), self.max_sentence_length, self.limit)

    def whole_files(self) -> Any:
        """See `FileSentences.whole_files`."""
        is_whole = self.limit is None and self.max_sentence_length == MAX_SENTENCE_LENGTH
        return [Path(name) for name in self.input_files] if is_whole else None


class Text8Corpus(FileSentences):
    """A text without sentences, such as text8, cut every so many tokens; lines do not count.

    Parameters
    ----------
    fname : str or path
        The file; `open_text` reads it, also where it is compressed (``text8.zip``).
    max_sentence_length : int, default 10,000
        Tokens of a sentence.

    Raises
    ------
    SourceError, ParameterError, TextError
        As of `LineSentence`.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("text8").write_text(" anarchism originated as a term of abuse")
    >>> list(Text8Corpus("text8", max_sentence_length=4))
    [['anarchism', 'originated', 'as', 'a'], ['term', 'of', 'abuse']]
    """

    def __init__(
        self, fname: str | os.PathLike[str], max_sentence_length: int = MAX_SENTENCE_LENGTH
    ) -> None:
        self.fname = fname
        self.max_sentence_length = _at_least_1("max_sentence_length", max_sentence_length)
        find_files(fname)

    def __iter__(self) -> Iterator[list[str]]:
        n = self.max_sentence_length
        sentence: list[str] = []
        for block in open_text(self.fname).blocks():
            sentence += _tokens(block)
            n_whole = len(sentence) // n * n
            for begin in range(0, n_whole, n):
                yield sentence[begin : begin + n]
            del sentence[:n_whole]
        if sentence:
            yield sentence


class BrownCorpus(FileSentences):
    r"""The sentences of the Brown corpus, as in the data of NLTK: a folder of tagged files.

    A token is written ``Word/tag``; it becomes ``word/ta``, the word in lower case with the first
    two letters of its tag. What has another tag (punctuation) is left out, and so are sentences of
    which nothing is left.

    Parameters
    ----------
    dirname : str or path
        The folder, of which those files are read that lie in it directly and are not hidden, in
        the order of their names.

    Raises
    ------
    SourceError
        There is no such folder, or it has no files.
    TextError
        While reading: the text is no UTF-8.

    Examples
    --------
    >>> from pathlib import Path
    >>> Path("brown").mkdir()
    >>> _ = Path("brown/ca01").write_text("The/at jury/nn further/rbr said/vbd ./.\n")
    >>> list(BrownCorpus("brown"))
    [['the/at', 'jury/nn', 'further/rb', 'said/vb']]
    """

    def __init__(self, dirname: str | os.PathLike[str]) -> None:
        self.dirname = dirname
        self._files = _files_of(dirname)

    def __iter__(self) -> Iterator[list[str]]:
        for name in self._files:
            for tokens in _line_sentences(Path(name), None, None):
                pairs = (token.split("/") for token in tokens if token.count("/") == 1)
                words = [f"{word.lower()}/{tag[:2]}" for word, tag in pairs if tag[:2].isalpha()]
                if words:
                    yield words


def _line_sentences(
    source: Any, max_sentence_length: int | None, limit: int | None
) -> Iterator[list[str]]:
    n_lines = 0
    sentence: list[str] = []
    for block in open_text(source).blocks():
        *lines, rest = block.split(b"\n")
        for line in lines:
            # A line that is longer than a block begins in the one before.
            yield from _cut(sentence + _tokens(line), max_sentence_length)
            sentence = []
            n_lines += 1
            if n_lines == limit:
                return
        sentence += _tokens(rest)
        if max_sentence_length is not None and len(sentence) > max_sentence_length:
            n_whole = len(sentence) // max_sentence_length * max_sentence_length
            yield from _cut(sentence[:n_whole], max_sentence_length)
            del sentence[:n_whole]
    yield from _cut(sentence, max_sentence_length)


def _cut(tokens: list[str], max_length: int | None) -> Iterator[list[str]]:
    length = max_length or len(tokens) or 1
    for begin in range(0, len(tokens), length):
        yield tokens[begin : begin + length]


def _tokens(text: bytes) -> list[str]:
    """Split at ASCII whitespace."""
    # str.split() is several times faster, and does the same where no other space is.
    if text.isascii() and len(text.translate(None, _ASCII_SEPARATORS)) == len(text):
        return text.decode().split()
    return [token.decode() for token in text.split()]


def _files_of(source: str | os.PathLike[str]) -> list[str]:
    """Find the files right below a folder, or the one file that is named."""
    folder = Path(source).expanduser()
    if not folder.is_dir():
        return [file.absolute_name() for file in find_files(source)]
    try:
        files = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]
    except OSError as error:
        raise SourceError(f"{folder} cannot be read ({error.strerror}): check it") from error
    if not files:
        raise SourceError(
            f"the folder {folder} has no files right below it (hidden ones are left out); "
            f"corpus_file= reads those in folders below, too"
        )
    return [str(path) for path in sorted(files)]


def _rewind(file: Any) -> None:
    try:
        file.seek(0)
    except (AttributeError, OSError, ValueError) as error:
        raise TextError(
            f"the file {getattr(file, 'name', file)!r:.60} cannot be rewound ({error}), so that "
            f"its sentences could be read only once: save it on the disk"
        ) from error


def _at_least_1(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(f"{name} must be a whole number of 1 or more, not {value!r}")
    return value

"""Tokenisers: blocks of UTF-8 in, sentences of tokens out.

A tokeniser that is *compiled* hands the core text that it splits at whitespace, and makes no
Python object for a token. The others return lists of strings.
"""

from __future__ import annotations

import hashlib
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from firth.errors import ParameterError
from firth.text.kinds import kind_of
from firth.text.words import keep_words

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKENIZERS = ("whitespace", "words")


class Tokenizer(ABC):
    """Splits blocks of text into sentences of tokens.

    Attributes
    ----------
    name : str
        What it is called in a model's ``config.json``.
    compiled : bool
        Whether the core can split what `prepare` returns: the tokens are the runs of bytes
        between ASCII whitespace, and a line is a sentence.
    """

    name: str
    compiled: bool = False

    def prepare(self, block: bytes) -> bytes:
        """Make of a block what the core splits, when this tokeniser is compiled.

        Parameters
        ----------
        block : bytes
            Text in UTF-8, whole lines or at least whole tokens.

        Returns
        -------
        bytes
            Text in UTF-8 with the same lines, its tokens separated by ASCII whitespace.
        """
        return block

    @abstractmethod
    def sentences(self, block: bytes) -> list[list[str]]:
        """Split a block into its sentences.

        Parameters
        ----------
        block : bytes
            Text in UTF-8, whole lines or at least whole tokens.

        Returns
        -------
        list of list of str
            The tokens of each line that has any.
        """

    @abstractmethod
    def fingerprint(self) -> str | None:
        """Tell this tokeniser from every other one, across processes.

        Returns
        -------
        str or None
            None when that is not possible: then a corpus made with it is not kept for later.
        """


class WhitespaceTokenizer(Tokenizer):
    r"""Tokens are what stands between ASCII whitespace; nothing is dropped or changed.

    Exactly ``bytes.split()``: space, tab, newline, carriage return, vertical tab and form feed
    separate. Other spaces of Unicode, such as the no-break space, belong to their token.

    Parameters
    ----------
    lowercase : bool
        Whether to lower-case the text first, as ``str.lower`` does.

    Examples
    --------
    >>> WhitespaceTokenizer(lowercase=True).sentences(b"You shall know\r\na word\n\n")
    [['you', 'shall', 'know'], ['a', 'word']]
    """

    name = "whitespace"
    compiled = True

    def __init__(self, *, lowercase: bool = False) -> None:
        self.lowercase = lowercase

    def prepare(self, block: bytes) -> bytes:
        """Lower-case the block where that is asked for."""
        if not self.lowercase:
            return block
        return block.lower() if block.isascii() else block.decode().lower().encode()

    def sentences(self, block: bytes) -> list[list[str]]:
        """Split a block; see `Tokenizer.sentences`."""
        return [
            [token.decode() for token in tokens]
            for line in self.prepare(block).split(b"\n")
            if (tokens := line.split())
        ]

    def fingerprint(self) -> str:
        """See `Tokenizer.fingerprint`."""
        return f"{self.name}{' lowercase' if self.lowercase else ''}"


class WordTokenizer(WhitespaceTokenizer):
    """Tokens are the words of a text by Unicode's rules, without the punctuation around them.

    A word is a run of letters, digits and the marks on them (accents, vowel signs), which may
    hold inside, as in Unicode Standard Annex #29:

    - an apostrophe (*don't*, *l'homme*), hyphen (*mother-in-law*), underscore (*new_york*), the
      Catalan middle dot (*col·lega*), geresh or gershayim (*צה״ל*), a joiner or non-joiner
      without width (Persian *می‌خواهم*), one at a time;
    - a full stop or comma between digits (*3.14*, *1,000*).

    One word is written in one way: Unicode's composed form (NFC), ``'`` for the typographic
    apostrophe (*don’t*), ``-`` for the typographic hyphens; soft hyphens are dropped. Scripts
    without spaces between words (Chinese, Japanese, Thai) need a segmenter of their own, passed
    as a callable.

    Parameters
    ----------
    lowercase : bool
        Whether to lower-case the text first, as ``str.lower`` does.

    References
    ----------
    Unicode Standard Annex #29, "Unicode Text Segmentation", section 4.1: rules WB4 to WB13b. It
    differs in the hyphen, which UAX #29 leaves to the application, in that letters are not joined
    by full stops and colons, and in that words do not begin or end with an underscore.

    Examples
    --------
    >>> WordTokenizer(lowercase=True).sentences("“Don’t!” said my mother-in-law.".encode())
    [["don't", 'said', 'my', 'mother-in-law']]
    """

    name = "words"
    # To be raised whenever the same text gives other words: corpora on disk depend on it.
    _version = 1

    def prepare(self, block: bytes) -> bytes:
        """Leave of each line its words, separated by spaces."""
        text = block.decode()
        return keep_words(text.lower() if self.lowercase else text).encode()

    def fingerprint(self) -> str:
        """See `Tokenizer.fingerprint`; which letters there are depends on Unicode's version."""
        return f"{super().fingerprint()} {self._version} unicode {unicodedata.unidata_version}"


class LineTokenizer(Tokenizer):
    """What the tokenisers that take one line after the other share.

    Parameters
    ----------
    lowercase : bool
        Whether to lower-case each line before it is split.
    """

    def __init__(self, *, lowercase: bool = False) -> None:
        self.lowercase = lowercase

    def _lines(self, block: bytes) -> Iterator[str]:
        text = block.decode()
        # Not splitlines(): U+2028 and its like are no line ends here.
        for line in (text.lower() if self.lowercase else text).split("\n"):
            if line and not line.isspace():
                yield line.removesuffix("\r")


class CallableTokenizer(LineTokenizer):
    r"""Tokens are what a function of the caller makes of a line.

    Parameters
    ----------
    function : callable
        Takes a line as ``str`` and returns its tokens: strings that are not empty.
    lowercase : bool
        Whether to lower-case each line before it is split.

    Examples
    --------
    >>> CallableTokenizer(lambda line: line.split("|")).sentences(b"New York|is a city\n")
    [['New York', 'is a city']]
    """

    def __init__(
        self, function: Callable[[str], Iterable[str]], *, lowercase: bool = False
    ) -> None:
        super().__init__(lowercase=lowercase)
        self.function = function
        self.name = getattr(function, "__qualname__", type(function).__qualname__)

    def sentences(self, block: bytes) -> list[list[str]]:
        """Split a block; see `Tokenizer.sentences`.

        Raises
        ------
        ParameterError
            The function returned something else than strings that are not empty.
        """
        split = (self._checked(self.function(line), line) for line in self._lines(block))
        return [tokens for tokens in split if tokens]

    def fingerprint(self) -> None:
        """See `Tokenizer.fingerprint`; nothing is known about a function."""

    def _checked(self, result: Iterable[str], line: str) -> list[str]:
        def refuse(what: str) -> ParameterError:
            shown = line if len(line) <= 60 else line[:57] + "..."
            return ParameterError(
                f"the tokenizer {self.name} returned {what} for the line {shown!r}; "
                "it has to return a list of strings that are not empty"
            )

        if isinstance(result, (str, bytes)) or not hasattr(result, "__iter__"):
            raise refuse(f"{kind_of(result)} {result!r:.60}")
        if isinstance(result, Mapping):
            raise refuse(f"{kind_of(result)} with the keys {list(result)!r:.60}")
        tokens = list(result)
        try:
            "".join(tokens).encode()
        except TypeError:
            types = [isinstance(token, str) for token in tokens]
            number, token = types.index(False) + 1, tokens[types.index(False)]
            raise refuse(f"{kind_of(token)} as token {number} ({token!r:.60})") from None
        except UnicodeEncodeError as error:
            raise refuse(f"a lone surrogate ({error.object[error.start]!r})") from None
        if not all(tokens):
            raise refuse(f"an empty string as token {tokens.index('') + 1}")
        return tokens


class HuggingFaceTokenizer(LineTokenizer):
    """Tokens are those of a ``tokenizers.Tokenizer``, without special tokens.

    A copy is used, in which truncation and padding are switched off: no token is lost, and none
    added.

    Parameters
    ----------
    tokenizer : tokenizers.Tokenizer
        From the package ``tokenizers`` (extra ``tokenizers``).
    lowercase : bool
        Whether to lower-case each line before it is split; most such tokenisers have a normalizer
        of their own.
    """

    name = "tokenizers.Tokenizer"
    # Encodings take about a hundred times the memory of their text.
    _batch_size = 1 << 18

    def __init__(self, tokenizer: Any, *, lowercase: bool = False) -> None:
        super().__init__(lowercase=lowercase)
        self._digest: str | None = None
        try:
            serialised = tokenizer.to_str()
        except Exception as error:  # the package raises Exception itself
            if tokenizer.truncation or tokenizer.padding:
                raise ParameterError(
                    f"the tokenizer cannot be copied ({error}) and truncates or pads its lines: "
                    "call no_truncation() and no_padding() on it"
                ) from error
            self._tokenizer = tokenizer
        else:
            self._tokenizer = type(tokenizer).from_str(serialised)
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()
            self._digest = hashlib.sha256(self._tokenizer.to_str().encode()).hexdigest()

    def sentences(self, block: bytes) -> list[list[str]]:
        """Split a block; see `Tokenizer.sentences`."""
        sentences: list[list[str]] = []
        for lines in self._batches(block):
            # Not encode_batch_fast, which leaves the tokens empty.
            encodings = self._tokenizer.encode_batch(lines, add_special_tokens=False)
            sentences += [tokens for encoding in encodings if (tokens := encoding.tokens)]
        return sentences

    def fingerprint(self) -> str | None:
        """See `Tokenizer.fingerprint`: a digest of the tokeniser's JSON."""
        if self._digest is None:
            return None
        return f"{self.name}{' lowercase' if self.lowercase else ''} sha256:{self._digest}"

    def _batches(self, block: bytes) -> Iterator[list[str]]:
        lines: list[str] = []
        n_characters = 0
        for line in self._lines(block):
            lines.append(line)
            n_characters += len(line)
            if n_characters >= self._batch_size:
                yield lines
                lines, n_characters = [], 0
        if lines:
            yield lines


def make_tokenizer(
    spec: str | Callable[[str], Iterable[str]] | Tokenizer | Any | None,
    *,
    lowercase: bool = False,
) -> Tokenizer:
    """Make a tokeniser of whatever a caller may pass for one.

    Parameters
    ----------
    spec : str, callable, tokenizers.Tokenizer, Tokenizer or None
        ``"whitespace"`` (also None), ``"words"``, a function from a line to its tokens, a Hugging
        Face tokeniser (``tokenizers.Tokenizer``, or a fast one of ``transformers``), or a
        `Tokenizer`, which is returned as it is.
    lowercase : bool
        Whether to lower-case the text before it is split.

    Returns
    -------
    Tokenizer

    Raises
    ------
    ParameterError
        There is no tokeniser of this name, or `spec` is none of these.

    Examples
    --------
    >>> make_tokenizer("words").sentences(b"You shall know a word (by its company).")
    [['You', 'shall', 'know', 'a', 'word', 'by', 'its', 'company']]
    """
    names = ", ".join(repr(name) for name in TOKENIZERS)
    if spec is None or spec == "whitespace":
        return WhitespaceTokenizer(lowercase=lowercase)
    if spec == "words":
        return WordTokenizer(lowercase=lowercase)
    if isinstance(spec, str):
        raise ParameterError(
            f"there is no tokenizer {spec!r}: use {names}, a function from a line to its tokens, "
            "or a tokenizers.Tokenizer"
        )
    if isinstance(spec, Tokenizer):
        if lowercase:
            raise ParameterError(
                f"lowercase does not go with a Tokenizer object ({spec.name}): give it to that one"
            )
        return spec
    # The fast tokenisers of transformers wrap one; called, they would return a dictionary of ids.
    spec = getattr(spec, "backend_tokenizer", spec)
    if hasattr(spec, "encode_batch") and hasattr(spec, "to_str"):
        return HuggingFaceTokenizer(spec, lowercase=lowercase)
    if callable(spec):
        return CallableTokenizer(spec, lowercase=lowercase)
    raise ParameterError(
        f"the tokenizer is {kind_of(spec)}, which is none: use {names}, a function from a line "
        "to its tokens, or a tokenizers.Tokenizer"
    )

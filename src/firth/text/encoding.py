"""Chunks of bytes made into blocks of valid UTF-8 that split no token.

A *chunk* is what a reader happened to return. A *block* is about 1 MiB, is valid UTF-8, and ends
after a line, or after ASCII whitespace where a line is longer than that.
"""

from __future__ import annotations

import codecs
from itertools import chain
from typing import TYPE_CHECKING

from firth.errors import ParameterError, TextError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BLOCK_SIZE = 1 << 20
MAX_TOKEN_SIZE = 64 << 20

# Newlines are looked for first. Any other byte that bytes.split() takes for whitespace is as
# good as another: UTF-8 has none of them inside of a character.
_OTHER_WHITESPACE = (b" ", b"\t", b"\r", b"\x0b", b"\x0c")

_FOREIGN_MARKS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)

_ENCODE_ONLY = ("surrogateescape", "surrogatepass", "namereplace", "xmlcharrefreplace")


def check_errors(errors: str) -> None:
    """Check a policy for bytes that are not UTF-8, as `errors` of ``open``.

    Raises
    ------
    ParameterError
        The policy is unknown, or would leave bytes that are not UTF-8.
    """
    hint = "use 'strict', 'replace', 'ignore' or 'backslashreplace'"
    if not isinstance(errors, str):
        raise ParameterError(f"errors is {errors!r}, not a string: {hint}")
    if errors in _ENCODE_ONLY:
        raise ParameterError(f"errors={errors!r} does not make text that is UTF-8: {hint}")
    try:
        codecs.lookup_error(errors)
    except LookupError:
        raise ParameterError(f"errors={errors!r} is not known: {hint}") from None


REPLACE_HINT = "pass errors='replace' to read on with U+FFFD in its place"
RECODE_HINT = (
    f"{REPLACE_HINT}, or, if the file is in another encoding, convert it (iconv -f latin1 -t utf-8)"
)


def strip_mark(chunks: Iterable[bytes], name: str, errors: str) -> tuple[Iterator[bytes], int]:
    """Drop the byte-order mark of a text and refuse what is not UTF-8 text by its first bytes.

    Parameters
    ----------
    chunks : iterable of bytes
        The decompressed bytes of one file.
    name : str
        The name of the file, for messages.
    errors : str
        The policy for bytes that are not UTF-8.

    Returns
    -------
    chunks : iterator of bytes
        The same bytes without the mark.
    offset : int
        Where they begin: 3 after a mark, else 0.

    Raises
    ------
    TextError
        The text is in UTF-16 or UTF-32, or the bytes are of a tar archive, of Parquet or of PDF.
    """
    chunks = iter(chunks)
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= 512:
            break
    for mark, encoding in _FOREIGN_MARKS:
        if head.startswith(mark):
            raise TextError(
                f"{name} begins with the byte-order mark of {encoding}; firth reads UTF-8: convert "
                f"it (iconv -f {encoding.lower()} -t utf-8) or pass "
                f"open(file, encoding='{encoding.lower()}')"
            )
    if head[257:262] == b"ustar":
        raise TextError(f"{name} is a tar archive: unpack it and pass the folder")
    if head.startswith(b"PAR1"):
        raise TextError(f"{name} is a Parquet file: name it .parquet and pass field=")
    if head.startswith(b"%PDF-"):
        raise TextError(f"{name} is a PDF: convert it to text first (pdftotext)")
    if errors == "strict" and head[:4096].count(0) * 4 > min(len(head), 4096):
        raise TextError(
            f"{name} is not text in UTF-8: more than a quarter of its first bytes are NUL. Is it "
            "UTF-16 without a byte-order mark, or a binary file? Convert it, or pass "
            "errors='replace' to read it all the same"
        )
    offset = 3 if head.startswith(codecs.BOM_UTF8) else 0
    head = head[offset:]
    return (chain((head,), chunks) if head else chunks), offset


def _find_cut(pieces: Sequence[bytes], begin: int) -> tuple[int, int] | None:
    """Find the last place in `pieces`, from number `begin` on, to end a block at.

    Returns
    -------
    tuple of (int, int) or None
        The number of the piece and the length of it that belongs to the block: up to the last
        line end, else to whitespace of any kind. None where there is neither.
    """
    for separators in ((b"\n",), _OTHER_WHITESPACE):
        for number in range(len(pieces) - 1, begin - 1, -1):
            for separator in separators:
                cut = pieces[number].rfind(separator) + 1
                if cut:
                    return number, cut
    return None


def _slices(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if len(chunk) <= 2 * BLOCK_SIZE:
            yield chunk
        else:
            for begin in range(0, len(chunk), BLOCK_SIZE):
                yield chunk[begin : begin + BLOCK_SIZE]


def cut_blocks(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    r"""Gather and cut chunks into blocks that end after a line, else after whitespace.

    Parameters
    ----------
    chunks : iterable of bytes
        Text in UTF-8, or nearly so, in pieces of any size.
    name : str
        The name of the file, for messages.

    Yields
    ------
    bytes
        About 4 MiB; joined they are the bytes of `chunks`, with ``\n`` at the end if there was
        none.

    Raises
    ------
    TextError
        64 MiB without whitespace.
    """
    pieces: list[bytes] = []
    n_bytes = 0
    n_searched = 0
    offset = 0
    last = b"\n"
    for chunk in _slices(chunks):
        pieces.append(chunk)
        n_bytes += len(chunk)
        if n_bytes < BLOCK_SIZE:
            continue
        found = _find_cut(pieces, n_searched)
        if found is None:
            if n_bytes > MAX_TOKEN_SIZE:
                raise TextError(
                    f"{name}: no whitespace in the {MAX_TOKEN_SIZE >> 20} MiB from byte {offset} "
                    "on, so that all of them would be one word. Is this text?"
                )
            n_searched = len(pieces)
            continue
        number, cut = found
        # A view, so that the bytes are copied once.
        block = b"".join((*pieces[:number], memoryview(pieces[number])[:cut]))
        yield block
        last = block[-1:]
        offset += len(block)
        n_bytes -= len(block)
        pieces = [pieces[number][cut:], *pieces[number + 1 :]]
        n_searched = 0
    rest = b"".join(pieces)
    if not (rest or last).endswith(b"\n"):
        rest += b"\n"
    if rest:
        yield rest


def valid_blocks(
    blocks: Iterable[bytes], name: str, errors: str, offset: int = 0
) -> Iterator[bytes]:
    """Check that blocks are UTF-8, or make them so by the policy `errors`.

    Parameters
    ----------
    blocks : iterable of bytes
        Blocks that split no character.
    name : str
        The name of the file, for messages.
    errors : str
        The policy, as in ``open``.
    offset : int
        Where in the text the first block begins, for messages.

    Yields
    ------
    bytes
        The block itself where it is valid.

    Raises
    ------
    TextError
        Under ``"strict"``: bytes that are not UTF-8, with their offset in the text.
    """
    for block in blocks:
        if block.isascii():
            yield block
        else:
            try:
                block.decode()
            except UnicodeDecodeError as error:
                if errors == "strict":
                    raise TextError(
                        f"{name} is not UTF-8 at byte {offset + error.start} of its text "
                        f"(0x{block[error.start]:02x}): {RECODE_HINT}, "
                        "or pass a file open in text mode, open(..., encoding='latin-1')"
                    ) from None
                yield decode_with(block, errors, name).encode()
            else:
                yield block
        offset += len(block)


def decode_with(data: bytes, errors: str, name: str) -> str:
    """Decode bytes that are not quite UTF-8 by a policy other than strict.

    Raises
    ------
    TextError
        A policy that the caller registered leaves what cannot be UTF-8.
    """
    text = data.decode("utf-8", errors)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TextError(
            f"errors={errors!r} makes text of {name} that is not UTF-8: use 'replace'"
        ) from None
    return text


def encode_with(text: str, errors: str, name: str) -> bytes:
    """Encode a string that may hold lone surrogates, which have no place in UTF-8.

    Surrogates that stand for bytes (U+DC80 to U+DCFF, PEP 383) become these bytes again, others
    the three bytes that they would take, and then `errors` decides about both.

    Raises
    ------
    UnicodeEncodeError
        Under ``"strict"``: there is a lone surrogate.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        if errors == "strict":
            raise
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode("utf-8", "surrogatepass")
    return decode_with(data, errors, name).encode()


def gather_blocks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Join small blocks, such as those of many small files, to about 1 MiB each."""
    pending: list[bytes] = []
    n_pending = 0
    for block in blocks:
        pending.append(block)
        n_pending += len(block)
        # A block that was cut a little short is not held back for the next one.
        if n_pending >= BLOCK_SIZE * 7 // 8:
            yield b"".join(pending)
            pending.clear()
            n_pending = 0
    if pending:
        yield b"".join(pending)

"""The front of a fastText or floret file: parameters and the sizes of the dictionary."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace

from firth.formats._fasttext_model import LOSSES, MODELS, FastTextArgs

MAGIC = 793712314
NEWEST_VERSION = 12
MAGIC_BYTES = struct.pack("<i", MAGIC)
SWAPPED_MAGIC_BYTES = struct.pack(">i", MAGIC)
# The longest of them.
HEADER_BYTES = 8 + 14 * 4 + 8 + 3 * 4 + 2 * 8
_FLORET_MODE = 2


@dataclass(frozen=True)
class Header:
    """What stands before the words.

    Attributes
    ----------
    version : int
        12 or 11; 0 for files without the magic number.
    args : FastTextArgs
        The parameters of training.
    n_words, n_labels, n_tokens : int
        Of the dictionary.
    n_pruned : int
        The buckets that were kept, where others were dropped; -1 where none were.
    n_bytes : int
        The size of the header.
    hash_count : int
        Of floret: the rows of each n-gram; 0 in files of fastText.
    """

    version: int
    args: FastTextArgs
    n_words: int
    n_labels: int
    n_tokens: int
    n_pruned: int
    n_bytes: int
    hash_count: int = 0

    @property
    def is_supervised(self) -> bool:
        """Whether the model is a classifier."""
        return self.args.model == "sup"


def parse_header(head: bytes) -> Header | None:
    """Read the header of a file; None where it makes no sense.

    Parameters
    ----------
    head : bytes
        The front of the file, `HEADER_BYTES` of it or more.
    """
    try:
        if head[:4] == MAGIC_BYTES:
            return _new_header(head) or _floret_header(head)
        return _old_header(head)
    except struct.error:  # fewer bytes than that
        return None


def _new_header(head: bytes) -> Header | None:
    version, *numbers = struct.unpack_from("<13id", head, 4)
    header = _checked(version, numbers, struct.unpack_from("<3i2q", head, 64), 92)
    if header and version == 11 and header.is_supervised:
        return replace(header, args=replace(header.args, max_n=0))
    return header


def _floret_header(head: bytes) -> Header | None:
    version, *numbers = struct.unpack_from("<15id", head, 4)
    mode, hash_count = numbers[11:13]
    header = _checked(
        version, numbers[:11] + numbers[13:], struct.unpack_from("<3i2q", head, 72), 100
    )
    if header is None or mode not in {1, _FLORET_MODE} or not 1 <= hash_count <= 4:
        return None
    return replace(header, hash_count=hash_count if mode == _FLORET_MODE else 0)


def _old_header(head: bytes) -> Header | None:
    numbers = list(struct.unpack_from("<12id", head, 0))
    header = _checked(0, numbers, (*struct.unpack_from("<3iq", head, 56), -1), 76)
    # Nothing says that this is fastText: each number must be one that somebody would choose.
    if header is None:
        return None
    args = header.args
    likely = (
        1 <= args.dim <= 1 << 14
        and 1 <= args.ws <= 1000
        and 1 <= args.epoch <= 100_000
        and args.max_n <= 100
        and args.min_n <= 100
        and 1 <= args.word_ngrams <= 100
        and 0 <= args.t <= 1
        and args.lr_update_rate > 0
        and header.n_tokens > 0
    )
    return header if likely else None


def _checked(
    version: int, numbers: list[int | float], sizes: tuple[int, ...], n_bytes: int
) -> Header | None:
    dim, ws, epoch, min_count, neg, word_ngrams, loss, model = (int(n) for n in numbers[:8])
    bucket, min_n, max_n, lr_update_rate = (int(n) for n in numbers[8:12])
    n_entries, n_words, n_labels, n_tokens, n_pruned = sizes
    sensible = (
        0 <= version <= NEWEST_VERSION
        and 0 < dim <= 1 << 20
        and 1 <= loss < len(LOSSES)
        and 1 <= model < len(MODELS)
        and min(ws, epoch, min_count, neg, word_ngrams, bucket, min_n, max_n, lr_update_rate) >= 0
        and math.isfinite(numbers[12])
        and n_entries == n_words + n_labels
        and min(n_words, n_labels, n_tokens, n_pruned + 1) >= 0
        and n_entries > 0
        and n_pruned <= bucket
    )
    if not sensible:
        return None
    args = FastTextArgs(
        dim, ws, epoch, min_count, neg, word_ngrams, LOSSES[loss], MODELS[model],
        bucket, min_n, max_n, lr_update_rate, float(numbers[12]),
    )  # fmt: skip
    return Header(version, args, n_words, n_labels, n_tokens, n_pruned, n_bytes)


def header_bytes(args: FastTextArgs, n_words: int, n_tokens: int) -> bytes:
    """Lay out the header of a model of version 12 without labels."""
    magic = struct.pack("<2i", MAGIC, NEWEST_VERSION)
    parameters = struct.pack(
        "<12id", args.dim, args.ws, args.epoch, args.min_count, args.neg, args.word_ngrams,
        LOSSES.index(args.loss), MODELS.index(args.model), args.bucket, args.min_n, args.max_n,
        args.lr_update_rate, args.t,
    )  # fmt: skip
    return magic + parameters + struct.pack("<3i2q", n_words, n_words, 0, n_tokens, -1)

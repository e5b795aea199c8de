"""fastText's and floret's files made by hand, from what their sources write, byte by byte."""

import struct

import numpy as np

MAGIC = 793712314
DEFAULTS = {
    "dim": 4, "ws": 5, "epoch": 5, "min_count": 1, "neg": 5, "word_ngrams": 1, "loss": 2,
    "model": 2, "bucket": 10, "minn": 2, "maxn": 3, "lr_update_rate": 100, "t": 1e-4,
}  # fmt: skip
WORDS = {"</s>": 9, "king": 5, "Übergröße": 3, "日本": 2}


def dense(matrix):
    return struct.pack("<2q", *matrix.shape) + matrix.astype("<f4").tobytes()


def quantised(codes, centroids, dim, columns, norms=None):
    """A matrix of codes (rows, pieces); centroids of all pieces one after the other, flat."""
    n_rows, n_pieces = codes.shape
    last = dim - (n_pieces - 1) * columns
    data = struct.pack("<?qqi", norms is not None, n_rows, dim, codes.size)
    data += codes.astype("u1").tobytes()
    data += struct.pack("<4i", dim, n_pieces, columns, last) + centroids.astype("<f4").tobytes()
    if norms is not None:
        norm_codes, norm_centroids = norms
        data += norm_codes.astype("u1").tobytes()
        data += struct.pack("<4i", 1, 1, 1, 1) + norm_centroids.astype("<f4").tobytes()
    return data


def model(
    words=WORDS, labels=None, *, version=12, rows=None, output=None, pruned=None, floret=None,
    quantised_input=None, **args,
):  # fmt: skip
    """The bytes of a model; `version` 0 is that without the magic number.

    `rows` are those of words and buckets, `pruned` a dictionary of bucket to row, `floret` the
    number of hashes.
    """
    args = DEFAULTS | args
    words = (
        [word if isinstance(word, bytes) else word.encode() for word in words],
        list(words.values()),
    )
    labels = labels or {}
    n_words, n_labels = len(words[0]), len(labels)
    n_buckets = args["bucket"] if pruned is None else len(pruned)
    if rows is None:
        rows = some_rows(n_words + n_buckets, args["dim"])
    if output is None:
        output = some_rows(n_labels or n_words, args["dim"], seed=1)
    data = struct.pack("<2i", MAGIC, version) if version else b""
    names = [name for name in DEFAULTS if name != "t"]
    for name in names:
        data += struct.pack("<i", args[name])
        if name == "maxn" and floret is not None:
            data += struct.pack("<2i", 2 if floret else 1, floret or 1)
    data += struct.pack("<d", args["t"])
    data += struct.pack("<3iq", n_words + n_labels, n_words, n_labels, sum(words[1]))
    if version:
        data += struct.pack("<q", -1 if pruned is None else len(pruned))
    for kind, (names, counts) in enumerate([words, (map(str.encode, labels), labels.values())]):
        for name, count in zip(names, counts, strict=True):
            data += name + b"\0" + struct.pack("<qb", count, kind)
    for bucket, row in (pruned or {}).items():
        data += struct.pack("<2i", bucket, row)
    flag = b"\0" if version else b""
    if quantised_input is not None:
        return data + b"\1" + quantised_input + b"\0" + dense(output)
    return data + flag + dense(rows) + flag + dense(output)


def some_rows(n_rows, dim=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, dim)).astype(np.float32)

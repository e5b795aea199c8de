"""What an index says about itself, and how it knows its matrix."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.approximate._graph import DTYPES, MOST_NODES
from firth.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KINDS = ("hnsw",)
VERSION = 1
_SAMPLED_ROWS = 256

_NUMBERS = {
    "n_rows": (1, 1 << 62),
    "vector_size": (1, 1 << 31),
    "n_indexed": (1, MOST_NODES),
    "connectivity": (2, 256),
    "expansion_add": (1, 1 << 20),
    "expansion_search": (1, 1 << 20),
    "scale": (0, float("inf")),
    "recall": (0, 1),
    "recall_of_sums": (0, 1),
}
_REAL = {"scale", "recall", "recall_of_sums"}


def read_about(path: Path, tensors: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Read and check what a file says about its index."""
    for name in ("about", "graph"):
        if name not in tensors or tensors[name].dtype != np.uint8 or tensors[name].ndim != 1:
            raise FormatError(f"{path}: has no {name!r}, and so is no index: build it again")
    try:
        about = json.loads(tensors["about"].tobytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: 'about' is no JSON: {error}: build it again") from error
    version = about.get("index_version") if isinstance(about, dict) else None
    if version != VERSION:
        raise FormatError(
            f"{path}: an index of version {version!r}; this firth reads {VERSION}: build it again"
        )
    for name, (least, most) in _NUMBERS.items():
        value = about.get(name)
        types = (int, float) if name in _REAL else (int,)
        if type(value) not in types or not least <= value <= most:
            raise FormatError(f"{path}: {name!r} is {value!r}: build the index again")
    for name, choices in (("kind", KINDS), ("dtype", DTYPES)):
        if about.get(name) not in choices:
            raise FormatError(f"{path}: {name!r} is {about.get(name)!r}: build the index again")
    result: dict[str, Any] = about
    return result


def fingerprint(matrix: NDArray[Any], norms: NDArray[np.float32]) -> str:
    """Tell a matrix from others: by its shape, the lengths of all rows, and some rows whole."""
    some = np.linspace(0, len(matrix) - 1, min(len(matrix), _SAMPLED_ROWS)).astype(np.int64)
    digest = hashlib.sha256(f"{matrix.shape} {matrix.dtype.name}".encode())
    digest.update(np.ascontiguousarray(norms, "<f4").data)
    digest.update(np.ascontiguousarray(matrix[some], matrix.dtype.newbyteorder("<")).data)
    return digest.hexdigest()

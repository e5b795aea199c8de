"""What an index says about itself, and how it knows its matrix."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.approximate._codes import MOST_BITS
from firth.approximate._graph import DTYPES, MOST_NODES
from firth.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KINDS = ("rabitq", "hnsw")
VERSION = 2
_SAMPLED_ROWS = 256

_FINITE = (0, float(np.finfo(np.float32).max))
_NUMBERS: dict[str, tuple[float, float]] = {
    "n_rows": (1, 1 << 62),
    "vector_size": (1, 1 << 31),
    "n_indexed": (1, MOST_NODES),
    "expansion_search": (1, 1 << 20),
    "recall": (0, 1),
    "recall_of_sums": (0, 1),
}
_NUMBERS_OF_KIND: dict[str, dict[str, tuple[float, float]]] = {
    "rabitq": {
        "bits": (1, MOST_BITS),
        "scale_step": _FINITE,
        "offset_step": _FINITE,
        "fine_scale_step": _FINITE,
    },
    "hnsw": {
        "connectivity": (2, 256),
        "expansion_add": (1, 1 << 20),
        "scale": (0, float("inf")),
    },
}
_WHOLE = {
    "n_rows",
    "vector_size",
    "n_indexed",
    "expansion_search",
    "bits",
    "connectivity",
    "expansion_add",
}


def read_about(path: Path, tensors: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Read and check what a file says about its index."""

    def check_there(name: str) -> None:
        if name not in tensors or tensors[name].dtype != np.uint8 or tensors[name].ndim != 1:
            raise FormatError(f"{path}: has no {name!r}, and so is no index: build it again")

    check_there("about")
    try:
        about = json.loads(tensors["about"].tobytes())
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: 'about' is no JSON: {error}: build it again") from error
    version = about.get("index_version") if isinstance(about, dict) else None
    if version != VERSION:
        raise FormatError(
            f"{path}: an index of version {version!r}; this firth reads {VERSION}: build it again"
        )
    kind = about.get("kind")
    if kind not in KINDS:
        raise FormatError(f"{path}: 'kind' is {kind!r}: build the index again")
    for name, (least, most) in (_NUMBERS | _NUMBERS_OF_KIND[kind]).items():
        value = about.get(name)
        types = (int,) if name in _WHOLE else (int, float)
        if type(value) not in types or not least <= value <= most:
            raise FormatError(f"{path}: {name!r} is {value!r}: build the index again")
    if kind == "hnsw":
        check_there("graph")
        if about.get("dtype") not in DTYPES:
            raise FormatError(f"{path}: 'dtype' is {about.get('dtype')!r}: build the index again")
    result: dict[str, Any] = about
    return result


def fingerprint(matrix: NDArray[Any], norms: NDArray[np.float32]) -> str:
    """Tell a matrix from others: by its shape, the lengths of all rows, and some rows whole."""
    some = np.linspace(0, len(matrix) - 1, min(len(matrix), _SAMPLED_ROWS)).astype(np.int64)
    digest = hashlib.sha256(f"{matrix.shape} {matrix.dtype.name}".encode())
    digest.update(np.ascontiguousarray(norms, "<f4").data)
    digest.update(np.ascontiguousarray(matrix[some], matrix.dtype.newbyteorder("<")).data)
    return digest.hexdigest()

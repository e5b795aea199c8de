"""Arrays in ``.safetensors`` files.

The layout is that of Hugging Face::

    bytes 0..8      n, the length of the header, little-endian unsigned
    bytes 8..8+n    JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    bytes 8+n..     the tensors, little-endian, row-major, without gaps

Reader and writer are ours. The reader of the `safetensors` package copies every tensor into memory,
where the one here hands out views of the mapped file, so that many processes share one copy. Its
writer makes files that only their owner may read, and reports a full disk without its error number.
"""

import json
import math
import mmap
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from firth.errors import FormatError, OutputError, ParameterError
from firth.storage._writing import output_error

_DTYPES = {
    "BOOL": np.dtype(np.bool_),
    "U8": np.dtype("<u1"),
    "I8": np.dtype("<i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
}
_DTYPE_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors format
# Where the first tensor starts in files that we write: a cache line, so that no vector is split
# across two lines that need not be.
_ALIGNMENT = 64
_ROWS_PER_COPY = 65_536


def open_tensors(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Open the tensors of a ``.safetensors`` file as read-only views of the mapped file.

    Nothing but the header is read. The views keep the mapping alive, also when the file is replaced
    by a new one meanwhile.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict of str to numpy.ndarray
        The tensors by name. One that lies at an address that its type cannot be read from (never
        in files that firth wrote) is copied.

    Raises
    ------
    FormatError
        If the file is missing, cut off, or its header says what its size cannot hold.

    Examples
    --------
    >>> import numpy as np
    >>> from firth.storage import open_tensors, save_tensors
    >>> save_tensors("a.safetensors", {"vectors": np.ones((2, 3), np.float32)})
    >>> open_tensors("a.safetensors")["vectors"].shape
    (2, 3)
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < 8:
                raise FormatError(
                    f"{path}: {size} bytes are too few for a .safetensors file, which starts with "
                    f"8 bytes for the length of its header; the file is cut off or something else"
                )
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise FormatError(f"{path}: this file is missing; copy or make the folder again") from None
    except OSError as error:
        raise FormatError(f"{path}: cannot be opened: {error.strerror or error}") from error
    header, start = _read_header(path, mapped, size)
    _check_layout(path, header, start, size)
    return {name: _view(path, mapped, start, name, entry) for name, entry in header.items()}


def _read_header(path: Path, mapped: mmap.mmap, size: int) -> tuple[dict[str, Any], int]:
    """Read the header; returns its entries but the metadata, and where the data starts."""
    n_bytes = int.from_bytes(mapped[:8], "little")
    if n_bytes > min(size - 8, _MAX_HEADER_BYTES):
        raise FormatError(
            f"{path}: byte 0 claims a header of {n_bytes:,} bytes, but the file has {size:,}; "
            f"it is cut off or no .safetensors file"
        )
    try:
        header = json.loads(mapped[8 : 8 + n_bytes], object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{path}: byte 8 should start a JSON header: {error}; this is no .safetensors file"
        ) from error
    if not isinstance(header, dict):
        raise FormatError(f"{path}: byte 8 should start a JSON object, not {_kind(header)}")
    header.pop("__metadata__", None)
    return header, 8 + n_bytes


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        message = "a name occurs twice"
        raise ValueError(message)
    return result


def _check_layout(path: Path, header: dict[str, Any], start: int, size: int) -> None:
    """Check that the entries are well formed and fill the rest of the file without a gap."""
    spans = []
    for name, entry in header.items():
        where = f"{path}: tensor {name!r} in the header (byte 8)"
        if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
            raise FormatError(f"{where} lacks its dtype, shape or data_offsets")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise FormatError(f"{where} has dtype {dtype!r}; known are {', '.join(_DTYPES)}")
        if not _are_sizes(shape):
            raise FormatError(f"{where} has shape {shape!r}, which is no list of sizes")
        if not _are_sizes(offsets) or len(offsets) != 2:
            raise FormatError(f"{where} has data_offsets {offsets!r}, which is no begin and end")
        n_bytes = math.prod(shape) * _DTYPES[dtype].itemsize
        begin, end = offsets
        if end - begin != n_bytes:
            raise FormatError(
                f"{where} has {end - begin:,} bytes, but its shape {shape} needs {n_bytes:,}"
            )
        spans.append((begin, end, name))
    position = 0
    for begin, end, name in sorted(spans):
        if begin != position:
            raise FormatError(
                f"{path}: tensor {name!r} starts at byte {start + begin:,} where the one before "
                f"ends at byte {start + position:,}; the header is damaged"
            )
        position = end
    if start + position != size:
        problem = "is cut off" if start + position > size else "has bytes that belong to nothing"
        raise FormatError(
            f"{path}: the file {problem}: its header asks for {start + position:,} bytes and it "
            f"has {size:,}; copy or make it again"
        )


def _are_sizes(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 1 << 62 for v in values
    )


def _kind(value: object) -> str:
    names = {list: "an array", str: "a string", int: "a number", float: "a number"}
    return names.get(type(value), "a constant")


def _view(
    path: Path, mapped: mmap.mmap, start: int, name: str, entry: dict[str, Any]
) -> NDArray[Any]:
    dtype, shape = _DTYPES[entry["dtype"]], tuple(entry["shape"])
    try:
        if 0 in shape:
            array: NDArray[Any] = np.empty(shape, dtype)
        else:
            array = np.ndarray(shape, dtype, mapped, start + entry["data_offsets"][0])
    except ValueError as error:  # more dimensions than NumPy has, or sizes that overflow
        raise FormatError(f"{path}: tensor {name!r} has shape {list(shape)}: {error}") from error
    if not array.flags.aligned:
        array = array.copy()
    array.flags.writeable = False
    return array


def save_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, NDArray[Any]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write arrays to a ``.safetensors`` file, without a copy where they are contiguous.

    Parameters
    ----------
    path : str or Path
        The file to write. It appears whole; views of a file that was there before stay valid.
    tensors : mapping of str to numpy.ndarray
        Arrays of numbers or booleans, of up to 64 bits.
    metadata : mapping of str to str, optional
        Remarks for the header, for other readers; firth keeps its own in ``config.json``.

    Raises
    ------
    ParameterError
        If an array has a type that the format does not know.
    OutputError
        If the file cannot be written, or the path is that of a folder, pipe or device.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: exists and is no file; choose another name")
    for name, array in tensors.items():
        if array.dtype.newbyteorder("<") not in _DTYPE_NAMES:
            raise ParameterError(
                f"tensor {name!r} has dtype {array.dtype}, which a .safetensors file cannot hold; "
                f"convert it to one of {', '.join(str(d) for d in _DTYPE_NAMES)}"
            )
    # Large items first: then every tensor begins at a multiple of its item size.
    names = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    position = 0
    for name in names:
        array = tensors[name]
        header[name] = {
            "dtype": _DTYPE_NAMES[array.dtype.newbyteorder("<")],
            "shape": list(array.shape),
            "data_offsets": [position, position + array.nbytes],
        }
        position += array.nbytes
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-(8 + len(encoded)) % _ALIGNMENT)
    # Written beside and moved: the old file may be mapped, by these very arrays even, and cutting
    # a mapped file short takes the ground from under everybody who reads it.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with beside.open("xb") as file:
            file.write(len(encoded).to_bytes(8, "little") + encoded)
            for name in names:
                _write_array(file, tensors[name])
        beside.replace(path)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _write_array(file: BinaryIO, array: NDArray[Any]) -> None:
    """Write an array little-endian and row by row, in pieces where that takes a copy."""
    order = array.dtype.newbyteorder("<")
    if array.ndim == 2 and not (array.flags.c_contiguous and array.dtype == order):
        pieces = [array[i : i + _ROWS_PER_COPY] for i in range(0, len(array), _ROWS_PER_COPY)]
    else:
        pieces = [array]
    for piece in pieces:
        file.write(np.ascontiguousarray(piece, order).reshape(-1).view(np.uint8).data)

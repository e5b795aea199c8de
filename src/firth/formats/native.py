"""The model folder of firth: JSON and arrays that open by memory map.

::

    config.json           "format": "firth", "format_version": 1, "kind": "keyed_vectors", ...
    vectors.safetensors   vectors  F32, F16 or I8 (n_words, vector_size)
                          norms    F32 (n_words,)
                          scales   F32 (n_words,), by which the rows of I8 are multiplied
    vocab.safetensors     word_bytes, word_offsets, counts, slots: see `firth.vocab`
    subwords.safetensors  where there are subwords: the arrays of `firth.subwords.Subwords.tensors`;
                          "subwords" in config.json has their family and parameters

Opening it takes as long for a thousand words as for three million, and all processes share one
copy. docs/architecture.md has the files byte by byte.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firth.errors import FormatError, ParameterError
from firth.formats._format import Format
from firth.formats._rows import select_rows
from firth.formats._table import LoadReport, VectorTable
from firth.neighbours import row_norms
from firth.storage import open_tensors, read_config, save_tensors, write_config, write_folder
from firth.vocab import VOCAB_FILE, Vocab

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.subwords import Subwords

VECTORS_FILE = "vectors.safetensors"
SUBWORDS_FILE = "subwords.safetensors"
# What config.json says about the folder itself, not about how the vectors were made.
_OWN_FIELDS = {
    "format",
    "format_version",
    "kind",
    "files",
    "n_words",
    "vector_size",
    "subwords",
}


def open_folder(folder: str | os.PathLike[str]) -> VectorTable:
    """Open a model folder by memory map; errors are those of `KeyedVectors.load`."""
    config = read_config(folder, "keyed_vectors")
    path = Path(folder) / VECTORS_FILE
    vocab = Vocab.from_file(Path(folder) / VOCAB_FILE)
    tensors = open_tensors(path)
    vectors, norms, scales = (tensors.get(name) for name in ("vectors", "norms", "scales"))
    kinds = {"<f4", "<f2"} if scales is None else {"|i1"}
    if vectors is None or vectors.ndim != 2 or vectors.dtype.str not in kinds:
        raise FormatError(
            f"{path}: has no matrix 'vectors' of float32 or float16, or of int8 with scales; make "
            f"the folder again"
        )
    if len(vectors) != len(vocab) or vectors.shape[1] == 0:
        raise FormatError(
            f"{path}: has vectors of shape {vectors.shape} for the {len(vocab):,} words in "
            f"{VOCAB_FILE}; the two files do not belong together"
        )
    for name, each in (("norms", norms), ("scales", scales)):
        if each is not None and (each.shape != (len(vocab),) or each.dtype != np.float32):
            raise FormatError(
                f"{path}: has {name} of {each.dtype} and shape {each.shape} for {len(vocab):,} "
                f"words; make the folder again"
            )
    subwords = _open_subwords(Path(folder) / SUBWORDS_FILE, config, vectors.shape)
    return VectorTable(vocab, vectors, norms, scales, subwords, config)


def _open_subwords(
    path: Path, config: Mapping[str, Any], shape: tuple[int, ...]
) -> Subwords | None:
    """Open the subwords of a folder by memory map, where it has some."""
    told = config.get("subwords")
    if told is None:
        return None
    # Imported only where there are some: the answer to a question waits for it.
    from firth.subwords import FastTextSubwords, subwords_from

    if not isinstance(told, dict):
        raise FormatError(f'{path.parent}: "subwords" in its config.json is {told!r}, no object')
    try:
        subwords = subwords_from(told, open_tensors(path))
    except ParameterError as error:
        raise FormatError(f"{path}: {error}; make the folder again") from error
    if subwords.vector_size != shape[1]:
        raise FormatError(
            f"{path}: has vectors of size {subwords.vector_size}, and {VECTORS_FILE} of size "
            f"{shape[1]}; the two files do not belong together"
        )
    rows = subwords.word_rows if isinstance(subwords, FastTextSubwords) else None
    if rows is not None and len(rows) != shape[0]:
        raise FormatError(
            f"{path}: has {len(rows):,} rows of words, and {VECTORS_FILE} has {shape[0]:,}; the "
            f"two files do not belong together"
        )
    return subwords


def save_folder(
    table: VectorTable,
    folder: str | os.PathLike[str],
    extra_config: Mapping[str, Any] | None = None,
    extra_files: Mapping[str, Callable[[Path], None]] | None = None,
) -> None:
    """Write a model folder, which appears whole; errors are those of `KeyedVectors.save`."""
    with write_folder(folder) as path:
        write_table(table, path, extra_config)
        for name, write in (extra_files or {}).items():
            write(path / name)


def write_table(
    table: VectorTable, path: Path, extra_config: Mapping[str, Any] | None = None
) -> None:
    """Write the files of a model folder into a folder that `write_folder` moves into place."""
    extra = dict(extra_config or {})
    if taken := sorted(_OWN_FIELDS & extra.keys()):
        raise ParameterError(f"extra_config has {taken}, which the format uses; rename them")
    made = {name: value for name, value in table.config.items() if name not in _OWN_FIELDS}
    n_words, vector_size = table.vectors.shape
    # Without its norms a folder would be read through before the first answer.
    norms = row_norms(table.in_floats().vectors) if table.norms is None else table.norms
    tensors = {"vectors": table.vectors, "norms": norms}
    if table.scales is not None:
        tensors["scales"] = table.scales
    fields: dict[str, Any] = {"n_words": n_words, "vector_size": vector_size}
    if table.subwords is not None:
        fields["subwords"] = {"family": table.subwords.family} | table.subwords.config()
        save_tensors(path / SUBWORDS_FILE, table.subwords.tensors())
    write_config(path, "keyed_vectors", **(made | extra | fields))
    table.vocab.to_file(path / VOCAB_FILE)
    save_tensors(path / VECTORS_FILE, tensors)


def _recognise(source: VectorSource) -> bool:
    if not source.is_folder or source.path is None:
        return False
    try:
        read_config(source.path)
    except FormatError:
        return False
    return True


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    if source.path is None or not source.is_folder:
        raise FormatError(f"{source.name}: this is a file; give the folder that firth wrote")
    table = open_folder(source.path).in_floats()
    table.report = LoadReport("firth", source.name, rows_read=len(table.vocab))
    return select_rows(table, options)


def _write(table: VectorTable, folder: Path) -> None:
    write_table(table, folder)


NATIVE = Format("firth", "the model folder of firth", (), _recognise, _read, write_folder=_write)

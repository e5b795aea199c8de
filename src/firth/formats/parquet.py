"""Tables of Parquet and Arrow with a word and a vector in each row.

::

    word     string
    count    int64, optional
    vector   fixed_size_list<float>[vector_size]; lists of one length and float16 or float64 are
             read too

Other columns are left out. The names ``token``, ``key`` and ``text`` are taken for ``word``, and
``embedding`` and ``embeddings`` for ``vector``. How the vectors were made stands as JSON in the
schema's metadata, under ``firth``.

Parquet (``PAR1`` at both ends) is written in row groups of about 16 MiB, Arrow (``ARROW1``, the
file format of IPC, also known as Feather 2) in batches of this size. Both are read group by group,
by pyarrow: ``pip install 'firth[parquet]'``.
"""

from __future__ import annotations

import json
import mmap
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from firth.errors import FormatError, MissingExtraError
from firth.formats._chooser import RowChooser, RowStore
from firth.formats._format import Format
from firth.formats._parquet_footer import most_values
from firth.formats._rows import finish_table
from firth.formats._table import LoadReport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable

_PARQUET, _ARROW = "parquet", "arrow"
_MAGICS = {_PARQUET: b"PAR1", _ARROW: b"ARROW1"}
_WORD, _COUNT, _VECTOR = "word", "count", "vector"
_WORD_NAMES = (_WORD, "token", "key", "text")
_VECTOR_NAMES = (_VECTOR, "embedding", "embeddings", "vectors")
_METADATA = b"firth"
_GROUP_BYTES = 16 << 20
# What is decoded at a time: pyarrow has it there several times.
_BATCH_BYTES = 2 << 20
_BUFFER_BYTES = 1 << 18
# Numbers that a byte of the file may stand for: vectors hardly compress, zeros without end do.
_MOST_GROWTH = 16
_HARMLESS = 1 << 22


def _pyarrow(purpose: str) -> Any:
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingExtraError("pyarrow", "parquet", purpose) from None
    return pa


# --- reading --------------------------------------------------------------------------------------


def _recogniser(name: str) -> Any:
    def recognise(source: VectorSource) -> bool:
        return not source.is_folder and source.head.startswith(_MAGICS[name])

    return recognise


def _reader(name: str) -> Any:
    def read(source: VectorSource, options: ReadOptions) -> VectorTable:
        pa = _pyarrow(f"reading {source.name}")
        try:
            with _open(pa, name, source) as opened:
                return _read_batches(*opened, source, options, name)
        # What damaged files make pyarrow raise, besides its own errors.
        except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
            if isinstance(error, FormatError):
                raise
            said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise FormatError(
                f"{source.name}: the file is damaged or cut off; pyarrow says: {said}. Get it again"
            ) from error

    return read


@contextmanager
def _open(pa: Any, name: str, source: VectorSource) -> Iterator[tuple[Any, int, Any]]:
    """Open a file; gives its schema, its number of rows, and batches of the columns named."""
    try:
        yield _open_arrow(pa, source) if name == _ARROW else _open_parquet(pa, source)
    finally:
        pa.default_memory_pool().release_unused()  # it would keep what batches took


def _open_arrow(pa: Any, source: VectorSource) -> tuple[Any, int, Any]:
    with source.on_disk().open("rb") as file:
        if not file.seek(0, 2):
            raise FormatError(f"{source.name}: the file is empty. Get it again")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped)))
    n_batches = reader.num_record_batches
    n_rows = sum(reader.get_batch(i).num_rows for i in range(n_batches))

    def batches(columns: list[str]) -> Iterator[Any]:
        for i in range(n_batches):
            batch = reader.get_batch(i)
            batch.validate(full=True)  # its offsets become addresses
            batch = batch.select(columns)
            step = _rows_a_batch(batch.nbytes, batch.num_rows)
            for begin in range(0, batch.num_rows, step):
                yield batch.slice(begin, step)
                if hasattr(mapped, "madvise"):
                    mapped.madvise(mmap.MADV_DONTNEED)  # pages that were read stay in the cache

    return reader.schema, n_rows, batches


def _open_parquet(pa: Any, source: VectorSource) -> tuple[Any, int, Any]:
    import pyarrow.parquet as pq

    file = source.seekable()
    n_numbers = most_values(file, source.name)
    # Neither a file nor a column of a group of rows is read whole.
    parquet = pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES)
    n_rows = parquet.metadata.num_rows
    _check_claims(n_rows, n_numbers, file.seek(0, 2), source.name)
    step = _rows_a_batch(4 * n_numbers, n_rows)

    def batches(columns: list[str]) -> Iterator[Any]:
        for batch in parquet.iter_batches(columns=columns, batch_size=step, use_threads=False):
            yield batch
            pa.default_memory_pool().release_unused()

    return parquet.schema_arrow, n_rows, batches


def _rows_a_batch(n_bytes: int, n_rows: int) -> int:
    return max(64, _BATCH_BYTES * n_rows // max(1, n_bytes))


def _check_claims(n_rows: int, n_numbers: int, size: int, name: str) -> None:
    """Refuse a file whose few bytes would become rows without end: repeated values cost nothing."""
    if n_rows < 0 or max(n_rows, n_numbers) > _MOST_GROWTH * size + _HARMLESS:
        raise FormatError(
            f"{name}: {size:,} bytes claim to hold {n_rows:,} rows with {n_numbers:,} numbers; the "
            f"file is damaged or means harm"
        )


def _read_batches(
    schema: Any,
    n_rows: int,
    batches: Any,
    source: VectorSource,
    options: ReadOptions,
    name: str,
) -> VectorTable:
    report = LoadReport(name, source.name, rows_claimed=n_rows)
    word, vector = (_column(schema, names, source) for names in (_WORD_NAMES, _VECTOR_NAMES))
    count = _COUNT if _COUNT in schema.names else None
    chooser = RowChooser(options, report)
    store = RowStore(n_rows, options)
    vector_size = None
    for batch in batches([word, vector, *([count] if count else [])]):
        if chooser.is_full:
            break
        where = f"{source.name}: rows from {chooser.n_seen:,} on"
        words = batch.column(0).to_pylist()
        if not all(isinstance(each, str) for each in words):
            raise FormatError(f"{where}: the column {word!r} has something that is no text")
        vectors = _to_matrix(batch.column(1), vector, where)
        if vector_size is not None and len(vectors) and vectors.shape[1] != vector_size:
            raise FormatError(
                f"{where}: vectors of {vectors.shape[1]} numbers, where those before have "
                f"{vector_size}"
            )
        vector_size = vectors.shape[1] if len(vectors) else vector_size
        if chooser.n_seen + len(words) > n_rows:
            raise FormatError(
                f"{source.name}: has more rows than the {n_rows:,} that it claims; it is damaged"
            )
        kept = chooser.add(words, _to_counts(batch.column(2)) if count else None)
        store.add(vectors[kept])
    vocab = chooser.vocab()
    matrix = store.matrix()
    config = _config(schema)
    return finish_table(vocab, matrix, options, report, config=config)


def _column(schema: Any, names: Sequence[str], source: VectorSource) -> str:
    found = [name for name in names if schema.names.count(name) == 1]
    if not found:
        shown = ", ".join(schema.names[:8])
        raise FormatError(
            f"{source.name}: has no column {names[0]!r} of which there is one; a table of vectors "
            f"has the columns {_WORD!r} and {_VECTOR!r}, this has: {shown}"
        )
    return found[0]


def _to_matrix(column: Any, name: str, where: str) -> NDArray[Any]:
    """Give a column of lists of numbers as a matrix, shape (n_rows, vector_size)."""
    import pyarrow as pa

    if isinstance(column, pa.ExtensionArray):  # a tensor of fixed shape, say
        column = column.storage
    kind = column.type
    is_fixed = pa.types.is_fixed_size_list(kind)
    if not is_fixed and not pa.types.is_list(kind) and not pa.types.is_large_list(kind):
        raise FormatError(f"{where}: the column {name!r} is {kind}, where lists of numbers belong")
    if not pa.types.is_floating(kind.value_type) and not pa.types.is_integer(kind.value_type):
        raise FormatError(f"{where}: the column {name!r} is {kind}, where lists of numbers belong")
    if column.null_count:
        raise FormatError(f"{where}: the column {name!r} has no vector in some rows")
    values = column.flatten()
    if values.null_count:
        raise FormatError(f"{where}: the column {name!r} lacks numbers in some vectors")
    if is_fixed:
        size = kind.list_size
    else:
        lengths = np.diff(column.offsets.to_numpy())
        size = int(lengths[0]) if len(lengths) else 0
        if (lengths != size).any():
            row = int(np.flatnonzero(lengths != size)[0])
            raise FormatError(
                f"{where}: row {row:,} of these has {lengths[row]:,} numbers, the first {size:,}"
            )
    if len(values) != len(column) * size:
        raise FormatError(f"{where}: the column {name!r} has {len(values):,} numbers; damaged")
    numbers: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return numbers.reshape(len(column), size)


def _to_counts(column: Any) -> NDArray[np.int64] | None:
    import pyarrow as pa

    if not pa.types.is_integer(column.type):
        return None
    filled = column.fill_null(0) if column.null_count else column
    counts: NDArray[np.int64] = filled.to_numpy(zero_copy_only=False).astype(np.int64)
    return counts


def _config(schema: Any) -> dict[str, Any]:
    text = (schema.metadata or {}).get(_METADATA)
    try:
        config = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


# --- writing --------------------------------------------------------------------------------------


def _writer(name: str) -> Any:
    def write(table: VectorTable, file: BinaryIO) -> None:
        pa = _pyarrow(f"writing {name}")
        vector_size = table.vectors.shape[1]
        kind = pa.float16() if table.vectors.dtype == np.float16 else pa.float32()
        has_counts = bool(table.vocab.counts.any())
        fields = [(_WORD, pa.string()), (_VECTOR, pa.list_(kind, vector_size))]
        if has_counts:
            fields.insert(1, (_COUNT, pa.int64()))
        config = json.dumps(dict(table.config), default=str)
        schema = pa.schema(fields, metadata={_METADATA: config})
        step = max(1, _GROUP_BYTES // (table.vectors.itemsize * vector_size))
        with _new_file(pa, name, file, schema) as writer:
            for begin in range(0, len(table.vocab), step):
                part = slice(begin, begin + step)
                numbers = pa.array(np.ascontiguousarray(table.vectors[part]).reshape(-1), kind)
                columns = [
                    pa.array(table.vocab.words[part], pa.string()),
                    pa.FixedSizeListArray.from_arrays(numbers, vector_size),
                ]
                if has_counts:
                    columns.insert(1, pa.array(table.vocab.counts[part]))
                writer.write_table(pa.table(columns, schema=schema), step)

    return write


def _new_file(pa: Any, name: str, file: BinaryIO, schema: Any) -> Any:
    if name == _ARROW:
        return pa.ipc.new_file(file, schema)
    import pyarrow.parquet as pq

    # Vectors hardly compress, and a dictionary of their numbers would be as large as they are.
    return pq.ParquetWriter(
        file,
        schema,
        compression={_WORD: "zstd", _COUNT: "zstd", f"{_VECTOR}.list.element": "none"},
        use_dictionary=False,
        write_statistics=[_WORD, _COUNT],
    )


PARQUET: Final = Format(
    name=_PARQUET,
    title="Parquet with the columns word, count and vector",
    suffixes=(".parquet",),
    recognise=_recogniser(_PARQUET),
    read=_reader(_PARQUET),
    write_file=_writer(_PARQUET),
)
ARROW: Final = Format(
    name=_ARROW,
    title="Arrow (Feather) with the columns word, count and vector",
    suffixes=(".arrow", ".feather"),
    recognise=_recogniser(_ARROW),
    read=_reader(_ARROW),
    write_file=_writer(_ARROW),
)

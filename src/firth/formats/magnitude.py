"""Magnitude's ``.magnitude`` files: databases of SQLite. Read only.

::

    magnitude_format    key TEXT, value INTEGER: 'size', 'dim', 'precision', 'version', 'elmo', ...
    magnitude           key TEXT, dim_0 INTEGER, ..., dim_{n-1} INTEGER, magnitude REAL

A row is a word, its vector scaled to length 1 in units of 10 to the -precision, and its length. The
order of rows is that of the file it was made from. Other tables help Magnitude to search: n-grams
by which it guesses unseen words (`magnitude_subword`), and an index of Annoy, compressed by LZ4
(`magnitude_approx`); they are not read. Files of ELMo have no vectors of words and are refused.

https://github.com/plasticityai/magnitude
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

import numpy as np

from firth.errors import FormatError
from firth.formats._chooser import RowChooser, RowStore
from firth.formats._format import Format
from firth.formats._rows import finish_table
from firth.formats._table import LoadReport

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from firth.formats._format import ReadOptions
    from firth.formats._source import VectorSource
    from firth.formats._table import VectorTable

_NAME = "magnitude"
_MAGIC = b"SQLite format 3\0"
_MAIN, _SETTINGS = "magnitude", "magnitude_format"
_COLUMN = re.compile(r"dim_(\d+)")
_ROWS_A_BLOCK = 1024
_MOST_TEXT = 1 << 24  # of a value, and of a definition of a table
_HIGHEST_PRECISION = 18
_STEPS_A_BYTE, _HARMLESS_STEPS, _STEPS_A_CHECK = 16, 10_000_000, 100_000
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA}


def _recognise(source: VectorSource) -> bool:
    return not source.is_folder and source.head.startswith(_MAGIC)


def _read(source: VectorSource, options: ReadOptions) -> VectorTable:
    path = source.on_disk()
    report = LoadReport(_NAME, source.name)
    try:
        size = path.stat().st_size
        with closing(_connect(path, size)) as database:
            return _read_rows(database, size, options, report)
    # SQLite's messages may hold bytes of the file, which the module of Python cannot decode.
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise FormatError(
            f"{source.name}: the database is damaged or cut off; SQLite says: {error}. Get it again"
        ) from error


def _connect(path: Path, size: int) -> sqlite3.Connection:
    """Open a database that nobody vouches for: to read tables, and for nothing else."""
    # Immutable: no lock, no journal beside it, and none that lies there is played back.
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    database = sqlite3.connect(address, uri=True)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_TEXT)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    database.execute("PRAGMA mmap_size = 0")
    # A column takes a byte and a few steps of SQLite; a damaged tree with loops takes steps only.
    steps = iter(range((size * _STEPS_A_BYTE + _HARMLESS_STEPS) // _STEPS_A_CHECK))
    database.set_progress_handler(lambda: next(steps, None) is None, _STEPS_A_CHECK)
    database.text_factory = bytes  # words that are not UTF-8 are dealt with like those of others
    database.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
    )
    return database


def _read_rows(
    database: sqlite3.Connection, size: int, options: ReadOptions, report: LoadReport
) -> VectorTable:
    _check_tables(database, report.source)
    settings = _settings(database, report.source)
    columns, vector_size = _columns(database, report.source)
    scale = _scale(settings, report.source)
    report.rows_claimed = settings.get("size")
    chooser = RowChooser(options, report)
    # A row takes a byte for each column at least: more of them would come of a tree with loops.
    most_rows = size // (len(columns) + 1)
    store = RowStore(most_rows, options)
    quoted = ", ".join(f'"{name}"' for name in columns)
    rows = database.execute(f'SELECT {quoted} FROM "{_MAIN}" ORDER BY rowid')
    while not chooser.is_full and (block := rows.fetchmany(_ROWS_A_BLOCK)):
        if chooser.n_seen + len(block) > most_rows:
            raise FormatError(
                f"{report.source}: more rows than {size:,} bytes can hold; the database is damaged"
            )
        words = [_to_word(row[0], report.source, chooser.n_seen + i) for i, row in enumerate(block)]
        first = chooser.n_seen
        kept = chooser.add(words)
        numbers = _to_numbers([block[i][1:] for i in kept.tolist()], report.source, first)
        if numbers is not None:
            vectors = numbers[:, :vector_size] * scale
            if numbers.shape[1] > vector_size:
                vectors *= numbers[:, vector_size:]
            store.add(vectors)
    vocab = chooser.vocab()
    rows.close()
    if report.rows_claimed is not None and not chooser.is_full:
        _note_count(report)
    if settings.get("subword"):
        report.notes.append("the n-grams by which Magnitude guesses unseen words are not read")
    config = {"made_by": "magnitude", "precision": settings["precision"]}
    return finish_table(vocab, store.matrix(), options, report, config=config)


def _check_tables(database: sqlite3.Connection, name: str) -> None:
    """Check that both tables are plain ones: a view or a virtual table may compute anything."""
    found = {
        bytes(table).decode("utf-8", "replace"): (kind, bytes(sql or b"").upper())
        for table, kind, sql in database.execute("SELECT name, type, sql FROM sqlite_master")
    }
    for table in (_MAIN, _SETTINGS):
        kind, sql = found.get(table, (b"", b""))
        if kind != b"table" or not sql.startswith(b"CREATE TABLE"):
            shown = ", ".join(sorted(found)[:8]) or "nothing"
            raise FormatError(
                f"{name}: a database of SQLite without a table {table!r}; this is no file of "
                f"Magnitude. It has: {shown}"
            )


def _settings(database: sqlite3.Connection, name: str) -> dict[str, int]:
    rows = database.execute(f'SELECT key, value FROM "{_SETTINGS}" LIMIT 100000')
    settings: dict[str, int] = {}
    for key, value in rows:
        if isinstance(key, bytes) and isinstance(value, int):
            settings.setdefault(key.decode("utf-8", "replace"), value)
    if settings.get("elmo"):
        raise FormatError(
            f"{name}: this is a file of ELMo, which makes vectors of sentences by a network; it "
            f"has no vectors of words that could be read"
        )
    return settings


def _columns(database: sqlite3.Connection, name: str) -> tuple[list[str], int]:
    """Give the columns to read, in order, and the number of dimensions."""
    dimensions: dict[int, str] = {}
    others: dict[str, str] = {}
    for _, column, _, _, _, _, hidden in database.execute(f'PRAGMA table_xinfo("{_MAIN}")'):
        text = bytes(column).decode("utf-8", "replace")
        if hidden:
            raise FormatError(f"{name}: the column {text!r} is computed, where data belong")
        match = _COLUMN.fullmatch(text)
        if match:
            dimensions[int(match[1])] = text
        else:
            others[text] = text
    if "key" not in others or not dimensions or sorted(dimensions) != list(range(len(dimensions))):
        raise FormatError(
            f"{name}: the table {_MAIN!r} has no columns 'key', 'dim_0', 'dim_1', ...; this is no "
            f"file of Magnitude"
        )
    vector_size = len(dimensions)
    columns = ["key", *(dimensions[i] for i in range(vector_size))]
    return columns + (["magnitude"] if "magnitude" in others else []), vector_size


def _scale(settings: dict[str, int], name: str) -> float:
    precision = settings.get("precision", -1)
    if not 0 <= precision <= _HIGHEST_PRECISION:
        raise FormatError(
            f"{name}: {_SETTINGS!r} has no 'precision' from 0 to {_HIGHEST_PRECISION}, in whose "
            f"units vectors are; the file is damaged"
        )
    return float(10.0**-precision)


def _to_word(value: object, name: str, row: int) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, int | float):  # SQLite keeps what looks like a number as one
        return str(value).encode()
    raise FormatError(f"{name}: row {row:,} (from 0) has no word; the file is damaged")


def _to_numbers(
    rows: list[tuple[object, ...]], name: str, first: int
) -> NDArray[np.float64] | None:
    if not rows:
        return None
    try:
        return np.array(rows, np.float64)
    except (TypeError, ValueError):
        raise FormatError(
            f"{name}: a row from {first:,} on (from 0) has something in its vector that is no "
            f"number; the file is damaged"
        ) from None


def _note_count(report: LoadReport) -> None:
    if report.rows_claimed != report.rows_read:
        report.notes.append(
            f"{_SETTINGS} claims {report.rows_claimed:,} rows, and there are {report.rows_read:,}"
        )


MAGNITUDE: Final = Format(
    name=_NAME,
    title="Magnitude",
    suffixes=(".magnitude",),
    recognise=_recognise,
    read=_read,
)

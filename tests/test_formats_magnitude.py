import sqlite3

import numpy as np
import pytest

from firth.errors import FormatError
from firth.formats import read_vectors
from vector_tables import WORDS, little_memory, make_table


def convert(path, table, precision=7, words=None, columns="", statements=(), **settings):
    """Do what Magnitude's converter does, as far as it can be seen in the file."""
    vectors = table.vectors
    size = vectors.shape[1]
    dimensions = ", ".join(f"dim_{i} INTEGER" for i in range(size))
    database = sqlite3.connect(path)
    database.execute(
        f"CREATE TABLE `magnitude` (key TEXT COLLATE NOCASE, {dimensions}, magnitude REAL{columns})"
    )
    database.execute("CREATE TABLE `magnitude_format` (key TEXT COLLATE NOCASE, value INTEGER)")
    for word, vector in zip(words or table.vocab, vectors, strict=True):
        length = float(np.linalg.norm(vector))
        units = [round(x * 10**precision) for x in (vector / length).tolist()]
        names = ", ".join(["key", *(f"dim_{i}" for i in range(size)), "magnitude"])
        marks = ", ".join("?" * (size + 2))
        database.execute(
            f"INSERT INTO magnitude ({names}) VALUES ({marks})", (word, *units, length)
        )
    known = {"version": 2, "elmo": 0, "size": len(vectors), "dim": size, "precision": precision}
    for key, value in (known | settings).items():
        database.execute("INSERT INTO magnitude_format VALUES (?, ?)", (key, value))
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


@pytest.mark.parametrize("precision", [4, 7])
def test_words_and_vectors_are_read(tmp_path, precision):
    table = make_table()
    convert(tmp_path / "v.magnitude", table, precision, subword=1)
    read = read_vectors(tmp_path / "v.magnitude")
    assert list(read.vocab) == WORDS
    np.testing.assert_allclose(read.vectors, table.vectors, atol=10.0**-precision * 3)
    assert (read.report.format, read.report.rows_claimed) == ("magnitude", len(WORDS))
    assert "guesses unseen words" in read.report.notes[0]
    assert [path.name for path in tmp_path.iterdir()] == ["v.magnitude"]


def test_only_limit_and_many_rows(tmp_path):
    table = make_table([f"w{i}" for i in range(3000)])
    convert(tmp_path / "v.magnitude", table)
    path = tmp_path / "v.magnitude"
    assert len(read_vectors(path).vocab) == 3000
    read = read_vectors(path, only=["w5", "w2999", "w7"], limit=2, dtype="float16")
    assert (list(read.vocab), read.vectors.dtype) == (["w5", "w7"], np.float16)
    assert len(read_vectors(path, limit=10).vectors) == 10


def test_compressed_files_are_unpacked_beside(tmp_path, places):
    import gzip

    convert(tmp_path / "v.magnitude", make_table())
    packed = tmp_path / "v.magnitude.gz"
    packed.write_bytes(gzip.compress((tmp_path / "v.magnitude").read_bytes()))
    assert list(read_vectors(packed).vocab) == WORDS
    assert list(places.temporary.iterdir()) == []


def test_duplicates_empty_words_and_numbers(tmp_path):
    table = make_table(["a", "b", "c", "d"], 2)
    convert(tmp_path / "v.magnitude", table, words=["a", "", "a", "12"])
    read = read_vectors(tmp_path / "v.magnitude")
    assert list(read.vocab) == ["a", "12"]
    np.testing.assert_allclose(read.vectors, table.vectors[[0, 3]], atol=1e-6)
    assert read.report.repairs == {"duplicates": 1, "empty_words": 1}


def test_words_that_are_not_utf8(tmp_path):
    convert(tmp_path / "v.magnitude", make_table(["a", "b"], 2), words=["a", b"b\xff"])
    with pytest.raises(FormatError, match=r"row 1 .*not UTF-8"):
        read_vectors(tmp_path / "v.magnitude")
    assert list(read_vectors(tmp_path / "v.magnitude", errors="ignore").vocab) == ["a", "b"]


def test_a_wrong_size_is_noted(tmp_path):
    convert(tmp_path / "v.magnitude", make_table(), size=99)
    read = read_vectors(tmp_path / "v.magnitude")
    assert read.report.notes == ["magnitude_format claims 99 rows, and there are 8"]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"elmo": 1}, "file of ELMo"),
        (
            {"statements": ["UPDATE magnitude_format SET value = 99 WHERE key = 'precision'"]},
            "no 'precision' from 0 to 18",
        ),
        ({"statements": ["DELETE FROM magnitude_format WHERE key = 'precision'"]}, "'precision'"),
        ({"statements": ["DELETE FROM magnitude"]}, "no words"),
        ({"statements": ["DROP TABLE magnitude_format"]}, "without a table 'magnitude_format'"),
        ({"statements": ["ALTER TABLE magnitude RENAME dim_0 TO dim_9"]}, "no columns 'key'"),
        ({"statements": ["UPDATE magnitude SET dim_1 = 'x'"]}, "no number"),
        ({"statements": ["UPDATE magnitude SET dim_1 = NULL"]}, "8 not finite"),
        ({"statements": ["UPDATE magnitude SET key = NULL"]}, r"row 0 .*has no word"),
        ({"columns": ", more AS (dim_0 * 2)"}, "the column 'more' is computed"),
    ],
)
def test_what_is_no_file_of_magnitude_is_refused(tmp_path, changed, problem):
    path = tmp_path / "v.magnitude"
    convert(path, make_table(), **changed)
    with pytest.raises(FormatError, match=problem) as caught:
        read_vectors(path, strict=True)
    assert str(path) in str(caught.value)


def test_a_view_that_computes_without_end_is_not_asked(tmp_path):
    path = tmp_path / "v.magnitude"
    endless = (
        "CREATE VIEW magnitude AS WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL SELECT key + 1 FROM "
        "n) SELECT key, key AS dim_0 FROM n"
    )
    convert(path, make_table(), statements=["DROP TABLE magnitude", endless])
    with pytest.raises(FormatError, match="without a table 'magnitude'"):
        read_vectors(path)


def test_other_databases_are_refused(tmp_path):
    database = sqlite3.connect(tmp_path / "x.db")
    database.execute("CREATE TABLE words (word TEXT)")
    database.commit()
    database.close()
    with pytest.raises(FormatError, match=r"no file of Magnitude\. It has: words"):
        read_vectors(tmp_path / "x.db")


def test_damaged_databases_are_refused(tmp_path):
    path = tmp_path / "v.magnitude"
    convert(path, make_table([f"w{i}" for i in range(500)]))
    data = path.read_bytes()
    for end in range(16, len(data), 4096):
        path.write_bytes(data[:end])
        with little_memory(), pytest.raises(FormatError):
            read_vectors(path, strict=True)
    # A page that leads back to the first one of its tree.
    looping = bytearray(data)
    looping[4096 * 2 : 4096 * 3] = data[4096 : 4096 * 2]
    path.write_bytes(looping)
    with pytest.raises(FormatError, match="damaged"):
        read_vectors(path)

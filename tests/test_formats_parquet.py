import io
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import FormatError, MissingExtraError
from firth.formats import FORMATS, read_vectors, write_vectors
from firth.formats._parquet_footer import most_values
from vector_tables import WORDS, assert_same, little_memory, make_table

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
import pyarrow.parquet as pq  # noqa: E402

SUFFIXES = {"parquet": ".parquet", "arrow": ".arrow"}


def save(path, table):
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    return path


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return tmp_path / f"v{SUFFIXES[request.param]}"


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("counts", [True, False])
def test_a_table_comes_back(path, dtype, counts):
    table = make_table(dtype=dtype, counts=counts, config={"epochs": 3})
    write_vectors(table, path)
    read = read_vectors(path, dtype=dtype)
    assert_same(read, table)
    assert read.vectors.dtype == dtype
    assert read.config == {"epochs": 3}
    assert read.report.rows_read == len(WORDS)


@pytest.mark.parametrize("name", SUFFIXES)
def test_many_rows_in_several_groups_from_a_compressed_stream(name):
    table = make_table([f"w{i}" for i in range(45_000)], 100)
    file = io.BytesIO()
    FORMATS[name].write_file(table, file)
    file.seek(0)
    assert_same(read_vectors(file), table)
    file.seek(0)
    read = read_vectors(file, only=["w44999", "w3"])
    assert list(read.vocab) == ["w3", "w44999"]
    assert (read.vectors == table.vectors[[3, 44999]]).all()
    file.seek(0)
    assert len(read_vectors(file, limit=20_000).vocab) == 20_000


def test_the_columns_are_what_others_expect(tmp_path):
    table = make_table()
    write_vectors(table, tmp_path / "v.parquet")
    read = pq.read_table(tmp_path / "v.parquet")
    assert read.schema.types == [pa.string(), pa.int64(), pa.list_(pa.float32(), 5)]
    assert read["word"].to_pylist() == WORDS
    assert read["vector"].to_pylist() == table.vectors.tolist()


@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [
        (pa.list_(pa.float64()), 1e-6),
        (pa.large_list(pa.float32()), 0),
        (pa.list_(pa.float16(), 5), 1e-2),
        (pa.list_(pa.int32()), None),
    ],
)
def test_vectors_of_other_kinds(path, kind, tolerance):
    table = make_table(counts=False)
    vectors = table.vectors if tolerance is not None else np.arange(40).reshape(8, 5)
    rows = pa.array([[kind.value_type.to_pandas_dtype()(x) for x in row] for row in vectors], kind)
    words = pa.array(WORDS).dictionary_encode()
    save(path, pa.table({"other": range(8), "embedding": rows, "token": words}))
    read = read_vectors(path)
    assert list(read.vocab) == WORDS
    np.testing.assert_allclose(read.vectors, vectors, atol=tolerance or 0)


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float32(), 100)])
def test_groups_of_any_size_are_read_in_pieces(path, kind):
    # What pyarrow writes for itself is one group, larger than what is decoded at a time.
    vectors = np.random.default_rng(1).random((12_000, 100), np.float32)
    words = [f"w{i}" for i in range(len(vectors))]
    save(path, pa.table({"word": words, "vector": pa.array(list(vectors), kind)}))
    read = read_vectors(path)
    assert list(read.vocab) == words
    assert (read.vectors == vectors).all()
    assert (read_vectors(path, limit=9_000).vectors == vectors[:9_000]).all()


MEMORY = """
import re, sys, pyarrow.parquet
from pathlib import Path
from firth.formats import read_vectors
read_vectors(sys.argv[2])  # what is imported
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
before = peak()
table = read_vectors(sys.argv[1])
print(peak() - before - table.vectors.nbytes)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc")
def test_reading_takes_little_memory_beyond_the_matrix(path, tmp_path):
    # 128 MB in one group.
    numbers = pa.array(np.random.default_rng(1).random(32 << 20, np.float32))
    vectors = pa.FixedSizeListArray.from_arrays(numbers, 512)
    save(path, pa.table({"word": [f"w{i}" for i in range(len(vectors))], "vector": vectors}))
    small = tmp_path / f"small{path.suffix}"
    write_vectors(make_table(), small)
    command = [sys.executable, "-c", MEMORY, str(path), str(small)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    assert int(done.stdout) < 60e6


def test_tensors_of_fixed_shape(path):
    vectors = np.ones((2, 3), np.float32)
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(vectors)
    save(path, pa.table({"word": ["a", "b"], "vector": tensors}))
    assert read_vectors(path).vectors.tolist() == vectors.tolist()


def test_counts_that_cannot_be_used(path):
    vectors = pa.array([[1.0], [2.0]])
    counts = pa.array([None, -3], pa.int64())
    save(path, pa.table({"word": ["a", "b"], "vector": vectors, "count": counts}))
    assert read_vectors(path).vocab.counts.tolist() == [0, 0]
    save(path, pa.table({"word": ["a", "b"], "vector": vectors, "count": ["x", "y"]}))
    assert read_vectors(path).vocab.counts.tolist() == [0, 0]


LISTS = pa.list_(pa.float32())


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"x": [1]}, "no column 'word'.*this has: x"),
        ({"word": ["a"]}, "no column 'vector'"),
        ({"word": [1], "vector": [[1.0]]}, "'word' has something that is no text"),
        ({"word": [None], "vector": [[1.0]]}, "'word' has something that is no text"),
        ({"word": ["a"], "vector": [1.0]}, "'vector' is double, where lists"),
        ({"word": ["a"], "vector": [["x"]]}, "where lists of numbers belong"),
        ({"word": ["a", "b"], "vector": [[1.0], None]}, "no vector in some rows"),
        ({"word": ["a", "b"], "vector": [[1.0], [None]]}, "lacks numbers"),
        ({"word": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]}, "row 1 of these has 2 numbers"),
        ({"word": ["a"], "vector": pa.array([[]], LISTS)}, r"shape \(1, 0\)"),
        ({"word": pa.array([], pa.string()), "vector": pa.array([], LISTS)}, "no words"),
    ],
)
def test_what_is_no_table_of_vectors_is_refused(path, columns, problem):
    save(path, pa.table(columns))
    with pytest.raises(FormatError, match=problem) as caught:
        read_vectors(path)
    assert str(path) in str(caught.value)


def test_batches_of_vectors_of_other_lengths_are_refused(tmp_path):
    path = tmp_path / "v.arrow"
    schema = pa.schema([("word", pa.string()), ("vector", LISTS)])
    with pa.ipc.new_file(path, schema) as writer:
        for word, vector in (("a", [1.0]), ("b", [1.0, 2.0])):
            writer.write_batch(pa.record_batch([[word], pa.array([vector], LISTS)], schema=schema))
    with pytest.raises(FormatError, match="rows from 1 on: vectors of 2 numbers"):
        read_vectors(path)


def test_words_and_numbers_without_end_are_refused(tmp_path):
    path = tmp_path / "v.parquet"
    n = 8_000_000
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), ["a"])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(n, np.float16)), 1)
    pq.write_table(pa.table({"word": words, "vector": vectors}), path, row_group_size=n)
    with pytest.raises(FormatError, match="claim to hold 8,000,000 rows"):
        read_vectors(path)


def test_damaged_files_are_refused(path):
    write_vectors(make_table(), path)
    data = path.read_bytes()
    for end in range(8, len(data), 61):
        path.write_bytes(data[:end])
        with pytest.raises(FormatError, match="damaged or cut off"):
            read_vectors(path)


def test_the_footer_tells_how_many_numbers_there_are(tmp_path):
    path = tmp_path / "v.parquet"
    write_vectors(make_table([f"w{i}" for i in range(50_000)], 200), path)
    metadata = pq.ParquetFile(path).metadata
    assert metadata.num_row_groups == 3
    with path.open("rb") as file:
        assert most_values(file, "v") == 50_000 * 200


@given(st.data())
def test_damaged_footers_are_refused(data):
    file = io.BytesIO()
    FORMATS["parquet"].write_file(make_table(), file)
    damaged = bytearray(file.getvalue())
    begin = len(damaged) - 8 - int.from_bytes(damaged[-8:-4], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(begin, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FormatError):
        most_values(io.BytesIO(damaged), "v")


@pytest.mark.parametrize(
    "footer",
    [
        b"",
        b"\x00",
        b"\x19" * 5000,
        b"\x4c" * 200,
        b"\x49\xfc\xff\xff\xff\xff\x0f",
        b"\x1c" * 4000 + b"\x00" * 4000,
    ],
)
def test_footers_that_are_none_are_refused(footer):
    file = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    with pytest.raises(FormatError, match=r"v: the file is damaged.* footer"):
        most_values(io.BytesIO(file), "v")


# 2 GiB - 1 as the protocol has it: with field 2 what a page unpacks to, with field 3 what it takes.
@pytest.mark.parametrize("header", [b"\x15\x00\x15\x0a\x15", b"\x15\x00\x15", b"\x19\x4c"])
def test_a_page_that_claims_too_much_is_refused_before_there_is_room_for_it(tmp_path, header):
    path = tmp_path / "v.parquet"
    write_vectors(make_table(), path)
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    data = bytearray(path.read_bytes())
    begin = column.dictionary_page_offset or column.data_page_offset
    header += b"\xfe\xff\xff\xff\x0f\x15\x0a\x00"
    data[begin : begin + len(header)] = header
    path.write_bytes(data)
    with little_memory(), pytest.raises(FormatError, match=rf"at byte {begin:,} is no page"):
        read_vectors(path)


def test_more_rows_than_the_file_claims_are_refused(tmp_path):
    path = tmp_path / "v.parquet"
    write_vectors(make_table([f"w{i}" for i in range(12_345)], 2), path)
    data = path.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    # 2 * 12,345 and 2 * 12,344, seven bits a byte; the first is the number of the whole file.
    changed = data[footer:].replace(b"\xf2\xc0\x01", b"\xf0\xc0\x01", 1)
    path.write_bytes(data[:footer] + changed)
    assert pq.ParquetFile(path).metadata.num_rows == 12_344
    with pytest.raises(FormatError, match="more rows than the 12,344 that it claims"):
        read_vectors(path)


def test_without_pyarrow_the_extra_is_named(path, monkeypatch):
    write_vectors(make_table(), path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"firth\[parquet\]"):
        read_vectors(path)
    with pytest.raises(MissingExtraError, match=r"firth\[parquet\]"):
        write_vectors(make_table(), path)


def test_a_full_disk_is_told_as_one(path, monkeypatch):
    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError(28, "No space left on device")

        def writable(self):
            return True

    with pytest.raises(OSError, match="No space left") as caught:
        FORMATS[path.suffix[1:]].write_file(make_table(), Full())
    assert caught.value.errno == 28

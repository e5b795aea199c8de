"""Which format a source is in; reading and writing whatever the format."""

import bz2
import gzip
import io
import lzma
import pickle
import random
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import zstandard

from firth.errors import FormatError, OutputError, ParameterError
from firth.formats import (
    FORMATS,
    VectorSource,
    VectorTable,
    read_vectors,
    recognise,
    write_vectors,
)
from firth.subwords import FastTextSubwords
from firth.vocab import Vocab

TEXT = b"2 2\nthe 0.5 -1\nof 0.25 2\n"


@pytest.fixture
def table():
    vectors = np.array([[0.5, -1, 2], [0.25, 2, 3], [0, 7, 1]], np.float32)
    return VectorTable(Vocab.from_words(["the", "of", "and"]), vectors)


def refused(data, **options):
    with pytest.raises(FormatError) as raised:
        read_vectors(io.BytesIO(data), progress=False, **options)
    return str(raised.value)


# --- recognised -----------------------------------------------------------------------------------


def test_each_format_is_recognised_by_what_it_writes(table, tmp_path):
    for name, each in FORMATS.items():
        assert each.name == name
        assert each.title
        if not (each.write_file or each.write_folder):
            continue
        path = tmp_path / name
        try:
            write_vectors(table, path, format=name)
        except ParameterError:
            continue  # one that has nothing to hold these words with
        found = read_vectors(path, progress=False)
        assert found.report.format == ("word2vec-text" if name == "fasttext-vec" else name)
        assert list(found.vocab) == ["the", "of", "and"]
        assert np.allclose(found.vectors, table.vectors)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "this file is empty"),
        (b"<!DOCTYPE html>\n<html><body>Not found", "a page of HTML"),
        (b"\n  <HTML>", "a page of HTML"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 5\n", "git lfs pull"),
        (b'{"king": [0.1, 0.2]}', "JSON"),
        (pickle.dumps({"king": [0.1]}), "pickle"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x7fELF" + bytes(100), "a program"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        ("king 0.1 0.2\n".encode("utf-16"), "UTF-16"),
        (b"king 0.1 0.2\rqueen 0.1 0.2\r", "old Macs"),
        (b"You shall know a word\nby the company it keeps\n", "text, but no words with vectors"),
        (b"the 500\nof 300\n", "text, but no words with vectors"),
        (b"tiger\tcat\t7.35\n", "text, but no words with vectors"),
        (b"word,x,y\nking,1,2\n", "text, but no words with vectors"),
        (random.Random(1).randbytes(2000).replace(b"\n", b"\0"), "in no format of word vectors"),
        (bytes(2000), "in no format of word vectors"),
    ],
)
def test_what_nobody_recognises_is_told_for_what_it_looks_like(data, what):
    assert what in refused(data)


def test_a_folder_that_is_none_of_vectors(tmp_path):
    with pytest.raises(FormatError, match="in no format of word vectors"):
        read_vectors(tmp_path)


def test_recognising_reads_nothing():
    with VectorSource(io.BytesIO(TEXT)) as source:
        assert recognise(source).name == "word2vec-text"
        assert source.position == 0
        assert list(read_vectors(source, progress=False).vocab) == ["the", "of"]
        assert source.position == len(TEXT)


def test_formats_by_name():
    assert "word2vec-text" in FORMATS
    assert "nothing" not in FORMATS
    assert len(FORMATS) == len(list(FORMATS))
    assert "glove" in repr(FORMATS)
    with pytest.raises(ParameterError, match=r"format is 'nothing', which is none of.*glove"):
        read_vectors(io.BytesIO(TEXT), format="nothing")


# --- read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": "king"}, "only is the string 'king'; give a list of words"),
        ({"only": []}, "only has no words"),
        ({"only": ["a", 5]}, "only has int 5, not a string"),
        ({"limit": 0}, "limit must be 1 or more"),
        ({"limit": 1.5}, "limit must be 1 or more"),
        ({"dtype": "float64"}, "dtype must be 'float32' or 'float16', not 'float64'"),
        ({"errors": "surrogateescape"}, "errors must be 'strict', 'replace' or 'ignore'"),
    ],
)
def test_options_are_checked_before_anything_is_read(options, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        read_vectors("no such file", **options)


def test_progress_counts_the_bytes_on_disk(tmp_path, caplog):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT))
    with caplog.at_level("INFO", "firth"):
        read_vectors(path)
    assert f"loading: 100% ({path.stat().st_size} B of {path.stat().st_size} B)" in caplog.text
    caplog.clear()
    read_vectors(path, progress=False)
    assert caplog.text == ""


def test_the_folder_of_firth_takes_the_same_options(table, tmp_path):
    write_vectors(table, tmp_path / "model")
    assert isinstance(read_vectors(tmp_path / "model").vectors, np.ndarray)
    found = read_vectors(tmp_path / "model", only=["and", "the"], dtype="float16", limit=1)
    assert list(found.vocab) == ["the"]
    assert found.vectors.tolist() == [[0.5, -1, 2]]
    assert found.vectors.dtype == np.float16
    with pytest.raises(ParameterError, match="none of the 1 word"):
        read_vectors(tmp_path / "model", only=["no"])
    with pytest.raises(FormatError, match="this is a file"):
        read_vectors(io.BytesIO(TEXT), format="firth")


def test_ctrl_c_while_a_file_is_read_leaves_nothing_running():
    code = textwrap.dedent("""
        import io, threading, _thread
        from firth.formats import read_vectors

        class Endless:
            n = 0
            def read(self, size):
                self.n += 1
                if self.n == 20_000:
                    _thread.interrupt_main()
                return b"%13d 1 2\\n"[:size] % self.n

        try:
            read_vectors(Endless(), progress=False)
        except KeyboardInterrupt:
            print("stopped", threading.active_count())
    """)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "stopped 1\n"
    assert done.stderr == ""


# --- write ----------------------------------------------------------------------------------------

UNPACK = {
    "": bytes,
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda data: zstandard.ZstdDecompressor().stream_reader(data).read(),
}


@pytest.mark.parametrize("suffix", UNPACK)
def test_files_are_compressed_as_their_name_ends(suffix, table, tmp_path):
    path = tmp_path / f"a.txt{suffix}"
    write_vectors(table, path)
    assert UNPACK[suffix](path.read_bytes()) == b"3 3\nthe 0.5 -1 2\nof 0.25 2 3\nand 0 7 1\n"
    write_vectors(table, path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        ("a.txt", "word2vec-text"),
        ("a.TXT.GZ", "word2vec-text"),
        ("a.glove.txt", "glove"),
        ("a.w2v.txt", "word2vec-text"),
        ("a.w2v.bin", "word2vec-binary"),
        ("model", "firth"),
    ],
)
def test_the_format_is_told_by_the_name(name, format_name, table, tmp_path):
    write_vectors(table, tmp_path / name)
    assert read_vectors(tmp_path / name, progress=False).report.format == format_name


def test_a_bin_file_is_one_of_fasttext_where_there_are_subwords(table, tmp_path):
    write_vectors(table, tmp_path / "a.bin")
    assert read_vectors(tmp_path / "a.bin").report.format == "word2vec-binary"
    table.subwords = FastTextSubwords(
        np.ones((10, 3), np.float32), 3, 6, word_rows=np.ones((3, 3), np.float32)
    )
    write_vectors(table, tmp_path / "b.bin")
    assert read_vectors(tmp_path / "b.bin").report.format == "fasttext"


def test_names_and_formats_that_cannot_be_written(table, tmp_path, monkeypatch):
    with pytest.raises(ParameterError, match=r"a.doc: no format is known by this ending.*\.txt"):
        write_vectors(table, tmp_path / "a.doc")
    with pytest.raises(ParameterError, match="format is 'nothing'"):
        write_vectors(table, tmp_path / "a", format="nothing")
    with pytest.raises(ParameterError, match="is a folder, which is not compressed"):
        write_vectors(table, tmp_path / "a.gz", format="firth")
    for name, each in FORMATS.items():
        if not (each.write_file or each.write_folder):
            with pytest.raises(ParameterError, match="can be read but not written"):
                write_vectors(table, tmp_path / "a", format=name)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(table, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes").write_text("mine")
    with pytest.raises(OutputError, match="a folder, not a file"):
        write_vectors(table, tmp_path / "folder", format="glove")
    with pytest.raises(OutputError, match="no folder of firth"):
        write_vectors(table, tmp_path / "folder", format="firth")
    with pytest.raises(OutputError, match=r"a.txt: cannot be written: .*no such folder"):
        write_vectors(table, tmp_path / "none" / "a.txt")
    if Path("/dev/full").exists():
        with pytest.raises(OutputError, match="is no file; choose another name"):
            write_vectors(table, "/dev/full", format="glove")
    assert (tmp_path / "folder" / "notes").read_text() == "mine"


class FullDisk:
    """What a file is on a disk with little room left."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def write(self, data):
        self._room -= len(data)
        if self._room < 0:
            raise OSError(28, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()


@pytest.mark.parametrize("suffix", UNPACK)
def test_a_disk_that_fills_up_leaves_what_was_there(suffix, table, tmp_path, monkeypatch):
    path = tmp_path / f"a.txt{suffix}"
    write_vectors(table, path)
    before = path.read_bytes()
    monkeypatch.setattr(
        "firth.formats._writing._new", lambda path: FullDisk(path.open("xb"), len(before) // 2)
    )
    with pytest.raises(OutputError, match=r"the disk is full; free some space"):
        write_vectors(table, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_or_ctrl_c_leaves_what_was_there(table, tmp_path, monkeypatch):
    path = tmp_path / "a.txt.gz"
    write_vectors(table, path)
    before = path.read_bytes()
    for error in (KeyboardInterrupt, MemoryError):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr("firth._core.format_rows", fail)
        with pytest.raises(error):
            write_vectors(table, path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(table, tmp_path):
    (tmp_path / "real.txt").write_bytes(b"old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_vectors(table, tmp_path / "link.txt")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_bytes().startswith(b"3 3\n")


def test_home_is_found(table, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_vectors(table, "~/a.txt")
    assert (tmp_path / "a.txt").exists()


def test_the_fuzzer_runs(tmp_path):
    command = [sys.executable, Path(__file__).with_name("fuzz_formats.py"), "glove"]
    done = subprocess.run(
        [*command, "--seconds", "1", "--seed", "1", "--keep", tmp_path / "kept"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert " 0 failures (seed 1)" in done.stdout or "DONE" in done.stderr
    assert not (tmp_path / "kept").exists()


def test_formats_are_not_imported_to_open_a_folder_of_firth():
    code = "import sys, firth.formats as f; f.open_folder; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("firth.formats.")}
    own = {"_format", "_rows", "_table", "native"}
    assert {name.removeprefix("firth.formats.") for name in loaded} <= own

"""Vectors by file, name and address."""

import gzip
import hashlib
import io
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import firth
from archives import tar, zipped
from firth.errors import (
    DownloadError,
    FormatError,
    ParameterError,
    SourceError,
)
from firth.hub import _catalogue, _fetch, _named
from firth.hub._sources import Source
from http_server import Answer

WORDS = ["the", "king", "queen", "cabbage"]
MATRIX = np.array([[0, 1, 0], [4, 1, 0], [4, 2, 0], [-1, 3, 0.5]], np.float32)
ROWS = [f"{w} {' '.join(map(str, row.tolist()))}\n" for w, row in zip(WORDS, MATRIX, strict=True)]
TEXT = f"{len(WORDS)} 3\n{''.join(ROWS)}".encode()


ZIP = zipped({"tiny.3d.txt": TEXT, "tiny.1d.txt": b"2 1\nthe 1\nking 2\n"})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No waiting between attempts."""
    monkeypatch.setattr(_fetch, "sleep", lambda _: None)


@pytest.fixture
def sources(server, monkeypatch):
    """A catalogue of sources that the server on this machine has."""
    zip_address = server.put("/tiny.zip", ZIP)
    checksum = "sha256:" + hashlib.sha256(ZIP).hexdigest()
    repaired = TEXT.replace(b"4 3", b"5 3") + ROWS[1].encode()
    made = [
        Source("tiny.3d", "vectors", "glove", "", "tiny.zip", (zip_address,), "tiny.3d.txt",
               words=4, vector_size=3, checksum=checksum, aliases=("tiny",), licence="PDDL"),
        Source("tiny.1d", "vectors", "glove", "", "tiny.zip", (zip_address,), "tiny.1d.txt",
               checksum=checksum),
        Source("repaired", "vectors", "fasttext", "", "repaired.vec.gz",
               (server.put("/repaired.vec.gz", gzip.compress(repaired)),)),
        Source("posts", "corpus", "posts", "", "posts.tar.gz",
               (server.put("/posts.tar.gz", tar({"a/1": b"one", "a/2": b"two"})),), unpack=True),
        Source("text", "corpus", "text", "", "text.txt", (server.put("/text.txt", b"a b\n"),)),
    ]  # fmt: skip
    found = {source.name: source for source in made}
    monkeypatch.setattr(_catalogue, "catalogue", lambda: found)
    monkeypatch.setattr(_catalogue, "_names", _catalogue._names.__wrapped__)
    return found


def left_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


# ---- files


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(TEXT)
    return path


def test_a_file_is_recognised(file):
    wv = firth.load(file)
    assert wv.index_to_key == WORDS
    np.testing.assert_array_equal(wv.vectors, MATRIX)
    assert wv.load_report.rows_claimed == 4


def test_all_the_ways_to_name_a_file(file, tmp_path, monkeypatch):
    (tmp_path / "v.txt.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "v.zip").write_bytes(ZIP)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    ways = (
        str(file), file, "vectors.txt", "~/vectors.txt", "v.txt.gz", "v.zip/tiny.3d.txt",
        io.BytesIO(TEXT),
    )  # fmt: skip
    for way in ways:
        assert firth.load(way).index_to_key == WORDS


def test_options_reach_the_reader(file):
    assert firth.load(file, limit=2).index_to_key == WORDS[:2]
    assert firth.load(file, only=["queen", "nobody"]).index_to_key == ["queen"]
    assert firth.load(file, only=np.array(["queen", "king"])).index_to_key == ["king", "queen"]
    assert firth.load(file, dtype="float16").vectors.dtype == np.float16
    assert firth.load(file, format="word2vec-text").index_to_key == WORDS
    with pytest.raises(ParameterError, match="limit"):
        firth.load(file, limit=0)
    with pytest.raises(ParameterError, match="format is 'nonsense'"):
        firth.load(file, format="nonsense")


def test_a_folder_of_firth_is_mapped(file, tmp_path):
    firth.load(file).save(tmp_path / "model")
    wv = firth.load(tmp_path / "model")
    assert not wv.vectors.flags.owndata
    assert firth.load(tmp_path / "model", limit=2).index_to_key == WORDS[:2]


def test_a_file_of_this_name_goes_before_the_catalogue(sources, server, tmp_path, monkeypatch):
    (tmp_path / "tiny.3d").write_bytes(b"1 2\nmine 1 2\n")
    monkeypatch.chdir(tmp_path)
    assert firth.load("tiny.3d").index_to_key == ["mine"]
    assert server.requests == []


@pytest.mark.parametrize(
    ("source", "error", "told"),
    [
        ("glove.6B.50", SourceError, "Did you mean glove.6B.50d"),
        ("no/such/file.txt", SourceError, "no such file or folder, and no source of this name"),
        ("", SourceError, "is empty"),
        ("x" * 5000, SourceError, "no such file"),
        ("a\0b", SourceError, "no such file"),
        ("s3://bucket/vectors.bin", SourceError, "only http:// and https://"),
        (Path("nowhere.txt"), SourceError, "nowhere.txt"),
        (None, ParameterError, "NoneType"),
        (["a"], ParameterError, "list"),
        (b"vectors", ParameterError, "bytes"),
        ("https://", ParameterError, "no address"),
    ],
)
def test_what_is_nothing_is_told(source, error, told):
    with pytest.raises(error, match=re.escape(told)):
        firth.load(source)


# ---- by name


def test_by_name_it_is_downloaded_converted_and_mapped(sources, server, places):
    wv = firth.load("tiny.3d")
    assert wv.index_to_key == WORDS
    np.testing.assert_array_equal(wv.vectors, MATRIX)
    assert not wv.vectors.flags.owndata
    assert wv.config["source"]["name"] == "tiny.3d"
    assert wv.config["source"]["licence"] == "PDDL"
    assert wv.load_report.format == "word2vec-text"
    assert (places.cache / "vectors" / "tiny.3d" / "config.json").is_file()
    assert left_in(places.cache / "downloads") == ["tiny.zip", "tiny.zip.json"]
    assert firth.load("tiny.3d").index_to_key == WORDS
    assert len(server.requests) == 1


def test_one_archive_serves_several_names(sources, server):
    assert firth.load("tiny.3d").vector_size == 3
    assert firth.load("TINY.1D").vector_size == 1
    assert firth.load("tiny").vector_size == 3
    assert len(server.requests) == 1


def test_what_was_converted_needs_neither_download_nor_network(sources, places, monkeypatch):
    firth.load("tiny.3d")
    for path in (places.cache / "downloads").iterdir():
        path.unlink()
    monkeypatch.setenv("FIRTH_OFFLINE", "1")
    assert firth.load("tiny.3d").index_to_key == WORDS
    with pytest.raises(DownloadError, match=r"FIRTH_OFFLINE.*by hand"):
        firth.load("tiny.1d")


def test_parts_of_a_source_are_read_without_converting_it(sources, places):
    assert firth.load("tiny.3d", limit=2).index_to_key == WORDS[:2]
    assert firth.load("tiny.3d", only=["queen"]).index_to_key == ["queen"]
    assert not (places.cache / "vectors").exists()
    firth.load("tiny.3d")
    wv = firth.load("tiny.3d", only=["queen"])
    assert wv.index_to_key == ["queen"]
    assert wv.load_report.format == "word2vec-text"


def test_half_precision_has_a_folder_of_its_own(sources, places):
    assert firth.load("tiny.3d", dtype="float16").vectors.dtype == np.float16
    assert firth.load("tiny.3d").vectors.dtype == np.float32
    assert sorted(p.name for p in (places.cache / "vectors").iterdir()) == [
        "tiny.3d", "tiny.3d-float16",
    ]  # fmt: skip
    assert not firth.load("tiny.3d", dtype="float16").vectors.flags.owndata


def test_repairs_are_remembered(sources):
    for _ in range(2):
        report = firth.load("repaired").load_report
        assert report.repairs == {"duplicates": 1}


def test_strict_refuses_what_was_repaired_before(sources):
    firth.load("repaired")
    for _ in range(2):
        with pytest.raises(FormatError, match=r"duplicate|stood there before"):
            firth.load("repaired", strict=True)
    assert firth.load("repaired").index_to_key == WORDS
    assert firth.load("tiny.3d", strict=True).index_to_key == WORDS
    assert firth.load("tiny.3d", strict=True).config["source"]["strict"] is True


def test_a_new_download_is_converted_anew(sources, server):
    firth.load("repaired")
    server.put("/repaired.vec.gz", gzip.compress(b"1 2\nnew 1 2\n"), Answer(etag='"v2"'))
    firth.download("repaired", again=True)
    assert firth.load("repaired").index_to_key == ["new"]


def test_a_damaged_conversion_is_made_again(sources, server, places):
    firth.load("tiny.3d")
    (places.cache / "vectors" / "tiny.3d" / "vectors.safetensors").write_bytes(b"x")
    assert firth.load("tiny.3d").index_to_key == WORDS
    assert len(server.requests) == 1


def test_two_threads_convert_once(sources, server):
    server.put("/tiny.zip", ZIP, Answer(pause=0.3))
    found = []
    threads = [threading.Thread(target=lambda: found.append(firth.load("tiny.3d"))) for _ in "123"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [wv.index_to_key for wv in found] == [WORDS] * 3
    assert len(server.requests) == 1


def test_a_corpus_is_no_vectors(sources):
    with pytest.raises(SourceError, match=r"a text to train on: firth.download\('posts'\)"):
        firth.load("posts")


def test_without_a_network_it_is_told_at_once_and_nothing_is_left(places, monkeypatch):
    monkeypatch.setenv("FIRTH_OFFLINE", "1")
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"glove\.6B\.100d is not on this machine"):
        firth.load("glove.6B.100d")
    assert time.monotonic() - started < 1
    assert not places.cache.exists()


# ---- by address


def test_an_address_is_downloaded_once(server, places):
    address = server.put("/some/vectors.txt.gz", gzip.compress(TEXT))
    wv = firth.load(address)
    assert wv.index_to_key == WORDS
    assert wv.config["source"]["name"] == address
    assert firth.load(address).index_to_key == WORDS
    assert firth.load(address, limit=1).index_to_key == WORDS[:1]
    assert len(server.requests) == 1


def test_an_address_of_an_archive_with_several_files(server):
    address = server.put("/tiny.zip", ZIP)
    with pytest.raises(SourceError, match=r"tiny\.3d\.txt"):
        firth.load(address)
    assert firth.load(f"{address}#tiny.3d.txt").index_to_key == WORDS
    assert firth.load(f"{address}#tiny.1d.txt").index_to_key == ["the", "king"]
    assert len(server.requests) == 1


def test_an_address_that_is_no_vectors_is_not_kept(server, places):
    address = server.put("/v.json?key=secret", b"")
    server.put("/v.json", b'{"error": "no such thing"}')
    with pytest.raises(FormatError) as caught:
        firth.load(f"{server.address}/v.json?key=secret")
    assert f"{server.address}/v.json" in str(caught.value)
    assert str(places.cache) not in str(caught.value)
    assert left_in(places.cache) == []
    server.put("/v.json", TEXT)
    assert firth.load(address.partition("?")[0]).index_to_key == WORDS


def test_a_large_file_of_an_address_is_kept_even_so(server, places):
    address = server.put("/v.txt", b"no vectors " * 200_000)
    for _ in range(2):
        with pytest.raises(FormatError):
            firth.load(address)
    assert len(server.requests) == 1


def test_the_password_in_an_address_is_not_noted(server, places, monkeypatch):
    address = server.put("/v.txt", TEXT).replace("http://", "http://me:secret@")
    wv = firth.load(address)
    assert "secret" not in str(wv.config)
    notes = [p for p in places.cache.rglob("*.json") if p.is_file()]
    assert notes
    assert not any("secret" in path.read_text() for path in notes)
    monkeypatch.setenv("FIRTH_OFFLINE", "1")
    with pytest.raises(DownloadError) as caught:
        firth.load(address.replace("v.txt", "w.txt"))
    assert "secret" not in str(caught.value)


def test_an_address_that_is_gone(server, places):
    with pytest.raises(DownloadError, match="answers 404"):
        firth.load(f"{server.address}/nothing.vec")
    assert not places.cache.exists()


# ---- download


def test_download_gives_the_file_as_it_was_published(sources, places):
    path = firth.download("tiny.3d")
    assert path == places.cache / "downloads" / "tiny.zip"
    assert path.read_bytes() == ZIP
    assert firth.download("text").read_bytes() == b"a b\n"
    assert isinstance(path, Path)


def test_download_unpacks_a_corpus_of_many_files(sources, server, places):
    folder = firth.download("posts")
    assert left_in(folder) == [".firth-unpacked", "a/1", "a/2"]
    assert (folder / "a" / "1").read_bytes() == b"one"
    assert firth.download("posts") == folder
    assert len(server.requests) == 1
    assert [p.name for p in (places.cache / "unpacked").iterdir()] == ["posts"]


def test_a_corpus_can_be_trained_on(sources):
    vocab = firth.build_vocab(firth.download("posts"), min_count=1)
    assert sorted(vocab.words) == ["one", "two"]


def test_download_of_an_address(server):
    assert firth.download(server.put("/v.txt", TEXT)).read_bytes() == TEXT


@pytest.mark.parametrize(("name", "error"), [("glove.6B.5d", SourceError), (3, ParameterError)])
def test_download_of_nothing(name, error):
    with pytest.raises(error, match=str(name)):
        firth.download(name)


# ---- the process


def test_opening_a_folder_imports_nothing_that_downloads(file, tmp_path):
    firth.load(file).save(tmp_path / "model")
    code = (
        "import sys, firth; firth.load(sys.argv[1]); "
        "print(*{m.split('.')[0] for m in sys.modules} & "
        "{'urllib3', 'filelock', 'tomllib', 'tqdm', 'asyncio', 'http', 'ssl'}, "
        "*{m for m in sys.modules if m.startswith('firth.hub.')})"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["firth.hub._load"]


def test_ctrl_c_while_converting_leaves_no_half(sources, places, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("firth.formats.save_folder", interrupted)
        with pytest.raises(KeyboardInterrupt):
            firth.load("tiny.3d")
    assert not (places.cache / "vectors").exists()
    assert firth.load("tiny.3d").index_to_key == WORDS


def test_where_a_source_is(sources):
    source = sources["tiny.3d"]
    assert not _named.is_here(source)
    firth.download("tiny.3d")
    assert _named.is_here(source)
    assert _named.prepare("tiny.3d").name == "tiny.3d"

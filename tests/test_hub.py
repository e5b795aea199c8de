"""Vectors by file, name and address; the catalogue; archives of text."""

import gzip
import hashlib
import io
import os
import re
import stat
import subprocess
import sys
import tarfile
import threading
import time
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

import firth
from firth.errors import (
    DownloadError,
    FormatError,
    OutputError,
    ParameterError,
    SourceError,
)
from firth.hub import _catalogue, _fetch, _named, _unpack
from firth.hub._catalogue import catalogue, find_source, sources_of, suggestions
from firth.hub._sources import Source, Sources, table_of
from http_server import Answer, Server

WORDS = ["the", "king", "queen", "cabbage"]
MATRIX = np.array([[0, 1, 0], [4, 1, 0], [4, 2, 0], [-1, 3, 0.5]], np.float32)
ROWS = [f"{w} {' '.join(map(str, row.tolist()))}\n" for w, row in zip(WORDS, MATRIX, strict=True)]
TEXT = f"{len(WORDS)} 3\n{''.join(ROWS)}".encode()


def zipped(members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


ZIP = zipped({"tiny.3d.txt": TEXT, "tiny.1d.txt": b"2 1\nthe 1\nking 2\n"})


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("FIRTH_OFFLINE", "FIRTH_MIRROR", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
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


def tar(members, mode="w:gz"):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(data, bytes):
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
            else:
                info.type, info.linkname = data
                archive.addfile(info)
    return target.getvalue()


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


# ---- archives


@pytest.mark.parametrize(
    "name", ["../out", "/out", "a/../../out", "..\\out", "C:/out", "a/..", "."]
)
@pytest.mark.parametrize("pack", [zipped, tar, lambda members: tar(members, "w")])
def test_no_archive_gets_out_of_its_folder(tmp_path, name, pack):
    archive = tmp_path / "archive"
    archive.write_bytes(pack({"good": b"1", name: b"2"}))
    with pytest.raises(FormatError, match=r"outside of its folder|damaged"):
        _unpack.unpack(archive, tmp_path / "folder", "0")
    assert left_in(tmp_path) == ["archive"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_an_archive_are_refused(tmp_path, kind):
    archive = tmp_path / "archive"
    archive.write_bytes(tar({"good": b"1", "link": (kind, "/etc/passwd"), "link/x": b"2"}))
    with pytest.raises(FormatError, match="'link' in it is no plain file"):
        _unpack.unpack(archive, tmp_path / "folder", "0")
    assert left_in(tmp_path) == ["archive"]


def test_links_in_a_zip_are_refused(tmp_path):
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/etc/passwd")
    with pytest.raises(FormatError, match="no plain file"):
        _unpack.unpack(archive, tmp_path / "folder", "0")


def test_names_that_stand_twice_in_an_archive_are_refused(tmp_path):
    archive = tmp_path / "archive"
    with tarfile.open(archive, "w") as packed:
        for data in (b"1", b"22"):
            info = tarfile.TarInfo("same")
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    with pytest.raises(FormatError, match="same name"):
        _unpack.unpack(archive, tmp_path / "folder", "0")


def test_an_archive_larger_than_the_disk_is_not_unpacked(tmp_path, monkeypatch):
    archive = tmp_path / "archive"
    archive.write_bytes(tar({"bomb": bytes(10_000_000)}))
    assert archive.stat().st_size < 20_000
    monkeypatch.setattr(
        _unpack.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1_000_000})
    )
    with pytest.raises(OutputError, match="no room"):
        _unpack.unpack(archive, tmp_path / "folder", "0")
    assert left_in(tmp_path) == ["archive"]


@pytest.mark.parametrize("cut", [10, 100, 15_000])
def test_a_damaged_archive(tmp_path, cut):
    archive = tmp_path / "archive"
    archive.write_bytes(tar({"a": os.urandom(10_000), "b": os.urandom(10_000)})[:cut])
    with pytest.raises(FormatError, match="damaged"):
        _unpack.unpack(archive, tmp_path / "folder", "0")
    assert left_in(tmp_path) == ["archive"]


def test_a_new_archive_replaces_what_was_unpacked(tmp_path):
    archive = tmp_path / "archive"
    for number, members in enumerate(({"a": b"1"}, {"b": b"2"})):
        archive.write_bytes(zipped(members))
        _unpack.unpack(archive, tmp_path / "folder", str(number))
    assert left_in(tmp_path / "folder") == [".firth-unpacked", "b"]


# ---- the catalogue


def test_the_catalogue_has_what_people_look_for():
    names = set(catalogue())
    wanted = {
        *(f"glove.6B.{d}d" for d in (50, 100, 200, 300)),
        *(f"glove.twitter.27B.{d}d" for d in (25, 50, 100, 200)),
        *(f"glove.2024.wikigiga.{d}d" for d in (50, 100, 200, 300)),
        "glove.42B.300d", "glove.840B.300d", "glove.2024.dolma.300d", "wiki.simple", "wiki.en.bin",
        "cc.de.300", "cc.de.300.bin", "crawl-300d-2M", "crawl-300d-2M-subword.bin",
        "wiki-news-300d-1M", "wiki-news-300d-1M-subword", "GoogleNews-vectors-negative300",
        "glove-wiki-gigaword-100", "numberbatch-en-19.08", "text8", "20newsgroups",
        "questions-words", "EN-SIMLEX-999",
    }  # fmt: skip
    assert wanted <= names
    assert len([n for n in names if re.fullmatch(r"cc\.\w+\.300", n)]) == 158
    assert len([n for n in names if re.fullmatch(r"wiki\.\w+", n)]) == 294


def test_every_source_is_whole():
    by_file = {}
    spellings = {}
    for source in catalogue().values():
        assert source.kind in {"vectors", "corpus", "evaluation"}
        assert source.addresses
        assert all(re.fullmatch(r"https?://[\w.-]+/[\w./~-]+", a) for a in source.addresses)
        assert re.fullmatch(r"[\w.-]+", source.file)
        assert source.title
        assert source.language
        assert source.homepage
        assert not re.search(r"[{}]|None", " ".join(map(str, vars(source).values())).replace(
            source.pattern, "").replace("None", ""))  # fmt: skip
        if source.kind == "vectors":
            assert source.vector_size
        if source.checksum:
            assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", source.checksum)
        # One name in the cache is one file of the network.
        same = (source.addresses, source.checksum, source.n_bytes)
        assert by_file.setdefault(source.file, same) == same
        for name in (source.name, *source.aliases):
            assert spellings.setdefault(name.casefold(), source.name) == source.name


def test_no_name_looks_like_a_path():
    assert [n for n in catalogue() if "/" in n or "\\" in n or n.startswith((".", "~", "-"))] == []


def test_checksums_are_not_those_of_empty_files():
    empty = {hashlib.sha256().hexdigest(), hashlib.md5(usedforsecurity=False).hexdigest()}
    checksums = [s.checksum.partition(":")[2] for s in catalogue().values() if s.checksum]
    assert len(checksums) > 200
    assert not empty & set(checksums)
    # The same checksum under two names would be a slip of copying.
    files = {s.checksum: s.file for s in catalogue().values() if s.checksum}
    assert len(files) == len({s.file for s in catalogue().values() if s.checksum})


def test_entries_are_filled_in():
    document = tomllib.loads(
        """
        [defaults]
        family = "f"
        title = "t"
        file = "{name}.gz"
        addresses = ["https://a.org/{name}/{code}"]
        [[source]]
        name = "x.{code}{suffix}"
        each = [{ suffix = "" }, { suffix = ".bin", subwords = true }]
        languages = "some"
        words = { en = 5 }
        checksums = "sums"
        [languages.some]
        de = "German"
        en = "English"
        [checksums.sums]
        de = "md5:0"
        """
    )
    found = {source.name: source for source in sources_of(document)}
    assert list(found) == ["x.de", "x.en", "x.de.bin", "x.en.bin"]
    source = found["x.de.bin"]
    assert (source.file, source.addresses) == ("x.de.bin.gz", ("https://a.org/x.de.bin/de",))
    assert (source.language, source.words, source.checksum) == ("German", None, "md5:0")
    assert (source.subwords, source.pattern) == (True, "x.{code}{suffix}")
    assert (found["x.en"].words, found["x.en"].checksum) == (5, None)


@pytest.mark.parametrize(
    ("pattern", "some", "none"),
    [
        ("glove", {"glove.6B.50d", "glove-twitter-25"}, {"wiki.de"}),
        ("fasttext", {"wiki.de", "cc.de.300"}, {"glove.6B.50d"}),
        ("6b", {"glove.6B.50d"}, {"glove.42B.300d"}),
        ("cc.d?.300", {"cc.de.300", "cc.da.300"}, {"cc.de.300.bin", "cc.en.300"}),
        ("german", {"wiki.de", "cc.de.300.bin"}, {"wiki.nds"}),
        ("evaluation", {"EN-RG-65"}, {"text8"}),
        ("corpus", {"text8"}, {"EN-RG-65"}),
        ("gensim-data", {"glove-wiki-gigaword-50"}, {"glove.6B.50d"}),
        (None, {"text8", "wiki.de"}, set()),
    ],
)
def test_listing(pattern, some, none):
    found = {source.name for source in firth.list_sources(pattern)}
    assert some <= found
    assert not none & found


def test_listing_nothing():
    assert firth.list_sources("no such thing") == []
    with pytest.raises(ParameterError, match="pattern"):
        firth.list_sources(3)


def test_a_list_shows_itself_as_a_table():
    lines = repr(firth.list_sources("glove.6B")).splitlines()
    assert lines[0].split() == ["name", "words", "dim", "size", "language", "licence", "what"]
    assert lines[1].split()[:4] == ["glove.6B.50d", "400,000", "50", "862"]
    assert len(lines) == 5
    everything = repr(firth.list_sources())
    assert len(everything.splitlines()) < 100
    assert re.search(r"^cc\.LANG\.300 .*158 languages", everything, re.MULTILINE)
    assert isinstance(firth.list_sources()[:3], Sources)
    assert isinstance(firth.list_sources()[0], Source)
    assert table_of([])[0][0] == "name"


def test_names_in_any_case_and_with_slips():
    assert find_source("GLOVE.6b.50D").name == "glove.6B.50d"
    assert find_source("word2vec-google-news-300").name == "GoogleNews-vectors-negative300"
    assert find_source("cc.de.300.vec").name == "cc.de.300"
    assert find_source("glove") is None
    assert suggestions("glove.6B.100")[0] == "glove.6B.100d"
    assert suggestions("wiki.simpel")[0] == "wiki.simple"
    assert suggestions("§§§") == []


# ---- GluonNLP's names


def test_embedding_create(sources, monkeypatch):
    wv = firth.embedding.create("glove", source="tiny.3d")
    assert wv.index_to_key == WORDS
    assert firth.embedding.create("GloVe", source="tiny.3d", limit=1).index_to_key == WORDS[:1]
    monkeypatch.setitem(firth.embedding._DEFAULTS, "glove", "tiny.1d")
    assert firth.embedding.create("glove").vector_size == 1


def test_embedding_list_sources():
    assert firth.embedding.list_sources("glove")[0] == "glove.6B.50d"
    assert "wiki.simple" in firth.embedding.list_sources("fasttext")
    every = firth.embedding.list_sources()
    assert list(every) == ["glove", "word2vec", "fasttext", "numberbatch"]
    assert all(name in every[family] for family, name in firth.embedding._DEFAULTS.items())


def test_embedding_of_another_name():
    with pytest.raises(ParameterError, match="none of glove, word2vec"):
        firth.embedding.create("elmo")
    with pytest.raises(ParameterError, match=r"did you mean glove\.6B\.50d"):
        firth.embedding.create("glove", source="glove.6B.50")
    with pytest.raises(ParameterError, match=r"no source 'wiki\.simple'"):
        firth.embedding.create("glove", source="wiki.simple")


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

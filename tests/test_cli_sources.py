"""The commands list, download and convert, and info and questions about what is not a folder."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import firth
from firth import hub
from firth.hub import _catalogue, _fetch, _named
from firth.hub._sources import Source

WORDS = ["the", "king", "queen", "cabbage"]
MATRIX = np.array([[0, 1, 0], [4, 1, 0], [4, 2, 0], [-1, 3, 0.5]], np.float32)
ROWS = [f"{w} {' '.join(map(str, row.tolist()))}\n" for w, row in zip(WORDS, MATRIX, strict=True)]
TEXT = f"{len(WORDS)} 3\n{''.join(ROWS)}".encode()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No waiting between attempts."""
    monkeypatch.setattr(_fetch, "sleep", lambda _: None)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(TEXT)
    return path


# ---- list


def test_list_prints_columns_for_programs(run):
    status, out, err = run("list", "glove.6B")
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split("\t") == [
        "glove.6B.50d", "400000", "50", "862182613", "English", "PDDL",
        "Wikipedia 2014 and Gigaword 5, 6 billion tokens, lower case",
    ]  # fmt: skip
    assert len(out.splitlines()) == 4


def test_list_without_a_pattern_has_all(run):
    status, out, _ = run("list")
    assert status == 0
    assert len(out.splitlines()) == len(firth.list_sources())


def test_list_as_json(run, places):
    downloads = places.cache / "downloads"
    downloads.mkdir(parents=True)
    (downloads / "glove.6B.zip").write_bytes(b"")
    _, out, _ = run("list", "glove*.50d", "--json")
    told = {entry["name"]: entry for entry in map(json.loads, out.splitlines())}
    assert told["glove.6B.50d"]["downloaded"] is True
    assert told["glove.2024.wikigiga.50d"]["downloaded"] is False
    assert told["glove.6B.50d"]["words"] == 400_000
    assert "words" not in told["glove.2024.wikigiga.50d"]
    assert "pattern" not in told["glove.6B.50d"]


@pytest.fixture
def terminal(run, monkeypatch):
    """Run a command on a terminal of a width; gives its lines without their colours."""

    def on_terminal(width, *arguments):
        for name, value in {"COLUMNS": str(width), "NO_COLOR": "1", "TERM": "xterm"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(type(sys.stdout), "isatty", lambda _: True, raising=False)
        _, out, _ = run(*arguments)
        return re.sub(r"\x1b\[[\d;]*m", "", out).splitlines()

    return on_terminal


def test_list_on_a_terminal_is_a_table(terminal, places):
    downloads = places.cache / "downloads"
    downloads.mkdir(parents=True)
    (downloads / "glove.6B.zip").write_bytes(b"")
    lines = terminal(160, "list", "glove")
    assert lines[0].split() == ["name", "words", "dim", "size", "language", "licence", "what"]
    assert lines[1].startswith("* glove.6B.50d ")
    assert lines[1].rstrip().endswith("lower case")
    assert lines[5].startswith("  glove.42B.300d ")
    assert lines[-1] == "23 sources, * on this machine; firth info NAME, firth download NAME"


@pytest.mark.parametrize(("width", "last"), [(120, "what"), (80, "language"), (50, "dim")])
def test_a_narrow_terminal_shows_fewer_columns(terminal, width, last):
    lines = terminal(width, "list")
    assert lines[0].split()[-1] == last
    assert len(lines) < 100
    assert max(map(len, lines)) <= width
    [languages] = [line for line in lines if line.startswith("  cc.LANG.300.bin")]
    assert ("158 languages" in languages) == (width >= 80)
    assert not any("…" in line[:80] for line in lines)


def test_list_of_nothing(run):
    status, out, err = run("list", "glvoe")
    assert (status, out) == (1, "")
    assert "glvoe" in err


# ---- download


def test_download_prints_where_the_model_folder_is(run, server, places, monkeypatch):
    tiny = Source("tiny", "vectors", "glove", "", "v.txt", (server.put("/v.txt", TEXT),))
    monkeypatch.setattr(_catalogue, "find_source", {"tiny": tiny}.get)
    monkeypatch.setattr(_named, "find_source", {"tiny": tiny}.get)
    monkeypatch.setattr(hub, "find_source", {"tiny": tiny}.get)
    status, out, err = run("download", "tiny", "-q")
    assert (status, err) == (0, "")
    assert out == f"{places.cache / 'vectors' / 'tiny'}\n"
    assert firth.load(out.strip()).index_to_key == WORDS
    assert run("download", "tiny", "-q")[1] == out
    assert len(server.requests) == 1
    run("download", "tiny", "-q", "--again")
    assert len(server.requests) == 2
    told = json.loads(run("info", "tiny", "--json")[1])
    assert (told["words"], told["format"]) == (4, "word2vec-text")


def test_download_leaves_the_file_of_an_address_as_it_is(run, server):
    _, out, _ = run("download", server.put("/corpus.txt", b"no vectors at all"), "-q")
    assert Path(out.strip()).read_bytes() == b"no vectors at all"


def test_download_tells_its_progress(run, server):
    _, out, err = run("download", server.put("/v.txt", TEXT))
    assert "downloading v.txt: 100%" in err
    assert len(out.splitlines()) == 1


def test_download_without_a_network(run, places, monkeypatch):
    monkeypatch.setenv("FIRTH_OFFLINE", "1")
    status, out, err = run("download", "text8")
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert str(places.cache / "downloads" / "text8.zip") in err
    status, _, err = run("similar", "glove.6B.50d", "king")
    assert status == 1
    assert "FIRTH_OFFLINE" in err
    assert not places.cache.exists()


def test_download_of_an_unknown_name(run):
    status, _, err = run("download", "glove.6B.50")
    assert status == 1
    assert "Did you mean glove.6B.50d" in err


# ---- convert


def test_convert_makes_a_model_folder(run, file, tmp_path):
    status, out, err = run("convert", file, tmp_path / "model", "-q")
    assert (status, out, err) == (0, "", "")
    wv = firth.load(tmp_path / "model")
    assert wv.index_to_key == WORDS
    assert not wv.vectors.flags.owndata
    # Norms are kept, so that the first answer need not read all vectors.
    assert wv._matrix._norms is not None


@pytest.mark.parametrize("name", ["v.txt", "v.vec.gz", "v.txt.zst"])
def test_convert_there_and_back(run, file, tmp_path, name):
    run("convert", file, tmp_path / "model", "-q")
    status, out, _ = run("convert", tmp_path / "model", tmp_path / name)
    assert status == 0
    assert "4 words x 3 dimensions" in out
    wv = firth.load(tmp_path / name)
    assert wv.index_to_key == WORDS
    np.testing.assert_array_equal(wv.vectors, MATRIX)


def test_convert_some(run, file, tmp_path):
    run("convert", file, tmp_path / "a", "--limit", 2, "-q")
    assert firth.load(tmp_path / "a").index_to_key == WORDS[:2]
    words = tmp_path / "words.txt"
    words.write_bytes("\ufeffqueen\r\nking\r\nnobody\r\n\r\n".encode())
    status, _, err = run("convert", file, tmp_path / "b", "--only", words)
    assert status == 0
    assert "1 of the 3 words are not in" in err
    assert firth.load(tmp_path / "b").index_to_key == ["king", "queen"]
    run("convert", file, tmp_path / "c", "--only", "-", "-q", stdin=b"cabbage\n")
    assert firth.load(tmp_path / "c").index_to_key == ["cabbage"]
    run("convert", file, tmp_path / "d", "--dtype", "float16", "-q")
    assert firth.load(tmp_path / "d").vectors.dtype == np.float16


def test_convert_tells_what_it_repaired(run, tmp_path):
    path = tmp_path / "v.txt"
    path.write_bytes(TEXT.replace(b"4 3", b"5 3") + ROWS[1].encode())
    status, _, err = run("convert", path, tmp_path / "model")
    assert status == 0
    assert "firth: 1 rows were left out because their word stood there before" in err
    status, _, err = run("convert", path, tmp_path / "strict", "--strict")
    assert status == 1
    assert not (tmp_path / "strict").exists()


def test_convert_replaces_nothing_unasked(run, file, tmp_path):
    target = tmp_path / "there.txt"
    target.write_text("mine")
    status, _, err = run("convert", file, target)
    assert status == 1
    assert "--force" in err
    assert target.read_text() == "mine"
    assert run("convert", file, target, "--force", "-q")[0] == 0
    assert firth.load(target).index_to_key == WORDS


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.txt", "out"], "no such file"),
        (["{file}", "out.nonsense"], "ending"),
        (["{file}", "out", "--to", "nonsense"], "nonsense"),
        (["{file}", "out", "--from", "nonsense"], "nonsense"),
        (["{file}", "no/such/folder/out"], "make it first"),
        (["{file}", "out", "--only", "{tmp}/latin"], "line 2 is not UTF-8"),
        (["{file}", "out", "--only", "{tmp}/none"], "No such file"),
    ],
)
def test_convert_tells_what_is_wrong(run, file, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latin").write_bytes(b"a\ncaf\xe9\n")
    status, out, err = run("convert", *(a.format(file=file, tmp=tmp_path) for a in arguments))
    assert status in {1, 2}
    assert out == ""
    assert told in err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


# ---- info and questions


def test_info_of_a_file(run, tmp_path):
    path = tmp_path / "v.txt"
    path.write_bytes(TEXT + ROWS[1].encode())
    status, out, _ = run("info", path)
    assert status == 0
    assert re.search(r"^format +word2vec-text$", out, re.MULTILINE)
    assert re.search(r"^words +4$", out, re.MULTILINE)
    assert re.search(r"^ +duplicates +1$", out, re.MULTILINE)
    assert re.search(r"^first words +the king queen cabbage$", out, re.MULTILINE)
    told = json.loads(run("info", path, "--json")[1])
    assert (told["source"], told["vector_size"], told["dtype"]) == (str(path), 3, "float32")
    assert told["repairs"]["duplicates"] == 1
    assert told["bytes"] == path.stat().st_size


def test_info_of_a_name_downloads_nothing(run, places):
    status, out, _ = run("info", "glove.840B.300d", "--json")
    told = json.loads(out)
    assert status == 0
    assert (told["words"], told["vector_size"], told["downloaded"]) == (2_196_017, 300, False)
    assert told["bytes"] == 2_176_768_927
    assert not places.cache.exists()
    assert "18,846 posts" in run("info", "20newsgroups")[1]


def test_questions_about_a_file_and_an_address(run, file, server):
    assert run("similar", file, "king", "-k", 1)[1].startswith("queen\t")
    status, out, _ = run("similar", server.put("/v.txt", TEXT), "king", "-k", 1)
    assert status == 0
    assert out.startswith("queen\t")

"""Which files a path, a folder, a pattern or a stream stands for."""

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from firth.errors import SourceError, TextError
from firth.text import open_text
from firth.text.files import find_files, stream_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of small texts, each its own name, and work beside it."""
    for name in ("b.txt", "a/z.txt", "a-1.txt", "a/.hidden", ".git/config", "a/b/c.md"):
        path = tmp_path / "texts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "texts"


def names(source: str | Path) -> list[str]:
    return [file.name for file in find_files(source)]


@pytest.mark.usefixtures("folder")
def test_a_folder_stands_for_all_below_it_in_order_without_hidden_ones() -> None:
    assert names("texts") == ["texts/a/b/c.md", "texts/a/z.txt", "texts/a-1.txt", "texts/b.txt"]
    assert names("texts/a/.hidden") == ["texts/a/.hidden"]
    source = open_text("texts")
    assert b"".join(source.blocks()) == b"a/b/c.md\na/z.txt\na-1.txt\nb.txt\n"
    assert source.n_bytes == source.n_bytes_read == 27


@pytest.mark.usefixtures("folder")
def test_patterns_match_files_and_folders() -> None:
    assert names("texts/*.txt") == ["texts/a-1.txt", "texts/b.txt"]
    assert names("texts/**/*.txt") == ["texts/a/z.txt", "texts/a-1.txt", "texts/b.txt"]
    assert names("./texts/?.txt") == ["./texts/b.txt"]
    assert names("texts/[a]") == ["texts/a/b/c.md", "texts/a/z.txt"]
    assert names(Path("texts/**")) == names("texts")


def test_a_name_with_magic_characters_is_a_name_first(folder: Path) -> None:
    (folder / "what?[1].txt").write_text("it exists")
    assert names("texts/what?[1].txt") == ["texts/what?[1].txt"]


def test_the_home_folder_is_understood(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert names("~/b.txt") == [str(folder / "b.txt")]


def test_links_are_followed_each_folder_once(folder: Path) -> None:
    (folder.parent / "outside").mkdir()
    (folder.parent / "outside/o.txt").write_text("o")
    (folder / "link").symlink_to("../outside")
    (folder / "a/up").symlink_to("..")
    (folder / "root").symlink_to("/")
    assert "texts/link/o.txt" in names("texts")
    assert len(names("texts")) == 5
    (folder / "root").unlink()
    assert sorted(os.path.realpath(name) for name in names("texts/**/*.txt")) == sorted(
        str(path) for path in (*folder.rglob("*.txt"), folder.parent / "outside/o.txt")
    )


def test_a_link_to_nothing_is_refused(folder: Path) -> None:
    (folder / "broken").symlink_to("nowhere")
    for source in ("texts", "texts/broken", "texts/*"):
        with pytest.raises(SourceError, match="texts/broken is a link to a file that is not there"):
            find_files(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nope.txt", "no such file or folder: 'nope.txt'$"),
        (Path("no/pe.txt"), "no such file or folder: 'no/pe.txt'$"),
        ("texts/*.csv", r"no file matches the pattern 'texts/\*\.csv'"),
        ("texts/**/*.csv", "no file matches the pattern"),
        ("a text, not a name", r"no such file.*; a text itself goes into a list: \[text\]"),
        ("a\0b", "no such file"),
        ("x" * 5000, r"no such file or folder: 'x{197}\.\.\.'"),
        ("texts/b.txt/member", r"no such file.*texts/b.txt is a file, but no .zip archive"),
        ("texts/empty", "the folder texts/empty has no files to read"),
        ("texts/empt[y]", "no file matches the pattern"),
    ],
)
def test_what_is_not_there_is_refused(source: str | Path, message: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "empty/.hidden").write_text("hidden")
    with pytest.raises(SourceError, match=message):
        open_text(source)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(folder: Path) -> None:
    (folder / "b.txt").chmod(0)
    with pytest.raises(SourceError, match=r"b.txt cannot be opened \(Permission denied\)"):
        list(open_text(folder / "b.txt").blocks())
    (folder / "a").chmod(0)
    with pytest.raises(SourceError, match=r"texts/a cannot be opened"):
        open_text(folder)
    (folder / "a").chmod(0o755)


def test_a_file_that_has_gone_when_it_is_read_is_refused(folder: Path) -> None:
    source = open_text(folder / "b.txt")
    (folder / "b.txt").unlink()
    with pytest.raises(SourceError, match=r"b.txt cannot be opened \(No such file"):
        list(source.blocks())


def test_a_named_pipe_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b'{"t": "through a pipe"}',))
    writer.start()
    source = open_text(path, field="t")
    assert source.n_bytes is None
    assert source.fingerprint() is None
    assert b"".join(source.blocks()) == b"through a pipe\n"
    assert source.n_bytes_read == 23
    writer.join()
    with pytest.raises(TextError, match="pipe is a stream and has been read already"):
        source.blocks()


def test_pipes_in_a_folder_are_passed_over(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert "texts/pipe" not in names("texts")


def test_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from standard input")))
    source = open_text("-")
    assert b"".join(source.blocks()) == b"from standard input\n"
    assert source.name == "standard input"
    assert source.n_bytes is None
    path = tmp_path / "text"
    path.write_bytes(b"0123456789")
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert open_text("-").n_bytes == 10
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match="there is no standard input"):
        open_text("-")


def test_the_size_of_a_stream_is_known_only_where_it_is_true(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.read(4)
        stream = stream_file(file)
        assert (stream.name, stream.size) == (str(path), 6)
        assert b"".join(open_text(file).blocks()) == b"456789\n"
    assert stream_file(io.BytesIO(b"abc")).size is None
    with pytest.raises(TextError, match="stdin-like returned str, not bytes"):
        list(open_text(Reading("text")).blocks())


class Reading:
    """A binary file that is none."""

    name = "stdin-like"

    def __init__(self, result: object) -> None:
        self.result = result

    def read(self, size: int) -> object:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def test_streams_that_fail_are_refused() -> None:
    with pytest.raises(SourceError, match=r"stdin-like cannot be read: Input/output error"):
        list(open_text(Reading(OSError(5, "Input/output error"))).blocks())
    with pytest.raises(TextError, match="stdin-like returned nothing yet: pass a blocking file"):
        list(open_text(Reading(None)).blocks())


def test_streams_may_return_little_at_a_time() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(3, size or 3))

    import gzip

    text = b"many small pieces " * 1000
    assert b"".join(open_text(Trickle(gzip.compress(text))).blocks()) == text + b"\n"
    assert len(list(open_text(Trickle(text)).blocks())) == 1

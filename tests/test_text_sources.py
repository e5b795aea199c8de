"""`open_text`: whatever a caller may pass, and what it tells about the source."""

import doctest
import gzip
import importlib
import io
import json
import os
import random
from pathlib import Path

import pytest

from firth.errors import ParameterError, TextError
from firth.text import open_text

DATA = Path(os.environ.get("FIRTH_DATA") or Path(__file__).parents[2] / "shared" / "data")
needs_data = pytest.mark.skipif(
    not (DATA / "corpora").is_dir(), reason="the corpora are not there (set FIRTH_DATA)"
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    plain, packed = tmp_path / "plain.txt", tmp_path / "records.jsonl.gz"
    plain.write_text("plain text")
    packed.write_bytes(gzip.compress(b'{"text": "a record"}'))
    return plain, packed


@pytest.mark.parametrize("module", ["opening", "iterables", "tokenizers", "words"])
def test_examples_of_the_documentation(module: str) -> None:
    results = doctest.testmod(importlib.import_module(f"firth.text.{module}"))
    assert results.attempted > 0
    assert results.failed == 0


def test_a_list_of_paths_is_read_one_after_the_other(files: tuple[Path, Path]) -> None:
    plain, _ = files
    source = open_text([plain, plain.parent / "*.txt", plain])
    assert b"".join(source.blocks()) == b"plain text\n" * 3
    assert source.n_bytes == 30
    assert source.name == f"{plain} ... {plain}"


def test_a_list_of_names_is_not_trained_on_as_text(files: tuple[Path, Path]) -> None:
    plain, packed = files
    with pytest.raises(ParameterError, match=r"is the name of a file: pass pathlib.Path objects"):
        open_text([str(plain), str(packed)])
    assert b"".join(open_text([str(plain), "a text"]).blocks()).endswith(b"a text\n")


def test_files_may_be_read_again(files: tuple[Path, Path]) -> None:
    source = open_text(files[0])
    assert source.n_bytes_read == 0
    for _ in range(2):
        assert b"".join(source.blocks()) == b"plain text\n"
        assert source.n_bytes_read == source.n_bytes == 10


def test_progress_is_in_bytes_on_disk(tmp_path: Path) -> None:
    numbers = random.Random(1)
    path = tmp_path / "text.gz"
    lines = (numbers.randbytes(50).hex() for _ in range(240_000))
    path.write_bytes(gzip.compress("\n".join(lines).encode(), 1))
    source = open_text(path)
    seen = []
    for _ in source.blocks():
        seen.append(source.n_bytes_read)  # noqa: PERF401 - read while the blocks come
    assert seen == sorted(set(seen))
    assert seen[0] < path.stat().st_size / 2
    assert seen[-1] == source.n_bytes == path.stat().st_size


def test_fingerprints_tell_what_is_read_and_how(files: tuple[Path, Path]) -> None:
    plain, packed = files

    def fingerprint(source: object, **options: str) -> str:
        return json.dumps(open_text(source, **options).fingerprint())

    first = fingerprint(plain)
    assert json.loads(first) == {
        "files": [str(plain)],
        "sizes": [10],
        "mtimes_ns": [plain.stat().st_mtime_ns],
        "field": None,
        "errors": "strict",
    }
    assert fingerprint(plain) == first
    assert fingerprint(os.path.relpath(plain)) == first
    assert fingerprint(plain, errors="replace") != first
    assert fingerprint([plain, plain]) != first
    os.utime(plain, ns=(1, 1))
    assert fingerprint(plain) != first
    assert fingerprint(packed, field="text") != fingerprint(packed, field="other")
    with plain.open("rb") as file:
        assert open_text(file).fingerprint() is None


def test_streams_are_read_once(files: tuple[Path, Path]) -> None:
    source = open_text(io.BytesIO(b"one pass"))
    assert b"".join(source.blocks()) == b"one pass\n"
    with pytest.raises(TextError, match="the BytesIO is a stream and has been read already"):
        source.blocks()


def test_streams_are_read_by_their_name_where_they_have_one(files: tuple[Path, Path]) -> None:
    with files[1].open("rb") as file:
        assert b"".join(open_text(file, field="text").blocks()) == b"a record\n"
    with (
        files[1].open("rb") as file,
        pytest.raises(ParameterError, match=r"records.jsonl.gz holds records: say which field"),
    ):
        open_text(file)
    unnamed = io.BytesIO(b'{"text": "json lines"}')
    assert b"".join(open_text(unnamed, field="text").blocks()) == b"json lines\n"


def test_a_field_too_many_or_too_few_is_refused_before_work_begins(
    files: tuple[Path, Path],
) -> None:
    plain, packed = files
    with pytest.raises(ParameterError, match=r"plain.txt is read as plain text.*field 'text'"):
        open_text([packed, plain], field="text")
    with pytest.raises(ParameterError, match=r"say which field is the text .*; it has 'text'"):
        open_text([plain, packed])


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (3, {}, "the source of text is an int: pass a path"),
        (None, {}, "the source of text is None"),
        (b"text", {}, "the source of text is bytes.*decode them"),
        ({"a": 1}, {}, "the source of text is a dict"),
        (["a"], {"field": "text"}, r"field goes with files.*\(record\[field\] for record in"),
        ("-", {"field": ""}, "field is ''"),
        ("-", {"field": 3}, "field is 3: give the name"),
        ([["a"]], {"field": "text", "tokens": True}, "field does not go with lists of tokens"),
        (["a"], {"errors": "loose"}, "errors='loose' is not known"),
    ],
)
def test_what_is_no_source_is_refused(
    source: object, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        open_text(source, **options)


def test_a_file_is_closed_when_reading_stops_early(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"a line\n" * 2_000_000)
    blocks = open_text(path).blocks()
    next(blocks)
    # A ResourceWarning is an error in tests.
    del blocks


# --- real data ----------------------------------------------------------------------------------


@needs_data
def test_real_gzip_of_one_endless_line() -> None:
    source = open_text(DATA / "corpora/wiki100m.txt.gz")
    n_bytes = 0
    for block in source.blocks():
        n_bytes += len(block)
        assert len(block) < 6 << 20
        if n_bytes > 20_000_000:
            break
    assert block.isascii()
    assert source.n_bytes is not None
    assert 0 < source.n_bytes_read < source.n_bytes


@needs_data
def test_real_json_lines_in_zstd_with_a_window_of_128_mebibytes() -> None:
    source = open_text(DATA / "corpora/wiki2015.jsonl.zst", field="text")
    block = next(iter(source.blocks()))
    assert 3 << 18 < len(block) <= 2 << 20
    assert len(block.decode()) < len(block)
    with pytest.raises(ParameterError, match="it has 'id', 'title', 'text'"):
        open_text(DATA / "corpora/wiki2015.jsonl.zst")
    with pytest.raises(TextError, match="line 1 has no field 'body'"):
        next(iter(open_text(DATA / "corpora/wiki2015.jsonl.zst", field="body").blocks()))


@needs_data
def test_real_tar_archive_is_named() -> None:
    with pytest.raises(TextError, match=r"20news-bydate.tar.gz is a tar archive: unpack it"):
        next(iter(open_text(DATA / "corpora/20news-bydate.tar.gz").blocks()))


@needs_data
def test_real_posts_in_latin_1(tmp_path: Path) -> None:
    import tarfile

    latin = None
    with tarfile.open(DATA / "corpora/20news-bydate.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            data = b"" if file is None else file.read()
            try:
                data.decode()
            except UnicodeDecodeError as error:
                latin = data
                offset = error.start
                break
    assert latin is not None
    path = tmp_path / "post"
    path.write_bytes(latin)
    with pytest.raises(TextError, match=rf"{path} is not UTF-8 at byte {offset} of its text"):
        list(open_text(path).blocks())
    assert b"\xef\xbf\xbd" in b"".join(open_text(path, errors="replace").blocks())
    with path.open(encoding="latin-1", newline="") as post:
        assert b"".join(open_text(post).blocks()).decode().rstrip("\n") == (
            latin.decode("latin-1").rstrip("\n")
        )

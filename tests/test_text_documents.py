"""Files of text that are archives: .zip, and what has to be copied to be read."""

import gzip
import io
import random
import zipfile
from pathlib import Path

import pytest

from firth.errors import ParameterError, SourceError, TextError
from firth.text import open_text

NUMBERS = random.Random(1)
TEXT = " ".join(str(NUMBERS.random()) for _ in range(40_000)).encode()


def read(source: object, **options: str) -> bytes:
    return b"".join(open_text(source, **options).blocks())


def refused(source: object, **options: str) -> str:
    with pytest.raises(TextError) as raised:
        read(source, **options)
    return str(raised.value)


def write_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_all_members_in_order_or_one(method: int, tmp_path: Path) -> None:
    members = {
        "b/second.txt": TEXT,
        "a.txt.gz": gzip.compress(b"packed twice"),
        "folder/": b"",
        "b/.hidden": b"no",
        "__MACOSX/b": b"no",
    }
    path = write_zip(tmp_path / "texts.zip", members, method)
    source = open_text(path)
    assert b"".join(source.blocks()) == TEXT + b"\npacked twice\n"
    assert source.n_bytes == source.n_bytes_read == path.stat().st_size
    assert read(path / "a.txt.gz") == b"packed twice\n"
    assert read(f"{path}/b/.hidden") == b"no\n"
    fingerprints = [open_text(path).fingerprint(), open_text(path / "a.txt.gz").fingerprint()]
    assert None not in fingerprints
    assert fingerprints[0] != fingerprints[1]


def test_zip_from_a_stream_that_cannot_be_sought_in(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, offset: int, whence: int = 0) -> int:
            raise OSError("cannot seek")

    data = write_zip(tmp_path / "a.zip", {"a.txt": b"through a pipe"}).read_bytes()
    assert read(Pipe(data)) == b"through a pipe\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("size", [10, 10_000_000])
def test_a_disk_that_fills_up_under_a_temporary_copy(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "w+b"))  # noqa: PTH123, SIM115
    packed = gzip.compress(bytes(size))
    stream = io.BytesIO(packed)
    stream.name = "a.parquet.gz"  # type: ignore[attr-defined]
    with pytest.raises(SourceError, match=r"a.parquet.gz has to be copied.*No space left.*TMPDIR"):
        read(stream, field="text")


def test_a_damaged_file_under_a_temporary_copy_is_told_as_such() -> None:
    stream = io.BytesIO(gzip.compress(TEXT)[:-9])
    stream.name = "a.parquet.gz"  # type: ignore[attr-defined]
    assert "a.parquet.gz is cut off" in refused(stream, field="text")


def test_records_in_zip(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "records.zip", {"a.jsonl": b'{"text": "one"}'})
    assert read(path, field="text") == b"one\n"
    assert read(path / "a.jsonl", field="text") == b"one\n"
    with pytest.raises(ParameterError, match=r"records.zip/a.jsonl holds records.*'text'"):
        read(path)
    unnamed = write_zip(tmp_path / "a.jsonl.zip", {"data": b'{"text": "two"}'})
    assert read(unnamed, field="text") == b"two\n"
    mixed = write_zip(tmp_path / "mixed.zip", {"a.jsonl": b'{"text": "one"}', "b.txt": b"two"})
    with pytest.raises(ParameterError, match=r"mixed.zip/b.txt is read as plain text"):
        read(mixed, field="text")


def test_a_member_that_is_not_there(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{i}.txt": b"x" for i in range(12)})
    with pytest.raises(SourceError, match=r"no member 'no.txt'; it has '0.txt'.* and 2 more"):
        read(path / "no.txt")
    plain = tmp_path / "plain.txt"
    plain.write_bytes(b"plain")
    with pytest.raises(SourceError, match=r"no such file.*plain.txt is a file, but no .zip"):
        read(plain / "no.txt")


def test_damaged_archives(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "whole.zip", {"a.txt": TEXT}).read_bytes()
    path = tmp_path / "a.zip"
    path.write_bytes(whole[: len(whole) // 2])
    assert "cut off" in refused(path)
    path.write_bytes(whole[:9000] + b"\xff" * 64 + whole[9064:])
    message = refused(path)
    assert f"{path}/a.txt is damaged or cut off after" in message
    assert "unzip -t" in message


def test_archives_that_are_no_texts(tmp_path: Path) -> None:
    empty = write_zip(tmp_path / "empty.zip", {".hidden": b"x"})
    with pytest.raises(SourceError, match="no files to read"):
        read(empty)
    nested = write_zip(tmp_path / "nested.zip", {"inner.zip": empty.read_bytes()})
    assert "archive inside of an archive" in refused(nested)
    office = write_zip(tmp_path / "a.docx", {"[Content_Types].xml": b"<x/>", "word/a.xml": b"x"})
    assert "office program" in refused(office)


def test_encrypted_members_and_unknown_methods(tmp_path: Path) -> None:
    data = bytearray(write_zip(tmp_path / "a.zip", {"a.txt": b"secret"}).read_bytes())
    local, central = data.find(b"PK\x03\x04"), data.find(b"PK\x01\x02")
    path = tmp_path / "b.zip"
    encrypted = bytearray(data)
    encrypted[local + 6] |= 1
    encrypted[central + 8] |= 1
    path.write_bytes(encrypted)
    assert "is encrypted: unpack" in refused(path)
    unknown = bytearray(data)
    unknown[local + 8] = unknown[central + 10] = 9
    path.write_bytes(unknown)
    assert "unpack it first" in refused(path)


def test_a_member_whose_name_is_damaged_in_front_of_it(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"ü.txt": b"a b\n"})
    data = bytearray(path.read_bytes())
    data[30] = 0xBE
    path.write_bytes(data)
    with pytest.raises(TextError, match="is damaged or cut off"):
        list(open_text(path).blocks())

"""Compressed files: whole, in parts, cut off, damaged, followed by something else."""

import bz2
import gzip
import io
import lzma
import random
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from firth import compression
from firth.errors import ParameterError, SourceError, TextError
from firth.text import open_text

NUMBERS = random.Random(1)
TEXT = " ".join(str(NUMBERS.random()) for _ in range(40_000)).encode()


def compress_zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": compress_zstd,
}
every_format = pytest.mark.parametrize("suffix", COMPRESS)


def read(source: object, **options: str) -> bytes:
    return b"".join(open_text(source, **options).blocks())


def refused(source: object, **options: str) -> str:
    with pytest.raises(TextError) as raised:
        read(source, **options)
    return str(raised.value)


@every_format
def test_members_follow_each_other_and_may_be_padded(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{suffix}"
    compress = COMPRESS[suffix]
    path.write_bytes(compress(TEXT) + compress(b"") + compress(b" and the end") + b"\0" * 512)
    source = open_text(path)
    assert b"".join(source.blocks()) == TEXT + b" and the end\n"
    assert source.n_bytes == source.n_bytes_read == path.stat().st_size


@every_format
def test_the_format_is_told_by_the_bytes_not_by_the_name(suffix: str, tmp_path: Path) -> None:
    hidden = tmp_path / "text.dat"
    hidden.write_bytes(COMPRESS[suffix](b"packed"))
    assert read(hidden) == b"packed\n"
    plain = tmp_path / f"text.{suffix}"
    plain.write_bytes(b"plain")
    assert read(plain) == b"plain\n"


@every_format
def test_a_file_cut_off_anywhere_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{suffix}"
    whole = COMPRESS[suffix](TEXT)
    for size in (0, 1, 2, 12, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        message = refused(path)
        assert message.startswith(f"{path} is cut off")
        assert f"after {size} bytes" in message
        assert "Get the file again" in message


@every_format
def test_damage_is_refused_with_its_place(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{suffix}"
    whole = COMPRESS[suffix](TEXT)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + b"\xff" * 64 + whole[middle + 64 :])
    message = refused(path)
    assert f"{path}: damaged" in message
    assert "between the bytes" in message
    assert "bytes could be unpacked" in message
    assert " -t'" in message


@every_format
def test_something_else_after_the_end_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{suffix}"
    path.write_bytes(COMPRESS[suffix](b"packed") + b"this is not packed at all")
    assert "followed by something else" in refused(path)


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_memory_is_bounded_whatever_a_file_unpacks_to(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{suffix}"
    path.write_bytes(COMPRESS[suffix](b"the same line again and again and again\n" * 800_000))
    n_bytes = 0
    tracemalloc.start()
    try:
        for block in open_text(path).blocks():
            n_bytes += len(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert n_bytes == 32_000_000
    assert peak < 20_000_000


def test_slices_of_zstd_shrink_where_the_text_repeats_itself() -> None:
    decoder = compression._ZstdDecoder()
    data = compress_zstd(bytes(1 << 28))
    longest = 0
    n_text = 0
    text = decoder.decompress(data, 1 << 20)
    while text:
        n_text += len(text)
        longest = max(longest, len(text))
        text = decoder.decompress(b"", 1 << 20)
    assert n_text == 1 << 28
    assert decoder.eof
    assert longest < 64 << 20


def test_zstd_window_of_two_gibibytes() -> None:
    data = b"a window of 2 GiB, as zstd --ultra --long=31 makes them\n"
    window = bytes([(31 - 10) << 3])
    block = ((len(data) << 3) | 1).to_bytes(3, "little")
    frame = b"\x28\xb5\x2f\xfd\x00" + window + block + data
    assert read(io.BytesIO(frame)) == data


def test_zstd_skippable_frames_are_passed_over() -> None:
    skippable = b"\x53\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"meta"
    frames = skippable + compress_zstd(b"one ") + skippable + compress_zstd(b"two")
    assert read(io.BytesIO(frames)) == b"one two\n"


def test_a_text_that_begins_like_bzip2_is_a_text() -> None:
    assert read(io.BytesIO(b"BZh9 is how bzip2 begins")) == b"BZh9 is how bzip2 begins\n"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"Rar!\x1a\x07\x01", "a RAR archive"),
        (b"\x04\x22\x4d\x18", "an lz4 file"),
        (b"\x1f\x9d\x90", "compress"),
        (b"LZIP\x01", "lzip"),
    ],
)
def test_other_formats_are_called_by_their_name(head: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(head + b"rest of it")
    message = refused(path)
    assert what in message
    assert "unpack it first" in message


# --- .zip ---------------------------------------------------------------------------------------


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

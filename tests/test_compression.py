"""Compressed files: whole, in parts, cut off, damaged, followed by something else."""

import bz2
import gzip
import io
import lzma
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from firth import compression
from firth.errors import FormatError, TextError
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


def test_the_error_is_that_of_the_room_that_reads() -> None:
    with pytest.raises(FormatError, match=r"a\.gz is a 7-Zip archive"):
        compression.find_codec(b"7z\xbc\xaf\x27\x1c", "a.gz", FormatError)
    codec = compression.find_codec(gzip.compress(TEXT), "a.gz", FormatError)
    assert codec is not None
    with pytest.raises(FormatError, match=r"a\.gz is cut off"):
        list(compression.decompress([gzip.compress(TEXT)[:-9]], codec, "a.gz", FormatError))

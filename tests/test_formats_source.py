"""Vector files from paths, archives, compressed files and streams."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zstandard

from firth.errors import FormatError, OutputError, ParameterError, SourceError
from firth.formats import VectorSource
from firth.formats import _copies as copies

TEXT = b"".join(b"word%d %.3f %.3f\n" % (i, i / 7, -i / 9) for i in range(20_000))
COMPRESS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}


class Pipe:
    """A stream that can only be read, and gives less than it is asked for."""

    def __init__(self, data):
        self._file = io.BytesIO(data)

    def read(self, size=-1):
        return self._file.read(min(size, 1000) if size > 0 else size)


def zipped(members, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members, mode="w"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


MEMBERS = {"README.md": b"vectors", "v/words.txt": TEXT, "v/.hidden": b"", "__MACOSX/v": b""}
WRAPPED = {
    "plain.txt": TEXT,
    **{f"packed.{suffix}": compress(TEXT) for suffix, compress in COMPRESS.items()},
    "a.zip": zipped(MEMBERS),
    "a.tar": tarred(MEMBERS),
    "a.tar.gz": tarred(MEMBERS, "w:gz"),
    "a.tar.xz": tarred(MEMBERS, "w:xz"),
    "a.tar.zst": zstandard.compress(tarred(MEMBERS)),
    "twice.zip": zipped({"words.txt.gz": gzip.compress(TEXT)}),
    "twice.tar": tarred({"words.txt.bz2": bz2.compress(TEXT)}),
}


@pytest.fixture(params=WRAPPED)
def wrapped(request, tmp_path):
    path = tmp_path / request.param
    path.write_bytes(WRAPPED[request.param])
    return path


def whole(source):
    with VectorSource(source) as opened:
        assert opened.head == TEXT[: 64 << 10]
        assert opened.position == 0
        pieces = [opened.read(5), *opened.chunks(3000)]
        assert opened.position == len(TEXT)
        assert opened.read(1) == b""
        return b"".join(pieces)


def test_the_same_bytes_however_they_are_wrapped(wrapped):
    data = wrapped.read_bytes()
    assert whole(wrapped) == TEXT
    assert whole(str(wrapped)) == TEXT
    assert whole(io.BytesIO(data)) == TEXT
    assert whole(Pipe(data)) == TEXT
    with wrapped.open("rb") as file:
        assert whole(file) == TEXT
        assert not file.closed


def test_a_file_object_is_read_from_where_it_stands(wrapped):
    file = io.BytesIO(b"something else\n" + wrapped.read_bytes())
    file.seek(15)
    assert whole(file) == TEXT


def test_a_file_that_can_seek_and_one_on_disk(wrapped, places):
    for source in (wrapped, io.BytesIO(wrapped.read_bytes())):
        with VectorSource(source) as opened:
            seekable = opened.seekable()
            seekable.seek(-20, os.SEEK_END)
            assert seekable.read() == TEXT[-20:]
            assert np.memmap(seekable, np.uint8, "r").tobytes() == TEXT
            on_disk = opened.on_disk()
            assert on_disk.read_bytes() == TEXT
        assert list(places.temporary.iterdir()) == []
    assert wrapped.exists()


def test_only_a_plain_file_has_a_path_and_a_size(wrapped):
    with VectorSource(wrapped) as opened:
        is_plain = wrapped.name == "plain.txt"
        assert opened.path == (wrapped if is_plain else None)
        assert opened.size == (len(TEXT) if is_plain else None)
        assert opened.n_packed_bytes == wrapped.stat().st_size


def test_how_far_reading_came_is_told(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(os.urandom(1 << 21)))
    told = []
    with VectorSource(path) as source:
        source.on_read = told.append
        before = source.n_packed_read
        list(source.chunks())
        assert before + sum(told) == source.n_packed_read == source.n_packed_bytes


def test_readinto_fills_a_buffer(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(TEXT)
    buffer = np.zeros(10, np.float32)
    with VectorSource(path) as source:
        assert source.readinto(buffer.data) == 40
        assert buffer.tobytes() == TEXT[:40]
        assert source.position == 40


def test_a_piece_that_is_not_there_is_told_with_its_place(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    with VectorSource(path) as source:
        assert source.read_exactly(4, "the beginning") == b"0123"
        with pytest.raises(FormatError, match=r"the rest takes 9,000 bytes.*byte 4 on.*byte 10"):
            source.read_exactly(9000, "the rest")
    with VectorSource(Pipe(b"0123456789")) as source:
        source.read(4)
        with pytest.raises(FormatError, match=r"takes 8 bytes from byte 4 on.*ends at byte 10"):
            source.read_exactly(8, "the rest")


# --- members of archives --------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_one_of_several_members_has_to_be_named(pack, tmp_path):
    path = tmp_path / "archive"
    path.write_bytes(pack({"a/50d.txt": b"fifty", "a/100d.txt": TEXT, "LICENSE": b""}))
    with pytest.raises(SourceError) as raised:
        VectorSource(path)
    assert "'a/50d.txt', 'a/100d.txt'" in str(raised.value)
    assert f"Name one: {path}/a/50d.txt" in str(raised.value)
    assert whole(path / "a" / "100d.txt") == TEXT
    with pytest.raises(SourceError, match=r"has no member 'a/200d.txt'; it has 'a/50d.txt'"):
        VectorSource(f"{path}/a/200d.txt")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_without_vectors_tells_what_it_has(pack, tmp_path):
    path = tmp_path / "archive"
    path.write_bytes(pack({"README": b"", "../words.txt": TEXT}))
    with pytest.raises(SourceError, match=r"no file of vectors.*'README', '../words.txt'"):
        VectorSource(path)


def test_a_file_of_numpy_is_no_archive(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(3), b=np.arange(2))
    with VectorSource(path) as source:
        assert source.path == path
        assert source.read(4) == b"PK\x03\x04"


@pytest.mark.parametrize("pack", [zipped, tarred, lambda members: tarred(members, "w:gz")])
def test_a_folder_in_an_archive_is_unpacked_without_leaving_its_place(pack, tmp_path, places):
    path = tmp_path / "archive"
    members = {"m/config.json": b"{}", "m/deep/er.bin": TEXT, "../evil": b"", "/evil": b""}
    path.write_bytes(pack({**members, "m/../../evil": b"", "other.txt": b""}))
    for name in (path, path / "m"):
        with VectorSource(name) as source:
            assert source.is_folder
            assert source.path is not None
            assert source.path.is_relative_to(places.temporary)
            found = {str(f.relative_to(source.path)) for f in source.path.rglob("*") if f.is_file()}
            assert found == {"config.json", "deep/er.bin"}
            assert (source.path / "deep/er.bin").read_bytes() == TEXT
        assert list(places.temporary.iterdir()) == []
    assert not list(tmp_path.parent.rglob("evil"))


@pytest.mark.parametrize("pack", [None, zipped, tarred])
def test_siblings_lie_beside_in_the_same_folder_or_archive(pack, tmp_path):
    files = {"v/one.vec": b"1", "v/two.vec": b"2", "two.vec": b"no"}
    if pack is None:
        place = tmp_path
        (tmp_path / "v").mkdir()
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        (tmp_path / "v" / "three.vec.gz").write_bytes(gzip.compress(b"3"))
        with VectorSource(tmp_path / "v" / "one.vec") as source:
            three = source.sibling("three.vec")
            assert three is not None
            assert three.read(9) == b"3"
    else:
        place = tmp_path / "archive"
        place.write_bytes(pack(files))
    with VectorSource(place / "v" / "one.vec") as source:
        other = source.sibling("two.vec")
        assert other is not None
        assert other.read(9) == b"2"
        assert source.sibling("four.vec") is None
        assert not source.has_sibling("four.vec")
    with VectorSource(io.BytesIO(b"alone")) as source:
        assert source.sibling("two.vec") is None


# --- what cannot be opened ------------------------------------------------------------------------


def test_paths_that_are_not_there(tmp_path):
    (tmp_path / "plain").write_bytes(b"x")
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    (tmp_path / "broken").symlink_to("nowhere")
    for name, message in {
        tmp_path / "none": "no such file or folder",
        tmp_path / "plain" / "member": r"plain is a file, but no archive",
        tmp_path / "one": "Too many levels of symbolic links",
        tmp_path / "broken": "a link to a file that is not there",
        "a\0b": "no such file",
        "x" * 5000: r"x\.\.\.: no such file",
        "https://example.org/x.vec": r"firth\.load, which downloads",
        "~nobody-here/x": "no such file",
    }.items():
        with pytest.raises(SourceError, match=message):
            VectorSource(name)


def test_home_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a").write_bytes(TEXT)
    assert whole("~/a") == TEXT


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(SourceError, match=r"Permission denied; check its permissions"):
        VectorSource(path)


def test_what_is_no_binary_file(tmp_path):
    for source in (io.StringIO("a"), 5, None):
        with pytest.raises(ParameterError, match="mode 'rb'"):
            VectorSource(source)

    class Text:
        def read(self, size):
            return "text"

    with pytest.raises(ParameterError, match=r"the Text returned str, not bytes"):
        VectorSource(Text())

    class NothingYet:
        def read(self, size):
            return None

    with pytest.raises(FormatError, match="a file that blocks"):
        VectorSource(NothingYet())

    class Failing:
        name = "a disk"

        def read(self, size):
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceError, match=r"a disk: cannot be read: Input/output error"):
        VectorSource(Failing())


@pytest.mark.parametrize("name", [name for name in WRAPPED if name != "plain.txt"])
def test_cut_off_wherever_it_is(name, tmp_path):
    path = tmp_path / name
    data = WRAPPED[name]
    for size in (len(data) // 3, 2 * len(data) // 3, len(data) - 40):
        path.write_bytes(data[:size])
        try:
            assert whole(path) == TEXT
        except FormatError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            # All that is cut are blocks of zeros at the end of an archive.
            assert ".tar" in name
            assert size == len(data) - 40


@pytest.mark.parametrize("name", [name for name in WRAPPED if name != "plain.txt"])
def test_damage_wherever_it_is(name, tmp_path):
    path = tmp_path / name
    for at in np.random.default_rng(3).integers(0, len(WRAPPED[name]), 12).tolist():
        data = bytearray(WRAPPED[name])
        data[at : at + 40] = bytes(b ^ 0xA5 for b in data[at : at + 40])
        path.write_bytes(data)
        try:
            with VectorSource(path) as source:
                for _ in source.chunks():
                    pass
        except (FormatError, SourceError) as error:
            assert str(path) in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "pack", [*COMPRESS.values(), lambda data: zipped({"a.txt": data})], ids=[*COMPRESS, "zip"]
)
def test_what_unpacks_to_far_more_than_vectors_do(pack, tmp_path, monkeypatch):
    monkeypatch.setattr("firth.formats._streams._NEVER_A_BOMB", 2 << 20)
    path = tmp_path / "bomb"
    path.write_bytes(pack(bytes(24 << 20)))
    tracemalloc.start()
    try:
        with VectorSource(path) as source, pytest.raises(FormatError, match="over 250 times"):
            for _ in source.chunks():
                pass
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_an_archive_whose_remarks_are_too_long(tmp_path):
    info = tarfile.TarInfo("x")
    info.type = tarfile.XHDTYPE
    info.size = 1 << 32
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(2048))
    with pytest.raises(FormatError, match="remarks of 4,294,967,296 bytes"):
        VectorSource(path)


@pytest.mark.parametrize("length", ["9" * 20, "7" * 10, "0"])
def test_an_archive_whose_remarks_are_damaged(tmp_path, length):
    remarks = f"{length} path=x\n".encode()
    head = tarfile.TarInfo("x")
    head.type, head.size = tarfile.XHDTYPE, len(remarks)
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(head, io.BytesIO(remarks))
        archive.addfile(tarfile.TarInfo("words.txt"))
    with pytest.raises(FormatError, match=r"damaged or cut off \(.*\). Check it with 'tar -tf'"):
        VectorSource(tmp_path / "a.tar")


def test_holes_of_a_tar_archive_are_not_filled(tmp_path):
    info = tarfile.TarInfo("words.txt")
    info.type = tarfile.GNUTYPE_SPARSE
    info.size = 0
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[483:495] = b"%011o\0" % (1 << 32)  # the size with its holes
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(head) + bytes(1024))
    with pytest.raises(SourceError, match="no file of vectors"):
        VectorSource(path)


def test_an_archive_inside_of_an_archive(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"a.tar": tarred({"b": TEXT})}))
    with pytest.raises(FormatError, match="an archive inside of an archive"):
        VectorSource(path)


def test_encrypted_and_office(tmp_path):
    path = tmp_path / "a.zip"
    data = bytearray(zipped({"a.txt": b"secret"}))
    data[data.find(b"PK\x03\x04") + 6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match="is encrypted: unpack the archive first"):
        VectorSource(path)
    path.write_bytes(zipped({"[Content_Types].xml": b"", "a": b""}))
    with pytest.raises(FormatError, match="office program"):
        VectorSource(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_under_a_copy(monkeypatch, tmp_path, places):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(os.urandom(1 << 20)))
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "w+b"))  # noqa: PTH123, SIM115
    with VectorSource(path) as source, pytest.raises(OutputError, match=r"No space left.*TMPDIR"):
        source.seekable()
    assert list(places.temporary.iterdir()) == []


def test_a_copy_leaves_room_on_the_disk(monkeypatch, tmp_path, places):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(os.urandom(1 << 20)))
    monkeypatch.setattr(copies, "_LEFT_FREE", 1 << 60)
    monkeypatch.setattr(copies, "_CHECKED_EVERY", 1 << 10)
    for copy in (VectorSource.seekable, VectorSource.on_disk):
        with VectorSource(path) as source, pytest.raises(OutputError, match="nearly full"):
            copy(source)
    assert list(places.temporary.iterdir()) == []


def test_a_member_whose_name_is_damaged_in_front_of_it(tmp_path):
    data = bytearray(zipped({"ü.txt": TEXT}))
    data[30] = 0xBE
    (tmp_path / "a.zip").write_bytes(data)
    with (
        pytest.raises(FormatError, match="damaged or cut off"),
        VectorSource(tmp_path / "a.zip") as source,
    ):
        list(source.chunks())

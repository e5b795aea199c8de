"""Archives of text: nothing gets out of its folder, and a folder is whole or not there."""

import io
import os
import stat
import tarfile
import zipfile

import pytest

from archives import tar, zipped
from firth.errors import FormatError, OutputError
from firth.hub import _unpack


def left_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


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


def test_a_member_whose_name_is_damaged_in_front_of_it(tmp_path):
    data = bytearray(zipped({"ü": b"1"}))
    data[30] = 0xBE
    (tmp_path / "archive").write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        _unpack.unpack(tmp_path / "archive", tmp_path / "folder", "0")


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

"""What was downloaded: its notes, by hand, offline, by several at once."""

import contextlib
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import DownloadError, OutputError, ParameterError
from firth.hub import _fetch, _store
from firth.hub._sources import Source
from firth.hub._store import item_of_address, item_of_source, obtain, read_record
from http_server import Answer

DATA = random.Random(2).randbytes(100_000)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No waiting between attempts."""
    monkeypatch.setattr(_fetch, "sleep", lambda _: None)


@pytest.fixture
def source(server):
    return Source(
        "tiny", "vectors", "glove", "a test", "tiny.zip", (server.put("/tiny.zip", DATA),),
        homepage="https://example.org",
    )  # fmt: skip


def left_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# ---- notes


def test_the_first_download_is_noted_and_the_second_one_is_none(source, server, places):
    path, record = obtain(item_of_source(source))
    assert path == places.cache / "downloads" / "tiny.zip"
    assert path.read_bytes() == DATA
    assert (record.sha256, record.size) == (SHA256, len(DATA))
    noted = json.loads((path.parent / "tiny.zip.json").read_bytes())
    assert noted["address"] == source.addresses[0]
    assert noted["date"].endswith("+00:00")
    assert left_in(path.parent) == ["tiny.zip", "tiny.zip.json"]
    assert obtain(item_of_source(source)) == (path, record)
    assert len(server.requests) == 1


def test_what_is_there_is_not_read_through_each_time(source, monkeypatch):
    obtain(item_of_source(source))
    monkeypatch.setattr("firth.hub._checksums.Digest.update_from", None)
    obtain(item_of_source(source))


def test_later_downloads_are_held_to_the_first_one(source, server):
    path, _ = obtain(item_of_source(source))
    path.unlink()
    server.put("/tiny.zip", DATA[::-1])
    with pytest.raises(DownloadError) as caught:
        obtain(item_of_source(source))
    assert f"sha256:{SHA256}" in str(caught.value)
    assert "tiny.zip.json if the publisher replaced the file" in str(caught.value)
    assert not path.exists()
    server.put("/tiny.zip", DATA)
    assert obtain(item_of_source(source))[0].read_bytes() == DATA


def test_again_takes_what_there_is_now(source, server):
    obtain(item_of_source(source))
    server.put("/tiny.zip", DATA[::-1], Answer(etag='"v2"'))
    path, record = obtain(item_of_source(source), again=True)
    assert path.read_bytes() == DATA[::-1]
    assert record.sha256 == hashlib.sha256(DATA[::-1]).hexdigest()


def test_a_published_checksum_is_held_to(source, server):
    wrong = replace(source, checksum="sha256:" + "0" * 64)
    with pytest.raises(DownloadError, match="published is sha256:0000"):
        obtain(item_of_source(wrong))
    with pytest.raises(DownloadError, match="published is sha256:0000"):
        obtain(item_of_source(wrong), again=True)
    right = replace(source, checksum=f"sha256:{SHA256}")
    assert obtain(item_of_source(right))[1].verified == right.checksum


def test_a_checksum_that_is_published_later_is_looked_at(source):
    obtain(item_of_source(source))
    with pytest.raises(DownloadError, match="another one: delete it"):
        obtain(item_of_source(replace(source, checksum="sha256:" + "0" * 64)))
    record = obtain(item_of_source(replace(source, checksum=f"sha256:{SHA256}")))[1]
    assert record.verified == f"sha256:{SHA256}"


def test_a_file_that_was_damaged_on_the_disk_is_not_used(source):
    path, _ = obtain(item_of_source(source))
    path.write_bytes(DATA[:-1] + b"x")
    with pytest.raises(DownloadError, match="damaged or another one"):
        obtain(item_of_source(source))


@pytest.mark.parametrize("notes", ["", "{", "[]", '{"sha256": 1, "size": 2, "mtime_ns": 3}'])
def test_damaged_notes_are_made_again(source, notes):
    path, record = obtain(item_of_source(source))
    path.with_name("tiny.zip.json").write_text(notes)
    assert obtain(item_of_source(source))[1].sha256 == record.sha256
    assert read_record(path).sha256 == SHA256


# ---- by hand, offline


def test_a_file_that_was_put_there_by_hand_is_used(source, server, places):
    folder = places.cache / "downloads"
    folder.mkdir(parents=True)
    (folder / "tiny.zip").write_bytes(DATA)
    path, record = obtain(item_of_source(replace(source, checksum=f"sha256:{SHA256}")))
    assert (path, record.sha256) == (folder / "tiny.zip", SHA256)
    assert server.requests == []


def test_a_wrong_file_that_was_put_there_by_hand_is_not(source, places):
    folder = places.cache / "downloads"
    folder.mkdir(parents=True)
    (folder / "tiny.zip").write_bytes(b"something else")
    with pytest.raises(DownloadError, match="delete it"):
        obtain(item_of_source(replace(source, checksum=f"sha256:{SHA256}")))


@pytest.mark.parametrize("value", ["1", "true", "YES"])
def test_offline(source, server, places, monkeypatch, value):
    monkeypatch.setenv("FIRTH_OFFLINE", value)
    started = time.monotonic()
    with pytest.raises(DownloadError) as caught:
        obtain(item_of_source(source))
    told = str(caught.value)
    assert time.monotonic() - started < 1
    assert "FIRTH_OFFLINE" in told
    assert str(places.cache / "downloads" / "tiny.zip") in told
    assert source.addresses[0] in told
    assert "https://example.org" in told
    assert server.requests == []
    assert not places.cache.exists()


@pytest.mark.parametrize("value", ["", "0", "false", "No"])
def test_not_offline(source, monkeypatch, value):
    monkeypatch.setenv("FIRTH_OFFLINE", value)
    obtain(item_of_source(source))


def test_what_is_here_needs_no_network(source, monkeypatch):
    obtain(item_of_source(source))
    monkeypatch.setenv("FIRTH_OFFLINE", "1")
    assert obtain(item_of_source(source))[0].read_bytes() == DATA


def test_without_a_network_nothing_is_left_behind(source, places):
    nowhere = replace(source, addresses=("http://nobody.invalid/tiny.zip",))
    started = time.monotonic()
    with pytest.raises(DownloadError) as caught:
        obtain(item_of_source(nowhere))
    assert time.monotonic() - started < 1
    assert "nobody.invalid cannot be resolved" in str(caught.value)
    assert str(places.cache / "downloads" / "tiny.zip") in str(caught.value)
    assert not places.cache.exists()


# ---- mirrors, addresses


def test_a_mirror_comes_first(source, server, monkeypatch):
    server.put("/mirror/tiny.zip", DATA)
    monkeypatch.setenv("FIRTH_MIRROR", f"{server.address}/nothing/  {server.address}/mirror")
    obtain(item_of_source(source))
    assert [path for path, _ in server.requests] == ["/nothing/tiny.zip", "/mirror/tiny.zip"]


def test_a_mirror_that_is_no_address(source, monkeypatch):
    monkeypatch.setenv("FIRTH_MIRROR", "/data/mirror")
    with pytest.raises(ParameterError, match=r"FIRTH_MIRROR.*https://"):
        item_of_source(source)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.org/x/vectors.txt.gz?download=1", "vectors.txt.gz"),
        ("https://a.org/", "file"),
        ("https://a.org/..", "file"),
        ("https://a.org/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd"),
        ("https://a.org/a%00b%0a.vec", "a_b_.vec"),
        ("https://a.org/" + "x" * 500, "x" * 100),
        ("https://a.org/" + "ö" * 500 + ".vec", "ö" * 48 + ".vec"),
        ("https://a.org/w%C3%B6rter.vec", "wörter.vec"),
    ],
)
def test_files_of_addresses_have_harmless_names(places, address, name):
    path = item_of_address(address).path
    assert path.name == name
    assert path.parent.parent == places.cache / "downloads" / "addresses"


@given(st.text(max_size=300))
def test_no_address_leads_out_of_the_cache(rest):
    try:
        path = item_of_address(f"https://a.org/{rest}").path
    except ParameterError:
        return
    assert ".." not in path.parts
    assert len(os.fsencode(path.name)) <= 100
    assert path.parent.parent.name == "addresses"
    assert not path.name.startswith(".")


def test_two_addresses_have_two_files():
    one, two = (item_of_address(f"https://a.org/{x}/v.txt").path for x in "ab")
    assert one != two
    assert one.name == two.name


@pytest.mark.parametrize("address", ["https://", "http:///x", "https://[x/y", "https://a b/c"])
def test_addresses_that_are_none(address):
    with pytest.raises(ParameterError, match="is no address"):
        item_of_address(address)


# ---- several at once


def test_two_threads_download_once(source, server, caplog):
    server.put("/tiny.zip", DATA, Answer(pause=0.3))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(obtain(item_of_source(source), show=False)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({path for path, _ in found}) == 1
    assert len(found) == 4
    assert len(server.requests) == 1


CODE = """
import sys
from pathlib import Path
from firth.hub._store import Item, obtain
path, record = obtain(Item("tiny", (sys.argv[1],), Path(sys.argv[2]), sys.argv[1]), show=False)
print(record.sha256)
"""


def test_two_processes_download_once(server, places):
    address = server.put("/tiny.zip", DATA, Answer(pause=0.5))
    command = [sys.executable, "-c", CODE, address, str(places.cache / "downloads" / "tiny.zip")]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            for _ in range(3)
        ]
        told = [process.communicate()[0].strip() for process in processes]
    assert told == [SHA256] * 3
    assert len(server.requests) == 1
    assert left_in(places.cache / "downloads") == ["tiny.zip", "tiny.zip.json"]


def test_a_process_that_was_killed_blocks_nobody(server, places):
    address = server.put("/tiny.zip", DATA, Answer(pause=30))
    target = places.cache / "downloads" / "tiny.zip"
    command = [sys.executable, "-c", CODE, address, str(target)]
    with subprocess.Popen(command) as process:
        end = time.monotonic() + 30
        while time.monotonic() < end and not target.with_name("tiny.zip.partial").exists():
            time.sleep(0.02)
        process.kill()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == SHA256


def test_who_waits_is_told_why(source, server, caplog, monkeypatch):
    monkeypatch.setattr(_store, "_WAIT_BEFORE_TELLING", 0.05)
    server.put("/tiny.zip", DATA, Answer(pause=0.5))
    item = item_of_source(source)
    thread = threading.Thread(target=obtain, args=(item,), kwargs={"show": False})
    thread.start()
    while not server.requests:
        time.sleep(0.01)
    with caplog.at_level("INFO", "firth"):
        obtain(item, show=False)
    thread.join()
    assert "another process" in caplog.text


# ---- places that cannot be written


def test_a_user_without_a_home(source, monkeypatch):
    monkeypatch.setattr("firth.hub._store.cache_folder", lambda: None)
    with pytest.raises(DownloadError, match="FIRTH_CACHE"):
        item_of_source(source)


def test_a_file_where_the_cache_should_be(source, places):
    places.cache.write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot be made.*FIRTH_CACHE"):
        obtain(item_of_source(source))


def test_a_cache_that_may_only_be_read_is_used(source, places, monkeypatch):
    path, _ = obtain(item_of_source(source))
    path.with_name("tiny.zip.json").unlink()

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_fetch, "write_json", refused)
    assert obtain(item_of_source(source))[1].sha256 == SHA256


def test_permissions_are_those_of_other_files(source):
    old = os.umask(0o022)
    try:
        path, _ = obtain(item_of_source(source))
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o644

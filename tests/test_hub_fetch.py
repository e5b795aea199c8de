"""Downloads from a server that misbehaves: what arrives is the file or an error, never else."""

import errno
import hashlib
import logging
import random
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firth.errors import DownloadError, OutputError
from firth.hub import _fetch, _http
from firth.hub._fetch import fetch
from http_server import Answer

DATA = random.Random(1).randbytes(300_000)
SHA256 = "sha256:" + hashlib.sha256(DATA).hexdigest()
MD5 = "md5:" + hashlib.md5(DATA, usedforsecurity=False).hexdigest()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No waiting between attempts."""
    waits = []
    monkeypatch.setattr(_fetch, "sleep", waits.append)
    return waits


@pytest.fixture
def target(tmp_path):
    return tmp_path / "vectors.bin"


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- what works


def test_a_file_arrives(server, target):
    version, digest = fetch([server.put("/v", DATA)], target)
    assert target.read_bytes() == DATA
    assert digest.sha256 == hashlib.sha256(DATA).hexdigest()
    assert (version.etag, version.total) == ('"v1"', len(DATA))
    assert left_in(target.parent) == ["vectors.bin"]
    assert server.requests[0][1]["User-Agent"].startswith("firth/")


@pytest.mark.parametrize("checksum", [SHA256, MD5, SHA256.upper().replace("SHA", "sha")])
def test_checksums_of_both_kinds(server, target, checksum):
    fetch([server.put("/v", DATA)], target, checksum=checksum)
    assert target.read_bytes() == DATA


def test_an_empty_file(server, target):
    fetch([server.put("/v", b"")], target)
    assert target.read_bytes() == b""


def test_a_file_of_unknown_length(server, target):
    fetch([server.put("/v", DATA, Answer(chunked=True))], target)
    assert target.read_bytes() == DATA


def test_what_the_server_packed_for_the_way_stays_packed(server, target):
    # Some servers call a .gz file an encoding: unpacked it would not have its checksum.
    fetch([server.put("/v", DATA, Answer(headers={"Content-Encoding": "gzip"}))], target)
    assert target.read_bytes() == DATA
    assert server.requests[0][1]["Accept-Encoding"] == "identity"


def test_a_redirect_is_followed_also_by_the_rest(server, target):
    server.put("/real", DATA, Answer(cut=100_000))
    address = server.put("/v", b"", *[Answer(302, {"Location": "/real"})] * 2)
    fetch([address], target)
    assert target.read_bytes() == DATA
    assert [path for path, _ in server.requests] == ["/v", "/real", "/v", "/real"]
    assert server.ranges()[-1] == "bytes=100000-"


def test_a_login_in_an_address_is_sent_to_its_server_only(server, target):
    server.put("/real", DATA)
    address = server.put("/v", b"", Answer(302, {"Location": f"{server.address}/real"}))
    fetch([address.replace("http://", "http://me:se%20cret@")], target)
    assert target.read_bytes() == DATA
    assert server.requests[0][1]["authorization"] == "Basic bWU6c2UgY3JldA=="
    assert "authorization" not in {name.lower() for name in server.requests[1][1]}


def test_a_slow_server_is_waited_for(server, target, monkeypatch):
    monkeypatch.undo()
    fetch([server.put("/v", DATA, Answer(pause=0.2))], target)
    assert target.read_bytes() == DATA


# ---- breaks


def test_a_broken_download_goes_on_where_it_was(server, target, caplog):
    cuts = [Answer(cut=70_000), Answer(cut=70_000), Answer(cut=100_000)]
    with caplog.at_level(logging.INFO, "firth"):
        fetch([server.put("/v", DATA, *cuts)], target)
    assert target.read_bytes() == DATA
    assert server.ranges() == [None, "bytes=70000-", "bytes=140000-", "bytes=240000-"]
    assert server.requests[-1][1]["If-Range"] == '"v1"'
    assert "breaks off the connection: 230,000 bytes are still to come; trying again" in caplog.text


def test_an_unfinished_length_is_noticed_without_a_length(server, target):
    fetch([server.put("/v", DATA, Answer(chunked=True, cut=50_000))], target)
    assert target.read_bytes() == DATA


def test_a_server_without_ranges_sends_all_again(server, target):
    cuts = [Answer(cut=100_000), Answer(ranges=False)]
    fetch([server.put("/v", DATA, *cuts)], target, checksum=SHA256)
    assert target.read_bytes() == DATA


def test_a_server_that_always_breaks_off_is_given_up(server, target, quick):
    address = server.put("/v", DATA, *[Answer(cut=90_000, ranges=False)] * 50)
    with pytest.raises(DownloadError, match="breaks off"):
        fetch([address], target)
    assert len(server.requests) == _fetch.MOST_FAILURES
    assert sum(quick) < 60
    assert left_in(target.parent) == ["vectors.bin.partial", "vectors.bin.partial.json"]


def test_the_next_run_goes_on(server, target):
    address = server.put("/v", DATA, *[Answer(cut=90_000, ranges=False)] * _fetch.MOST_FAILURES)
    with pytest.raises(DownloadError):
        fetch([address], target)
    fetch([address], target)
    assert target.read_bytes() == DATA
    assert server.ranges()[-1] == "bytes=90000-"
    assert left_in(target.parent) == ["vectors.bin"]


def test_a_file_that_changed_meanwhile_is_taken_whole(server, target):
    new = DATA[::-1]
    address = server.put("/v", DATA, *[Answer(cut=90_000, ranges=False)] * _fetch.MOST_FAILURES)
    with pytest.raises(DownloadError):
        fetch([address], target)
    server.put("/v", new, Answer(etag='"v2"'))
    fetch([address], target)
    assert target.read_bytes() == new


def test_a_server_that_ignores_if_range_is_seen_through(server, target):
    """It sends the rest of the new file for the beginning of the old one."""
    new = DATA[::-1]
    address = server.put("/v", DATA, *[Answer(cut=90_000, ranges=False)] * _fetch.MOST_FAILURES)
    with pytest.raises(DownloadError):
        fetch([address], target)
    rest = new[90_000:]
    span = f"bytes 90000-{len(new) - 1}/{len(new)}"

    class Ignores(Answer):
        def __init__(self):
            super().__init__(body=rest, ranges=False, etag='"v2"', headers={"Content-Range": span})

    server.put("/v", new, Ignores(), Answer(etag='"v2"'))
    server.reply = as_206(server.reply)
    fetch([address], target)
    assert target.read_bytes() == new


def as_206(reply):
    """Let a server answer 206 where Content-Range is among its headers."""

    def changed(handler, path, answer):
        if "Content-Range" in (answer.headers or {}):
            send = handler.send_response
            handler.send_response = lambda status: send(206 if status == 200 else status)
        reply(handler, path, answer)

    return changed


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_mark_of_its_version_a_file_is_fetched_whole(server, target, etag):
    address = server.put("/v", DATA, Answer(cut=90_000, etag=etag), Answer(etag=etag))
    fetch([address], target)
    assert target.read_bytes() == DATA
    assert server.ranges() == [None, None]


def test_with_a_checksum_the_rest_comes_without_a_mark(server, target):
    address = server.put("/v", DATA, Answer(cut=90_000, etag=""), Answer(etag=""))
    fetch([address], target, checksum=SHA256)
    assert target.read_bytes() == DATA
    assert server.ranges() == [None, "bytes=90000-"]


def test_the_date_of_the_last_change_does_for_a_mark(server, target):
    date = {"Last-Modified": "Sat, 01 Feb 2020 00:00:00 GMT"}
    address = server.put("/v", DATA, Answer(cut=90_000, etag="", headers=date))
    fetch([address], target)
    assert target.read_bytes() == DATA
    assert server.requests[1][1]["If-Range"] == date["Last-Modified"]


def test_a_wrong_part_is_not_appended(server, target):
    address = server.put("/v", DATA, Answer(cut=90_000), Answer(shift=7))
    fetch([address], target)
    assert target.read_bytes() == DATA
    assert server.ranges() == [None, "bytes=90000-", None]


def test_all_was_there_already(server, target):
    """A process that was killed between the last byte and the end asks for nothing more."""
    partial(target, DATA, server.put("/v", DATA))
    fetch([server.address + "/v"], target)
    assert target.read_bytes() == DATA
    assert server.ranges() == [f"bytes={len(DATA)}-"]


def test_more_was_there_than_there_is(server, target):
    partial(target, DATA + b"more", server.put("/v", DATA))
    fetch([server.address + "/v"], target)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("notes", [b"", b"{", b"[]", b'{"nonsense": 1}'])
def test_damaged_notes_of_a_half_are_worth_nothing(server, target, notes):
    partial(target, b"something else", server.put("/v", DATA))
    target.with_name("vectors.bin.partial.json").write_bytes(notes)
    fetch([server.address + "/v"], target)
    assert target.read_bytes() == DATA


def partial(target, data, address):
    target.with_name("vectors.bin.partial").write_bytes(data)
    version = _fetch.Version(address, '"v1"', None, None)
    _fetch.write_json(target.with_name("vectors.bin.partial.json"), vars(version))


def test_a_killed_process_leaves_what_the_next_one_goes_on_with(server, target):
    address = server.put("/v", DATA, Answer(pause=60))
    code = (
        "import sys, pathlib; from firth.hub._fetch import fetch; "
        "fetch([sys.argv[1]], pathlib.Path(sys.argv[2]), show=False)"
    )
    with subprocess.Popen([sys.executable, "-c", code, address, str(target)]) as process:
        half = target.with_name("vectors.bin.partial")
        end = time.monotonic() + 30
        while time.monotonic() < end and not (half.exists() and half.stat().st_size > 100_000):
            threading.Event().wait(0.02)
        process.kill()
    assert not target.exists()
    fetch([address], target)
    assert target.read_bytes() == DATA
    assert server.ranges()[-1] not in {None, "bytes=0-"}


SMALL = DATA[:5000]
MISBEHAVIOURS = st.one_of(
    st.builds(Answer, cut=st.integers(0, 4999), ranges=st.booleans(), chunked=st.booleans()),
    st.builds(Answer, cut=st.integers(0, 4999), etag=st.sampled_from(["", 'W/"v1"', '"v2"'])),
    st.builds(Answer, status=st.sampled_from([404, 416, 429, 500, 503])),
    st.builds(Answer, shift=st.integers(1, 100)),
    st.builds(Answer, claim=st.integers(5001, 6000), ranges=st.booleans()),
    st.builds(Answer, body=st.sampled_from([SMALL[::-1], SMALL[:100], b"", SMALL + b"x"])),
    st.builds(Answer),
)


@given(answers=st.lists(MISBEHAVIOURS, max_size=8), runs=st.integers(1, 3))
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_a_server_does_it_is_the_file_or_an_error(server, tmp_path_factory, answers, runs):
    target = tmp_path_factory.mktemp("download") / "vectors.bin"
    address = server.put("/v", SMALL, *answers)
    checksum = "sha256:" + hashlib.sha256(SMALL).hexdigest()
    for _ in range(runs):
        try:
            fetch([address], target, checksum=checksum, show=False)
        except DownloadError:
            assert not target.exists()
        else:
            assert target.read_bytes() == SMALL
            assert left_in(target.parent) == ["vectors.bin"]
            break


# ---- answers that are no file


def test_a_server_that_is_busy_is_asked_again(server, target, quick):
    busy = [Answer(503, {"Retry-After": "7"}), Answer(429), Answer(500)]
    fetch([server.put("/v", DATA, *busy)], target)
    assert target.read_bytes() == DATA
    assert quick[0] == 7
    assert len(quick) == 3


@pytest.mark.parametrize("asked", ["86400", "soon", "Sat, 01 Feb 2020 00:00:00 GMT"])
def test_no_server_makes_us_wait_for_a_day(server, target, quick, asked):
    fetch([server.put("/v", DATA, Answer(503, {"Retry-After": asked}))], target)
    assert quick[0] <= 60


def test_a_server_that_stays_busy_is_given_up(server, target):
    address = server.put("/v", DATA, *[Answer(503)] * 50)
    with pytest.raises(DownloadError, match=r"503 [(]Service Unavailable"):
        fetch([address], target)
    assert len(server.requests) == _fetch.MOST_FAILURES
    assert left_in(target.parent) == []


@pytest.mark.parametrize(
    ("status", "told"),
    [(404, "it is not there"), (410, "any more"), (403, "may not"), (401, "login"), (418, "418")],
)
def test_a_refusal_is_final(server, target, status, told):
    with pytest.raises(DownloadError, match=told):
        fetch([server.put("/v", DATA, Answer(status))], target)
    assert len(server.requests) == 1
    assert left_in(target.parent) == []


def test_the_next_address_is_tried(server, target):
    addresses = [
        server.put("/gone", b"", Answer(404)),
        server.put("/wrong", DATA[:-1]),
        "http://127.0.0.1:9/nobody",
        server.put("/v", DATA),
    ]
    version, _ = fetch(addresses, target, checksum=SHA256)
    assert target.read_bytes() == DATA
    assert version.address.endswith("/v")


def test_the_half_of_one_address_is_of_use_to_the_next(server, target):
    broken = server.put("/a", DATA, *[Answer(cut=90_000, ranges=False)] * _fetch.MOST_FAILURES)
    fetch([broken, server.put("/b", DATA)], target, checksum=SHA256)
    assert target.read_bytes() == DATA
    assert server.requests[-1][0] == "/b"
    assert server.ranges()[-1] == "bytes=90000-"


def test_every_address_is_told_when_none_works(server, target):
    addresses = [server.put("/a", b"", Answer(404)), server.put("/b", b"", Answer(403))]
    with pytest.raises(DownloadError) as caught:
        fetch(addresses, target)
    assert f"{server.address}/a answers 404" in str(caught.value)
    assert f"{server.address}/b answers 403" in str(caught.value)


def test_wrong_bytes_are_not_kept(server, target):
    with pytest.raises(DownloadError) as caught:
        fetch([server.put("/v", DATA[:-1] + b"x")], target, checksum=SHA256, checksum_from="it is")
    assert SHA256 in str(caught.value)
    assert left_in(target.parent) == []
    assert len(server.requests) == 1


def test_a_wrong_half_is_fetched_again_in_one_piece(server, target):
    partial(target, b"x" * 90_000, server.put("/v", DATA))
    fetch([server.address + "/v"], target, checksum=SHA256)
    assert target.read_bytes() == DATA
    assert server.ranges() == ["bytes=90000-", None]


def test_a_length_that_is_too_long_is_a_break(server, target):
    address = server.put("/v", DATA, *[Answer(claim=len(DATA) + 10, ranges=False)] * 20)
    with pytest.raises(DownloadError, match="breaks off"):
        fetch([address], target)
    assert not target.exists()


def test_a_length_that_is_too_short_is_seen_by_the_checksum(server, target):
    address = server.put("/v", DATA, Answer(claim=len(DATA) - 10))
    with pytest.raises(DownloadError, match="gives a file with"):
        fetch([address], target, checksum=SHA256)
    assert left_in(target.parent) == []


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><p>Log in", b"\n <html><body>Welcome"])
def test_the_page_of_a_portal_is_not_the_file(server, target, page):
    with pytest.raises(DownloadError, match="web page"):
        fetch([server.put("/v", page)], target)
    assert not target.exists()


def test_redirects_in_a_circle(server, target):
    address = server.put("/v", b"", *[Answer(302, {"Location": "/v"})] * 50)
    with pytest.raises(DownloadError, match="from one address to the next"):
        fetch([address], target)
    assert len(server.requests) < 20


def test_a_redirect_to_no_file(server, target):
    address = server.put("/v", b"", Answer(301, {"Location": "file:///etc/passwd"}))
    with pytest.raises(DownloadError, match="no address of a file"):
        fetch([address], target)


def test_https_may_lead_to_http_only_under_a_checksum(monkeypatch):
    class Response:
        status = 302
        headers = {"Location": "http://example.org/v"}  # noqa: RUF012

        def close(self):
            pass

    class Pool:
        def request(self, *_, **__):
            return Response() if not hasattr(self, "asked") else self.end()

        def clear(self):
            pass

    monkeypatch.setattr(_http.Client, "_pool_for", lambda *_: Pool())
    with _http.Client() as client, pytest.raises(_http.Trouble, match="not protected"):
        client.request("https://example.org/v", {}, verified=False)
    with _http.Client() as client, pytest.raises(_http.Trouble, match="from one address"):
        client.request("https://example.org/v", {}, verified=True)


# ---- no network


def test_a_name_that_does_not_exist_is_told_at_once(target, quick):
    with pytest.raises(DownloadError, match=r"the name nobody\.invalid cannot be resolved"):
        fetch(["http://nobody.invalid/v", "http://nobody.invalid/w"], target)
    assert quick == []
    assert left_in(target.parent) == []


def test_nobody_listens(target, quick):
    with pytest.raises(DownloadError, match="connection refused"):
        fetch(["http://127.0.0.1:9/v"], target)
    assert quick == []


def test_without_a_network_the_first_address_tells_it(target, monkeypatch):
    asked = []

    def request(self, address, *_, **__):
        asked.append(address)
        raise _http.Trouble("no network", no_network=True)

    monkeypatch.setattr(_http.Client, "request", request)
    with pytest.raises(DownloadError, match="no network"):
        fetch(["http://a/v", "http://b/v"], target)
    assert asked == ["http://a/v"]


def test_a_proxy_of_the_environment_is_used(server, target, monkeypatch):
    server.files["http://example.invalid/v"] = DATA  # what a proxy is asked for
    monkeypatch.setenv("http_proxy", server.address.replace("http://", "http://me:secret@"))
    fetch(["http://example.invalid/v"], target)
    assert target.read_bytes() == DATA
    assert server.requests[0][0] == "http://example.invalid/v"
    assert server.requests[0][1]["proxy-authorization"].startswith("Basic ")
    monkeypatch.setenv("no_proxy", "example.invalid")
    with pytest.raises(DownloadError, match="cannot be resolved"):
        fetch(["http://example.invalid/v"], target)


def test_a_proxy_that_is_not_there(target, monkeypatch):
    monkeypatch.setenv("http_proxy", "127.0.0.1:9")
    with pytest.raises(DownloadError, match="proxy"):
        fetch(["http://example.invalid/v"], target)


def test_a_password_in_an_address_is_not_told(server, target):
    address = server.put("/v", b"", Answer(404)).replace("http://", "http://me:secret@")
    with pytest.raises(DownloadError) as caught:
        fetch([address], target)
    assert "secret" not in str(caught.value)


# ---- the disk


def test_a_file_larger_than_the_room_is_not_begun(server, target, monkeypatch):
    monkeypatch.setattr(_fetch.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(OutputError, match=r"needs 300 kB and 1\.00 kB are free.*FIRTH_CACHE"):
        fetch([server.put("/v", DATA)], target)
    assert left_in(target.parent) == []


def test_a_disk_that_becomes_full_keeps_nothing(server, target, monkeypatch):
    def full(self, *_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_fetch.Digest, "update", full)
    with pytest.raises(OutputError, match="No space left") as caught:
        fetch([server.put("/v", DATA)], target)
    assert caught.value.errno == errno.ENOSPC
    assert left_in(target.parent) == []


def test_ctrl_c_keeps_what_there_is(server, target, monkeypatch):
    update = _fetch.Digest.update
    blocks = []

    def interrupted(self, data):
        blocks.append(data)
        if len(blocks) == 3:
            raise KeyboardInterrupt
        update(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(_fetch.Digest, "update", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch([server.put("/v", DATA)], target)
    assert not target.exists()
    fetch([server.address + "/v"], target, checksum=SHA256)
    assert target.read_bytes() == DATA
    assert server.ranges()[-1] is not None

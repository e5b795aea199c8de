"""The service on a port: good clients, bad clients, models that change on disk, the command."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import urllib3

from firth import KeyedVectors, Vocab
from firth.cli.serve import warn_of_copies
from firth.errors import FormatError, ParameterError, SourceError

pytest.importorskip("starlette", reason="the extra serve is not installed")

from firth.service import (
    BackgroundServer,
    Limits,
    Models,
    Problem,
    _connections,
    create_app,
    listen,
    name_sources,
)
from firth.service._search import Lane

LIMITS = Limits(seconds=0.5, connections=250)
N_WORDS = 600
HALF_A_BODY = (
    b"POST /v1/similar HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 50\r\n\r\n{"questions":'
)


def made(seed=1, n_words=N_WORDS):
    matrix = np.random.default_rng(seed).standard_normal((n_words, 300)).astype(np.float32)
    return KeyedVectors(Vocab.from_words([f"w{i}" for i in range(n_words)]), matrix)


@pytest.fixture(scope="module")
def service():
    app = create_app(Models({"made": made()}, LIMITS), limits=LIMITS)
    with BackgroundServer(app, limits=LIMITS) as server:
        yield server


@pytest.fixture(scope="module")
def http():
    with urllib3.PoolManager(retries=False, timeout=20, maxsize=300, block=True) as pool:
        yield pool


def raw(service):
    _, _, port = service.url.rpartition(":")
    return closing(socket.create_connection(("127.0.0.1", int(port)), timeout=20))


def everything_from(connection):
    got = b""
    while piece := connection.recv(1 << 16):
        got += piece
    return got


# --- clients --------------------------------------------------------------------------------------


def test_two_hundred_at_once_are_all_answered(http):
    wv, limits = made(), Limits(seconds=60)

    def ask(number):
        told = http.request("GET", f"{service.url}/v1/similar?word=w{number}&k=3")
        assert told.status == 200
        return [each["word"] for each in told.json()["neighbours"]]

    app = create_app(Models({"made": wv}), limits=limits)
    with BackgroundServer(app) as service, ThreadPoolExecutor(200) as threads:
        answers = list(threads.map(ask, range(200)))
    assert answers == [wv.most_similar(f"w{i}", topn=3).words for i in range(200)]


def test_more_connections_than_allowed_are_sent_away_and_come_back(service, http):
    idle = [socket.create_connection(("127.0.0.1", int(service.url.split(":")[-1])))
            for _ in range(LIMITS.connections)]  # fmt: skip
    with raw(service) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"503" in connection.recv(1000).split(b"\r\n")[0]
    for each in idle:
        each.close()
    until = time.monotonic() + 10
    while http.request("GET", f"{service.url}/health").status != 200:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_is_no_http_is_refused(service):
    with raw(service) as connection:
        connection.sendall(b"hello, are you there?\r\n\r\n")
        assert everything_from(connection).startswith(b"HTTP/1.1 400")


def test_an_address_that_never_ends_is_refused_as_everything_is(service):
    with raw(service) as connection:
        connection.sendall(b"GET /v1/similar?word=" + b"x" * 60_000)
        connection.sendall(b"x" * 8000)
        answer = everything_from(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body)["status"] == 400


def test_a_request_that_is_cut_off_does_no_harm(service, http):
    for part in (b"GET /v1/sim", HALF_A_BODY):
        with raw(service) as connection:
            connection.sendall(part)
    assert http.request("GET", f"{service.url}/health").status == 200


def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(_connections, "SECONDS_FOR_A_HEAD", 0.2)
    with BackgroundServer(create_app(Models({"made": made()}))) as service:
        for sent in (b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: x\r\nA: "):
            with raw(service) as connection:
                connection.sendall(sent)
                assert everything_from(connection) == b""
        # Nor the second one of a connection; but an answer may take longer than a head.
        with raw(service) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")
            assert everything_from(connection).count(b"HTTP/1.1 200 OK") == 1


def test_a_body_that_does_not_come_is_not_waited_for(service):
    with raw(service) as connection:
        connection.sendall(HALF_A_BODY)
        answer = everything_from(connection)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"did not arrive within 0.5 seconds" in answer


def test_who_does_not_take_the_answer_is_hung_up_on(service, http):
    words = json.dumps({"words": [f"w{i}" for i in range(N_WORDS)] + ["w0"] * 300}).encode()
    with raw(service) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(words)}"
        for _ in range(4):  # more than the system keeps for us
            connection.sendall(f"POST /v1/vectors HTTP/1.1\r\n{head}\r\n\r\n".encode() + words)
        until = time.monotonic() + 30
        while 'route="/v1/vectors",status="499"} 1.0' not in figures(http, service):
            assert time.monotonic() < until
            time.sleep(0.1)


def figures(http, service):
    return http.request("GET", f"{service.url}/metrics").data.decode()


# --- ports ----------------------------------------------------------------------------------------


def test_a_port_in_use_is_told_with_one_that_is_free():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ParameterError, match=rf"port {port} is in use; (\d+) is free"):
            listen("127.0.0.1", port)
        with listen("127.0.0.1", port, or_next=True) as other:
            assert other.getsockname()[1] > port


def test_addresses_that_are_none():
    with pytest.raises(ParameterError, match="no address 'no such host' to listen at"):
        listen("no such host", 0)
    with pytest.raises(ParameterError, match=r"cannot listen at 192\.0\.2\.1, port 8000"):
        listen("192.0.2.1", 8000)


# --- names and models -----------------------------------------------------------------------------


def test_sources_get_names(tmp_path):
    folder = tmp_path / "a=b"
    folder.mkdir()
    (tmp_path / "vectors.bin.gz").touch()
    named = name_sources([str(folder), f"{tmp_path}/vectors.bin.gz", "x=glove.6B.50d", "y/z/"])
    assert named == {
        "a=b": str(folder),
        "vectors": f"{tmp_path}/vectors.bin.gz",
        "x": "glove.6B.50d",
        "z": "y/z/",
    }
    with pytest.raises(ParameterError, match="two models would be called 'z'"):
        name_sources(["y/z", "x/z"])
    with pytest.raises(ParameterError, match="names no vectors"):
        name_sources(["x="])
    with pytest.raises(ParameterError, match="no vectors to serve"):
        name_sources([])


def test_a_folder_that_is_replaced_is_served_as_it_is_now(tmp_path, caplog):
    folder = tmp_path / "words"
    made(seed=1).save(folder)
    models = Models({"words": str(folder)})
    before = models.get("words")
    models.refresh()
    assert models.get("words") is before
    made(seed=2, n_words=20).save(folder)
    models.refresh()
    assert len(models.get("words").wv) == 20
    assert len(before.wv.most_similar("w1")) == 10  # who asks still is answered still
    assert "was replaced" in caplog.text


def test_an_index_that_joins_is_used(tmp_path):
    made(seed=1).save(tmp_path / "words")
    models = Models({"words": tmp_path / "words"})
    with pytest.raises(Problem, match="firth index builds one"):
        models.get("words").lane(approximate=True)
    wv = KeyedVectors.load(tmp_path / "words")
    wv.build_index(progress=False)
    wv.save_index()
    models.refresh()
    assert models.get("words").lane(approximate=True) is models.get("words").approximate


def test_a_folder_that_is_deleted_is_served_as_it_was(tmp_path, caplog):
    folder = tmp_path / "words"
    made().save(folder)
    models = Models({"words": folder})
    shutil.rmtree(folder)
    models.refresh()
    models.refresh()
    assert caplog.text.count("is gone; served is what was there before") == 1
    assert models.get(None).fault.endswith("served is what was there before")
    assert models.get(None).wv.most_similar("w1")
    made().save(folder)
    models.refresh()
    assert models.get(None).fault is None


def test_a_folder_that_is_damaged_is_served_as_it_was(tmp_path):
    folder = tmp_path / "words"
    made().save(folder)
    models = Models({"words": folder})
    shutil.copytree(folder, tmp_path / "other")
    (tmp_path / "other" / "vectors.safetensors").write_bytes(b"nonsense")
    shutil.rmtree(folder)
    (tmp_path / "other").rename(folder)
    models.refresh()
    assert "cannot be opened" in models.get(None).fault
    assert models.get(None).wv.most_similar("w1")


def test_what_cannot_be_opened_at_first_is_an_error(tmp_path):
    with pytest.raises(SourceError):
        Models({"x": tmp_path / "nothing"})
    (tmp_path / "folder").mkdir()
    with pytest.raises(FormatError):
        Models({"x": tmp_path / "folder"})


# --- questions of many requests -------------------------------------------------------------------


class Table:
    """What a search gives: of each question its number, and k."""

    def __init__(self, questions, k):
        self.rows = np.array([[int(each)] * k for each in questions])
        self.scores = np.zeros(self.rows.shape)


def test_what_comes_during_a_search_is_answered_by_the_next_one():
    searches = []
    goes_on = threading.Event()

    def search(questions, k):
        searches.append((list(questions), k))
        goes_on.wait(10)
        return Table(questions, k)

    async def ask():
        lane = Lane(search, threads, most_waiting=100)
        first = asyncio.create_task(lane.ask(["0"], 1))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(lane.ask([str(i)], i)) for i in range(1, 5)]
        await asyncio.sleep(0.05)
        goes_on.set()
        return await asyncio.gather(first, *others)

    with ThreadPoolExecutor() as threads:
        answers = asyncio.run(ask())
    assert searches == [(["0"], 1), (["1", "2", "3", "4"], 4)]
    assert [rows.tolist() for ((rows, _),) in answers] == [
        [0], [1], [2, 2], [3, 3, 3], [4, 4, 4, 4],
    ]  # fmt: skip


def test_a_large_request_lets_small_ones_through():
    order = []

    def search(questions, k):
        order.append(len(questions))
        return Table(questions, k)

    async def ask():
        lane = Lane(search, threads, most_waiting=2000)
        large = asyncio.create_task(lane.ask([str(i) for i in range(1000)], 1))
        await asyncio.sleep(0)
        found = await lane.ask(["7"], 1)
        assert not large.done()
        assert len(found) == 1
        return await large

    with ThreadPoolExecutor() as threads:
        found = asyncio.run(ask())
    assert [int(rows[0]) for rows, _ in found] == list(range(1000))
    assert max(order) <= 32


def test_too_many_that_wait_are_sent_away_and_those_given_up_make_room():
    goes_on = threading.Event()

    def search(questions, k):
        goes_on.wait(10)
        return Table(questions, k)

    async def ask():
        lane = Lane(search, threads, most_waiting=2)
        first = asyncio.create_task(lane.ask(["1"], 1))
        second = asyncio.create_task(lane.ask(["2"], 1))
        await asyncio.sleep(0.05)
        with pytest.raises(Problem, match="2 questions are waiting") as refused:
            await lane.ask(["3"], 1)
        assert refused.value.status == 503
        second.cancel()
        await asyncio.sleep(0.05)
        third = asyncio.create_task(lane.ask(["3"], 1))
        await asyncio.sleep(0.05)
        goes_on.set()
        return await first, await third

    with ThreadPoolExecutor() as threads:
        (((first, _),), ((third, _),)) = asyncio.run(ask())
    assert (int(first[0]), int(third[0])) == (1, 3)


def test_a_search_that_fails_fails_those_who_asked_and_no_others():
    def search(questions, k):
        if "1" in questions:
            raise ZeroDivisionError
        return Table(questions, k)

    async def ask():
        lane = Lane(search, threads, most_waiting=100)
        with pytest.raises(ZeroDivisionError):
            await lane.ask(["1"], 1)
        return await lane.ask(["2"], 1)

    with ThreadPoolExecutor() as threads:
        assert len(asyncio.run(ask())) == 1


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    made(n_words=50).save(tmp_path / "words")
    return tmp_path / "words"


class Served:
    """``firth serve`` in a process of its own."""

    def __init__(self, *arguments, **environment):
        code = "import sys; from firth.cli import main; sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "serve", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | environment,
        )  # fmt: skip
        self.line = self.process.stdout.readline()
        self.url = self.line.split(" at ")[-1].split(" (")[0]

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


def first_answer(http, url, **headers):
    until = time.monotonic() + 30
    while True:
        try:
            return http.request("GET", url, headers=headers)
        except urllib3.exceptions.HTTPError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_the_command_serves_until_it_is_interrupted(folder, http):
    served = Served(folder, "--port", 0)
    assert served.line.startswith("Serving words at http://127.0.0.1:")
    told = first_answer(http, f"{served.url}/v1/similar?word=w1&k=1")
    assert told.json()["neighbours"][0]["word"] == made(n_words=50).most_similar("w1")[0][0]
    # Nobody who leads a browser here by another name is answered.
    assert first_answer(http, f"{served.url}/v1/models", Host="evil.example").status == 421
    assert served.end() == (0, "", "")


def workers_of(parent):
    """Give the processes that a process has spawned to do its work."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if folder.name.isdecimal():
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                is_worker = b"spawn_main" in (folder / "cmdline").read_bytes()
                if int(fields[1]) == parent and is_worker:
                    found.append(int(folder.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="workers are found by /proc")
def test_several_workers_share_their_figures_and_one_that_dies_is_replaced(folder, http):
    served = Served(folder, "--port", 0, "--workers", 2, "--token-file", token(folder))
    right = {"Authorization": "Bearer secret"}
    assert first_answer(http, f"{served.url}/v1/models").status == 401
    for _ in range(5):
        assert first_answer(http, f"{served.url}/v1/models", **right).status == 200
    figures = first_answer(http, f"{served.url}/metrics", **right).data.decode()
    assert 'firth_requests_total{method="GET",route="/v1/models",status="200"} 5.0' in figures
    workers = workers_of(served.process.pid)
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    assert first_answer(http, f"{served.url}/v1/models", **right).status == 200
    status, _, _ = served.end(signal.SIGTERM)
    assert status == 0


def token(folder):
    path = folder.parent / "token"
    path.write_text("secret\n")
    return path


@pytest.mark.parametrize(
    ("options", "wanted", "status"),
    [
        (["--host", "0.0.0.0"], "others can ask, and a token is needed: set FIRTH_TOKEN", 2),
        (["--token-file", "nothing"], "the token cannot be read", 1),
        (["--token-file", os.devnull], "has no token", 2),
        (["--port", "70000"], "70000 is not in the range", 2),
        (["--max-k", "0"], "0 is not in the range", 2),
    ],
)
def test_the_command_says_what_is_wrong(folder, run, options, wanted, status):
    got, out, err = run("serve", folder, *options)
    assert (got, out) == (status, "")
    assert wanted in err


def test_a_token_in_the_environment_must_be_one(folder, run, monkeypatch):
    monkeypatch.setenv("FIRTH_TOKEN", "two words")
    status, _, err = run("serve", folder)
    assert status == 2
    assert "the variable FIRTH_TOKEN has no token" in err


def test_vectors_that_are_not_there_are_told_before_the_port_is_taken(run):
    status, _, err = run("serve", "nothing-of-this-name")
    assert status == 1
    assert "no such file or folder" in err


def test_vectors_that_workers_cannot_share_are_warned_of(folder, caplog):
    warn_of_copies(Models({"shared": folder, "copied": made()}), 3)
    assert len(caplog.messages) == 1
    assert "copied is no model folder, so that each of 3 workers has a copy" in caplog.text


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "msgspec", "prometheus_client"])
def test_a_package_that_is_missing_is_named_with_its_extra(folder, package):
    code = (
        f"import sys; sys.modules[{package!r}] = None; "
        f"from firth.cli import main; sys.exit(main(['serve', {str(folder)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert f"needs the package '{package}'" in done.stderr
    assert "pip install 'firth[serve]'" in done.stderr


def test_help_and_other_commands_load_nothing_of_it():
    code = (
        "import sys; from firth.cli import main; main(['serve', '--help']); "
        "print('starlette' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "False False"

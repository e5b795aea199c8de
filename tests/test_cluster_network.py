"""Two nodes in network namespaces of their own, behind a slow link that goes down for a while."""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import firth
from test_cluster import knows, text_of

pytest.importorskip("ray", reason="Ray is not installed: make test-cluster installs it")
if not os.environ.get("FIRTH_TEST_CLUSTER"):
    pytest.skip("they need a process of their own: make test-cluster", allow_module_level=True)

# Of what other libraries leave open.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip
HOSTS = {"firth-a": "10.203.77.1", "firth-b": "10.203.77.2"}
HEAD, OTHER = HOSTS
PORT = 6379
SECONDS_DOWN = 10
ENVIRONMENT = os.environ | {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),  # the same on both
    "TMPDIR": "/tmp",  # names of sockets must be short
}

DRIVER = """
import sys, time
import firth, ray
from firth.models import CallbackAny2Vec

# A node may be up for a while before the other one knows of it.
ray.init(address=ADDRESS, log_to_driver=False, logging_level="ERROR")
while sum(node["Alive"] for node in ray.nodes()) < 2:
    time.sleep(0.1)

class Tells(CallbackAny2Vec):
    epochs = 0

    def on_epoch_end(self, model):
        self.epochs += 1
        print("epoch", flush=True)
        if self.epochs >= 8 and sys.stdin.readline():
            model.stop_training("the link was down")

model = firth.Word2Vec(
    vector_size=32, sg=1, sample=0, epochs=200, batch_words=2000, progress=False)
model, report = firth.cluster.train(
    model, TEXT, address=ADDRESS, patience=60, callbacks=[Tells()], progress=False)
print(len(report.workers), len({worker.node for worker in report.workers}), len(report.lost),
      int(report.n_bytes / report.expected_bytes * 100))
model.save(MODEL)
"""


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


@pytest.fixture
def hosts():
    """Two network namespaces, joined by a link of 400 Mbit/s."""
    if not (shutil.which("ip") and shutil.which("tc") and shutil.which("unshare")):
        pytest.skip("ip and tc are not installed (package iproute2)")
    with contextlib.ExitStack() as stack:
        for host in HOSTS:
            try:
                ip("netns", "add", host)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"no network namespace can be made here: {error.stderr.decode()}")
            stack.callback(subprocess.run, ["ip", "netns", "del", host], check=False)
        ip("link", "add", "veth0", "netns", HEAD, "type", "veth", "peer", "veth0", "netns", OTHER)
        try:
            for host, address in HOSTS.items():
                ip("-n", host, "link", "set", "lo", "up")
                ip("-n", host, "addr", "add", f"{address}/24", "dev", "veth0")
                ip("-n", host, "link", "set", "veth0", "up")
                ip("-n", host, "route", "add", "default", "dev", "veth0")
                limit = ["rate", "400mbit", "burst", "512kb", "latency", "100ms"]
                inside(host, ["tc", "qdisc", "add", "dev", "veth0", "root", "tbf", *limit])
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no slow link can be made here: {error.stderr.decode()}")
        yield


def inside(host, command):
    return subprocess.run(
        ["ip", "netns", "exec", host, *command], check=True, capture_output=True, timeout=120
    )


def start_ray(host, places):
    """Start a node in the foreground; its files are its own, as on another machine."""
    ray = f"{os.path.dirname(sys.executable)}/ray"  # noqa: PTH120
    address = HOSTS[host]
    head = ["--head", f"--port={PORT}", "--include-dashboard=false"]
    role = head if host == HEAD else [f"--address={HOSTS[HEAD]}:{PORT}"]
    options = [
        f"--node-ip-address={address}", "--num-cpus=1", "--object-store-memory=200000000",
        "--disable-usage-stats", "--block",
    ]  # fmt: skip
    own = 'mkdir -p /tmp/ray && mount -t tmpfs none /tmp/ray && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", own, "sh", ray, "start", *role, *options]
    log = (places.temporary / f"{host}.log").open("wb")
    return subprocess.Popen(
        ["ip", "netns", "exec", host, *command],
        env=ENVIRONMENT,
        stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip


def raylet_of(host, process, places):
    """Wait for the process that is the node."""
    for _ in range(300):
        found = subprocess.run(
            ["ip", "netns", "pids", host], capture_output=True, text=True, check=True
        )
        for pid in found.stdout.split():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == "raylet":
                    return int(pid)
        if process.poll() is not None:
            break
        time.sleep(0.2)
    log = (places.temporary / f"{host}.log").read_text()
    pytest.fail(f"no node of Ray came up on {host}: {log}")


@pytest.fixture
def nodes(hosts, places):
    """A node of Ray in each namespace."""
    started = {}
    try:
        raylets = {}
        for host in HOSTS:
            started[host] = start_ray(host, places)
            raylets[host] = raylet_of(host, started[host], places)
        yield raylets
    finally:
        for process in started.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
        for process in started.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(3)
        for host in HOSTS:
            pids = subprocess.run(
                ["ip", "netns", "pids", host], capture_output=True, text=True, check=False
            )
            for pid in pids.stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 9)


def test_a_training_survives_a_link_that_is_down_for_ten_seconds(nodes, tmp_path):
    (tmp_path / "text.txt").write_text(text_of(3000))
    names = {"TEXT": tmp_path / "text.txt", "MODEL": tmp_path / "model"}
    script = DRIVER.replace("ADDRESS", repr(f"{HOSTS[HEAD]}:{PORT}"))
    for name, path in names.items():
        script = script.replace(name, repr(str(path)))
    # The driver runs on the first host, with that node's files.
    driver = subprocess.Popen(
        ["nsenter", f"--target={nodes[HEAD]}", "--mount", "--net", sys.executable, "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=ENVIRONMENT,
    )  # fmt: skip
    try:
        for _ in range(4):
            assert driver.stdout.readline() == "epoch\n"
        ip("-n", OTHER, "link", "set", "veth0", "down")
        began = time.monotonic()
        time.sleep(SECONDS_DOWN)
        ip("-n", OTHER, "link", "set", "veth0", "up")
        for _ in range(4):
            assert driver.stdout.readline() == "epoch\n"
        assert time.monotonic() - began > SECONDS_DOWN  # it had waited
        rest, _ = driver.communicate("enough\n", timeout=200)
    finally:
        driver.kill()
        driver.wait()
    workers, on_hosts, lost, bytes_of_expected = map(int, rest.split()[-4:])
    assert (workers, on_hosts, lost) == (2, 2, 0)
    assert 50 < bytes_of_expected < 150
    assert knows(firth.load(tmp_path / "model"))

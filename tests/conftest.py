"""What all tests share: nothing of the suite touches the cache or the home of who runs it."""

import atexit
import io
import os
import shutil
import sys
import tempfile
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from hypothesis import settings

from firth import _core, cli
from http_server import Server

# Keras takes TensorFlow unless it is told, and writes its settings into the home, once imported.
if find_spec("tensorflow") is None:
    os.environ.setdefault("KERAS_BACKEND", "jax" if find_spec("torch") is None else "torch")
if "KERAS_HOME" not in os.environ:
    os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="firth-keras-")
    atexit.register(shutil.rmtree, os.environ["KERAS_HOME"], ignore_errors=True)

# How long an example takes is a matter of what else the machine does.
settings.register_profile("firth", deadline=None)
settings.load_profile("firth")


@pytest.fixture(autouse=True)
def places(tmp_path_factory, monkeypatch):
    """Folders of the test's own for what firth caches, and for its temporary files."""
    folder = tmp_path_factory.mktemp("places")
    cache, temporary = folder / "cache", folder / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("FIRTH_CACHE", str(cache))
    monkeypatch.setenv("TMPDIR", str(temporary))
    for name in ("FIRTH_CORPUS_CACHE_GB", "FIRTH_OFFLINE", "FIRTH_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return SimpleNamespace(cache=cache, temporary=temporary)


@pytest.fixture(scope="session")
def cluster():
    """Start a cluster of Ray, of three nodes on this machine."""
    from ray_cluster import WORKERS, nodes_here

    with nodes_here(WORKERS) as started:
        yield started


@pytest.fixture(params=_core.supported_isas())
def isa(request):
    """Run the test with each instruction set that this machine has."""
    before = _core.isa()
    _core.select_isa(request.param)
    yield request.param
    _core.select_isa(before)


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command in this process; gives its exit status, output and messages."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def server():
    """Serve files over HTTP on this machine, well or badly."""
    server = Server()
    yield server
    server.close()

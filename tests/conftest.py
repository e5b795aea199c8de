"""What all tests share: nothing of the suite touches the cache or the home of who runs it."""

import io
import sys
import tempfile
from types import SimpleNamespace

import pytest

from firth import _core, cli


@pytest.fixture(autouse=True)
def places(tmp_path_factory, monkeypatch):
    """Folders of the test's own for what firth caches, and for its temporary files."""
    folder = tmp_path_factory.mktemp("places")
    cache, temporary = folder / "cache", folder / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("FIRTH_CACHE", str(cache))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.delenv("FIRTH_CORPUS_CACHE_GB", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return SimpleNamespace(cache=cache, temporary=temporary)


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

"""What all tests share: nothing of the suite touches the cache or the home of who runs it."""

import tempfile
from types import SimpleNamespace

import pytest


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

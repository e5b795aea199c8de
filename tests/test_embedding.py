"""GluonNLP's names for vectors by name."""

import pytest

import firth
from firth.errors import ParameterError
from firth.hub import _catalogue
from firth.hub._sources import Source

TEXT = b"2 1\nthe 1\nking 2\n"


@pytest.fixture
def sources(server, monkeypatch):
    address = server.put("/tiny.txt", TEXT)
    found = {"tiny": Source("tiny", "vectors", "glove", "", "tiny.txt", (address,))}
    monkeypatch.setattr(_catalogue, "catalogue", lambda: found)
    monkeypatch.setattr(_catalogue, "_names", _catalogue._names.__wrapped__)
    return found


def test_embedding_create(sources, monkeypatch):
    wv = firth.embedding.create("glove", source="tiny")
    assert wv.index_to_key == ["the", "king"]
    assert firth.embedding.create("GloVe", source="tiny", limit=1).index_to_key == ["the"]
    monkeypatch.setitem(firth.embedding._DEFAULTS, "glove", "tiny")
    assert firth.embedding.create("glove").vector_size == 1


def test_embedding_list_sources():
    assert firth.embedding.list_sources("glove")[0] == "glove.6B.50d"
    assert "wiki.simple" in firth.embedding.list_sources("fasttext")
    every = firth.embedding.list_sources()
    assert list(every) == ["glove", "word2vec", "fasttext", "numberbatch"]
    assert all(name in every[family] for family, name in firth.embedding._DEFAULTS.items())


def test_embedding_of_another_name():
    with pytest.raises(ParameterError, match="none of glove, word2vec"):
        firth.embedding.create("elmo")
    with pytest.raises(ParameterError, match=r"did you mean glove\.6B\.50d"):
        firth.embedding.create("glove", source="glove.6B.50")
    with pytest.raises(ParameterError, match=r"no source 'wiki\.simple'"):
        firth.embedding.create("glove", source="wiki.simple")

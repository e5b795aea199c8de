"""The service: what is asked over HTTP, and what is answered."""

import numpy as np
import pytest

from firth import KeyedVectors, Vocab

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("httpx2", reason="the client of tests is not installed")

from starlette.testclient import TestClient

from firth.service import Limits, Models, create_app

WORDS = ["king", "queen", "man", "woman", "cabbage", "کتاب", "<b>bold</b>", "🍋"]
LIMITS = Limits(questions=20, k=50, body=10_000)


def small():
    random = np.random.default_rng(1)
    matrix = random.standard_normal((len(WORDS), 8)).astype(np.float32)
    matrix[1] = matrix[0] + matrix[3] - matrix[2]
    return KeyedVectors(Vocab.from_words(WORDS, range(80, 0, -10)), matrix)


@pytest.fixture
def wv():
    return small()


@pytest.fixture
def client(wv):
    app = create_app(Models({"small": wv}, LIMITS), limits=LIMITS)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_neighbours_are_those_of_the_vectors(client, wv):
    got = client.get("/v1/similar", params={"word": "king", "k": 3})
    assert got.status_code == 200
    told = got.json()
    assert told["model"] == "small"
    assert told["words"] == ["king"]
    found = [(each["word"], each["similarity"]) for each in told["neighbours"]]
    assert found == [(word, round(cosine, 6)) for word, cosine in wv.most_similar("king", topn=3)]

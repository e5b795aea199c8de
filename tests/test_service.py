"""The service: what is asked over HTTP, and what is answered."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import KeyedVectors, Vocab
from firth.subwords import FastTextSubwords

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("httpx2", reason="the client of tests is not installed")

from starlette.testclient import TestClient

from firth.service import Limits, Models, create_app
from firth.service._answers import _shortest

WORDS = ["king", "queen", "man", "woman", "cabbage", "کتاب", "<b>bold</b>", "🍋", "zero"]
LIMITS = Limits(questions=20, k=50, body=10_000, seconds=5)
ZERO = WORDS.index("zero")


def small(dim=8):
    random = np.random.default_rng(1)
    matrix = random.standard_normal((len(WORDS), dim)).astype(np.float32)
    matrix[1] = matrix[0] + matrix[3] - matrix[2]
    matrix[ZERO] = 0
    return KeyedVectors(Vocab.from_words(WORDS, range(90, 0, -10)), matrix)


def client_of(models, **options):
    app = create_app(Models(models, LIMITS), limits=LIMITS, **options)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def wv():
    vectors = small()
    vectors.build_index(progress=False)
    return vectors


@pytest.fixture(scope="module")
def client(wv):
    with client_of({"small": wv, "other": small(5)}) as client:
        yield client


def rounded(found):
    return [{"word": word, "similarity": round(cosine, 6)} for word, cosine in found]


def problem(response, status):
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    assert told["title"]
    assert "Traceback" not in told["detail"]
    return told["detail"]


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", WORDS[:-1])
@pytest.mark.parametrize("approximate", [False, True])
def test_neighbours_are_those_of_the_vectors(client, wv, word, approximate):
    asked = {"word": word, "k": 3, "approximate": approximate}
    told = client.get("/v1/similar", params=asked).json()
    assert (told["model"], told["words"]) == ("small", [word])
    found = wv.most_similar(word, topn=3, approximate=approximate)
    assert [each["word"] for each in told["neighbours"]] == found.words
    # Questions that come together are asked together, in another order of sums.
    np.testing.assert_allclose(
        [each["similarity"] for each in told["neighbours"]], found.scores, atol=2e-6
    )


def test_a_sum_of_words_is_asked_as_the_vectors_are(client, wv):
    asked = {"word": ["king", "woman"], "negative": "man", "k": 2}
    told = client.get("/v1/similar", params=asked).json()
    assert told["negative"] == ["man"]
    assert told["neighbours"] == rounded(wv.most_similar(["king", "woman"], ["man"], topn=2))
    assert told["neighbours"][0]["word"] == "queen"


def test_analogies_similarities_and_odd_ones(client, wv):
    told = client.get("/v1/analogy", params={"a": "man", "b": "woman", "c": "king"}).json()
    assert told["words"] == ["man", "woman", "king"]
    assert told["answers"] == rounded(wv.most_similar(["woman", "king"], ["man"]))
    told = client.get("/v1/similarity", params={"a": "king", "b": "queen"}).json()
    assert told["similarity"] == round(float(wv.similarity("king", "queen")), 6)
    words = ["king", "queen", "cabbage"]
    told = client.get("/v1/odd-one-out", params={"word": words}).json()
    assert told["odd_one_out"] == wv.doesnt_match(words)


def test_vectors_come_back_to_the_bit(client, wv):
    told = client.get("/v1/vectors", params={"word": ["king", "🍋"]}).json()
    assert told["vector_size"] == 8
    for each in told["vectors"]:
        assert np.array_equal(np.array(each["vector"], np.float32), wv[each["word"]])
    unit = client.get("/v1/vectors", params={"word": "king", "norm": "true"}).json()["vectors"][0]
    assert np.isclose(np.linalg.norm(unit["vector"]), 1)


def test_a_word_without_direction_has_no_neighbours(client):
    assert client.get("/v1/similar", params={"word": "zero"}).json()["neighbours"] == []
    told = client.get("/v1/similarity", params={"a": "zero", "b": "king"}).json()
    assert told["similarity"] == 0


def test_many_questions_are_answered_in_their_order_and_the_unknown_told(client, wv):
    questions = ["king", "nobody", {"positive": ["king", "woman"], "negative": ["man"]}, "🍋"]
    told = client.post("/v1/similar", json={"questions": questions, "k": 2}).json()
    assert told["model"] == "small"
    first, unknown, third, last = told["answers"]
    assert first["neighbours"] == rounded(wv.most_similar("king", topn=2))
    assert unknown["words"] == ["nobody"]
    assert "'nobody' is not among the 9 words" in unknown["error"]
    assert third["neighbours"][0]["word"] == "queen"
    assert last["words"] == ["🍋"]


def test_many_of_the_other_kinds(client, wv):
    told = client.post("/v1/analogy", json={"questions": [["man", "woman", "king"]] * 2, "k": 1})
    assert [each["answers"][0]["word"] for each in told.json()["answers"]] == ["queen", "queen"]
    pairs = [["king", "queen"], ["king", "nobody"], ["man", "woman"]] * 5
    told = client.post("/v1/similarity", json={"questions": pairs}).json()["answers"]
    assert [("error" in each) for each in told] == [False, True, False] * 5
    lists = [["king", "queen", "cabbage"], ["king", "queen", "x"]]
    told = client.post("/v1/odd-one-out", json={"questions": lists}).json()["answers"]
    assert told[0]["odd_one_out"] == wv.doesnt_match(lists[0])
    assert "'x'" in told[1]["error"]
    told = client.post("/v1/vectors", json={"words": ["king", "x"] * 6}).json()["vectors"]
    assert len(told) == 12
    assert told[1]["word"] == "x"
    assert "not among" in told[1]["error"]


def test_more_neighbours_than_words_are_all_the_words(client):
    found = client.get("/v1/similar", params={"word": "king", "k": 50}).json()["neighbours"]
    assert len(found) == len(WORDS) - 2  # but the word itself, and the one without a direction


def test_a_model_is_asked_by_its_name(client):
    told = client.get("/v1/vectors", params={"word": "king", "model": "other"}).json()
    assert (told["model"], told["vector_size"]) == ("other", 5)
    detail = problem(client.get("/v1/similar", params={"word": "king", "model": "x"}), 404)
    assert "no model 'x'; there are: small, other" in detail


def test_the_models_are_told(client):
    first, second = client.get("/v1/models").json()["models"]
    assert first == {
        "name": "small", "n_words": 9, "vector_size": 8, "dtype": "float32", "subwords": None,
        "has_counts": True, "recall": 1.0, "fault": None,
    }  # fmt: skip
    assert second["recall"] is None


def test_unseen_words_are_answered_through_subwords_and_that_is_told():
    random = np.random.default_rng(2)
    rows = random.standard_normal((100, 8)).astype(np.float32)
    subwords = FastTextSubwords(rows, min_n=3, max_n=4, bucket=100)
    vectors = KeyedVectors(small().vocab, small().vectors, subwords=subwords)
    with client_of({"x": vectors}) as client:
        told = client.get("/v1/similar", params={"word": "queenly", "k": 1}).json()
        assert told["unseen"] == ["queenly"]
        assert told["neighbours"] == rounded(vectors.most_similar("queenly", topn=1))
        assert "unseen" not in client.get("/v1/similar", params={"word": "king"}).json()
        long = "ab" * 2500
        assert client.get("/v1/similar", params={"word": long}).json()["unseen"] == [long]
        told = client.get("/v1/vectors", params={"word": "queenly"}).json()["vectors"][0]
        assert told["unseen"] is True


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_written_short_and_read_as_they_were(numbers):
    exact = np.array([numbers], np.float32)
    (told,) = _shortest(exact)
    assert np.array_equal(np.array(told, np.float32), exact[0])
    for value, number in zip(told, exact[0].tolist(), strict=True):
        if 1e-13 < abs(number) < 1e8:
            assert len(json.dumps(value).replace("-", "").lstrip("0.").split("e")[0]) <= 10


def test_what_is_no_finite_number_is_null():
    exact = np.array([[1.5, math.nan, math.inf]], np.float32)
    assert _shortest(exact) == [[1.5, None, None]]


# --- what cannot be answered ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/v1/similar", "missing required field `word`"),
        ("/v1/similar?word=", "length >= 1"),
        ("/v1/similar?word=king&k=0", ">= 1 - at `k`"),
        ("/v1/similar?word=king&k=many", "at `k`"),
        ("/v1/similar?word=king&k=51", "k is 51; at most 50"),
        ("/v1/similar?word=king&k=1&k=2", "k is given twice"),
        ("/v1/similar?word=king&topn=3", "unknown field `topn`"),
        ("/v1/similar?word=king&approximate=perhaps", "`bool`"),
        ("/v1/similar?word=king&model=other&approximate=true", "firth index builds one"),
        ("/v1/similar?" + "&".join(["word=king"] * 21), "21 words in a question are too many"),
        ("/v1/similar?word=" + "x" * 5001, "length <= 5000"),
        ("/v1/odd-one-out?word=king&word=queen", "length >= 3"),
        ("/v1/analogy?a=king&b=queen", "missing required field `c`"),
        ("/v1/models?x=1", "no parameters here"),
    ],
)
def test_a_query_that_is_wrong_is_told_what_is(client, path, wanted):
    assert wanted in problem(client.get(path), 400)


def test_an_unknown_word_gets_near_spellings(client):
    detail = problem(client.get("/v1/similar?word=cabage"), 404)
    assert "'cabage' is not among the 9 words" in detail
    assert "cabbage" in detail
    for path in ("/v1/vectors?word=nobody", "/v1/similarity?a=king&b=nobody"):
        assert "'nobody'" in problem(client.get(path), 404)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "expected `object`"),
        (b"[" * 9000, "expected `object`"),
        (b'{"questions":' + b"[" * 5000, "cannot be read"),
        (b'{"questions": "king"}', "at `questions`"),
        (b'{"questions": []}', "at `questions`"),
        (b'{"questions": [3]}', "at `questions[0]`"),
        (b'{"questions": ["\\ud800"]}', "no JSON"),
        (b'{"questions": [{"positive": []}]}', "neither positive nor negative"),
        (b'{"questions": [{"pos": ["king"]}]}', "unknown field `pos`"),
        (json.dumps({"questions": ["king"] * 21}).encode(), "21 questions are too many"),
        (b'{"questions": ["king"], "k": 1e9}', "at `k`"),
    ],
)
def test_a_body_that_is_wrong_is_told_what_is(client, body, wanted):
    headers = {"Content-Type": "application/json"}
    assert wanted in problem(client.post("/v1/similar", content=body, headers=headers), 400)


def test_a_body_of_another_kind_or_too_long_is_refused(client):
    assert "application/json" in problem(client.post("/v1/similar", content=b"{}"), 415)
    form = client.post("/v1/similar", data={"word": "king"})
    assert "x-www-form-urlencoded; send" in problem(form, 415)
    long = client.post("/v1/similar", json={"questions": ["x" * 10_000]})
    assert "longer than 10,000 bytes" in problem(long, 413)

    def in_pieces():
        for _ in range(11):
            yield b" " * 1000

    headers = {"Content-Type": "application/json"}
    long = client.post("/v1/similar", content=in_pieces(), headers=headers)
    assert "longer than 10,000 bytes" in problem(long, 413)


def test_other_paths_and_methods(client):
    assert "/openapi.json tells what there is" in problem(client.get("/v2/similar"), 404)
    response = client.delete("/v1/similar")
    assert "DELETE cannot be used here" in problem(response, 405)
    assert "GET" in response.headers["allow"]
    assert client.head("/v1/models").status_code == 200


def test_a_fault_of_ours_says_no_more_than_that(caplog):
    class Broken(KeyedVectors):
        def most_similar_many(self, *args, **kwargs):
            raise RuntimeError("a secret of the inside")

    vectors = small()
    with client_of({"x": Broken(vectors.vocab, vectors.vectors)}) as client:
        detail = problem(client.get("/v1/similar?word=king"), 500)
        assert "secret" not in detail
        # The next one is still answered.
        assert client.get("/v1/similarity?a=king&b=man").status_code == 200


def test_what_takes_too_long_is_given_up(wv):
    class Slow(KeyedVectors):
        def most_similar_many(self, *args, **kwargs):
            import time

            time.sleep(0.3)
            return super().most_similar_many(*args, **kwargs)

    limits = Limits(seconds=0.1)
    vectors = small()
    models = Models({"x": Slow(vectors.vocab, vectors.vectors)}, limits)
    with TestClient(create_app(models, limits=limits)) as client:
        response = client.get("/v1/similar?word=king")
        assert "no answer after 0.1 seconds" in problem(response, 503)
        assert response.headers["retry-after"] == "1"


# --- who may ask ----------------------------------------------------------------------------------


def test_a_token_is_asked_for_everywhere_but_for_health():
    with client_of({"small": small()}, token="right") as client:
        for path in ("/v1/models", "/metrics", "/openapi.json", "/nothing"):
            response = client.get(path)
            assert "Authorization: Bearer" in problem(response, 401)
            assert response.headers["www-authenticate"] == "Bearer"
        for wrong in (
            "Bearer wrong",
            "Bearer",
            "Basic right",
            "right",
            "Bearer right2",
            "Bearer é",
        ):
            headers = {"Authorization": wrong.encode("latin-1")}
            assert client.get("/v1/models", headers=headers).status_code == 401
        headers = {"Authorization": "bearer right"}
        assert client.get("/v1/models", headers=headers).status_code == 200
        assert client.get("/health").json() == {"status": "ok"}
        document = client.get("/openapi.json", headers=headers).json()
        assert document["security"] == [{"token": []}]


def test_a_stranger_whose_name_leads_here_is_sent_away():
    with client_of({"small": small()}, hosts=["127.0.0.1", "localhost", "::1"]) as client:
        for host in ("127.0.0.1:8000", "LOCALHOST", "[::1]:80"):
            assert client.get("/v1/models", headers={"Host": host}).status_code == 200
        for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""):
            detail = problem(client.get("/v1/models", headers={"Host": host}), 421)
            assert "call it 127.0.0.1 or ::1 or localhost" in detail


def test_every_answer_has_the_headers_that_protect_who_reads_it(client):
    for path in ("/v1/models", "/nothing", "/v1/similar"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


def test_markup_stays_text(client):
    response = client.get("/v1/similar", params={"word": "<b>bold</b>"})
    assert response.headers["content-type"] == "application/json"
    assert response.json()["words"] == ["<b>bold</b>"]


# --- figures --------------------------------------------------------------------------------------


def test_figures_count_requests_by_route_and_status():
    with client_of({"small": small()}) as client:
        client.get("/v1/similar?word=king")
        client.get("/v1/similar?word=nobody")
        client.get("/secret-path")
        text = client.get("/metrics").text
    assert 'firth_requests_total{method="GET",route="/v1/similar",status="200"} 1.0' in text
    assert 'firth_requests_total{method="GET",route="/v1/similar",status="404"} 1.0' in text
    assert 'route="other",status="404"} 1.0' in text
    assert "secret-path" not in text
    assert 'firth_model_words{model="small"} 9.0' in text
    assert 'firth_request_seconds_count{route="/v1/similar"} 2.0' in text
    assert "firth_requests_under_way 1.0" in text  # the one that asks


def test_limits_are_above_zero():
    from firth.errors import ParameterError

    for wrong in ({"k": 0}, {"seconds": -1.0}, {"seconds": math.inf}, {"body": 0}):
        with pytest.raises(ParameterError, match="must be above 0"):
            Limits(**wrong)

"""A training as it goes: what is told of it, and the vectors that can be asked meanwhile."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import urllib3

from firth import FastText, GloVe, Word2Vec, load
from firth.models import CallbackAny2Vec, Probe

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("httpx2", reason="the client of tests is not installed")

from starlette.testclient import TestClient

from firth.service import BackgroundServer, LiveTraining, Models, _training, create_app

SENTENCES = [["the", "king", "and", "the", "queen"], ["a", "man", "and", "a", "woman"]] * 300
SETTINGS = {
    "vector_size": 16, "epochs": 4, "workers": 1, "min_count": 1, "sample": 0, "progress": False,
}  # fmt: skip


@pytest.fixture
def models():
    return Models({})


@pytest.fixture
def live(models):
    return LiveTraining(models, "new")


@pytest.fixture
def client(models, live):
    with TestClient(create_app(models, training=live)) as client:
        yield client


def test_before_the_first_word_is_read_there_is_nothing_to_ask(client):
    assert client.get("/v1/models").json() == {"models": [], "training": True}
    told = client.get("/v1/training").json()
    assert told["training"]["state"] == "reading"
    assert told["points"] == []
    assert client.get("/v1/similar?word=king").json()["detail"] == "there are no vectors yet"


def test_a_training_is_told_from_its_first_chunk_to_its_last(client, live):
    seen = []

    class Look(CallbackAny2Vec):
        def on_epoch_end(self, model):
            told = client.get("/v1/training").json()["training"]
            near = client.get("/v1/similar?word=king&k=1").json()["neighbours"]
            seen.append((told, near, model.wv.most_similar("king", topn=1).words))

    probe = Probe(lambda model: 0.5, name="half")
    callbacks = [probe, *live.callbacks(by_time=True), Look()]
    model = Word2Vec(SENTENCES, callbacks=callbacks, **SETTINGS)
    assert [told["epochs"] for told, _, _ in seen] == [1, 2, 3, 4]
    for told, near, wanted in seen:
        assert told["state"] == "training"
        assert (told["total"], told["total_epochs"]) == (12_000, 4)
        assert told["loss"] > 0
        assert told["rate"] > 0
        assert near[0]["word"] == wanted[0]
    assert [told["vectors"] for told, _, _ in seen] == [2, 3, 4, 5]
    told = client.get("/v1/training").json()
    assert told["training"]["state"] == "finished"
    assert told["training"]["seconds_left"] == 0
    assert told["points"] == model.learning_curve
    assert [each["score"] for each in told["points"] if each.get("probe") == "half"] == [0.5] * 4
    assert client.get("/v1/models").json()["models"][0]["name"] == "new"


def test_whoever_looks_changes_nothing(live, monkeypatch):
    monkeypatch.setattr(_training, "_COPY_EVERY", 1e-9)
    monkeypatch.setattr(_training, "_SHARE_FOR_COPIES", 1e9)
    settings = SETTINGS | {"batch_words": 500}
    plain = Word2Vec(SENTENCES, **settings)
    watched = Word2Vec(SENTENCES, callbacks=live.callbacks(by_time=True), **settings)
    assert np.array_equal(plain.wv.vectors, watched.wv.vectors)
    assert len(plain.learning_curve) == len(watched.learning_curve)
    assert live.state().vectors > 1 + SETTINGS["epochs"]  # not only behind epochs


def test_copies_take_a_small_share_of_the_time(live):
    class Slow:
        @property
        def wv(self):
            time.sleep(0.4)
            return load_small()

    live.copy(Slow())
    assert 10 < live.seconds_to_next_copy() < 1000  # fifty times what the last one took


def load_small():
    return Word2Vec(SENTENCES, **SETTINGS).wv


@pytest.mark.parametrize("model", [FastText, GloVe])
def test_other_models_are_watched_too(client, live, model):
    settings = {**SETTINGS, "callbacks": live.callbacks(by_time=model is FastText)}
    if model is FastText:
        settings["bucket"] = 100
    else:
        settings.pop("sample")
    made = model(SENTENCES, **settings)
    told = client.get("/v1/training").json()
    assert told["training"]["state"] == "finished"
    assert told["training"]["epochs"] == 4
    assert told["training"]["loss"] == pytest.approx(made.loss)
    assert told["training"]["points"] == len(told["points"]) >= 4
    assert client.get("/v1/similar?word=king").json()["neighbours"]


def test_why_a_training_ended_early_is_told(client, live):
    class Stop(CallbackAny2Vec):
        def on_epoch_end(self, model):
            model.stop_training("enough is enough")

    Word2Vec(SENTENCES, callbacks=[*live.callbacks(by_time=True), Stop()], **SETTINGS)
    told = client.get("/v1/training").json()["training"]
    assert (told["state"], told["message"]) == ("stopped", "enough is enough")
    live.fail("the disk is full")
    told = client.get("/v1/training").json()["training"]
    assert (told["state"], told["message"]) == ("failed", "the disk is full")


# --- events ---------------------------------------------------------------------------------------


def events_of(lines):
    """Read server-sent events: (name, id, data) of each."""
    name = number = None
    for line in lines:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name, number = value, None
        elif field == "id":
            number = int(value)
        elif field == "data":
            yield name, number, json.loads(value)


def listened(url, live, until, **headers):
    """Listen until an event is the one wanted; gives all that came."""
    got = []
    response = urllib3.request("GET", url, preload_content=False, timeout=30, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    for event in events_of(response):
        got.append(event)
        if until(*event):
            live.close()
    return got


def test_events_tell_what_is_new_and_end_with_the_service(models, live, monkeypatch):
    monkeypatch.setattr(_training, "_TELL_EVERY", 0.01)
    app = create_app(models, training=live)
    with BackgroundServer(app) as service:
        url = f"{service.url}/v1/training/events"
        got = []

        def finished(name, number, data):
            return name == "state" and data["state"] == "finished"

        thread = threading.Thread(target=lambda: got.extend(listened(url, live, finished)))
        thread.start()
        model = Word2Vec(SENTENCES, callbacks=live.callbacks(by_time=True), **SETTINGS)
        thread.join(30)
        assert not thread.is_alive()
        points = [point for name, _, data in got if name == "points" for point in data]
        assert points == model.learning_curve
        assert [number for name, number, _ in got if name == "points"][-1] == len(points)
        states = [data["state"] for name, _, data in got if name == "state"]
        assert states[-1] == "finished"

        # Who lost the connection gets the rest.
        live.closed = False
        rest = listened(url, live, finished, **{"Last-Event-ID": str(len(points) - 1)})
        assert [data for name, _, data in rest if name == "points"] == [points[-1:]]
        wrong = urllib3.request("GET", url, headers={"Last-Event-ID": "x"}, retries=False)
        assert wrong.status == 400


def test_a_sign_of_life_is_sent_when_nothing_happens(models, live, monkeypatch):
    monkeypatch.setattr(_training, "_TELL_EVERY", 0.01)
    monkeypatch.setattr(_training, "_SILENT_FOR", 0.05)
    with BackgroundServer(create_app(models, training=live)) as service:
        response = urllib3.request(
            "GET", f"{service.url}/v1/training/events", preload_content=False, timeout=30
        )
        for line in response:
            if line == b":\n":
                break
        live.close()


# --- the command ----------------------------------------------------------------------------------


def test_the_command_watches_saves_and_stays(tmp_path):
    (tmp_path / "text.txt").write_text("\n".join(" ".join(each) for each in SENTENCES * 3))
    code = "import sys; from firth.cli import main; sys.exit(main())"
    arguments = ["train", "text.txt", "-o", "out", "--explore", "--no-browser", "--min-count", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, text=True, bufsize=1,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"FIRTH_CACHE": str(tmp_path / "cache")},
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("Exploring it at "):
            url = line.split()[3]
            break
    told = urllib3.request("GET", f"{url}/v1/training").json()["training"]
    assert (told["state"], told["model"]) == ("finished", "out")
    near = urllib3.request("GET", f"{url}/v1/similar?word=king&k=1").json()["neighbours"]
    assert near[0]["word"] == load(tmp_path / "out").most_similar("king")[0][0]
    assert urllib3.request("GET", f"{url}/").headers["content-type"].startswith("text/html")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"watch it at {url}" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--no-browser"], "--no-browser goes with --explore"),
        (["--explore", "--model", "ppmi"], "--explore does not go with --model ppmi"),
    ],
)
def test_options_that_do_not_go_together(run, tmp_path, options, wanted):
    status, _, err = run("train", "text.txt", "-o", tmp_path / "out", *options)
    assert status == 2
    assert wanted in err

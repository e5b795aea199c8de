"""The maps of the explorer: made, kept, sent; and its routes, asked without a browser."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firth
from firth.errors import InputError

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("httpx2", reason="the client of tests is not installed")

from starlette.testclient import TestClient

from firth.service import Models, create_app, explorer_routes
from firth.service.explorer import _keeping, _maps, _places

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = REPOSITORY / "explorer"


def blobs(n=240, dim=12, seed=0):
    """Words in four groups that anybody would find: w0, w4, w8, ... are together."""
    random = np.random.default_rng(seed)
    centres = 3 * np.eye(4, dim)
    matrix = centres[np.arange(n) % 4] + 0.25 * random.normal(size=(n, dim))
    words = {f"w{i}": 10 * (n - i) for i in range(n)}
    return firth.KeyedVectors(firth.Vocab.from_counter(words), matrix.astype(np.float32))


def read(content):
    """Read a map as the page does."""
    length = int.from_bytes(content[:4], "little")
    assert length % 4 == 0
    header = json.loads(content[4 : 4 + length])
    n, at = len(header["words"]), 4 + length
    coordinates = np.frombuffer(content, "<f4", 2 * n, at).reshape(n, 2)
    counts = np.frombuffer(content, "<u4", n, at + 8 * n)
    groups = np.frombuffer(content, np.uint8, n, at + 12 * n)
    assert at + 13 * n == len(content)
    return header, coordinates, counts, groups


def client_of(models, **options):
    options.setdefault("n_arranged", 0)
    return TestClient(create_app(models, routes=explorer_routes(models, **options)))


# --- places --------------------------------------------------------------------------------------


def test_an_outline_shows_the_directions_in_which_vectors_differ_most():
    wv = blobs()
    places = _places.outline(wv)
    units = wv.get_normed_vectors().astype(np.float64)
    _, values, _ = np.linalg.svd(units - units.mean(axis=0), full_matrices=False)
    spread = np.linalg.norm(places.coordinates - places.coordinates.mean(axis=0), axis=0)
    np.testing.assert_allclose(spread, values[:2], rtol=1e-3)
    assert places.method == "pca"
    assert "principal components" in places.note


def test_words_behind_the_arranged_ones_stand_in_their_group():
    pytest.importorskip("openTSNE")
    wv = blobs(120)
    told = []
    places = _places.arrange(wv, n_arranged=60, told=told.append)
    assert places.rows.tolist() == list(range(120))
    assert len({step.partition(":")[0] for step in told}) == 2
    assert any(step.endswith(": 100%") for step in told)
    middles = np.stack([places.coordinates[g:60:4].mean(axis=0) for g in range(4)])
    others = places.coordinates[60:]
    nearest = np.linalg.norm(others[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == np.arange(60, 120) % 4).mean() > 0.98
    assert "60 most frequent words" in places.note
    assert "other 60" in places.note


def test_words_without_a_direction_are_left_out():
    wv = blobs(20)
    wv.add_vectors(["zero", "nan"], [np.zeros(12), np.full(12, np.nan)])
    places = _places.outline(wv)
    assert "w0" in wv.vocab.words_at(places.rows.astype(np.int64))
    assert len(places.rows) == 20
    assert "2 more words" in places.note


@pytest.mark.parametrize("matrix", [np.zeros((3, 2)), np.array([[1.0, 0], [0, 0], [0, 0]])])
def test_of_fewer_than_two_directions_there_is_no_map(matrix):
    wv = firth.KeyedVectors(firth.Vocab.from_words(["a", "b", "c"]), matrix.astype(np.float32))
    with pytest.raises(InputError, match="nothing to map"):
        _places.outline(wv)


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_small_numbers_and_one_dimension_are_mapped_too(dtype):
    assert _places.outline(blobs(30).astype(dtype)).coordinates.shape == (30, 2)
    line = firth.KeyedVectors(firth.Vocab.from_words(["a", "b"]), np.ones((2, 1), np.float32))
    assert _places.outline(line).coordinates.tolist() == [[0, 0], [0, 0]]


def test_more_words_than_a_browser_moves_are_thinned_and_that_is_told(monkeypatch):
    monkeypatch.setattr(_places, "MOST_WORDS", 100)
    places = _places.outline(blobs(240))
    assert len(places.rows) == 100
    assert "140 more words of the model are not on the map" in places.note


@settings(max_examples=25)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, unique=True)
)
def test_any_words_arrive_as_they_are(words):
    matrix = np.random.default_rng(0).normal(size=(len(words), 3)).astype(np.float32)
    wv = firth.KeyedVectors(firth.Vocab.from_words(words), matrix)
    header, _, counts, groups = read(_places.as_bytes(_places.outline(wv), wv, about={}))
    assert header["words"] == words
    assert not header["counted"]
    assert not counts.any()
    assert set(groups) == {_places.NO_GROUP}


# --- keeping -------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path):
    """A model in a folder, its vectors, and the file of its map."""
    blobs(40).save(tmp_path / "model")
    wv = firth.load(tmp_path / "model")
    mark = _keeping.fingerprint(wv)
    files = _keeping.places_to_keep(tmp_path / "model", mark)
    places = _places.outline(wv)
    file = _keeping.save(places, mark, files)
    assert file == tmp_path / "model" / "map.safetensors"
    return wv, mark, files, places


def test_a_map_is_kept_in_the_folder_of_its_model(kept):
    wv, mark, files, places = kept
    found = _keeping.load(wv, mark, files)
    np.testing.assert_array_equal(found.coordinates, places.coordinates)
    assert (found.method, found.names, found.note) == (places.method, places.names, places.note)
    wv.save(files[0].parent)  # a model that is written again takes its old map away
    assert not files[0].exists()


def test_the_map_of_other_vectors_is_not_taken(kept, caplog):
    wv, _, files, _ = kept
    assert _keeping.load(wv, "another", files) is None
    other = blobs(41)
    assert _keeping.load(other, _keeping.fingerprint(other), files) is None


@pytest.mark.parametrize("damage", ["cut off", "not a map", "other numbers", "infinite"])
def test_a_damaged_map_is_made_anew_and_that_is_told(kept, damage, caplog):
    from firth.storage import open_tensors, save_tensors

    wv, mark, files, _ = kept
    file = files[0]
    tensors = {name: np.array(value) for name, value in open_tensors(file).items()}
    if damage == "cut off":
        file.write_bytes(file.read_bytes()[:-10])
    elif damage == "not a map":
        save_tensors(file, {"about": np.frombuffer(b"[]", np.uint8)})
    elif damage == "other numbers":
        save_tensors(file, tensors | {"rows": tensors["rows"][::-1].copy()})
    else:
        tensors["coordinates"][3, 1] = np.inf
        save_tensors(file, tensors)
    assert _keeping.load(wv, mark, files) is None
    assert str(file) in caplog.text


def test_where_the_folder_cannot_be_written_the_map_is_in_the_cache(kept, places, monkeypatch):
    wv, mark, _, outlined = kept
    nowhere = Path("/proc/firth-cannot-write-here")
    files = [nowhere / "map.safetensors", *_keeping.places_to_keep(None, mark)]
    file = _keeping.save(outlined, mark, files)
    assert file.is_relative_to(places.cache)
    assert _keeping.load(wv, mark, files) is not None


# --- maps ----------------------------------------------------------------------------------------


def test_a_map_is_arranged_once_and_opened_from_then_on(tmp_path, monkeypatch):
    pytest.importorskip("openTSNE")
    blobs(60).save(tmp_path / "model")
    models = Models({"model": str(tmp_path / "model")})
    model = models.get("model")
    maps = _maps.Maps(n_arranged=60)
    first = maps.get(model)
    assert first.places.method == "pca"
    until = time.monotonic() + 120
    while maps.state(model)["state"] == "arranging":
        assert time.monotonic() < until
        time.sleep(0.05)
    assert maps.get(model).places.method == "tsne"
    assert maps.state(model)["version"] != first.version
    monkeypatch.setattr(_maps, "arrange", lambda *_, **__: pytest.fail("arranged again"))
    assert _maps.Maps().get(model).version == maps.state(model)["version"]


def test_what_cannot_be_arranged_is_outlined_and_told(monkeypatch):
    models = Models({"few": blobs(6)})
    maps = _maps.Maps()
    made = maps.get(models.get("few"))
    until = time.monotonic() + 60
    while (state := maps.state(models.get("few")))["state"] == "arranging":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert state["state"] == "failed"
    assert "too few" in state["message"]
    assert made.places.method == "pca"
    monkeypatch.setattr(_maps, "missing_package", lambda: "pip install 'firth[map]'")
    assert "firth[map]" in _maps.Maps().state(models.get("few"))["message"]


def test_the_map_of_a_training_turns_as_little_as_it_can():
    wv = blobs(80)
    models = Models({"live": wv})
    maps = _maps.Maps(live="live")
    before = maps.get(models.get("live")).places.coordinates
    turned = np.linalg.qr(np.random.default_rng(3).normal(size=(12, 12)))[0]
    models.put("live", firth.KeyedVectors(wv.vocab, (wv.vectors @ turned).astype(np.float32)))
    after = maps.get(models.get("live")).places.coordinates
    np.testing.assert_allclose(after, before, atol=1e-4)
    assert maps.state(models.get("live"))["state"] == "ready"


# --- routes --------------------------------------------------------------------------------------


@pytest.fixture
def wv():
    return blobs()


@pytest.fixture
def client(wv):
    with client_of(Models({"blobs": wv, "same": wv})) as client:
        yield client


def test_the_page_may_load_nothing_from_elsewhere(client):
    response = client.get("/")
    policy = dict(
        part.strip().split(" ", 1)
        for part in response.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["script-src"].split() == ["'self'", "'unsafe-eval'"]
    assert "'unsafe-inline'" not in policy["style-src"]
    assert policy["require-trusted-types-for"] == "'script'"
    assert "http://" not in response.text
    assert "https://" not in response.text
    for path in ("/explorer/explorer.js", "/explorer/explorer.css", "/explorer/licences.txt"):
        assert client.get(path).status_code == 200
    assert client.get("/explorer/../../_routes.py").status_code == 404


def test_a_map_travels_as_words_and_numbers(client, wv):
    response = client.get("/explorer/map")
    header, coordinates, counts, _ = read(response.content)
    assert header["words"] == list(wv.index_to_key)
    assert header["model"] == "blobs"
    assert header["counted"]
    assert counts.tolist() == wv.vocab.counts.tolist()
    assert np.isfinite(coordinates).all()
    state = client.get("/explorer/map/state", params={"model": "same"}).json()
    assert state == {"state": "ready", "message": "", "version": header["version"], "fault": None}


def test_axes_are_cosines_with_differences(client, wv):
    ends = {"left": "w0", "right": "w1", "below": "w2", "above": "w3"}
    response = client.get("/explorer/axes", params=ends)
    found = np.frombuffer(response.content, "<f4").reshape(-1, 2)
    units = wv.get_normed_vectors().astype(np.float64)
    for axis, (a, b) in enumerate(((0, 1), (2, 3))):
        across = units[b] - units[a]
        expected = units @ across / np.linalg.norm(across)
        np.testing.assert_allclose(found[:, axis], expected, atol=1e-5)
    one, other = units[1] - units[0], units[3] - units[2]
    angle = np.degrees(np.arccos(one @ other / np.linalg.norm(one) / np.linalg.norm(other)))
    assert float(response.headers["x-angle"]) == pytest.approx(angle, abs=0.06)


@pytest.mark.parametrize(
    ("path", "parameters", "status", "told"),
    [
        ("map", {"model": "none"}, 404, "there are: blobs, same"),
        ("map", {"modle": "blobs"}, 400, "modle"),
        ("axes", {"left": "w0"}, 400, "right"),
        ("axes", {"left": "w0", "right": "w0", "below": "w1", "above": "w2"}, 400, "no axis"),
        ("axes", {"left": "w0", "right": "ox", "below": "w1", "above": "w2"}, 404, "ox"),
        ("moved", {"model": "blobs"}, 400, "other"),
        ("moved", {"model": "blobs", "other": "none"}, 404, "none"),
    ],
)
def test_what_cannot_be_answered_is_told(client, path, parameters, status, told):
    response = client.get(f"/explorer/{path}", params=parameters)
    assert response.status_code == status
    assert told in response.json()["detail"]


def test_words_that_moved_come_first():
    wv = blobs()
    changed = np.array(wv.vectors)
    changed[17] = -changed[17]
    models = Models({"old": wv, "new": firth.KeyedVectors(wv.vocab, changed)})
    with client_of(models) as client:
        told = client.get("/explorer/moved", params={"model": "old", "other": "new"}).json()
    assert told["moved"][0]["word"] == "w17"
    assert told["moved"][0]["distance"] > 1.5
    assert (told["shared"], told["compared"]) == (240, 240)


def test_a_model_that_was_deleted_is_shown_as_it_was_and_one_that_was_replaced_as_it_is(tmp_path):
    blobs(40).save(tmp_path / "model")
    models = Models({"model": str(tmp_path / "model")})
    with client_of(models) as client:
        before = client.get("/explorer/map").content
        shutil.rmtree(tmp_path / "model")
        models.refresh()
        assert client.get("/explorer/map").content == before
        assert "is gone" in client.get("/explorer/map/state").json()["fault"]
        blobs(50, seed=1).save(tmp_path / "model")
        models.refresh()
        assert len(read(client.get("/explorer/map").content)[0]["words"]) == 50


# --- the command ---------------------------------------------------------------------------------


def test_the_command_tells_of_a_port_in_use_and_of_what_is_no_model(run, tmp_path):
    import socket

    blobs(20).save(tmp_path / "model")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, _, err = run("explore", tmp_path / "model", "--port", port, "--no-browser")
    assert status == 2
    assert f"port {port} is in use" in err
    status, _, err = run("explore", tmp_path / "nothing", "--no-browser")
    assert status == 1
    assert "nothing" in err


def test_the_command_serves_until_it_is_ended(tmp_path):
    import signal
    import sys
    import urllib.request

    blobs(20).save(tmp_path / "model")
    command = [sys.executable, "-m", "firth.cli", "explore", "model", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith("Exploring model (20 words) at http://127.0.0.1:")
        address = line.split(" at ")[1].split()[0]
        with urllib.request.urlopen(address, timeout=30) as response:
            assert b"firth" in response.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_the_command_that_is_ended_while_it_makes_a_map_ends_without_a_word(tmp_path):
    import signal
    import sys
    import urllib.request

    pytest.importorskip("openTSNE")
    blobs(4000).save(tmp_path / "model")
    command = [sys.executable, "-m", "firth.cli", "explore", "model", "--port", "0", "--no-browser"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        address = process.stdout.readline().split(" at ")[1].split()[0]

        def state():
            with urllib.request.urlopen(f"{address}/explorer/map/state", timeout=60) as response:
                return json.loads(response.read())["state"]

        assert state() == "arranging"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert (process.returncode, out, err) == (0, "", "")


# --- the bundle ----------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node on this machine")
@pytest.mark.parametrize("command", ["node build.mjs --check", "npx tsc --noEmit"])
def test_the_bundle_is_what_the_sources_make_and_these_have_their_types(command):
    if not (SOURCES / "node_modules" / "esbuild").is_dir():
        pytest.skip("the page's packages are not installed: npm ci, in explorer/")
    done = subprocess.run(
        command.split(), cwd=SOURCES, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bundle_names_the_licences_of_what_is_in_it():
    folder = REPOSITORY / "src" / "firth" / "service" / "explorer" / "static"
    told = (folder / "licences.txt").read_text(encoding="utf-8")
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    for name in ("regl", "regl-scatterplot"):
        version = lock["packages"][f"node_modules/{name}"]["version"]
        assert f"{name} {version}" in told

"""firth train for long runs, and firth plot-training."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import firth
from firth.cli.runs import Duration
from firth.models import Word2Vec


@pytest.fixture
def text(tmp_path):
    draw = np.random.default_rng(3)
    path = tmp_path / "text.txt"
    lines = (" ".join(f"{t}{i}" for i in draw.integers(10, size=8)) for t in "abcd" * 500)
    path.write_text("\n".join(lines) + "\n")
    return path


TRAIN = ("--dim", "16", "--sample", "0", "--min-count", "1", "-q")


def test_times_of_the_command_line():
    def seconds(text):
        return Duration().convert(text, None, None)

    assert [seconds(t) for t in ("90", "60s", "1.5m", "2min", "2h")] == [90, 60, 90, 120, 7200]


@pytest.mark.parametrize("value", ["", "s", "5x", "-3s", "0", "1e5", "1 2"])
def test_a_time_that_is_none(run, text, tmp_path, value):
    arguments = ("-o", tmp_path / "m", "--checkpoint-every", value)
    status, _, err = run("train", text, *arguments, *TRAIN)
    assert status == 2
    assert "is no time: give seconds, or such as 60s, 5m or 2h" in err


def test_a_killed_training_goes_on_where_it_was(run, text, tmp_path):
    how = ("--threads", "2", "--deterministic", "--epochs", "400")
    assert run("train", text, "-o", tmp_path / "whole", *how, *TRAIN)[0] == 0
    command = [sys.executable, "-m", "firth.cli", "train", text, "-o", tmp_path / "model",
               "--checkpoint-every", "0.01", *how, *TRAIN]  # fmt: skip
    checkpoint = tmp_path / "model.checkpoint"
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 60
        while not list(checkpoint.glob("state-*")) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
        process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "model").exists()
    arguments = ("-o", tmp_path / "model", "--resume", *how, *TRAIN)
    status, _, err = run("train", text, *arguments)
    assert (status, err) == (0, "")
    assert not checkpoint.exists()
    whole, model = (firth.load(tmp_path / name) for name in ("whole", "model"))
    assert model.vectors.tobytes() == whole.vectors.tobytes()
    # Once more, there is nothing to go on from.
    status, _, err = run("train", text, *arguments)
    assert status == 1
    assert "there is a model already" in err


def test_what_was_interrupted_says_how_to_go_on(text, tmp_path):
    command = [sys.executable, "-m", "firth.cli", "train", text, "-o", tmp_path / "model",
               "--checkpoint-every", "0.01", "--epochs", "100000", *TRAIN[:-1]]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if list((tmp_path / "model.checkpoint").glob("state-*")):
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "the same command with --resume goes on from here" in err
    assert firth.load(tmp_path / "model").config["training"]["interrupted"]
    assert list((tmp_path / "model.checkpoint").glob("state-*"))


def test_another_text_is_refused_under_the_names_of_the_command_line(run, text, tmp_path):
    folder = tmp_path / "model.checkpoint"
    Word2Vec(corpus_file=text, checkpoint=folder, progress=False, min_count=1)
    status, _, err = run("train", text, "-o", tmp_path / "model", "--checkpoint-every", "1", "-q")
    assert status == 1
    assert "go on from it with --resume" in err
    status, _, err = run("train", text, "-o", tmp_path / "model", "--resume", *TRAIN)
    assert status == 2
    assert "--dim was 100 and is 16" in err


def test_probes_and_early_stopping(run, text, tmp_path):
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("a1 a2 9\nb1 b2 9\na1 b1 1\na2 b2 1\n")
    arguments = ("-o", tmp_path / "model", "--probe", pairs, "--early-stop", "2", "--epochs", "40")
    status, _, err = run("train", text, *arguments, *TRAIN[:-1])
    assert status == 0
    assert "probe after" in err
    assert "training stopped: the probe pairs has not risen" in err
    config = firth.load(tmp_path / "model").config["training"]
    assert len(config["epoch_losses"]) < 40
    arguments = ("-o", tmp_path / "other", "--early-stop", "1", "--epochs", "400", "--alpha", "0.1")
    assert run("train", text, *arguments, *TRAIN)[0] == 0
    config = firth.load(tmp_path / "other").config["training"]
    assert len(config["epoch_losses"]) < 400
    assert "has not fallen for 1 epochs" in config["stopped"]


def test_options_of_word2vec_are_refused_elsewhere(run, text, tmp_path):
    for model, option in [("ppmi", "--resume"), ("glove", "--deterministic")]:
        status, _, err = run("train", text, "-o", tmp_path / "m", "--model", model, option)
        assert status == 2
        assert f"{option} does not go with --model {model}" in err


# --- drawing --------------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path, text):
    Word2Vec(corpus_file=text, min_count=1, epochs=3, batch_words=500, progress=False,
             callbacks=[]).save(tmp_path / "model")  # fmt: skip
    curve = tmp_path / "model" / "training.jsonl"
    with curve.open("a") as file:
        for epochs in (1, 2, 3):
            point = {"words": epochs * 16_000, "epochs": epochs, "seconds": 1.0, "probe": "pairs"}
            file.write(json.dumps(point | {"score": epochs / 4}) + "\n")
    return tmp_path / "model"


@pytest.mark.parametrize(
    ("suffix", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_a_curve_is_drawn(run, model, tmp_path, suffix, begin):
    pytest.importorskip("matplotlib")
    picture = tmp_path / f"curve.{suffix}"
    status, out, err = run("plot-training", model, "-o", picture)
    assert (status, err) == (0, "")
    assert f"Drawn to {picture}" in out
    assert picture.read_bytes().startswith(begin)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["text.txt", "model", picture.name]
    )


def test_several_curves_in_one_picture(run, model, text, tmp_path):
    pytest.importorskip("matplotlib")
    Word2Vec(corpus_file=text, min_count=1, sg=1, progress=False).save(tmp_path / "other")
    picture = tmp_path / "both.svg"
    assert run("plot-training", model, tmp_path / "other", "-o", picture)[0] == 0
    assert picture.stat().st_size > 10_000


def test_what_cannot_be_drawn(run, model, tmp_path):
    pytest.importorskip("matplotlib")
    for arguments, status, message in [
        ((model, "-o", tmp_path / "x.txt"), 1, "a name that ends in .png, .svg or .pdf"),
        ((tmp_path / "none", "-o", tmp_path / "x.png"), 1, "none: no such folder"),
        ((model, model, "-o", tmp_path / "x.png"), 2, "A folder is given twice"),
        ((model, "-o", tmp_path / "no" / "x.png"), 1, "x.png: cannot be written: No such file"),
    ]:
        result = run("plot-training", *arguments)
        assert result[0] == status
        assert message in result[2]
    (model / "training.jsonl").write_text("")
    status, _, err = run("plot-training", model, "-o", tmp_path / "x.png")
    assert status == 1
    assert "its learning curve has no points" in err


def test_without_matplotlib_the_extra_is_named(run, model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    status, _, err = run("plot-training", model, "-o", tmp_path / "x.png")
    assert status == 1
    assert "pip install 'firth[plot]'" in err

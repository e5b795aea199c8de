"""Checkpoints of GloVe: killed, interrupted, damaged and refused, and the bits that come of it."""

import json
import sys

import numpy as np
import pytest

import firth
from firth.errors import OutputError, ParameterError
from firth.models import (
    CallbackAny2Vec,
    GloVe,
    _checkpoints,
    plot_curves,
    read_curve,
    remove_checkpoint,
)
from kills import kill_until_done

QUICK = {"vector_size": 8, "epochs": 12, "workers": 1, "min_count": 1, "progress": False}


def topics(n_sentences=400, seed=3):
    draw = np.random.default_rng(seed)
    words = [[f"{topic}{i}" for i in range(12)] for topic in "abcd"]
    return [draw.choice(words[draw.integers(4)], 8).tolist() for _ in range(n_sentences)]


@pytest.fixture(scope="module")
def sentences():
    return topics()


@pytest.fixture
def text(tmp_path, sentences):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(map(" ".join, sentences)) + "\n")
    return path


@pytest.fixture
def often(monkeypatch):
    """Have a state saved behind every segment, and segments of next to no time."""
    monkeypatch.setattr(_checkpoints, "_SECONDS_PER_SECOND_OF_SAVING", 0.0)
    return {"checkpoint_every": 1e-6}


class FailAfter(CallbackAny2Vec):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, model):
        if len(model.epoch_losses) == self.epoch:
            raise ZeroDivisionError


def broken_off(source, folder, epoch=5, **options):
    with pytest.raises(ZeroDivisionError):
        GloVe(source, checkpoint=folder, callbacks=[FailAfter(epoch)], **QUICK | options)


def same_bits(a, b):
    return (
        a.wv.vectors.tobytes() == b.wv.vectors.tobytes()
        and a.biases.tobytes() == b.biases.tobytes()
        and a.context_biases.tobytes() == b.context_biases.tobytes()
        and a.epoch_losses == b.epoch_losses
    )


def test_the_learning_curve_is_in_the_folder_and_can_be_drawn(sentences, tmp_path):
    model = GloVe(sentences, **QUICK)
    model.save(tmp_path / "vectors")
    curve = read_curve(tmp_path / "vectors")
    assert curve == model.learning_curve
    assert curve[-1]["epochs"] == 12
    assert curve[-1]["words"] == 12 * model.n_pairs
    assert curve[0]["loss"] > curve[-1]["loss"] > 0
    pytest.importorskip("matplotlib")
    plot_curves({"glove": curve}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "options", [{}, {"model": "concatenated", "symmetric": False}, {"vector_size": 20, "window": 3}]
)
def test_a_resumed_training_ends_with_the_same_bits(sentences, tmp_path, often, options):
    folder = tmp_path / "run"
    broken_off(sentences, folder, **options, **often)
    assert list(folder.glob("state-*"))
    how = QUICK | options | {"checkpoint": folder, "resume": True}
    resumed = GloVe(sentences, **how)
    whole = GloVe(sentences, **QUICK | options)
    assert len(whole.epoch_losses) == QUICK["epochs"]
    assert same_bits(resumed, whole)
    # It is done already: nothing is trained again.
    again = GloVe(sentences, **how)
    assert same_bits(again, whole)
    assert again.training_seconds == resumed.training_seconds
    assert again.pairs_per_second == pytest.approx(12 * whole.n_pairs / again.training_seconds)
    remove_checkpoint(folder)
    assert not folder.exists()


def test_a_generator_is_counted_once(sentences, tmp_path, often):
    folder = tmp_path / "run"
    broken_off(iter(sentences), folder, **often)
    resumed = GloVe(iter([]), checkpoint=folder, resume=True, **QUICK)
    assert same_bits(resumed, GloVe(sentences, **QUICK))


def test_several_threads_go_on_too(sentences, tmp_path, often):
    folder = tmp_path / "run"
    broken_off(sentences, folder, workers=2, **often)
    resumed = GloVe(sentences, checkpoint=folder, resume=True, **QUICK | {"workers": 3})
    assert len(resumed.epoch_losses) == QUICK["epochs"]
    assert resumed.loss < resumed.epoch_losses[0]


def test_counts_of_the_caller_are_not_copied(sentences, tmp_path, often):
    vocab, corpus = firth.encode_corpus(sentences, tokens=True, min_count=1)
    how = {name: value for name, value in QUICK.items() if name != "min_count"}
    with corpus:
        counts = firth.count_cooccurrences(vocab, corpus, folder=tmp_path / "counts")
    folder = tmp_path / "run"
    with pytest.raises(ZeroDivisionError):
        GloVe(cooccurrences=counts, checkpoint=folder, callbacks=[FailAfter(3)], **how, **often)
    assert not (folder / "counts").exists()
    resumed = GloVe(cooccurrences=counts, checkpoint=folder, resume=True, **how)
    assert same_bits(resumed, GloVe(cooccurrences=counts, **how))


def test_damaged_states_and_counts_are_passed_over(sentences, tmp_path, often, caplog):
    folder = tmp_path / "run"
    broken_off(sentences, folder, **often)
    newest = max(folder.glob("state-*")) / "matrices.safetensors"
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1
    newest.write_bytes(content)
    values = folder / "counts" / "values.f32"
    values.unlink()
    values.write_bytes(b"1234")
    resumed = GloVe(sentences, checkpoint=folder, resume=True, **QUICK)
    assert "counting again, since what was kept is damaged" in caplog.text
    assert "the one before is used" in caplog.text
    assert same_bits(resumed, GloVe(sentences, **QUICK))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"vector_size": 9}, "vector_size was 8 and is 9"),
        ({"window": 4}, "window was 15 and is 4"),
        ({"learning_rate": 0.1}, "learning_rate was 0.05 and is 0.1"),
        ({"workers": 2}, "workers was 1 and is 'several'"),
        ({"sentences": topics(seed=4)}, "sentences was"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(sentences, tmp_path, often, changed, message):
    folder = tmp_path / "run"
    broken_off(sentences, folder, **often)
    how = {"sentences": sentences, "checkpoint": folder, "resume": True}
    with pytest.raises(ParameterError, match=message):
        GloVe(**QUICK | how | changed)
    with pytest.raises(OutputError, match="resume=True"):
        GloVe(**QUICK | how | {"resume": False})


def test_one_that_diverges_tells_of_the_last_good_state(sentences, tmp_path, often):
    how = QUICK | {"checkpoint": tmp_path / "run", "learning_rate": 1e30, **often}
    with pytest.raises(ParameterError, match=r"diverged in epoch 1.* Lower learning_rate") as error:
        GloVe(sentences, **how)
    assert "load of the model" not in str(error.value)


def test_ctrl_c_leaves_a_state(sentences, tmp_path):
    class Interrupt(CallbackAny2Vec):
        def on_epoch_end(self, model):
            if len(model.epoch_losses) == 3:
                raise KeyboardInterrupt

    folder = tmp_path / "run"
    model = GloVe(sentences, checkpoint=folder, callbacks=[Interrupt()], **QUICK)
    assert model.interrupted
    assert np.isfinite(model.wv.vectors).all()
    assert len(list(folder.glob("state-*"))) == 1
    resumed = GloVe(sentences, checkpoint=folder, resume=True, **QUICK)
    assert same_bits(resumed, GloVe(sentences, **QUICK))


KILLED = """
import sys
from firth.models import GloVe, _checkpoints
_checkpoints._SECONDS_PER_SECOND_OF_SAVING = 0.0
model = GloVe(corpus_file=sys.argv[1], checkpoint=sys.argv[2], checkpoint_every=0.01,
              resume=True, **eval(sys.argv[3]))
model.save(sys.argv[2] + "-model")
"""


def test_a_process_killed_at_random_moments_ends_with_the_same_bits(text, tmp_path):
    options = QUICK | {"epochs": 3000, "vector_size": 32}
    whole = GloVe(corpus_file=text, **options)
    folder = tmp_path / "run"
    command = [sys.executable, "-c", KILLED, text, folder, repr(options)]
    kill_until_done(command, folder, 8)
    kept = firth.load(tmp_path / "run-model")
    assert kept.vectors.tobytes() == whole.wv.vectors.tobytes()
    told = json.loads((tmp_path / "run-model" / "config.json").read_text())["training"]
    assert told["epoch_losses"] == whole.epoch_losses


def test_the_command_line_resumes(run, text, tmp_path, monkeypatch):
    options = ("-o", tmp_path / "vectors", "--model", "glove", "--dim", "8", "--epochs", "4",
               "--threads", "1", "--checkpoint-every", "60s")  # fmt: skip

    def fail(self, folder):
        raise OutputError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(GloVe, "save", fail)
        assert run("train", text, *options)[0] == 1
    assert (tmp_path / "vectors.checkpoint").exists()
    assert run("train", text, *options)[0] == 1  # it says what to do
    status, _, err = run("train", text, *options, "--resume")
    assert status == 0
    assert "going on from a checkpoint" in err
    assert not (tmp_path / "vectors.checkpoint").exists()
    assert len(firth.load(tmp_path / "vectors").config["training"]["epoch_losses"]) == 4

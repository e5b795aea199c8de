"""Long runs: callbacks, probes, checkpoints, resume, the same bits with several threads."""

import os
import re
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import firth
from firth.errors import FormatError, OutputError, ParameterError, SourceError
from firth.models import (
    CallbackAny2Vec,
    EarlyStopping,
    Probe,
    Word2Vec,
    _checkpoints,
    read_curve,
    remove_checkpoint,
)
from firth.models._rounds import merge_factors
from kills import kill_until_done

QUICK = {"vector_size": 16, "sample": 0, "workers": 1, "progress": False, "min_count": 1,
         "batch_words": 1000}  # fmt: skip


def topics(n_sentences=1000, seed=3):
    """Sentences of words that meet only those of their own topic."""
    draw = np.random.default_rng(seed)
    words = [[f"{topic}{i}" for i in range(10)] for topic in "abcd"]
    return [draw.choice(words[draw.integers(4)], 8).tolist() for _ in range(n_sentences)]


@pytest.fixture(scope="module")
def sentences():
    return topics()


@pytest.fixture
def text(tmp_path, sentences):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(map(" ".join, sentences)) + "\n")
    return path


def same_bits(a, b):
    return (
        a.wv.vectors.tobytes() == b.wv.vectors.tobytes()
        and a.syn1neg.tobytes() == b.syn1neg.tobytes()
        and a.epoch_losses == b.epoch_losses
    )


class StopAt(CallbackAny2Vec):
    """Does something at the end of an epoch."""

    def __init__(self, epoch, action):
        self.epoch, self.action = epoch, action

    def on_epoch_end(self, model):
        if len(model.epoch_losses) == self.epoch:
            self.action(model)


def fail(model):
    raise ZeroDivisionError


def always_due(monkeypatch):
    """Have a state saved behind every segment, and segments of next to no time."""
    monkeypatch.setattr(_checkpoints, "_SECONDS_PER_SECOND_OF_SAVING", 0.0)
    return {"checkpoint_every": 1e-6}


# --- callbacks ------------------------------------------------------------------------------------


class Diary(CallbackAny2Vec):
    def __init__(self):
        self.lines = []

    def on_train_begin(self, model):
        self.lines.append(("begin", len(model.epoch_losses)))

    def on_epoch_begin(self, model):
        self.lines.append(("epoch", len(model.epoch_losses)))

    def on_epoch_end(self, model):
        self.lines.append(("behind", len(model.epoch_losses), model.n_words_trained))

    def on_train_end(self, model):
        self.lines.append(("end", model.epoch_losses))


@pytest.mark.parametrize("workers", [1, 3])
def test_callbacks_come_in_gensims_order(sentences, workers):
    diary = Diary()
    model = Word2Vec(sentences, epochs=2, callbacks=[diary], **QUICK | {"workers": workers})
    assert diary.lines == [
        ("begin", 0), ("epoch", 0), ("behind", 1, 8000), ("epoch", 1), ("behind", 2, 16_000),
        ("end", model.epoch_losses),
    ]  # fmt: skip


def test_callbacks_change_no_bit(sentences):
    looked = Word2Vec(sentences, callbacks=[Diary(), Probe(["a1"], words=1500)], **QUICK)
    assert same_bits(looked, Word2Vec(sentences, **QUICK))


def test_in_a_callback_the_model_stands_still_and_can_be_asked_and_saved(sentences, tmp_path):
    seen = []

    def look(model):
        before = model.wv.vectors.copy()
        model.save(tmp_path / "half")
        time.sleep(0.01)
        assert (model.wv.vectors == before).all()
        assert model.get_latest_training_loss() == pytest.approx(
            model.epoch_losses[0] * model.n_examples
        )
        seen.append((before, model.wv))

    options = QUICK | {"workers": 2}
    model = Word2Vec(sentences, epochs=3, callbacks=[StopAt(1, look)], **options)
    [(vectors, wv)] = seen
    assert (wv.vectors == vectors).all()  # they stay what they were
    assert (firth.load(tmp_path / "half").vectors == vectors).all()
    assert (model.wv.vectors != vectors).any()
    assert Word2Vec.load(tmp_path / "half").epoch_losses == model.epoch_losses[:1]


def test_stop_training_ends_it_and_keeps_what_was_learned(sentences, tmp_path):
    stop = StopAt(2, lambda model: model.stop_training("enough"))
    model = Word2Vec(sentences, epochs=50, callbacks=[stop], **QUICK)
    assert len(model.epoch_losses) == 2
    assert not model.interrupted
    model.save(tmp_path / "model")
    assert firth.load(tmp_path / "model").config["training"]["stopped"] == "enough"


def test_an_error_in_a_callback_reaches_the_caller_and_loses_nothing(sentences):
    model = Word2Vec(**QUICK)
    model.build_vocab(sentences)
    before = model.wv.vectors.copy()
    with pytest.raises(ZeroDivisionError):
        model.train(sentences, epochs=5, callbacks=[StopAt(2, fail)])
    assert len(model.epoch_losses) == 2
    assert (model.wv.vectors != before).any()
    assert not [t for t in threading.enumerate() if t.name.startswith("firth")]


def test_early_stopping_waits_as_long_as_it_is_told():
    class Told:
        def __init__(self, losses):
            self.epoch_losses, self.reason = losses, ""

        def stop_training(self, reason):
            self.reason = reason

    def stops(losses, **options):
        model = Told(losses)
        EarlyStopping(**options).on_epoch_end(model)
        return bool(model.reason)

    assert not stops([3.0, 2.0, 1.0])
    assert not stops([3.0, 2.0, 2.5])
    assert stops([3.0, 2.0, 2.5, 2.4])
    assert stops([3.0, 2.0, 2.5], patience=0)
    assert not stops([3.0, 2.0, 2.5, 2.4], patience=2)
    assert stops([3.0, 2.9, 2.8], min_delta=0.2)
    with pytest.raises(ParameterError, match="patience must be 0 or more, not -1"):
        EarlyStopping(patience=-1)


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (Diary(), "must be a list of callbacks"),
        (5, "must be a list, not 5"),
        ([Diary], "the callback Diary is a class: give an object"),
        ([object()], "has no method on_train_begin: derive its class from CallbackAny2Vec"),
    ],
)
def test_callbacks_that_are_none(callbacks, message):
    with pytest.raises(ParameterError, match=message):
        Word2Vec([["a", "b"]] * 9, callbacks=callbacks)


# --- probes and the learning curve ----------------------------------------------------------------


@pytest.fixture
def test_set(tmp_path):
    path = tmp_path / "pairs.txt"
    lines = [f"a{i}\ta{i + 1}\t9" for i in range(5)] + [f"A{i}\tb{i}\t1" for i in range(5)]
    path.write_text("word 1\tword 2\tjudged\n# of whom\n" + "\n".join([*lines, "no\tsuch\t5"]))
    return path


def probed(model, name):
    return [point for point in model.learning_curve if point.get("probe") == name]


def test_a_probe_of_similarities(sentences, test_set):
    model = Word2Vec(sentences, epochs=8, callbacks=[Probe(test_set)], **QUICK)
    points = probed(model, "pairs")
    assert [point["epochs"] for point in points] == list(range(1, 9))
    assert {point["n_known"] for point in points} == {10}
    # Half are 9 and half are 1: no ranking of cosines can do better than this.
    assert points[-1]["score"] == pytest.approx(0.870, abs=0.001)


def test_a_probe_of_analogies(tmp_path):
    path = tmp_path / "questions-words.txt"
    path.write_text(": capitals\nA a B b\na A b B\nx y z no\n")
    model = Word2Vec([["A", "a"], ["B", "b"], ["x", "y", "z"]] * 99, epochs=1,
                     callbacks=[Probe(path, name="capitals")], **QUICK)  # fmt: skip
    [point] = probed(model, "capitals")
    assert point["n_known"] == 2
    assert point["score"] in {0.0, 0.5, 1.0}


def test_a_probe_by_words_or_seconds(sentences):
    numbers = iter(range(1000))
    probes = [
        Probe(lambda model: next(numbers), words=3000, name="words"),
        Probe(lambda model: {"a": 1, "b": 2.5}, seconds=1e-3, name="seconds"),
        Probe(["a1", "none"], name="near", topn=2),
    ]
    model = Word2Vec(sentences, epochs=3, callbacks=probes, **QUICK)
    words = [point["words"] for point in probed(model, "words")]
    # Behind the first chunk (of 1,000 words) that passes each mark, and at the end.
    assert words == [3000, 6000, 9000, 12_000, 15_000, 18_000, 21_000, 24_000]
    assert [point["score"] for point in probed(model, "words")] == list(range(8))
    assert probed(model, "seconds")[0]["scores"] == {"a": 1.0, "b": 2.5}
    near = probed(model, "near")
    assert len(near) == 3
    assert all(list(point["neighbours"]) == ["a1"] for point in near)
    assert {len(point["neighbours"]["a1"]) for point in near} == {2}


def test_a_probe_ends_a_training_that_gets_no_better(sentences, caplog):
    caplog.set_level("INFO", "firth")
    scores = iter([0.1, 0.3, 0.2, 0.3, 0.9])
    probe = Probe(lambda model: next(scores), name="luck", patience=2)
    model = Word2Vec(sentences, epochs=9, callbacks=[probe], **QUICK)
    assert len(model.epoch_losses) == 4
    assert "luck has not risen above 0.3000" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (lambda p: {"watch": p / "none.txt"}, SourceError, "none.txt: no such file"),
        (
            lambda p: {"watch": p / "pairs.txt", "words": 5, "seconds": 1.0},
            ParameterError,
            "one of",
        ),
        (lambda p: {"watch": []}, ParameterError, "a test file, a list of words or a function"),
        (lambda p: {"watch": ["a", 5]}, ParameterError, "a test file, a list of words"),
        (lambda p: {"watch": ["a"], "patience": 2}, ParameterError, "have no score"),
        (lambda p: {"watch": ["a"], "words": 0}, ParameterError, "words must be 1 or more"),
        (lambda p: {"watch": ["a"], "seconds": 0}, ParameterError, "seconds must be a finite"),
    ],
)
def test_a_probe_that_is_none(tmp_path, test_set, arguments, error, message):
    with pytest.raises(error, match=message):
        Probe(**arguments(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "no question in it"),
        (b"a b 5\na b c d\n", "line 2 has no two words and a number: 'a b c d'"),
        (b"a b c d\na b c\n", "line 2 has 3 words where an analogy has four"),
        (b"a b 5\n\xff\n", "line 2 is no utf-8"),
    ],
)
def test_a_file_that_is_no_test_set(tmp_path, text, message):
    path = tmp_path / "set.txt"
    path.write_bytes(text)
    with pytest.raises(FormatError, match=message):
        Probe(path)


def test_what_a_probe_returns_must_be_numbers(sentences):
    with pytest.raises(ParameterError, match="the probe 'odd' returned 'x'"):
        Word2Vec(sentences, callbacks=[Probe(lambda model: "x", name="odd")], **QUICK)


def test_the_curve_follows_the_loss_and_is_kept(sentences, tmp_path):
    model = Word2Vec(sentences, epochs=4, callbacks=[Probe(["a1"])], **QUICK)
    model.save(tmp_path / "model")
    curve = read_curve(tmp_path / "model")
    assert curve == model.learning_curve == Word2Vec.load(tmp_path / "model").learning_curve
    losses = [point for point in curve if "loss" in point]
    assert [point["words"] for point in losses] == [1000 * i for i in range(1, 33)]
    assert np.mean([p["loss"] for p in losses[:8]]) == pytest.approx(
        model.epoch_losses[0], rel=0.01
    )
    assert [point["alpha"] for point in losses] == sorted(
        (p["alpha"] for p in losses), reverse=True
    )
    assert sum("neighbours" in point for point in curve) == 4


def test_the_curve_has_so_many_points_and_no_more(sentences):
    model = Word2Vec(sentences, epochs=200, **QUICK)  # 1,600 chunks
    assert 250 < len(model.learning_curve) <= 500


def test_a_curve_that_is_none(sentences, tmp_path):
    with pytest.raises(SourceError, match="nowhere: no such folder"):
        read_curve(tmp_path / "nowhere")
    Word2Vec(sentences, **QUICK).wv.save(tmp_path / "vectors")
    with pytest.raises(SourceError, match=r"no training\.jsonl in it"):
        read_curve(tmp_path / "vectors")
    path = tmp_path / "vectors" / "training.jsonl"
    for text, message in [("[", "line 1 is no JSON"), ("{}", 'line 1 has no "words"'),
                          ('{"words": 5, "loss": NaN}', "the loss is nan")]:  # fmt: skip
        path.write_text(text)
        with pytest.raises(FormatError, match=message):
            read_curve(tmp_path / "vectors")


# --- checkpoints ----------------------------------------------------------------------------------


@pytest.fixture
def often(monkeypatch):
    return always_due(monkeypatch)


def broken_off(sentences, folder, epoch=2, action=fail, **options):
    """Begin a training with checkpoints, and have it end early."""
    with pytest.raises(ZeroDivisionError):
        Word2Vec(sentences, checkpoint=folder, callbacks=[StopAt(epoch, action)], **options)


@pytest.mark.parametrize(
    "options",
    [{}, {"sg": 1}, {"workers": 3, "deterministic": True, "sg": 1}, {"vector_size": 20}],
    ids=str,
)
def test_a_resumed_training_ends_with_the_same_bits(sentences, tmp_path, often, options):
    options = QUICK | {"epochs": 4} | options
    whole = Word2Vec(sentences, **options)
    broken_off(sentences, tmp_path / "run", **options, **often)
    # The training broke off behind the state of epoch 2: some of its chunks are done again.
    model = Word2Vec(sentences, checkpoint=tmp_path / "run", resume=True, **options)
    assert same_bits(model, whole)
    assert model.n_words_trained == whole.n_words_trained
    assert [p["loss"] for p in model.learning_curve] == [p["loss"] for p in whole.learning_curve]
    # Once more: it is done already.
    again = Word2Vec(sentences, checkpoint=tmp_path / "run", resume=True, **options)
    assert same_bits(again, whole)
    assert again.training_seconds == model.training_seconds


def test_a_resumed_training_has_the_phrases_that_joined_its_text(sentences, tmp_path, often):
    sentences = [["in", "new", "york", *sentence] for sentence in sentences]

    def options():
        # Models of phrases learn: each training is given new ones, as the command line does.
        passes = [firth.Phrases(threshold=0.1, scoring="npmi") for _ in range(2)]
        return QUICK | {"epochs": 4, "phrases": passes}

    whole = Word2Vec(sentences, **options())
    broken_off(sentences, tmp_path / "run", **options(), **often)
    model = Word2Vec(sentences, checkpoint=tmp_path / "run", resume=True, **options())
    assert same_bits(model, whole)
    found = [dict(each.phrasegrams) for each in model.phrases_to_join]
    assert found == [each.export_phrases() for each in whole.phrases_to_join]
    assert found[0]
    opened = Word2Vec.load(tmp_path / "run")
    assert [dict(each.phrasegrams) for each in opened.phrases_to_join] == found
    remove_checkpoint(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_with_several_threads_that_share_matrices_it_goes_on_too(sentences, tmp_path, often):
    options = QUICK | {"epochs": 4, "workers": 2}
    broken_off(sentences, tmp_path / "run", **options, **often)
    options["workers"] = 3
    model = Word2Vec(sentences, checkpoint=tmp_path / "run", resume=True, **options)
    assert model.n_words_trained == 4 * 8000
    assert len(model.epoch_losses) == 4


def test_a_training_in_steps_resumes(sentences, tmp_path, often):
    def begun():
        model = Word2Vec(**QUICK)
        model.build_vocab(sentences)
        model.train(sentences, epochs=1, end_alpha=0.02)
        return model

    whole = begun()
    whole.train(sentences, epochs=3, start_alpha=0.02)
    broken = begun()
    options = {"epochs": 3, "start_alpha": 0.02, "checkpoint": tmp_path / "run"}
    with pytest.raises(ZeroDivisionError):
        broken.train(sentences, callbacks=[StopAt(2, fail)], **options, **often)
    resumed = begun()
    resumed.train(sentences, **options, resume=True)
    assert same_bits(resumed, whole)
    other = Word2Vec(**QUICK)
    other.build_vocab(sentences[:500])
    with pytest.raises(ParameterError, match=r"words was .* and is "):
        other.train(sentences, **options, resume=True)


def test_a_generator_is_not_read_again(sentences, tmp_path, often):
    broken_off(iter(sentences), tmp_path / "run", epochs=4, **QUICK, **often)

    def nothing():
        raise AssertionError("read")
        yield

    model = Word2Vec(nothing(), epochs=4, checkpoint=tmp_path / "run", resume=True, **QUICK)
    assert same_bits(model, Word2Vec(sentences, epochs=4, **QUICK))


def test_an_encoded_text_is_kept_without_a_copy(text, tmp_path, places):
    Word2Vec(corpus_file=text, checkpoint=tmp_path / "run", **QUICK)
    [kept] = (places.cache / "corpora").iterdir()
    assert (tmp_path / "run" / "corpus" / "ids.u32").samefile(kept / "ids.u32")
    assert not (tmp_path / "run" / "corpus" / "config.json").samefile(kept / "config.json")


def test_ctrl_c_leaves_a_checkpoint_behind_the_last_chunk(sentences, tmp_path):
    def interrupt(model):
        raise KeyboardInterrupt

    stop = StopAt(1, interrupt)
    model = Word2Vec(sentences, checkpoint=tmp_path / "run", callbacks=[stop], **QUICK)
    assert model.interrupted
    assert [state.name for state in (tmp_path / "run").glob("state-*")] == ["state-0000000008"]
    resumed = Word2Vec(sentences, checkpoint=tmp_path / "run", resume=True, **QUICK)
    assert not resumed.interrupted
    assert same_bits(resumed, Word2Vec(sentences, **QUICK))


def test_a_damaged_state_is_passed_over(sentences, tmp_path, often, caplog):
    whole = Word2Vec(sentences, epochs=4, **QUICK)

    def cut_off(path):
        os.truncate(path, path.stat().st_size - 100)

    def flip_a_bit(path):
        data = bytearray(path.read_bytes())
        data[-50] ^= 1
        path.write_bytes(data)

    for number, damage in enumerate([cut_off, flip_a_bit, Path.unlink]):
        folder = tmp_path / f"run{number}"
        broken_off(sentences, folder, epochs=4, **QUICK, **often)
        states = sorted(folder.glob("state-*"))
        assert len(states) == 2
        damage(states[-1] / "matrices.safetensors")
        caplog.clear()
        model = Word2Vec(sentences, epochs=4, checkpoint=folder, resume=True, **QUICK)
        assert "a checkpoint is damaged, the one before is used" in caplog.text
        assert same_bits(model, whole)
    # Not one is left: it begins at the beginning.
    for state in folder.glob("state-*"):
        (state / "config.json").write_text("{")
    assert same_bits(Word2Vec(sentences, epochs=4, checkpoint=folder, resume=True, **QUICK), whole)


def test_a_checkpoint_of_another_training_is_refused_and_both_are_shown(
    sentences, text, tmp_path, often
):
    broken_off(sentences, tmp_path / "run", epochs=4, **QUICK, **often)

    def resume(*arguments, **options):
        return Word2Vec(*arguments, checkpoint=tmp_path / "run", resume=True,
                        **QUICK | {"epochs": 4} | options)  # fmt: skip

    with pytest.raises(
        ParameterError, match=r"vector_size was 16 and is 32; window was 5 and is 3"
    ):
        resume(sentences, vector_size=32, window=3)
    with pytest.raises(ParameterError, match="number was 1000 and is 500; sentences was '"):
        resume(topics(500, seed=9))
    with pytest.raises(ParameterError, match=r"files was None and is '.*text\.txt'"):
        resume(corpus_file=text)
    with pytest.raises(ParameterError, match="workers was 1 and is 'several'"):
        resume(sentences, workers=2)
    with pytest.raises(
        OutputError, match=r"has the checkpoint of a training already; .*resume=True"
    ):
        Word2Vec(sentences, checkpoint=tmp_path / "run", **QUICK)
    with pytest.raises(ParameterError, match="resume=True goes on from a checkpoint: give"):
        Word2Vec(sentences, resume=True)
    with pytest.raises(ParameterError, match="checkpoint_every must be a finite number above 0"):
        Word2Vec(sentences, checkpoint=tmp_path / "x", checkpoint_every=0)


def test_a_changed_file_is_another_text(text, tmp_path, often):
    options = {"corpus_file": text, "checkpoint": tmp_path / "run", **QUICK}
    Word2Vec(**options)
    text.write_text(text.read_text() + "one more line\n")
    with pytest.raises(ParameterError, match=r"mtimes_ns was .*; sizes was \d+ and is \d+"):
        Word2Vec(**options, resume=True)


def test_what_firth_did_not_write_is_left_alone(sentences, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("important")
    with pytest.raises(OutputError, match=r"thesis\.txt|no folder of firth"):
        Word2Vec(sentences, checkpoint=tmp_path / "mine", **QUICK)
    with pytest.raises(FormatError):
        remove_checkpoint(tmp_path / "mine")
    Word2Vec(sentences, **QUICK).save(tmp_path / "model")
    with pytest.raises(FormatError, match="kind 'keyed_vectors'"):
        Word2Vec(sentences, checkpoint=tmp_path / "model", resume=True, **QUICK)
    Word2Vec(sentences, checkpoint=tmp_path / "run", **QUICK)
    (tmp_path / "run" / "notes.txt").write_text("mine")
    remove_checkpoint(tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_a_folder_in_which_a_process_was_killed_at_once_is_used(sentences, tmp_path):
    folder = tmp_path / "run"
    (folder / ".new.partial").mkdir(parents=True)
    (folder / "lock").touch()
    for _ in range(2):
        model = Word2Vec(sentences, checkpoint=folder, resume=True, **QUICK)
        assert same_bits(model, Word2Vec(sentences, **QUICK))
    assert not list(folder.glob(".*"))


def test_two_processes_do_not_share_a_checkpoint(sentences, tmp_path):
    def begin_another(model):
        Word2Vec(sentences, checkpoint=tmp_path / "run", resume=True, **QUICK)

    with pytest.raises(OutputError, match="another process trains with this checkpoint"):
        Word2Vec(sentences, checkpoint=tmp_path / "run", callbacks=[StopAt(1, begin_another)],
                 **QUICK)  # fmt: skip


def test_a_training_that_diverges_keeps_the_last_good_state(sentences, tmp_path, often):
    def poison(model):
        model.live_matrices()["targets"][7, 3] = np.nan

    # A single number, which a state must not be saved with.
    with pytest.raises(ParameterError, match=r"diverged in epoch 2.*last state that was good is"):
        Word2Vec(sentences, checkpoint=tmp_path / "run", callbacks=[StopAt(2, poison)],
                 **QUICK, **often)  # fmt: skip
    model = Word2Vec.load(tmp_path / "run")
    assert np.isfinite(model.wv.vectors).all()
    assert np.isfinite(model.syn1neg).all()


def test_a_state_opens_as_a_model(sentences, tmp_path, often):
    seen = []
    keep = StopAt(2, lambda model: seen.append(model.wv))
    options = QUICK | {"epochs": 2, "comment": "mine"}
    Word2Vec(sentences, checkpoint=tmp_path / "run", callbacks=[keep], **options, **often)
    model = Word2Vec.load(tmp_path / "run")
    assert (model.wv.vectors == seen[0].vectors).all()
    assert (model.window, model.epochs_trained) == (5, 2)
    model.train(sentences, epochs=1)


def test_a_full_disk_does_not_end_the_training(sentences, tmp_path, often, caplog, monkeypatch):
    write, full = _checkpoints.write_folder, []

    def write_until_full(target):
        if "state-" in str(target) and full:
            error = OutputError(f"{target}: cannot be written: the disk is full")
            error.errno = 28
            raise error
        return write(target)

    monkeypatch.setattr(_checkpoints, "write_folder", write_until_full)
    fill = StopAt(2, lambda model: full.append(True))
    model = Word2Vec(sentences, epochs=4, checkpoint=tmp_path / "run", callbacks=[fill], **QUICK,
                     **often)  # fmt: skip
    assert same_bits(model, Word2Vec(sentences, epochs=4, **QUICK))
    assert re.search(r"no checkpoint was written, and training goes on; the last one is state-\d+: "
                     r".*disk is full", caplog.text)  # fmt: skip
    full.clear()
    assert len(list((tmp_path / "run").glob("state-*"))) == 1  # the older one made room
    again = Word2Vec(sentences, epochs=4, checkpoint=tmp_path / "run", resume=True, **QUICK)
    assert same_bits(again, model)


def test_a_full_disk_at_the_beginning_is_said_at_once(sentences, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_checkpoints.os, "link", full)
    monkeypatch.setattr(_checkpoints.shutil, "copyfile", full)
    with pytest.raises(OutputError, match="corpus: cannot be written: the disk is full"):
        Word2Vec(sentences, checkpoint=tmp_path / "run", **QUICK)


def test_saving_takes_a_tenth_of_the_time_at_most(sentences, tmp_path, monkeypatch):
    clock, due = [100.0], []
    monkeypatch.setattr(_checkpoints.time, "perf_counter", lambda: clock[0])
    checkpoints = _checkpoints.Checkpoints(tmp_path / "run", 60.0, resume=False)

    def save_for(seconds):
        monkeypatch.setattr(checkpoints, "_write", lambda *_: clock.append(clock.pop() + seconds))
        model.run.position += 1
        checkpoints.save(model, model.run, None)
        due.append(checkpoints.next_time(model.run) - clock[0])

    model = Word2Vec(sentences, **QUICK)
    assert checkpoints.next_time(model.run) == 160.0
    for seconds in (0.1, 5.0, 30.0):
        save_for(seconds)
    assert due == [60.0, 60.0, 270.0]


# --- killed at any moment -------------------------------------------------------------------------

KILLED = """
import sys
from firth.models import Word2Vec, _checkpoints
_checkpoints._SECONDS_PER_SECOND_OF_SAVING = 0.0
options = eval(sys.argv[3])
model = Word2Vec(corpus_file=sys.argv[1], checkpoint=sys.argv[2], checkpoint_every=0.01,
                 resume=True, progress=False, **options)
model.save(sys.argv[2] + "-model")
"""


@pytest.mark.parametrize(
    ("how", "n_kills"),
    [({"workers": 1}, 12), ({"workers": 2, "deterministic": True}, 8)],
    ids=["one thread", "two threads"],
)
def test_a_process_killed_at_random_moments_ends_with_the_same_bits(text, tmp_path, how, n_kills):
    options = {"vector_size": 16, "sample": 0, "min_count": 1, "batch_words": 1000, "epochs": 300,
               **how}  # fmt: skip
    whole = Word2Vec(corpus_file=text, progress=False, **options)
    folder = tmp_path / "run"
    command = [sys.executable, "-c", KILLED, text, folder, repr(options)]
    kill_until_done(command, folder, n_kills)
    kept = Word2Vec.load(tmp_path / "run-model")
    assert same_bits(kept, whole)
    assert kept.n_words_trained == whole.n_words_trained


# --- the same bits with several threads -----------------------------------------------------------


@pytest.mark.parametrize("sg", [0, 1])
def test_several_threads_give_the_same_bits(sentences, sg):
    options = QUICK | {"sg": sg, "workers": 3, "deterministic": True, "epochs": 8}
    model = Word2Vec(sentences, **options)
    for _ in range(3):
        assert same_bits(model, Word2Vec(sentences, **options))
    assert not same_bits(model, Word2Vec(sentences, **options | {"seed": 2}))
    assert not same_bits(model, Word2Vec(sentences, **options | {"workers": 2}))
    # What is drawn is what one thread draws.
    one = Word2Vec(sentences, **options | {"workers": 1})
    assert model.n_examples == one.n_examples
    assert model.loss < model.epoch_losses[0]
    for word in model.wv.index_to_key:
        assert {near[0] for near, _ in model.wv.most_similar(word, topn=5)} == {word[0]}


def test_more_threads_than_chunks(sentences):
    options = QUICK | {"workers": 5, "deterministic": True, "batch_words": 5000}
    assert same_bits(Word2Vec(sentences, **options), Word2Vec(sentences, **options))


def test_ctrl_c_in_a_round_leaves_all_replicas_merged(sentences, tmp_path):
    options = QUICK | {"workers": 2, "deterministic": True}
    calls = []

    def interrupt(model):
        calls.append(model)
        raise KeyboardInterrupt

    part = Word2Vec(sentences, callbacks=[StopAt(1, interrupt)], checkpoint=tmp_path / "run",
                    **options)  # fmt: skip
    assert part.interrupted
    whole = Word2Vec(sentences, **options)
    assert part.epoch_losses == whole.epoch_losses[:1]


def test_factors_lead_from_the_sum_to_the_mean():
    updates = np.array([0, 1e-6, 1, 100, 1e6], np.float32)
    factors = merge_factors(updates, 0.05, 4)
    assert factors[:2] == pytest.approx([1, 1])
    assert (np.diff(factors) <= 0).all()
    assert factors[-1] == pytest.approx(0.25)
    # Three replicas that each go the share 1 - q of their way, as one that goes 1 - q ** 3 of it.
    q = np.exp(-0.05 * 20)
    factor = merge_factors(np.array([60.0], np.float32), 0.05, 3)[0]
    assert factor * 3 * (1 - q) == pytest.approx(1 - q**3)

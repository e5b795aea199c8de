"""Word2Vec: what it learns, what it draws, what it says, and what it refuses."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import firth
import naive
from firth import _core
from firth.corpus import Corpus, encode_corpus
from firth.errors import (
    FirthError,
    FormatError,
    InputError,
    OutputError,
    ParameterError,
    SourceError,
    TextError,
    VocabularyError,
)
from firth.models import Word2Vec, _matrices, _schedule
from firth.models._model_folder import manifest
from firth.models._sampling import keep_limits, noise_tables
from kills import let_work

QUICK = {"vector_size": 16, "sample": 0, "workers": 1, "progress": False, "min_count": 1}


def own_threads():
    """Threads of firth that still run; tqdm keeps one of its own."""
    return [t for t in threading.enumerate() if t.name.startswith(("firth", "ThreadPool"))]


def topics(n_sentences=3000, n_topics=4, length=8, seed=3):
    """Sentences of words that meet only those of their own topic."""
    random = np.random.default_rng(seed)
    words = [[f"{topic}{i}" for i in range(10)] for topic in "abcdefgh"[:n_topics]]
    return [
        random.choice(words[random.integers(n_topics)], length).tolist() for _ in range(n_sentences)
    ]


@pytest.fixture(scope="module")
def sentences():
    return topics()


@pytest.fixture
def text(tmp_path, sentences):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(map(" ".join, sentences)) + "\n")
    return path


# --- what it learns -------------------------------------------------------------------------------


@pytest.mark.parametrize("sg", [0, 1])
def test_words_of_a_topic_find_each_other(sentences, sg):
    model = Word2Vec(sentences, sg=sg, epochs=8, **QUICK)
    for word in model.wv.index_to_key:
        assert {near[0] for near, _ in model.wv.most_similar(word, topn=9)} == {word[0]}
    losses = model.epoch_losses
    assert len(losses) == 8
    assert model.loss == losses[-1] < losses[2] < losses[0]
    # The first ones are those of vectors that know nothing: six times log 2.
    assert losses[0] < 6 * np.log(2)


@pytest.mark.parametrize(
    "settings",
    [
        {"sg": 1},
        {"sg": 1, "shrink_windows": False, "window": 3, "negative": 2, "sample": 1e-2},
        {"sg": 0},
        {"sg": 0, "cbow_mean": 0, "ns_exponent": -0.5, "seed": 9},
    ],
    ids=str,
)
def test_a_run_is_that_of_the_reference(settings, monkeypatch):
    """Epochs, chunks, learning rates, seeds, tables, loss: everything but the kernel's own test."""
    monkeypatch.setattr(_schedule, "CHUNK_SIZE", 500)
    given = topics(200, n_topics=2)
    options = QUICK | {"epochs": 3, "alpha": 0.05, "min_alpha": 0.01, "window": 5, "negative": 5,
                       "seed": 4, "shrink_windows": True, "cbow_mean": 1, "ns_exponent": 0.75,
                       } | settings  # fmt: skip
    model = Word2Vec(given, **options)

    vocab, corpus = encode_corpus(given, tokens=True, min_count=1)
    with corpus:
        ids, ends = corpus.ids.copy(), corpus.sentence_ends.copy()
    vectors = np.zeros((len(vocab), 16), np.float32)
    _matrices.fill_uniform(vectors, 16, options["seed"])
    vectors, targets = vectors.astype(float), np.zeros((len(vocab), 16))
    limits = keep_limits(vocab.counts, options["sample"])
    noise = noise_tables(vocab.counts, options["ns_exponent"])
    begins = np.concatenate(([0], ends[:-1]))
    chunk_of = begins // 500
    losses, kept, examples = [], 0, 0
    for epoch in range(3):
        total = n = 0
        for number in range(4):
            sentences = np.flatnonzero(chunk_of == number)
            first, last = begins[sentences[0]], ends[sentences[-1]]
            seed = np.random.SeedSequence((options["seed"], epoch, number))
            loss, n_examples, n_kept = naive.train_chunk(
                vectors, ids[first:last], ends[sentences] - first, limits,
                0.05 - 0.04 * (epoch * 4 + number) / 12, int(seed.generate_state(1, np.uint64)[0]),
                **{name: options[name] for name in ("window", "negative", "shrink_windows")},
                cbow=not options["sg"], cbow_mean=bool(options["cbow_mean"]),
                targets=targets, noise=noise,
            )  # fmt: skip
            total, n, kept = total + loss, n + n_examples, kept + n_kept
        losses.append(total / n)
        examples += n
    assert model.epoch_losses == pytest.approx(losses, rel=1e-5)
    assert model.n_examples == examples
    assert np.abs(model.wv.vectors - vectors).max() < 1e-4
    assert np.abs(model.syn1neg - targets).max() < 1e-4
    assert model.n_words_trained == 3 * 1600
    assert (model.corpus_count, model.corpus_total_words) == (200, 1600)


@pytest.mark.parametrize("n_words", [1, 5, 50])
@pytest.mark.parametrize("sg", [0, 1])
def test_few_words_and_many_negatives_stay_finite(n_words, sg):
    random = np.random.default_rng(1)
    shares = 1 / np.arange(1, n_words + 1)
    words = [f"w{i}" for i in range(n_words)]
    given = [random.choice(words, 20, p=shares / shares.sum()).tolist() for _ in range(200)]
    model = Word2Vec(given, sg=sg, window=10, negative=20, epochs=30, alpha=0.05, **QUICK)
    assert np.isfinite(model.wv.vectors).all()
    assert np.linalg.norm(model.wv.vectors, axis=1).max() < 20
    assert max(model.epoch_losses) < 21 * np.log(2)
    # The first epochs remember what they have just read, at this learning rate; that goes.
    assert max(model.epoch_losses[5:]) < model.epoch_losses[0] * 1.2


def test_a_training_that_diverges_says_so_and_stops(sentences):
    with pytest.raises(ParameterError, match=r"diverged in epoch \d+, .* rate .*[Ll]ower alpha"):
        Word2Vec(sentences, **QUICK | {"workers": 2, "epochs": 20, "alpha": 50.0})
    assert own_threads() == []


@pytest.mark.parametrize("sg", [0, 1])
def test_one_word_that_is_most_of_the_text_and_of_the_noise_does_no_harm(sg):
    # Twenty negatives of which most are the same word: steps that add up would diverge.
    given = [["the"] * 9 + [f"w{i}", "the", f"w{i + 1}"] for i in range(100)]
    model = Word2Vec(given, sg=sg, window=10, negative=20, epochs=30, alpha=0.05,
                     ns_exponent=1.0, **QUICK)  # fmt: skip
    assert np.linalg.norm(model.wv.vectors, axis=1).max() < 20


# --- what it draws --------------------------------------------------------------------------------


def same_bits(a, b):
    return a.wv.vectors.tobytes() == b.wv.vectors.tobytes() and a.epoch_losses == b.epoch_losses


@pytest.mark.parametrize("sg", [0, 1])
def test_the_same_seed_gives_the_same_bits(text, sentences, sg):
    settings = QUICK | {"sg": sg, "epochs": 2, "sample": 1e-2}
    model = Word2Vec(corpus_file=text, seed=5, **settings)
    assert same_bits(model, Word2Vec(corpus_file=str(text), seed=5, **settings))
    # However the text comes in.
    assert same_bits(model, Word2Vec(sentences, seed=5, **settings))
    assert same_bits(model, Word2Vec(map(" ".join, sentences), tokenizer=str.split, seed=5,
                                     **settings))  # fmt: skip
    assert not same_bits(model, Word2Vec(sentences, seed=6, **settings))


def test_many_threads_draw_what_one_draws(sentences, monkeypatch):
    monkeypatch.setattr(_schedule, "CHUNK_SIZE", 1000)
    settings = QUICK | {"sample": 1e-2, "epochs": 3}
    models = [Word2Vec(sentences, **settings | {"workers": n}) for n in (1, 2, 5)]
    runs = [model.run for model in models]
    assert len({run.n_kept for run in runs}) == 1
    assert len({model.n_examples for model in models}) == 1
    assert 0 < runs[0].n_kept < runs[0].n_words == 3 * 24_000
    assert models[1].loss == pytest.approx(models[0].loss, rel=0.05)


def test_windows_wider_than_any_sentence_are_whole_sentences(sentences):
    settings = QUICK | {"epochs": 1, "shrink_windows": False}
    wide = Word2Vec(sentences, window=7, **settings)
    assert same_bits(wide, Word2Vec(sentences, window=10_000, **settings))


# --- what it takes --------------------------------------------------------------------------------


def test_a_generator_is_read_once(sentences):
    model = Word2Vec((sentence for sentence in sentences), epochs=2, **QUICK)
    assert model.n_words_trained == 2 * 24_000


def test_files_of_any_kind_and_number(text, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text('{"t": "A1 x1 a1"}\n' * 30)
    expected = Word2Vec(corpus_file=text, **QUICK)
    with text.open("rb") as file:
        assert same_bits(expected, Word2Vec(corpus_file=file, **QUICK))
    model = Word2Vec(corpus_file=[str(text), text], **QUICK)
    assert model.corpus_total_words == 2 * 24_000
    model = Word2Vec(corpus_file=other, field="t", lowercase=True, **QUICK)
    assert sorted(model.wv.index_to_key) == ["a1", "x1"]


def test_numbers_of_numpy_are_numbers(sentences):
    numbers = {"vector_size": np.int32(8), "window": np.int64(2), "max_final_vocab": np.int64(9),
               "seed": np.uint8(3), "alpha": np.float32(0.03), "epochs": np.int16(1)}  # fmt: skip
    model = Word2Vec(sentences, **QUICK | numbers)
    assert model.wv.vectors.shape == (9, 8)
    assert json.dumps(manifest(model)["parameters"])


def test_max_final_vocab_keeps_exactly_the_most_frequent():
    model = Word2Vec([["a", "b", "c", "d"], ["b", "c", "d"], ["c", "d"]] * 5, max_final_vocab=3,
                     **QUICK)  # fmt: skip
    assert list(model.wv.index_to_key) == ["c", "d", "b"]


# --- what it refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        *((name, [0, -1], f"{name} must be 1 or more, not") for name in
          ("vector_size", "window", "min_count", "epochs", "workers", "max_final_vocab")),
        *((name, [1.0, "5", True, [5]], f"{name} must be a whole number, not") for name in
          ("vector_size", "window", "min_count", "negative", "epochs", "workers", "seed",
           "max_final_vocab")),
        ("window", [10_001, 10**15], "window must be at most 10,000, where sentences are cut, not"),
        ("negative", [-1, 256, 10**6], "negative must be 0 to 255, not"),
        ("negative", [0], "negative=0 leaves nothing to learn from, unless hs is set"),
        ("seed", [-1], "seed must be 0 or more, not -1"),
        ("alpha", [0, -0.1, float("nan"), float("inf"), 10**400], "finite number above 0, not"),
        ("min_alpha", [-1e-9, float("nan")], "min_alpha must be a finite number of 0 or more, not"),
        ("min_alpha", [0.5], r"min_alpha \(0.5\) must not be above alpha \(0.025\)"),
        ("sample", [-1, float("inf")], "sample must be a finite number of 0 or more, not"),
        ("ns_exponent", [float("nan"), -float("inf")], "ns_exponent must be a finite number, not"),
        *((name, ["0.1", None, False], f"{name} must be a number, not") for name in
          ("alpha", "min_alpha", "sample", "ns_exponent")),
        *((name, [2, -1, "1"], f"{name} must be 0 or 1, not") for name in
          ("sg", "hs", "cbow_mean")),
        ("tokenizer", ["spaces"], "no tokenizer 'spaces'"),
        ("field", ["text"], "field"),
        ("errors", ["nonsense"], "nonsense"),
        ("lowercase", [True], "not split or lower-cased"),
    ],
)  # fmt: skip
def test_a_parameter_out_of_its_range(name, values, message, places):
    for value in values:
        with pytest.raises(ParameterError, match=message):
            Word2Vec([["a", "b"]], **{name: value})
    assert list(places.temporary.iterdir()) == []


def test_either_sentences_or_a_file(text):
    with pytest.raises(ParameterError, match="both are there"):
        Word2Vec([["a"]], text)


@pytest.mark.parametrize(
    "corpus_file", [[], {"a.txt"}, 5, [["hello", "world"]], [5], iter(["a.txt"]), b"a.txt"],
    ids=repr,
)  # fmt: skip
def test_a_corpus_file_that_is_none(corpus_file):
    with pytest.raises(ParameterError, match="corpus_file"):
        Word2Vec(corpus_file=corpus_file)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ({"sentences": "hello world"}, TextError, "corpus_file="),
        ({"sentences": "hello world", "tokenizer": "words"}, TextError, "corpus_file="),
        ({"sentences": ["hello world"]}, TextError, "character by character"),
        ({"sentences": ["hello", "world"]}, TextError, "sentence 1 is a string"),
        ({"sentences": [["hello"], "world"]}, TextError, "sentence 2 is a string"),
        ({"sentences": [["hello", 5]]}, TextError, "token 2 of sentence 1"),
        ({"sentences": []}, TextError, "no tokens"),
        ({"sentences": [["a", "b"]]}, VocabularyError, "min_count is 5"),
        ({"sentences": [["a"]] * 9}, InputError, "each of the 9 sentences has one word"),
        ({"corpus_file": "no/such/file"}, SourceError, "no/such/file"),
    ],
    ids=str,
)
def test_text_that_cannot_be_trained_on(source, error, message, places):
    with pytest.raises(error, match=message):
        Word2Vec(**source)
    assert list(places.temporary.iterdir()) == []


def test_matrices_that_do_not_fit_are_refused_before_training():
    with pytest.raises(ParameterError, match=r"2 words x 1,000,000,000,000,000 dimensions need .*"
                                             r"lower vector_size"):  # fmt: skip
        Word2Vec([["a", "b"]] * 9, vector_size=10**15, progress=False)


def test_an_unknown_instruction_set_is_no_damage_of_the_text():
    script = "import firth; firth.Word2Vec([['a', 'b']] * 9, progress=False)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                            env=os.environ | {"FIRTH_ISA": "mmx"}, check=False)  # fmt: skip
    assert "ParameterError: the environment variable FIRTH_ISA: no instr" in result.stderr


def test_a_small_text_that_sampling_eats_up_warns_of_it():
    with pytest.warns(UserWarning, match=r"nothing was learned.*sample=1e-09.*sample=0") as caught:
        model = Word2Vec([["a", "b"]] * 9, sample=1e-9, workers=1, progress=False)
    assert caught[0].filename == __file__
    assert np.isnan(model.loss)
    assert model.epoch_losses == []
    assert np.isfinite(model.wv.vectors).all()


def test_a_damaged_corpus_names_the_folder_to_remove(text, places):
    Word2Vec(corpus_file=text, **QUICK)
    [folder] = (places.cache / "corpora").iterdir()
    path = folder / "ids.u32"
    ids = np.fromfile(path, "<u4")
    ids[17] = 10**9
    ids.tofile(path)
    for workers in (1, 3):
        with pytest.raises(FormatError, match=rf"{folder}: .*vocabulary.*remove this folder"):
            Word2Vec(corpus_file=text, **QUICK | {"workers": workers})
    assert own_threads() == []
    ends = np.fromfile(folder / "sentence_ends.i64", "<i8")
    ends[3] = -5
    ends.tofile(folder / "sentence_ends.i64")
    with pytest.raises(FormatError, match=rf"{folder}: .*remove this folder"):
        Word2Vec(corpus_file=text, **QUICK)


# --- what it says ---------------------------------------------------------------------------------


def test_lines_of_a_log_where_there_is_no_terminal(sentences, caplog, capsys):
    caplog.set_level(logging.INFO, "firth")
    Word2Vec(sentences, **QUICK | {"progress": None})
    lines = [record.getMessage() for record in caplog.records]
    assert re.match(r"training: 100% \(120k of 120k words\), .*words/s, in .*, loss \d\.\d{4}$",
                    lines[-1])  # fmt: skip
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(sentences, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    Word2Vec(sentences, **QUICK | {"progress": True})
    err = capsys.readouterr().err
    assert "\r" in err
    assert re.search(r"training: 100%.*120k/120k words.*loss \d\.\d{4}", err)


def test_silence(sentences, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Word2Vec(sentences, **QUICK)
    assert not caplog.records
    assert capsys.readouterr() == ("", "")


def test_it_shows_itself(sentences):
    model = Word2Vec(sentences, **QUICK)
    assert re.fullmatch(r"Word2Vec\(CBOW, 40 words x 16, loss \d\.\d{4}, .*words/s\)", repr(model))
    assert repr(Word2Vec(sentences, sg=1, **QUICK)).startswith("Word2Vec(skip-gram, ")


# --- what it keeps --------------------------------------------------------------------------------


def test_save_tells_how_the_vectors_were_made(sentences, tmp_path):
    model = Word2Vec(sentences, sg=1, epochs=3, **QUICK)
    model.save(tmp_path / "model")
    wv = firth.load(tmp_path / "model")
    assert (wv.vectors == model.wv.vectors).all()
    assert wv.get_vecattr("a1", "count") == sum(s.count("a1") for s in sentences)
    training = wv.config["training"]
    assert training["algorithm"] == "skip-gram"
    assert training["parameters"]["epochs"] == 3
    assert training["parameters"]["max_final_vocab"] is None
    assert training["epoch_losses"] == model.epoch_losses
    assert training["instruction_set"] == _core.isa()
    assert training["interrupted"] is False


def test_a_full_disk_leaves_the_old_model(sentences, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("this user may not mount a file system")
    try:
        small = Word2Vec(sentences, **QUICK)
        small.save(disk / "model")
        large = Word2Vec(sentences, **QUICK | {"vector_size": 600, "epochs": 1})
        with pytest.raises(OutputError, match=r"model.*: .*disk is full"):
            large.save(disk / "model")
        assert [path.name for path in disk.iterdir()] == ["model"]
        kept = firth.load(disk / "model")
        assert np.array_equal(kept.vectors, small.wv.vectors)
        del kept
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_padding_is_taken_out_where_it_lies():
    random = np.random.default_rng(1)
    for vector_size in (1, 15, 16, 17, 100):
        for n_rows in (1, 5, 70_000 if vector_size < 20 else 7):
            matrix = _matrices.empty_matrix(n_rows, vector_size)
            assert matrix.shape[1] % 16 == 0
            values = random.random((n_rows, vector_size), np.float32)
            matrix[:, :vector_size] = values
            narrow = _matrices.without_padding(matrix, vector_size)
            assert np.array_equal(narrow, values)
            assert np.shares_memory(narrow, matrix)


# --- interruption ---------------------------------------------------------------------------------


def test_ctrl_c_keeps_what_was_learned(tmp_path, places):
    script = (
        "import sys, firth\n"
        "model = firth.Word2Vec([['a', 'b', 'c', 'd']] * 20000, epochs=10**6, sample=0, workers=2,"
        " vector_size=16, progress=False)\n"
        "assert model.interrupted and model.n_words_trained > 0 and model.loss < 5\n"
        "assert model.n_words_trained < 10**6 * 80000 and len(model.epoch_losses) >= 1\n"
        "model.save(sys.argv[1])\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path / "model"]) as process:
        deadline = time.monotonic() + 60
        # The encoded text is there only when its folder has a config: then the training starts.
        while not list(places.temporary.glob("*/config.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        let_work(process, 1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert list(places.temporary.iterdir()) == []
    kept = firth.load(tmp_path / "model")
    assert sorted(kept.index_to_key) == ["a", "b", "c", "d"]
    assert kept.config["training"]["interrupted"] is True


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "kill"]
)
def test_a_signal_to_the_command_leaves_a_model_and_nothing_else(text, places, number, status):
    folder = places.temporary.parent / "model"
    command = [sys.executable, "-m", "firth.cli", "train", "-", "-o", folder, "--epochs", "1000000",
               "--threads", "2", "--dim", "16"]  # fmt: skip
    with text.open("rb") as stdin, subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not list(places.temporary.glob("*/config.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        let_work(process, 1)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert b"Traceback" not in err
    assert b"Saved to" in out
    assert len(firth.load(folder)) == 40
    assert list(places.temporary.iterdir()) == []


def test_an_interruption_while_threads_start_stops_those_that_run(sentences, monkeypatch):
    start = threading.Thread.start
    started = []

    def interrupted_start(self):
        if self.name == "firth-1":
            raise KeyboardInterrupt
        started.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    model = Word2Vec(sentences, epochs=10**6, **QUICK | {"workers": 3})
    assert model.interrupted
    for thread in started:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in started)


def test_a_failure_in_one_thread_stops_all(sentences, monkeypatch):
    monkeypatch.setattr(_schedule, "CHUNK_SIZE", 1000)
    calls = []

    def release(self, *sentences):
        calls.append(sentences)
        if len(calls) == 5:
            raise ZeroDivisionError

    monkeypatch.setattr(Corpus, "release", release)
    with pytest.raises(ZeroDivisionError):
        Word2Vec(sentences, epochs=10**6, **QUICK | {"workers": 3})
    assert len(calls) < 30
    assert own_threads() == []


# --- memory ---------------------------------------------------------------------------------------

MEASURE = """
import resource, sys
import firth
from pathlib import Path
def peak():
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss begins with that of the parent
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import numpy, firth.models
before = peak()
model = firth.Word2Vec(corpus_file=sys.argv[1], vector_size=16, negative=1, window=1, epochs=1,
                       workers=2, progress=False)
print(before, peak(), model.wv.vectors.nbytes)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="measured by getrusage")
def test_memory_does_not_grow_with_the_text(tmp_path):
    random = np.random.default_rng(1)
    words = np.array([f"word{i}" for i in range(20_000)])
    ids = (20_000 * random.random(120_000) ** 3).astype(int).reshape(-1, 4)  # many sentence ends
    million = "".join(" ".join(row) + "\n" for row in words[ids]).encode()
    peaks = []
    for n_bytes in (60_000_000, 120_000_000):
        path = tmp_path / "large.txt"
        with path.open("wb") as file:
            for _ in range(n_bytes // len(million)):
                file.write(million)
        output = subprocess.run([sys.executable, "-c", MEASURE, path], capture_output=True,
                                check=True, text=True).stdout  # fmt: skip
        before, peak, matrix = map(int, output.split())
        assert peak - before < 2 * matrix + 200e6
        peaks.append(peak)
    # Blocks under way and the moods of the allocator, but no share of the text.
    assert peaks[1] < peaks[0] + 20e6, peaks


def test_every_error_is_of_one_family():
    for error in (FormatError, InputError, OutputError, ParameterError, TextError):
        assert issubclass(error, FirthError)


def test_matrices_lie_in_memory_that_may_have_large_pages():
    maps = Path("/proc/self/maps")
    if not maps.is_file():
        pytest.skip("needs /proc/self/maps")
    matrix = _matrices.empty_matrix(1000, 100)
    address = matrix.ctypes.data
    for line in maps.read_text().splitlines():
        begin, end = (int(part, 16) for part in line.split()[0].split("-"))
        if begin <= address < end:
            assert line.split()[1] == "rw-p"  # shared memory has none
            return
    raise AssertionError(address)

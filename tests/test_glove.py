"""GloVe: its kernel against the reference, what it learns, what it says, and what it refuses."""

import json
import math
import signal
import subprocess
import sys
import tempfile
import threading
import time
from itertools import pairwise

import numpy as np
import pytest

import firth
import naive
from firth import _core
from firth.cooccurrence import count_cooccurrences
from firth.corpus import encode_corpus
from firth.errors import FormatError, InputError, OutputError, ParameterError, VocabularyError
from firth.models import CallbackAny2Vec, EarlyStopping, GloVe, Probe, _dealt, _glove
from firth.models._dealt import DealtCooccurrences
from firth.models._glove_rows import initial_biases, initial_rows
from firth.progress import progress

QUICK = {"vector_size": 8, "epochs": 3, "workers": 1, "min_count": 1, "progress": False}
GIVEN = {name: value for name, value in QUICK.items() if name != "min_count"}


def topics(n_sentences=1500, n_topics=4, length=8, seed=3):
    """Sentences of words of one topic, and some of others: pairs that never meet teach nothing."""
    random = np.random.default_rng(seed)
    words = np.array([[f"{topic}{i}" for i in range(10)] for topic in "abcdefgh"[:n_topics]])
    chosen = random.integers(n_topics, size=(n_sentences, 1)).repeat(length, axis=1)
    mixed = random.random(chosen.shape) < 0.2
    chosen[mixed] = random.integers(n_topics, size=mixed.sum())
    return words[chosen, random.integers(10, size=chosen.shape)].tolist()


@pytest.fixture(scope="module")
def sentences():
    return topics()


@pytest.fixture
def counts(sentences):
    vocab, corpus = encode_corpus(sentences, tokens=True, min_count=1)
    with corpus, count_cooccurrences(vocab, corpus, window=3, progress=False) as counted:
        yield counted


# --- the kernel -----------------------------------------------------------------------------------

N_WORDS = 40
SETTINGS = {"learning_rate": 0.05, "x_max": 20.0, "alpha": 0.75}


def make_run(vector_size, symmetric, n=300, seed=1, scale=0.5):
    random = np.random.default_rng(seed)
    stride = -(-vector_size // 16) * 16
    rows = np.zeros((N_WORDS, 4, stride), np.float32)
    rows[:, ::2, :vector_size] = random.normal(0, scale, (N_WORDS, 2, vector_size))
    rows[:, 1::2] = 1 + random.random((N_WORDS, 2, stride))
    biases = random.normal(0, 0.3, (N_WORDS, 4)).astype(np.float32)
    biases[:, 1::2] = 1 + random.random((N_WORDS, 2))
    cells = random.choice(N_WORDS * N_WORDS, n, replace=False)
    pairs = np.stack([cells // N_WORDS, cells % N_WORDS], axis=1)
    if symmetric:
        pairs = np.stack([pairs.max(axis=1), pairs.min(axis=1)], axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))].astype(np.uint32)
    values = np.exp(random.normal(1, 2, n)).astype(np.float32)
    return rows, biases, np.column_stack([pairs, values.view(np.uint32)])


def parts(rows, biases, vector_size):
    """The reference's words and contexts."""
    rows, biases = rows.astype(float), biases.astype(float)
    return [
        [rows[:, k, :vector_size], rows[:, k + 1, :vector_size], biases[:, k], biases[:, k + 1]]
        for k in (0, 2)
    ]


@pytest.mark.parametrize("vector_size", [3, 16, 100, 300])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("settings", [{}, {"x_max": 1e4}, {"alpha": 0}, {"learning_rate": 0.2}])
def test_a_chunk_changes_everything_as_the_reference_does(isa, vector_size, symmetric, settings):
    settings = SETTINGS | settings
    rows, biases, pairs = make_run(vector_size, symmetric, scale=vector_size**-0.5)
    before = rows.copy()
    words, contexts = parts(rows, biases, vector_size)
    entries = list(zip(*pairs.T[:2].tolist(), pairs[:, 2].view(np.float32).tolist(), strict=True))
    expected = naive.train_glove(words, contexts, entries, 7, symmetric=symmetric, **settings)
    trainer = _core.GloveTrainer(rows.reshape(N_WORDS, -1), biases, symmetric=symmetric, **settings)
    loss, n_terms = trainer.train(pairs, 7)
    assert n_terms == expected[1]
    assert loss == pytest.approx(expected[0], rel=2e-5)
    after = parts(rows, biases, vector_size)
    for ours, theirs in zip(after, (words, contexts), strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            assert np.abs(mine / other - 1).max() < 1e-3 or np.abs(mine - other).max() < 5e-5
    assert np.abs(rows - before).max() > 0.005
    assert not rows[:, ::2, vector_size:].any()


def test_logarithm_weight_and_root_over_their_whole_range(isa):
    """One pair, no vectors: loss and bias tell the logarithm, the weight and the root."""
    for value in np.exp(np.linspace(-9, 25, 300)):
        for x_max in (0.5, 100.0):
            rows = np.zeros((2, 64), np.float32)
            rows[:, 16:32] = rows[:, 48:] = 1
            squares = np.float32(1 + value % 1000)
            biases = np.array([[0, squares, 0, squares]] * 2, np.float32)
            pair = np.array([[1, 0, np.float32(value).view(np.uint32)]], np.uint32)
            trainer = _core.GloveTrainer(
                rows, biases, learning_rate=0.1, x_max=x_max, alpha=0.75, symmetric=False
            )
            loss, _ = trainer.train(pair, 1)
            logarithm = math.log(np.float32(value))
            weight = min(1.0, (value / x_max) ** 0.75)
            assert loss == pytest.approx(weight * logarithm**2 / 2, rel=3e-6, abs=1e-9)
            step = weight * logarithm / math.sqrt(squares)
            assert biases[1, 0] == pytest.approx(step, rel=3e-6, abs=1e-6)


def test_gradients_are_the_derivatives_of_the_loss():
    rows, biases, _ = make_run(16, symmetric=False)
    rows[:, 1::2] = biases[:, 1::2] = 1
    pair = np.array([[3, 5, np.float32(7.5).view(np.uint32)]], np.uint32)

    def run(changed_rows, rate=1.0):
        trained, trained_biases = changed_rows.copy(), biases.copy()
        trainer = _core.GloveTrainer(
            trained.reshape(N_WORDS, -1), trained_biases,
            learning_rate=rate, x_max=20, alpha=0.75, symmetric=False,
        )  # fmt: skip
        return trainer.train(pair, 1)[0], trained

    _, trained = run(rows)
    for word, part, column in ((3, 0, 2), (5, 2, 11)):
        ends = []
        for sign in (1, -1):
            moved = rows.copy()
            moved[word, part, column] += sign * 1e-2
            ends.append(run(moved)[0])
        slope = (ends[0] - ends[1]) / 2e-2
        step = rows[word, part, column] - trained[word, part, column]
        assert step == pytest.approx(slope, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    "entry", [(N_WORDS, 0, 1.0), (0, N_WORDS, 1.0), (0, 0, 0.0), (0, 0, -1.0), (0, 0, math.nan),
              (0, 0, math.inf)],
    ids=str,
)  # fmt: skip
def test_the_core_checks_what_comes_from_a_file(entry):
    rows, biases, _ = make_run(16, symmetric=False)
    trainer = _core.GloveTrainer(rows.reshape(N_WORDS, -1), biases, symmetric=False, **SETTINGS)
    bad = np.array([[*entry[:2], np.float32(entry[2]).view(np.uint32)]], np.uint32)
    with pytest.raises(ValueError, match="out of its range"):
        trainer.train(bad, 1)


# --- dealing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
def test_every_entry_is_dealt_once(counts, workers, monkeypatch):
    monkeypatch.setattr(_dealt, "_SMALLEST_CHUNK", 10)
    monkeypatch.setattr(_dealt, "_ENTRIES_PER_BLOCK", 37)
    rows = np.repeat(np.arange(len(counts)), np.diff(counts.row_starts))
    all_entries = np.column_stack([rows, counts.columns, counts.values.view(np.uint32)])
    with progress("", show=False) as bar, DealtCooccurrences(counts, 5, workers, bar) as dealt:
        chunks = [dealt.read(i) for i in range(dealt.n_chunks)]
        assert bar.n == counts.n_stored
    assert len(chunks) == min(16, counts.n_stored // 10)
    for chunk in chunks:
        # In the order of the matrix, so that those of a row stand together.
        keys = chunk[:, 0].astype(np.int64) * len(counts) + chunk[:, 1]
        assert (np.diff(keys) > 0).all()
        assert 0.2 < len(chunk) / (counts.n_stored / len(chunks)) < 3
    dealt_entries = np.concatenate(chunks)
    order = np.lexsort((dealt_entries[:, 1], dealt_entries[:, 0]))
    assert (dealt_entries[order] == all_entries).all()
    # Neighbours in the matrix do not go together.
    home = np.repeat(np.arange(len(chunks)), [len(chunk) for chunk in chunks])[order]
    assert (np.diff(home) != 0).mean() > 0.8


# --- what it learns -------------------------------------------------------------------------------


def test_words_of_a_topic_find_each_other(sentences):
    # One thread: with 40 words, two that change the same rows at once lose much of it.
    model = GloVe(sentences, vector_size=16, epochs=40, min_count=1, workers=1, progress=False)
    for word in model.wv.index_to_key:
        near = [other[0] for other, _ in model.wv.most_similar(word, topn=9)]
        assert near.count(word[0]) >= 8
    losses = model.epoch_losses
    assert len(losses) == 40
    assert model.loss == losses[-1] < losses[5] < losses[0]


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_run_is_that_of_the_reference(sentences, symmetric, monkeypatch):
    """Counts, chunks, order, seeds, start: everything but the kernel's own test."""
    monkeypatch.setattr(_dealt, "_SMALLEST_CHUNK", 70)
    options = QUICK | {"window": 4, "x_max": 50.0, "learning_rate": 0.08, "seed": 4}
    model = GloVe(sentences, symmetric=symmetric, model="concatenated", **options)

    vocab, corpus = encode_corpus(sentences, tokens=True, min_count=1)
    with (
        corpus,
        count_cooccurrences(vocab, corpus, window=4, symmetric=symmetric, progress=False) as c,
        progress("", show=False) as bar,
        DealtCooccurrences(c, 4, 1, bar) as dealt,
    ):
        chunks = [
            [
                (i, j, float(v))
                for i, j, v in zip(*e.T[:2].tolist(), e[:, 2].view("f4"), strict=True)
            ]
            for e in map(dealt.read, range(dealt.n_chunks))
        ]
        assert model.n_pairs == c.n_nonzero
    assert len(chunks) > 5
    rows = initial_rows(len(vocab), 8, 4).reshape(len(vocab), 4, -1)
    words, contexts = parts(rows, initial_biases(len(vocab), 8, 4), 8)
    losses = []
    for epoch in range(3):
        loss = n = 0
        for number in np.random.default_rng((4, epoch)).permutation(len(chunks)).tolist():
            seed = np.random.SeedSequence((4, epoch, number)).generate_state(1, np.uint64)
            more, terms = naive.train_glove(
                words, contexts, chunks[number], int(seed[0]),
                learning_rate=0.08, x_max=50, alpha=0.75, symmetric=symmetric,
            )  # fmt: skip
            loss, n = loss + more, n + terms
        assert n == model.n_pairs
        losses.append(loss / n)
    assert model.epoch_losses == pytest.approx(losses, rel=1e-4)
    assert model.wv.vectors == pytest.approx(np.hstack([words[0], contexts[0]]), abs=1e-4)
    assert model.biases == pytest.approx(words[2], abs=1e-4)
    assert model.context_biases == pytest.approx(contexts[2], abs=1e-4)


def test_the_start_is_that_of_glove():
    rows = initial_rows(2000, 10, 1).reshape(2000, 4, 16)
    assert (rows[:, 1::2] == 1).all()
    assert not rows[:, ::2, 10:].any()
    start = rows[:, ::2, :10]
    assert abs(start).max() <= 0.05
    assert start.std() == pytest.approx(0.1 / math.sqrt(12), rel=0.02)
    assert abs(start.mean()) < 1e-3
    assert abs(np.corrcoef(start[:, 0].ravel(), start[:, 1].ravel())[0, 1]) < 0.03
    biases = initial_biases(2000, 10, 1)
    assert (biases[:, 1::2] == 1).all()
    assert biases[:, ::2].std() == pytest.approx(0.1 / math.sqrt(12), rel=0.05)


def test_one_thread_gives_the_same_bits_and_seeds_differ(sentences):
    vectors = [GloVe(sentences, seed=seed, **QUICK).wv.vectors.tobytes() for seed in (1, 1, 2)]
    assert vectors[0] == vectors[1] != vectors[2]


def test_choices_of_what_is_kept(sentences):
    by_name = {m: GloVe(sentences, model=m, **QUICK).wv.vectors for m in _glove.MODELS}
    word, both = by_name["word"], by_name["concatenated"]
    assert both.shape == (40, 16)
    assert (both[:, :8] == word).all()
    assert by_name["sum"] == pytest.approx(word + both[:, 8:], abs=1e-6)


def test_given_co_occurrences_are_used_and_stay(sentences, counts):
    given = GloVe(cooccurrences=counts, **GIVEN)
    counted = GloVe(sentences, window=3, **QUICK)
    assert given.wv.vectors.tobytes() == counted.wv.vectors.tobytes()
    assert (given.window, given.n_pairs) == (3, counts.n_nonzero)
    assert given.counting_seconds == 0 < counted.counting_seconds
    # They belong to the caller, who may go on with them.
    assert GloVe(cooccurrences=counts, window=3, **GIVEN).loss == given.loss


def test_counts_can_be_kept(sentences, tmp_path):
    model = GloVe(sentences, keep_cooccurrences=tmp_path / "counts", **QUICK)
    kept = firth.Cooccurrences(tmp_path / "counts")
    assert kept.n_nonzero == model.n_pairs
    again = GloVe(cooccurrences=kept, **GIVEN)
    assert again.wv.vectors.tobytes() == model.wv.vectors.tobytes()


def test_nothing_temporary_is_left(sentences, places):
    GloVe(sentences, **QUICK)
    left = {path.name.split("-")[1] for path in places.temporary.iterdir() if "-" in path.name}
    assert not left & {"cooccurrences", "chunks", "corpus"}


# --- what it says ---------------------------------------------------------------------------------


def test_figures_repr_and_folder(sentences, tmp_path):
    model = GloVe(sentences, **QUICK)
    assert model.corpus_total_words == 12_000
    assert model.n_pairs == 40 * 40
    assert model.pairs_per_second > 0
    assert repr(model).startswith("GloVe(40 words x 8, loss 0.")
    model.save(tmp_path / "vectors")
    wv = firth.load(tmp_path / "vectors")
    assert (wv.vectors == model.wv.vectors).all()
    assert wv.get_vecattr("a1", "count") > 0
    training = json.loads((tmp_path / "vectors" / "config.json").read_text())["training"]
    assert training["algorithm"] == "glove"
    assert training["parameters"]["window"] == 15
    assert training["parameters"]["learning_rate"] == 0.05
    assert training["epoch_losses"] == model.epoch_losses
    assert training["n_pairs"] == model.n_pairs
    assert not training["interrupted"]


def test_an_interrupt_keeps_what_was_learned(sentences):
    ready = threading.Event()
    read = DealtCooccurrences.read

    def read_and_tell(self, chunk):
        ready.set()
        return read(self, chunk)

    def interrupt():
        ready.wait(20)
        time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DealtCooccurrences, "read", read_and_tell)
        thread = threading.Thread(target=interrupt)
        thread.start()
        model = GloVe(sentences, **QUICK | {"epochs": 10**6})
        thread.join()
    assert model.interrupted
    assert 0 < len(model.epoch_losses) < 10**6
    assert np.isfinite(model.wv.vectors).all()
    # Not those that Ctrl-C kept from starting: Python lists them all the same.
    alive = [t.name for t in threading.enumerate() if t.is_alive()]
    assert [name for name in alive if name.startswith("firth")] == []


# --- what it refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"vector_size": 0}, "vector_size must be 1 or more"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"workers": -1}, "workers"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"x_max": 0}, "x_max must be a finite number above 0"),
        ({"alpha": -0.5}, "alpha must be a finite number of 0 or more"),
        ({"learning_rate": math.nan}, "learning_rate must be a finite number above 0"),
        ({"model": 2}, "model must be one of 'word', 'sum', 'concatenated', not 2"),
        ({"window": 0}, "window"),
        ({"min_count": 0}, "min_count"),
        ({"memory_limit": -1}, "memory_limit"),
        ({"vector_size": 10**12}, "GB, which this machine does not have; lower vector_size"),
    ],
    ids=str,
)
def test_parameters_out_of_range(sentences, parameters, message):
    with pytest.raises(ParameterError, match=message):
        GloVe(sentences, **QUICK | parameters)


def test_one_source_and_only_one(sentences, counts, tmp_path):
    for more in ({"sentences": sentences}, {"corpus_file": tmp_path / "text"}):
        with pytest.raises(ParameterError, match="several are there"):
            GloVe(cooccurrences=counts, **more, **GIVEN)
    with pytest.raises(ParameterError, match="both are"):
        GloVe(sentences, tmp_path / "text", **QUICK)
    with pytest.raises(ParameterError, match=r"give what firth\.count_cooccurrences returns"):
        GloVe(cooccurrences="counts", **GIVEN)


def test_without_a_text_it_has_no_vectors_and_says_so():
    model = GloVe(**QUICK)
    assert "not trained" in repr(model)
    with pytest.raises(AttributeError, match=r"no vectors: .*firth\.cluster\.train"):
        model.wv  # noqa: B018
    with pytest.raises(AttributeError, match="'vw'"):
        model.vw  # noqa: B018
    with pytest.raises(ParameterError, match="window"):
        GloVe(window=0)


@pytest.mark.parametrize(
    "setting",
    [{"window": 7}, {"symmetric": False}, {"lowercase": True}, {"keep_cooccurrences": "x"},
     {"max_final_vocab": 3}],
    ids=str,
)  # fmt: skip
def test_settings_of_text_do_not_go_with_counts(counts, setting):
    with pytest.raises(ParameterError, match=f"{next(iter(setting))}=.* goes with text"):
        GloVe(cooccurrences=counts, **GIVEN | setting)


def test_texts_that_teach_nothing():
    with pytest.raises(InputError, match="one word"):
        GloVe([["a"], ["b"]], **QUICK)
    with pytest.raises(VocabularyError):
        GloVe([["a", "b"]], **QUICK | {"min_count": 5})


def test_a_place_that_cannot_be_written_is_told_before_reading(tmp_path):
    (tmp_path / "file").write_text("")
    never = iter([])
    with pytest.raises(OutputError, match="is a file"):
        GloVe(never, keep_cooccurrences=tmp_path / "file", **GIVEN)


def test_divergence_is_told(sentences):
    with pytest.raises(ParameterError, match=r"diverged in epoch 1.*learning_rate \(it is 1e\+30"):
        GloVe(sentences, **QUICK | {"learning_rate": 1e30})


def test_a_full_disk_while_shuffling(counts, monkeypatch):
    def full(self, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DealtCooccurrences, "_write", full)
    with pytest.raises(OutputError, match=r"shuffled co-occurrences need 0\.0 GB; free some space"):
        GloVe(cooccurrences=counts, **GIVEN)
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(OutputError, match="set TMPDIR"):
        GloVe(cooccurrences=counts, **GIVEN)


def test_damaged_counts_are_told(sentences, tmp_path):
    GloVe(sentences, keep_cooccurrences=tmp_path / "counts", **QUICK)
    values = np.fromfile(tmp_path / "counts" / "values.f32", "<f4")
    values[7] = -3
    values.tofile(tmp_path / "counts" / "values.f32")
    with pytest.raises(FormatError, match=r"out of its range.*again"):
        GloVe(cooccurrences=firth.Cooccurrences(tmp_path / "counts"), **GIVEN)


def test_training_on_counts_imports_no_optional_package():
    code = "import sys, firth; firth.GloVe; print(*{'scipy', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# --- callbacks ------------------------------------------------------------------------------------


class Looking(CallbackAny2Vec):
    def __init__(self, stop_at=None):
        self.stop_at, self.calls, self.vectors = stop_at, [], []

    def on_train_begin(self, model):
        self.calls.append("begin")
        self.vectors.append(model.wv.vectors)

    def on_epoch_begin(self, model):
        self.calls.append("(")

    def on_epoch_end(self, model):
        self.calls.append(len(model.epoch_losses))
        self.vectors.append(model.wv.vectors)
        if len(model.epoch_losses) == self.stop_at:
            model.stop_training("enough")

    def on_train_end(self, model):
        self.calls.append("end")


CALLED = [["a", "king", "rules"], ["a", "queen", "rules"], ["a", "dog", "barks"]] * 20
QUICK_GLOVE = {"vector_size": 8, "min_count": 1, "workers": 1, "progress": False}


def test_callbacks_look_and_change_nothing():
    looking = Looking()
    model = GloVe(CALLED, epochs=3, callbacks=[looking], **QUICK_GLOVE)
    assert looking.calls == ["begin", "(", 1, "(", 2, "(", 3, "end"]
    assert (looking.vectors[-1] == model.wv.vectors).all()
    assert [(a != b).any() for a, b in pairwise(looking.vectors)] == [True] * 3
    alone = GloVe(CALLED, epochs=3, **QUICK_GLOVE)
    assert (alone.wv.vectors == model.wv.vectors).all()
    assert (alone.epoch_losses, alone.stopped) == (model.epoch_losses, "")


def test_a_callback_ends_the_training(tmp_path):
    looking = Looking(stop_at=2)
    model = GloVe(CALLED, epochs=9, callbacks=[looking], **QUICK_GLOVE)
    assert looking.calls == ["begin", "(", 1, "(", 2, "end"]
    assert (model.stopped, model.interrupted, len(model.epoch_losses)) == ("enough", False, 2)
    model.save(tmp_path / "model")
    assert firth.load(tmp_path / "model").config["training"]["stopped"] == "enough"
    early = EarlyStopping(patience=1, min_delta=0.1)
    model = GloVe(CALLED, epochs=9, callbacks=[early], **QUICK_GLOVE)
    assert len(model.epoch_losses) < 9
    assert model.stopped == "the loss has not fallen for 2 epochs"


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ([Probe(["king"])], "a Probe looks at a training along a text"),
        (Looking(), "must be a list of callbacks"),
        ([Looking], "is a class"),
    ],
)
def test_callbacks_that_cannot_be_used(callbacks, message):
    with pytest.raises(ParameterError, match=message):
        GloVe(CALLED, callbacks=callbacks, **QUICK_GLOVE)


def test_phrases_are_kept_in_the_folder(tmp_path):
    passes = [firth.Phrases(min_count=1, threshold=0.1)]
    GloVe(CALLED, phrases=passes, **QUICK_GLOVE).save(tmp_path / "model")
    kept = firth.Phrases.load(tmp_path / "model" / "phrases-1")
    assert dict(kept.phrasegrams) == passes[0].export_phrases() != {}

"""``firth train`` and ``firth demo``: what is trained, what is written, what is refused."""

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest

import firth.models
from firth import _core
from firth.cli import demo, python_docs, train
from firth.cli.train import commands_to_try
from firth.vectors import KeyedVectors
from firth.vocab import Vocab


def sentences(n, seed=1):
    """Two topics that never meet: animals and colours."""
    draw = random.Random(seed)
    topics = [
        ["cat", "dog", "horse", "cow", "sheep", "goat"],
        ["red", "green", "blue", "yellow", "black", "white"],
    ]
    return [" ".join(draw.choices(draw.choice(topics), k=8)) for _ in range(n)]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Encoded texts of tests stay out of the user's cache."""
    monkeypatch.setenv("FIRTH_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(sentences(2_000)) + "\n")
    return path


@pytest.fixture
def recorded(monkeypatch):
    """Stands in for Word2Vec where a test asks only how it was called."""

    class Model:
        calls = ()
        interrupted = False
        loss = 0.25
        words_per_second = 1_500_000.0

        def __init__(self, *arguments, **settings):
            Model.calls += (settings,)
            self.wv = KeyedVectors(
                Vocab.from_words(["man", "woman", "son"]), np.eye(3, 2, dtype=np.float32)
            )

        def save(self, folder):
            Path(folder).mkdir()

    monkeypatch.setattr(firth.models, "Word2Vec", Model)
    return Model


# ---- training


def test_train_writes_a_model_that_answers(run, corpus, tmp_path):
    folder = tmp_path / "model"
    status, out, _ = run(
        "train", corpus, "-o", folder, "--dim", 16, "--epochs", 5, "--sample", 0, "--threads", 1
    )
    assert status == 0
    assert out.startswith("12 words x 16 dimensions, loss 1.")
    assert f"Saved to {folder}. Try:\n  firth similar {folder} " in out
    _, out, _ = run("similar", folder, "cat", "-k", 5, "--json")
    found = {entry["word"] for entry in json.loads(out)["neighbours"]}
    assert found == {"dog", "horse", "cow", "sheep", "goat"}
    _, out, _ = run("odd-one-out", folder, "cat", "dog", "red", "horse")
    assert out == "red\n"


def test_a_log_gets_lines_of_progress_and_a_quiet_one_nothing(run, corpus, tmp_path):
    status, _, err = run("train", corpus, "-o", tmp_path / "a", "--epochs", 1)
    assert status == 0
    assert "words/s" in err
    assert "\r" not in err
    assert run("train", corpus, "-o", tmp_path / "b", "--epochs", 1, "-q") == (0, "", "")
    assert len(KeyedVectors.load(tmp_path / "b")) == 12


def test_sources_may_be_many_compressed_or_standard_input(run, tmp_path):
    lines = sentences(600)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("\n".join(lines[:300]))
    with gzip.open(tmp_path / "b.txt.gz", "wt") as file:
        file.write("\n".join(lines[300:]))
    settings = ["--epochs", 1, "-q", "--dim", 8]
    status, _, err = run(
        "train", tmp_path / "texts", tmp_path / "b.txt.gz", "-o", tmp_path / "files", *settings
    )
    assert (status, err) == (0, "")
    status, _, err = run(
        "train", "-", "-o", tmp_path / "stdin", *settings, stdin="\n".join(lines).encode()
    )
    assert (status, err) == (0, "")
    files, stdin = (KeyedVectors.load(tmp_path / name) for name in ("files", "stdin"))
    counts = [{word: wv.get_vecattr(word, "count") for word in wv.index_to_key}
              for wv in (files, stdin)]  # fmt: skip
    assert counts[0] == counts[1]
    assert sum(counts[0].values()) == 600 * 8


def test_tokenizer_lowercase_and_field(run, tmp_path):
    source = tmp_path / "news.jsonl"
    source.write_text('{"id": 1, "text": "The Firth, the firth."}\n' * 500)
    folder = tmp_path / "model"
    status, _, err = run("train", source, "-o", folder, "--field", "text", "--tokenizer", "words",
                         "--lowercase", "-q")  # fmt: skip
    assert (status, err) == (0, "")
    assert sorted(KeyedVectors.load(folder).index_to_key) == ["firth", "the"]


def test_every_option_reaches_the_model_under_its_name_in_python(run, recorded, tmp_path):
    options = {"--model": "cbow", "--dim": 7, "--window": 3, "--negative": 9, "--sample": 0.5,
               "--alpha": 0.1, "--epochs": 2, "--min-count": 4, "--max-vocab": 99,
               "--threads": 3, "--seed": 8, "--tokenizer": "words", "--field": "f",
               "--errors": "replace"}  # fmt: skip
    flat = [part for pair in options.items() for part in pair]
    status, *_ = run("train", "a.txt", "b/", "-o", tmp_path / "model", *flat, "--lowercase", "-q")
    assert status == 0
    assert recorded.calls == (
        {"corpus_file": ["a.txt", "b/"], "sg": 0, "vector_size": 7, "window": 3, "negative": 9,
         "sample": 0.5, "alpha": 0.1, "epochs": 2, "min_count": 4, "max_final_vocab": 99,
         "workers": 3, "seed": 8, "tokenizer": "words", "field": "f", "errors": "replace",
         "lowercase": True, "progress": False},
    )  # fmt: skip


def test_defaults_are_those_of_the_class_but_for_skipgram(run, recorded, tmp_path):
    run("train", "a.txt", "-o", tmp_path / "model")
    assert recorded.calls == (
        {"corpus_file": "a.txt", "sg": 1, "vector_size": 100, "window": 5, "negative": 5,
         "sample": 1e-3, "alpha": 0.025, "epochs": 5, "min_count": 5, "max_final_vocab": None,
         "workers": None, "seed": 1, "tokenizer": "whitespace", "field": None,
         "errors": "strict", "lowercase": False, "progress": None},
    )  # fmt: skip


def test_an_interrupted_training_keeps_what_it_learned(run, recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(recorded, "interrupted", True)
    status, out, err = run("train", "a.txt", "-o", tmp_path / "model")
    assert status == 130
    assert "interrupted" in err
    assert "Saved to" in out
    assert (tmp_path / "model").is_dir()


# ---- the output folder


def test_an_output_that_is_in_the_way_is_refused_before_any_text_is_read(run, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("mine")
    for output, message in [
        (file, "is a file"),
        (other, "no folder of firth"),
        (file / "model", "is a file"),
    ]:
        status, out, err = run("train", "no-such-text.txt", "-o", output, "--force")
        assert (status, out) == (1, "")
        assert message in err
        assert "no-such-text" not in err
    assert file.read_text() == "mine"
    assert (other / "thesis.tex").read_text() == "mine"


def test_a_model_is_only_replaced_by_force(run, corpus, tmp_path):
    folder = tmp_path / "model"
    settings = ["--epochs", 1, "-q"]
    assert run("train", corpus, "-o", folder, "--dim", 4, *settings)[0] == 0
    status, _, err = run("train", corpus, "-o", folder, "--dim", 8, *settings)
    assert status == 1
    assert "--force" in err
    assert KeyedVectors.load(folder).vector_size == 4
    assert run("train", corpus, "-o", folder, "--dim", 8, *settings, "--force")[0] == 0
    assert KeyedVectors.load(folder).vector_size == 8


def test_an_empty_folder_and_missing_parents_are_fine(run, corpus, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b" / "model"):
        status, _, err = run("train", corpus, "-o", folder, "--epochs", 1, "-q")
        assert (status, err) == (0, "")
        assert len(KeyedVectors.load(folder)) == 12


# ---- bad input


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "corpus.txt"),
        (b"", ""),
        (b"once upon a time\n", "a lower --min-count"),
        (b"caf\xe9 is not UTF-8\n", "--errors replace"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut off", "corpus.txt"),
    ],
    ids=["missing", "empty", "rare", "latin-1", "cut-off"],
)
def test_bad_text_is_one_line_and_leaves_nothing_behind(run, tmp_path, content, message):
    source = tmp_path / "corpus.txt"
    if content is not None:
        source.write_bytes(content)
    status, out, err = run("train", source, "-o", tmp_path / "model", "-q")
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("firth: ")
    assert message in err
    assert [path.name for path in tmp_path.iterdir() if path != source] == []


def test_records_without_a_field_name_the_option(run, tmp_path):
    (tmp_path / "news.jsonl").write_text('{"text": "a b"}\n')
    status, _, err = run("train", tmp_path / "news.jsonl", "-o", tmp_path / "model", "-q")
    assert status == 2
    assert "--field" in err
    assert "field=" not in err


def test_the_limit_of_negatives_is_that_of_the_kernels():
    assert train.MOST_NEGATIVES == _core.MAX_NEGATIVE


# ---- what to try next


def test_commands_to_try_ask_for_words_that_are_there():
    def suggested(words):
        vectors = KeyedVectors(Vocab.from_words(words), np.ones((len(words), 2), np.float32))
        return commands_to_try(vectors, "my model")

    assert suggested(["man", "woman", "son", "music", *"abcdefgh"]) == [
        "firth similar 'my model' music",
        "firth analogy 'my model' man woman son",
        "firth info 'my model'",
    ]
    assert suggested(["the", "of", "Firths", "estuary", "x2y3z4"])[0].endswith(" estuary")
    assert suggested(["$(rm)"])[0].endswith(" '$(rm)'")


# ---- the demo


@pytest.fixture
def small_demo(monkeypatch, tmp_path):
    """The demo on the language reference alone, for a second."""
    monkeypatch.setattr(python_docs, "_package_folders", list)
    monkeypatch.setattr(demo, "WORDS_TO_TRAIN_ON", 300_000)
    monkeypatch.chdir(tmp_path)


def test_the_demo_trains_asks_and_tells_what_to_try(run, small_demo, tmp_path):
    status, out, _ = run("demo")
    assert status == 0
    assert "of Python's documentation in" in out
    assert "\n  function  " in out
    assert "Try:\n  firth similar firth-demo exception\n" in out
    assert "function" in KeyedVectors.load(tmp_path / "firth-demo")
    assert run("demo")[0] == 0


def test_the_demo_replaces_only_its_own_folder(run, small_demo, tmp_path):
    KeyedVectors(Vocab.from_words(["mine"]), np.ones((1, 2), np.float32)).save("model")
    status, _, err = run("demo", "-o", "model")
    assert status == 1
    assert "--force" in err


def test_a_python_without_source_gets_advice(run, small_demo, monkeypatch):
    monkeypatch.setattr(python_docs, "reference_topics", lambda path: iter(()))
    status, _, err = run("demo")
    assert status == 1
    assert "firth train" in err


def test_an_interrupted_demo_says_where_the_model_is(run, small_demo, recorded, monkeypatch):
    monkeypatch.setattr(recorded, "interrupted", True)
    status, _, err = run("demo")
    assert status == 130
    assert "firth-demo" in err


# ---- models of co-occurrences


@pytest.mark.parametrize("model", ["glove", "ppmi"])
def test_models_of_co_occurrences(run, corpus, tmp_path, model):
    if model == "ppmi":
        pytest.importorskip("sklearn")
    folder, counts = tmp_path / "model", tmp_path / "counts"
    options = ("--model", model, "--dim", "6", "--memory", "0.1", "--keep-counts", counts)
    status, out, err = run("train", corpus, "-o", folder, *options)
    assert status == 0, err
    assert "12 words x 6 dimensions, " in out
    assert "pairs" in out
    assert firth.Cooccurrences(counts).window == {"glove": 15, "ppmi": 5}[model]
    status, out, _ = run("similar", folder, "cat", "-k", "5")
    assert (status, len(out.splitlines())) == (0, 5)


@pytest.mark.parametrize(
    ("model", "options", "expected"),
    [
        ("GloVe", {}, {}),
        ("GloVe", {"--window": 4, "--alpha": 0.1, "--epochs": 7, "--x-max": 9, "--memory": 0.5},
         {"window": 4, "learning_rate": 0.1, "epochs": 7, "x_max": 9.0, "memory_limit": 0.5}),
        ("PPMI", {"--window": 4, "--negative": 3, "--keep-counts": "c"},
         {"window": 4, "negative": 3, "keep_cooccurrences": "c"}),
    ],
    ids=str,
)  # fmt: skip
def test_options_of_models_of_co_occurrences(
    run, recorded, tmp_path, monkeypatch, model, options, expected
):
    monkeypatch.setattr(firth.models, model, type(model, (recorded,), {"calls": ()}))
    monkeypatch.setattr(train, "_figures_of", lambda _: "figures")
    flat = [part for pair in options.items() for part in pair]
    run("train", "a.txt", "-o", tmp_path / "model", "--model", model.lower(), *flat)
    assert recorded.calls == (
        {"corpus_file": "a.txt", "vector_size": 100, "min_count": 5, "max_final_vocab": None,
         "workers": None, "seed": 1, "tokenizer": "whitespace", "field": None,
         "errors": "strict", "lowercase": False, "progress": None, **expected},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--model", "glove", "--negative", "5"),
         "with skipgram, cbow, fasttext-skipgram, fasttext-cbow and ppmi."),
        (("--x-max", "10"), "--x-max does not go with --model skipgram, only with glove."),
        (("--keep-counts", "x"), "--keep-counts does not go with --model skipgram"),
        (("--model", "ppmi", "--sample", "0"), "--sample does not go with --model ppmi"),
    ],
    ids=str,
)  # fmt: skip
def test_options_of_other_models_are_refused(run, tmp_path, options, message):
    status, out, err = run("train", "no-such-text", "-o", tmp_path / "model", *options)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_messages_about_counting_name_the_options(run, corpus, tmp_path):
    options = ("--model", "glove", "--memory", "0.001")
    status, _, err = run("train", corpus, "-o", tmp_path / "model", *options)
    assert status == 2
    assert "--memory 0.001 GB is too low to count 12 words" in err
    status, _, err = run(
        "train", corpus, "-o", tmp_path / "model", "--model", "glove", "--alpha", "1e30"
    )
    assert status == 2
    assert "Lower --alpha" in err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--model", "fasttext-cbow"), {"hs": 0, "negative": 5, "min_n": 3, "bucket": 50}),
        (("--model", "fasttext-skipgram", "--hs"), {"sg": 1, "hs": 1, "negative": 0}),
        (("--model", "fasttext-cbow", "--hs", "--negative", "3"), {"hs": 1, "negative": 3}),
        (("--model", "fasttext-cbow", "--max-n", "0"), {"max_n": 0, "sg": 0}),
    ],
)
def test_fasttext_and_hierarchical_softmax(run, tmp_path, options, expected):
    text = tmp_path / "text.txt"
    text.write_text("she was walking\nhe was talking\n" * 50)
    options = (*options, "--bucket", "50", "--dim", "8", "--epochs", "1")
    status, out, _ = run("train", text, "-o", tmp_path / "model", *options)
    assert status == 0
    assert "5 words x 8" in out
    model = firth.models.FastText.load(tmp_path / "model")
    assert {name: getattr(model, name) for name in expected} == expected


def test_options_of_fasttext_in_messages(run, tmp_path):
    command = ("train", "a.txt", "-o", tmp_path / "model", "--model", "fasttext-cbow")
    for options, message in (
        (("--min-n", "7"), "--min-n 7 does not go with --max-n 6"),
        (("--bucket", "0"), "--bucket 0 leaves no rows"),
        (("--negative", "0"), "--negative 0 leaves nothing to learn from, unless"),
    ):
        status, _, err = run(*command, *options)
        assert status != 0
        assert message in err

"""``firth phrases`` and ``firth train --phrases``."""

import json

import pytest

import firth
from firth.cli.phrases import connector_words
from firth.phrases import ENGLISH_CONNECTOR_WORDS, FrozenPhrases

LINES = [
    "in new york city",
    "the bank of america",
    "a new bank",
    "a city in america",
    "york",
    "p q r q p r p",
] * 30


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(LINES))
    return path


def listed(out):
    return [line.split("\t") for line in out.splitlines()]


def test_frequent_phrases_come_first(run, corpus):
    corpus.write_text("a b\n" * 20 + "c d\n" * 10 + "c d e f\n" * 10)
    _, out, _ = run("phrases", corpus, "--threshold", "0.01", "-q")
    assert [(row[0], row[2]) for row in listed(out)][:3] == [
        ("a_b", "20"), ("c_d", "20"), ("e_f", "10"),
    ]  # fmt: skip


def test_the_best_come_first_where_that_is_asked_for(run, corpus):
    status, out, err = run("phrases", corpus, "--threshold", "0.05", "-q", "--sort", "score")
    assert (status, err) == (0, "")
    rows = listed(out)
    expected = firth.Phrases(corpus_file=corpus, threshold=0.05, progress=False)
    assert [row[0] for row in rows] == list(expected.export_phrases())
    assert ["bank_of", f"{expected.export_phrases()['bank_of']:.6g}", "30"] in rows
    scores = [float(row[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_the_best_as_json(run, corpus):
    settings = ("--scoring", "npmi", "--connectors", "of, in", "-k", "1", "--sort", "score")
    status, out, _ = run("phrases", corpus, *settings, "--json")
    assert status == 0
    best = {"phrase": "bank_of_america", "score": pytest.approx(0.5957, abs=1e-3), "count": 30}
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == 1
    assert found[0].keys() == best.keys()
    assert found[0]["count"] == 30


def test_phrases_are_kept_and_used(run, corpus, tmp_path):
    pairs, more, model = tmp_path / "pairs", tmp_path / "more", tmp_path / "model"
    assert run("phrases", corpus, "--threshold", "0.1", "-o", pairs, "-q")[0] == 0
    assert type(firth.Phrases.load(pairs)) is FrozenPhrases
    status, out, _ = run(
        "phrases", corpus, "--threshold", "0.05", "--after", pairs, "-o", more, "-q"
    )
    assert status == 0
    assert any(row[0].count("_") == 2 for row in listed(out))
    train = ("train", corpus, "-o", model, "-q", "--dim", 2, "--sample", 0, "--epochs", 1)
    assert run(*train, "--phrases", pairs, "--phrases", more)[0] == 0
    words = set(firth.load(model).index_to_key)
    expected = firth.Phrases.load(more)
    joined = expected[firth.Phrases.load(pairs)[[line.split() for line in LINES]]]
    assert words == {word for sentence in joined for word in sentence}
    status, _, err = run("phrases", corpus, "-o", pairs, "-q")
    assert status == 1
    assert "--force to replace it" in err
    assert run("phrases", corpus, "-o", pairs, "-q", "--force")[0] == 0


def test_training_learns_phrases(run, corpus, tmp_path):
    train = ("train", corpus, "-o", tmp_path / "m", "-q", "--dim", 2, "--sample", 0, "--epochs", 1)
    learn = ("--phrases", "1", "--phrase-threshold", "0.01", "--connectors", "of,the")
    assert run(*train, *learn)[0] == 0
    assert "bank_of_america" in firth.load(tmp_path / "m")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert "threshold=0.01" in config["training"]["parameters"]["phrases"]


@pytest.mark.parametrize("model", ["cbow", "glove", "ppmi"])
def test_phrases_go_with_all_models(run, corpus, tmp_path, model):
    if model == "ppmi":
        pytest.importorskip("sklearn")
    train = ("train", corpus, "-o", tmp_path / "m", "-q", "--dim", 2, "--model", model)
    status, _, err = run(*train, "--phrases", 1, "--phrase-threshold", 0.01)
    assert status == 0, err
    assert any("_" in word for word in firth.load(tmp_path / "m").index_to_key)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--phrases", "1", "--phrases", "2"], 2, "either one number or one folder"),
        (["--phrases", "0"], 2, "learn phrases 1 time or more"),
        (["--connectors", "of"], 2, "go with --phrases N"),
        (["--phrases", "nowhere"], 1, "nowhere: no such folder"),
        (["--phrases", "-1"], 1, "-1: no such folder"),
    ],
)
def test_wrong_phrases_are_told(run, corpus, tmp_path, options, status, message):
    found, _, err = run("train", corpus, "-o", tmp_path / "m", *options)
    assert (found, message in err) == (status, True), err
    assert not (tmp_path / "m").exists()


def test_messages_name_options(run, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a b"}\n')
    status, _, err = run("phrases", tmp_path / "a.jsonl")
    assert status == 2
    assert "--field" in err
    status, _, err = run("phrases", tmp_path / "a.jsonl", "--field", "text", "--threshold", "-1")
    assert status == 2
    assert "threshold must be above 0" in err


def test_connector_words():
    assert connector_words("english") == ENGLISH_CONNECTOR_WORDS
    assert connector_words(None) == frozenset()
    assert connector_words("of, the,") == {"of", "the"}

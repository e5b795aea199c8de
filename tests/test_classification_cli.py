"""Tests of firth classify: train, evaluate, predict, compare."""

import json

import numpy as np
import pytest

import firth

pytest.importorskip("sklearn", reason="needs scikit-learn: firth[tasks]")

from firth.tasks import (
    ClassifierComparison,
    TextClassifier,
    Trial,
    compare_classifiers,
    read_labelled_texts,
    split_texts,
)

WORDS = {"animals": ["cat", "dog", "cow"], "tools": ["saw", "axe", "file"]}


@pytest.fixture
def posts(tmp_path):
    """A split with headers, as 20 Newsgroups has them."""
    random = np.random.default_rng(1)
    for part, n in (("train", 20), ("test", 8)):
        for label, words in WORDS.items():
            folder = tmp_path / "posts" / f"posts-{part}" / label
            folder.mkdir(parents=True)
            for i in range(n):
                text = " ".join(random.choice(["the", "a", *words], 6))
                (folder / str(i)).write_text(f"From: me\nSubject: {i}\n\n{text} {words[i % 3]}\n")
    return tmp_path / "posts"


@pytest.fixture
def wv(tmp_path):
    matrix = np.random.default_rng(1).standard_normal((8, 6)).astype(np.float32)
    words = ["the", "a", *WORDS["animals"], *WORDS["tools"]]
    vectors = firth.KeyedVectors(firth.Vocab.from_words(words, range(8, 0, -1)), matrix)
    vectors.save(tmp_path / "wv")
    return tmp_path / "wv"


def test_train_evaluate_and_predict(run, posts, wv, tmp_path):
    news, picture = tmp_path / "news", tmp_path / "confusion.png"
    status, out, err = run(
        "classify", "train", posts, "--vectors", wv, "--model", "mean", "-o", news,
        "--headers", "strip",
    )  # fmt: skip
    assert (status, "learned from 40 texts of 2 classes" in out) == (0, True), err
    assert "is a split: taking its texts to learn from" in err
    status, out, err = run("classify", "evaluate", news, posts, "--picture", picture)
    assert status == 0
    assert "16 of 16 texts begin with the headers of a post" in err
    assert "--headers strip takes them off" in err
    assert "macro average" in out
    assert picture.read_bytes()[:4] == b"\x89PNG"
    status, out, _ = run("classify", "evaluate", news, posts / "posts-test", "--json")
    assert json.loads(out)["n_texts"] == 16
    status, out, _ = run("classify", "predict", news, "-", "-k", "2", stdin=b"the saw and an axe")
    name, label, p, other, q = out.rstrip("\n").split("\t")
    assert (status, name, label, other) == (0, "-", "tools", "animals")
    assert float(p) + float(q) == pytest.approx(1, abs=0.002)
    (tmp_path / "lines").write_bytes(b"the cat\n\ncaf\xe9 axe\n")
    status, out, err = run(
        "classify", "predict", news, tmp_path / "lines", "--lines", "--why", "3", "--json"
    )
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["classes"][0]["label"] for each in found] == ["animals", "tools"]
    assert found[1]["text"].endswith("lines, line 3")
    assert {each["word"] for each in found[0]["words"]} == {"the", "cat"}
    assert "is read as latin-1" in err


def test_compare(run, posts, wv, tmp_path):
    arguments = ("classify", "compare", posts, "--vectors", wv, "--sizes", "10,all", "--seeds", "2")
    status, out, err = run(
        *arguments, "--only", "TF-IDF", "--only", "mean of vectors", "--picture",
        tmp_path / "curve.svg",
    )  # fmt: skip
    assert status == 0, err
    lines = [line.split("\t") for line in out.splitlines()]
    assert [line[:2] for line in lines[1:]] == [
        ["TF-IDF", "10"], ["mean of vectors", "10"], ["TF-IDF", "40"], ["mean of vectors", "40"],
    ]  # fmt: skip
    assert "texts learned from" in (tmp_path / "curve.svg").read_text()
    status, out, _ = run(*arguments, "--only", "TF-IDF", "--json")
    assert [trial["seed"] for trial in json.loads(out)["trials"]] == [1, 2, 1, 2]
    status, out, _ = run(*arguments, "--only", "TF-IDF", "--markdown")
    assert out.startswith("| classifier | training texts |")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("train", "{posts}", "-o", "m"), 2, "embedding='frozen' needs vectors of words"),
        (("train", "nowhere", "-o", "m"), 1, "no such file or folder: 'nowhere'"),
        (("evaluate", "{posts}", "{posts}"), 1, "no config.json in it"),
        (("evaluate", "m", "{posts}", "--picture", "x.gif"), 2, "x.gif: a picture is named .png"),
        (("predict", "nowhere", "-"), 1, "nowhere: no such folder"),
        (("compare", "{posts}", "--sizes", "ten"), 2, "'ten' is no number"),
        (("compare", "{posts}", "--sizes", "99"), 2, "99 texts to learn from"),
        (("compare", "{posts}", "--only", "luck"), 2, "'luck' is none of"),
        (("compare", "{posts}", "--json", "--markdown"), 2, "do not go together"),
    ],
)  # fmt: skip
def test_what_is_wrong(run, posts, tmp_path, monkeypatch, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    found, _, err = run("classify", *(each.format(posts=posts) for each in arguments))
    assert (found, message in err) == (status, True), err
    assert not (tmp_path / "m").exists()


def test_all_of_a_seed_get_the_same_texts_and_differences_are_seed_by_seed(posts):
    texts = read_labelled_texts(posts / "posts-train", headers="strip")
    train, test = split_texts(texts, 0.5)
    told = []
    first, again = (
        compare_classifiers(
            train, test, None, names=["TF-IDF", "bag of words"], sizes=[6], seeds=[1, 2],
            on_trial=told.append,
        )
        for _ in range(2)
    )  # fmt: skip
    assert [t.accuracy for t in first.trials] == [t.accuracy for t in again.trials]
    assert len(told) == 8
    trials = [
        Trial(name, 9, seed, accuracy, 0.5, 1.0, 1.0)
        for name, accuracies in (("x", [0.5, 0.6, 0.7]), ("y", [0.4, 0.4, 0.6]))
        for seed, accuracy in enumerate(accuracies)
    ]
    mean, low, high = ClassifierComparison(trials, 5).difference("x", "y", 9)
    assert mean == pytest.approx(0.4 / 3)
    assert low < mean < high
    with pytest.raises(ValueError, match="no trial with 8 texts in common"):
        ClassifierComparison(trials, 5).difference("x", "y", 8)


def test_a_classifier_can_be_asked_without_pytorch(run, posts, tmp_path):
    import subprocess
    import sys

    texts = read_labelled_texts(posts / "posts-train")
    TextClassifier(model="tfidf").fit(texts.texts, texts.labels).save(tmp_path / "m")
    code = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from firth.tasks import TextClassifier\n"
        f"print(TextClassifier.load({str(tmp_path / 'm')!r}).predict(['the axe']))\n"
        "try: TextClassifier(model='kim', embedding='scratch').fit(['a b', 'c'], ['x', 'y'])\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "['tools']" in done.stdout
    assert "pip install 'firth[" in done.stdout

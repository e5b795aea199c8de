"""firth tag train, evaluate, predict and compare."""

import json

import numpy as np
import pytest

from firth import KeyedVectors, Vocab

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

NAMES = ["Sally Johnson", "Robert Lin", "Ann Lee", "Joe Bloggs"]
QUICK = ["--epochs", "12", "--hidden-size", "16", "--learning-rate", "0.02", "--batch-size", "4"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with sentences to learn from, others to test with, and vectors."""
    folder = tmp_path_factory.mktemp("tag")
    for name, names in (("train", NAMES), ("test", ["Zoe Zander", "Ann Lee"])):
        lines = []
        for person in names:
            for fruit in ("orange", "apple", "lemon"):
                first, last = person.split()
                lines += [f"{first}\tB-person", f"{last}\tI-person", "is\tO", "a\tO", f"{fruit}\tO"]
                lines += ["farmer\tO", "", "The\tO", f"{fruit}\tO", "is\tO", "ripe\tO", ""]
        (folder / f"{name}.conll").write_text("\n".join(lines))
    words = ["is", "a", "the", "ripe", "orange", "apple", "lemon", "durian", "farmer"]
    vectors = np.random.default_rng(1).normal(size=(len(words), 12)).astype(np.float32)
    KeyedVectors(Vocab.from_words(words), vectors).save(folder / "vectors")
    return folder


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Compute with one thread: networks this small gain nothing by more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tagger(folder):
    from firth import cli

    arguments = ["tag", "train", folder / "train.conll", "--vectors", folder / "vectors"]
    arguments += ["--validation", folder / "test.conll", "-o", folder / "names", *QUICK]
    assert cli.main([str(argument) for argument in arguments]) == 0
    return folder / "names"


def test_training_tells_what_it_learned(folder, run, tmp_path):
    status, out, err = run(
        "tag", "train", folder / "train.conll", "-o", tmp_path / "names", *QUICK, "--epochs", 2
    )
    assert (status, err.count("warning")) == (0, 0)
    assert out.startswith("1 labels learned from 24 sentences in ")
    assert "on held-out ones" in out
    assert "have vectors" not in out
    assert (tmp_path / "names" / "network.safetensors").exists()


def test_a_tagger_is_not_replaced_unasked(folder, tagger, run):
    status, _, err = run("tag", "train", folder / "train.conll", "-o", tagger, *QUICK)
    assert status == 1
    assert "--force" in err


def test_scores_are_printed(folder, tagger, run):
    status, out, _ = run("tag", "evaluate", tagger, folder / "test.conll")
    assert status == 0
    header, person, every, each_once = (line.split("\t") for line in out.splitlines())
    assert header[:4] == ["label", "precision", "recall", "F1"]
    assert person[0] == "person"
    assert every[4] == "6"
    assert each_once[4] == "2"
    status, out, _ = run("tag", "evaluate", tagger, folder / "test.conll", "--json")
    told = json.loads(out)
    assert told["f1"] == pytest.approx(float(every[3]), abs=1e-4)
    assert told["labels"]["person"]["n_true"] == 6


def test_entities_are_found(tagger, run):
    status, out, _ = run("tag", "predict", tagger, "Ann Lee is a lemon farmer", "The lemon is ripe")
    assert status == 0
    assert out.splitlines() == ["[person Ann Lee] is a lemon farmer", "The lemon is ripe"]


def test_entities_as_json_from_standard_input(tagger, run):
    text = b"Ann Lee is a lemon farmer\n\nThe lemon is ripe\n"
    status, out, _ = run("tag", "predict", tagger, "-", "--json", stdin=text)
    first, second = (json.loads(line) for line in out.splitlines())
    assert status == 0
    assert first["text"] == "Ann Lee is a lemon farmer"
    (found,) = first["entities"]
    assert (found["words"], found["label"], found["begin"], found["end"]) == (
        ["Ann", "Lee"], "person", 0, 2,
    )  # fmt: skip
    assert 0 < found["probability"] <= 1
    assert second["entities"] == []


def test_entities_as_columns_can_be_read_again(tagger, run, tmp_path):
    status, out, _ = run(
        "tag", "predict", tagger, "--columns", "Ann Lee is ill.", "The lemon is ripe"
    )
    assert status == 0
    (tmp_path / "found.conll").write_text(out)
    status, out, _ = run("tag", "evaluate", tagger, tmp_path / "found.conll", "--json")
    assert json.loads(out)["f1"] == 1


def test_taggers_are_compared(folder, run):
    status, out, _ = run(
        "tag", "compare", folder / "train.conll", folder / "test.conll",
        "--vectors", folder / "vectors", "--seeds", 2, *QUICK, "--epochs", 2,
    )  # fmt: skip
    assert status == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[:2] for row in rows[1:]] == [["scratch", "2"], ["frozen", "2"], ["fine-tuned", "2"]]
    assert "±" in rows[1][4]
    status, out, _ = run(
        "tag", "compare", folder / "train.conll", folder / "test.conll", "--json",
        "--vectors", folder / "vectors", "--seeds", 1, *QUICK, "--epochs", 1,
    )  # fmt: skip
    assert len(json.loads(out)["runs"]) == 3


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["train", "{}/train.conll", "-o", "{}/x", "--embedding", "frozen"], 2, "needs --vectors"),
        (["train", "{}/none.conll", "-o", "{}/x"], 1, "no such file"),
        (["train", "{}/broken.conll", "-o", "{}/x"], 1, "broken.conll: line 2 has 1 of the 2"),
        (["train", "{}/train.conll", "-o", "{}/x", "--tag-column", "0"], 2, "both said to be in"),
        (["evaluate", "{}/vectors", "{}/test.conll"], 1, "kind 'keyed_vectors', not 'tagger'"),
        (["predict", "{}/none", "text"], 1, "no such folder"),
        (["predict", "{}/names", "text", "--json", "--columns"], 2, "do not go together"),
    ],
)
def test_mistakes_are_told(folder, tagger, run, arguments, status, message):
    (folder / "broken.conll").write_text("a\tO\nb\n")
    given = [argument.format(folder) for argument in arguments]
    found, _, err = run("tag", *given)
    assert message in err
    assert found == status
    assert not (folder / "x").exists()


def test_help_tells_of_all(run):
    status, out, _ = run("tag", "--help")
    assert status == 0
    assert all(name in out for name in ("train", "evaluate", "predict", "compare"))

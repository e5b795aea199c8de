import json

import numpy as np
import pytest

import firth

pytest.importorskip("usearch", reason="approximate search needs usearch: firth[index]")


@pytest.fixture
def folder(tmp_path):
    vectors = np.random.default_rng(1).standard_normal((300, 6)).astype(np.float32)
    words = firth.Vocab.from_words([f"w{i}" for i in range(300)])
    firth.KeyedVectors(words, vectors).save(tmp_path / "model")
    return tmp_path / "model"


def test_an_index_is_put_into_the_folder(run, folder):
    status, out, _ = run("index", folder, "--kind", "hnsw", "--dtype", "int8", "--threads", 1)
    assert status == 0
    index = firth.load(folder).index
    assert index.about["dtype"] == "int8"
    assert out == (
        f"300 of 300 words; finds {100 * index.recall:.1f} % of the ten nearest of a word, "
        f"{100 * index.recall_of_sums:.1f} % of those of two words together\n"
    )
    status, out, _ = run("index", folder, "--json", "--bits", 24, "--recall", 0.5)
    assert status == 0
    assert json.loads(out) == firth.load(folder).index.about
    assert json.loads(out)["bits"] == 24


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "FOLDER"),
        (["{folder}", "--recall", "1"], 2, "target_recall must be above 0 and below 1, not 1.0"),
        (
            ["{folder}", "--kind", "hnsw", "--connectivity", "1"],
            2,
            "connectivity must be a whole number from 2",
        ),
        (["{folder}", "--connectivity", "9"], 2, "no setting of an index of kind 'rabitq'"),
        (["{folder}", "--dtype", "float64"], 2, "float64"),
        (["{folder}/config.json"], 1, "this is a file; give the folder that firth wrote"),
        (["{folder}/nothing"], 1, "no such folder"),
    ],
)
def test_what_cannot_be_indexed(run, folder, arguments, status, message):
    found, out, err = run("index", *(a.format(folder=folder) for a in arguments))
    assert (found, out) == (status, "")
    assert message in err
    assert not (folder / "index.safetensors").exists()

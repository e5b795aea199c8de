"""Among which words the asking commands look."""

import json

import numpy as np
import pytest

from firth import KeyedVectors, Vocab

WORDS = ["king", "kings", "queen", "kin", "king's", "apple"]


@pytest.fixture
def model(tmp_path):
    angles = np.radians([0, 10, 20, 30, 40, 90])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    KeyedVectors(Vocab.from_words(WORDS), rows).save(tmp_path / "m")
    return tmp_path / "m"


def words_of(out):
    return [line.split("\t")[0] for line in out.splitlines()]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], ["kings", "queen", "kin", "king's", "apple"]),
        (["--prefix", "king"], ["kings", "king's"]),
        (["--pattern", "n$"], ["queen", "kin"]),
        (["--ranks", "3:4"], ["queen", "kin"]),
        (["--ranks", "5:"], ["king's", "apple"]),
        (["--ranks", ":2"], ["kings"]),
        (["--prefix", "k", "--pattern", "s$", "--ranks", "3:"], ["king's"]),
        (["--prefix", "z"], []),
    ],
)
def test_neighbours_among_some(run, model, options, found):
    status, out, err = run("similar", model, "king", *options)
    assert (status, err) == (0, "")
    assert words_of(out) == found


def test_neighbours_among_the_words_of_a_file(run, model, tmp_path):
    (tmp_path / "words").write_text("\ufeffapple\n\n  nobody\nkin\n", encoding="utf-8")
    assert words_of(run("similar", model, "king", "--among", tmp_path / "words")[1]) == [
        "kin",
        "apple",
    ]
    status, _, err = run("similar", model, "king", "--among", tmp_path / "none")
    assert status != 0
    assert "none: cannot be read" in err
    (tmp_path / "words").write_bytes(b"apple\n\xff")
    status, _, err = run("similar", model, "king", "--among", tmp_path / "words")
    assert status != 0
    assert "byte 6 is not UTF-8" in err


def test_analogies_by_products(run, model):
    added = run("analogy", model, "king", "kings", "queen", "--json", "-k", "2")[1]
    multiplied = run("analogy", model, "king", "kings", "queen", "--json", "--multiply", "-k", "2")[
        1
    ]
    for out in (added, multiplied):
        assert [answer["word"] for answer in json.loads(out)["answers"]] == ["kin", "king's"]
    assert added != multiplied
    assert words_of(run("analogy", model, "king", "kings", "queen", "--prefix", "a")[1]) == [
        "apple"
    ]
    status, _, err = run("analogy", model, "king", "kings", "queen", "--multiply", "--prefix", "a")
    assert status == 2
    assert "--multiply looks among all words" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ranks", "5"], "'5' is no range of ranks; give two from 1 on"),
        (["--ranks", "0:5"], "is no range of ranks"),
        (["--ranks", "a:b"], "is no range of ranks"),
        (["--pattern", "("], "is no regular expression"),
    ],
)
def test_filters_that_are_none(run, model, options, message):
    status, out, err = run("similar", model, "king", *options)
    assert status == 2
    assert out == ""
    assert message in err


def test_info_tells_what_is_kept_and_what_is_never_found(run, tmp_path):
    wv = KeyedVectors(Vocab.from_words(["a", "b"]), np.array([[1, 0], [0, 0]], np.float32))
    wv.astype("int8").save(tmp_path / "m")
    told = json.loads(run("info", tmp_path / "m", "--json")[1])
    assert told["dtype"] == "int8"
    assert told["rows_without_direction"] == 1

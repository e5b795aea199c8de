"""Pictures of a few words, and the commands that draw."""

import re
import sys

import numpy as np
import pytest

import firth
from firth.errors import MissingExtraError, OutputError, ParameterError, WordNotFoundError
from firth.maps import plot_analogy, plot_neighbours, plot_similarity
from firth.maps._plots import _alike_together, _mean_cosine, _plane

pytest.importorskip("matplotlib", reason="needs Matplotlib")

WORDS = ["man", "woman", "king", "queen", "uncle", "aunt", "green", "blue"]
VECTORS = np.array(
    [
        [1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 3, 0], [1, 1, 3, 0], [2, 0, 0, 1], [2, 1, 0, 1],
        [-3, 0, 0, 1], [-3, 0, 0.2, 1],
    ],
    np.float32,
)  # fmt: skip


@pytest.fixture
def wv():
    return firth.KeyedVectors(firth.Vocab.from_words(WORDS), VECTORS)


@pytest.fixture
def model(wv, tmp_path):
    folder = tmp_path / "vectors"
    wv.save(folder)
    return folder


def texts(file):
    return re.findall(r"<text[^>]*>([^<]+)</text>", file.read_text(encoding="utf-8"))


def test_pairs_of_one_relation_are_parallel_in_their_plane():
    random = np.random.default_rng(0)
    begins = random.normal(size=(5, 8))
    ends = begins + np.eye(8)[2] * 2
    points, share = _plane(begins.astype(np.float32), ends.astype(np.float32))
    arrows = points[1::2] - points[::2]
    np.testing.assert_allclose(arrows, np.tile([0, 2], (5, 1)), atol=1e-5)
    assert 0 < share <= 1
    assert _mean_cosine(ends - begins) == pytest.approx(1)


def test_the_plane_keeps_all_of_what_is_flat():
    begins = np.array([[0, 0, 1], [2, 0, 1]], np.float32)
    ends = np.array([[0, 1, 1], [2, 1, 1]], np.float32)
    points, share = _plane(begins, ends)
    assert share == pytest.approx(1)
    assert np.ptp(points, axis=0) == pytest.approx([2, 1])


def test_every_word_of_an_analogy_is_written(wv, tmp_path):
    file = tmp_path / "pairs.svg"
    plot_analogy(wv, WORDS, file)
    assert set(WORDS) <= set(texts(file))
    assert any("Mean cosine" in text for text in texts(file))
    plot_analogy(wv, ["man", "woman", "man", "woman"], tmp_path / "same.png")
    plot_analogy(wv, ["man", "man", "king", "king"], tmp_path / "still.png")


def test_similar_words_stand_together_in_the_heat_map(wv, tmp_path):
    pytest.importorskip("scipy", reason="needs SciPy")
    units = wv.get_vectors(["green", "man", "blue", "woman"], norm=True)
    order = _alike_together(units @ units.T)
    assert abs(order.index(0) - order.index(2)) == 1
    file = tmp_path / "similar.svg"
    plot_similarity(wv, ["green", "man", "blue"], file, theme="dark")
    assert {"green", "man", "blue", f"{wv.similarity('green', 'man'):.2f}"} <= {
        text.replace("\N{MINUS SIGN}", "-") for text in texts(file)
    }


def test_neighbours_are_those_of_the_vectors(wv, tmp_path):
    file = tmp_path / "near.svg"
    plot_neighbours(wv, "king", file, topn=3, title="Near")
    near = wv.most_similar("king", topn=3)
    assert [text for text in texts(file) if text in WORDS] == [word for word, _ in near]
    assert "Near" in texts(file)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_picture_is_the_same_file(wv, tmp_path, suffix):
    files = [tmp_path / f"{name}{suffix}" for name in ("a", "b")]
    for file in files:
        plot_analogy(wv, WORDS[:4], file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_cannot_be_drawn_is_told(wv, tmp_path):
    file = tmp_path / "x.png"
    with pytest.raises(ParameterError, match="3 words are not two pairs"):
        plot_analogy(wv, WORDS[:3], file)
    with pytest.raises(ParameterError, match="more than a picture of them can show"):
        plot_similarity(wv, ["man"] * 61, file)
    with pytest.raises(ParameterError, match="two words or more"):
        plot_similarity(wv, ["man"], file)
    with pytest.raises(ParameterError, match="give plot_similarity a list of words"):
        plot_similarity(wv, "man", file)
    with pytest.raises(ParameterError, match="topn must be 1 to 60"):
        plot_neighbours(wv, "man", file, topn=0)
    with pytest.raises(WordNotFoundError, match="qeen"):
        plot_analogy(wv, ["man", "woman", "king", "qeen"], file)
    with pytest.raises(OutputError, match=r"ends in .png, .svg or .pdf"):
        plot_neighbours(wv, "man", tmp_path / "x.html")
    zero = firth.KeyedVectors(firth.Vocab.from_words(["a", "b"]), np.eye(2) * [0, 1])
    with pytest.raises(ParameterError, match="the vector of 'a' is zero"):
        plot_similarity(zero, ["a", "b"], file)
    with pytest.raises(ParameterError, match="no neighbours"):
        plot_neighbours(zero, "a", file)
    assert not file.exists()


def test_without_matplotlib_the_extra_is_named(wv, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (plot_analogy, plot_similarity):
        with pytest.raises(MissingExtraError, match=r"pip install 'firth\[plot\]'"):
            draw(wv, WORDS[:4], tmp_path / "x.png")


# --- the commands ---------------------------------------------------------------------------------


def test_the_commands_draw(run, model, tmp_path):
    file = tmp_path / "x.png"
    for arguments in (
        ("plot", "analogy", model, *WORDS[:4]),
        ("plot", "similarity", model, *WORDS[:4]),
        ("plot", "neighbours", model, "king", "-k", 3, "--theme", "dark"),
        ("map", model, "--method", "pca", "--color", "frequency", "--labels", 3),
    ):
        status, out, err = run(*arguments, "-o", file)
        assert (status, err) == (0, "")
        assert str(file) in out
        assert file.read_bytes().startswith(b"\x89PNG")
        file.unlink()


@pytest.mark.filterwarnings("default")
def test_a_map_of_the_words_of_a_file(run, model, tmp_path):
    words, page = tmp_path / "words.txt", tmp_path / "map.html"
    words.write_text("man\nwoman\nking\nlemon\n")
    status, out, err = run(
        "map", model, "-o", page, "--words", words, "--method", "pca", "--color", "frequency"
    )
    assert status == 0
    assert "3 words drawn to" in out
    assert "warning: 1 of 4 words have no vector: lemon" in err
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("map", "VECTORS", "-o", "x.gif"), 1, "give a name that ends in"),
        (("map", "VECTORS", "-o", "x.png", "--words", "no.txt"), 1, "no.txt"),
        (("map", "VECTORS", "-o", "x.png", "--words", "w", "--top", "3"), 2, "leave out --top"),
        (("map", "VECTORS", "-o", "x.png", "--around", "kign"), 1, "'kign' is not among"),
        (("map", "VECTORS", "-o", "x.png", "--method", "tsne"), 2, "take method 'pca'"),
        (("map", "VECTORS"), 2, "-o"),
        (("plot", "analogy", "VECTORS", "man", "woman", "king", "-o", "x.png"), 2, "got 3 words"),
        (("plot", "similarity", "VECTORS", "man", "-o", "x.png"), 2, "two words or more"),
        (("plot", "neighbours", "VECTORS", "kign", "-o", "x.png"), 1, "'kign' is not among"),
        (("plot", "neighbours", "VECTORS", "king", "-o", "no/x.png"), 1, "there is no folder no"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    run, model, tmp_path, monkeypatch, arguments, status, message
):
    monkeypatch.chdir(tmp_path)
    arguments = [str(model) if each == "VECTORS" else each for each in arguments]
    result, out, err = run(*arguments)
    assert (result, out) == (status, "")
    assert message in err
    assert {path.name for path in tmp_path.iterdir()} == {"vectors"}


def test_plot_alone_shows_its_help(run):
    status, out, err = run("plot")
    assert status == 2
    assert "analogy" in out + err

"""Words in a plane: which, where, in which colours; pictures and pages of them."""

import json
import re
import sys
import warnings

import numpy as np
import pytest

import firth
from firth.errors import (
    FormatError,
    InputError,
    MissingExtraError,
    OutputError,
    ParameterError,
    WordNotFoundError,
)
from firth.maps import WordMap, map_words, project
from firth.maps._choosing import MOST_WORDS
from firth.maps._colours import GROUPS, THEMES, mixed
from firth.maps._groups import read_groups, read_words, shown
from firth.maps._labels import place_labels

GROUP_SIZE = 30
KINDS = ("animal", "colour", "city")


def clustered(extra=()):
    """Vectors of three groups of words that lie far apart, and counts that fall."""
    random = np.random.default_rng(3)
    centres = random.normal(size=(3, 12)) * 3
    words = [f"{KINDS[i % 3]}{i // 3}" for i in range(3 * GROUP_SIZE)]
    vectors = np.stack([centres[i % 3] + random.normal(0, 0.4, 12) for i in range(len(words))])
    counts = np.arange(len(words), 0, -1) * 10
    if extra:
        words += [word for word, _ in extra]
        vectors = np.concatenate([vectors, [vector for _, vector in extra]])
        counts = np.concatenate([counts, np.ones(len(extra), int)])
    return firth.KeyedVectors(
        firth.Vocab.from_words(words, counts), np.asarray(vectors, np.float32)
    )


@pytest.fixture(scope="module")
def wv():
    return clustered()


@pytest.fixture(scope="module")
def by_pca(wv):
    pytest.importorskip("matplotlib", reason="needs Matplotlib")
    return map_words(wv, method="pca", color="frequency")


def together(word_map):
    """The share of words whose nearest point in the plane is of their own kind."""
    points = word_map.coordinates.astype(float)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    kinds = [re.sub(r"\d", "", word) for word in word_map.words]
    return np.mean([kinds[i] == kinds[j] for i, j in enumerate(distances.argmin(axis=1))])


# --- the plane ------------------------------------------------------------------------------------


def test_principal_components_are_those_of_numpy():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(50, 6)) * [5, 3, 1, 1, 1, 1]
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    _, sizes, _ = np.linalg.svd(units - units.mean(axis=0), full_matrices=False)
    points = project(vectors, "pca")
    assert points.shape == (50, 2)
    assert points.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(points, axis=0), sizes[:2], rtol=1e-4)


@pytest.mark.parametrize(("method", "package"), [("tsne", "openTSNE"), ("umap", "umap")])
def test_neighbours_stay_together_and_a_seed_gives_the_same_map(wv, method, package):
    pytest.importorskip(package, reason=f"needs {package}")
    pytest.importorskip("matplotlib", reason="needs Matplotlib")
    first, again = (map_words(wv, method=method, color="frequency", seed=4) for _ in range(2))
    assert together(first) > 0.95
    assert np.array_equal(first.coordinates, again.coordinates)


def test_how_far_it_is_is_told_and_what_that_raises_ends_it(wv):
    pytest.importorskip("openTSNE", reason="needs openTSNE")
    told = []
    map_words(wv, color="frequency", on_progress=told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)

    def give_up(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_words(wv, color="frequency", on_progress=give_up)


def test_vectors_are_mapped_by_a_method_of_their_own(wv, by_pca):
    made = wv.map(method="pca", color="frequency")
    assert np.array_equal(made.coordinates, by_pca.coordinates)
    assert wv.map(["city0", "city1"], method="pca", color="frequency").words == ["city0", "city1"]


def test_the_plane_is_widest_from_left_to_right(by_pca):
    spread = by_pca.coordinates.std(axis=0)
    assert spread[0] >= spread[1]


def test_vectors_of_one_dimension_lie_on_a_line():
    points = project(np.array([[1.0], [-2.0], [3.0]]), "pca")
    assert np.ptp(points[:, 1]) == 0
    assert points[0, 0] == points[2, 0] != points[1, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "som"}, "'som'; there are tsne, umap, pca"),
        ({"method": "tsne", "top": 9}, "9 words are too few for tsne, which needs 10"),
        ({"top": 0}, "top must be 1 or more"),
        ({"top": 1, "method": "pca"}, "one word alone"),
        ({"words": ["animal1"], "top": 5}, "leave out top and around"),
        ({"words": "animal1"}, "give a list of words"),
        ({"color": "taste", "method": "pca"}, "'taste', which is no file"),
        ({"clusters": 8, "method": "pca"}, "clusters must be 1 to 7"),
    ],
)
def test_wrong_parameters_are_told(wv, arguments, message):
    with pytest.raises(ParameterError, match=re.escape(message)):
        map_words(wv, **arguments)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.zeros((3, 2)), "row 0 of vectors is zero"),
        (np.array([[1, 2], [np.nan, 1]]), "row 1 of vectors is zero or not finite"),
        (np.zeros(3), "must be a matrix"),
    ],
)
def test_vectors_that_cannot_be_laid_out_are_told(vectors, message):
    with pytest.raises(ParameterError, match=message):
        project(vectors, "pca")


@pytest.mark.parametrize(("method", "package"), [("tsne", "openTSNE"), ("umap", "umap")])
def test_without_its_package_the_extra_is_named(wv, monkeypatch, method, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'firth\[map\]'"):
        map_words(wv, method=method)


# --- which words ----------------------------------------------------------------------------------


def test_the_first_words_are_mapped_or_those_around_one(wv):
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    assert map_words(wv, top=12, method="pca").words == wv.index_to_key[:12]
    near = map_words(wv, around="city3", top=15, method="pca")
    assert near.around == "city3"
    assert set(near.words) == {"city3"} | {w for w, _ in wv.most_similar("city3", topn=15)}
    with pytest.raises(WordNotFoundError):
        map_words(wv, around="town", method="pca")


def test_words_without_a_vector_are_left_out_and_told(wv):
    with pytest.warns(UserWarning, match=r"2 of 5 words have no vector: town, village; they are"):
        made = map_words(
            wv, ["town", "city1", "village", "city0", "city2", "city1"], method="pca",
            color="frequency",
        )  # fmt: skip
    assert made.words == ["city0", "city1", "city2"]
    with pytest.raises(InputError, match="nothing to draw"):
        map_words(wv, ["town"], method="pca")


def test_vectors_without_a_direction_are_left_out_and_told():
    wv = clustered([("nought", np.zeros(12)), ("none", np.full(12, np.nan))])
    with pytest.warns(UserWarning, match="2 words are zero or not finite: nought, none"):
        made = map_words(wv, method="pca", color="frequency")
    assert len(made) == len(wv) - 2
    empty = firth.KeyedVectors(vector_size=4)
    with pytest.raises(InputError, match="no words"):
        map_words(empty)


def test_too_many_words_are_thinned_and_told(monkeypatch):
    monkeypatch.setattr("firth.maps._choosing.MOST_WORDS", 20)
    with pytest.warns(UserWarning, match="the first 20 are drawn"):
        made = map_words(clustered(), top=50, method="pca", color="frequency")
    assert len(made) == 20
    assert MOST_WORDS == 100_000


# --- colours --------------------------------------------------------------------------------------


def test_clusters_are_found_and_named_by_their_words(wv):
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    made = map_words(wv, method="pca", clusters=3)
    found = {
        (re.sub(r"\d", "", word), group)
        for word, group in zip(made.words, made.colouring.groups.tolist(), strict=True)
    }
    assert len(found) == 3
    for kind, group in found:
        assert re.sub(r"\d", "", made.colouring.names[group]) == ", ".join([kind] * 3)


def test_frequency_is_a_scale_and_falls_back_to_places(wv):
    values = map_words(wv, method="pca", color="frequency").colouring.values
    assert values[0] == 1
    assert values[-1] == 0
    assert (np.diff(values) < 0).all()
    uncounted = firth.KeyedVectors(firth.Vocab.from_words(list(wv.index_to_key)), wv.vectors)
    places = map_words(uncounted, method="pca", color="frequency").colouring
    assert places.title == "place in the vocabulary"
    assert places.ends == ("90", "1")
    assert places.values[0] == 1


def test_a_file_says_the_groups(wv, tmp_path):
    file = tmp_path / "kinds.tsv"
    file.write_text("city0\tA town\ncity1\tA town\nanimal0\tbeast\n\nnobody\tx\n")
    colouring = map_words(wv, method="pca", color=file, top=9).colouring
    assert (colouring.title, colouring.names) == ("kinds", ["A town", "beast"])
    assert colouring.groups.tolist() == [1, -1, 0, -1, -1, 0, -1, -1, -1]


def test_numbers_of_a_mapping_are_a_scale(wv):
    given = {"city0": 1, "city1": "3", "animal0": 2.0}
    colouring = map_words(wv, method="pca", color=given, top=9).colouring
    assert colouring.is_scale
    assert colouring.ends == ("1", "3")
    assert np.isnan(colouring.values[1])
    with pytest.raises(InputError, match="says nothing of any of the 9 words"):
        map_words(wv, method="pca", color={"town": 1}, top=9)


def test_more_groups_than_colours_become_others(wv):
    given = {word: f"kind {i // 3 % 12}" for i, word in enumerate(wv.index_to_key)}
    names = map_words(wv, method="pca", color=given).colouring.names
    assert len(names) == len(GROUPS)
    assert names[-1] == "others"


def test_wrong_files_are_told_with_their_line(tmp_path):
    file = tmp_path / "groups.tsv"
    file.write_text("one\tA\nalone\n")
    with pytest.raises(FormatError, match="line 2 is 'alone'; give a word, a tab"):
        read_groups(file)
    file.write_text("")
    with pytest.raises(FormatError, match="is empty"):
        read_groups(file)
    file.write_text("\ufeffone\tA\r\n two words \n\n")
    assert read_words(file) == ["one", "two words"]


def test_colours_are_told_apart_on_both_backgrounds():
    def luminance(colour):
        parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for theme in THEMES.values():
        back = luminance(theme.back)
        for colour in GROUPS:
            word = luminance(mixed(colour, theme.text, theme.shade))
            light, dark = max(back, word), min(back, word)
            # What WCAG asks of large text; those of the words are 6 points and more.
            assert (light + 0.05) / (dark + 0.05) >= 3


# --- labels ---------------------------------------------------------------------------------------


def test_labels_never_cover_each_other_and_the_first_come_first():
    random = np.random.default_rng(1)
    points = random.uniform(0, 300, (200, 2))
    sizes = [(20 + i % 30, 10) for i in range(200)]
    placed = place_labels(points, range(200), sizes.__getitem__, (0, 0, 300, 300), gap=3, most=1000)
    assert placed[0].which == 0
    assert 30 < len(placed) < 200
    halves = [sizes[each.which][0] / 2 for each in placed]
    boxes = [
        (each.x - half, each.y - 5, each.x + half, each.y + 5)
        for each, half in zip(placed, halves, strict=True)
    ]
    for i, one in enumerate(boxes):
        assert one[0] >= 0
        assert one[1] >= 0
        assert one[2] <= 300
        assert one[3] <= 300
        for other in boxes[:i]:
            apart = (
                one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            )
            assert apart
    few = place_labels(points, range(200), sizes.__getitem__, (0, 0, 300, 300), gap=3, most=5)
    assert few == placed[:5]


# --- pictures -------------------------------------------------------------------------------------

STARTS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", STARTS)
@pytest.mark.parametrize("theme", THEMES)
def test_pictures_are_what_their_names_say_and_the_same_again(by_pca, tmp_path, suffix, theme):
    first, again = tmp_path / f"first{suffix}", tmp_path / f"again{suffix}"
    for file in (first, again):
        by_pca.save(file, theme=theme)
    assert first.read_bytes().startswith(STARTS[suffix])
    assert first.read_bytes() == again.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {first.name, again.name}


def test_a_picture_has_the_words_as_text(by_pca, tmp_path):
    file = tmp_path / "map.svg"
    by_pca.save(file, title="A title & more", labels=7)
    text = file.read_text(encoding="utf-8")
    assert ">A title &amp; more</text>" in text
    written = set(re.findall(r">(\w+)</text>", text)) & set(by_pca.words)
    assert len(written) == 7


def test_odd_words_are_drawn_as_they_are(tmp_path):
    pytest.importorskip("matplotlib", reason="needs Matplotlib")
    odd = ["$x_1$", "</script><b>", "a\tb", "x" * 5000, "שלום", "{{data}}", '"quoted"', "C&A"]
    wv = firth.KeyedVectors(
        firth.Vocab.from_words(odd), np.random.default_rng(0).normal(size=(len(odd), 4))
    )
    made = map_words(wv, method="pca", color="frequency")
    made.save(tmp_path / "map.svg")
    picture = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert "$x_1$" in picture
    assert "&lt;/script&gt;" in picture
    assert "x" * 100 not in picture
    made.save(tmp_path / "map.html")
    assert data_of(tmp_path / "map.html")["words"] == [shown(word, 200) for word in odd]


def test_what_joins_letters_stays_and_what_turns_them_is_told():
    assert shown("می\u200cخواهم") == "می\u200cخواهم"
    assert shown("👩\u200d👩") == "👩\u200d👩"
    assert shown("\u202eevil\n") == r"\u202eevil\n"


def test_characters_that_no_font_has_are_told_once(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="needs Matplotlib")
    monkeypatch.setattr("firth.maps._fonts.families", lambda: ["DejaVu Sans"])
    wv = firth.KeyedVectors(firth.Vocab.from_words(["日本", "中国", "x"]), np.eye(3))
    made = map_words(wv, method="pca", color="frequency")
    for module in ("_picture", "_plots"):
        monkeypatch.setattr(f"firth.maps.{module}.families", lambda: ["DejaVu Sans"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made.save(tmp_path / "map.png")
    assert [str(w.message)[:47] for w in caught] == [
        "some words have characters that no font here ca"
    ]


def test_a_map_shows_itself_in_a_notebook(by_pca):
    assert by_pca._repr_png_().startswith(b"\x89PNG")
    assert repr(by_pca) == "WordMap(90 words by principal components)"


def test_places_that_cannot_be_written_are_told(by_pca, tmp_path):
    with pytest.raises(OutputError, match=r"ends in .png, .svg, .pdf or .html"):
        by_pca.save(tmp_path / "map.gif")
    with pytest.raises(OutputError, match="is a folder"):
        by_pca.save(tmp_path)
    with pytest.raises(OutputError, match="there is no folder"):
        by_pca.save(tmp_path / "not" / "there.png")
    with pytest.raises(ParameterError, match="theme is 'blue'; there are light and dark"):
        by_pca.save(tmp_path / "map.png", theme="blue")
    with pytest.raises(ParameterError, match="labels must be 0 or more"):
        by_pca.save(tmp_path / "map.png", labels=-1)
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_the_extra_is_named(by_pca, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"a map needs .*pip install 'firth\[map\]'"):
        by_pca.save(tmp_path / "map.png")


def test_a_failed_write_leaves_nothing(by_pca, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.raises(OutputError, match="the disk is full"):
        by_pca.save(tmp_path / "map.png")
    assert list(tmp_path.iterdir()) == []


# --- the page -------------------------------------------------------------------------------------


def data_of(file):
    text = file.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


def test_a_page_is_complete_and_asks_for_nothing(by_pca, tmp_path):
    file = tmp_path / "map.html"
    by_pca.save(file, title="<i>Words</i>")
    text = file.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|src=|@import|url\(", text)
    assert "<title>&lt;i&gt;Words&lt;/i&gt;</title>" in text
    assert "{{" not in text
    data = data_of(file)
    assert data["words"] == by_pca.words
    assert data["counts"] == by_pca.counts.tolist()
    assert len(data["scale"]["dark"]) == len(data["scale"]["light"])


def test_the_page_lists_neighbours_of_the_full_vectors(wv, by_pca):
    for i in (0, 17, 89):
        expected = [word for word, _ in wv.most_similar(by_pca.words[i], topn=8)]
        assert [by_pca.words[j] for j in by_pca.neighbours[i]] == expected


def test_a_page_has_the_theme_that_was_asked_for(by_pca, tmp_path):
    for theme, expected in (("light", "auto"), ("dark", "dark")):
        by_pca.save(tmp_path / "map.html", theme=theme)
        assert f'data-theme="{expected}"' in (tmp_path / "map.html").read_text(encoding="utf-8")


def test_maps_are_made_of_words_with_the_same_vector(tmp_path):
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    wv = firth.KeyedVectors(firth.Vocab.from_words(["a", "b", "c"]), np.ones((3, 4)))
    made = map_words(wv, method="pca")
    made.save(tmp_path / "map.png")
    made.save(tmp_path / "map.html")
    assert isinstance(made, WordMap)

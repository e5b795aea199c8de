"""Scores as tables and as a page."""

import html.parser
import os
import re

import numpy as np
import pytest

from firth import KeyedVectors, Vocab, evaluate
from firth.errors import MissingExtraError, OutputError
from firth.evaluation import Analogies, Analogy, Association, Associations, WordPairs
from firth.evaluation._pictures import coverage_of
from firth.evaluation._tables import told, told_p

N = 1300
WORDS = [f"w{i}" for i in range(N)]


@pytest.fixture(scope="module")
def found():
    draw = np.random.default_rng(0)
    good = KeyedVectors(Vocab.from_words(WORDS), draw.normal(size=(N, 16)).astype(np.float32))
    noise = 2 * draw.normal(size=(N, 16))
    bad = KeyedVectors(Vocab.from_words(WORDS[:1200]), (good.vectors + noise)[:1200])
    chosen = [(f"w{a}", f"w{b}") for a, b in draw.integers(0, N, (200, 2)).tolist()]
    pairs = WordPairs("pairs_of & words", chosen, [good.similarity(*pair) for pair in chosen])
    a, b, c = WORDS[:3]
    d = good.most_similar([b, c], [a], topn=1)[0][0]
    asked = [Analogy(a, b, c, (d,)), Analogy(a, b, c, ("w9",))]
    questions = Analogies("analogies", {"gram1": asked[:1], "other": asked})
    weat = Associations("weat", [Association("x|y", ("w1", "w2"), ("w3", "w4"), ("w5",), ("w6",))])
    models = {"a<b>_1": good, "bad": bad}
    pytest.importorskip("scipy", reason="needs SciPy")
    return evaluate(models, [pairs, questions, weat], n_resamples=200)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("3CosAdd", 0.5, "50.0"), ("purity", 0.1234, "12.3"), ("Spearman", -0.12345, "-0.123"),
        ("effect size", 1.234, "1.23"), ("OPP", float("nan"), "-"),
    ],
)  # fmt: skip
def test_numbers_are_told_as_papers_do(metric, value, text):
    assert told(metric, value) == text


def test_p_values_are_told():
    assert [told_p(p) for p in (0.5, 0.01234, 1e-6, float("nan"))] == [
        "p = 0.5", "p = 0.012", "p < 0.0001", "p -",
    ]  # fmt: skip


def test_the_grid_says_what_is_best_and_what_is_different(found):
    grid = found.grid()
    assert grid.models == ["a<b>_1", "bad"]
    rows = {(row.label, row.metric): row for row in grid.rows}
    good, bad = rows["pairs_of & words", "Spearman"].cells
    assert (good.value, good.is_best, good.is_different) == ("1.000", True, False)
    assert (bad.is_best, bad.is_different, bad.star) == (False, True, "*")
    # What is covered differs, so it stands with each score.
    assert rows["pairs_of & words", "Spearman"].coverage == ""
    assert (good.coverage, bad.coverage[-1]) == ("100%", "%")
    assert rows["analogies", "3CosAdd"].coverage == "100%"
    # The effect of a bias is none the better for being large.
    assert not any(cell.is_best for cell in rows["x|y", "effect size"].cells)
    assert rows["x|y", "effect size"].cells[0].p_value.startswith("p = ")
    assert not rows["x|y", "effect size"].is_part
    assert "left out" in grid.notes[0]
    assert any("differs from a<b>_1" in note for note in grid.notes)
    assert [heading for heading, _ in grid.by_kind()] == [
        "Analogies, % right", "Similarity, correlation", "Associations",
    ]  # fmt: skip
    parts = [row.label for row in found.grid(sections=True).rows if row.is_part]
    assert parts == [s for s in ("semantic", "syntactic", "gram1", "other") for _ in range(2)]


def test_markdown(found):
    lines = found.to_markdown(sections=True).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {7}
    assert "| pairs_of & words | Spearman | 200 |  | **1.000**" in lines[8] + "".join(lines)
    assert "&nbsp;&nbsp;gram1" in "".join(lines)
    assert r"x\|y" in "".join(lines)
    assert str(found) == found.to_markdown()
    assert repr(found) == "<Evaluation of a<b>_1, bad on 3 test sets>"


def test_latex(found):
    text = found.to_latex(sections=True)
    rows = [
        line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line
    ]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {5}
    assert r"pairs\_of \& words" in text
    assert r"\textbf{1.000}" in text
    assert r"\quad gram1" in text
    assert text.count(r"\begin") == text.count(r"\end") == 1
    assert re.search(r"(?<!\\)%", text.split(r"\bottomrule")[0].split("\n", 1)[1]) is None


def test_coverage_is_that_of_whole_test_sets(found):
    shares = coverage_of(found.scores)
    assert shares["pairs_of & words", "a<b>_1"] == 1
    score = found.score("pairs_of & words", model="bad")
    assert shares["pairs_of & words", "bad"] == score.coverage < 1
    assert shares["analogies", "bad"] == 1
    # Associations have sections only.
    assert shares["weat", "bad"] == 1
    assert found.sizes == {"pairs_of & words": 200, "analogies": 3, "weat": 4}


class _Checked(html.parser.HTMLParser):
    """Holds that elements are closed in order, and collects what is loaded from elsewhere."""

    EMPTY = ("meta", "br", "path", "use", "rect")

    def __init__(self):
        super().__init__()
        self.open, self.loaded, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.EMPTY:
            self.open.append(tag)
        self.loaded += [v for k, v in attributes if k in {"src", "href", "xlink:href"}]

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_report_is_complete_in_itself(found, tmp_path):
    pytest.importorskip("matplotlib", reason="needs Matplotlib")
    path = tmp_path / "report.html"
    path.write_text("old")
    found.save_report(path)
    page = path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]
    checked = _Checked()
    checked.feed(page)
    assert checked.open == []
    assert all(target.startswith("#") for target in checked.loaded)
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", page)
    assert "<b>_1" not in page
    text = "".join(checked.text)
    for expected in ("a<b>_1", "pairs_of & words", "Scores by frequency", "Sections of analogies",
                     "Differences", "1.000", "place of the rarest word"):  # fmt: skip
        assert expected in text
    ids = re.findall(r'\bid="([^"]+)"', page)
    drawn = [name for name in ids if re.fullmatch(r"[mp][0-9a-f]{10}", name)]
    assert drawn
    found.save_report(tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_a_report_of_one_model_without_intervals(tmp_path):
    pytest.importorskip("matplotlib", reason="needs Matplotlib")
    wv = KeyedVectors(Vocab.from_words(WORDS[:5]), np.eye(5, dtype=np.float32))
    pairs = WordPairs("p", [("w0", "w1"), ("no", "w2")], [1.0, 2.0])
    evaluate(wv, pairs, n_resamples=0).save_report(tmp_path / "r.html")
    assert "Differences" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written(found, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="needs Matplotlib")
    with pytest.raises(OutputError, match=r"r\.html: there is no folder .*none; make it"):
        found.save_report(tmp_path / "none" / "r.html")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="folder: is a folder; give the name"):
        found.save_report(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="pipe: is no regular file"):
        found.save_report(tmp_path / "pipe")
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"a report with pictures needs.*firth\[plot\]"):
        found.save_report(tmp_path / "r.html")

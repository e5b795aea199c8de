"""The site of the documentation: its navigation, its reference, and that it is whole."""

import importlib
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import firth

REPOSITORY = Path(__file__).resolve().parents[1]
SITE = REPOSITORY / "docs" / "site"


@pytest.fixture
def site(monkeypatch):
    """The modules that build the site, by name."""
    monkeypatch.syspath_prepend(str(SITE))
    return importlib.import_module


@pytest.fixture
def built(site, tmp_path):
    """The whole site, and what is wrong with it."""
    for package in ("zensical", "mkdocstrings"):
        if find_spec(package) is None:
            pytest.skip(f"needs {package}")
    problems = site("build_site").build(tmp_path / "site")
    return tmp_path / "site" / "html", problems


def test_the_site_builds_without_warnings_and_its_links_lead_somewhere(built):
    html, problems = built
    assert problems == []
    for page in ("index", "start", "contributing", "changes", "404"):
        assert (html / f"{page}.html").is_file()
    # Every public name has a page that its docstring fills.
    for name in set(firth.__all__) - {"errors", "layers"}:
        text = (html / "reference" / f"{name}.html").read_text(encoding="utf-8")
        assert f'id="firth.{name}"' in text
    text = (html / "reference" / "Word2Vec.html").read_text(encoding="utf-8")
    assert "Words on either side of a word that count as its context." in text
    # The tables of docs/api.md lead there, and marks for the tests are not shown.
    text = (html / "api.html").read_text(encoding="utf-8")
    assert 'href="reference/KeyedVectors.html#firth.KeyedVectors"' in text
    assert "not run:" not in (html / "hub.html").read_text(encoding="utf-8")


def test_the_navigation_is_that_of_the_index(site):
    menu = site("build_site").navigation(
        "# t\n\n[x](../README.md)\n\n## How to\n\nText.\n\n- [Ask](ask.md): it\n"
        "- [Change](../CONTRIBUTING.md): how\n\n## Alone\n\n- [It](it.md)\n\n"
        "## Reference\n\n- [All](api.md): names\n",
        ["reference/load.md", "reference/firth.hub.md"],
    )
    assert menu[2:] == [
        {"How to": [{"Ask": "ask.md"}, {"Change": "contributing.md"}]},
        {"Alone": "it.md"},
        {
            "Reference": [
                {"All": "api.md"},
                {"firth": [{"load": "reference/load.md"}]},
                {"Modules of firth": [{"firth.hub": "reference/firth.hub.md"}]},
            ]
        },
    ]


def test_settings_with_the_navigation_are_toml(site):
    text = site("build_site").settings([{'a "quoted" name': "ä.md"}, {"b": [{"c": "c.md"}]}])
    settings = tomllib.loads(text)["project"]
    assert settings["nav"] == [{'a "quoted" name': "ä.md"}, {"b": [{"c": "c.md"}]}]
    python = settings["plugins"]["mkdocstrings"]["handlers"]["python"]
    assert python["paths"] == [str(REPOSITORY / "src")]


def test_all_pages_of_the_index_are_in_the_navigation(site):
    index = (REPOSITORY / "docs" / "index.md").read_text(encoding="utf-8")
    pages = set(
        re.findall(
            r'"([\w/.-]+\.md)"', str(site("build_site").navigation(index, [])).replace("'", '"')
        )
    )
    here = {
        p.relative_to(REPOSITORY / "docs").as_posix() for p in (REPOSITORY / "docs").rglob("*.md")
    }
    assert here | {"start.md", "contributing.md", "changes.md"} == pages


def test_links_become_those_of_the_site(site):
    build = site("build_site")
    paths = build.site_paths()
    text = (
        "See [a](../README.md#two), [b](text.md), [c](https://example.org), [d](#here), "
        "[e](../LICENSE).\n<!-- not run: it needs the sea -->\n```python\n[f](../README.md)\n```\n"
    )
    assert build.relink(text, REPOSITORY / "docs" / "hub.md", paths) == (
        "See [a](start.md#two), [b](text.md), [c](https://example.org), [d](#here), "
        "[e](files/LICENSE).\n```python\n[f](../README.md)\n```\n"
    )
    assert paths[REPOSITORY / "LICENSE"] == "files/LICENSE"
    assert build.relink("[a](docs/hub.md)", REPOSITORY / "README.md", paths) == "[a](hub.md)"
    with pytest.raises(build.SiteError, match=r"docs/hub.md links to gone.md: there is no file"):
        build.relink("[a](gone.md)", REPOSITORY / "docs" / "hub.md", paths)


API = """# Names

## firth

| name | what it is |
|---|---|
| `load(path)` | loads `nothing` |
| `errors` | the module |

## firth.models

| `Probe`, `RULE_KEEP` | looks |

## Other doors

| `firth.hub.Source`, the same in `firth.layers.jax` | a source |

## Environment variables

| `FIRTH_CACHE` | a folder |
"""


def test_the_reference_is_what_the_page_of_names_lists(site):
    reference = site("reference_pages")
    names = reference.public_names(API)
    assert names == ["firth.load", "firth.models.Probe", "firth.hub.Source"]
    pages = reference.reference_pages(names)
    assert list(pages) == [
        "reference/load.md",
        "reference/firth.models.md",
        "reference/firth.hub.md",
    ]
    assert pages["reference/load.md"].startswith("::: firth.load\n")
    assert pages["reference/firth.hub.md"].startswith("# firth.hub\n\n::: firth.hub.Source\n")
    linked = reference.link_names(API)
    assert "| [`load(path)`](reference/load.md#firth.load) | loads `nothing` |" in linked
    assert "[`Probe`](reference/firth.models.md#firth.models.Probe), `RULE_KEEP`" in linked
    assert "| `FIRTH_CACHE` | a folder |" in linked


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="gone.html">', "links to gone.html, which is not there"),
        ('<a href="other.html#nowhere">', "links to other.html#nowhere, a place that"),
        ('<a href="#nowhere">', "links to #nowhere, a place that"),
        ('<img src="gone.png">', "links to gone.png, which is not there"),
        ('<script src="https://cdn.example.org/a.js"></script>', "reading it would fetch https:"),
        ('<link rel="stylesheet" href="//fonts.example.org/a.css">', "reading it would fetch //"),
        ('<a href="other.html#here">', None),
        ('<a href="../index.html">', None),
        ('<a href="https://example.org/">', None),
        ('<link rel="canonical" href="https://example.org/a.html">', None),
    ],
)
def test_what_is_wrong_with_a_page_is_found(site, tmp_path, body, problem):
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text("<h1>t</h1>")
    (tmp_path / "sub" / "other.html").write_text('<h1 id="here">t</h1>')
    (tmp_path / "sub" / "page.html").write_text(body)
    found = site("check_site").problems_of(tmp_path)
    assert len(found) == (problem is not None)
    if problem:
        assert found[0].startswith(f"sub/page.html: {problem}")


def test_styles_that_fetch_fonts_are_found(site, tmp_path):
    check = site("check_site")
    assert "there are no pages" in check.problems_of(tmp_path)[0]
    (tmp_path / "index.html").write_text("<h1>t</h1>")
    (tmp_path / "a.css").write_text(
        "@import 'https://e.org/f.css'; a{b:url(//e.org/f.woff)} c{d:url(e.svg)}"
    )
    assert check.problems_of(tmp_path) == [
        "a.css: reading it would fetch https://e.org/f.css",
        "a.css: reading it would fetch //e.org/f.woff",
    ]

"""The catalogue: every entry is whole, and names are found."""

import hashlib
import re
import tomllib

import pytest

import firth
from firth.errors import ParameterError
from firth.hub._catalogue import catalogue, find_source, sources_of, suggestions
from firth.hub._sources import Source, Sources, table_of


def test_the_catalogue_has_what_people_look_for():
    names = set(catalogue())
    wanted = {
        *(f"glove.6B.{d}d" for d in (50, 100, 200, 300)),
        *(f"glove.twitter.27B.{d}d" for d in (25, 50, 100, 200)),
        *(f"glove.2024.wikigiga.{d}d" for d in (50, 100, 200, 300)),
        "glove.42B.300d", "glove.840B.300d", "glove.2024.dolma.300d", "wiki.simple", "wiki.en.bin",
        "cc.de.300", "cc.de.300.bin", "crawl-300d-2M", "crawl-300d-2M-subword.bin",
        "wiki-news-300d-1M", "wiki-news-300d-1M-subword", "GoogleNews-vectors-negative300",
        "glove-wiki-gigaword-100", "numberbatch-en-19.08", "text8", "20newsgroups",
        "questions-words", "EN-SIMLEX-999",
    }  # fmt: skip
    assert wanted <= names
    assert len([n for n in names if re.fullmatch(r"cc\.\w+\.300", n)]) == 158
    assert len([n for n in names if re.fullmatch(r"wiki\.\w+", n)]) == 294


def test_every_source_is_whole():
    by_file = {}
    spellings = {}
    for source in catalogue().values():
        assert source.kind in {"vectors", "corpus", "evaluation"}
        assert source.addresses
        assert all(re.fullmatch(r"https?://[\w.-]+/[\w./~-]+", a) for a in source.addresses)
        assert re.fullmatch(r"[\w.-]+", source.file)
        assert source.title
        assert source.language
        assert source.homepage
        assert not re.search(r"[{}]|None", " ".join(map(str, vars(source).values())).replace(
            source.pattern, "").replace("None", ""))  # fmt: skip
        if source.kind == "vectors":
            assert source.vector_size
        if source.checksum:
            assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", source.checksum)
        # One name in the cache is one file of the network.
        same = (source.addresses, source.checksum, source.n_bytes)
        assert by_file.setdefault(source.file, same) == same
        for name in (source.name, *source.aliases):
            assert spellings.setdefault(name.casefold(), source.name) == source.name


def test_no_name_looks_like_a_path():
    assert [n for n in catalogue() if "/" in n or "\\" in n or n.startswith((".", "~", "-"))] == []


def test_checksums_are_not_those_of_empty_files():
    empty = {hashlib.sha256().hexdigest(), hashlib.md5(usedforsecurity=False).hexdigest()}
    checksums = [s.checksum.partition(":")[2] for s in catalogue().values() if s.checksum]
    assert len(checksums) > 200
    assert not empty & set(checksums)
    # The same checksum under two names would be a slip of copying.
    files = {s.checksum: s.file for s in catalogue().values() if s.checksum}
    assert len(files) == len({s.file for s in catalogue().values() if s.checksum})


def test_entries_are_filled_in():
    document = tomllib.loads(
        """
        [defaults]
        family = "f"
        title = "t"
        file = "{name}.gz"
        addresses = ["https://a.org/{name}/{code}"]
        [[source]]
        name = "x.{code}{suffix}"
        each = [{ suffix = "" }, { suffix = ".bin", subwords = true }]
        languages = "some"
        words = { en = 5 }
        checksums = "sums"
        [languages.some]
        de = "German"
        en = "English"
        [checksums.sums]
        de = "md5:0"
        """
    )
    found = {source.name: source for source in sources_of(document)}
    assert list(found) == ["x.de", "x.en", "x.de.bin", "x.en.bin"]
    source = found["x.de.bin"]
    assert (source.file, source.addresses) == ("x.de.bin.gz", ("https://a.org/x.de.bin/de",))
    assert (source.language, source.words, source.checksum) == ("German", None, "md5:0")
    assert (source.subwords, source.pattern) == (True, "x.{code}{suffix}")
    assert (found["x.en"].words, found["x.en"].checksum) == (5, None)


@pytest.mark.parametrize(
    ("pattern", "some", "none"),
    [
        ("glove", {"glove.6B.50d", "glove-twitter-25"}, {"wiki.de"}),
        ("fasttext", {"wiki.de", "cc.de.300"}, {"glove.6B.50d"}),
        ("6b", {"glove.6B.50d"}, {"glove.42B.300d"}),
        ("cc.d?.300", {"cc.de.300", "cc.da.300"}, {"cc.de.300.bin", "cc.en.300"}),
        ("german", {"wiki.de", "cc.de.300.bin"}, {"wiki.nds"}),
        ("evaluation", {"EN-RG-65"}, {"text8"}),
        ("corpus", {"text8"}, {"EN-RG-65"}),
        ("gensim-data", {"glove-wiki-gigaword-50"}, {"glove.6B.50d"}),
        (None, {"text8", "wiki.de"}, set()),
    ],
)
def test_listing(pattern, some, none):
    found = {source.name for source in firth.list_sources(pattern)}
    assert some <= found
    assert not none & found


def test_listing_nothing():
    assert firth.list_sources("no such thing") == []
    with pytest.raises(ParameterError, match="pattern"):
        firth.list_sources(3)


def test_a_list_shows_itself_as_a_table():
    lines = repr(firth.list_sources("glove.6B")).splitlines()
    assert lines[0].split() == ["name", "words", "dim", "size", "language", "licence", "what"]
    assert lines[1].split()[:4] == ["glove.6B.50d", "400,000", "50", "862"]
    assert len(lines) == 5
    everything = repr(firth.list_sources())
    assert len(everything.splitlines()) < 100
    assert re.search(r"^cc\.LANG\.300 .*158 languages", everything, re.MULTILINE)
    assert isinstance(firth.list_sources()[:3], Sources)
    assert isinstance(firth.list_sources()[0], Source)
    assert table_of([])[0][0] == "name"


def test_names_in_any_case_and_with_slips():
    assert find_source("GLOVE.6b.50D").name == "glove.6B.50d"
    assert find_source("word2vec-google-news-300").name == "GoogleNews-vectors-negative300"
    assert find_source("cc.de.300.vec").name == "cc.de.300"
    assert find_source("glove") is None
    assert suggestions("glove.6B.100")[0] == "glove.6B.100d"
    assert suggestions("wiki.simpel")[0] == "wiki.simple"
    assert suggestions("§§§") == []

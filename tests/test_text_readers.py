import bz2
import gzip
import io
import os
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import firth
from firth.errors import ParameterError, SourceError, TextError
from firth.text import BrownCorpus, LineSentence, PathLineSentences, Text8Corpus, encoding

TEXT = "you shall know\n\n  a\tword \r\nby the company it keeps\nFirth"
SENTENCES = [
    ["you", "shall", "know"], ["a", "word"], ["by", "the", "company", "it", "keeps"], ["Firth"],
]  # fmt: skip


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def test_lines_are_sentences(text):
    for source in (text, str(text)):
        sentences = LineSentence(source)
        assert list(sentences) == list(sentences) == SENTENCES
    with gzip.open(text.with_suffix(".gz"), "wt") as file:
        file.write(TEXT)
    assert list(LineSentence(text.with_suffix(".gz"))) == SENTENCES


def test_only_ascii_whitespace_separates(tmp_path):
    text = "a\x1fb c\x0bd\u00a0e\u2028f\x85g\na\x1cb c\n"
    (tmp_path / "t").write_text(text)
    expected = [line.split() for line in text.encode().split(b"\n") if line]
    assert list(LineSentence(tmp_path / "t")) == [[t.decode() for t in line] for line in expected]


def test_an_open_file_is_rewound(text):
    with text.open("rb") as file:
        file.read(5)
        sentences = LineSentence(file)
        assert list(sentences) == list(sentences) == SENTENCES
    with text.open(encoding="utf-8") as file:
        assert list(LineSentence(file)) == SENTENCES
    assert list(LineSentence(io.BytesIO(TEXT.encode()))) == SENTENCES


def test_what_cannot_be_rewound_is_refused():
    read_end, write_end = os.pipe()
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe, pytest.raises(TextError, match="cannot be rewound"):
        list(LineSentence(pipe))


def test_limits_count_lines(text):
    assert list(LineSentence(text, limit=3)) == SENTENCES[:2]
    assert list(LineSentence(text, limit=100)) == SENTENCES


def test_long_lines_are_cut(text):
    pieces = [["you", "shall"], ["know"], ["a", "word"], ["by", "the"], ["company", "it"]]
    assert list(LineSentence(text, 2)) == [*pieces, ["keeps"], ["Firth"]]


def test_lines_that_are_longer_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "BLOCK_SIZE", 64)
    words = [f"w{i}" for i in range(300)]
    path = tmp_path / "text.txt"
    path.write_text(" ".join(words) + "\nend\n")
    assert list(LineSentence(path)) == [words, ["end"]]
    cut = list(LineSentence(path, 7))
    assert [word for sentence in cut for word in sentence] == [*words, "end"]
    assert {len(sentence) for sentence in cut[:-2]} == {7}
    assert cut[-1] == ["end"]
    assert [len(sentence) for sentence in Text8Corpus(path, 100)] == [100, 100, 100, 1]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "texts"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "c.txt").write_text("not read")
    (folder / ".hidden").write_text("not read")
    (folder / "b.txt").write_text("b one\nb two\n")
    (folder / "a.bz2").write_bytes(bz2.compress(b"a one\na two"))
    return folder


def test_files_of_a_folder_come_by_name(folder):
    sentences = PathLineSentences(str(folder))
    assert list(sentences) == [["a", "one"], ["a", "two"], ["b", "one"], ["b", "two"]]
    assert sentences.input_files == [str(folder / "a.bz2"), str(folder / "b.txt")]
    assert list(PathLineSentences(folder, limit=1)) == [["a", "one"], ["b", "one"]]
    assert list(PathLineSentences(folder / "b.txt")) == [["b", "one"], ["b", "two"]]


def test_text8_is_cut_every_so_many_tokens(text):
    whole = [word for sentence in SENTENCES for word in sentence]
    assert list(Text8Corpus(text)) == [whole]
    assert list(Text8Corpus(text, 4)) == [whole[:4], whole[4:8], whole[8:]]
    text.write_text("")
    assert list(Text8Corpus(text)) == []


def test_the_brown_corpus(tmp_path):
    (tmp_path / "ca02").write_text("Two/cd\n")
    (tmp_path / "ca01").write_text(
        "\n\tThe/at-tl Jury/nn-hl said/vbd ``/`` and/or/cc wise/jj ./.\n./.\n1/cd\n"
    )
    expected = [["the/at", "jury/nn", "said/vb", "wise/jj"], ["1/cd"], ["two/cd"]]
    assert list(BrownCorpus(tmp_path)) == expected


@pytest.mark.parametrize("kind", [LineSentence, PathLineSentences, Text8Corpus, BrownCorpus])
def test_what_is_not_there_is_told_at_once(kind, tmp_path):
    with pytest.raises(SourceError, match="nowhere"):
        kind(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="has no files"):
        kind(tmp_path / "empty")


def test_parameters_are_checked(text):
    for wrong in (0, -1, True, 1.5, "3"):
        with pytest.raises(ParameterError, match="max_sentence_length must be a whole number"):
            LineSentence(text, wrong)
        with pytest.raises(ParameterError, match="limit must be a whole number"):
            PathLineSentences(text, limit=wrong)
    with pytest.raises(ParameterError, match="give a path or an open file"):
        LineSentence([["a"]])


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "t").write_bytes(b"a\xff")
    with pytest.raises(TextError, match="UTF-8"):
        list(LineSentence(tmp_path / "t"))


def by_readers(module, path):
    return [
        list(module.LineSentence(str(path))),
        list(module.LineSentence(str(path), max_sentence_length=2, limit=3)),
        list(module.PathLineSentences(str(path.parent), 3, limit=2)),
        # gensim does not cut what stands behind the last space, which may make 6 words of 5.
        list(chain.from_iterable(module.Text8Corpus(str(path), 5))),
        list(module.BrownCorpus(str(path.parent))),
    ]


@settings(max_examples=40)
@given(st.text("ab/én .\t\n\r", max_size=60))
def test_sentences_are_those_of_gensim(tmp_path_factory, text):
    theirs = pytest.importorskip("gensim.models.word2vec")
    path = tmp_path_factory.mktemp("texts") / "text.txt"
    path.write_bytes(text.encode())
    assert by_readers(firth.text, path) == by_readers(theirs, path)


@pytest.mark.parametrize("train", ["Word2Vec", "Phrases"])
def test_whole_files_are_read_without_making_lists(train, folder, monkeypatch):
    def slow(self):
        raise AssertionError("a list of tokens was made")

    settings = {"min_count": 1, "progress": False}
    settings |= {"vector_size": 2, "sample": 0} if train == "Word2Vec" else {}
    learn = getattr(firth, train)
    listed = learn(list(PathLineSentences(folder)), **settings)
    for kind in (LineSentence, PathLineSentences):
        monkeypatch.setattr(kind, "__iter__", slow)
    read = learn(PathLineSentences(folder), **settings)
    with pytest.raises(AssertionError, match="a list of tokens"):
        learn(PathLineSentences(folder, limit=3), **settings)
    if train == "Word2Vec":
        assert read.wv.index_to_key == listed.wv.index_to_key
    else:
        assert dict(read.vocab.items()) == dict(listed.vocab.items())
    learn(LineSentence(folder / "b.txt"), **settings)

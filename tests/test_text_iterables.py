"""Iterables of texts and of token lists: read once, checked, told where they are wrong."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import SourceError, TextError
from firth.text import TokenSource, open_text


def batches(sentences: object) -> list[list[list[str]]]:
    return list(open_text(sentences, tokens=True).sentence_batches())


# --- texts --------------------------------------------------------------------------------------


@given(st.lists(st.text()))
def test_each_text_ends_with_a_line_end(texts: list[str]) -> None:
    source = open_text(texts)
    expected = "".join(text + "\n" for text in texts).encode()
    assert b"".join(source.blocks()) == expected
    assert b"".join(source.blocks()) == expected
    assert source.fingerprint() is None
    assert (source.n_bytes, source.n_bytes_read) == (None, 0)


def test_a_generator_of_texts_is_read_once() -> None:
    source = open_text(f"text {i}" for i in range(3))
    assert b"".join(source.blocks()) == b"text 0\ntext 1\ntext 2\n"
    with pytest.raises(TextError, match=r"generator of texts has been read already.*pass a list"):
        source.blocks()


def test_small_texts_are_gathered_and_large_ones_cut() -> None:
    blocks = list(open_text(["a line of a few words"] * 500_000).blocks())
    assert 10 <= len(blocks) <= 14
    blocks = list(open_text(["word " * 3_000_000]).blocks())
    assert b"".join(blocks) == b"word " * 3_000_000 + b"\n"
    assert max(map(len, blocks)) < 2 << 20


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", b"b"], r"text 2 of the list of texts is bytes, not a string: decode them"),
        (
            [["a"]],
            "text 1 of the list of texts is a list, not a string: lists of tokens go",
        ),
        (("a", None), "text 2 of the tuple of texts is None"),
        ((x for x in ["a", 1.5]), "text 2 of the generator of texts is a float"),
        (["a", "b\ud800"], r"text 2 has a lone surrogate \(U\+D800\).*errors='replace'"),
    ],
)
def test_what_is_no_text_is_refused(texts: object, message: str) -> None:
    with pytest.raises(TextError, match=message):
        list(open_text(texts).blocks())


def test_policies_hold_for_surrogates_in_texts() -> None:
    blocks = open_text(["caf\udce9"], errors="replace").blocks()
    assert b"".join(blocks).decode() == "caf\ufffd\n"


def test_a_file_open_in_text_mode_brings_its_own_encoding(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("café\r\nnoir".encode("latin-1"))
    with path.open(encoding="latin-1") as file:
        assert b"".join(open_text(file).blocks()).decode() == "café\nnoir\n"
    assert b"".join(open_text(io.StringIO("a\nb")).blocks()) == b"a\nb\n"
    with path.open(encoding="utf-8") as file, pytest.raises(TextError) as raised:
        list(open_text(file).blocks())
    assert f"{path} is not in the encoding utf-8 that it was opened with" in str(raised.value)


def test_a_text_file_that_fails_is_refused() -> None:
    class Failing(io.StringIO):
        name = "failing.txt"

        def read(self, size: int | None = -1, /) -> str:
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceError, match=r"failing.txt cannot be read: Input/output error"):
        list(open_text(Failing()).blocks())


# --- token lists --------------------------------------------------------------------------------


@given(st.lists(st.lists(st.text(min_size=1))))
def test_sentences_come_back_as_they_are(sentences: list[list[str]]) -> None:
    source = open_text(sentences, tokens=True)
    for _ in range(2):
        read = [sentence for batch in source.sentence_batches() for sentence in batch]
        assert read == sentences
    assert source.fingerprint() is None


def test_batches_are_bounded_by_sentences_and_by_tokens() -> None:
    assert [len(batch) for batch in batches([["a"]] * 25_000)] == [10_000, 10_000, 5_000]
    assert [len(batch) for batch in batches([["a"] * 400_000] * 7)] == [3, 3, 1]
    assert batches([]) == []


def test_sentences_may_be_any_iterables_of_strings() -> None:
    def generate() -> Iterator[object]:
        yield ("a", "tuple")
        yield iter(["an", "iterator"])
        yield []

    assert batches(generate()) == [[["a", "tuple"], ["an", "iterator"], []]]


def test_a_generator_of_sentences_is_read_once() -> None:
    source = open_text(([word] for word in "abc"), tokens=True)
    assert list(source.sentence_batches()) == [[["a"], ["b"], ["c"]]]
    with pytest.raises(TextError, match="read already and can be read only once: pass a list"):
        source.sentence_batches()


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        ("some string", r"sentences is a string \('some string'\).*corpus_file=.*tokenizer="),
        (Path("a.txt"), r"sentences is a path .*for a file pass corpus_file="),
        (b"some bytes", "sentences is bytes"),
        (3, r"sentences is an int, not an iterable of lists of tokens: pass \[\['hello'"),
        (None, "sentences is None"),
        ({"a": 1}, "sentences is a dict"),
    ],
)
def test_what_is_no_iterable_of_sentences_is_refused_at_once(
    sentences: object, message: str
) -> None:
    with pytest.raises(TextError, match=message):
        open_text(sentences, tokens=True)


@pytest.mark.parametrize(
    ("sentences", "message"),
    [
        (
            ["hello world"],
            r"sentence 1 is a string \('hello world'\).*character by character.*tokenizer=",
        ),
        ([["a"], "b"], "sentence 2 is a string"),
        ([["a"], b"b"], r"sentence 2 is bytes, not a list of tokens: decode them"),
        ([["a"], None], "sentence 2 is None, not a list of tokens"),
        ([{"a": 1}], "sentence 1 is a dict"),
        ([["a"], ["b", 3]], r"token 2 of sentence 2 is an int \(3\), not a string"),
        ([["a", b"b"]], r"token 2 of sentence 1 is bytes \(b'b'\), not a string: decode them"),
        ([[["a"]]], "token 1 of sentence 1 is a list"),
        ([["a"], ["b", "", "c"]], "token 2 of sentence 2 is empty: leave empty tokens out"),
        (
            [["é", "a\udc80"]],
            r"token 2 of sentence 1 \('a\\udc80'\) has a lone surrogate",
        ),
    ],
)
def test_bad_sentences_are_refused_with_their_number(sentences: object, message: str) -> None:
    with pytest.raises(TextError, match=message):
        batches(sentences)


def test_sentences_before_a_bad_one_come_first() -> None:
    stream = TokenSource([["a"]] * 10_000 + [["b", ""]]).sentence_batches()
    assert len(next(stream)) == 10_000
    with pytest.raises(TextError, match="token 2 of sentence 10001 is empty"):
        next(stream)

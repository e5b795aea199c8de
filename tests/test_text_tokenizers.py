import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import ParameterError
from firth.text import TOKENIZERS, Tokenizer, make_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

tokenizers = pytest.importorskip("tokenizers", reason="needs the extra 'tokenizers'")


def word_level(**vocabulary: int) -> Any:
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"[UNK]": 0, "[CLS]": 1, **vocabulary}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", 1)]
    )
    return tokenizer


@given(st.binary().filter(lambda data: data.decode("utf-8", "ignore").encode() == data))
def test_whitespace_splits_like_bytes_split(data: bytes) -> None:
    tokenizer = make_tokenizer("whitespace")
    expected = [[t.decode() for t in line.split()] for line in data.split(b"\n")]
    assert tokenizer.prepare(data) == data
    assert tokenizer.sentences(data) == [tokens for tokens in expected if tokens]


def test_whitespace_keeps_unicode_spaces_inside_of_tokens() -> None:
    block = "a\u00a0b\u2028c\x1cd\x85e f\r\n\n g\x0bh\x0ci\n".encode()
    assert make_tokenizer(None).sentences(block) == [
        ["a\u00a0b\u2028c\x1cd\x85e", "f"],
        ["g", "h", "i"],
    ]


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("lowercase", [False, True])
@given(st.text())
def test_the_core_and_sentences_see_the_same_tokens(name: str, lowercase: bool, text: str) -> None:
    tokenizer = make_tokenizer(name, lowercase=lowercase)
    assert tokenizer.compiled
    in_core = [line.decode().split(" ") for line in _core_lines(tokenizer.prepare(text.encode()))]
    assert tokenizer.sentences(text.encode()) == in_core


def _core_lines(prepared: bytes) -> list[bytes]:
    return [b" ".join(line.split()) for line in prepared.split(b"\n") if line.split()]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("whitespace", "You SHALL know", ["you", "shall", "know"]),
        ("whitespace", "ΌΔΟΣ Éa", ["όδος", "éa"]),
        ("words", "You, SHALL (know)!", ["you", "shall", "know"]),
        ("words", "E\u0301COLE “ÜBER”", ["école", "über"]),
    ],
)
def test_lowercase(name: str, text: str, expected: list[str]) -> None:
    assert make_tokenizer(name, lowercase=True).sentences(text.encode()) == [expected]
    assert make_tokenizer(name).sentences(text.encode()) != [expected]


def test_fingerprints_differ_where_tokens_differ() -> None:
    prints = [
        make_tokenizer(spec, lowercase=lowercase).fingerprint()
        for spec in ("whitespace", "words", word_level(a=2), word_level(b=2))
        for lowercase in (False, True)
    ]
    assert None not in prints
    assert len(set(prints)) == len(prints)
    assert make_tokenizer(word_level(a=2)).fingerprint() == prints[4]
    assert make_tokenizer(str.split).fingerprint() is None


def test_a_function_gets_lines_without_their_ends_and_no_blank_ones() -> None:
    seen = []

    def split(line: str) -> list[str]:
        seen.append(line)
        return line.split("|")

    tokenizer = make_tokenizer(split, lowercase=True)
    sentences = tokenizer.sentences("New York|is\r\n \t\r\n\nA\u2028B|c".encode())
    assert seen == ["new york|is", "a\u2028b|c"]
    assert sentences == [["new york", "is"], ["a\u2028b", "c"]]
    assert not tokenizer.compiled
    assert "split" in tokenizer.name


def test_a_function_may_find_no_tokens_and_return_any_iterable() -> None:
    assert make_tokenizer(lambda line: iter(line.split())).sentences(b"a b\nc") == [
        ["a", "b"],
        ["c"],
    ]
    assert make_tokenizer(lambda line: ()).sentences(b"a b\nc") == []


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("a b", "returned a string 'a b'"),
        (b"a", "returned bytes"),
        (None, "returned None"),
        (["a", 3], "an int as token 2"),
        (["a", b"b"], "bytes as token 2"),
        (["a", ""], "an empty string as token 2"),
        (["a", "\udc80"], "lone surrogate"),
        ({"input_ids": [1]}, r"a dict with the keys \['input_ids'\]"),
    ],
)
def test_a_function_that_returns_no_tokens_is_refused(result: object, message: str) -> None:
    function: Callable[[str], Any] = lambda line: result  # noqa: E731
    with pytest.raises(ParameterError, match=message) as raised:
        make_tokenizer(function).sentences(b"the line in question\n")
    assert "'the line in question'" in str(raised.value)
    assert "list of strings that are not empty" in str(raised.value)


def test_hugging_face_tokens_come_without_special_ones() -> None:
    tokenizer = make_tokenizer(word_level(know=2, a=3, word=4))
    assert tokenizer.sentences(b"know a word\r\n\n a thing\n") == [
        ["know", "a", "word"],
        ["a", "[UNK]"],
    ]
    assert make_tokenizer(word_level(know=2), lowercase=True).sentences(b"KNOW") == [["know"]]


def test_hugging_face_truncation_and_padding_are_switched_off_in_a_copy() -> None:
    original = word_level(a=2)
    original.enable_truncation(2)
    original.enable_padding(length=8)
    tokenizer = make_tokenizer(original)
    assert tokenizer.sentences(b"a a a a a") == [["a"] * 5]
    assert original.truncation is not None
    assert original.padding is not None
    assert tokenizer.fingerprint() == make_tokenizer(word_level(a=2)).fingerprint()


def test_hugging_face_lines_go_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = make_tokenizer(word_level(a=2, b=3))
    monkeypatch.setattr(type(tokenizer), "_batch_size", 4)
    assert tokenizer.sentences(b"a a\nb\nb b b\na\n") == [["a", "a"], ["b"], ["b"] * 3, ["a"]]


class NotSerialisable:
    """A tokeniser with a part in Python, which cannot be written as JSON."""

    truncation: object = None
    padding: object = None

    def to_str(self) -> str:
        raise Exception("Custom PreTokenizer cannot be serialized")  # noqa: TRY002

    def encode_batch(self, lines: list[str], add_special_tokens: bool) -> list[Any]:
        return [type("Encoding", (), {"tokens": line.split()}) for line in lines]


def test_a_hugging_face_tokenizer_that_cannot_be_copied_is_used_itself() -> None:
    tokenizer = make_tokenizer(NotSerialisable())
    assert tokenizer.sentences(b"a b\n") == [["a", "b"]]
    assert tokenizer.fingerprint() is None
    truncating = NotSerialisable()
    truncating.truncation = {"max_length": 2}
    with pytest.raises(ParameterError, match=r"no_truncation\(\)"):
        make_tokenizer(truncating)


def test_a_fast_tokenizer_of_transformers_is_unwrapped() -> None:
    class Fast:
        backend_tokenizer = word_level(a=2)

        def __call__(self, line: str) -> dict[str, list[int]]:
            raise NotImplementedError

    assert make_tokenizer(Fast()).sentences(b"a") == [["a"]]


def test_a_tokenizer_object_is_returned_as_it_is() -> None:
    class Letters(Tokenizer):
        name = "letters"

        def sentences(self, block: bytes) -> list[list[str]]:
            return [list(block.decode())]

        def fingerprint(self) -> str:
            return "letters"

    tokenizer = Letters()
    assert make_tokenizer(tokenizer) is tokenizer
    assert tokenizer.prepare(b"as it is") == b"as it is"
    with pytest.raises(ParameterError, match="lowercase does not go with a Tokenizer object"):
        make_tokenizer(tokenizer, lowercase=True)


@pytest.mark.parametrize("spec", ["wordpiece", "", 3, object()])
def test_what_is_no_tokenizer_is_refused_with_the_names_there_are(spec: object) -> None:
    with pytest.raises(ParameterError, match=r"'whitespace', 'words'.*tokenizers\.Tokenizer"):
        make_tokenizer(spec)


def test_fingerprints_are_json() -> None:
    assert json.loads(json.dumps(make_tokenizer("words").fingerprint())).startswith("words")

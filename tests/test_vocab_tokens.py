import copy
import json
import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import KeyedVectors, Vocab, count_tokens
from firth.errors import FormatError, ParameterError, VocabularyError, WordNotFoundError

COUNTS = {"hello": 5, "world": 3, "sky": 3, "rare": 1}


@pytest.fixture
def vocab():
    return Vocab(COUNTS, min_freq=2, bos_token="<bos>", reserved_tokens=["[A]", "[B]"])


def test_special_tokens_come_first_then_words_by_falling_count(vocab):
    special = ["<unk>", "<pad>", "<bos>", "[A]", "[B]"]
    assert vocab.idx_to_token == [*special, "hello", "sky", "world"]
    assert vocab.counts.tolist() == [0] * 5 + [5, 3, 3]
    assert len(vocab) == 8
    assert vocab.eos_token is None
    assert (vocab.unknown_token, vocab.padding_token, vocab.bos_token) == tuple(special[:3])
    assert vocab.reserved_tokens == ["[A]", "[B]"]
    assert Vocab(COUNTS, max_size=1).idx_to_token == ["<unk>", "<pad>", "hello"]
    assert Vocab(COUNTS, 2, 3, None, None).idx_to_token == ["hello", "sky"]
    assert Vocab().idx_to_token == ["<unk>", "<pad>"]
    assert Vocab({"rare": 1}, min_freq=2).idx_to_token == ["<unk>", "<pad>"]
    assert Vocab({"<pad>": 9, "a": 1}).idx_to_token == ["<unk>", "<pad>", "a"]


def test_looking_up(vocab):
    assert vocab["hello"] == vocab.to_indices("hello") == vocab("hello") == 5
    assert vocab["hello", "unseen"] == vocab[["hello", "unseen"]] == [5, 0]
    assert vocab(["world"]) == [7]
    assert vocab.to_indices([]) == []
    assert vocab.token_to_idx["sky"] == 6
    assert vocab.token_to_idx["unseen"] == 0
    assert "unseen" not in vocab.token_to_idx
    assert len(vocab.token_to_idx) == len(dict(vocab.token_to_idx)) == 8
    assert "hello" in vocab
    assert "unseen" not in vocab
    assert vocab.get("unseen") is None
    assert vocab.ids(["unseen"]).tolist() == [-1]
    assert vocab.to_tokens(5) == "hello"
    assert vocab.to_tokens([5, 0]) == vocab.to_tokens(np.array([5, 0])) == ["hello", "<unk>"]
    assert vocab.to_tokens([]) == []


def test_without_an_unknown_token_unseen_words_are_an_error():
    vocab = Vocab(COUNTS, unknown_token=None)
    assert vocab["hello"] == 1
    with pytest.raises(WordNotFoundError, match="near spellings: hello"):
        vocab["helo"]
    with pytest.raises(WordNotFoundError, match="'unseen'"):
        vocab["hello", "unseen"]
    with pytest.raises(WordNotFoundError):
        Vocab.from_words(["a"])["b"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"counter": ["a"]}, ParameterError, "counter is list .*; give a mapping"),
        (
            {"counter": {"a": 1}, "min_freq": 0},
            ParameterError,
            "min_freq must be a whole number of 1",
        ),
        (
            {"counter": {"a": 1}, "max_size": 0},
            ParameterError,
            "max_size must be a whole number of 1",
        ),
        ({"counter": {3: 1}}, ParameterError, "a word is a string, not int 3"),
        ({"counter": {"a": -1}}, VocabularyError, "the count -1"),
        ({"padding_token": "<unk>"}, VocabularyError, "'<unk>' is there 2 times"),
        ({"reserved_tokens": ["<pad>"]}, VocabularyError, "'<pad>' is there 2 times"),
        ({"reserved_tokens": "ab"}, ParameterError, "reserved_tokens is the string 'ab'"),
        ({"bos_token": 3}, ParameterError, "a word is a string, not int 3"),
        ({"unknown_token": None, "padding_token": None}, VocabularyError, "no words are left"),
    ],
)
def test_what_makes_no_vocabulary(options, error, message):
    with pytest.raises(error, match=message):
        Vocab(**options)


def test_ids_that_are_none(vocab):
    with pytest.raises(ParameterError, match="there is no word 8: ids go from 0 to 7"):
        vocab.to_tokens([1, 8])
    with pytest.raises(ParameterError, match="there is no word -1"):
        vocab.to_tokens(-1)
    with pytest.raises(ParameterError, match="ids are whole numbers"):
        vocab.to_tokens(["hello"])


def test_a_vocabulary_is_kept_with_its_special_tokens(vocab, tmp_path):
    vocab.save(tmp_path / "vocab")
    others = [
        Vocab.load(tmp_path / "vocab"),
        Vocab.from_json(vocab.to_json()),
        pickle.loads(pickle.dumps(vocab)),
        copy.deepcopy(vocab),
    ]
    for other in others:
        assert other == vocab
        assert other.special_tokens == vocab.special_tokens
        assert other["unseen"] == 0
        assert not other.counts.flags.writeable
    plain = Vocab.from_words(list(vocab.words), vocab.counts)
    assert plain != vocab
    assert plain.special_tokens == {}
    plain.save(tmp_path / "vocab")
    assert Vocab.load(tmp_path / "vocab") == plain


def test_vectors_travel_between_processes():
    wv = KeyedVectors(Vocab.from_words(["a", "b"]), np.eye(2, dtype=np.float32))
    other = pickle.loads(pickle.dumps(wv))
    assert other.most_similar("a") == wv.most_similar("a")


def test_json_of_gluonnlp_is_read():
    text = json.dumps(
        {
            "idx_to_token": ["<unk>", "<pad>", "hello"],
            "token_to_idx": {"<unk>": 0, "<pad>": 1, "hello": 2},
            "reserved_tokens": ["<pad>"],
            "unknown_token": "<unk>",
            "padding_token": "<pad>",
            "bos_token": None,
            "eos_token": None,
            "identifiers_to_tokens": {},
        }
    )
    vocab = Vocab.from_json(text)
    assert vocab["hello", "unseen"] == [2, 0]
    assert vocab.special_tokens == {"unknown_token": "<unk>", "padding_token": "<pad>"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"idx_to_token": 3}',
        '{"idx_to_token": []}',
        '{"idx_to_token": ["a", "a"]}',
        '{"idx_to_token": ["a", 3]}',
        '{"idx_to_token": ["a"], "counts": [1, 2]}',
        '{"idx_to_token": ["a"], "counts": ["x"]}',
        '{"idx_to_token": ["a"], "counts": [1e99]}',
        '{"idx_to_token": ["a"], "unknown_token": "b"}',
        '{"idx_to_token": ["a"], "unknown_token": 3}',
        '{"idx_to_token": ["a"], "reserved_tokens": 3}',
        '{"idx_to_token": ["a"], "reserved_tokens": [["a"]]}',
    ],
)
def test_json_that_is_no_vocabulary(text):
    with pytest.raises(FormatError, match=r"no JSON of a vocabulary|this JSON: "):
        Vocab.from_json(text)


@given(
    st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 9), max_size=12),
    st.lists(st.sampled_from(["<unk>", "<pad>", "x"]), unique=True, max_size=3),
)
def test_json_round_trip(counter, reserved):
    counter = {w: n for w, n in counter.items() if w.isprintable()} | {"word": 1}
    vocab = Vocab(counter, unknown_token=None, padding_token=None, reserved_tokens=reserved)
    again = Vocab.from_json(vocab.to_json())
    assert again == vocab
    assert again.to_tokens(range(len(vocab))) == list(vocab.words)


def test_counting_tokens():
    assert count_tokens(["a", "B", "a"]) == Counter({"a": 2, "B": 1})
    counter = count_tokens(["A", "b"], to_lower=True)
    assert count_tokens(iter(["A", "b"]), True, counter) is counter
    assert counter == {"a": 2, "b": 2}
    with pytest.raises(ParameterError, match="tokens is the string 'a b'"):
        count_tokens("a b")

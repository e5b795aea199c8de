from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import TextEncoder, Vocab, make_tokenizer, one_hot
from firth.errors import ParameterError, VocabularyError
from firth.sequences import TextTokens

TEXTS = ["To be, or not to be", "", "That is\nthe question", "to  TO\tto"]


# --- splitting ------------------------------------------------------------------------------------


def split(texts, tokenizer="words", **options):
    result = []
    for batch in TextTokens(make_tokenizer(tokenizer, **options)).batches(texts):
        words = np.array([*batch.words, ""], object)[batch.numbers]
        result += [list(w) for w in np.split(words, np.cumsum(batch.sizes)[:-1])]
        assert len(set(batch.words)) == len(batch.words)
        assert batch.counts().tolist() == [list(words).count(word) for word in batch.words]
        assert batch.text_of().tolist() == np.repeat(range(len(batch.sizes)), batch.sizes).tolist()
    return result


def test_texts_become_their_words():
    expected = [["To", "be", "or", "not", "to", "be"], [], ["That", "is", "the", "question"]]
    assert split(TEXTS) == [*expected, ["to", "TO", "to"]]
    assert split(TEXTS, lowercase=True)[3] == ["to"] * 3
    assert split(TEXTS, "whitespace")[0][1] == "be,"
    assert split(["a|b", "", "c"], lambda line: line.split("|")) == [["a", "b"], [], ["c"]]
    assert split([["a", "b c"], [], ("d",)]) == [["a", "b c"], [], ["d"]]
    assert split(["a b", ["c d"]]) == [["a", "b"], ["c d"]]
    assert split([]) == []
    assert split(iter(["a"])) == [["a"]]


@given(st.lists(st.text(max_size=20), max_size=8), st.sampled_from(["whitespace", "words"]))
def test_splitting_together_is_splitting_one_by_one(texts, name):
    tokenizer = make_tokenizer(name)
    data = [text.replace("\n", " ").encode("utf-8", "replace") for text in texts]
    assert split(texts, name) == [list(chain(*tokenizer.sentences(d))) for d in data]


def test_many_texts_go_in_parts():
    texts = [f"w{i % 7} x" for i in range(20_000)] + ["long " * 900_000, "end"] * 2
    sizes = [b.sizes for b in TextTokens(make_tokenizer("words")).batches(texts)]
    assert len(sizes) > 3
    assert np.concatenate(sizes).tolist() == [2] * 20_000 + [900_000, 1] * 2


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a text", "texts is str 'a text'; give a list"),
        (3, "texts is int 3; give a list"),
        (["a", None], r"texts\[1\] is NoneType None; each must be a string or a list of words"),
        ([b"a"], r"texts\[0\] is bytes b'a'"),
        ([{"a": 1}], r"texts\[0\] is dict"),
        ([["a"], ["b", 3]], r"texts\[1\] has int 3 among its words; words are strings"),
        ([["\ud800"]], "cannot be written in UTF-8"),
    ],
)
def test_what_is_no_text(texts, message):
    with pytest.raises(ParameterError, match=message):
        split(texts)


# --- encoding -------------------------------------------------------------------------------------


def test_texts_become_ids():
    encoder = TextEncoder().fit(TEXTS)
    words = ["<unk>", "<pad>", "to", "be", "is", "not", "or", "question", "that", "the"]
    assert list(encoder.vocab.words) == words
    assert encoder.vocab.counts[2] == 5
    ids = encoder.encode(TEXTS)
    assert ids.dtype == np.int32
    assert ids.tolist() == [
        [2, 3, 6, 5, 2, 3],
        [1] * 6,
        [1, 1, 8, 4, 9, 7],
        [1, 1, 1, 2, 2, 2],
    ]
    assert (encoder.n_truncated, encoder.n_unknown) == (0, 0)
    assert encoder.decode(ids) == ["to be or not to be", "", "that is the question", "to to to"]
    sequences = encoder.sequences(TEXTS)
    assert [s.tolist() for s in sequences] == [[2, 3, 6, 5, 2, 3], [], [8, 4, 9, 7], [2, 2, 2]]
    assert encoder.decode(sequences) == encoder.decode(ids)
    assert encoder.encode([]).shape == (0, 0)
    assert encoder.sequences([]) == []
    assert encoder.encode([["to", "To"]]).tolist() == [[2, 0]]
    assert encoder.n_unknown == 1


@pytest.mark.parametrize(
    ("padding", "truncating", "expected"),
    [
        ("pre", "pre", [[5, 2, 3], [1, 1, 2]]),
        ("post", "pre", [[5, 2, 3], [2, 1, 1]]),
        ("pre", "post", [[2, 3, 6], [1, 1, 2]]),
        ("post", "post", [[2, 3, 6], [2, 1, 1]]),
    ],
)
def test_sides(padding, truncating, expected, caplog):
    vocab = TextEncoder().fit(TEXTS).vocab
    encoder = TextEncoder(vocab, 3, padding, truncating, dtype="int64")
    with caplog.at_level("INFO", "firth"):
        ids = encoder.encode([TEXTS[0], "to"])
    assert ids.dtype == np.int64
    assert ids.tolist() == expected
    assert encoder.n_truncated == 1
    assert "1 of 2 texts are longer than 3 words and were cut" in caplog.text


texts_of_words = st.lists(st.lists(st.sampled_from("abcde"), max_size=7), max_size=6)


@given(texts_of_words, st.integers(1, 9), st.sampled_from(["pre", "post"]), st.booleans())
def test_padding_is_that_of_keras(texts, maxlen, side, other):
    encoder = TextEncoder(Vocab.from_json(Vocab(dict.fromkeys("abcd", 1)).to_json()), maxlen, side)
    encoder.truncating = {"pre": "post", "post": "pre"}[side] if other else side
    expected = []
    for text in texts:
        ids = [encoder.vocab[word] for word in text]
        ids = ids[-maxlen:] if encoder.truncating == "pre" else ids[:maxlen]
        fill = [1] * (maxlen - len(ids))
        expected.append(fill + ids if side == "pre" else ids + fill)
    assert encoder.encode(texts).tolist() == expected


def test_only_the_most_frequent_words():
    encoder = TextEncoder(num_words=4).fit(TEXTS)
    assert list(encoder.vocab.words) == ["<unk>", "<pad>", "to", "be"]
    larger = TextEncoder(TextEncoder().fit(TEXTS).vocab, num_words=4)
    np.testing.assert_array_equal(larger.encode(TEXTS), encoder.encode(TEXTS))
    assert larger.n_unknown == encoder.n_unknown == 6
    assert TextEncoder(min_freq=2).fit(TEXTS).vocab.idx_to_token[2:] == ["to", "be"]


def test_unknown_words_may_be_left_out():
    encoder = TextEncoder(unknown=False, min_freq=2).fit(TEXTS)
    assert encoder.vocab.idx_to_token == ["<pad>", "to", "be"]  # 0 fills up, as Keras has it
    assert encoder.encode(TEXTS).tolist() == [[1, 2, 1, 2], [0] * 4, [0] * 4, [0, 1, 1, 1]]
    assert encoder.n_unknown == 6
    with_token = TextEncoder(Vocab({"to": 1}), unknown=False)
    assert [s.tolist() for s in with_token.sequences(TEXTS)] == [[2, 2], [], [], [2, 2, 2]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "left"}, "padding is 'left', which is neither 'pre' nor 'post'"),
        ({"truncating": None}, "truncating is None"),
        ({"maxlen": 0}, "maxlen must be a whole number of 1 or more, not 0"),
        ({"num_words": 2.5}, "num_words must be a whole number"),
        ({"min_freq": True}, "min_freq must be a whole number"),
        ({"dtype": "float32"}, "dtype is float32; ids are whole numbers"),
    ],
)
def test_wrong_parameters(options, message):
    with pytest.raises(ParameterError, match=message):
        TextEncoder(**options)


def test_what_cannot_be_encoded():
    with pytest.raises(ParameterError, match=r"no vocabulary yet: give one, or call fit\(texts\)"):
        TextEncoder().encode(["a"])
    with pytest.raises(ParameterError, match="has no padding_token"):
        TextEncoder(Vocab.from_words(["a"])).encode(["a"])
    with pytest.raises(VocabularyError, match="no words are left"):
        TextEncoder().fit([""])
    with pytest.raises(ParameterError, match="there is no word 9"):
        TextEncoder(Vocab({"a": 1})).decode([[9]])


# --- one-hot vectors ------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 6), max_size=5))
def test_the_product_with_a_matrix_is_its_rows(ids):
    matrix = np.random.default_rng(1).standard_normal((7, 3))
    vectors = one_hot(ids, 7)
    assert vectors.shape == (len(ids), 7)
    assert vectors.sum() == len(ids)
    np.testing.assert_array_equal(vectors.astype(np.float64) @ matrix, matrix[np.array(ids, int)])


def test_shapes_and_types_of_one_hot_vectors():
    assert one_hot([[0, 1], [1, 1]], 2, np.int8).tolist() == [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    assert one_hot(1, 3).tolist() == [0, 1, 0]
    assert one_hot(np.empty((2, 0)), 3).shape == (2, 0, 3)
    for ids, n, message in (
        ([3], 3, "the id 3 is none of 3 words: ids go from 0 to 2"),
        ([-1], 3, "the id -1"),
        ([0.5], 3, "ids are whole numbers, not float64"),
        ([0], 0, "n_words must be a whole number of 1 or more, not 0"),
    ):
        with pytest.raises(ParameterError, match=message):
            one_hot(ids, n)

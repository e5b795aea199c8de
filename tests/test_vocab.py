import pickle
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from firth import _core
from firth.errors import (
    FormatError,
    OutputError,
    ParameterError,
    SourceError,
    VocabularyError,
    WordNotFoundError,
)
from firth.storage import open_tensors, save_tensors, write_config, write_folder
from firth.vocab import Vocab, WordList

SENTENCE = ["to", "be", "or", "not", "to", "be", "that", "is", "the", "question"]
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WORD_LISTS = st.lists(WORDS, unique=True, min_size=1, max_size=60)
# Few letters, so that words come near each other.
NEAR_WORDS = st.lists(
    st.text("abAé😀", min_size=1, max_size=6), unique=True, min_size=1, max_size=30
)


@pytest.fixture
def vocab():
    return Vocab.from_counter(Counter(SENTENCE))


# --- making ---------------------------------------------------------------------------------------


def test_ids_fall_with_the_count_and_ties_go_by_the_word(vocab):
    assert list(vocab) == ["be", "to", "is", "not", "or", "question", "that", "the"]
    assert vocab.counts.tolist() == [2, 2, 1, 1, 1, 1, 1, 1]
    assert vocab.total_count == 10


@given(counter=st.dictionaries(WORDS, st.integers(0, 5), min_size=1), min_count=st.integers(1, 4))
def test_from_counter_is_sorting(counter, min_count):
    expected = sorted(
        (word for word, n in counter.items() if n >= min_count), key=lambda w: (-counter[w], w)
    )
    if not expected:
        with pytest.raises(VocabularyError):
            Vocab.from_counter(counter, min_count=min_count)
        return
    vocab = Vocab.from_counter(counter, min_count=min_count)
    assert list(vocab) == expected
    assert vocab.counts.tolist() == [counter[word] for word in expected]
    assert list(Vocab.from_counter(counter, min_count=min_count, max_size=2)) == expected[:2]


def test_nothing_left_tells_how_much_there_was():
    with pytest.raises(VocabularyError, match=r"2 distinct words .* 3 times, and min_count is 5"):
        Vocab.from_counter({"a": 3, "b": 1}, min_count=5)
    with pytest.raises(VocabularyError, match="0 distinct words"):
        Vocab.from_counter({})


@pytest.mark.parametrize("name", ["min_count", "max_size"])
def test_limits_below_one_are_refused(name):
    with pytest.raises(ParameterError, match=f"{name} must be 1 or more"):
        Vocab.from_counter({"a": 1}, **{name: 0})


def test_negative_counts_are_refused():
    with pytest.raises(VocabularyError, match="the word 'a' has the count -1"):
        Vocab.from_counter({"a": -1})


def test_from_words_keeps_order_and_knows_no_counts():
    vocab = Vocab.from_words(iter(["b", "a"]))
    assert list(vocab) == ["b", "a"]
    assert vocab.counts.tolist() == [0, 0]
    assert Vocab.from_words(["b", "a"], iter([3, 4])).counts.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("words", "counts", "error", "message"),
    [
        (["a", "b", "a"], None, VocabularyError, "'a' is there twice, the second time at .* 2"),
        ([], None, VocabularyError, "needs at least one word"),
        ("hello", None, ParameterError, "the string 'hello'; give a list"),
        (["a", 3], None, ParameterError, "a word is a string, not int 3"),
        (["a\ud800"], None, VocabularyError, "lone surrogate at character 1"),
        (["a", "b"], [1], VocabularyError, "2 words, but counts has the shape"),
        (["a"], [-1], VocabularyError, "counts must be whole numbers"),
        (["a"], [1.5], VocabularyError, "counts must be whole numbers"),
    ],
)
def test_words_that_make_no_vocabulary(words, counts, error, message):
    with pytest.raises(error, match=message):
        Vocab.from_words(words, counts)


@pytest.mark.parametrize(
    ("data", "offsets", "message"),
    [
        (b"ab", [0, 1], "run from 0 to 1; they must run from 0 to the 2"),
        (b"ab", [1, 2], "run from 1 to 2"),
        (b"abc", [0, 2, 1, 3], "fall after position 1"),
        (b"a\xff", [0, 1, 2], "the word at position 1 is no UTF-8"),
        ("aé".encode(), [0, 2, 3], "the word at position 1 starts inside a character"),
    ],
)
def test_arrays_that_make_no_vocabulary(data, offsets, message):
    with pytest.raises(VocabularyError, match=message):
        Vocab.from_arrays(
            np.frombuffer(data, np.uint8),
            np.array(offsets, np.uint64),
            np.ones(len(offsets) - 1, np.int64),
        )


def test_the_callers_arrays_stay_writable():
    counts = np.array([2, 1])
    vocab = Vocab.from_words(["a", "b"], counts)
    assert counts.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        vocab.counts[0] = 7


# --- asking ---------------------------------------------------------------------------------------


@given(words=WORD_LISTS, others=st.lists(WORDS))
def test_every_word_is_found_and_no_other(words, others):
    vocab = Vocab.from_words(words)
    rows = {word: row for row, word in enumerate(words)}
    assert [vocab[word] for word in words] == list(range(len(words)))
    assert vocab.ids(others).tolist() == [rows.get(word, -1) for word in others]
    assert [vocab.get(word) for word in others] == [rows.get(word) for word in others]
    assert [word in vocab for word in others] == [word in rows for word in others]


def test_ids_takes_any_iterable_and_another_mark(vocab):
    assert vocab.ids(iter(["or", "zebra", "\ud800"]), missing=99).tolist() == [4, 99, 99]
    assert vocab.ids([]).dtype == np.int64


def test_ids_of_what_are_no_words(vocab):
    with pytest.raises(ParameterError, match=r"words\[1\] is int 3"):
        vocab.ids(["or", 3])
    with pytest.raises(ParameterError, match="the string 'or'"):
        vocab.ids("or")


def test_what_is_no_word_is_not_there(vocab):
    assert 3 not in vocab
    assert vocab.get(3) is None
    assert vocab.get("zebra", "x") == "x"
    with pytest.raises(WordNotFoundError, match="a word is a string, not int 3"):
        vocab[3]


def test_missing_words_raise_with_near_spellings(vocab):
    with pytest.raises(KeyError) as caught:
        vocab["quesiton"]
    assert (
        str(caught.value)
        == "the word 'quesiton' is not among the 8 words; near spellings: question"
    )
    assert "near spellings: question" in repr(caught.value)
    with pytest.raises(WordNotFoundError, match=r"'zebra' is not .*; nothing comes near it"):
        vocab["zebra"]


def test_the_error_can_leave_the_process_without_the_vocabulary(vocab):
    with pytest.raises(WordNotFoundError) as caught:
        vocab["quesiton"]
    data = pickle.dumps(caught.value)
    assert len(data) < 500
    assert str(pickle.loads(data)) == str(caught.value)


def test_an_error_that_nobody_reads_searches_nothing():
    vocab = Vocab.from_words([f"word{i}" for i in range(20_000)])
    begin = time.perf_counter()
    for _ in range(2000):
        with pytest.raises(WordNotFoundError):
            vocab["wrod7"]
    assert time.perf_counter() - begin < 0.5


def test_words_are_a_sequence(vocab):
    words = vocab.words
    plain = list(vocab)
    assert len(words) == 8
    assert words[-1] == plain[-1]
    assert words[np.int64(1)] == plain[1]
    assert words[1:6:2] == plain[1:6:2]
    assert words[::-1] == plain[::-1]
    assert words == plain
    assert words == tuple(plain)
    assert words == Vocab.from_words(plain).words
    assert words != plain[:-1]
    assert words != 3
    assert words.index("or") == plain.index("or")
    assert "or" in words
    assert words.count("or") == 1
    assert repr(words) == "WordList(['be', 'to', 'is', ...], 8 words)"
    for row in (8, -9):
        with pytest.raises(IndexError, match="of a vocabulary of 8 words"):
            words[row]
    for arguments in (("zebra",), ("or", 5), ("or", 0, 4)):
        with pytest.raises(ValueError, match="is not in the list"):
            words.index(*arguments)


def test_equality_and_fingerprint_are_those_of_words_and_counts(vocab):
    same = Vocab.from_words(list(vocab), vocab.counts)
    assert same == vocab
    assert hash(same) == hash(vocab)
    assert same.fingerprint() == vocab.fingerprint()
    others = [
        Vocab.from_words(list(vocab)),
        Vocab.from_words(list(vocab)[::-1], vocab.counts[::-1]),
        Vocab.from_words(["bet", "o", *list(vocab)[2:]], vocab.counts),
    ]
    assert len({other.fingerprint() for other in [vocab, *others]}) == 4
    assert all(other != vocab for other in others)
    assert vocab != "be"
    assert repr(vocab) == "Vocab(8 words)"


# --- spelling -------------------------------------------------------------------------------------


def fold(word):
    return "".join(c.lower() if c.isascii() else c for c in word)


@given(words=NEAR_WORDS, query=st.text("abAé😀", min_size=1, max_size=6), k=st.integers(1, 5))
def test_nearest_spellings_agree_with_the_table_of_distances(words, query, k):
    counts = np.array([len(word) for word in words])
    vocab = Vocab.from_words(words, counts)
    index = _core.StringIndex(vocab.word_bytes, vocab.word_offsets, vocab.slots)
    ranked = sorted(
        (naive.edit_distance(fold(query), fold(word)), -counts[row], row)
        for row, word in enumerate(words)
        if word != query
    )
    expected = [row for distance, _, row in ranked if distance <= 2][:k]
    assert index.nearest_spellings(query, vocab.counts, k, 2).tolist() == expected


def test_words_of_64_characters_still_have_distances():
    word = "ab" * 32
    vocab = Vocab.from_words([word + "c", word[1:], "x" * 64])
    assert vocab.suggest(word) == [word + "c", word[1:]]
    assert vocab.suggest(word + "a") == []
    assert vocab.suggest("") == []
    assert vocab.suggest(word, 0) == []


def test_case_goes_before_distance():
    vocab = Vocab.from_words(["iphones", "iPhone", "ÉCOLE", "ecole", "king", "kong"])
    assert vocab.suggest("iphone") == ["iPhone", "iphones"]
    assert vocab.suggest("école") == ["ÉCOLE", "ecole"]
    assert vocab.suggest("KING", k=1) == ["king"]


def test_frequent_words_go_before_rare_ones_as_near():
    assert Vocab.from_words(["cat", "bat", "hat"], [1, 5, 3]).suggest("rat") == [
        "bat",
        "hat",
        "cat",
    ]


def test_suggestions_over_many_words_are_quick():
    rng = np.random.default_rng(1)
    letters = rng.choice(list("etaoinshrdlu"), (100_000, 8))
    vocab = Vocab.from_words(dict.fromkeys(map("".join, letters)))
    begin = time.perf_counter()
    vocab.suggest("situation")
    assert time.perf_counter() - begin < 0.1  # 12.5 ms asked for on a quiet machine


# --- keeping --------------------------------------------------------------------------------------


@given(words=WORD_LISTS)
def test_a_saved_vocabulary_comes_back(tmp_path_factory, words):
    folder = tmp_path_factory.mktemp("v") / "vocab"
    vocab = Vocab.from_words(words, np.arange(len(words)))
    vocab.save(folder)
    loaded = Vocab.load(folder)
    assert loaded == vocab
    assert list(loaded) == words
    assert [loaded[word] for word in words] == list(range(len(words)))


def test_saving_where_something_else_is(tmp_path, vocab):
    (tmp_path / "x").touch()
    with pytest.raises(OutputError, match="this is a file"):
        vocab.save(tmp_path / "x")


def test_loading_what_is_not_there(tmp_path, vocab):
    with pytest.raises(SourceError, match="no such folder"):
        Vocab.load(tmp_path / "none")
    with write_folder(tmp_path / "empty") as folder:
        write_config(folder, "keyed_vectors")
    with pytest.raises(FormatError, match=r"vocab\.safetensors: this file is missing"):
        Vocab.load(tmp_path / "empty")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slots": None}, "tensor 'slots' is missing"),
        ({"counts": np.ones(8, np.int32)}, "'counts' is int32 of shape .8,., where int64"),
        ({"counts": np.ones(7, np.int64)}, "7 counts, 9 offsets, .* do not fit"),
        ({"word_bytes": np.ones(3, np.uint8)}, "3 bytes .* do not fit"),
        ({"slots": np.ones(15, np.uint32)}, "15 slots do not fit"),
        ({"slots": np.ones(8, np.uint32)}, "8 slots do not fit"),
        ({"word_offsets": np.ones(9, np.uint64)}, "do not fit"),
    ],
)
def test_files_with_arrays_that_do_not_fit(tmp_path, vocab, change, message):
    path = tmp_path / "v.safetensors"
    vocab.to_file(path)
    tensors = {**open_tensors(path), **change}
    save_tensors(path, {name: array for name, array in tensors.items() if array is not None})
    with pytest.raises(FormatError, match=message) as caught:
        Vocab.from_file(path)
    assert str(path) in str(caught.value)


@given(data=st.data())
def test_no_damage_does_worse_than_a_format_error(tmp_path_factory, data):
    """Any bytes may be in the file of a stranger: look-ups stay within it."""
    vocab = Vocab.from_words(["be", "to", "höchst", "the"], [4, 3, 2, 1])
    path = tmp_path_factory.mktemp("v") / "v.safetensors"
    arrays = {name: array.copy() for name, array in tensors_of(vocab).items()}
    array = arrays[data.draw(st.sampled_from(["slots", "word_offsets", "word_bytes"]))]
    last = 2 ** (8 * array.itemsize) - 1
    for _ in range(data.draw(st.integers(1, 4))):
        value = data.draw(st.integers(0, 20) | st.integers(0, last) | st.just(last - 1))
        array[data.draw(st.integers(0, len(array) - 1))] = value
    save_tensors(path, arrays)
    try:
        damaged = Vocab.from_file(path)
    except FormatError:
        return
    for ask in (
        lambda: damaged.get("be"),
        lambda: damaged.ids(["to", "of", "the"]),
        lambda: list(damaged),
        lambda: damaged.suggest("thw"),
    ):
        try:
            ask()
        except FormatError as error:
            assert "damaged; copy the file again" in str(error)  # noqa: PT017


def tensors_of(vocab):
    names = ("word_bytes", "word_offsets", "counts", "slots")
    return {name: getattr(vocab, name) for name in names}


def test_an_index_made_with_another_hash_is_noticed(tmp_path, vocab):
    path = tmp_path / "v.safetensors"
    save_tensors(path, {**tensors_of(vocab), "slots": np.roll(vocab.slots, 5)})
    with pytest.raises(FormatError, match="the index does not find its own words"):
        Vocab.from_file(path)


def test_the_hash_of_saved_indexes_never_changes():
    """A change here means that every folder ever written must be made again."""
    words = ["", "a", "the", "word", "eight888", "nine99999", "a word of 24 characters!", "größe"]
    slots = Vocab.from_words(words).slots.astype(np.int32)  # -1: empty
    assert slots.tolist() == [2, -1, -1, 0, 7, -1, -1, -1, 3, 1, -1, -1, 6, -1, 5, 4]


def test_a_table_without_an_empty_slot_ends(vocab):
    arrays = {**tensors_of(vocab), "slots": np.zeros(16, np.uint32)}
    damaged = Vocab.from_parts(**arrays)
    for ask in (damaged.get, lambda word: damaged.ids([word])):
        with pytest.raises(FormatError, match="the index of words is damaged"):
            ask("zebra")


def test_the_list_of_words_has_its_name():
    assert isinstance(Vocab.from_words(["a"]).words, WordList)

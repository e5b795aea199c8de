"""The core's token interner against `bytes.split()` and a dictionary."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from firth import _core
from firth.corpus._renaming import SentenceCutter

MAX_LENGTH = 7  # of a sentence, so that small texts have some that are cut

# Every kind of whitespace that bytes.split() knows, and the control characters that it does not.
SPACES = b" \t\n\r\v\f"
# Bytes around the limit of the search for whitespace, and on both sides of the sign bit.
ODD_BYTES = b"\x00\x01\x08\x0e\x1b\x1f!\x7f\x80\x85\xa0\xc2\xffab"


def without_spaces(data):
    return b"".join(data.split()) or b"x"


tokens = st.one_of(
    st.sampled_from([b"a", b"the", b"wordword", b"wordwordw", b"\x00", b"\x00\x00"]),
    st.binary(min_size=1, max_size=20).map(without_spaces),
    st.lists(st.sampled_from(ODD_BYTES), min_size=1, max_size=34).map(bytes),
    st.text(min_size=1, max_size=9).map(lambda t: without_spaces(t.encode(errors="replace"))),
)
gaps = st.lists(st.sampled_from(SPACES), max_size=4).map(bytes)
# A block may be cut within a line, but never within a token: it ends with whitespace.
blocks = st.lists(
    st.tuples(gaps, st.lists(st.tuples(tokens, gaps.filter(bool)), max_size=90)), max_size=5
).map(lambda parts: [gap + b"".join(t + g for t, g in pairs) for gap, pairs in parts])


def encode(blocks, n_interners=1, min_count=1, max_size=None, vocabulary=None, n_threads=1):
    """What the corpus does with blocks, the next interner taking the next one."""
    interners = [_core.TokenInterner() for _ in range(n_interners)]
    provisional = []
    for number, block in enumerate(blocks):
        ids = np.full(len(block) + 1, 12345, np.uint32)
        provisional.append(ids[: interners[number % n_interners].encode_text(block, ids)])
    if vocabulary is None:
        arrays = _core.select_words(interners, min_count, max_size or 2**63 - 1, n_threads)
    else:
        offsets = np.cumsum([0, *map(len, vocabulary)]).astype(np.uint64)
        arrays = np.frombuffer(b"".join(vocabulary), np.uint8), offsets, []
    maps = [interner.id_map_to(*arrays[:2]) for interner in interners]
    cutter = SentenceCutter(MAX_LENGTH)
    all_ids, all_ends = [], []
    for number, ids in enumerate(provisional):
        ends = np.empty(len(ids), np.int64)
        n_ids, n_ends = _core.rename_ids(ids, maps[number % n_interners], ids, ends)
        all_ids += ids[:n_ids].tolist()
        all_ends += cutter.cut(ends[:n_ends], n_ids).tolist()
    all_ends += cutter.finish().tolist()
    return words_of(*arrays[:2]), list(arrays[2]), all_ids, all_ends


def words_of(word_bytes, offsets):
    text = word_bytes.tobytes()
    return [text[a:b] for a, b in zip(offsets.tolist(), offsets[1:].tolist(), strict=False)]


@settings(max_examples=300)
@given(blocks, st.integers(1, 3), st.integers(1, 3), st.none() | st.integers(1, 4))
def test_text_becomes_the_ids_of_the_reference(blocks, n_interners, min_count, max_size):
    expected = naive.encode_text(blocks, min_count, max_size, max_sentence_length=MAX_LENGTH)
    assert encode(blocks, n_interners, min_count, max_size) == expected


@settings(max_examples=100)
@given(blocks, st.integers(1, 3), st.lists(tokens, min_size=1, max_size=9, unique=True))
def test_a_given_vocabulary_numbers_the_words(blocks, n_interners, vocabulary):
    _, _, *expected = naive.encode_text(
        blocks, vocabulary=vocabulary, max_sentence_length=MAX_LENGTH
    )
    assert list(encode(blocks, n_interners, vocabulary=vocabulary)[2:]) == expected


@given(st.lists(st.lists(st.text(min_size=1, max_size=20), max_size=5), max_size=20))
def test_lists_of_tokens_are_counted_as_their_bytes(sentences):
    interner = _core.TokenInterner()
    ids = interner.encode_sentences(sentences)
    # Numbered in the order in which they come; a sentence end behind every list.
    numbers = {}
    expected = []
    for sentence in sentences:
        expected += [numbers.setdefault(token, len(numbers)) for token in sentence]
        expected.append(_core.SENTENCE_END)
    assert ids.tolist() == expected
    assert len(interner) == len(numbers)
    assert interner.total_count == sum(map(len, sentences))
    open_ids = _core.TokenInterner().encode_sentences(sentences, last_is_open=True)
    assert open_ids.tolist() == expected[:-1]


@pytest.mark.parametrize("length", [*range(1, 40), 255, 256, 4095, 4096, 5000])
def test_tokens_of_every_length_are_told_apart_by_each_of_their_bytes(length):
    # One token for each byte that may differ, at every distance of the text's end from a word of 8.
    base = bytes(33 + i % 90 for i in range(length))
    places = range(length) if length < 40 else [0, 7, 8, 15, 16, length - 9, length - 8, length - 1]
    variants = [base, base + b"!", base[:-1]]
    variants += [base[:i] + b"\xfe" + base[i + 1 :] for i in places]
    variants = [v for v in variants if v]
    for tail in range(9):
        text = b" ".join(variants) + b"\n" + b" " * tail
        words, counts, ids, _ = encode([text * 2])
        assert len(words) == len(set(variants))
        assert [words[i] for i in ids] == variants * 2
        assert set(counts) == {2}


def test_the_table_grows_with_the_number_of_words():
    # Past two growths (32,768 and 131,072 words), with words below and above eight bytes.
    names = [b"w%d" % (i * 7919) for i in range(140_000)]
    text = b" ".join(names) + b"\n"
    interner = _core.TokenInterner()
    ids = np.empty(len(text) + 1, np.uint32)
    assert interner.encode_text(text, ids) == len(names) + 1
    assert (ids[: len(names)] == np.arange(len(names))).all()
    assert interner.encode_text(text, ids) == len(names) + 1
    assert (ids[: len(names)] == np.arange(len(names))).all()
    assert (len(interner), interner.total_count) == (140_000, 280_000)
    for n_threads in (1, 2, 3, 5):
        word_bytes, offsets, counts = _core.select_words([interner], 1, 2**63 - 1, n_threads)
        assert words_of(word_bytes, offsets) == sorted(names)
        assert (counts == 2).all()


def test_words_of_equal_counts_are_in_the_order_of_their_code_points():
    # UTF-16 would sort U+1F600 before U+FF5E.
    names = sorted(["z", "é", "ab", "a", "Z", "～", "😀", "a\u0301"])
    words, *_ = encode([" ".join(reversed(names)).encode() + b"\n"])
    assert [word.decode() for word in words] == names


def test_a_line_cut_by_blocks_is_one_sentence():
    assert encode([b"a b ", b"c ", b" ", b"\nd\n"])[3] == [3, 4]
    assert encode([b"a\n", b"\n \n", b"\tb"])[3] == [1, 2]
    assert encode([b"a b ", b"\n"], n_interners=2)[3] == [2]


@pytest.mark.parametrize("n", [*range(60, 70), 127, 128, 129, 192])
def test_lines_that_end_where_a_batch_of_tokens_ends(n):
    # The core cuts 64 tokens at a time; a line end may be all that is left for the next time.
    block = b"a " * (n - 1) + b"b\n\n" + b"c " * 64 + b" \n" + b"d " * 64
    ids = np.empty(len(block) + 1, np.uint32)
    expected = [0] * (n - 1) + [1, _core.SENTENCE_END] + [2] * 64 + [_core.SENTENCE_END] + [3] * 64
    assert ids[: _core.TokenInterner().encode_text(block, ids)].tolist() == expected


@pytest.mark.parametrize("min_count", [0, 1, 2, 3, 5, 100])
@pytest.mark.parametrize(("n_interners", "n_threads"), [(1, 4), (2, 1), (2, 2), (3, 2), (7, 3)])
def test_words_are_selected_by_what_all_interners_have_counted(min_count, n_interners, n_threads):
    rng = np.random.default_rng(1)
    interners, total = [_core.TokenInterner() for _ in range(n_interners)], Counter()
    for number, interner in enumerate(interners):
        # Some words are everywhere, some are known to one interner only.
        drawn = np.minimum(rng.zipf(1.3, 30_000), 10**9)
        names = [f"{word}" if word < 2_000 else f"{word}of{number}" for word in drawn]
        interner.encode_sentences([names])
        total.update(names)
    expected = sorted((-n, word.encode()) for word, n in total.items() if n >= min_count)
    for max_size in (2**63 - 1, 10):
        arrays = _core.select_words(interners, min_count, max_size, n_threads)
        found = zip((-arrays[2]).tolist(), words_of(*arrays[:2]), strict=True)
        assert list(found) == expected[:max_size]


# --- what the core refuses ------------------------------------------------------------------------


def test_too_little_room_is_refused():
    interner = _core.TokenInterner()
    with pytest.raises(ValueError, match="room"):
        interner.encode_text(b"a b", np.empty(3, np.uint32))
    with pytest.raises(ValueError, match="room"):
        _core.rename_ids(
            np.zeros(3, np.uint32), np.zeros(1, np.uint32),
            np.empty(2, np.uint32), np.empty(3, np.int64),
        )  # fmt: skip


def test_a_provisional_id_without_a_place_in_the_map_is_refused():
    with pytest.raises(ValueError, match="id map"):
        _core.rename_ids(
            np.array([0, 5], np.uint32), np.zeros(5, np.uint32),
            np.empty(2, np.uint32), np.empty(2, np.int64),
        )  # fmt: skip


@pytest.mark.parametrize(
    "offsets", [[], [1, 2], [0, 9], [0, 3, 2, 4], [0, 2**63]], ids=str
)  # fmt: skip
def test_offsets_of_a_damaged_vocabulary_do_not_become_addresses(offsets):
    interner = _core.TokenInterner()
    interner.encode_sentences([["abcd"]])
    with pytest.raises(ValueError, match="offsets"):
        interner.id_map_to(np.frombuffer(b"abcd", np.uint8), np.array(offsets, np.uint64))


def test_words_of_no_interner_are_refused():
    for interners, n_threads in (([], 1), ([_core.TokenInterner()], 0)):
        with pytest.raises(ValueError, match="one or more"):
            _core.select_words(interners, 1, 10, n_threads)
    with pytest.raises(ValueError, match="None"):
        _core.select_words([None], 1, 10)


def test_a_token_that_is_no_text_is_refused():
    interner = _core.TokenInterner()
    with pytest.raises(TypeError):
        interner.encode_sentences([["a", 5]])
    with pytest.raises(UnicodeEncodeError):
        interner.encode_sentences([["\ud800"]])

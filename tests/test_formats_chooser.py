"""Which rows are kept, compared with a slow reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import FormatError, ParameterError
from firth.formats import LoadReport, ReadOptions
from firth.formats._chooser import RowChooser, RowStore, make_chosen_table, take_rows

words = st.lists(st.sampled_from(["", "a", "b", "ü", "🙂", "a b"]), max_size=30)


def slow(given, only, limit):
    kept, rows = [], []
    for row, word in enumerate(given):
        if limit is not None and len(kept) >= limit:
            break
        if word and word not in kept and (only is None or word in only):
            kept.append(word)
            rows.append(row)
    return kept, rows


@given(
    given_words=words,
    only=st.none() | st.frozensets(st.sampled_from(["a", "b", "ü", "zzz"]), min_size=1),
    limit=st.none() | st.integers(1, 4),
    block=st.integers(1, 5),
    as_bytes=st.booleans(),
)
def test_the_rows_are_those_of_the_reference(given_words, only, limit, block, as_bytes):
    report = LoadReport("x", "file")
    chooser = RowChooser(ReadOptions(only, limit), report)
    counts = np.arange(len(given_words)) - 1
    for begin in range(0, len(given_words), block):
        part = given_words[begin : begin + block]
        if not chooser.is_full:
            encoded = [word.encode() for word in part] if as_bytes else part
            chooser.add(encoded, counts[begin : begin + block])
    kept, rows = slow(given_words, only, limit)
    assert chooser.rows().tolist() == rows
    if kept:
        vocab = chooser.vocab()
        assert list(vocab) == kept
        assert vocab.counts.tolist() == [max(0, row - 1) for row in rows]
    else:
        with pytest.raises((FormatError, ParameterError)):
            chooser.vocab()
    if only is None and limit is None:
        assert report.empty_words == given_words.count("")
        assert report.duplicates == len(given_words) - given_words.count("") - len(kept)
        assert report.rows_read == len(given_words)


@pytest.mark.parametrize("word", [b"a\xff", "a\ud800"])
def test_words_that_are_no_utf8(word):
    for errors, expected in (("replace", "a\ufffd"), ("ignore", "a")):
        report = LoadReport("x", "file")
        chooser = RowChooser(ReadOptions(errors=errors), report)
        chooser.add(["x", word])
        assert list(chooser.vocab())[1].rstrip("\ufffd") + "\ufffd" * ("\ufffd" in expected) == (
            expected
        )
        assert report.undecodable_words == 1
    chooser = RowChooser(ReadOptions(), LoadReport("x", "file"))
    chooser.add(["y"])
    with pytest.raises(FormatError, match=r"file: row 2 \(from 0\): .*not UTF-8"):
        chooser.add(["x", word])
    with pytest.raises(FormatError, match=r"file: byte 101: "):
        chooser.add(["x", word], where=lambda i: f"byte {100 + i}")


def test_the_matrix_itself_is_given_where_it_can_be():
    matrix = np.arange(12, dtype=np.float32).reshape(4, 3)
    assert take_rows(matrix, np.arange(4), "float32") is not None
    assert np.shares_memory(take_rows(matrix, np.arange(4), "float32"), matrix)
    assert np.shares_memory(take_rows(matrix, np.arange(2), "float32"), matrix)
    assert take_rows(matrix, np.array([0, 2]), "float32").tolist() == matrix[[0, 2]].tolist()
    assert take_rows(matrix, np.arange(4), "float16").dtype == np.float16
    assert take_rows(matrix.astype(">f4"), np.arange(4), "float32").dtype.isnative
    assert take_rows(np.asfortranarray(matrix), np.arange(4), "float32").flags.c_contiguous


def test_an_array_at_an_odd_address_is_copied():
    raw = bytearray(1 + 48)
    matrix = np.frombuffer(memoryview(raw)[1:], np.float32).reshape(4, 3)
    assert not matrix.flags.aligned
    assert take_rows(matrix, np.arange(4), "float32").flags.aligned


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 9))
def test_blocks_are_stored_in_order(sizes, spare):
    blocks = [np.full((size, 2), i, np.float64) for i, size in enumerate(sizes)]
    store = RowStore(sum(sizes) + spare, ReadOptions(dtype="float16"))
    for block in blocks:
        store.add(block)
    assert store.matrix().dtype == np.float16
    assert store.matrix().tolist() == (np.concatenate(blocks).tolist() if sum(sizes) else [])


def test_room_for_more_rows_than_there_are_costs_nothing():
    store = RowStore(1 << 40, ReadOptions(limit=1 << 24))
    store.add(np.ones((3, 100)))
    assert store.matrix().shape == (3, 100)


def test_a_matrix_with_fewer_rows_than_words_is_refused():
    options, report = ReadOptions(), LoadReport("x", "file")
    chooser = RowChooser(options, report)
    chooser.add(["a", "b"])
    with pytest.raises(FormatError, match=r"shape \(1, 2\) for 2 words"):
        make_chosen_table(chooser, np.ones((1, 2)), options, report)

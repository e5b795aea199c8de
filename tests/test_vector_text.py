"""The core's parser of vector text, against slow references."""

import struct
from decimal import Decimal, localcontext
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firth import _core
from firth.vocab import Vocab
from naive import nearest_float32, vector_lines

DIGITS = st.text("0123456789", min_size=1, max_size=25)


def new_rows(dims, *, half=False, limit=2**63, errors="strict", wanted=None):
    return _core.WordRows(dims, half, limit, errors, wanted)


def parse(rows, text, n_threads=1):
    block = np.zeros(len(text) + _core.READ_BEYOND, np.uint8)
    block[: len(text)] = np.frombuffer(text, np.uint8)
    return rows.parse_text(block, len(text), n_threads)


def words_of(word_bytes, offsets):
    return [word_bytes[a:b].tobytes() for a, b in pairwise(offsets)]


# --- numbers --------------------------------------------------------------------------------------


@given(sign=st.sampled_from(["", "-", "+"]), whole=DIGITS, fraction=DIGITS)
@example("-", "0", "0")
@example("", "0", "00000000")
@example("", "9", "007199254740993")
def test_numbers_with_a_point_are_rounded_correctly(sign, whole, fraction):
    text = f"{sign}{whole}.{fraction}"
    assert _core.parse_number(text.encode()) == nearest_float32(text)


@given(digits=DIGITS, point=st.integers(0, 25), exponent=st.integers(-50, 40))
def test_numbers_with_an_exponent_are_rounded_correctly(digits, point, exponent):
    text = f"{digits[:point] or '0'}.{digits[point:]}e{exponent}"
    expected = nearest_float32(text)
    assert _core.parse_number(text.encode()) == expected


@given(bits=st.integers(0x00000001, 0x7F7FFFFE), nudge=st.sampled_from(["", "1"]))
def test_the_middle_of_two_floats_goes_to_the_even_one(bits, nudge):
    low, high = (struct.unpack("<f", struct.pack("<I", b))[0] for b in (bits, bits + 1))
    with localcontext() as context:
        context.prec = 200
        middle = format((Decimal(low) + Decimal(high)) / 2, "f")
    text = middle + nudge if "." in middle else middle
    assert _core.parse_number(text.encode()) == nearest_float32(text)


@given(bits=st.integers(0, 0xFFFFFFFF))
def test_a_float_is_read_back_as_it_is_written(bits):
    value = np.array([[bits]], np.uint32).view(np.float32)
    words = np.frombuffer(b"w", np.uint8), np.array([0, 1], np.uint64)
    line = _core.format_rows(*words, value, " ", True, 1)
    rows = new_rows(1)
    assert parse(rows, line) == len(line)
    _, _, matrix = rows.release()
    assert np.isnan(matrix[0, 0]) if np.isnan(value[0, 0]) else matrix.tobytes() == value.tobytes()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e50", np.inf),
        ("-1e400", -np.inf),
        ("1e-400", 0),
        ("1" + "0" * 400 + "e-5", np.inf),
        ("1" + "0" * 400 + "e-400", 1),
        ("0." + "0" * 400 + "1e99", 0),
        ("0." + "0" * 400 + "1e401", 1),
        ("1e99999999999999999999", np.inf),
        ("1e-99999999999999999999", 0),
        ("inf", np.inf),
        ("-Infinity", -np.inf),
        (".5", 0.5),
        ("5.", 5),
    ],
)
def test_numbers_at_the_edge(text, value):
    assert _core.parse_number(text.encode()) == value


@pytest.mark.parametrize("text", ["", "-", "+", ".", "1e", "e5", "--1", "+-1", "1_0", "0x1", "1,5"])
def test_what_is_no_number(text):
    assert _core.parse_number(text.encode()) is None


def test_half_precision_is_that_of_numpy():
    halves = np.arange(1 << 16, dtype=np.uint16)
    as_floats = halves.view(np.float16).astype(np.float32)
    assert _core.from_halves(halves).tobytes() == as_floats.tobytes()
    rng = np.random.default_rng(1)
    values = rng.integers(0, 1 << 32, 1 << 20, np.uint64).astype(np.uint32).view(np.float32)
    finite = np.sort(as_floats[np.isfinite(as_floats)])
    middles = (finite[:-1] + finite[1:]) / 2
    scaled = rng.standard_normal(1 << 18).astype(np.float32) * np.float32(1e-4)
    edge = np.array([65504, 65519.9, 65520, -65520], np.float32)
    values = np.concatenate([values, middles, scaled, edge])
    with np.errstate(over="ignore", invalid="ignore"):
        expected = values.astype(np.float16)
    result = _core.to_halves(values).view(np.float16)
    assert np.array_equal(np.isnan(result), np.isnan(values))
    there = ~np.isnan(values)
    assert result[there].tobytes() == expected[there].tobytes()


@given(st.binary(max_size=30) | st.text(max_size=10).map(str.encode))
@example(b"\xf0\x9f\x98")
@example(b"\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf\xe0\x80\xaf")
def test_bytes_that_are_not_utf8_are_repaired_as_python_does(data):
    for errors in ("replace", "ignore"):
        assert _core.repair_utf8(data, errors == "replace") == data.decode(errors=errors).encode()


# --- lines ----------------------------------------------------------------------------------------

WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\n\r\t "), min_size=1, max_size=6
).filter(lambda word: not any(c.isdigit() for c in word))
PHRASES = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False).map(
    lambda x: np.random.default_rng(abs(hash(x))).choice([repr(x), f"{x:.5f}", f"{x:g}"])
)


@st.composite
def files(draw):
    dims = draw(st.integers(1, 9))
    lines = []
    for word in draw(st.lists(PHRASES, min_size=1, max_size=20, unique=True)):
        numbers = draw(st.lists(NUMBERS, min_size=dims, max_size=dims))
        separator = draw(st.sampled_from([" ", " ", "\t"]))
        end = draw(st.sampled_from(["\n", "\n", " \n", "\r\n", "\n\n"]))
        lines.append(separator.join([word, *numbers]) + end)
    return dims, "".join(lines).encode()


@given(files())
def test_lines_are_read_as_by_the_reference(file):
    dims, text = file
    words, matrix = vector_lines(text, dims)
    rows = new_rows(dims)
    assert parse(rows, text) == len(text)
    assert rows.text_problem is None
    word_bytes, offsets, found = rows.release()
    assert words_of(word_bytes, offsets) == words
    assert found.tobytes() == matrix.tobytes()


def test_many_threads_read_the_same_as_one():
    rng = np.random.default_rng(2)
    lines = [
        f"w{i % 900} x{i}".encode()[: 4 + i % 3]
        + b" "
        + b" ".join(b"%.6f" % x for x in rng.standard_normal(7))
        + b"\n"
        for i in range(12_000)
    ]
    text = b"".join(lines)
    results = []
    for n_threads in (1, 2, 5, 64):
        rows = new_rows(7, limit=700)
        parse(rows, text[: 1 << 19], n_threads)
        results.append((rows.counts, *(array.tobytes() for array in rows.release())))
        rows = new_rows(7)
        parse(rows, text, n_threads)
        results.append((rows.counts, *(array.tobytes() for array in rows.release())))
    assert results[0::2] == [results[0]] * 4
    assert results[1::2] == [results[1]] * 4
    assert results[1][0]["duplicates"] > 0


def test_the_first_bad_line_is_told_whatever_thread_finds_one():
    lines = [b"w%d 0.5 0.25\n" % i for i in range(60_000)]
    lines[100] = lines[50_000] = b"bad 0.5\n"
    for n_threads in (1, 8):
        rows = new_rows(2)
        parse(rows, b"".join(lines), n_threads)
        kind, line, offset, length, n_numbers = rows.text_problem
        assert (kind, line, length, n_numbers) == ("too_few", 100, 7, 1)
        assert offset == sum(map(len, lines[:100]))
        assert rows.counts["kept"] == 100


@given(st.binary(max_size=200), st.integers(1, 4))
def test_any_bytes_are_refused_or_read(data, dims):
    rows = new_rows(dims, errors="replace")
    n_parsed = parse(rows, data)
    assert n_parsed == data.rfind(b"\n") + 1
    counts = rows.counts
    assert counts["kept"] <= counts["rows_read"] <= data.count(b"\n")
    word_bytes, offsets, matrix = rows.release()
    assert matrix.shape == (counts["kept"], dims)
    words = words_of(word_bytes, offsets)
    assert len(set(words)) == len(words)
    assert all(word.decode() for word in words)


def test_words_that_are_not_wanted_are_passed_over_unread():
    vocab = Vocab.from_words(["b", "two words"])
    wanted = vocab.word_bytes, vocab.word_offsets, vocab.slots
    rows = new_rows(2, wanted=wanted)
    parse(rows, b"a x y\nb 1 2\ntwo words 3 4\nno words 5 6\ntwo 7 8 \n")
    assert rows.text_problem is None
    word_bytes, offsets, matrix = rows.release()
    assert words_of(word_bytes, offsets) == [b"b", b"two words"]
    assert matrix.tolist() == [[1, 2], [3, 4]]


def test_blocks_that_do_not_fit_are_refused_before_they_are_read():
    rows = new_rows(2)
    with pytest.raises(ValueError, match="room"):
        rows.parse_text(np.zeros(10, np.uint8), 10, 1)
    with pytest.raises(ValueError, match="offsets"):
        new_rows(0).take_words(np.zeros(2, np.uint8), np.array([0, 3], np.uint64))
    with pytest.raises(ValueError, match="fit"):
        _core.format_rows(
            np.zeros(2, np.uint8),
            np.array([0, 1], np.uint64),
            np.zeros((2, 2), np.float32),
            " ",
            True,
            1,
        )

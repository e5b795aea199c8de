"""Pickles that are data are read; all others are refused, and nothing of them runs."""

import collections
import os
import pickle
import pickletools
import struct
import sys
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth.errors import FormatError
from firth.formats.restricted_pickle import (
    PickledArray,
    Record,
    Reference,
    load_restricted,
    load_with_end,
)
from vector_tables import little_memory

PROTOCOLS = [2, 3, 4, 5]
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False)
    | st.text(max_size=300),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def load(data):
    return load_restricted(data, "file.kv")


@given(value=plain, protocol=st.sampled_from(PROTOCOLS))
def test_plain_data_come_back(value, protocol):
    assert load(pickle.dumps(value, protocol)) == value


@given(value=plain)
def test_optimised_pickles_too(value):
    assert load(pickletools.optimize(pickle.dumps(value, 4))) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f2", "f8", "i8", "u4", "b1", "i1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(protocol, dtype, order):
    array = np.arange(6).reshape(2, 3).astype(dtype, order=order)
    values = load(pickle.dumps(array, protocol)).values
    assert values.dtype == array.dtype
    assert values.tolist() == array.tolist()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_of_texts_and_numbers_come_back(protocol):
    words = np.array(["a", "ü"], object)
    array = load(pickle.dumps({"words": words, "count": np.int64(3)}, protocol))
    assert array["words"].values == ["a", "ü"]
    assert array["words"].shape == (2,)
    assert array["count"] == 3


def test_an_array_is_a_view_of_the_file():
    data = pickle.dumps(np.zeros(1000, np.float32), 4)
    values = load(data).values
    assert np.shares_memory(values, np.frombuffer(data, np.uint8))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_containers_with_names_are_records(protocol):
    value = [collections.OrderedDict(a=1), collections.defaultdict(int, b=2), {"c"}, b"bytes"]
    ordered, default, items, text = load(pickle.dumps(value, protocol))
    assert isinstance(ordered, Record)
    assert (ordered.fields, default.fields) == ({"a": 1}, {"b": 2})
    assert bytes(text) == b"bytes"
    assert items == {"c"}


def test_what_python_2_wrote():
    # {u'a': array([1.0, 2.0])}, the numbers as a string of protocol 2, memo numbers from 1.
    numbers = struct.pack("<2f", 1, 2)
    data = (
        b"\x80\x02}q\x01X\x01\x00\x00\x00aq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\n"
        b"ndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05(K\x01K\x02\x85cnumpy\ndtype\nq\x06U\x02f4K\x00"
        b"K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08"
        + numbers
        + b"tbs."
    )
    assert load(data)["a"].values.tolist() == [1, 2]


def test_an_object_is_a_record_with_its_fields_and_not_made(monkeypatch):
    module = type(sys)("gensim.models.thing")

    class Thing:
        def __init__(self):
            self.words = ["a"]

        def __setstate__(self, state):
            pytest.fail("the file ran code")

    Thing.__module__, Thing.__qualname__ = module.__name__, "Thing"
    module.Thing = Thing
    monkeypatch.setitem(sys.modules, "gensim", type(sys)("gensim"))
    monkeypatch.setitem(sys.modules, "gensim.models", type(sys)("gensim.models"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    record = load(pickle.dumps(Thing(), 4))
    assert (str(record.kind), record.fields) == ("gensim.models.thing.Thing", {"words": ["a"]})


def test_the_end_is_told():
    data = pickle.dumps([1], 4)
    assert load_with_end(data + b"more", "x") == ([1], len(data))


def test_fields_that_are_not_wanted_are_not_kept():
    data = pickle.dumps({"large": {"a": 1}, "small": {"a": 1}}, 4)
    found = load_restricted(data, "x", unwanted=frozenset({"large"}))
    assert (found["large"], found["small"]) == ({}, {"a": 1})


# --- what is refused ------------------------------------------------------------------------------


class Reduce:
    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.system, ("touch owned",)),
        (eval, ("open('owned', 'w')",)),
        (exec, ("open('owned', 'w')",)),
        (getattr, ("", "join")),
        (__import__, ("os",)),
        (os.unlink, ("kept",)),
        (pickle.loads, (b"",)),
    ],
)
def test_a_pickle_that_runs_something_is_refused_by_name(
    tmp_path, monkeypatch, protocol, function, arguments
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept").touch()
    data = pickle.dumps({"vectors": Reduce(function, arguments)}, protocol)
    with pytest.raises(FormatError, match=rf"byte \d+ .*wants to use '\w+'\.'{function.__name__}'"):
        load(data)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x02cnumpy\nload\nX\x01\x00\x00\x00a\x85R.",
        b"\x80\x02cnumpy.f2py\ncompile\nX\x01\x00\x00\x00a\x85R.",
        b"\x80\x02cgensim.utils\nunpickle\nX\x01\x00\x00\x00a\x85R.",
        b"\x80\x02cbuiltins\nint\nX\x01\x00\x00\x009\x85R.",
    ],
)
def test_names_that_are_known_are_not_called_either(data):
    assert isinstance(load(data), Record)
    assert "firth" in sys.modules


def test_a_reference_shows_its_name():
    assert repr(load(b"\x80\x02cgensim.utils\nunpickle\n.")) == "gensim.utils.unpickle"
    assert isinstance(load(b"\x80\x02cbuiltins\nhash\n."), Reference)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "cut off"),
        (b"\x80\x04", "cut off"),
        (b"\x80\x04]", "cut off"),
        (b"\x80\x09.", "protocol 9"),
        (b"\x80\x04\x95" + b"\xff" * 8 + b"N.", "a frame of 18,446"),
        (b"\x80\x04\x8e" + b"\xff" * 8 + b".", "claims 18,446"),
        (b"\x80\x04\x8d\x00\x00\x00\x00\x01\x00\x00\x00.", "claims 4,294"),
        (b"\x80\x04B\xff\xff\xff\x7f.", "claims 2,147"),
        (b"\x80\x04X\xff\xff\xff\x7fabc", "cut off"),
        (b"\x80\x04Nr\xff\xff\xff\xff.", "number 4,294,967,295"),
        (b"\x80\x04Nq\xff.", "number 255"),
        (b"\x80\x04j\xff\xff\xff\xff.", "never stored"),
        (b"\x80\x04h\x05.", "cut off"),
        (b"\x80\x04\x8b\xff\xff\xff\x7f.", "claims"),
        (b"\x80\x04\x8b\x00\x10\x00\x00" + b"\x01" * 4096 + b".", "a number of 4,096 bytes"),
        (b"\x80\x04\x8c\x02\xff\xfe.", "not UTF-8"),
        (b"\x80\x04]e.", "no mark"),
        (b"\x80\x04(.", None),
        (b"\x80\x04N(\x85.", "a mark stands"),
        (b"\x80\x04K\x01)R.", "calls something"),
        (b"\x80\x04NR.", "empty stack"),
        (b"\x80\x04NN\x86b.", "cut off|empty stack|has none"),
        (b"\x80\x04K\x01}b.", "has none"),
        (b"\x80\x04K\x01Na.", "no list"),
        (b"\x80\x04](K\x01u.", "no dict"),
        (b"\x80\x04}(K\x01u.", "no dict"),
        (b"\x80\x04}]K\x01s.", "list as a key"),
        (b"\x80\x04})K\x01s.", "tuple as a key"),
        (b"\x80\x04}\x8a\x08" + b"\xff" * 7 + b"\x7fK\x01s.", "int as a key"),
        (b"\x80\x04\x82\x01.", "operation 0x82"),
        (b"\x80\x04Psome\n.", "operation 0x50"),
        (b"\x80\x02(ios\nsystem\n.", "operation 0x69"),
        (b"\x80\x02(cos\nsystem\no.", "'os'.'system'"),
        (b"\x80\x04\x97.", "operation 0x97"),
        (b"\x80\x02c" + b"a" * 2000, "does not end"),
        (b"\x80\x02c\xff\xff\nname\n.", "not UTF-8"),
        (b"\x80\x04NN\x93.", "no text"),
        (b"\x80\x04NN\x81.", "no class"),
    ],
)
def test_damaged_pickles_are_refused(data, problem):
    if problem is None:
        load(data)
        return
    with little_memory(), pytest.raises(FormatError, match=problem) as caught:
        load(data)
    assert str(caught.value).startswith("file.kv: byte ")


def reconstructed(shape, code=b"f4", numbers=b"", order=b"<"):
    """A pickle of an array that claims what it likes."""
    shape = b"".join(b"\x8a\x08" + struct.pack("<q", n) for n in shape)
    return (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
        b"(K\x01(" + shape + b"tcnumpy\ndtype\nX" + struct.pack("<I", len(code)) + code + b"K\x00"
        b"K\x01\x87R(K\x03X\x01\x00\x00\x00" + order + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK"
        b"\x00tb\x89B" + struct.pack("<I", len(numbers)) + numbers + b"tb."
    )


def test_an_array_that_a_test_claims():
    assert load(reconstructed((2,), numbers=bytes(8))).values.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (reconstructed((10**12,)), "needs 4,000,000,000,000 bytes, but there are 0"),
        (reconstructed((10**5, 10**6, 10**6)), "bytes, but there are 0"),
        (reconstructed((10**6, 10**6, 10**6)), "shape is none"),
        (reconstructed((-1,)), "shape is none"),
        (reconstructed((1,) * 40, numbers=bytes(4)), "shape is none"),
        (reconstructed((1 << 61, 1 << 61, 0)), "shape is none"),
        (reconstructed((3,), numbers=bytes(8)), "needs 12 bytes, but there are 8"),
        (reconstructed((1,), b"V8", bytes(8)), "an array of 'V8'"),
        (reconstructed((1,), b"M8", bytes(8)), "an array of 'M8'"),
        (reconstructed((1,), b"f4,f4", bytes(8)), "an array of 'f4,f4'"),
        (reconstructed((1,), numbers=bytes(4), order=b"?"), "order of its bytes"),
        (reconstructed((1,), b"O8", bytes(8)), "without its words"),
    ],
)
def test_arrays_that_are_not_what_they_claim_are_refused(data, problem):
    with little_memory(), pytest.raises(FormatError, match=problem):
        load(data)


def test_a_pickle_bomb_of_empty_containers_is_refused():
    with pytest.raises(FormatError, match="more lists and objects"):
        load(b"\x80\x04(" + b"}" * 100_000 + b"t.")


def test_copies_of_copies_are_refused():
    # One dict of 1000 items, set as the state of the same object again and again.
    items = b"".join(b"X\x04\x00\x00\x00%04d" % i + b"N" for i in range(1000))
    data = b"\x80\x04}q\x00(" + items + b"u0cgensim.x\nY\n)\x81" + b"h\x00b" * 100_000 + b"."
    with pytest.raises(FormatError, match="again and again"):
        load(data)


def test_a_text_that_is_encoded_again_and_again_is_refused():
    text = b"X" + struct.pack("<I", 100_000) + b"a" * 100_000
    once = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"
    with little_memory(), pytest.raises(FormatError, match="again and again"):
        load(b"\x80\x02" + text + b"q\x00" + once * 10_000 + b".")


def test_nesting_of_any_depth_does_no_harm():
    deep = load(b"\x80\x04)" + b"\x85" * 200_000 + b".")
    assert isinstance(deep, tuple)
    del deep
    with pytest.raises(FormatError, match="tuple as a key"):
        load(b"\x80\x04})" + b"\x85" * 200_000 + b"Ns.")
    # A list that holds itself.
    loop = load(b"\x80\x04]q\x00h\x00a.")
    assert loop[0] is loop


@given(st.binary(max_size=60))
def test_garbage_gives_an_error_and_nothing_else(data):
    with suppress(FormatError):
        load(b"\x80\x04" + data)


@given(st.data())
def test_flipped_bytes_give_an_error_or_data(data):
    good = bytearray(pickle.dumps({"a": np.arange(5), "b": ["x", "y"] * 3}, 4))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FormatError):
        load(bytes(good))


def test_an_array_box_is_empty_until_it_is_filled():
    assert PickledArray().values is None

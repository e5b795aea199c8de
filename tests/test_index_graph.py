"""Graphs of usearch, as the core checks them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import _core
from naive import first_wrong_byte


def nodes(levels, keys, lists, m=2):
    """Write levels and nodes as usearch does; `lists` has the neighbours by node and level."""
    parts = [struct.pack(f"<{len(levels)}h", *levels)]
    for level, key, of_node in zip(levels, keys, lists, strict=True):
        parts.append(struct.pack("<Qh", key, level))
        for at, neighbours in enumerate(of_node):
            room = 2 * m if at == 0 else m
            parts.append(struct.pack("<I", len(neighbours)))
            parts.append(struct.pack(f"<{room}I", *(neighbours + [0] * room)[:room]))
    return np.frombuffer(b"".join(parts), np.uint8)


GOOD = ([0, 1, 0, 1], [3, 0, 1, 2], [[[1, 2, 3]], [[0], [3]], [[0, 3]], [[1, 2], [1]]])


def test_a_good_graph_passes():
    assert _core.first_wrong_byte(nodes(*GOOD), 4, 4, 2, 4) == -1
    assert _core.first_wrong_byte(np.empty(0, np.uint8), 0, 0, 2, 4) == -1


@pytest.mark.parametrize(
    ("levels", "keys", "lists"),
    [
        ([0, 1, 0, -1], GOOD[1], GOOD[2]),
        (GOOD[0], [4, 0, 1, 2], GOOD[2]),
        (GOOD[0], GOOD[1], [[[1, 4]], *GOOD[2][1:]]),
        (GOOD[0], GOOD[1], [GOOD[2][0], [[0], [2]], *GOOD[2][2:]]),
        ([0, 1, 1, 0], GOOD[1], GOOD[2]),
    ],
)
def test_wrong_graphs_are_found_where_they_are_wrong(levels, keys, lists):
    data = nodes(levels, keys, lists)
    at = _core.first_wrong_byte(data, 4, 4, 2, 4)
    assert at >= 0
    assert at == first_wrong_byte(data.tobytes(), 4, 4, 2, 4)


@given(data=st.data())
def test_the_check_agrees_with_its_twin(data):
    good = nodes(*GOOD).copy()
    for _ in range(data.draw(st.integers(0, 2))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = good[: data.draw(st.integers(0, len(good)))]
    for some in (good, cut):
        expected = first_wrong_byte(some.tobytes(), 4, 4, 2, 4)
        assert _core.first_wrong_byte(some, 4, 4, 2, 4) == expected

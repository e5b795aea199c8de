"""Graphs of usearch, as the core checks and walks them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import _core
from naive import first_wrong_byte, walk_graph


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


# --- walks ----------------------------------------------------------------------------------------


def random_graph(random, n_nodes, m):
    """Levels, and neighbours by node and level, of which each node reaches the next one."""
    levels = np.minimum(random.geometric(0.7, n_nodes) - 1, 3)
    lists = []
    for node, level in enumerate(levels.tolist()):
        of_node = []
        for at in range(level + 1):
            there = np.flatnonzero(levels >= at)
            chosen = random.choice(there, min(2 * m if at == 0 else m, len(there)), replace=False)
            of_node.append([int(n) for n in chosen if n != node])
        of_node[0] = [(node + 1) % n_nodes, *of_node[0]][: 2 * m]
        lists.append(of_node)
    return levels.tolist(), lists


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
@pytest.mark.parametrize("dim", [1, 3, 16, 37, 100])
@pytest.mark.parametrize(("k", "expansion"), [(1, 1), (5, 8), (40, 200)])
def test_a_walk_finds_what_its_twin_finds(isa, dtype, dim, k, expansion):
    random = np.random.default_rng(dim)
    n_nodes, m = 150, 4
    vectors = random.standard_normal((n_nodes, dim))
    vectors = (vectors * 30).astype(dtype) if dtype == "int8" else vectors.astype(dtype)
    # Behind five bytes: nothing is aligned in a file.
    stored = np.frombuffer(b"12345" + vectors.tobytes(), np.uint8)[5:].reshape(n_nodes, -1)
    levels, lists = random_graph(random, n_nodes, m)
    keys = random.permutation(1000)[:n_nodes].tolist()
    entry = int(np.argmax(levels))
    graph = _core.IndexGraph(stored, dtype, nodes(levels, keys, lists, m), 1000, m, 2 * m, entry)
    queries = random.standard_normal((7, dim)).astype(np.float32)
    found = np.empty((7, k), np.int64)
    for n_threads in (1, 3):
        found[:] = -5
        graph.nearest(queries, expansion, n_threads, found)
        for query, row in zip(queries, found, strict=True):
            expected = walk_graph(vectors, lists, entry, query, k, expansion)
            by_key = dict(zip(keys, vectors, strict=True))
            there = row[row >= 0].tolist()
            assert (row[len(there) :] == -1).all()
            # Equal scores may stand in any order: whole numbers in few dimensions have many.
            scores = [float(by_key[key].astype(np.float64) @ query) for key in there]
            best = [float(vectors[node].astype(np.float64) @ query) for node in expected]
            if dim >= 16:
                assert there == [keys[node] for node in expected]
            assert scores == sorted(scores, reverse=True)
            assert len(set(there)) == len(there) == len(expected)
            np.testing.assert_allclose(scores[:1], best[:1], rtol=1e-5)


def test_what_is_no_graph_is_not_walked():
    levels, keys, lists = GOOD
    vectors = np.zeros((4, 8), np.uint8)
    good = nodes(levels, keys, lists)

    def make(**changed):
        given = {
            "vectors": vectors, "dtype": "float16", "nodes": good, "n_rows": 4,
            "connectivity": 2, "connectivity_base": 4, "entry": 1,
        }  # fmt: skip
        return _core.IndexGraph(**given | changed)

    for changed, message in (
        ({"dtype": "float64"}, "float64"),
        ({"vectors": np.zeros((4, 7), np.uint8)}, "whole numbers"),
        ({"vectors": np.zeros((3, 8), np.uint8)}, "damaged"),
        ({"nodes": good[:-1]}, "damaged"),
        ({"entry": 4}, "begins at"),
    ):
        with pytest.raises(ValueError, match=message):
            make(**changed)
    graph = make()
    for queries, expansion, n_threads, shape, message in (
        (np.zeros((2, 5)), 4, 1, (2, 3), "do not fit"),
        (np.zeros((2, 4)), 4, 1, (1, 3), "do not fit"),
        (np.zeros((2, 4)), 2, 1, (2, 3), "expansion"),
        (np.zeros((2, 4)), 4, 0, (2, 3), "n_threads"),
    ):
        with pytest.raises(ValueError, match=message):
            graph.nearest(
                queries.astype(np.float32), expansion, n_threads, np.empty(shape, np.int64)
            )


def test_questions_that_are_no_numbers_end_too():
    levels, keys, lists = GOOD
    graph = _core.IndexGraph(
        np.zeros((4, 8), np.uint8), "float16", nodes(levels, keys, lists), 4, 2, 4, 1
    )
    found = np.empty((1, 3), np.int64)
    graph.nearest(np.full((1, 4), np.nan, np.float32), 4, 1, found)
    assert ((found >= -1) & (found < 4)).all()

import resource
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive
from firth import _core, neighbours
from firth.errors import ParameterError
from firth.neighbours import row_norms, top_k, unit_rows


def normal(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim), dtype=np.float32)


@pytest.fixture(params=["few", "many"])
def way(request, monkeypatch):
    """Both ways to search, in batches so small that most tests need several."""
    monkeypatch.setattr(neighbours, "_FEW", 10**9 if request.param == "few" else 0)
    monkeypatch.setattr(neighbours, "_BEST_AT_A_TIME", 30)
    monkeypatch.setattr(neighbours, "_WORTH_A_THREAD", 1)


def assert_same(found, expected, k):
    for rows, scores, right in zip(*found, expected, strict=True):
        n = len(right)
        assert rows[:n].tolist() == [row for row, _ in right]
        assert scores[:n] == pytest.approx([score for _, score in right], abs=2e-6)
        assert rows[n:].tolist() == [-1] * (k - n)
        assert (scores[n:] == -np.inf).all()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("dim", [1, 3, 4, 15, 16, 17, 50, 100, 131])
def test_agrees_with_the_naive_search(isa, dim):
    matrix = normal(501, dim)
    matrix[[7, 200]] = 0
    matrix[300, 0] = np.nan
    matrix[400, 0] = np.inf
    queries = normal(7, dim, seed=1) * 1000
    exclude = [[], [3], [500, 0, 250], [], [7], [], [1, 1]]
    for k in (1, 10, 501) if dim > 1 else (1,):
        found = top_k(matrix, row_norms(matrix), queries, k, exclude)
        assert_same(found, naive.top_k(matrix, queries, k, exclude), k)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("dim", [1, 16, 50, 131])
def test_half_precision_is_searched_as_the_same_numbers_in_single(isa, dim):
    matrix = normal(1001, dim).astype(np.float16)
    matrix[[7, 200]] = 0
    matrix[300, 0], matrix[400, 0], matrix[500, 0] = np.nan, np.inf, 6e-8
    queries = normal(7, dim, seed=1)
    exclude = [[], [3], [500, 0, 250], [], [7], [], [1, 1]]
    norms = row_norms(matrix)
    found = top_k(matrix, norms, queries, 10, exclude)
    expected = top_k(matrix.astype(np.float32), norms, queries, 10, exclude)
    assert [a.tobytes() for a in found] == [a.tobytes() for a in expected]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("dim", [1, 16, 50, 131])
def test_bytes_are_searched_as_the_same_numbers_in_single(isa, dim):
    matrix = np.random.default_rng(2).integers(-128, 128, (1001, dim)).astype(np.int8)
    matrix[[7, 200]] = 0
    queries = normal(7, dim, seed=1)
    exclude = [[], [3], [500, 0, 250], [], [7], [], [1, 1]]
    norms = row_norms(matrix)
    found = top_k(matrix, norms, queries, 10, exclude)
    expected = top_k(matrix.astype(np.float32), norms, queries, 10, exclude)
    assert [a.tobytes() for a in found] == [a.tobytes() for a in expected]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
def test_chosen_rows_are_searched_as_a_matrix_of_their_own(isa, dtype):
    matrix = (normal(700, 20) * 30).astype(dtype)
    matrix[[8, 9, 650]] = 0
    queries = normal(15, 20, seed=1)
    exclude = [[row, 699] for row in range(15)]
    for chosen in (np.arange(5, 700, 3), np.array([0, 8, 699]), np.arange(0)):
        rows, scores = top_k(matrix, row_norms(matrix), queries, 9, exclude, chosen)
        own = np.ascontiguousarray(matrix[chosen])
        inside = [np.flatnonzero(np.isin(chosen, each)).tolist() for each in exclude]
        right, right_scores = top_k(own, row_norms(own), queries, 9, inside)
        assert rows.shape == right.shape
        there = right >= 0
        assert (rows[there] == chosen[right[there]]).all()
        assert (rows[~there] == -1).all()
        assert scores.tobytes() == right_scores.tobytes()


def test_every_number_of_half_precision_is_widened_exactly(isa):
    """A row each, searched for with its own sign: the score is the number itself."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    every = every[np.isfinite(every) & (every != 0)]
    matrix = every[:, None]
    ones = np.ones(len(every), np.float32)
    rows, scores = top_k(matrix, ones, [[1.0]], len(every))
    assert scores[0].tobytes() == every[rows[0]].astype(np.float32).tobytes()
    assert sorted(rows[0].tolist()) == list(range(len(every)))


@pytest.mark.usefixtures("way")
@given(st.data())
def test_ties_go_to_the_earlier_row(data):
    """Vectors with few distinct directions, whose cosines are exact: ties everywhere."""
    axes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=300))
    matrix = np.zeros((len(axes), 4), np.float32)
    matrix[np.arange(len(axes)), axes] = 2
    k = data.draw(st.integers(1, 20))
    exclude = [data.draw(st.lists(st.integers(0, len(axes) - 1), max_size=5))]
    found = top_k(matrix, row_norms(matrix), [[0, 3, 0, 0]], k, exclude)
    k = min(k, len(axes))
    assert_same(found, naive.top_k(matrix, np.array([[0, 3, 0, 0]]), k, exclude), k)


@pytest.mark.usefixtures("way")
def test_a_query_without_a_direction_finds_nothing():
    matrix = normal(20, 3)
    queries = [[0, 0, 0], [np.nan, 1, 1], [np.inf, 0, 0], [1, 0, 0]]
    rows, scores = top_k(matrix, row_norms(matrix), queries, 5)
    assert (rows[:3] == -1).all()
    assert (scores[:3] == -np.inf).all()
    assert (rows[3] >= 0).all()


@pytest.mark.usefixtures("way")
def test_tiny_and_huge_rows_have_directions_too(isa):
    matrix = np.array([[1e-30, 0], [1e30, 1e30], [0, 1]], np.float32)
    rows, scores = top_k(matrix, row_norms(matrix), [[1e-100, 0]], 3)
    assert rows.tolist() == [[0, 1, 2]]
    assert scores[0] == pytest.approx([1, np.sqrt(0.5), 0])


@pytest.mark.usefixtures("way")
def test_norms_that_lie_do_no_harm():
    """Norms may come from the file of a stranger."""
    matrix = normal(200, 8)
    for value in (0, -1, np.nan, np.inf):
        norms = row_norms(matrix)
        norms[::2] = value
        rows, _ = top_k(matrix, norms, matrix[:2], 10)
        assert rows.shape == (2, 10)


def test_every_instruction_set_finds_the_same(isa):
    matrix = normal(2000, 100)
    rows, _ = top_k(matrix, row_norms(matrix), matrix[:3], 20)
    _core.select_isa("baseline")
    assert (top_k(matrix, row_norms(matrix), matrix[:3], 20)[0] == rows).all()


def test_nothing_asked_nothing_found():
    matrix = normal(5, 3)
    norms = row_norms(matrix)
    assert top_k(matrix, norms, np.empty((0, 3)), 4)[0].shape == (0, 4)
    assert top_k(matrix, norms, [[1, 2, 3]], 0)[0].shape == (1, 0)
    assert top_k(matrix, norms, [[1, 2, 3]], 9)[0].shape == (1, 5)
    assert top_k(matrix[:0], norms[:0], [[1, 2, 3]], 9)[0].shape == (1, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"matrix": normal(5, 3).astype(np.float64)}, "matrix is float64"),
        ({"matrix": normal(3, 5).T}, "C-contiguous"),
        ({"norms": np.ones(4, np.float32)}, "norms is float32 of shape .4,.; .* 5 rows"),
        ({"queries": [[1, 2]]}, r"of shape \(n_queries, 3\)"),
        ({"queries": [1, 2, 3]}, r"of shape \(n_queries, 3\)"),
        ({"queries": [["a", "b", "c"]]}, "must be numbers"),
        ({"k": -1}, "k must be 0 or more, not -1"),
        ({"exclude": [[], []]}, "exclude has 2 entries for 1 queries"),
        ({"chosen": np.array([1.0])}, "chosen is float64 of shape .1,."),
        ({"chosen": np.array([1, 1])}, "chosen must be rising numbers of rows, from 0 to 4"),
        ({"chosen": np.array([-1, 1])}, "chosen must be rising"),
        ({"chosen": np.array([1, 5])}, "chosen must be rising"),
    ],
)
def test_parameters_that_do_not_fit(change, message):
    good = {"matrix": normal(5, 3), "norms": np.ones(5, np.float32), "queries": [[1, 2, 3]], "k": 1}
    with pytest.raises(ParameterError, match=message):
        top_k(**(good | change))


def test_norms_are_those_of_numpy():
    matrix = normal(30_000, 60)
    assert row_norms(matrix) == pytest.approx(np.linalg.norm(matrix, axis=1), rel=1e-6)
    assert row_norms(np.array([[np.nan, 1], [0, 0], [3e38, 3e38]], np.float32)).tolist() == [
        pytest.approx(np.nan, nan_ok=True),
        0,
        np.inf,
    ]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in other units")
def test_many_questions_take_bounded_memory():
    matrix = normal(50_000, 20)
    norms = row_norms(matrix)
    queries = normal(1000, 20)
    top_k(matrix, norms, queries[:100], 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    top_k(matrix, norms, queries, 10)
    # All scores at once would be 200 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8])
def test_queries_of_any_type_are_scaled_to_length_1(dtype):
    queries = np.random.default_rng(1).integers(0, 100, (7, 9)).astype(dtype)
    expected = queries / np.linalg.norm(queries.astype(np.float64), axis=1, keepdims=True)
    for each in (queries, np.asfortranarray(queries), queries[:, ::-1][:, ::-1], queries.tolist()):
        np.testing.assert_allclose(unit_rows(each, 9), expected, rtol=1e-6)


def test_queries_of_any_length_have_a_direction_but_for_none():
    huge = unit_rows(np.array([[3e300, 4e300], [3e-300, 4e-300], [-3e-40, 0]]), 2)
    np.testing.assert_allclose(huge, [[0.6, 0.8], [0.6, 0.8], [-1, 0]], rtol=1e-6)
    single = np.array([[3e38, 0], [0, 1e-40]], np.float32)
    np.testing.assert_allclose(unit_rows(single, 2), [[1, 0], [0, 1]], rtol=1e-6)
    for without in ([0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]):
        for dtype in (np.float32, np.float64):
            assert np.isnan(unit_rows(np.array([without], dtype), 2)).all()
    assert unit_rows(np.empty((0, 2)), 2).shape == (0, 2)

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firth import approximate
from firth.errors import FormatError, MissingExtraError, OutputError, ParameterError
from firth.neighbours import row_norms, top_k
from firth.storage import open_tensors, save_tensors

try:
    import usearch
except ImportError:
    usearch = None

from firth.approximate import NeighbourIndex

needs_usearch = pytest.mark.skipif(not usearch, reason="graphs need usearch: firth[index]")
KINDS = {
    "rabitq": {},
    "hnsw": {"kind": "hnsw", "workers": 1},
    "hnsw of int8": {"kind": "hnsw", "dtype": "int8", "workers": 1},
    "hnsw of float32": {"kind": "hnsw", "dtype": "float32", "workers": 1},
}
HNSW = {"kind": "hnsw"}
ALL = [k if k == "rabitq" else pytest.param(k, marks=needs_usearch) for k in KINDS]
QUIET = {"progress": False, "n_questions": 100}


@pytest.fixture(scope="module")
def matrix():
    """Vectors around some centres, as words have them; two rows have no direction."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((40, 12)) * 2
    rows = centres[random.integers(0, 40, 3000)] + random.standard_normal((3000, 12))
    rows *= random.uniform(0.1, 9, (3000, 1))
    rows[7] = 0
    rows[9, 3] = np.nan
    return rows.astype(np.float32)


@pytest.fixture(scope="module", params=ALL[:2])
def index(matrix, request):
    return NeighbourIndex.build(matrix, **KINDS[request.param], **QUIET)


@pytest.fixture
def file(index, tmp_path):
    index.save(tmp_path / "index.safetensors")
    return tmp_path / "index.safetensors"


@pytest.fixture(scope="module")
def graph(matrix):
    if not usearch:
        pytest.skip("graphs need usearch: firth[index]")
    return NeighbourIndex.build(matrix, **KINDS["hnsw"], **QUIET)


@pytest.fixture
def file_of_graph(graph, tmp_path):
    graph.save(tmp_path / "index.safetensors")
    return tmp_path / "index.safetensors"


@pytest.fixture
def file_of_codes(matrix, tmp_path):
    NeighbourIndex.build(matrix, **QUIET).save(tmp_path / "index.safetensors")
    return tmp_path / "index.safetensors"


def share_found(index, matrix, queries, k=10):
    true, _ = top_k(matrix, row_norms(matrix), queries, k)
    found, _ = index.search(queries, k)
    return np.mean([len(set(a) & set(b)) / k for a, b in zip(true, found, strict=True)])


# --- searching ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL)
def test_it_finds_what_it_says_it_finds(matrix, kind):
    index = NeighbourIndex.build(matrix, target_recall=0.98, **KINDS[kind], **QUIET)
    queries = np.delete(matrix, [7, 9], axis=0)[::5]
    assert index.recall >= 0.97
    assert index.recall_of_sums >= 0.9
    assert abs(share_found(index, matrix, queries) - index.recall) < 0.03
    assert KINDS[kind].items() - {("workers", 1)} <= index.about.items()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8])
@pytest.mark.parametrize("kind", ALL[:3])
def test_scores_are_exact_and_in_order(matrix, dtype, kind):
    matrix = np.nan_to_num(matrix).astype(dtype)
    index = NeighbourIndex.build(matrix, **KINDS[kind], **QUIET)
    rows, scores = index.search(matrix[:50], 5)
    for query, some, cosines in zip(matrix[:50], rows, scores, strict=True):
        vectors = matrix[some[some >= 0]].astype(np.float64)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query.astype(np.float64))
        np.testing.assert_allclose(cosines[some >= 0], vectors @ query / lengths, atol=2e-6)
        assert (np.diff(cosines[some >= 0]) <= 0).all()


def test_a_held_list_as_long_as_the_matrix_finds_all(matrix, index):
    queries = np.delete(matrix, [7, 9], axis=0)[:20]
    rows, scores = index.search(queries, 10, expansion=len(index))
    true, cosines = top_k(matrix, row_norms(matrix), queries, 10)
    assert (rows == true).mean() > 0.99
    np.testing.assert_allclose(scores, cosines, atol=1e-6)


def test_excluded_rows_are_left_out(matrix, index):
    exclude = [[0, 5], [], [2]]
    rows, _ = index.search(matrix[:3], 10, exclude)
    assert 1 in rows[1]
    assert not {0, 5} & set(rows[0])
    assert 2 not in rows[2]
    assert (rows >= 0).all()


def test_rows_and_queries_without_direction(matrix, index):
    assert len(index) == len(matrix) - 2
    queries = np.array([matrix[7], matrix[9], matrix[0]])
    rows, scores = index.search(queries, 3)
    assert (rows[:2] == -1).all()
    assert (scores[:2] == -np.inf).all()
    assert rows[2, 0] == 0
    everything, _ = index.search(matrix[:1], len(matrix))
    assert everything.shape == (1, len(matrix))
    assert sorted(everything[0])[:2] == [-1, -1]
    assert not {7, 9} & set(everything[0])


@pytest.mark.parametrize("kind", ALL[:2])
def test_few_rows(kind):
    matrix = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    index = NeighbourIndex.build(matrix, **KINDS[kind], progress=False)
    rows, scores = index.search([[2, 0]], 10)
    assert rows.tolist() == [[0, 2, 1]]
    np.testing.assert_allclose(scores, [[1, np.sqrt(0.5), 0]], atol=1e-6)
    assert index.search([[2, 0]], 0)[0].shape == (1, 0)
    assert index.search(np.empty((0, 2), np.float32), 4)[0].shape == (0, 3)
    alone = NeighbourIndex.build(matrix[:1], **KINDS[kind], progress=False)
    assert alone.search([[3, 3]], 1)[0].tolist() == [[0]]
    assert alone.recall == 1


def test_the_number_of_candidates_may_be_given(matrix):
    index = NeighbourIndex.build(matrix, expansion_search=23, **QUIET)
    assert index.expansion_search == 23


@pytest.mark.parametrize(
    "options",
    [
        {"bits": 8, "expansion_search": 30},
        pytest.param({"kind": "hnsw", "connectivity": 2, "expansion_add": 4}, marks=needs_usearch),
    ],
)
def test_vectors_that_are_hard_to_search_are_told(caplog, options, monkeypatch):
    monkeypatch.setitem(approximate._index._MOST_EXPANSION, "rabitq", 30)
    matrix = np.random.default_rng(3).standard_normal((9000, 60)).astype(np.float32)
    with caplog.at_level("WARNING", "firth"):
        options |= {"target_recall": 0.9999}
        index = NeighbourIndex.build(matrix, **options, **QUIET)
    assert index.recall < 0.9999
    assert "hard to search" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "flat"}, "kind is 'flat', which is none of rabitq, hnsw"),
        ({"bits": 0}, "bits must be a whole number from 1 to 4096, not 0"),
        ({"kind": "hnsw", "bits": 64}, "bits is no setting of an index of kind 'hnsw'"),
        ({"dtype": "int8"}, "dtype is no setting of an index of kind 'rabitq'"),
        ({"connectivity": 9}, "connectivity is no setting"),
        (
            HNSW | {"dtype": "float64"},
            "dtype is 'float64', which is none of float32, float16, int8",
        ),
        (HNSW | {"connectivity": 1}, "connectivity must be a whole number from 2 to 256, not 1"),
        (HNSW | {"expansion_add": 0}, "expansion_add"),
        ({"expansion_search": 2.5}, "expansion_search"),
        ({"target_recall": 1}, "target_recall must be above 0 and below 1, not 1"),
        ({"n_questions": 0}, "n_questions"),
        ({"workers": 0}, "workers"),
        ({"norms": np.ones(3, np.float32)}, r"norms has the shape \(3,\) for 5 rows"),
    ],
)
def test_wrong_parameters_of_building(options, message):
    with pytest.raises(ParameterError, match=message):
        NeighbourIndex.build(np.ones((5, 2), np.float32), **options)


def test_a_matrix_that_cannot_be_indexed():
    with pytest.raises(ParameterError, match="no row of the matrix has a direction"):
        NeighbourIndex.build(np.zeros((5, 2), np.float32))
    with pytest.raises(ParameterError, match="matrix is float64 of shape"):
        NeighbourIndex.build(np.ones((5, 2)))


def test_wrong_questions(index):
    with pytest.raises(ParameterError, match=r"numbers of shape \(n_queries, 12\)"):
        index.search(np.ones((2, 3)), 1)
    with pytest.raises(ParameterError, match="k must be 0 or more, not -1"):
        index.search(np.ones((2, 12)), -1)
    with pytest.raises(ParameterError, match="exclude has 1 entries for 2 queries"):
        index.search(np.ones((2, 12)), 1, [[1]])


def test_without_usearch_the_extra_is_named(matrix, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "usearch", None)
    with pytest.raises(MissingExtraError, match=r"firth\[index\]"):
        NeighbourIndex.build(matrix, kind="hnsw")
    assert NeighbourIndex.build(matrix, **QUIET).recall > 0.9


@needs_usearch
@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("Operation has been terminated", KeyboardInterrupt),  # what usearch makes of Ctrl-C
        ("Out of memory!", MemoryError),
        ("something else", RuntimeError),
    ],
)
def test_what_stops_usearch_is_told(matrix, monkeypatch, message, error):
    def add(*arguments, **options):
        raise RuntimeError(message)

    monkeypatch.setattr("usearch.index.Index.add", add)
    with pytest.raises(error):
        NeighbourIndex.build(matrix, kind="hnsw", **QUIET)


# --- files ----------------------------------------------------------------------------------------


def test_a_saved_index_answers_the_same(matrix, index, file, tmp_path):
    opened = NeighbourIndex.open(file, matrix)
    assert opened.about == index.about
    assert repr(opened) == repr(index)
    assert "2,998 of 3,000 rows" in repr(opened)
    for asked in (index, opened):
        asked.save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()
    for mine, theirs in zip(index.search(matrix, 5), opened.search(matrix, 5), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert {path.name for path in tmp_path.iterdir()} == {"again.safetensors", file.name}


def test_the_index_of_another_matrix_is_refused(matrix, file):
    for other, message in (
        (matrix[:-1], "index of 3,000 vectors of size 12, and there are 2,999 of size 12"),
        (np.where(np.arange(3000)[:, None] == 1234, matrix * 2, matrix), "of another matrix"),
        (matrix[::-1].copy(), "of another matrix"),
        (matrix.astype(np.float16), "of another matrix"),
        (-matrix, "of another matrix"),
    ):
        with pytest.raises(FormatError, match=message):
            NeighbourIndex.open(file, other)


def test_a_target_that_cannot_be_written(index, tmp_path):
    with pytest.raises(OutputError, match=r"nowhere.*cannot be written"):
        index.save(tmp_path / "nowhere" / "index.safetensors")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        index.save(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@needs_usearch
def test_a_full_disk_is_told(matrix, monkeypatch):
    def save(*_):
        raise RuntimeError("Failed to write")  # all that usearch tells

    monkeypatch.setattr("usearch.index.Index.save", save)
    with pytest.raises(OutputError, match="is the disk full"):
        NeighbourIndex.build(matrix, kind="hnsw", progress=False)


def test_an_index_is_opened_and_asked_without_usearch(matrix, index, file, monkeypatch):
    for name in ("usearch", "usearch.index"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    opened = NeighbourIndex.open(file, matrix)
    for found, expected in zip(
        opened.search(matrix[:5], 3), index.search(matrix[:5], 3), strict=True
    ):
        assert (found == expected).all()


def changed(file, **fields):
    """Write an index file with other fields in what it says about itself."""
    tensors = dict(open_tensors(file))
    about = json.loads(tensors["about"].tobytes()) | fields
    tensors["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    save_tensors(file, tensors)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"index_version": 99}, "index of version 99"),
        ({"kind": "ivf"}, "'kind' is 'ivf'"),
        ({"n_indexed": 0}, "'n_indexed' is 0"),
        ({"expansion_search": "64"}, "'expansion_search' is '64'"),
        ({"recall": 2.0}, "'recall' is 2.0"),
        ({"fingerprint": 3}, "of another matrix"),
    ],
)
def test_files_that_say_what_cannot_be(matrix, file, fields, message):
    changed(file, **fields)
    with pytest.raises(FormatError, match=message):
        NeighbourIndex.open(file, matrix)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dtype": "float8"}, "'dtype' is 'float8'"),
        ({"connectivity": True}, "'connectivity' is True"),
        ({"connectivity": 17}, r"sizes \(2998, 16, 32\) do not fit"),
        ({"n_indexed": 2999}, "2,998 vectors of 24 bytes"),
        ({"n_indexed": 4_000_000_000}, "too few for 4,000,000,000 vectors"),
        ({"scale": None}, "'scale' is None"),
        ({"dtype": "int8"}, "2,998 vectors of 24 bytes"),
    ],
)
def test_files_of_graphs_that_say_what_cannot_be(matrix, file_of_graph, fields, message):
    changed(file_of_graph, **fields)
    with pytest.raises(FormatError, match=message):
        NeighbourIndex.open(file_of_graph, matrix)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scale_step": None}, "'scale_step' is None"),
        ({"offset_step": float("nan")}, "'offset_step' is nan"),
        ({"fine_scale_step": -1.0}, "'fine_scale_step' is -1.0"),
        ({"bits": 0}, "'bits' is 0"),
        ({"kind": "hnsw"}, "build the index again"),
    ],
)
def test_files_of_codes_that_say_what_cannot_be(matrix, file_of_codes, fields, message):
    changed(file_of_codes, **fields)
    with pytest.raises(FormatError, match=message):
        NeighbourIndex.open(file_of_codes, matrix)


def test_files_that_are_no_index(matrix, file_of_graph):
    file = file_of_graph
    tensors = dict(open_tensors(file))
    save_tensors(file, tensors | {"about": np.frombuffer(b"{", np.uint8)})
    with pytest.raises(FormatError, match="is no JSON"):
        NeighbourIndex.open(file, matrix)
    save_tensors(file, {"about": tensors["about"]})
    with pytest.raises(FormatError, match="has no 'graph'"):
        NeighbourIndex.open(file, matrix)
    save_tensors(file, tensors | {"graph": tensors["graph"][:-1]})
    with pytest.raises(FormatError, match=r"byte \d{3},\d{3} of the graph: a level, a key"):
        NeighbourIndex.open(file, matrix)
    with pytest.raises(FormatError, match="missing"):
        NeighbourIndex.open(file.with_name("other"), matrix)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("codes", None, "'codes' is float64 of shape"),
        ("codes", lambda a: a[:-1], r"'codes' is uint8 of shape \(46, 128\), where .*47, 128"),
        ("factors", lambda a: a.view(np.uint16), "'factors' is uint16 .* where int16"),
        ("fine", lambda a: a[:-1], "'fine' is uint8 of shape .* where uint8"),
        ("axes", lambda a: a[:, :-1], "axes for 15 bits"),
        ("axes", None, "axes for 0 bits"),
        ("centre", lambda a: a * np.float32(np.nan), "numbers in 'centre' are above 1"),
        ("centre", lambda a: a[:-1], r"'centre' is float32 of shape \(11,\)"),
    ],
)
def test_codes_that_do_not_fit(matrix, file_of_codes, name, change, message):
    tensors = dict(open_tensors(file_of_codes))
    one = tensors.pop(name)
    if change:
        tensors[name] = np.ascontiguousarray(change(one))
    save_tensors(file_of_codes, tensors)
    with pytest.raises(FormatError, match=message):
        NeighbourIndex.open(file_of_codes, matrix)


@settings(max_examples=40)
@given(data=st.data())
def test_damaged_codes_find_rows_that_are_there(data, matrix, tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "index.safetensors"
    NeighbourIndex.build(matrix, progress=False, n_questions=5).save(path)
    tensors = dict(open_tensors(path))
    for name in ("codes", "factors", "axes", "centre"):
        damaged = tensors[name].copy()
        of_bytes = damaged.reshape(-1).view(np.uint8)
        for _ in range(data.draw(st.integers(0, 3))):
            of_bytes[data.draw(st.integers(0, len(of_bytes) - 1))] = data.draw(st.integers(0, 255))
        tensors[name] = damaged
    save_tensors(path, tensors)
    try:
        opened = NeighbourIndex.open(path, matrix)
    except FormatError as error:
        assert "are above 1: build the index again" in str(error)  # noqa: PT017
        return
    rows, scores = opened.search(matrix[:20], 5)
    assert rows.min() >= -1
    assert rows.max() < len(matrix)
    assert not {7, 9} & set(rows.ravel().tolist())
    assert np.isfinite(scores[rows >= 0]).all()


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_graphs_are_refused_or_harmless(data, matrix, graph, tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "index.safetensors"
    graph.save(path)
    tensors = dict(open_tensors(path))
    of_graph = tensors["graph"].copy()
    vectors_end = 8 + len(graph) * 24
    at = data.draw(st.integers(vectors_end - 9, len(of_graph) - 1))
    of_graph[at] ^= data.draw(st.integers(1, 255))
    save_tensors(path, tensors | {"graph": of_graph})
    try:
        opened = NeighbourIndex.open(path, matrix)
    except FormatError as error:
        assert "build it again" in str(error)  # noqa: PT017
    else:
        rows, _ = opened.search(matrix[:20], 5)
        assert rows.min() >= -1
        assert rows.max() < len(matrix)

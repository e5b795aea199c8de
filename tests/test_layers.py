import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import firth
from firth.errors import ParameterError
from firth.layers._rows import rows_of

WORDS = ["the", "king", "queen", "cabbage", "sprouts"]


def matrix_of(n_rows=6, vector_size=4, seed=1):
    matrix = np.random.default_rng(seed).standard_normal((n_rows, vector_size))
    return matrix.astype(np.float32)


@pytest.fixture(scope="module")
def wv():
    return firth.KeyedVectors(firth.Vocab.from_words(WORDS), matrix_of(5))


# --- what layers are made of ----------------------------------------------------------------------


def test_rows_of_all_that_has_a_matrix(wv):
    for given_rows in (wv, wv.vectors, wv.vectors.tolist(), (wv.vectors, "coverage")):
        rows = rows_of(given_rows)
        np.testing.assert_array_equal(rows.matrix, wv.vectors)
        assert rows.matrix.dtype == np.float32
        assert rows.matrix.flags.c_contiguous
        assert rows.matrix.flags.writeable
        assert not np.shares_memory(rows.matrix, wv.vectors)
        assert rows.padding_idx is rows.padding_vector is None


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_vectors_of_few_bits_become_float32(wv, dtype):
    small = wv.astype(dtype)
    np.testing.assert_array_equal(rows_of(small).matrix, small.vectors.astype(np.float32))


def test_rows_of_gluonnlp_s_embedding(wv):
    class Embedding:
        idx_to_vec = wv.vectors

    np.testing.assert_array_equal(rows_of(Embedding()).matrix, wv.vectors)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([1.0, 2.0], r"not float64 of shape \(2,\); give KeyedVectors"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        (np.zeros((3, 0)), r"shape \(3, 0\)"),
        (np.array([["a", "b"]]), "not <U1"),
        ("vectors.txt", "not <U11"),
        ([[1.0], [1.0, 2.0]], "not list"),
        (np.ones((2, 2), complex), "not complex128"),
    ],
)
def test_what_is_no_matrix(rows, message):
    with pytest.raises(ParameterError, match=message):
        rows_of(rows)


def test_a_model_is_not_its_vectors():
    model = firth.Word2Vec([WORDS] * 9, vector_size=4, workers=1, progress=False)
    with pytest.raises(ParameterError, match=r"made of Word2Vec; give its vectors: model\.wv"):
        rows_of(model)


def test_vocabulary_and_matrix_that_do_not_fit(wv):
    assert rows_of(wv, vocab=WORDS).padding_idx is None
    assert rows_of(wv, vocab=wv.vocab).padding_idx is None
    word_index = {"king": 1, "queen": 4}  # Keras's begins at 1
    assert len(rows_of(wv, vocab=word_index).matrix) == 5
    with pytest.raises(ParameterError, match="do not fit: there are 4 ids and 5 rows"):
        rows_of(wv, vocab=WORDS[:4])
    with pytest.raises(ParameterError, match="there are 6 ids and 5 rows; make the matrix of this"):
        rows_of(wv, vocab={"king": 1, "queen": 5})


def test_padding_of_the_vocabulary(wv):
    class Padded:
        padding_token = "queen"
        __len__ = staticmethod(wv.vocab.__len__)
        get = staticmethod(wv.vocab.get)

    assert rows_of(wv, vocab=Padded()).padding_idx == 2
    assert rows_of(wv, 0, vocab=Padded()).padding_idx == 0


@pytest.mark.parametrize("padding_idx", [5, -6, 1.0, "0", True, None])
def test_padding_that_is_no_row(wv, padding_idx):
    if padding_idx is None:
        assert rows_of(wv, None).padding_idx is None
    else:
        with pytest.raises(ParameterError, match=f"padding_idx is {padding_idx!r}"):
            rows_of(wv, padding_idx)


def test_numbers_that_are_not_finite(wv):
    matrix = wv.vectors.copy()
    matrix[3, 1], matrix[4, 0] = np.nan, np.inf
    bad = firth.KeyedVectors(wv.vocab, matrix)
    with pytest.raises(ParameterError, match=r"2 rows .* the first is row 3 \('cabbage'\)"):
        rows_of(bad)
    with pytest.raises(ParameterError, match="the first is row 3;"):
        rows_of(matrix)
    # The sum of these overflows, and yet they are finite.
    np.testing.assert_array_equal(rows_of([[3e38, 3e38]]).matrix, np.float32([[3e38, 3e38]]))
    with pytest.raises(ParameterError, match="1 rows"):
        rows_of(np.array([[1e300]]))  # too large for float32


@given(st.integers(1, 9), st.data())
def test_padding_is_split_off(n_rows, data):
    matrix = matrix_of(n_rows)
    padding_idx = data.draw(st.integers(-n_rows, n_rows - 1))
    rows = rows_of(matrix, padding_idx)
    assert not rows.matrix[padding_idx].any()
    assert rows.padding_idx == padding_idx % n_rows
    together = rows.matrix.copy()
    together[rows.padding_idx] += rows.padding_vector
    np.testing.assert_array_equal(together, matrix)
    assert rows_of(matrix, padding_idx, bag=True).padding_vector is None


def test_the_room_names_its_modules():
    assert set(firth.layers.__all__) <= set(dir(firth.layers))
    for name in firth.layers.__all__:
        if find_spec("flax" if name == "jax" else name):
            assert callable(getattr(firth.layers, name).embedding_bag)
    with pytest.raises(AttributeError, match="no attribute 'tensorflow'"):
        firth.layers.tensorflow  # noqa: B018


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [("torch", "torch", "torch"), ("keras", "keras", "keras"), ("jax", "jax", "jax"),
     ("jax", "flax", "jax")],
)  # fmt: skip
def test_a_missing_framework_is_named(module, package, extra):
    if package == "flax":
        pytest.importorskip("jax", reason="needs jax")
    code = f"import sys; sys.modules[{package!r}] = None\nimport firth\nfirth.layers.{module}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert f"needs the package '{package}', which is not installed" in done.stderr
    assert f"pip install 'firth[{extra}]'" in done.stderr

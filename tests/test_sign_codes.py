"""Codes of one bit a number, as the core scans them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import _core
from firth.approximate import _codes

# Of a question's table: what a sum of four numbers is rounded to.
MOST_ENTRY = 31


def estimates(signs, scales, offsets, question):
    """Estimate scores by the definition, with sums of four numbers rounded as a table has them."""
    groups = question.reshape(-1, 4)
    least = np.minimum(groups, 0).sum(axis=1)
    unit = np.abs(groups).sum(axis=1).max() / MOST_ENTRY
    set_bits = np.where(signs.reshape(len(signs), -1, 4), groups, 0).sum(axis=2)
    rounded = np.rint((set_bits - least) / unit) * unit + least
    return offsets + scales * (2 * rounded.sum(axis=1) - question.sum())


def codes_of(random, n_rows, n_bits, offset=1):
    signs = random.random((n_rows, n_bits)) < 0.5
    numbers = random.integers([10_000, -32767], 32768, (n_rows, 2))
    n_blocks = -(-n_rows // 64)
    filled = np.zeros((n_blocks * 64, n_bits), bool)
    filled[:n_rows] = signs
    factors = np.zeros((n_blocks * 64, 2), np.int16)
    factors[:n_rows] = numbers
    codes = _core.SignCodes(
        _codes._packed(filled),
        np.ascontiguousarray(factors.reshape(n_blocks, 64, 2).transpose(0, 2, 1)).reshape(
            n_blocks, -1
        ),
        n_rows,
        3e-5,
        1e-6 * offset,
    )
    return codes, signs, 3e-5 * numbers[:, 0], 1e-6 * offset * numbers[:, 1]


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 5000])
# Offsets that matter little, that are most of a score, and that 16 bits cannot hold beside it.
@pytest.mark.parametrize(("n_bits", "offset"), [(8, 1), (72, 0), (136, 1000), (1024, 1), (72, 1e8)])
def test_the_highest_estimates_are_found(isa, n_rows, n_bits, offset):
    random = np.random.default_rng(n_rows + n_bits)
    codes, signs, scales, offsets = codes_of(random, n_rows, n_bits, offset)
    questions = random.standard_normal((5, n_bits)).astype(np.float32)
    for n in (1, 7, 400):
        for n_questions, n_threads in ((5, 1), (5, 2), (1, 3), (2, 8)):
            found = np.full((n_questions, n), -5, np.int64)
            codes.nearest(questions[:n_questions], n_threads, found)
            for question, rows in zip(questions, found, strict=False):
                there = rows[rows >= 0]
                assert len(there) == len(set(there.tolist())) == min(n, n_rows)
                assert (rows[len(there) :] == -1).all()
                expected = estimates(signs, scales, offsets, question.astype(np.float64))
                best = np.sort(expected)[::-1][: len(there)]
                # A sum just between two entries may be rounded either way.
                one_entry = np.abs(question.reshape(-1, 4)).sum(axis=1).max() / MOST_ENTRY
                np.testing.assert_allclose(
                    np.sort(expected[there])[::-1], best, atol=3 * one_entry * scales.max()
                )
                if n_bits <= 136:
                    assert np.isin(there, np.argsort(-expected)[: len(there)]).mean() > 0.95


def test_what_is_found_does_not_depend_on_the_instruction_set_or_the_threads():
    codes, *_ = codes_of(np.random.default_rng(3), 20_000, 104)
    questions = np.random.default_rng(4).standard_normal((3, 104)).astype(np.float32)
    found = []
    before = _core.isa()
    for name in _core.supported_isas():
        _core.select_isa(name)
        for n_threads in (1, 2, 7):
            rows = np.empty((3, 300), np.int64)
            codes.nearest(questions, n_threads, rows)
            found.append(np.sort(rows, axis=1))
    _core.select_isa(before)
    for rows in found[1:]:
        # A multiplication and an addition are rounded once or twice.
        same = [len(set(a) & set(b)) for a, b in zip(rows.tolist(), found[0].tolist(), strict=True)]
        assert min(same) >= 299


@given(st.data())
def test_equal_rows_are_found_from_the_first_on(data):
    n_rows, n = data.draw(st.integers(1, 3000)), data.draw(st.integers(1, 200))
    codes = np.zeros((-(-n_rows // 64), 64), np.uint8)
    factors = np.zeros((len(codes), 128), np.int16)
    found = np.empty((1, n), np.int64)
    question = np.ones((1, 8), np.float32)
    kept = _core.SignCodes(codes, factors, n_rows, 1, 1)
    kept.nearest(question, data.draw(st.integers(1, 3)), found)
    assert sorted(found[found >= 0].tolist()) == list(range(min(n, n_rows)))


def test_what_does_not_fit_is_refused():
    good = {
        "codes": np.zeros((2, 64), np.uint8), "factors": np.zeros((2, 128), np.int16),
        "n_rows": 100, "scale_step": 0, "offset_step": 0,
    }  # fmt: skip
    for changed in (
        {"codes": np.zeros((1, 64), np.uint8)},
        {"codes": np.zeros((2, 32), np.uint8)},
        {"codes": np.zeros((2, 0), np.uint8)},
        {"factors": np.zeros((2, 127), np.int16)},
        {"n_rows": 129},
        {"n_rows": 64},
    ):
        with pytest.raises(ValueError, match="do not fit"):
            _core.SignCodes(**good | changed)
    codes = _core.SignCodes(**good)
    for questions, rows, n_threads in (
        ((1, 4), (1, 5), 1),
        ((1, 8), (2, 5), 1),
        ((1, 8), (1, 5), 0),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            codes.nearest(np.zeros(questions, np.float32), n_threads, np.zeros(rows, np.int64))


def test_bits_are_of_the_principal_axes():
    random = np.random.default_rng(1)
    widths = np.r_[np.full(300, 0.001), np.full(150, 3.0)]
    rows = (random.standard_normal((4000, 450)) * random.permutation(widths)).astype(np.float32)
    norms = np.linalg.norm(rows, axis=1)
    codes = _codes.SignCodes.build(rows, norms, np.arange(4000), None, random, lambda n: None)
    assert codes.about["bits"] == 128  # of 150 that matter
    axes = codes.tensors["axes"]
    np.testing.assert_allclose(axes.T @ axes, np.eye(128), atol=1e-4)
    directions = rows[:50] / norms[:50, None]
    found = codes.candidates(directions, 10, 300, 1)
    true = np.argsort(-(directions @ (rows / norms[:, None]).T), axis=1)[:, :10]
    shares = [len(set(a) & set(b)) / 10 for a, b in zip(true.tolist(), found.tolist(), strict=True)]
    assert np.mean(shares) > 0.9


def test_axes_that_matter_alike_are_all_kept():
    random = np.random.default_rng(1)
    rows = random.standard_normal((4000, 100), np.float32)
    norms = np.linalg.norm(rows, axis=1)
    codes = _codes.SignCodes.build(rows, norms, np.arange(4000), None, random, lambda n: None)
    assert codes.about["bits"] == 104  # whole groups


@pytest.mark.parametrize(("n", "dim", "n_axes"), [(1, 5, 8), (3, 100, 64), (9, 7, 40), (0, 4, 8)])
def test_questions_are_turned(isa, n, dim, n_axes):
    random = np.random.default_rng(dim)
    directions, axes, shift = (
        random.standard_normal(shape).astype(np.float32)
        for shape in ((n, dim), (dim, n_axes), n_axes)
    )
    turned = np.empty((n, n_axes), np.float32)
    _core.turn(directions, axes, shift, turned)
    expected = directions.astype(np.float64) @ axes - shift
    np.testing.assert_allclose(turned, expected, rtol=1e-4, atol=1e-4)
    for wrong in (directions[:, 1:].copy(), np.zeros((n + 1, dim), np.float32)):
        with pytest.raises(ValueError, match="do not fit"):
            _core.turn(wrong, axes, shift, turned)

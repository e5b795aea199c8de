"""Codes of four bits a number, as the core looks at them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firth import _core
from firth.approximate import _fine_codes

SCALE_STEP, OFFSET_STEP = 1e-5, 1e-6


def estimates(codes, numbers, question):
    """Estimate scores by the definition, with the question rounded to 8 bits."""
    unit = np.abs(question).max() / 127
    rounded = np.rint(question / unit) * unit
    scales, offsets = numbers.T
    worth = (codes - 7.5) @ rounded
    return OFFSET_STEP * offsets + SCALE_STEP * scales * worth


def coded(random, n_rows, n_numbers):
    codes = random.integers(0, 16, (n_rows, n_numbers), np.uint8)
    numbers = random.integers([10_000, -32767], 32768, (n_rows, 2)).astype(np.int16)
    rows = _fine_codes.no_fine_codes(n_rows, n_numbers)
    half = n_numbers // 2
    rows[:, :half] = codes[:, :half] | codes[:, half:] << 4
    _fine_codes.write_factors(rows, n_numbers, *numbers.T)
    core = _core.FineCodes(rows, n_numbers, SCALE_STEP, OFFSET_STEP)
    return core, codes, numbers.astype(np.float64)


@pytest.mark.parametrize("n_numbers", [8, 56, 64, 104, 128, 4096])
def test_the_highest_estimates_are_chosen(isa, n_numbers):
    random = np.random.default_rng(n_numbers)
    core, codes, numbers = coded(random, 500, n_numbers)
    questions = random.standard_normal((3, n_numbers)).astype(np.float32)
    candidates = np.stack([random.permutation(500)[:201] for _ in questions])
    candidates[:, ::10] = -1
    for n_threads in (1, 2, 5):
        for n_kept in (1, 40, 300):
            kept = np.full((3, n_kept), -5, np.int64)
            core.choose(questions, candidates, n_threads, kept)
            for question, of_question, chosen in zip(questions, candidates, kept, strict=True):
                there = of_question[of_question >= 0]
                expected = estimates(codes[there], numbers[there], question.astype(np.float64))
                best = there[np.argsort(-expected)][:n_kept]
                n_there = min(n_kept, len(there))
                assert (chosen[n_there:] == -1).all()
                # A number just between two may be rounded either way.
                atol = 127 * 15 * n_numbers**0.5 * 1e-4
                np.testing.assert_allclose(
                    estimates(codes[chosen[:n_there]], numbers[chosen[:n_there]], question),
                    estimates(codes[best], numbers[best], question),
                    atol=atol if n_numbers > 1000 else 0.05,
                )


def test_codes_tell_how_near_rows_are():
    random = np.random.default_rng(2)
    turned = (random.standard_normal((2000, 64)) * random.uniform(0.1, 3, (2000, 1))).astype("f4")
    scales = np.square(turned).sum(axis=1) / np.abs(turned).sum(axis=1)
    nibbles, fine_scales = _fine_codes.fine_codes(turned, scales)
    codes = np.concatenate([nibbles & 15, nibbles >> 4], axis=1)
    again = fine_scales[:, None] * (codes - 7.5)
    # A normal distribution in sixteen equal steps: Max 1960, table II, has an error of 0.01154.
    error = np.square(again - turned).sum() / np.square(turned).sum()
    assert 0.01 < error < 0.013
    # The product of a row with itself is right.
    np.testing.assert_allclose(
        np.einsum("ij,ij->i", again, turned), np.square(turned).sum(axis=1), rtol=1e-4
    )


def test_rows_without_a_direction_are_worth_nothing():
    nibbles, scales = _fine_codes.fine_codes(np.zeros((2, 8), np.float32), np.zeros(2, np.float32))
    assert nibbles.shape == (2, 4)
    assert (scales == 0).all()


@given(st.integers(1, 5000))
def test_a_row_holds_its_codes_and_factors_and_begins_at_a_register(n_numbers):
    n_bytes = _fine_codes.fine_row_bytes(2 * n_numbers)
    assert n_bytes % 32 == 0
    assert 0 <= n_bytes - (n_numbers + 4) < 32
    assert _fine_codes.no_fine_codes(3, 2 * n_numbers).ctypes.data % 64 == 0


def test_what_does_not_fit_is_refused():
    good = (np.zeros((5, 32), np.uint8), 56, 0, 0)
    for codes, n_numbers in (
        (np.zeros((5, 32), np.uint8), 58),
        (np.zeros((5, 31), np.uint8), 8),
        (np.zeros((5, 32), np.uint8), 7),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            _core.FineCodes(codes, n_numbers, *good[2:])
    core = _core.FineCodes(*good)
    for questions, candidates, rows, n_threads in (
        ((1, 8), (1, 5), (1, 2), 1),
        ((1, 56), (2, 5), (1, 2), 1),
        ((1, 56), (1, 5), (2, 2), 1),
        ((1, 56), (1, 5), (1, 2), 0),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            core.choose(
                np.zeros(questions, np.float32),
                np.zeros(candidates, np.int64),
                n_threads,
                np.zeros(rows, np.int64),
            )
    with pytest.raises(ValueError, match="is not there"):
        core.choose(np.zeros((1, 56), np.float32), np.array([[5]]), 1, np.zeros((1, 1), np.int64))

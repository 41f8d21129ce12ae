"""Vessels and dura that a lesion network must not take for lesions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pseudonormal.lesions.confounders import paint_vessels


@pytest.fixture(scope="module")
def a_brain() -> np.ndarray:
    z, y, x = np.indices((40, 44, 36)) - np.array([20, 22, 18])[:, None, None, None]
    return (z / 18) ** 2 + (y / 20) ** 2 + (x / 16) ** 2 < 1


@given(seed=st.integers(0, 2**31), bright=st.booleans())
def test_vessels_stay_in_the_brain_and_have_one_sign(seed: int, bright: bool, a_brain: np.ndarray) -> None:
    plain = np.zeros(a_brain.shape, np.float32)
    painted = paint_vessels(plain, a_brain, np.random.default_rng(seed), bright=bright)
    assert not painted[~a_brain].any()
    assert (painted >= 0).all() if bright else (painted <= 0).all()


def test_vessels_are_thin(a_brain: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    for _ in range(10):
        changed = paint_vessels(np.zeros(a_brain.shape, np.float32), a_brain, rng, bright=False) != 0
        assert 0 < changed.sum() < 0.5 * a_brain.sum()


def test_equal_seeds_give_equal_vessels(a_brain: np.ndarray) -> None:
    first, second = (
        paint_vessels(np.zeros(a_brain.shape, np.float32), a_brain, np.random.default_rng(9), bright=True)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_without_a_brain_nothing_changes() -> None:
    plain = np.ones((8, 8, 8), np.float32)
    painted = paint_vessels(plain, np.zeros(plain.shape, bool), np.random.default_rng(0), bright=True)
    np.testing.assert_array_equal(painted, plain)


def test_plexus_shines_in_liquid_only(a_brain: np.ndarray) -> None:
    z, y, x = np.indices(a_brain.shape) - np.array([20, 22, 18])[:, None, None, None]
    ventricle = (z / 6) ** 2 + (y / 9) ** 2 + (x / 5) ** 2 < 1
    head = np.where(ventricle, -3.0, 0.0).astype(np.float32)
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(40):
        painted = paint_vessels(head, a_brain, rng, bright=True)
        shares.append(((painted - head)[ventricle] > 0.5).mean())
    assert max(shares) > 0.05  # sometimes there is plexus
    assert np.median(shares) < 0.5  # liquid stays liquid for the most part

"""Thin, winding and very bright in T1: vessels, not lesions."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from pseudonormal.recipes.vessels import is_t1_like, vessels_in

SHAPE = (60, 64, 60)
Z, Y, X = np.indices(SHAPE) - np.array([30, 32, 30])[:, None, None, None]
BRAIN = (Z / 28) ** 2 + (Y / 30) ** 2 + (X / 28) ** 2 < 1
DEPTH = ndimage.distance_transform_edt(BRAIN)
NOISE = np.random.default_rng(0).normal(0, 0.3, SHAPE)


def tissue(sign: float) -> np.ndarray:
    """Brighter with depth (T1), or darker (FLAIR), in robust z."""
    return np.where(BRAIN, sign * (DEPTH / 14 - 1) + NOISE, 0).astype(np.float32)


def tube(place: int, radius: float) -> np.ndarray:
    """Through half of the head, and bent."""
    line = np.zeros(SHAPE, bool)
    for step in np.linspace(-1, 1, 200):
        line[30 + int(6 * np.sin(3 * step)), 32 + int(20 * step), place] = True
    near: np.ndarray = ndimage.distance_transform_edt(~line) <= radius
    return near


def vein() -> np.ndarray:
    return tube(20, 2)


@pytest.fixture
def t1() -> SimpleNamespace:
    metastasis = np.hypot(np.hypot(Z, Y), X - 20) <= 3
    found = vein() | metastasis | tube(34, 5)
    return SimpleNamespace(found=found, z=np.where(found, 5, tissue(1)).astype(np.float32))


def test_a_vein_is_told_from_round_lesions_and_from_thick_ones(t1: SimpleNamespace) -> None:
    np.testing.assert_array_equal(vessels_in(t1.found, t1.z, BRAIN, ~t1.found), vein())


def test_what_is_winding_but_not_very_bright_stays(t1: SimpleNamespace) -> None:
    faint = np.where(t1.found, 2.5, t1.z).astype(np.float32)
    assert not vessels_in(t1.found, faint, BRAIN, ~t1.found).any()


def test_in_flair_nothing_is_a_vessel(t1: SimpleNamespace) -> None:
    flair = np.where(t1.found, 5, tissue(-1)).astype(np.float32)
    assert not vessels_in(t1.found, flair, BRAIN, ~t1.found).any()


def test_the_contrast_is_told_by_how_tissue_changes_with_depth() -> None:
    everywhere = np.ones(SHAPE, bool)
    assert is_t1_like(tissue(1), BRAIN, everywhere)
    assert not is_t1_like(tissue(-1), BRAIN, everywhere)
    assert not is_t1_like(np.zeros(SHAPE, np.float32), BRAIN, everywhere)
    assert not is_t1_like(tissue(1), np.zeros(SHAPE, bool), everywhere)


def test_a_large_deep_lesion_does_not_make_a_t1_of_a_flair() -> None:
    lesion = DEPTH > 12
    flair = np.where(lesion, 2.5, tissue(-1)).astype(np.float32)
    assert is_t1_like(flair, BRAIN, np.ones(SHAPE, bool))
    assert not is_t1_like(flair, BRAIN, ~lesion)


def test_nothing_found_is_no_vessel() -> None:
    nothing = np.zeros(SHAPE, bool)
    assert not vessels_in(nothing, tissue(1), BRAIN, ~nothing).any()

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pseudonormal.recipes.stripped import stripped_tissue

SHAPE = (120, 140, 120)
ZYX = np.indices(SHAPE) - np.reshape(np.array(SHAPE) / 2, (3, 1, 1, 1))
BRAIN = (ZYX[0] / 40) ** 2 + (ZYX[1] / 50) ** 2 + (ZYX[2] / 40) ** 2 < 1
HEAD = (ZYX[0] / 56) ** 2 + (ZYX[1] / 66) ** 2 + (ZYX[2] / 56) ** 2 < 1


def painted(where: np.ndarray, background: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 5, SHAPE)
    return np.where(where, 100 + noise, background).astype(np.float32)


def guess_of(brain: np.ndarray) -> np.ndarray:
    return brain[::2, ::2, ::2]


@pytest.mark.parametrize("background", [0.0, -3.5, 7.0])
def test_a_stripped_scan_keeps_the_brain_that_is_left(background):
    image = painted(BRAIN, background)
    too_small = ndimage.binary_erosion(BRAIN, iterations=4)
    found = stripped_tissue(image, image[::2, ::2, ::2], guess_of(too_small))
    assert found is not None
    overlap = 2 * (found & BRAIN).sum() / (found.sum() + BRAIN.sum())
    assert overlap > 0.99


def test_a_head_is_not_stripped():
    image = painted(HEAD, 0.0)
    assert stripped_tissue(image, image[::2, ::2, ::2], guess_of(BRAIN)) is None


def test_dark_ventricles_and_open_sulci_belong_to_the_brain():
    hollow = BRAIN.copy()
    hollow[55:65, 60:80, 55:65] = False
    hollow[58:61, :40, 58:61] = False
    image = painted(hollow, 0.0)
    found = stripped_tissue(image, image[::2, ::2, ::2], guess_of(BRAIN))
    assert found is not None
    assert found[60, 70, 60]
    assert (found & BRAIN).sum() > 0.999 * BRAIN.sum()

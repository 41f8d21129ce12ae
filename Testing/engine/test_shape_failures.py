"""The failure monitor of recipe ``shape``: what goes wrong is told from masks and pictures alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from pseudonormal.lesions.ellipses import Ellipses
from pseudonormal.painting.ovals import oval_picture
from pseudonormal.recipes.shape.failures import signs

EDGE, COUNT = 48, 16


@pytest.fixture(scope="module", params=["head", "disc"])
def situation(request):
    """True masks with their pictures, and auxiliary masks of other subjects."""
    model = Ellipses((0.14, 0.24), (1.0, 1.4), 0.12)
    rng = np.random.default_rng(3)
    masks = [model.draw((EDGE, EDGE), rng) for _ in range(COUNT)]
    pictures = [oval_picture(mask, request.param, rng) for mask in masks]
    return masks, pictures, [model.draw((EDGE, EDGE), rng) for _ in range(COUNT)]


def ragged(mask):
    return ndimage.binary_dilation(mask, iterations=1)


def test_nothing_is_said_where_nothing_goes_wrong(situation):
    masks, pictures, known = situation
    assert signs(masks, pictures, known).warnings() == []
    assert signs([ragged(mask) for mask in masks], pictures, known).warnings() == []


def test_masks_of_what_surrounds_the_object_are_told(situation):
    masks, pictures, known = situation
    (line,) = signs([~mask for mask in masks], pictures, known).warnings()
    assert "inside out" in line
    assert "another seed" in line


@pytest.mark.parametrize("shift", [(0, 4), (-3, -3)])
def test_a_constant_offset_is_told(situation, shift):
    masks, pictures, known = situation
    moved = [ndimage.shift(mask.astype(np.uint8), shift, order=0) > 0 for mask in masks]
    told = signs(moved, pictures, known)
    assert any("frame voxels beside the edges" in line for line in told.warnings())
    assert np.allclose(told.offset, -np.array(shift), atol=1.01)


def test_a_steeper_edge_beside_the_object_is_no_offset(monkeypatch):
    """A bright bar beside each object: masks lie where auxiliary ones do, so the bar is not theirs."""
    model, rng = Ellipses((0.22, 0.28), (1.0, 1.2), 0.02), np.random.default_rng(0)
    masks, known = ([model.draw((EDGE, EDGE), rng) for _ in range(COUNT)] for _ in range(2))
    pictures = [0.1 * mask.astype(np.float32) for mask in masks]
    for mask, picture in zip(masks, pictures, strict=True):
        below = np.argwhere(mask).max(0)[0]
        picture[below + 4 : below + 7] = 1
        picture[: np.argwhere(mask).min(0)[0] + 4] = 0.6
    assert signs(masks, pictures, known).warnings() == []
    moved = [ndimage.shift(mask.astype(np.uint8), (0, 4), order=0) > 0 for mask in masks]
    (line,) = signs(moved, pictures, known).warnings()
    assert "4 frame voxels beside where auxiliary masks lie" in line
    monkeypatch.setattr("pseudonormal.recipes.shape.place.ALIKE", np.inf)
    (line,) = signs(masks, pictures, known).warnings()
    assert "beside the edges" in line, "edges alone would tell an offset"


def test_one_mask_for_all_is_told(situation):
    masks, pictures, known = situation
    mean = np.mean(masks, 0) > 0.4
    lines = signs([mean] * COUNT, pictures, known).warnings()
    assert any("same mask" in line for line in lines)


def test_nothing_found_is_told(situation):
    masks, pictures, known = situation
    (line,) = signs([np.zeros_like(mask) for mask in masks], pictures, known).warnings()
    assert "nothing is marked" in line


def test_nothing_found_lies_nowhere_else():
    rng = np.random.default_rng(0)
    known = [Ellipses((0.22, 0.28), (1.0, 1.2), 0.02).draw((EDGE, EDGE), rng) for _ in range(COUNT)]
    pictures = [mask.astype(np.float32) for mask in known]
    assert signs([np.zeros_like(mask) for mask in known], pictures, known).offset == (0, 0)


def test_far_too_little_is_told(situation):
    masks, pictures, known = situation
    crumbs = [ndimage.binary_erosion(mask, iterations=6) for mask in masks]
    assert any(crumb.any() for crumb in crumbs)
    assert any("hardly anything is marked" in line for line in signs(crumbs, pictures, known).warnings())


def test_volumes_are_looked_at_too():
    model, rng = Ellipses((0.2, 0.3), (1.0, 1.4), 0.1), np.random.default_rng(0)
    masks = [model.draw((24, 24, 24), rng) for _ in range(6)]
    pictures = [np.float32(0.2) + ndimage.gaussian_filter(mask.astype(np.float32), 0.7) for mask in masks]
    known = [model.draw((24, 24, 24), rng) for _ in range(6)]
    assert signs(masks, pictures, known).warnings() == []
    moved = [ndimage.shift(mask.astype(np.uint8), (3, 0, 0), order=0) > 0 for mask in masks]
    assert any("frame voxels beside" in line for line in signs(moved, pictures, known).warnings())

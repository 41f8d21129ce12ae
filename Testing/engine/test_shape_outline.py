"""Outlines of pseudo-labels, moved until these are as large as auxiliary masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from pseudonormal.lesions.ellipses import Ellipses
from pseudonormal.recipes.shape.labelling import Label
from pseudonormal.recipes.shape.material import Framed
from pseudonormal.recipes.shape.outline import FARTHEST, as_large

EDGE = 40


def disc(radius, centre, dimensions):
    far = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(np.indices((EDGE,) * dimensions), centre, strict=False)))
    return far <= radius


def scan_of(mask, region=None):
    stack = mask if mask.ndim == 3 else mask[None]
    return Framed("one", np.zeros(stack.shape, np.float32), np.ones(stack.shape, bool) if region is None else region)


def label_of(mask):
    stack = mask if mask.ndim == 3 else mask[None]
    return Label(stack.astype(np.float32), stack, np.ones(len(stack), np.float32))


@pytest.mark.parametrize("dimensions", [2, 3])
@given(error=st.floats(-0.8, 0.8), seed=st.integers(0, 100))
def test_what_is_too_small_or_too_large_everywhere_is_put_right(dimensions, error, seed):
    rng = np.random.default_rng(seed)
    drawn = [(rng.uniform(7, 11), rng.uniform(17, 22, dimensions)) for _ in range(40 if dimensions == 2 else 6)]
    true = [disc(radius, centre, dimensions) for radius, centre in drawn]
    found = [label_of(disc(radius + error, centre, dimensions)) for radius, centre in drawn]
    moved = as_large([scan_of(mask) for mask in true], found, true, dimensions)
    before, after = (
        [abs(one.mask.sum() / mask.sum() - 1) for one, mask in zip(some, true, strict=True)] for some in (found, moved)
    )
    assert np.mean(after) < max(0.02, np.mean(before) / 2)


def test_nothing_is_moved_by_more_than_a_voxel_or_out_of_the_region():
    small, region = disc(8, (20, 20), 2), np.ones((1, EDGE, EDGE), bool)
    region[:, :, :14] = False
    [moved] = as_large([scan_of(small, region)], [label_of(small)], [disc(14, (20, 20), 2)], 2)
    assert not (moved.mask[0] & ~disc(8 + FARTHEST + 0.5, (20, 20), 2)).any()
    assert not (moved.mask & ~region).any() and (moved.mask[0] & ~small).any()
    assert ((moved.probability >= 0.5) == moved.mask)[region].all(), "labels are as sure as their new outline says"
    assert moved.sure[0][20, 20] == 1 and moved.sure[moved.mask].min() < 0.5


def test_empty_labels_stay_empty_and_empty_masks_tell_no_size():
    nothing, small, large = np.zeros((EDGE, EDGE), bool), disc(8, (20, 20), 2), disc(8.6, (20, 20), 2)
    scans = [scan_of(nothing), scan_of(small)]
    none, some = as_large(scans, [label_of(nothing), label_of(small)], [nothing, large], 2)
    assert not none.mask.any() and some.mask.sum() == pytest.approx(large.sum(), rel=0.05)
    assert as_large(scans[:1], [label_of(nothing)], [large], 2)[0].mask.sum() == 0
    assert (as_large(scans[1:], [label_of(small)], [nothing], 2)[0].mask[0] == small).all()


def test_ellipses_of_all_sizes_are_put_right_together():
    model, rng = Ellipses(), np.random.default_rng(1)
    true = [model.draw((EDGE, EDGE), rng) for _ in range(200)]
    known = [model.draw((EDGE, EDGE), rng) for _ in range(600)]
    eroded = [ndimage.binary_erosion(mask) for mask in true]
    moved = as_large([scan_of(mask) for mask in true], [label_of(mask) for mask in eroded], known, 2)
    wanted, before, after = (np.mean([mask.sum() for mask in some]) for some in (true, eroded, [m.mask for m in moved]))
    assert before < 0.9 * wanted and after == pytest.approx(wanted, rel=0.05)

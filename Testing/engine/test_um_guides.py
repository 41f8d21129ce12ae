"""Superpixels and what is made of them: they cover the organ, keep its values, and know its size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from Testing.um_heads import some_scans

from pseudonormal.errors import InputError
from pseudonormal.recipes.um.cuts import Cuts
from pseudonormal.recipes.um.drawing import apart, in_one, montage_levels
from pseudonormal.recipes.um.guides import drawn_mask, unsupervised_mask, unsupervised_masks
from pseudonormal.recipes.um.options import UmOptions
from pseudonormal.recipes.um.superpixels import (
    WHITE,
    boundaries,
    from_network,
    means,
    rounded,
    superpixels,
    to_network,
)


def a_picture(seed, shape=(40, 44)):
    """Smooth intensities in an ellipse."""
    rng = np.random.default_rng(seed)
    image = ndimage.gaussian_filter(rng.standard_normal(shape), 3)
    image = ((image - image.min()) / np.ptp(image)).astype(np.float32)
    grid = np.indices(shape) - (np.array(shape) / 2).reshape(-1, *[1] * len(shape))
    inside = sum((g / (0.42 * n)) ** 2 for g, n in zip(grid, shape, strict=True)) < 1
    return image, inside


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(["slic", "felzenszwalb"]), st.sampled_from([2, 3]))
def test_every_voxel_of_the_organ_is_in_one_superpixel_and_none_outside(seed, method, dimensions):
    shape = (40, 44) if dimensions == 2 else (16, 20, 18)
    method = "slic" if dimensions == 3 else method
    image, inside = a_picture(seed, shape)
    labels = superpixels(image, inside, UmOptions(method=method, dimensions=dimensions, patch=32))
    assert ((labels > 0) == inside).all()
    values = means(image, labels)
    assert values[labels][inside].mean() == pytest.approx(image[inside].mean(), rel=1e-4)
    assert np.abs(values[labels] - image)[inside].mean() < np.abs(image - image[inside].mean())[inside].mean()


def test_superpixels_are_as_large_as_asked_for_in_mm():
    image, inside = a_picture(0, (80, 88))
    for edge in (6.0, 12.0):
        labels = superpixels(image, inside, UmOptions(superpixel_mm=edge))
        assert inside.sum() * 4 / labels.max() == pytest.approx(edge**2, rel=0.25)


def test_superpixels_of_slices_far_apart_are_flat():
    image, inside = a_picture(3, (12, 40, 44))
    options = UmOptions(dimensions=3, patch=32, superpixel_mm=12.0, compactness=10.0)  # shape alone counts

    def extents(spacing):
        labels = superpixels(image, inside, options, spacing)
        boxes = [box for box in ndimage.find_objects(labels) if box]
        return np.mean([[s.stop - s.start for s in box] for box in boxes], axis=0)

    cubes, flat = extents((2.0, 2.0, 2.0)), extents((8.0, 2.0, 2.0))
    assert flat[0] / flat[1:].mean() < 0.6 * cubes[0] / cubes[1:].mean()


def test_what_has_no_contrast_or_only_noise_makes_superpixels_too():
    inside = np.ones((32, 32), bool)
    assert (superpixels(np.full((32, 32), 0.5, np.float32), inside, UmOptions()) == 1).all()
    noise = np.random.default_rng(0).random((32, 32), dtype=np.float32)
    assert superpixels(noise, inside, UmOptions()).min() == 1
    assert not superpixels(noise, ~inside, UmOptions()).any()
    lonely = np.zeros((32, 32), bool)
    lonely[4:28, 4:20], lonely[2, 30] = True, True
    assert ((superpixels(noise, lonely, UmOptions()) > 0) == lonely).all()


@given(st.integers(1, 128), st.lists(st.floats(-1, 3), min_size=1, max_size=20))
def test_values_are_rounded_down_to_whole_steps(granularity, values):
    given_values = np.array(values)
    grey = (rounded(given_values, granularity).astype(np.float64) + 1) / 2 * 255
    assert grey / granularity == pytest.approx(np.round(grey / granularity), abs=1e-3)
    wanted = np.clip(given_values / WHITE, 0, 1) * 255
    assert (grey <= wanted + 1e-3).all()
    assert (grey > wanted - granularity - 1e-3).all()


def test_boundaries_lie_on_both_sides_and_only_there():
    labels = np.zeros((4, 6), np.int32)
    labels[:, 2:4], labels[:, 4:] = 1, 2
    assert boundaries(labels).tolist() == [[False, True, True, True, True, False]] * 4
    assert not boundaries(np.ones((3, 3, 3), np.int32)).any()


def test_guides_are_within_what_networks_see_and_know_their_options():
    image, inside = a_picture(1)
    options = UmOptions()
    labels = superpixels(image, inside, options)
    guide = unsupervised_mask(means(image, labels), labels, options)
    assert guide.shape == (2, *image.shape)
    assert guide.dtype == np.float32
    assert (guide[0][~inside] == -1).all()
    assert set(np.unique(guide[1])) == {-1.0, 1.0}
    bare = unsupervised_mask(means(image, labels), labels, UmOptions(no_boundary=True))
    assert (bare[1] == -1).all()
    assert len(np.unique(unsupervised_mask(means(image, labels), labels, UmOptions(granularity=64))[0])) <= 5
    lesion = np.zeros_like(inside)
    lesion[18:24, 20:26] = True
    assert set(np.unique(drawn_mask(inside, lesion, options)[0])) == {-1.0, 0.0, 1.0}


def test_in_slices_boundaries_do_not_look_through_to_the_next_one():
    scan, options = some_scans()[0], UmOptions(patch=32)
    cuts = Cuts()
    labels = cuts.of(scan, options)
    assert len(np.unique(labels[labels > 0])) == labels.max()  # other numbers in other slices
    guide = unsupervised_masks(means(scan.image, labels), labels, options)
    level = 10
    alone = cuts.of_slice(scan, level, options)
    expected = unsupervised_mask(means(scan.image[level], alone), alone, options)
    np.testing.assert_allclose(guide[:, level], expected)


@given(st.integers(0, 10**6))
def test_montages_come_apart_again(seed):
    tiles = list(np.random.default_rng(seed).random((4, 2, 6, 8)))
    again = apart(in_one(tiles))
    assert all((one == other).all() for one, other in zip(tiles, again, strict=True))


@given(st.integers(5, 200), st.integers(0, 50), st.floats(0, 0.999))
def test_a_montage_shows_four_heights_of_the_scan(count, first, offset):
    filled = np.arange(first, first + count)
    levels = montage_levels(filled, offset)
    assert len(levels) == 4
    assert filled[0] <= levels[0] <= levels[-1] <= filled[-1]
    assert (np.diff(levels) >= 0).all()


def test_intensities_come_back_from_the_networks_range():
    values = np.linspace(0, WHITE, 50, dtype=np.float32)
    np.testing.assert_allclose(from_network(to_network(values)), values, atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"patch": 50}, {"dimensions": 4}, {"guide": "image"}, {"method": "watershed"}, {"granularity": 0},
        {"montage": True, "dimensions": 3}, {"method": "felzenszwalb", "dimensions": 3}, {"superpixel_mm": 1.0},
        {"sure": 1.0}, {"labels": -1}, {"image_weight": -1.0}, {"voxel_mm": 0},
    ],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_named(wrong):
    with pytest.raises(InputError, match=next(iter(wrong)) if len(wrong) == 1 else "="):
        UmOptions(**wrong)

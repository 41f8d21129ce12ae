"""The difference map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.generate.difference import difference, difference_z, robust_scale


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "uint32"])
def test_the_ends_of_the_integers_do_not_wrap(dtype: str) -> None:
    limits = np.iinfo(dtype)
    image = np.full((1, 1, 2), limits.min, dtype)
    normal = np.full((1, 1, 2), limits.max, dtype)
    result = difference(image, normal)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, np.float32(float(limits.min) - float(limits.max)))


def test_large_integers_keep_small_differences() -> None:
    image, normal = (np.full((1, 1, 1), value, np.int32) for value in (2**30 + 1, 2**30))
    assert difference(image, normal).item() == 1.0


def test_equal_voxels_differ_by_exactly_nothing() -> None:
    image = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    normal = image.copy()
    normal[0] += 1
    assert not difference(image, normal)[1:].any()


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.01, 1e4), offset=st.floats(-1e3, 1e3))
def test_z_is_the_same_in_any_units(scale: float, offset: float) -> None:
    rng = np.random.default_rng(3)
    image, normal = rng.normal(size=(2, 6, 6, 6))
    everywhere, lesion = np.ones(image.shape, bool), np.zeros(image.shape, bool)
    lesion[2:4, 2:4, 2:4] = True
    plain = difference_z(difference(image, normal), image, everywhere, lesion)
    scaled = difference_z(
        difference(image * scale + offset, normal * scale + offset), image * scale, everywhere, lesion
    )
    np.testing.assert_allclose(scaled, plain, rtol=1e-3, atol=1e-3)


def test_the_spread_of_normal_tissue_is_its_standard_deviation_and_ignores_the_lesion() -> None:
    rng = np.random.default_rng(1)
    image = rng.normal(100, 7, (40, 40, 40))
    lesion = np.zeros(image.shape, bool)
    lesion[:20] = True
    image[lesion] = rng.normal(5000, 900, lesion.sum())
    assert robust_scale(image, np.ones(image.shape, bool), lesion) == pytest.approx(7, rel=0.03)


@pytest.mark.parametrize("foreground", [True, False])
def test_flat_images_give_finite_z(foreground: bool) -> None:
    image = np.full((3, 3, 3), 5, np.int16)
    mask, lesion = np.full(image.shape, foreground), np.zeros(image.shape, bool)
    assert robust_scale(image, mask, lesion) == 1.0
    assert robust_scale(image, mask, ~lesion) == 1.0


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        difference(np.zeros((2, 2, 2)), np.zeros((2, 2, 3)))

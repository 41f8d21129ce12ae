"""Scaled intensities and robust z."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.errors import InputError
from pseudonormal.intensity import IntensityScale, robust_z_scale, scale_from

EVERYWHERE = np.ones((10, 10, 10), bool)


def a_scan(dtype: type = np.float32) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1000, EVERYWHERE.shape).astype(dtype)


def test_the_foreground_spans_zero_to_one() -> None:
    image = a_scan()
    scaled = scale_from(image, EVERYWHERE).apply(image)
    assert scaled.dtype == np.float32
    assert np.percentile(scaled, [0.5, 99.5]) == pytest.approx([0, 1], abs=1e-5)


def test_lesion_and_background_do_not_set_the_scale() -> None:
    image, foreground, lesion = a_scan(), EVERYWHERE.copy(), np.zeros_like(EVERYWHERE)
    foreground[:2], lesion[2:4] = False, True
    expected = scale_from(image, foreground, lesion), robust_z_scale(image, foreground, lesion)
    image[:2], image[2:4] = -1e6, 1e6
    assert (scale_from(image, foreground, lesion), robust_z_scale(image, foreground, lesion)) == expected


@given(
    low=st.floats(-2000, 2000),
    span=st.floats(0.5, 5000),
    dtype=st.sampled_from([np.uint8, np.int16, np.int32, np.float32, np.float64]),
)
@settings(deadline=None, max_examples=50)
def test_the_scale_can_be_undone(low: float, span: float, dtype: type) -> None:
    image = (a_scan() % 200).astype(dtype)
    scale = IntensityScale(low, low + span)
    back = scale.invert(scale.apply(image))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, image, atol=1e-6 * (abs(low) + span + 200) * 4)


def test_a_large_offset_keeps_its_digits() -> None:
    image = a_scan(np.float64) + 1e9
    scaled = scale_from(image, EVERYWHERE).apply(image)
    assert np.unique(scaled).size > 900


def test_robust_z_of_normal_values_is_their_mean_and_spread() -> None:
    image = np.random.default_rng(1).normal(100, 15, (40, 40, 40)).astype(np.float32)
    median, sigma = robust_z_scale(image, np.ones(image.shape, bool))
    assert median == pytest.approx(100, abs=0.5)
    assert sigma == pytest.approx(15, rel=0.02)


def test_robust_z_falls_back_to_the_standard_deviation() -> None:
    image = np.zeros(EVERYWHERE.shape, np.float32)
    image[:2] = 10
    assert robust_z_scale(image, EVERYWHERE) == (0.0, pytest.approx(4.0))


@pytest.mark.parametrize("measure", [scale_from, robust_z_scale])
def test_no_usable_foreground_is_the_inputs_fault(measure: Callable) -> None:
    with pytest.raises(InputError, match="no normal brain"):
        measure(a_scan(), ~EVERYWHERE)
    with pytest.raises(InputError, match="no normal brain"):
        measure(a_scan(), EVERYWHERE, EVERYWHERE)
    with pytest.raises(InputError, match="no contrast"):
        measure(np.full(EVERYWHERE.shape, 7, np.int16), EVERYWHERE)

"""Compositing on the native grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pseudonormal.generate.composite import composite
from pseudonormal.scan.scan import Geometry, Scan, Storage

DTYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", ">i2"]


def a_scan(array: np.ndarray, storage: Storage | None = None) -> Scan:
    size = (array.shape[2], array.shape[1], array.shape[0])
    geometry = Geometry(size, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    return Scan(array, geometry, Path("scan.nii.gz"), storage or Storage(array.dtype))


@settings(max_examples=60, deadline=None)
@given(dtype=st.sampled_from(DTYPES), seed=st.integers(0, 2**16), share=st.floats(0, 1))
def test_nothing_but_the_lesion_changes(dtype: str, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    array = rng.integers(0, 256, (4, 5, 6 * np.dtype(dtype).itemsize), np.uint8).view(dtype)
    lesion = rng.random(array.shape) < share
    result = composite(a_scan(array), rng.normal(0, 1e4, array.shape).astype(np.float32), lesion)
    assert result.dtype == array.dtype
    # Compared as bytes: a float scan may hold NaN outside the lesion, and that is to stay as well.
    assert result[~lesion].tobytes() == array[~lesion].tobytes()


@pytest.mark.parametrize("dtype", [name for name in DTYPES if "i" in name])
def test_integers_are_rounded_and_clipped_not_wrapped(dtype: str) -> None:
    limits = np.iinfo(dtype)
    array = np.zeros((1, 1, 4), dtype)
    normal = np.array([[[2.6, -1e30, 1e30, 3.4]]])
    result = composite(a_scan(array), normal, np.ones_like(array, bool)).ravel()
    assert (result[0], result[1], result[3]) == (3, limits.min, 3)
    assert int(result[2]) >= int(limits.max) - 2**11


def test_scaled_files_get_values_they_can_hold() -> None:
    storage = Storage(np.dtype("int16"), slope=0.5, intercept=-10.0)
    array = np.full((2, 2, 2), -10.0, np.float32)
    result = composite(a_scan(array, storage), np.full(array.shape, 3.3, np.float32), np.ones(array.shape, bool))
    assert np.all(result == 3.5)
    huge = composite(a_scan(array, storage), np.full(array.shape, 1e9, np.float32), np.ones(array.shape, bool))
    assert np.all(huge == 32767 * 0.5 - 10)


def test_the_input_is_not_touched() -> None:
    array = np.zeros((2, 2, 2), np.int16)
    composite(a_scan(array), np.ones(array.shape, np.float32), np.ones(array.shape, bool))
    assert not array.any()


def test_values_that_are_not_finite_are_refused_in_the_lesion_only() -> None:
    array = np.zeros((2, 2, 2), np.float32)
    normal = np.full(array.shape, np.nan, np.float32)
    lesion = np.zeros(array.shape, bool)
    assert not composite(a_scan(array), normal, lesion).any()
    lesion[0, 0, 0] = True
    with pytest.raises(ValueError, match="not finite"):
        composite(a_scan(array), normal, lesion)


def test_shapes_must_agree() -> None:
    array = np.zeros((2, 2, 2), np.float32)
    with pytest.raises(ValueError, match="shapes differ"):
        composite(a_scan(array), array[1:], np.zeros(array.shape, bool))

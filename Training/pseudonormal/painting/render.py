"""From tissue groups and a contrast to a scan-like image."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.painting.contrast import Contrast


def render(
    groups: NDArray[np.uint8], contrast: Contrast, rng: Generator, *, voxel_mm: float = 1.0
) -> NDArray[np.float32]:
    """Paint tissue groups: means, tissue texture, partial volume, bias field, thick slices and noise.

    :param groups: (D, H, W) group numbers from :func:`pseudonormal.painting.tissues.group_numbers`.
    :param voxel_mm: voxel edge length, to keep scales in mm.
    :returns: (D, H, W) float32, brain roughly in [0, 1.5].
    """
    image = contrast.means[groups]
    texture = rng.standard_normal(groups.shape, dtype=np.float32)
    if voxel_mm < 1.5:
        texture = ndimage.gaussian_filter(texture, rng.uniform(0.4, 1.2))
        texture /= texture.std()
    image = image + contrast.deviations[groups] * texture
    image = ndimage.gaussian_filter(image, rng.uniform(0.35, 0.75) / voxel_mm)
    image *= bias_field(groups.shape, rng, voxel_mm=voxel_mm)
    if rng.random() < 0.35:
        image = thicken(image, int(rng.integers(3)), rng.uniform(2.0, 6.0) / voxel_mm)
    noise = rng.standard_normal(groups.shape, dtype=np.float32) * np.float32(rng.uniform(0.0, 0.03))
    return (image + noise).astype(np.float32)


def bias_field(shape: tuple[int, ...], rng: Generator, *, voxel_mm: float = 1.0) -> NDArray[np.float32]:
    """A smooth positive field around 1, the exponential of a coarse random grid (knots 40-80 mm apart).

    :param shape: (D, H, W), at least 2 each.
    :param voxel_mm: voxel edge length.
    :returns: (D, H, W) float32 factors.
    """
    knots = [max(2, int(n * voxel_mm / rng.uniform(40, 80)) + 1) for n in shape]
    coarse = rng.normal(0, rng.uniform(0.0, 0.15), knots).astype(np.float32)
    for axis, length in enumerate(shape):
        coarse = _stretch(coarse, axis, np.linspace(0, coarse.shape[axis] - 1, length))
    return np.exp(coarse)


def thicken(image: NDArray[np.float32], axis: int, thickness: float) -> NDArray[np.float32]:
    """What a scan of thick slices looks like on this grid: averaged along an axis, sampled, interpolated back.

    :param image: (D, H, W).
    :param thickness: slice thickness in voxels of this grid; up to 1 nothing changes.
    :returns: (D, H, W), the same mean up to what the ends of the axis weigh.
    """
    if thickness <= 1:
        return image
    length = image.shape[axis]
    slices = max(2, round(length / thickness))
    averaged = ndimage.uniform_filter1d(image, max(1, round(thickness)), axis=axis)
    centres = (np.arange(slices) + 0.5) * length / slices - 0.5
    sampled = averaged.take(np.round(centres).astype(int).clip(0, length - 1), axis)
    return _stretch(sampled, axis, np.interp(np.arange(length), centres, np.arange(slices)))


def _stretch(array: NDArray[np.float32], axis: int, position: NDArray[np.float64]) -> NDArray[np.float32]:
    """Linear interpolation along one axis at fractional indices."""
    lower = np.minimum(position.astype(int), array.shape[axis] - 2)
    weight = (position - lower).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
    return array.take(lower, axis) * (1 - weight) + array.take(lower + 1, axis) * weight

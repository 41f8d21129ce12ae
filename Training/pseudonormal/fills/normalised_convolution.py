"""Fill each lesion by normalised convolution: a Gaussian-weighted mean of the normal tissue around every voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.fills.components import components, nearby_normal
from pseudonormal.fills.ring_mean import RING_MM

SIGMA_MM = 2.5
REACH_SIGMAS = 3.0
# Certainty below which a voxel counts as not reached and leans on the next, twice as wide Gaussian.
FAINT = 0.01


def normalised_convolution_fill(
    image: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    foreground: NDArray[np.bool_],
    *,
    sigma_mm: float = SIGMA_MM,
) -> NDArray[np.float32]:
    """Smooth continuation of the normal tissue into each connected lesion.

    :param image: (D, H, W) on the model grid, any unit.
    :param lesion: (D, H, W) voxels to replace.
    :param foreground: (D, H, W) the brain; lesions in it are never taken as normal tissue.
    :param sigma_mm: of the Gaussian; it doubles where a voxel is too deep inside to be reached.
    :returns: (D, H, W) equal to the image outside the lesion.
    :raises InputError: when the lesions leave no foreground at all.
    """
    filled = image.astype(np.float32, copy=True)
    margin = max(REACH_SIGMAS * sigma_mm, RING_MM)
    for component in components(lesion, foreground, margin):
        centre = nearby_normal(image, lesion, foreground, component, RING_MM).mean(dtype=np.float64)
        if component.normal.any():
            # Around the mean, so that a constant stays the constant and float32 keeps its digits.
            departure = image[component.box] - np.float32(centre)
            estimate = smooth_estimate(departure, component.normal, component.mask, sigma_mm)
            filled[component.box][component.mask] = estimate[component.mask] + np.float32(centre)
        else:
            filled[component.box][component.mask] = centre
    return filled


def smooth_estimate(
    values: NDArray[np.float32], certain: NDArray[np.bool_], wanted: NDArray[np.bool_], sigma_mm: float
) -> NDArray[np.float32]:
    """Normalised convolution (Knutsson & Westin 1993): ``G*(c f) / G*c`` with certainty c of 0 or 1.

    Where ``G*c`` is faint the estimate of a Gaussian twice as wide takes over gradually, and so on until every
    wanted voxel is reached; the wide ones run on a pyramid of halved grids.

    :param values: (d, h, w) f; only its certain voxels are looked at.
    :param certain: (d, h, w) c, at least one voxel.
    :param wanted: (d, h, w) voxels that must be reached.
    :param sigma_mm: of the first Gaussian, on the 1 mm grid.
    :returns: (d, h, w) estimate, valid at the wanted voxels.
    """
    weight = certain.astype(np.float32)
    weighted = np.where(certain, values, np.float32(0)).astype(np.float32, copy=False)
    return _pyramid(weighted, weight, wanted, sigma_mm)


def _pyramid(
    weighted: NDArray[np.float32], weight: NDArray[np.float32], wanted: NDArray[np.bool_], sigma: float
) -> NDArray[np.float32]:
    above = _smooth(weighted, sigma)
    below = _smooth(weight, sigma)
    if below[wanted].min(initial=np.inf) > FAINT or max(weight.shape) == 1:
        below_or_tiny: NDArray[np.float32] = np.maximum(below, np.float32(1e-30))
        return above / below_or_tiny
    # Halving the grid doubles the Gaussian in mm while it stays the same in voxels.
    shape = weight.shape
    padding = [(0, size % 2) for size in shape]
    coarse = _pyramid(
        _halve(np.pad(weighted, padding)), _halve(np.pad(weight, padding)), _halve(np.pad(wanted, padding)) > 0, sigma
    )
    wide = _double(coarse)[tuple(slice(size) for size in shape)]
    return (above + np.float32(FAINT) * wide) / (below + np.float32(FAINT))


def _smooth(array: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return ndimage.gaussian_filter(array, sigma, mode="constant", truncate=REACH_SIGMAS)


def _halve(array: NDArray) -> NDArray[np.float32]:
    """Mean over blocks of two voxels along each axis; every size must be even."""
    d, h, w = (size // 2 for size in array.shape)
    return array.reshape(d, 2, h, 2, w, 2).mean(axis=(1, 3, 5), dtype=np.float32)


def _double(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear interpolation to twice the size along each axis, block centres kept in place."""
    for axis in range(array.ndim):
        before, after = np.moveaxis(array, axis, 0), np.moveaxis(array, axis, 0)
        before = np.concatenate([before[:1], before[:-1]])
        after = np.concatenate([after[1:], after[-1:]])
        centre = np.moveaxis(array, axis, 0)
        doubled = np.empty((2 * len(centre), *centre.shape[1:]), np.float32)
        doubled[0::2] = 0.75 * centre + 0.25 * before
        doubled[1::2] = 0.75 * centre + 0.25 * after
        array = np.moveaxis(doubled, 0, axis)
    return array

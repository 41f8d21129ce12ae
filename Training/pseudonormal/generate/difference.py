"""What the disease changed: input minus pseudo-normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pseudonormal.intensity import MAD_TO_SIGMA

"""Standard deviation of a normal distribution over its median absolute deviation."""


def difference(image: NDArray, normal: NDArray) -> NDArray[np.float32]:
    """``input - pseudo-normal``; positive where the disease is brighter than normal tissue.

    The subtraction runs in a floating type that holds both inputs, so unsigned and narrow integers cannot wrap.

    :param image: (D, H, W) the scan in its own units, any real type.
    :param normal: (D, H, W) its pseudo-normal in the same units, without added grain.
    :returns: (D, H, W) in scan units; exactly 0 where the two are equal.
    :raises ValueError: the shapes differ.
    """
    if image.shape != normal.shape:
        raise ValueError(f"shapes differ: input {image.shape}, pseudo-normal {normal.shape}")
    wide = np.result_type(image.dtype, normal.dtype, np.float32)
    return np.subtract(image, normal, dtype=wide).astype(np.float32, copy=False)


def robust_scale(image: NDArray, foreground: NDArray[np.bool_], lesion: NDArray[np.bool_]) -> float:
    """Spread of normal tissue in scan units: ``1.4826 * MAD`` of the foreground without the lesion.

    Tissue of one constant value has no MAD; the standard deviation steps in, and for a flat image 1.0, so that a z is
    always finite. Where the lesion leaves no foreground, all voxels outside the lesion count.

    :param image: (D, H, W) the scan in its own units.
    :param foreground: (D, H, W) the brain.
    :param lesion: (D, H, W) voxels to leave out.
    :returns: the spread in scan units, > 0.
    """
    tissue = image[foreground & ~lesion]
    if tissue.size == 0:
        tissue = image[~lesion]
    tissue = tissue[np.isfinite(tissue)].astype(np.float64)
    if tissue.size == 0:
        return 1.0
    spread = MAD_TO_SIGMA * float(np.median(np.abs(tissue - np.median(tissue))))
    if spread > 0:
        return spread
    return float(tissue.std()) or 1.0


def difference_z(
    difference_map: NDArray[np.float32],
    image: NDArray,
    foreground: NDArray[np.bool_],
    lesion: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """The difference map in robust standard deviations of normal tissue (:func:`robust_scale`).

    :param difference_map: (D, H, W) from :func:`difference`, scan units.
    :param image: (D, H, W) the scan in its own units.
    :param foreground: (D, H, W) the brain.
    :param lesion: (D, H, W) the lesion mask.
    :returns: (D, H, W) without unit.
    """
    return difference_map / np.float32(robust_scale(image, foreground, lesion))

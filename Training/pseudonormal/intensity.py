"""Put a scan's values on a scale that does not depend on the scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pseudonormal.errors import InputError

LOW_PERCENTILE, HIGH_PERCENTILE = 0.5, 99.5
MAD_TO_SIGMA = 1.4826  # for normally distributed values


@dataclass(frozen=True)
class IntensityScale:
    """The line that sends ``low`` to 0 and ``high`` to 1; values outside are not clipped, so it can be undone.

    :param low: value in the scan's own units that becomes 0.
    :param high: value in the scan's own units that becomes 1.
    """

    low: float
    high: float

    def apply(self, array: NDArray) -> NDArray[np.float32]:
        """From the scan's units to scaled intensities; any shape."""
        span = self.high - self.low
        if _holds_exactly(array):
            scaled = array.astype(np.float32)
            scaled -= np.float32(self.low)
            scaled *= np.float32(1.0 / span)
            return scaled
        # Wide integers and doubles (say, a large offset) would lose their digits in float32 before the subtraction.
        return ((np.asarray(array, np.float64) - self.low) / span).astype(np.float32)

    def invert(self, array: NDArray) -> NDArray[np.float32]:
        """From scaled intensities back to the scan's units; any shape."""
        restored = np.asarray(array, np.float32) * np.float32(self.high - self.low)
        restored += np.float32(self.low)
        return restored


def scale_from(
    image: NDArray, foreground: NDArray[np.bool_], lesion: NDArray[np.bool_] | None = None
) -> IntensityScale:
    """The scale set by the 0.5 and 99.5 percentiles of the foreground, lesion left out.

    :param image: (D, H, W) values in the scan's own units.
    :param foreground: (D, H, W) the brain.
    :param lesion: (D, H, W) voxels that must not set the scale.
    :raises InputError: when no foreground is left or all of it has one value.
    """
    low, high = np.percentile(_normal_values(image, foreground, lesion), [LOW_PERCENTILE, HIGH_PERCENTILE])
    if not (np.isfinite(low) and np.isfinite(high) and high > low):
        raise InputError(f"the brain has no contrast (all values about {low:g}): check that this is the right image")
    return IntensityScale(float(low), float(high))


def robust_z_scale(
    image: NDArray, foreground: NDArray[np.bool_], lesion: NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Centre and spread of normal tissue: ``z = (x - median) / sigma``.

    ``sigma = 1.4826 * MAD``; the standard deviation where more than half of the values are equal (MAD 0).

    :param image: (D, H, W) values in any unit; the result is in the same unit.
    :param foreground: (D, H, W) the brain.
    :param lesion: (D, H, W) voxels to leave out.
    :returns: (median, sigma), sigma > 0.
    :raises InputError: when no foreground is left or all of it has one value.
    """
    values = _normal_values(image, foreground, lesion).astype(np.float64)
    median = float(np.median(values))
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(values - median)))
    if sigma == 0.0:
        sigma = float(values.std())
    if not (np.isfinite(sigma) and sigma > 0.0):
        raise InputError(f"the brain has no contrast (all values about {median:g}): check that this is the right image")
    return median, sigma


def _normal_values(image: NDArray, foreground: NDArray[np.bool_], lesion: NDArray[np.bool_] | None) -> NDArray:
    values = image[foreground] if lesion is None else image[foreground & ~lesion]
    if values.size == 0:
        raise InputError("no normal brain is left outside the lesion mask: check the mask and the brain mask")
    return values


def _holds_exactly(array: NDArray) -> bool:
    """Whether float32 holds every value of the array's type."""
    return array.dtype == np.float32 or (array.dtype.kind in "iub" and array.dtype.itemsize <= 2)

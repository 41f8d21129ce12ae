"""Fill each lesion with the mean of the normal tissue around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pseudonormal.fills.components import components, nearby_normal

RING_MM = 4.0


def ring_mean_fill(
    image: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    foreground: NDArray[np.bool_],
    *,
    width_mm: float = RING_MM,
) -> NDArray[np.float32]:
    """One value per connected lesion: the mean of the foreground ring around it.

    :param image: (D, H, W) on the model grid, any unit.
    :param lesion: (D, H, W) voxels to replace.
    :param foreground: (D, H, W) the brain; lesions in it are never taken as normal tissue.
    :param width_mm: width of the ring. Without a ring the mean of the whole normal foreground is taken.
    :returns: (D, H, W) equal to the image outside the lesion.
    :raises InputError: when the lesions leave no foreground at all.
    """
    filled = image.astype(np.float32, copy=True)
    for component in components(lesion, foreground, width_mm):
        values = nearby_normal(image, lesion, foreground, component, width_mm)
        filled[component.box][component.mask] = values.mean(dtype=np.float64)
    return filled

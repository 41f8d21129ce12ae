"""Fill each lesion with normally distributed noise that looks like the tissue around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pseudonormal.fills.components import components, nearby_normal
from pseudonormal.fills.ring_mean import RING_MM


def gaussian_ring_fill(
    image: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    foreground: NDArray[np.bool_],
    *,
    width_mm: float = RING_MM,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Independent draws from N(mean, sd) of the normal tissue around each connected lesion.

    After Valverde et al. 2014 (SLF, doi:10.1016/j.nicl.2014.08.016), which takes mean and standard deviation of
    the normal white matter slice by slice; here the ring stands for it, so that no tissue classes are needed.

    :param image: (D, H, W) on the model grid, any unit.
    :param lesion: (D, H, W) voxels to replace.
    :param foreground: (D, H, W) the brain; lesions in it are never taken as normal tissue.
    :param width_mm: width of the ring. Without a ring the whole normal foreground is taken.
    :param seed: of the draws; the same seed gives the same fill.
    :returns: (D, H, W) equal to the image outside the lesion.
    :raises InputError: when the lesions leave no foreground at all.
    """
    generator = np.random.default_rng(seed)
    filled = image.astype(np.float32, copy=True)
    for component in components(lesion, foreground, width_mm):
        values = nearby_normal(image, lesion, foreground, component, width_mm).astype(np.float64)
        draws = generator.normal(values.mean(), values.std(), int(component.mask.sum()))
        filled[component.box][component.mask] = draws
    return filled

"""Fill each lesion with what the other half of the brain shows there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pseudonormal.fills.components import components
from pseudonormal.fills.matching import MARGIN_MM, matched
from pseudonormal.fills.normalised_convolution import normalised_convolution_fill
from pseudonormal.fills.symmetry import SymmetryPlane, symmetry_plane

# Share of a mirror position's neighbours that must be normal tissue: all of them, rounding aside.
WHOLLY = 0.999


def mirror_fill(
    image: NDArray[np.float32],
    lesion: NDArray[np.bool_],
    foreground: NDArray[np.bool_],
    *,
    plane: SymmetryPlane | None = None,
) -> NDArray[np.float32]:
    """The contralateral tissue, matched to the surroundings of the lesion.

    In a ring around each component the image is regressed on its reflection (where the halves have little in
    common the slope goes to 0 and the fill to a smooth one); the smooth part of what the line leaves over there is
    carried into the lesion. Voxels whose mirror position is a lesion, background or out of view take the
    normalised convolution.

    :param image: (D, H, W) on the model grid (RAS axes, 1 mm), any unit.
    :param lesion: (D, H, W) voxels to replace.
    :param foreground: (D, H, W) the brain; lesions in it are never taken as normal tissue.
    :param plane: the symmetry plane where it is known already.
    :returns: (D, H, W) equal to the image outside the lesion.
    :raises InputError: when the lesions leave no foreground at all.
    """
    filled = normalised_convolution_fill(image, lesion, foreground)
    if not lesion.any():
        return filled
    plane = plane or symmetry_plane(image, foreground, lesion)
    normal = foreground & ~lesion
    reference = np.float32(np.median(image[normal]))
    # Lesions are flattened first, so that no interpolation can carry them anywhere.
    source = np.where(lesion, np.float32(0), image - reference)
    for component in components(lesion, foreground, MARGIN_MM):
        reflected = plane.reflect(source, component.box)
        usable = plane.reflect_mask(normal, component.box, WHOLLY)
        values = image[component.box] - reference
        wanted = component.mask & usable
        estimate = matched(values, reflected, component, usable)
        if estimate is not None:
            filled[component.box][wanted] = estimate[wanted] + reference
    return filled

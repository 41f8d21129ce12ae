"""The rim of disease that a tight mask leaves outside.

People draw lesions at half of their contrast, so the first millimetres outside a mask are often still bright. A fill
that takes them for normal tissue carries the brightness back in (a biharmonic fill extrapolates it: more than half of
a real lesion's contrast can survive). The halo is left out of the evidence; it is not changed itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.intensity import MAD_TO_SIGMA
from pseudonormal.regions import NEIGHBOURS, connected

REACH = 3  # voxels (1 mm) that a halo may be wide
FAR = (REACH + 1, REACH + 6)  # the shell of tissue that says what normal is here
CLEAR_CONTRAST = 1.0  # in robust standard deviations of that shell; a fainter lesion has no halo worth the name
FADING = 0.12  # share of the lesion's contrast by which its first outer shell exceeds its third, where there is a halo
ALIKE = 0.15  # share of the lesion's contrast above which a voxel beside it belongs to the halo


def halo(image: NDArray[np.float32], lesion: NDArray[np.bool_], foreground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels beside each lesion that show more of it than of the tissue around.

    A lesion has a halo when its contrast fades outwards: the median of the first shell outside the mask lies nearer to
    the lesion's own median than that of the third, by more than ``FADING`` of the contrast. A mask that holds all of
    its lesion has tissue in both. The halo is what is alike to the lesion within ``REACH`` and connected to it.

    :param image: (D, H, W) on the model grid (1 mm), any units.
    :param lesion: (D, H, W) the mask.
    :param foreground: (D, H, W) the brain.
    :returns: (D, H, W) mask, disjoint from ``lesion``.
    """
    found = np.zeros(lesion.shape, bool)
    labels, _ = connected(lesion)
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        wide = tuple(slice(max(0, s.start - FAR[1]), s.stop + FAR[1]) for s in box)
        inside = labels[wide] == index
        tissue = foreground[wide] & ~lesion[wide]
        distance = ndimage.distance_transform_edt(~inside)
        first = tissue & (distance > 0) & (distance < 1.5)
        third = tissue & (distance > 2.5) & (distance <= 3.5)
        around = image[wide][tissue & (distance > FAR[0]) & (distance <= FAR[1])]
        if around.size < 50 or not first.any() or not third.any():
            continue
        normal = float(np.median(around))
        spread = MAD_TO_SIGMA * float(np.median(np.abs(around - normal)))
        contrast = float(np.median(image[wide][inside])) - normal
        if abs(contrast) <= CLEAR_CONTRAST * spread:
            continue
        likeness = (image[wide] - normal) / contrast
        if np.median(likeness[first]) - max(float(np.median(likeness[third])), 0.0) > FADING:
            alike = tissue & (distance <= REACH) & (likeness > ALIKE)
            found[wide] |= ndimage.binary_propagation(inside, NEIGHBOURS, inside | alike) & alike
    return found

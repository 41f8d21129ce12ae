"""What contrast agent makes of vessels, dura and plexus: thin, winding and very bright in a T1-weighted scan."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.regions import connected

# A region is a vessel where its median robust z is above BRIGHT_Z, the largest ball in it has a radius below THICK_MM,
# and it holds at least so many such balls: a metastasis that small is round.
BRIGHT_Z = 3.0
THICK_MM = 4.0
WINDING = 4.0
# In T1 tissue is the brighter the deeper it lies (correlation with the depth); in FLAIR, T2 and PD cortex is brighter.
T1_CORRELATION = 0.1
DEPTHS_MM = (2.0, 20.0)  # nearer to the surface much is liquid; deeper there are nuclei as well
TISSUE_Z = (-1.5, 3.0)
LIMITS = (BRIGHT_Z, THICK_MM, WINDING, T1_CORRELATION)
STRIDE = 2  # voxels; a scan's contrast is told as well from an eighth of them


def vessels_in(
    found: NDArray[np.bool_], z: NDArray[np.float32], brain: NDArray[np.bool_], normal: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Those of the regions found that look like enhancing vessels; none where the scan does not look T1-weighted.

    Leptomeningeal disease looks so too, and small rings that are not closed may.

    :param found: (D, H, W) what may be lesions; 1 mm voxels.
    :param z: (D, H, W) robust z of the brain.
    :param brain: (D, H, W) the foreground.
    :param normal: (D, H, W) where tissue is not suspected, to tell the contrast from.
    :returns: (D, H, W) whole regions (26 neighbours) of ``found``.
    """
    labels, count = connected(found)
    winding = np.zeros(count + 1, bool)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        own = labels[box] == number
        winding[number] = np.median(z[box][own]) > BRIGHT_Z and _is_winding(own)
    if not winding.any() or not is_t1_like(z, brain, normal):
        return np.zeros_like(found)
    vessels: NDArray[np.bool_] = winding[labels]
    return vessels


def is_t1_like(z: NDArray[np.float32], brain: NDArray[np.bool_], normal: NDArray[np.bool_]) -> bool:
    """Whether tissue is brighter the deeper it lies; see :func:`vessels_in` for the arrays."""
    coarse = (slice(None, None, STRIDE),) * 3
    z, brain, normal = z[coarse], brain[coarse], normal[coarse]
    depth = STRIDE * ndimage.distance_transform_edt(brain)
    tissue = brain & normal & (z > TISSUE_Z[0]) & (z < TISSUE_Z[1]) & (depth > DEPTHS_MM[0])
    if tissue.sum() < 2 or not z[tissue].std() or not depth[tissue].std():
        return False
    deep = np.minimum(depth[tissue], DEPTHS_MM[1])
    return bool(np.corrcoef(z[tissue], deep)[0, 1] > T1_CORRELATION)


def _is_winding(region: NDArray[np.bool_]) -> bool:
    radius = float(ndimage.distance_transform_edt(np.pad(region, 1)).max())
    return radius < THICK_MM and region.sum() > WINDING * 4 / 3 * np.pi * radius**3

"""The wide difference: what stands out around the lesions too, where the difference map is 0 by its making.

Whoever corrects a mask that is too small needs to see what it has missed. So the mask and its surroundings are
restored together, and the scan is held against that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.generate.difference import difference
from pseudonormal.regions import bounding_box
from pseudonormal.scan.conform import Conformed, to_native
from pseudonormal.scan.scan import Scan


def widened(
    lesion: NDArray[np.bool_], foreground: NDArray[np.bool_], reach_mm: float, spacing: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """The lesions and the foreground within reach of them.

    :param lesion: (D, H, W).
    :param foreground: (D, H, W) the brain.
    :param reach_mm: distance from the nearest lesion voxel's centre, mm.
    :param spacing: (x, y, z) mm.
    :returns: (D, H, W), holds the lesions.
    """
    found = bounding_box(lesion)
    if found is None:
        return lesion.copy()
    by_axis = spacing[::-1]
    margins = [int(reach_mm / step) + 1 for step in by_axis]
    box = tuple(slice(max(at.start - more, 0), at.stop + more) for at, more in zip(found, margins, strict=True))
    near = ndimage.distance_transform_edt(~lesion[box], sampling=by_axis) <= reach_mm
    result = lesion.copy()
    result[box] |= near & foreground[box]
    return result


def wide_difference_z(
    scan: Scan,
    normal: NDArray[np.float32],
    region: NDArray[np.bool_],
    conformed: Conformed,
    lesion: NDArray[np.bool_],
    z_scale: float,
) -> NDArray[np.float32]:
    """``(input - restored) / z_scale`` in the region, 0 elsewhere.

    :param normal: (D, H, W) on the model grid, scan units: the scan with the whole region restored.
    :param region: (D, H, W) on the model grid, from :func:`widened`.
    :param lesion: (D, H, W) the lesion mask on the scan's grid.
    :param z_scale: scan units per robust standard deviation, :func:`pseudonormal.generate.difference.robust_scale`.
    :returns: (D, H, W) robust z on the scan's grid.
    """
    around = (to_native(region.astype(np.float32), conformed) >= 0.5) | lesion
    z = difference(scan.array, to_native(normal, conformed)) / np.float32(z_scale)
    return np.where(around, z, np.float32(0))

"""Connected regions of a mask: 26 neighbours, everywhere in the project."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Box = tuple[slice, slice, slice]
NEIGHBOURS = np.ones((3, 3, 3), bool)


def connected(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the connected regions.

    :param mask: (D, H, W).
    :returns: (D, H, W) numbers from 1, 0 outside; how many there are.
    """
    labels, count = ndimage.label(mask, NEIGHBOURS)
    return labels, count


def sizes(labels: NDArray[np.int32]) -> NDArray[np.intp]:
    """Voxels of each region by its number; 0 for the number 0, which is no region."""
    counts = np.bincount(labels.ravel(), minlength=1)
    counts[0] = 0
    return counts


def largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The region with the most voxels, (D, H, W); empty where the mask is."""
    labels, count = connected(mask)
    return mask if count < 2 else labels == np.argmax(sizes(labels))


def bounding_box(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box around the mask's voxels; None when it has none."""
    box = []
    for axis in range(mask.ndim):
        filled = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        if filled.size == 0:
            return None
        box.append(slice(int(filled[0]), int(filled[-1]) + 1))
    return box[0], box[1], box[2]


def moments(mass: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre of mass and standard deviation of its distribution along each axis, in voxels.

    :param mass: (D, H, W) mask or weights, not all 0.
    :returns: (3,) centre and (3,) standard deviation, along z, y, x.
    """
    centre, spread = np.zeros(3), np.zeros(3)
    for axis in range(3):
        profile = mass.sum(axis=tuple({0, 1, 2} - {axis}), dtype=np.float64)
        position = np.arange(profile.size)
        centre[axis] = (profile * position).sum() / profile.sum()
        spread[axis] = np.sqrt((profile * (position - centre[axis]) ** 2).sum() / profile.sum())
    return centre, spread

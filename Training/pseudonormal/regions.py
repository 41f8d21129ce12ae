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

"""Where contrast agent gathers in a normal head: folds of dura, the sinuses in them, and plexus."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.painting.tissues import EXTRACEREBRAL_FROM
from pseudonormal.regions import bounding_box

# Numbers of FreeSurfer's lookup table.
LEFT = (2, 3, 25, 26, 78)
RIGHT = (41, 42, 57, 58, 79)
CEREBELLUM = (7, 8, 46, 47)
VENTRICLES = (4, 5, 31, 43, 44, 63)  # lateral, with their plexus
LIQUID = (0, 14, 15, 24, 30, 62, 85)  # not tissue; so is whatever lies outside the brain
FOLD_REACH_MM = 5.0  # a fold of dura lies so near to both parts of the brain that it parts
FOLD_MM = 1.2
SINUS_NEAR_MM, SINUS_REACH_MM = 1.8, 7.0
SINUS_MM = 3.5
FAR_MM = 1000.0


class Drainage(IntEnum):
    """What an array from :func:`drainage` holds."""

    NONE = 0
    FOLD = 1
    SINUS = 2
    PLEXUS = 3


def drainage(labels: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Falx and tentorium, the large sinuses and the lateral ventricles, by where they must lie.

    A fold of dura lies half way between two parts of the brain (the hemispheres; a hemisphere and the cerebellum); a
    sinus runs where that gap widens, at the fold's border, and where all three parts meet.

    :param labels: (D, H, W) FreeSurfer's numbers, 1 mm voxels.
    :returns: (D, H, W) uint8 numbers of :class:`Drainage`.
    """
    whole = np.zeros(labels.shape, np.uint8)
    box = bounding_box(np.isin(labels, LEFT + RIGHT + CEREBELLUM))
    if box is None:
        return whole
    near = tuple(slice(max(0, int(axis.start - SINUS_REACH_MM)), axis.stop + int(SINUS_REACH_MM)) for axis in box)
    labels, found = labels[near], whole[near]
    left, right, below = (_distance(labels, numbers) for numbers in (LEFT, RIGHT, CEREBELLUM))
    free = np.isin(labels, LIQUID) | (labels >= EXTRACEREBRAL_FROM)
    gaps = [(left, right), (np.minimum(left, right), below)]
    found[np.isin(labels, VENTRICLES)] = Drainage.PLEXUS
    for one, other in gaps:
        found[free & (np.maximum(one, other) <= FOLD_REACH_MM) & (abs(one - other) <= FOLD_MM)] = Drainage.FOLD
    for one, other in gaps:
        wide = (np.minimum(one, other) >= SINUS_NEAR_MM) & (np.maximum(one, other) <= SINUS_REACH_MM)
        found[free & wide & (abs(one - other) <= SINUS_MM)] = Drainage.SINUS
    return whole


def _distance(labels: NDArray[np.integer], numbers: tuple[int, ...]) -> NDArray[np.float32]:
    """From the nearest voxel of these labels, in mm; far where there is none."""
    part = np.isin(labels, numbers)
    if not part.any():
        return np.full(labels.shape, FAR_MM, np.float32)
    return np.asarray(ndimage.distance_transform_edt(~part), np.float32)

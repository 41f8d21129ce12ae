"""Scans whose skull has been taken off already: what is left is the brain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.recipes.brain import GRID_MM
from pseudonormal.regions import largest

SHELL_MM = (8.0, 14.0)  # where skull and scalp would be
MOST_TISSUE = 0.7  # share of that shell that may show something: 0.95 and more in heads, up to 0.5 in stripped scans
LEAST_BACKGROUND = 0.5  # share of the border that has one value: nobody's noise does
FAINT = 0.02  # share of the brain's range that interpolation may leave in the background
CLOSING = 3  # voxels; sulci that open to the background belong to the brain


def stripped_tissue(
    image: NDArray[np.float32], small: NDArray[np.float32], brain: NDArray[np.bool_]
) -> NDArray[np.bool_] | None:
    """The tissue of a stripped scan, or None when the head still has its skull.

    The background is the value that the faces of the field of view show most, at least on half of them. In a head,
    skull and scalp fill the
    shell around the brain almost wholly; in a stripped scan much of that shell is background, even where the first
    guess of the brain is too small.

    :param image: (D, H, W) on the model grid (1 mm), any units.
    :param small: the same at 2 mm.
    :param brain: a first guess of the brain, at 2 mm.
    :returns: (D, H, W) on the model grid: one connected region, sulci closed, holes filled.
    """
    faces = np.concatenate([image[[0, -1]].ravel(), image[:, [0, -1]].ravel(), image[:, :, [0, -1]].ravel()])
    values, counts = np.unique(faces, return_counts=True)
    if counts.max() < LEAST_BACKGROUND * faces.size:
        return None
    background = float(values[np.argmax(counts)])
    faint = FAINT * abs(float(np.percentile(small[brain], 99.5)) - background)
    distance = ndimage.distance_transform_edt(~brain) * GRID_MM
    shell = (distance > SHELL_MM[0]) & (distance <= SHELL_MM[1])
    if not shell.any() or (np.abs(small[shell] - background) > faint).mean() > MOST_TISSUE:
        return None
    tissue = np.abs(image - background) > faint
    head = largest(tissue)
    box = ndimage.find_objects(head.astype(np.uint8))[0]
    padded = np.pad(head[box], CLOSING + 1)
    grown = ndimage.distance_transform_edt(~padded) <= CLOSING
    closed = (ndimage.distance_transform_edt(grown) > CLOSING) | padded
    inner = (slice(CLOSING + 1, -CLOSING - 1),) * 3
    whole = np.zeros(image.shape, bool)
    whole[box] = ndimage.binary_fill_holes(closed[inner])
    return whole

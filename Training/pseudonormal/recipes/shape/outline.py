"""Outlines moved until masks are, on the whole, as large as auxiliary ones.

Nothing in an unpaired picture says at which edge of a wall the object ends. A judge of single masks hardly sees that
all are smaller by half a voxel, for masks of one kind are of many sizes. The mean of many tells it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtr, ndtri

from pseudonormal.recipes.shape.labelling import Label
from pseudonormal.recipes.shape.material import Framed

SOFT = 1.0  # voxels: standard deviation of the blur that distances to an outline are read from
FARTHEST = 1.0  # voxels that outlines are moved by
NEAR = 2.0  # voxels from an outline within which a label is as sure as its distance
TRIMMED = 0.1  # of the masks at either end, of which some are wrong altogether
HALVINGS = 12

Place = int | slice


def as_large(
    scans: Sequence[Framed], labels: Sequence[Label], known: Sequence[NDArray[np.bool_]], dimensions: int
) -> list[Label]:
    """Labels whose outlines are moved, all by the same part of a voxel, until their mean size is that of known masks.

    Near an outline a label is then as sure as its distance to it says.

    :param scans: that are learnt from; labels likewise. Empty labels stay empty, none leaves the scan's region.
    :param known: auxiliary masks in the frame, (H, W) or (D, H, W).
    :param dimensions: 3, or 2: each slice is a mask by itself.
    """
    beyond = [_distances(one, dimensions) for one in labels]
    sizes = [_size(mask, dimensions) for mask in known if mask.any()]
    if not sizes or not any(beyond):
        return list(labels)
    wanted, low, high = _mean(sizes), -FARTHEST, FARTHEST
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        found = _mean([_size(far <= middle, dimensions) for one in beyond for _, far in one])
        low, high = (middle, high) if found < wanted else (low, middle)
    return [_moved(scan, one, distances, middle) for scan, one, distances in zip(scans, labels, beyond, strict=True)]


def _distances(label: Label, dimensions: int) -> list[tuple[Place, NDArray[np.float32]]]:
    """How far the voxels of each slice, or of the volume, lie outside the outline; of those that are not empty."""
    found = []
    places: Sequence[Place] = range(len(label.mask)) if dimensions == 2 else [slice(None)]
    for place in places:
        if label.mask[place].any():
            inside = ndimage.gaussian_filter(label.mask[place].astype(np.float32), SOFT)
            found.append((place, (-SOFT * ndtri(inside.clip(1e-6, 1 - 1e-6))).astype(np.float32)))
    return found


def _moved(scan: Framed, label: Label, distances: Sequence[tuple[Place, NDArray[np.float32]]], by: float) -> Label:
    mask, probability = label.mask.copy(), label.probability.copy()
    for place, distance in distances:
        beyond = distance - by
        mask[place] = (beyond <= 0) & scan.region[place]
        near = (np.abs(beyond) < NEAR) & scan.region[place]
        probability[place][near] = ndtr(-beyond[near] / SOFT)
    return replace(label, mask=mask, probability=probability)


def _size(mask: NDArray[np.bool_], dimensions: int) -> float:
    """As a length: an outline that moves changes it alike in small and large masks."""
    return float(np.count_nonzero(mask)) ** (1 / dimensions)


def _mean(sizes: Sequence[float]) -> float:
    cut = int(TRIMMED * len(sizes))
    return float(np.sort(sizes)[cut : len(sizes) - cut].mean())

"""Unsupervised masks: superpixels with their mean value, rounded, and the boundaries between them (Xing 2023)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import felzenszwalb, slic

from pseudonormal.recipes.um.options import GREY_LEVELS, UmOptions

WHITE = 1.5  # scaled intensity that counts as white: lesions are brighter than all normal tissue, which ends at 1
FELZENSZWALB = {"scale": 32 / 255, "sigma": 0.5}  # of the authors, who have grey levels up to 255

Labels = NDArray[np.int32]


def superpixels(
    image: NDArray[np.float32],
    foreground: NDArray[np.bool_],
    options: UmOptions,
    spacing: Sequence[float] | None = None,
) -> Labels:
    """Number the superpixels of a slice or volume from 1; 0 outside the foreground.

    Every foreground voxel is in one. How many there are follows from the foreground's size and ``superpixel_mm``.

    :param image: (H, W) or (D, H, W) scaled intensities.
    :param spacing: mm along each axis of the array; None: the cubes of ``voxel_mm`` that recipes work on.
    """
    edges = np.array([options.voxel_mm] * image.ndim if spacing is None else spacing, float)
    volume = float(foreground.sum()) * float(edges.prod())
    if not volume:
        return np.zeros(image.shape, np.int32)
    grey = np.clip(image / WHITE, 0, 1).astype(np.float32)
    wanted = max(1, round(volume / options.superpixel_mm**image.ndim))
    if options.method == "felzenszwalb":
        least = max(1, round(options.superpixel_mm**2 / float(edges.prod()) / 2))
        labels = felzenszwalb(grey, **FELZENSZWALB, min_size=least) + 1
        return np.where(foreground, labels, 0).astype(np.int32)
    if wanted == 1 or np.ptp(grey[foreground]) == 0:  # SLIC makes one of what has no contrast, or fails
        return foreground.astype(np.int32)
    with warnings.catch_warnings():  # small foregrounds leave a cluster empty, which only makes one superpixel less
        warnings.simplefilter("ignore", UserWarning)
        labels = slic(
            grey,
            n_segments=wanted,
            compactness=options.compactness,
            mask=foreground,
            channel_axis=None,
            spacing=tuple(edges / edges.prod() ** (1 / image.ndim)),  # its size would count as compactness
            start_label=1,
        )
    left = foreground & (labels == 0)  # SLIC drops islands: they join their nearest neighbours
    if left.any():
        nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
        labels = np.where(left, labels[tuple(nearest)], labels)
    return np.asarray(labels, np.int32)


def means(image: NDArray[np.float32], labels: Labels) -> NDArray[np.float64]:
    """Mean of each superpixel by its number; 0 for the number 0."""
    flat = labels.ravel()
    count = np.bincount(flat)
    total = np.bincount(flat, weights=image.ravel().astype(np.float64))
    mean = total / np.maximum(count, 1)
    mean[0] = 0
    return mean


def rounded(values: NDArray[np.float64], granularity: int) -> NDArray[np.float32]:
    """Scaled intensities as what the networks see: ``floor(v / g) * g`` of 255 grey levels, in [-1, 1].

    :param granularity: g.
    """
    grey = np.clip(values / WHITE, 0, 1) * GREY_LEVELS
    return (np.floor(grey / granularity) * granularity / GREY_LEVELS * 2 - 1).astype(np.float32)


def boundaries(labels: Labels) -> NDArray[np.bool_]:
    """Voxels of which a direct neighbour is of another superpixel, or of none."""
    edge = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(labels.ndim))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(labels.ndim))
        differs = labels[low] != labels[high]
        edge[low] |= differs
        edge[high] |= differs
    return edge


def to_network(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled intensities in [-1, 1]."""
    return (np.clip(image / WHITE, 0, 1) * 2 - 1).astype(np.float32)


def from_network(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """The opposite of :func:`to_network`; what lies beyond black and white is cut off."""
    return ((np.clip(image, -1, 1) + 1) / 2 * WHITE).astype(np.float32)

"""Scans on a coarser grid than the model's: a whole head fits into a small network then."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pseudonormal.training.references import Reference


def coarse_scan(reference: Reference, factor: int = 2) -> Reference:
    """A scan at a multiple of its voxels: means for the image, majorities for brain and lesion, any for doubt."""
    if factor == 1:
        return reference
    return Reference(
        reference.case,
        block_means(reference.image, factor),
        coarse_mask(reference.brain, factor),
        None if reference.lesion is None else coarse_mask(reference.lesion, factor),
        block_means(reference.doubtful.astype(np.float32), factor) > 0,
        reference.contrast,
        reference.subject,
        None if reference.weight is None else block_means(reference.weight, factor),
        None if reference.parcels is None else middle_of_blocks(reference.parcels, factor),
    )


def middle_of_blocks(array: NDArray, factor: int = 2) -> NDArray:
    """One voxel of each block, about its middle: for labels, which have no means."""
    whole = array[tuple(slice(0, n - n % factor) for n in array.shape)]
    return np.ascontiguousarray(whole[(slice(factor // 2, None, factor),) * 3])


def coarse_mask(mask: NDArray[np.bool_], factor: int = 2) -> NDArray[np.bool_]:
    """A mask at a multiple of its voxels: where at least half of a block is marked."""
    return block_means(mask.astype(np.float32), factor) >= 0.5


def block_means(array: NDArray, factor: int = 2) -> NDArray[np.float32]:
    """Means of blocks of ``factor`` voxels each way; what is left over at the end of an axis is dropped."""
    whole = array[tuple(slice(0, n - n % factor) for n in array.shape)].astype(np.float32)
    depth, height, width = (n // factor for n in whole.shape)
    blocks = whole.reshape(depth, factor, height, factor, width, factor)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), np.float32)

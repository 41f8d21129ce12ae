"""The frame that lesion masks are learnt in: a cube around the brain, scaled so that all brains are of one size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from pseudonormal.lesions.in_place import MNI_SPREAD, BrainFrame
from pseudonormal.regions import bounding_box

REACH = 2.6  # standard deviations of a brain's voxels from its centre to the frame's border: all of a brain
BLUR = 0.5  # of the frame's voxels, before voxels are left out
USUAL = {2: 0.7, 3: 1.0}  # decimal logarithm of a usual lesion's size, cm² in a slice and ml in a volume
LEAST_SIZE = 0.01


def framed(mask: NDArray[np.bool_], brain: BrainFrame, edge: int) -> NDArray[np.float32]:
    """A mask as the frame shows it.

    :param mask: (D, H, W) on the brain's grid, 1 mm with RAS axes.
    :returns: (edge, edge, edge) shares of each voxel that are lesion, in [0, 1].
    """
    seen = np.zeros((edge,) * 3, np.float32)
    box = bounding_box(mask)
    if box is None:
        return seen
    steps = voxel_mm(edge, brain.spread)
    margin = [int(np.ceil(4 * BLUR * step)) + 1 for step in steps]
    part = np.pad(mask[box], [(n, n) for n in margin]).astype(np.float32)
    soft = ndimage.gaussian_filter(part, BLUR * steps)
    first = np.array([s.start - n for s, n in zip(box, margin, strict=True)])
    offset = brain.centre - first - steps * (edge - 1) / 2
    ndimage.affine_transform(soft, steps, offset, seen.shape, output=seen, order=1)
    return np.clip(seen, 0, 1)


def carried(
    field: NDArray[np.float32], brain: BrainFrame, start: Sequence[int], shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """The opposite of :func:`framed`: what the frame shows, in a box of a brain.

    :param field: (edge, edge, edge).
    :param start: z, y, x of the box's first voxel on the brain's grid.
    :returns: (D, H, W) of that shape, interpolated linearly; 0 beyond the frame.
    """
    edge = field.shape[0]
    steps = voxel_mm(edge, brain.spread)
    offset = (np.asarray(start) - brain.centre) / steps + (edge - 1) / 2
    return ndimage.affine_transform(field, 1 / steps, offset, shape, order=1)


def voxel_mm(edge: int, spread: Sequence[float] | NDArray[np.float64] = MNI_SPREAD) -> NDArray[np.float64]:
    """Edges (z, y, x) of the frame's voxels in a brain, in mm (its grid's voxels)."""
    return 2 * REACH * np.asarray(spread) / edge


def about(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a mask is like: ``log10(size) - usual`` and side, from -1 (all left) to 1 (all right).

    :param mask: (edge, edge, edge) or an axial slice (edge, edge), in [0, 1].
    """
    total = float(mask.sum(dtype=np.float64))
    half = mask.shape[-1] // 2
    right, left = (float(part.sum(dtype=np.float64)) for part in (mask[..., -half:], mask[..., :half]))
    side = (right - left) / max(right + left, 1e-6)
    return np.array([asked_size(total * size_of_voxel(mask.ndim, mask.shape[-1]), mask.ndim), side], np.float32)


def asked_size(size: float, dimensions: int) -> float:
    """A size in ml, or cm² of a slice, as networks are told it."""
    return float(np.log10(max(size, LEAST_SIZE)) - USUAL[dimensions])


def size_of_voxel(dimensions: int, edge: int) -> float:
    """ml, or cm² in a slice, that one of the frame's voxels stands for in a brain of MNI's size."""
    steps = voxel_mm(edge)[3 - dimensions :]
    return float(steps.prod()) / (1000 if dimensions == 3 else 100)

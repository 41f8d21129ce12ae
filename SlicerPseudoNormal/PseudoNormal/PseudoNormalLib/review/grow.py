"""The brush that follows the difference map: grow a mask to it, or shrink it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

# Voxels that share a face, edge or corner belong together, as they do in findings.
_TOUCHING = np.ones((3, 3, 3), bool)


def grow(
    mask: np.ndarray,
    difference_z: np.ndarray,
    matrix: np.ndarray,
    point_ras: tuple[float, float, float],
    *,
    radius_mm: float,
    threshold: float,
) -> np.ndarray:
    """Add what stands out in the difference map and hangs together with the lesion.

    Within the ball around the point, voxels with ``|z| >= threshold`` join the mask if a path of such voxels, all in
    the ball, leads to a voxel of the mask in the ball or to the point's own voxel.

    :param mask: (D, H, W) bool, the lesion mask.
    :param difference_z: (D, H, W) the difference map as robust z.
    :param matrix: (4, 4) from voxel index (i, j, k, 1) to RAS mm; may be oblique and anisotropic.
    :param point_ras: the ball's centre, RAS mm.
    :param radius_mm: the ball's radius, mm.
    :param threshold: least magnitude of the difference, robust z.
    :returns: (D, H, W) bool, a new mask that holds the old one.
    """
    grown = mask.copy()
    box, ball, centre = _ball(mask.shape, matrix, point_ras, radius_mm)
    near = mask[box]
    allowed = ball & (near | (np.abs(difference_z[box]) >= threshold))
    grown[box] |= _reached(ball & (near | centre), allowed)
    return grown


def shrink(
    mask: np.ndarray,
    difference_z: np.ndarray,
    matrix: np.ndarray,
    point_ras: tuple[float, float, float],
    *,
    radius_mm: float,
    threshold: float,
) -> np.ndarray:
    """Take from the mask what does not stand out in the difference map, from its rim inwards.

    Within the ball around the point, voxels with ``|z| < threshold`` leave the mask if a path of such voxels, all in
    the ball, leads to a voxel outside the mask, to the edge of the scan or to the point's own voxel. A lesion's faint
    core stays.

    Parameters as in :func:`grow`.

    :returns: (D, H, W) bool, a new mask within the old one.
    """
    shrunk = mask.copy()
    box, ball, centre = _ball(mask.shape, matrix, point_ras, radius_mm)
    outside = ~mask[box]
    allowed = ball & (outside | (np.abs(difference_z[box]) < threshold))
    shrunk[box] &= ~_reached(ball & (outside | centre | _edge(mask.shape)[box]), allowed)
    return shrunk


def _reached(seeds: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    return ndimage.binary_propagation(seeds & allowed, structure=_TOUCHING, mask=allowed)


def _edge(shape: tuple[int, ...]) -> np.ndarray:
    """The outermost voxels of the scan."""
    edge = np.ones(shape, bool)
    edge[1:-1, 1:-1, 1:-1] = False
    return edge


def _ball(
    shape: tuple[int, ...], matrix: np.ndarray, point_ras: tuple[float, float, float], radius_mm: float
) -> tuple[tuple[slice, ...], np.ndarray, np.ndarray]:
    """The ball in its bounding box: where the box lies, which voxels are in the ball, which one holds the centre.

    All three in ``[z, y, x]`` order. The box ends one voxel beyond the ball, so that a rim is seen as a rim.
    """
    to_ijk = np.linalg.inv(matrix[:3, :3])
    centre = to_ijk @ (np.asarray(point_ras, float) - matrix[:3, 3])
    # A ball of radius r spans, along index axis n, r times the length of row n of the inverse.
    reach = radius_mm * np.linalg.norm(to_ijk, axis=1) + 1
    size = np.asarray(shape[::-1])
    first = np.clip(np.floor(centre - reach), 0, size).astype(int)
    last = np.clip(np.ceil(centre + reach) + 1, first, size).astype(int)
    axes = [np.arange(start, stop) for start, stop in zip(first, last, strict=True)]
    z, y, x = np.meshgrid(*axes[::-1], indexing="ij")
    offsets = np.stack([x, y, z], axis=-1) - centre
    ball = np.linalg.norm(offsets @ matrix[:3, :3].T, axis=-1) <= radius_mm
    own = ball & np.all(np.stack([x, y, z], axis=-1) == np.rint(centre), axis=-1)
    box = tuple(slice(start, stop) for start, stop in zip(first[::-1], last[::-1], strict=True))
    return box, ball, own

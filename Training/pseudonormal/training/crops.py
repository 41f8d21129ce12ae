"""Regions of a head for training: cut from a real scan, or posed from a label map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from pseudonormal.fills.symmetry import SymmetryPlane
from pseudonormal.training.streams import Reference


@dataclass(frozen=True)
class Crop:
    """A cube of a head (all arrays of one shape) with its mirror image.

    :param image: float32 intensities.
    :param brain: foreground.
    :param doubtful: voxels that may be abnormal.
    :param mirror: the other hemisphere, reflected.
    :param mirrored: where ``mirror`` shows normal tissue.
    """

    image: NDArray[np.float32]
    brain: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    mirror: NDArray[np.float32]
    mirrored: NDArray[np.bool_]


def cut(reference: Reference, plane: SymmetryPlane, centre: Sequence[int], edge: int) -> Crop:
    """A cube of a real scan around a voxel, shifted to stay inside the scan and padded where the scan is smaller.

    :param plane: of the reference's grid.
    :param centre: voxel (z, y, x).
    :param edge: of the cube, in voxels.
    """
    shape = reference.image.shape
    starts = [int(np.clip(c - edge // 2, 0, max(0, n - edge))) for c, n in zip(centre, shape, strict=True)]
    z, y, x = (slice(s, min(s + edge, n)) for s, n in zip(starts, shape, strict=True))
    box = z, y, x
    mirror = plane.reflect(reference.image, box)
    mirrored = plane.reflect_mask(reference.brain & ~reference.doubtful, box)
    padding = [(0, edge - n) for n in mirror.shape]
    return Crop(
        np.pad(reference.image[box], padding),
        np.pad(reference.brain[box], padding),
        np.pad(reference.doubtful[box], padding),
        np.pad(mirror, padding),
        np.pad(mirrored, padding),
    )


def posed(parts: Sequence[NDArray], brain: NDArray[np.bool_], edge: int, rng: Generator) -> list[NDArray[np.uint8]]:
    """A randomly turned, scaled and stretched cube of label arrays around a random voxel of the brain.

    :param parts: (D, H, W) each, of one grid; nearest neighbour, 0 beyond it.
    :param brain: (D, H, W), not empty.
    :param edge: of the cube, in voxels.
    :returns: (edge, edge, edge) for each part.
    """
    places = np.argwhere(brain[::4, ::4, ::4]) * 4
    centre = places[int(rng.integers(len(places)))]
    turn = Rotation.from_euler("zyx", rng.normal(0, [8, 6, 8]), degrees=True).as_matrix()
    matrix = turn * rng.uniform(0.88, 1.14) * rng.uniform(0.95, 1.05, 3)
    offset = centre - matrix @ np.full(3, (edge - 1) / 2)
    return [
        ndimage.affine_transform(part.astype(np.uint8), matrix, offset, (edge,) * 3, order=0, mode="constant")
        for part in parts
    ]

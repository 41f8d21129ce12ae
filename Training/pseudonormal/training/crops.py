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
from pseudonormal.regions import Box
from pseudonormal.training.streams import Reference


@dataclass(frozen=True)
class Crop:
    """A box of a head (all arrays of one shape) with its mirror image.

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


def cut(reference: Reference, plane: SymmetryPlane, centre: Sequence[int], edges: int | Sequence[int]) -> Crop:
    """A box of a real scan around a voxel, shifted to stay inside the scan and padded where the scan is smaller.

    :param plane: of the reference's grid.
    :param centre: voxel (z, y, x).
    :param edges: of the box, in voxels; one number for a cube, (1, n, n) for an axial slice.
    """
    box = box_around(centre, edges, reference.image.shape)
    mirror = plane.reflect(reference.image, box)
    mirrored = plane.reflect_mask(reference.brain & ~reference.doubtful, box)
    return Crop(
        padded(reference.image[box], edges),
        padded(reference.brain[box], edges),
        padded(reference.doubtful[box], edges),
        padded(mirror, edges),
        padded(mirrored, edges),
    )


def box_around(centre: Sequence[int], edges: int | Sequence[int], shape: Sequence[int]) -> Box:
    """A box around a voxel, shifted to stay inside an array of this shape and cut where that is smaller."""
    spans = []
    for middle, edge, length in zip(centre, np.broadcast_to(edges, 3), shape, strict=True):
        start = int(np.clip(middle - edge // 2, 0, max(0, length - edge)))
        spans.append(slice(start, min(start + int(edge), length)))
    return spans[0], spans[1], spans[2]


def padded(array: NDArray, edges: int | Sequence[int]) -> NDArray:
    """The array with 0 behind its end where it is shorter than these edges."""
    wanted = np.broadcast_to(edges, 3)
    return np.pad(array, [(0, max(0, int(edge) - length)) for edge, length in zip(wanted, array.shape, strict=True)])


def posed(
    parts: Sequence[NDArray], brain: NDArray[np.bool_], edges: int | Sequence[int], rng: Generator
) -> list[NDArray[np.uint8]]:
    """A randomly turned, scaled and stretched box of label arrays around a random voxel of the brain.

    :param parts: (D, H, W) each, of one grid; nearest neighbour, 0 beyond it.
    :param brain: (D, H, W), not empty.
    :param edges: of the box, in voxels; one number for a cube.
    :returns: an array of these edges for each part.
    """
    shape = tuple(int(edge) for edge in np.broadcast_to(edges, 3))
    places = np.argwhere(brain[::4, ::4, ::4]) * 4
    centre = places[int(rng.integers(len(places)))]
    turn = Rotation.from_euler("zyx", rng.normal(0, [8, 6, 8]), degrees=True).as_matrix()
    matrix = turn * rng.uniform(0.88, 1.14) * rng.uniform(0.95, 1.05, 3)
    offset = centre - matrix @ ((np.array(shape) - 1) / 2)
    return [
        ndimage.affine_transform(part.astype(np.uint8), matrix, offset, shape, order=0, mode="constant")
        for part in parts
    ]
